//! Measures the disk, and closes the intake before it is full.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::alarms::{Alarm, Signs};
use crate::clock::SharedClock;
use crate::intake::room::{Change, Measured, Room};
use crate::integration::status::{Health, StatusBoard};
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

/// How often the disk is measured. In this time the busiest intake writes a few megabytes, far
/// less than what must be free.
const EVERY: Duration = Duration::from_secs(5);

/// The alarm comes while this many times as much is free as must be.
const WARN_FREE_TIMES: u64 = 2;

/// Room without which nothing is begun: what a start writes takes far less.
const ROOM_TO_BEGIN: u64 = 8 * 1024 * 1024;

/// The name on the status board.
const NAME: &str = "disk";

/// Measures until the task is dropped. `folder` is where the store's file lies.
pub(super) async fn watch(
    folder: PathBuf,
    room: Arc<Room>,
    signs: Arc<Signs>,
    store: StoreHandle,
    board: Arc<StatusBoard>,
    clock: SharedClock,
) {
    loop {
        match measure(&folder, &store).await {
            Ok(measured) => {
                metrics::gauge!("trunkline_disk_free_bytes").set(measured.free_bytes as f64);
                if let Some(change) = room.measured(measured) {
                    tell(change, &store, &board, &clock).await;
                }
                signs.show(
                    NAME,
                    filling(&folder, &room, measured).into_iter().collect(),
                );
                let closed = if room.closed().is_some() { 1.0 } else { 0.0 };
                metrics::gauge!("trunkline_intake_closed").set(closed);
            }
            Err(error) => {
                tracing::warn!(error, folder = %folder.display(), "the disk cannot be measured");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Says that the disk fills up, while there is still room to act.
fn filling(folder: &Path, room: &Room, measured: Measured) -> Option<Alarm> {
    const MIB: u64 = 1024 * 1024;
    let bounds = room.bounds();
    let free_bounds = bounds.free_bytes_min.saturating_mul(WARN_FREE_TIMES);
    let text = if room.closed().is_some() {
        // The part `disk` says so already.
        return None;
    } else if measured.free_bytes < free_bounds {
        format!(
            "{} MiB are free on the disk of {}; at {} MiB nothing more is accepted",
            measured.free_bytes / MIB,
            folder.display(),
            bounds.free_bytes_min / MIB
        )
    } else if measured.store_bytes > bounds.store_bytes_max / 10 * 9 {
        format!(
            "the store has {} MiB; at {} MiB nothing more is accepted: raise [store] size_mb_max, or \
             keep fewer days",
            measured.store_bytes / MIB,
            bounds.store_bytes_max / MIB
        )
    } else {
        return None;
    };
    Some(Alarm::new("disk", folder.display().to_string(), text))
}

/// Waits until the store may be written to at all. On a full disk the first write would end the
/// process, and the next, and so on; until there is room, what can be read is served, nothing is
/// accepted, and the alarm says why. `held_up` is called once, before the waiting.
pub(super) async fn room_to_begin(
    folder: &Path,
    free_bytes_min: u64,
    board: &StatusBoard,
    clock: &SharedClock,
    held_up: impl FnOnce(&str),
) {
    let wanted = ROOM_TO_BEGIN.min(free_bytes_min.max(1));
    let mut held_up = Some(held_up);
    loop {
        // A disk that cannot be measured must not keep anything from beginning.
        let free = free_bytes(folder).await.unwrap_or(u64::MAX);
        if free >= wanted {
            if held_up.is_none() {
                tracing::info!("there is room on the disk");
                board.set_health(NAME, Health::Up, clock.now());
            }
            return;
        }
        if let Some(held_up) = held_up.take() {
            let why = format!(
                "nothing is begun and nothing accepted: the disk of {} is full, make room",
                folder.display()
            );
            tracing::error!("{why}");
            board.failed(NAME, &why, clock.now());
            held_up(&why);
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn free_bytes(folder: &Path) -> Result<u64, String> {
    let path = folder.to_owned();
    let disk = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&path)).await;
    let disk = disk
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

async fn measure(folder: &Path, store: &StoreHandle) -> Result<Measured, String> {
    let free_bytes = free_bytes(folder).await?;
    let figures = store.figures().await.map_err(|error| error.to_string())?;
    Ok(Measured {
        free_bytes,
        store_bytes: figures.file_bytes,
    })
}

async fn tell(change: Change, store: &StoreHandle, board: &StatusBoard, clock: &SharedClock) {
    let now = clock.now();
    let text = match change {
        Change::Closed(why) => {
            tracing::error!(why, "intake is closed");
            board.failed(NAME, &format!("nothing is accepted: {why}"), now);
            format!("intake closed: {why}")
        }
        Change::Opened => {
            tracing::info!("intake is open again");
            board.set_health(NAME, Health::Up, now);
            "intake open again".to_owned()
        }
    };
    let note = JournalNote {
        at: now,
        tenant: None,
        source: None,
        integration: None,
        communication: None,
        word: "disk".to_owned(),
        text,
    };
    if let Err(error) = store.note(note).await {
        tracing::error!(%error, "journal");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::room::Bounds;

    #[test]
    fn the_disk_is_an_alarm_before_the_intake_closes() {
        const MIB: u64 = 1024 * 1024;
        let room = Room::new(Bounds {
            free_bytes_min: 256 * MIB,
            store_bytes_max: 1000 * MIB,
        });
        let look = |free: u64, store: u64| {
            let measured = Measured {
                free_bytes: free * MIB,
                store_bytes: store * MIB,
            };
            drop(room.measured(measured));
            filling(Path::new("/var"), &room, measured).map(|alarm| alarm.text)
        };
        assert_eq!(look(600, 100), None);
        assert!(look(400, 100).is_some_and(|text| text.contains("400 MiB are free")));
        assert!(look(600, 950).is_some_and(|text| text.contains("size_mb_max")));
        // The part of the board that is degraded then says it.
        assert_eq!(look(100, 100), None);
    }
}
