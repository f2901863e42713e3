//! Who the clients of a portal are: what the directory keeps of a CRM, and how it changes.
//!
//! One portal has one directory, whatever tenants and integrations use it. The store keeps the
//! cards; the index keeps of them what a question needs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::facts::DealFact;
use super::ids::CrmUserId;
use super::ledger::{LedgerStep, StepState, made};
use super::phone::Phone;
use super::plan::{Card, Effect, Entity, Role, Target};
use super::timestamp::Timestamp;

/// A contact or a company (or another kind of client card, such as a lead of Bitrix24).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryCard {
    /// Which record.
    pub card: Card,
    /// Its name.
    pub name: String,
    /// Its numbers, normalised; a text that is no number is left out.
    pub phones: Vec<Phone>,
    /// Its e-mail addresses, lower case.
    pub emails: Vec<String>,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed, by the CRM's clock.
    pub updated_at: Timestamp,
}

/// A deal of clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryDeal {
    /// The deal.
    pub deal: DealFact,
    /// The cards that it belongs to (contacts and companies).
    pub clients: Vec<Card>,
    /// When it was last changed, by the CRM's clock.
    pub updated_at: Timestamp,
}

/// One change of a portal's directory. Repeating one is harmless; of two pictures of one record
/// the one with the later `updated_at` stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum DirectoryChange {
    /// A client card as it is now.
    Card(DirectoryCard),
    /// A deal as it is now.
    Deal(DirectoryDeal),
    /// A record is gone: deleted, or merged into another.
    Gone {
        /// Which record; `entity` says whether a card or a deal.
        card: Card,
    },
}

/// How old our own picture of what we just made is given out to be: by whatever clock the CRM
/// goes, its own picture is later and takes the place of ours.
const OWN_AGE: Duration = Duration::from_secs(3600);

/// Returns what a step that is done put into the CRM's directory, as far as we know it without
/// asking: a contact or a deal. What waits in Unsorted is neither before a person accepts it.
pub fn made_by(steps: &[LedgerStep], role: &Role) -> Option<DirectoryChange> {
    let step = steps.iter().find(|step| step.role == *role)?;
    let StepState::Done { at, result } = &step.state else {
        return None;
    };
    let created_at = step.first_sent_at.unwrap_or(*at);
    let updated_at = created_at.minus(OWN_AGE);
    match &step.effect {
        Effect::CreateContact(contact) => Some(DirectoryChange::Card(DirectoryCard {
            card: result.card(Entity::Contact)?.clone(),
            name: contact.name.clone(),
            phones: contact.phones.clone(),
            emails: contact.emails.iter().map(|e| e.to_lowercase()).collect(),
            responsible: contact.responsible.clone(),
            created_at,
            updated_at,
        })),
        Effect::CreateDeal(deal) => {
            let client = match &deal.contact {
                Some(Target::Known { card }) => Some(card.clone()),
                Some(Target::Made { by, entity }) => made(steps, by, *entity).cloned(),
                None => None,
            };
            Some(DirectoryChange::Deal(DirectoryDeal {
                deal: DealFact {
                    id: result.card(Entity::Deal)?.id.clone(),
                    pipeline: deal.pipeline.clone(),
                    stage: deal.stage.clone(),
                    responsible: deal.responsible.clone(),
                    open: true,
                    created_at,
                    closed_at: None,
                },
                clients: client.into_iter().collect(),
                updated_at,
            }))
        }
        Effect::CreateLead(lead) => Some(DirectoryChange::Card(DirectoryCard {
            card: result.card(Entity::Lead)?.clone(),
            name: lead.client.clone(),
            phones: lead.phones.clone(),
            emails: lead.emails.iter().map(|e| e.to_lowercase()).collect(),
            responsible: lead.responsible.clone(),
            created_at,
            updated_at,
        })),
        Effect::CreateUnsorted(_)
        | Effect::RecordCall(_)
        | Effect::CreateTask(_)
        | Effect::FillFields(_)
        | Effect::LinkRecording(_)
        | Effect::AddNote(_)
        | Effect::HandOver(_)
        | Effect::AwaitContact(_)
        | Effect::Notify(_) => None,
    }
}
