//! One declaration makes both the route and its description: a route without a description cannot exist.
//! It stands beside the handler, and what the handler reads is described by its parameters' types. What
//! all operations have in common is said here once.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::components::{Components, SchemaOf, Way};
use super::reads::{Read, Reads};
use super::shapes::IfMatch;
use super::tidy::without_null;
use crate::model::ids::TenantId;
use crate::problem::Problem;

/// How the rest of a path is written in the path of a route.
const REST: &str = ":.+}";

/// What the parameters of paths are that stand for the same wherever they stand.
const IDS_IN_PATHS: [(&str, &str); 4] = [
    ("tenant", "The company"),
    ("source", "The source"),
    ("account", "The account"),
    ("integration", "The integration"),
];

/// The refusals that many operations have in common, by the names under which the document has them.
const COMMON: [(u16, &str, &str); 8] = [
    (400, "Unreadable", "The request cannot be read"),
    (401, "NoToken", "The token is missing or wrong"),
    (
        403,
        "Forbidden",
        "The Host is none of this machine, the request comes from a page of another origin, or a session's \
         word is not repeated",
    ),
    (404, "NotThere", "There is nothing of this name"),
    (
        412,
        "Stale",
        "The file was changed meanwhile; `revision` is its state now",
    ),
    (413, "TooLong", "The body is longer than is read"),
    (415, "NotJson", "The body does not call itself JSON"),
    (428, "NoIfMatch", "If-Match is missing"),
];

/// An operation of the administrator's endpoint.
pub(in crate::admin) struct Operation {
    method: Method,
    path: &'static str,
    summary: &'static str,
    route: Route,
    reads: Reads,
    needs_token: bool,
    named: Vec<(&'static str, &'static str, SchemaOf)>,
    answers: Vec<Answer>,
    shows_etag: bool,
    refusals: BTreeMap<u16, &'static str>,
}

/// What an operation answers where it works.
struct Answer {
    status: u16,
    words: &'static str,
    content: Vec<(&'static str, Content)>,
    headers: Vec<(&'static str, &'static str)>,
}

/// What a body is.
enum Content {
    /// JSON of a type.
    Json(SchemaOf),
    /// Text of another form.
    Text,
    /// Bytes.
    Bytes,
}

impl Operation {
    /// An operation that changes nothing.
    pub(in crate::admin) fn get<F, Args>(
        path: &'static str,
        summary: &'static str,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Read + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::GET, path, summary, handler)
    }

    /// An operation that makes or does something.
    pub(in crate::admin) fn post<F, Args>(
        path: &'static str,
        summary: &'static str,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Read + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::POST, path, summary, handler)
    }

    /// An operation that replaces something.
    pub(in crate::admin) fn put<F, Args>(
        path: &'static str,
        summary: &'static str,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Read + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::PUT, path, summary, handler)
    }

    /// An operation that changes a part of something.
    pub(in crate::admin) fn patch<F, Args>(
        path: &'static str,
        summary: &'static str,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Read + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::PATCH, path, summary, handler)
    }

    /// An operation that takes something away.
    pub(in crate::admin) fn delete<F, Args>(
        path: &'static str,
        summary: &'static str,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Read + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::DELETE, path, summary, handler)
    }

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

    /// Describes it.
    pub(super) fn describe(&self, components: &mut Components) -> Described {
        let parameters = self.parameters(components);
        let body = self.reads.body.map(|of| {
            let schema = components.schema(Way::In, of);
            json!({ "required": true, "content": { "application/json": { "schema": schema } } })
        });
        let mut responses = BTreeMap::new();
        for answer in &self.answers {
            responses.insert(answer.status.to_string(), self.answer(answer, components));
        }
        for (status, words) in self.all_refusals(&parameters) {
            responses.insert(status.to_string(), refusal(status, words, components));
        }
        Described {
            summary: self.summary,
            security: (!self.needs_token).then(|| json!([])),
            parameters: parameters.into_iter().map(Parameter::described).collect(),
            body,
            responses,
        }
    }

    fn parameters(&self, components: &mut Components) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for name in names_in(self.path) {
            let own = self.named.iter().find(|(named, _, _)| *named == name);
            let id = IDS_IN_PATHS.iter().find(|(id, _)| *id == name);
            let of: SchemaOf = own.map_or(SchemaGenerator::subschema_for::<TenantId>, |own| own.2);
            let words = own.map(|own| own.1).or(id.map(|id| id.1));
            parameters.push(Parameter {
                name: name.to_owned(),
                place: "path",
                required: true,
                // A test refuses one that nothing is said of.
                words: words.unwrap_or_default().to_owned(),
                schema: components.schema(Way::In, of),
            });
        }
        if let Some(of) = self.reads.query {
            parameters.extend(in_query(&components.schema(Way::In, of)));
        }
        if self.reads.if_match {
            let of = SchemaGenerator::subschema_for::<IfMatch>;
            parameters.push(Parameter {
                name: "If-Match".to_owned(),
                place: "header",
                required: true,
                words: "The ETag that was shown last for anything of this tenant".to_owned(),
                schema: components.schema(Way::In, of),
            });
        }
        parameters
    }

    fn answer(&self, answer: &Answer, components: &mut Components) -> Value {
        let mut content = Map::new();
        for (media, of) in &answer.content {
            let schema = match of {
                Content::Json(of) => components.schema(Way::Out, *of),
                Content::Text => json!({ "type": "string" }),
                Content::Bytes => json!({ "type": "string", "format": "binary" }),
            };
            content.insert((*media).to_owned(), json!({ "schema": schema }));
        }
        let etag = self.shows_etag || self.reads.if_match;
        let etag = etag.then_some(("ETag", "Which state of the tenant's file this is"));
        let headers: Map<String, Value> = answer
            .headers
            .iter()
            .copied()
            .chain(etag)
            .map(|(name, words)| {
                let header = json!({ "description": words, "schema": { "type": "string" } });
                (name.to_owned(), header)
            })
            .collect();
        let mut described = json!({ "description": answer.words });
        if !content.is_empty() {
            described["content"] = content.into();
        }
        if !headers.is_empty() {
            described["headers"] = headers.into();
        }
        described
    }

    /// Returns its own refusals, and those that follow from what it reads, without words.
    fn all_refusals(&self, parameters: &[Parameter]) -> BTreeMap<u16, Option<&'static str>> {
        // The Host is looked at before everything else.
        let mut statuses = vec![403];
        if self.needs_token {
            statuses.push(401);
        }
        if self.reads.body.is_some() {
            statuses.extend([400, 413, 415]);
        }
        if self.reads.query.is_some() {
            statuses.push(400);
        }
        if parameters.iter().any(|one| one.place == "path") {
            statuses.push(404);
        }
        if self.reads.if_match {
            statuses.extend([400, 412, 428]);
        }
        let common = statuses.into_iter().map(|status| (status, None));
        let own = self.refusals.iter();
        let own = own.map(|(status, words)| (*status, Some(*words)));
        common.chain(own).collect()
    }
}

/// Returns the names of a path's parameters, in order.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.split('{').skip(1);
    parts.filter_map(|part| part.split(['}', ':']).next())
}

/// Returns the refusal of a status; one that many have, as a reference.
fn refusal(status: u16, words: Option<&'static str>, components: &mut Components) -> Value {
    let common = COMMON.iter().find(|(common, _, _)| *common == status);
    match (words, common) {
        (None, Some((_, name, _))) => {
            json!({ "$ref": format!("#/components/responses/{name}") })
        }
        (words, _) => {
            let problem = SchemaGenerator::subschema_for::<Problem>;
            told(
                words.unwrap_or_default(),
                components.schema(Way::Out, problem),
            )
        }
    }
}

/// Returns the refusals that many operations have in common, by name.
pub(super) fn common_refusals(components: &mut Components) -> Map<String, Value> {
    let problem = components.schema(Way::Out, SchemaGenerator::subschema_for::<Problem>);
    let common = COMMON.iter();
    common
        .map(|(_, name, words)| ((*name).to_owned(), told(words, problem.clone())))
        .collect()
}

fn told(words: &str, problem: Value) -> Value {
    json!({
        "description": words,
        "content": { "application/problem+json": { "schema": problem } },
    })
}

/// An operation as the document has it.
#[derive(Serialize)]
pub(super) struct Described {
    summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Value>,
    #[serde(rename = "requestBody", skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    responses: BTreeMap<String, Value>,
}

/// A parameter of an operation.
struct Parameter {
    name: String,
    place: &'static str,
    required: bool,
    words: String,
    schema: Value,
}

impl Parameter {
    fn described(self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.words,
            "schema": self.schema,
        })
    }
}

/// Returns the members of a query as parameters.
fn in_query(schema: &Value) -> Vec<Parameter> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let members = schema["properties"].as_object().into_iter().flatten();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        without_null(&mut schema);
        let words = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("description"));
        Parameter {
            name: name.clone(),
            place: "query",
            required: is_required(name),
            words: words
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            schema,
        }
    };
    members.map(parameter).collect()
}
