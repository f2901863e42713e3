//! A disk in memory that stops at a chosen operation and, like a disk at a power cut, loses what
//! was not synced: all of it, or all but some of the writes.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use redb::StorageBackend;

/// At which operation the disk stops. Operations are counted from 1 over the disk's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopAt {
    /// Never.
    Never,
    /// The n-th sync fails and has no effect.
    Sync(u64),
    /// The n-th write fails and has no effect.
    Write(u64),
}

/// What of the unsynced survives the power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// Nothing.
    Lost,
    /// Each write by the throw of a coin, in no order: a disk may write its cache as it likes.
    SomeKept {
        /// The coin's seed.
        seed: u64,
    },
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Debug, Default)]
struct State {
    /// What a power cut leaves.
    synced: Vec<u8>,
    /// What reads see.
    present: Vec<u8>,
    /// What lies between.
    unsynced: Vec<Change>,
    syncs: u64,
    writes: u64,
    stopped: bool,
    held: bool,
    panics: bool,
}

/// The disk; clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct CrashDisk {
    state: Arc<Mutex<State>>,
    released: Arc<Condvar>,
    stop_at: StopAt,
}

impl CrashDisk {
    /// A disk that holds `bytes`.
    pub(crate) fn new(bytes: Vec<u8>, stop_at: StopAt) -> Self {
        let state = State {
            synced: bytes.clone(),
            present: bytes,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            released: Arc::default(),
            stop_at,
        }
    }

    /// Lets every sync wait from now on: a slow disk.
    pub(crate) fn hold(&self) {
        self.lock().held = true;
    }

    /// Lets the syncs go on.
    pub(crate) fn release(&self) {
        self.lock().held = false;
        self.released.notify_all();
    }

    /// Lets every operation fail from now on.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
    }

    /// Lets the next sync panic, once: a mistake in a program, not in a disk.
    pub(crate) fn panic_once(&self) {
        self.lock().panics = true;
    }

    /// What a restart finds after the power is cut now.
    pub(crate) fn after_power_cut(&self, unsynced: Unsynced) -> Vec<u8> {
        let state = self.lock();
        let mut bytes = state.synced.clone();
        let Unsynced::SomeKept { mut seed } = unsynced else {
            return bytes;
        };
        for change in &state.unsynced {
            // splitmix64: any spread of bits will do for a coin.
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            match change {
                // A file system journals lengths in order; only contents are a matter of luck.
                Change::SetLen(len) => apply(&mut bytes, &Change::SetLen(*len)),
                write @ Change::Write(..) if z & 1 == 0 => apply(&mut bytes, write),
                Change::Write(..) => {}
            }
        }
        bytes
    }

    /// How many syncs were asked for.
    pub(crate) fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// How many writes were asked for.
    pub(crate) fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Everything that the disk holds, synced or not.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().present.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with the lock")
    }

    fn running(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.stopped {
            return Err(power_cut());
        }
        Ok(state)
    }
}

fn power_cut() -> io::Error {
    io::Error::other("the power was cut")
}

fn place(offset: u64, len: usize) -> std::ops::Range<usize> {
    let start = usize::try_from(offset).expect("the disk fits into memory");
    start..start + len
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, data) => {
            let place = place(*offset, data.len());
            if bytes.len() < place.end {
                bytes.resize(place.end, 0);
            }
            bytes[place].copy_from_slice(data);
        }
        Change::SetLen(len) => bytes.resize(usize::try_from(*len).expect("fits"), 0),
    }
}

impl StorageBackend for CrashDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.running()?.present.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.running()?;
        let part = state.present.get(place(offset, out.len()));
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.running()?;
        let change = Change::SetLen(len);
        apply(&mut state.present, &change);
        state.unsynced.push(change);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let state = self.running()?;
        let waited = self.released.wait_while(state, |state| state.held);
        let mut state = waited.expect("no test panics with the lock");
        if std::mem::take(&mut state.panics) {
            drop(state);
            panic!("this panic belongs to a test");
        }
        state.syncs += 1;
        if self.stop_at == StopAt::Sync(state.syncs) {
            state.stopped = true;
            return Err(power_cut());
        }
        state.synced = state.present.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.running()?;
        state.writes += 1;
        if self.stop_at == StopAt::Write(state.writes) {
            state.stopped = true;
            return Err(power_cut());
        }
        let change = Change::Write(offset, data.to_vec());
        apply(&mut state.present, &change);
        state.unsynced.push(change);
        Ok(())
    }
}
