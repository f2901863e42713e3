//! The copy of the answers in the database of the phone system, kept by the real program.

use std::collections::BTreeMap;

use trunkline::lab::amocrm::{CardEdit, SeedCard};

use super::office::{ANNA, Office};
use super::wait::{until, when};

/// Boris's user in the CRM.
const BORIS: u64 = 503;

const USER: &str = "username = \"trunkline\"\n";
const WITH_COPY: &str = "username = \"trunkline\"\nastdb_mirror = {}\n";

type Rows = BTreeMap<(String, String), String>;

fn row<'a>(rows: &'a Rows, family: &str, key: &str) -> Option<&'a str> {
    let name = (format!("trunkline/acme/office/{family}"), key.to_owned());
    rows.get(&name).map(String::as_str)
}

/// Waits until this client has this manager in a copy that may be used; returns all rows.
async fn copied(office: &Office, client: (&str, &str), manager: &str) -> Rows {
    until("the copy is in step", async || {
        let rows = office.ami.database();
        let is = row(&rows, client.0, client.1) == Some(manager);
        let usable = row(&rows, "about", "until").is_some();
        when(is && usable, format!("{rows:?}"))?;
        Ok(rows)
    })
    .await
}

const CLIENT: (&str, &str) = ("client/33", "79161112233");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phone_system_has_a_copy_that_follows_the_crm_and_goes_when_it_is_not_wanted() {
    let office = Office::open().await;
    let home = &office.home;
    home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\n\n[integrations.settings.calls]\n",
    );
    home.edit_tenant(USER, WITH_COPY);
    let hostile = "x\r\nAction: Command\r\nCommand: core stop now";
    let contact = office
        .crm
        .add_contact(&SeedCard::new(hostile, "8 (916) 111-22-33", ANNA));
    let daemon = office.start().await;
    let rows = copied(&office, CLIENT, "anna").await;
    assert_eq!(row(&rows, "manager", "anna"), Some("101"));
    assert_eq!(row(&rows, "manager", "boris"), Some("102"));
    assert_eq!(row(&rows, "about", "country"), Some("7"));
    assert_eq!(row(&rows, "about", "prefix"), Some("8"));
    assert_eq!(row(&rows, "about", "others"), Some("manager"));
    assert_eq!(rows.len(), 8, "{rows:?}");

    // The card is handed over while the daemon is dead; what is there stays until it knows better.
    daemon.kill();
    let edit = CardEdit {
        responsible_user_id: Some(BORIS),
        ..CardEdit::default()
    };
    assert!(office.crm.edit_contact(contact, &edit));
    assert_eq!(
        row(&office.ami.database(), CLIENT.0, CLIENT.1),
        Some("anna")
    );
    let daemon = office.start().await;
    let rows = copied(&office, CLIENT, "boris").await;
    assert_eq!(rows.len(), 8, "{rows:?}");
    let status = daemon.get("/v1/status").await;
    let gauges = &status["sources"][0]["state"]["gauges"];
    assert_eq!(gauges["mirrored_clients"], 1.0, "{status}");

    home.edit_tenant(WITH_COPY, USER);
    daemon.reload().await;
    until("the copy is gone", async || {
        let rows = office.ami.database();
        when(rows.is_empty(), format!("{rows:?}"))
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0));
}
