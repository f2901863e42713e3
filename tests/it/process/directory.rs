//! The directory of the real daemon: read at the start, read when the CRM says that something
//! changed, shown and asked for by command, kept in memory.

use trunkline::lab::amocrm::SeedCard;

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::wait::{until, when};

const HOOK: &str = "a-secret-of-the-path-0123456789";
const OLD_HOOK: &str = "an-older-secret-of-the-path-987";

fn person(n: u64) -> SeedCard {
    SeedCard::new("Клиент", &format!("+7916000{n:04}"), 501)
}

/// Waits until the directory is complete and holds so many cards.
async fn holds(daemon: &Daemon, cards: u64) {
    until("the directory holds the cards", async || {
        let found = daemon.get("/v1/directories").await;
        let mut all = list(&found, "items").iter();
        let one = all.find(|one| one["portal"] == "amocrm:demo.amocrm.ru");
        let good = one.is_some_and(|one| one["decides"] == true && one["cards"] == cards);
        when(good, &found)
    })
    .await;
}

/// An office whose daemon asks for changes once an hour only.
async fn slow_office() -> Office {
    let office = Office::open().await;
    office.home.edit_tenant(
        "rate_per_second = 500\n",
        "rate_per_second = 500\ndirectory = { poll_seconds = 3600 }\n",
    );
    office
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_crm_says_has_changed_is_read_at_once() {
    let office = slow_office().await;
    office.home.edit(
        "etc/trunkline.toml",
        "[store]",
        "public_url = \"https://box.example\"\n[store]",
    );
    office.home.write("secrets/crm-hook", OLD_HOOK);
    office.home.edit_tenant(
        "token = { file = \"../../secrets/amocrm-main\" }",
        "token = { file = \"../../secrets/amocrm-main\" }\n\
         hook = { file = \"../../secrets/crm-hook\" }",
    );
    office.crm.add_contact(&person(1));
    let daemon = office.start().await;
    holds(&daemon, 1).await;
    let hook = |secret: &str| format!("https://box.example/crm/amocrm/acme/sales/{secret}");
    until("amoCRM is to tell us", async || {
        let hooks = office.crm.hook_destinations();
        when(hooks == [hook(OLD_HOOK)], format!("{hooks:?}"))
    })
    .await;
    // The secret is replaced: the old address is given up.
    office.home.write("secrets/crm-hook", HOOK);
    daemon.reload().await;
    until("amoCRM is to tell us at the new address", async || {
        let hooks = office.crm.hook_destinations();
        when(hooks == [hook(HOOK)], format!("{hooks:?}"))
    })
    .await;
    holds(&daemon, 1).await;

    office.crm.add_contact(&person(2));
    let body = "contacts[add][0][id]=1; DROP TABLE".to_owned();
    for wrong in [OLD_HOOK, "", "x"] {
        let path = format!("/crm/amocrm/acme/sales/{wrong}");
        assert_eq!(daemon.post_to(&path, body.clone()).await.0, 404, "{wrong}");
    }
    let path = format!("/crm/bitrix24/acme/sales/{HOOK}");
    assert_eq!(daemon.post_to(&path, body.clone()).await.0, 404);
    let path = format!("/crm/amocrm/acme/sales/{HOOK}");
    assert_eq!(daemon.post_to(&path, body).await.0, 200);
    holds(&daemon, 2).await;
    assert!(
        !office.home.log().contains(HOOK),
        "the secret is in the log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_asks_for_a_reading_and_sees_how_far_it_is() {
    let office = slow_office().await;
    let daemon = office.start().await;
    holds(&daemon, 0).await;
    office.crm.add_contact(&person(1));
    let asked = office.home.run(&["sync"]).await;
    assert_eq!(asked.status, Some(0), "{asked:?}");
    assert!(asked.out.contains("amocrm:demo.amocrm.ru"), "{asked:?}");
    holds(&daemon, 1).await;
    let shown = office.home.run(&["sync", "--show"]).await;
    assert!(shown.out.contains("complete"), "{shown:?}");
    assert!(shown.out.contains("1 cards, 0 deals"), "{shown:?}");
    let wrong = office.home.run(&["sync", "amocrm:nobody.amocrm.ru"]).await;
    assert_eq!(wrong.status, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("no such portal"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_client_is_not_asked_for_and_a_backlog_costs_one_reading() {
    let office = slow_office().await;
    for n in 0..40 {
        office.crm.add_contact(&person(n));
    }
    let daemon = office.start().await;
    holds(&daemon, 40).await;
    let searches = || {
        let log = office.crm.log();
        log.iter()
            .filter(|entry| entry.query.contains("query="))
            .count()
    };
    let calls: Vec<_> = (0..40)
        .map(|n| site_call(&format!("c{n}"), &format!("7916000{n:04}"), n))
        .collect();
    let posted = daemon.post(&serde_json::Value::Array(calls)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(40).await;
    assert_eq!(searches(), 0, "nobody was searched for");
    let told = daemon.story("acme/site/c7").await;
    let facts = told.to_string();
    assert!(facts.contains("\"directory\""), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_of_a_configured_portal_is_taken_into_memory_at_the_start() {
    let office = Office::open().await;
    let daemon = office.start().await;
    until("the portal's directory is in memory", async || {
        let log = office.home.log();
        let line = log
            .lines()
            .find(|line| line.contains("directory in memory"));
        when(line.is_some_and(|line| line.contains("amocrm:")), log)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0), "{}", office.home.log());
}
