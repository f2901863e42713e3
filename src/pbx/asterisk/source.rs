//! The source `asterisk`: a listener that keeps one session up, and nothing over HTTP.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tracing::Instrument;

use super::discovery::AsteriskDiscoverer;
use super::orders::{AsteriskCaller, OrderQueue};
use super::session;
use super::settings::{AsteriskSettings, LOG_PASSWORD, SECRET};
use super::transport;
use crate::model::asked::SettingsForm;
use crate::model::communication::Kind;
use crate::model::mistake::Mistake;
use crate::model::secret::Secrets;
use crate::pbx::registry::SourceKind;
use crate::pbx::{
    Caller, Discoverer, Hook, Listener, ListenerContext, ListenerError, Source, SourceIdentity,
};

/// The registry's line.
pub const KIND: SourceKind = SourceKind {
    name: "asterisk",
    russian: include_str!("russian.txt"),
    secrets: &[SECRET, LOG_PASSWORD],
    form: SettingsForm {
        asked: super::settings::asked,
        words: super::settings_words::WORDS,
    },
    person: super::person::FORM,
    build,
};

fn build(
    identity: SourceIdentity,
    settings: &Value,
    secrets: &Secrets,
) -> Result<Arc<dyn Source>, Vec<Mistake>> {
    let settings = Arc::new(AsteriskSettings::read(settings, secrets)?);
    let orders = Arc::new(OrderQueue::default());
    let caller = AsteriskCaller {
        source: identity.key.clone(),
        queue: Arc::clone(&orders),
    };
    let places_calls = settings.originate.is_some();
    Ok(Arc::new(AsteriskSource {
        caller: places_calls.then(|| Arc::new(caller)),
        discoverer: Arc::new(AsteriskDiscoverer::new(&settings)),
        listener: Arc::new(AsteriskListener {
            identity,
            settings,
            orders,
        }),
    }))
}

struct AsteriskSource {
    listener: Arc<AsteriskListener>,
    caller: Option<Arc<AsteriskCaller>>,
    discoverer: Arc<AsteriskDiscoverer>,
}

impl Source for AsteriskSource {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(self.listener.clone())
    }

    fn hook(&self) -> Option<Arc<dyn Hook>> {
        None
    }

    fn caller(&self) -> Option<Arc<dyn Caller>> {
        let caller = self.caller.clone()?;
        Some(caller)
    }

    fn discoverer(&self) -> Option<Arc<dyn Discoverer>> {
        Some(self.discoverer.clone())
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Call]
    }
}

struct AsteriskListener {
    identity: SourceIdentity,
    settings: Arc<AsteriskSettings>,
    orders: Arc<OrderQueue>,
}

impl Listener for AsteriskListener {
    fn run(&self, context: ListenerContext) -> BoxFuture<'static, Result<(), ListenerError>> {
        let span = tracing::info_span!("asterisk", source = %self.identity.key);
        let settings = self.settings.clone();
        let connecting = async move { transport::connect(&settings).await };
        session::run(
            self.settings.clone(),
            self.identity.clone(),
            self.orders.clone(),
            context,
            connecting,
        )
        .instrument(span)
        .boxed()
    }
}
