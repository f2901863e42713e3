//! Calls by a click in a CRM (S2-40): from its webhook to the desk where calls are ordered.

use std::sync::Arc;

use actix_web::web::Bytes;
use futures_util::FutureExt;

use crate::clock::SharedClock;
use crate::config::{IntegrationConfig, Tenant};
use crate::crm::{Adapter, Asked, CallRequests, Clicked, Clicker, HookRequest};
use crate::intake::crm_hooks::AnswerAsked;
use crate::integration::context::IntegrationContext;
use crate::model::activity::Activity;
use crate::model::click_to_call::ClickToCallSettings;
use crate::model::communication::Kind;
use crate::model::employee::{Employee, Employees};
use crate::model::ids::{AccountId, EmployeeId, IntegrationKey, SourceId, SourceKey};
use crate::pbx::call_desk::{CallDesk, Manner, told};
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

/// What calls by click need of the daemon.
pub(super) struct ClickDoor {
    pub(super) desk: Arc<CallDesk>,
    pub(super) store: StoreHandle,
    pub(super) clock: SharedClock,
}

/// The clicks of one integration.
struct Door {
    integration: IntegrationKey,
    account: AccountId,
    activity: Activity,
    settings: ClickToCallSettings,
    /// The sources that may place its calls, in order.
    sources: Vec<SourceId>,
    employees: Arc<Employees>,
    adapter: Arc<dyn Adapter>,
    desk: Arc<CallDesk>,
    store: StoreHandle,
    clock: SharedClock,
}

impl ClickDoor {
    /// Returns who answers what an integration's CRM asks; nothing where it never asks.
    pub(super) fn answerer(
        &self,
        tenant: &Tenant,
        integration: &IntegrationConfig,
        context: &IntegrationContext,
    ) -> Option<AnswerAsked> {
        context.adapter.call_requests()?;
        let door = Arc::new(Door {
            integration: integration.key.clone(),
            account: integration.account.clone(),
            activity: integration.activity,
            settings: settings_of(integration),
            sources: places(tenant, integration),
            employees: Arc::clone(&context.employees),
            adapter: Arc::clone(&context.adapter),
            desk: Arc::clone(&self.desk),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
        });
        Some(Arc::new(move |kind: Option<String>, body: Bytes| {
            let door = Arc::clone(&door);
            async move {
                let clicks = door.adapter.call_requests()?;
                let request = HookRequest {
                    content_type: kind.as_deref(),
                    body: &body,
                };
                Some(match clicks.asked(request).await? {
                    Asked::Answered(reply) => reply,
                    Asked::Call(clicked) => door.call(clicks, &clicked).await,
                })
            }
            .boxed()
        }))
    }
}

/// Returns what was chosen for an integration's clicks.
pub(super) fn settings_of(integration: &IntegrationConfig) -> ClickToCallSettings {
    integration
        .settings
        .click_to_call
        .clone()
        .unwrap_or_default()
}

/// Returns the sources that may place an integration's calls: the chosen one, else those whose calls
/// it takes and which can.
pub(super) fn places(tenant: &Tenant, integration: &IntegrationConfig) -> Vec<SourceId> {
    if let Some(chosen) = settings_of(integration).source {
        return vec![chosen];
    }
    let takes = integration.takes.iter();
    let calls = takes.filter(|(_, kind)| *kind == Kind::Call);
    let can = calls.filter(|(source, _)| {
        let source = tenant.source(source);
        source.is_some_and(|source| source.source.caller().is_some())
    });
    can.map(|(source, _)| source.clone()).collect()
}

impl Door {
    async fn call(&self, clicks: &dyn CallRequests, clicked: &Clicked) -> crate::crm::HookReply {
        let placed = match self.meant(&clicked.who) {
            Ok((source, employee)) => self.place(&source, &employee, &clicked.phone).await,
            Err(why) => {
                let text = format!("a click in the CRM placed no call: {why}");
                self.note(None, None, text).await;
                Err(why)
            }
        };
        clicks.answer(placed)
    }

    /// Finds who clicked, and who places the call.
    fn meant(&self, who: &Clicker) -> Result<(SourceKey, EmployeeId), String> {
        let integration = &self.integration;
        match self.activity {
            Activity::On if self.settings.on => {}
            Activity::On => {
                return Err(format!("calls by click are switched off in {integration}"));
            }
            Activity::Off | Activity::Observe => {
                return Err(format!("integration {integration} is not switched on"));
            }
        }
        if self.sources.is_empty() {
            return Err(format!(
                "no source whose calls {integration} takes places calls: set one up for click-to-call"
            ));
        }
        let here = |employee: &Employee, source: &SourceId| {
            let mut extensions = employee.extensions.iter();
            extensions.any(|one| one.source == *source)
        };
        let found = self.sources.iter().find_map(|source| {
            let employee = match who {
                Clicker::Extension(extension) => self.employees.by_extension(source, extension),
                Clicker::User(user) => self.employees.by_user(&self.account, user),
            };
            let employee = employee.filter(|employee| here(employee, source))?;
            let key = SourceKey::new(integration.tenant.clone(), source.clone());
            Some((key, employee.id.clone()))
        });
        found.ok_or_else(|| {
            let places: Vec<&str> = self.sources.iter().map(SourceId::as_str).collect();
            let places = places.join(", ");
            match who {
                Clicker::Extension(extension) => {
                    format!(
                        "no employee has the extension {:?} at {places}",
                        cut(&extension.0)
                    )
                }
                Clicker::User(user) => {
                    format!(
                        "user {:?} is no employee with an extension at {places}",
                        cut(&user.0)
                    )
                }
            }
        })
    }

    async fn place(
        &self,
        source: &SourceKey,
        employee: &EmployeeId,
        phone: &str,
    ) -> Result<(), String> {
        let manner = Manner {
            name: None,
            shown: self.settings.shown(),
        };
        let placing = self.desk.place_so(source, employee, phone, manner);
        let placed = placing.await;
        let (text, communication) = told(employee, &placed);
        let text = format!("{text} (clicked in the CRM)");
        self.note(Some(source.clone()), communication, text).await;
        placed.map(drop).map_err(|error| error.to_string())
    }

    async fn note(
        &self,
        source: Option<SourceKey>,
        communication: Option<crate::model::ids::CommunicationKey>,
        text: String,
    ) {
        let note = JournalNote {
            at: self.clock.now(),
            tenant: Some(self.integration.tenant.clone()),
            source,
            integration: Some(self.integration.clone()),
            communication,
            word: "click_to_call".to_owned(),
            text,
        };
        if let Err(error) = self.store.note(note).await {
            tracing::error!(%error, "journal");
        }
    }
}

/// Shortens what somebody sent for a message.
fn cut(text: &str) -> String {
    text.chars().take(32).collect()
}
