//! What is particular to MegaFon's VATS 2.0 (`pbx/megafon.md` part B): directories by REST, and a
//! call history of its own.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call_row::Reading;
use super::memory::Report;
use super::mgf_row;
use super::reports::Reports;
use super::roster::{self, NamedPeople, People};
use super::round::{Round, RoundError};
use super::row::Row;
use super::rpc::{Api, Auth, RpcError};
use crate::model::roster::ListedNumber;
use crate::pbx::{WebClient, WebError, WebRequest};

/// The directories of an account.
#[derive(Clone)]
pub(super) struct Directories {
    pub(super) web: WebClient,
    pub(super) auth: Auth,
}

impl Directories {
    async fn list(&self, path: &str) -> Result<Vec<Value>, RpcError> {
        let host = self.web.host();
        let key = match &self.auth {
            Auth::Key(key) => Some(("authorization", key)),
            Auth::Login { .. } => None,
        };
        let request = WebRequest {
            path,
            key,
            ..WebRequest::default()
        };
        let answer = self.web.send(request).await.map_err(|error| match error {
            WebError::NotSent(why) => RpcError::NotSent {
                host: host.clone(),
                why,
            },
            WebError::NoAnswer(why) => RpcError::NoAnswer {
                host: host.clone(),
                why,
            },
        })?;
        let unreadable = || RpcError::NoAnswer {
            host: host.clone(),
            why: format!("{path}: HTTP {}: {}", answer.status, answer.words()),
        };
        if answer.status != 200 {
            return Err(unreadable());
        }
        let value: Value = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        // The list itself, or inside of an object as the other brands write it.
        let list = match value {
            Value::Array(list) => Some(list),
            Value::Object(object) => object.get("data").and_then(Value::as_array).cloned(),
            _ => None,
        };
        list.ok_or_else(unreadable)
    }

    /// Reads the people.
    pub(super) async fn people(&self) -> Result<People, RpcError> {
        let rows = self.list("/employee").await?;
        let people = rows
            .iter()
            .filter_map(Row::of)
            .filter_map(roster::read_mgf_employee);
        Ok(People(people.take(roster::PEOPLE_MAX).collect()))
    }

    /// Reads the account's own numbers.
    pub(super) async fn numbers(&self) -> Result<Vec<ListedNumber>, RpcError> {
        let rows = self.list("/numbers/virtual-number").await?;
        Ok(rows
            .iter()
            .filter_map(Row::of)
            .filter_map(roster::read_number)
            .collect())
    }
}

/// Finds the report that holds the history of calls.
pub(super) async fn history_report(api: &Arc<Api>) -> Result<Value, RpcError> {
    let params = json!({
        "filter": { "field": "name", "operator": "=", "value": mgf_row::REPORT },
    });
    let params = params.as_object().cloned().unwrap_or_default();
    let answered = api.call("get.reports_list", params).await?;
    let rows = answered.data.as_array().map_or(&[][..], Vec::as_slice);
    let mut rows = rows.iter().filter_map(Row::of);
    let found = rows.find(|row| row.line("name").as_deref() == Some(mgf_row::REPORT));
    let id = found.and_then(|row| row.line("id").or_else(|| row.line("report_id")));
    let id = id.ok_or_else(|| RpcError::NoAnswer {
        host: api.host(),
        why: format!("the account has no report {:?}", mgf_row::REPORT),
    })?;
    Ok(id.parse::<u64>().map_or_else(|_| id.into(), Value::from))
}

impl Round<'_> {
    /// Reads the history of calls.
    pub(super) async fn history(&self, report: &Value) -> Result<(), RoundError> {
        let zone = self.desk.zone();
        let people = NamedPeople::of(&self.desk.people());
        loop {
            let window = self.window(Report::Calls).await?;
            let mut params: Map<String, Value> = Reports::window(window, &zone, &mgf_row::FIELDS);
            params.insert("report_id".to_owned(), report.clone());
            let mut offset = Some(0);
            while let Some(from) = offset {
                let page = self
                    .reports
                    .page("get.mgf_calls", params.clone(), from)
                    .await?;
                let reading = Reading {
                    numbers: &self.desk.identity.numbers,
                    zone: &zone,
                    media: None,
                };
                let rows = page.rows.iter().filter_map(Row::of);
                let rows = rows.filter_map(|row| mgf_row::read(row, &reading, &people));
                self.take_calls(rows.collect()).await?;
                offset = page.next;
            }
            if !self.read(Report::Calls, window).await? {
                return Ok(());
            }
        }
    }
}
