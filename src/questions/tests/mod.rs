//! An office with two sources and two portals, whose books are written by the tests.

mod chain;
mod desk;
mod exits;
mod http;
mod known_callers;
mod numbers;
mod shared_numbers;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::desk::{Ask, Desk};
use super::live::LiveBook;
use super::reason::Found;
use super::table::{AskedIntegration, SourceEntry, SourceParts, Table, TenantParts};
use crate::clock::Clock;
use crate::directory::known::{Book, KnownClient, Look, OpenDeal};
use crate::model::answering::{Exits, InboundNumber, PersonAnswering, Scenario, SourceAnswering};
use crate::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use crate::model::ids::{CrmUserId, EmployeeId, Extension, PortalKey};
use crate::model::number_rules::NumberRules;
use crate::model::personal_manager::PersonalManagerSettings;
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// Friday, the 20th of November 2026, noon in Moscow.
pub(super) const NOON: Timestamp = Timestamp::from_secs(1_795_165_200);

pub(super) const CLIENT: &str = "+79161112233";

/// A clock that stands.
pub(super) struct At(pub(super) Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A book that holds what a test wrote.
#[derive(Default, Clone)]
pub(super) struct Written {
    pub(super) clients: HashMap<Phone, Vec<KnownClient>>,
    pub(super) as_of: Option<Timestamp>,
}

impl Book for Written {
    fn look(&self, phone: &Phone) -> Look {
        Look {
            clients: self.clients.get(phone).cloned().unwrap_or_default(),
            complete_as_of: self.as_of,
        }
    }

    fn numbers(&self, after: Option<&Phone>, max: usize) -> Vec<Phone> {
        let behind = |phone: &&Phone| after.is_none_or(|after| phone.order() > after.order());
        let mut numbers: Vec<Phone> = self.clients.keys().filter(behind).cloned().collect();
        numbers.sort_by(|a, b| a.order().cmp(&b.order()));
        numbers.truncate(max);
        numbers
    }

    fn revision(&self) -> u64 {
        self.clients.len() as u64
    }

    fn complete_as_of(&self) -> Option<Timestamp> {
        self.as_of
    }
}

/// What a test says about one integration.
pub(super) struct Integration {
    pub(super) id: &'static str,
    pub(super) acts: bool,
    pub(super) settings: Option<PersonalManagerSettings>,
    pub(super) book: Written,
    pub(super) live: Option<Arc<dyn LiveBook>>,
}

/// The office. Tests change it before it is asked.
pub(super) struct Office {
    pub(super) people: BTreeMap<EmployeeId, PersonAnswering>,
    pub(super) numbers: Vec<InboundNumber>,
    pub(super) answering: SourceAnswering,
    pub(super) rules: NumberRules,
    pub(super) integrations: Vec<Integration>,
    pub(super) now: Timestamp,
}

pub(super) fn settings(json: &str) -> PersonalManagerSettings {
    serde_json::from_str(json).expect("settings")
}

pub(super) fn phone(text: &str) -> Phone {
    Phone::parse(text, crate::model::phone::Region::RU).expect(text)
}

/// A contact, last updated some seconds after the epoch.
pub(super) fn contact(id: &str, user: &str, updated_s: i64) -> KnownClient {
    KnownClient {
        card: Card {
            entity: Entity::Contact,
            id: id.to_owned(),
        },
        name: format!("Client {id}"),
        responsible: (!user.is_empty()).then(|| CrmUserId(user.to_owned())),
        updated_at: Timestamp::from_secs(updated_s),
        open_deal: None,
    }
}

pub(super) fn company(id: &str, user: &str, updated_s: i64) -> KnownClient {
    let mut card = contact(id, user, updated_s);
    card.card.entity = Entity::Company;
    card
}

pub(super) fn with_deal(mut client: KnownClient, user: &str) -> KnownClient {
    client.open_deal = Some(OpenDeal {
        id: "9".to_owned(),
        responsible: (!user.is_empty()).then(|| CrmUserId(user.to_owned())),
    });
    client
}

pub(super) fn number(number: &str, scenario: Scenario) -> InboundNumber {
    InboundNumber {
        number: number.to_owned(),
        source: None,
        scenario,
        owner: None,
        exits: Exits::default(),
    }
}

pub(super) fn extension(text: &str) -> Option<Extension> {
    Some(Extension(text.to_owned()))
}

pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

impl Office {
    /// Anna (101, user 502), Boris (102, user 503), Vera (no extension here, user 504); one
    /// integration `sales` that redirects and is read through; default 700.
    pub(super) fn new() -> Self {
        let book = Written {
            as_of: Some(NOON.minus(std::time::Duration::from_secs(30))),
            ..Written::default()
        };
        Self {
            people: BTreeMap::new(),
            numbers: Vec::new(),
            answering: SourceAnswering {
                exits: Exits {
                    default: extension("700"),
                    ..Exits::default()
                },
                ..SourceAnswering::default()
            },
            rules: NumberRules::default(),
            integrations: vec![Integration {
                id: "sales",
                acts: true,
                settings: Some(settings("{}")),
                book,
                live: None,
            }],
            now: NOON,
        }
    }

    /// Writes the client's cards into the first integration's book.
    pub(super) fn knows(mut self, clients: Vec<KnownClient>) -> Self {
        self.integrations[0]
            .book
            .clients
            .insert(phone(CLIENT), clients);
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn person(mut self, id: &str, change: impl FnOnce(&mut PersonAnswering)) -> Self {
        let mut person = PersonAnswering::default();
        change(&mut person);
        self.people.insert(id.parse().expect("an id"), person);
        self
    }

    pub(super) fn desk(self) -> Desk {
        let now = self.now;
        let desk = Desk::new(Arc::new(At(now)));
        desk.replace(self.table());
        desk
    }

    pub(super) fn table(self) -> Table {
        let integrations = self.integrations.into_iter().map(|one| AskedIntegration {
            id: one.id.parse().expect("an id"),
            account: "main".parse().expect("an id"),
            portal: PortalKey::new("crm", one.id),
            acts: one.acts,
            settings: one.settings,
            book: Some(Arc::new(one.book)),
            link: Arc::new(|card| Some(format!("https://crm.example/{}", card.id))),
            live: one.live,
        });
        Table::new(vec![TenantParts {
            id: "acme".parse().expect("an id"),
            zone: TimeZone::get("Europe/Moscow").expect("a zone"),
            employees: Arc::new(people()),
            people: self.people,
            numbers: self.numbers,
            integrations: integrations.collect(),
            sources: vec![SourceParts {
                id: "office".parse().expect("an id"),
                numbers: self.rules,
                answering: self.answering,
            }],
        }])
    }
}

fn people() -> Employees {
    let person = |name: &str, source: &str, extension: &str, user: &str| Employee {
        id: name.parse().expect("an id"),
        name: name.to_uppercase(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: source.parse().expect("an id"),
            extension: Extension(extension.to_owned()),
        }],
        users: vec![EmployeeUser {
            account: "main".parse().expect("an id"),
            user: CrmUserId(user.to_owned()),
        }],
        phones: Vec::new(),
    };
    let mut anna = person("anna", "office", "101", "502");
    anna.phones.push(phone("+79160000001"));
    Employees(vec![
        anna,
        person("boris", "office", "102", "503"),
        person("vera", "branch", "103", "504"),
    ])
}

pub(super) fn source(desk: &Desk) -> Arc<SourceEntry> {
    Arc::clone(
        desk.table()
            .source("acme/office")
            .expect("it is configured"),
    )
}

pub(super) async fn ask(desk: &Desk, caller: &str, did: Option<&str>) -> Found {
    let ask = Ask {
        caller,
        did,
        explain: true,
        ..Ask::default()
    };
    desk.answer(&source(desk), ask).await
}

/// Writes an answer as one line: `personal_manager 101 manager=anna client=1`.
pub(super) fn told(found: &Found) -> String {
    let answer = &found.answer;
    let route = serde_json::to_value(answer.route).expect("a word");
    let mut text = route.as_str().expect("a word").to_owned();
    if let Some(extension) = &answer.extension {
        text.push_str(&format!(" {extension}"));
    }
    if let Some(manager) = &answer.manager {
        text.push_str(&format!(" manager={}", manager.employee));
    }
    if let Some(client) = &answer.client {
        text.push_str(&format!(" client={}", client.id));
    }
    if let Some(policy) = found.policy {
        text.push_str(&format!(" policy={policy}"));
    }
    text
}
