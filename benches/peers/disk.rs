//! The floor: what the disk itself does for a program that only appends and waits for the disk.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::event::Event;
use super::load::Numbers;

/// A file that grows.
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(folder.join("journal"))?;
        Ok(Self { file })
    }

    /// Appends groups of bodies, each group followed by one fdatasync, for a time; returns how many
    /// bodies a second were on disk.
    pub(crate) fn drive(
        &mut self,
        group: usize,
        numbers: &Numbers,
        time: Duration,
    ) -> anyhow::Result<f64> {
        let deadline = Instant::now() + time;
        let mut durable = 0_u32;
        while Instant::now() < deadline {
            let bodies: String = (0..group)
                .map(|_| Event::numbered(numbers.next()).body + "\n")
                .collect();
            self.file.write_all(bodies.as_bytes())?;
            self.file.sync_data()?;
            durable += u32::try_from(group)?;
        }
        Ok(f64::from(durable) / time.as_secs_f64())
    }
}
