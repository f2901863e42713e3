//! A number that stands on several cards: what each policy makes of it, and that the answer and
//! its explanation name the policy.

use super::desk::talk;
use super::*;
use crate::model::explanation::Language;
use crate::questions::reason::Reason;

/// One row: what it shows, the cards, who talked last (an extension, or nobody), the answer.
type Case = (
    &'static str,
    Vec<KnownClient>,
    Option<&'static str>,
    &'static str,
);

/// How the explanation ends where the policy found no card.
const FOUND_NONE: &str = ", which found none: the most recently updated";

/// Asks by these settings. An expected line that ends with `?` is one that the policy did not
/// settle.
async fn check(json: &str, policy: &str, cases: Vec<Case>) {
    for (what, cards, talker, expected) in cases {
        let count = cards.len();
        let desk = Office::new()
            .knows(cards)
            .with(|office| office.integrations[0].settings = Some(settings(json)))
            .desk();
        desk.talks().keep(true);
        if let Some(extension) = talker {
            desk.talks().note(&talk(CLIENT, extension, 100));
        }
        let found = ask(&desk, CLIENT, None).await;
        let (expected, unsettled) = match expected.strip_suffix('?') {
            Some(expected) => (expected, FOUND_NONE),
            None => (expected, ""),
        };
        let line = format!("{expected} policy={policy}");
        assert_eq!(told(&found), line, "{what}: {:?}", found.reasons);
        let of_policy = |reason: &&Reason| matches!(reason, Reason::SharedNumber { .. });
        let reason = found.reasons.iter().find(of_policy).expect(what);
        assert_eq!(
            reason.words(Language::En),
            format!("{count} cards have the number; policy {policy}{unsettled}"),
            "{what}"
        );
        assert!(reason.words(Language::Ru).contains(policy), "{what}");
    }
}

#[tokio::test]
async fn of_a_shared_number_the_most_recently_updated_card_counts() {
    check(
        r#"{"responsible_of":["contact","company"]}"#,
        "most_recently_updated",
        vec![
            (
                "two contacts",
                vec![contact("2", "503", 20), contact("1", "502", 10)],
                None,
                "personal_manager 102 manager=boris client=2",
            ),
            (
                "whatever its sort, where both sorts count",
                vec![company("2", "503", 20), contact("1", "502", 10)],
                None,
                "personal_manager 102 manager=boris client=2",
            ),
            (
                "a card that names nobody is passed over",
                vec![contact("2", "", 20), contact("1", "502", 10)],
                None,
                "personal_manager 101 manager=anna client=1",
            ),
            (
                "S1-24 a card whose responsible is unmapped is not: it would be a guess",
                vec![contact("2", "999", 20), contact("1", "502", 10)],
                None,
                "default 700 client=2",
            ),
            (
                "none names anybody: the newest lends its name",
                vec![contact("2", "", 20), company("1", "", 10)],
                None,
                "default 700 client=2",
            ),
        ],
    )
    .await;
    check(
        r#"{}"#,
        "most_recently_updated",
        vec![(
            "S1-23 a company does not count where the contact's responsible is wanted",
            vec![company("2", "503", 20), contact("1", "502", 10)],
            None,
            "personal_manager 101 manager=anna client=1",
        )],
    )
    .await;
}

#[tokio::test]
async fn of_a_shared_number_the_card_with_an_open_deal_counts_and_the_deals_responsible() {
    check(
        r#"{"shared_numbers":{"policy":"open_deal"}}"#,
        "open_deal",
        vec![
            (
                "not the responsible of the contact",
                vec![
                    contact("2", "503", 20),
                    with_deal(contact("1", "503", 10), "502"),
                ],
                None,
                "personal_manager 101 manager=anna client=1",
            ),
            (
                "of any sort of card, for it is the deal that counts",
                vec![
                    contact("2", "503", 20),
                    with_deal(company("1", "503", 10), "502"),
                ],
                None,
                "personal_manager 101 manager=anna client=1",
            ),
            (
                "a deal that names nobody leaves it to its card",
                vec![
                    contact("2", "503", 20),
                    with_deal(contact("1", "502", 10), ""),
                ],
                None,
                "personal_manager 101 manager=anna client=1",
            ),
            (
                "two have open deals: the most recently updated of them",
                vec![
                    contact("3", "999", 30),
                    with_deal(contact("2", "502", 20), "503"),
                    with_deal(contact("1", "503", 10), "502"),
                ],
                None,
                "personal_manager 102 manager=boris client=2",
            ),
            (
                "none has one",
                vec![contact("2", "503", 20), contact("1", "502", 10)],
                None,
                "personal_manager 102 manager=boris client=2?",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn of_a_shared_number_the_card_of_whoever_talked_last_counts() {
    let cards = || vec![company("2", "503", 20), contact("1", "502", 10)];
    check(
        r#"{"responsible_of":["contact","company"],"shared_numbers":{"policy":"last_talk"}}"#,
        "last_talk",
        vec![
            (
                "the contact's responsible",
                cards(),
                Some("101"),
                "personal_manager 101 manager=anna client=1",
            ),
            (
                "the company's",
                cards(),
                Some("102"),
                "personal_manager 102 manager=boris client=2",
            ),
            (
                "somebody who answers for none of them",
                cards(),
                Some("199"),
                "personal_manager 102 manager=boris client=2?",
            ),
            (
                "nobody talked",
                cards(),
                None,
                "personal_manager 102 manager=boris client=2?",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn of_a_shared_number_the_first_sort_of_the_order_counts() {
    let cards = || {
        vec![
            contact("3", "502", 30),
            company("2", "503", 20),
            company("1", "502", 10),
        ]
    };
    check(
        r#"{"responsible_of":["contact","company"],
            "shared_numbers":{"policy":"entities","order":["company","contact"]}}"#,
        "entities",
        vec![
            (
                "the company, the newer one of two",
                cards(),
                None,
                "personal_manager 102 manager=boris client=2",
            ),
            (
                "the next sort, where the first has no card",
                vec![contact("2", "503", 20), contact("1", "502", 10)],
                None,
                "personal_manager 102 manager=boris client=2",
            ),
        ],
    )
    .await;
    check(
        r#"{"responsible_of":["contact","company"],
            "shared_numbers":{"policy":"entities","order":["lead"]}}"#,
        "entities",
        vec![(
            "no card of any sort of the order",
            cards(),
            None,
            "personal_manager 101 manager=anna client=3?",
        )],
    )
    .await;
}

#[tokio::test]
async fn of_one_card_no_policy_is_named() {
    let json = r#"{"shared_numbers":{"policy":"open_deal"}}"#;
    let desk = Office::new()
        .knows(vec![with_deal(contact("1", "502", 5), "503")])
        .with(|office| office.integrations[0].settings = Some(settings(json)))
        .desk();
    let found = ask(&desk, CLIENT, None).await;
    // The policy is about several cards; this one's responsible is the contact's (S1-23).
    assert_eq!(told(&found), "personal_manager 101 manager=anna client=1");
}
