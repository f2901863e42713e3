//! Writes the directory: cards and deals by id, cards by address, deals by card.
//!
//! Of two pictures of one record the later one stands; a record that is gone takes its entries
//! in the other tables along. An entry of such a table is only a hint: who follows it reads the
//! record and looks whether it is true.

use std::collections::BTreeSet;
use std::sync::Arc;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::directory::{DirectoryApplied, DirectoryBatch, DirectoryFeed, DirectoryState};
use super::directory_pack::{
    card_key, email_key, pack_card, pack_deal, phone_key, unpack_card, unpack_deal, with_card,
};
use super::error::{StoreError, Trouble};
use super::row::encode;
use super::tables::{Counter, Tables};
use crate::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use crate::model::ids::PortalKey;
use crate::model::plan::{Card, Entity};

type Bytes = &'static [u8];

/// Portal -> its number, the state of its sync, its size.
pub(super) const DIRECTORIES: TableDefinition<&str, &[u8]> = TableDefinition::new("directories");
/// Card -> its picture.
pub(super) const CARDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("directory_cards");
/// (Address, card).
pub(super) const ADDRESSES: TableDefinition<&[u8], ()> =
    TableDefinition::new("directory_addresses");
/// Deal -> its picture.
pub(super) const DEALS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("directory_deals");
/// (Card, deal).
pub(super) const DEALS_OF: TableDefinition<&[u8], ()> = TableDefinition::new("directory_deals_of");

/// A portal's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DirectoryRow {
    /// Stands for the portal in the keys.
    pub(super) number: u32,
    pub(super) state: DirectoryState,
    pub(super) cards: u64,
    pub(super) deals: u64,
}

/// The directory's tables, opened when a command of the group first needs them: most never do.
pub(super) struct LazyDirectory<'t> {
    txn: &'t WriteTransaction,
    tables: Option<DirectoryTables<'t>>,
    /// What was applied, to be told after the commit.
    pub(super) feed: Vec<DirectoryFeed>,
}

struct DirectoryTables<'t> {
    directories: Table<'t, &'static str, Bytes>,
    cards: Table<'t, Bytes, Bytes>,
    addresses: Table<'t, Bytes, ()>,
    deals: Table<'t, Bytes, Bytes>,
    deals_of: Table<'t, Bytes, ()>,
}

impl<'t> LazyDirectory<'t> {
    pub(super) fn new(txn: &'t WriteTransaction) -> Self {
        Self {
            txn,
            tables: None,
            feed: Vec::new(),
        }
    }

    fn open(&mut self) -> Result<&mut DirectoryTables<'t>, Trouble> {
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => DirectoryTables {
                directories: self.txn.open_table(DIRECTORIES)?,
                cards: self.txn.open_table(CARDS)?,
                addresses: self.txn.open_table(ADDRESSES)?,
                deals: self.txn.open_table(DEALS)?,
                deals_of: self.txn.open_table(DEALS_OF)?,
            },
        };
        Ok(self.tables.insert(tables))
    }

    /// Returns the table of the portals' rows.
    pub(super) fn rows(&mut self) -> Result<&mut Table<'t, &'static str, Bytes>, Trouble> {
        Ok(&mut self.open()?.directories)
    }
}

/// Carries out [`DirectoryBatch`].
pub(super) fn apply(
    tables: &mut Tables<'_>,
    batch: &DirectoryBatch,
) -> Result<DirectoryApplied, Trouble> {
    let row = match read_row(tables, &batch.portal)? {
        Some(row) => row,
        None => DirectoryRow {
            number: u32::try_from(tables.next(Counter::Directory)?)
                .map_err(|_| Trouble::Fatal("the directory numbers are used up".to_owned()))?,
            state: DirectoryState::default(),
            cards: 0,
            deals: 0,
        },
    };
    write(
        tables,
        &batch.portal,
        row,
        &batch.changes,
        batch.state.as_ref(),
    )
}

/// Adds what we made ourselves, where the portal has a directory.
pub(super) fn add_own(
    tables: &mut Tables<'_>,
    portal: &PortalKey,
    changes: &[DirectoryChange],
) -> Result<(), Trouble> {
    if changes.is_empty() {
        return Ok(());
    }
    if let Some(row) = read_row(tables, portal)? {
        write(tables, portal, row, changes, None)?;
    }
    Ok(())
}

/// Reads a portal's row; one that cannot be read is written anew, under another number.
fn read_row(tables: &mut Tables<'_>, portal: &PortalKey) -> Result<Option<DirectoryRow>, Trouble> {
    let health = tables.health;
    let directory = tables.directory.open()?;
    let Some(row) = directory.directories.get(portal.as_str())? else {
        return Ok(None);
    };
    match health.read("directories", portal, row.value()) {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::Unreadable { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn write(
    tables: &mut Tables<'_>,
    portal: &PortalKey,
    mut row: DirectoryRow,
    changes: &[DirectoryChange],
    state: Option<&DirectoryState>,
) -> Result<DirectoryApplied, Trouble> {
    let directory = tables.directory.open()?;
    let mut report = DirectoryApplied::default();
    let mut applied = Vec::new();
    for change in changes {
        let made_a_difference = match change {
            DirectoryChange::Card(card) => put_card(directory, &mut row, card)?,
            DirectoryChange::Deal(deal) => put_deal(directory, &mut row, deal)?,
            DirectoryChange::Gone { card } => remove(directory, &mut row, card)?,
        };
        if made_a_difference {
            report.changed = report.changed.saturating_add(1);
            applied.push(change.clone());
        } else {
            report.known = report.known.saturating_add(1);
        }
    }
    let complete_before = row.state.complete_as_of;
    if let Some(state) = state {
        row.state = state.clone();
    }
    let bytes = encode(&row)?;
    directory
        .directories
        .insert(portal.as_str(), bytes.as_slice())?;
    tables.wrote = true;
    if !applied.is_empty() || row.state.complete_as_of != complete_before {
        tables.directory.feed.push(DirectoryFeed {
            portal: portal.clone(),
            changes: Arc::from(applied),
            complete_as_of: row.state.complete_as_of,
        });
    }
    Ok(report)
}

fn put_card(
    directory: &mut DirectoryTables<'_>,
    row: &mut DirectoryRow,
    card: &DirectoryCard,
) -> Result<bool, Trouble> {
    let (Some(key), Some(bytes)) = (card_key(row.number, &card.card), pack_card(card)) else {
        return Ok(false);
    };
    let old = directory.cards.get(key.as_slice())?;
    let is_new = old.is_none();
    // Damaged: replaced. Its old addresses may stay; they are only hints.
    let old = old.and_then(|old| unpack_card(card.card.clone(), old.value()));
    if let Some(old) = &old
        && (old.updated_at > card.updated_at || old == card)
    {
        return Ok(false);
    }
    let before = old.map_or_else(BTreeSet::new, |old| address_keys(row.number, &old));
    let after = address_keys(row.number, card);
    for gone in before.difference(&after) {
        directory.addresses.remove(gone.as_slice())?;
    }
    for new in after.difference(&before) {
        directory.addresses.insert(new.as_slice(), ())?;
    }
    directory.cards.insert(key.as_slice(), bytes.as_slice())?;
    row.cards = row.cards.saturating_add(u64::from(is_new));
    Ok(true)
}

fn address_keys(number: u32, card: &DirectoryCard) -> BTreeSet<Vec<u8>> {
    let phones = card.phones.iter().filter_map(|p| phone_key(number, p));
    let emails = card.emails.iter().map(|email| email_key(number, email));
    phones
        .chain(emails)
        .filter_map(|beginning| with_card(beginning, &card.card))
        .collect()
}

fn put_deal(
    directory: &mut DirectoryTables<'_>,
    row: &mut DirectoryRow,
    deal: &DirectoryDeal,
) -> Result<bool, Trouble> {
    let card = deal_card(&deal.deal.id);
    let (Some(key), Some(bytes)) = (card_key(row.number, &card), pack_deal(deal)) else {
        return Ok(false);
    };
    let old = directory.deals.get(key.as_slice())?;
    let is_new = old.is_none();
    let old = old.and_then(|old| unpack_deal(deal.deal.id.clone(), old.value()));
    if let Some(old) = &old
        && (old.updated_at > deal.updated_at || old == deal)
    {
        return Ok(false);
    }
    let before = old.map_or_else(BTreeSet::new, |old| client_keys(row.number, &old));
    let after = client_keys(row.number, deal);
    for gone in before.difference(&after) {
        directory.deals_of.remove(gone.as_slice())?;
    }
    for new in after.difference(&before) {
        directory.deals_of.insert(new.as_slice(), ())?;
    }
    directory.deals.insert(key.as_slice(), bytes.as_slice())?;
    row.deals = row.deals.saturating_add(u64::from(is_new));
    Ok(true)
}

fn client_keys(number: u32, deal: &DirectoryDeal) -> BTreeSet<Vec<u8>> {
    let own = deal_card(&deal.deal.id);
    let clients = deal.clients.iter();
    clients
        .filter_map(|client| with_card(card_key(number, client)?, &own))
        .collect()
}

/// Names a deal as a record.
pub(super) fn deal_card(id: &str) -> Card {
    Card {
        entity: Entity::Deal,
        id: id.to_owned(),
    }
}

fn remove(
    directory: &mut DirectoryTables<'_>,
    row: &mut DirectoryRow,
    card: &Card,
) -> Result<bool, Trouble> {
    let Some(key) = card_key(row.number, card) else {
        return Ok(false);
    };
    if card.entity == Entity::Deal {
        let Some(old) = directory.deals.remove(key.as_slice())? else {
            return Ok(false);
        };
        let old = unpack_deal(card.id.clone(), old.value());
        for gone in old.map_or_else(BTreeSet::new, |old| client_keys(row.number, &old)) {
            directory.deals_of.remove(gone.as_slice())?;
        }
        row.deals = row.deals.saturating_sub(1);
    } else {
        let Some(old) = directory.cards.remove(key.as_slice())? else {
            return Ok(false);
        };
        let old = unpack_card(card.clone(), old.value());
        for gone in old.map_or_else(BTreeSet::new, |old| address_keys(row.number, &old)) {
            directory.addresses.remove(gone.as_slice())?;
        }
        row.cards = row.cards.saturating_sub(1);
    }
    Ok(true)
}
