//! Reads what rules and administrators must know about a portal (`crm/bitrix24.md` §6, §10), and
//! finds out what is closed to us there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::BitrixAdapter;
use super::command::Command;
use super::pool::{Reply, Unanswered};
use super::refusal::Sort;
use super::setup::{Setup, is_classic};
use super::wire::{Record, list};
use crate::crm::account::classify::Purpose;
use crate::crm::{AccountDescription, Class, CrmUser, Pipeline, Stage};
use crate::model::field::{CrmField, Takes};
use crate::model::ids::CrmUserId;
use crate::model::plan::Entity;

/// Rows of a page (§1).
const PAGE: u64 = 50;
const PAGE_ROWS: usize = 50;

/// Pages of users that are asked for together where it is not said how many there are.
const USER_PAGES_AT_ONCE: u64 = 4;

/// Most pages of users that are read: five thousand people.
const USER_PAGES_MAX: u64 = 100;

/// Most people without a surname who are named.
const NAMED_MAX: usize = 5;

/// The additional fields that are read, by sort of card.
const FIELDS: [(Entity, &str); 4] = [
    (Entity::Contact, "crm.contact.userfield.list"),
    (Entity::Company, "crm.company.userfield.list"),
    (Entity::Deal, "crm.deal.userfield.list"),
    (Entity::Lead, "crm.lead.userfield.list"),
];

/// What every new lead, deal and contact has for where the client comes from (§6, common fields).
const BUILT_IN: [(&str, &str); 7] = [
    ("SOURCE_ID", "Источник"),
    ("SOURCE_DESCRIPTION", "Об источнике"),
    ("UTM_SOURCE", "UTM Source"),
    ("UTM_MEDIUM", "UTM Medium"),
    ("UTM_CAMPAIGN", "UTM Campaign"),
    ("UTM_CONTENT", "UTM Content"),
    ("UTM_TERM", "UTM Term"),
];

/// What stands at which place of the first request.
const MODE: usize = 0;
const PIPELINES: usize = 1;
const USERS: usize = 2;
const PROBE: usize = 3;
const SCOPE: usize = 4;
const FIELDS_FROM: usize = 5;

/// The scopes without which something does not work, and what.
const SCOPES: [(&[&str], &str); 4] = [
    (&["crm"], "nothing works"),
    (
        &["telephony"],
        "calls are written as activities, without card and statistics",
    ),
    (
        &["user", "user_basic", "user_brief"],
        "employees cannot be listed",
    ),
    (&["im"], "nobody is told of new records"),
];

impl BitrixAdapter {
    pub(super) async fn description(&self) -> Result<AccountDescription, Unanswered> {
        let mut commands = vec![
            Command::new("crm.settings.mode.get", json!({})),
            Command::new("crm.category.list", json!({ "entityTypeId": 2 })),
            users(0),
            self.probe(),
            Command::new("scope", json!({})),
        ];
        commands.extend(FIELDS.map(|(_, method)| {
            Command::new(
                method,
                json!({ "filter": { "LANG": "ru" }, "order": { "SORT": "ASC" } }),
            )
        }));
        let replies = self
            .client
            .read_all("account", commands, Class::Work)
            .await?;
        let mut limits = Vec::new();
        let reply = |place: usize| replies.get(place);
        let setup = Setup {
            leads: leads(reply(MODE), &mut limits)?,
            telephony_closed: self.is_telephony_barred(reply(PROBE), &mut limits),
        };
        self.setup.note(setup).await?;
        note_scopes(reply(SCOPE), &mut limits);
        let pipelines = self.pipelines(reply(PIPELINES), &mut limits).await?;
        let users = self.users(reply(USERS), &mut limits).await?;
        let fields = FIELDS.iter().enumerate().flat_map(|(place, (entity, _))| {
            fields_of(*entity, reply(FIELDS_FROM.saturating_add(place)))
        });
        let built_in = FIELDS.iter().flat_map(|(entity, _)| built_in(*entity));
        Ok(AccountDescription {
            id: self
                .client
                .auth()
                .member_id()
                .await
                .unwrap_or_else(|| self.host.clone()),
            name: self.host.clone(),
            time_zone: None,
            users,
            pipelines,
            deal_pipelines: Vec::new(),
            fields: fields.chain(built_in).collect(),
            // One of a kind: an activity to be done.
            task_types: Vec::new(),
            limits,
        })
    }

    /// Asks whether telephony is open to us: without a number nothing is registered, and what the
    /// refusal says tells whether we may. A portal that is only observed is not even asked that.
    fn probe(&self) -> Command {
        match self.client.is_observed() {
            true => Command::new("scope", json!({})),
            false => {
                let nothing = json!({ "USER_ID": 0, "PHONE_NUMBER": "", "TYPE": 2 });
                Command::new("telephony.externalCall.register", nothing)
            }
        }
    }

    /// Says whether telephony is closed to us: where it is open, an empty registration is refused
    /// for what it lacks.
    fn is_telephony_barred(&self, reply: Option<&Reply>, limits: &mut Vec<String>) -> bool {
        let barred = match reply {
            Some(Err(refusal)) if super::execute::is_closed(refusal) => true,
            Some(Err(refusal)) if refusal.sort() == Sort::Final => false,
            Some(_) | None => self.is_telephony_closed(),
        };
        if barred {
            limits.push(
                "telephony is closed to this credential: calls are written as activities, without \
                 card at the ringing telephone, call statistics and player; let us in as an \
                 application (client_id) for all of it"
                    .to_owned(),
            );
        }
        if !self.client.auth().is_application() {
            limits.push(
                "the account comes in by a webhook, which ends with its owner's rights; let us in \
                 as an application (client_id) to do without"
                    .to_owned(),
            );
        }
        barred
    }

    async fn pipelines(
        &self,
        reply: Option<&Reply>,
        limits: &mut Vec<String>,
    ) -> Result<Vec<Pipeline>, Unanswered> {
        let categories = match reply {
            Some(Ok(answered)) => list(&answered.value, "categories")
                .ok_or_else(|| Unanswered::unreadable("the funnels"))?,
            Some(Err(refusal)) if refusal.sort() == Sort::Final => {
                limits.push(format!("funnels cannot be listed: {}", refusal.text));
                return Ok(Vec::new());
            }
            Some(Err(refusal)) => return Err(refusal.unanswered(Purpose::Read)),
            None => return Ok(Vec::new()),
        };
        let mut categories: Vec<(i64, i64, String, bool)> = categories
            .iter()
            .filter_map(|category| {
                let id = category.number("id")?;
                let main = category.flag("isDefault") || id == 0;
                let name = category.text("name").unwrap_or_default();
                Some((category.number("sort").unwrap_or_default(), id, name, main))
            })
            .collect();
        categories.sort();
        let asked = categories.iter().map(|(_, id, ..)| {
            let entity = match id {
                0 => "DEAL_STAGE".to_owned(),
                id => format!("DEAL_STAGE_{id}"),
            };
            let params = json!({ "filter": { "ENTITY_ID": entity }, "order": { "SORT": "ASC" } });
            Command::new("crm.status.list", params)
        });
        let replies = self
            .client
            .read_all("stages", asked.collect(), Class::Work)
            .await?;
        let mut pipelines = Vec::new();
        for ((_, id, name, main), reply) in categories.into_iter().zip(replies) {
            let answered = reply.map_err(|refusal| refusal.unanswered(Purpose::Read))?;
            let rows = list(&answered.value, "statuses")
                .ok_or_else(|| Unanswered::unreadable("the stages"))?;
            let stages = rows.iter().filter_map(|row| {
                Some(Stage {
                    id: row.text("STATUS_ID")?,
                    name: row.text("NAME").unwrap_or_default(),
                })
            });
            pipelines.push(Pipeline {
                id: id.to_string(),
                name,
                main,
                unsorted: false,
                stages: stages.collect(),
            });
        }
        Ok(pipelines)
    }

    /// Reads all people: the first page is there, the others come together.
    async fn users(
        &self,
        reply: Option<&Reply>,
        limits: &mut Vec<String>,
    ) -> Result<Vec<CrmUser>, Unanswered> {
        let first = match reply {
            Some(Ok(answered)) => answered,
            Some(Err(refusal)) if refusal.sort() == Sort::Final => {
                limits.push(format!("employees cannot be listed: {}", refusal.text));
                return Ok(Vec::new());
            }
            Some(Err(refusal)) => return Err(refusal.unanswered(Purpose::Read)),
            None => return Ok(Vec::new()),
        };
        let mut rows: Vec<(i64, CrmUser, bool)> = Vec::new();
        let mut take = |value: &Value| -> Result<usize, Unanswered> {
            let page = list(value, "users").ok_or_else(|| Unanswered::unreadable("users"))?;
            rows.extend(page.iter().filter_map(|row| {
                let id = row.id()?;
                let has_surname = row.text("LAST_NAME").is_some();
                Some((id, user(*row, id), has_surname))
            }));
            Ok(page.len())
        };
        let mut last = take(&first.value)?;
        let mut read = 1;
        // How many there are may not be said: a page that is not full is the last.
        while last >= PAGE_ROWS && read < USER_PAGES_MAX {
            let left = first.total.map_or(USER_PAGES_AT_ONCE, |total| {
                total.div_ceil(PAGE).saturating_sub(read)
            });
            let pages = (read..USER_PAGES_MAX).take(usize::try_from(left).unwrap_or(0));
            let pages: Vec<Command> = pages
                .take(super::pool::COMMANDS_MAX)
                .map(|page| users(page * PAGE))
                .collect();
            if pages.is_empty() {
                break;
            }
            read += pages.len() as u64;
            for reply in self.client.read_all("users", pages, Class::Work).await? {
                let answered = reply.map_err(|refusal| refusal.unanswered(Purpose::Read))?;
                last = take(&answered.value)?;
            }
        }
        let mut found = BTreeMap::new();
        let mut nameless = Vec::new();
        for (id, user, has_surname) in rows {
            // Beyond the end some portals answer with the last page once more.
            if found.contains_key(&id) {
                continue;
            }
            if user.active && !has_surname {
                nameless.push(format!("{} ({id})", user.name));
            }
            found.insert(id, user);
        }
        if !nameless.is_empty() {
            let count = nameless.len();
            nameless.truncate(NAMED_MAX);
            limits.push(format!(
                "{count} employees have no surname in the portal, which the vendor's own pages \
                 need (S3-02): {}",
                nameless.join(", ")
            ));
        }
        Ok(found.into_values().collect())
    }
}

/// Reads whether the portal works with leads.
fn leads(reply: Option<&Reply>, limits: &mut Vec<String>) -> Result<bool, Unanswered> {
    match reply {
        Some(Ok(answered)) => Ok(is_classic(&answered.value)),
        Some(Err(refusal)) if refusal.sort() == Sort::Final => {
            limits.push(format!(
                "whether the portal works with leads is not told ({}): deals are made",
                refusal.text
            ));
            Ok(false)
        }
        Some(Err(refusal)) => Err(refusal.unanswered(Purpose::Read)),
        None => Ok(false),
    }
}

fn users(start: u64) -> Command {
    let params = json!({
        "FILTER": { "USER_TYPE": "employee" }, "SORT": "ID", "ORDER": "ASC", "start": start,
    });
    Command::new("user.get", params)
}

fn user(row: Record<'_>, id: i64) -> CrmUser {
    let parts = [row.text("NAME"), row.text("LAST_NAME")];
    let name: Vec<String> = parts.into_iter().flatten().collect();
    let phone = ["UF_PHONE_INNER", "WORK_PHONE", "PERSONAL_MOBILE"];
    CrmUser {
        id: CrmUserId(id.to_string()),
        name: match name.is_empty() {
            true => row.text("EMAIL").unwrap_or_default(),
            false => name.join(" "),
        },
        email: row.text("EMAIL"),
        phone: phone.into_iter().find_map(|key| row.text(key)),
        active: row.flag("ACTIVE"),
    }
}

/// Returns the fields that a sort of cards has in every portal and that rules may fill (V-14).
fn built_in(entity: Entity) -> Vec<CrmField> {
    if entity == Entity::Company {
        return Vec::new();
    }
    let field = |(id, name): (&str, &str)| CrmField {
        entity,
        name: name.to_owned(),
        code: None,
        id: id.to_owned(),
        takes: Takes::Text,
        kind: "string".to_owned(),
        options: Vec::new(),
    };
    BUILT_IN.into_iter().map(field).collect()
}

fn fields_of(entity: Entity, reply: Option<&Reply>) -> Vec<CrmField> {
    // Some sorts may be closed to us: what is left can be filled.
    let Some(Ok(answered)) = reply else {
        return Vec::new();
    };
    let rows = list(&answered.value, "fields").unwrap_or_default();
    let field = |row: Record<'_>| {
        let id = row.text("FIELD_NAME")?;
        Some(CrmField {
            entity,
            name: row.text("EDIT_FORM_LABEL").unwrap_or_else(|| id.clone()),
            code: None,
            id,
            takes: match row.text("USER_TYPE_ID").as_deref() {
                Some(_) if row.flag("MULTIPLE") => Takes::Nothing,
                Some(kind) => takes(kind),
                None => Takes::Unknown,
            },
            kind: row.text("USER_TYPE_ID").unwrap_or_default(),
            options: Vec::new(),
        })
    };
    rows.into_iter().filter_map(field).collect()
}

/// Returns what a type takes: text only (V-10).
fn takes(kind: &str) -> Takes {
    match kind {
        "string" => Takes::Text,
        "url" => Takes::Address,
        "integer" | "double" => Takes::Number,
        _ => Takes::Nothing,
    }
}

fn note_scopes(reply: Option<&Reply>, limits: &mut Vec<String>) {
    let Some(Ok(answered)) = reply else {
        return;
    };
    let Some(granted) = list(&answered.value, "scope") else {
        return;
    };
    let has = |scope: &str| granted.iter().any(|one| one.0.as_str() == Some(scope));
    for (any_of, without) in SCOPES {
        if let Some(first) = any_of.first()
            && !any_of.iter().any(|scope| has(scope))
        {
            limits.push(format!("the scope {first} was not granted: {without}"));
        }
    }
}
