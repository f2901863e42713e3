//! What can be wrong with the settings of site requests.

use super::written;
use crate::model::mistake::Mistake;
use crate::rules::settings::{Assign, RequestSettings};
use crate::rules::variables::OF_REQUESTS;

/// Names every mistake.
pub(super) fn check(requests: &RequestSettings, found: &mut Vec<Mistake>) {
    written::check("requests", &requests.choices(), &OF_REQUESTS, found);
    for (position, rule) in requests.responsible.iter().enumerate() {
        if matches!(rule.assign, Assign::Talker {} | Assign::Caller {}) {
            let path = format!("requests.responsible.{position}.assign.kind");
            let message = "in a site request nobody talks and nobody calls: name a user, an \
                           employee or contact_owner";
            found.push(Mistake::at(&path, message));
        }
    }
}
