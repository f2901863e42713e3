//! Array bodies: every item is judged before any takes effect.

use serde_json::Value;

use super::exchange::{Incoming, Reply};
use super::review::{Object, Review, validation_failed};
use super::world::World;

/// Items of one POST or PATCH at most (crm/amocrm.md §4).
pub(super) const ITEMS_MAX: usize = 250;

impl World {
    /// Reads every item, and applies them if all are valid. Whether the valid items of a partly
    /// invalid body are stored is a switch.
    pub(super) fn batch<D>(
        &mut self,
        incoming: &Incoming,
        items_max: usize,
        read: impl Fn(&World, &Value, &mut Review) -> Option<D>,
        mut apply: impl FnMut(&mut World, D, &str) -> Value,
    ) -> Result<Vec<Value>, Reply> {
        let Value::Array(items) = incoming.json()? else {
            return Err(Reply::problem(
                400,
                "Bad Request",
                "Request body must be an array",
            ));
        };
        if items.is_empty() || items.len() > items_max {
            let detail = format!("This collection should contain 1 to {items_max} elements");
            return Err(Reply::problem(400, "Bad Request", &detail));
        }
        if self.is_full() {
            return Err(Reply::problem(
                507,
                "Insufficient Storage",
                "The lab is full; reset it",
            ));
        }
        let mut accepted = Vec::new();
        let mut refused = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let request_id = Object::request_id(item, n);
            let mut review = self.review();
            let draft = read(self, item, &mut review);
            if !review.errors.is_empty() {
                refused.push(review.render(&request_id));
            } else if let Some(draft) = draft {
                accepted.push((draft, request_id));
            }
            review.oddities.into_iter().for_each(|odd| self.odd(odd));
        }
        if !refused.is_empty() && !self.switches.invalid_batch_stores_valid_items {
            return Err(validation_failed(refused));
        }
        let rows = accepted
            .into_iter()
            .map(|(draft, id)| apply(self, draft, &id))
            .collect();
        if refused.is_empty() {
            Ok(rows)
        } else {
            Err(validation_failed(refused))
        }
    }

    /// Reads and applies a body that is one object.
    pub(super) fn single<D>(
        &mut self,
        incoming: &Incoming,
        read: impl Fn(&World, &Value, &mut Review) -> Option<D>,
        apply: impl FnOnce(&mut World, D) -> Value,
    ) -> Reply {
        let item = match incoming.json() {
            Ok(item) => item,
            Err(reply) => return reply,
        };
        let mut review = self.review();
        let draft = read(self, &item, &mut review);
        let failed = (!review.errors.is_empty()).then(|| review.render("0"));
        review.oddities.into_iter().for_each(|odd| self.odd(odd));
        match (failed, draft) {
            (None, Some(draft)) => Reply::ok(&apply(self, draft)),
            (failed, _) => validation_failed(failed.into_iter().collect()),
        }
    }
}
