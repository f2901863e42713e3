//! On what it was measured.

use std::fmt;
use std::path::Path;

use anyhow::Context;

/// Above it something else competes for the cores; a machine at rest shows less, a build more.
const BUSY: f64 = 0.5;

/// A machine, as far as it matters here.
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    memory_mib: u64,
    kernel: String,
    file_system: String,
    /// Processes that wanted a core in the last minute.
    load: f64,
}

impl Machine {
    /// Looks around; the file system is the one that holds the folder.
    pub(crate) fn look(folder: &Path) -> anyhow::Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path).with_context(|| path.to_owned());
        let memory = read("/proc/meminfo")?;
        let total = field(&memory, "MemTotal:").unwrap_or_default();
        let total_kib: u64 = total.trim_end_matches(" kB").parse().unwrap_or_default();
        let load = read("/proc/loadavg")?;
        let load = load.split(' ').next().context("read the load average")?;
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: field(&read("/proc/cpuinfo")?, "model name\t:")
                .unwrap_or_else(|| "an unnamed processor".to_owned()),
            memory_mib: total_kib / 1024,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            file_system: file_system(&read("/proc/self/mountinfo")?, folder),
            load: load.parse()?,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores ({}), {} MiB, Linux {}, {}; load average before the run: {}",
            self.cores, self.processor, self.memory_mib, self.kernel, self.file_system, self.load
        )?;
        if self.load > BUSY {
            write!(
                f,
                "\nthe machine is busy with something else: nothing here will mean much"
            )?;
        }
        Ok(())
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .map(|value| value.trim().to_owned())
}

/// Names the device and kind of the innermost mount that holds a folder.
fn file_system(mounts: &str, folder: &Path) -> String {
    // ID parent device root MOUNT-POINT options … - KIND DEVICE options
    let mounts = mounts.lines().filter_map(|line| {
        let point = line.split(' ').nth(4)?;
        let mut after = line.split_once(" - ")?.1.split(' ');
        let (kind, device) = (after.next()?, after.next()?);
        folder
            .starts_with(point)
            .then(|| (point.len(), format!("{kind} on {device}")))
    });
    // Of two at one point the later covers the earlier.
    mounts
        .max_by_key(|(length, _)| *length)
        .map(|(_, name)| name)
        .unwrap_or_else(|| "an unknown file system".to_owned())
}
