//! Puts new work, and work that gained an address, into its portal's lanes and wakes its integration.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::intake::sink::Waker;
use crate::integration::handle::SharedHandles;
use crate::integration::passing::PassingDesk;
use crate::integration::portal::Portal;
use crate::model::communication::Snapshot;
use crate::model::ids::IntegrationKey;
use crate::questions::last_talks::LastTalks;
use crate::store::command::WorkId;

use super::silence::Heard;

/// In which portal each integration works; replaced at reload.
pub(super) type PortalTable = Arc<ArcSwap<HashMap<IntegrationKey, Arc<Portal>>>>;

pub(super) struct LaneWaker {
    pub(super) portals: PortalTable,
    pub(super) handles: SharedHandles,
    pub(super) passing: PassingDesk,
    pub(super) talks: Arc<LastTalks>,
    /// When each source last told of something.
    pub(super) heard: Arc<Heard>,
    /// Wakes the keeper of recordings.
    pub(super) recordings: Arc<Notify>,
}

impl Waker for LaneWaker {
    fn works(&self, snapshot: &Snapshot, works: &[(IntegrationKey, WorkId)]) {
        self.passing.told(snapshot);
        self.talks.note(snapshot);
        self.heard.note(&snapshot.key.source);
        if works.is_empty() {
            return;
        }
        let portals = self.portals.load();
        let addresses = snapshot.body.addresses();
        let mut woken = works.to_vec();
        for (integration, work) in works {
            if let Some(portal) = portals.get(integration) {
                woken.extend(portal.lanes().insert(*work, integration, &addresses));
            }
        }
        self.handles.wake(woken);
    }

    fn recordings(&self) {
        self.recordings.notify_one();
    }
}
