//! What rules and administrators must know about an account.

use super::AmoAdapter;
use super::client::{ReadError, query};
use super::setup;
use super::wire::answers::{
    CustomField, FieldEnum, Pipeline as PipelineRecord, TaskType as TaskTypeRecord, User,
};
use crate::crm::{AccountDescription, Class, CrmUser, Pipeline, Stage, TaskType};
use crate::model::field::{CrmField, FieldOption, Takes};
use crate::model::ids::CrmUserId;
use crate::model::plan::Entity;

/// Most pages of users: 250 a page, more than any account has.
const USER_PAGES_MAX: u32 = 40;

/// How long before its end a token is worth a warning: two weeks, so that somebody is at work.
const TOKEN_ENDS_SOON_S: u64 = 14 * 24 * 3600;

impl AmoAdapter {
    /// Reads the account and sets up what is missing.
    pub(super) async fn description(&self) -> Result<AccountDescription, ReadError> {
        let class = Class::Background;
        let surveyed = self.setup.survey(&self.client, class).await?;
        self.note_marks(&surveyed.setup);
        let mut limits = surveyed.limits;
        let users = match self.users().await {
            Ok(users) => users,
            Err(ReadError::Refused(rejection)) => {
                limits.push(format!(
                    "users cannot be listed (HTTP {}: {}): the token must belong to an \
                     administrator; map employees by their user ids",
                    rejection.code, rejection.message
                ));
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let company_fields =
            setup::fields_if_allowed(&self.client, "companies", class, &mut limits)
                .await?
                .unwrap_or_default();
        if let Some(ends_at) = self.client.auth.credential().await.ends_at
            && ends_at.since(self.clock.now()).as_secs() < TOKEN_ENDS_SOON_S
        {
            limits.push(format!(
                "the token ends at {ends_at}: make a new one in time"
            ));
        }
        let mut fields = fields_of(Entity::Contact, surveyed.contact_fields);
        fields.extend(fields_of(Entity::Deal, surveyed.lead_fields));
        fields.extend(fields_of(Entity::Company, company_fields));
        Ok(AccountDescription {
            id: surveyed.account.id.to_string(),
            name: surveyed.account.name.unwrap_or_default(),
            time_zone: surveyed.account.embedded.datetime_settings.timezone,
            users,
            pipelines: pipelines_of(surveyed.pipelines),
            deal_pipelines: Vec::new(),
            fields,
            task_types: task_types_of(surveyed.account.embedded.task_types),
            limits,
        })
    }

    pub(super) async fn users(&self) -> Result<Vec<CrmUser>, ReadError> {
        let mut users = Vec::new();
        for number in 1..=USER_PAGES_MAX {
            let number = number.to_string();
            let pairs = query(&[
                ("limit", "250"),
                ("page", &number),
                ("with", "phone_number"),
            ]);
            let page = self
                .client
                .page::<User>("/api/v4/users", "users", pairs, Class::Background)
                .await?;
            let done = page.items.is_empty() || !page.more;
            users.extend(page.items.into_iter().map(|user| CrmUser {
                id: CrmUserId(user.id.to_string()),
                name: user.name.unwrap_or_default(),
                email: user.email.filter(|email| !email.is_empty()),
                phone: user.phone_number.filter(|phone| !phone.is_empty()),
                active: user.rights.is_active,
            }));
            if done {
                break;
            }
        }
        Ok(users)
    }
}

fn task_types_of(types: Vec<TaskTypeRecord>) -> Vec<TaskType> {
    let task_type = |one: TaskTypeRecord| TaskType {
        id: one.id.to_string(),
        name: one.name.unwrap_or_default(),
    };
    types.into_iter().map(task_type).collect()
}

/// Keeps what a deal can be put into: no archived pipelines, no stage of unsorted records.
fn pipelines_of(mut records: Vec<PipelineRecord>) -> Vec<Pipeline> {
    records.retain(|pipeline| !pipeline.is_archive);
    records.sort_by_key(|pipeline| (pipeline.sort, pipeline.id));
    records
        .into_iter()
        .map(|pipeline| {
            let mut statuses = pipeline.embedded.statuses;
            statuses.retain(|status| status.kind == 0);
            statuses.sort_by_key(|status| (status.sort, status.id));
            let stages = statuses.into_iter().map(|status| Stage {
                id: status.id.to_string(),
                name: status.name.unwrap_or_default(),
            });
            Pipeline {
                id: pipeline.id.to_string(),
                name: pipeline.name.unwrap_or_default(),
                main: pipeline.is_main,
                unsorted: pipeline.is_unsorted_on,
                stages: stages.collect(),
            }
        })
        .collect()
}

/// Lists what an administrator can fill: not our own marker.
fn fields_of(entity: Entity, fields: Vec<CustomField>) -> Vec<CrmField> {
    fields
        .into_iter()
        .filter(|field| field.code.as_deref() != Some(setup::MARKER_CODE))
        .map(|field| CrmField {
            entity,
            id: field.id.to_string(),
            name: field.name.unwrap_or_default(),
            code: field.code.filter(|code| !code.is_empty()),
            takes: match &field.kind {
                Some(_) if field.is_computed => Takes::Nothing,
                Some(kind) => takes(kind),
                None => Takes::Unknown,
            },
            kind: field.kind.unwrap_or_default(),
            options: options_of(field.enums),
        })
        .collect()
}

fn options_of(mut enums: Vec<FieldEnum>) -> Vec<FieldOption> {
    enums.sort_by_key(|option| (option.sort, option.id));
    let option = |option: FieldEnum| FieldOption {
        id: option.id.to_string(),
        text: option.value.unwrap_or_default(),
    };
    enums.into_iter().map(option).collect()
}

/// Returns what a type takes (`crm/amocrm.md` §7). Numbers and addresses of e-mail and telephone
/// are no additional fields: they stand in `multitext`.
fn takes(kind: &str) -> Takes {
    match kind {
        "text" | "streetaddress" | "tracking_data" => Takes::Line,
        "textarea" => Takes::Text,
        "numeric" | "price" | "monetary" => Takes::Number,
        "checkbox" => Takes::Tick,
        "select" | "radiobutton" => Takes::Choice,
        "multiselect" => Takes::Choices,
        "date" | "birthday" => Takes::Day,
        "date_time" => Takes::Moment,
        "url" => Takes::Address,
        _ => Takes::Nothing,
    }
}
