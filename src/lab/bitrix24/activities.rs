//! Activities: calls and letters of `crm.activity.*`, tasks to do, configurable cards
//! (crm/bitrix24.md §7).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::dates;
use super::listing::{Filter, page, sort};
use super::methods::Answered;
use super::params::{Params, flag_of, id_of, list_of, object_of, text_of};
use super::records::{Activity, Kind};
use super::refusal::Refusal;
use super::world::World;

/// `TYPE_ID` of a call.
pub(super) const CALL: u64 = 2;
/// `TYPE_ID` of what a provider makes.
const PROVIDER: u64 = 6;
/// The provider of things to do.
pub(super) const TODO: &str = "CRM_TODO";

impl Activity {
    /// An activity with nothing in it.
    pub(super) fn new(id: u64, owner: (u64, u64), author_id: u64, now: i64) -> Self {
        Self {
            id,
            owner,
            bindings: vec![owner],
            type_id: PROVIDER,
            provider_id: String::new(),
            provider_type_id: String::new(),
            subject: String::new(),
            description: String::new(),
            description_type: 1,
            direction: 0,
            priority: 2,
            responsible_id: author_id,
            author_id,
            is_completed: false,
            created_at: now,
            updated_at: now,
            start_at: now,
            end_at: now,
            deadline: None,
            originator_id: String::new(),
            origin_id: String::new(),
            communications: Vec::new(),
            files: Vec::new(),
            client_id: None,
            layout: Value::Null,
        }
    }
}

impl World {
    pub(super) fn activity_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let invalid = |name: &str| {
            let text = format!("The field {name} is not defined or invalid");
            self.classic(&text)
        };
        let number = |name: &str| given.get(name).and_then(id_of);
        let owner_kind = number("OWNER_TYPE_ID").and_then(Kind::from_type_id);
        let owner_kind = owner_kind.ok_or_else(|| invalid("OWNER_TYPE_ID"))?;
        let owner_id = number("OWNER_ID").ok_or_else(|| invalid("OWNER_ID"))?;
        if self.card(owner_kind, owner_id).is_none() {
            return Err(self.classic("Owner is not found"));
        }
        let type_id = number("TYPE_ID").ok_or_else(|| invalid("TYPE_ID"))?;
        if text_field(&given, "SUBJECT").is_empty() {
            return Err(self.classic("The field SUBJECT is not defined or empty"));
        }
        let responsible = number("RESPONSIBLE_ID").ok_or_else(|| invalid("RESPONSIBLE_ID"))?;
        let communications = given.get("COMMUNICATIONS").and_then(list_of);
        let communications = communications.unwrap_or_default();
        if communications.is_empty() && type_id != PROVIDER {
            return Err(invalid("COMMUNICATIONS"));
        }
        if type_id == CALL && communications.len() != 1 {
            let text = "The only one communication is allowed for activity of specified type";
            return Err(self.classic(text));
        }
        let mut bindings = vec![(owner_kind.type_id(), owner_id)];
        for communication in &communications {
            let part = |key: &str| communication.get(key).and_then(id_of);
            let Some((kind, id)) = part("ENTITY_TYPE_ID").zip(part("ENTITY_ID")) else {
                continue;
            };
            if !self.belongs(owner_kind, owner_id, (kind, id)) {
                return Err(self.classic("Could not build binding"));
            }
            if !bindings.contains(&(kind, id)) {
                bindings.push((kind, id));
            }
        }
        let id = self.next_id("activity", 7_943);
        let owner = (owner_kind.type_id(), owner_id);
        let mut activity = Activity::new(id, owner, caller.user_id, caller.seconds());
        activity.type_id = type_id;
        activity.provider_id = match type_id {
            CALL => "CRM_CALL".into(),
            _ => text_field(&given, "PROVIDER_ID"),
        };
        activity.provider_type_id = text_field(&given, "PROVIDER_TYPE_ID");
        activity.responsible_id = responsible;
        activity.bindings = bindings;
        activity.communications = communications;
        activity.files = self.store_files(given.get("FILES"));
        self.fill_activity(&mut activity, &given)?;
        self.keep_activity(activity, "ADD", caller);
        Ok(json!(id).into())
    }

    pub(super) fn activity_update(&mut self, params: &Params, caller: &Caller) -> Answered {
        let mut activity = self.wanted_activity(params)?;
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        if let Some(responsible) = given.get("RESPONSIBLE_ID").and_then(id_of) {
            activity.responsible_id = responsible;
        }
        self.fill_activity(&mut activity, &given)?;
        activity.updated_at = caller.seconds();
        self.keep_activity(activity, "UPDATE", caller);
        Ok(json!(true).into())
    }

    pub(super) fn activity_get(&mut self, params: &Params, _: &Caller) -> Answered {
        let activity = self.wanted_activity(params)?;
        Ok(self.render_activity(&activity, None).into())
    }

    pub(super) fn activity_delete(&mut self, params: &Params, caller: &Caller) -> Answered {
        let activity = self.wanted_activity(params)?;
        self.activities.remove(&activity.id);
        for binding in &activity.bindings {
            if let Some(ids) = self.activities_of.get_mut(binding) {
                ids.remove(&activity.id);
            }
        }
        self.tell_activity(activity.id, "DELETE", Some(caller));
        Ok(json!(true).into())
    }

    pub(super) fn activity_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let mut given = params.object("filter").unwrap_or_default();
        let bound = given.remove("BINDINGS").and_then(|value| list_of(&value));
        let filter = Filter::read(&given, false);
        for name in filter.names() {
            if self.activity_value(None, name).is_none() {
                params.odd(format!("unknown field in a filter: {name:.60}"));
            }
        }
        let bound = bound.map(|wanted| {
            let pairs = wanted.iter().filter_map(|one| {
                let part = |key: &str| one.get(key).and_then(id_of);
                part("OWNER_TYPE_ID").zip(part("OWNER_ID"))
            });
            pairs.collect::<Vec<_>>()
        });
        let rows = self.activities_on(bound, &filter).into_iter();
        let rows = rows.filter(|activity| {
            filter.fits(&self.zone, &|name| {
                self.activity_value(Some(activity), name)
            })
        });
        let mut rows: Vec<&Activity> = rows.collect();
        let order = params.object("order").unwrap_or_default();
        sort(&mut rows, &order, "ID", |activity, name| {
            self.activity_value(Some(activity), name)?
                .into_iter()
                .next()
        });
        let select = params.list("select");
        let select: Option<Vec<String>> =
            select.map(|names| names.iter().filter_map(text_of).collect());
        let select = select.filter(|names| !names.is_empty());
        let render = |rows: Vec<&Activity>| {
            let rows = rows.into_iter();
            rows.map(|activity| self.render_activity(activity, select.as_deref()))
                .collect()
        };
        Ok(page(rows, params, &self.switches, render))
    }

    /// Returns the activities on these cards, or on those that the filter may mean.
    fn activities_on(&self, cards: Option<Vec<(u64, u64)>>, filter: &Filter) -> Vec<&Activity> {
        let demands = filter.demands();
        let owner = |name: &str| {
            let demand = demands.iter().find(|(known, _)| *known == name)?;
            demand
                .1
                .first()
                .filter(|_| demand.1.len() == 1)
                .and_then(id_of)
        };
        let owner = owner("OWNER_TYPE_ID").zip(owner("OWNER_ID"));
        match cards.or(owner.map(|owner| vec![owner])) {
            Some(cards) => {
                let ids = cards.iter().filter_map(|card| self.activities_of.get(card));
                let ids: BTreeSet<u64> = ids.flatten().copied().collect();
                ids.iter()
                    .filter_map(|id| self.activities.get(id))
                    .collect()
            }
            None => self.activities.values().collect(),
        }
    }

    pub(super) fn todo_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let kind = params.required_id("ownerTypeId")?;
        let owner_id = params.required_id("ownerId")?;
        let owner = Kind::from_type_id(kind).filter(|kind| self.card(*kind, owner_id).is_some());
        if owner.is_none() {
            return Err(Refusal::bad("OWNER_NOT_FOUND", "Owner was not found"));
        }
        let deadline = params
            .word("deadline")
            .ok_or_else(|| Refusal::missing("deadline"))?;
        let deadline = dates::parse(&deadline, &self.zone).ok_or_else(|| {
            Refusal::bad("WRONG_DATETIME_FORMAT", "Incorrect date format: deadline")
        })?;
        let responsible = params.id("responsibleId").unwrap_or(caller.user_id);
        if self.user(responsible).is_none() {
            params.odd("responsible of a thing to do is no user");
        }
        let id = self.next_id("activity", 7_943);
        let mut activity = Activity::new(id, (kind, owner_id), caller.user_id, caller.seconds());
        activity.provider_id = TODO.into();
        activity.provider_type_id = "TODO".into();
        activity.subject = params.word("title").unwrap_or_else(|| "Дело".into());
        activity.description = params.text("description").unwrap_or_default();
        activity.responsible_id = responsible;
        activity.deadline = Some(deadline);
        activity.start_at = deadline;
        activity.end_at = deadline;
        self.keep_activity(activity, "ADD", caller);
        Ok(json!({"id": id}).into())
    }

    pub(super) fn configurable_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let kind = params.required_id("ownerTypeId")?;
        let owner_id = params.required_id("ownerId")?;
        let owner = Kind::from_type_id(kind).filter(|kind| self.card(*kind, owner_id).is_some());
        if owner.is_none() {
            return Err(Refusal::bad("OWNER_NOT_FOUND", "Owner was not found"));
        }
        let layout = params.object("layout").filter(|layout| !layout.is_empty());
        let layout = layout.ok_or_else(|| Refusal::missing("layout"))?;
        let given = params.object("fields").unwrap_or_default();
        let id = self.next_id("activity", 7_943);
        let mut activity = Activity::new(id, (kind, owner_id), caller.user_id, caller.seconds());
        activity.provider_id = "CONFIGURABLE_REST_APP".into();
        activity.provider_type_id = "CONFIGURABLE".into();
        activity.client_id = caller.client_id.clone();
        activity.layout = Value::Object(layout);
        self.fill_configurable(&mut activity, &given)?;
        self.keep_activity(activity, "ADD", caller);
        Ok(json!({"activity": {"id": id}}).into())
    }

    pub(super) fn configurable_update(&mut self, params: &Params, caller: &Caller) -> Answered {
        let mut activity = self.wanted_activity(params)?;
        if activity.client_id != caller.client_id {
            let text = "Only the application that made the activity can change it";
            return Err(Refusal::bad("ERROR_WRONG_APPLICATION", text));
        }
        let given = params.object("fields").unwrap_or_default();
        if let Some(layout) = params.object("layout") {
            activity.layout = Value::Object(layout);
        }
        self.fill_configurable(&mut activity, &given)?;
        activity.updated_at = caller.seconds();
        let id = activity.id;
        self.keep_activity(activity, "UPDATE", caller);
        Ok(json!({"activity": {"id": id}}).into())
    }

    /// Keeps an activity and tells of it.
    pub(super) fn keep_activity(&mut self, activity: Activity, what: &str, caller: &Caller) {
        let id = activity.id;
        // Bindings never change once they are made.
        for binding in &activity.bindings {
            self.activities_of.entry(*binding).or_default().insert(id);
        }
        self.activities.insert(id, activity);
        self.tell_activity(id, what, Some(caller));
    }

    fn tell_activity(&mut self, id: u64, what: &str, caller: Option<&Caller>) {
        let data = json!({"FIELDS": {"ID": id.to_string()}});
        let event = format!("ONCRMACTIVITY{what}");
        self.emit(&event, &format!("activity {id}"), &data, caller);
    }

    fn wanted_activity(&self, params: &Params) -> Result<Activity, Refusal> {
        let id = params.id("id").unwrap_or(0);
        let activity = self.activities.get(&id).cloned();
        activity.ok_or_else(|| self.classic("Activity is not found"))
    }

    /// Returns whether a communication may stand on an activity of this owner.
    fn belongs(&self, owner: Kind, owner_id: u64, of: (u64, u64)) -> bool {
        if of == (owner.type_id(), owner_id) {
            return true;
        }
        let Some(card) = self.card(owner, owner_id) else {
            return false;
        };
        match Kind::from_type_id(of.0) {
            Some(Kind::Contact) => card.contacts.contains(&of.1),
            Some(Kind::Company) => card.number("COMPANY_ID") == of.1,
            Some(Kind::Lead) => card.number("LEAD_ID") == of.1,
            _ => false,
        }
    }

    fn fill_activity(
        &self,
        activity: &mut Activity,
        given: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let text = |name: &str| given.get(name).and_then(text_of);
        let moment = |name: &str| match text(name).filter(|text| !text.is_empty()) {
            Some(text) => match dates::parse(&text, &self.zone) {
                Some(seconds) => Ok(Some(seconds)),
                None => {
                    let text = format!("The field {name} is not defined or invalid");
                    Err(self.classic(&text))
                }
            },
            None => Ok(None),
        };
        for (name, into) in [
            ("SUBJECT", &mut activity.subject),
            ("DESCRIPTION", &mut activity.description),
            ("ORIGINATOR_ID", &mut activity.originator_id),
            ("ORIGIN_ID", &mut activity.origin_id),
        ] {
            if let Some(text) = text(name) {
                *into = text;
            }
        }
        for (name, into) in [
            ("DESCRIPTION_TYPE", &mut activity.description_type),
            ("DIRECTION", &mut activity.direction),
            ("PRIORITY", &mut activity.priority),
        ] {
            if let Some(number) = given.get(name).and_then(id_of) {
                *into = number;
            }
        }
        if let Some(completed) = given.get("COMPLETED").and_then(flag_of) {
            activity.is_completed = completed;
        }
        if let Some(start) = moment("START_TIME")? {
            activity.start_at = start;
            activity.end_at = activity.end_at.max(start);
        }
        if let Some(end) = moment("END_TIME")? {
            activity.end_at = end;
        }
        if let Some(deadline) = moment("DEADLINE")? {
            activity.deadline = Some(deadline);
        }
        Ok(())
    }

    fn fill_configurable(
        &self,
        activity: &mut Activity,
        given: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let text = |name: &str| given.get(name).and_then(text_of);
        if let Some(id) = given.get("responsibleId").and_then(id_of) {
            activity.responsible_id = id;
        }
        if let Some(completed) = given.get("completed").and_then(flag_of) {
            activity.is_completed = completed;
        }
        activity.originator_id = text("originatorId").unwrap_or_default();
        activity.origin_id = text("originId").unwrap_or_default();
        let incoming = given.get("isIncomingChannel").and_then(flag_of);
        let deadline = text("deadline").filter(|text| !text.is_empty());
        if incoming == Some(true) && deadline.is_some() {
            let text = "An incoming activity cannot have a deadline";
            return Err(Refusal::bad("ERROR_ARGUMENT", text));
        }
        if let Some(deadline) = deadline {
            let seconds = dates::parse(&deadline, &self.zone);
            let wrong = || Refusal::bad("WRONG_DATETIME_FORMAT", "Incorrect date format: deadline");
            activity.deadline = Some(seconds.ok_or_else(wrong)?);
        }
        let header = object_of(&activity.layout).and_then(|layout| {
            let header = layout.get("header")?.get("title")?;
            text_of(header)
        });
        activity.subject = header.unwrap_or_default();
        Ok(())
    }

    /// Keeps the files of a request and returns their numbers.
    pub(super) fn store_files(&mut self, files: Option<&Value>) -> Vec<u64> {
        let count = files.and_then(list_of).map_or(0, |files| files.len());
        (0..count).map(|_| self.next_id("file", 9_079)).collect()
    }
}

fn text_field(given: &Map<String, Value>, name: &str) -> String {
    given.get(name).and_then(text_of).unwrap_or_default()
}
