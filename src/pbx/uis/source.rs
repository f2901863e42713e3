//! The source `uis`: notifications, reports, questions and click-to-call of one account.

use std::sync::Arc;

use serde_json::Value;

use super::caller::UisCaller;
use super::deals::UisDeals;
use super::desk::Desk;
use super::lister::UisLister;
use super::receiver::UisReceiver;
use super::rpc::Api;
use super::session::UisListener;
use super::settings::{Brand, PASSWORD, TOKEN, UisSettings};
use super::templates;
use crate::model::asked::SettingsForm;
use crate::model::communication::Kind;
use crate::model::mistake::Mistake;
use crate::model::secret::Secrets;
use crate::pbx::registry::SourceKind;
use crate::pbx::{
    Caller, DealTaker, Exchange, Hook, Listener, PasteText, RosterReader, Source, SourceIdentity,
};

/// The registry's line.
pub const KIND: SourceKind = SourceKind {
    name: "uis",
    russian: include_str!("russian.txt"),
    secrets: &[TOKEN, PASSWORD],
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
    let settings = UisSettings::read(settings, secrets)?;
    let api = settings.api.clone();
    if api.is_none() && settings.click_to_call.is_some() {
        let message = "is missing: click-to-call needs a key";
        return Err(vec![Mistake::at("secrets.token", message)]);
    }
    let data = api
        .as_ref()
        .map(|api| Arc::new(Api::new(api.data.clone(), api.auth.clone())));
    let caller = settings
        .click_to_call
        .clone()
        .zip(api.as_ref())
        .map(|(click, api)| {
            Arc::new(UisCaller {
                source: identity.key.clone(),
                api: Arc::new(Api::new(api.call.clone(), api.auth.clone())),
                settings: click,
            })
        });
    let lister = api.zip(data.clone()).map(|(settings_api, data)| {
        Arc::new(UisLister {
            brand: settings.brand,
            api: data,
            settings: settings_api,
        })
    });
    Ok(Arc::new(UisSource {
        desk: Arc::new(Desk::new(identity, settings)),
        data,
        caller,
        lister,
    }))
}

struct UisSource {
    desk: Arc<Desk>,
    data: Option<Arc<Api>>,
    caller: Option<Arc<UisCaller>>,
    lister: Option<Arc<UisLister>>,
}

impl UisSource {
    /// VATS 2.0 has no notifications (`pbx/megafon.md` §B4).
    fn is_told(&self) -> bool {
        self.desk.settings.brand != Brand::Megafon
    }
}

impl Source for UisSource {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        Some(Arc::new(UisListener {
            desk: Arc::clone(&self.desk),
            data: self.data.clone(),
        }))
    }

    fn hook(&self) -> Option<Arc<dyn Hook>> {
        None
    }

    fn exchange(&self) -> Option<Arc<dyn Exchange>> {
        let receiver = self
            .is_told()
            .then(|| UisReceiver(Arc::clone(&self.desk)))?;
        Some(Arc::new(receiver))
    }

    fn caller(&self) -> Option<Arc<dyn Caller>> {
        let caller = self.caller.clone()?;
        Some(caller)
    }

    fn roster(&self) -> Option<Arc<dyn RosterReader>> {
        let lister = self.lister.clone()?;
        Some(lister)
    }

    fn deal_taker(&self) -> Option<Arc<dyn DealTaker>> {
        // The Data API of VATS 2.0 has no deals (`pbx/megafon.md` §B4).
        let api = self.data.clone().filter(|_| self.is_told())?;
        Some(Arc::new(UisDeals {
            desk: Arc::clone(&self.desk),
            api,
        }))
    }

    fn to_paste(&self) -> Vec<PasteText> {
        match self.is_told() {
            true => templates::all(),
            false => Vec::new(),
        }
    }

    fn kinds(&self) -> &'static [Kind] {
        self.desk.kinds()
    }
}
