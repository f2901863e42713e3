//! The directory of a portal of Bitrix24 in the real daemon, and the switches of the parts of an
//! integration.

use serde_json::json;
use trunkline::lab::bitrix24::{Kind, Mode, SeedCard, UserOptions};

use super::bitrix24::Branch;
use super::chats::{chat, tell};
use super::daemon::{Daemon, list};
use super::office::site_call;
use super::requests::{LAST, request, settled};
use super::wait::{until, when};

/// Waits until calls are decided by the directory, which holds so many cards.
async fn holds(daemon: &Daemon, cards: u64) {
    until("the directory holds the cards", async || {
        let found = daemon.get("/v1/directories").await;
        let one = &list(&found, "items")[0];
        when(one["decides"] == true && one["cards"] == cards, &found)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_04_s3_18_a_person_has_clients_and_employees_read_and_what_is_deleted_is_gone() {
    let branch = Branch::open(Mode::Simple).await;
    // By itself it would look once an hour.
    branch.home.edit_tenant(
        "url = \"https://demo.bitrix24.ru\"\n",
        "url = \"https://demo.bitrix24.ru\"\ndirectory = { poll_seconds = 3600 }\n",
    );
    let client = |n: u64| SeedCard::new("Клиент", &format!("+7916000000{n}"), 12);
    let first = branch.portal.add_contact(&client(1));
    let daemon = branch.start().await;
    holds(&daemon, 1).await;
    branch.portal.add_contact(&client(2));
    branch
        .portal
        .add_user(UserOptions::employee(77, "Новый", "Сотрудник", "177"));
    let asked = branch.home.run(&["sync"]).await;
    assert_eq!(asked.status, Some(0), "{asked:?}");
    assert!(asked.out.contains("bitrix24:demo.bitrix24.ru"), "{asked:?}");
    holds(&daemon, 2).await;
    until("the new employee is known", async || {
        let lists = daemon.get("/v1/tenants/acme/accounts/main/lists").await;
        let known = list(&lists, "users").iter().any(|user| user["id"] == "77");
        when(known, &lists)
    })
    .await;
    assert!(branch.portal.delete(Kind::Contact, first));
    let asked = branch.home.run(&["sync"]).await;
    assert_eq!(asked.status, Some(0), "{asked:?}");
    holds(&daemon, 1).await;
    // Who was deleted is a stranger again.
    let call = site_call("back", "+79160000001", 0);
    assert_eq!(daemon.post(&call).await.0, 202);
    settled(&daemon, 1).await;
    let oracle = branch.oracle();
    assert_eq!(oracle.contacts_of_phone("+79160000001").len(), 1);
    assert_eq!(oracle.deals_of_phone("+79160000001").len(), 1);
}

const PARTS: &str = r#"
[integrations.settings.chats]
on = false
default_responsible = "1"
method = { kind = "lead_or_deal", pipeline = "0", stage = "NEW" }

[integrations.settings.requests]
default_responsible = "1"
method = { kind = "lead_or_deal", pipeline = "0", stage = "NEW" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_03_each_part_has_its_switch_and_without_the_main_one_no_part_works() {
    let branch = Branch::open(Mode::Simple).await;
    branch.home.edit_tenant(
        r#"{ source = "site", kinds = ["call"] }"#,
        r#"{ source = "site", kinds = ["call", "chat", "request"] }"#,
    );
    branch.home.edit_tenant(LAST, &format!("{LAST}\n{PARTS}"));
    let daemon = branch.start().await;
    let deals = || branch.portal.oracle().deals.len();
    tell(&daemon, &chat(1, "ended", 5)).await;
    let posted = daemon.post(&request("r-1", "+79165550011", "/price")).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    settled(&daemon, 2).await;
    assert_eq!(deals(), 1, "of the request");

    // The chats are switched on, the requests off: each is a table of its own.
    branch.home.edit_tenant(
        "[integrations.settings.chats]\non = false\n",
        "[integrations.settings.chats]\n",
    );
    branch.home.edit_tenant(
        "[integrations.settings.requests]\n",
        "[integrations.settings.requests]\non = false\n",
    );
    daemon.reload().await;
    let mut other = chat(1, "ended", 5);
    other["key"] = json!("c-2");
    tell(&daemon, &other).await;
    assert_eq!(
        daemon
            .post(&request("r-2", "+79165550012", "/price"))
            .await
            .0,
        202
    );
    settled(&daemon, 4).await;
    assert_eq!(deals(), 2, "of the chat");

    branch
        .home
        .edit_tenant("activity = \"on\"", "activity = \"off\"");
    daemon.reload().await;
    let mut last = chat(1, "ended", 5);
    last["key"] = json!("c-3");
    tell(&daemon, &last).await;
    assert_eq!(
        daemon.post(&site_call("off", "+79165550013", 0)).await.0,
        202
    );
    until("nothing of it is taken", async || {
        let story = daemon.story("acme/site/off").await;
        when(story["not_taken"].is_string(), &story)
    })
    .await;
    assert_eq!(deals(), 2);
}
