//! The offline queue: events that an application behind NAT fetches by itself
//! (crm/bitrix24.md §4).

use serde_json::{Value, json};

use super::auth::{Caller, opaque};
use super::dates;
use super::methods::Answered;
use super::params::{Params, flag_of, list_of, object_of, text_of};
use super::records::OfflineEvent;
use super::refusal::Refusal;
use super::world::World;

/// Rows of one answer without `limit`.
const LIMIT: i64 = 50;

impl World {
    pub(super) fn offline_get(&mut self, params: &Params, caller: &Caller) -> Answered {
        let clears = params.get("clear").and_then(flag_of).unwrap_or(true);
        if !clears && !self.switches.offline_reserve_available {
            let text = "Extended offline events are not available on this plan";
            return Err(Refusal::denied(text));
        }
        let wanted = params.word("process_id");
        let rows = self.offline_rows_of(params, caller, wanted.as_deref());
        let ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
        let events: Vec<Value> = rows.iter().map(|row| self.render_offline(row)).collect();
        let process_id = match (clears, wanted) {
            (true, _) => {
                ids.iter().for_each(|id| {
                    self.offline.remove(id);
                });
                None
            }
            (false, Some(process_id)) => Some(process_id),
            (false, None) => {
                let number = self.next_id("process", 1);
                let seed = format!("{}/process/{number}", self.options.member_id);
                let process_id = opaque(&seed);
                for id in &ids {
                    if let Some(row) = self.offline.get_mut(id) {
                        row.process_id = Some(process_id.clone());
                    }
                }
                Some(process_id)
            }
        };
        Ok(json!({"process_id": process_id, "events": events}).into())
    }

    pub(super) fn offline_list(&mut self, params: &Params, caller: &Caller) -> Answered {
        let client_id = caller.client_id.as_deref().unwrap_or("");
        let rows = self
            .offline
            .values()
            .filter(|row| row.client_id == client_id);
        let rows: Vec<Value> = rows.map(|row| self.render_offline(row)).collect();
        Ok(super::listing::page(
            rows,
            params,
            &self.switches,
            Value::Array,
        ))
    }

    pub(super) fn offline_clear(&mut self, params: &Params, caller: &Caller) -> Answered {
        let ids = self.reserved(params, caller)?;
        for id in &ids {
            self.offline.remove(id);
        }
        Ok(json!(true).into())
    }

    pub(super) fn offline_error(&mut self, params: &Params, caller: &Caller) -> Answered {
        let ids = self.reserved(params, caller)?;
        for id in &ids {
            if let Some(row) = self.offline.get_mut(id) {
                row.is_error = true;
            }
        }
        Ok(json!(true).into())
    }

    /// Returns the rows of a process, or those that are named of them.
    fn reserved(&self, params: &Params, caller: &Caller) -> Result<Vec<u64>, Refusal> {
        let process_id = params.word("process_id");
        let process_id = process_id.ok_or_else(|| Refusal::missing("process_id"))?;
        let named = params.get("message_id").and_then(list_of);
        let named: Option<Vec<String>> =
            named.map(|list| list.iter().filter_map(text_of).collect());
        let client_id = caller.client_id.as_deref().unwrap_or("");
        let rows = self.offline.values().filter(|row| {
            row.client_id == client_id
                && row.process_id.as_deref() == Some(process_id.as_str())
                && named
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&row.message_id))
        });
        Ok(rows.map(|row| row.id).collect())
    }

    fn offline_rows_of(
        &self,
        params: &Params,
        caller: &Caller,
        process_id: Option<&str>,
    ) -> Vec<OfflineEvent> {
        let client_id = caller.client_id.as_deref().unwrap_or("");
        let connector = params.word("auth_connector").unwrap_or_default();
        let errors = params.get("error").and_then(flag_of).unwrap_or(false);
        let filter = params.get("filter").and_then(object_of).unwrap_or_default();
        let event = filter.get("EVENT_NAME").and_then(text_of);
        let limit = params.integer("limit").unwrap_or(LIMIT).clamp(1, 1_000);
        let rows = self.offline.values().filter(|row| {
            row.client_id == client_id
                && row.auth_connector == connector
                && row.process_id.as_deref() == process_id
                && (process_id.is_none() || row.is_error == errors)
                && event.as_ref().is_none_or(|event| *event == row.event)
        });
        let limit = usize::try_from(limit).unwrap_or(50);
        rows.take(limit).cloned().collect()
    }

    fn render_offline(&self, row: &OfflineEvent) -> Value {
        json!({
            "ID": row.id.to_string(), "TIMESTAMP_X": dates::iso(row.at, &self.zone),
            "EVENT_NAME": row.event,
            // No data is `false`, not an empty object.
            "EVENT_DATA": match &row.data {
                Value::Object(map) if map.is_empty() => json!(false),
                data => data.clone(),
            },
            "EVENT_ADDITIONAL": false, "MESSAGE_ID": row.message_id,
        })
    }
}
