//! Alarms of a running daemon reach a person.

use trunkline::lab::smtp::{Mood, Protection, SmtpServer};

use super::office::{Office, site_call};
use super::wait::{until, when};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_and_its_end_reach_a_person_once_over_a_kill_and_a_mail_server_that_is_away()
{
    let office = Office::open().await;
    let mail = mailed(&office).await;
    // There is no such stage: the CRM refuses the deal for good.
    office
        .home
        .edit_tenant("stage = \"3102\"", "stage = \"999\"");
    let daemon = office.start().await;
    let trial = office.home.run(&["alarms", "test"]).await;
    assert_eq!(trial.status, Some(0), "{trial:?}");
    assert_eq!(subjects(&mail), ["[office] trial message"]);
    mail.set_mood(Mood::Busy);
    let trial = office.home.run(&["alarms", "test"]).await;
    assert_eq!(trial.status, Some(1), "{trial:?}");
    assert!(trial.err.contains("421"), "{trial:?}");

    assert_eq!(
        daemon.post(&site_call("first", "79160000001", 0)).await.0,
        202
    );
    until("the alarm stands, and nobody could be told", async || {
        let listed = daemon.get("/v1/alarms").await;
        let stands = listed.to_string().contains("dead_letters");
        let trouble = listed["channels"][0]["trouble"].is_string();
        (stands && trouble).then_some(()).ok_or(listed.to_string())
    })
    .await;
    daemon.kill();
    mail.set_mood(Mood::Well);
    let daemon = office.start().await;
    let new = "The CRM refused entries: outbox";
    until("the person is told", async || {
        when(told(&mail, new) == 1, office.home.log())
    })
    .await;
    let drop = ["outbox", "drop", "--all-of", "acme/sales"];
    let dropped = office.home.run(&drop).await;
    assert_eq!(dropped.status, Some(0), "{dropped:?}");
    let over = "OVER: The CRM refused entries: outbox";
    until("the person learns that it is over", async || {
        when(told(&mail, over) == 1, daemon.get("/v1/alarms").await)
    })
    .await;
    assert_eq!(told(&mail, new), 1, "once");
    let listed = office.home.run(&["alarms", "list"]).await;
    assert!(
        listed.out.contains("channel email: last message: 2"),
        "{listed:?}"
    );
}

/// Has alarms told at once, to a mail server that is returned.
pub(super) async fn mailed(office: &Office) -> SmtpServer {
    let mail = SmtpServer::start(Protection::None)
        .await
        .expect("a free port");
    let alarms = format!(
        "[alarms]\nlanguage = \"en\"\nbox_name = \"office\"\nstand_minutes = 0\n\
         gather_minutes = 0\n\n[alarms.email]\nserver = \"localhost\"\nport = {}\n\
         security = \"none\"\nfrom = \"box@example.com\"\nto = [\"admin@example.com\"]\n\n[log]\n",
        mail.port()
    );
    office.home.edit("etc/trunkline.toml", "[log]\n", &alarms);
    mail
}

/// Counts the paragraphs that begin so.
fn told(mail: &SmtpServer, words: &str) -> usize {
    let counted = |text: &String| text.lines().filter(|line| line.starts_with(words)).count();
    texts(mail).iter().map(counted).sum()
}

/// What the letters say.
pub(super) fn texts(mail: &SmtpServer) -> Vec<String> {
    use base64::Engine as _;
    let text = |data: &str| {
        let (_, body) = data.split_once("\r\n\r\n").unwrap_or_default();
        let body: String = body.split_whitespace().collect();
        let body = base64::engine::general_purpose::STANDARD.decode(body);
        String::from_utf8(body.expect("base64")).expect("text")
    };
    mail.mails().iter().map(|mail| text(&mail.data)).collect()
}

fn subjects(mail: &SmtpServer) -> Vec<String> {
    let mails = mail.mails();
    let subject = |line: &str| line.strip_prefix("Subject: ").map(str::to_owned);
    let of = |data: &str| data.lines().find_map(subject).unwrap_or_default();
    mails.iter().map(|mail| of(&mail.data)).collect()
}
