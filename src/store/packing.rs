//! How ids, numbers and texts are packed into bytes: by the store for the directory's rows and
//! keys, and by the directory's index, which keeps the store's keys as they are. Pure; damaged
//! bytes are `None`, never a panic.
//!
//! An id that is a plain number is packed as its length and its bytes, which sort as the numbers
//! do. No packed id is the beginning of another.

use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};

/// Stands before an id that is no plain number.
const TEXT_ID: u8 = 0xff;

/// Longest id that is kept, in bytes. CRMs number their records; more is not an id.
const ID_BYTES_MAX: usize = 200;

/// Returns the byte that stands for a sort of record, and sorts keys by it.
pub(crate) fn entity_code(entity: Entity) -> u8 {
    match entity {
        Entity::Contact => 0,
        Entity::Company => 1,
        Entity::Deal => 2,
        Entity::Lead => 3,
        Entity::Unsorted => 4,
        Entity::Task => 5,
        Entity::CallRecord => 6,
        Entity::Note => 7,
        Entity::Fields => 8,
        Entity::Notice => 9,
    }
}

fn entity_of(code: u8) -> Option<Entity> {
    Some(match code {
        0 => Entity::Contact,
        1 => Entity::Company,
        2 => Entity::Deal,
        3 => Entity::Lead,
        4 => Entity::Unsorted,
        5 => Entity::Task,
        6 => Entity::CallRecord,
        7 => Entity::Note,
        8 => Entity::Fields,
        9 => Entity::Notice,
        _ => return None,
    })
}

/// Reads an id that is a plain number as people write it: no sign, no leading zero.
fn plain_number(id: &str) -> Option<u64> {
    let canonical = id == "0" || !id.starts_with('0');
    let digits = canonical && id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| digits)
}

/// Appends an id; `None` for one that cannot be kept.
pub(crate) fn put_id(out: &mut Vec<u8>, id: &str) -> Option<()> {
    match plain_number(id) {
        Some(number) => {
            let bytes = number.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let kept = bytes.get(zeros..)?;
            out.push(u8::try_from(kept.len()).ok()?);
            out.extend_from_slice(kept);
        }
        None if id.len() <= ID_BYTES_MAX => {
            out.push(TEXT_ID);
            out.push(u8::try_from(id.len()).ok()?);
            out.extend_from_slice(id.as_bytes());
        }
        None => return None,
    }
    Some(())
}

/// Appends a number, seven bits a byte, the lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a number of either sign.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    // Zigzag: small numbers of either sign are short.
    put_varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Appends a text after its length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends an id or the lack of one; `None` for one that cannot be kept.
pub(crate) fn put_optional_id(out: &mut Vec<u8>, id: Option<&str>) -> Option<()> {
    match id {
        None => out.push(0),
        Some(id) => {
            out.push(1);
            put_id(out, id)?;
        }
    }
    Some(())
}

/// Returns how many digits a number has, and the number that they make.
pub(crate) fn phone_parts(phone: &Phone) -> Option<(u8, u64)> {
    let digits = phone.digits();
    Some((u8::try_from(digits.len()).ok()?, digits.parse().ok()?))
}

/// Appends a telephone number.
pub(crate) fn put_phone(out: &mut Vec<u8>, phone: &Phone) -> Option<()> {
    let (count, number) = phone_parts(phone)?;
    out.push(count);
    put_varint(out, number);
    Some(())
}

/// Reads packed fields one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpack<'a>(pub(crate) &'a [u8]);

impl<'a> Unpack<'a> {
    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let byte = self.byte()?;
        // Nearly every length is one byte, and a search reads dozens of them.
        if byte < 0x80 {
            return Some(u64::from(byte));
        }
        self.rest_of_varint(byte)
    }

    fn rest_of_varint(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Reads a number that is a length.
    #[inline]
    pub(crate) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    /// Reads an id and returns it as it lies packed.
    pub(crate) fn packed_id(&mut self) -> Option<&'a [u8]> {
        let all = self.0;
        let length = match self.byte()? {
            TEXT_ID => self.byte()?,
            length => length,
        };
        self.bytes(usize::from(length))?;
        all.get(..all.len().checked_sub(self.0.len())?)
    }

    pub(crate) fn id(&mut self) -> Option<String> {
        match self.byte()? {
            TEXT_ID => {
                let length = usize::from(self.byte()?);
                let bytes = self.bytes(length)?;
                std::str::from_utf8(bytes).ok().map(str::to_owned)
            }
            length => {
                let bytes = self.bytes(usize::from(length))?;
                let mut number = [0; size_of::<u64>()];
                let before = number.len().checked_sub(bytes.len())?;
                number.get_mut(before..)?.copy_from_slice(bytes);
                Some(u64::from_be_bytes(number).to_string())
            }
        }
    }

    pub(crate) fn optional_packed_id(&mut self) -> Option<Option<&'a [u8]>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(self.packed_id()?)),
            _ => None,
        }
    }

    pub(crate) fn optional_id(&mut self) -> Option<Option<String>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(self.id()?)),
            _ => None,
        }
    }

    pub(crate) fn phone_parts(&mut self) -> Option<(u8, u64)> {
        Some((self.byte()?, self.varint()?))
    }

    pub(crate) fn phone(&mut self) -> Option<Phone> {
        let (count, digits) = self.phone_parts()?;
        let count = usize::from(count);
        Phone::try_from(format!("+{digits:0count$}")).ok()
    }

    /// Reads a record and returns it as it lies packed.
    pub(crate) fn packed_card(&mut self) -> Option<&'a [u8]> {
        let all = self.0;
        self.byte()?;
        self.packed_id()?;
        all.get(..all.len().checked_sub(self.0.len())?)
    }

    pub(crate) fn card(&mut self) -> Option<Card> {
        let entity = entity_of(self.byte()?)?;
        let id = self.id()?;
        Some(Card { entity, id })
    }
}

/// Appends a record's sort and id; `None` for an id that cannot be kept.
pub(crate) fn put_card(out: &mut Vec<u8>, card: &Card) -> Option<()> {
    out.push(entity_code(card.entity));
    put_id(out, &card.id)
}
