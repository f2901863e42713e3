//! Has ffmpeg, where it is installed, turn what browsers do not play into MP3, and several files
//! into one.
//!
//! ffmpeg gets the open files and not their names, and is told how each is written by the ending
//! that the phone system gave it: a file that is a play list in truth cannot make it read another.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// The longest that a conversion may take, whatever the files' length: an eight hours' call takes a
/// small box some minutes.
const CONVERT_MAX: Duration = Duration::from_secs(1800);

/// A conversion may always take so long, and a second more for so many bytes: half a minute of a call
/// and more. A file at which ffmpeg hangs does not keep the others waiting for half an hour.
const CONVERT_MIN: Duration = Duration::from_secs(60);
const BYTES_A_SECOND: u64 = 50_000;

/// How much of ffmpeg's words goes into the journal.
const WORDS_CHARS_MAX: usize = 300;

/// A file to be converted, and how it is written.
pub(super) struct Input {
    pub(super) file: File,
    pub(super) demuxer: &'static [&'static str],
}

/// Says how a file is to be read, by its ending; `None` for one that is not known.
pub(super) fn demuxer(file_name: &str) -> Option<&'static [&'static str]> {
    let (_, ending) = file_name.rsplit_once('.')?;
    // The raw formats of Asterisk say nothing about themselves.
    Some(match ending.to_ascii_lowercase().as_str() {
        "wav" | "wav16" | "wav32" | "wav44" | "wav48" | "wav49" => &["-f", "wav"],
        "mp3" => &["-f", "mp3"],
        "webm" | "mkv" | "mka" => &["-f", "matroska"],
        "ogg" | "oga" | "opus" => &["-f", "ogg"],
        "aac" => &["-f", "aac"],
        "m4a" | "mp4" => &["-f", "mov"],
        "flac" => &["-f", "flac"],
        "gsm" => &["-f", "gsm"],
        "ulaw" | "ul" | "pcm" => &["-f", "mulaw", "-ar", "8000"],
        "alaw" | "al" => &["-f", "alaw", "-ar", "8000"],
        "g722" => &["-f", "g722"],
        "sln" | "sln8" | "slin" | "raw" => &["-f", "s16le", "-ar", "8000"],
        "sln16" => &["-f", "s16le", "-ar", "16000"],
        "sln48" => &["-f", "s16le", "-ar", "48000"],
        _ => return None,
    })
}

/// Says whether files of this ending hold nothing but samples, of which any may look like the begin
/// of an MP3.
pub(super) fn is_raw(file_name: &str) -> bool {
    let format = demuxer(file_name).and_then(|options| options.get(1));
    format.is_some_and(|format| matches!(*format, "mulaw" | "alaw" | "g722" | "gsm" | "s16le"))
}

/// Returns how long ffmpeg may take for files of so many bytes.
fn within(bytes: u64) -> Duration {
    let longer = Duration::from_secs(bytes / BYTES_A_SECOND);
    CONVERT_MIN.saturating_add(longer).min(CONVERT_MAX)
}

/// Converts files, one after the other, into one MP3; an error says what to do.
pub(super) async fn to_mp3(ffmpeg: &Path, inputs: Vec<Input>, into: &Path) -> Result<(), String> {
    let lengths = inputs.iter().map(|input| input.file.metadata());
    let bytes: io::Result<u64> = lengths.map(|data| data.map(|data| data.len())).sum();
    let within = within(bytes.map_err(|error| error.to_string())?);
    let mut command = Command::new(ffmpeg);
    command.args(["-nostdin", "-v", "error", "-y"]);
    let count = inputs.len();
    let mut inputs = inputs.into_iter();
    let Some(first) = inputs.next() else {
        return Err("there is nothing to convert".to_owned());
    };
    // The first one comes as standard input; the others by descriptors of ours, which the child
    // reads through this process's table while we hold them.
    let others: Vec<Input> = inputs.collect();
    command
        .args(first.demuxer)
        .args(["-protocol_whitelist", "file,pipe"]);
    command.args(["-i", "/proc/self/fd/0"]);
    let own = std::process::id();
    for other in &others {
        use std::os::fd::AsRawFd;
        command
            .args(other.demuxer)
            .args(["-protocol_whitelist", "file,pipe"]);
        command.args(["-i", &format!("/proc/{own}/fd/{}", other.file.as_raw_fd())]);
    }
    if count > 1 {
        command.arg("-filter_complex");
        command.arg(format!("concat=n={count}:v=0:a=1"));
    } else {
        command.args(["-map", "0:a:0"]);
    }
    command.args(["-codec:a", "libmp3lame", "-q:a", "6", "-f", "mp3"]);
    command.arg(into);
    command
        .stdin(Stdio::from(first.file))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "browsers do not play it, and {} is not installed to convert it: install ffmpeg",
            ffmpeg.display()
        ),
        _ => format!("cannot run {}: {error}", ffmpeg.display()),
    })?;
    let ended = tokio::time::timeout(within, child.wait_with_output()).await;
    drop(others);
    match ended {
        Err(_) => Err(format!(
            "ffmpeg was not done within {} seconds: is the file whole?",
            within.as_secs()
        )),
        Ok(Err(error)) => Err(format!("ffmpeg: {error}")),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let words = String::from_utf8_lossy(&output.stderr);
            let words: String = words
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(WORDS_CHARS_MAX)
                .collect();
            Err(format!("ffmpeg failed: {}", words.trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    /// A program that does as this script says, in the place of ffmpeg.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("ffmpeg");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&path, mode).expect("permitted");
        path
    }

    fn input() -> Input {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&[0xD0; 330]).expect("written");
        Input {
            file,
            demuxer: &["-f", "gsm"],
        }
    }

    /// Says whether a process has this text among its arguments.
    fn is_running(text: &str) -> bool {
        let processes = std::fs::read_dir("/proc").expect("processes");
        processes.flatten().any(|process| {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(text)
        })
    }

    // On a clock of our own: nobody waits for the minute.
    #[tokio::test(start_paused = true)]
    async fn a_conversion_that_hangs_is_ended_and_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let hangs = program(folder.path(), "while :; do sleep 0.1; done");
        let into = folder.path().join("into.mp3");
        let ended = to_mp3(&hangs, vec![input()], &into).await;
        let why = ended.expect_err("it hangs");
        assert!(why.contains("not done within 60 seconds"), "{why}");
        let into = into.to_string_lossy().into_owned();
        while is_running(&into) {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn a_long_call_may_take_longer_and_nothing_takes_more_than_half_an_hour() {
        assert_eq!(within(0).as_secs(), 60);
        // Eight hours of GSM.
        assert_eq!(within(8 * 3600 * 1650).as_secs(), 60 + 950);
        assert_eq!(within(u64::MAX), CONVERT_MAX);
    }

    #[test]
    fn only_files_without_a_head_are_raw() {
        for name in ["a.ulaw", "a.alaw", "a.g722", "a.gsm", "a.sln", "a.SLN16"] {
            assert!(is_raw(name), "{name}");
        }
        for name in ["a.mp3", "a.ogg", "a.wav", "a", "a.txt"] {
            assert!(!is_raw(name), "{name}");
        }
    }
}
