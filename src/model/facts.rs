//! What a CRM says about a client now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::CrmField;
use super::ids::CrmUserId;
use super::phone::Phone;
use super::timestamp::Timestamp;

/// What rules want to know before they can decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsQuery {
    /// The client's numbers.
    pub phones: Vec<Phone>,
    /// The client's e-mail addresses, lower case.
    pub emails: Vec<String>,
    /// Deals of the client are wanted too.
    pub deals: bool,
    /// Contacts that we made for this client lately, by the CRM's id: they are read directly,
    /// since a search may not find yet what was just made (`crm/amocrm.md` §8).
    #[serde(default)]
    pub made: Vec<String>,
    /// Leads that we made for this client lately, the same (`crm/bitrix24.md` §9: whether the index lags
    /// is not documented).
    #[serde(default)]
    pub made_leads: Vec<String>,
}

/// A deal (amoCRM: lead) of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealFact {
    /// The CRM's id.
    pub id: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Its stage.
    pub stage: String,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// It is neither won nor lost.
    pub open: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// A contact (or a company, see [`Facts`]) of the CRM that has one of the addresses asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFact {
    /// The CRM's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its deals, when they were asked for; newest first.
    #[serde(default)]
    pub deals: Vec<DealFact>,
}

/// Who told facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactsOrigin {
    /// The CRM, asked about this client.
    #[default]
    Crm,
    /// The directory, which is kept in step with the CRM.
    Directory,
}

/// What the CRM says about one client. Every hit was verified on our side: one of its own values
/// normalises to an address that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When the CRM said so.
    pub as_of: Timestamp,
    /// Who said so.
    #[serde(default)]
    pub origin: FactsOrigin,
    /// Contacts that match, most recently updated first.
    pub contacts: Vec<ContactFact>,
    /// Companies that match, most recently updated first; an adapter need not look for any where
    /// a contact matches.
    pub companies: Vec<ContactFact>,
    /// Open leads that match, most recently updated first, where the CRM has them beside deals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leads: Vec<ContactFact>,
    /// Leads that match and are not worked on any more, most recently updated first; an adapter need
    /// not look for any where no deals were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed_leads: Vec<ContactFact>,
    /// The additional fields that the settings name, as far as the CRM has them; `None` = it does
    /// not list its fields to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<CrmField>>,
}

impl Facts {
    /// Says whether no contact of the CRM has any of the addresses ("first-time").
    pub fn first_time(&self) -> bool {
        self.contacts.is_empty()
    }
}
