//! Whom known callers would reach, for phone systems that keep a copy of the answers.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use crate::directory::known::Book;
use crate::model::answering::{Exits, InboundNumber, Scenario, Unlisted};
use crate::model::ids::{EmployeeId, Extension, SourceKey};
use crate::model::phone::Phone;
use crate::model::question::Route;
use crate::pbx::{ClientsPage, DialledNumbers, DialledWay, KnownCallers};

use super::chain::{self, Asked, Caller};
use super::desk::Desk;
use super::table::SourceEntry;

impl KnownCallers for Desk {
    fn revision(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.replaced().hash(&mut hasher);
        for (_, book) in self.table().books() {
            book.map(|book| book.revision()).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn clients(
        &self,
        source: &SourceKey,
        after: Option<&Phone>,
        max: usize,
    ) -> Option<ClientsPage> {
        let table = self.table();
        let source = table.source(&source.to_string())?;
        let books = redirecting(source);
        if books.iter().any(|book| book.complete_as_of().is_none()) {
            return None;
        }
        let manager = looks_for_the_manager();
        let (numbers, more) = merged(&books, after, max);
        let clients = numbers.into_iter().map(|phone| {
            let employee = self.manager_of(source, &manager, &phone);
            (phone, employee)
        });
        Some(ClientsPage {
            clients: clients.collect(),
            more,
        })
    }

    fn managers(&self, source: &SourceKey) -> Option<Vec<(EmployeeId, Extension)>> {
        let table = self.table();
        let source = table.source(&source.to_string())?;
        let now = self.now();
        let rung = source.people().filter_map(|person| {
            let extension = chain::rung_for(source, person, now)?;
            Some((person.employee.id.clone(), extension))
        });
        Some(rung.collect())
    }

    fn dialled(&self, source: &SourceKey) -> Option<DialledNumbers> {
        let table = self.table();
        let source = table.source(&source.to_string())?;
        let region = source.rules.region;
        let (country, trunk_prefix) = (region.country_code(), region.trunk_prefix());
        let mut listed = BTreeMap::new();
        for (form, number) in source.numbers() {
            let way = self.way(source, number);
            let mut forms = vec![form.to_owned()];
            if let Ok(phone) = Phone::parse(form, region) {
                forms.push(phone.digits().to_owned());
                if let Some(national) = phone.digits().strip_prefix(&country) {
                    forms.push(national.to_owned());
                    forms.push(format!("{trunk_prefix}{national}"));
                }
            }
            for mut form in forms {
                form.retain(|c| c.is_ascii_digit());
                if !form.is_empty() {
                    listed.insert(form, way.clone());
                }
            }
        }
        Some(DialledNumbers {
            listed: listed.into_iter().collect(),
            others: match source.answering.unlisted {
                Unlisted::PersonalManager => DialledWay::Manager,
                Unlisted::Other => DialledWay::Usual,
            },
            country,
            trunk_prefix,
        })
    }
}

impl Desk {
    /// Returns who answers for a client.
    fn manager_of(
        &self,
        source: &SourceEntry,
        number: &InboundNumber,
        phone: &Phone,
    ) -> Option<EmployeeId> {
        // Colleagues are no clients, even where the CRM has a card of them.
        if source.person_of_phone(phone).is_some() {
            return None;
        }
        let answer = self.at_once(&Asked {
            source,
            caller: Caller::Outside(phone.clone()),
            number: Some(number),
            redirect_failed: false,
        });
        answer.manager.map(|manager| manager.employee.clone())
    }

    fn way(&self, source: &SourceEntry, number: &InboundNumber) -> DialledWay {
        let answer = self.at_once(&Asked {
            source,
            caller: Caller::Withheld,
            number: Some(number),
            redirect_failed: false,
        });
        match (answer.route, answer.extension) {
            (Route::DidEmployee | Route::DidOwner, Some(extension)) => DialledWay::Ring(extension),
            _ if number.scenario == Scenario::PersonalManager => DialledWay::Manager,
            _ => DialledWay::Usual,
        }
    }
}

/// A dialled number that decides nothing by itself.
fn looks_for_the_manager() -> InboundNumber {
    InboundNumber {
        number: String::new(),
        source: None,
        scenario: Scenario::PersonalManager,
        owner: None,
        exits: Exits::default(),
    }
}

/// Returns the books of the integrations that send calls somewhere.
fn redirecting(source: &SourceEntry) -> Vec<Arc<dyn Book>> {
    let integrations = source.tenant.integrations.iter();
    let redirecting = integrations.filter(|integration| integration.redirects().is_some());
    redirecting.filter_map(|one| one.book.clone()).collect()
}

/// Returns the next numbers of all books together, and whether there are more.
fn merged(books: &[Arc<dyn Book>], after: Option<&Phone>, max: usize) -> (Vec<Phone>, bool) {
    let mut numbers = Vec::new();
    let mut more = false;
    for book in books {
        let some = book.numbers(after, max);
        more |= some.len() >= max;
        numbers.extend(some);
    }
    numbers.sort_by(|a, b| a.order().cmp(&b.order()));
    numbers.dedup();
    // What one book tells beyond the end of another's page is not known to be complete.
    more |= numbers.len() > max;
    numbers.truncate(max);
    (numbers, more)
}
