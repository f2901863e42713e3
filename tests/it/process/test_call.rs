//! `trunkline test-call`: follows a call to the CRM and says where it stopped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use trunkline::lab::fault::{Fault, When};

use super::home::Ran;
use super::office::Office;

const ORIGINATE: &str = "[sources.settings.originate]\ncontext = \"from-internal\"\n";
const CLIENT: &str = "79167770001";

/// A test call under way.
struct TestCall {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl TestCall {
    /// Begins, and waits until it is ready for the call.
    async fn begin(office: &Office, more: &[&str]) -> Self {
        let arguments = [&["test-call", "acme/office", CLIENT, "--lang", "en"], more].concat();
        let mut command = office.home.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("the program starts");
            let mut out = BufReader::new(child.stdout.take().expect("piped"));
            let mut line = String::new();
            out.read_line(&mut line).expect("read");
            assert!(line.starts_with("call now from"), "{line}");
            Self { child, out }
        });
        begun.await.expect("no panic")
    }

    /// Waits for its end.
    async fn end(mut self) -> Ran {
        let ended = tokio::task::spawn_blocking(move || {
            let mut out = String::new();
            self.out.read_to_string(&mut out).expect("text");
            let output = self.child.wait_with_output().expect("it ends");
            Ran {
                status: output.status.code(),
                out,
                err: String::from_utf8(output.stderr).expect("text"),
            }
        });
        ended.await.expect("no panic")
    }
}

#[track_caller]
fn tells(ran: &Ran, status: i32, sentences: &[&str]) {
    assert_eq!(ran.status, Some(status), "{ran:?}");
    for words in sentences {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_call_of_a_number_is_followed_from_the_switch_to_the_crm() {
    let office = Office::open().await;
    let _daemon = office.start().await;
    // One that came before is not meant.
    office.client_calls(CLIENT);
    _daemon.settled(1).await;
    let test = TestCall::begin(&office, &[]).await;
    office.client_calls(CLIENT);
    let ran = test.end().await;
    let stations = [
        "+ source: the session with the phone system is up",
        "+ event: the source told of a call of +79167770001",
        "+ accepted: accepted and on disk",
        "+ decided acme/sales: decided to make: call-record",
        "+ sent acme/sales: everything was sent",
        "+ crm acme/sales: in the CRM: call record",
        "the call is in the CRM",
    ];
    tells(&ran, 0, &stations[..4]);
    tells(
        &ran,
        0,
        &[stations[4], "+ crm acme/sales: in the CRM:", stations[6]],
    );
    assert!(
        ran.out.contains("trunkline explain acme/office/"),
        "{ran:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observed_call_is_followed_to_the_decision() {
    let office = Office::open().await;
    office
        .home
        .edit_tenant("activity = \"on\"", "activity = \"observe\"");
    let _daemon = office.start().await;
    let test = TestCall::begin(&office, &[]).await;
    office.client_calls(CLIENT);
    let ran = test.end().await;
    tells(
        &ran,
        0,
        &[
            "+ decided acme/sales: decided to make: contact, deal, call-record",
            "= sent acme/sales: decided, not sent: the integration only observes",
            "the call went as far as: sent",
        ],
    );
    assert_eq!(office.oracle().contacts.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_stops_is_told_with_the_station_and_the_reason() {
    // The CRM refuses what is made.
    let office = Office::open().await;
    office.home.edit_tenant(
        "pipeline = \"3100\", stage = \"3102\"",
        "pipeline = \"9999\", stage = \"3102\"",
    );
    let daemon = office.start().await;
    let test = TestCall::begin(&office, &[]).await;
    office.client_calls(CLIENT);
    let ran = test.end().await;
    let refused = "! sent acme/sales: step deal was refused by the CRM";
    tells(&ran, 1, &[refused, "the call went as far as: sent"]);

    // The CRM does not answer: the time-out says where the call stands.
    office.fault("", "*", When::Always, Fault::ErrorBefore { status: 503 });
    let test = TestCall::begin(&office, &["--wait", "3"]).await;
    office.client_calls(CLIENT);
    let ran = test.end().await;
    tells(&ran, 1, &["given up after 3 s; the call stands at:"]);
    office.crm.clear_faults();

    // Nobody takes it.
    office
        .home
        .edit_tenant("activity = \"on\"", "activity = \"off\"");
    daemon.reload().await;
    let test = TestCall::begin(&office, &[]).await;
    office.client_calls(CLIENT);
    let ran = test.end().await;
    let off = "! accepted: on disk, but no integration takes it: switched off: sales";
    tells(&ran, 1, &[off, "the call went as far as: accepted"]);

    // Somebody else calls.
    let test = TestCall::begin(&office, &["--wait", "4"]).await;
    office.client_calls("79167770009");
    let ran = test.end().await;
    let others = "there were others: +79167770009. Is the number right?";
    tells(
        &ran,
        1,
        &[others, "given up after 4 s; the call stands at: event"],
    );

    // Nobody calls, as JSON; and questions that are wrong.
    let told = ["test-call", "acme/office", CLIENT, "--wait", "0", "--json"];
    let told = office.home.run(&told).await;
    assert_eq!(told.status, Some(1), "{told:?}");
    let told = told.json();
    assert_eq!(told["timed_out"], true, "{told}");
    assert_eq!(told["stopped"], "event", "{told}");
    for question in [
        &["test-call", "acme/nowhere", CLIENT][..],
        &["test-call", "acme/office", "hello"],
    ] {
        let told = office.home.run(question).await;
        assert_eq!(told.status, Some(2), "{question:?}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_call_is_placed_for_an_employee() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "linger_ms = 200\n",
        &format!("linger_ms = 200\n\n{ORIGINATE}"),
    );
    let outgoing = "[integrations.settings.calls.outgoing]\nanswered_unknown = { action = { kind = \"contact\" } }\n";
    let last = "missed_unknown = { action = { kind = \"contact\" } }";
    office
        .home
        .edit_tenant(last, &format!("{last}\n\n{outgoing}"));
    let _daemon = office.start().await;
    let call = [
        "test-call",
        "acme/office",
        "8 916 777-00-02",
        "--employee",
        "anna",
        "--lang",
        "en",
    ];
    let ran = office.home.run(&call).await;
    tells(
        &ran,
        0,
        &[
            "anna's phone rings",
            "+ event: the source told of a call of +79167770002",
            "the call is in the CRM",
        ],
    );
    assert_eq!(office.oracle().contacts_of_phone("79167770002").len(), 1);
}
