//! The index against a model that could not be simpler: all cards and deals in maps.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use proptest::prelude::*;

use super::*;
use crate::model::facts::DealFact;
use crate::model::ids::CrmUserId;
use crate::model::timestamp::Timestamp;

#[derive(Default)]
struct Model {
    cards: BTreeMap<Card, DirectoryCard>,
    deals: BTreeMap<Card, DirectoryDeal>,
}

impl Model {
    fn apply(&mut self, change: &DirectoryChange) {
        match change.clone() {
            DirectoryChange::Card(card) => drop(self.cards.insert(card.card.clone(), card)),
            DirectoryChange::Deal(deal) => {
                drop(self.deals.insert(deal_record(&deal.deal.id), deal));
            }
            DirectoryChange::Gone { card } => {
                self.cards.remove(&card);
                self.deals.remove(&card);
            }
        }
    }

    fn clients(&self, phone: &Phone) -> Vec<KnownClient> {
        let cards = self.cards.values();
        let mut found: Vec<KnownClient> = cards
            .filter(|card| card.phones.contains(phone))
            .map(|card| KnownClient {
                card: card.card.clone(),
                name: card.name.clone(),
                responsible: card.responsible.clone(),
                updated_at: card.updated_at,
                open_deal: self.open_deal(&card.card),
            })
            .collect();
        found.sort_by_key(|client| (Reverse(client.updated_at), card_key(&client.card)));
        found
    }

    fn open_deal(&self, card: &Card) -> Option<OpenDeal> {
        let deals = self.deals.values();
        let open = deals.filter(|deal| deal.deal.open && deal.clients.contains(card));
        let newest = open.max_by_key(|deal| {
            let deal = &deal.deal;
            (deal.created_at, card_key(&deal_record(&deal.id)))
        });
        newest.map(|deal| OpenDeal {
            id: deal.deal.id.clone(),
            responsible: deal.deal.responsible.clone(),
        })
    }
}

/// Few enough ids that changes meet, of every form: short, long, with zeros in front, texts.
fn id() -> impl Strategy<Value = String> {
    let numbers = (0_u64..12).prop_map(|n| (n * n * 1000).to_string());
    let odd = [
        "007",
        "18446744073709551615",
        "b7-7",
        "клиент",
        "1152921504606846976",
    ];
    prop_oneof![5 => numbers, 1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned)]
}

fn client_card() -> impl Strategy<Value = Card> {
    let entities = [Entity::Contact, Entity::Company, Entity::Lead];
    (prop::sample::select(entities.to_vec()), id()).prop_map(|(entity, id)| Card { entity, id })
}

/// Numbers that begin with others, and with zeros.
const NUMBERS: [&str; 8] = [
    "+79160000001",
    "+79160000002",
    "+7916000000",
    "+07916000000",
    "+0000",
    "+00000",
    "+99999999999999999",
    "+375291234567",
];

fn phone() -> impl Strategy<Value = Phone> {
    let number = prop::sample::select(&NUMBERS[..]);
    number.prop_map(|text| Phone::try_from(text.to_owned()).expect("a number"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    let ms = prop_oneof![
        4 => (0_i64..5).prop_map(|s| 1_795_000_000_000 + s * 1000),
        1 => 1_795_000_000_000_i64..1_795_000_002_000,
        1 => -3000_i64..3000,
    ];
    ms.prop_map(Timestamp::from_millis)
}

fn user() -> impl Strategy<Value = Option<CrmUserId>> {
    prop::option::weighted(0.8, "[1-9][0-9]{0,6}|user-[a-z]").prop_map(|id| id.map(CrmUserId))
}

fn change() -> impl Strategy<Value = DirectoryChange> {
    let card = (
        client_card(),
        "[а-яA-Z ]{0,20}",
        prop::collection::vec(phone(), 0..4),
        user(),
        time(),
    )
        .prop_map(|(card, name, phones, responsible, updated_at)| {
            DirectoryChange::Card(DirectoryCard {
                card,
                name,
                phones,
                emails: Vec::new(),
                responsible,
                created_at: updated_at,
                updated_at,
            })
        });
    let deal = (
        id(),
        prop::collection::vec(client_card(), 0..3),
        user(),
        time(),
        prop::bool::weighted(0.7),
    )
        .prop_map(|(id, clients, responsible, created_at, open)| {
            DirectoryChange::Deal(DirectoryDeal {
                deal: DealFact {
                    id,
                    pipeline: "1".to_owned(),
                    stage: "2".to_owned(),
                    responsible,
                    open,
                    created_at,
                    closed_at: None,
                },
                clients,
                updated_at: created_at,
            })
        });
    let gone = prop_oneof![client_card(), id().prop_map(|id| deal_record(&id))];
    prop_oneof![
        4 => card,
        3 => deal,
        2 => gone.prop_map(|card| DirectoryChange::Gone { card }),
    ]
}

#[track_caller]
fn agree(index: &Index, model: &Model) {
    for number in NUMBERS {
        let phone = Phone::try_from(number.to_owned()).expect("a number");
        assert_eq!(index.clients(&phone), model.clients(&phone), "{number}");
    }
    let size = index.size();
    let cards = model.cards.values();
    let phones: usize = cards.map(|card| phones_of(card).len()).sum();
    let open = model.deals.values().filter(|deal| deal.deal.open).count();
    let expected = (model.cards.len(), phones, open);
    assert_eq!((size.cards, size.phones, size.open_deals), expected);
    let mut numbers: Vec<Phone> = NUMBERS
        .map(|number| Phone::try_from(number.to_owned()).expect("a number"))
        .into_iter()
        .filter(|phone| !model.clients(phone).is_empty())
        .collect();
    numbers.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut paged: Vec<Phone> = Vec::new();
    loop {
        let page = index.numbers(paged.last(), 3);
        let is_last = page.len() < 3;
        paged.extend(page);
        if is_last {
            break;
        }
    }
    assert_eq!(paged, numbers);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn an_index_answers_as_the_cards_and_deals_say_after_whatever_changes(
        rounds in prop::collection::vec(prop::collection::vec(change(), 1..40), 1..12),
    ) {
        let (mut index, mut model) = (Index::default(), Model::default());
        for changes in rounds {
            let before = index.clone();
            let said = NUMBERS.map(|n| {
                before.clients(&Phone::try_from(n.to_owned()).expect("a number"))
            });
            index = index.with(&changes);
            changes.iter().for_each(|change| model.apply(change));
            agree(&index, &model);
            // Who holds the old one reads what it said.
            for (number, said) in NUMBERS.iter().zip(said) {
                let phone = Phone::try_from((*number).to_owned()).expect("a number");
                prop_assert_eq!(before.clients(&phone), said);
            }
        }
    }
}

fn contact(id: u64, phone: &str, responsible: &str) -> DirectoryChange {
    DirectoryChange::Card(DirectoryCard {
        card: Card {
            entity: Entity::Contact,
            id: id.to_string(),
        },
        name: format!("Client {id}"),
        phones: vec![Phone::try_from(phone.to_owned()).expect("a number")],
        emails: Vec::new(),
        responsible: Some(CrmUserId(responsible.to_owned())),
        created_at: Timestamp::from_secs(1),
        updated_at: Timestamp::from_secs(i64::try_from(id).expect("small")),
    })
}

#[test]
fn a_number_on_very_many_cards_has_an_answer_of_bounded_length() {
    let changes: Vec<_> = (0..5000).map(|id| contact(id, NUMBERS[0], "1")).collect();
    let index = Index::default().with(&changes);
    let phone = Phone::try_from(NUMBERS[0].to_owned()).expect("a number");
    assert_eq!(index.clients(&phone).len(), CARDS_MAX);
}

#[test]
fn of_deals_made_in_one_second_the_one_with_the_greatest_id_is_the_newest() {
    let deal = |id: &str| {
        DirectoryChange::Deal(DirectoryDeal {
            deal: DealFact {
                id: id.to_owned(),
                pipeline: "1".to_owned(),
                stage: "2".to_owned(),
                responsible: None,
                open: true,
                created_at: Timestamp::from_secs(5),
                closed_at: None,
            },
            clients: vec![Card {
                entity: Entity::Contact,
                id: "7".to_owned(),
            }],
            updated_at: Timestamp::from_secs(5),
        })
    };
    let changes = [
        contact(7, NUMBERS[0], "1"),
        deal("999"),
        deal("1000"),
        deal("8"),
    ];
    let index = Index::default().with(&changes);
    let phone = Phone::try_from(NUMBERS[0].to_owned()).expect("a number");
    let found = index.clients(&phone).remove(0).open_deal;
    assert_eq!(found.expect("an open deal").id, "1000");
}

/// Two cards of one number always have one responsible, in every index that is published: nobody
/// may see the change of one without that of the other.
#[test]
fn readers_see_whole_pictures_while_the_index_is_swapped_under_them() {
    let number = NUMBERS[0];
    let phone = Phone::try_from(number.to_owned()).expect("a number");
    let pair = |n: u64| {
        [
            contact(1, number, &n.to_string()),
            contact(2, number, &n.to_string()),
        ]
    };
    let published = Arc::new(ArcSwap::from_pointee(Index::default().with(&pair(0))));
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (published, done, phone) =
                (Arc::clone(&published), Arc::clone(&done), phone.clone());
            std::thread::spawn(move || {
                let (mut seen, mut last) = (0_u64, 0_u64);
                while !done.load(Ordering::Acquire) || seen == 0 {
                    let found = published.load().clients(&phone);
                    let users: Vec<_> = found.into_iter().filter_map(|c| c.responsible).collect();
                    assert_eq!(users.len(), 2);
                    assert_eq!(users[0], users[1]);
                    let now: u64 = users[0].0.parse().expect("a number");
                    assert!(now >= last, "{now} after {last}");
                    (seen, last) = (seen + 1, now);
                }
                seen
            })
        })
        .collect();
    for n in 1..2000 {
        let others: Vec<_> = (0..20)
            .map(|k| contact(100 + n * 7 + k, NUMBERS[1], "9"))
            .collect();
        let changes: Vec<_> = pair(n).into_iter().chain(others).collect();
        let next = published.load().with(&changes);
        published.store(Arc::new(next));
    }
    done.store(true, Ordering::Release);
    for reader in readers {
        assert!(reader.join().expect("no panic") > 0);
    }
}
