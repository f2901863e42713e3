//! A CRM's users as employees, from what an account is described as.

use super::{AccountDescription, CrmUser};
use crate::model::employee_sync::{ListedUser, is_short_number};
use crate::model::ids::Extension;
use crate::model::outcome::{Outcome, Rejection};

/// Takes the users of a description. Where the CRM does not let them be listed, that is said: nobody
/// is taken for gone.
pub(super) async fn described(
    describing: impl Future<Output = Outcome<AccountDescription>>,
) -> Outcome<Vec<ListedUser>> {
    let account = match describing.await {
        Outcome::Done(account) => account,
        Outcome::NotApplied(not_applied) => return Outcome::NotApplied(not_applied),
        Outcome::Ambiguous { why } => return Outcome::Ambiguous { why },
        Outcome::AuthExpired { why } => return Outcome::AuthExpired { why },
        Outcome::Rejected(rejection) => return Outcome::Rejected(rejection),
    };
    if account.users.is_empty() {
        let why = account.limits.join("; ");
        let message = format!("the CRM lists no users: {why}");
        let code = "no_users".to_owned();
        return Outcome::Rejected(Rejection { code, message });
    }
    Outcome::Done(account.users.into_iter().map(ListedUser::from).collect())
}

impl From<CrmUser> for ListedUser {
    fn from(user: CrmUser) -> Self {
        // A telephone of a few digits is a short number.
        let short = user.phone.clone().map(Extension);
        Self {
            user: user.id,
            name: user.name,
            email: user.email,
            extension: short.filter(is_short_number),
            phone: user.phone,
            active: user.active,
        }
    }
}
