//! One declaration makes both the route and its description: a route without a description cannot exist.
//! It stands beside the handler, and what the handler reads is described by its parameters' types.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use schemars::{JsonSchema, SchemaGenerator};

use super::components::SchemaOf;
use super::reads::{Read, Reads};

/// How the rest of a path is written in the path of a route.
const REST: &str = ":.+}";

/// An operation of the administrator's endpoint.
pub(in crate::admin) struct Operation {
    method: Method,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    route: Route,
    pub(super) reads: Reads,
    pub(super) needs_token: bool,
    pub(super) named: Vec<(&'static str, &'static str, SchemaOf)>,
    pub(super) answers: Vec<Answer>,
    pub(super) shows_etag: bool,
    pub(super) refusals: BTreeMap<u16, &'static str>,
}

/// What an operation answers where it works.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) words: &'static str,
    pub(super) content: Vec<(&'static str, Content)>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// What a body is.
pub(super) enum Content {
    /// JSON of a type.
    Json(SchemaOf),
    /// Text of another form.
    Text,
    /// Bytes.
    Bytes,
}

/// Makes the beginnings of declarations, one for each method.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $method:ident;)+) => {
        impl Operation {
            $(
                $(#[$doc])*
                pub(in crate::admin) fn $name<F, Args>(
                    path: &'static str,
                    summary: &'static str,
                    handler: F,
                ) -> Self
                where
                    F: Handler<Args>,
                    Args: FromRequest + Read + 'static,
                    F::Output: Responder + 'static,
                {
                    Self::new(Method::$method, path, summary, handler)
                }
            )+
        }
    };
}

methods! {
    /// An operation that changes nothing.
    get GET;
    /// An operation that makes or does something.
    post POST;
    /// An operation that replaces something.
    put PUT;
    /// An operation that changes a part of something.
    patch PATCH;
    /// An operation that takes something away.
    delete DELETE;
}

impl Operation {
    fn new<F, Args>(method: Method, path: &'static str, summary: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Read + 'static,
        F::Output: Responder + 'static,
    {
        let mut reads = Reads::default();
        Args::note(&mut reads);
        Self {
            route: web::method(method.clone()).to(handler),
            method,
            path,
            summary,
            reads,
            needs_token: true,
            named: Vec::new(),
            answers: Vec::new(),
            shows_etag: false,
            refusals: BTreeMap::new(),
        }
    }

    /// Says what a parameter of the path is, for one that is no id of a company's file.
    pub(in crate::admin) fn names<T: JsonSchema>(
        mut self,
        name: &'static str,
        words: &'static str,
    ) -> Self {
        self.named
            .push((name, words, SchemaGenerator::subschema_for::<T>));
        self
    }

    /// It needs neither token nor session.
    pub(in crate::admin) fn without_token(mut self) -> Self {
        self.needs_token = false;
        self
    }

    /// It answers with JSON of a type.
    pub(in crate::admin) fn answers<T: JsonSchema>(self, status: u16, words: &'static str) -> Self {
        let content = Content::Json(SchemaGenerator::subschema_for::<T>);
        self.answers_as(status, words, vec![("application/json", content)])
    }

    /// It answers with JSON of a type under a media type of its own.
    pub(in crate::admin) fn answers_json_as<T: JsonSchema>(
        self,
        media: &'static str,
        words: &'static str,
    ) -> Self {
        let content = Content::Json(SchemaGenerator::subschema_for::<T>);
        self.answers_as(200, words, vec![(media, content)])
    }

    /// It answers with text, in one of these forms.
    pub(in crate::admin) fn answers_text(
        self,
        media: &[&'static str],
        words: &'static str,
    ) -> Self {
        let content = media.iter().map(|media| (*media, Content::Text));
        let content = content.collect();
        self.answers_as(200, words, content)
    }

    /// It answers with a file.
    pub(in crate::admin) fn answers_file(self, media: &'static str, words: &'static str) -> Self {
        self.answers_as(200, words, vec![(media, Content::Bytes)])
    }

    /// It answers without a body.
    pub(in crate::admin) fn answers_nothing(self, words: &'static str) -> Self {
        self.answers_as(204, words, Vec::new())
    }

    fn answers_as(
        mut self,
        status: u16,
        words: &'static str,
        content: Vec<(&'static str, Content)>,
    ) -> Self {
        self.answers.push(Answer {
            status,
            words,
            content,
            headers: Vec::new(),
        });
        self
    }

    /// The answer that was named last has a header.
    pub(in crate::admin) fn sets(mut self, header: &'static str, words: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((header, words));
        }
        self
    }

    /// Every answer says which state of the company's file it is of.
    pub(in crate::admin) fn shows_etag(mut self) -> Self {
        self.shows_etag = true;
        self
    }

    /// It changes a company's file: `T` says whether that is in force, with what belongs to it.
    /// `status` tells of one that is.
    pub(in crate::admin) fn changes_file<T: JsonSchema>(self, status: u16) -> Self {
        self.answers::<T>(status, "The file is written; it is in force")
            .answers::<T>(202, "The file is written; it is not in force yet")
            .shows_etag()
            .refuses(
                409,
                "The daemon may not write the file, or it is written so that only a person can change it: why",
            )
            .refuses(
                422,
                "The configuration would be wrong, `mistakes` says where; nothing was changed",
            )
            .refuses(
                503,
                "Another change is being made, or the store does not answer: try again",
            )
    }

    /// It is refused with this status, for a reason of its own or by a word of its own.
    pub(in crate::admin) fn refuses(mut self, status: u16, words: &'static str) -> Self {
        self.refusals.insert(status, words);
        self
    }

    /// Serves it.
    pub(in crate::admin) fn register(self, config: &mut web::ServiceConfig) {
        config.route(self.path, self.route);
    }

    /// Returns the path as routes have it.
    pub(in crate::admin) fn path(&self) -> &'static str {
        self.path
    }

    /// Returns the path as the document has it.
    pub(super) fn described_path(&self) -> String {
        self.path.replace(REST, "}")
    }

    /// Returns the method, in small letters.
    pub(in crate::admin) fn method(&self) -> String {
        self.method.as_str().to_ascii_lowercase()
    }
}
