//! Conditions: parameter, include or exclude, values; joined by "all of" and "any of", to any
//! depth that people write (V-07). Filters of calls, requests and chats are made of them, and the
//! rules of responsibles and pipelines.
//!
//! ```text
//! calls    the parameters of calls: CallParameter
//! chats    the parameters of chats: ChatParameter
//! trace    what each condition said, for the explanation
//! check    what is wrong with a filter that the types allow
//! ```
//!
//! What a parameter is in one communication is told through [`Facets`]. What only an answer
//! decides is [`Told::Undecided`] in a missed call, and then matches neither "include" nor
//! "exclude" (V-08).

mod calls;
mod chats;
mod check;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod trace;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::rules) use self::calls::CallFacets;
pub use self::calls::CallParameter;
pub(in crate::rules) use self::chats::ChatFacets;
pub use self::chats::ChatParameter;

/// A condition, or a group of them. A group without conditions asks nothing: as a whole filter it
/// lets all pass (S2-26), within another group it is as if it were not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter<P = CallParameter> {
    /// Every one of them holds.
    All {
        /// The parts.
        of: Vec<Filter<P>>,
    },
    /// One of them holds.
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
pub trait Parameter: Copy + PartialEq {
    /// Returns its word, as the settings have it.
    fn word(self) -> &'static str;

    /// Returns how its values are compared.
    fn comparison(self) -> Comparison;

    /// Returns the only values that it can have, where there are few.
    fn known_values(self) -> Option<[&'static str; 2]> {
        None
    }

    /// Says whether its values are employees, by our own names.
    fn is_employee(self) -> bool {
        false
    }
}

/// How a value of a condition is compared with what the communication has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Letter by letter: ids, numbers and words of ours.
    Exact,
    /// As a whole; capital letters and blanks around do not count: names that people give.
    Name,
    /// Anywhere within, capital letters do not count: addresses of pages, texts.
    Part,
}

/// What one communication has of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Told<'a> {
    /// Only an answer could tell, and there was none (V-08).
    Undecided,
    /// One value; `None` = it has none, or the source does not tell.
    One(Option<&'a str>),
    /// Any number of them.
    Many(&'a [String]),
    /// Any number of them, as they stand in other things.
    These(Vec<&'a str>),
}

/// What one communication has of each parameter.
pub(in crate::rules) trait Facets<P> {
    /// Returns what it has of a parameter.
    fn told(&self, parameter: P) -> Told<'_>;
}

impl Told<'_> {
    /// Says whether one of the values is there; `None` where only an answer could tell.
    fn has(&self, comparison: Comparison, values: &[String]) -> Option<bool> {
        let is = |text: &str| values.iter().any(|value| comparison.holds(text, value));
        match self {
            Told::Undecided => None,
            Told::One(text) => Some(text.is_some_and(is)),
            Told::Many(texts) => Some(texts.iter().any(|text| is(text))),
            Told::These(texts) => Some(texts.iter().any(|text| is(text))),
        }
    }
}

impl Comparison {
    fn holds(self, text: &str, value: &str) -> bool {
        match self {
            Comparison::Exact => text == value,
            Comparison::Name => {
                let small = |text: &str| -> String { text.trim().to_lowercase() };
                text.eq_ignore_ascii_case(value) || small(text) == small(value)
            }
            Comparison::Part => text.to_lowercase().contains(&value.trim().to_lowercase()),
        }
    }
}

impl<P: Parameter> Filter<P> {
    /// Says whether a communication passes.
    pub(in crate::rules) fn passes(&self, what: &impl Facets<P>) -> bool {
        match self {
            Filter::All { of } => of.iter().filter(asks).all(|part| part.passes(what)),
            Filter::Any { of } => {
                let mut parts = of.iter().filter(asks).peekable();
                parts.peek().is_none() || parts.any(|part| part.passes(what))
            }
            Filter::Include { parameter, values } => {
                let told = what.told(*parameter);
                told.has(parameter.comparison(), values) == Some(true)
            }
            Filter::Exclude { parameter, values } => {
                let told = what.told(*parameter);
                told.has(parameter.comparison(), values) == Some(false)
            }
        }
    }

    /// Says whether there is a condition in it at all.
    pub(in crate::rules) fn asks(&self) -> bool {
        match self {
            Filter::All { of } | Filter::Any { of } => of.iter().any(Filter::asks),
            Filter::Include { .. } | Filter::Exclude { .. } => true,
        }
    }
}

fn asks<P: Parameter>(part: &&Filter<P>) -> bool {
    part.asks()
}
