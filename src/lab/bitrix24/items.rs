//! `crm.item.*`: the universal family (crm/bitrix24.md §6).

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::classic::{choices, values_of};
use super::fields::{self, Type};
use super::listing::{Filter, page, sort};
use super::methods::{Answer, Answered};
use super::multi;
use super::params::{Params, flag_of, text_of};
use super::records::{Card, Kind};
use super::refusal::Refusal;
use super::world::World;

/// What `select` asks for.
struct Selection {
    names: Option<Vec<String>>,
    original_names: bool,
}

impl World {
    pub(super) fn item_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let kind = kind_of(params)?;
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let draft = self.universal_draft(kind, &given, params, false)?;
        if self.switches.item_add_checks_required {
            self.check_required(kind, &draft)?;
        }
        let id = self.create_card(kind, draft, caller)?;
        self.one_item(kind, id, params)
    }

    pub(super) fn item_update(&mut self, params: &Params, caller: &Caller) -> Answered {
        let kind = kind_of(params)?;
        let id = self.item_id(kind, params)?;
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let draft = self.universal_draft(kind, &given, params, true)?;
        self.edit_card(kind, id, draft, caller)?;
        self.one_item(kind, id, params)
    }

    pub(super) fn item_get(&mut self, params: &Params, _: &Caller) -> Answered {
        let kind = kind_of(params)?;
        let id = self.item_id(kind, params)?;
        self.one_item(kind, id, params)
    }

    pub(super) fn item_delete(&mut self, params: &Params, caller: &Caller) -> Answered {
        let kind = kind_of(params)?;
        let id = self.item_id(kind, params)?;
        self.delete_card(kind, id, caller);
        Ok(json!([]).into())
    }

    pub(super) fn item_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let kind = kind_of(params)?;
        let given = params.object("filter").unwrap_or_default();
        let filter = Filter::read(&given, true);
        for name in filter.names() {
            if self.classic_name(kind, name).is_none() {
                let text = format!("field '{name}' is not allowed in filter");
                return Err(Refusal::bad("INVALID_ARG_VALUE", &text));
            }
        }
        let order = params.object("order").unwrap_or_default();
        if let Some(name) = order.keys().find(|n| self.classic_name(kind, n).is_none()) {
            let text = format!("field '{name}' is not allowed in order");
            return Err(Refusal::bad("INVALID_ARG_VALUE", &text));
        }
        let values = |card: &Card, name: &str| {
            let name = self.classic_name(kind, name)?;
            Some(values_of(card, &name))
        };
        let rows = self.candidates(kind, &filter, |name| self.classic_name(kind, name));
        let rows = rows
            .into_iter()
            .filter(|card| filter.fits(&self.zone, &|name| values(card, name)));
        let mut rows: Vec<&Card> = rows.collect();
        sort(&mut rows, &order, "id", |card, name| {
            values(card, name)?.into_iter().next()
        });
        let selection = Selection::read(params);
        let answer = page(rows, params, &self.switches, |rows| {
            let rows = rows.into_iter();
            rows.map(|card| self.render_item(card, &selection))
                .collect()
        });
        Ok(Answer {
            result: json!({"items": answer.result}),
            ..answer
        })
    }

    pub(super) fn item_fields(&mut self, params: &Params, _: &Caller) -> Answered {
        let kind = kind_of(params)?;
        let mut map = Map::new();
        if let Value::Object(classic) = self.describe(kind) {
            for (name, mut row) in classic {
                let user_field = self.user_field(kind, &name);
                if let Some(field) = user_field.filter(|f| !f.choices.is_empty()) {
                    row["items"] = choices(&field.choices);
                }
                row["upperName"] = json!(name);
                if !["PHONE", "EMAIL", "WEB", "IM"].contains(&name.as_str()) {
                    map.insert(fields::universal_name(kind, &name), row);
                }
            }
        }
        Ok(json!({"fields": map}).into())
    }

    fn item_id(&self, kind: Kind, params: &Params) -> Result<u64, Refusal> {
        let id = params.required_id("id")?;
        match self.card(kind, id) {
            Some(_) => Ok(id),
            None => Err(Refusal::bad("NOT_FOUND", "Item is not found")),
        }
    }

    fn one_item(&self, kind: Kind, id: u64, params: &Params) -> Answered {
        let selection = Selection {
            names: Some(vec!["*".into()]),
            ..Selection::read(params)
        };
        let card = self.card(kind, id);
        let item = card.map(|card| self.render_item(card, &selection));
        Ok(json!({"item": item}).into())
    }

    /// Returns the classic name of a field of the universal family.
    fn classic_name(&self, kind: Kind, name: &str) -> Option<String> {
        if name == "ID" && self.switches.items_ordered_by_upper_case {
            return Some("ID".into());
        }
        let mut known = fields::fields_of(kind).filter(|field| field.kind != Type::Multi);
        if let Some(field) = known.find(|f| fields::universal_name(kind, f.name) == name) {
            return Some(field.name.to_owned());
        }
        let mut own = self.user_fields.iter().filter(|field| field.kind == kind);
        let own = own
            .find(|field| field.name == name || fields::universal_name(kind, &field.name) == name);
        own.map(|field| field.name.clone())
    }

    fn render_item(&self, card: &Card, selection: &Selection) -> Value {
        let names = selection.names.as_deref();
        let named = |name: &str| names.is_some_and(|names| names.iter().any(|n| n == name));
        let wanted = |name: &str| names.is_none() || name == "id" || named(name) || named("*");
        let mut row = Map::new();
        for field in fields::fields_of(card.kind) {
            let name = fields::universal_name(card.kind, field.name);
            if !wanted(&name) {
                continue;
            }
            let value = match field.kind {
                Type::Multi => continue,
                Type::Contacts => json!(card.contacts),
                Type::Card(Kind::Contact) => json!(card.contacts.first().unwrap_or(&0)),
                kind => fields::universal(kind, card.fields.get(field.name), &self.zone),
            };
            row.insert(name, value);
        }
        for field in self.user_fields.iter().filter(|f| f.kind == card.kind) {
            let name = match selection.original_names {
                true => field.name.clone(),
                false => fields::universal_name(card.kind, &field.name),
            };
            if !wanted(&name) {
                continue;
            }
            let kind = fields::type_of_user_field(&field.user_type);
            let value = match card.fields.get(&field.name) {
                Some(Value::Array(items)) => items
                    .iter()
                    .map(|item| fields::universal(kind, Some(item), &self.zone))
                    .collect(),
                None if field.is_multiple => json!([]),
                None => Value::Null,
                value => fields::universal(kind, value, &self.zone),
            };
            row.insert(name, value);
        }
        // Multi-fields come with the star only (§6).
        if named("*") && card.kind != Kind::Deal {
            row.insert("fm".into(), multi::universal(card));
        }
        row.insert("entityTypeId".into(), json!(card.kind.type_id()));
        Value::Object(row)
    }
}

impl Selection {
    fn read(params: &Params) -> Self {
        let names = params.list("select").map(|names| {
            let names: Vec<String> = names.iter().filter_map(text_of).collect();
            names
        });
        Self {
            names: names.filter(|names| !names.is_empty()),
            original_names: params
                .get("useOriginalUfNames")
                .and_then(flag_of)
                .unwrap_or(false),
        }
    }
}

fn kind_of(params: &Params) -> Result<Kind, Refusal> {
    let id = params.required_id("entityTypeId")?;
    let text = "Entity type is not supported";
    Kind::from_type_id(id).ok_or_else(|| Refusal::bad("NOT_FOUND", text))
}
