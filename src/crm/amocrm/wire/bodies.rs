//! What we send to amoCRM. Absent values are left out: amoCRM refuses explicit nulls
//! (`crm/amocrm.md` §3, §21.6).

use serde::Serialize;

/// One value of an additional field.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Value {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Scalar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enum_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enum_code: Option<&'static str>,
}

/// What is written into a field without options, by its type (§7).
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Text(String),
    Flag(bool),
    Moment(i64),
}

impl Value {
    /// Returns a value that is no option.
    pub(crate) fn of(scalar: Scalar) -> Self {
        Self {
            value: Some(scalar),
            ..Self::default()
        }
    }
}

/// The values of one additional field, named by id or by code.
#[derive(Debug, Serialize)]
pub(crate) struct Field {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field_code: Option<String>,
    pub(crate) values: Vec<Value>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tag {
    pub(crate) name: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Reference {
    pub(crate) id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_main: Option<bool>,
}

/// `POST /api/v2/events/` (§12).
#[derive(Debug, Serialize)]
pub(crate) struct Popups {
    pub(crate) add: [PopupItem; 1],
}

/// One popup. Without users everybody sees it.
#[derive(Debug, Serialize)]
pub(crate) struct PopupItem {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) phone_number: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<i64>,
}

/// An item of `POST /contacts` (§8).
#[derive(Debug, Serialize)]
pub(crate) struct Contact {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<i64>,
    pub(crate) created_by: i64,
    pub(crate) created_at: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) custom_fields_values: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags_to_add: Vec<Tag>,
    pub(crate) request_id: String,
}

/// An item of `POST /leads` (§9).
#[derive(Debug, Serialize)]
pub(crate) struct Lead {
    pub(crate) name: String,
    pub(crate) pipeline_id: i64,
    pub(crate) status_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<i64>,
    pub(crate) created_by: i64,
    pub(crate) created_at: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) custom_fields_values: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags_to_add: Vec<Tag>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    pub(crate) embedded: Option<LeadEmbedded>,
    pub(crate) request_id: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct LeadEmbedded {
    pub(crate) contacts: Vec<Reference>,
}

/// An item of `POST /leads/unsorted/{sip|forms}` (§10).
#[derive(Debug, Serialize)]
pub(crate) struct Unsorted {
    pub(crate) request_id: String,
    pub(crate) source_name: String,
    pub(crate) source_uid: String,
    pub(crate) pipeline_id: i64,
    pub(crate) created_at: i64,
    #[serde(rename = "_embedded")]
    pub(crate) embedded: UnsortedEmbedded,
    pub(crate) metadata: UnsortedMetadata,
}

#[derive(Debug, Serialize)]
pub(crate) struct UnsortedEmbedded {
    pub(crate) leads: Vec<UnsortedCard>,
    pub(crate) contacts: Vec<UnsortedCard>,
}

#[derive(Debug, Serialize)]
pub(crate) struct UnsortedCard {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) custom_fields_values: Vec<Field>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    pub(crate) embedded: Option<TagList>,
}

#[derive(Debug, Serialize)]
pub(crate) struct TagList {
    pub(crate) tags: Vec<Tag>,
}

/// The metadata of the two kinds that the API takes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum UnsortedMetadata {
    Sip(SipMetadata),
    Form(FormMetadata),
}

#[derive(Debug, Serialize)]
pub(crate) struct SipMetadata {
    pub(crate) uniq: String,
    pub(crate) duration: u64,
    pub(crate) service_code: &'static str,
    pub(crate) link: String,
    pub(crate) phone: String,
    pub(crate) called_at: i64,
    pub(crate) from: String,
    pub(crate) call_responsible: Party,
    pub(crate) is_call_event_needed: bool,
}

/// A user of the CRM, or a name for one who is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Party {
    User(i64),
    Name(String),
}

#[derive(Debug, Serialize)]
pub(crate) struct FormMetadata {
    pub(crate) form_id: String,
    pub(crate) form_name: String,
    pub(crate) form_page: String,
    pub(crate) form_sent_at: i64,
}

/// An item of `POST /calls` (§11).
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    pub(crate) direction: &'static str,
    pub(crate) uniq: String,
    pub(crate) duration: u64,
    pub(crate) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    pub(crate) phone: String,
    pub(crate) call_status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call_responsible: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) request_id: String,
}

/// An item of `POST /{contacts|leads|companies}/notes` (§11).
#[derive(Debug, Serialize)]
pub(crate) struct CallNote {
    pub(crate) entity_id: i64,
    pub(crate) note_type: &'static str,
    pub(crate) params: CallParams,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) request_id: String,
}

/// An ordinary note (§11).
#[derive(Debug, Serialize)]
pub(crate) struct TextNote {
    pub(crate) entity_id: i64,
    pub(crate) note_type: &'static str,
    pub(crate) params: TextParams,
    pub(crate) created_at: i64,
    pub(crate) request_id: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct TextParams {
    pub(crate) text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct CallParams {
    pub(crate) uniq: String,
    pub(crate) duration: u64,
    pub(crate) source: String,
    /// `""` where there is no recording: the contract lists the key as required and connectors
    /// send it empty.
    pub(crate) link: String,
    pub(crate) phone: String,
    pub(crate) call_status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call_responsible: Option<i64>,
}

/// An item of `POST /tasks` (§12).
#[derive(Debug, Serialize)]
pub(crate) struct Task {
    pub(crate) text: String,
    pub(crate) complete_till: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity_type: Option<&'static str>,
    pub(crate) task_type_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) request_id: String,
}

/// The body of `PATCH /{entity}/{id}`: fields that it does not name keep their values (§7).
#[derive(Debug, Serialize)]
pub(crate) struct CardChange {
    pub(crate) custom_fields_values: Vec<Field>,
}

/// The body of `PATCH /{entity}/{id}` that gives a card another responsible (§7).
#[derive(Debug, Serialize)]
pub(crate) struct OwnerChange {
    pub(crate) responsible_user_id: i64,
}

/// An item of `POST /{entity}/custom_fields` (§7).
#[derive(Debug, Serialize)]
pub(crate) struct NewField {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) code: &'static str,
    pub(crate) is_api_only: bool,
}
