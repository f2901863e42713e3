//! `crm.{lead,deal,contact,company}.*`: the classic family (crm/bitrix24.md §6).

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::fields::{self, Type};
use super::listing::{Filter, page, sort};
use super::methods::Answered;
use super::multi;
use super::params::{Params, flag_of, list_of, text_of};
use super::records::{Card, Kind};
use super::refusal::Refusal;
use super::world::World;

/// Declares the methods of one kind under the names that the table of methods uses.
macro_rules! of_kind {
    ($kind:ident: $add:ident $update:ident $get:ident $list:ident $delete:ident $fields:ident) => {
        impl World {
            pub(super) fn $add(&mut self, params: &Params, caller: &Caller) -> Answered {
                self.classic_add(Kind::$kind, params, caller)
            }
            pub(super) fn $update(&mut self, params: &Params, caller: &Caller) -> Answered {
                self.classic_update(Kind::$kind, params, caller)
            }
            pub(super) fn $get(&mut self, params: &Params, _: &Caller) -> Answered {
                self.classic_get(Kind::$kind, params)
            }
            pub(super) fn $list(&mut self, params: &Params, _: &Caller) -> Answered {
                self.classic_list(Kind::$kind, params)
            }
            pub(super) fn $delete(&mut self, params: &Params, caller: &Caller) -> Answered {
                self.classic_delete(Kind::$kind, params, caller)
            }
            pub(super) fn $fields(&mut self, _: &Params, _: &Caller) -> Answered {
                Ok(self.describe(Kind::$kind).into())
            }
        }
    };
}

of_kind!(Lead: lead_add lead_update lead_get lead_list lead_delete lead_fields);
of_kind!(Deal: deal_add deal_update deal_get deal_list deal_delete deal_fields);
of_kind!(Contact: contact_add contact_update contact_get contact_list contact_delete contact_fields);
of_kind!(Company: company_add company_update company_get company_list company_delete company_fields);

impl World {
    fn classic_add(&mut self, kind: Kind, params: &Params, caller: &Caller) -> Answered {
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let draft = self.classic_draft(kind, &given, params)?;
        if self.switches.classic_add_checks_required {
            self.check_required(kind, &draft)?;
        }
        let id = self.create_card(kind, draft, caller)?;
        let options = params.object("params").unwrap_or_default();
        let announced = options.get("REGISTER_SONET_EVENT").and_then(flag_of);
        if announced.unwrap_or(kind == Kind::Deal) {
            self.announced.insert((kind, id));
        }
        Ok(json!(id).into())
    }

    fn classic_update(&mut self, kind: Kind, params: &Params, caller: &Caller) -> Answered {
        let id = params.id("id").unwrap_or(0);
        let Some(card) = self.card(kind, id) else {
            return Err(self.classic(match kind {
                Kind::Contact => "Contact is not found",
                Kind::Lead | Kind::Deal | Kind::Company => "Not found",
            }));
        };
        let category = card.number("CATEGORY_ID");
        let mut given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        if kind == Kind::Deal {
            // The funnel changes through the universal family only.
            let asked = given.remove("CATEGORY_ID").and_then(|v| text_of(&v));
            if asked.is_some_and(|asked| asked != category.to_string()) {
                params.odd("CATEGORY_ID of a deal that is there");
            }
        }
        let draft = self.classic_draft(kind, &given, params)?;
        self.edit_card(kind, id, draft, caller)?;
        Ok(json!(true).into())
    }

    fn classic_get(&mut self, kind: Kind, params: &Params) -> Answered {
        let id = params.id("id").unwrap_or(0);
        let hidden = kind == Kind::Lead
            && self.converted.contains_key(&id)
            && !self.switches.converted_lead_is_readable;
        match self.card(kind, id).filter(|_| !hidden) {
            Some(card) => Ok(self.render_classic(card, None, true).into()),
            None => Err(self.classic("Not found")),
        }
    }

    fn classic_delete(&mut self, kind: Kind, params: &Params, caller: &Caller) -> Answered {
        let id = params.id("id").unwrap_or(0);
        match self.delete_card(kind, id, caller) {
            true => Ok(json!(true).into()),
            false => Err(self.classic("Not found")),
        }
    }

    fn classic_list(&mut self, kind: Kind, params: &Params) -> Answered {
        let given = params.object("filter").unwrap_or_default();
        let filter = Filter::read(&given, false);
        for name in filter.names() {
            if !self.is_field(kind, name) {
                // Ignored in silence, which returns too much.
                params.odd(format!("unknown field in a filter: {name:.60}"));
            }
        }
        let known = |name: &str| self.is_field(kind, name).then(|| name.to_owned());
        let rows = self.candidates(kind, &filter, known);
        let rows = rows.into_iter().filter(|card| {
            filter.fits(&self.zone, &|name| {
                self.is_field(kind, name).then(|| values_of(card, name))
            })
        });
        let mut rows: Vec<&Card> = rows.collect();
        let order = params.object("order").unwrap_or_default();
        sort(&mut rows, &order, "ID", |card, name| {
            values_of(card, name).into_iter().next()
        });
        let select: Option<Vec<String>> = params
            .list("select")
            .map(|names| names.iter().filter_map(text_of).collect());
        let select = select.filter(|names| !names.is_empty());
        let render = |rows: Vec<&Card>| {
            let rows = rows.into_iter();
            rows.map(|card| self.render_classic(card, select.as_deref(), false))
                .collect()
        };
        Ok(page(rows, params, &self.switches, render))
    }

    pub(super) fn is_field(&self, kind: Kind, name: &str) -> bool {
        fields::field_of(kind, name).is_some() || self.user_field(kind, name).is_some()
    }

    /// Writes a card. Without a selection everything but multi-fields and user fields; `whole`
    /// adds those, too.
    pub(super) fn render_classic(
        &self,
        card: &Card,
        select: Option<&[String]>,
        whole: bool,
    ) -> Value {
        let named = |name: &str| select.is_some_and(|s| s.iter().any(|n| n == name));
        let wanted = |name: &str| name == "ID" || select.is_none() || named(name) || named("*");
        let mut row = Map::new();
        for field in fields::fields_of(card.kind) {
            let value = match field.kind {
                // There is no mask for multi-fields (§5).
                Type::Multi if whole || named(field.name) => match multi::classic(card, field.name)
                {
                    Some(value) => value,
                    None => continue,
                },
                Type::Multi => continue,
                Type::Contacts if named(field.name) => json!(card.contacts),
                Type::Contacts => continue,
                _ if !wanted(field.name) => continue,
                Type::Card(Kind::Contact) => match card.contacts.first() {
                    Some(id) => json!(id.to_string()),
                    None => Value::Null,
                },
                kind => fields::classic(kind, card.fields.get(field.name), &self.zone),
            };
            row.insert(field.name.to_owned(), value);
        }
        for field in self.user_fields.iter().filter(|f| f.kind == card.kind) {
            if !(whole || named(&field.name) || named("UF_*")) {
                continue;
            }
            let kind = fields::type_of_user_field(&field.user_type);
            let value = match card.fields.get(&field.name) {
                Some(Value::Array(items)) => items
                    .iter()
                    .map(|item| fields::classic(kind, Some(item), &self.zone))
                    .collect(),
                None if field.is_multiple => json!([]),
                value => fields::classic(kind, value, &self.zone),
            };
            row.insert(field.name.clone(), value);
        }
        Value::Object(row)
    }

    /// `crm.X.fields`.
    pub(super) fn describe(&self, kind: Kind) -> Value {
        let mut map = Map::new();
        for field in fields::fields_of(kind) {
            let (name, status) = type_name(field.kind);
            let mut row = json!({
                "type": name, "isRequired": false, "isReadOnly": field.is_read_only,
                "isImmutable": kind == Kind::Deal && field.name == "CATEGORY_ID",
                "isMultiple": matches!(field.kind, Type::Multi | Type::Contacts),
                "isDynamic": false, "title": field.name,
            });
            if let Some(status) = status {
                row["statusType"] = json!(status);
            }
            map.insert(field.name.to_owned(), row);
        }
        for field in self.user_fields.iter().filter(|f| f.kind == kind) {
            let mut row = json!({
                "type": field.user_type, "isRequired": field.is_mandatory, "isReadOnly": false,
                "isImmutable": false, "isMultiple": field.is_multiple, "isDynamic": true,
                "title": field.name, "listLabel": field.label, "formLabel": field.label,
            });
            if !field.choices.is_empty() {
                row["items"] = choices(&field.choices);
            }
            map.insert(field.name.clone(), row);
        }
        Value::Object(map)
    }
}

/// Writes the choices of an enumeration.
pub(super) fn choices(choices: &[(u64, String)]) -> Value {
    let rows = choices
        .iter()
        .map(|(id, value)| json!({"ID": id.to_string(), "VALUE": value}));
    rows.collect()
}

fn type_name(kind: Type) -> (&'static str, Option<&'static str>) {
    match kind {
        Type::Integer => ("integer", None),
        Type::User => ("user", None),
        Type::Card(Kind::Company) => ("crm_company", None),
        Type::Card(Kind::Contact) | Type::Contacts => ("crm_contact", None),
        Type::Card(Kind::Lead) => ("crm_lead", None),
        Type::Card(Kind::Deal) => ("crm_deal", None),
        Type::Double => ("double", None),
        Type::Text => ("string", None),
        Type::Flag => ("char", None),
        Type::Moment => ("datetime", None),
        Type::Status(entity) => ("crm_status", Some(entity)),
        Type::Stage => ("crm_status", Some("STATUS")),
        Type::Multi => ("crm_multifield", None),
    }
}

/// Returns what a card has under a name, for filters and order.
pub(super) fn values_of(card: &Card, name: &str) -> Vec<Value> {
    match name {
        "PHONE" | "EMAIL" | "WEB" | "IM" => {
            let values = card.multi.get(name).into_iter().flatten();
            values.map(|value| json!(value.value)).collect()
        }
        "CONTACT_ID" | "CONTACT_IDS" if card.kind != Kind::Contact => {
            card.contacts.iter().map(|id| json!(id)).collect()
        }
        _ => match card.fields.get(name) {
            Some(value) => list_of(value).unwrap_or_else(|| vec![value.clone()]),
            None => Vec::new(),
        },
    }
}
