//! What calls leave behind in the CRM: what `CRM_CREATE` makes, and the activity of a finished
//! call (crm/bitrix24.md §8).

use serde_json::json;

use super::activities::CALL;
use super::auth::Caller;
use super::draft::Draft;
use super::multi::MultiEdit;
use super::options::Mode;
use super::phones;
use super::records::{Activity, Kind, LiveCall};
use super::telephony::MISSED;
use super::world::World;

impl World {
    pub(super) fn line_creates(&self, call: &LiveCall) -> bool {
        // Of outgoing calls the line decides, too.
        let line = self.lines.values().find(|line| line.number == call.line);
        call.call_type == 1 && line.is_some_and(|line| line.auto_create)
    }

    /// Makes what `CRM_CREATE` asks for.
    pub(super) fn create_for_call(
        &mut self,
        call: &mut LiveCall,
        source: Option<String>,
        caller: &Caller,
    ) {
        if call.primary.is_some_and(|(kind, _)| kind == Kind::Lead) {
            return;
        }
        let code = phones::code(&call.phone);
        let mut users = self.users.iter();
        if users.any(|user| {
            user.mobile
                .as_deref()
                .is_some_and(|m| phones::code(m) == code)
        }) {
            call.creation_error = Some("Lead creation is disabled for local users".into());
            return;
        }
        // In simple mode a client that is known gets a deal of his own only by the rules of the
        // portal, of which nothing is known.
        if call.primary.is_some() && self.mode == Mode::Simple {
            return;
        }
        let source = source.filter(|source| self.status("SOURCE", source).is_some());
        let word = if call.call_type == 1 {
            "Исходящий звонок"
        } else {
            "Входящий звонок"
        };
        let mut draft = Draft::default();
        draft.set("TITLE", format!("{} - {word}", call.phone));
        draft.set("SOURCE_ID", source.unwrap_or_else(|| "CALL".into()));
        draft.set("ASSIGNED_BY_ID", call.user_id);
        match call.primary {
            Some((Kind::Contact, id)) => draft.contacts = Some(vec![id]),
            Some((Kind::Company, id)) => draft.set("COMPANY_ID", id),
            _ => {}
        }
        let phone = MultiEdit::Add {
            value: call.phone.clone(),
            value_type: "WORK".into(),
        };
        draft.multi.push(("PHONE".into(), phone));
        let Ok(lead) = self.create_card(Kind::Lead, draft, caller) else {
            return;
        };
        match self.converted.get(&lead).copied() {
            Some(deal) => {
                let contact = self
                    .card(Kind::Deal, deal)
                    .and_then(|d| d.contacts.first().copied());
                call.created.push((Kind::Deal, deal));
                call.created.extend(contact.map(|id| (Kind::Contact, id)));
                call.primary = contact.map(|id| (Kind::Contact, id));
            }
            None => {
                call.created.push((Kind::Lead, lead));
                call.primary.get_or_insert((Kind::Lead, lead));
            }
        }
    }

    /// Writes the activity of a finished call, if there is a card for it to stand on.
    pub(super) fn log_call(
        &mut self,
        call: &LiveCall,
        user_id: u64,
        duration: i64,
        code: &str,
        caller: &Caller,
    ) -> Option<u64> {
        let (kind, card_id) = call.primary?;
        self.card(kind, card_id)?;
        let owner = (kind.type_id(), card_id);
        let id = self.next_id("activity", 7_943);
        let mut activity = Activity::new(id, owner, user_id, caller.seconds());
        for (kind, card_id) in call.others.iter().chain(&call.created) {
            let binding = (kind.type_id(), *card_id);
            if self.card(*kind, *card_id).is_some() && !activity.bindings.contains(&binding) {
                activity.bindings.push(binding);
            }
        }
        if kind == Kind::Contact && self.switches.calls_bind_open_deals {
            let deals = self.cards_by(Kind::Deal, "CONTACT_ID", &card_id.to_string());
            let open = deals
                .into_iter()
                .filter(|deal| deal.text("STAGE_SEMANTIC_ID") == "P");
            let open: Vec<u64> = open.map(|deal| deal.id).collect();
            let bindings = open.into_iter().map(|id| (Kind::Deal.type_id(), id));
            for binding in bindings {
                if !activity.bindings.contains(&binding) {
                    activity.bindings.push(binding);
                }
            }
        }
        let incoming = call.call_type != 1;
        activity.type_id = CALL;
        activity.provider_id = "VOXIMPLANT_CALL".into();
        activity.provider_type_id = "CALL".into();
        activity.subject = match incoming {
            true => format!("Входящий от {}", call.phone),
            false => format!("Исходящий на {}", call.phone),
        };
        activity.direction = if incoming { 1 } else { 2 };
        activity.responsible_id = user_id;
        // A missed call waits for somebody.
        activity.is_completed = !(incoming && code == MISSED);
        activity.start_at = call.started_at;
        activity.end_at = call.started_at + duration;
        activity.origin_id = format!("VI_{}", call.call_id);
        activity.communications = vec![json!({
            "TYPE": "PHONE", "VALUE": call.phone, "ENTITY_ID": card_id.to_string(),
            "ENTITY_TYPE_ID": kind.type_id().to_string(),
        })];
        self.keep_activity(activity, "ADD", caller);
        Some(id)
    }
}
