//! What each condition said, for the explanation.

use crate::model::explanation::ConditionSeen;

use super::{Facets, Filter, Parameter, Told};

/// The longest value that is kept of what a communication had, and the most of them: a decision
/// is stored with each condition of each filter.
const FOUND_CHARS_MAX: usize = 80;
const FOUND_MAX: usize = 5;

impl<P: Parameter> Filter<P> {
    /// Says of each condition, in order, whether it holds: also of those that the answer did not
    /// need.
    pub(in crate::rules) fn seen(&self, what: &impl Facets<P>) -> Vec<ConditionSeen> {
        let mut seen = Vec::new();
        self.look(what, String::new(), &mut seen);
        seen
    }

    fn look(&self, what: &impl Facets<P>, path: String, seen: &mut Vec<ConditionSeen>) {
        let (parameter, include) = match self {
            Filter::All { of } | Filter::Any { of } => {
                for (position, part) in of.iter().enumerate() {
                    let dot = if path.is_empty() { "" } else { "." };
                    part.look(what, format!("{path}{dot}of.{position}"), seen);
                }
                return;
            }
            Filter::Include { parameter, .. } => (parameter, true),
            Filter::Exclude { parameter, .. } => (parameter, false),
        };
        let told = what.told(*parameter);
        seen.push(ConditionSeen {
            path,
            parameter: parameter.word().to_owned(),
            include,
            holds: self.passes(what),
            found: found(&told),
            undecided: told == Told::Undecided,
        });
    }
}

fn found(told: &Told<'_>) -> Vec<String> {
    match told {
        Told::Undecided | Told::One(None) => Vec::new(),
        Told::One(Some(text)) => vec![short(text)],
        Told::Many(texts) => some(texts.iter().map(String::as_str)),
        Told::These(texts) => some(texts.iter().copied()),
    }
}

fn some<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    texts.take(FOUND_MAX).map(short).collect()
}

fn short(text: &str) -> String {
    let mut chars = text.chars();
    let mut kept: String = chars.by_ref().take(FOUND_CHARS_MAX).collect();
    if chars.next().is_some() {
        kept.push('…');
    }
    kept
}
