//! New records are told of past the CRM, by the running daemon.

use serde_json::{Value, json};
use trunkline::lab::smtp::{Mail, Mood, Protection, SmtpServer};

use super::daemon::Daemon;
use super::office::Office;
use super::requests::{request, settled, with_requests};
use super::wait::{until, when};

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "501"
method = { kind = "contact_and_deal", pipeline = "3100", stage = "3102" }
notify = true

[[integrations.settings.requests.responsible]]
name = "Прайс"
when = { kind = "include", parameter = "page", values = ["/price"] }
assign = { kind = "employee", employee = "anna" }

[integrations.settings.notices]
to = ["office@example.com"]
"#;

/// An office that tells of what its site's requests make.
async fn office(mail: &SmtpServer, requests: &str, daemon: &str) -> Office {
    let office = with_requests(Office::open().await, requests);
    let more = format!(
        "[alarms.email]\nserver = \"localhost\"\nport = {}\nsecurity = \"none\"\n\
         from = \"box@example.com\"\nto = [\"admin@example.com\"]\n\n{daemon}\n[log]\n",
        mail.port()
    );
    office.home.edit("etc/trunkline.toml", "[log]\n", &more);
    office.home.edit_tenant(
        "id = \"anna\"\n",
        "id = \"anna\"\nemail = \"anna@example.com\"\n",
    );
    office
}

async fn mail_server() -> SmtpServer {
    let server = SmtpServer::start(Protection::None).await;
    server.expect("a free port")
}

/// Returns the notices of new records among the mails.
fn told(mail: &SmtpServer) -> Vec<Mail> {
    let mails = mail.mails().into_iter();
    mails
        .filter(|mail| !mail.to.contains(&"admin@example.com".to_owned()))
        .collect()
}

fn text(mail: &Mail) -> String {
    use base64::Engine as _;
    let (_, body) = mail.data.split_once("\r\n\r\n").expect("a body");
    let body: String = body.split_whitespace().collect();
    let body = base64::engine::general_purpose::STANDARD.decode(body);
    String::from_utf8(body.expect("base64")).expect("text")
}

/// Returns what the story of a request says of its notices.
async fn notices(daemon: &Daemon, key: &str) -> Vec<Value> {
    let story = daemon
        .get(&format!("/v1/communications/acme/site/{key}"))
        .await;
    let integrations = story["integrations"].as_array().cloned();
    let of = |one: Value| one["notices"].as_array().cloned().unwrap_or_default();
    integrations
        .unwrap_or_default()
        .into_iter()
        .flat_map(of)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_17_who_answers_for_a_new_record_gets_an_e_mail_with_the_way_to_it_and_a_bot_is_told() {
    let mail = mail_server().await;
    let bot = bot().await;
    let hook = format!(
        "[notices.webhooks.bot]\nurl = \"{}\"\n\
         body = {{ chat_id = \"-100\", text = \"{{{{ text }}}}\", who = \"{{{{ responsible }}}}\" }}\n",
        bot.url
    );
    let requests = format!("{REQUESTS}webhook = \"bot\"\n");
    let office = office(&mail, &requests, &hook).await;
    let daemon = office.start().await;
    let first = request("f-1", "+79165550001", "/price");
    assert_eq!(daemon.post(&first).await.0, 202);
    settled(&daemon, 1).await;
    until("both were told", async || {
        let found = notices(&daemon, "f-1").await;
        let done = found.iter().filter(|one| one["state"] == "done").count();
        when(done == 2, format!("{found:?}"))
    })
    .await;
    let mails = told(&mail);
    let [notice] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(notice.to, ["anna@example.com", "office@example.com"]);
    let deal = office.oracle().leads_of_phone("+79165550001")[0].id;
    let words = text(notice);
    for part in [
        "сделка",
        "Ответственный: ",
        &format!("/leads/detail/{deal}"),
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let posted = bot.posted();
    let [posted] = &posted[..] else {
        panic!("{posted:?}")
    };
    assert_eq!(posted["chat_id"], json!("-100"));
    assert!(posted["text"].to_string().contains(&deal.to_string()));
    // The story says who was told and why.
    let explained = office
        .home
        .run(&["explain", "acme/site/f-1", "--lang", "en"])
        .await;
    assert!(
        explained.out.contains("A new deal was made in the CRM."),
        "{explained:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_17_a_notice_that_a_kill_cut_off_reaches_its_person_by_the_same_name() {
    let mail = mail_server().await;
    let office = office(&mail, REQUESTS, "").await;
    let daemon = office.start().await;
    // The server takes the message and never says so: nobody knows whether it came.
    mail.set_mood(Mood::TakesAndSaysNothing);
    let first = request("f-1", "+79165550001", "/price");
    assert_eq!(daemon.post(&first).await.0, 202);
    until("the message came", async || {
        when(told(&mail).len() == 1, office.home.log())
    })
    .await;
    daemon.kill();
    mail.set_mood(Mood::Well);
    let daemon = office.start().await;
    until("it was told once more", async || {
        let found = notices(&daemon, "f-1").await;
        let done = found.iter().any(|one| one["state"] == "done");
        when(found.len() == 1 && done, format!("{found:?}"))
    })
    .await;
    let mails = told(&mail);
    let [before, after] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(message_id(before), message_id(after));
    assert_eq!(text(before), text(after));

    // What was told is not told again, and another notice has another name.
    daemon.kill();
    let daemon = office.start().await;
    let second = request("f-2", "+79165550002", "/price");
    assert_eq!(daemon.post(&second).await.0, 202);
    settled(&daemon, 2).await;
    until("the second was told", async || {
        when(told(&mail).len() == 3, format!("{:?}", told(&mail)))
    })
    .await;
    assert_ne!(message_id(&told(&mail)[2]), message_id(&mails[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_17_a_notice_that_never_left_before_a_kill_is_sent_by_the_next_process() {
    let mail = mail_server().await;
    let office = office(&mail, REQUESTS, "").await;
    let daemon = office.start().await;
    mail.set_mood(Mood::Silent);
    let first = request("f-1", "+79165550001", "/price");
    assert_eq!(daemon.post(&first).await.0, 202);
    settled(&daemon, 1).await;
    daemon.kill();
    assert_eq!(told(&mail).len(), 0);
    mail.set_mood(Mood::Well);
    let _daemon = office.start().await;
    until("it was told", async || {
        when(told(&mail).len() == 1, office.home.log())
    })
    .await;
}

fn message_id(mail: &Mail) -> String {
    let mut lines = mail.data.lines();
    let line = lines.find(|line| line.to_lowercase().starts_with("message-id:"));
    line.expect("it has a name").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_17_a_mail_server_that_says_nothing_costs_nothing_else() {
    let mail = mail_server().await;
    let office = office(&mail, REQUESTS, "").await;
    let daemon = office.start().await;
    mail.set_mood(Mood::Silent);
    for key in ["f-1", "f-2", "f-3"] {
        let one = request(key, &format!("+7916555000{}", &key[2..]), "/price");
        assert_eq!(daemon.post(&one).await.0, 202);
    }
    settled(&daemon, 3).await;
    assert_eq!(office.oracle().leads.len(), 3);
    let found = notices(&daemon, "f-1").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["state"], "sent", "{found:?}");
    assert!(told(&mail).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_without_a_mail_server_or_to_an_unknown_place_are_refused_when_they_are_read() {
    let requests = format!("{REQUESTS}webhook = \"bot\"\n");
    let office = with_requests(Office::open().await, &requests);
    let ran = office.home.run(&["check-config"]).await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("[alarms.email]"), "{said}");
    assert!(said.contains("[notices.webhooks]"), "{said}");
}

/// A place that takes what is posted.
struct Bot {
    url: String,
    posted: std::sync::Arc<std::sync::Mutex<Vec<Value>>>,
}

impl Bot {
    fn posted(&self) -> Vec<Value> {
        self.posted.lock().expect("no panic").clone()
    }
}

async fn bot() -> Bot {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let posted = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&posted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            let body = loop {
                let mut piece = [0; 4096];
                let Ok(read @ 1..) = stream.read(&mut piece).await else {
                    break None;
                };
                asked.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&asked);
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                let body = body.and_then(|body| serde_json::from_str::<Value>(body).ok());
                if body.is_some() {
                    break body;
                }
            };
            kept.lock().expect("no panic").extend(body);
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            // Whoever has gone needs no answer.
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    Bot {
        url: format!("http://{address}/bot123:TOKEN/sendMessage"),
        posted,
    }
}
