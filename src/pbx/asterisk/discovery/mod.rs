//! Looks around in a PBX over a short session of its own, and proposes how to configure it.
//!
//! ```text
//! connect, log in without events -> questions -> Findings -> signs -> roles -> Discovery
//!                                   (inquiry)    (findings)  (signs)  (judgement, proposal)
//! ```
//! Only actions that list are sent. A session of its own, because the one that follows the calls
//! shall not wait for hundreds of answers.

mod caller_id;
mod findings;
mod inquiry;
mod judgement;
mod proposal;
mod signs;
#[cfg(test)]
mod tests;
mod wording;
mod words;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::ami_codec::Action;
use super::connection::Connection;
use super::settings::AsteriskSettings;
use super::{login, transport};
use crate::clock::{SharedClock, SystemClock};
use crate::model::discovery::Discovery;
use crate::model::explanation::Language;
use crate::pbx::{DiscoverError, Discoverer, ListenerError};

/// How long the whole look may take: less than whoever asks waits.
const WITHIN: Duration = Duration::from_secs(25);

/// How long one answer may take, whatever the session that follows the calls permits.
const REPLY_WITHIN: Duration = Duration::from_secs(10);

/// How long a goodbye may take.
const LOGOFF_WITHIN: Duration = Duration::from_secs(1);

/// Looks around in one PBX, one look at a time.
pub(super) struct AsteriskDiscoverer {
    settings: Arc<AsteriskSettings>,
    seat: Semaphore,
}

impl AsteriskDiscoverer {
    /// Prepares to look around with these settings.
    pub(super) fn new(settings: &Arc<AsteriskSettings>) -> Self {
        let mut own = AsteriskSettings::clone(settings);
        // Answers come all the same; what happens meanwhile is not ours to read.
        own.events = vec!["off".to_owned()];
        own.reply_deadline = own.reply_deadline.min(REPLY_WITHIN);
        Self {
            settings: Arc::new(own),
            seat: Semaphore::new(1),
        }
    }

    async fn look(&self, language: Language) -> Result<Discovery, ListenerError> {
        let settings = &self.settings;
        let stream = transport::connect(settings).await?;
        let clock: SharedClock = Arc::new(SystemClock);
        let opened = Connection::open(stream, clock, settings.reply_deadline).await?;
        let (mut connection, banner) = opened;
        login::log_in(&mut connection, settings).await?;
        let found = inquiry::ask(&mut connection, &banner, &settings.channels, language).await;
        let goodbye = connection.ask(Action::new("Logoff"));
        // It hangs up all the same when the connection is dropped.
        let _ = tokio::time::timeout(LOGOFF_WITHIN, goodbye).await;
        Ok(proposal::propose(found?, &settings.channels))
    }
}

impl Discoverer for AsteriskDiscoverer {
    fn discover(&self, language: Language) -> BoxFuture<'_, Result<Discovery, DiscoverError>> {
        async move {
            let Ok(_seat) = self.seat.try_acquire() else {
                return Err(DiscoverError::Busy);
            };
            match tokio::time::timeout(WITHIN, self.look(language)).await {
                Ok(looked) => Ok(looked?),
                Err(_) => Err(DiscoverError::Late {
                    within_s: WITHIN.as_secs(),
                }),
            }
        }
        .boxed()
    }
}
