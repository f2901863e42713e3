//! A number that stands on several cards of the CRM, asked of the real program under each policy.

use serde_json::Value;
use trunkline::lab::amocrm::{SeedCard, SeedLead};

use super::daemon::Daemon;
use super::office::{ANNA, Office, site_call};
use super::questions::{CLIENT, answer, question};
use super::wait::{until, when};

/// Boris's user in the CRM: extension 102.
const BORIS: u64 = 503;

/// Half a year before the calls of these tests, in seconds since 1970.
const SPRING: i64 = 1_780_000_000;

/// The same question of an administrator.
const EXPLAINED: &str = "/v1/tenants/acme/sources/office/lookup?lang=en&phone=%2B79161112233";

/// Settings but for the policy.
const SETTINGS: &str = "[integrations.settings.personal_manager]\n\
                        responsible_of = [\"contact\", \"company\"]\n";

/// An account in which one number stands on three cards: Anna's contact with a deal of Boris's,
/// Boris's contact, which is the newest, and Anna's company, the oldest.
struct Shared {
    office: Office,
    anna: String,
    boris: String,
    company: String,
}

async fn shared(policy: &str) -> Shared {
    let office = Office::open().await;
    let card = |name: &str, user: u64, days: i64| SeedCard {
        created_at: Some(SPRING + days * 86_400),
        ..SeedCard::new(name, CLIENT, user)
    };
    let company = office.crm.add_company(&card("Company", ANNA, 0));
    let anna = office.crm.add_contact(&card("Of Anna", ANNA, 1));
    office.crm.add_lead(&SeedLead {
        name: "Roof".to_owned(),
        contact_id: Some(anna),
        responsible_user_id: Some(BORIS),
        ..SeedLead::default()
    });
    let boris = office.crm.add_contact(&card("Of Boris", BORIS, 2));
    let table = format!("{SETTINGS}shared_numbers = {policy}\n\n");
    office.home.edit_tenant(
        "[integrations.settings.calls]\n",
        &format!("{table}[integrations.settings.calls]\n"),
    );
    Shared {
        office,
        anna: anna.to_string(),
        boris: boris.to_string(),
        company: company.to_string(),
    }
}

/// Waits until the CRM was read through and what was read is asked.
async fn known(daemon: &Daemon, office: &Office) {
    until("memory has the whole directory", async || {
        let found = answer(daemon, &office.home, CLIENT).await;
        when(found["age_s"].is_u64(), found)
    })
    .await;
}

/// Asks, and returns the extension, the card and the policy that the answer names; the
/// explanation must name the same one.
async fn asked(daemon: &Daemon, office: &Office) -> (String, String, String) {
    let query = format!("phone={CLIENT}");
    let reply = question(daemon, &office.home, "office", &query)
        .send()
        .await
        .expect("an answer");
    let policy = reply.headers().get("trunkline-policy").cloned();
    let policy = policy.expect("a policy").to_str().expect("text").to_owned();
    let found: Value = reply.json().await.expect("JSON");
    let explained = daemon.get(EXPLAINED).await;
    assert_eq!(explained["explanation"]["policy"], *policy, "{explained}");
    let reasons = explained["explanation"]["reasons"].to_string();
    let words = format!("3 cards have the number; policy {policy}\"");
    assert!(reasons.contains(&words), "{words}: {reasons}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&found["extension"]),
        text(&found["client"]["id"]),
        policy,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_on_three_cards_follows_the_policy_of_the_integration() {
    let newest = "{ policy = \"most_recently_updated\" }";
    let shared = shared(newest).await;
    let office = &shared.office;
    let daemon = office.start().await;
    known(&daemon, office).await;
    let mut written = newest.to_owned();
    for (policy, name, extension, card) in [
        (newest, "most_recently_updated", "102", &shared.boris),
        (
            "{ policy = \"open_deal\" }",
            "open_deal",
            "102",
            &shared.anna,
        ),
        (
            "{ policy = \"entities\", order = [\"company\", \"contact\"] }",
            "entities",
            "101",
            &shared.company,
        ),
    ] {
        if policy != written {
            office.home.edit_tenant(&written, policy);
            written = policy.to_owned();
            daemon.reload().await;
        }
        let expected = (extension.to_owned(), card.clone(), name.to_owned());
        assert_eq!(asked(&daemon, office).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_talked_last_with_a_shared_number_is_known_after_a_restart_too() {
    let shared = shared("{ policy = \"last_talk\" }").await;
    let office = &shared.office;
    let daemon = office.start().await;
    known(&daemon, office).await;
    // Nobody talked with the client yet: the newest card.
    let found = answer(&daemon, &office.home, CLIENT).await;
    assert_eq!(found["extension"], "102", "{found}");
    let posted = daemon.post(&site_call("first", CLIENT, 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    let (extension, _, policy) = asked(&daemon, office).await;
    assert_eq!((extension.as_str(), policy.as_str()), ("101", "last_talk"));
    daemon.settled(1).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let daemon = Daemon::start(&office.home).await;
    until("the talk is remembered", async || {
        let found = daemon.get(EXPLAINED).await;
        let reasons = found["explanation"]["reasons"].to_string();
        when(reasons.contains("policy last_talk\""), found)
    })
    .await;
    assert_eq!(asked(&daemon, office).await.0, "101");
}
