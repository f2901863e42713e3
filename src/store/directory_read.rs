//! Reads the directory. Its tables may not be there yet: then it is empty.

use std::cmp::Reverse;

use redb::{Key, ReadOnlyTable, TableDefinition, TableError, Value as RowValue};

use super::directory::{
    CARDS_MAX, DEALS_MAX, DirectoryAnswer, DirectoryChunk, DirectoryPart, DirectoryPlace,
    DirectoryQuery, DirectoryRange, DirectoryState, KnownCard, StoredDirectory,
};
use super::directory_pack::{
    card_after, card_key, email_key, end_of, entity_key, phone_key, portal_key, unpack_card,
    unpack_deal,
};
use super::directory_tables::{
    ADDRESSES, CARDS, DEALS, DEALS_OF, DIRECTORIES, DirectoryRow, deal_card,
};
use super::error::{StoreError, Trouble};
use super::reader::Reader;
use crate::model::directory::DirectoryCard;
use crate::model::facts::DealFact;
use crate::model::ids::PortalKey;
use crate::model::plan::{Card, Entity};

impl Reader<'_> {
    pub(super) fn table_if_made<K: Key + 'static, V: RowValue + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<Option<ReadOnlyTable<K, V>>, Trouble> {
        match self.txn.open_table(definition) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn directory_row(&self, portal: &PortalKey) -> Result<Option<DirectoryRow>, Trouble> {
        let Some(table) = self.table_if_made(DIRECTORIES)? else {
            return Ok(None);
        };
        let Some(row) = table.get(portal.as_str())? else {
            return Ok(None);
        };
        match self.health.read("directories", portal, row.value()) {
            Ok(row) => Ok(Some(row)),
            Err(StoreError::Unreadable { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    pub(super) fn directory(&self, portal: &PortalKey) -> Result<Option<StoredDirectory>, Trouble> {
        let row = self.directory_row(portal)?;
        Ok(row.map(|row| StoredDirectory {
            state: row.state,
            cards: row.cards,
            deals: row.deals,
        }))
    }

    pub(super) fn directory_answer(
        &self,
        query: &DirectoryQuery,
    ) -> Result<DirectoryAnswer, Trouble> {
        let nothing = |state| DirectoryAnswer {
            state,
            cards: Vec::new(),
            missing: query.expected.clone(),
        };
        let Some(row) = self.directory_row(&query.portal)? else {
            return Ok(nothing(DirectoryState::default()));
        };
        let (Some(cards), Some(addresses), Some(deals), Some(deals_of)) = (
            self.table_if_made(CARDS)?,
            self.table_if_made(ADDRESSES)?,
            self.table_if_made(DEALS)?,
            self.table_if_made(DEALS_OF)?,
        ) else {
            return Ok(nothing(row.state));
        };
        let number = row.number;
        let mut found: Vec<KnownCard> = Vec::new();
        let phones = query.phones.iter().filter_map(|p| phone_key(number, p));
        let emails = query.emails.iter().map(|email| email_key(number, email));
        for beginning in phones.chain(emails) {
            let end = end_of(&beginning);
            for entry in addresses.range(beginning.as_slice()..end.as_slice())? {
                if found.len() >= CARDS_MAX {
                    break;
                }
                let Some(card) = card_after(entry?.0.value(), &beginning) else {
                    continue;
                };
                if found.iter().any(|known| known.card.card == card) {
                    continue;
                }
                let Some(card) = read_card(&cards, number, card)? else {
                    continue;
                };
                // The entry is a hint; the card says whether it is true.
                let has = card.phones.iter().any(|phone| query.phones.contains(phone))
                    || card.emails.iter().any(|email| query.emails.contains(email));
                if has {
                    let deals = match query.deals {
                        true => deals_of_card(&deals_of, &deals, number, &card.card)?,
                        false => Vec::new(),
                    };
                    found.push(KnownCard { card, deals });
                }
            }
        }
        found.sort_by_key(|known| Reverse(known.card.updated_at));
        let mut missing = Vec::new();
        for card in &query.expected {
            let Some(key) = card_key(number, card) else {
                continue;
            };
            let there = match card.entity {
                Entity::Deal => deals.get(key.as_slice())?.is_some(),
                Entity::Contact
                | Entity::Company
                | Entity::Lead
                | Entity::Unsorted
                | Entity::Task
                | Entity::CallRecord
                | Entity::Note
                | Entity::Fields
                | Entity::Notice => cards.get(key.as_slice())?.is_some(),
            };
            if !there {
                missing.push(card.clone());
            }
        }
        Ok(DirectoryAnswer {
            state: row.state,
            cards: found,
            missing,
        })
    }

    /// Returns which records of a range of ids are known, in the order of the ids.
    pub(super) fn directory_range(&self, range: &DirectoryRange) -> Result<Vec<Card>, Trouble> {
        let Some(row) = self.directory_row(&range.portal)? else {
            return Ok(Vec::new());
        };
        let definition = if range.entity == Entity::Deal {
            DEALS
        } else {
            CARDS
        };
        let Some(table) = self.table_if_made(definition)? else {
            return Ok(Vec::new());
        };
        let beginning = entity_key(row.number, range.entity);
        let key = |id: &String| {
            let card = Card {
                entity: range.entity,
                id: id.clone(),
            };
            card_key(row.number, &card)
        };
        let after = range.after.as_ref().and_then(key);
        let up_to = range.up_to.as_ref().and_then(key);
        let from = after.clone().unwrap_or_else(|| beginning.clone());
        let end = end_of(&beginning);
        let portal = portal_key(row.number);
        let mut found = Vec::new();
        for entry in table.range(from.as_slice()..end.as_slice())? {
            let (key, _) = entry?;
            let key = key.value();
            if up_to.as_deref().is_some_and(|last| key > last) || found.len() >= range.limit {
                break;
            }
            if after.as_deref() != Some(key) {
                found.extend(card_after(key, &portal));
            }
        }
        Ok(found)
    }

    /// Copies a piece of the directory, in the order of its keys.
    pub(super) fn directory_chunk(
        &self,
        portal: &PortalKey,
        part: DirectoryPart,
        from: Option<&DirectoryPlace>,
        rows_max: usize,
    ) -> Result<DirectoryChunk, Trouble> {
        let mut chunk = DirectoryChunk::default();
        let Some(row) = self.directory_row(portal)? else {
            return Ok(chunk);
        };
        let definition = match part {
            DirectoryPart::Cards => CARDS,
            DirectoryPart::Deals => DEALS,
        };
        let Some(table) = self.table_if_made(definition)? else {
            return Ok(chunk);
        };
        let beginning = portal_key(row.number);
        let end = end_of(&beginning);
        let from = from.map_or(beginning.as_slice(), |place| place.0.as_slice());
        // A place of an earlier start of the store may not be this portal's any more.
        let from = from.max(beginning.as_slice());
        if from >= end.as_slice() {
            return Ok(chunk);
        }
        for entry in table.range(from..end.as_slice())? {
            let (key, row) = entry?;
            if chunk.ends.len() >= rows_max.max(1) {
                chunk.next = Some(DirectoryPlace(key.value().to_vec()));
                break;
            }
            let own = key.value().get(beginning.len()..).unwrap_or_default();
            chunk.bytes.extend_from_slice(own);
            let key_end = chunk.bytes.len();
            chunk.bytes.extend_from_slice(row.value());
            chunk.ends.push((key_end, chunk.bytes.len()));
        }
        Ok(chunk)
    }
}

fn read_card(
    cards: &ReadOnlyTable<&'static [u8], &'static [u8]>,
    number: u32,
    card: Card,
) -> Result<Option<DirectoryCard>, Trouble> {
    let Some(key) = card_key(number, &card) else {
        return Ok(None);
    };
    let row = cards.get(key.as_slice())?;
    Ok(row.and_then(|row| unpack_card(card, row.value())))
}

fn deals_of_card(
    deals_of: &ReadOnlyTable<&'static [u8], ()>,
    deals: &ReadOnlyTable<&'static [u8], &'static [u8]>,
    number: u32,
    card: &Card,
) -> Result<Vec<DealFact>, Trouble> {
    let Some(beginning) = card_key(number, card) else {
        return Ok(Vec::new());
    };
    let end = end_of(&beginning);
    let mut found = Vec::new();
    // Ids grow with time: the newest stand last.
    let entries = deals_of.range(beginning.as_slice()..end.as_slice())?;
    for entry in entries.rev().take(DEALS_MAX) {
        let Some(deal) = card_after(entry?.0.value(), &beginning) else {
            continue;
        };
        let Some(key) = card_key(number, &deal_card(&deal.id)) else {
            continue;
        };
        let row = deals.get(key.as_slice())?;
        let deal = row.and_then(|row| unpack_deal(deal.id.clone(), row.value()));
        // The entry is a hint; the deal says whose it is.
        found.extend(
            deal.filter(|deal| deal.clients.contains(card))
                .map(|d| d.deal),
        );
    }
    found.sort_by_key(|deal| Reverse(deal.created_at));
    Ok(found)
}
