//! What is wrong with a filter although its types allow it: all of it at once.

use crate::model::mistake::Mistake;

use super::{Filter, Parameter};

/// The deepest nesting, and the most conditions of one filter.
pub(super) const DEPTH_MAX: usize = 8;
pub(super) const CONDITIONS_MAX: usize = 100;

/// The most values of a condition.
const VALUES_MAX: usize = 1000;

impl<P: Parameter> Filter<P> {
    /// Names every mistake that the types do not exclude.
    pub(in crate::rules) fn mistakes(&self, path: &str, found: &mut Vec<Mistake>) {
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
    pub(in crate::rules) fn employees_named<'a>(
        &'a self,
        path: &str,
        named: &mut Vec<(String, &'a str)>,
    ) {
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

    /// Names the conditions on a parameter for which `why` has a reason against it.
    pub(in crate::rules) fn refuse(
        &self,
        path: &str,
        why: &impl Fn(P) -> Option<String>,
        found: &mut Vec<Mistake>,
    ) {
        match self {
            Filter::All { of } | Filter::Any { of } => {
                for (position, part) in of.iter().enumerate() {
                    part.refuse(&format!("{path}.of.{position}"), why, found);
                }
            }
            Filter::Include { parameter, .. } | Filter::Exclude { parameter, .. } => {
                if let Some(message) = why(*parameter) {
                    found.push(Mistake::at(&format!("{path}.parameter"), message));
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
                    let path = format!("{path}.of.{position}");
                    part.check(&path, depth + 1, conditions, found);
                }
            }
            Filter::Include { parameter, values } | Filter::Exclude { parameter, values } => {
                *conditions += 1;
                check_values(&format!("{path}.values"), *parameter, values, found);
            }
        }
    }
}

fn check_values<P: Parameter>(
    path: &str,
    parameter: P,
    values: &[String],
    found: &mut Vec<Mistake>,
) {
    if values.is_empty() {
        found.push(Mistake::at(path, "name at least one value"));
    }
    if values.len() > VALUES_MAX {
        let message = format!("{} values are too many: at most {VALUES_MAX}", values.len());
        found.push(Mistake::at(path, message));
    }
    for (position, value) in values.iter().enumerate() {
        if let Some(mistake) = wrong_value(parameter, value) {
            found.push(Mistake::at(&format!("{path}.{position}"), mistake));
        }
    }
}

fn wrong_value<P: Parameter>(parameter: P, value: &str) -> Option<String> {
    match parameter.known_values() {
        Some(known) if known.contains(&value) => None,
        Some([one, other]) => Some(format!("{value:?} is neither {one:?} nor {other:?}")),
        None => {
            let blank = value.trim().is_empty();
            blank.then(|| "write a value".to_owned())
        }
    }
}
