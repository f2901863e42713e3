//! What sort of sound a file holds, by its first bytes and not by its name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::wav::{self, Samples};

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sound {
    /// MP3: every browser plays it.
    Mp3,
    /// WAV, with where its samples lie.
    Wav(Samples),
    /// Anything else: it must be converted.
    Other,
}

/// A file of this length or shorter is a header with nothing behind it.
const HEADER_BYTES_MAX: u64 = 64;

/// Looks into a file; `None` = there is nothing to hear.
pub(super) fn look(file: &mut File) -> io::Result<Option<Sound>> {
    if file.metadata()?.len() <= HEADER_BYTES_MAX {
        return Ok(None);
    }
    if let Some(samples) = wav::samples(file)? {
        return Ok((!samples.is_empty()).then_some(Sound::Wav(samples)));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut first = [0; 3];
    file.read_exact(&mut first)?;
    // A tag, or the mark of a frame of layer III.
    let is_mp3 = first == *b"ID3" || (first[0] == 0xFF && first[1] & 0xE6 == 0xE2);
    Ok(Some(if is_mp3 { Sound::Mp3 } else { Sound::Other }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::wav::tests::wav;
    use super::*;

    fn look_at(bytes: &[u8]) -> Option<Sound> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        look(&mut file).expect("read")
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        let long = [0; 100];
        assert!(matches!(look_at(&wav(1, &long)), Some(Sound::Wav(_))));
        assert_eq!(
            look_at(&[&b"ID3\x03"[..], &long].concat()),
            Some(Sound::Mp3)
        );
        assert_eq!(
            look_at(&[&b"\xFF\xFB\x90"[..], &long].concat()),
            Some(Sound::Mp3)
        );
        assert_eq!(
            look_at(&[&b"\x1A\x45\xDF\xA3"[..], &long].concat()),
            Some(Sound::Other)
        );
        assert_eq!(
            look_at(&[&b"#EXTM3U\n/etc/passwd"[..], &long].concat()),
            Some(Sound::Other)
        );
    }

    #[test]
    fn a_header_alone_is_nothing_to_hear() {
        assert_eq!(look_at(b""), None);
        assert_eq!(look_at(&wav(1, b"")), None);
    }
}
