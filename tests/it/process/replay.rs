//! Every decision can be made again from what is stored, and comes out the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trunkline::lab::amocrm::{SeedCard, SeedLead};
use trunkline::model::capabilities::{Capabilities, Certainty, StepCapability};
use trunkline::model::communication::{Kind, Phase};
use trunkline::model::ids::{CrmUserId, IntegrationKey};
use trunkline::model::ledger::{Decision, Ledger, Verdict};
use trunkline::model::plan::StepKind;
use trunkline::rules::basis::Basis;
use trunkline::rules::replay::{differences, replay};
use trunkline::store::query::JournalSearch;
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions};

use super::daemon::{Daemon, list};
use super::office::{ANNA, Office, site_call};
use super::recordings::{set_public, wav};
use super::rules::{BORIS, office, play};
use super::wait::{until, when};

/// A client whom the CRM has twice.
const TWICE: &str = "79163330001";
/// A client with a deal that was closed.
const CLOSED: &str = "79163330002";
/// Calls of this number are filtered, those of the next are a partner's, the last is Anna's own.
const FILTERED: &str = "+79163330003";
const PARTNER: &str = "+79163330004";
const OWN: &str = "+79163330005";

/// Case A as it is played, with a stage that is there and with one that is not.
const CASE_A: &str =
    r#"at = "answer", action = { kind = "contact_and_deal", pipeline = "3100", stage = "3102""#;
const CASE_A_WRONG: &str =
    r#"at = "answer", action = { kind = "contact_and_deal", pipeline = "3100", stage = "999""#;

/// Changes the site's call.
fn with(mut call: Value, keys: Value) -> Value {
    let (Some(call_keys), Value::Object(keys)) = (call.as_object_mut(), keys) else {
        panic!("calls and their keys are objects");
    };
    for (key, value) in keys {
        match value {
            Value::Null => drop(call_keys.remove(&key)),
            value => drop(call_keys.insert(key, value)),
        }
    }
    call
}

/// A missed call.
fn missed(call: Value) -> Value {
    let keys = json!({
        "talkers": [], "answered_at": null, "result": "missed", "reason": "no_answer",
    });
    with(call, keys)
}

/// A stream of calls: how many were told.
struct Stream<'a> {
    office: &'a Office,
    calls: usize,
}

impl Stream<'_> {
    fn play(&mut self, capture: &str, client: &str) {
        play(self.office, capture, client);
        self.calls += 1;
    }

    async fn post(&mut self, daemon: &Daemon, call: Value) {
        let (status, answer) = daemon.post(&call).await;
        assert_eq!(status, 202, "{answer}");
        self.calls += 1;
    }

    /// Calls of old and new clients, to and by all sorts of people.
    async fn post_round(&mut self, daemon: &Daemon, round: u32) {
        let fresh = |number: u32| format!("+7916444{round}00{number}");
        let clients = ["+79162220000", "+79162220001", TWICE, CLOSED, FILTERED];
        for (number, client) in clients.into_iter().enumerate() {
            let began_s = round * 3600 + number as u32 * 60;
            let call = site_call(&format!("{round}-{number}"), client, began_s);
            self.post(daemon, call).await;
            let call = site_call(&format!("{round}-missed-{number}"), client, began_s + 1800);
            self.post(daemon, missed(call)).await;
        }
        for (name, keys) in [
            ("partner", json!({ "client": PARTNER })),
            ("own", json!({ "client": OWN })),
            ("withheld", json!({ "client": null })),
            ("stranger", json!({ "client": fresh(1) })),
            (
                "nobody",
                json!({ "client": fresh(2), "talkers": ["999"], "rung": [] }),
            ),
            (
                "out",
                json!({ "client": fresh(3), "direction": "outgoing", "caller": "101" }),
            ),
        ] {
            let call = site_call(&format!("{round}-{name}"), OWN, 600);
            self.post(daemon, with(call, keys)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stored_decision_is_made_again_from_what_is_stored_and_comes_out_the_same() {
    let office = office().await;
    let home = &office.home;
    // Additions that make the stream as varied as the settings allow.
    home.edit_tenant(
        "answered_unknown = { action = { kind = \"contact_and_deal\"",
        "answered_unknown = { at = \"answer\", action = { kind = \"contact_and_deal\"",
    );
    home.edit_tenant(
        "default_responsible = \"501\"",
        &format!("default_responsible = \"501\"\npartner_numbers = [\"{PARTNER}\"]"),
    );
    home.edit_tenant(
        "users = [{ account = \"main\", user = \"502\" }]",
        &format!("users = [{{ account = \"main\", user = \"502\" }}]\nphones = [\"{OWN}\"]"),
    );
    home.edit_tenant(
        "[integrations.settings.calls.incoming]\n",
        &format!("[integrations.settings.calls.incoming]\nfiltered_numbers = [\"{FILTERED}\"]\n"),
    );
    let monitor = home.path("monitor");
    std::fs::create_dir(&monitor).expect("a folder");
    std::fs::write(monitor.join("a.wav"), wav(400)).expect("written");
    home.edit_tenant(
        "name = \"Сайт\"",
        &format!("name = \"Сайт\"\nrecordings = [{{ folder = {monitor:?} }}]"),
    );
    set_public(&office);
    let crm = office.crm.handle();
    crm.add_contact(&SeedCard::new("Ольга", TWICE, ANNA));
    crm.add_contact(&SeedCard::new("Ольга (дубль)", TWICE, BORIS));
    let closed = crm.add_contact(&SeedCard::new("Пётр", CLOSED, BORIS));
    crm.add_lead(&SeedLead {
        name: "Прошлое".to_owned(),
        contact_id: Some(closed),
        status_id: Some(142),
        closed_at: Some(office.crm.now() - 3600),
        ..SeedLead::default()
    });

    let daemon = office.start().await;
    let mut stream = Stream {
        office: &office,
        calls: 0,
    };
    for (number, capture) in [
        "inbound_answered",
        "inbound_missed",
        "outbound_answered",
        "outbound_noanswer",
        "attended_transfer",
        "blind_transfer",
        "queue_answered",
        "parallel_ring_missed",
        "internal_call",
    ]
    .into_iter()
    .enumerate()
    {
        stream.play(capture, &format!("7916222000{number}"));
    }
    daemon.settled(stream.calls).await;
    stream.post_round(&daemon, 1).await;
    let recorded = site_call("recorded", "+79162220002", 900);
    let recorded = with(recorded, json!({ "recordings": ["a.wav"] }));
    stream.post(&daemon, recorded).await;
    until("the recording can be played", async || {
        let status = daemon.get("/v1/status").await;
        when(status["recordings"]["ready"] == 1, &status["recordings"])
    })
    .await;
    daemon.settled(stream.calls).await;

    // Other settings and other people; the CRM is down, and the daemon is killed meanwhile.
    home.edit_tenant("name = \"Борис\"", "name = \"Борис Петров\"");
    home.edit_tenant("number = true", "number = false");
    home.edit_tenant(CASE_A, CASE_A_WRONG);
    daemon.reload().await;
    office.crm_down();
    stream.post_round(&daemon, 2).await;
    until("the calls wait for the CRM", async || {
        let status = daemon.get("/v1/status").await;
        let sales = &list(&status, "integrations")[0];
        when(sales["waiting_for"].is_string(), sales)
    })
    .await;
    daemon.kill();
    office.crm.clear_faults();
    let daemon = office.start().await;
    daemon.settled(stream.calls).await;

    // What was refused for a stage that is not there is decided again under better settings.
    home.edit_tenant(CASE_A_WRONG, CASE_A);
    daemon.reload().await;
    let again = ["outbox", "decide-again", "--all-of", "acme/sales"];
    let again = home.run(&again).await;
    assert_eq!(again.status, Some(0), "{again:?}");
    assert!(!again.out.contains("0 dead"), "{again:?}");
    daemon.settled(stream.calls).await;
    home.edit_tenant(
        "default_responsible = \"501\"",
        "default_responsible = \"501\"\ntelephony = \"another\"",
    );
    daemon.reload().await;
    stream.post_round(&daemon, 3).await;
    daemon.settled(stream.calls).await;
    // The command says so of every call.
    for key in daemon.journal_keys().await {
        let told = home.run(&["explain", &key, "--again"]).await;
        assert_eq!(told.status, Some(0), "{told:?}");
        let count = |words: &str| told.out.matches(words).count();
        let (decided, same) = (count("  decided at "), count("made again: the same"));
        assert!(decided > 0 && decided == same, "{}", told.out);
    }
    // Nothing is there twice but the client who was.
    let duplicates = office.crm.oracle().duplicates;
    assert_eq!(duplicates.count(), 1, "{duplicates:?}");

    let stored = everything_decided(&office, daemon).await;
    let mut seen = Seen::default();
    for one in &stored {
        for decision in &one.ledger.decisions {
            let found = one.made_again(decision, |_| ());
            assert_eq!(found, Vec::<String>::new(), "{}", one.communication);
            seen.note(one, decision);
        }
    }
    seen.is_varied(stream.calls);
    // The comparison sees what is otherwise: under another default some decisions differ.
    let otherwise = |basis: &mut Basis| {
        if let Some(calls) = &mut basis.settings.calls {
            calls.default_responsible = CrmUserId("504".to_owned());
        }
    };
    let differ = stored.iter().filter(|one| {
        let mut decisions = one.ledger.decisions.iter();
        decisions.any(|decision| !one.made_again(decision, otherwise).is_empty())
    });
    assert!(differ.count() > 3);
}

/// What is stored about the decisions of one communication.
struct Stored {
    communication: trunkline::model::ids::CommunicationKey,
    ledger: Ledger,
    /// The revisions that the decisions name, in their order.
    bases: Vec<Basis>,
}

impl Stored {
    /// Makes a decision again, from its basis with a change, and says what came out otherwise.
    fn made_again(&self, decision: &Decision, change: impl Fn(&mut Basis)) -> Vec<String> {
        let at = self.ledger.decisions.iter().position(|one| one == decision);
        let mut basis = self.bases[at.expect("a decision of this ledger")].clone();
        change(&mut basis);
        let again = replay(decision, &self.communication, &basis, &capabilities());
        let again = again.unwrap_or_else(|error| panic!("{}: {error}", self.communication));
        differences(decision, &self.ledger, &again)
    }
}

/// Which sorts of decisions there were.
#[derive(Default)]
struct Seen {
    decisions: usize,
    revisions: BTreeSet<u64>,
    sorts: BTreeSet<&'static str>,
    kinds: BTreeSet<StepKind>,
}

impl Seen {
    fn note(&mut self, stored: &Stored, decision: &Decision) {
        self.decisions += 1;
        self.revisions.insert(decision.settings);
        let ledger = &stored.ledger;
        self.kinds
            .extend(ledger.steps.iter().map(|step| step.effect.kind()));
        let same_phase = |one: &&Decision| one.phase == decision.phase;
        let contacts = decision.facts.as_ref().map(|facts| facts.contacts.len());
        for (sort, holds) in [
            ("at the answer", decision.phase == Phase::Answered),
            ("at the end", decision.phase == Phase::Ended),
            ("ignored", decision.verdict == Verdict::Ignored),
            ("planned", decision.verdict == Verdict::Planned),
            ("unasked", contacts.is_none()),
            ("unknown", contacts == Some(0)),
            ("known", contacts == Some(1)),
            ("twice", contacts == Some(2)),
            (
                "again",
                ledger.decisions.iter().filter(same_phase).count() > 1,
            ),
        ] {
            if holds {
                self.sorts.insert(sort);
            }
        }
    }

    #[track_caller]
    fn is_varied(&self, calls: usize) {
        assert!(
            self.decisions > calls,
            "{} of {calls} calls",
            self.decisions
        );
        assert_eq!(self.revisions.len(), 4, "{:?}", self.revisions);
        assert_eq!(self.sorts.len(), 9, "{:?}", self.sorts);
        // Notes, notices and cards handed over come of texts only; other CRMs have leads beside deals,
        // or make contacts by themselves.
        let of_calls = StepKind::ALL.len() - 5;
        assert_eq!(self.kinds.len(), of_calls, "{:?}", self.kinds);
    }
}

/// Ends the daemon, opens its store and reads every decision.
async fn everything_decided(office: &Office, daemon: Daemon) -> Vec<Stored> {
    assert_eq!(daemon.terminate().await, Some(0));
    let text = std::fs::read_to_string(office.home.path("secrets/store-key")).expect("there");
    let key = StoreKey::from_bytes(&Sha256::digest(text.trim().as_bytes())).expect("a key");
    let path = office.home.path("trunkline.redb");
    let (store, thread) = Store::open(&path, key, StoreOptions::default()).expect("opens");
    let integration: IntegrationKey = "acme/sales".parse().expect("a key");
    let search = JournalSearch {
        limit: 500,
        ..JournalSearch::default()
    };
    let mut found = Vec::new();
    for stored in store.search(search).await.expect("read") {
        let communication = stored.snapshot.key;
        let ledger = store
            .ledger(integration.clone(), communication.clone())
            .await;
        let ledger = ledger.expect("read");
        let mut bases = Vec::new();
        for decision in &ledger.decisions {
            bases.push(basis(&store, &integration, decision.settings).await);
        }
        found.push(Stored {
            communication,
            ledger,
            bases,
        });
    }
    store.shut_down().await;
    thread.finished().await;
    found
}

/// What rules look at of what the account's adapter offers.
fn capabilities() -> Capabilities {
    let step = |kind| StepCapability {
        kind,
        certainty: Certainty::ByKey,
        batch_max: 50,
    };
    Capabilities {
        steps: StepKind::ALL.into_iter().map(step).collect(),
        phases: vec![(Kind::Call, Phase::Answered), (Kind::Call, Phase::Ended)],
        calls: Default::default(),
    }
}

async fn basis(store: &StoreHandle, integration: &IntegrationKey, revision: u64) -> Basis {
    let stored = store.settings(integration.clone(), Some(revision)).await;
    let (_, value) = stored.expect("read").expect("the revision is kept");
    Basis::from_stored(value).expect("opens")
}
