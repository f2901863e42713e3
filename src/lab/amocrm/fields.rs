//! The catalogue of custom fields: `GET` and `POST /{entity}/custom_fields` (crm/amocrm.md §7).

use serde_json::{Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::exchange::{Incoming, Reply};
use super::options::FieldOptions;
use super::records::Kind;
use super::review::{Object, Review};
use super::tags::with_total;
use super::world::World;

/// The list of fields gives at most so many per page, whatever `limit` says.
const PAGE_MAX: u64 = 50;
/// Fields of one account, as a bound of memory.
const FIELDS_MAX: usize = 5_000;

const TYPES: [&str; 25] = [
    "text",
    "numeric",
    "checkbox",
    "select",
    "multiselect",
    "date",
    "url",
    "textarea",
    "radiobutton",
    "streetaddress",
    "smart_address",
    "birthday",
    "legal_entity",
    "date_time",
    "price",
    "category",
    "items",
    "tracking_data",
    "linked_entity",
    "chained_list",
    "monetary",
    "file",
    "multitext",
    "payer",
    "supplier",
];

/// A custom field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) id: u64,
    pub(super) entity: Kind,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) code: Option<String>,
    pub(super) sort: i64,
    pub(super) is_api_only: bool,
    pub(super) is_predefined: bool,
    pub(super) choices: Vec<Choice>,
}

/// An option of a field, or a kind of phone or e-mail.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) id: u64,
    pub(super) value: String,
    pub(super) sort: i64,
    pub(super) code: Option<String>,
}

/// Returns the fields of a new account: phones, e-mails and the given ones.
pub(super) fn catalogue(given: &[FieldOptions]) -> Vec<Field> {
    let mut next_choice = 48_221;
    let mut choices = |values: &[&str], coded: bool| {
        let mut list = Vec::new();
        for (n, value) in values.iter().enumerate() {
            next_choice += 1;
            list.push(Choice {
                id: next_choice,
                value: (*value).to_owned(),
                sort: i64::try_from(n).unwrap_or(0) + 1,
                code: coded.then(|| (*value).to_owned()),
            });
        }
        list
    };
    let mut fields = Vec::new();
    for (entity, phone, email) in [(Kind::Contact, 31, 33), (Kind::Company, 51, 53)] {
        let kinds: [(u64, &str, &str, &[&str]); 2] = [
            (
                phone,
                "PHONE",
                "Телефон",
                &["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"],
            ),
            (email, "EMAIL", "Email", &["WORK", "PRIV", "OTHER"]),
        ];
        for (id, code, name, values) in kinds {
            fields.push(Field {
                id,
                entity,
                name: name.into(),
                kind: "multitext".into(),
                code: Some(code.into()),
                sort: 2,
                is_api_only: false,
                is_predefined: true,
                choices: choices(values, true),
            });
        }
    }
    for field in given {
        let values: Vec<&str> = field.options.iter().map(String::as_str).collect();
        fields.push(Field {
            id: field.id,
            entity: Kind::from_plural(&field.entity).unwrap_or(Kind::Lead),
            name: field.name.clone(),
            kind: field.kind.clone(),
            code: field.code.clone(),
            sort: 500,
            is_api_only: false,
            is_predefined: false,
            choices: choices(&values, false),
        });
    }
    fields
}

impl World {
    /// `/{entity}/custom_fields[/{id}]`.
    pub(super) fn custom_fields(
        &mut self,
        kind: Kind,
        rest: &[&str],
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        match (incoming.method.as_str(), rest) {
            ("GET", []) => self.list_fields(kind, incoming),
            ("GET", [id]) => {
                let id = id.parse::<u64>().ok();
                let field = self
                    .fields
                    .iter()
                    .find(|f| f.entity == kind && Some(f.id) == id);
                field.map_or_else(Reply::not_found, |field| Reply::ok(&render(field)))
            }
            ("POST", []) if !caller.is_admin => Reply::forbidden(),
            ("POST", []) => self.create_fields(kind, incoming),
            _ => Reply::method_not_allowed(),
        }
    }

    fn list_fields(&self, kind: Kind, incoming: &Incoming) -> Reply {
        let types = incoming.query.list("filter[type]");
        let mut fields: Vec<&Field> = self.fields.iter().filter(|f| f.entity == kind).collect();
        fields.retain(|f| types.is_empty() || types.contains(&f.kind.as_str()));
        match incoming.query.get("order[sort]") {
            Some("desc") => fields.sort_by_key(|f| std::cmp::Reverse((f.sort, f.id))),
            _ => fields.sort_by_key(|f| (f.sort, f.id)),
        }
        let mut paging = self.paging(PAGE_MAX);
        paging.with_total = true;
        paging.reply(incoming, "custom_fields", &fields, |field| render(field))
    }

    fn create_fields(&mut self, kind: Kind, incoming: &Incoming) -> Reply {
        if self.fields.len() >= FIELDS_MAX {
            return Reply::problem(422, "Unprocessable Entity", "Too many custom fields");
        }
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| world.read_field(kind, item, review),
            |world, mut field, request_id| {
                field.id = world.next_id("field", 900_001);
                for choice in &mut field.choices {
                    choice.id = world.next_id("choice", 950_001);
                }
                let mut row = render(&field);
                row["request_id"] = json!(request_id);
                world.fields.push(field);
                row
            },
        );
        match rows {
            Ok(rows) => Reply::json(201, &with_total("custom_fields", rows, incoming)),
            Err(refusal) => refusal,
        }
    }

    fn read_field(&self, kind: Kind, item: &Value, review: &mut Review) -> Option<Field> {
        let object = Object::of(item, String::new(), review)?;
        let keys = [
            "name",
            "type",
            "code",
            "sort",
            "group_id",
            "is_api_only",
            "required_statuses",
            "enums",
            "settings",
            "is_visible",
            "is_required",
            "remind",
            "request_id",
        ];
        object.known("custom_field", &keys, review);
        object.require(&["name", "type"], review);
        let name = object.text("name", review)?;
        let field_type = object.text("type", review)?;
        let only_leads = ["tracking_data", "chained_list"].contains(&field_type.as_str());
        let not_leads = ["multitext", "price", "category", "items", "linked_entity"];
        let fits = match kind {
            Kind::Lead => !not_leads.contains(&field_type.as_str()),
            Kind::Contact | Kind::Company | Kind::Customer => !only_leads,
        };
        if !TYPES.contains(&field_type.as_str()) || !fits {
            review.choice("type".into());
        }
        let code = object.text("code", review);
        let taken = |f: &Field| f.entity == kind && f.code.is_some() && f.code == code;
        if self.fields.iter().any(taken) {
            review.error("NotUnique", "code".into(), "This code is already used.");
        }
        let mut choices = Vec::new();
        for choice in object.objects("enums", review) {
            choice.require(&["value"], review);
            choices.push(Choice {
                id: 0,
                value: choice.text("value", review).unwrap_or_default(),
                sort: choice.integer("sort", review).unwrap_or(0),
                code: choice.text("code", review),
            });
        }
        Some(Field {
            id: 0,
            entity: kind,
            name,
            kind: field_type,
            code,
            sort: object.integer("sort", review).unwrap_or(500),
            is_api_only: object.flag("is_api_only", review).unwrap_or(false),
            is_predefined: false,
            choices,
        })
    }
}

fn render(field: &Field) -> Value {
    let choice = |c: &Choice| json!({"id": c.id, "value": c.value, "sort": c.sort, "code": c.code});
    let choices: Vec<Value> = field.choices.iter().map(choice).collect();
    json!({
        "id": field.id, "name": field.name, "type": field.kind, "code": field.code,
        "sort": field.sort, "entity_type": field.entity.plural(), "group_id": null,
        "is_api_only": field.is_api_only, "is_predefined": field.is_predefined,
        "is_deletable": !field.is_predefined, "is_computed": false,
        "enums": if choices.is_empty() { Value::Null } else { json!(choices) },
        "required_statuses": null, "remind": null, "currency": null, "settings": null,
    })
}
