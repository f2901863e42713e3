//! A recorded call, from the switch to a player: the entry in the CRM is written at once and gets
//! the recording's address when the file is whole.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use reqwest::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
    IF_RANGE, RANGE, RETRY_AFTER,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use trunkline::lab::ami::ScriptedCall;
use trunkline::lab::amocrm::CallView;
use trunkline::lab::fault::{Fault, When};

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::wait::{until, when};

const CLIENT: &str = "79161112233";

/// Where the switch that was recorded kept its files.
const SPOOL: &str = "/etc/asterisk-lab/spool/monitor";

/// An office whose recordings are looked for, reached from outside or not.
pub(super) async fn recorded_office(public: bool) -> Office {
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
pub(super) fn set_public(office: &Office) {
    let public = format!("public_url = \"http://{}\"\n", office.home.intake());
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let both = format!("{tenants}{public}");
    office.home.edit("etc/trunkline.toml", tenants, &both);
}

/// Sound as the switch writes it: 8 kHz, 16 bits, one channel; each sample bears its number.
pub(super) fn wav(samples: u16) -> Vec<u8> {
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
        let calls = office.oracle().calls;
        let link = calls.first().map(|call| call.link.clone());
        let link = link.filter(|link| !link.is_empty());
        link.ok_or_else(|| format!("{calls:?}\n{}", office.home.log()))
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
pub(super) fn put(path: &PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, bytes).expect("written");
}

pub(super) async fn ask(
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
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> &'a str {
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
    for words in [
        "The recording can be played",
        "step recording: done",
        "recording: can be played",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    let status = office.home.run(&["status"]).await;
    let line = "recordings: 0 looked for, 1 ready";
    assert!(status.out.contains(line), "{}", status.out);
}

/// Waits until the journal of the only call holds a remark of this word, and returns its text.
async fn remarked(daemon: &Daemon, word: &str) -> String {
    until(&format!("the journal holds {word}"), async || {
        let key = daemon.journal_keys().await.remove(0);
        let story = daemon.story(&key).await;
        let mut notes = list(&story, "notes").iter();
        let note = notes.find(|note| note["word"] == word);
        let text = note.and_then(|note| note["text"].as_str());
        text.map(str::to_owned)
            .ok_or_else(|| story["recording"].to_string())
    })
    .await
}

/// A call of the site's telephony with these recordings.
fn site_call_with(key: &str, recordings: Value) -> Value {
    nth_site_call(0, key, recordings)
}

/// The same, some minutes later each time.
fn nth_site_call(number: usize, key: &str, recordings: Value) -> Value {
    let began_s = u32::try_from(number * 100).expect("few");
    let mut call = site_call(key, CLIENT, began_s);
    call["recordings"] = recordings;
    call
}

async fn post(daemon: &Daemon, call: &Value) {
    let (status, answer) = daemon.post(call).await;
    assert_eq!(status, 202, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_was_killed_goes_on_looking_and_links_once() {
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let call = ScriptedCall::of("recording").client(CLIENT).speed(5.0);
    drop(office.ami.play(call).expect("it was recorded"));
    daemon.settled(1).await;
    let file = file_of(&office, &daemon).await;
    daemon.kill();
    put(&file, &wav(400));
    // The answer to the change of the entry is lost, and the daemon is killed before it looks.
    office.fault("PATCH", "*", When::First { n: 1 }, Fault::LostAfter);
    let daemon = office.start().await;
    let link = linked(&office).await;
    daemon.kill();
    let daemon = office.start().await;
    until("nothing is left to do", async || {
        let status = daemon.get("/v1/status").await;
        let done = status["store"]["open_works"] == 0 && status["recordings"]["ready"] == 1;
        when(done, status)
    })
    .await;
    assert_eq!(the_call(&office).link, link);
    assert_eq!(office.oracle().notes, []);
    let played = ask(&daemon, &link, &[]).await;
    assert_eq!(played.bytes().await.expect("a body"), wav(400));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_public_address_entries_go_without_and_get_it_when_there_is_one() {
    let office = recorded_office(false).await;
    let daemon = office.start().await;
    put(&office.home.path("monitor/a.wav"), &wav(400));
    post(&daemon, &site_call_with("a", json!(["a.wav"]))).await;
    daemon.settled(1).await;
    until("it can be played", async || {
        let status = daemon.get("/v1/status").await;
        when(status["recordings"]["not_told"] == 1, &status)
    })
    .await;
    assert_eq!(the_call(&office).link, "");
    let status = office.home.run(&["status"]).await;
    assert!(
        status.out.contains("public_url is not set"),
        "{}",
        status.out
    );
    set_public(&office);
    daemon.reload().await;
    let link = linked(&office).await;
    assert_eq!(ask(&daemon, &link, &[]).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_browsers_do_not_play_is_converted_once_ffmpeg_is_there() {
    let office = recorded_office(true).await;
    let folder = "folder = \"../recordings\"";
    let ffmpeg = format!("{folder}\nffmpeg = \"../ffmpeg\"");
    office.home.edit("etc/trunkline.toml", folder, &ffmpeg);
    let daemon = office.start().await;
    // The switch has turned its WAV into WebM meanwhile.
    let webm = [&b"\x1A\x45\xDF\xA3"[..], &[7; 500]].concat();
    put(&office.home.path("monitor/a.webm"), &webm);
    post(&daemon, &site_call_with("a", json!(["a.wav"]))).await;
    daemon.settled(1).await;
    let why = remarked(&daemon, "recording_waits").await;
    assert!(why.contains("install ffmpeg"), "{why}");
    assert_eq!(the_call(&office).link, "");
    // Stands in for ffmpeg: what it reads, behind the tag of an MP3, goes into its last argument.
    let script = "#!/bin/sh\nfor last; do :; done\n{ printf ID3; cat; } >\"$last\"\n";
    office.home.write("ffmpeg", script);
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(office.home.path("ffmpeg"), mode).expect("permitted");
    let link = linked(&office).await;
    let played = ask(&daemon, &link, &[]).await;
    assert_eq!(header(played.headers(), &CONTENT_TYPE), "audio/mpeg");
    let expected = [&b"ID3"[..], &webm].concat();
    assert_eq!(played.bytes().await.expect("a body"), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_lead_out_of_the_folder_are_never_read() {
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let outside = office.home.path("secret.wav");
    put(&outside, &wav(400));
    symlink(&outside, office.home.path("monitor/link.wav")).expect("a link");
    let outside = outside.to_str().expect("text");
    let names = [
        "../secret.wav",
        "x/../../secret.wav",
        "link.wav",
        outside,
        &format!("{SPOOL}/../secret.wav"),
        &format!("file://{outside}"),
    ];
    for (number, name) in names.iter().enumerate() {
        post(
            &daemon,
            &nth_site_call(number, &number.to_string(), json!([name])),
        )
        .await;
    }
    daemon.settled(names.len()).await;
    for number in 0..names.len() {
        let why = until("it was tried", async || {
            let story = daemon.story(&format!("acme/site/{number}")).await;
            let recording = &story["recording"];
            assert_eq!(recording["state"], "sought", "{recording}");
            let why = recording["why"].as_str();
            why.map(str::to_owned).ok_or_else(|| recording.to_string())
        });
        let why = why.await;
        let known = ["lies in none of the folders", "is a link"];
        assert!(known.iter().any(|words| why.contains(words)), "{why}");
    }
    assert!(
        office
            .oracle()
            .calls
            .iter()
            .all(|call| call.link.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_of_a_transferred_call_are_played_as_one() {
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let (first, second) = (wav(300), wav(200));
    put(&office.home.path("monitor/a.wav"), &first);
    put(&office.home.path("monitor/b.wav"), &second);
    post(&daemon, &site_call_with("a", json!(["a.wav", "b.wav"]))).await;
    let link = linked(&office).await;
    let played = ask(&daemon, &link, &[]).await;
    let sound = played.bytes().await.expect("a body");
    assert_eq!(sound[44..], [&first[44..], &second[44..]].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsorted_record_bears_the_address_from_the_beginning() {
    let office = recorded_office(true).await;
    office.home.edit_tenant(
        "answered_unknown = { action = { kind = \"contact_and_deal\", pipeline = \"3100\", stage = \"3102\" } }",
        "answered_unknown = { action = { kind = \"unsorted\", pipeline = \"3100\" } }",
    );
    let daemon = office.start().await;
    post(&daemon, &site_call_with("a", json!(["a.wav"]))).await;
    daemon.settled(1).await;
    let oracle = office.oracle();
    let [record] = &oracle.unsorted[..] else {
        panic!("one record: {:?}", oracle.unsorted);
    };
    let link = record.metadata["link"].as_str().expect("an address");
    let early = ask(&daemon, link, &[]).await;
    assert_eq!(early.status(), StatusCode::NOT_FOUND);
    assert!(early.headers().contains_key(RETRY_AFTER));
    put(&office.home.path("monitor/a.wav"), &wav(400));
    until("it can be played", async || {
        let status = ask(&daemon, link, &[]).await.status();
        when(status == StatusCode::OK, status)
    })
    .await;
    // Its own step for that would be one too many.
    daemon.settled(1).await;
    assert_eq!((oracle.notes.len(), oracle.calls.len()), (0, 1));
}

/// A web server of a switch: two files behind a password; keeps what was asked.
async fn switch_on_the_web(sound: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if socket.read(&mut byte).await.unwrap_or(0) == 0 {
                    break;
                }
                asked.extend(byte);
            }
            let asked = String::from_utf8_lossy(&asked).to_lowercase();
            // box:web-secret
            let known = asked.contains("authorization: basic ym94ondlyi1zzwnyzxq=");
            let (status, body) = match asked.split(' ').nth(1) {
                _ if !known => ("401 Unauthorized", &b"who?"[..]),
                Some("/rec/2026/a.wav") => ("200 OK", &sound[..]),
                Some("/rec/moved.wav") => ("302 Found\r\nLocation: /rec/2026/a.wav", &b""[..]),
                _ => ("404 Not Found", &b"nothing"[..]),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let body = if asked.starts_with("head") {
                &b""[..]
            } else {
                body
            };
            let answer = [head.as_bytes(), body].concat();
            socket.write_all(&answer).await.ok();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_fetched_from_the_web_server_of_the_switch_and_from_nowhere_else() {
    let sound = wav(400);
    let web = switch_on_the_web(sound.clone()).await;
    let elsewhere = switch_on_the_web(sound.clone()).await;
    let office = recorded_office(true).await;
    let root = office.home.path("monitor");
    let folder = format!("\"Сайт\"\nrecordings = [{{ folder = {root:?}, pbx_path = {SPOOL:?} }}]");
    let server =
        format!("\"Сайт\"\nrecordings = [{{ url = \"http://{web}/rec\", user = \"box\" }}]");
    office.home.edit_tenant(&folder, &server);
    office.home.write("secrets/web", "web-secret");
    let hook = "hook = { file = \"../../secrets/site-hook\" }";
    let both = format!("{hook}\nrecordings = {{ file = \"../../secrets/web\" }}");
    office.home.edit_tenant(hook, &both);
    let daemon = office.start().await;
    let hostile = [
        format!("http://{elsewhere}/rec/2026/a.wav"),
        format!("http://{web}/other/2026/a.wav"),
        "moved.wav".to_owned(),
    ];
    for (number, name) in hostile.iter().enumerate() {
        post(
            &daemon,
            &nth_site_call(number, &format!("h{number}"), json!([name])),
        )
        .await;
    }
    daemon.settled(3).await;
    assert!(
        office
            .oracle()
            .calls
            .iter()
            .all(|call| call.link.is_empty())
    );
    let name = format!("http://{web}/rec/2026/a.wav");
    let mut call = site_call("a", "+79161112244", 0);
    call["recordings"] = json!([name]);
    post(&daemon, &call).await;
    let link = until("the entry has the recording's address", async || {
        let oracle = office.oracle();
        let link = oracle
            .calls_of_phone("79161112244")
            .first()
            .map(|call| call.link.clone());
        link.filter(|link| !link.is_empty())
            .ok_or_else(|| office.home.log())
    })
    .await;
    let played = ask(&daemon, &link, &[]).await;
    assert_eq!(played.bytes().await.expect("a body"), sound);
    for number in 0..hostile.len() {
        let story = daemon.story(&format!("acme/site/h{number}")).await;
        assert_eq!(story["recording"]["state"], "sought", "{story}");
    }
    assert!(!office.home.log().contains("web-secret"));
}
