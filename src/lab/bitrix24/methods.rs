//! The methods that the portal has, by name, with what each of them asks of the caller.

use serde_json::{Map, Value};

use super::auth::Caller;
use super::operating::Used;
use super::params::Params;
use super::refusal::Refusal;
use super::world::World;

/// What a method says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Answer {
    pub(super) result: Value,
    /// Rows in all, of a list.
    pub(super) total: Option<usize>,
    /// Offset of the next page, of a list that goes on.
    pub(super) next: Option<usize>,
}

impl From<Value> for Answer {
    fn from(result: Value) -> Self {
        Self {
            result,
            total: None,
            next: None,
        }
    }
}

/// What a method comes to.
pub(super) type Answered = Result<Answer, Refusal>;

/// Whom a method lets in, beside its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Everybody.
    Open,
    /// Applications.
    Application,
    /// Applications, and webhooks where the switch says so (§0.1).
    Telephony,
    /// Applications, and webhooks where the switch says so (§7).
    Notices,
    /// Applications; a webhook is told in other words (§16.4).
    Context,
    /// Applications of administrators.
    Administrator,
}

/// A method.
#[derive(Debug)]
pub(super) struct Method {
    /// Its name in lower case.
    pub(super) name: &'static str,
    /// Scopes of which one is needed; none = no scope at all.
    pub(super) scope: &'static [&'static str],
    pub(super) door: Door,
    pub(super) run: fn(&mut World, &Params, &Caller) -> Answered,
}

const CRM: &[&str] = &["crm"];
const TELEPHONY: &[&str] = &["telephony"];
const USERS: &[&str] = &["user", "user_basic", "user_brief"];
const NOTHING: &[&str] = &[];

macro_rules! methods {
    ($($name:literal $scope:expr, $door:ident => $run:path;)*) => {
        &[$(Method { name: $name, scope: $scope, door: Door::$door, run: $run },)*]
    };
}

/// Every method (crm/bitrix24.md §3–12).
pub(super) const METHODS: &[Method] = methods! {
    // Portal and caller.
    "app.info" NOTHING, Context => World::app_info;
    "scope" NOTHING, Open => World::scope;
    "profile" NOTHING, Open => World::profile;
    "server.time" NOTHING, Open => World::server_time;
    "feature.get" NOTHING, Open => World::feature_get;
    "methods" NOTHING, Open => World::list_methods;
    "method.get" NOTHING, Open => World::method_get;
    "user.current" USERS, Open => World::user_current;
    "user.get" USERS, Open => World::user_get;
    "department.get" &["department"], Open => World::department_get;
    // Cards, classic.
    "crm.lead.add" CRM, Open => World::lead_add;
    "crm.lead.update" CRM, Open => World::lead_update;
    "crm.lead.get" CRM, Open => World::lead_get;
    "crm.lead.list" CRM, Open => World::lead_list;
    "crm.lead.delete" CRM, Open => World::lead_delete;
    "crm.lead.fields" CRM, Open => World::lead_fields;
    "crm.deal.add" CRM, Open => World::deal_add;
    "crm.deal.update" CRM, Open => World::deal_update;
    "crm.deal.get" CRM, Open => World::deal_get;
    "crm.deal.list" CRM, Open => World::deal_list;
    "crm.deal.delete" CRM, Open => World::deal_delete;
    "crm.deal.fields" CRM, Open => World::deal_fields;
    "crm.contact.add" CRM, Open => World::contact_add;
    "crm.contact.update" CRM, Open => World::contact_update;
    "crm.contact.get" CRM, Open => World::contact_get;
    "crm.contact.list" CRM, Open => World::contact_list;
    "crm.contact.delete" CRM, Open => World::contact_delete;
    "crm.contact.fields" CRM, Open => World::contact_fields;
    "crm.company.add" CRM, Open => World::company_add;
    "crm.company.update" CRM, Open => World::company_update;
    "crm.company.get" CRM, Open => World::company_get;
    "crm.company.list" CRM, Open => World::company_list;
    "crm.company.delete" CRM, Open => World::company_delete;
    "crm.company.fields" CRM, Open => World::company_fields;
    // Cards, universal.
    "crm.item.add" CRM, Open => World::item_add;
    "crm.item.update" CRM, Open => World::item_update;
    "crm.item.get" CRM, Open => World::item_get;
    "crm.item.list" CRM, Open => World::item_list;
    "crm.item.delete" CRM, Open => World::item_delete;
    "crm.item.fields" CRM, Open => World::item_fields;
    // Finding and describing.
    "crm.duplicate.findbycomm" CRM, Open => World::find_by_communication;
    "crm.settings.mode.get" CRM, Open => World::settings_mode;
    "crm.status.list" CRM, Open => World::status_list;
    "crm.category.list" CRM, Open => World::category_list;
    "crm.dealcategory.list" CRM, Open => World::old_category_list;
    "crm.dealcategory.default.get" CRM, Open => World::old_category_default;
    "crm.dealcategory.stage.list" CRM, Open => World::old_category_stages;
    "crm.lead.userfield.list" CRM, Open => World::lead_userfields;
    "crm.deal.userfield.list" CRM, Open => World::deal_userfields;
    "crm.contact.userfield.list" CRM, Open => World::contact_userfields;
    "crm.company.userfield.list" CRM, Open => World::company_userfields;
    "crm.lead.userfield.add" CRM, Open => World::lead_userfield_add;
    "crm.deal.userfield.add" CRM, Open => World::deal_userfield_add;
    "crm.contact.userfield.add" CRM, Open => World::contact_userfield_add;
    "crm.company.userfield.add" CRM, Open => World::company_userfield_add;
    // Timeline.
    "crm.activity.add" CRM, Open => World::activity_add;
    "crm.activity.update" CRM, Open => World::activity_update;
    "crm.activity.get" CRM, Open => World::activity_get;
    "crm.activity.list" CRM, Open => World::activity_list;
    "crm.activity.delete" CRM, Open => World::activity_delete;
    "crm.activity.todo.add" CRM, Open => World::todo_add;
    "crm.activity.configurable.add" CRM, Application => World::configurable_add;
    "crm.activity.configurable.update" CRM, Application => World::configurable_update;
    "crm.timeline.comment.add" CRM, Open => World::comment_add;
    "crm.timeline.comment.list" CRM, Open => World::comment_list;
    "crm.timeline.logmessage.add" CRM, Open => World::log_message_add;
    "tasks.task.add" &["task"], Open => World::task_add;
    "tasks.task.list" &["task"], Open => World::task_list;
    "im.notify.system.add" &["im"], Notices => World::notice_system;
    "im.notify.personal.add" &["im"], Notices => World::notice_personal;
    // Telephony.
    "telephony.externalcall.register" TELEPHONY, Telephony => World::call_register;
    "telephony.externalcall.finish" TELEPHONY, Telephony => World::call_finish;
    "telephony.externalcall.show" TELEPHONY, Open => World::call_show;
    "telephony.externalcall.hide" TELEPHONY, Open => World::call_hide;
    "telephony.externalcall.attachrecord" TELEPHONY, Open => World::call_attach_record;
    "telephony.externalcall.searchcrmentities" TELEPHONY, Open => World::search_crm_entities;
    "telephony.call.attachtranscription" TELEPHONY, Open => World::call_attach_transcription;
    "telephony.externalline.add" TELEPHONY, Telephony => World::line_add;
    "telephony.externalline.get" TELEPHONY, Telephony => World::line_get;
    "telephony.externalline.update" TELEPHONY, Telephony => World::line_update;
    "telephony.externalline.delete" TELEPHONY, Telephony => World::line_delete;
    "voximplant.statistic.get" TELEPHONY, Open => World::statistic_get;
    // Events and pages.
    "events" NOTHING, Application => World::event_names;
    "event.bind" NOTHING, Application => World::event_bind;
    "event.unbind" NOTHING, Application => World::event_unbind;
    "event.get" NOTHING, Application => World::event_get;
    "event.offline.get" NOTHING, Administrator => World::offline_get;
    "event.offline.clear" NOTHING, Administrator => World::offline_clear;
    "event.offline.error" NOTHING, Administrator => World::offline_error;
    "event.offline.list" NOTHING, Administrator => World::offline_list;
    "placement.bind" &["placement"], Application => World::placement_bind;
    "placement.unbind" &["placement"], Application => World::placement_unbind;
    "placement.get" &["placement"], Application => World::placement_get;
    // Open lines.
    "imconnector.register" &["imconnector"], Application => World::connector_register;
    "imconnector.activate" &["imconnector"], Application => World::connector_activate;
    "imconnector.connector.data.set" &["imconnector"], Application => World::connector_data_set;
    "imconnector.send.messages" &["imconnector"], Application => World::connector_send;
    "imconnector.send.status.delivery" &["imconnector"], Application => World::connector_delivered;
};

/// Finds a method, whatever the case of its name.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS
        .iter()
        .find(|method| method.name.eq_ignore_ascii_case(name))
}

/// What became of a call of a method, and of its time.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) answered: Answered,
    pub(super) used: Option<Used>,
}

impl World {
    /// Calls a method.
    pub(super) fn invoke(
        &mut self,
        name: &str,
        params: Map<String, Value>,
        caller: &Caller,
    ) -> Outcome {
        let refused = |refusal| Outcome {
            answered: Err(refusal),
            used: None,
        };
        let Some(method) = find(name) else {
            return refused(Refusal::no_method());
        };
        if let Err(refusal) = self.let_in(method, caller) {
            return refused(refusal);
        }
        let (account, now_s) = (caller.account(), caller.seconds());
        if !self.operating.admit(&account, method.name, now_s) {
            return refused(Refusal::out_of_time());
        }
        if let Some(refusal) = self.refused_methods.get(method.name) {
            return refused(refusal.clone());
        }
        let params = Params::new(params);
        let answered = (method.run)(self, &params, caller);
        for odd in params.into_odd() {
            self.odd(format!("{}: {odd}", method.name));
        }
        *self.calls_of.entry(method.name).or_default() += 1;
        Outcome {
            answered,
            used: Some(self.operating.charge(&account, method.name, now_s)),
        }
    }

    fn let_in(&self, method: &Method, caller: &Caller) -> Result<(), Refusal> {
        let has_scope = |name: &&str| caller.scope.iter().any(|own| own == *name);
        if !method.scope.is_empty() && !method.scope.iter().any(has_scope) {
            let status = if self.switches.statuses_of_sdk {
                401
            } else {
                403
            };
            let text = "The request requires higher privileges than provided by the access token";
            return Err(Refusal::new(status, "insufficient_scope", text));
        }
        let is_webhook = caller.client_id.is_none();
        let refusal = match method.door {
            Door::Open => None,
            Door::Application => is_webhook.then(Refusal::wrong_auth_type),
            Door::Telephony => {
                (is_webhook && !self.switches.telephony_by_webhook).then(Refusal::wrong_auth_type)
            }
            Door::Notices => {
                (is_webhook && !self.switches.notices_by_webhook).then(Refusal::wrong_auth_type)
            }
            Door::Context => {
                is_webhook.then(|| Refusal::denied("Access denied! Application context required"))
            }
            Door::Administrator if is_webhook => Some(Refusal::wrong_auth_type()),
            Door::Administrator => (!caller.is_admin).then(|| Refusal::denied("Access denied!")),
        };
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let sees_crm = self.user(caller.user_id).is_some_and(|user| user.has_crm);
        if method.name == "crm.duplicate.findbycomm" && !sees_crm {
            // The text stands in the code, as everywhere in this method (§5).
            return Err(Refusal::new(403, "Access denied", ""));
        }
        if method.name.starts_with("crm.") && !sees_crm {
            return Err(self.classic("Access denied."));
        }
        Ok(())
    }

    /// A refusal of the classic families, whose code is often empty (§1).
    pub(super) fn classic(&self, description: &str) -> Refusal {
        let nameless = self.switches.classic_errors_are_nameless;
        Refusal::bad(if nameless { "" } else { "ERROR_CORE" }, description)
    }

    /// A refusal of telephony, whose code is often empty (§1).
    pub(super) fn telephony(&self, description: &str) -> Refusal {
        let nameless = self.switches.telephony_errors_are_nameless;
        Refusal::bad(if nameless { "" } else { "ERROR_CORE" }, description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_stands_once_and_in_lower_case() {
        for method in METHODS {
            assert_eq!(method.name, method.name.to_lowercase());
            let same = METHODS.iter().filter(|other| other.name == method.name);
            assert_eq!(same.count(), 1, "{}", method.name);
        }
    }
}
