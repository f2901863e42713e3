//! What the document says of an operation: its declaration, with what all operations have in common.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::components::{Components, SchemaOf, Way};
use super::operation::{Answer, Content, Operation};
use super::shapes::IfMatch;
use super::tidy::without_null;
use crate::model::ids::TenantId;
use crate::problem::Problem;

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

impl Operation {
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
