//! Recordings that are handed over as files, where the portal is not as it should be. The others are
//! in `tests/it/bitrix24_recordings.rs`, against the simulated portal.

use super::calls::record;
use super::*;
use crate::clock::Clock as _;
use crate::model::plan::RecordingLink;

const ENTRY: &str = "externalCall.716f1cc568.1790000001";

fn upload() -> StepCommand {
    let link = RecordingLink {
        entry: known(Entity::CallRecord, ENTRY),
        on: Some(card(Entity::Contact, "31")),
        by: Role::new("call-record"),
        record: record(None),
        link: String::new(),
        text: String::new(),
        upload: true,
    };
    command("1", "recording", Effect::LinkRecording(link))
}

/// A portal that gives this address for uploads, and answers a file so.
async fn portal(address: &'static str, status: u16, answer: Value) -> Fixture {
    let fixture = Fixture::start(move |asked| match asked.path.as_str() {
        "/rest/upload.json" => Reply::Json(status, answer.clone()),
        _ => batch(asked, |called| {
            assert_eq!(called.method, "telephony.externalCall.attachRecord");
            assert_eq!(called.param("CALL_ID"), ENTRY);
            Ok(json!({ "uploadUrl": address, "fieldName": "file" }))
        }),
    })
    .await;
    fixture.files.hold(Ok(b"sound".to_vec()));
    fixture
}

/// Returns how many files were posted.
fn posted(fixture: &Fixture) -> usize {
    let asked = fixture.server.asked();
    asked
        .iter()
        .filter(|one| one.path == "/rest/upload.json")
        .count()
}

const OWN: &str = "https://demo.bitrix24.ru/rest/upload.json?token=call%7C1";

#[tokio::test]
async fn a_file_goes_to_no_other_host_than_the_portals_own() {
    for address in [
        "https://evil.example/rest/upload.json?token=1",
        "https://demo.bitrix24.ru.evil.example/rest/upload.json",
        "https://user@demo.bitrix24.ru/rest/upload.json",
        "ftp://demo.bitrix24.ru/rest/upload.json",
        "nonsense",
    ] {
        let fixture = portal(address, 200, json!({"result": {"FILE_ID": 1}})).await;
        let outcome = fixture.execute_one(upload()).await;
        let Outcome::Rejected(rejection) = &outcome else {
            panic!("{address}: {outcome:?}");
        };
        assert_eq!(rejection.code, "foreign_host");
        assert_eq!(posted(&fixture), 0, "{address}");
    }
    let fixture = portal(OWN, 200, json!({"result": {"FILE_ID": 1}})).await;
    let outcome = fixture.execute_one(upload()).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(posted(&fixture), 1);
}

#[tokio::test]
async fn words_that_are_not_known_as_the_last_are_tried_for_days_and_then_believed() {
    let full = json!({"error": "", "error_description": "Disk quota exceeded"});
    let fixture = portal(OWN, 400, full).await;
    let young = StepCommand {
        first_sent_at: SystemClock.now(),
        ..upload()
    };
    let outcome = fixture.execute_one(young).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    let days = Duration::from_secs(3 * 86_400 + 60);
    let old = StepCommand {
        first_sent_at: SystemClock.now().minus(days),
        ..upload()
    };
    let outcome = fixture.execute_one(old).await;
    let Outcome::Rejected(rejection) = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(rejection.message, "Disk quota exceeded");
}

#[tokio::test]
async fn a_recording_that_is_gone_or_cannot_be_read_now_is_not_asked_for_at_the_portal() {
    let fixture = portal(OWN, 200, json!({})).await;
    let gone = NoRecordingFile::Gone("it is no longer kept".to_owned());
    fixture.files.hold(Err(gone));
    let outcome = fixture.execute_one(upload()).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    let later = NoRecordingFile::NotNow("the disk is away".to_owned());
    fixture.files.hold(Err(later));
    let outcome = fixture.execute_one(upload()).await;
    assert!(matches!(outcome, Outcome::NotApplied(_)), "{outcome:?}");
    assert!(fixture.server.asked().is_empty());
}

#[tokio::test]
async fn an_answer_that_names_no_file_is_no_success() {
    for (status, answer) in [
        (200, json!({"result": []})),
        (200, json!({})),
        (
            500,
            json!({"error": "INTERNAL_SERVER_ERROR", "error_description": "x"}),
        ),
    ] {
        let fixture = portal(OWN, status, answer).await;
        let outcome = fixture.execute_one(upload()).await;
        assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    }
}
