//! Employees from the CRM (S2-04 … S2-07, V-02): what a sync keeps of a CRM's users, and how they
//! join the employees of the tenant's file, whose entries win. Pure.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use super::ids::{AccountId, CrmUserId, EmployeeId, Extension, SLUG_BYTES_MAX, SourceId};
use super::mistake::Mistake;
use super::pairing::{Likeness, PortalUser, pairing};
use super::timestamp::Timestamp;

/// The most employees that are kept of one integration.
pub const SYNCED_MAX: usize = 5_000;

/// The most users that a list of the settings names.
const NAMED_MAX: usize = 1_000;

/// Longest name and address that are kept, in characters.
const TEXT_CHARS_MAX: usize = 128;

/// What was chosen for the employees of an integration. The defaults hold without the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmployeeSyncSettings {
    /// The toggle. Off: the employees of the file are all there are, and what needs to know who a
    /// user of the CRM is may stop working (S2-04).
    #[serde(default = "on")]
    pub on: bool,
    /// Every user of the CRM is an employee; else those of `chosen` (S2-05).
    #[serde(default = "on")]
    pub all: bool,
    /// The users, by the CRM's ids, where not all are wanted (S2-05); kept while all are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>", extend("x-shape" = "lines"))]
    pub chosen: Vec<CrmUserId>,
    /// Users who do not count in the search for a personal manager (V-02). Of an employee of the file
    /// the file's `personal_manager` says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>", extend("x-shape" = "lines"))]
    pub no_personal_managers: Vec<CrmUserId>,
    /// Every twenty minutes it is read who may still log in; who may not is away. Where the CRM has
    /// its employees read once a day (V-02).
    #[serde(default)]
    pub statuses: bool,
}

fn on() -> bool {
    true
}

impl Default for EmployeeSyncSettings {
    fn default() -> Self {
        Self {
            on: true,
            all: true,
            chosen: Vec::new(),
            no_personal_managers: Vec::new(),
            statuses: false,
        }
    }
}

impl EmployeeSyncSettings {
    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if !self.all && self.chosen.is_empty() {
            let message = "name the users whom you want by the CRM's ids, or all = true (S2-05)";
            found.push(Mistake::at("chosen", message));
        }
        let lists = [
            ("chosen", &self.chosen),
            ("no_personal_managers", &self.no_personal_managers),
        ];
        for (key, list) in lists {
            if list.len() > NAMED_MAX {
                found.push(Mistake::at(
                    key,
                    format!("names more than {NAMED_MAX} users"),
                ));
            }
        }
        found
    }

    fn wants(&self, user: &CrmUserId) -> bool {
        self.all || self.chosen.contains(user)
    }
}

/// How a CRM's employees come by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncManner {
    /// Never: a person has them read (S2-07).
    ManualOnly,
    /// Every night those are added who are not known yet (V-02).
    NightlyNew,
    /// Everything is read once a day (V-02).
    Daily,
}

/// Why employees are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncReason {
    /// A person asked for it.
    Manual,
    /// The time of the day has come.
    Timed,
    /// Only who may log in is looked at.
    Statuses,
}

/// A user as a CRM lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedUser {
    /// The CRM's id.
    pub user: CrmUserId,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone, as it was typed.
    pub phone: Option<String>,
    /// The short number, where the CRM says it.
    pub extension: Option<Extension>,
    /// The user may log in.
    pub active: bool,
}

/// A user who was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncedEmployee {
    /// Who, as the CRM said it.
    #[serde(flatten)]
    pub listed: ListedUser,
    /// Since when.
    pub added_at: Timestamp,
}

/// What the syncs of one integration brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncedEmployees {
    /// When a person last had them read (S2-06).
    pub manual_at: Option<Timestamp>,
    /// When they were last read, whatever for.
    pub read_at: Option<Timestamp>,
    /// The people, in order of the CRM's list.
    pub employees: Vec<SyncedEmployee>,
}

/// What a sync changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SyncReport {
    /// New ones.
    pub added: Vec<CrmUserId>,
    /// Those of whom something is another now.
    pub changed: Vec<CrmUserId>,
    /// Those who are not wanted or not there any more.
    pub removed: Vec<CrmUserId>,
    /// How many more there were than are kept.
    pub left_out: usize,
}

impl SyncReport {
    /// Says whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl SyncedEmployees {
    /// Takes a CRM's list over. A timed reading of a CRM with [`SyncManner::NightlyNew`] adds who is
    /// not known and leaves everybody else as they are.
    pub fn take(
        &self,
        users: Vec<ListedUser>,
        settings: &EmployeeSyncSettings,
        reason: SyncReason,
        manner: SyncManner,
        now: Timestamp,
    ) -> (Self, SyncReport) {
        let mut report = SyncReport::default();
        let known: BTreeMap<&CrmUserId, &SyncedEmployee> = self
            .employees
            .iter()
            .map(|one| (&one.listed.user, one))
            .collect();
        let adds_only = reason == SyncReason::Timed && manner == SyncManner::NightlyNew;
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for listed in users.into_iter().map(shortened) {
            if !seen.insert(listed.user.clone()) {
                continue;
            }
            match known.get(&listed.user) {
                Some(_) if !settings.wants(&listed.user) => {}
                Some(before) => {
                    let after = match (reason, adds_only) {
                        (_, true) => before.listed.clone(),
                        (SyncReason::Statuses, _) => ListedUser {
                            active: listed.active,
                            ..before.listed.clone()
                        },
                        // A short number that this reading could not find out is still the person's.
                        (SyncReason::Manual | SyncReason::Timed, false) => ListedUser {
                            extension: listed
                                .extension
                                .clone()
                                .or_else(|| before.listed.extension.clone()),
                            ..listed
                        },
                    };
                    if after != before.listed {
                        report.changed.push(after.user.clone());
                    }
                    kept.push(SyncedEmployee {
                        listed: after,
                        added_at: before.added_at,
                    });
                }
                None => {
                    // Who may not log in never becomes an employee.
                    let is_new = reason != SyncReason::Statuses
                        && listed.active
                        && settings.wants(&listed.user);
                    if is_new {
                        report.added.push(listed.user.clone());
                        kept.push(SyncedEmployee {
                            listed,
                            added_at: now,
                        });
                    }
                }
            }
        }
        if adds_only || reason == SyncReason::Statuses {
            let others = self.employees.iter();
            kept.extend(
                others
                    .filter(|one| !seen.contains(&one.listed.user))
                    .cloned(),
            );
        }
        report.left_out = kept.len().saturating_sub(SYNCED_MAX);
        kept.truncate(SYNCED_MAX);
        let stay: BTreeSet<&CrmUserId> = kept.iter().map(|one| &one.listed.user).collect();
        let gone = known.keys().filter(|user| !stay.contains(**user));
        report.removed = gone.map(|user| (*user).clone()).collect();
        report.added.retain(|user| stay.contains(user));
        let manual_at = match reason {
            SyncReason::Manual => Some(now),
            SyncReason::Timed | SyncReason::Statuses => self.manual_at,
        };
        let taken = Self {
            manual_at,
            read_at: Some(now),
            employees: kept,
        };
        (taken, report)
    }
}

fn shortened(listed: ListedUser) -> ListedUser {
    let cut = |text: String| -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        let plain = line.chars().filter(|c| !c.is_control());
        plain.take(TEXT_CHARS_MAX).collect()
    };
    let cut_some = |text: Option<String>| text.map(cut).filter(|text| !text.is_empty());
    ListedUser {
        user: listed.user,
        name: cut(listed.name),
        email: cut_some(listed.email),
        phone: cut_some(listed.phone),
        extension: listed.extension.filter(is_short_number),
        active: listed.active,
    }
}

/// Says whether a text is a short number of a company: two to six digits.
pub fn is_short_number(extension: &Extension) -> bool {
    let text = &extension.0;
    (2..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The synced employees of one integration, and where they belong.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    /// The account whose users they are.
    pub account: &'a AccountId,
    /// The sources whose calls the integration takes: short numbers are extensions there.
    pub sources: &'a [SourceId],
    /// What was chosen.
    pub settings: &'a EmployeeSyncSettings,
    /// Who was taken over.
    pub synced: &'a SyncedEmployees,
}

/// What joining came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Joined {
    /// Everybody: the file's first, in its order.
    pub employees: Employees,
    /// Those who came by a sync and have no entry in the file.
    pub new: BTreeSet<EmployeeId>,
    /// Those of them who do not count in the search for a personal manager.
    pub no_managers: BTreeSet<EmployeeId>,
    /// Those of them who may not log in to the CRM any more.
    pub away: BTreeSet<EmployeeId>,
}

/// Joins synced employees to those of a file. Whoever the file pairs with a user stays as the file
/// says. An employee without a user in the account gets the one whose e-mail address, telephone or
/// short number is the same and nobody else's; a user who is nobody in the file becomes an employee.
pub fn join(file: &Employees, all: &[Joining<'_>]) -> Joined {
    let mut joined = Joined {
        employees: file.clone(),
        ..Joined::default()
    };
    for one in all.iter().filter(|one| one.settings.on) {
        join_one(&mut joined, one);
    }
    joined
}

fn join_one(joined: &mut Joined, one: &Joining<'_>) {
    let wanted = || {
        let employees = one.synced.employees.iter().map(|synced| &synced.listed);
        employees.filter(|listed| one.settings.wants(&listed.user))
    };
    let users: Vec<PortalUser> = wanted().map(portal_user).collect();
    let suggested = pairing(&joined.employees, one.account, &users);
    for alone in suggested.employees_alone {
        let Some(suggestion) = alone.suggestion else {
            continue;
        };
        let listed = wanted().find(|listed| listed.user == suggestion.user);
        let employee = joined.employees.0.iter_mut();
        let employee = employee
            .into_iter()
            .find(|employee| employee.id == alone.employee);
        let (Some(listed), Some(employee)) = (listed, employee) else {
            continue;
        };
        // A name alone is too little: a wrong manager is worse than none.
        let is_sure = match suggestion.by {
            Likeness::Email | Likeness::Phone => true,
            Likeness::Extension => {
                let extensions = employee.extensions.iter();
                extensions
                    .filter(|known| one.sources.contains(&known.source))
                    .any(|known| Some(&known.extension) == listed.extension.as_ref())
            }
            Likeness::Name => false,
        };
        if is_sure {
            employee.users.push(EmployeeUser {
                account: one.account.clone(),
                user: listed.user.clone(),
            });
        }
    }
    for listed in wanted() {
        let known = joined.employees.by_user(one.account, &listed.user);
        let known = known.map(|employee| employee.id.clone());
        let id = match known {
            // By another integration of the account, perhaps.
            Some(id) if joined.new.contains(&id) => id,
            Some(_) => continue,
            None => {
                let Some(employee) = new_employee(&joined.employees, one, listed) else {
                    continue;
                };
                let id = employee.id.clone();
                joined.employees.0.push(employee);
                joined.new.insert(id.clone());
                id
            }
        };
        if !listed.active {
            joined.away.insert(id.clone());
        }
        if one.settings.no_personal_managers.contains(&listed.user) {
            joined.no_managers.insert(id);
        }
    }
}

fn portal_user(listed: &ListedUser) -> PortalUser {
    let short = listed
        .extension
        .as_ref()
        .map(|extension| extension.0.clone());
    PortalUser {
        user: listed.user.clone(),
        name: listed.name.clone(),
        email: listed.email.clone(),
        phone: short.or_else(|| listed.phone.clone()),
        active: listed.active,
    }
}

/// Makes an employee of a user. Own telephones are the file's to say: a wrong one would hide the calls
/// of a client.
fn new_employee(employees: &Employees, one: &Joining<'_>, listed: &ListedUser) -> Option<Employee> {
    let extensions = listed.extension.iter().flat_map(|extension| {
        let free = one
            .sources
            .iter()
            .filter(|source| employees.by_extension(source, extension).is_none());
        free.map(|source| EmployeeExtension {
            source: source.clone(),
            extension: extension.clone(),
        })
    });
    Some(Employee {
        id: free_id(employees, one.account, &listed.user)?,
        name: match listed.name.is_empty() {
            true => listed.user.0.clone(),
            false => listed.name.clone(),
        },
        email: listed.email.clone(),
        extensions: extensions.collect(),
        users: vec![EmployeeUser {
            account: one.account.clone(),
            user: listed.user.clone(),
        }],
        phones: Vec::new(),
    })
}

/// Returns an id that says where the employee comes from, and is always the same.
fn free_id(employees: &Employees, account: &AccountId, user: &CrmUserId) -> Option<EmployeeId> {
    let lower = user.0.to_ascii_lowercase();
    let kept = lower
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let id: String = format!("{account}-user-").chars().chain(kept).collect();
    let id: String = id.chars().take(SLUG_BYTES_MAX).collect();
    let id: EmployeeId = id.parse().ok()?;
    employees.get(&id).is_none().then_some(id)
}

#[cfg(test)]
mod tests;
