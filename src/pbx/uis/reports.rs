//! Reads reports and lists of the Data API page by page (`pbx/uis.md` §4).

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::roster::{self, People};
use super::row::Row;
use super::rpc::{Api, RpcError};
use super::{chat_row, local_time};
use crate::model::roster::ListedNumber;
use crate::model::timestamp::Timestamp;

/// Rows of a page: the default of the platform.
const PAGE: u64 = 1_000;

/// Rows that are read of one report at once: offsets end there (`pbx/uis.md` §4).
const OFFSET_MAX: u64 = 100_000;

/// Reads reports.
#[derive(Clone)]
pub(super) struct Reports {
    pub(super) api: Arc<Api>,
}

/// From when until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) till: Timestamp,
}

/// One page.
pub(super) struct Page {
    pub(super) rows: Vec<Value>,
    /// The offset of the next one; `None` = this was the last.
    pub(super) next: Option<u64>,
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

impl Reports {
    /// Reads a page of a report.
    pub(super) async fn page(
        &self,
        method: &str,
        params: Map<String, Value>,
        offset: u64,
    ) -> Result<Page, RpcError> {
        let mut params = params;
        params.insert("offset".to_owned(), offset.into());
        params.insert("limit".to_owned(), PAGE.into());
        let answered = self.api.call(method, params).await?;
        let Value::Array(rows) = answered.data else {
            return Err(RpcError::NoAnswer {
                host: self.api.host(),
                why: format!("{method}: the data are no list"),
            });
        };
        let count = rows.len() as u64;
        let end = offset.saturating_add(count);
        let more = match answered.total {
            Some(total) => end < total,
            None => count >= PAGE,
        };
        Ok(Page {
            rows,
            next: Some(end).filter(|end| more && count > 0 && *end <= OFFSET_MAX),
        })
    }

    /// Reads every page.
    pub(super) async fn all(
        &self,
        method: &str,
        params: Map<String, Value>,
    ) -> Result<Vec<Value>, RpcError> {
        let mut rows = Vec::new();
        let mut offset = Some(0);
        while let Some(from) = offset {
            let page = self.page(method, params.clone(), from).await?;
            rows.extend(page.rows);
            offset = page.next;
        }
        Ok(rows)
    }

    /// Returns the parameters of a report over a window.
    pub(super) fn window(window: Window, zone: &TimeZone, fields: &[&str]) -> Map<String, Value> {
        object(json!({
            "date_from": local_time::write(window.from, zone),
            "date_till": local_time::write(window.till, zone),
            "fields": fields,
        }))
    }

    /// Reads all messages of a chat.
    pub(super) async fn messages_of(&self, chat: &str) -> Result<Vec<Value>, RpcError> {
        let chat: Value = chat
            .parse::<u64>()
            .map_or_else(|_| chat.into(), Value::from);
        let params = json!({ "chat_id": chat, "fields": chat_row::MESSAGE_FIELDS });
        self.all("get.chat_messages_report", object(params)).await
    }

    /// Reads chats by their ids, however long ago they began. Where the account does not permit the
    /// filter (corrections 3), all chats of the window are read and the others left out.
    pub(super) async fn chats_by_id(
        &self,
        ids: &[String],
        window: Window,
        zone: &TimeZone,
    ) -> Result<Vec<Value>, RpcError> {
        let fields = chat_row::fields();
        let mut params = Self::window(window, zone, &fields);
        let values: Vec<Value> = ids
            .iter()
            .map(|id| {
                id.parse::<u64>()
                    .map_or_else(|_| id.as_str().into(), Value::from)
            })
            .collect();
        let filter = json!({ "field": "id", "operator": "in", "value": values });
        params.insert("filter".to_owned(), filter);
        match self.all("get.chats_report", params).await {
            Err(RpcError::Refused(refusal)) if refusal.is_of_parameters() => {
                let rows = self
                    .all("get.chats_report", Self::window(window, zone, &fields))
                    .await?;
                let wanted = |value: &Value| {
                    let row = Row::of(value);
                    let names = ["id", "communication_id"];
                    let mut names = names.iter().filter_map(|key| row?.line(key));
                    names.any(|name| ids.contains(&name))
                };
                Ok(rows.into_iter().filter(wanted).collect())
            }
            other => other,
        }
    }

    /// Reads the time zone of the account.
    pub(super) async fn zone_name(&self) -> Result<Option<String>, RpcError> {
        let answered = self.api.call("get.account", Map::new()).await?;
        // One account is answered as an object or as a list of one.
        let first = match &answered.data {
            Value::Array(list) => list.first(),
            other => Some(other),
        };
        Ok(first.and_then(Row::of).and_then(|row| row.line("timezone")))
    }

    /// Reads the people.
    pub(super) async fn people(&self) -> Result<People, RpcError> {
        let fields = object(json!({ "fields": roster::EMPLOYEE_FIELDS }));
        let rows = self.all("get.employees", fields).await?;
        let people = rows
            .iter()
            .filter_map(Row::of)
            .filter_map(roster::read_employee);
        Ok(People(people.take(roster::PEOPLE_MAX).collect()))
    }

    /// Reads the account's own numbers.
    pub(super) async fn numbers(&self) -> Result<Vec<ListedNumber>, RpcError> {
        let fields = object(json!({ "fields": roster::NUMBER_FIELDS }));
        let rows = self.all("get.virtual_numbers", fields).await?;
        Ok(rows
            .iter()
            .filter_map(Row::of)
            .filter_map(roster::read_number)
            .collect())
    }
}
