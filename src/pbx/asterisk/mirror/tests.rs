//! The copy beside a small database that answers as Asterisk does, while the clock stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::super::ami_codec::Action;
use super::super::ami_message::Message;
use super::super::tests::doubles::Known;
use super::Mirror;
use super::settings::MirrorSettings;
use crate::clock::{SharedClock, TokioClock};
use crate::model::ids::{Extension, SourceKey};
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;
use crate::pbx::DialledWay;

const NOW_S: i64 = 1_795_211_600;

/// Long enough to read a hundred parts and to write some hundred rows.
const A_WHILE: Duration = Duration::from_secs(20);

/// Asterisk's database, and what it was asked to change.
#[derive(Default)]
struct Database {
    rows: BTreeMap<String, String>,
    writes: Vec<String>,
    asked: usize,
    refuses: Option<&'static str>,
    is_silent: bool,
    is_full: bool,
}

impl Database {
    fn answer(&mut self, id: &str, action: &Action) -> Vec<Message> {
        self.asked += 1;
        let header = |name: &str| {
            let mut headers = action.headers.iter();
            headers
                .find(|(n, _)| n == name)
                .map_or("", |(_, v)| v.as_str())
        };
        let (family, key) = (header("Family"), header("Key"));
        let full = format!("/{family}/{key}");
        let response = |word: &str, more: &[(&str, &str)]| {
            let head = [("Response", word), ("ActionID", id)];
            Message::from_pairs(head.into_iter().chain(more.iter().copied()))
        };
        let error = |why| vec![response("Error", &[("Message", why)])];
        if let Some(why) = self.refuses {
            return error(why);
        }
        if self.is_silent {
            return Vec::new();
        }
        let item = |event, key: &str, value: &str| {
            Message::from_pairs([
                ("Event", event),
                ("Key", key),
                ("Val", value),
                ("ActionID", id),
            ])
        };
        let list = |event, items: Vec<Message>| {
            let begin = response("Success", &[("EventList", "start")]);
            let end = [
                ("Event", event),
                ("ActionID", id),
                ("EventList", "Complete"),
            ];
            [vec![begin], items, vec![Message::from_pairs(end)]].concat()
        };
        match action.name.as_str() {
            "DBGet" => match self.rows.get(&full) {
                Some(value) => list("DBGetComplete", vec![item("DBGetResponse", key, value)]),
                None => error("Database entry not found"),
            },
            "DBGetTree" => {
                // As SQL's LIKE: an underline is any character.
                let like = |row: &str| {
                    let mut row = row.chars();
                    let family = format!("/{family}/");
                    let mut family = family.chars();
                    family.all(|want| row.next().is_some_and(|c| want == '_' || want == c))
                };
                let rows = self.rows.iter().filter(|(row, _)| like(row));
                let items = rows.map(|(row, value)| item("DBGetTreeResponse", row, value));
                list("DBGetTreeComplete", items.collect())
            }
            "DBPut" if self.is_full => error("Failed to update entry"),
            "DBPut" => {
                self.writes.push(format!("{full} = {}", header("Val")));
                self.rows.insert(full, header("Val").to_owned());
                vec![response("Success", &[])]
            }
            "DBDel" => {
                self.writes.push(format!("{full} gone"));
                match self.rows.remove(&full) {
                    Some(_) => vec![response("Success", &[])],
                    None => error("Database entry could not be deleted"),
                }
            }
            other => panic!("{other} was asked"),
        }
    }
}

struct Bench {
    source: SourceKey,
    settings: MirrorSettings,
    known: Known,
    clock: SharedClock,
    database: Database,
}

impl Bench {
    fn new(clients: &[(&str, &str)]) -> Self {
        let known = Known::default();
        known.write(clients);
        known.ring(&[("anna", "101"), ("boris", "102"), ("vera", "103")]);
        Self {
            source: "acme/office".parse().expect("a key"),
            settings: MirrorSettings {
                clients_max: 100_000,
                trusted: Duration::from_secs(96 * 3600),
            },
            known,
            clock: Arc::new(TokioClock::starting_at(Timestamp::from_secs(NOW_S))),
            database: Database::default(),
        }
    }

    /// Runs one session for a time; `change` is done after half of it. Returns what was remarked.
    async fn session(
        &mut self,
        on: bool,
        time: Duration,
        change: impl FnOnce(&Known),
    ) -> Vec<String> {
        let settings = on.then_some(&self.settings);
        let mut mirror = Mirror::new(settings, &self.source, &self.known, &self.clock);
        let mut change = Some(change);
        for half in [1, 2] {
            let deadline = Instant::now() + time / 2;
            while let Ok((id, action)) = timeout_at(deadline, mirror.next()).await {
                for message in self.database.answer(&id, &action) {
                    assert!(mirror.answered(&message), "it is an answer to it");
                }
            }
            if half == 1
                && let Some(change) = change.take()
            {
                change(&self.known);
            }
        }
        std::iter::from_fn(|| mirror.take_remark()).collect()
    }

    fn row(&self, name: &str) -> Option<&str> {
        let full = format!("/trunkline/acme/office/{name}");
        self.database.rows.get(&full).map(String::as_str)
    }
}

const ANNA: (&str, &str) = ("79161112233", "anna");
const BORIS: (&str, &str) = ("74951234567", "boris");

#[tokio::test(start_paused = true)]
async fn the_database_is_filled_and_the_dialplan_told_last_that_it_may_use_it() {
    let mut bench = Bench::new(&[ANNA, BORIS, ("79031112244", "")]);
    bench.known.0.lock().expect("whole").listed = vec![
        (
            "74950000001".to_owned(),
            DialledWay::Ring(Extension("103".to_owned())),
        ),
        ("74950000002".to_owned(), DialledWay::Usual),
    ];
    let remarks = bench.session(true, A_WHILE * 2, |_| ()).await;
    assert_eq!(remarks, [""; 0]);
    for (name, value) in [
        ("client/33/79161112233", "anna"),
        ("client/67/74951234567", "boris"),
        ("manager/anna", "101"),
        ("manager/boris", "102"),
        ("dialled/74950000001", "103"),
        ("dialled/74950000002", "usual"),
        ("about/others", "manager"),
        ("about/country", "7"),
        ("about/prefix", "8"),
    ] {
        assert_eq!(bench.row(name), Some(value), "{name}");
    }
    // Who has no manager is not there.
    assert_eq!(bench.row("client/44/79031112244"), None);
    let until: i64 = bench
        .row("about/until")
        .expect("set")
        .parse()
        .expect("a number");
    let held_for = until - NOW_S - 96 * 3600;
    assert!((0..60).contains(&held_for), "{held_for}");
    let writes = &bench.database.writes;
    assert_eq!(writes.len(), 12, "{writes:?}");
    assert!(writes[0].contains("/about/made"), "{writes:?}");
    assert!(writes[11].contains("/about/until"), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_there_seconds_later_and_nothing_else_is_written() {
    let mut bench = Bench::new(&[ANNA, BORIS]);
    bench.session(true, A_WHILE, |_| ()).await;
    bench.database.writes.clear();
    let change = |known: &Known| known.write(&[(ANNA.0, "boris"), ("380441112233", "vera")]);
    bench.session(true, A_WHILE * 2, change).await;
    let base = "/trunkline/acme/office/client";
    let mut writes = std::mem::take(&mut bench.database.writes);
    writes.sort_unstable();
    assert_eq!(
        writes,
        [
            format!("{base}/33/380441112233 = vera"),
            format!("{base}/33/79161112233 = boris"),
            format!("{base}/67/74951234567 gone"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn another_session_writes_differences_alone_and_puts_right_what_others_did() {
    let mut bench = Bench::new(&[ANNA, BORIS]);
    bench.session(true, A_WHILE, |_| ()).await;
    bench.database.writes.clear();
    bench.session(true, A_WHILE, |_| ()).await;
    assert_eq!(bench.database.writes, [""; 0]);
    let rows = &mut bench.database.rows;
    let base = "/trunkline/acme/office";
    rows.insert(format!("{base}/client/33/79161112233"), "999".to_owned());
    rows.insert(format!("{base}/client/11/70000000011"), "101".to_owned());
    rows.remove(&format!("{base}/about/country"));
    bench.session(true, A_WHILE, |_| ()).await;
    assert_eq!(
        bench.database.writes,
        [
            format!("{base}/about/country = 7"),
            format!("{base}/client/11/70000000011 gone"),
            format!("{base}/client/33/79161112233 = anna"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn switched_off_the_copy_goes_and_what_is_of_others_stays() {
    let mut bench = Bench::new(&[ANNA, BORIS]);
    bench.source = "acme/main_office".parse().expect("a key");
    let others = [
        // Only looks alike to the database.
        "/trunkline/acme/main-office/client/33/79161112233",
        "/trunkline/acme/main_office/client/33/79161112233/deeper",
        "/trunkline/acme/main_office/client/33/79161112234",
        "/AMPUSER/101/device",
    ];
    for row in others {
        bench.database.rows.insert(row.to_owned(), "x".to_owned());
    }
    bench.session(true, A_WHILE, |_| ()).await;
    assert_eq!(bench.database.rows.len(), others.len() + 10);
    bench.database.writes.clear();
    bench.session(false, A_WHILE, |_| ()).await;
    let left: Vec<&str> = bench.database.rows.keys().map(String::as_str).collect();
    let mut expected = others.to_vec();
    expected.sort_unstable();
    assert_eq!(left, expected);
    let writes = &bench.database.writes;
    assert!(writes[0].ends_with("/about/until gone"), "{writes:?}");
    assert!(writes[9].ends_with("/about/made gone"), "{writes:?}");
    // From now on it costs one question a session.
    bench.database.asked = 0;
    bench.session(false, A_WHILE, |_| ()).await;
    assert_eq!(bench.database.asked, 1);
}

#[tokio::test(start_paused = true)]
async fn before_everything_is_known_what_is_there_stays() {
    let mut bench = Bench::new(&[ANNA]);
    bench.session(true, A_WHILE, |_| ()).await;
    bench.database.writes.clear();
    bench.known.0.lock().expect("whole").clients = None;
    bench.session(true, A_WHILE, |_| ()).await;
    assert_eq!(bench.database.writes, [""; 0]);
    // As after a start: the directory is read while the session is up already.
    let read = |known: &Known| known.write(&[BORIS]);
    bench.session(true, A_WHILE * 2, read).await;
    assert_eq!(
        bench.database.writes.len(),
        2,
        "{:?}",
        bench.database.writes
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_working_day_changes_the_managers_row_and_no_clients() {
    let mut bench = Bench::new(&[ANNA, BORIS]);
    bench.session(true, A_WHILE, |_| ()).await;
    bench.database.writes.clear();
    let evening = |known: &Known| known.ring(&[("anna", "102"), ("vera", "103")]);
    bench.session(true, A_WHILE * 8, evening).await;
    assert_eq!(
        bench.database.writes,
        [
            "/trunkline/acme/office/manager/boris gone",
            "/trunkline/acme/office/manager/anna = 102",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_is_not_made_of_digits_is_never_written() {
    let mut bench = Bench::new(&[ANNA]);
    bench.known.ring(&[
        ("anna", "10\r\nAction: Command\r\nCommand: core stop now"),
        ("boris", "101)$[1]"),
        ("vera", "*55"),
        ("gleb", "anna"),
        ("olga", "123456789012345678901"),
        ("pavel-2", "106"),
    ]);
    bench.known.0.lock().expect("whole").listed = vec![
        ("7495\nx".to_owned(), DialledWay::Usual),
        (
            "74950000001".to_owned(),
            DialledWay::Ring(Extension("1,2".to_owned())),
        ),
    ];
    bench.session(true, A_WHILE, |_| ()).await;
    let rows = bench.database.rows.iter();
    let managers = rows.filter(|(row, _)| row.contains("/manager/"));
    let managers: Vec<_> = managers
        .map(|(row, value)| (row.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        managers,
        [("/trunkline/acme/office/manager/pavel-2", "106")]
    );
    assert_eq!(bench.row("dialled/74950000001"), Some("usual"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "/=- _".contains(c);
    for write in &bench.database.writes {
        assert!(write.chars().all(plain), "{write:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_clients_are_written_than_are_permitted_and_that_is_told() {
    let mut bench = Bench::new(&[ANNA, BORIS, ("79161112244", "vera")]);
    bench.settings.clients_max = 2;
    let remarks = bench.session(true, A_WHILE * 3, |_| ()).await;
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(remarks[0].contains("more than 2 numbers"), "{remarks:?}");
    let clients = bench
        .database
        .rows
        .keys()
        .filter(|row| row.contains("client"));
    assert_eq!(clients.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_clients_come_and_go_slowly() {
    let digits: Vec<String> = (0..3_000_u64)
        .map(|n| format!("{}", 79_000_000_000 + n * 7))
        .collect();
    let clients: Vec<(&str, &str)> = digits.iter().map(|d| (d.as_str(), "anna")).collect();
    let mut bench = Bench::new(&clients);
    bench.session(true, A_WHILE, |_| ()).await;
    // Reading took some seconds of it; then a hundred each second.
    let written = bench.database.writes.len();
    assert!((1_000..2_500).contains(&written), "{written}");
    bench.session(true, A_WHILE * 2, |_| ()).await;
    assert_eq!(bench.database.rows.len(), 3_008);
    bench.known.write(&[ANNA]);
    bench.session(true, A_WHILE * 3, |_| ()).await;
    assert_eq!(bench.database.rows.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_pbx_that_permits_nothing_is_told_of_and_left_alone() {
    for why in ["Permission denied", "Invalid/unknown command: DBGetTree."] {
        let mut bench = Bench::new(&[ANNA]);
        bench.database.refuses = Some(why);
        let remarks = bench.session(true, A_WHILE, |_| ()).await;
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        assert!(remarks[0].contains("write class system"), "{remarks:?}");
        assert_eq!(bench.database.asked, 1);
        let remarks = bench.session(false, A_WHILE, |_| ()).await;
        assert_eq!(remarks, [""; 0], "nobody asked for a copy");
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_not_taken_is_told_of_and_the_end_is_put_off_only_when_it_is_there() {
    let mut bench = Bench::new(&[ANNA]);
    bench.session(true, A_WHILE, |_| ()).await;
    let until = bench.row("about/until").expect("set").to_owned();
    tokio::time::advance(Duration::from_secs(7200)).await;
    bench.known.write(&[ANNA, BORIS]);
    bench.database.is_full = true;
    let remarks = bench.session(true, A_WHILE * 4, |_| ()).await;
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(remarks[0].contains("does not take a row"), "{remarks:?}");
    assert_eq!(bench.row("about/until"), Some(until.as_str()));
    bench.database.is_full = false;
    bench.session(true, A_WHILE, |_| ()).await;
    assert_ne!(bench.row("about/until"), Some(until.as_str()));
    assert_eq!(bench.row("client/67/74951234567"), Some("boris"));
}

#[tokio::test(start_paused = true)]
async fn a_pbx_that_never_answers_is_asked_once_a_minute() {
    let mut bench = Bench::new(&[ANNA]);
    bench.database.is_silent = true;
    bench.session(true, Duration::from_secs(600), |_| ()).await;
    assert!(
        (9..=11).contains(&bench.database.asked),
        "{}",
        bench.database.asked
    );
}

#[test]
fn numbers_are_in_the_order_of_their_keys() {
    let digits = [
        "380441112233",
        "79161112233",
        "4420",
        "79161112200",
        "999999999999999",
    ];
    let phone = |digits: &str| Phone::try_from(format!("+{digits}")).expect("a number");
    let mut phones: Vec<Phone> = digits.map(phone).to_vec();
    phones.sort_by(|a, b| a.order().cmp(&b.order()));
    let keys: Vec<_> = phones.iter().map(super::rows::ClientKey::of).collect();
    assert!(
        keys.is_sorted() && keys.iter().all(Option::is_some),
        "{keys:?}"
    );
}
