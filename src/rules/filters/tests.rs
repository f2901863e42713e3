use std::collections::BTreeMap;

use crate::model::chat::{Chat, ChatPhase};
use crate::model::ids::Extension;
use crate::model::mistake::Mistake;
use crate::model::timestamp::Timestamp;

use super::check::DEPTH_MAX;
use super::*;

fn filter<P: serde::de::DeserializeOwned>(text: &str) -> Filter<P> {
    toml::from_str(text).expect("a filter")
}

fn condition<P: serde::de::DeserializeOwned>(
    kind: &str,
    parameter: &str,
    value: &str,
) -> Filter<P> {
    filter(&format!(
        "kind = \"{kind}\"\nparameter = \"{parameter}\"\nvalues = [\"{value}\"]"
    ))
}

/// What a source told of one call.
struct Case {
    answered: bool,
    details: BTreeMap<String, String>,
    queues: Vec<String>,
    tags: Vec<String>,
}

impl Case {
    fn new(answered: bool) -> Self {
        let details = [
            ("scenario", "Main"),
            ("last_operation", "Sales group"),
            ("group", "Sales"),
            ("campaign", "Search"),
            ("first_campaign", "Maps"),
            ("site", "shop.example"),
            ("source", "Yandex"),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            answered,
            details: details.into_iter().map(text).collect(),
            queues: vec!["first".to_owned(), "second".to_owned()],
            tags: vec!["VIP".to_owned()],
        }
    }

    fn facets(&self) -> CallFacets<'_> {
        CallFacets {
            direction: "incoming",
            answered: self.answered,
            our_number: Some("+74951112233"),
            queues: &self.queues,
            employee: self.answered.then_some("ivanov"),
            tags: &self.tags,
            details: &self.details,
        }
    }
}

#[test]
fn v_07_conditions_join_by_all_and_any() {
    let both: Filter = filter(
        "kind = \"all\"\nof = [{ kind = \"include\", parameter = \"result\", values = \
         [\"answered\"] }, { kind = \"exclude\", parameter = \"our_number\", values = \
         [\"+70000000000\"] }]",
    );
    let (answered, missed) = (Case::new(true), Case::new(false));
    assert!(both.passes(&answered.facets()));
    assert!(!both.passes(&missed.facets()));
    let one: Filter = filter(
        "kind = \"any\"\nof = [{ kind = \"include\", parameter = \"result\", values = \
         [\"answered\"] }, { kind = \"include\", parameter = \"direction\", values = \
         [\"outgoing\"] }]",
    );
    assert!(one.passes(&answered.facets()));
    assert!(!one.passes(&missed.facets()));
    for empty in ["kind = \"all\"\nof = []", "kind = \"any\"\nof = []"] {
        assert!(
            filter::<CallParameter>(empty).passes(&missed.facets()),
            "all pass"
        );
    }
}

#[test]
fn s2_26_an_empty_group_beside_a_condition_does_not_open_the_filter() {
    let group: Filter = filter(
        "kind = \"any\"\nof = [{ kind = \"all\", of = [] }, { kind = \"include\", parameter = \
         \"result\", values = [\"answered\"] }]",
    );
    assert!(group.passes(&Case::new(true).facets()));
    assert!(!group.passes(&Case::new(false).facets()));
}

#[test]
fn v_07_every_parameter_of_a_call_is_looked_at() {
    let case = Case::new(true);
    let table = [
        ("direction", "incoming", "outgoing"),
        ("result", "answered", "missed"),
        ("our_number", "+74951112233", "+74950000000"),
        ("queue", "second", "third"),
        ("employee", "ivanov", "petrova"),
        ("scenario", "main", "night"),
        ("last_operation", "sales group", "voicemail"),
        ("group", "SALES", "Support"),
        ("campaign", " search ", "Maps"),
        ("first_campaign", "maps", "search"),
        ("site", "Shop.Example", "shop"),
        ("source", "yandex", "google"),
        ("tag", "vip", "new"),
    ];
    for (parameter, there, other) in table {
        for (kind, value, passes) in [
            ("include", there, true),
            ("include", other, false),
            ("exclude", there, false),
            ("exclude", other, true),
        ] {
            let filter: Filter = condition(kind, parameter, value);
            let seen = filter.seen(&case.facets());
            assert_eq!(
                filter.passes(&case.facets()),
                passes,
                "{kind} {parameter} {value}"
            );
            assert_eq!(seen[0].holds, passes);
            assert_eq!(
                seen[0].parameter, parameter,
                "the word is the one of the settings"
            );
            assert!(!seen[0].found.is_empty());
        }
    }
}

#[test]
fn v_07_every_parameter_of_a_chat_is_looked_at() {
    let details = [
        ("page", "https://shop.example/Price?a=1"),
        ("campaign", "Search"),
    ];
    let more = [
        ("first_campaign", "Maps"),
        ("source", "Yandex"),
        ("group", "Sales"),
    ];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let chat = Chat {
        phase: ChatPhase::Accepted,
        channel: "telegram".to_owned(),
        visitor: "1".to_owned(),
        name: None,
        phone: None,
        email: None,
        site: Some("shop.example".to_owned()),
        employee: Some(Extension("101".to_owned())),
        tags: vec!["VIP".to_owned()],
        started_at: Timestamp::from_millis(0),
        ended_at: None,
        messages: Vec::new(),
        lost: false,
        group: None,
        details: details.into_iter().chain(more).map(text).collect(),
    };
    let facets = ChatFacets {
        chat: &chat,
        employee: Some("ivanov"),
        has_contacts: false,
    };
    let table = [
        ("channel", "Telegram", "site"),
        ("site", "SHOP.example", "shop"),
        ("page", "/price", "/news"),
        ("campaign", "search", "maps"),
        ("first_campaign", "maps", "search"),
        ("source", "yandex", "google"),
        ("group", "sales", "support"),
        ("employee", "ivanov", "petrova"),
        ("tag", "vip", "new"),
    ];
    for (parameter, there, other) in table {
        let include = |value| condition::<ChatParameter>("include", parameter, value);
        let exclude = |value| condition::<ChatParameter>("exclude", parameter, value);
        assert!(
            include(there).passes(&facets) && !include(other).passes(&facets),
            "{parameter}"
        );
        assert!(
            !exclude(there).passes(&facets) && exclude(other).passes(&facets),
            "{parameter}"
        );
        assert_eq!(include(there).seen(&facets)[0].parameter, parameter);
    }
}

#[test]
fn v_08_what_only_an_answer_decides_matches_no_missed_call() {
    let (answered, missed) = (Case::new(true), Case::new(false));
    let table = [
        ("employee", "ivanov"),
        ("group", "Sales"),
        ("last_operation", "Sales group"),
    ];
    for (parameter, value) in table {
        for kind in ["include", "exclude"] {
            let filter: Filter = condition(kind, parameter, value);
            assert_eq!(filter.passes(&answered.facets()), kind == "include");
            assert!(!filter.passes(&missed.facets()), "{kind} {parameter}");
            assert!(filter.seen(&missed.facets())[0].undecided);
        }
    }
}

#[test]
fn what_a_communication_had_is_kept_cut_to_a_line() {
    let mut case = Case::new(true);
    case.details.insert("source".to_owned(), "я".repeat(500));
    let filter: Filter = condition("include", "source", "google");
    let seen = filter.seen(&case.facets());
    assert_eq!(seen[0].found[0].chars().count(), 81);
}

#[test]
fn mistakes_of_a_filter_are_named_at_once() {
    let mut found = Vec::new();
    let wrong: Filter = filter(
        "kind = \"all\"\nof = [{ kind = \"include\", parameter = \"result\", values = [\"lost\"] }, \
         { kind = \"any\", of = [{ kind = \"exclude\", parameter = \"queue\", values = [] }] }, \
         { kind = \"include\", parameter = \"campaign\", values = [\"a\", \" \"] }]",
    );
    wrong.mistakes("when", &mut found);
    let found: Vec<String> = found.iter().map(Mistake::to_string).collect();
    assert_eq!(
        found,
        [
            "when.of.0.values.0: \"lost\" is neither \"answered\" nor \"missed\"",
            "when.of.1.of.0.values: name at least one value",
            "when.of.2.values.1: write a value",
        ]
    );
    let mut deep: Filter = filter("kind = \"all\"\nof = []");
    for _ in 0..DEPTH_MAX {
        deep = Filter::Any { of: vec![deep] };
    }
    let mut found = Vec::new();
    deep.mistakes("when", &mut found);
    assert_eq!(found.len(), 1, "{found:?}");
}
