//! A day with the daemon dead for a part of it and the link cut for another ends with the same CRM
//! as an undisturbed one, where the switch keeps a log.

use std::collections::BTreeSet;
use std::time::Duration;

use trunkline::lab::ami::ScriptedCall;

use super::daemon::Daemon;
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
/// This one talks when the daemon is killed, and is over before it lives again.
const HALF_SEEN: (&str, &str) = ("hold_unhold", "79161110031");

const CALLS: usize = SEEN.len() + DEAD.len() + CUT.len() + 1;

/// How much faster than recorded.
const SPEED: f64 = 3.0;

impl Office {
    /// Opens an office whose switch keeps a log that the daemon reads.
    async fn with_log(kind: &str) -> Self {
        let office = Self::open().await;
        let logs = office.home.path("asterisk-log");
        office.ami.keep_logs(&logs).expect("a folder");
        let file = logs.join(kind.replace('_', "-")).join("Master.csv");
        let table = format!(
            "[sources.settings.log]\nkind = \"{kind}\"\npath = \"{}\"\ntime_zone = \"UTC\"\n\n",
            file.display()
        );
        let place = "[sources.secrets]\nsecret = { file = \"../../secrets/ami\" }";
        office.home.edit_tenant(place, &format!("{table}{place}"));
        office
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
    }

    /// What the CRM holds of each client, times aside.
    fn holds(&self) -> BTreeSet<String> {
        let oracle = self.oracle();
        assert_eq!(self.ami.log_failure(), None);
        let clients = SEEN.iter().chain(&DEAD).chain(&CUT).chain([&HALF_SEEN]);
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

async fn undisturbed(kind: &str) -> (BTreeSet<String>, i64) {
    let office = Office::with_log(kind).await;
    let daemon = office.start().await;
    for part in [&SEEN[..], &DEAD, &CUT, &[HALF_SEEN]] {
        office.play(part).await;
    }
    daemon.settled(CALLS).await;
    (office.holds(), office.seconds_of(HALF_SEEN.1))
}

async fn disturbed(kind: &str) -> (Office, Daemon) {
    let office = Office::with_log(kind).await;
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
    // Whoever takes the moment of the next start for the end of the call is wrong by this.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let daemon = office.start().await;
    daemon.settled(CALLS).await;
    (office, daemon)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_outages_ends_with_the_crm_of_an_undisturbed_day_by_the_log_of_events() {
    let (whole, (office, daemon)) =
        tokio::join!(undisturbed("cel_custom"), disturbed("cel_custom"));
    assert_eq!(office.holds(), whole.0);
    let seconds = office.seconds_of(HALF_SEEN.1);
    assert!((seconds - whole.1).abs() <= 1, "{seconds}, {}", whole.1);

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
    assert!(
        gauges["log_offset_bytes"].as_f64() > Some(1000.0),
        "{gauges}"
    );
}

/// Its records know neither who gave up nor the milliseconds; for the CRM it is the same day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_outages_ends_with_the_crm_of_an_undisturbed_day_by_the_log_of_records() {
    let (whole, (office, _daemon)) = tokio::join!(undisturbed("cdr_csv"), disturbed("cdr_csv"));
    assert_eq!(office.holds(), whole.0);
    let seconds = office.seconds_of(HALF_SEEN.1);
    assert!((seconds - whole.1).abs() <= 2, "{seconds}, {}", whole.1);
}
