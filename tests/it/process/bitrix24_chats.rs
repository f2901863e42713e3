//! Chats and requests, from the webhook to a portal of Bitrix24: with leads and without, with kills
//! between the phases of a chat.

use serde_json::{Value, json};
use trunkline::lab::bitrix24::{Kind, Mode, Oracle, SeedCard, SeedDeal};
use trunkline::lab::fault::{Fault, Rule, When};

use super::bitrix24::Branch;
use super::chats::{CHAT, CLIENT, WORDS, chat, says_once, tell};
use super::requests::{LAST, request, settled};
use super::wait::{until, when};

/// Anna's user in the portal.
const ANNA: u64 = 12;

const CHATS: &str = r#"
[integrations.settings.chats]
default_responsible = "1"
method = { kind = "lead_or_deal", pipeline = "0", stage = "NEW", lead_stage = "IN_PROCESS" }
repeat_method = { kind = "contact" }
at = "accepted"
transcript = "live"
transcript_to = { prefer = "deal", closed = true, copy_to_client = true }
without_contacts = true
notify = true
deal_name = "{{ channel }}: {{ client }}"
task = { due = { kind = "after", hours = 2 } }
lost_task = { due = { kind = "after", minutes = 15 } }
lost_note = true

[integrations.settings.chats.filter]
kind = "exclude"
parameter = "channel"
values = ["whatsapp"]

[[integrations.settings.chats.responsible]]
name = "кто принял"
assign = { kind = "talker" }

[[integrations.settings.chats.fields]]
card = "lead"
field = "UF_CRM_1700000021"
value = "{{ channel }}"
"#;

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "1"
method = { kind = "lead_or_deal", pipeline = "3", stage = "C3:NEW" }
notify = true
deal_name = "{{ form }}: {{ client }}"
task = { due = { kind = "after", hours = 2 } }

[integrations.settings.requests.filter]
kind = "all"
of = [
  { kind = "include", parameter = "site", values = ["example.com"] },
  { kind = "any", of = [
    { kind = "include", parameter = "page", values = ["/price"] },
    { kind = "include", parameter = "page", values = ["/call"] },
  ] },
]

[[integrations.settings.requests.responsible]]
name = "Прайс"
when = { kind = "include", parameter = "page", values = ["/price"] }
assign = { kind = "employee", employee = "anna" }

[[integrations.settings.requests.fields]]
card = "lead"
field = "UF_CRM_1700000021"
value = "{{ form }}"

[[integrations.settings.requests.fields]]
card = "deal"
field = "UF_CRM_1700000001"
value = "{{ form }}"
"#;

/// A branch that takes chats and requests of its site.
async fn branch(mode: Mode, settings: &str) -> Branch {
    let branch = Branch::open(mode).await;
    branch.home.edit_tenant(
        r#"{ source = "site", kinds = ["call"] }"#,
        r#"{ source = "site", kinds = ["call", "chat", "request"] }"#,
    );
    branch
        .home
        .edit_tenant(LAST, &format!("{LAST}\n{settings}"));
    branch
}

/// Returns the comments of a card, in the order in which they were made.
fn comments(oracle: &Oracle, card: (Kind, u64)) -> Vec<String> {
    let of_card = oracle.comments.iter();
    let of_card = of_card.filter(|comment| comment.card == Some(card));
    of_card.map(|comment| comment.text.clone()).collect()
}

/// Returns what has to be done on a card.
fn todos(oracle: &Oracle, card: (Kind, u64)) -> usize {
    let all = oracle.activities.iter();
    all.filter(|one| one.provider == "CRM_TODO" && one.owner == Some(card))
        .count()
}

fn phases() -> [Value; 4] {
    [
        chat(1, "started", 1),
        chat(2, "accepted", 2),
        chat(3, "accepted", 4),
        chat(4, "ended", 5),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_06_s3_09_a_chat_with_kills_between_its_phases_makes_one_lead_with_every_word_once() {
    let branch = branch(Mode::Classic, CHATS).await;
    branch.start().await.kill();
    let [started, accepted, more, ended] = phases();
    for phase in [started, accepted, more] {
        let daemon = branch.start_again().await;
        tell(&daemon, &phase).await;
        assert_eq!(daemon.post(&phase).await.0, 200);
        // A step that is cut off in its request would wait for as long as the portal may still be
        // at work on it.
        settled(&daemon, 1).await;
        daemon.kill();
    }
    let daemon = branch.start_again().await;
    // An answer is lost, too.
    let lost = Rule::new("POST", "*", When::First { n: 1 }, Fault::LostAfter);
    branch.portal.add_fault(lost).expect("a good rule");
    tell(&daemon, &ended).await;
    settled(&daemon, 1).await;

    let oracle = branch.oracle();
    let [lead] = &oracle.leads[..] else {
        panic!("{:?}", oracle.leads);
    };
    assert_eq!(
        (lead.title.as_str(), lead.stage.as_str()),
        ("telegram: Ольга", "IN_PROCESS")
    );
    assert_eq!(lead.responsible, ANNA, "who took it");
    assert_eq!(lead.fields["UF_CRM_1700000021"], "telegram");
    assert!(
        oracle.contacts.is_empty() && oracle.deals.is_empty(),
        "{oracle:?}"
    );
    assert_eq!(todos(&oracle, (Kind::Lead, lead.id)), 1);
    says_once(&comments(&oracle, (Kind::Lead, lead.id)), &WORDS);
    // One word about the new record, none about messages.
    let [notice] = &oracle.notices[..] else {
        panic!("{:?}", oracle.notices);
    };
    assert_eq!(notice.user_id, ANNA);
    let link = format!(
        "[URL=https://demo.bitrix24.ru/crm/lead/details/{}/]",
        lead.id
    );
    assert!(notice.message.contains(&link), "{notice:?}");
    let ran = branch.home.run(&["explain", CHAT, "--lang", "en"]).await;
    assert!(ran.out.contains("is told of the new lead"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_06_a_known_clients_chat_goes_to_the_deal_and_the_contact_and_nobody_is_told() {
    let branch = branch(Mode::Simple, CHATS).await;
    let contact = branch
        .portal
        .add_contact(&SeedCard::new("Ольга", CLIENT, 13));
    let deal = SeedDeal {
        contact: Some(contact),
        ..SeedDeal::default()
    };
    let deal = branch.portal.add_deal(&deal);
    let daemon = branch.start().await;
    let mut words = chat(1, "accepted", 2);
    words["messages"][0]["text"] = json!("Скидка [b]есть[/b]? [URL=https://evil.example]тут[/URL]");
    tell(&daemon, &words).await;
    settled(&daemon, 1).await;
    let mut whole = chat(2, "ended", 5);
    whole["messages"][0] = words["messages"][0].clone();
    tell(&daemon, &whole).await;
    settled(&daemon, 1).await;

    let oracle = branch.oracle();
    assert_eq!(
        (
            oracle.deals.len(),
            oracle.contacts.len(),
            oracle.leads.len()
        ),
        (1, 1, 0)
    );
    for card in [(Kind::Deal, deal), (Kind::Contact, contact)] {
        let written = comments(&oracle, card);
        says_once(&written, &WORDS[1..]);
        let all = written.join("\n");
        assert!(all.contains("есть") && !all.contains("[URL"), "{all}");
        assert!(!all.contains("[b]"), "{all}");
    }
    assert_eq!(todos(&oracle, (Kind::Contact, contact)), 1);
    assert!(oracle.notices.is_empty(), "{:?}", oracle.notices);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_06_s3_07_s3_11_lost_chats_without_contact_data_make_a_deal_alone_and_something_to_do() {
    let branch = branch(Mode::Simple, &CHATS.replace("\"accepted\"", "\"start\"")).await;
    branch.home.edit_tenant(
        "[[integrations.settings.chats.responsible]]\nname = \"кто принял\"\nassign = { kind = \"talker\" }\n",
        "",
    );
    let daemon = branch.start().await;
    let mut nobody = chat(1, "started", 1);
    nobody["phone"] = Value::Null;
    tell(&daemon, &nobody).await;
    settled(&daemon, 1).await;
    let mut lost = chat(2, "ended", 1);
    lost["phone"] = Value::Null;
    lost["employee"] = Value::Null;
    lost["lost"] = json!(true);
    tell(&daemon, &lost).await;
    let mut other = chat(1, "started", 1);
    (other["key"], other["channel"]) = (json!("c-2"), json!("whatsapp"));
    tell(&daemon, &other).await;
    settled(&daemon, 2).await;

    let oracle = branch.oracle();
    let [deal] = &oracle.deals[..] else {
        panic!("{:?}", oracle.deals);
    };
    assert!(oracle.contacts.is_empty(), "{:?}", oracle.contacts);
    assert!(deal.contacts.is_empty(), "{deal:?}");
    assert_eq!(deal.responsible, 1, "the default");
    assert_eq!(todos(&oracle, (Kind::Deal, deal.id)), 2);
    let written = comments(&oracle, (Kind::Deal, deal.id)).join("\n");
    assert!(written.contains("Чат пропущен"), "{written}");
    assert!(written.contains("Здравствуйте"), "{written}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_05_s3_13_a_request_becomes_a_lead_or_a_deal_as_the_portal_works_and_its_responsible_is_told()
 {
    for mode in [Mode::Classic, Mode::Simple] {
        let branch = branch(mode, REQUESTS).await;
        let daemon = branch.start().await;
        for (key, phone, page) in [
            ("r-1", "+79165550011", "/price"),
            ("r-2", "+79165550012", "/call"),
            ("r-3", "+79165550013", "/about"),
        ] {
            let mut request = request(key, phone, page);
            request["email"] = json!(format!("{key}@example.com"));
            let (status, answer) = daemon.post(&request).await;
            assert_eq!(status, 202, "{answer}");
        }
        settled(&daemon, 3).await;
        until("everybody is told", async || {
            let told = branch.portal.oracle().notices.len();
            when(told == 2, told)
        })
        .await;
        let oracle = branch.oracle();
        let (made, field, kind) = match mode {
            Mode::Classic => (&oracle.leads, "UF_CRM_1700000021", Kind::Lead),
            Mode::Simple => (&oracle.deals, "UF_CRM_1700000001", Kind::Deal),
        };
        assert_eq!(made.len(), 2, "{made:?}");
        for card in made {
            assert_eq!(card.title, "Обратный звонок: Олег");
            assert_eq!(card.fields[field], "Обратный звонок");
            assert_eq!(card.source, "WEBFORM");
            let written = comments(&oracle, (kind, card.id)).join("\n");
            assert!(written.contains("Перезвоните"), "{written}");
            assert!(todos(&oracle, (kind, card.id)) > 0);
        }
    }
}
