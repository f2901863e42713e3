//! Stages, sources, funnels, user fields and the mode of the CRM (crm/bitrix24.md §6
//! Dictionaries).

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::classic::choices;
use super::listing::{Filter, page, sort};
use super::methods::{Answer, Answered};
use super::options::{Mode, StageOptions};
use super::params::{Params, flag_of, list_of, text_of};
use super::records::{Kind, Status, UserField};
use super::refusal::Refusal;
use super::world::World;

/// Sources that every portal has.
const SOURCES: &[&str] = &[
    "CALL",
    "EMAIL",
    "WEB",
    "ADVERTISING",
    "PARTNER",
    "RECOMMENDATION",
    "TRADE_SHOW",
    "WEBFORM",
    "CALLBACK",
    "RC_GENERATOR",
    "STORE",
    "OTHER",
];

macro_rules! user_fields_of {
    ($kind:ident: $list:ident $add:ident) => {
        impl World {
            pub(super) fn $list(&mut self, params: &Params, _: &Caller) -> Answered {
                self.userfields(Kind::$kind, params)
            }
            pub(super) fn $add(&mut self, params: &Params, caller: &Caller) -> Answered {
                self.userfield_add(Kind::$kind, params, caller)
            }
        }
    };
}

user_fields_of!(Lead: lead_userfields lead_userfield_add);
user_fields_of!(Deal: deal_userfields deal_userfield_add);
user_fields_of!(Contact: contact_userfields contact_userfield_add);
user_fields_of!(Company: company_userfields company_userfield_add);

impl World {
    /// Makes the dictionaries of a new portal.
    pub(super) fn fill_dictionaries(&mut self) {
        let lead_stages = self.options.lead_stages.clone();
        self.add_stages("STATUS", "", None, &lead_stages);
        for funnel in self.options.funnels.clone() {
            match funnel.id {
                0 => self.add_stages("DEAL_STAGE", "", None, &funnel.stages),
                id => {
                    let entity = format!("DEAL_STAGE_{id}");
                    self.add_stages(&entity, &format!("C{id}:"), Some(id), &funnel.stages);
                }
            }
        }
        let plain = |names: &[&str]| -> Vec<StageOptions> {
            names.iter().map(|n| StageOptions::work(n, n)).collect()
        };
        self.add_stages("SOURCE", "", None, &plain(SOURCES));
        self.add_stages("DEAL_TYPE", "", None, &plain(&["SALE", "SERVICE"]));
        self.add_stages("CONTACT_TYPE", "", None, &plain(&["CLIENT", "PARTNER"]));
        self.add_stages("COMPANY_TYPE", "", None, &plain(&["CUSTOMER", "PARTNER"]));
        for field in self.options.user_fields.clone() {
            let Some(kind) = Kind::from_name(&field.entity) else {
                continue;
            };
            let id = self.next_id("user field", 101);
            let choices = field.choices.iter();
            let choices = choices.map(|text| (self.next_id("choice", 45), text.clone()));
            let choices = choices.collect();
            self.user_fields.push(UserField {
                id,
                kind,
                name: field.name,
                label: field.label,
                user_type: field.kind,
                is_multiple: field.is_multiple,
                is_mandatory: field.is_mandatory,
                choices,
            });
        }
    }

    fn add_stages(
        &mut self,
        entity_id: &str,
        prefix: &str,
        category_id: Option<u64>,
        stages: &[StageOptions],
    ) {
        for (n, stage) in stages.iter().enumerate() {
            let id = self.next_id("status", 101);
            self.statuses.push(Status {
                id,
                entity_id: entity_id.to_owned(),
                status_id: format!("{prefix}{}", stage.id),
                name: stage.name.clone(),
                sort: (n as u64 + 1) * 10,
                semantics: stage.semantics,
                category_id,
            });
        }
    }

    pub(super) fn status(&self, entity_id: &str, status_id: &str) -> Option<&Status> {
        let mut statuses = self.statuses.iter();
        statuses.find(|s| s.entity_id == entity_id && s.status_id == status_id)
    }

    /// Returns the stages of leads, or of every funnel of deals, in order.
    pub(super) fn stages_of(&self, kind: Kind) -> impl Iterator<Item = &Status> {
        self.statuses.iter().filter(move |status| match kind {
            Kind::Lead => status.entity_id == "STATUS",
            Kind::Deal => status.entity_id.starts_with("DEAL_STAGE"),
            Kind::Contact | Kind::Company => false,
        })
    }

    /// Returns `P` for work, `S` for won, `F` for lost.
    pub(super) fn semantics_of_stage(&self, kind: Kind, stage: &str) -> char {
        let mut stages = self.stages_of(kind);
        let stage = stages.find(|status| status.status_id == stage);
        stage.and_then(|status| status.semantics).unwrap_or('P')
    }

    pub(super) fn user_field(&self, kind: Kind, name: &str) -> Option<&UserField> {
        let mut fields = self.user_fields.iter();
        fields.find(|field| field.kind == kind && field.name == name)
    }

    pub(super) fn settings_mode(&mut self, _: &Params, _: &Caller) -> Answered {
        let mode = match self.mode {
            Mode::Classic => 1,
            Mode::Simple => 2,
        };
        Ok(json!(mode).into())
    }

    pub(super) fn status_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let filter = Filter::read(&params.object("filter").unwrap_or_default(), false);
        let rows = self.statuses.iter();
        let rows = rows.filter(|row| filter.fits(&self.zone, &|name| status_value(row, name)));
        let mut rows: Vec<&Status> = rows.collect();
        let order = params.object("order").unwrap_or_default();
        sort(&mut rows, &order, "ID", |row, name| {
            status_value(row, name)?.into_iter().next()
        });
        // Dictionaries come whole.
        let total = rows.len();
        Ok(Answer {
            result: rows.into_iter().map(render_status).collect(),
            total: Some(total),
            next: None,
        })
    }

    pub(super) fn category_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let type_id = params.required_id("entityTypeId")?;
        let rows: Vec<Value> = match type_id {
            2 => self
                .options
                .funnels
                .iter()
                .enumerate()
                .map(|(n, funnel)| {
                    json!({
                        "id": funnel.id, "name": funnel.name, "sort": (n + 1) * 100,
                        "entityTypeId": 2,
                        "isDefault": if funnel.id == 0 { "Y" } else { "N" },
                    })
                })
                .collect(),
            _ => {
                let text = "Entity type does not support categories";
                return Err(Refusal::bad("ENTITY_TYPE_NOT_SUPPORTED", text));
            }
        };
        let total = rows.len();
        Ok(Answer {
            result: json!({"categories": rows}),
            total: Some(total),
            next: None,
        })
    }

    pub(super) fn old_category_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let with_default = self.switches.old_funnels_hold_default;
        let funnels = self.options.funnels.iter();
        let rows = funnels
            .filter(|funnel| funnel.id != 0 || with_default)
            .map(|funnel| {
                json!({
                    "ID": funnel.id.to_string(), "NAME": funnel.name, "SORT": "100",
                    "IS_LOCKED": "N",
                })
            });
        let rows: Vec<Value> = rows.collect();
        Ok(page(rows, params, &self.switches, Value::Array))
    }

    pub(super) fn old_category_default(&mut self, _: &Params, _: &Caller) -> Answered {
        let funnel = self.options.funnels.iter().find(|funnel| funnel.id == 0);
        let name = funnel.map(|funnel| funnel.name.clone());
        Ok(json!({"ID": 0, "NAME": name}).into())
    }

    pub(super) fn old_category_stages(&mut self, params: &Params, _: &Caller) -> Answered {
        let id = params.id("id").unwrap_or(0);
        let stages = self.stages_of(Kind::Deal);
        let rows = stages.filter(|stage| stage.category_id.unwrap_or(0) == id);
        let rows = rows.map(|stage| {
            json!({
                "NAME": stage.name, "SORT": stage.sort.to_string(), "STATUS_ID": stage.status_id,
            })
        });
        Ok(rows.collect::<Value>().into())
    }

    fn userfields(&mut self, kind: Kind, params: &Params) -> Answered {
        let mut given = params.object("filter").unwrap_or_default();
        // Labels come only with a language (§6).
        let with_labels = given.remove("LANG").is_some();
        let filter = Filter::read(&given, false);
        let rows = self.user_fields.iter().filter(|field| {
            let value = |name: &str| {
                Some(vec![match name {
                    "ID" => json!(field.id),
                    "FIELD_NAME" => json!(field.name),
                    "USER_TYPE_ID" => json!(field.user_type),
                    "MANDATORY" => json!(field.is_mandatory),
                    "MULTIPLE" => json!(field.is_multiple),
                    _ => return None,
                }])
            };
            field.kind == kind && filter.fits(&self.zone, &value)
        });
        let rows: Vec<Value> = rows.map(|field| render_field(field, with_labels)).collect();
        Ok(page(rows, params, &self.switches, Value::Array))
    }

    fn userfield_add(&mut self, kind: Kind, params: &Params, caller: &Caller) -> Answered {
        if !caller.is_admin {
            return Err(self.classic("Access denied."));
        }
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let text = |key: &str| given.get(key).and_then(text_of).unwrap_or_default();
        let flag = |key: &str| given.get(key).and_then(flag_of).unwrap_or(false);
        let name = match text("FIELD_NAME") {
            name if name.starts_with("UF_CRM_") => name,
            name if name.is_empty() => {
                return Err(self.classic("The field FIELD_NAME is not defined or invalid"));
            }
            name => format!("UF_CRM_{name}"),
        };
        let user_type = text("USER_TYPE_ID");
        if user_type.is_empty() {
            return Err(self.classic("The field USER_TYPE_ID is not defined or invalid"));
        }
        if self.user_field(kind, &name).is_some() {
            let text = format!("The field {name} exists already");
            return Err(self.classic(&text));
        }
        let list = given.get("LIST").and_then(list_of).unwrap_or_default();
        let mut named = Vec::new();
        for row in &list {
            let text = row.get("VALUE").and_then(text_of).unwrap_or_default();
            named.push((self.next_id("choice", 45), text));
        }
        let label = ["EDIT_FORM_LABEL", "LABEL", "LIST_COLUMN_LABEL"]
            .into_iter()
            .find_map(|key| given.get(key).and_then(label_of));
        let id = self.next_id("user field", 101);
        self.user_fields.push(UserField {
            id,
            kind,
            label: label.unwrap_or_else(|| name.clone()),
            name,
            user_type,
            is_multiple: flag("MULTIPLE"),
            is_mandatory: flag("MANDATORY"),
            choices: named,
        });
        Ok(json!(id).into())
    }
}

/// A label is a text, or texts by language.
fn label_of(value: &Value) -> Option<String> {
    match value {
        Value::Object(by_language) => by_language.values().find_map(text_of),
        other => text_of(other),
    }
}

fn status_value(row: &Status, name: &str) -> Option<Vec<Value>> {
    Some(vec![match name {
        "ID" => json!(row.id),
        "ENTITY_ID" => json!(row.entity_id),
        "STATUS_ID" => json!(row.status_id),
        "NAME" => json!(row.name),
        "SORT" => json!(row.sort),
        "CATEGORY_ID" => return Some(row.category_id.map(|id| json!(id)).into_iter().collect()),
        _ => return None,
    }])
}

fn render_status(row: &Status) -> Value {
    let mut rendered = json!({
        "ID": row.id.to_string(), "ENTITY_ID": row.entity_id, "STATUS_ID": row.status_id,
        "NAME": row.name, "NAME_INIT": "", "SORT": row.sort.to_string(), "SYSTEM": "Y",
        "SEMANTICS": row.semantics.map(|s| s.to_string()),
        "CATEGORY_ID": row.category_id.map(|id| id.to_string()),
    });
    if row.entity_id == "STATUS" || row.entity_id.starts_with("DEAL_STAGE") {
        rendered["COLOR"] = json!("#39A8EF");
        rendered["EXTRA"] = json!({
            "SEMANTICS": match row.semantics {
                Some('S') => "success",
                Some(_) => "failure",
                None => "process",
            },
            "COLOR": "#39A8EF",
        });
    }
    rendered
}

fn render_field(field: &UserField, with_labels: bool) -> Value {
    let letter = |flag| if flag { "Y" } else { "N" };
    let mut row = Map::new();
    row.insert("ID".into(), json!(field.id.to_string()));
    row.insert(
        "ENTITY_ID".into(),
        json!(format!("CRM_{}", field.kind.upper())),
    );
    row.insert("FIELD_NAME".into(), json!(field.name));
    row.insert("USER_TYPE_ID".into(), json!(field.user_type));
    row.insert("MULTIPLE".into(), json!(letter(field.is_multiple)));
    row.insert("MANDATORY".into(), json!(letter(field.is_mandatory)));
    // An empty array where there are no settings.
    row.insert("SETTINGS".into(), json!([]));
    if field.user_type == "enumeration" {
        row.insert("LIST".into(), choices(&field.choices));
    }
    if with_labels {
        row.insert("EDIT_FORM_LABEL".into(), json!(field.label));
        row.insert("LIST_COLUMN_LABEL".into(), json!(field.label));
    }
    Value::Object(row)
}
