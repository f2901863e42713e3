//! Webhooks: the subscriptions, and the payloads in bracket notation (crm/amocrm.md §14, §21.7).

use serde_json::{Value, json};

use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::hook_queue::Delivery;
use super::lab_clock::Moment;
use super::records::{Card, Hook, Kind};
use super::review::{Object, validation_failed};
use super::tags::with_total;
use super::world::World;

/// Subscriptions of one account.
const HOOKS_MAX: usize = 100;

/// One `key=value` of a payload.
type Pair = (String, String);

impl World {
    /// `/webhooks`: administrators only.
    pub(super) fn webhooks_resource(&mut self, incoming: &Incoming, caller: &Caller) -> Reply {
        if !caller.is_admin {
            return Reply::forbidden();
        }
        match incoming.method.as_str() {
            "GET" => {
                let wanted = incoming.query.get("filter[destination]");
                let hooks = self
                    .hooks
                    .iter()
                    .filter(|h| wanted.is_none_or(|w| h.destination == w));
                let rows: Vec<Value> = hooks.map(|hook| self.render_hook(hook)).collect();
                if rows.is_empty() {
                    return Reply::empty();
                }
                Reply::ok(&with_total("webhooks", rows, incoming))
            }
            "POST" => self.subscribe(incoming, caller),
            "DELETE" => {
                let body = match incoming.json() {
                    Ok(body) => body,
                    Err(reply) => return reply,
                };
                let destination = body
                    .get("destination")
                    .and_then(Value::as_str)
                    .unwrap_or("");
                let before = self.hooks.len();
                self.hooks.retain(|hook| hook.destination != destination);
                let gone = self.hooks.len() < before;
                if gone {
                    Reply::empty()
                } else {
                    Reply::not_found()
                }
            }
            _ => Reply::method_not_allowed(),
        }
    }

    fn subscribe(&mut self, incoming: &Incoming, caller: &Caller) -> Reply {
        let body = match incoming.json() {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        let mut review = self.review();
        let Some(object) = Object::of(&body, String::new(), &mut review) else {
            return validation_failed(vec![review.render("0")]);
        };
        object.known("webhook", &["destination", "settings", "sort"], &mut review);
        object.require(&["destination", "settings"], &mut review);
        let destination = object.text("destination", &mut review).unwrap_or_default();
        let readable = url::Url::parse(&destination).is_ok() && destination.is_ascii();
        if !readable {
            review.error(
                "InvalidUrl",
                "destination".into(),
                "This value is not a valid URL.",
            );
        }
        let mut settings = Vec::new();
        for (n, name) in object
            .array("settings", &mut review)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            match name.as_str().filter(|name| is_hook_name(name)) {
                Some(name) => settings.push(name.to_owned()),
                None => review.choice(format!("settings.{n}")),
            }
        }
        let sort = object.integer("sort", &mut review).unwrap_or(0);
        if !review.errors.is_empty() {
            return validation_failed(vec![review.render("0")]);
        }
        let now = caller.now.seconds();
        let enables = self.switches.resubscribing_enables_hook;
        let known = self
            .hooks
            .iter()
            .position(|hook| hook.destination == destination);
        let index = known.unwrap_or(self.hooks.len());
        if known.is_none() {
            if self.hooks.len() >= HOOKS_MAX {
                return Reply::problem(422, "Unprocessable Entity", "Too many webhooks");
            }
            let id = self.next_id("hook", 4_001);
            self.hooks.push(Hook {
                id,
                destination,
                settings: Vec::new(),
                sort,
                disabled: false,
                created_by: caller.user_id,
                created_at: now,
                updated_at: now,
                failures: Vec::new(),
            });
        }
        if let Some(hook) = self.hooks.get_mut(index) {
            hook.settings = settings;
            hook.sort = sort;
            hook.updated_at = now;
            if enables {
                hook.disabled = false;
                hook.failures.clear();
            }
        }
        let row = self.hooks.get(index).map(|hook| self.render_hook(hook));
        Reply::json(201, &row.unwrap_or(Value::Null))
    }

    fn render_hook(&self, hook: &Hook) -> Value {
        json!({
            "id": hook.id, "destination": hook.destination, "settings": hook.settings,
            "disabled": hook.disabled, "sort": hook.sort, "created_at": hook.created_at,
            "updated_at": hook.updated_at, "account_id": self.account_id,
            "created_by": hook.created_by,
        })
    }

    /// Queues the hooks of a card's change. `old` is the former responsible and stage.
    pub(super) fn hook_card(
        &mut self,
        action: &str,
        kind: Kind,
        id: u64,
        old: Option<(u64, u64)>,
        now: Moment,
    ) {
        let name = format!("{action}_{}", kind.singular());
        if !self.is_hooked(&name) {
            return;
        }
        let Some(card) = self.cards.get(&(kind, id)) else {
            return;
        };
        // Companies come under contacts, told apart by type.
        let list = match kind {
            Kind::Contact | Kind::Company => "contacts",
            Kind::Lead => "leads",
            Kind::Customer => "customers",
        };
        let mut pairs = Payload::new(format!("{list}[{action}][0]"));
        pairs.put("id", id);
        if matches!(kind, Kind::Contact | Kind::Company) {
            pairs.put("type", kind.singular());
        }
        if action != "delete" {
            self.put_card(card, &mut pairs);
        }
        if let Some((responsible, status)) = old {
            if action == "responsible" && self.switches.hooks_name_old_responsible {
                pairs.put("old_responsible_user_id", responsible);
            }
            if action == "status" {
                pairs.put("old_status_id", status);
            }
        }
        self.queue_hooks(&name, pairs.pairs, now);
    }

    fn put_card(&self, card: &Card, pairs: &mut Payload) {
        pairs.put("name", &card.name);
        pairs.put("responsible_user_id", card.responsible_user_id);
        pairs.put("account_id", self.account_id);
        for key in ["created_at", "date_create"] {
            pairs.put(key, card.created_at);
        }
        for key in ["updated_at", "last_modified"] {
            pairs.put(key, card.updated_at);
        }
        if card.kind == Kind::Lead {
            pairs.put("status_id", card.deal.status_id);
            pairs.put("pipeline_id", card.deal.pipeline_id);
            pairs.put("price", card.deal.price);
        } else {
            for lead in self.linked(card.kind, card.id, Kind::Lead) {
                pairs.put(&format!("linked_leads_id][{lead}][ID"), lead);
            }
        }
        if let Some(company) = self.linked(card.kind, card.id, Kind::Company).first() {
            let name = self
                .card(Kind::Company, *company)
                .map_or("", |c| c.name.as_str());
            pairs.put("linked_company_id", company);
            pairs.put("company_name", name);
        }
        for (n, (field_id, values)) in card.values.iter().enumerate() {
            let field = self
                .fields
                .iter()
                .find(|f| f.entity == card.kind && f.id == *field_id);
            let at = |key: &str| format!("custom_fields][{n}][{key}");
            pairs.put(&at("id"), field_id);
            pairs.put(&at("name"), field.map_or("", |f| f.name.as_str()));
            let code = field.and_then(|f| f.code.as_deref());
            if let Some(code) = code {
                pairs.put(&at("code"), code);
            }
            for (m, value) in values.iter().enumerate() {
                // Plain fields come as values[] strings, the others with their kind.
                match value.enum_id {
                    Some(choice) => {
                        pairs.put(&at(&format!("values][{m}][value")), value.text());
                        pairs.put(&at(&format!("values][{m}][enum")), choice);
                    }
                    None => pairs.put(&at("values]["), value.text()),
                }
            }
        }
    }

    /// Queues the hooks of a new note.
    pub(super) fn hook_note(&mut self, kind: Kind, entity_id: u64, note_id: u64, now: Moment) {
        let name = format!("note_{}", kind.singular());
        if !self.is_hooked(&name) {
            return;
        }
        let Some(note) = self.notes.get(&note_id) else {
            return;
        };
        let list = if kind == Kind::Company {
            "contacts"
        } else {
            kind.plural()
        };
        let mut pairs = Payload::new(format!("{list}[note][0][note]"));
        pairs.put("id", note_id);
        pairs.put("note_type", &note.note_type);
        pairs.put("element_id", entity_id);
        pairs.put("element_type", kind.legacy());
        pairs.put("text", note.params.to_string());
        pairs.put("date_create", note.created_at);
        self.queue_hooks(&name, pairs.pairs, now);
    }

    /// Queues the hooks of a task's change.
    pub(super) fn hook_task(&mut self, action: &str, id: u64, now: Moment) {
        let name = format!("{action}_task");
        if !self.is_hooked(&name) {
            return;
        }
        let Some(task) = self.tasks.get(&id) else {
            return;
        };
        let mut pairs = Payload::new(format!("task[{action}][0]"));
        pairs.put("id", id);
        if let Some((kind, entity)) = task.entity {
            pairs.put("element_id", entity);
            pairs.put("element_type", kind.legacy());
        }
        pairs.put("task_type", task.task_type_id);
        pairs.put("text", &task.text);
        pairs.put("status", u8::from(task.is_completed));
        pairs.put("action_close", u8::from(task.is_completed));
        pairs.put("responsible_user_id", task.responsible_user_id);
        let time = jiff::Timestamp::from_second(task.complete_till).unwrap_or_default();
        let zone = jiff::tz::TimeZone::get(&self.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let time = time
            .to_zoned(zone)
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string();
        pairs.put("complete_before", time);
        self.queue_hooks(&name, pairs.pairs, now);
    }

    fn is_hooked(&self, name: &str) -> bool {
        let wants = |hook: &Hook| !hook.disabled && hook.settings.iter().any(|s| s == name);
        self.hooks.iter().any(wants)
    }

    fn queue_hooks(&mut self, name: &str, pairs: Vec<Pair>, now: Moment) {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let host = format!("https://{}.amocrm.ru", self.subdomain);
        body.append_pair("account[subdomain]", &self.subdomain);
        body.append_pair("account[id]", &self.account_id.to_string());
        body.append_pair("account[_links][self]", &host);
        body.extend_pairs(pairs);
        let body = body.finish();
        let wants = |hook: &&Hook| !hook.disabled && hook.settings.iter().any(|s| s == name);
        for hook in self.hooks.iter().filter(wants) {
            self.hook_queue.push(Delivery {
                hook_id: hook.id,
                destination: hook.destination.clone(),
                body: body.clone(),
                attempt: 1,
                due: now.instant,
            });
        }
    }
}

/// Collects the pairs of one entity under its prefix.
struct Payload {
    prefix: String,
    pairs: Vec<Pair>,
}

impl Payload {
    fn new(prefix: String) -> Self {
        Self {
            prefix,
            pairs: Vec::new(),
        }
    }

    fn put(&mut self, key: &str, value: impl ToString) {
        self.pairs
            .push((format!("{}[{key}]", self.prefix), value.to_string()));
    }
}

fn is_hook_name(name: &str) -> bool {
    let Some((action, entity)) = name.split_once('_') else {
        return false;
    };
    let entities: &[&str] = match action {
        "add" | "update" => &["lead", "contact", "company", "customer", "task", "talk"],
        "delete" | "responsible" => &["lead", "contact", "company", "customer", "task"],
        "restore" => &["lead", "contact", "company"],
        "status" => &["lead"],
        "note" => &["lead", "contact", "company", "customer"],
        _ => &[],
    };
    entities.contains(&entity) || name == "add_chat_template_review"
}
