//! Conditions: parameter, include or exclude, values; joined by "all of" and "any of", to any
//! depth that people write (V-07).
//!
//! What a parameter of a call is stands in [`CallFacets`]; other kinds have their own, such as
//! [`RequestParameter`](super::settings::RequestParameter).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::explanation::ConditionSeen;
use crate::model::mistake::Mistake;

/// The deepest nesting, and the most conditions of one filter.
const DEPTH_MAX: usize = 8;
const CONDITIONS_MAX: usize = 100;

/// A condition, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter<P = CallParameter> {
    /// Every one of them holds; with none it always holds.
    All {
        /// The parts.
        of: Vec<Filter<P>>,
    },
    /// One of them holds; with none it always holds, for nothing is asked.
    Any {
        /// The parts.
        of: Vec<Filter<P>>,
    },
    /// The parameter has one of the values.
    Include {
        /// What is looked at.
        parameter: P,
        /// The values.
        values: Vec<String>,
    },
    /// The parameter has none of the values.
    Exclude {
        /// What is looked at.
        parameter: P,
        /// The values.
        values: Vec<String>,
    },
}

/// What a condition can look at in one kind of communication.
pub trait Parameter: Copy {
    /// Returns its word, as the settings have it.
    fn word(self) -> &'static str;

    /// Says what is wrong with a value, if anything.
    fn wrong_value(self, value: &str) -> Option<String>;

    /// Says whether its values are employees, by our own names.
    fn is_employee(self) -> bool;
}

/// What one communication has of each parameter.
pub(super) trait Facets<P> {
    /// Says whether the parameter has one of the values; `None` where only an answer could tell.
    fn has(&self, parameter: P, values: &[String]) -> Option<bool>;
}

/// What a condition looks at in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallParameter {
    /// `incoming` or `outgoing`.
    Direction,
    /// `answered` or `missed`.
    Result,
    /// The company's number, as the source reports it: the one called, or the one shown.
    OurNumber,
    /// The queues that the call went through.
    Queue,
    /// The employee who talked, by our own name. Decided by an answer: a missed call matches
    /// neither "include" nor "exclude" (V-08).
    Employee,
}

/// What a call has of each parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallFacets<'a> {
    pub(super) direction: &'static str,
    pub(super) answered: bool,
    pub(super) our_number: Option<&'a str>,
    pub(super) queues: &'a [String],
    pub(super) employee: Option<&'a str>,
}

impl Parameter for CallParameter {
    fn word(self) -> &'static str {
        match self {
            CallParameter::Direction => "direction",
            CallParameter::Result => "result",
            CallParameter::OurNumber => "our_number",
            CallParameter::Queue => "queue",
            CallParameter::Employee => "employee",
        }
    }

    fn wrong_value(self, value: &str) -> Option<String> {
        wrong_value(self, value)
    }

    fn is_employee(self) -> bool {
        self == CallParameter::Employee
    }
}

impl Facets<CallParameter> for CallFacets<'_> {
    fn has(&self, parameter: CallParameter, values: &[String]) -> Option<bool> {
        let is = |text: &str| values.iter().any(|value| value == text);
        match parameter {
            CallParameter::Direction => Some(is(self.direction)),
            CallParameter::Result => Some(is(if self.answered { "answered" } else { "missed" })),
            CallParameter::OurNumber => Some(self.our_number.is_some_and(is)),
            CallParameter::Queue => Some(self.queues.iter().any(|queue| is(queue))),
            CallParameter::Employee if !self.answered => None,
            CallParameter::Employee => Some(self.employee.is_some_and(is)),
        }
    }
}

impl<P: Parameter> Filter<P> {
    /// Says whether a communication passes.
    pub(super) fn passes(&self, what: &impl Facets<P>) -> bool {
        match self {
            Filter::All { of } => of.iter().all(|part| part.passes(what)),
            Filter::Any { of } => of.is_empty() || of.iter().any(|part| part.passes(what)),
            Filter::Include { parameter, values } => what.has(*parameter, values) == Some(true),
            Filter::Exclude { parameter, values } => what.has(*parameter, values) == Some(false),
        }
    }

    /// Says of each condition, in order, whether it holds: also of those that the answer did not
    /// need.
    pub(super) fn seen(&self, what: &impl Facets<P>) -> Vec<ConditionSeen> {
        let mut seen = Vec::new();
        self.look(what, "", &mut seen);
        seen
    }

    fn look(&self, what: &impl Facets<P>, path: &str, seen: &mut Vec<ConditionSeen>) {
        let (parameter, include) = match self {
            Filter::All { of } | Filter::Any { of } => {
                for (position, part) in of.iter().enumerate() {
                    let dot = if path.is_empty() { "" } else { "." };
                    part.look(what, &format!("{path}{dot}of.{position}"), seen);
                }
                return;
            }
            Filter::Include { parameter, .. } => (parameter, true),
            Filter::Exclude { parameter, .. } => (parameter, false),
        };
        seen.push(ConditionSeen {
            path: path.to_owned(),
            parameter: parameter.word().to_owned(),
            include,
            holds: self.passes(what),
        });
    }

    /// Names every mistake that the types do not exclude.
    pub(super) fn mistakes(&self, path: &str, found: &mut Vec<Mistake>) {
        let mut conditions = 0;
        self.check(path, 1, &mut conditions, found);
        if conditions > CONDITIONS_MAX {
            found.push(Mistake::at(
                path,
                format!("{conditions} conditions are too many: at most {CONDITIONS_MAX}"),
            ));
        }
    }

    /// Adds the employees that conditions name, with the path of each.
    pub(super) fn employees_named<'a>(&'a self, path: &str, named: &mut Vec<(String, &'a str)>) {
        match self {
            Filter::All { of } | Filter::Any { of } => {
                for (position, part) in of.iter().enumerate() {
                    part.employees_named(&format!("{path}.of.{position}"), named);
                }
            }
            Filter::Include { parameter, values } | Filter::Exclude { parameter, values } => {
                if parameter.is_employee() {
                    let values = values.iter().enumerate();
                    named.extend(
                        values.map(|(n, value)| (format!("{path}.values.{n}"), value.as_str())),
                    );
                }
            }
        }
    }

    fn check(&self, path: &str, depth: usize, conditions: &mut usize, found: &mut Vec<Mistake>) {
        if depth > DEPTH_MAX {
            let message = format!("groups stand in each other too deep: at most {DEPTH_MAX}");
            return found.push(Mistake::at(path, message));
        }
        match self {
            Filter::All { of } | Filter::Any { of } => {
                for (position, part) in of.iter().enumerate() {
                    part.check(
                        &format!("{path}.of.{position}"),
                        depth + 1,
                        conditions,
                        found,
                    );
                }
            }
            Filter::Include { parameter, values } | Filter::Exclude { parameter, values } => {
                *conditions += 1;
                if values.is_empty() {
                    let path = format!("{path}.values");
                    found.push(Mistake::at(&path, "name at least one value"));
                }
                for (position, value) in values.iter().enumerate() {
                    if let Some(mistake) = parameter.wrong_value(value) {
                        found.push(Mistake::at(&format!("{path}.values.{position}"), mistake));
                    }
                }
            }
        }
    }
}

fn wrong_value(parameter: CallParameter, value: &str) -> Option<String> {
    let of_list = |known: [&str; 2]| {
        let [one, other] = known;
        (!known.contains(&value)).then(|| format!("{value:?} is neither {one:?} nor {other:?}"))
    };
    match parameter {
        CallParameter::Direction => of_list(["incoming", "outgoing"]),
        CallParameter::Result => of_list(["answered", "missed"]),
        CallParameter::OurNumber | CallParameter::Queue | CallParameter::Employee => {
            let blank = value.trim().is_empty();
            blank.then(|| "write a value".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        toml::from_str(text).expect("a filter")
    }

    fn call(answered: bool) -> CallFacets<'static> {
        CallFacets {
            direction: "incoming",
            answered,
            our_number: Some("+74951112233"),
            queues: &[],
            employee: answered.then_some("ivanov"),
        }
    }

    #[test]
    fn v_07_conditions_join_by_all_and_any() {
        let both = filter(
            "kind = \"all\"\nof = [{ kind = \"include\", parameter = \"result\", values = \
             [\"answered\"] }, { kind = \"exclude\", parameter = \"our_number\", values = \
             [\"+70000000000\"] }]",
        );
        assert!(both.passes(&call(true)));
        assert!(!both.passes(&call(false)));
        let one = filter(
            "kind = \"any\"\nof = [{ kind = \"include\", parameter = \"result\", values = \
             [\"answered\"] }, { kind = \"include\", parameter = \"direction\", values = \
             [\"outgoing\"] }]",
        );
        assert!(one.passes(&call(true)));
        assert!(!one.passes(&call(false)));
        for empty in ["kind = \"all\"\nof = []", "kind = \"any\"\nof = []"] {
            assert!(filter(empty).passes(&call(false)), "no condition: all pass");
        }
    }

    #[test]
    fn v_08_what_only_an_answer_decides_matches_no_missed_call() {
        for kind in ["include", "exclude"] {
            let text =
                format!("kind = \"{kind}\"\nparameter = \"employee\"\nvalues = [\"ivanov\"]");
            let filter = filter(&text);
            assert_eq!(filter.passes(&call(true)), kind == "include");
            assert!(!filter.passes(&call(false)));
        }
    }

    #[test]
    fn mistakes_of_a_filter_are_named_at_once() {
        let mut found = Vec::new();
        let wrong = filter(
            "kind = \"all\"\nof = [{ kind = \"include\", parameter = \"result\", values = \
             [\"lost\"] }, { kind = \"any\", of = [{ kind = \"exclude\", parameter = \"queue\", \
             values = [] }] }]",
        );
        wrong.mistakes("when", &mut found);
        let found: Vec<String> = found.iter().map(Mistake::to_string).collect();
        assert_eq!(
            found,
            [
                "when.of.0.values.0: \"lost\" is neither \"answered\" nor \"missed\"",
                "when.of.1.of.0.values: name at least one value",
            ]
        );
        let mut deep = filter("kind = \"all\"\nof = []");
        for _ in 0..DEPTH_MAX {
            deep = Filter::Any { of: vec![deep] };
        }
        let mut found = Vec::new();
        deep.mistakes("when", &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[cfg(test)]
mod properties;
