//! Where click-to-call orders come in, whoever gives them: it knows what each tenant permits and
//! counts what each employee had placed lately.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::clock::SharedClock;
use crate::model::call_order::{
    CALLS_MAX, CallOrder, CallPermit, CallRefusal, CallWish, ShownNumber, examine,
};
use crate::model::employee::Employees;
use crate::model::ids::{CommunicationKey, EmployeeId, SourceKey, TenantId};
use crate::model::timestamp::Timestamp;

use super::{Caller, OrderError, Ordered};

/// One tenant at the desk.
#[derive(Clone)]
pub struct DeskTenant {
    /// What it permits.
    pub permit: CallPermit,
    /// Its people.
    pub employees: Arc<Employees>,
}

/// Who may place calls where; replaced at reload.
#[derive(Clone, Default)]
pub struct DeskTable {
    /// The tenants.
    pub tenants: HashMap<TenantId, DeskTenant>,
    /// Every source, with its caller where it can place calls.
    pub sources: HashMap<SourceKey, Option<Arc<dyn Caller>>>,
}

/// A call that was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The order as it was given.
    pub order: CallOrder,
    /// What the source said.
    pub ordered: Ordered,
}

/// Why a wish was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// There is no such source.
    #[error("there is no source {0}")]
    UnknownSource(SourceKey),
    /// The source places no calls.
    #[error(
        "source {0} places no calls: its kind cannot, or its settings have no [originate] table"
    )]
    NoCaller(SourceKey),
    /// The wish is not permitted.
    #[error(transparent)]
    Refused(#[from] CallRefusal),
    /// The source did not take it.
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// Says for the journal what became of a wish, and which call follows from it: who called whom is
/// asked later.
pub fn told(
    employee: &EmployeeId,
    placed: &Result<Placed, DeskError>,
) -> (String, Option<CommunicationKey>) {
    match placed {
        Ok(placed) => (
            format!("a call of {employee} to {} was placed", placed.order.phone),
            placed.ordered.communication.clone(),
        ),
        Err(error) => (
            format!("a call of {employee} was not placed: {error}"),
            None,
        ),
    }
}

/// The desk.
pub struct CallDesk {
    table: ArcSwap<DeskTable>,
    placed: Mutex<HashMap<(TenantId, EmployeeId), VecDeque<Timestamp>>>,
    clock: SharedClock,
    new_id: fn(Timestamp) -> String,
}

impl CallDesk {
    /// Opens a desk where nothing can be placed yet.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            table: ArcSwap::default(),
            placed: Mutex::default(),
            clock,
            new_id: order_id,
        }
    }

    /// Replaces who may place calls where. What was placed lately goes on counting.
    pub fn replace(&self, table: DeskTable) {
        self.table.store(Arc::new(table));
    }

    /// Has a call placed, if it is permitted.
    pub async fn place(
        &self,
        source: &SourceKey,
        employee: &EmployeeId,
        phone: &str,
    ) -> Result<Placed, DeskError> {
        self.place_so(source, employee, phone, Manner::default())
            .await
    }

    /// Has a call placed in a manner, if it is permitted.
    pub async fn place_so(
        &self,
        source: &SourceKey,
        employee: &EmployeeId,
        phone: &str,
        manner: Manner,
    ) -> Result<Placed, DeskError> {
        let table = self.table.load_full();
        let tenant = table.tenants.get(&source.tenant);
        let (Some(tenant), Some(caller)) = (tenant, table.sources.get(source)) else {
            return Err(DeskError::UnknownSource(source.clone()));
        };
        let caller = caller
            .as_ref()
            .ok_or_else(|| DeskError::NoCaller(source.clone()))?;
        let order = self.admit(tenant, source, employee, phone)?;
        let order = CallOrder {
            id: manner.name.unwrap_or(order.id),
            shown: manner.shown,
            ..order
        };
        let ordered = caller.place(order.clone()).await?;
        Ok(Placed { order, ordered })
    }

    /// Returns the source at which calls of an employee are placed: the first that the employee has an
    /// extension at and that places any.
    pub fn source_of(&self, tenant: &TenantId, employee: &EmployeeId) -> Option<SourceKey> {
        let table = self.table.load();
        let employees = &table.tenants.get(tenant)?.employees;
        let extensions = employees.get(employee)?.extensions.iter();
        let mut sources = extensions.map(|one| SourceKey::new(tenant.clone(), one.source.clone()));
        sources.find(|source| matches!(table.sources.get(source), Some(Some(_))))
    }

    /// Examines and counts in one go, so that orders given at the same instant count too. An
    /// order that the source does not take counts all the same: somebody who tries is to be slow.
    fn admit(
        &self,
        tenant: &DeskTenant,
        source: &SourceKey,
        employee: &EmployeeId,
        phone: &str,
    ) -> Result<CallOrder, CallRefusal> {
        let now = self.clock.now();
        let wish = CallWish {
            source: &source.source,
            employee,
            phone,
        };
        let mut all = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.tenant.clone(), employee.clone());
        let none = VecDeque::new();
        let times: Vec<Timestamp> = all.get(&key).unwrap_or(&none).iter().copied().collect();
        let (extension, phone) = examine(wish, &tenant.permit, &tenant.employees, &times, now)?;
        // Only employees of the tenant come so far: there are no more entries than people.
        let times = all.entry(key).or_default();
        if times.len() >= CALLS_MAX {
            times.pop_front();
        }
        times.push_back(now);
        Ok(CallOrder {
            id: (self.new_id)(now),
            employee: employee.clone(),
            extension,
            phone,
            shown: None,
        })
    }
}

/// How a call is placed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manner {
    /// The order's name, where somebody has given it one already; unique for ever.
    pub name: Option<String>,
    /// The company's number that the client is to see; the source's own where none is set.
    pub shown: Option<ShownNumber>,
}

/// Names an order in the form in which a phone system names channels, so that the call that
/// follows has this very name: `c2c-1767600000.123456789`.
fn order_id(now: Timestamp) -> String {
    let seconds = now.as_secs();
    let mut random = [0_u8; 8];
    let tail = match getrandom::fill(&mut random) {
        Ok(()) => u64::from_le_bytes(random),
        // Without randomness the time below a second tells two apart.
        Err(_) => u64::try_from(now.as_millis()).unwrap_or_default(),
    };
    format!("c2c-{seconds}.{tail}")
}
