//! What must hold of every filter.

use proptest::prelude::*;

use super::*;

/// A thing with a few parameters, of which one may be undecided.
#[derive(Debug, Clone, Copy)]
struct Thing {
    direction: bool,
    answered: bool,
}

impl Facets<CallParameter> for Thing {
    fn has(&self, parameter: CallParameter, values: &[String]) -> Option<bool> {
        let is = |text: &str| Some(values.iter().any(|value| value == text));
        match parameter {
            CallParameter::Direction if self.direction => is("incoming"),
            CallParameter::Direction => is("outgoing"),
            CallParameter::Employee if !self.answered => None,
            CallParameter::Employee => is("ivanov"),
            CallParameter::Result | CallParameter::OurNumber | CallParameter::Queue => {
                is("answered")
            }
        }
    }
}

fn things() -> impl Strategy<Value = Thing> {
    any::<(bool, bool)>().prop_map(|(direction, answered)| Thing {
        direction,
        answered,
    })
}

fn condition() -> impl Strategy<Value = Filter> {
    let parameters = prop_oneof![
        Just(CallParameter::Direction),
        Just(CallParameter::Result),
        Just(CallParameter::Employee),
    ];
    let words = prop::sample::select(vec!["incoming", "outgoing", "answered", "ivanov"]);
    let values = prop::collection::vec(words.prop_map(str::to_owned), 1..3);
    (any::<bool>(), parameters, values).prop_map(|(include, parameter, values)| match include {
        true => Filter::Include { parameter, values },
        false => Filter::Exclude { parameter, values },
    })
}

fn filters() -> impl Strategy<Value = Filter> {
    condition().prop_recursive(4, 40, 4, |inner| {
        let parts = prop::collection::vec(inner, 0..4);
        (any::<bool>(), parts).prop_map(|(all, of)| match all {
            true => Filter::All { of },
            false => Filter::Any { of },
        })
    })
}

/// Says which conditions stand in a filter, in order.
fn conditions(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::All { of } | Filter::Any { of } => of.iter().flat_map(conditions).collect(),
        Filter::Include { .. } | Filter::Exclude { .. } => vec![filter],
    }
}

/// Turns every condition and group into its opposite.
fn opposite(filter: &Filter) -> Filter {
    match filter.clone() {
        Filter::All { of } => Filter::Any {
            of: of.iter().map(opposite).collect(),
        },
        Filter::Any { of } => Filter::All {
            of: of.iter().map(opposite).collect(),
        },
        Filter::Include { parameter, values } => Filter::Exclude { parameter, values },
        Filter::Exclude { parameter, values } => Filter::Include { parameter, values },
    }
}

fn has_empty_group(filter: &Filter) -> bool {
    match filter {
        Filter::All { of } | Filter::Any { of } => of.is_empty() || of.iter().any(has_empty_group),
        Filter::Include { .. } | Filter::Exclude { .. } => false,
    }
}

proptest! {
    #[test]
    fn the_trace_names_every_condition_once_and_what_it_said(filter in filters(), thing in things()) {
        let seen = filter.seen(&thing);
        let all = conditions(&filter);
        prop_assert_eq!(seen.len(), all.len());
        for (said, condition) in seen.iter().zip(all) {
            prop_assert_eq!(said.holds, condition.passes(&thing));
        }
        let mut paths: Vec<&str> = seen.iter().map(|said| said.path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        prop_assert_eq!(paths.len(), seen.len());
    }

    #[test]
    fn v_07_two_excludes_that_act_together_need_or(filter in filters(), thing in things()) {
        prop_assume!(thing.answered && !has_empty_group(&filter));
        prop_assert_eq!(opposite(&filter).passes(&thing), !filter.passes(&thing));
    }

    #[test]
    fn a_filter_survives_its_own_text(filter in filters()) {
        let text = serde_json::to_string(&filter).expect("serialises");
        let back: Filter = serde_json::from_str(&text).expect("parses its own text");
        prop_assert_eq!(back, filter);
    }
}
