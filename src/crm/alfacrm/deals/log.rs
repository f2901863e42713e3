//! The log as deals need it (`crm/alfacrm.md` §6): moves from stage to stage, when a lead became a
//! client, what was deleted. A role may not see it: then what is seen must do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CLASS, FIRST, Of, UNASSIGNED, lead_id};
use crate::crm::alfacrm::AlfaAdapter;
use crate::crm::alfacrm::client::{List, Unanswered};
use crate::crm::alfacrm::wire::{Row, filter_day};
use crate::model::deal::{StageMove, StagePlace};
use crate::model::timestamp::Timestamp;

/// Most pages of one question: days of a busy school.
const PAGES_MAX: u64 = 50;

/// A deletion.
const DELETED: u64 = 3;

/// What the log says of some days, or of one customer.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) moves: Vec<StageMove>,
    /// What was deleted, with the customers of payments.
    pub(super) deleted: BTreeSet<(bool, u64)>,
    pub(super) customers_of_deleted: BTreeSet<u64>,
    /// When leads became clients, the first time each.
    pub(super) clients: Vec<(u64, Timestamp)>,
}

impl Log {
    /// Returns what was deleted.
    pub(super) fn gone(&self) -> impl Iterator<Item = Of> + '_ {
        self.deleted.iter().map(|(is_pay, id)| match is_pay {
            true => Of::Pay(*id),
            false => Of::Customer(*id),
        })
    }

    fn add(&mut self, record: &Value, adapter: &AlfaAdapter) {
        let row = Row(record);
        let (entity, id) = (row.text("entity"), row.number("entity_id"));
        let (Some(entity), Some(id)) = (entity, id) else {
            return;
        };
        let is_pay = match entity.as_str() {
            "Customer" => false,
            "Pay" => true,
            _ => return,
        };
        let new = record.get("fields_new").map(Row);
        let old = record.get("fields_old").map(Row);
        if row.number("event") == Some(DELETED) {
            self.deleted.insert((is_pay, id));
            let customers = [new, old].into_iter().flatten();
            let customers = customers.filter_map(|fields| fields.number("customer_id"));
            self.customers_of_deleted
                .extend(customers.filter(|_| is_pay));
            return;
        }
        let at = row.time("date_time", &adapter.settings.zone);
        let (Some(at), false) = (at, is_pay) else {
            return;
        };
        let study = |fields: Option<Row<'_>>| fields.and_then(|fields| fields.number("is_study"));
        if study(new) == Some(1) && study(old) != Some(1) {
            self.clients.push((id, at));
        }
        self.moves.extend(stage_move(row, id, at));
    }
}

/// Reads a move; none where the stage is not among what was changed. A card that is made in a stage
/// moved from nowhere: that is no move.
fn stage_move(row: Row<'_>, customer: u64, at: Timestamp) -> Option<StageMove> {
    const STAGE: &str = "lead_status_id";
    let (old, new) = (row.0.get("fields_old")?, row.0.get("fields_new")?);
    if new.get(STAGE).is_none() || old.get(STAGE).is_none() {
        return None;
    }
    let place = |fields: &Value| {
        let stage = Row(fields).number(STAGE).unwrap_or_default();
        StagePlace {
            pipeline: FIRST.to_owned(),
            stage: match stage {
                0 => UNASSIGNED.to_owned(),
                stage => stage.to_string(),
            },
        }
    };
    let (from, to) = (place(old), place(new));
    (from != to).then(|| StageMove {
        deal: lead_id(customer),
        at,
        id: format!("log/{:020}", row.id().unwrap_or_default()),
        from: Some(from),
        to,
    })
}

impl AlfaAdapter {
    /// Says whether the role may see the log.
    pub(super) async fn may_see_log(&self, day: &str) -> Result<bool, Unanswered> {
        let list = List::new(
            "log/index",
            json!({ "entity": "Customer", "date_from": day }),
        );
        match self.client.page(&list, 0, CLASS).await {
            Ok(_) => Ok(true),
            Err(Unanswered::Barred(_) | Unanswered::Refused(_)) => Ok(false),
            Err(failed) => Err(failed),
        }
    }

    /// Reads the log of all customers and payments since a time; `None` where the role may not see
    /// it, or it holds too much.
    pub(super) async fn log_since(
        &self,
        since: Timestamp,
        until: Timestamp,
        branches: &[u64],
    ) -> Result<Option<Log>, Unanswered> {
        let mut log = Log::default();
        for branch in branches {
            for entity in ["Customer", "Pay"] {
                let filters = json!({
                    "entity": entity, "date_from": filter_day(since, &self.settings.zone),
                    "date_to": filter_day(until, &self.settings.zone),
                });
                if !self.add_log(filters, *branch, &mut log).await? {
                    return Ok(None);
                }
            }
        }
        Ok(Some(log))
    }

    /// Reads everything that the log says of one customer.
    pub(super) async fn log_of(
        &self,
        customer: u64,
        branches: &[u64],
    ) -> Result<Option<Log>, Unanswered> {
        let mut log = Log::default();
        for branch in branches {
            let filters = json!({ "entity": "Customer", "entity_id": customer });
            if !self.add_log(filters, *branch, &mut log).await? {
                return Ok(None);
            }
        }
        // Where the filter is ignored, others are told, too.
        log.clients.retain(|(id, _)| *id == customer);
        let own = lead_id(customer);
        log.moves.retain(|one| one.deal == own);
        Ok(Some(log))
    }

    async fn add_log(
        &self,
        filters: Value,
        branch: u64,
        log: &mut Log,
    ) -> Result<bool, Unanswered> {
        let list = List::new("log/index", filters).in_branch(branch);
        match self.client.all(&list, PAGES_MAX, CLASS).await {
            Ok(Some(records)) => {
                records.iter().for_each(|record| log.add(record, self));
                Ok(true)
            }
            Ok(None) | Err(Unanswered::Barred(_) | Unanswered::Refused(_)) => Ok(false),
            Err(failed) => Err(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_told_by_what_changed_and_by_nothing_else() {
        let at = Timestamp::from_secs(5);
        let read = |old: Value, new: Value| {
            let record = json!({"id": "77", "fields_old": old, "fields_new": new});
            stage_move(Row(&record), 145, at)
        };
        let moved = read(
            json!({"lead_status_id": "3"}),
            json!({"lead_status_id": 5, "note": "x"}),
        );
        let moved = moved.expect("a move");
        assert_eq!((&*moved.deal, &*moved.to.stage), ("lead:145", "5"));
        assert_eq!(moved.from.map(|from| from.stage).as_deref(), Some("3"));
        let from_none = read(
            json!({"lead_status_id": null}),
            json!({"lead_status_id": "5"}),
        );
        let from = from_none.and_then(|one| one.from).map(|from| from.stage);
        assert_eq!(from.as_deref(), Some(UNASSIGNED));
        for (old, new) in [
            (json!([]), json!({"lead_status_id": "5"})),
            (json!({"note": "x"}), json!({"note": "y"})),
            (json!([]), json!([])),
            (json!(""), json!(null)),
            (json!({"lead_status_id": "5"}), json!({"lead_status_id": 5})),
        ] {
            assert_eq!(read(old.clone(), new.clone()), None, "{old} {new}");
        }
    }
}
