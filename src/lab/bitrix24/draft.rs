//! What a request wants written on a card, read from either family of methods.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{self, Misfit, Type};
use super::multi::{MultiEdit, classic_edits, universal_edits};
use super::params::{Params, flag_of, ids_of};
use super::records::Kind;
use super::refusal::Refusal;
use super::world::World;

/// What is to be written; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Draft {
    /// By classic name; nothing clears a field.
    pub(super) fields: BTreeMap<String, Option<Value>>,
    pub(super) contacts: Option<Vec<u64>>,
    pub(super) multi: Vec<(String, MultiEdit)>,
}

impl Draft {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), Some(value.into()));
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.fields.get(name)?.as_ref()?.as_u64()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_ref()?.as_str()
    }
}

impl World {
    /// Reads `fields` of a classic method: unknown names are ignored in silence.
    pub(super) fn classic_draft(
        &self,
        kind: Kind,
        given: &Map<String, Value>,
        params: &Params,
    ) -> Result<Draft, Refusal> {
        let mut draft = Draft::default();
        for (name, value) in given {
            if let Some(user_field) = self.user_field(kind, name) {
                let kept = fields::read_user_field(user_field, value, &self.zone);
                let kept = kept.map_err(|Misfit| misfit(name))?;
                draft.fields.insert(name.clone(), kept);
                continue;
            }
            let Some(field) = fields::field_of(kind, name) else {
                params.odd(format!("unknown field {name:.60}"));
                continue;
            };
            if field.is_read_only {
                params.odd(format!("read-only field {name}"));
                continue;
            }
            match field.kind {
                Type::Multi => {
                    let edits = classic_edits(name, value, params)
                        .map_err(|text| Refusal::bad("ERROR_CORE", &text))?;
                    draft
                        .multi
                        .extend(edits.into_iter().map(|e| (name.clone(), e)));
                }
                Type::Contacts => draft.contacts = Some(ids_of(value)),
                Type::Card(Kind::Contact) => {
                    let id = ids_of(value);
                    // The whole list wins over the single one.
                    draft.contacts.get_or_insert(id);
                }
                other => {
                    let kept = fields::read(other, value, &self.zone);
                    let kept = kept.map_err(|Misfit| misfit(name))?;
                    draft.fields.insert(name.clone(), kept);
                }
            }
        }
        if let Some(list) = given.get("CONTACT_IDS") {
            draft.contacts = Some(ids_of(list));
        }
        self.check_words(kind, &draft)?;
        Ok(draft)
    }

    /// Reads `fields` of a universal method.
    pub(super) fn universal_draft(
        &self,
        kind: Kind,
        given: &Map<String, Value>,
        params: &Params,
        is_update: bool,
    ) -> Result<Draft, Refusal> {
        let original = params.get("useOriginalUfNames").and_then(flag_of);
        let original = original.unwrap_or(false);
        let mut classic = Map::new();
        let mut multi = Vec::new();
        for (name, value) in given {
            if name == "fm" {
                multi = universal_edits(value, is_update, params)
                    .map_err(|text| Refusal::bad("ERROR_CORE", &text))?;
                continue;
            }
            let mut known = fields::fields_of(kind).map(|field| field.name);
            let known = known.find(|known| fields::universal_name(kind, known) == *name);
            let user_field = self.user_fields.iter().find(|field| {
                field.kind == kind
                    && match original {
                        true => field.name == *name,
                        false => fields::universal_name(kind, &field.name) == *name,
                    }
            });
            match known.or(user_field.map(|field| field.name.as_str())) {
                Some(known) => {
                    classic.insert(known.to_owned(), value.clone());
                }
                None => params.odd(format!("unknown field {name:.60}")),
            }
        }
        let mut draft = self.classic_draft(kind, &classic, params)?;
        draft.multi.extend(multi);
        Ok(draft)
    }

    /// Checks the words of dictionaries.
    fn check_words(&self, kind: Kind, draft: &Draft) -> Result<(), Refusal> {
        for (name, value) in &draft.fields {
            let Some(field) = fields::field_of(kind, name) else {
                continue;
            };
            let Some(word) = value.as_ref().and_then(Value::as_str) else {
                continue;
            };
            let known = match field.kind {
                Type::Status(entity_id) => self.status(entity_id, word).is_some(),
                Type::Stage => self.stages_of(kind).any(|s| s.status_id == word),
                _ => true,
            };
            if !known {
                return Err(misfit(name));
            }
        }
        if let Some(category) = draft.number("CATEGORY_ID").filter(|_| kind == Kind::Deal)
            && !self.options.funnels.iter().any(|f| f.id == category)
        {
            return Err(misfit("CATEGORY_ID"));
        }
        Ok(())
    }

    /// Refuses a card that lacks what must be filled.
    pub(super) fn check_required(&self, kind: Kind, draft: &Draft) -> Result<(), Refusal> {
        let missing = self.user_fields.iter().find(|field| {
            let filled = draft.fields.get(&field.name).is_some_and(Option::is_some);
            field.kind == kind && field.is_mandatory && !filled
        });
        match missing {
            Some(field) => {
                let text = format!("Required field '{}' is not filled", field.label);
                Err(Refusal::bad("CRM_FIELD_ERROR_REQUIRED", &text))
            }
            None => Ok(()),
        }
    }
}

fn misfit(name: &str) -> Refusal {
    let text = format!("Invalid value of field '{name}'");
    Refusal::bad("CRM_FIELD_ERROR_VALUE_NOT_VALID", &text)
}

impl From<&[(&str, Value)]> for Draft {
    fn from(fields: &[(&str, Value)]) -> Self {
        let mut draft = Self::default();
        for (name, value) in fields {
            draft.set(name, value.clone());
        }
        draft
    }
}

/// Returns a draft with these phones and e-mails added.
pub(super) fn with_communications(mut draft: Draft, phones: &[String], emails: &[String]) -> Draft {
    for (name, texts) in [("PHONE", phones), ("EMAIL", emails)] {
        for text in texts {
            let edit = MultiEdit::Add {
                value: text.clone(),
                value_type: "WORK".into(),
            };
            draft.multi.push((name.to_owned(), edit));
        }
    }
    draft
}
