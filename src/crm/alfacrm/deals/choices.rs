//! What an account's administrator chooses for the deals that come back (`crm/alfacrm.md` §5, §8).

use serde::Deserialize;

use crate::model::object_reader::{Reader, TextShape};

/// Most branches and types that are chosen.
const IDS_MAX: usize = 100;

/// Payments of clients for lessons (§5).
const INCOME: u64 = 1;

/// What the sum of a first sale is: no source tells (§8, §13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstSale {
    /// The income of the first payment.
    #[default]
    FirstPayment,
    /// Nothing.
    None,
}

/// The `deals` table of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealChoices {
    /// The branches whose cards and payments are read; none = every active one that the role sees.
    pub branches: Vec<u64>,
    /// The types of payments that are income of clients.
    pub income_types: Vec<u64>,
    /// What the sum of a first sale is.
    pub first_sale: FirstSale,
}

impl Default for DealChoices {
    fn default() -> Self {
        Self {
            branches: Vec::new(),
            income_types: vec![INCOME],
            first_sale: FirstSale::default(),
        }
    }
}

impl DealChoices {
    /// Reads the table and notes every mistake.
    pub(in crate::crm::alfacrm) fn read(mut r: Reader<'_>) -> Self {
        let branches = ids(&mut r, "branches");
        let income_types = ids(&mut r, "income_types");
        let first_sale = r.word("first_sale").unwrap_or_default();
        r.finish();
        Self {
            branches,
            income_types: match income_types.is_empty() {
                true => vec![INCOME],
                false => income_types,
            },
            first_sale,
        }
    }
}

fn ids(r: &mut Reader<'_>, key: &'static str) -> Vec<u64> {
    let mut read = Vec::new();
    for text in r.texts(key, IDS_MAX, TextShape::Line(20)) {
        match text.parse::<u32>() {
            Ok(id) if id > 0 => read.push(u64::from(id)),
            Ok(_) | Err(_) => r.wrong(key, format!("{text:?} must be an id of the account: \"1\"")),
        }
    }
    read
}
