//! External lines, and the statistics of finished calls (crm/bitrix24.md §8).

use serde_json::{Value, json};

use super::auth::Caller;
use super::dates;
use super::listing::{Filter, page, sort};
use super::methods::Answered;
use super::params::Params;
use super::records::{FinishedCall, Line};
use super::world::World;

impl World {
    pub(super) fn line_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let Some(number) = params.word("NUMBER") else {
            return Err(self.telephony("NUMBER should be specified"));
        };
        if self.lines.values().any(|line| line.number == number) {
            return Err(self.telephony("Line already exists"));
        }
        let name = params.word("NAME").unwrap_or_default();
        let auto_create = params.flag("CRM_AUTO_CREATE").unwrap_or(true);
        let client_id = caller.client_id.clone().unwrap_or_default();
        let id = self.add_line(&number, &name, auto_create, &client_id);
        Ok(json!({"ID": id}).into())
    }

    pub(super) fn add_line(
        &mut self,
        number: &str,
        name: &str,
        auto_create: bool,
        client_id: &str,
    ) -> u64 {
        let id = self.next_id("line", 7);
        self.lines.insert(
            id,
            Line {
                id,
                number: number.to_owned(),
                name: name.to_owned(),
                auto_create,
                client_id: client_id.to_owned(),
            },
        );
        id
    }

    pub(super) fn line_get(&mut self, _: &Params, caller: &Caller) -> Answered {
        let client_id = caller.client_id.clone().unwrap_or_default();
        let own = self
            .lines
            .values()
            .filter(|line| line.client_id == client_id);
        let rows = own.map(|line| {
            json!({
                "NUMBER": line.number, "NAME": line.name,
                "CRM_AUTO_CREATE": if line.auto_create { "Y" } else { "N" },
            })
        });
        Ok(rows.collect::<Value>().into())
    }

    pub(super) fn line_update(&mut self, params: &Params, _: &Caller) -> Answered {
        let number = params.word("NUMBER").unwrap_or_default();
        let line = self.lines.values_mut().find(|line| line.number == number);
        let Some(line) = line else {
            return Err(self.telephony("Line is not found"));
        };
        if let Some(name) = params.word("NAME") {
            line.name = name;
        }
        if let Some(auto_create) = params.flag("CRM_AUTO_CREATE") {
            line.auto_create = auto_create;
        }
        Ok(json!({"ID": line.id}).into())
    }

    pub(super) fn line_delete(&mut self, params: &Params, _: &Caller) -> Answered {
        let number = params.word("NUMBER").unwrap_or_default();
        let before = self.lines.len();
        self.lines.retain(|_, line| line.number != number);
        match self.lines.len() < before {
            true => Ok(json!(true).into()),
            false => Err(self.telephony("Line is not found")),
        }
    }

    pub(super) fn statistic_get(&mut self, params: &Params, _: &Caller) -> Answered {
        let filter = Filter::read(&params.object("FILTER").unwrap_or_default(), false);
        let values = |finished: &FinishedCall, name: &str| {
            let call = &finished.call;
            Some(vec![match name {
                "ID" => json!(finished.id),
                "CALL_ID" => json!(call.call_id),
                "EXTERNAL_CALL_ID" => match &call.external_id {
                    Some(id) => json!(id),
                    None => return Some(Vec::new()),
                },
                "PORTAL_USER_ID" => json!(finished.user_id),
                "PHONE_NUMBER" => json!(call.phone),
                "CALL_TYPE" => json!(call.call_type),
                "CALL_DURATION" => json!(finished.duration),
                "CALL_START_DATE" => json!(call.started_at),
                "CALL_FAILED_CODE" => json!(finished.code),
                "CRM_ENTITY_TYPE" => json!(call.primary.map(|(kind, _)| kind.upper())),
                "CRM_ENTITY_ID" => json!(call.primary.map(|(_, id)| id)),
                "CRM_ACTIVITY_ID" => json!(finished.activity_id),
                _ => return None,
            }])
        };
        for name in filter.names() {
            let known = [
                "ID",
                "CALL_ID",
                "EXTERNAL_CALL_ID",
                "PORTAL_USER_ID",
                "PHONE_NUMBER",
                "CALL_TYPE",
                "CALL_DURATION",
                "CALL_START_DATE",
                "CALL_FAILED_CODE",
                "CRM_ENTITY_TYPE",
                "CRM_ENTITY_ID",
                "CRM_ACTIVITY_ID",
            ];
            if !known.contains(&name) {
                params.odd(format!("unknown field in a filter: {name:.60}"));
            }
        }
        let rows = self.finished_calls.values();
        let rows = rows.filter(|row| filter.fits(&self.zone, &|name| values(row, name)));
        let mut rows: Vec<&FinishedCall> = rows.collect();
        let mut order = serde_json::Map::new();
        if let Some(name) = params.word("SORT") {
            let way = params.word("ORDER").unwrap_or_else(|| "ASC".into());
            order.insert(name, json!(way));
        }
        sort(&mut rows, &order, "ID", |row, name| {
            values(row, name)?.into_iter().next()
        });
        let render = |rows: Vec<&FinishedCall>| {
            let rows = rows.into_iter();
            rows.map(|row| self.render_statistic(row)).collect()
        };
        Ok(page(rows, params, &self.switches, render))
    }

    fn render_statistic(&self, finished: &FinishedCall) -> Value {
        let call = &finished.call;
        json!({
            "ID": finished.id.to_string(), "CALL_ID": call.call_id,
            "EXTERNAL_CALL_ID": call.external_id,
            "PORTAL_USER_ID": finished.user_id.to_string(), "PHONE_NUMBER": call.phone,
            "PORTAL_NUMBER": call.line, "CALL_TYPE": call.call_type.to_string(),
            "CALL_DURATION": finished.duration.to_string(),
            "CALL_START_DATE": dates::iso(call.started_at, &self.zone),
            "CALL_FAILED_CODE": finished.code, "CALL_FAILED_REASON": finished.reason,
            "CALL_VOTE": finished.vote, "COST": format!("{:.4}", finished.cost),
            "COST_CURRENCY": finished.cost_currency,
            "CRM_ENTITY_TYPE": call.primary.map(|(kind, _)| kind.upper()),
            "CRM_ENTITY_ID": call.primary.map(|(_, id)| id.to_string()),
            "CRM_ACTIVITY_ID": finished.activity_id.map(|id| id.to_string()),
            "RECORD_FILE_ID": finished.record.as_ref().map(|record| record.file_id),
            "TRANSCRIPT_ID": finished.transcript_id,
        })
    }
}
