//! The body of a request: one JSON object, and how one that cannot be read is refused. The status says
//! whether it is too long, of another form or wrong.

use std::fmt;
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt as _, TryFutureExt as _};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::problem::problem;

/// What a request is about.
pub(super) struct JsonBody<T>(T);

impl<T> JsonBody<T> {
    /// Returns it.
    pub(super) fn into_inner(self) -> T {
        self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        web::Json::<Object<T>>::from_request(request, payload)
            .map_ok(|json| JsonBody(json.into_inner().0))
            .boxed_local()
    }
}

/// An object. A struct of serde's may be written as an array as well, by the order of its members:
/// nobody who writes that means it.
#[derive(Debug, Clone)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Reads a member that may be left out, and is no `null` unless `T` may be.
pub(super) fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Answers to a body that cannot be read, and says where it is wrong.
pub(super) fn unreadable(error: &actix_web::Error) -> HttpResponse {
    unreadable_as(error, &error.to_string())
}

/// Answers to a body that cannot be read without repeating any of it: there may be a secret in it.
/// `form` says what was expected.
pub(super) fn unreadable_as(error: &actix_web::Error, form: &str) -> HttpResponse {
    use JsonPayloadError::{ContentType, Overflow, OverflowKnownLength};
    match error.as_error::<JsonPayloadError>() {
        Some(Overflow { limit } | OverflowKnownLength { limit, .. }) => {
            let text = format!("the body is longer than {limit} bytes");
            problem(StatusCode::PAYLOAD_TOO_LARGE, &text)
        }
        Some(ContentType) => problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the body as Content-Type: application/json",
        ),
        _ => problem(StatusCode::BAD_REQUEST, form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[serde(default, deserialize_with = "stated")]
        name: Option<String>,
        #[serde(default, deserialize_with = "stated")]
        title: Option<Option<String>>,
    }

    #[test]
    fn a_body_is_an_object_and_tells_null_from_nothing() {
        let read = |text| serde_json::from_str::<Object<Wish>>(text).map(|one| one.0);
        let wish = |name: Option<&str>, title| Wish {
            name: name.map(str::to_owned),
            title,
        };
        assert_eq!(read("{}").unwrap(), wish(None, None));
        assert_eq!(read(r#"{"name":"a"}"#).unwrap(), wish(Some("a"), None));
        assert_eq!(read(r#"{"title":null}"#).unwrap(), wish(None, Some(None)));
        for wrong in [
            r#"["a", null]"#,
            "[]",
            "null",
            r#"{"name":null}"#,
            r#"{"else":1}"#,
            r#"{"name":"a","name":"b"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
