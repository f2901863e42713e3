//! Schemas of texts whose bounds a handler keeps, for members that are plain texts in Rust.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::model::ids::SOURCE_ITEM;

/// Longest title, address and so on that is taken, in bytes: what is longer is a mistake.
pub(in crate::admin) const LINE_BYTES_MAX: usize = 1024;

/// Longest secret that is taken, in bytes: a token of OAuth has some two thousand characters.
pub(in crate::admin) const SECRET_BYTES_MAX: usize = 8192;

/// What a source calls a communication, as the rest of a path.
pub(in crate::admin) struct SourceItem;

impl JsonSchema for SourceItem {
    fn schema_name() -> Cow<'static, str> {
        "SourceItem".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^{SOURCE_ITEM}$") })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// One line, as `edits::lines_are_good` takes it.
pub(in crate::admin) struct Line;

impl JsonSchema for Line {
    fn schema_name() -> Cow<'static, str> {
        "Line".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": format!("One line of {LINE_BYTES_MAX} bytes at most"),
            "maxLength": LINE_BYTES_MAX,
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        })
    }
}

/// A secret that is typed, as `edits::secret_is_good` takes it.
pub(in crate::admin) struct TypedSecret;

impl JsonSchema for TypedSecret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": format!("One line of {SECRET_BYTES_MAX} bytes at most"),
            "minLength": 1,
            "maxLength": SECRET_BYTES_MAX,
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$",
        })
    }
}

/// Secrets that are typed, by their names.
pub(in crate::admin) struct TypedSecretsByName;

impl JsonSchema for TypedSecretsByName {
    fn schema_name() -> Cow<'static, str> {
        "Secrets".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Secrets that are typed, by their names; the file holds them sealed with the key \
                of the store, and they are shown never",
            "propertyNames": generator.subschema_for::<Line>(),
            "additionalProperties": generator.subschema_for::<TypedSecret>(),
            "writeOnly": true,
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Secrets that are typed anew or taken away, by their names.
pub(in crate::admin) struct SecretWishesByName;

impl JsonSchema for SecretWishesByName {
    fn schema_name() -> Cow<'static, str> {
        "SecretWishes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Secrets that are typed anew, by their names; null takes one away, what is not \
                named stays",
            "propertyNames": generator.subschema_for::<Line>(),
            "additionalProperties": generator.subschema_for::<Option<TypedSecret>>(),
            "writeOnly": true,
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Settings of an account that are typed in a form, as `edits::typed_are_good` takes them.
pub(in crate::admin) struct TypedSettings;

impl JsonSchema for TypedSettings {
    fn schema_name() -> Cow<'static, str> {
        "TypedSettings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Other settings of its CRM (docs/settings-reference.md); null takes one away",
            "propertyNames": generator.subschema_for::<Line>(),
            "additionalProperties": {
                "oneOf": [
                    generator.subschema_for::<Line>(),
                    { "type": ["number", "boolean", "null"] },
                ],
            },
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The state of a company's file that was shown last, as an entity tag.
pub(super) struct IfMatch;

impl JsonSchema for IfMatch {
    fn schema_name() -> Cow<'static, str> {
        "IfMatch".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^\"[^\"]+\"$",
            "description": "The ETag that was shown",
        })
    }
}
