//! A recorded call, from the switch to a player: the entry in the CRM is written at once and gets
//! the recording's address when the file is whole.

use std::fs;
use std::path::PathBuf;

use reqwest::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use trunkline::lab::ami::ScriptedCall;
use trunkline::lab::amocrm::CallView;

use super::daemon::{Daemon, list};
use super::office::Office;
use super::wait::until;

const CLIENT: &str = "79161112233";

/// Where the switch that was recorded kept its files.
const SPOOL: &str = "/etc/asterisk-lab/spool/monitor";

/// An office whose recordings are looked for, reached from outside or not.
async fn recorded_office(public: bool) -> Office {
    let office = Office::open().await;
    fs::create_dir(office.home.path("monitor")).expect("a folder");
    let root = office.home.path("monitor");
    let place = format!("{{ folder = {root:?}, pbx_path = {SPOOL:?} }}");
    office.home.edit_tenant(
        "name = \"Офис\"",
        &format!("name = \"Офис\"\nrecordings = [{place}]"),
    );
    office.home.edit_tenant(
        "name = \"Сайт\"",
        &format!("name = \"Сайт\"\nrecordings = [{place}]"),
    );
    if public {
        set_public(&office);
    }
    office
}

/// Sets the address under which the outside reaches the daemon.
fn set_public(office: &Office) {
    let public = format!("public_url = \"http://{}\"\n", office.home.intake());
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let both = format!("{tenants}{public}");
    office.home.edit("etc/trunkline.toml", tenants, &both);
}

/// Sound as the switch writes it: 8 kHz, 16 bits, one channel; each sample bears its number.
fn wav(samples: u16) -> Vec<u8> {
    let sound: Vec<u8> = (0..samples).flat_map(u16::to_le_bytes).collect();
    let length = u32::try_from(sound.len()).expect("short");
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(8000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(sound);
    file
}

/// Returns the only call that the CRM holds.
#[track_caller]
fn the_call(office: &Office) -> CallView {
    let oracle = office.oracle();
    let [call] = &oracle.calls[..] else {
        panic!("one call: {:?}", oracle.calls);
    };
    call.clone()
}

/// Waits until the call's entry has an address, and returns it.
async fn linked(office: &Office) -> String {
    until("the entry has the recording's address", async || {
        let call = the_call(office);
        let link = Some(call.link.clone()).filter(|link| !link.is_empty());
        link.ok_or_else(|| format!("{call:?}\n{}", office.home.log()))
    })
    .await
}

/// Returns what is known of the only call's recording.
async fn recording_of(daemon: &Daemon) -> Value {
    let key = daemon.journal_keys().await.remove(0);
    daemon.story(&key).await["recording"].clone()
}

/// Returns where the switch wrote the file of the only call.
async fn file_of(office: &Office, daemon: &Daemon) -> PathBuf {
    let recording = recording_of(daemon).await;
    let name = recording["names"][0].as_str().expect("a name");
    let way = name.strip_prefix(SPOOL).expect("below the spool folder");
    office
        .home
        .path("monitor")
        .join(way.trim_start_matches('/'))
}

/// Writes a file and the folders that it lies in.
fn put(path: &PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, bytes).expect("written");
}

async fn ask(
    daemon: &Daemon,
    link: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
) -> Response {
    let mut request = daemon.http.get(link);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.expect("an answer")
}

#[track_caller]
fn header<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> &'a str {
    let value = headers
        .get(name)
        .unwrap_or_else(|| panic!("{name}: {headers:?}"));
    value.to_str().expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_call_is_played_by_ranges_from_the_address_in_its_entry() {
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let call = ScriptedCall::of("recording").client(CLIENT).speed(5.0);
    drop(office.ami.play(call).expect("it was recorded"));
    daemon.settled(1).await;
    // Written at once: the file is not even there.
    assert_eq!(the_call(&office).link, "");
    let sound = wav(8000);
    put(&file_of(&office, &daemon).await, &sound);

    let link = linked(&office).await;
    let entry = the_call(&office);
    assert_eq!((entry.status, entry.origin.as_str()), (Some(4), "note"));
    let public = format!("http://{}/r/", office.home.intake());
    let token = link.strip_prefix(&public).expect("our own address");
    assert_eq!(token.len(), 22);

    let whole = ask(&daemon, &link, &[]).await;
    assert_eq!(whole.status(), StatusCode::OK);
    let headers = whole.headers().clone();
    assert_eq!(header(&headers, &CONTENT_TYPE), "audio/wav");
    assert_eq!(header(&headers, &ACCEPT_RANGES), "bytes");
    let tag = header(&headers, &ETAG).to_owned();
    assert_eq!(whole.bytes().await.expect("a body"), sound);

    for (range, status, content_range, expected) in [
        ("bytes=0-3", 206, "bytes 0-3/16044", &sound[..4]),
        ("bytes=44-", 206, "bytes 44-16043/16044", &sound[44..]),
        (
            "bytes=-100",
            206,
            "bytes 15944-16043/16044",
            &sound[15944..],
        ),
        (
            "bytes=16000-99999",
            206,
            "bytes 16000-16043/16044",
            &sound[16000..],
        ),
        // Of several ranges the first is served.
        (
            "bytes=10-19,30-39",
            206,
            "bytes 10-19/16044",
            &sound[10..20],
        ),
        ("bytes=16044-", 416, "bytes */16044", &[]),
    ] {
        let part = ask(&daemon, &link, &[(RANGE, range)]).await;
        assert_eq!(part.status().as_u16(), status, "{range}");
        assert_eq!(header(part.headers(), &CONTENT_RANGE), content_range);
        let body = part.bytes().await.expect("a body");
        assert_eq!(body, expected, "{range}");
    }
    let known = ask(&daemon, &link, &[(IF_NONE_MATCH, &tag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let other = [(RANGE, "bytes=0-3"), (IF_RANGE, "\"another\"")];
    assert_eq!(ask(&daemon, &link, &other).await.status(), StatusCode::OK);
    let head = daemon.http.head(&link).send().await.expect("an answer");
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(header(head.headers(), &CONTENT_LENGTH), "16044");

    for wrong in [
        "",
        "x",
        &token[1..],
        &token.to_uppercase(),
        "../../etc/passwd",
    ] {
        let answer = ask(&daemon, &format!("{public}{wrong}"), &[]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{wrong}");
    }
    // One listener, however many ranges.
    let key = daemon.journal_keys().await.remove(0);
    let story = daemon.story(&key).await;
    let notes = list(&story, "notes");
    let played = notes
        .iter()
        .filter(|note| note["word"] == "recording_played");
    assert_eq!(played.count(), 1, "{notes:?}");
    assert!(!office.home.log().contains(token), "{}", office.home.log());
    let told = office.home.run(&["explain", &key, "--lang", "en"]).await;
    for words in ["The recording can be played", "step recording: done"] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    let status = office.home.run(&["status"]).await;
    let line = "recordings: 0 looked for, 1 ready";
    assert!(status.out.contains(line), "{}", status.out);
}
