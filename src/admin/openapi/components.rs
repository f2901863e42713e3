//! The named schemas of the document, collected while its operations are described.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

use super::tidy::{tidy_answer, tidy_body};

/// Returns the schema of a type; named ones as references.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> schemars::Schema;

/// Whether a type is read or written: what may be left out differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It comes in.
    In,
    /// It goes out.
    Out,
}

/// Collects them.
pub(super) struct Components {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Components {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }

    /// Returns the schema of a type for the place where it stands.
    pub(super) fn schema(&mut self, way: Way, of: SchemaOf) -> Value {
        match way {
            Way::In => tidy_body(of(&mut self.read).to_value()),
            Way::Out => tidy_answer(of(&mut self.written).to_value()),
        }
    }

    /// Returns all of them, and the names that mean two things: there must be none.
    pub(super) fn into_schemas(mut self) -> (Map<String, Value>, Vec<String>) {
        let read = self.read.take_definitions(false);
        let read = read.into_iter().map(|(name, of)| (name, tidy_body(of)));
        let written = self.written.take_definitions(false);
        let written = written
            .into_iter()
            .map(|(name, of)| (name, tidy_answer(of)));
        let mut schemas: Map<String, Value> = written.collect();
        let mut ambiguous = Vec::new();
        for (name, schema) in read {
            if schemas.get(&name).is_some_and(|known| *known != schema) {
                ambiguous.push(name.clone());
            }
            schemas.insert(name, schema);
        }
        // Where two types have one name, the second is given a number.
        let is_numbered = |name: &&String| name.ends_with(|c: char| c.is_ascii_digit());
        ambiguous.extend(schemas.keys().filter(is_numbered).cloned());
        (schemas, ambiguous)
    }
}
