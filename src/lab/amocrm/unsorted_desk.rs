//! Reading and sorting unsorted records over the interface: lists, one record, accept, decline,
//! summary (crm/amocrm.md §10).

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::records::{Unsorted, UnsortedState};
use super::review::{Object, Review};
use super::world::World;

const PAGE_MAX: u64 = 250;
const CATEGORIES: [&str; 4] = ["sip", "mail", "forms", "chats"];

impl World {
    /// `/leads/unsorted…`.
    pub(super) fn unsorted_resource(
        &mut self,
        rest: &[&str],
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        match (incoming.method.as_str(), rest) {
            ("POST", ["sip"]) => self.create_unsorted("sip", incoming, caller),
            ("POST", ["forms"]) => self.create_unsorted("forms", incoming, caller),
            // The other categories come from built-in channels only.
            ("POST", [_]) => Reply::method_not_allowed(),
            ("GET", []) => self.list_unsorted(incoming),
            ("GET", ["summary"]) => self.summarise_unsorted(incoming),
            ("GET", [uid]) => {
                let record = self
                    .unsorted
                    .get(*uid)
                    .filter(|r| r.state == UnsortedState::Waiting);
                record.map_or_else(Reply::not_found, |r| {
                    Reply::ok(&self.render_unsorted(r, incoming))
                })
            }
            ("POST", [uid, "accept"]) => self.accept_unsorted(uid, incoming, caller),
            ("DELETE", [uid, "decline"]) => self.decline_unsorted(uid, incoming, caller),
            ("POST", [uid, "link"]) if self.unsorted.contains_key(*uid) => {
                Reply::problem(400, "Bad Request", "Only records of chats can be linked")
            }
            (_, [_, "accept" | "decline" | "link"]) => match incoming.method.as_str() {
                "POST" => Reply::not_found(),
                _ => Reply::method_not_allowed(),
            },
            _ => Reply::not_found(),
        }
    }

    fn list_unsorted(&self, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let uids = query.list("filter[uid]");
        let categories = query.list("filter[category]");
        let pipelines = query.numbers("filter[pipeline_id]");
        let listed = |record: &&Unsorted| {
            record.state == UnsortedState::Waiting
                && (uids.is_empty() || uids.contains(&record.uid.as_str()))
                && (categories.is_empty() || categories.contains(&record.category.as_str()))
                && (pipelines.is_empty()
                    || pipelines
                        .iter()
                        .any(|p| u64::try_from(*p) == Ok(record.pipeline_id)))
        };
        let mut records: Vec<&Unsorted> = self.unsorted.values().filter(listed).collect();
        let order = query
            .get("order[created_at]")
            .or_else(|| query.get("order[updated_at]"));
        match order {
            Some("desc") => records.sort_by_key(|r| Reverse((r.created_at, r.number))),
            _ => records.sort_by_key(|r| (r.created_at, r.number)),
        }
        let reply = self
            .paging(PAGE_MAX)
            .reply(incoming, "unsorted", &records, |record| {
                self.render_unsorted(record, incoming)
            });
        if reply.status == 204 && !self.switches.empty_unsorted_list_is_204 {
            let body = json!({"_links": incoming.self_link(), "_embedded": {"unsorted": []}});
            return Reply::ok(&body);
        }
        reply
    }

    fn accept_unsorted(&mut self, uid: &str, incoming: &Incoming, caller: &Caller) -> Reply {
        let mut review = self.review();
        let (user_id, status_id) = match self.read_sorting(uid, incoming, &mut review) {
            Ok(read) => read,
            Err(reply) => return reply,
        };
        if !review.errors.is_empty() {
            return super::review::validation_failed(vec![review.render("0")]);
        }
        let user_id = user_id.unwrap_or(caller.user_id);
        match self.accept_record(uid, user_id, status_id, caller) {
            Some(record) => Reply::ok(&self.sorted(&record, incoming, true)),
            None => self.processed_reply(uid, incoming),
        }
    }

    fn decline_unsorted(&mut self, uid: &str, incoming: &Incoming, caller: &Caller) -> Reply {
        let mut review = self.review();
        if let Err(reply) = self.read_sorting(uid, incoming, &mut review) {
            return reply;
        }
        if !review.errors.is_empty() {
            return super::review::validation_failed(vec![review.render("0")]);
        }
        match self.decline_record(uid, caller) {
            // The docs omit companies in this answer (§21.8).
            Some(record) => Reply::ok(&self.sorted(&record, incoming, false)),
            None => self.processed_reply(uid, incoming),
        }
    }

    /// Reads the optional body of accept and decline.
    fn read_sorting(
        &self,
        uid: &str,
        incoming: &Incoming,
        review: &mut Review,
    ) -> Result<(Option<u64>, Option<u64>), Reply> {
        if incoming.body.is_empty() {
            return Ok((None, None));
        }
        let body = incoming.json()?;
        let Some(object) = Object::of(&body, String::new(), review) else {
            return Ok((None, None));
        };
        object.known("sorting", &["user_id", "status_id"], review);
        let user_id = object.id("user_id", review);
        if let Some(id) = user_id {
            self.check_responsible(id, "user_id".into(), review);
        }
        let status_id = object.id("status_id", review);
        let pipeline = self
            .unsorted
            .get(uid)
            .and_then(|r| self.pipeline(r.pipeline_id));
        let fits = |id| pipeline.is_none_or(|p| p.status(id).is_some_and(|s| s.kind == 0));
        if status_id.is_some_and(|id| !fits(id)) {
            review.choice("status_id".into());
        }
        Ok((user_id, status_id))
    }

    fn processed_reply(&self, uid: &str, incoming: &Incoming) -> Reply {
        let record = self.unsorted.get(uid);
        match record.filter(|_| !self.switches.processed_unsorted_is_404) {
            Some(record) => Reply::ok(&self.sorted(record, incoming, true)),
            None => Reply::not_found(),
        }
    }

    fn sorted(&self, record: &Unsorted, incoming: &Incoming, companies: bool) -> Value {
        json!({
            "uid": record.uid, "category": record.category, "pipeline_id": record.pipeline_id,
            "created_at": record.created_at, "_links": incoming.self_link(),
            "_embedded": record.references(incoming, companies),
        })
    }

    fn summarise_unsorted(&self, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let (from, to) = query.range("filter[created_at]");
        let pipelines = query.numbers("filter[pipeline_id]");
        let counted = |r: &&Unsorted| {
            from.is_none_or(|from| r.created_at >= from)
                && to.is_none_or(|to| r.created_at <= to)
                && (pipelines.is_empty()
                    || pipelines
                        .iter()
                        .any(|p| u64::try_from(*p) == Ok(r.pipeline_id)))
        };
        let records: Vec<&Unsorted> = self.unsorted.values().filter(counted).collect();
        let in_state = |state| records.iter().filter(|r| r.state == state).count();
        let spans = records
            .iter()
            .filter_map(|r| Some(r.sorted_at?.saturating_sub(r.created_at)));
        let (sum, count) = spans.fold((0_i64, 0), |(sum, count), span| {
            (sum.saturating_add(span), count + 1)
        });
        let mut categories = json!({});
        for category in CATEGORIES {
            let total = records.iter().filter(|r| r.category == category).count();
            categories[category] = json!({"total": total});
        }
        Reply::ok(&json!({
            "total": records.len(), "accepted": in_state(UnsortedState::Accepted),
            "declined": in_state(UnsortedState::Declined),
            "average_sort_time": sum.checked_div(count).unwrap_or(0),
            "categories": categories, "_links": incoming.self_link(),
        }))
    }

    fn render_unsorted(&self, record: &Unsorted, incoming: &Incoming) -> Value {
        let mut metadata = record.metadata.clone();
        if let Some(map) = metadata.as_object_mut() {
            // It is write-only.
            map.remove("is_call_event_needed");
            for value in map
                .values_mut()
                .filter(|_| self.switches.metadata_numbers_as_text)
            {
                if value.is_number() {
                    *value = json!(value.to_string());
                }
            }
        }
        json!({
            "uid": record.uid, "source_uid": record.source_uid, "source_name": record.source_name,
            "category": record.category, "pipeline_id": record.pipeline_id,
            "created_at": record.created_at, "metadata": metadata, "account_id": self.account_id,
            "_links": incoming.link(&format!("/api/v4/leads/unsorted/{}", record.uid)),
            "_embedded": record.references(incoming, true),
        })
    }
}
