//! Nonsense from the switch: it is skipped, told once, and the session goes on.

use super::office::Office;
use super::wait::{until, when};

/// The clients of the calls before the nonsense and after it.
const FIRST: &str = "+79169990002";
const NEXT: &str = "79169990003";

/// Far more than memory may grow.
const ENDLESS_BYTES: usize = 64 * 1024 * 1024;

/// The most that the daemon's memory may grow.
const GROWTH_BYTES_MAX: u64 = 32 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_from_the_switch_is_skipped_and_told_once() {
    let office = Office::open().await;
    let daemon = office.start_warm(FIRST).await;
    let mut attached = office.ami.attached();
    attached.mark_unchanged();
    let memory = daemon.resident_bytes();
    let before = office.home.log_lines_not_about("acme/office/");
    let endless = vec![b'x'; ENDLESS_BYTES];
    let headers = b"Header: value\r\n".repeat(100_000);
    for bytes in [
        &b"\x00\x01\xff\xfe garbage \r\n\r\n"[..],
        b"no colon here\r\n\r\n",
        b": \r\n:\r\n\r\n",
        b"Event: NewCallerid\r\nCallerIDName: \xcf\xf0\xff\r\nUniqueid: \xff\r\n\r\n",
        b"Event: Hangup\r\nEvent: Newchannel\r\nUniqueid: 1.1\r\n\r\n",
        b"Response: Success\r\nActionID: trunkline-999999\r\n\r\n",
        b"Event: Newchannel\r\nUniqueid",
        &endless,
        b"\r\n\r\n",
        &headers,
        b"\r\n\r\n",
    ] {
        office.ami.send_raw(bytes);
    }
    office.client_calls(NEXT);
    daemon.settled(2).await;
    office.holds_one_answered_call_of_each(&[FIRST, NEXT]);
    assert!(
        !attached.has_changed().expect("it runs"),
        "the session is the first one"
    );
    let told = until("it is told", async || {
        let notes = daemon.notes().await.into_iter();
        let told = notes.filter(|(_, text)| text.contains("no AMI message"));
        let told = told.count();
        when(told > 0, "nothing is told").map(|()| told)
    });
    assert_eq!(told.await, 1);
    let more = office.home.log_lines_not_about("acme/office/") - before;
    assert_eq!(more, 1, "{}", office.home.log());
    let grown = daemon.resident_bytes().saturating_sub(memory);
    assert!(grown < GROWTH_BYTES_MAX, "grown by {grown} bytes");
}
