//! Several portals of one company: named, chosen, switched, forgotten (S1-01 … S1-03).

use std::time::Duration;

use trunkline::lab::amocrm::{AmoLab, AmoOptions, start};

use super::daemon::list;
use super::office::{Office, site_call};

/// A second portal of the company, written without protocol and without a title.
pub(super) async fn second_portal(office: &Office) -> AmoLab {
    let portal = start(AmoOptions {
        subdomain: "other".to_owned(),
        account_id: 31_000_002,
        rate_per_second: 2_000,
        account_rate_per_second: 2_000,
        search_lag: Duration::ZERO,
        ..AmoOptions::default()
    });
    let portal = portal.await.expect("a free port");
    office
        .home
        .write("secrets/amocrm-other", &portal.long_lived_token());
    let known = "\"https://demo.amocrm.ru\" = ";
    let other = format!(
        "\"https://other.amocrm.ru\" = \"{}\"\n{known}",
        portal.base_url()
    );
    office.home.edit("etc/trunkline.toml", known, &other);
    office.home.edit_tenant(
        "[[integrations]]\nid = \"sales\"\n",
        "[[accounts]]\nid = \"other\"\ncrm = \"amocrm\"\n\n[accounts.settings]\n\
         url = \"other.amocrm.ru\"\nrate_per_second = 500\n\n[accounts.secrets]\n\
         token = { file = \"../../secrets/amocrm-other\" }\n\n\
         [[integrations]]\nid = \"sales\"\n",
    );
    portal
}

/// Has the calls of the site go to the second portal as well.
fn serve_both(office: &Office) {
    let last = "missed_unknown = { action = { kind = \"contact\" } }";
    let second = "[[integrations]]\nid = \"service\"\naccount = \"other\"\nactivity = \"on\"\n\
                  takes = [{ source = \"site\", kinds = [\"call\"] }]\n\n\
                  [integrations.settings.calls]\ndefault_responsible = \"501\"\n\n\
                  [integrations.settings.calls.incoming]\n\
                  answered_unknown = { action = { kind = \"contact\" } }";
    office
        .home
        .edit_tenant(last, &format!("{last}\n\n{second}"));
}

/// Returns one line of the list of accounts.
pub(super) async fn listed(office: &Office, account: &str) -> String {
    let ran = office.home.run(&["account", "list"]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let line = ran.out.lines().find(|line| line.starts_with(account));
    line.unwrap_or_else(|| panic!("{ran:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_01_two_portals_stand_side_by_side_with_or_without_title_and_protocol() {
    let office = Office::open().await;
    let other = second_portal(&office).await;
    serve_both(&office);
    let daemon = office.start().await;
    let posted = daemon.post(&site_call("first", "79160000001", 0)).await;
    assert_eq!(posted.0, 202);
    daemon.settled(1).await;
    // Each holds its own, by its own settings.
    assert_eq!(office.oracle().leads_of_phone("79160000001").len(), 1);
    let there = other.oracle();
    assert_eq!(there.contacts_of_phone("79160000001").len(), 1);
    assert_eq!(there.leads.len(), 0);
    assert_eq!(there.calls_of_phone("79160000001").len(), 1);
    let titled = listed(&office, "acme/main").await;
    assert!(
        titled.contains("Отдел продаж  https://demo.amocrm.ru"),
        "{titled}"
    );
    let untitled = listed(&office, "acme/other").await;
    assert!(
        untitled.contains("other  https://other.amocrm.ru"),
        "{untitled}"
    );
    let accounts = daemon.get("/v1/accounts").await;
    let items = list(&accounts, "items");
    assert_eq!(items[0]["title"], "Отдел продаж");
    assert_eq!(items[1]["address"], "https://other.amocrm.ru");
    assert_eq!(items[1]["credential"]["way"], "token");
    // A portal that is down takes nothing from the other.
    other.set_blocked(true);
    daemon.post(&site_call("second", "79160000002", 60)).await;
    super::wait::until("the living portal is served", async || {
        let calls = office.crm.oracle().calls_of_phone("79160000002").len();
        super::wait::when(calls == 1, calls)
    })
    .await;
    assert!(other.oracle().calls_of_phone("79160000002").is_empty());
}

/// Edits the first portal as an administrator does.
async fn edit(office: &Office, status: i32, what: &[&str]) -> super::home::Ran {
    let arguments = [&["account", "edit", "acme/main"][..], what].concat();
    let ran = office.home.run(&arguments).await;
    assert_eq!(ran.status, Some(status), "{ran:?}");
    ran
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_02_title_and_address_are_changed_or_left_and_a_credential_is_deleted() {
    let office = Office::open().await;
    let other = second_portal(&office).await;
    let daemon = office.start_warm("79160000001").await;
    let written = || std::fs::read_to_string(office.home.path("etc/tenants.d/acme.toml"));
    edit(&office, 0, &["--title", "Новый портал"]).await;
    daemon.reload().await;
    assert!(listed(&office, "acme/main").await.contains("Новый портал"));
    edit(&office, 0, &["--no-title"]).await;
    daemon.reload().await;
    let untitled = "  main  https://demo.amocrm.ru";
    assert!(listed(&office, "acme/main").await.contains(untitled));
    // A change that would be wrong is not made, and nothing is lost by it.
    let before = written().expect("the file");
    let refused = edit(
        &office,
        2,
        &["--title", "X", "--url", "https://demo.example.org"],
    )
    .await;
    assert!(refused.err.contains("amocrm.ru"), "{refused:?}");
    edit(&office, 2, &["--url", "other.amocrm.ru"]).await;
    assert_eq!(written().expect("the file"), before);
    daemon.reload().await;
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    assert_eq!(office.oracle().calls_of_phone("79160000002").len(), 1);
    // Another address: the next call goes there, once its token is given.
    let known = "\"https://other.amocrm.ru\" = ";
    let third = format!(
        "\"https://third.amocrm.ru\" = \"{}\"\n{known}",
        other.base_url()
    );
    office.home.edit("etc/trunkline.toml", known, &third);
    edit(&office, 0, &["--url", "third.amocrm.ru"]).await;
    office
        .home
        .write("secrets/amocrm-main", &other.long_lived_token());
    daemon.reload().await;
    assert!(
        listed(&office, "acme/main")
            .await
            .contains("https://third.amocrm.ru")
    );
    daemon.post(&site_call("third", "79160000003", 120)).await;
    daemon.settled(3).await;
    assert_eq!(other.oracle().calls_of_phone("79160000003").len(), 1);
    assert!(office.oracle().calls_of_phone("79160000003").is_empty());
    // Deleted: nothing of it is kept.
    let forgotten = office.home.run(&["account", "forget", "acme/main"]).await;
    assert_eq!(forgotten.status, Some(0), "{forgotten:?}");
    assert!(forgotten.out.contains("is forgotten"), "{forgotten:?}");
    let again = office.home.run(&["account", "forget", "acme/main"]).await;
    assert!(again.out.contains("nothing is stored"), "{again:?}");
    let asked = other.log().len();
    daemon.post(&site_call("fourth", "79160000004", 180)).await;
    super::wait::until("it waits for a credential", async || {
        let status = daemon.get("/v1/status").await;
        let why = status["integrations"][0]["waiting_for"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        super::wait::when(why.contains("no token is stored"), why)
    })
    .await;
    assert_eq!(other.log().len(), asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_03_settings_belong_to_a_chosen_portal_which_can_be_switched_later() {
    let office = Office::open().await;
    let other = second_portal(&office).await;
    let daemon = office.start_warm("79160000001").await;
    let chosen = "name = \"Продажи\"\naccount = \"main\"";
    office
        .home
        .edit_tenant(chosen, "name = \"Продажи\"\naccount = \"nowhere\"");
    let checked = office.home.run(&["check-config"]).await;
    assert_eq!(checked.status, Some(2), "{checked:?}");
    assert!(checked.err.contains("nowhere"), "{checked:?}");
    office
        .home
        .edit_tenant("account = \"nowhere\"", "account = \"other\"");
    daemon.reload().await;
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    assert_eq!(other.oracle().leads_of_phone("79160000002").len(), 1);
    let before = office.oracle();
    assert!(before.calls_of_phone("79160000002").is_empty());
    assert_eq!(before.calls_of_phone("79160000001").len(), 1);
}
