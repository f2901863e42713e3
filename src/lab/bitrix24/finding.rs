//! Whose number it is: `crm.duplicate.findbycomm` and `searchCrmEntities` (crm/bitrix24.md §5).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::cards::ids_json;
use super::methods::Answered;
use super::params::{Params, text_of};
use super::phones;
use super::records::{Card, Kind};
use super::refusal::Refusal;
use super::world::World;

/// Distinct values that are looked at.
const VALUES_MAX: usize = 20;
/// Cards of one type that are found.
const FOUND_MAX: usize = 20;

impl World {
    pub(super) fn find_by_communication(&mut self, params: &Params, _: &Caller) -> Answered {
        let refused = |code: &str, text: &str| Err(Refusal::bad(code, text));
        let Some(kind) = params.word("type") else {
            let text = "Parameter 'type' is required.";
            return refused("Communication type is not defined", text);
        };
        let kind = kind.to_uppercase();
        if kind != "PHONE" && kind != "EMAIL" {
            let code = format!("Communication type '{kind}' is not supported in current context");
            return refused(&code, "");
        }
        let values = match params.get("values") {
            Some(Value::Array(values)) if !values.is_empty() => values.clone(),
            _ => return refused("Communication values is not defined", ""),
        };
        let mut codes: Vec<String> = Vec::new();
        for text in values.iter().filter_map(text_of) {
            let code = match kind.as_str() {
                "PHONE" => phones::code(&text),
                _ => phones::email_code(&text),
            };
            if !code.is_empty() && !codes.contains(&code) && codes.len() < VALUES_MAX {
                codes.push(code);
            }
        }
        let only = params.word("entity_type");
        let only = match only.as_deref() {
            Some(name) => match Kind::from_name(name).filter(|kind| *kind != Kind::Deal) {
                Some(kind) => Some(kind),
                None => return refused("Entity type is not supported in current context", ""),
            },
            None => None,
        };
        let found = self.found(&kind, &codes, only);
        if found.is_empty() {
            return Ok(json!([]).into());
        }
        let map: Map<String, Value> = found
            .into_iter()
            .map(|(kind, ids)| (kind.upper().to_owned(), ids_json(ids)))
            .collect();
        Ok(Value::Object(map).into())
    }

    /// Returns the cards of codes by type; a full type may hide the others.
    fn found(&self, what: &str, codes: &[String], only: Option<Kind>) -> BTreeMap<Kind, Vec<u64>> {
        let mut found: BTreeMap<Kind, Vec<u64>> = BTreeMap::new();
        for code in codes {
            let cards = self.found_by.get(&(what.to_owned(), code.clone()));
            for (kind, id) in cards.into_iter().flatten() {
                if !self.is_indexed(*kind, *id) {
                    continue;
                }
                let ids = found.entry(*kind).or_default();
                if only.is_none_or(|only| only == *kind) && !ids.contains(id) {
                    ids.push(*id);
                }
            }
        }
        found.retain(|_, ids| !ids.is_empty());
        for ids in found.values_mut() {
            ids.sort_unstable();
            ids.truncate(FOUND_MAX);
        }
        if self.switches.full_type_hides_others {
            let full = found.iter().find(|(_, ids)| ids.len() >= FOUND_MAX);
            if let Some(full) = full.map(|(kind, _)| *kind) {
                found.retain(|kind, _| *kind == full);
            }
        }
        found
    }

    /// Says whether a card stands in the index already.
    fn is_indexed(&self, kind: Kind, id: u64) -> bool {
        let Some(lag) = self.switches.search_lags_s else {
            return true;
        };
        let newest = self.clock_now.seconds() - i64::from(lag);
        self.card(kind, id)
            .is_some_and(|card| card.seconds("DATE_CREATE") <= newest)
    }

    /// Returns the cards of a number as telephony finds them: contacts, leads, companies; closed
    /// leads are passed over.
    pub(super) fn cards_of_phone(&self, phone: &str) -> Vec<(Kind, u64)> {
        let found = self.found("PHONE", &[phones::code(phone)], None);
        let mut cards = Vec::new();
        for kind in [Kind::Contact, Kind::Lead, Kind::Company] {
            let ids = found.get(&kind).into_iter().flatten();
            let open = ids.filter(|id| {
                let card = self.card(kind, **id);
                card.is_some_and(|card| card.kind != Kind::Lead || is_open_lead(card))
            });
            cards.extend(open.map(|id| (kind, *id)));
        }
        cards
    }

    pub(super) fn search_crm_entities(&mut self, params: &Params, _: &Caller) -> Answered {
        let phone = params.word("PHONE_NUMBER").unwrap_or_default();
        if phones::stored(&phone).is_empty() {
            return Err(self.telephony("PHONE_NUMBER is empty"));
        }
        let mut seen: Vec<Kind> = Vec::new();
        let mut rows = Vec::new();
        for (kind, id) in self.cards_of_phone(&phone) {
            if seen.contains(&kind) && self.switches.search_cuts_namesakes {
                continue;
            }
            seen.push(kind);
            let Some(card) = self.card(kind, id) else {
                continue;
            };
            let owner = card.number("ASSIGNED_BY_ID");
            rows.push(json!({
                "CRM_ENTITY_TYPE": kind.upper(), "CRM_ENTITY_ID": id, "ASSIGNED_BY_ID": owner,
                "NAME": card.title(), "ASSIGNED_BY": self.user(owner).map(|user| json!({
                    "ID": user.id.to_string(), "TIMEMAN_STATUS": user.timeman_status,
                    "USER_PHONE_INNER": user.inner_number, "WORK_PHONE": null,
                    "PERSONAL_PHONE": null, "PERSONAL_MOBILE": user.mobile,
                })),
            }));
        }
        Ok(Value::Array(rows).into())
    }
}

/// Returns whether a lead is neither won nor lost.
pub(super) fn is_open_lead(card: &Card) -> bool {
    card.text("STATUS_SEMANTIC_ID") == "P"
}
