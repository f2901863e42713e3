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
    fn told(&self, parameter: CallParameter) -> Told<'_> {
        match parameter {
            CallParameter::Direction if self.direction => Told::One(Some("incoming")),
            CallParameter::Direction => Told::One(Some("outgoing")),
            CallParameter::Employee if !self.answered => Told::Undecided,
            CallParameter::Employee => Told::One(Some("ivanov")),
            _ => Told::One(Some("answered")),
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

/// Takes out what asks nothing.
fn without_empty_groups(filter: &Filter) -> Filter {
    let kept = |of: &[Filter]| -> Vec<Filter> {
        let asking = of.iter().filter(|part| part.asks());
        asking.map(without_empty_groups).collect()
    };
    match filter {
        Filter::All { of } => Filter::All { of: kept(of) },
        Filter::Any { of } => Filter::Any { of: kept(of) },
        Filter::Include { .. } | Filter::Exclude { .. } => filter.clone(),
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
        prop_assume!(thing.answered && filter.asks());
        prop_assert_eq!(opposite(&filter).passes(&thing), !filter.passes(&thing));
    }

    #[test]
    fn v_07_the_opposite_of_the_opposite_is_the_filter(filter in filters(), thing in things()) {
        let twice = opposite(&opposite(&filter));
        prop_assert_eq!(twice.passes(&thing), filter.passes(&thing));
        prop_assert_eq!(twice, filter);
    }

    #[test]
    fn s2_26_a_group_without_conditions_is_as_if_it_were_not_there(
        filter in filters(),
        thing in things(),
    ) {
        let bare = without_empty_groups(&filter);
        prop_assert_eq!(bare.passes(&thing), filter.passes(&thing));
        prop_assert!(filter.asks() || filter.passes(&thing));
    }

    #[test]
    fn v_08_a_missed_call_never_passes_by_what_only_an_answer_decides(
        include in any::<bool>(),
        values in prop::collection::vec(".{0,6}", 0..3),
    ) {
        let parameter = CallParameter::Employee;
        let filter = match include {
            true => Filter::Include { parameter, values },
            false => Filter::Exclude { parameter, values },
        };
        let missed = Thing { direction: true, answered: false };
        prop_assert!(!filter.passes(&missed));
        prop_assert!(filter.seen(&missed)[0].undecided);
    }

    #[test]
    fn any_text_is_compared_and_any_filter_checked_without_a_panic(
        text in ".{0,200}",
        values in prop::collection::vec(".{0,8}", 0..4),
    ) {
        let texts = [text.clone()];
        let (one, many) = (Told::One(Some(&text)), Told::Many(&texts));
        for comparison in [Comparison::Exact, Comparison::Name, Comparison::Part] {
            prop_assert_eq!(one.has(comparison, &values), many.has(comparison, &values));
            prop_assert_eq!(one.has(comparison, &texts), Some(true));
        }
        let filter = Filter::Include { parameter: CallParameter::Source, values };
        filter.mistakes("calls.incoming.filter", &mut Vec::new());
    }

    #[test]
    fn a_filter_survives_its_own_text(filter in filters()) {
        let text = serde_json::to_string(&filter).expect("serialises");
        let back: Filter = serde_json::from_str(&text).expect("parses its own text");
        prop_assert_eq!(back, filter);
    }
}
