//! Lists and single cards: search, filters where the account paid for them, order, pages
//! (crm/amocrm.md §5, §8, §9).

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::account::render_loss_reason;
use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::records::{Card, Kind};
use super::world::World;

/// Cards per page at most.
const PAGE_MAX: u64 = 250;

impl World {
    /// `GET /{entity}`.
    pub(super) fn list_cards(&mut self, kind: Kind, incoming: &Incoming, caller: &Caller) -> Reply {
        let query = &incoming.query;
        if query
            .get("limit")
            .and_then(|l| l.parse::<u64>().ok())
            .is_some_and(|l| l > PAGE_MAX)
        {
            self.odd("limit above 250".into());
        }
        if query.any_begins_with("filter[") && !self.filters_enabled {
            self.odd(format!("filter ignored: {}", kind.plural()));
        }
        let wanted = query.get("query").map(|q| q.trim().to_lowercase());
        let wanted = wanted.filter(|q| !q.is_empty());
        let listed = |card: &&Card| {
            let shown = !card.waiting || (kind == Kind::Lead && self.switches.waiting_leads_listed);
            let text = || card.indexed.at(caller.now.instant);
            shown
                && !card.deleted
                && wanted.as_ref().is_none_or(|q| text().contains(q.as_str()))
                && (!self.filters_enabled || passes(card, incoming))
        };
        let mut cards: Vec<&Card> = self.cards_of(kind).filter(listed).collect();
        if self.not_modified(&cards, incoming) {
            return Reply::plain(304, "application/hal+json", "");
        }
        order(&mut cards, incoming);
        self.paging(PAGE_MAX)
            .reply(incoming, kind.plural(), &cards, |card| {
                self.render_card(card, incoming)
            })
    }

    /// `GET /{entity}/{id}`: 204 for one that is missing (crm/amocrm.md §3).
    pub(super) fn get_card(&self, kind: Kind, id: u64, incoming: &Incoming) -> Reply {
        let readable = self.switches.waiting_card_readable_by_id;
        let card = self.card(kind, id).filter(|card| !card.waiting || readable);
        card.map_or_else(Reply::empty, |card| {
            Reply::ok(&self.render_card(card, incoming))
        })
    }

    /// Returns the model of a card.
    pub(super) fn render_card(&self, card: &Card, incoming: &Incoming) -> Value {
        let with = |word| incoming.query.with(word);
        let tags = card
            .tags
            .iter()
            .filter_map(|id| self.tags.iter().find(|tag| tag.id == *id));
        let tags: Vec<Value> = tags
            .map(|tag| json!({"id": tag.id, "name": tag.name, "color": tag.color}))
            .collect();
        let refs = |kind: Kind| -> Vec<Value> {
            let ids = self.linked(card.kind, card.id, kind).into_iter();
            let link = |id| incoming.link(&format!("/api/v4/{}/{id}", kind.plural()));
            ids.map(|id| json!({"id": id, "_links": link(id)}))
                .collect()
        };
        let mut embedded = json!({"tags": tags, "companies": refs(Kind::Company)});
        let mut row = json!({
            "id": card.id, "name": card.name, "responsible_user_id": card.responsible_user_id,
            "group_id": 0, "created_by": card.created_by, "updated_by": card.updated_by,
            "created_at": card.created_at, "updated_at": card.updated_at,
            "is_deleted": card.deleted, "closest_task_at": self.closest_task(card),
            "custom_fields_values": self.render_values(card), "account_id": self.account_id,
            "_links": incoming.link(&format!("/api/v4/{}/{}", card.kind.plural(), card.id)),
        });
        match card.kind {
            Kind::Contact => {
                row["first_name"] = json!(card.first_name);
                row["last_name"] = json!(card.last_name);
            }
            Kind::Lead => {
                self.render_deal(card, incoming, &mut row, &mut embedded);
            }
            Kind::Company | Kind::Customer => {}
        }
        if card.kind != Kind::Lead && with("leads") {
            embedded["leads"] = json!(refs(Kind::Lead));
        }
        if card.kind == Kind::Company && with("contacts") {
            embedded["contacts"] = json!(refs(Kind::Contact));
        }
        if with("customers") {
            embedded["customers"] = json!(refs(Kind::Customer));
        }
        row["_embedded"] = embedded;
        row
    }

    fn render_deal(&self, card: &Card, incoming: &Incoming, row: &mut Value, embedded: &mut Value) {
        let deal = &card.deal;
        row["price"] = json!(deal.price);
        row["pipeline_id"] = json!(deal.pipeline_id);
        row["status_id"] = json!(deal.status_id);
        row["loss_reason_id"] = json!(deal.loss_reason_id);
        row["closed_at"] = json!(deal.closed_at);
        row["score"] = Value::Null;
        row["labor_cost"] = Value::Null;
        let with = |word| incoming.query.with(word);
        if with("contacts") {
            let ids = self.linked(Kind::Lead, card.id, Kind::Contact).into_iter();
            let is_main = |id| {
                self.links
                    .get(&(Kind::Lead, card.id, Kind::Contact, id))
                    .copied()
            };
            let row = |id| {
                let links = incoming.link(&format!("/api/v4/contacts/{id}"));
                json!({"id": id, "is_main": is_main(id).unwrap_or(false), "_links": links})
            };
            embedded["contacts"] = json!(ids.map(row).collect::<Vec<Value>>());
        }
        if with("loss_reason") {
            let reason = self
                .loss_reasons
                .iter()
                .find(|(id, _)| Some(*id) == deal.loss_reason_id);
            let rows: Vec<Value> = reason
                .iter()
                .map(|(id, name)| render_loss_reason(*id, name))
                .collect();
            embedded["loss_reason"] = json!(rows);
        }
        if with("source_id") {
            row["source_id"] = Value::Null;
        }
    }

    fn closest_task(&self, card: &Card) -> Option<i64> {
        let range = (card.kind, card.id, 0)..=(card.kind, card.id, u64::MAX);
        let tasks = self
            .tasks_of_cards
            .range(range)
            .filter_map(|key| self.tasks.get(&key.2));
        let open = tasks.filter(|t| t.entity == Some((card.kind, card.id)) && !t.is_completed);
        open.map(|task| task.complete_till).min()
    }

    fn not_modified(&self, cards: &[&Card], incoming: &Incoming) -> bool {
        let since = incoming.if_modified_since.as_deref();
        let since = since.filter(|_| self.switches.if_modified_since);
        let since = since.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        since.is_some_and(|since| {
            let since = since.timestamp().as_second();
            cards.iter().all(|card| card.updated_at <= since)
        })
    }
}

/// Sorts by the first `order[…]` that the list knows; by id without one.
fn order(cards: &mut [&Card], incoming: &Incoming) {
    type Key = fn(&Card) -> i64;
    let keys: [(&str, Key); 3] = [
        ("order[updated_at]", |c| c.updated_at),
        ("order[created_at]", |c| c.created_at),
        ("order[id]", |c| i64::try_from(c.id).unwrap_or(i64::MAX)),
    ];
    for (name, key) in keys {
        match incoming.query.get(name) {
            Some("desc") => return cards.sort_by_key(|c| Reverse((key(c), c.id))),
            Some(_) => return cards.sort_by_key(|c| (key(c), c.id)),
            None => {}
        }
    }
}

/// Applies the filters of the paid option.
fn passes(card: &Card, incoming: &Incoming) -> bool {
    let query = &incoming.query;
    let one_of = |key: &str, value: u64| {
        let wanted = query.numbers(key);
        wanted.is_empty() || wanted.iter().any(|w| u64::try_from(*w) == Ok(value))
    };
    let within = |key: &str, value: i64| {
        let (from, to) = query.range(key);
        from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to)
    };
    let names = query.list("filter[name]");
    let by_name = names.is_empty() || names.contains(&card.name.as_str());
    let mut by_values = true;
    for (rest, value) in query.beginning_with("filter[custom_fields_values][") {
        let field = rest.split(']').next().and_then(|id| id.parse::<u64>().ok());
        let stored = field
            .and_then(|field| card.values.get(&field))
            .into_iter()
            .flatten();
        by_values &= stored.into_iter().any(|v| v.text() == value);
    }
    by_name
        && by_values
        && one_of("filter[id]", card.id)
        && one_of("filter[responsible_user_id]", card.responsible_user_id)
        && one_of("filter[created_by]", card.created_by)
        && one_of("filter[updated_by]", card.updated_by)
        && within("filter[created_at]", card.created_at)
        && within("filter[updated_at]", card.updated_at)
        && (card.kind != Kind::Lead || passes_as_lead(card, incoming))
}

fn passes_as_lead(card: &Card, incoming: &Incoming) -> bool {
    let query = &incoming.query;
    let pipelines = query.numbers("filter[pipeline_id]");
    let by_pipeline = pipelines.is_empty()
        || pipelines
            .iter()
            .any(|p| u64::try_from(*p) == Ok(card.deal.pipeline_id));
    // filter[statuses][n][pipeline_id] and filter[statuses][n][status_id] belong together by n.
    let parts = query.beginning_with("filter[statuses][");
    let value = |n: &str, key: &str| {
        let name = format!("{n}][{key}]");
        let part = parts.iter().find(|(rest, _)| *rest == name);
        part.and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let numbers = parts.iter().filter_map(|(rest, _)| rest.split(']').next());
    let fits = |n: &str| {
        value(n, "status_id") == Some(card.deal.status_id)
            && value(n, "pipeline_id").is_none_or(|p| p == card.deal.pipeline_id)
    };
    let (from, to) = query.range("filter[closed_at]");
    let closed = card.deal.closed_at;
    by_pipeline
        && (parts.is_empty() || numbers.into_iter().any(fits))
        && from.is_none_or(|from| closed.is_some_and(|c| c >= from))
        && to.is_none_or(|to| closed.is_some_and(|c| c <= to))
}
