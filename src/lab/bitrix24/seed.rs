//! What a script puts into the portal, and what a person does in it: cards that were there
//! before, edits.

use serde::{Deserialize, Serialize};

use super::auth::Caller;
use super::draft::{Draft, with_communications};
use super::multi::MultiEdit;
use super::records::Kind;
use super::world::World;
use crate::lab::lab_clock::Moment;

/// A lead, contact or company that is to be there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedCard {
    /// Its name; the title of a lead or company.
    pub name: String,
    /// Phones, stored as given.
    pub phones: Vec<String>,
    /// E-mails.
    pub emails: Vec<String>,
    /// Owner; the first administrator if none.
    pub responsible: Option<u64>,
    /// The company of a contact or lead.
    pub company: Option<u64>,
    /// Stage of a lead.
    pub stage: Option<String>,
}

impl SeedCard {
    /// A card with one phone and an owner.
    pub fn new(name: &str, phone: &str, responsible: u64) -> Self {
        Self {
            name: name.into(),
            phones: vec![phone.into()],
            responsible: Some(responsible),
            ..Self::default()
        }
    }
}

/// A deal that is to be there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDeal {
    /// Its title.
    pub title: String,
    /// Its contact.
    pub contact: Option<u64>,
    /// Its company.
    pub company: Option<u64>,
    /// Its funnel.
    pub category: u64,
    /// Its stage with the prefix of the funnel; the first one if none.
    pub stage: Option<String>,
    /// Owner; the first administrator if none.
    pub responsible: Option<u64>,
}

/// What a person changes on a card; absent parts stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardEdit {
    /// New name or title.
    pub name: Option<String>,
    /// New phones instead of the old.
    pub phones: Option<Vec<String>>,
    /// New owner.
    pub responsible: Option<u64>,
    /// New stage of a lead or deal.
    pub stage: Option<String>,
    /// New funnel of a deal.
    pub category: Option<u64>,
}

impl World {
    /// Returns the person who seeds: the first administrator, at no application's door.
    pub(super) fn person(&self, now: Moment) -> Caller {
        let admin = self.users.iter().find(|user| user.is_admin);
        Caller {
            user_id: admin.map_or(1, |user| user.id),
            is_admin: true,
            client_id: None,
            scope: Vec::new(),
            token: String::new(),
            auth_connector: None,
            now,
        }
    }

    /// Puts a lead, contact or company into the portal; 0 where its stage is none.
    pub(super) fn seed_card(&mut self, kind: Kind, seed: &SeedCard, caller: &Caller) -> u64 {
        let mut draft = Draft::default();
        draft.set(name_of(kind), seed.name.clone());
        if let Some(user) = seed.responsible {
            draft.set("ASSIGNED_BY_ID", user);
        }
        if let Some(company) = seed.company {
            draft.set("COMPANY_ID", company);
        }
        if let Some(stage) = &seed.stage {
            draft.set("STATUS_ID", stage.clone());
        }
        let draft = with_communications(draft, &seed.phones, &seed.emails);
        self.create_card(kind, draft, caller).unwrap_or(0)
    }

    /// Puts a deal into the portal; 0 where its stage is none of its funnel.
    pub(super) fn seed_deal(&mut self, seed: &SeedDeal, caller: &Caller) -> u64 {
        let mut draft = Draft::default();
        draft.set("TITLE", seed.title.clone());
        draft.set("CATEGORY_ID", seed.category);
        draft.contacts = Some(seed.contact.into_iter().collect());
        if let Some(stage) = &seed.stage {
            draft.set("STAGE_ID", stage.clone());
        }
        if let Some(user) = seed.responsible {
            draft.set("ASSIGNED_BY_ID", user);
        }
        if let Some(company) = seed.company {
            draft.set("COMPANY_ID", company);
        }
        self.create_card(Kind::Deal, draft, caller).unwrap_or(0)
    }

    /// Changes a card as a person would; returns false if there is none.
    pub(super) fn edit_as_person(
        &mut self,
        kind: Kind,
        id: u64,
        edit: &CardEdit,
        caller: &Caller,
    ) -> bool {
        let Some(card) = self.card(kind, id) else {
            return false;
        };
        let mut draft = Draft::default();
        if let Some(phones) = &edit.phones {
            let old = card.multi.get("PHONE").into_iter().flatten();
            let gone = old.map(|value| ("PHONE".to_owned(), MultiEdit::Delete { id: value.id }));
            draft.multi.extend(gone);
            draft = with_communications(draft, phones, &[]);
        }
        if let Some(name) = &edit.name {
            draft.set(name_of(kind), name.clone());
        }
        if let Some(user) = edit.responsible {
            draft.set("ASSIGNED_BY_ID", user);
        }
        if let Some(category) = edit.category {
            draft.set("CATEGORY_ID", category);
        }
        if let Some(stage) = &edit.stage {
            let field = if kind == Kind::Lead {
                "STATUS_ID"
            } else {
                "STAGE_ID"
            };
            draft.set(field, stage.clone());
        }
        self.edit_card(kind, id, draft, caller).is_ok()
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Contact => "NAME",
        Kind::Lead | Kind::Deal | Kind::Company => "TITLE",
    }
}
