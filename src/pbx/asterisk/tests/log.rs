//! The PBX's own log, told by the next session: a real file beside the simulated PBX.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::captures::{live_channels, messages, split, value};
use super::doubles::{Bench, ended};
use super::fake_pbx::{Face, FakePbx};
use crate::model::call::CallPhase;
use crate::model::timestamp::Timestamp;
use crate::pbx::SourceNoteKind;

/// The second of the recording's beginning, and where the bench's clock begins: the recordings are
/// moved there.
const RECORDED_S: i64 = 1_795_210_154;
const BENCH_S: i64 = 1_795_211_600;

struct Log {
    _folder: TempDir,
    path: PathBuf,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Master.csv");
        Self {
            _folder: folder,
            path,
        }
    }

    fn bench(&self, pbx: &FakePbx, kind: &str) -> Bench {
        let path = self.path.to_str().expect("a path");
        let log = json!({ "kind": kind, "path": path, "grace_s": 1, "time_zone": "UTC" });
        Bench::with(pbx.port, json!({ "log": log }))
    }

    /// Writes the recording's CEL events as they would stand in the log had the recording begun so
    /// long after the bench's clock did, and taken some milliseconds.
    fn write_cel(&self, recording: &[String], after_ms: i64) {
        let mut text = String::new();
        for (number, message) in recording.iter().enumerate() {
            if value(message, "Event") != Some("CEL") {
                continue;
            }
            let ms = after_ms + number as i64 / 10;
            let fields = [
                "EventName",
                "",
                "CallerIDname",
                "CallerIDnum",
                "",
                "",
                "",
                "Exten",
                "Context",
                "Channel",
                "Application",
                "AppData",
                "",
                "",
                "UniqueID",
                "LinkedID",
                "",
                "",
                "",
                "Extra",
            ];
            let field = |name: &&str| {
                value(message, name)
                    .unwrap_or_default()
                    .replace('"', "\"\"")
            };
            let mut fields: Vec<String> = fields.iter().map(field).collect();
            let (second, ms) = (BENCH_S + ms.div_euclid(1000), ms.rem_euclid(1000));
            fields[1] = format!("{second}.{ms:03}000");
            text.push_str(&format!("\"{}\"\n", fields.join("\",\"")));
        }
        fs::write(&self.path, text).expect("writes");
    }

    /// Writes one record of `cdr_csv`.
    fn write_cdr(&self, disposition: &str) {
        let id = format!("{RECORDED_S}.0");
        let moment = |second: i64| {
            let at = jiff::Timestamp::from_second(BENCH_S + second).expect("a time");
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let line = format!(
            "\"\",\"79161234567\",\"74950000001\",\"did\",\"\"\"\"\" <79161234567>\",\
             \"PJSIP/trunk-00000000\",\"PJSIP/101-00000001\",\"Dial\",\"PJSIP/101,4,tT\",\
             \"{}\",\"{}\",\"{}\",3,2,\"{disposition}\",\"DOCUMENTATION\",\"{id}\",\"\"\n",
            moment(0),
            moment(1),
            moment(3),
        );
        fs::write(&self.path, line).expect("writes");
    }
}

/// Moves back the moment until which the last session saw the PBX.
fn seen_until(bench: &Bench, second: i64) {
    let mut stored = bench.sink.stored().expect("a checkpoint");
    let moment = Timestamp::from_secs(BENCH_S + second);
    stored["seen_until"] = serde_json::to_value(moment).expect("a time");
    bench.sink.put_checkpoint(stored);
}

fn recovered(bench: &Bench) -> Vec<(u64, Option<String>)> {
    let told = |note| match note {
        SourceNoteKind::Recovered { calls, gap, .. } => Some((calls, gap)),
        _ => None,
    };
    bench.sink.notes().into_iter().filter_map(told).collect()
}

/// A session that saw a call until both talked, and then lost the connection.
async fn cut_in_mid_call(pbx: &FakePbx, bench: &Bench) {
    let (talk, _) = split(&messages("inbound_answered"), |message| {
        value(message, "Event") == Some("BridgeLeave")
    });
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.send(&talk).await;
    let answered = |sink: &super::doubles::MemorySink| {
        sink.calls()
            .iter()
            .any(|(_, call)| call.phase == CallPhase::Answered)
    };
    bench.sink.wait_until("answered", answered).await;
    pbx.face.lock().await.channels = live_channels(&talk);
    pbx.close().await;
    assert!(ended(run).await.is_err());
    pbx.face.lock().await.channels = String::new();
}

#[tokio::test]
async fn a_call_that_came_and_went_out_of_sight_is_told_once_by_the_events_of_the_log() {
    let (pbx, log) = (FakePbx::start(Face::default()).await, Log::new());
    let bench = log.bench(&pbx, "cel_custom");
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.close().await;
    assert!(ended(run).await.is_err());
    seen_until(&bench, -1);
    log.write_cel(&messages("inbound_answered"), -500);

    let run = bench.run();
    bench.state.wait_until_up(2).await;
    let calls = bench.sink.calls();
    let [(key, call)] = calls.as_slice() else {
        panic!("one call: {calls:?}");
    };
    assert_eq!(key, "1795210154.0");
    assert!(
        call.is_over() && call.is_answered() && call.blind.is_none(),
        "{call:?}"
    );
    assert_eq!(call.first_talker().map(|one| one.0.as_str()), Some("101"));
    assert_eq!(recovered(&bench), [(1, None)]);

    // The same lines are not told again.
    let batches = bench.sink.batches.lock().expect("a lock").len();
    pbx.close().await;
    assert!(ended(run).await.is_err());
    let _run = bench.run();
    bench.state.wait_until_up(3).await;
    let more: usize = bench.sink.batches.lock().expect("a lock")[batches..]
        .iter()
        .map(|batch| batch.snapshots.len())
        .sum();
    assert_eq!(more, 0);
    assert_eq!(recovered(&bench), [(1, None), (0, None)]);
}

#[tokio::test]
async fn a_call_in_progress_at_the_cut_gets_its_end_from_the_records_of_the_log() {
    let (pbx, log) = (FakePbx::start(Face::default()).await, Log::new());
    let bench = log.bench(&pbx, "cdr_csv");
    cut_in_mid_call(&pbx, &bench).await;
    log.write_cdr("ANSWERED");
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    let calls = bench.sink.calls();
    let [(_, call)] = calls.as_slice() else {
        panic!("one call: {calls:?}");
    };
    assert!(
        call.is_over() && call.is_answered() && call.blind.is_none(),
        "{call:?}"
    );
    assert_eq!(call.ended_at.map(|at| at.as_secs()), Some(BENCH_S + 3));
    assert_eq!(recovered(&bench).len(), 1);
}

#[tokio::test]
async fn a_record_that_never_comes_is_waited_for_and_then_the_call_is_ended_as_not_seen() {
    let (pbx, log) = (FakePbx::start(Face::default()).await, Log::new());
    let bench = log.bench(&pbx, "cdr_csv");
    cut_in_mid_call(&pbx, &bench).await;
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    let calls = bench.sink.calls();
    let [(_, call)] = calls.as_slice() else {
        panic!("one call: {calls:?}");
    };
    assert!(
        call.is_over() && call.is_answered() && call.blind.is_some(),
        "{call:?}"
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_read_leaves_the_interval_blind_and_says_so() {
    let pbx = FakePbx::start(Face::default()).await;
    let log = json!({ "kind": "cel_custom", "path": "/nowhere/at/all/Master.csv" });
    let bench = Bench::with(pbx.port, json!({ "log": log }));
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.close().await;
    assert!(ended(run).await.is_err());
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    let remarks = bench.sink.remarks();
    assert!(
        remarks[0].contains("/nowhere/at/all/Master.csv cannot be read"),
        "{remarks:?}"
    );
    let blind = |note: &SourceNoteKind| matches!(note, SourceNoteKind::Blind { .. });
    assert!(bench.sink.notes().iter().any(blind));
}

#[tokio::test]
async fn a_log_whose_older_part_is_gone_tells_what_it_has_and_that_it_is_not_all() {
    let (pbx, log) = (FakePbx::start(Face::default()).await, Log::new());
    fs::write(&log.path, "\"an\",\"older\",\"line\"\n").expect("writes");
    let bench = log.bench(&pbx, "cel_custom");
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.close().await;
    assert!(ended(run).await.is_err());
    log.write_cel(&messages("inbound_missed"), -500);
    // Nothing was seen for a minute before the first line that is left.
    seen_until(&bench, -60);
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    let told = recovered(&bench);
    let [(1, Some(gap))] = told.as_slice() else {
        panic!("one call and a gap: {told:?}");
    };
    assert!(gap.contains("begins later"), "{gap}");
}
