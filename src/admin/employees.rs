//! Employees from the CRM: what the syncs of an integration brought, and one at a person's word
//! (S2-04 … S2-07, V-02).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::employee_sync::{EmployeeSyncSettings, SyncManner, SyncReport, SyncedEmployee};
use crate::model::ids::{EmployeeId, IntegrationKey};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;

use super::openapi::operation::Operation;
use super::state::AdminState;

/// How it stands with the employees of an integration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EmployeesState {
    /// What was chosen.
    #[serde(flatten)]
    pub settings: EmployeeSyncSettings,
    /// How they come by themselves.
    pub manner: SyncManner,
    /// When a person last had them read; null = the first sync is still to be done.
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
#[derive(Debug, Clone, Serialize, JsonSchema)]
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

/// Which users of the CRM are employees.
#[derive(Serialize, JsonSchema)]
struct SyncedEmployees {
    /// The integration.
    integration: IntegrationKey,
    /// How it stands.
    state: EmployeesState,
    /// Who was taken over.
    employees: Vec<EmployeeShown>,
}

/// What a sync came to.
#[derive(Serialize, JsonSchema)]
struct EmployeeSyncEnd {
    /// The integration.
    integration: IntegrationKey,
    /// What it changed, by the CRM's ids; null while the CRM is still being read.
    report: Option<SyncReport>,
    /// Why it is not in force.
    not_in_force: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/employees",
            "Which users of the CRM are employees, how they come, and when they were read",
            show,
        )
        .answers::<SyncedEmployees>(200, "The employees")
        .refuses(404, "There is no such integration"),
        Operation::post(
            "/v1/tenants/{tenant}/integrations/{integration}/employees/sync",
            "Read the users of the CRM now; what they change is put into force. The first time it must be \
             done by a person",
            sync,
        )
        .answers::<EmployeeSyncEnd>(200, "They were read")
        .answers::<EmployeeSyncEnd>(202, "The CRM is still being read; it goes on")
        .refuses(404, "There is no such integration")
        .refuses(409, "The sync is switched off in the integration's settings")
        .refuses(502, "The CRM did not list its users")
        .refuses(503, "The store takes nothing now"),
    ]
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
    HttpResponse::Ok().json(SyncedEmployees {
        state: stands,
        employees: state.employees.people(&key),
        integration: key,
    })
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
        }) => HttpResponse::Ok().json(EmployeeSyncEnd {
            integration: key,
            report: Some(report),
            not_in_force,
        }),
        Ok(Synced::UnderWay) => HttpResponse::Accepted().json(EmployeeSyncEnd {
            integration: key,
            report: None,
            not_in_force: Some("the CRM is still being read".to_owned()),
        }),
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
