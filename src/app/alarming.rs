//! Looks every few seconds what stands, and has it told; looks now and then for what nobody reports.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::task::JoinHandle;
use url::Url;

use crate::admin::state::AdminState;
use crate::admin::{alarms::standing, wake_works};
use crate::alarms::Alarm;
use crate::alarms::certificate::{NoDate, good_until};
use crate::config::Configuration;
use crate::model::timestamp::Timestamp;
use crate::store::StoreError;

use super::silence::{Heard, Listened, listened, silent};

/// How often what stands is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// How often it is looked whether rows were met that cannot be read.
const CHECK_EVERY: Duration = Duration::from_secs(15 * 60);

/// How often the certificate is looked at, and a little while after the start.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(6 * 3600);

/// How long before its end a certificate is an alarm: as credentials are.
const ENDS_SOON: Duration = Duration::from_secs(30 * 86_400);

/// What of the configuration is watched; replaced at reload.
pub(super) struct Watched {
    listened: ArcSwap<Vec<Listened>>,
    public_url: ArcSwap<Option<Url>>,
}

impl Watched {
    pub(super) fn new(configuration: &Configuration) -> Arc<Self> {
        Arc::new(Self {
            listened: ArcSwap::from_pointee(listened(configuration)),
            public_url: ArcSwap::from_pointee(configuration.daemon.public_url.clone()),
        })
    }

    pub(super) fn apply(&self, configuration: &Configuration) {
        self.listened.store(Arc::new(listened(configuration)));
        let public_url = configuration.daemon.public_url.clone();
        self.public_url.store(Arc::new(public_url));
    }
}

/// Everything that alarms need.
pub(super) struct Alarming {
    pub(super) admin: AdminState,
    pub(super) heard: Arc<Heard>,
    pub(super) watched: Arc<Watched>,
}

impl Alarming {
    /// Begins; the tasks run until they are dropped.
    pub(super) fn start(self) -> Vec<JoinHandle<()>> {
        let certificate = certificate(self.admin.clone(), Arc::clone(&self.watched));
        vec![
            tokio::task::spawn_local(check(self.admin.clone())),
            tokio::task::spawn_local(self.tell()),
            tokio::task::spawn_local(certificate),
        ]
    }

    async fn tell(self) {
        loop {
            if let Err(error) = self.turn().await {
                tracing::warn!(%error, "alarms are not told");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn turn(&self) -> Result<(), StoreError> {
        let admin = &self.admin;
        let listened = self.watched.listened.load_full();
        let silent = silent(&self.heard, &admin.store, &listened).await?;
        admin.signs.show("silence", silent);
        let standing = standing(admin).await?;
        admin.teller.turn(&standing).await
    }
}

/// Tells what stands as long as it is polled, while nothing can be written.
pub(super) async fn tell_unwritten(admin: &AdminState) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(EVERY).await;
        let told = match standing(admin).await {
            Ok(standing) => admin.teller.turn_unwritten(&standing).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "alarms are not told");
        }
    }
}

/// Reads the store through, so that what cannot be read is out of the way before it is needed; and
/// again where something was met since.
async fn check(admin: AdminState) {
    let mut accounted_for = None;
    loop {
        match look_through(&admin, &mut accounted_for).await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%error, "the store was not read through"),
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

async fn look_through(
    admin: &AdminState,
    accounted_for: &mut Option<u64>,
) -> Result<(), StoreError> {
    let store = &admin.store;
    if *accounted_for == Some(store.figures().await?.unreadable_rows) {
        return Ok(());
    }
    let done = store.check(admin.clock.now()).await?;
    wake_works(admin, done.works).await;
    *accounted_for = Some(store.figures().await?.unreadable_rows);
    tracing::debug!(rows = done.rows, "the store was read through");
    Ok(())
}

async fn certificate(admin: AdminState, watched: Arc<Watched>) {
    loop {
        let public_url = watched.public_url.load_full();
        let mut found = Vec::new();
        if let Some(url) = public_url.as_ref()
            && url.scheme() == "https"
            && let Some(host) = url.host_str()
        {
            let port = url.port_or_known_default().unwrap_or(443);
            let date = good_until(host, port).await;
            found.extend(ends(url, date, admin.clock.now()));
        }
        admin.signs.show("certificate", found);
        tokio::time::sleep(CERTIFICATE_EVERY).await;
    }
}

/// Says what is wrong with a certificate, if anything.
fn ends(url: &Url, date: Result<Timestamp, NoDate>, now: Timestamp) -> Option<Alarm> {
    let text = match date {
        Ok(end) if end > now.plus(ENDS_SOON) => return None,
        Ok(end) => format!("it ends on {end}"),
        Err(NoDate::Refused(why)) => format!("it is refused: {why}"),
        Err(NoDate::Unreachable(why)) => {
            tracing::debug!(why, "the outside address cannot be looked at from here");
            return None;
        }
    };
    Some(Alarm::new("certificate", url.as_str(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_an_alarm_a_month_before_its_end_and_where_it_is_refused() {
        let url: Url = "https://box.example".parse().expect("an address");
        let now = Timestamp::parse("2026-11-21T00:00:00Z").expect("a time");
        let day = Duration::from_secs(86_400);
        assert_eq!(ends(&url, Ok(now.plus(day * 31)), now), None);
        let alarm = ends(&url, Ok(now.plus(day * 29)), now).expect("soon");
        assert!(alarm.text.contains("2026-12-20"), "{alarm:?}");
        assert!(ends(&url, Err(NoDate::Refused("expired".to_owned())), now).is_some());
        let hidden = NoDate::Unreachable("no route".to_owned());
        assert_eq!(ends(&url, Err(hidden), now), None, "nothing is known");
    }
}
