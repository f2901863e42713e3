//! What the copy looks like in Asterisk's own database (AstDB): names, keys and values.
//!
//! | family, below `trunkline/TENANT/SOURCE/` | key | value |
//! | --- | --- | --- |
//! | `client/NN`, the number's last two digits | digits of the E.164 number | the manager: an employee's id |
//! | `manager` | an employee's id | the extension that is rung for this employee's clients now |
//! | `about` | `made` | `1`: there is a copy |
//! | `about` | `until` | seconds since 1970: what is older than it is not to be used |
//! | `about` | `country`, `prefix` | of a number in its national form |
//! | `about` | `others` | the way of a dialled number that is not listed |
//! | `dialled` | digits of a dialled number | its way |
//!
//! A way is an extension, `manager` (look for the client) or `usual`. Nothing but digits, these
//! words and ids is ever written, and ids are made of letters, digits, `-` and `_`. Since clients
//! have a manager and only managers an extension, the end of a working day changes few rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::ami_codec::Action;
use crate::model::ids::{EmployeeId, Extension, SourceKey};
use crate::model::phone::Phone;
use crate::pbx::{DialledNumbers, DialledWay};

/// Longest extension that is written: the model's own bound.
const EXTENSION_DIGITS_MAX: usize = 20;

/// Parts in which clients are read, by their last two digits: no list is long, and the database is
/// locked for some milliseconds at a time.
pub(super) const CLIENT_PARTS: u8 = 100;

/// The rows about the copy itself that something else depends on.
pub(super) const MADE: &str = "made";
pub(super) const UNTIL: &str = "until";

/// A client's number as one that sorts as [`Phone::order`] does: its digits after a 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientKey(u64);

impl ClientKey {
    pub(super) fn of(phone: &Phone) -> Option<Self> {
        Self::of_digits(phone.digits())
    }

    fn of_digits(digits: &str) -> Option<Self> {
        let are_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = are_digits.then(|| format!("1{digits}"))?;
        number.parse().ok().map(Self)
    }

    fn digits(self) -> String {
        self.0.to_string().split_off(1)
    }

    fn part(self) -> u64 {
        self.0 % 100
    }
}

/// The name of one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    /// About the copy.
    About(String),
    /// A dialled number.
    Dialled(String),
    /// An employee.
    Manager(String),
    /// A client.
    Client(ClientKey),
}

/// What one row is to be: a value, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) row: Row,
    pub(super) value: Option<Arc<str>>,
}

/// A part that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    About,
    Dialled,
    Managers,
    Clients(u8),
}

impl Part {
    /// Returns the part that is read after this one.
    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::About => Some(Self::Dialled),
            Self::Dialled => Some(Self::Managers),
            Self::Managers => Some(Self::Clients(0)),
            Self::Clients(last) if last + 1 < CLIENT_PARTS => Some(Self::Clients(last + 1)),
            Self::Clients(_) => None,
        }
    }
}

/// The names of one source's copy.
pub(super) struct Names {
    base: String,
}

impl Names {
    pub(super) fn of(source: &SourceKey) -> Self {
        Self {
            base: format!("trunkline/{}/{}", source.tenant, source.source),
        }
    }

    fn family(&self, part: Part) -> String {
        match part {
            Part::About => format!("{}/about", self.base),
            Part::Dialled => format!("{}/dialled", self.base),
            Part::Managers => format!("{}/manager", self.base),
            Part::Clients(part) => format!("{}/client/{part:02}", self.base),
        }
    }

    fn place(&self, row: &Row) -> (String, String) {
        match row {
            Row::About(key) => (self.family(Part::About), key.clone()),
            Row::Dialled(key) => (self.family(Part::Dialled), key.clone()),
            Row::Manager(key) => (self.family(Part::Managers), key.clone()),
            Row::Client(key) => {
                // Below a hundred.
                let part = Part::Clients(u8::try_from(key.part()).unwrap_or_default());
                (self.family(part), key.digits())
            }
        }
    }

    /// Asks for one row.
    pub(super) fn get(&self, row: &Row) -> Action {
        let (family, key) = self.place(row);
        Action::new("DBGet").with("Family", family).with("Key", key)
    }

    /// Asks for all rows of a part.
    pub(super) fn list(&self, part: Part) -> Action {
        Action::new("DBGetTree").with("Family", self.family(part))
    }

    /// Writes one row, or removes it.
    pub(super) fn write(&self, change: &Change) -> Action {
        let (family, key) = self.place(&change.row);
        let name = if change.value.is_some() {
            "DBPut"
        } else {
            "DBDel"
        };
        let action = Action::new(name).with("Family", family).with("Key", key);
        match &change.value {
            Some(value) => action.with("Val", value.as_ref()),
            None => action,
        }
    }

    /// Returns which row of a part this full key is; `None` for what is not of ours, such as what
    /// lies deeper, or below a name that only looks alike to the database.
    pub(super) fn row(&self, part: Part, full: &str) -> Option<Row> {
        let rest = full.strip_prefix('/')?.strip_prefix(&self.family(part))?;
        let key = rest.strip_prefix('/')?;
        match part {
            Part::About => is_plain(key).then(|| Row::About(key.to_owned())),
            Part::Dialled => is_plain(key).then(|| Row::Dialled(key.to_owned())),
            Part::Managers => is_plain(key).then(|| Row::Manager(key.to_owned())),
            Part::Clients(number) => {
                let key = ClientKey::of_digits(key)?;
                (key.part() == u64::from(number)).then_some(Row::Client(key))
            }
        }
    }
}

/// Longest key that is taken for one of ours: that of an id.
const KEY_BYTES_MAX: usize = 64;

fn is_plain(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.bytes().all(plain)
}

/// Returns an extension as a value; `None` for one that the dialplan would not dial.
fn extension_value(extension: &Extension) -> Option<Arc<str>> {
    let text = extension.0.as_str();
    let fits = !text.is_empty() && text.len() <= EXTENSION_DIGITS_MAX;
    (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.into())
}

fn way_value(way: &DialledWay) -> Arc<str> {
    match way {
        DialledWay::Ring(extension) => extension_value(extension).unwrap_or_else(|| "usual".into()),
        DialledWay::Manager => "manager".into(),
        DialledWay::Usual => "usual".into(),
    }
}

/// Returns all rows that are not clients', but for the time until which they hold.
pub(super) fn small_rows(
    numbers: &DialledNumbers,
    managers: &[(EmployeeId, Extension)],
) -> BTreeMap<Row, Arc<str>> {
    let about = |key: &str, value: Arc<str>| (Row::About(key.to_owned()), value);
    let mut rows = BTreeMap::from([
        about(MADE, "1".into()),
        about("country", numbers.country.as_str().into()),
        about("prefix", numbers.trunk_prefix.as_str().into()),
        about("others", way_value(&numbers.others)),
    ]);
    for (digits, way) in &numbers.listed {
        if is_plain(digits) {
            rows.insert(Row::Dialled(digits.clone()), way_value(way));
        }
    }
    for (employee, extension) in managers {
        if let Some(value) = extension_value(extension) {
            rows.insert(Row::Manager(employee.to_string()), value);
        }
    }
    rows
}
