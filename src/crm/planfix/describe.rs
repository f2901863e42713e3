//! Reads what rules and administrators must know about an account, and checks what the customer had
//! to set there (`crm/planfix.md` §1, §9 ping; S2-01, S2-03).

use serde_json::json;

use super::PlanfixAdapter;
use super::client::Unanswered;
use super::deals::kind_word;
use super::refusal::CLOSED;
use super::setup::{CustomField, Setup, custom_fields};
use super::wire::{Record, rows};
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::{AccountDescription, Class, CrmUser, Pipeline, Stage};
use crate::model::field::{CrmField, FieldOption, Takes};
use crate::model::ids::CrmUserId;
use crate::model::plan::Entity;

/// Rows of a page (§2).
const PAGE: usize = 100;
/// Most pages of users: five thousand people.
const USER_PAGES_MAX: usize = 50;

impl PlanfixAdapter {
    pub(super) async fn description(&self) -> Result<AccountDescription, Unanswered> {
        let mut limits = self.scope_limits().await?;
        let setup = self.setup.read(&self.client, Class::Work).await?;
        self.note_keys(&setup, &mut limits);
        self.note_telephony(&mut limits).await?;
        let users = match self.users(Class::Work).await {
            // The limits name the scope.
            Err(unanswered) if unanswered.is_code(&CLOSED) => Vec::new(),
            users => users?,
        };
        let mut fields = Vec::new();
        for (kind, entity) in [("contact", Entity::Contact), ("task", Entity::Deal)] {
            let list = custom_fields(&self.client, kind, Class::Work).await?;
            let own = list.into_iter().filter(|field| {
                Some(field.id) != setup.contact_key && Some(field.id) != setup.task_key
            });
            fields.extend(own.map(|field| described(entity, field)));
        }
        let pipelines = setup
            .objects
            .iter()
            .enumerate()
            .map(|(place, object)| Pipeline {
                id: object.id.to_string(),
                name: object.name.clone(),
                main: place == 0,
                unsorted: false,
                stages: object
                    .statuses
                    .iter()
                    .map(|status| Stage {
                        id: status.id.to_string(),
                        name: status.name.clone(),
                    })
                    .collect(),
            });
        Ok(AccountDescription {
            id: self.host.clone(),
            name: self.host.clone(),
            time_zone: None,
            users,
            pipelines: pipelines.collect(),
            deal_pipelines: Vec::new(),
            fields,
            // A task's sort is its object, which stands among the pipelines.
            task_types: Vec::new(),
            limits,
        })
    }

    /// Says what the missing key fields cost.
    fn note_keys(&self, setup: &Setup, limits: &mut Vec<String>) {
        let name = &self.key_field;
        if setup.contact_key.is_none() {
            limits.push(format!(
                "contacts have no line field {name:?}: after a lost answer a contact is recognised \
                 by its number alone; make the field and attach it to the contact template"
            ));
        }
        if setup.task_key.is_none() {
            limits.push(format!(
                "tasks have no line field {name:?}: the end of our key stands in the names of tasks; \
                 make the field and attach it to the task objects"
            ));
        }
        for template in &setup.swallowed {
            limits.push(format!(
                "the field {name:?} is not attached to template {template}: what is written to it \
                 is lost without a word; attach it"
            ));
        }
    }

    /// Checks the token of telephony (S2-02), and that Planfix works with telephony by its API
    /// (S2-03).
    async fn note_telephony(&self, limits: &mut Vec<String>) -> Result<(), Unanswered> {
        let pinged = self
            .client
            .call(&[("cmd", "ping")], Purpose::Read, Class::Work)
            .await;
        match pinged {
            Ok(answer) => {
                let answer = Record(&answer);
                let (url, key) = (answer.text("pbxUrl"), answer.text("pbxToken"));
                limits.extend(self.pbx_mistakes(url.as_deref(), key.as_deref()));
                Ok(())
            }
            Err(Unanswered::Failed(Failure::AuthExpired { why })) => {
                limits.push(format!(
                    "{why}: calls do not reach Planfix; switch the old application off and \"API of \
                     Planfix for telephony\" on, and enter its token (S2-02, S2-03)"
                ));
                Ok(())
            }
            Err(Unanswered::Refused(refusal)) => {
                limits.push(format!(
                    "telephony does not answer a ping: {}",
                    refusal.text
                ));
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    pub(super) async fn users(&self, class: Class) -> Result<Vec<CrmUser>, Unanswered> {
        let mut users = Vec::new();
        for page in 0..USER_PAGES_MAX {
            let body = json!({
                "offset": page * PAGE, "pageSize": PAGE, "onlyActive": false,
                "fields": "id,name,midname,lastname,email,status,role,phones,isDeleted",
            });
            let answer = self.client.list("/user/list", body, class).await?;
            let list = rows(&answer, "users").ok_or_else(|| Unanswered::unreadable("users"))?;
            let full = list.len() >= PAGE;
            users.extend(list.into_iter().filter_map(user));
            if !full {
                break;
            }
        }
        Ok(users)
    }
}

fn user(row: Record<'_>) -> Option<CrmUser> {
    // Robots answer no telephone.
    if row.text("role").as_deref() == Some("Robot") {
        return None;
    }
    let phones = row.list("phones");
    let inactive = row.text("status").as_deref() == Some("Inactive") || row.flag("isDeleted");
    Some(CrmUser {
        id: CrmUserId(row.id()?.to_string()),
        name: row.name(),
        email: row.text("email"),
        phone: phones.into_iter().find_map(|phone| phone.text("number")),
        active: !inactive,
    })
}

fn described(entity: Entity, field: CustomField) -> CrmField {
    CrmField {
        entity,
        id: field.id.to_string(),
        name: field.name,
        code: None,
        kind: kind_word(field.kind),
        takes: takes(field.kind),
        options: field
            .options
            .into_iter()
            .map(|text| FieldOption {
                id: text.clone(),
                text,
            })
            .collect(),
    }
}

/// Returns what a type takes (§2.2).
fn takes(kind: i64) -> Takes {
    match kind {
        0 => Takes::Line,
        1 => Takes::Number,
        2 => Takes::Text,
        3 => Takes::Day,
        5 => Takes::Moment,
        7 => Takes::Tick,
        8 => Takes::Choice,
        _ => Takes::Nothing,
    }
}
