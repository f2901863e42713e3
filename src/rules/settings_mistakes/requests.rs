//! What can be wrong with the settings of site requests.

use super::written;
use crate::model::mistake::Mistake;
use crate::rules::settings::{Assign, RequestSettings};
use crate::rules::variables::OF_REQUESTS;

/// Names every mistake.
pub(super) fn check(requests: &RequestSettings, found: &mut Vec<Mistake>) {
    written::check("requests", &requests.choices(), &OF_REQUESTS, found);
    let rules = requests.responsible.iter().enumerate();
    let rules = rules.map(|(at, rule)| (format!("responsible.{at}.assign"), &rule.assign));
    let assigned = requests.choices().assigned().into_iter();
    let assigned = assigned.map(|(key, assign)| (key.to_owned(), assign));
    for (path, assign) in rules.chain(assigned) {
        if matches!(assign, Assign::Talker {} | Assign::Caller {}) {
            let path = format!("requests.{path}.kind");
            let message = "in a site request nobody talks and nobody calls: name a user, an \
                           employee or contact_owner";
            found.push(Mistake::at(&path, message));
        }
    }
}
