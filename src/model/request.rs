//! A form that a client filled in on a site.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::phone::Phone;
use super::timestamp::Timestamp;

/// A site request. It has one phase: it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SiteRequest {
    /// When it was sent.
    pub at: Timestamp,
    /// The client's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The client's number.
    #[serde(default)]
    pub phone: Option<Phone>,
    /// The client's e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// What the client wrote.
    #[serde(default)]
    pub text: Option<String>,
    /// The form's name or number.
    #[serde(default)]
    pub form: Option<String>,
    /// The site.
    #[serde(default)]
    pub site: Option<String>,
    /// The page.
    #[serde(default)]
    pub page: Option<String>,
    /// Other fields of the form, by name.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Marks that an employee or the source set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What else the source knows of it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}
