//! A day with the daemon dead for a part of it, the link cut for another and the CRM dead for a third
//! ends with the same CRM as an undisturbed one, where the switch keeps a log.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use trunkline::lab::ami::ScriptedCall;

use super::daemon::Daemon;
use super::mariadb::{self, MariaDb, Tables};
use super::office::Office;
use super::wait::{until, when};

/// What rings in each part of the day: the recording, and who the client is.
const SEEN: [(&str, &str); 2] = [
    ("inbound_answered", "79161110001"),
    ("outbound_noanswer", "79161110002"),
];
const DEAD: [(&str, &str); 5] = [
    ("inbound_answered", "79161110011"),
    ("inbound_missed", "79161110012"),
    ("outbound_answered", "79161110013"),
    ("attended_transfer", "79161110014"),
    ("queue_local_members_answered", "79161110015"),
];
const CUT: [(&str, &str); 3] = [
    ("parallel_ring", "79161110021"),
    ("blind_transfer", "79161110022"),
    ("inbound_caller_hangup", "79161110023"),
];
const WITHOUT_CRM: [(&str, &str); 4] = [
    ("inbound_answered", "79161110041"),
    ("parallel_ring_missed", "79161110042"),
    ("outbound_answered", "79161110043"),
    ("inbound_missed", "79161110044"),
];
/// This one talks when the daemon is killed, and is over before it lives again.
const HALF_SEEN: (&str, &str) = ("hold_unhold", "79161110031");

const CALLS: usize = SEEN.len() + DEAD.len() + CUT.len() + WITHOUT_CRM.len() + 1;

/// How much faster than recorded.
const SPEED: f64 = 3.0;

/// Where the switch keeps its log.
#[derive(Clone, Copy)]
enum Log<'a> {
    /// In a file of this kind.
    File(&'a str),
    /// In a table of this kind.
    Table(&'a str, &'a MariaDb),
}

/// An office whose switch keeps a log that the daemon reads.
struct Logged {
    office: Office,
    tables: Option<Tables>,
}

impl std::ops::Deref for Logged {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
}

impl Logged {
    async fn open(log: Log<'_>) -> Self {
        let office = Office::open().await;
        let logs = office.home.path("asterisk-log");
        office.ami.keep_logs(&logs).expect("a folder");
        let mut tables = None;
        let (settings, secret) = match log {
            Log::File(kind) => {
                let file = logs.join(kind.replace('_', "-")).join("Master.csv");
                let path = file.display();
                let settings =
                    format!("kind = \"{kind}\"\npath = \"{path}\"\ntime_zone = \"UTC\"\n");
                (settings, "")
            }
            Log::Table(kind, server) => {
                let kept = server.keep_tables(&logs).await;
                office.home.write("secrets/log", mariadb::PASSWORD);
                let settings = format!(
                    "kind = \"{kind}\"\nport = {}\nusername = \"{}\"\ndatabase = \"{}\"\n\
                     time_zone = \"{}\"\n",
                    server.port,
                    mariadb::USER,
                    kept.database,
                    mariadb::ZONE
                );
                tables = Some(kept);
                (
                    settings,
                    "log_password = { file = \"../../secrets/log\" }\n",
                )
            }
        };
        let place = "[sources.secrets]\nsecret = { file = \"../../secrets/ami\" }";
        let with_log = format!(
            "[sources.settings.log]\n{settings}\n[sources.secrets]\n{secret}secret = {{ file = \
             \"../../secrets/ami\" }}"
        );
        office.home.edit_tenant(place, &with_log);
        Self { office, tables }
    }

    /// Plays calls side by side, to their end.
    async fn play(&self, calls: &[(&str, &str)]) {
        let plays: Vec<_> = calls
            .iter()
            .map(|(recording, client)| {
                let call = ScriptedCall::of(recording).client(client).speed(SPEED);
                self.ami.play(call).expect("it was recorded")
            })
            .collect();
        for play in plays {
            assert!(!play.await.expect("it is played").cut_off);
        }
        self.logged().await;
    }

    /// Waits until the log holds what happened so far.
    async fn logged(&self) {
        if let Some(tables) = &self.tables {
            tables.caught_up().await;
        }
    }

    /// What the CRM holds of each client, times aside.
    fn holds(&self) -> BTreeSet<String> {
        let oracle = self.oracle();
        assert_eq!(self.ami.log_failure(), None);
        let clients = parts().into_iter().flatten();
        let holds = clients.map(|(recording, client)| {
            let calls: Vec<String> = oracle
                .calls_of_phone(client)
                .iter()
                .map(|call| {
                    let who = call.call_responsible.as_deref();
                    let (status, card) = (call.status, &call.entity_type);
                    format!("{} {status:?} by {who:?} on {card}", call.direction)
                })
                .collect();
            let contacts = oracle.contacts_of_phone(client).len();
            let leads = oracle.leads_of_phone(client).len();
            let unsorted = oracle.unsorted_of_phone(client).len();
            format!("{recording}: {contacts} {leads} {unsorted} {calls:?}")
        });
        holds.collect()
    }

    fn seconds_of(&self, client: &str) -> i64 {
        self.oracle().calls_of_phone(client)[0].duration
    }
}

/// The parts of the day, in order.
fn parts() -> [&'static [(&'static str, &'static str)]; 5] {
    [&SEEN, &DEAD, &CUT, &WITHOUT_CRM, &[HALF_SEEN]]
}

async fn undisturbed(log: Log<'_>) -> (BTreeSet<String>, i64) {
    let office = Logged::open(log).await;
    let daemon = office.start().await;
    for part in parts() {
        office.play(part).await;
    }
    daemon.settled(CALLS).await;
    (office.holds(), office.seconds_of(HALF_SEEN.1))
}

async fn disturbed(log: Log<'_>) -> (Logged, Daemon) {
    let office = Logged::open(log).await;
    let daemon = office.start().await;
    office.play(&SEEN).await;
    daemon.settled(SEEN.len()).await;
    daemon.kill();
    office.play(&DEAD).await;

    let daemon = office.start().await;
    office.ami.refuse(true);
    office.ami.drop_sessions();
    office.play(&CUT).await;
    office.ami.refuse(false);
    daemon.settled(CALLS - WITHOUT_CRM.len() - 1).await;

    office.crm_down();
    office.play(&WITHOUT_CRM).await;
    until("the calls wait for the crm", async || {
        let status = daemon.get("/v1/status").await;
        let undecided = &status["integrations"][0]["not_decided_yet"];
        when(*undecided == WITHOUT_CRM.len(), undecided)
    })
    .await;
    office.crm.clear_faults();
    daemon.settled(CALLS - 1).await;

    let (recording, client) = HALF_SEEN;
    let call = ScriptedCall::of(recording).client(client).speed(SPEED);
    let playing = office.ami.play(call).expect("it was recorded");
    until("the talk is stored", async || {
        let found = daemon.get("/v1/journal").await;
        let items = found["items"].as_array().cloned().unwrap_or_default();
        let talks = items.iter().any(|item| item["phase"] == "answered");
        when(talks, found)
    })
    .await;
    daemon.kill();
    playing.await.expect("it is played");
    office.logged().await;
    // Whoever takes the moment of the next start for the end of the call is wrong by this.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let daemon = office.start().await;
    daemon.settled(CALLS).await;
    (office, daemon)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_outages_ends_with_the_crm_of_an_undisturbed_day_by_the_log_of_events() {
    let log = Log::File("cel_custom");
    let (whole, (office, daemon)) = tokio::join!(undisturbed(log), disturbed(log));
    assert_eq!(office.holds(), whole.0);
    let seconds = office.seconds_of(HALF_SEEN.1);
    assert!((seconds - whole.1).abs() <= 1, "{seconds}, {}", whole.1);
    let gauges = everything_was_recovered(&daemon).await;
    assert!(
        gauges["log_offset_bytes"].as_f64() > Some(1000.0),
        "{gauges}"
    );
}

/// Expects three notes of a recovery, nothing blind, and no call told of that was seen; returns
/// the figures of the source.
async fn everything_was_recovered(daemon: &Daemon) -> Value {
    let notes = daemon.notes().await;
    let words = |wanted| notes.iter().filter(|(word, _)| word == wanted).count();
    assert_eq!((words("recovered"), words("blind")), (3, 0), "{notes:?}");
    let told = |calls: usize| {
        let text = format!("{calls} call(s) were recovered from the phone system's log");
        notes.iter().any(|(_, note)| note.contains(&text))
    };
    assert!(told(DEAD.len()) && told(1), "{notes:?}");
    let status = daemon.get("/v1/status").await;
    let gauges = &status["sources"][0]["state"]["gauges"];
    assert_eq!(gauges["log_recovered_calls"], 1.0, "{gauges}");
    gauges.clone()
}

/// Its records know neither who gave up nor the milliseconds; for the CRM it is the same day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_outages_ends_with_the_crm_of_an_undisturbed_day_by_the_log_of_records() {
    let log = Log::File("cdr_csv");
    let (whole, (office, _daemon)) = tokio::join!(undisturbed(log), disturbed(log));
    assert_eq!(office.holds(), whole.0);
    let seconds = office.seconds_of(HALF_SEEN.1);
    assert!((seconds - whole.1).abs() <= 2, "{seconds}, {}", whole.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_outages_ends_with_the_crm_of_an_undisturbed_day_by_freepbx_events_in_mariadb() {
    let Some(server) = MariaDb::start().await else {
        return;
    };
    let log = Log::Table("cel_table", &server);
    let (whole, (office, daemon)) = tokio::join!(undisturbed(log), disturbed(log));
    assert_eq!(office.holds(), whole.0);
    let seconds = office.seconds_of(HALF_SEEN.1);
    assert!((seconds - whole.1).abs() <= 2, "{seconds}, {}", whole.1);
    everything_was_recovered(&daemon).await;
    assert!(!office.home.log().contains(mariadb::PASSWORD));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_outages_ends_with_the_crm_of_an_undisturbed_day_by_freepbx_records_in_mariadb() {
    let Some(server) = MariaDb::start().await else {
        return;
    };
    let log = Log::Table("cdr_table", &server);
    let (whole, (office, _daemon)) = tokio::join!(undisturbed(log), disturbed(log));
    assert_eq!(office.holds(), whole.0);
    let seconds = office.seconds_of(HALF_SEEN.1);
    assert!((seconds - whole.1).abs() <= 2, "{seconds}, {}", whole.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_table_is_read_by_time_and_where_no_database_is_the_time_is_blind() {
    let Some(mut server) = MariaDb::start().await else {
        return;
    };
    let office = Logged::open(Log::Table("cel_table", &server)).await;
    office.play(&SEEN).await;
    office.start().await.kill();
    let tables = office.tables.clone().expect("tables");
    server.empty(&tables).await;
    // The table knows whole seconds: the call must not begin in the one in which seeing ended.
    tokio::time::sleep(Duration::from_secs(1)).await;
    office.play(&[HALF_SEEN]).await;
    let daemon = office.start().await;
    daemon.settled(1).await;
    assert_eq!(office.oracle().calls_of_phone(HALF_SEEN.1).len(), 1);
    let notes = daemon.notes().await;
    let begins_later = |(word, note): &(String, String)| {
        word == "blind" && note.contains("1 call(s)") && note.contains(".cel on 127.0.0.1")
    };
    assert!(notes.iter().any(begins_later), "{notes:?}");

    daemon.kill();
    server.stop();
    let daemon = office.start().await;
    let notes = daemon.notes().await;
    let gone = |(word, note): &(String, String)| {
        word == "remark" && note.contains("cannot be read") && note.contains("log.username")
    };
    assert!(notes.iter().any(gone), "{notes:?}");
}
