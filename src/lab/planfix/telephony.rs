//! The telephony API (`crm/planfix.md` §7, §9), and what Planfix makes of its events: data tags,
//! and contacts of unknown callers.

use std::collections::BTreeMap;

use serde_json::json;

use super::exchange::{Incoming, Reply};
use super::switches::UnknownCaller;
use super::world::{CallTag, Contact, World, last_ten};

impl World {
    pub(super) fn telephony(&mut self, incoming: &Incoming) -> Reply {
        let is_form = incoming
            .content_type
            .starts_with("application/x-www-form-urlencoded");
        if incoming.method != "POST" || !is_form {
            self.odd("telephony is asked by POST of a form");
            return invalid();
        }
        let form = incoming.form();
        if form.get("planfix_token") != Some(&self.options.telephony_token) {
            return Reply::json(401, &json!({ "error": "Invalid token" }));
        }
        match form.get("cmd").map(String::as_str) {
            Some("ping") => {
                let (token, url) = (&self.options.pbx_token, &self.options.pbx_url);
                Reply::json(200, &json!({ "pbxToken": token, "pbxUrl": url }))
            }
            Some("contact") => self.who_calls(&form),
            Some("event") => match self.event(&form) {
                Some(()) => Reply::nothing(),
                None => {
                    self.odd("an event with invalid parameters");
                    invalid()
                }
            },
            Some("record") => self.record(&form),
            _ => invalid(),
        }
    }

    fn who_calls(&mut self, form: &BTreeMap<String, String>) -> Reply {
        let Some(phone) = form.get("phone") else {
            return invalid();
        };
        let Some(contact) = self.contact_of(phone) else {
            return match self.switches.unknown_caller {
                UnknownCaller::EmptyObject => Reply::json(200, &json!({})),
                UnknownCaller::EmptyBody => Reply::nothing(),
                UnknownCaller::EmptyTexts => {
                    Reply::json(200, &json!({ "contact_name": "", "responsible": "" }))
                }
            };
        };
        let mut users = contact.supervisors.iter();
        let short = users.find_map(|id| self.user(*id)?.short_number.clone());
        let name = format!("{} {}", contact.lastname, contact.name);
        let mut answer = json!({ "contact_name": name.trim() });
        if let Some(short) = short {
            answer["responsible"] = short
                .parse::<u64>()
                .map_or_else(|_| json!(short), |n| json!(n));
        }
        Reply::json(200, &answer)
    }

    /// Takes an event; `None` = its parameters are wrong.
    fn event(&mut self, form: &BTreeMap<String, String>) -> Option<()> {
        self.events += 1;
        let get = |key: &str| form.get(key).filter(|value| !value.is_empty());
        let outgoing = match get("type")?.as_str() {
            "in" => false,
            "out" => true,
            _ => return None,
        };
        let (phone, callid) = (get("phone")?.clone(), get("callid")?.clone());
        if !phone.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let ext = get("ext").cloned();
        let event = get("event")?.clone();
        match event.as_str() {
            "INCOMING" if !outgoing => {}
            "OUTGOING" if outgoing => {}
            "ACCEPTED" => {}
            "COMPLETED" => {
                let status = get("status")?.as_str();
                let known = match outgoing {
                    false => matches!(status, "Success" | "Missed" | "Cancelled"),
                    true => matches!(
                        status,
                        "Success" | "Busy" | "NoAnswer" | "NotAvailable" | "NotAllowed"
                    ),
                };
                let recorded = matches!(get("is_recorded")?.as_str(), "0" | "1");
                get("duration")?.parse::<u64>().ok()?;
                (known && recorded).then_some(())?;
            }
            _ => return None,
        }
        let unknown_ext = ext.as_ref().is_some_and(|ext| self.user_of(ext).is_none());
        let wanted = last_ten(&phone);
        let own = self
            .options
            .users
            .iter()
            .filter_map(|user| user.phone.as_ref());
        let of_employee = own.into_iter().any(|phone| last_ten(phone) == wanted);
        if unknown_ext || of_employee {
            self.ignored_events += 1;
            return Some(());
        }
        let begun = {
            let call = self.live.entry(callid.clone()).or_default();
            let begun = call.begun;
            call.begun = true;
            if let Some(ext) = &ext
                && !call.rung.contains(ext)
            {
                call.rung.push(ext.clone());
            }
            begun
        };
        if event == "ACCEPTED" && !begun {
            self.odd("ACCEPTED of a call that did not begin");
        }
        if event == "COMPLETED" {
            if !begun && !self.switches.completed_alone {
                self.ignored_events += 1;
                return Some(());
            }
            self.complete(form, &callid, &phone, outgoing, ext)?;
        }
        self.make_caller(&callid, &phone);
        Some(())
    }

    fn complete(
        &mut self,
        form: &BTreeMap<String, String>,
        callid: &str,
        phone: &str,
        outgoing: bool,
        ext: Option<String>,
    ) -> Option<()> {
        let status = form.get("status")?.clone();
        if status == "Cancelled" {
            return Some(());
        }
        if ext.is_none() && !self.switches.completed_without_ext {
            self.ignored_events += 1;
            return Some(());
        }
        let key = (ext.clone(), status.clone());
        let again = {
            let call = self.live.entry(callid.to_owned()).or_default();
            let again = call.completed.contains(&key);
            call.ended = true;
            call.completed.push(key);
            again
        };
        if again && !self.switches.repeated_completed_counts {
            return Some(());
        }
        let mut data = BTreeMap::new();
        for (name, value) in form {
            let Some(name) = name.strip_prefix("data_") else {
                continue;
            };
            if self.options.call_time_field.as_deref() == Some(name) {
                data.insert(name.to_owned(), value.clone());
            } else {
                self.odd(format!("the data tag has no field {name}"));
            }
        }
        let tag = CallTag {
            id: self.id(),
            callid: callid.to_owned(),
            phone: phone.to_owned(),
            outgoing,
            ext,
            status,
            duration: form.get("duration")?.parse().ok()?,
            recorded: form.get("is_recorded").is_some_and(|flag| flag == "1"),
            link: form.get("record_link").cloned(),
            data,
            at: self.now(),
        };
        self.calls.push(tag);
        Some(())
    }

    /// Makes the contact of an unknown caller; it is of the employee who was rung first.
    fn make_caller(&mut self, callid: &str, phone: &str) {
        if !self.switches.makes_callers || self.contact_of(phone).is_some() {
            return;
        }
        let call = self.live.get(callid);
        let first = call.and_then(|call| call.rung.first());
        let user = first.and_then(|ext| self.user_of(ext)).map(|user| user.id);
        let now = self.now();
        let contact = Contact {
            id: self.id(),
            name: phone.to_owned(),
            phones: vec![phone.to_owned()],
            supervisors: user.into_iter().collect(),
            created_at: now,
            changed_at: now,
            listed_from_ms: self.now_ms + self.switches.caller_lag_ms,
            by_planfix: true,
            ..Contact::default()
        };
        self.contacts.push(contact);
    }

    fn record(&mut self, form: &BTreeMap<String, String>) -> Reply {
        let (Some(callid), Some(link)) = (form.get("callid"), form.get("record_link")) else {
            return invalid();
        };
        let tags = self.calls.iter_mut().filter(|tag| tag.callid == *callid);
        let mut known = false;
        for tag in tags {
            tag.link = Some(link.clone());
            known = true;
        }
        if !known {
            self.odd("a recording of a call that is not there");
        }
        Reply::nothing()
    }
}

fn invalid() -> Reply {
    Reply::json(400, &json!({ "error": "Invalid parameters" }))
}
