//! Calls: register, show, hide, finish (crm/bitrix24.md §8).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::auth::{Caller, opaque};
use super::dates;
use super::draft::Draft;
use super::methods::Answered;
use super::params::{Params, ids_of};
use super::phones;
use super::records::{FinishedCall, Kind, LiveCall};
use super::refusal::Refusal;
use super::world::World;

/// The window within which a repeated register returns the same call.
pub(super) const DEDUP_S: i64 = 30 * 60;
/// Inner numbers that the table of phones holds.
const INNER_MAX: u64 = 9_999;

/// `CALL_FAILED_CODE` of a missed call.
pub(super) const MISSED: &str = "304";
/// `CALL_FAILED_CODE` of a talk.
const TALKED: &str = "200";

impl World {
    pub(super) fn call_register(&mut self, params: &Params, caller: &Caller) -> Answered {
        self.forget_calls(caller.seconds());
        let user_id = self.call_user(params)?;
        let user_id =
            user_id.ok_or_else(|| self.telephony("USER_ID or USER_PHONE_INNER should be set"))?;
        let phone = phones::stored(&params.text("PHONE_NUMBER").unwrap_or_default());
        if phone.is_empty() {
            return Err(self.telephony("Unsupported phone number format"));
        }
        let call_type = params.id("TYPE").filter(|t| (1..=5).contains(t));
        let call_type = call_type.ok_or_else(|| self.telephony("Unknown TYPE"))?;
        let started_at = match params.word("CALL_START_DATE") {
            Some(text) => dates::parse(&text, &self.zone).ok_or_else(|| {
                self.telephony("CALL_START_DATE should be in the ISO-8601 format")
            })?,
            None => caller.seconds(),
        };
        let line = params.word("LINE_NUMBER").unwrap_or_default();
        let external_id = params.word("EXTERNAL_CALL_ID");
        let client_id = caller.client_id.clone().unwrap_or_default();
        let same = self.live_calls.values().find(|call| {
            call.user_id == user_id
                && call.phone == phone
                && call.call_type == call_type
                && call.client_id == client_id
                && (line.is_empty() || call.line == line)
                && (external_id.is_none() || call.external_id == external_id)
                && call.started_at > caller.seconds() - DEDUP_S
        });
        if let Some(same) = same {
            let answer = register_answer(same);
            self.repeated_registers += 1;
            return Ok(answer.into());
        }
        if !line.is_empty() && !self.lines.values().any(|known| known.number == line) {
            // An unknown line is made in silence.
            self.add_line(&line, "", false, &client_id);
        }
        let is_internal = self.is_inner_number(&phone);
        let found = match is_internal {
            true => Vec::new(),
            false => self.cards_of_phone(&phone),
        };
        let given = params
            .word("CRM_ENTITY_TYPE")
            .zip(params.id("CRM_ENTITY_ID"));
        let given = given.and_then(|(name, id)| Some((Kind::from_name(&name)?, id)));
        if given.is_some_and(|(kind, _)| kind == Kind::Deal) {
            params.odd("a call on a deal");
        }
        if given.is_some_and(|(kind, id)| self.card(kind, id).is_none()) {
            params.odd("a call on a card that is not there");
        }
        let given = given.filter(|(kind, _)| *kind != Kind::Deal);
        let number = self.next_id("call", 1);
        let seed = format!("{}/call/{number}", self.options.member_id);
        let mut call = LiveCall {
            call_id: format!("externalCall.{}.{}", opaque(&seed), caller.seconds()),
            client_id,
            user_id,
            phone,
            call_type,
            registered_at: caller.seconds(),
            started_at,
            line,
            external_id,
            primary: given.or(found.first().copied()),
            others: found,
            created: Vec::new(),
            creation_error: None,
            shown_to: BTreeSet::new(),
        };
        let creates = params.flag("CRM_CREATE").unwrap_or(false) || self.line_creates(&call);
        if creates && !is_internal {
            self.create_for_call(&mut call, params.word("CRM_SOURCE"), caller);
        }
        if params.flag("SHOW").unwrap_or(true) {
            call.shown_to.insert(user_id);
            self.show_card(&call.call_id, user_id, caller.now.unix_ms);
        }
        let answer = register_answer(&call);
        let data = json!({"CALL_ID": call.call_id, "PHONE_NUMBER": call.phone});
        self.live_calls.insert(call.call_id.clone(), call);
        self.emit("ONVOXIMPLANTCALLINIT", "call", &data, Some(caller));
        Ok(answer.into())
    }

    pub(super) fn call_show(&mut self, params: &Params, caller: &Caller) -> Answered {
        self.show_or_hide(params, caller, true)
    }

    pub(super) fn call_hide(&mut self, params: &Params, caller: &Caller) -> Answered {
        self.show_or_hide(params, caller, false)
    }

    fn show_or_hide(&mut self, params: &Params, caller: &Caller, shows: bool) -> Answered {
        self.forget_calls(caller.seconds());
        let call_id = params.word("CALL_ID").unwrap_or_default();
        let users = params.get("USER_ID").map(ids_of).unwrap_or_default();
        if users.is_empty() {
            return Err(self.telephony("USER_ID should be set"));
        }
        let Some(call) = self.live_calls.get_mut(&call_id) else {
            return Ok(json!(false).into());
        };
        let changed: Vec<u64> = users
            .into_iter()
            .filter(|user| match shows {
                true => call.shown_to.insert(*user),
                false => call.shown_to.remove(user),
            })
            .collect();
        for user in changed {
            match shows {
                true => self.show_card(&call_id, user, caller.now.unix_ms),
                false => self.hide_card(&call_id, user, caller.now.unix_ms),
            }
        }
        Ok(json!(true).into())
    }

    pub(super) fn call_finish(&mut self, params: &Params, caller: &Caller) -> Answered {
        self.forget_calls(caller.seconds());
        let Some(call_id) = params.word("CALL_ID") else {
            let text = "CALL_ID must be a string";
            return Err(Refusal::bad("INVALID_ARGUMENT", text));
        };
        if !self.live_calls.contains_key(&call_id) {
            let text = "Call is not found (call should be registered prior to finishing";
            return Err(self.telephony(text));
        }
        let user_id = self.call_user(params)?;
        let Some(mut call) = self.live_calls.remove(&call_id) else {
            return Err(self.telephony("Call is not found ("));
        };
        let user_id = user_id.unwrap_or(call.user_id);
        for user in std::mem::take(&mut call.shown_to) {
            self.hide_card(&call_id, user, caller.now.unix_ms);
        }
        if self.switches.calls_find_clients_at_finish
            && call.primary.is_none()
            && !self.is_inner_number(&call.phone)
        {
            call.others = self.cards_of_phone(&call.phone);
            call.primary = call.others.first().copied();
        }
        for (kind, id) in call.created.clone() {
            // What the portal made belongs to who is named at the end.
            let mut draft = Draft::default();
            draft.set("ASSIGNED_BY_ID", user_id);
            let _ = self.edit_card(kind, id, draft, caller);
        }
        let duration = params.integer("DURATION").unwrap_or(0).max(0);
        let by_default = if duration > 0 { TALKED } else { MISSED };
        let code = params
            .word("STATUS_CODE")
            .unwrap_or_else(|| by_default.to_owned());
        let key = phones::code(&call.phone);
        if matches!(call.call_type, 2 | 3) && code == MISSED {
            *self.missed.entry(key.clone()).or_default() += 1;
        }
        if call.call_type == 1 && code == TALKED {
            self.missed.remove(&key);
        }
        let activity_id = self.log_call(&call, user_id, duration, &code, caller);
        let id = self.next_id("statistic", 7);
        let cost = params.text("COST").and_then(|text| text.parse().ok());
        let finished = FinishedCall {
            id,
            call,
            user_id,
            duration,
            code,
            reason: params.text("FAILED_REASON").unwrap_or_default(),
            vote: params.integer("VOTE").unwrap_or(0),
            // What is absent counts as no by the source (§8).
            in_chat: params.flag("ADD_TO_CHAT").unwrap_or(false),
            cost: cost.unwrap_or(0.0),
            cost_currency: params.text("COST_CURRENCY").unwrap_or_default(),
            finished_at: caller.seconds(),
            activity_id,
            record: None,
            transcript: Vec::new(),
            transcript_id: None,
        };
        let answer = self.finish_answer(&finished);
        let data = json!({"CALL_ID": finished.call.call_id, "CALL_FAILED_CODE": finished.code});
        self.finished_calls.insert(id, finished);
        self.finished_by_call.insert(call_id, id);
        if let Some(url) = params.word("RECORD_URL") {
            params.odd("RECORD_URL of finish is deprecated");
            self.attach_by_url(id, &url);
        }
        self.emit("ONVOXIMPLANTCALLEND", "call", &data, Some(caller));
        Ok(answer.into())
    }

    /// Forgets registered calls that are too old, where the portal does so.
    fn forget_calls(&mut self, now_s: i64) {
        if let Some(seconds) = self.switches.live_calls_forgotten_after_s {
            let oldest = now_s - i64::from(seconds);
            self.live_calls
                .retain(|_, call| call.registered_at >= oldest);
        }
    }

    /// Returns the user that a request names; he must be there and active.
    fn call_user(&self, params: &Params) -> Result<Option<u64>, Refusal> {
        let active = |id: u64| self.user(id).filter(|user| user.is_active).map(|u| u.id);
        let unknown = || self.telephony("User is not found or is not active");
        if let Some(id) = params.id("USER_ID") {
            return active(id).ok_or_else(unknown).map(Some);
        }
        let Some(inner) = params.word("USER_PHONE_INNER") else {
            return Ok(None);
        };
        let known = inner
            .parse()
            .is_ok_and(|n: u64| (1..=INNER_MAX).contains(&n));
        let mut users = self.users.iter();
        let user = users.find(|user| user.inner_number.as_deref() == Some(inner.as_str()));
        match user.filter(|_| known) {
            Some(user) => active(user.id).ok_or_else(unknown).map(Some),
            None => Ok(None),
        }
    }

    fn is_inner_number(&self, phone: &str) -> bool {
        let mut users = self.users.iter();
        users.any(|user| user.inner_number.as_deref() == Some(phone))
    }

    fn finish_answer(&self, finished: &FinishedCall) -> Value {
        let call = &finished.call;
        let application = self.auth.application(&call.client_id);
        let date = dates::iso(call.started_at, &self.zone);
        let mut answer = json!({
            "ID": finished.id, "CALL_ID": call.call_id, "EXTERNAL_CALL_ID": call.external_id,
            "PORTAL_USER_ID": finished.user_id, "PHONE_NUMBER": call.phone,
            "PORTAL_NUMBER": call.line, "INCOMING": call.call_type.to_string(),
            "CALL_DURATION": finished.duration,
            "CALL_START_DATE": match self.switches.finish_date_is_object {
                true => json!({}),
                false => json!(date),
            },
            "CALL_STATUS": u8::from(finished.duration > 0), "CALL_VOTE": finished.vote,
            "COST": finished.cost, "COST_CURRENCY": finished.cost_currency,
            "CALL_FAILED_CODE": finished.code, "CALL_FAILED_REASON": finished.reason,
            "REST_APP_ID": application.map(|app| app.id.to_string()),
            "REST_APP_NAME": application.map(|app| app.name.clone()), "COMMENT": null,
            "CRM_ACTIVITY_ID": finished.activity_id,
            "CRM_ENTITY_TYPE": call.primary.map(|(kind, _)| kind.upper()),
            "CRM_ENTITY_ID": call.primary.map(|(_, id)| id),
        });
        if finished.activity_id.is_none() {
            answer["CRM_ACTIVITY_ID"] = match self.switches.no_activity_is_false {
                true => json!(false),
                false => json!(0),
            };
            answer["ERRORS"] = json!({"ACTIVITY_CREATION": "No CRM entity is found for the call"});
        }
        answer
    }
}

fn register_answer(call: &LiveCall) -> Value {
    let created = call
        .created
        .iter()
        .map(|(kind, id)| json!({"ENTITY_TYPE": kind.upper(), "ENTITY_ID": id}));
    let lead = call.created.iter().find(|(kind, _)| *kind == Kind::Lead);
    let mut answer = json!({
        "CALL_ID": call.call_id, "CRM_CREATED_LEAD": lead.map(|(_, id)| id),
        "CRM_CREATED_ENTITIES": created.collect::<Value>(),
        "CRM_ENTITY_TYPE": call.primary.map(|(kind, _)| kind.upper()),
        "CRM_ENTITY_ID": call.primary.map(|(_, id)| id),
    });
    if let Some(error) = &call.creation_error {
        answer["LEAD_CREATION_ERROR"] = json!(error);
    }
    answer
}
