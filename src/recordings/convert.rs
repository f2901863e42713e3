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

/// Longest conversion: a call of eight hours takes a small box some minutes.
const CONVERT_MAX: Duration = Duration::from_secs(1800);

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

/// Converts files, one after the other, into one MP3; an error says what to do.
pub(super) async fn to_mp3(ffmpeg: &Path, inputs: Vec<Input>, into: &Path) -> Result<(), String> {
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
    let ended = tokio::time::timeout(CONVERT_MAX, child.wait_with_output()).await;
    drop(others);
    match ended {
        Err(_) => Err(format!(
            "ffmpeg was not done within {} minutes",
            CONVERT_MAX.as_secs() / 60
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
