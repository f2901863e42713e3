//! Deals that come back from the CRM, by the real program: webhooks get lost, the daemon is killed,
//! the CRM is down; in the end the table is what the CRM holds, and every move is there once.

use std::collections::BTreeMap;

use trunkline::lab::amocrm::{CardEdit, SeedCard, SeedLead};
use trunkline::lab::fault::{Fault, When};

use super::daemon::{Daemon, list};
use super::deal_table::{DEALS, Table, export, place, repair, table};
use super::home::ADMIN_TOKEN;
use super::office::{Office, site_call};
use super::wait::{until, when};

const HOOK: &str = "a-secret-of-the-path-0123456789";
const WON: u64 = 142;
const LOST: u64 = 143;
const FIRST: u64 = 3102;
const SECOND: u64 = 3103;

impl Office {
    /// Has the deals of the account received; webhooks are told to the daemon itself. Changes are
    /// read when somebody asks for it, and by webhook.
    pub(super) fn receive_deals(&self, more: &str) {
        let last = "missed_unknown = { action = { kind = \"contact\" } }";
        self.home.edit_tenant(
            last,
            &format!("{last}\n\n[integrations.settings.deals]\npoll_minutes = 1440\n{more}"),
        );
        let public = format!("public_url = \"http://{}\"\n[store]", self.home.intake());
        self.home.edit("etc/trunkline.toml", "[store]", &public);
        self.home.write("secrets/crm-hook", HOOK);
        let token = "token = { file = \"../../secrets/amocrm-main\" }";
        self.home.edit_tenant(
            token,
            &format!("{token}\nhook = {{ file = \"../../secrets/crm-hook\" }}"),
        );
    }

    /// Puts a deal with a client of its own into the account.
    pub(super) fn add_deal(&self, n: u64, name: &str) -> u64 {
        let phone = format!("+7916{n:07}");
        let contact = self
            .crm
            .add_contact(&SeedCard::new(&format!("Клиент {n}"), &phone, 501));
        self.crm.add_lead(&SeedLead {
            name: name.to_owned(),
            contact_id: Some(contact),
            responsible_user_id: Some(502),
            price: i64::try_from(n).expect("small") * 100,
            ..SeedLead::default()
        })
    }

    fn move_deal(&self, id: u64, status_id: u64) {
        let edit = CardEdit {
            status_id: Some(status_id),
            ..CardEdit::default()
        };
        assert!(self.crm.edit_lead(id, &edit), "there is a lead {id}");
    }

    /// What the CRM holds.
    fn truth(&self) -> Table {
        let oracle = self.crm.oracle();
        let phones: BTreeMap<u64, String> = oracle
            .contacts
            .iter()
            .map(|card| (card.id, card.phones.join(", ")))
            .collect();
        let state = |status| match status {
            WON => "won",
            LOST => "lost",
            _ => "open",
        };
        let rows = oracle.leads.iter().map(|lead| {
            let phone = lead.contacts.first().and_then(|id| phones.get(id));
            let row = (
                lead.name.clone(),
                state(lead.status_id).to_owned(),
                lead.pipeline_id.to_string(),
                lead.stage.clone(),
                lead.price.to_string(),
                lead.responsible_user_id.to_string(),
                phone.cloned().unwrap_or_default(),
            );
            (lead.id.to_string(), row)
        });
        rows.collect()
    }
}

/// Waits until the table is what the CRM holds.
async fn equal(office: &Office, daemon: &Daemon) {
    super::deal_table::equal(&office.home, daemon, || office.truth()).await;
}

/// Returns the stages that a deal went through.
async fn stages(daemon: &Daemon, id: u64) -> Vec<u64> {
    let stages = super::deal_table::stages(daemon, &id.to_string()).await;
    let number = |text: &String| text.parse().expect("a number");
    stages.iter().map(number).collect()
}

/// Waits until the CRM was read once, and tells us of changes.
async fn begun(office: &Office, daemon: &Daemon) {
    until("amoCRM is to tell us and was read", async || {
        let (hooks, place) = (office.crm.hook_destinations().len(), place(daemon).await);
        when(hooks == 1 && place["complete"] == true, place)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_13_with_a_fifth_of_all_webhooks_lost_the_table_is_the_crms_after_one_reading() {
    let office = Office::open().await;
    office.receive_deals("");
    let old: Vec<u64> = (0..20).map(|n| office.add_deal(n, "Старая")).collect();
    let daemon = office.start().await;
    begun(&office, &daemon).await;
    equal(&office, &daemon).await;

    office.crm.lose_hooks(200);
    let mut moved: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let new: Vec<u64> = (20..50).map(|n| office.add_deal(n, "Новая")).collect();
    for (n, id) in old.iter().chain(&new).enumerate() {
        let stage = if n % 3 == 0 { LOST } else { WON };
        for status in [SECOND, FIRST, stage] {
            office.move_deal(*id, status);
            moved.entry(*id).or_default().push(status);
        }
        // From the stage in which it is made nothing moves to itself.
        let edit = CardEdit {
            price: Some(7_000 + i64::try_from(n).expect("small")),
            name: Some(format!("Пианино {n}")),
            ..CardEdit::default()
        };
        assert!(office.crm.edit_lead(*id, &edit));
    }
    for id in old.iter().take(5).chain(new.iter().take(5)) {
        assert!(office.crm.delete_lead(*id));
        moved.remove(id);
    }
    let counters = office.crm.counters();
    assert!(counters.hooks_lost > 20, "{counters:?}");
    repair(&office.home, &daemon).await;
    assert_eq!(table(&office.home, &daemon).await, office.truth());
    for (id, wanted) in moved {
        assert_eq!(stages(&daemon, id).await, wanted, "deal {id}");
    }
    // What is gone is kept, and shown only where it is asked for.
    let removed = export(&office.home, &daemon, "format=ndjson&state=removed").await;
    assert!((5..=10).contains(&removed.lines().count()), "{removed}");
    assert_eq!(office.oracle().counters.hook_attempts_failed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_webhook_told_is_read_after_the_daemon_was_killed() {
    let office = Office::open().await;
    office.receive_deals("");
    let ids: Vec<u64> = (0..12).map(|n| office.add_deal(n, "Пианино")).collect();
    let mut daemon = office.start().await;
    begun(&office, &daemon).await;
    equal(&office, &daemon).await;
    let read_at = place(&daemon).await["as_of"].clone();
    for status in [SECOND, WON, FIRST] {
        // Nothing can be read before the end comes.
        office.fault(
            "GET",
            "/api/v4/leads*",
            When::Always,
            Fault::ErrorBefore { status: 503 },
        );
        for id in &ids {
            office.move_deal(*id, status);
        }
        until("every hint is on disk", async || {
            let place = place(&daemon).await;
            when(place["hints"] == ids.len(), place)
        })
        .await;
        daemon.kill();
        office.crm.clear_faults();
        daemon = office.start().await;
        equal(&office, &daemon).await;
    }
    for id in ids {
        assert_eq!(stages(&daemon, id).await, [SECOND, WON, FIRST], "deal {id}");
    }
    // It was the hints: nothing else was to be read on that day.
    assert_eq!(place(&daemon).await["as_of"], read_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_of_many_pages_goes_on_after_kills_and_a_crm_that_is_down() {
    let office = Office::open().await;
    office.receive_deals("");
    let ids: Vec<u64> = (0..600).map(|n| office.add_deal(n, "Пианино")).collect();
    // The last page comes with the audit feed, which is not to be had at first.
    office.fault(
        "GET",
        "/api/v4/events",
        When::Always,
        Fault::ErrorBefore { status: 503 },
    );
    let daemon = office.start().await;
    until("the first pages are here", async || {
        let place = place(&daemon).await;
        let told = office.crm.hook_destinations().len() == 1;
        when(told && place["deals"].as_u64() >= Some(500), place)
    })
    .await;
    for id in ids.iter().take(100) {
        office.move_deal(*id, WON);
    }
    until("every webhook was taken", async || {
        let place = place(&daemon).await;
        when(place["hints"] == 100, place)
    })
    .await;
    daemon.kill();
    let daemon = office.start().await;
    until("the trouble is shown", async || {
        let place = place(&daemon).await;
        when(
            place["trouble"].is_string() && place["complete"] == false,
            place,
        )
    })
    .await;
    daemon.kill();
    office.crm.clear_faults();
    let daemon = office.start().await;
    equal(&office, &daemon).await;
    until("every hint is answered", async || {
        let place = place(&daemon).await;
        when(place["hints"] == 0 && place["complete"] == true, place)
    })
    .await;
    // A CRM that is down gets its answer at once all the same.
    let failed = office.crm.counters().hook_attempts_failed;
    office.crm_down();
    for id in ids.iter().take(10) {
        office.move_deal(*id, LOST);
    }
    until("every webhook was taken", async || {
        let place = place(&daemon).await;
        when(place["hints"] == 10, place)
    })
    .await;
    assert_eq!(office.crm.counters().hook_attempts_failed, failed);
    office.crm.clear_faults();
    equal(&office, &daemon).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_13_pipelines_stages_sum_columns_and_the_communication_are_as_they_were_chosen() {
    let office = Office::open().await;
    office.receive_deals(
        "pipelines = [\"3100\"]\ngood = [{ pipeline = \"3100\", stage = \"3103\" }, { stage = \"142\" }]\n\
         bad = [{ stage = \"143\" }]\n",
    );
    let daemon = office.start().await;
    begun(&office, &daemon).await;
    // A call, and the deal that came of it.
    assert_eq!(daemon.post(&site_call("c1", "79160000003", 0)).await.0, 202);
    daemon.settled(1).await;
    let made = office
        .crm
        .oracle()
        .leads
        .first()
        .map(|lead| lead.id)
        .expect("a deal");
    office.move_deal(made, SECOND);
    let other = office.crm.add_lead(&SeedLead {
        name: "=1+1".to_owned(),
        pipeline_id: Some(3200),
        ..SeedLead::default()
    });
    repair(&office.home, &daemon).await;
    let found = daemon.get(&format!("{DEALS}/by-id/{made}")).await;
    assert_eq!(found["deal"]["state"], "won", "{found}");
    assert_eq!(found["deal"]["stage"]["name"], "Переговоры");
    assert_eq!(found["deal"]["communication"], "acme/site/c1", "{found}");
    let listed = daemon
        .get(&format!("{DEALS}?text=8%20916%20000-00-03&state=won"))
        .await;
    assert_eq!(list(&listed, "items").len(), 1, "{listed}");
    // What goes to another pipeline is none of ours any more; what comes is.
    let goes = |id, pipeline, status| {
        let edit = CardEdit {
            pipeline_id: Some(pipeline),
            status_id: Some(status),
            ..CardEdit::default()
        };
        assert!(office.crm.edit_lead(id, &edit));
    };
    goes(made, 3200, 3202);
    goes(other, 3100, FIRST);
    repair(&office.home, &daemon).await;
    let csv = office.home.run(&["deals", "export", "acme/sales"]).await;
    assert_eq!(csv.status, Some(0), "{csv:?}");
    assert!(
        csv.out.starts_with("\u{feff}ID;Название;Состояние;"),
        "{csv:?}"
    );
    let lines: Vec<&str> = csv.out.lines().collect();
    assert_eq!(lines.len(), 2, "{csv:?}");
    assert!(
        lines[1].starts_with(&format!("{other};'=1+1;в работе;Продажи;")),
        "{csv:?}"
    );
    let shown = office
        .home
        .run(&["deals", "list", "acme/sales", "--state", "removed"])
        .await;
    assert!(shown.out.contains(&made.to_string()), "{shown:?}");
    let story = office
        .home
        .run(&["deals", "story", "acme/sales", &made.to_string()])
        .await;
    assert!(
        story.out.contains("3100 / 3103 -> 3200 / 3202"),
        "{story:?}"
    );
    // Other settings make other deals of the same records.
    office.home.edit_tenant(
        "good = [{ pipeline = \"3100\", stage = \"3103\" }, ",
        "good = [{ stage = \"3102\" }, ",
    );
    daemon.reload().await;
    until("the deal is another", async || {
        let found = daemon.get(&format!("{DEALS}/by-id/{other}")).await;
        when(found["deal"]["state"] == "won", found)
    })
    .await;
    for (wrong, word) in [
        ("limit=0", "limit"),
        ("from=yesterday", "from"),
        ("after=x", "after"),
    ] {
        let url = format!("http://{}{DEALS}?{wrong}", office.home.admin());
        let answer = daemon.http.get(url).bearer_auth(ADMIN_TOKEN).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 400, "{wrong}");
        assert!(answer.text().await.expect("text").contains(word));
    }
    let nobody = office.home.run(&["deals", "list", "acme/nobody"]).await;
    assert_eq!(nobody.status, Some(2), "{nobody:?}");
}
