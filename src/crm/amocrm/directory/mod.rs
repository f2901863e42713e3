//! The account's clients and deals for the directory: everything once, page by page, then what
//! changed (`crm/amocrm.md` §5, §8, §9, §13).

mod changes;
mod everything;
pub(super) mod hooks;
pub(super) mod picture;

pub(super) use self::changes::Told;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::AmoAdapter;
use super::client::{Client, ReadError, query};
use super::setup::Setup;
use super::wire::answers::CardRecord;
use crate::clock::SharedClock;
use crate::crm::{Changes, Class, DirectoryReader, HookAddress, Piece};
use crate::model::directory::DirectoryChange;
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome};
use crate::model::plan::{Card, Entity};

/// The lists that are read, in this order: deals name their clients, so they come last.
const LISTS: [Entity; 3] = [Entity::Contact, Entity::Company, Entity::Deal];

/// Most records of one page (§4).
pub(super) const PAGE_MAX: usize = 250;

/// What a reading needs.
pub(super) struct Reading<'a> {
    pub(super) client: &'a Client,
    pub(super) setup: &'a Setup,
    pub(super) clock: &'a SharedClock,
    pub(super) class: Class,
}

impl Reading<'_> {
    /// Reads one record; gone where it is not there any more.
    async fn record(&self, card: &Card) -> Result<Option<DirectoryChange>, ReadError> {
        let Some(list) = list_of(card.entity) else {
            return Ok(None);
        };
        // What is no number was never an id of this CRM.
        let Ok(id) = card.id.parse::<i64>() else {
            return Ok(Some(DirectoryChange::Gone { card: card.clone() }));
        };
        let path = format!("/api/v4/{list}/{id}");
        let pairs = query(&[("with", "contacts")]);
        let record: Option<CardRecord> = self.client.record(&path, pairs, self.class).await?;
        Ok(Some(match record {
            Some(record) => picture::change(card.entity, &record, self.setup),
            None => DirectoryChange::Gone { card: card.clone() },
        }))
    }
}

/// Returns the path of a list, for what the directory holds.
fn list_of(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Contact => Some("contacts"),
        Entity::Company => Some("companies"),
        Entity::Deal => Some("leads"),
        Entity::Lead
        | Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => None,
    }
}

impl AmoAdapter {
    pub(super) async fn reading<'a, T>(
        &'a self,
        class: Class,
        read: impl AsyncFnOnce(Reading<'_>) -> Result<T, ReadError>,
    ) -> Outcome<T> {
        let setup = match self.setup.get(&self.client, class).await {
            Ok(setup) => setup,
            Err(failure) => return failure.into_outcome(),
        };
        let reading = Reading {
            client: &self.client,
            setup: &setup,
            clock: &self.clock,
            class,
        };
        match read(reading).await {
            Ok(done) => Outcome::Done(done),
            Err(error) => error.into_outcome(),
        }
    }
}

impl AmoAdapter {
    /// Has the account tell of changes at an address of ours.
    pub(super) async fn told_at(&self, hook: HookAddress) -> Outcome<()> {
        if self.client.is_observed() {
            return Outcome::NotApplied(NotApplied {
                cause: NotAppliedCause::Failed,
                why: "no integration of the portal is on, so nothing is set up there".to_owned(),
                retry_after: None,
            });
        }
        match hooks::subscribe(&self.client, &hook).await {
            Ok(()) => Outcome::Done(()),
            Err(error) => error.into_outcome(),
        }
    }
}

impl DirectoryReader for AmoAdapter {
    fn everything(&self, cursor: Option<Value>) -> BoxFuture<'_, Outcome<Piece>> {
        self.reading(Class::Background, async move |reading| {
            everything::piece(&reading, cursor).await
        })
        .boxed()
    }

    fn changes(&self, mark: Value, class: Class) -> BoxFuture<'_, Outcome<Changes>> {
        self.reading(class, async move |reading| {
            changes::since(&reading, &mark, &self.events).await
        })
        .boxed()
    }

    fn subscribe(&self, hook: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        self.told_at(hook).boxed()
    }

    fn anew(&self, cards: Vec<Card>, class: Class) -> BoxFuture<'_, Outcome<Vec<DirectoryChange>>> {
        self.reading(class, async move |reading| {
            let mut found = Vec::new();
            for card in &cards {
                found.extend(reading.record(card).await?);
            }
            Ok(found)
        })
        .boxed()
    }
}
