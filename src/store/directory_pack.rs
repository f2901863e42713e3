//! How the directory's rows and keys are packed. It holds hundreds of thousands of cards and can
//! be read anew from the CRM at any time, so its rows are not self-describing: a version byte,
//! then fields in a fixed order. Pure; damaged bytes are `None`, never a panic.
//!
//! Keys begin with the portal's number, so that a portal's rows lie together.

use super::packing::{
    Unpack, entity_code, phone_parts, put_card, put_id, put_optional_id, put_phone, put_signed,
    put_text, put_varint,
};
use crate::model::directory::{DirectoryCard, DirectoryDeal};
use crate::model::facts::DealFact;
use crate::model::ids::CrmUserId;
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// The version byte of the rows that this version writes. A row of another version is read as
/// missing, and the next full reading puts it right.
const VERSION: u8 = 1;

/// Stands before a number, or an address, in the table of addresses.
const PHONE: u8 = 0;
const EMAIL: u8 = 1;

/// Returns the beginning of every key of a portal.
pub(super) fn portal_key(portal: u32) -> Vec<u8> {
    portal.to_be_bytes().to_vec()
}

/// Returns the key of a card, or of a deal; `None` for an id that cannot be kept.
pub(super) fn card_key(portal: u32, card: &Card) -> Option<Vec<u8>> {
    let mut key = portal_key(portal);
    put_card(&mut key, card)?;
    Some(key)
}

/// Returns the beginning of the keys of all cards of a sort.
pub(super) fn entity_key(portal: u32, entity: Entity) -> Vec<u8> {
    let mut key = portal_key(portal);
    key.push(entity_code(entity));
    key
}

/// Returns the beginning of the keys of the cards with a number.
pub(super) fn phone_key(portal: u32, phone: &Phone) -> Option<Vec<u8>> {
    let mut key = portal_key(portal);
    let (count, number) = phone_parts(phone)?;
    key.extend_from_slice(&[PHONE, count]);
    key.extend_from_slice(&number.to_be_bytes());
    Some(key)
}

/// Returns the beginning of the keys of the cards with an e-mail address.
pub(super) fn email_key(portal: u32, email: &str) -> Vec<u8> {
    let mut key = portal_key(portal);
    key.push(EMAIL);
    // No byte 0 can stand in the address; it ends it.
    key.extend(email.bytes().filter(|byte| *byte != 0));
    key.push(0);
    key
}

/// Appends a card to the beginning of a key.
pub(super) fn with_card(mut key: Vec<u8>, card: &Card) -> Option<Vec<u8>> {
    put_card(&mut key, card)?;
    Some(key)
}

/// Reads the card at the end of a key, after its beginning.
pub(super) fn card_after(key: &[u8], beginning: &[u8]) -> Option<Card> {
    Unpack(key.strip_prefix(beginning)?).card()
}

/// Returns the first key after all keys with this beginning.
pub(super) fn end_of(beginning: &[u8]) -> Vec<u8> {
    let mut end = beginning.to_vec();
    // The portal's number never reaches the greatest, so a byte below 255 is always found.
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    end
}

fn version(row: &mut Unpack<'_>) -> Option<()> {
    (row.byte()? == VERSION).then_some(())
}

/// Packs a card; `None` for one that cannot be kept.
pub(super) fn pack_card(card: &DirectoryCard) -> Option<Vec<u8>> {
    let mut out = vec![VERSION];
    put_text(&mut out, &card.name);
    put_signed(&mut out, card.created_at.as_millis());
    put_signed(&mut out, card.updated_at.as_millis());
    let responsible = card.responsible.as_ref().map(|user| user.0.as_str());
    put_optional_id(&mut out, responsible)?;
    put_varint(&mut out, card.phones.len() as u64);
    for phone in &card.phones {
        put_phone(&mut out, phone)?;
    }
    put_varint(&mut out, card.emails.len() as u64);
    for email in &card.emails {
        put_text(&mut out, email);
    }
    Some(out)
}

/// Unpacks a card.
pub(super) fn unpack_card(card: Card, row: &[u8]) -> Option<DirectoryCard> {
    let mut row = Unpack(row);
    version(&mut row)?;
    let name = row.text()?.to_owned();
    let created_at = Timestamp::from_millis(row.signed()?);
    let updated_at = Timestamp::from_millis(row.signed()?);
    let responsible = row.optional_id()?.map(CrmUserId);
    let phones = (0..row.varint()?)
        .map(|_| row.phone())
        .collect::<Option<_>>()?;
    let emails = (0..row.varint()?)
        .map(|_| row.text().map(str::to_owned))
        .collect::<Option<_>>()?;
    Some(DirectoryCard {
        card,
        name,
        phones,
        emails,
        responsible,
        created_at,
        updated_at,
    })
}

/// Packs a deal; `None` for one that cannot be kept.
pub(super) fn pack_deal(deal: &DirectoryDeal) -> Option<Vec<u8>> {
    let fact = &deal.deal;
    let mut out = vec![VERSION];
    put_id(&mut out, &fact.pipeline)?;
    put_id(&mut out, &fact.stage)?;
    let responsible = fact.responsible.as_ref().map(|user| user.0.as_str());
    put_optional_id(&mut out, responsible)?;
    out.push(u8::from(fact.open));
    put_signed(&mut out, fact.created_at.as_millis());
    put_signed(&mut out, deal.updated_at.as_millis());
    match fact.closed_at {
        None => out.push(0),
        Some(at) => {
            out.push(1);
            put_signed(&mut out, at.as_millis());
        }
    }
    put_varint(&mut out, deal.clients.len() as u64);
    for client in &deal.clients {
        put_card(&mut out, client)?;
    }
    Some(out)
}

/// Unpacks a deal.
pub(super) fn unpack_deal(id: String, row: &[u8]) -> Option<DirectoryDeal> {
    let mut row = Unpack(row);
    version(&mut row)?;
    let pipeline = row.id()?;
    let stage = row.id()?;
    let responsible = row.optional_id()?.map(CrmUserId);
    let open = row.byte()? == 1;
    let created_at = Timestamp::from_millis(row.signed()?);
    let updated_at = Timestamp::from_millis(row.signed()?);
    let closed_at = match row.byte()? {
        0 => None,
        _ => Some(Timestamp::from_millis(row.signed()?)),
    };
    let clients = (0..row.varint()?)
        .map(|_| row.card())
        .collect::<Option<_>>()?;
    Some(DirectoryDeal {
        deal: DealFact {
            id,
            pipeline,
            stage,
            responsible,
            open,
            created_at,
            closed_at,
        },
        clients,
        updated_at,
    })
}

/// A card as it lies in the store, not copied.
#[derive(Debug, Clone, Copy)]
pub struct PackedCard<'a> {
    /// The key after the portal's number.
    pub(super) key: &'a [u8],
    pub(super) row: &'a [u8],
}

/// What the index keeps of a card, not copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CardFields<'a> {
    /// Which record: its sort and id, packed.
    pub(crate) key: &'a [u8],
    pub(crate) name: &'a str,
    pub(crate) updated_at: Timestamp,
    /// A packed id.
    pub(crate) responsible: Option<&'a [u8]>,
    /// How many numbers `phones` holds.
    phones_count: u64,
    phones: Unpack<'a>,
}

impl CardFields<'_> {
    /// Goes through the numbers: how many digits, and the number that they make.
    pub(crate) fn phones(&self) -> impl Iterator<Item = (u8, u64)> {
        let mut phones = self.phones;
        (0..self.phones_count).map_while(move |_| phones.phone_parts())
    }
}

impl<'a> PackedCard<'a> {
    /// Unpacks everything; `None` for a damaged row.
    pub fn unpack(&self) -> Option<DirectoryCard> {
        unpack_card(Unpack(self.key).card()?, self.row)
    }

    /// Returns which record it is, packed: rows lie in the order of these keys.
    pub(crate) fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Reads what the index keeps; `None` for a damaged row.
    pub(crate) fn fields(&self) -> Option<CardFields<'a>> {
        let mut row = Unpack(self.row);
        version(&mut row)?;
        let name = row.text()?;
        row.signed()?;
        let updated_at = Timestamp::from_millis(row.signed()?);
        let responsible = row.optional_packed_id()?;
        Some(CardFields {
            key: self.key,
            name,
            updated_at,
            responsible,
            phones_count: row.varint()?,
            phones: row,
        })
    }
}

/// A deal as it lies in the store, not copied.
#[derive(Debug, Clone, Copy)]
pub struct PackedDeal<'a> {
    /// The key after the portal's number.
    pub(super) key: &'a [u8],
    pub(super) row: &'a [u8],
}

/// What the index keeps of an open deal, not copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DealFields<'a> {
    /// Which record: its sort and id, packed.
    pub(crate) key: &'a [u8],
    pub(crate) open: bool,
    pub(crate) created_at: Timestamp,
    /// A packed id.
    pub(crate) responsible: Option<&'a [u8]>,
    clients_count: u64,
    clients: Unpack<'a>,
}

impl<'a> DealFields<'a> {
    /// Goes through the cards that it belongs to, each packed.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut clients = self.clients;
        (0..self.clients_count).map_while(move |_| clients.packed_card())
    }
}

impl<'a> PackedDeal<'a> {
    /// Unpacks everything; `None` for a damaged row.
    pub fn unpack(&self) -> Option<DirectoryDeal> {
        unpack_deal(Unpack(self.key).card()?.id, self.row)
    }

    /// Returns which record it is, packed: rows lie in the order of these keys.
    pub(crate) fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Reads what the index keeps; `None` for a damaged row.
    pub(crate) fn fields(&self) -> Option<DealFields<'a>> {
        let mut row = Unpack(self.row);
        version(&mut row)?;
        row.packed_id()?;
        row.packed_id()?;
        let responsible = row.optional_packed_id()?;
        let open = row.byte()? == 1;
        let created_at = Timestamp::from_millis(row.signed()?);
        row.signed()?;
        if row.byte()? != 0 {
            row.signed()?;
        }
        Some(DealFields {
            key: self.key,
            open,
            created_at,
            responsible,
            clients_count: row.varint()?,
            clients: row,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(id: &str) -> Card {
        Card {
            entity: Entity::Contact,
            id: id.to_owned(),
        }
    }

    fn any_card() -> impl Strategy<Value = DirectoryCard> {
        let id = prop_oneof!["[0-9]{1,19}", "[a-z0-9-]{1,20}"];
        let phone = "[0-9]{4,17}".prop_map(|d| Phone::try_from(format!("+{d}")).expect("digits"));
        (
            (id, ".{0,40}"),
            prop::collection::vec(phone, 0..4),
            prop::collection::vec("[a-zа-я@.]{0,20}", 0..3),
            prop::option::of("[0-9]{1,12}"),
            (any::<i64>(), any::<i64>()),
        )
            .prop_map(|((id, name), phones, emails, user, times)| DirectoryCard {
                card: card(&id),
                name,
                phones,
                emails,
                responsible: user.map(CrmUserId),
                created_at: Timestamp::from_millis(times.0),
                updated_at: Timestamp::from_millis(times.1),
            })
    }

    proptest! {
        #[test]
        fn a_card_comes_back_as_it_was_packed(card in any_card()) {
            let row = pack_card(&card).expect("packs");
            prop_assert_eq!(unpack_card(card.card.clone(), &row), Some(card.clone()));
            let key = card_key(3, &card.card).expect("a key");
            prop_assert_eq!(card_after(&key, &portal_key(3)), Some(card.card));
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(unpack_card(card("1"), &bytes));
            drop(unpack_deal("1".to_owned(), &bytes));
            let fields = PackedCard { key: &[], row: &bytes }.fields();
            let _ = fields.map(|card| card.phones().count());
            let fields = PackedDeal { key: &[], row: &bytes }.fields();
            let _ = fields.map(|deal| deal.clients().count());
            drop(card_after(&bytes, &[]));
        }

        #[test]
        fn keys_sort_as_the_numbers_of_their_ids(a in any::<u64>(), b in any::<u64>()) {
            let key = |id: u64| card_key(1, &card(&id.to_string())).expect("a key");
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }
    }

    #[test]
    fn ids_that_look_alike_are_not_one() {
        let keys: Vec<_> = ["7", "07", "+7", "007", "7 ", ""]
            .into_iter()
            .map(|id| card_key(1, &card(id)).expect("a key"))
            .collect();
        let mut unique = keys.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), keys.len());
        assert_eq!(card_key(1, &card(&"x".repeat(201))), None);
    }

    #[test]
    fn a_deal_comes_back_as_it_was_packed() {
        let deal = DirectoryDeal {
            deal: DealFact {
                id: "9001".to_owned(),
                pipeline: "3100".to_owned(),
                stage: "NEW".to_owned(),
                responsible: Some(CrmUserId("501".to_owned())),
                open: true,
                created_at: Timestamp::from_secs(1_795_000_000),
                closed_at: Some(Timestamp::from_secs(1_795_000_100)),
            },
            clients: vec![card("7001")],
            updated_at: Timestamp::from_secs(1_795_000_200),
        };
        let row = pack_deal(&deal).expect("packs");
        assert!(row.len() < 50, "{}", row.len());
        assert_eq!(unpack_deal("9001".to_owned(), &row), Some(deal));
    }

    #[test]
    fn the_end_of_a_beginning_is_after_all_its_keys() {
        assert_eq!(end_of(&[0, 1, 255]), vec![0, 2]);
        assert_eq!(end_of(&[0, 1]), vec![0, 2]);
    }
}
