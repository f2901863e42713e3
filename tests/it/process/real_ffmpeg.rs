//! Recordings that browsers do not play, converted by the real ffmpeg. Where it is not installed the
//! tests say so and pass over themselves.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};
use serde_json::json;

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::recordings::{ask, header, put, recorded_office};
use super::wait::{until, when};

/// Samples in a second of what the tests make and hear.
const RATE: usize = 8000;

/// How high the tone is, in hertz.
const TONE: usize = 440;

/// Says whether there is an ffmpeg to test with.
#[expect(clippy::print_stderr, reason = "a test that tries nothing says so")]
fn is_there() -> bool {
    let there = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !there {
        eprintln!("passed over: ffmpeg is not there; packaging/prerequisites.sh test installs it");
    }
    there
}

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    ran.stdout
}

/// Makes a file of a tone of so many seconds, written in this way.
fn tone(file: &Path, seconds: usize, how: &[&str]) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
    let wave = format!("sine=frequency={TONE}:duration={seconds}:sample_rate={RATE}");
    let file = file.to_str().expect("text");
    let source = ["-f", "lavfi", "-i", &wave, "-ac", "1"];
    ffmpeg(&[&source[..], how, &[file]].concat());
}

/// Reads an MP3 as a player does: its samples.
fn heard(office: &Office, mp3: &[u8]) -> Vec<i16> {
    let file = office.home.path("heard.mp3");
    fs::write(&file, mp3).expect("written");
    let file = file.to_str().expect("text");
    let rate = RATE.to_string();
    let raw = ffmpeg(&[
        "-f", "mp3", "-i", file, "-f", "s16le", "-ac", "1", "-ar", &rate, "pipe:1",
    ]);
    let samples = raw.chunks_exact(2);
    samples
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// Expects a tone of so many seconds and of the right height.
#[track_caller]
fn is_the_tone(samples: &[i16], seconds: usize, name: &str) {
    let expected = seconds * RATE;
    let spare = RATE / 4;
    assert!(
        samples.len() >= expected - spare && samples.len() <= expected + spare,
        "{name}: {} samples instead of {expected}",
        samples.len()
    );
    // Each wave goes through zero twice; a second from the middle.
    let middle = &samples[expected / 2 - RATE / 2..expected / 2 + RATE / 2];
    let crossings = middle
        .windows(2)
        .filter(|pair| (pair[0] < 0) != (pair[1] < 0))
        .count();
    let off = crossings.abs_diff(2 * TONE);
    assert!(off <= 40, "{name}: {crossings} crossings");
}

/// A call of the site of its own client, with this recording.
async fn call_with(daemon: &Daemon, number: u32, file: &str) -> String {
    let client = format!("7916000{number:04}");
    let mut call = site_call(file, &client, number * 100);
    call["recordings"] = json!([file]);
    let (status, answer) = daemon.post(&call).await;
    assert_eq!(status, 202, "{answer}");
    client
}

/// Waits until the entry of this client's call has an address.
async fn linked(office: &Office, client: &str) -> String {
    until("the entry has the recording's address", async || {
        let oracle = office.oracle();
        let calls = oracle.calls_of_phone(client);
        let link = calls.first().map(|call| call.link.clone());
        let link = link.filter(|link| !link.is_empty());
        link.ok_or_else(|| format!("{calls:?}\n{}", office.home.log()))
    })
    .await
}

/// Waits until it is told what is in the way of a call's recording.
async fn why(daemon: &Daemon, file: &str, words: &str) {
    until(&format!("{file} waits: {words}"), async || {
        let story = daemon.story(&format!("acme/site/{file}")).await;
        let why = story["recording"]["why"].as_str().unwrap_or_default();
        when(why.contains(words), &story["recording"])
    })
    .await;
}

fn monitor(office: &Office, file: &str) -> PathBuf {
    office.home.path(&format!("monitor/{file}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_switches_write_is_played_by_ranges_from_the_entry_of_the_call() {
    if !is_there() {
        return;
    }
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let rate = RATE.to_string();
    let forms: [(&str, &[&str]); 6] = [
        ("tone.gsm", &["-codec:a", "libgsm", "-f", "gsm"]),
        ("tone.ogg", &["-codec:a", "libopus", "-f", "ogg"]),
        ("tone.alaw", &["-codec:a", "pcm_alaw", "-f", "alaw"]),
        ("tone.ulaw", &["-codec:a", "pcm_mulaw", "-f", "mulaw"]),
        // What Asterisk calls wav49: GSM in a WAV.
        ("tone.WAV", &["-codec:a", "libgsm_ms", "-f", "wav"]),
        ("tone.sln", &["-ar", &rate, "-f", "s16le"]),
    ];
    for (number, (file, how)) in (1..).zip(forms) {
        tone(&monitor(&office, file), 3, how);
        let client = call_with(&daemon, number, file).await;
        let link = linked(&office, &client).await;
        let whole = ask(&daemon, &link, &[]).await;
        assert_eq!(whole.status(), StatusCode::OK, "{file}");
        assert_eq!(header(whole.headers(), &CONTENT_TYPE), "audio/mpeg");
        let whole = whole.bytes().await.expect("a body");
        is_the_tone(&heard(&office, &whole), 3, file);
        let length = whole.len();
        for (range, content_range, expected) in [
            (
                "bytes=0-99".to_owned(),
                format!("bytes 0-99/{length}"),
                &whole[..100],
            ),
            (
                "bytes=1000-".to_owned(),
                format!("bytes 1000-{}/{length}", length - 1),
                &whole[1000..],
            ),
        ] {
            let part = ask(&daemon, &link, &[(RANGE, &range)]).await;
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{file} {range}");
            assert_eq!(header(part.headers(), &CONTENT_TYPE), "audio/mpeg");
            assert_eq!(header(part.headers(), &CONTENT_RANGE), content_range);
            assert_eq!(part.bytes().await.expect("a body"), expected, "{file}");
        }
    }
    // The files of the switch are as they were, and nothing half-made lies about.
    let ours = fs::read_dir(office.home.path("recordings")).expect("our folder");
    let names: Vec<String> = ours
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    assert_eq!(names.len(), forms.len(), "{names:?}");
    assert!(names.iter().all(|name| name.ends_with(".mp3")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parts_of_a_call_in_several_forms_become_one() {
    if !is_there() {
        return;
    }
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let gsm = ["-codec:a", "libgsm", "-f", "gsm"];
    tone(&monitor(&office, "a.gsm"), 2, &gsm);
    tone(&monitor(&office, "b.wav"), 1, &["-f", "wav"]);
    let client = "79160001000";
    let mut call = site_call("parts", client, 0);
    call["recordings"] = json!(["a.gsm", "b.wav"]);
    assert_eq!(daemon.post(&call).await.0, 202);
    let link = linked(&office, client).await;
    let whole = ask(&daemon, &link, &[]).await;
    let whole = whole.bytes().await.expect("a body");
    is_the_tone(&heard(&office, &whole), 3, "both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_files_are_told_of_and_hold_up_no_other() {
    if !is_there() {
        return;
    }
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let noise: Vec<u8> = (0..5000_u32).map(|n| (n * n % 251) as u8).collect();
    put(&monitor(&office, "noise.ogg"), &noise);
    // A play list in truth: nothing that it names may be read.
    let list_of_files = format!("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n{}", "#\n".repeat(40));
    put(&monitor(&office, "list.ogg"), list_of_files.as_bytes());
    // Headers of a sound, and no sound.
    let ogg = monitor(&office, "cut.ogg");
    tone(&ogg, 1, &["-codec:a", "libopus", "-f", "ogg"]);
    let cut = fs::read(&ogg).expect("the file")[..120].to_vec();
    put(&ogg, &cut);
    for (number, file) in (1..).zip(["noise.ogg", "list.ogg", "cut.ogg"]) {
        call_with(&daemon, number, file).await;
    }
    tone(
        &monitor(&office, "whole.ogg"),
        2,
        &["-codec:a", "libopus", "-f", "ogg"],
    );
    let client = call_with(&daemon, 9, "whole.ogg").await;
    let link = linked(&office, &client).await;
    let whole = ask(&daemon, &link, &[]).await.bytes().await;
    is_the_tone(&heard(&office, &whole.expect("a body")), 2, "whole.ogg");
    for file in ["noise.ogg", "list.ogg", "cut.ogg"] {
        why(&daemon, file, "ffmpeg").await;
        let story = daemon.story(&format!("acme/site/{file}")).await;
        let told = list(&story, "notes").iter();
        let told = told
            .filter(|note| note["word"] == "recording_waits")
            .count();
        assert_eq!(told, 1, "{story:#}");
        assert!(!story.to_string().contains("root:"), "{story:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_grows_is_converted_when_it_is_whole() {
    if !is_there() {
        return;
    }
    let office = recorded_office(true).await;
    let daemon = office.start().await;
    let made = office.home.path("made.gsm");
    tone(&made, 4, &["-codec:a", "libgsm", "-f", "gsm"]);
    let sound = fs::read(&made).expect("the file");
    let (begin, rest) = sound.split_at(sound.len() / 2);
    let path = monitor(&office, "grows.gsm");
    put(&path, begin);
    let client = call_with(&daemon, 1, "grows.gsm").await;
    // The switch goes on writing, a little at a time, until we were seen to wait; then the rest.
    let mut file = OpenOptions::new().append(true).open(&path).expect("open");
    let mut bytes = rest.iter();
    until("it is seen to be written to", async || {
        if let Some(byte) = bytes.next() {
            file.write_all(&[*byte]).expect("written");
        }
        let story = daemon.story("acme/site/grows.gsm").await;
        let why = story["recording"]["why"].as_str().unwrap_or_default();
        when(why.contains("is still written to"), &story["recording"])
    })
    .await;
    file.write_all(bytes.as_slice()).expect("written");
    drop(file);
    let link = linked(&office, &client).await;
    let whole = ask(&daemon, &link, &[]).await.bytes().await;
    is_the_tone(&heard(&office, &whole.expect("a body")), 4, "grows.gsm");
}
