//! An integration as the supervisor sees it: each life is a new actor with the present settings.

use std::sync::Arc;

use actix::ArbiterHandle;
use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

use super::actor::{IntegrationActor, Reconfigure, Stop, enter_lanes};
use super::context::IntegrationContext;
use super::portal::Portal;
use super::status::Health;
use super::supervisor::{Child, LifeEnd};
use crate::store::command::Work;

/// The settings that the next life of an integration begins with; a living one is told at once.
#[derive(Clone)]
pub struct IntegrationSeat {
    context: Arc<ArcSwap<IntegrationContext>>,
    /// The portal before the last move: a life that died there could not leave it.
    former: Arc<ArcSwapOption<Portal>>,
}

impl IntegrationSeat {
    /// Makes a seat for an integration.
    pub fn new(context: IntegrationContext) -> Self {
        Self {
            context: Arc::new(ArcSwap::from_pointee(context)),
            former: Arc::default(),
        }
    }

    /// Returns the present settings.
    pub fn context(&self) -> Arc<IntegrationContext> {
        self.context.load_full()
    }

    /// Frees the lanes of the portal that the integration worked in before.
    fn leave_former_portal(&self, context: &IntegrationContext) {
        let Some(former) = self.former.swap(None) else {
            return;
        };
        if !former.has_lanes_of(&context.portal) {
            context.handles.wake(former.leave(&context.key));
        }
    }

    /// Takes the places of the integration's open works in the lanes, before its first life. Where
    /// several integrations share a portal, all of them do so before any begins: one that began
    /// alone would find the lanes empty and overtake the others' older work for the same client.
    pub fn take_places(&self, open: &[Work]) {
        // The life that begins reads again what it is to begin with.
        drop(enter_lanes(&self.context(), open.iter()));
    }

    /// Goes on with other settings. Work under way is kept. Called on an arbiter.
    pub fn reconfigure(&self, context: IntegrationContext) {
        let context = Arc::new(context);
        let old = self.context.swap(Arc::clone(&context));
        if !old.portal.has_lanes_of(&context.portal) {
            self.former.store(Some(Arc::clone(&old.portal)));
        }
        if let Some(address) = context.handles.get(&context.key) {
            tokio::task::spawn_local(async move {
                // An actor that died meanwhile is followed by one that reads the seat.
                let _ = address.send(Reconfigure(context)).await;
            });
        }
    }
}

/// The supervised child.
pub struct IntegrationChild {
    seat: IntegrationSeat,
    arbiter: ArbiterHandle,
    /// Turns true when everybody has taken his places in the lanes.
    filled: Option<watch::Receiver<bool>>,
}

impl IntegrationChild {
    /// Joins a seat with the arbiter that its lives run on.
    pub fn new(seat: IntegrationSeat, arbiter: ArbiterHandle) -> Self {
        Self {
            seat,
            arbiter,
            filled: None,
        }
    }

    /// Begins no life before this turns true.
    pub fn once_filled(self, filled: watch::Receiver<bool>) -> Self {
        Self {
            filled: Some(filled),
            ..self
        }
    }
}

impl Child for IntegrationChild {
    fn name(&self) -> String {
        self.seat.context().board_name()
    }

    fn live(&self, mut stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd> {
        let seat = self.seat.clone();
        let arbiter = self.arbiter.clone();
        let filled = self.filled.clone();
        async move {
            if let Some(mut filled) = filled {
                tokio::select! {
                    turned = filled.wait_for(|filled| *filled) => {
                        if turned.is_err() {
                            return LifeEnd::Failed("the lanes were not filled".to_owned());
                        }
                    }
                    _ = stop.wait_for(|stop| *stop) => return LifeEnd::Stopped,
                }
            }
            let context = seat.context();
            seat.leave_former_portal(&context);
            let (address, ended) =
                match IntegrationActor::start_on(Arc::clone(&context), &arbiter).await {
                    Ok(started) => started,
                    Err(error) => return LifeEnd::Failed(error.to_string()),
                };
            context
                .board
                .set_health(&context.board_name(), Health::Up, context.clock.now());
            let present = seat.context();
            if !Arc::ptr_eq(&context, &present) {
                // Changed while the life began, when there was no address yet to tell.
                let _ = address.send(Reconfigure(present)).await;
            }
            let mut ended = ended;
            tokio::select! {
                end = &mut ended => end.unwrap_or_else(|_| gone()),
                _ = stop.wait_for(|stop| *stop) => {
                    // A dead actor has nothing to stop.
                    let _ = address.send(Stop).await;
                    ended.await.unwrap_or_else(|_| gone())
                }
            }
        }
        .boxed_local()
    }
}

fn gone() -> LifeEnd {
    LifeEnd::Failed("the actor ended without a word".to_owned())
}
