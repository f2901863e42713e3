//! WAV files: what their samples are, and several of one kind made into one. Reads as much of a
//! file as it must; believes no length that the file itself does not bear out.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Plain samples.
const PCM: u16 = 1;

/// Chunks before the samples that are looked at: real files have one to four.
const CHUNKS_MAX: usize = 32;

/// The samples of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Samples {
    /// Their format as the file has it: kind, channels, rate, bytes, bits.
    format: [u8; 16],
    /// Where they begin.
    from: u64,
    /// How long they are.
    bytes: u64,
}

impl Samples {
    /// Says whether every browser plays them.
    pub(super) fn is_plain(&self) -> bool {
        u16::from_le_bytes([self.format[0], self.format[1]]) == PCM
    }

    /// Says whether there is nothing to hear.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// Finds the samples of a file; `None` where it is no WAV.
pub(super) fn samples(file: &mut File) -> io::Result<Option<Samples>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let mut head = [0; 12];
    if !fill(file, &mut head)? || head[..4] != *b"RIFF" || head[8..] != *b"WAVE" {
        return Ok(None);
    }
    let mut at = 12;
    let mut format = None;
    for _ in 0..CHUNKS_MAX {
        let mut chunk = [0; 8];
        if !fill(file, &mut chunk)? {
            return Ok(None);
        }
        at += 8;
        let [_, _, _, _, a, b, c, d] = chunk;
        let said = u64::from(u32::from_le_bytes([a, b, c, d]));
        if chunk[..4] == *b"data" {
            // A file that was cut off says more than it holds.
            let bytes = said.min(length.saturating_sub(at));
            return Ok(format.map(|format| Samples {
                format,
                from: at,
                bytes,
            }));
        }
        if chunk[..4] == *b"fmt " {
            let mut read = [0; 16];
            if said < 16 || !fill(file, &mut read)? {
                return Ok(None);
            }
            format = Some(read);
        }
        // Chunks begin at even places.
        at = at.saturating_add(said).saturating_add(said % 2);
        file.seek(SeekFrom::Start(at))?;
    }
    Ok(None)
}

fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says whether files can be made into one by putting their samples together.
pub(super) fn go_together(parts: &[Samples]) -> bool {
    let alike = |pair: &[Samples]| pair.first().map(|s| s.format) == pair.last().map(|s| s.format);
    let bytes = parts.iter().map(|part| part.bytes).sum::<u64>();
    parts.windows(2).all(alike)
        && parts.iter().all(Samples::is_plain)
        && u32::try_from(bytes.saturating_add(36)).is_ok()
}

/// Writes the samples of several files as one.
pub(super) fn join(parts: &mut [(File, Samples)], into: &mut File) -> io::Result<()> {
    let too_long = |_| io::Error::other("together they are longer than a WAV file can be");
    let bytes = parts.iter().map(|(_, samples)| samples.bytes).sum::<u64>();
    let bytes = u32::try_from(bytes).map_err(too_long)?;
    let Some((_, first)) = parts.first() else {
        return Ok(());
    };
    let mut head = Vec::with_capacity(44);
    head.extend(b"RIFF");
    head.extend(bytes.saturating_add(36).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(16_u32.to_le_bytes());
    head.extend(first.format);
    head.extend(b"data");
    head.extend(bytes.to_le_bytes());
    into.write_all(&head)?;
    for (file, samples) in parts {
        file.seek(SeekFrom::Start(samples.from))?;
        let copied = io::copy(&mut Read::by_ref(file).take(samples.bytes), into)?;
        if copied != samples.bytes {
            return Err(io::Error::other("a part became shorter while it was read"));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A WAV as the phone system writes it: 8 kHz, 16 bits, one channel.
    pub(in crate::recordings) fn wav(kind: u16, samples: &[u8]) -> Vec<u8> {
        let length = u32::try_from(samples.len()).expect("short");
        let mut file = Vec::new();
        file.extend(b"RIFF");
        file.extend((36 + length).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend(16_u32.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(8000_u32.to_le_bytes());
        file.extend(16_000_u32.to_le_bytes());
        file.extend(2_u16.to_le_bytes());
        file.extend(16_u16.to_le_bytes());
        file.extend(b"data");
        file.extend(length.to_le_bytes());
        file.extend(samples);
        file
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    #[test]
    fn the_samples_of_two_files_become_one() {
        let mut parts: Vec<(File, Samples)> = [&b"one "[..], b"two!"]
            .iter()
            .map(|samples| {
                let mut file = file(&wav(1, samples));
                let samples = super::samples(&mut file).expect("read").expect("a WAV");
                (file, samples)
            })
            .collect();
        let alike: Vec<Samples> = parts.iter().map(|(_, samples)| samples.clone()).collect();
        assert!(go_together(&alike));
        let mut whole = tempfile::tempfile().expect("a file");
        join(&mut parts, &mut whole).expect("joined");
        let mut read = Vec::new();
        whole.seek(SeekFrom::Start(0)).expect("at its begin");
        whole.read_to_end(&mut read).expect("read");
        assert_eq!(read, wav(1, b"one two!"));
    }

    #[test]
    fn what_lies_about_itself_is_no_wav_or_as_long_as_it_is() {
        let whole = wav(1, b"sound");
        for cut in 0..44 {
            let seen = samples(&mut file(&whole[..cut])).expect("read");
            assert_eq!(seen, None, "cut at {cut}");
        }
        let mut lies = whole.clone();
        lies[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        let seen = samples(&mut file(&lies)).expect("read").expect("a WAV");
        assert_eq!(seen.bytes, 5);
        let mut endless = whole[..12].to_vec();
        for _ in 0..100 {
            endless.extend(b"junk\0\0\0\0");
        }
        assert_eq!(samples(&mut file(&endless)).expect("read"), None);
        let gsm = samples(&mut file(&wav(0x31, b"gsm")))
            .expect("read")
            .expect("a WAV");
        assert!(!gsm.is_plain() && !gsm.is_empty());
        assert!(!go_together(&[gsm]));
    }
}
