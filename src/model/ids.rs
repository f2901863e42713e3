//! Identifiers that must not be mixed up.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

/// Longest permitted slug, in bytes: it becomes part of a redb key, a URL path and a log field.
pub const SLUG_BYTES_MAX: usize = 64;

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an identifier: use 1 to {SLUG_BYTES_MAX} characters a-z, 0-9, '-' or '_', beginning with a letter or digit"
)]
pub struct BadId {
    /// The text that was refused.
    pub text: String,
}

/// What an identifier looks like, as a regular expression without its ends.
const SLUG: &str = "[a-z0-9][a-z0-9_-]{0,63}";

/// What a source may call a communication, as a regular expression without its ends.
pub const SOURCE_ITEM: &str = "[^\\u0000-\\u001f\\u007f-\\u009f]{1,200}";

/// Describes a text of this look to programs.
fn looks_like(pattern: &str, description: &str) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": format!("^{pattern}$"),
        "description": description,
    })
}

fn check_slug(text: &str) -> Result<(), BadId> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let first_ok = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if first_ok && text.len() <= SLUG_BYTES_MAX && text.chars().all(allowed) {
        Ok(())
    } else {
        Err(BadId {
            text: text.to_owned(),
        })
    }
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                check_slug(text)?;
                Ok(Self(Arc::from(text)))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            // To a program all of them are one thing.
            fn schema_name() -> Cow<'static, str> {
                "Id".into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                looks_like(SLUG, "An id in a company's file")
            }
        }
    };
}

slug! {
    /// A company.
    TenantId
}
slug! {
    /// A source inside a tenant, such as `office`.
    SourceId
}
slug! {
    /// An integration inside a tenant, such as `sales-amo`.
    IntegrationId
}
slug! {
    /// The administrator's name for a CRM account inside a tenant.
    AccountId
}
slug! {
    /// An employee inside a tenant.
    EmployeeId
}

macro_rules! pair {
    ($(#[$doc:meta])* $name:ident, $field:ident : $id:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name {
            /// The tenant.
            pub tenant: TenantId,
            /// The identifier inside the tenant.
            pub $field: $id,
        }

        impl $name {
            /// Joins a tenant with an identifier inside it.
            pub fn new(tenant: TenantId, $field: $id) -> Self {
                Self { tenant, $field }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.tenant, self.$field)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let (tenant, id) =
                    text.split_once('/').ok_or_else(|| BadId { text: text.to_owned() })?;
                Ok(Self { tenant: tenant.parse()?, $field: id.parse()? })
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> String {
                key.to_string()
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let written = concat!("tenant/", stringify!($field));
                looks_like(&format!("{SLUG}/{SLUG}"), written)
            }
        }
    };
}

pair! {
    /// A source of a tenant, written `tenant/source`.
    SourceKey, source: SourceId
}
pair! {
    /// An integration of a tenant, written `tenant/integration`: what one actor serves.
    IntegrationKey, integration: IntegrationId
}

/// One CRM portal, keyed by what the CRM itself calls it, written `crm:portal`
/// (`amocrm:demo.amocrm.ru`). Two integrations that name the same portal share its budget,
/// breaker, lanes and directory.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct PortalKey(String);

impl PortalKey {
    /// Builds the key from the registry's name of the CRM and the portal's own identity.
    pub fn new(crm: &str, portal: &str) -> Self {
        Self(format!("{crm}:{}", portal.to_ascii_lowercase()))
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PortalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Longest key that a source may give a communication, in bytes. Asterisk permits 149 for a
/// Uniqueid (`pbx/asterisk.md` §3); others send short numbers.
pub const SOURCE_ITEM_BYTES_MAX: usize = 200;

/// The stable key of a communication, written `tenant/source/item`, where `item` is what the
/// source calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommunicationKey {
    /// The source that reported it.
    pub source: SourceKey,
    /// The source's own stable name for it: printable, no control characters.
    pub item: String,
}

impl CommunicationKey {
    /// Builds a key; refuses an item that is empty, too long or holds control characters.
    pub fn new(source: SourceKey, item: &str) -> Result<Self, BadItem> {
        let bad = item.is_empty()
            || item.len() > SOURCE_ITEM_BYTES_MAX
            || item.chars().any(|c| c.is_control());
        if bad {
            return Err(BadItem);
        }
        Ok(Self {
            source,
            item: item.to_owned(),
        })
    }

    /// Returns the tenant that the communication belongs to.
    pub fn tenant(&self) -> &TenantId {
        &self.source.tenant
    }
}

/// A source's name for a communication is empty, longer than [`SOURCE_ITEM_BYTES_MAX`] bytes or
/// holds control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a communication's key must have 1 to {SOURCE_ITEM_BYTES_MAX} bytes without control characters"
)]
pub struct BadItem;

impl fmt::Display for CommunicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source, self.item)
    }
}

impl FromStr for CommunicationKey {
    type Err = BadCommunicationKey;
    fn from_str(text: &str) -> Result<Self, BadCommunicationKey> {
        let mut parts = text.splitn(3, '/');
        let (Some(tenant), Some(source), Some(item)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(BadCommunicationKey::Shape);
        };
        let source = SourceKey::new(tenant.parse()?, source.parse()?);
        Ok(Self::new(source, item)?)
    }
}

/// Why a text is not a communication's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCommunicationKey {
    /// It has not the three parts.
    #[error("a communication is named tenant/source/key")]
    Shape,
    /// Tenant or source is not an identifier.
    #[error(transparent)]
    Id(#[from] BadId),
    /// The last part is not acceptable.
    #[error(transparent)]
    Item(#[from] BadItem),
}

impl TryFrom<String> for CommunicationKey {
    type Error = BadCommunicationKey;
    fn try_from(text: String) -> Result<Self, BadCommunicationKey> {
        text.parse()
    }
}

impl From<CommunicationKey> for String {
    fn from(key: CommunicationKey) -> String {
        key.to_string()
    }
}

impl JsonSchema for CommunicationKey {
    fn schema_name() -> Cow<'static, str> {
        "CommunicationKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!("{SLUG}/{SLUG}/{SOURCE_ITEM}");
        looks_like(&pattern, "tenant/source/key")
    }
}

/// A short number of the company's own numbering plan, such as `101`: 1 to 20 digits, `*` or `#`,
/// or a login where the source calls employees by login.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Extension(pub String);

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a CRM calls one of its users.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct CrmUserId(pub String);

impl fmt::Display for CrmUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
