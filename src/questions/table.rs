//! The settings of all tenants in the form in which a question needs them: every name that a
//! question can lead to is found in one step. Immutable; a reload makes another.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use jiff::tz::TimeZone;

use crate::directory::known::Book;
use crate::model::answering::{InboundNumber, PersonAnswering, SourceAnswering};
use crate::model::employee::{Employee, Employees};
use crate::model::ids::{
    AccountId, CrmUserId, EmployeeId, Extension, IntegrationId, PortalKey, SourceId, SourceKey,
    TenantId,
};
use crate::model::number_rules::NumberRules;
use crate::model::personal_manager::PersonalManagerSettings;
use crate::model::phone::{Phone, Region};
use crate::model::plan::Card;
use crate::model::question::AnswerManager;

use super::live::LiveBook;

/// One integration as it is asked who a client is.
pub struct AskedIntegration {
    /// Its id.
    pub id: IntegrationId,
    /// The account, by which employees are mapped to CRM users (S1-06).
    pub account: AccountId,
    /// The portal whose book is asked.
    pub portal: PortalKey,
    /// It may send calls somewhere: it is on, not only observing.
    pub acts: bool,
    /// What was chosen for it; `None` = nothing is redirected.
    pub settings: Option<PersonalManagerSettings>,
    /// Who knows its clients; `None` = no directory is kept of the portal.
    pub book: Option<Arc<dyn Book>>,
    /// Makes links to cards.
    pub link: CardLink,
    /// The way to the CRM itself.
    pub live: Option<Arc<dyn LiveBook>>,
}

/// Makes the address of a card's page.
pub type CardLink = Arc<dyn Fn(&Card) -> Option<String> + Send + Sync>;

impl AskedIntegration {
    /// Returns what was chosen, where calls are redirected at all.
    pub fn redirects(&self) -> Option<&PersonalManagerSettings> {
        let settings = self.settings.as_ref().filter(|settings| settings.on);
        settings.filter(|_| self.acts)
    }
}

/// What a tenant's table is made from.
pub struct TenantParts {
    /// The tenant.
    pub id: TenantId,
    /// Where its clock hangs.
    pub zone: TimeZone,
    /// Its people.
    pub employees: Arc<Employees>,
    /// Those for whom something else than usual holds.
    pub people: std::collections::BTreeMap<EmployeeId, PersonAnswering>,
    /// Its numbers.
    pub numbers: Vec<InboundNumber>,
    /// Its integrations in the order in which they are asked.
    pub integrations: Vec<AskedIntegration>,
    /// Its sources.
    pub sources: Vec<SourceParts>,
}

/// What a source's entry is made from.
pub struct SourceParts {
    /// The source.
    pub id: SourceId,
    /// How its numbers are brought into shape.
    pub numbers: NumberRules,
    /// Who may ask, and what is answered where nobody is found.
    pub answering: SourceAnswering,
}

/// What all sources of a tenant share.
pub struct TenantEntry {
    /// The tenant.
    pub id: TenantId,
    /// Where its clock hangs.
    pub zone: TimeZone,
    /// Its people.
    pub employees: Arc<Employees>,
    /// Its integrations in the order in which they are asked.
    pub integrations: Vec<AskedIntegration>,
    /// Employees' positions by CRM user, for each integration.
    users: Vec<HashMap<CrmUserId, usize>>,
    /// Employees' positions by id.
    ids: HashMap<EmployeeId, usize>,
    /// Employees' own phones.
    own_phones: HashMap<Phone, usize>,
    answering: Vec<PersonAnswering>,
}

/// One source: everything that an answer for it needs.
pub struct SourceEntry {
    /// The source.
    pub key: SourceKey,
    /// Who may ask, and what is answered where nobody is found.
    pub answering: SourceAnswering,
    /// How its numbers are brought into shape.
    pub rules: NumberRules,
    /// The tenant.
    pub tenant: Arc<TenantEntry>,
    /// Employees as answers name them, with their extensions here, by position.
    managers: Vec<Arc<AnswerManager>>,
    /// Employees' positions by extension here.
    by_extension: HashMap<Extension, usize>,
    /// The company's numbers that are dialled here, by their one form and some others.
    numbers: HashMap<String, InboundNumber>,
}

/// A person as a source sees it.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The person.
    pub employee: &'a Employee,
    /// The person's extension at the source.
    pub extension: Option<&'a Extension>,
    /// When and for what the person may be rung.
    pub answering: &'a PersonAnswering,
    /// The person as answers name a client's manager.
    pub as_manager: &'a Arc<AnswerManager>,
}

/// All sources of all tenants.
#[derive(Default)]
pub struct Table {
    /// By `tenant/source`.
    sources: HashMap<Box<str>, Arc<SourceEntry>>,
}

impl Table {
    /// Compiles the settings.
    pub fn new(tenants: Vec<TenantParts>) -> Self {
        let mut sources = HashMap::new();
        for tenant in tenants {
            let (entry, parts, numbers) = tenant_entry(tenant);
            for source in parts {
                let source = source_entry(&entry, source, &numbers);
                sources.insert(source.key.to_string().into_boxed_str(), Arc::new(source));
            }
        }
        Self { sources }
    }

    /// Returns the source that is written `tenant/source`.
    pub fn source(&self, key: &str) -> Option<&Arc<SourceEntry>> {
        self.sources.get(key)
    }

    /// Says whether an address may ask for any source at all: others learn nothing, not even
    /// which sources there are.
    pub fn knows(&self, asker: IpAddr) -> bool {
        self.sources.values().any(|source| source.allows(asker))
    }

    /// Returns every portal that is asked, with its book.
    pub fn books(&self) -> Vec<(PortalKey, Option<Arc<dyn Book>>)> {
        let mut seen = HashSet::new();
        let mut books = Vec::new();
        for source in self.sources.values() {
            for integration in &source.tenant.integrations {
                if seen.insert(integration.portal.clone()) {
                    books.push((integration.portal.clone(), integration.book.clone()));
                }
            }
        }
        books.sort_by(|(a, _), (b, _)| a.cmp(b));
        books
    }
}

impl SourceEntry {
    /// Says whether an address may ask for this source.
    pub fn allows(&self, asker: IpAddr) -> bool {
        self.answering
            .allow
            .iter()
            .any(|range| range.contains(asker))
    }

    /// Returns what is known of the dialled number.
    pub fn number(&self, dialled: &str) -> Option<&InboundNumber> {
        if self.numbers.is_empty() {
            return None;
        }
        let dialled = dialled.trim();
        // Phone systems write a number in one form always; most often it is the one in the file.
        self.numbers.get(dialled).or_else(|| {
            let form = one_form(dialled, self.rules.region);
            self.numbers.get(&form)
        })
    }

    /// Returns the company's numbers that are dialled here, in the forms in which they are found.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, &InboundNumber)> {
        self.numbers
            .iter()
            .map(|(form, number)| (form.as_str(), number))
    }

    /// Returns everybody of the tenant, as the source sees them.
    pub fn people(&self) -> impl Iterator<Item = Person<'_>> {
        let positions = 0..self.tenant.employees.0.len();
        positions.filter_map(|position| self.at(position))
    }

    /// Returns the employee of this id, as the source sees the person.
    pub fn person(&self, id: &EmployeeId) -> Option<Person<'_>> {
        self.at(*self.tenant.ids.get(id)?)
    }

    /// Returns the employee who is this user of an integration's account (S1-06).
    pub fn person_of_user(&self, integration: usize, user: &CrmUserId) -> Option<Person<'_>> {
        let users = self.tenant.users.get(integration)?;
        self.at(*users.get(user)?)
    }

    /// Returns whose own phone this is.
    pub fn person_of_phone(&self, phone: &Phone) -> Option<Person<'_>> {
        self.at(*self.tenant.own_phones.get(phone)?)
    }

    /// Returns whose extension this is.
    pub fn person_of_extension(&self, extension: &str) -> Option<Person<'_>> {
        self.at(*self.by_extension.get(&Extension(extension.to_owned()))?)
    }

    fn at(&self, position: usize) -> Option<Person<'_>> {
        let as_manager = self.managers.get(position)?;
        Some(Person {
            employee: self.tenant.employees.0.get(position)?,
            extension: as_manager.extension.as_ref(),
            answering: self.tenant.answering.get(position)?,
            as_manager,
        })
    }
}

fn tenant_entry(parts: TenantParts) -> (Arc<TenantEntry>, Vec<SourceParts>, Vec<InboundNumber>) {
    let people = || parts.employees.0.iter().enumerate();
    let users_of = |account: &AccountId| -> HashMap<CrmUserId, usize> {
        let of = |(at, person): (usize, &Employee)| Some((person.user(account)?.clone(), at));
        people().filter_map(of).collect()
    };
    let entry = TenantEntry {
        users: parts
            .integrations
            .iter()
            .map(|integration| users_of(&integration.account))
            .collect(),
        ids: people()
            .map(|(at, person)| (person.id.clone(), at))
            .collect(),
        own_phones: people()
            .flat_map(|(at, person)| person.phones.iter().map(move |phone| (phone.clone(), at)))
            .collect(),
        answering: people()
            .map(|(_, person)| parts.people.get(&person.id).cloned().unwrap_or_default())
            .collect(),
        id: parts.id,
        zone: parts.zone,
        employees: Arc::clone(&parts.employees),
        integrations: parts.integrations,
    };
    (Arc::new(entry), parts.sources, parts.numbers)
}

fn source_entry(
    tenant: &Arc<TenantEntry>,
    parts: SourceParts,
    numbers: &[InboundNumber],
) -> SourceEntry {
    let extension = |person: &Employee| {
        let mut all = person.extensions.iter();
        let here = all.find(|one| one.source == parts.id)?;
        Some(here.extension.clone())
    };
    let manager = |person: &Employee| {
        Arc::new(AnswerManager {
            employee: person.id.clone(),
            name: person.name.clone(),
            extension: extension(person),
        })
    };
    let managers = tenant.employees.0.iter().map(manager).collect();
    let mut by_extension = HashMap::new();
    for (at, person) in tenant.employees.0.iter().enumerate() {
        let here = person
            .extensions
            .iter()
            .filter(|one| one.source == parts.id);
        by_extension.extend(here.map(|one| (one.extension.clone(), at)));
    }
    let mut by_number = HashMap::new();
    // A number of this very source stands over one of any source.
    let anywhere = numbers.iter().filter(|number| number.source.is_none());
    let here = numbers
        .iter()
        .filter(|number| number.source.as_ref() == Some(&parts.id));
    for number in anywhere.chain(here) {
        let region = parts.numbers.region;
        let form = one_form(&number.number, region);
        // In the forms in which phone systems write it, it is found without being read.
        for other in [number.number.as_str(), form.trim_start_matches('+')] {
            if one_form(other, region) == form {
                by_number.insert(other.to_owned(), number.clone());
            }
        }
        by_number.insert(form, number.clone());
    }
    SourceEntry {
        key: SourceKey::new(tenant.id.clone(), parts.id),
        answering: parts.answering,
        rules: parts.numbers,
        tenant: Arc::clone(tenant),
        managers,
        by_extension,
        numbers: by_number,
    }
}

/// Returns the one form of a dialled number, by which it is found: E.164, and what is no public
/// number as it is written.
fn one_form(text: &str, region: Region) -> String {
    match Phone::parse(text, region) {
        Ok(phone) => phone.into(),
        Err(_) => text.to_owned(),
    }
}
