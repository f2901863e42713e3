//! Click-to-call: whether somebody's wish that an employee be connected with a number may be
//! carried out. A telephone line costs money, so that whoever can ask is trusted with little:
//! a valid number in a permitted region, an employee of the tenant, a few calls a minute.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::employee::Employees;
use super::ids::{EmployeeId, Extension, SourceId};
use super::phone::{Phone, Region};
use super::timestamp::Timestamp;

/// How many calls one employee may have placed within [`WINDOW`].
pub const CALLS_MAX: usize = 6;

/// The time over which an employee's calls are counted.
pub const WINDOW: Duration = Duration::from_secs(60);

/// How the names of orders begin that came of a click in a CRM. What follows is the CRM's.
pub const CRM_CLICK: &str = "crm-";

/// Says whether an order of this name came of a click in a CRM.
pub fn is_crm_click(name: &str) -> bool {
    name.starts_with(CRM_CLICK)
}

/// A call to be placed: first the employee's phone rings, then the client is dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOrder {
    /// Our own name of it, unique for ever; the call that follows carries it.
    pub id: String,
    /// Who asked to be connected.
    pub employee: EmployeeId,
    /// The employee's extension at the source.
    pub extension: Extension,
    /// The client's number.
    pub phone: Phone,
    /// The number that the client sees; none = as the source is set.
    #[serde(default)]
    pub shown: Option<ShownNumber>,
}

/// A number of the company's that a called client sees (S2-15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownNumber {
    /// The number.
    pub number: Phone,
    /// It is shown whatever the phone system's rules say about the employee's own number (S2-16).
    pub always: bool,
}

/// What a phone system can do about the number that a called client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowsNumber {
    /// It shows the chosen one, and lets the employee's own rules go first where that is wanted.
    Chosen,
    /// It shows the chosen one always: the employee's own rules count only where none is chosen.
    ChosenAlways,
    /// It shows what it is set to show.
    ItsOwn,
}

/// Why a call is not placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallRefusal {
    /// The text is no public number.
    #[error("{text:?} is not a telephone number that can be called")]
    BadNumber {
        /// The text, shortened.
        text: String,
    },
    /// The number lies outside the permitted regions, or costs extra.
    #[error(
        "{phone} may not be called from here: permitted are ordinary numbers of {permitted}; \
         tenant.call_regions names the regions"
    )]
    NotPermitted {
        /// The number.
        phone: Phone,
        /// The permitted regions, for people.
        permitted: String,
    },
    /// There is no such employee.
    #[error("the tenant has no employee {0}")]
    UnknownEmployee(EmployeeId),
    /// The employee has no phone there.
    #[error("employee {employee} has no extension at source {source_id}")]
    NoExtension {
        /// Who.
        employee: EmployeeId,
        /// Where.
        source_id: SourceId,
    },
    /// The employee's calls of the last minute are used up.
    #[error("employee {employee} had {CALLS_MAX} calls placed within a minute: try again later")]
    TooMany {
        /// Who.
        employee: EmployeeId,
        /// When the next one may be asked for.
        retry_after: Duration,
    },
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct CallWish<'a> {
    /// The source that shall place the call.
    pub source: &'a SourceId,
    /// The employee.
    pub employee: &'a EmployeeId,
    /// The number as it was written.
    pub phone: &'a str,
}

/// What a tenant permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPermit {
    /// In whose national form numbers are written.
    pub region: Region,
    /// Whose numbers may be called.
    pub call_regions: Vec<Region>,
}

/// Decides about a wish. `placed` holds the times of the employee's calls that were placed
/// already, oldest first; those before the window may be in it.
pub fn examine(
    wish: CallWish<'_>,
    permit: &CallPermit,
    employees: &Employees,
    placed: &[Timestamp],
    now: Timestamp,
) -> Result<(Extension, Phone), CallRefusal> {
    let employee = employees
        .0
        .iter()
        .find(|employee| employee.id == *wish.employee)
        .ok_or_else(|| CallRefusal::UnknownEmployee(wish.employee.clone()))?;
    let extension = employee
        .extensions
        .iter()
        .find(|extension| extension.source == *wish.source)
        .ok_or_else(|| CallRefusal::NoExtension {
            employee: employee.id.clone(),
            source_id: wish.source.clone(),
        })?;
    let phone = Phone::parse(wish.phone, permit.region).map_err(|_| CallRefusal::BadNumber {
        text: wish.phone.chars().take(32).collect(),
    })?;
    let permitted = phone
        .ordinary_region()
        .is_some_and(|region| permit.call_regions.contains(&region));
    if !permitted {
        let regions: Vec<String> = permit.call_regions.iter().map(Region::to_string).collect();
        return Err(CallRefusal::NotPermitted {
            phone,
            permitted: regions.join(", "),
        });
    }
    let since = now.minus(WINDOW);
    let mut lately = placed.iter().filter(|at| **at > since);
    let oldest = lately.next();
    match oldest {
        Some(oldest) if lately.count() + 1 >= CALLS_MAX => Err(CallRefusal::TooMany {
            employee: employee.id.clone(),
            retry_after: oldest.plus(WINDOW).since(now),
        }),
        _ => Ok((extension.extension.clone(), phone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::employee::{Employee, EmployeeExtension};

    const NOW: Timestamp = Timestamp::from_secs(1_795_211_600);

    fn ago(seconds: u64) -> Timestamp {
        NOW.minus(Duration::from_secs(seconds))
    }

    fn asked(employee: &str, source: &str, phone: &str, placed: &[Timestamp]) -> String {
        let employees = Employees(vec![Employee {
            id: "anna".parse().expect("an id"),
            name: "Anna".to_owned(),
            email: None,
            extensions: vec![EmployeeExtension {
                source: "office".parse().expect("an id"),
                extension: Extension("101".to_owned()),
            }],
            users: Vec::new(),
            phones: Vec::new(),
        }]);
        let permit = CallPermit {
            region: Region::RU,
            call_regions: vec![Region::RU],
        };
        let (employee, source) = (
            employee.parse().expect("an id"),
            source.parse().expect("an id"),
        );
        let wish = CallWish {
            source: &source,
            employee: &employee,
            phone,
        };
        match examine(wish, &permit, &employees, placed, NOW) {
            Ok((extension, phone)) => format!("{} calls {phone}", extension.0),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn an_employee_reaches_ordinary_numbers_of_the_tenants_region_and_no_others() {
        for (phone, answer) in [
            ("8 (916) 123-45-67", "101 calls +79161234567"),
            ("+74951234567", "101 calls +74951234567"),
            ("+77012345678", "may not be called"),
            ("+375291234567", "may not be called"),
            ("88091234567", "may not be called"),
            ("+881612345678", "may not be called"),
            ("+390669812345", "may not be called"),
            ("101", "not a telephone number"),
            ("*72", "not a telephone number"),
            ("89161234567\r\nAction: Command", "not a telephone number"),
            ("", "not a telephone number"),
        ] {
            let found = asked("anna", "office", phone, &[]);
            assert!(found.contains(answer), "{phone:?}: {found}");
        }
        assert!(asked("boris", "office", "89161234567", &[]).contains("no employee boris"));
        assert!(asked("anna", "branch", "89161234567", &[]).contains("no extension"));
    }

    #[test]
    fn the_seventh_call_within_a_minute_is_refused() {
        let six = [ago(59), ago(50), ago(40), ago(30), ago(20), ago(1)];
        let refused = asked("anna", "office", "89161234567", &six);
        assert!(
            refused.contains("6 calls placed within a minute"),
            "{refused}"
        );
        let old = [ago(60), ago(50), ago(40), ago(30), ago(20), ago(1)];
        assert_eq!(
            asked("anna", "office", "89161234567", &old),
            "101 calls +79161234567"
        );
        assert_eq!(
            asked("anna", "office", "89161234567", &six[1..]),
            "101 calls +79161234567"
        );
    }
}
