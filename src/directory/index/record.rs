//! What the index keeps of cards and deals, as keys and values of its maps. Keys are the store's
//! own packed records and ids, so that both have one order.
//!
//! | map | key | value |
//! | --- | --- | --- |
//! | cards | card | responsible, time of change, numbers, name |
//! | phones | number, card | |
//! | deals (open ones) | deal | responsible, time of making, cards |
//! | newest | card, time of making and deal, both turned round: the newest comes first | responsible |
//!
//! Pure; a record whose id cannot be packed is `None`: the store does not keep such a one either.

use std::collections::BTreeSet;

use crate::directory::known::{KnownClient, OpenDeal};
use crate::model::directory::{DirectoryCard, DirectoryDeal};
use crate::model::ids::CrmUserId;
use crate::model::phone::Phone;
use crate::model::plan::Card;
use crate::model::timestamp::Timestamp;
use crate::store::directory::{CardFields, DealFields};
use crate::store::packing::{Unpack, phone_parts, put_card, put_id, put_varint};

/// A record with no responsible: no CRM has a user without an id.
const NOBODY: &str = "";

/// Bytes of a deal's time of making.
const MADE_BYTES: usize = 6;

/// Returns the key of a card, or of a deal.
pub(super) fn card_key(card: &Card) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(8);
    put_card(&mut key, card)?;
    Some(key)
}

/// Returns a number as one that sorts by length first and stands for no other: its digits after
/// a 1.
pub(super) fn phone_word((count, number): (u8, u64)) -> Option<u64> {
    let before = 10_u64.checked_pow(u32::from(count))?;
    before.checked_add(number).filter(|_| number < before)
}

/// Returns the beginning of the keys of the cards with a number.
pub(super) fn phone_key(phone: &Phone) -> Option<[u8; 8]> {
    Some(phone_word(phone_parts(phone)?)?.to_be_bytes())
}

/// Returns the number that the beginning of a key stands for.
pub(super) fn phone_of(key: [u8; 8]) -> Option<Phone> {
    let word = u64::from_be_bytes(key).to_string();
    let digits = word.strip_prefix('1')?;
    Phone::try_from(format!("+{digits}")).ok()
}

/// Returns the key that says that a card has a number.
pub(super) fn phone_card_key(phone: u64, card: &[u8]) -> Vec<u8> {
    [&phone.to_be_bytes(), card].concat()
}

/// A time in a few bytes: whole seconds, which is what CRMs tell, take fewer.
fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    // Some millions of years off is as good as any.
    let ms = time.as_millis().clamp(-(1 << 60), 1 << 60);
    let (value, unit) = match ms % 1000 {
        0 => (ms / 1000, 0),
        _ => (ms, 1),
    };
    let zigzag = ((value << 1) ^ (value >> 63)).cast_unsigned();
    put_varint(out, (zigzag << 1) | unit);
}

fn time(row: &mut Unpack<'_>) -> Option<Timestamp> {
    let value = row.varint()?;
    let zigzag = value >> 1;
    let number = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
    let ms = match value & 1 {
        0 => number.checked_mul(1000)?,
        _ => number,
    };
    Some(Timestamp::from_millis(ms))
}

fn user(row: &mut Unpack<'_>) -> Option<Option<CrmUserId>> {
    let id = row.id()?;
    Some((id != NOBODY).then_some(CrmUserId(id)))
}

fn put_user(out: &mut Vec<u8>, user: Option<&CrmUserId>) -> Option<()> {
    put_id(out, user.map_or(NOBODY, |user| user.0.as_str()))
}

/// A card's value, from what the store has packed.
pub(super) fn put_card_fields(out: &mut Vec<u8>, card: &CardFields<'_>) -> Option<()> {
    match card.responsible {
        Some(packed) => out.extend_from_slice(packed),
        None => put_user(out, None)?,
    }
    let phones: BTreeSet<u64> = card.phones().filter_map(phone_word).collect();
    put_rest_of_card(out, card.updated_at, &phones, card.name);
    Some(())
}

/// A card's value.
pub(super) fn card_value(card: &DirectoryCard) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(card.name.len().saturating_add(24));
    put_user(&mut out, card.responsible.as_ref())?;
    let phones = phones_of(card);
    put_rest_of_card(&mut out, card.updated_at, &phones, &card.name);
    Some(out)
}

fn put_rest_of_card(out: &mut Vec<u8>, updated_at: Timestamp, phones: &BTreeSet<u64>, name: &str) {
    put_time(out, updated_at);
    put_varint(out, phones.len() as u64);
    phones.iter().for_each(|phone| put_varint(out, *phone));
    out.extend_from_slice(name.as_bytes());
}

/// Returns the numbers of a card, each once.
pub(super) fn phones_of(card: &DirectoryCard) -> BTreeSet<u64> {
    let parts = card.phones.iter().filter_map(phone_parts);
    parts.filter_map(phone_word).collect()
}

/// Returns the numbers in a card's value.
pub(super) fn phones_in(value: &[u8]) -> BTreeSet<u64> {
    let mut row = Unpack(value);
    let mut phones = || -> Option<BTreeSet<u64>> {
        row.packed_id()?;
        row.varint()?;
        let count = row.varint()?;
        (0..count).map(|_| row.varint()).collect()
    };
    phones().unwrap_or_default()
}

/// Makes a client of a card's key and value.
pub(super) fn client(key: &[u8], value: &[u8], open_deal: Option<OpenDeal>) -> Option<KnownClient> {
    let mut row = Unpack(value);
    let responsible = user(&mut row)?;
    let updated_at = time(&mut row)?;
    for _ in 0..row.varint()? {
        row.varint()?;
    }
    Some(KnownClient {
        card: Unpack(key).card()?,
        name: std::str::from_utf8(row.0).ok()?.to_owned(),
        responsible,
        updated_at,
        open_deal,
    })
}

/// A time of making that sorts as the times do.
fn made(at: Timestamp) -> [u8; MADE_BYTES] {
    // Some thousands of years off is as good as any.
    let ms = at.as_millis().clamp(-(1 << 47), (1 << 47) - 1);
    let bytes = (ms + (1 << 47)).to_be_bytes();
    let [_, _, made @ ..] = bytes;
    made
}

/// An open deal's value, from what the store has packed.
pub(super) fn put_deal_fields(out: &mut Vec<u8>, deal: &DealFields<'_>) -> Option<()> {
    match deal.responsible {
        Some(packed) => out.extend_from_slice(packed),
        None => put_user(out, None)?,
    }
    out.extend_from_slice(&made(deal.created_at));
    let clients: BTreeSet<&[u8]> = deal.clients().collect();
    clients.iter().for_each(|key| out.extend_from_slice(key));
    Some(())
}

/// An open deal's value.
pub(super) fn deal_value(deal: &DirectoryDeal) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(32);
    put_user(&mut out, deal.deal.responsible.as_ref())?;
    out.extend_from_slice(&made(deal.deal.created_at));
    let clients: Option<BTreeSet<Vec<u8>>> = deal.clients.iter().map(card_key).collect();
    clients?.iter().for_each(|key| out.extend_from_slice(key));
    Some(out)
}

/// Returns the entries of the map of newest deals that an open deal's key and value stand for: all
/// keys, and the one value.
pub(super) fn newest_of<'v>(key: &[u8], value: &'v [u8]) -> Option<(Vec<Vec<u8>>, &'v [u8])> {
    let mut row = Unpack(value);
    let responsible = row.packed_id()?;
    let made = row.bytes(MADE_BYTES)?;
    let mut keys = Vec::new();
    while let Some(card) = row.packed_card() {
        let order = made.iter().chain(key).map(|byte| !byte);
        keys.push(card.iter().copied().chain(order).collect());
    }
    Some((keys, responsible))
}

/// Reads the deal of such an entry; `after_card` is its key after the card.
pub(super) fn newest(after_card: &[u8], value: &[u8]) -> Option<OpenDeal> {
    let turned: Vec<u8> = after_card.iter().map(|byte| !byte).collect();
    let mut row = Unpack(turned.get(MADE_BYTES..)?);
    Some(OpenDeal {
        id: row.card()?.id,
        responsible: user(&mut Unpack(value))?,
    })
}
