//! The employees of an account (`crm/planfix.md` §5; S2-06). A user's short number cannot be read, only
//! looked for: one request for each extension that it would be good to know of.

use serde_json::json;

use super::PlanfixAdapter;
use super::client::Unanswered;
use super::wire::{Record, rows};
use crate::crm::Class;
use crate::model::employee_sync::ListedUser;
use crate::model::ids::{CrmUserId, Extension};

/// The filter by the short number, which finds what contains it.
const SHORT_NUMBER: u16 = 9004;

/// Extensions that are looked for, at a request a second: ten minutes and a thirtieth of the
/// smallest day's quota.
const LOOKED_FOR_MAX: usize = 600;

impl PlanfixAdapter {
    pub(super) async fn read_people(
        &self,
        extensions: Vec<Extension>,
    ) -> Result<Vec<ListedUser>, Unanswered> {
        let users = self.users(Class::Work).await?;
        let mut people: Vec<ListedUser> = users.into_iter().map(ListedUser::from).collect();
        for extension in extensions.into_iter().take(LOOKED_FOR_MAX) {
            if let Some(user) = self.user_of(&extension).await?
                && let Some(person) = people.iter_mut().find(|person| person.user == user)
            {
                person.extension = Some(extension);
            }
        }
        Ok(people)
    }

    /// Finds whose a short number is. Where several contain it, nobody can tell.
    async fn user_of(&self, extension: &Extension) -> Result<Option<CrmUserId>, Unanswered> {
        let body = json!({
            "offset": 0, "pageSize": 2, "onlyActive": true, "fields": "id",
            "filters": [{ "type": SHORT_NUMBER, "operator": "equal", "value": extension.0 }],
        });
        let answer = self
            .client
            .list("/user/list", body, Class::Background)
            .await?;
        let found = rows(&answer, "users").ok_or_else(|| Unanswered::unreadable("users"))?;
        Ok(match found.as_slice() {
            [only] => Record::id(*only).map(|id| CrmUserId(id.to_string())),
            _ => None,
        })
    }
}
