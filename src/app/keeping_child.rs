//! What keeps something of the store in step, as the supervisor sees it: it runs until it is
//! stopped, and fails with the store alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::sync::watch;

use crate::clock::SharedClock;
use crate::integration::status::{Health, StatusBoard};
use crate::integration::supervisor::{Child, LifeEnd, Supervised, supervise};
use crate::model::timestamp::Timestamp;
use crate::store::StoreError;

use super::assembly::Shared;

/// One life of it, until the value turns true.
type Live = Box<dyn Fn(watch::Receiver<bool>) -> LocalBoxFuture<'static, Result<(), StoreError>>>;

/// The child.
struct KeepingChild {
    place: BoardPlace,
    live: Live,
}

/// Has it live.
pub(super) fn keep(
    shared: &Shared,
    place: BoardPlace,
    live: impl Fn(watch::Receiver<bool>) -> LocalBoxFuture<'static, Result<(), StoreError>> + 'static,
) -> Supervised {
    let child = KeepingChild {
        place,
        live: Box::new(live),
    };
    supervise(child, Arc::clone(&shared.board), Arc::clone(&shared.clock))
}

impl Child for KeepingChild {
    fn name(&self) -> String {
        self.place.name.clone()
    }

    fn live(&self, stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd> {
        let BoardPlace { name, board, clock } = &self.place;
        board.set_health(name, Health::Up, clock.now());
        let live = (self.live)(stop);
        async move {
            match live.await {
                Ok(()) => LifeEnd::Stopped,
                Err(error) => LifeEnd::Failed(error.to_string()),
            }
        }
        .boxed_local()
    }
}

/// Children by what they keep in step, each with what it depends on: another one needs another
/// child.
pub(super) struct Children<Of, On>(BTreeMap<Of, (On, Vec<Supervised>)>);

impl<Of, On> Default for Children<Of, On> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<Of: Ord, On: PartialEq> Children<Of, On> {
    /// Says whether something is kept in step already.
    pub(super) fn has(&self, of: &Of) -> bool {
        self.0.contains_key(of)
    }

    /// Takes over those that have begun.
    pub(super) fn begun(&mut self, of: Of, on: On, children: Vec<Supervised>) {
        self.0.insert(of, (on, children));
    }

    /// Ends those that are wanted no more, or otherwise.
    pub(super) async fn stop_what_goes<'a>(
        &mut self,
        wanted: impl Fn(&Of) -> Option<&'a On>,
        board: &StatusBoard,
    ) where
        On: 'a,
    {
        let goes = |of: &Of, (on, _): &mut (On, Vec<Supervised>)| wanted(of) != Some(on);
        let gone: Vec<_> = self.0.extract_if(.., goes).collect();
        for supervised in gone.into_iter().flat_map(|(_, (_, children))| children) {
            let name = supervised.name().to_owned();
            supervised.stop().await;
            board.remove(&name);
        }
    }

    /// Ends all of them.
    pub(super) async fn stop(self) {
        let all = self.0.into_values().flat_map(|(_, children)| children);
        join_all(all.map(Supervised::stop)).await;
    }
}

/// Where it shows its state.
#[derive(Clone)]
pub(super) struct BoardPlace {
    name: String,
    board: Arc<StatusBoard>,
    clock: SharedClock,
}

impl BoardPlace {
    pub(super) fn new(shared: &Shared, name: String) -> Self {
        Self {
            name,
            board: Arc::clone(&shared.board),
            clock: Arc::clone(&shared.clock),
        }
    }

    /// Shows since when everything is known, and figures.
    pub(super) fn show(&self, complete_as_of: Option<Timestamp>, gauges: &[(&str, f64)]) {
        self.board.update(&self.name, self.clock.now(), |child| {
            child.last_seen_at = complete_as_of;
            let gauges = gauges.iter();
            child
                .gauges
                .extend(gauges.map(|(name, value)| ((*name).to_owned(), *value)));
        });
    }

    pub(super) fn trouble(&self, why: &str) {
        self.board.trouble(&self.name, why, self.clock.now());
    }
}
