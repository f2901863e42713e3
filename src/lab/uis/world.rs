//! What an account holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::account::{LabCall, LabChat, LabMessage, LabRequest};
use super::limits::Points;
use super::switches::Switches;

/// Offset of the account's clock: Moscow, which has no summer time.
const OFFSET_S: i64 = 3 * 3_600;

/// An order of click-to-call that was taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) params: Value,
    pub(super) session: u64,
}

/// The account.
#[derive(Debug)]
pub(super) struct World {
    pub(super) key: String,
    pub(super) login: String,
    pub(super) password: String,
    pub(super) sessions: BTreeSet<String>,
    pub(super) switches: Switches,
    pub(super) points: Points,
    pub(super) calls: BTreeMap<u64, LabCall>,
    pub(super) chats: BTreeMap<u64, LabChat>,
    pub(super) requests: BTreeMap<u64, LabRequest>,
    pub(super) employees: Vec<(u64, String)>,
    pub(super) placed: Vec<Placed>,
    pub(super) asked: BTreeMap<String, u64>,
    pub(super) deals: super::deals::Deals,
}

/// Writes a time as the account does.
pub(super) fn local(unix: i64) -> String {
    let shifted = jiff::Timestamp::from_second(unix.saturating_add(OFFSET_S)).unwrap_or_default();
    let zoned = shifted.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads a time of the account.
pub(super) fn unix(text: &str) -> Option<i64> {
    let time: jiff::civil::DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second().saturating_sub(OFFSET_S))
}

impl World {
    pub(super) fn employee_name(&self, id: u64) -> Option<String> {
        let found = self.employees.iter().find(|(known, _)| *known == id);
        found.map(|(_, name)| name.clone())
    }

    fn id(&self, id: u64) -> Value {
        match self.switches.ids_as_text {
            true => id.to_string().into(),
            false => id.into(),
        }
    }

    fn phone(&self, digits: Option<&String>) -> Value {
        match digits {
            None => Value::Null,
            Some(digits) if self.switches.phones_as_text => digits.clone().into(),
            Some(digits) => digits
                .parse::<u64>()
                .map_or_else(|_| digits.clone().into(), Value::from),
        }
    }

    /// Writes a call as `get.calls_report` does.
    pub(super) fn call_row(&self, call: &LabCall, now: i64) -> Value {
        let over = call.ended() <= now;
        let talked = call.talker.filter(|_| call.began + call.wait <= now);
        let mut ids: Vec<u64> = call.rung.clone();
        ids.extend(call.talker.filter(|talker| !call.rung.contains(talker)));
        let employees: Vec<Value> = ids
            .iter()
            .map(|id| {
                json!({
                    "employee_id": self.id(*id),
                    "employee_full_name": self.employee_name(*id),
                    "is_answered": talked == Some(*id),
                    "is_talked": talked == Some(*id),
                })
            })
            .collect();
        let tags: Vec<Value> = call
            .tags
            .iter()
            .map(|tag| json!({ "tag_id": 1, "tag_name": tag, "tag_type": "manual" }))
            .collect();
        let talker = talked.map(|id| self.id(id));
        json!({
            "id": self.id(call.id), "communication_id": self.id(call.id),
            "start_time": local(call.began),
            "finish_time": over.then(|| local(call.ended())),
            "direction": if call.outgoing { "out" } else { "in" },
            "source": if call.external_id.is_some() { "callapi" } else { "va" },
            "is_lost": over.then_some(call.talker.is_none()),
            "finish_reason": over.then(|| call.reason.clone().unwrap_or("operator_disconnects".into())),
            "contact_phone_number": call.client, "virtual_phone_number": call.our_number,
            "contact_full_name": null,
            "wait_duration": talked.map(|_| call.wait), "total_wait_duration": call.wait,
            "talk_duration": over.then_some(call.talk), "clean_talk_duration": over.then_some(call.talk),
            "total_duration": over.then_some(call.wait + call.talk),
            "call_records": if call.link.is_some() { json!(["a1b2"]) } else { json!([]) },
            "full_record_file_link": call.link.clone().filter(|_| over),
            "employees": employees,
            "first_talked_employee_id": talker.clone(), "last_talked_employee_id": talker.clone(),
            "last_answered_employee_id": talker,
            "scenario_name": "Основной",
            "scenario_operations": [{ "id": 1, "name": "Группа" }],
            "call_api_external_id": call.external_id,
            "tags": tags, "campaign_name": call.campaign, "communication_number": 1,
            "attributes": ["primary"],
        })
    }

    /// Writes a chat as `get.chats_report` does.
    pub(super) fn chat_row(&self, chat: &LabChat, now: i64) -> Value {
        let over = chat.ended.filter(|ended| *ended <= now);
        let duration = over.unwrap_or(now) - chat.began;
        let properties = chat
            .email
            .as_ref()
            .map(|email| json!([{ "property_name": "email", "property_value": email }]));
        let tags: Vec<Value> = chat
            .tags
            .iter()
            .map(|tag| json!({ "tag_name": tag }))
            .collect();
        json!({
            "id": self.id(chat.id), "communication_id": self.id(chat.id),
            "date_time": local(chat.began), "duration": duration.to_string(),
            "status": chat.status, "initiator": "visitor",
            "release_cause": over.map(|_| "closed_by_operator"),
            "chat_channel_id": 11, "chat_channel_type": chat.channel,
            "chat_channel_name": "Канал", "chat_user_id": null,
            "chat_username": chat.username, "is_group_chat": chat.group,
            "employee_id": chat.employee.map(|id| self.id(id)),
            "employee_full_name": chat.employee.and_then(|id| self.employee_name(id)),
            "visitor_id": self.id(chat.visitor),
            "visitor_phone_number": self.phone(chat.phone.as_ref()),
            "visitor_custom_properties": properties,
            "messages_count": chat.messages.len(), "tags": tags,
            "site_domain_name": chat.site, "communication_number": 1, "attributes": [],
            "utm_source": null, "campaign_name": null,
        })
    }

    /// Writes a message as `get.chat_messages_report` does.
    pub(super) fn message_row(&self, chat: &LabChat, message: &LabMessage) -> Value {
        let resource = message.file.as_ref().map(|url| {
            json!({ "size": 5, "type": "image", "file_url": url, "file_name": "a.png", "mime_type": "image/png" })
        });
        json!({
            "id": self.id(message.id), "chat_id": self.id(chat.id),
            "date_time": local(message.at), "source": message.source, "text": message.text,
            "employee_id": message.employee.map(|id| self.id(id)),
            "employee_full_name": message.employee.and_then(|id| self.employee_name(id)),
            "visitor_id": self.id(chat.visitor), "is_group_chat": chat.group,
            "resource": resource,
        })
    }

    /// Writes a request as `get.offline_messages_report` does.
    pub(super) fn request_row(&self, request: &LabRequest) -> Value {
        json!({
            "id": self.id(request.id), "communication_id": self.id(request.id),
            "date_time": local(request.at), "text": request.text, "status": "not_processed",
            "form_type": "Пользовательская", "form_name": request.form,
            "properties": null, "visitor_name": request.name,
            "visitor_phone_number": self.phone(request.phone.as_ref()),
            "visitor_email": request.email, "group_name": null, "employee_full_name": null,
            "is_agree_to_mailing": true, "site_domain_name": request.site,
            "communication_page_url": request.page, "communication_number": 1,
            "utm_source": request.utm_source, "campaign_name": "Директ", "tags": [],
            "attributes": ["primary"],
        })
    }

    /// Writes a call as VATS 2.0 does.
    pub(super) fn mgf_row(&self, call: &LabCall) -> Value {
        let span = |s: i64| format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
        let names: Vec<String> = call
            .rung
            .iter()
            .filter_map(|id| self.employee_name(*id))
            .collect();
        let internal = match self.switches.internal_as_bool {
            true => json!({ "value": "Внешний", "value_id": false }),
            false => json!({ "value": "Внешний", "value_id": "external" }),
        };
        let status = if call.talker.is_some() {
            "received"
        } else {
            "lost"
        };
        let tags: Vec<Value> = call
            .tags
            .iter()
            .map(|tag| json!({ "id": 1, "name": tag }))
            .collect();
        json!({
            "communication_id": call.id,
            "call_start_date_time": local(call.began),
            "call_finish_date_time": local(call.ended()),
            "contact_phone_number": { "value": call.client, "extra": {} },
            "virtual_phone_number": { "value": call.our_number },
            "call_direction": { "value_id": if call.outgoing { "out" } else { "in" } },
            "call_status": { "value_id": status },
            "call_type": { "value_id": "va" },
            "call_is_internal": internal,
            "call_finish_reason": { "value_id": call.reason },
            "call_total_duration": span(call.wait + call.talk),
            "call_await_talk_duration": span(call.wait),
            "call_talk_duration": call.talker.map(|_| span(call.talk)),
            "employees": names,
            "received_call": call.talker.and_then(|id| self.employee_name(id)),
            "call_records": null,
            "tags": { "items": tags },
            "communication_comment": { "comment": null },
            "is_blacklisted_phone": false,
        })
    }
}
