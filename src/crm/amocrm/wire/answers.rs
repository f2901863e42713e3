//! What amoCRM answers: pages, records, echoes of what was made.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::lenient;

/// An answer that is not what the contract says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read amocrm's answer: {why}")]
pub(crate) struct Unreadable {
    why: String,
}

impl Unreadable {
    fn because(why: impl ToString) -> Self {
        let why = why.to_string().chars().take(200).collect();
        Self { why }
    }
}

/// A page of a list.
#[derive(Debug, PartialEq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// There may be another page; it may as well be empty (`crm/amocrm.md` §5).
    pub(crate) more: bool,
}

impl<T> Page<T> {
    /// What a 204 stands for.
    pub(crate) fn empty() -> Self {
        Self {
            items: Vec::new(),
            more: false,
        }
    }
}

/// Reads a list answer: `_embedded.{name}` and whether `_links.next` is there.
pub(crate) fn page<T: DeserializeOwned>(body: &[u8], name: &str) -> Result<Page<T>, Unreadable> {
    let mut value: Value = serde_json::from_slice(body).map_err(Unreadable::because)?;
    let more = value.pointer("/_links/next/href").is_some();
    let items = match value.get_mut("_embedded").map(Value::take) {
        Some(Value::Object(mut embedded)) => match embedded.remove(name) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) => Vec::new(),
            Some(_) | None => {
                return Err(Unreadable::because(format!("no list _embedded.{name}")));
            }
        },
        Some(Value::Array(items)) if items.is_empty() => Vec::new(),
        Some(Value::Null) | None if value.is_object() => {
            return Err(Unreadable::because("no _embedded"));
        }
        Some(_) | None => return Err(Unreadable::because("not a list answer")),
    };
    let items = items
        .into_iter()
        .map(serde_json::from_value)
        .collect::<Result<Vec<T>, _>>()
        .map_err(Unreadable::because)?;
    Ok(Page { items, more })
}

/// Reads an answer that is one record.
pub(crate) fn record<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(Unreadable::because)
}

/// `GET /account` (`crm/amocrm.md` §6).
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) country: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) customers_mode: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) currency: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_api_filter_enabled: bool,
    #[serde(default, rename = "_embedded", deserialize_with = "lenient::or_empty")]
    pub(crate) embedded: AccountEmbedded,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct AccountEmbedded {
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) task_types: Vec<TaskType>,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) datetime_settings: DatetimeSettings,
}

/// A sort of task (§6).
#[derive(Debug, Deserialize)]
pub(crate) struct TaskType {
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct DatetimeSettings {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) timezone: Option<String>,
}

/// A user (§6).
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) phone_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) rights: Rights,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Rights {
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) is_active: bool,
}

impl Default for Rights {
    fn default() -> Self {
        // Users whose rights are not told are listed because they work there.
        Self { is_active: true }
    }
}

/// A pipeline (§7).
#[derive(Debug, Deserialize)]
pub(crate) struct Pipeline {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) sort: i64,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_main: bool,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_unsorted_on: bool,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_archive: bool,
    #[serde(default, rename = "_embedded", deserialize_with = "lenient::or_empty")]
    pub(crate) embedded: PipelineEmbedded,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct PipelineEmbedded {
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) statuses: Vec<Status>,
}

/// A stage of a pipeline; type 1 is the one of unsorted records.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) sort: i64,
    #[serde(default, rename = "type", deserialize_with = "lenient::number")]
    pub(crate) kind: i64,
}

/// An additional field (§7).
#[derive(Debug, Deserialize)]
pub(crate) struct CustomField {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "lenient::text")]
    pub(crate) kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) code: Option<String>,
    /// The CRM works it out by itself.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_computed: bool,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) enums: Vec<FieldEnum>,
}

/// An option of an additional field.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldEnum {
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) value: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) sort: i64,
}

/// A contact, company or lead; fields that one of them lacks stay empty (§8, §9).
#[derive(Debug, Deserialize)]
pub(crate) struct CardRecord {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) responsible_user_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) created_at: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) updated_at: i64,
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) closed_at: Option<i64>,
    /// The sum of a lead.
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) price: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) status_id: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) pipeline_id: i64,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_deleted: bool,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) custom_fields_values: Vec<FieldValues>,
    #[serde(default, rename = "_embedded", deserialize_with = "lenient::or_empty")]
    pub(crate) embedded: CardEmbedded,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct CardEmbedded {
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) leads: Vec<Reference>,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) contacts: Vec<Reference>,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) companies: Vec<Reference>,
    /// Where a lead comes from (`with=source`).
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) source: SourceRecord,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct SourceRecord {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
}

/// A webhook (§14).
#[derive(Debug, Deserialize)]
pub(crate) struct Webhook {
    #[serde(default)]
    pub(crate) destination: String,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) settings: Vec<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) disabled: bool,
}

/// An entry of the audit feed (§13).
#[derive(Debug, Deserialize)]
pub(crate) struct AuditEvent {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) entity_id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) entity_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) created_at: i64,
    #[serde(default)]
    pub(crate) value_after: Value,
    #[serde(default)]
    pub(crate) value_before: Value,
}

/// A mention of another record.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: i64,
    /// It is the main one of several contacts.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub(crate) is_main: bool,
}

/// The values of one additional field.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldValues {
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) field_id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) field_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) field_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) field_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) values: Vec<FieldValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FieldValue {
    /// A tick reads as `1` or `0`.
    #[serde(default, deserialize_with = "lenient::text_or_flag")]
    pub(crate) value: Option<String>,
    /// The option, of a field of options.
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) enum_id: Option<String>,
}

impl CardRecord {
    /// Returns the texts of the field with a code (`PHONE`, `EMAIL`).
    pub(crate) fn texts_by_code<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a str> {
        self.custom_fields_values
            .iter()
            .filter(move |field| field.field_code.as_deref() == Some(code))
            .flat_map(|field| &field.values)
            .filter_map(|value| value.value.as_deref())
    }

    /// Returns the first text of the field with an id.
    pub(crate) fn text_by_id(&self, field_id: i64) -> Option<&str> {
        self.values_by_id(field_id).first()?.value.as_deref()
    }

    /// Returns the values of the field with an id.
    pub(crate) fn values_by_id(&self, field_id: i64) -> &[FieldValue] {
        self.values(|field| field.field_id == field_id)
    }

    /// Returns the values of the field with a code.
    pub(crate) fn values_by_code(&self, code: &str) -> &[FieldValue] {
        self.values(|field| field.field_code.as_deref() == Some(code))
    }

    fn values(&self, wanted: impl Fn(&FieldValues) -> bool) -> &[FieldValue] {
        let mut fields = self.custom_fields_values.iter();
        let found = fields.find(|field| wanted(field));
        found.map_or(&[], |field| &field.values)
    }
}

impl FieldValue {
    /// Says whether anything stands there, text or not.
    pub(crate) fn is_filled(&self) -> bool {
        let is_blank = |text: &str| text.trim().is_empty();
        !self.value.as_deref().is_some_and(is_blank)
    }
}

/// A note (§11).
#[derive(Debug, Deserialize)]
pub(crate) struct Note {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) entity_id: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) created_at: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) updated_at: i64,
    #[serde(default, deserialize_with = "lenient::or_empty")]
    pub(crate) params: NoteParams,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct NoteParams {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) uniq: Option<String>,
    /// The recording's address, of calls.
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) link: Option<String>,
    /// What an ordinary note says.
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) text: Option<String>,
}

/// A task (§12).
#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) text: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) complete_till: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) entity_id: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) created_at: i64,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) updated_at: i64,
}

/// A record of "Unsorted" (§10), as listed and as echoed after its making.
#[derive(Debug, Deserialize)]
pub(crate) struct Unsorted {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) uid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) source_uid: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) created_at: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) request_id: Option<String>,
    #[serde(default, rename = "_embedded", deserialize_with = "lenient::or_empty")]
    pub(crate) embedded: CardEmbedded,
}

/// The echo of something made: contact, lead, note, task, or call with the card it went to.
#[derive(Debug, Deserialize)]
pub(crate) struct Made {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) request_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) entity_id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) entity_type: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_knows_its_items_and_whether_there_may_be_more() {
        let body = json!({
            "_links": {"next": {"href": "x"}},
            "_embedded": {"contacts": [{"id": "7001", "_embedded": [], "custom_fields_values": null}]}
        });
        let page: Page<CardRecord> = page(body.to_string().as_bytes(), "contacts").expect("a page");
        assert!(page.more);
        assert_eq!(page.items[0].id, 7001);
        assert!(page.items[0].embedded.leads.is_empty());
    }

    #[test]
    fn a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"_embedded":{}}"#,
            r#"{"_embedded":{"contacts":"none"}}"#,
            r#"{"_embedded":{"contacts":[{"id":{}}]}}"#,
            r#"{"_embedded":{"contacts":[{"id":null}]}}"#,
            r#"{"_embedded":{"contacts":[{"id":"0"}]}}"#,
        ] {
            assert!(
                page::<CardRecord>(body.as_bytes(), "contacts").is_err(),
                "{body}"
            );
        }
        let empty = page::<CardRecord>(br#"{"_embedded":{"contacts":[]}}"#, "contacts");
        assert_eq!(empty.map(|page| page.items.len()), Ok(0));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            Just("_embedded"),
            Just("_links"),
            Just("next"),
            Just("contacts"),
            Just("id"),
            Just("custom_fields_values"),
            Just("values"),
            Just("value"),
            Just("leads"),
            Just("params"),
            Just("request_id"),
            Just("statuses"),
            Just("validation-errors"),
            Just("errors"),
            Just("code"),
            Just("path"),
            Just("status"),
            Just("title"),
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_a_reader_panic(value in any_json()) {
            let body = value.to_string();
            let body = body.as_bytes();
            drop(page::<CardRecord>(body, "contacts"));
            drop(page::<Pipeline>(body, "contacts"));
            drop(page::<Unsorted>(body, "contacts"));
            drop(page::<Note>(body, "leads"));
            drop(page::<Task>(body, "leads"));
            drop(page::<Made>(body, "leads"));
            drop(record::<CardRecord>(body));
            drop(record::<Account>(body));
            super::super::refusal::Refusal::read(400, body);
        }
    }
}
