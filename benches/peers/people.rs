//! The people of the directory's benchmark, each made from a number: a million telephone numbers,
//! 1.1 client cards a number, names of 36 bytes on average.

use trunkline::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use trunkline::model::facts::DealFact;
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::phone::Phone;
use trunkline::model::plan::{Card, Entity};
use trunkline::model::timestamp::Timestamp;

/// Telephone numbers.
pub(crate) const PHONES: u32 = 1_000_000;
/// Client cards, one number each: a contact for each number, and a company for every tenth.
pub(crate) const CARDS: u32 = 1_100_000;
/// Deals: every fifth contact has one, every other one is open.
pub(crate) const DEALS: u32 = 200_000;

const SURNAMES: [&str; 26] = [
    "Иванов",
    "Смирнов",
    "Кузнецов",
    "Попов",
    "Васильев",
    "Петров",
    "Соколов",
    "Михайлов",
    "Новиков",
    "Фёдоров",
    "Морозов",
    "Волков",
    "Алексеев",
    "Лебедев",
    "Семёнов",
    "Егоров",
    "Павлов",
    "Козлов",
    "Степанов",
    "Николаев",
    "Орлов",
    "Андреев",
    "Макаров",
    "Никитин",
    "Захаров",
    "Зайцев",
];
const NAMES: [&str; 26] = [
    "Александр",
    "Дмитрий",
    "Максим",
    "Сергей",
    "Андрей",
    "Алексей",
    "Артём",
    "Илья",
    "Кирилл",
    "Михаил",
    "Никита",
    "Матвей",
    "Роман",
    "Егор",
    "Арсений",
    "Иван",
    "Денис",
    "Евгений",
    "Даниил",
    "Тимофей",
    "Владислав",
    "Игорь",
    "Владимир",
    "Павел",
    "Руслан",
    "Марк",
];
const PATRONYMICS: [&str; 16] = [
    "Александрович",
    "Дмитриевич",
    "Максимович",
    "Сергеевич",
    "Андреевич",
    "Алексеевич",
    "Ильич",
    "Михайлович",
    "Романович",
    "Иванович",
    "Денисович",
    "Евгеньевич",
    "Игоревич",
    "Владимирович",
    "Павлович",
    "Петрович",
];

/// The portal that knows them.
pub(crate) fn portal() -> PortalKey {
    PortalKey::new("amocrm", "bench.amocrm.ru")
}

/// Scatters numbers (the finaliser of SplitMix64).
fn scattered(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Returns the number of a person; from [`PHONES`] on, numbers that nobody has.
pub(crate) fn phone(n: u32) -> Phone {
    // The factor has no divisor in common with the modulus: no number comes twice.
    let digits = u64::from(n) * 618_033_989 % 1_000_000_000;
    Phone::try_from(format!("+79{digits:09}")).expect("eleven digits are a number")
}

/// Returns a card; `version` says how often it was changed.
pub(crate) fn card(n: u32, version: u32) -> DirectoryCard {
    let dice = scattered(u64::from(n));
    let of = |list: &[&'static str], shift: u32| {
        let at = usize::try_from((dice >> shift) & 0xffff).unwrap_or(0) % list.len();
        list[at]
    };
    let mut name = format!("{} {}", of(&SURNAMES, 0), of(&NAMES, 16));
    // So often that the average is 36 bytes.
    if (dice >> 48) & 0xff < 123 {
        name = format!("{name} {}", of(&PATRONYMICS, 32));
    }
    let user = 6_500_000 + (dice >> 56) % 200 * 37 + u64::from(version);
    let changed = 1_700_000_000 + i64::from(version) + i64::from(n) * 80;
    DirectoryCard {
        card: client(n),
        name,
        phones: vec![phone(number_of(n))],
        emails: match n % 3 {
            0 => vec![format!("client{n}@example.org")],
            _ => Vec::new(),
        },
        responsible: Some(CrmUserId(user.to_string())),
        created_at: Timestamp::from_secs(1_690_000_000 + i64::from(n) * 90),
        updated_at: Timestamp::from_secs(changed),
    }
}

fn number_of(n: u32) -> u32 {
    match n.checked_sub(PHONES) {
        None => n,
        Some(company) => company * 10,
    }
}

fn client(n: u32) -> Card {
    let entity = match n < PHONES {
        true => Entity::Contact,
        false => Entity::Company,
    };
    Card {
        entity,
        id: (30_000_000 + u64::from(n) * 7).to_string(),
    }
}

fn deal(n: u32) -> DirectoryDeal {
    let open = n.is_multiple_of(2);
    let created_at = Timestamp::from_secs(1_750_000_000 + i64::from(n) * 200);
    DirectoryDeal {
        deal: DealFact {
            id: (50_000_000 + u64::from(n) * 3).to_string(),
            pipeline: "3100".to_owned(),
            stage: "3102".to_owned(),
            responsible: Some(CrmUserId((6_500_000 + u64::from(n) % 200 * 37).to_string())),
            open,
            created_at,
            closed_at: (!open).then_some(created_at),
        },
        clients: vec![client(n * 5)],
        updated_at: created_at,
    }
}

/// Everything that a CRM holds, in the order of its lists.
pub(crate) fn everything() -> impl Iterator<Item = DirectoryChange> {
    let cards = (0..CARDS).map(|n| DirectoryChange::Card(card(n, 0)));
    cards.chain((0..DEALS).map(|n| DirectoryChange::Deal(deal(n))))
}

/// Numbers in no order, nine of ten of them known.
pub(crate) fn asked(count: u32) -> Vec<Phone> {
    let numbers = (0..count).map(|n| {
        let dice = scattered(u64::from(n) << 20);
        let known = u32::try_from(dice % u64::from(PHONES)).unwrap_or(0);
        match n % 10 {
            0 => phone(PHONES + known),
            _ => phone(known),
        }
    });
    numbers.collect()
}

/// Cards that changed, in no order; the `round`th time that many.
pub(crate) fn changed(round: u32, count: u32) -> Vec<DirectoryChange> {
    let numbers = (0..count).map(|n| {
        let dice = scattered(u64::from(round * count + n) | 1 << 40);
        let n = u32::try_from(dice % u64::from(CARDS)).unwrap_or(0);
        DirectoryChange::Card(card(n, round + 1))
    });
    numbers.collect()
}
