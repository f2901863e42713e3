//! The source `itoolabs`: what the VATS posts, a session for clock and history, orders, the roster.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use super::caller::ItoolabsCaller;
use super::desk::Desk;
use super::exchange::ItoolabsExchange;
use super::listener::ItoolabsListener;
use super::roster::ItoolabsRoster;
use super::settings::{API_KEY, CRM_TOKEN, CRM_TOKEN_PREVIOUS, ItoolabsSettings};
use super::tracker::TrackerSettings;
use crate::model::asked::SettingsForm;
use crate::model::communication::Kind;
use crate::model::mistake::Mistake;
use crate::model::secret::Secrets;
use crate::pbx::registry::SourceKind;
use crate::pbx::{Caller, Exchange, Hook, Listener, RosterReader, Source, SourceIdentity};

/// The registry's line.
pub const KIND: SourceKind = SourceKind {
    name: "itoolabs",
    russian: include_str!("russian.txt"),
    secrets: &[CRM_TOKEN, CRM_TOKEN_PREVIOUS, API_KEY],
    form: SettingsForm {
        asked: super::settings::asked,
        words: super::settings_words::WORDS,
    },
    person: super::person::FORM,
    build,
};

/// Orders on their way to the session: a company's people click a few times a minute.
const ORDERS_MAX: usize = 32;

fn build(
    identity: SourceIdentity,
    settings: &Value,
    secrets: &Secrets,
) -> Result<Arc<dyn Source>, Vec<Mistake>> {
    let settings = Arc::new(ItoolabsSettings::read(settings, secrets)?);
    let desk = Desk::new(TrackerSettings {
        source: identity.key.clone(),
        numbers: identity.numbers.clone(),
        named_by: settings.named_by,
        overlap: settings
            .api
            .as_ref()
            .map(|api| api.overlap)
            .unwrap_or_default(),
        history_wait: settings.history_wait,
        ring_max: settings.ring_max,
        talk_max: settings.talk_max,
    });
    let (placed, orders) = mpsc::channel(ORDERS_MAX);
    let caller = match (&settings.api, &settings.originate) {
        (Some(api), Some(originate)) => Some(Arc::new(ItoolabsCaller {
            source: identity.key,
            api: api.clone(),
            originate: originate.clone(),
            placed,
        })),
        (_, _) => None,
    };
    Ok(Arc::new(ItoolabsSource {
        listener: Arc::new(ItoolabsListener {
            settings: Arc::clone(&settings),
            desk: desk.clone(),
            orders: Arc::new(Mutex::new(orders)),
        }),
        exchange: Arc::new(ItoolabsExchange {
            settings: Arc::clone(&settings),
            desk,
        }),
        roster: Arc::new(ItoolabsRoster { settings }),
        caller,
    }))
}

struct ItoolabsSource {
    listener: Arc<ItoolabsListener>,
    exchange: Arc<ItoolabsExchange>,
    roster: Arc<ItoolabsRoster>,
    caller: Option<Arc<ItoolabsCaller>>,
}

impl Source for ItoolabsSource {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.listener.clone())
    }

    fn hook(&self) -> Option<Arc<dyn Hook>> {
        None
    }

    fn exchange(&self) -> Option<Arc<dyn Exchange>> {
        Some(self.exchange.clone())
    }

    fn caller(&self) -> Option<Arc<dyn Caller>> {
        let caller = self.caller.clone()?;
        Some(caller)
    }

    fn roster(&self) -> Option<Arc<dyn RosterReader>> {
        Some(self.roster.clone())
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Call]
    }
}
