//! Measures the disk, and closes the intake before it is full.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::SharedClock;
use crate::intake::room::{Change, Measured, Room};
use crate::integration::status::{Health, StatusBoard};
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

/// How often the disk is measured. In this time the busiest intake writes a few megabytes, far
/// less than what must be free.
const EVERY: Duration = Duration::from_secs(5);

/// The name on the status board.
const NAME: &str = "disk";

/// Measures until the task is dropped. `folder` is where the store's file lies.
pub(super) async fn watch(
    folder: PathBuf,
    room: Arc<Room>,
    store: StoreHandle,
    board: Arc<StatusBoard>,
    clock: SharedClock,
) {
    loop {
        tokio::time::sleep(EVERY).await;
        look(&folder, &room, &store, &board, &clock).await;
    }
}

/// Measures once: before anything is accepted, and then from time to time.
pub(super) async fn look(
    folder: &Path,
    room: &Room,
    store: &StoreHandle,
    board: &StatusBoard,
    clock: &SharedClock,
) {
    match measure(folder, store).await {
        Ok(measured) => {
            metrics::gauge!("trunkline_disk_free_bytes").set(measured.free_bytes as f64);
            if let Some(change) = room.measured(measured) {
                tell(change, store, board, clock).await;
            }
            let closed = if room.closed().is_some() { 1.0 } else { 0.0 };
            metrics::gauge!("trunkline_intake_closed").set(closed);
        }
        Err(error) => {
            tracing::warn!(error, folder = %folder.display(), "the disk cannot be measured");
        }
    }
}

/// Returns what is free for us on a folder's disk.
pub(super) fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

async fn measure(folder: &Path, store: &StoreHandle) -> Result<Measured, String> {
    let path = folder.to_owned();
    let free = tokio::task::spawn_blocking(move || free_bytes(&path)).await;
    let free_bytes = free
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
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
