//! The fields of cards: names in both families, types, and how values are read and written
//! (crm/bitrix24.md §1, §6).

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::dates;
use super::params::{flag_of, integer_of, list_of, text_of};
use super::records::{Kind, UserField};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// A number, an id among them.
    Integer,
    /// A user.
    User,
    /// A card.
    Card(Kind),
    Double,
    Text,
    Flag,
    /// Unix seconds inside, ISO 8601 outside.
    Moment,
    /// A word of a dictionary.
    Status(&'static str),
    /// A stage of a lead or deal.
    Stage,
    /// The contacts of a lead or deal.
    Contacts,
    /// Phones, e-mails and the like.
    Multi,
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    pub(super) is_read_only: bool,
}

const fn field(name: &'static str, kind: Type) -> Field {
    Field {
        name,
        kind,
        is_read_only: false,
    }
}

const fn fixed(name: &'static str, kind: Type) -> Field {
    Field {
        name,
        kind,
        is_read_only: true,
    }
}

const COMMON: &[Field] = &[
    fixed("ID", Type::Integer),
    field("ASSIGNED_BY_ID", Type::User),
    fixed("CREATED_BY_ID", Type::User),
    fixed("MODIFY_BY_ID", Type::User),
    fixed("DATE_CREATE", Type::Moment),
    fixed("DATE_MODIFY", Type::Moment),
    field("OPENED", Type::Flag),
    field("COMMENTS", Type::Text),
    field("ORIGINATOR_ID", Type::Text),
    field("ORIGIN_ID", Type::Text),
    field("UTM_SOURCE", Type::Text),
    field("UTM_MEDIUM", Type::Text),
    field("UTM_CAMPAIGN", Type::Text),
    field("UTM_CONTENT", Type::Text),
    field("UTM_TERM", Type::Text),
];

const SOURCE: &[Field] = &[
    field("SOURCE_ID", Type::Status("SOURCE")),
    field("SOURCE_DESCRIPTION", Type::Text),
];

const PERSON: &[Field] = &[
    field("NAME", Type::Text),
    field("LAST_NAME", Type::Text),
    field("SECOND_NAME", Type::Text),
    field("POST", Type::Text),
];

const MULTI: &[Field] = &[
    field("PHONE", Type::Multi),
    field("EMAIL", Type::Multi),
    field("WEB", Type::Multi),
    field("IM", Type::Multi),
];

const OF_CLIENT: &[Field] = &[
    field("TITLE", Type::Text),
    field("CURRENCY_ID", Type::Text),
    field("OPPORTUNITY", Type::Double),
    field("COMPANY_ID", Type::Card(Kind::Company)),
    field("CONTACT_ID", Type::Card(Kind::Contact)),
    field("CONTACT_IDS", Type::Contacts),
    fixed("IS_RETURN_CUSTOMER", Type::Flag),
];

const LEAD: &[Field] = &[
    field("STATUS_ID", Type::Stage),
    fixed("STATUS_SEMANTIC_ID", Type::Text),
    fixed("DATE_CLOSED", Type::Moment),
    field("COMPANY_TITLE", Type::Text),
];

const DEAL: &[Field] = &[
    field("TYPE_ID", Type::Status("DEAL_TYPE")),
    field("CATEGORY_ID", Type::Integer),
    field("STAGE_ID", Type::Stage),
    fixed("STAGE_SEMANTIC_ID", Type::Text),
    field("CLOSED", Type::Flag),
    field("BEGINDATE", Type::Moment),
    field("CLOSEDATE", Type::Moment),
    field("LEAD_ID", Type::Card(Kind::Lead)),
];

const CONTACT: &[Field] = &[
    field("TYPE_ID", Type::Status("CONTACT_TYPE")),
    field("COMPANY_ID", Type::Card(Kind::Company)),
    field("LEAD_ID", Type::Card(Kind::Lead)),
    field("ORIGIN_VERSION", Type::Text),
];

const COMPANY: &[Field] = &[
    field("TITLE", Type::Text),
    field("COMPANY_TYPE", Type::Status("COMPANY_TYPE")),
    field("LEAD_ID", Type::Card(Kind::Lead)),
    field("ORIGIN_VERSION", Type::Text),
];

/// Returns the fields of a kind, user fields apart.
pub(super) fn fields_of(kind: Kind) -> impl Iterator<Item = &'static Field> {
    let parts: [&[Field]; 5] = match kind {
        Kind::Lead => [COMMON, SOURCE, PERSON, OF_CLIENT, LEAD],
        Kind::Deal => [COMMON, SOURCE, OF_CLIENT, DEAL, &[]],
        Kind::Contact => [COMMON, SOURCE, PERSON, CONTACT, &[]],
        Kind::Company => [COMMON, COMPANY, &[], &[], &[]],
    };
    let multi: &[Field] = if kind == Kind::Deal { &[] } else { MULTI };
    parts.into_iter().chain([multi]).flatten()
}

/// Finds a field by its classic name.
pub(super) fn field_of(kind: Kind, name: &str) -> Option<&'static Field> {
    fields_of(kind).find(|field| field.name == name)
}

/// Returns the name in `crm.item.*`.
pub(super) fn universal_name(kind: Kind, name: &str) -> String {
    match (kind, name) {
        (_, "DATE_CREATE") => "createdTime".into(),
        (_, "DATE_MODIFY") => "updatedTime".into(),
        (_, "CREATED_BY_ID") => "createdBy".into(),
        (_, "MODIFY_BY_ID") => "updatedBy".into(),
        (Kind::Lead, "STATUS_ID") => "stageId".into(),
        (Kind::Lead, "STATUS_SEMANTIC_ID") => "stageSemanticId".into(),
        (Kind::Company, "COMPANY_TYPE") => "typeId".into(),
        (_, name) => match name.strip_prefix("UF_CRM_") {
            // The digits keep their underscore (§6).
            Some(rest) if rest.bytes().all(|b| b.is_ascii_digit()) => format!("ufCrm_{rest}"),
            _ => camel(name),
        },
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_').map(str::to_lowercase);
    let mut text = words.next().unwrap_or_default();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

/// A value that does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misfit;

/// Reads a value as it is kept; nothing clears the field.
pub(super) fn read(kind: Type, value: &Value, zone: &TimeZone) -> Result<Option<Value>, Misfit> {
    let is_empty = value.is_null() || text_of(value).is_some_and(|text| text.is_empty());
    if is_empty {
        return Ok(None);
    }
    let kept = match kind {
        Type::Integer | Type::User | Type::Card(_) => {
            let number = integer_of(value).and_then(|n| u64::try_from(n).ok());
            let number = number.ok_or(Misfit)?;
            // No card and no user has the number nought; a funnel has.
            if number == 0 && kind != Type::Integer {
                return Ok(None);
            }
            json!(number)
        }
        Type::Double => {
            let text = text_of(value).ok_or(Misfit)?;
            json!(text.trim().parse::<f64>().map_err(|_| Misfit)?)
        }
        Type::Flag => json!(flag_of(value).ok_or(Misfit)?),
        Type::Moment => {
            let text = text_of(value).ok_or(Misfit)?;
            json!(dates::parse(&text, zone).ok_or(Misfit)?)
        }
        Type::Text | Type::Status(_) | Type::Stage => {
            json!(text_of(value).ok_or(Misfit)?)
        }
        Type::Contacts | Type::Multi => return Err(Misfit),
    };
    Ok(Some(kept))
}

/// Reads a value of a user field as it is kept; nothing clears the field.
pub(super) fn read_user_field(
    field: &UserField,
    value: &Value,
    zone: &TimeZone,
) -> Result<Option<Value>, Misfit> {
    let one = |value: &Value| -> Result<Option<Value>, Misfit> {
        let kept = match field.user_type.as_str() {
            "integer" | "employee" | "file" => read(Type::Integer, value, zone)?,
            "double" => read(Type::Double, value, zone)?,
            "boolean" => read(Type::Flag, value, zone)?,
            "datetime" => read(Type::Moment, value, zone)?,
            "date" => match read(Type::Moment, value, zone)? {
                Some(_) => text_of(value).map(|t| json!(t.get(..10).unwrap_or(&t))),
                None => None,
            },
            "enumeration" => {
                let id = read(Type::Integer, value, zone)?;
                let known = |id: &Value| field.choices.iter().any(|(c, _)| json!(c) == *id);
                match id {
                    Some(id) if !known(&id) => return Err(Misfit),
                    id => id,
                }
            }
            _ => read(Type::Text, value, zone)?,
        };
        Ok(kept)
    };
    if !field.is_multiple {
        return one(value);
    }
    let items = list_of(value).ok_or(Misfit)?;
    let mut kept = Vec::new();
    for item in &items {
        kept.extend(one(item)?);
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

/// Writes a value as the classic family does: numbers as texts, flags as letters.
pub(super) fn classic(kind: Type, value: Option<&Value>, zone: &TimeZone) -> Value {
    let Some(value) = value else {
        return match kind {
            Type::Flag => json!("N"),
            _ => Value::Null,
        };
    };
    match (kind, value) {
        (Type::Flag, Value::Bool(flag)) => json!(if *flag { "Y" } else { "N" }),
        (Type::Moment, value) => json!(dates::iso(value.as_i64().unwrap_or(0), zone)),
        (Type::Double, value) => json!(format!("{:.2}", value.as_f64().unwrap_or(0.0))),
        (_, value) => text_of(value).map_or(Value::Null, Value::String),
    }
}

/// Writes a value as the universal family does: native numbers.
pub(super) fn universal(kind: Type, value: Option<&Value>, zone: &TimeZone) -> Value {
    match (kind, value) {
        (Type::Flag, None) => json!("N"),
        (Type::Integer | Type::User | Type::Card(_), None) => json!(0),
        (_, None) => Value::Null,
        (Type::Flag | Type::Moment, value) => classic(kind, value, zone),
        (_, Some(value)) => value.clone(),
    }
}

/// Returns the type under which a user field is written.
pub(super) fn type_of_user_field(user_type: &str) -> Type {
    match user_type {
        "integer" | "employee" | "file" | "enumeration" => Type::Integer,
        "double" => Type::Double,
        "boolean" => Type::Flag,
        "datetime" => Type::Moment,
        _ => Type::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_universal_family_are_those_of_the_contract() {
        for (kind, name, expected) in [
            (Kind::Deal, "ASSIGNED_BY_ID", "assignedById"),
            (Kind::Deal, "STAGE_ID", "stageId"),
            (Kind::Lead, "STATUS_ID", "stageId"),
            (Kind::Deal, "CONTACT_IDS", "contactIds"),
            (Kind::Deal, "UTM_SOURCE", "utmSource"),
            (Kind::Deal, "ORIGINATOR_ID", "originatorId"),
            (Kind::Deal, "UF_CRM_123", "ufCrm_123"),
            (Kind::Deal, "ID", "id"),
        ] {
            assert_eq!(universal_name(kind, name), expected);
        }
    }

    #[test]
    fn numbers_are_texts_in_the_classic_family_only() {
        let zone = TimeZone::UTC;
        let kept = read(Type::Double, &json!("15000"), &zone).unwrap();
        assert_eq!(
            classic(Type::Double, kept.as_ref(), &zone),
            json!("15000.00")
        );
        assert_eq!(
            universal(Type::Double, kept.as_ref(), &zone),
            json!(15000.0)
        );
        let kept = read(Type::User, &json!("12"), &zone).unwrap();
        assert_eq!(classic(Type::User, kept.as_ref(), &zone), json!("12"));
        assert_eq!(universal(Type::User, kept.as_ref(), &zone), json!(12));
        assert_eq!(read(Type::User, &json!("twelve"), &zone), Err(Misfit));
    }
}
