//! What a handler reads of a request, by the types of its parameters: so no operation can be described
//! with another body or other parameters than its handler takes.

use actix_web::{HttpRequest, web};
use schemars::{JsonSchema, SchemaGenerator};

use super::components::SchemaOf;
use crate::admin::body::JsonBody;
use crate::admin::seen::Seen;

/// What is read of a request besides its path.
#[derive(Debug, Default)]
pub(in crate::admin) struct Reads {
    /// The body, which is a JSON object.
    pub(super) body: Option<SchemaOf>,
    /// The query, as the schema of an object.
    pub(super) query: Option<SchemaOf>,
    /// Which state of a company's file was seen.
    pub(super) if_match: bool,
}

/// A parameter of a handler, or all of them.
pub(in crate::admin) trait Read {
    /// Notes what is read for it.
    fn note(_: &mut Reads) {}
}

impl<T> Read for web::Data<T> {}
impl<T> Read for web::Path<T> {}
impl Read for HttpRequest {}

impl Read for Seen {
    fn note(reads: &mut Reads) {
        reads.if_match = true;
    }
}

impl<T: JsonSchema> Read for Result<JsonBody<T>, actix_web::Error> {
    fn note(reads: &mut Reads) {
        reads.body = Some(SchemaGenerator::subschema_for::<T>);
    }
}

impl<T: JsonSchema> Read for Result<web::Query<T>, actix_web::Error> {
    fn note(reads: &mut Reads) {
        // Its members become parameters: it needs no name.
        reads.query = Some(T::json_schema);
    }
}

impl Read for () {}

macro_rules! read_together {
    ($($name:ident)+) => {
        impl<$($name: Read),+> Read for ($($name,)+) {
            fn note(reads: &mut Reads) {
                $($name::note(reads);)+
            }
        }
    };
}

read_together!(A);
read_together!(A B);
read_together!(A B C);
read_together!(A B C D);
