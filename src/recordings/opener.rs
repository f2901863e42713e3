//! Opens the file of a recording where it lies now, for who plays it and for CRMs that are handed the
//! file itself.

use std::fs::File;
use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;

use super::folder;
use super::keeper::RecordingSettings;
use super::shelf::Shelf;
use super::way::Way;
use crate::crm::{NoRecordingFile, RecordingFile, RecordingFiles};
use crate::model::ids::CommunicationKey;
use crate::model::recording::{AudioFile, FilePlace, Recording, RecordingPlace, RecordingState};
use crate::store::{StoreError, StoreHandle};

/// Opens recordings.
pub struct Opener {
    store: StoreHandle,
    settings: Arc<ArcSwap<RecordingSettings>>,
}

impl Opener {
    /// Makes an opener of what the store knows.
    pub fn new(store: StoreHandle, settings: Arc<ArcSwap<RecordingSettings>>) -> Self {
        Self { store, settings }
    }

    async fn open_call(&self, call: CommunicationKey) -> Result<RecordingFile, NoRecordingFile> {
        let gone = |why: &str| NoRecordingFile::Gone(why.to_owned());
        let recording = match self.store.recording(call).await {
            Ok(Some(recording)) => recording,
            Ok(None) | Err(StoreError::Unreadable { .. }) => {
                return Err(gone("nothing is known of the recording any more"));
            }
            Err(error) => return Err(NoRecordingFile::NotNow(error.to_string())),
        };
        let file = match &recording.state {
            RecordingState::Ready { file, .. } => file,
            RecordingState::Sought { .. } => {
                let why = "the recording is looked for".to_owned();
                return Err(NoRecordingFile::NotNow(why));
            }
            RecordingState::Missing { .. } | RecordingState::Forgotten { .. } => {
                return Err(gone("the recording is no longer kept"));
            }
        };
        let opened = match open(&self.settings.load_full(), &recording, file).await {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                return Err(gone(
                    "the phone system does not have the recording any more",
                ));
            }
            Err(error) => {
                let why = format!("the recording cannot be read: {error}");
                return Err(NoRecordingFile::NotNow(why));
            }
        };
        let length = opened.metadata().map(|data| data.len());
        Ok(RecordingFile {
            bytes: length.map_err(|error| NoRecordingFile::NotNow(error.to_string()))?,
            file: opened,
            format: file.format,
        })
    }
}

impl RecordingFiles for Opener {
    fn open(
        &self,
        call: CommunicationKey,
    ) -> BoxFuture<'_, Result<RecordingFile, NoRecordingFile>> {
        self.open_call(call).boxed()
    }
}

/// Opens the file where it lies now.
pub(super) async fn open(
    settings: &RecordingSettings,
    recording: &Recording,
    file: &AudioFile,
) -> io::Result<Option<File>> {
    let (folders, way) = match &file.place {
        FilePlace::Us { name } => {
            let shelf = Shelf::new(&settings.keeping.folder);
            (vec![shelf.folder().to_owned()], Way::parse(name))
        }
        FilePlace::Source { path } => {
            let roots = settings.roots.get(&recording.communication.source);
            let folders = roots
                .into_iter()
                .flatten()
                .filter_map(|root| match &root.place {
                    RecordingPlace::Folder(folder) => Some(folder.clone()),
                    RecordingPlace::Web { .. } => None,
                });
            (folders.collect(), Way::parse(path))
        }
    };
    let Some(way) = way else { return Ok(None) };
    let opening = spawn_blocking(move || {
        for folder in folders {
            if let Some(found) = folder::open(&folder, &way)? {
                return Ok(Some(found.file));
            }
        }
        Ok(None)
    });
    opening.await.map_err(io::Error::other)?
}
