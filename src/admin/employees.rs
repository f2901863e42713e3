//! Employees from the CRM: what the syncs of an integration brought, and one at a person's word
//! (S2-04 … S2-07, V-02).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::json;

use crate::model::employee_sync::{EmployeeSyncSettings, SyncManner, SyncReport, SyncedEmployee};
use crate::model::ids::{EmployeeId, IntegrationKey};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;

use super::state::AdminState;

/// How it stands with the employees of an integration.
#[derive(Debug, Clone, Serialize)]
pub struct EmployeesState {
    /// What was chosen.
    #[serde(flatten)]
    pub settings: EmployeeSyncSettings,
    /// How they come by themselves.
    pub manner: SyncManner,
    /// When a person last had them read.
    pub manual_at: Option<Timestamp>,
    /// When they were last read.
    pub read_at: Option<Timestamp>,
    /// One is under way.
    pub under_way: bool,
    /// Why the last one came to nothing.
    pub trouble: Option<String>,
    /// What a person must know or do.
    pub remark: Option<String>,
}

/// Somebody who was taken over.
#[derive(Debug, Clone, Serialize)]
pub struct EmployeeShown {
    /// As the CRM said it.
    #[serde(flatten)]
    pub synced: SyncedEmployee,
    /// Who this is among the employees; none while the switch is off.
    pub employee: Option<EmployeeId>,
    /// The tenant's file has the employee.
    pub in_file: bool,
}

/// What a sync at a person's word came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synced {
    /// It is over.
    Done {
        /// What it changed.
        report: SyncReport,
        /// Why that is not in force.
        not_in_force: Option<String>,
    },
    /// It goes on.
    UnderWay,
}

/// Why there was none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSynced {
    /// There is no such integration.
    #[error("there is no such integration")]
    Absent,
    /// The switch is off.
    #[error("the sync of employees is switched off in the settings of {0} (S2-04)")]
    Off(IntegrationKey),
    /// The CRM did not list them.
    #[error("{0}")]
    Crm(String),
    /// The store did not take it.
    #[error("{0}")]
    Store(String),
}

/// The door to the syncs.
pub trait EmployeeSyncs: Send + Sync {
    /// Says how it stands.
    fn state(&self, integration: &IntegrationKey) -> Option<EmployeesState>;

    /// Lists who was taken over.
    fn people(&self, integration: &IntegrationKey) -> Vec<EmployeeShown>;

    /// Has them read now.
    fn sync(&self, integration: IntegrationKey) -> BoxFuture<'_, Result<Synced, NotSynced>>;
}

/// No syncs.
pub struct NoSyncs;

impl EmployeeSyncs for NoSyncs {
    fn state(&self, _: &IntegrationKey) -> Option<EmployeesState> {
        None
    }

    fn people(&self, _: &IntegrationKey) -> Vec<EmployeeShown> {
        Vec::new()
    }

    fn sync(&self, _: IntegrationKey) -> BoxFuture<'_, Result<Synced, NotSynced>> {
        async { Err(NotSynced::Absent) }.boxed()
    }
}

pub(super) async fn show(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some(key) = key(&path) else {
        return super::not_found();
    };
    let Some(stands) = state.employees.state(&key) else {
        return super::not_found();
    };
    HttpResponse::Ok().json(json!({
        "integration": key,
        "state": stands,
        "employees": state.employees.people(&key),
    }))
}

pub(super) async fn sync(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some(key) = key(&path) else {
        return super::not_found();
    };
    match state.employees.sync(key.clone()).await {
        Ok(Synced::Done {
            report,
            not_in_force,
        }) => HttpResponse::Ok().json(json!({
            "integration": key,
            "report": report,
            "not_in_force": not_in_force,
        })),
        Ok(Synced::UnderWay) => HttpResponse::Accepted().json(json!({
            "integration": key,
            "report": null,
            "not_in_force": "the CRM is still being read",
        })),
        Err(NotSynced::Absent) => super::not_found(),
        Err(error @ NotSynced::Off(_)) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(error @ NotSynced::Crm(_)) => problem(StatusCode::BAD_GATEWAY, &error.to_string()),
        Err(error @ NotSynced::Store(_)) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
    }
}

fn key(path: &web::Path<(String, String)>) -> Option<IntegrationKey> {
    format!("{}/{}", path.0, path.1).parse().ok()
}
