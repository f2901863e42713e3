//! What the endpoint says in words, in Russian for whoever asks for it with `Accept-Language: ru`.
//! Programs that ask for nothing get the English that stands in the store and in the log.

use actix_web::body::{BodySize, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use serde_json::Value;

use crate::model::phrasebook::Phrasebook;

/// A longer answer is sent as it is: none that has words for people is.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The members of answers that hold our words, by the route; `*` goes through a list. Everything
/// else is names, numbers and words of clients, portals and administrators, which nobody changes.
const SPOKEN: &[(&str, &[&str])] = &[
    (
        "/v1/status",
        &[
            "alarms.*.what",
            "alarms.*.text",
            "off.*.what",
            "off.*.why",
            "sources.*.state.last_error",
            "sources.*.state.held",
            "integrations.*.state.last_error",
            "integrations.*.state.held",
            "integrations.*.waiting_for",
            "integrations.*.employees.trouble",
            "integrations.*.employees.remark",
            "accounts.*.last_error.why",
            "accounts.*.held.why",
            "recordings.state.last_error",
        ],
    ),
    (
        "/v1/alarms",
        &[
            "items.*.alarm.what",
            "items.*.alarm.text",
            "channels.*.trouble",
        ],
    ),
    ("/v1/alarms/test", &["channels.*.why_not"]),
    ("/v1/journal", &["items.*.summary"]),
    ("/v1/journal/notes", &["items.*.note.text"]),
    (
        "/v1/communications/{tenant}/{source}/{item:.+}",
        &[
            "summary",
            "not_taken",
            "works.*.state.why",
            "notes.*.text",
            "recording.why",
            "recording.reason",
            "integrations.*.steps.*.state.why",
            "integrations.*.steps.*.state.reason",
            "integrations.*.steps.*.state.result.note",
            "integrations.*.passing.*.why",
            "integrations.*.notices.*.why",
            "integrations.*.decisions.*.again.why_not",
            "integrations.*.decisions.*.again.differences.*",
        ],
    ),
    (
        "/v1/outbox",
        &[
            "items.*.state.why",
            "items.*.steps.*.state.why",
            "items.*.steps.*.state.reason",
        ],
    ),
    ("/v1/dead-letters", &["items.*.reason"]),
    ("/v1/dead-letters/{wish}", &["refused.*.why"]),
    ("/v1/accounts", &["items.*.alarm"]),
    (
        "/v1/tenants/{tenant}/accounts/{account}/connection",
        &["why", "alarm", "limits.*"],
    ),
    (
        "/v1/tenants/{tenant}/accounts/{account}/lists",
        &["why_not", "limits.*"],
    ),
    (
        "/v1/tenants/{tenant}/accounts/{account}/mapping",
        &["limits.*"],
    ),
    (
        "/v1/tenants/{tenant}/sources/{source}/roster",
        &["limits.*", "remarks.*"],
    ),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/employees",
        &["state.trouble", "state.remark"],
    ),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/employees/sync",
        &["not_in_force"],
    ),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/webhook",
        &["why_not"],
    ),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/preview",
        &["mistakes.*"],
    ),
    // What a change came to.
    ("/v1/tenants", &["why"]),
    ("/v1/tenants/{tenant}/employees", &["why"]),
    ("/v1/tenants/{tenant}/accounts", &["why"]),
    ("/v1/tenants/{tenant}/accounts/{account}", &["why"]),
    ("/v1/tenants/{tenant}/integrations", &["why"]),
    ("/v1/tenants/{tenant}/integrations/{integration}", &["why"]),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/settings",
        &["why"],
    ),
    (
        "/v1/check",
        &[
            "integrations.*.why_not",
            "integrations.*.mistakes.*.message",
            "integrations.*.not_listed.*",
        ],
    ),
    (
        "/v1/guide",
        &[
            "sources.*.state.last_error",
            "sources.*.state.held",
            "integrations.*.alarm",
            "integrations.*.state.last_error",
            "integrations.*.state.held",
        ],
    ),
    (
        "/v1/deals",
        &[
            "items.*.webhooks.advice",
            "items.*.webhooks.by_hand",
            "items.*.trouble",
            "items.*.upload.trouble",
        ],
    ),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/deals",
        &["items.*.refused"],
    ),
    (
        "/v1/tenants/{tenant}/integrations/{integration}/deals/by-id/{deal}",
        &["refused"],
    ),
    ("/v1/directories", &["items.*.trouble"]),
];

/// What a refusal says, on every route.
const REFUSAL: &[&str] = &[
    "title",
    "mistakes.*",
    "mistakes.*.message",
    "places.*.message",
    "places.*.text",
];

/// The middleware.
pub async fn speak(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let wants_russian = wants_russian(request.headers());
    let phrases = request.app_data::<web::Data<Phrasebook>>().cloned();
    let answer = next.call(request).await?.map_into_boxed_body();
    let (Some(phrases), true) = (phrases, wants_russian) else {
        return Ok(answer);
    };
    let media = answer.headers().get(header::CONTENT_TYPE);
    let media = media
        .and_then(|media| media.to_str().ok())
        .unwrap_or_default();
    let members = if media.starts_with("application/problem+json") {
        REFUSAL
    } else if media.starts_with("application/json") {
        let route = answer.request().match_pattern().unwrap_or_default();
        let found = SPOKEN.iter().find(|(one, _)| *one == route);
        found.map_or(&[][..], |(_, members)| *members)
    } else {
        &[]
    };
    let is_short = match answer.response().body().size() {
        BodySize::Sized(bytes) => bytes <= BODY_BYTES_MAX as u64,
        BodySize::None | BodySize::Stream => false,
    };
    if members.is_empty() || !is_short {
        return Ok(answer);
    }
    let (request, response) = answer.into_parts();
    let (mut response, body) = response.into_parts();
    let bytes = to_bytes(body).await.unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("ru"));
    headers.append(header::VARY, HeaderValue::from_static("Accept-Language"));
    let text = match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut body) => {
            for member in members {
                reword(&mut body, member, &phrases);
            }
            body.to_string().into_bytes()
        }
        Err(_) => bytes.to_vec(),
    };
    Ok(ServiceResponse::new(request, response.set_body(text)).map_into_boxed_body())
}

/// Says whether Russian comes before English in what the asker reads.
fn wants_russian(headers: &HeaderMap) -> bool {
    let given = headers.get(header::ACCEPT_LANGUAGE);
    let given = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut best: Option<(&str, f32)> = None;
    for range in given.split(',') {
        let mut parts = range.split(';');
        let language = parts.next().unwrap_or_default().trim();
        let language = language.split('-').next().unwrap_or_default();
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok());
        let weight: f32 = weight.unwrap_or(1.0);
        let is_ours = ["ru", "en"]
            .iter()
            .any(|one| language.eq_ignore_ascii_case(one));
        if is_ours && weight > 0.0 && best.is_none_or(|(_, other)| weight > other) {
            best = Some((language, weight));
        }
    }
    best.is_some_and(|(language, _)| language.eq_ignore_ascii_case("ru"))
}

/// Puts what stands at a place of a document into Russian.
fn reword(value: &mut Value, place: &str, phrases: &Phrasebook) {
    if place.is_empty() {
        if let Value::String(text) = value {
            *text = phrases.russian(text);
        }
        return;
    }
    let (first, rest) = place.split_once('.').unwrap_or((place, ""));
    match value {
        Value::Array(items) if first == "*" => {
            for item in items {
                reword(item, rest, phrases);
            }
        }
        Value::Object(members) => {
            if let Some(member) = members.get_mut(first) {
                reword(member, rest, phrases);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, HttpResponse};
    use serde_json::json;

    use super::*;

    #[test]
    fn russian_is_spoken_to_whoever_prefers_it_to_english() {
        for (given, is) in [
            ("ru", true),
            ("ru-RU,ru;q=0.9,en;q=0.8", true),
            ("de, en;q=0.5, ru;q=0.7", true),
            ("en-GB,ru;q=0.9", false),
            ("ru;q=0", false),
            ("*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::ACCEPT_LANGUAGE,
                HeaderValue::from_str(given).unwrap(),
            );
            assert_eq!(wants_russian(&headers), is, "{given}");
        }
        assert!(!wants_russian(&HeaderMap::new()));
    }

    #[test]
    fn only_our_own_words_are_put_into_russian() {
        let phrases = Phrasebook::read(["is missing\n    не указано\n"]);
        let mut body = json!({ "title": "is missing", "name": "is missing", "mistakes": ["is missing", { "message": "is missing" }] });
        for member in REFUSAL {
            reword(&mut body, member, &phrases);
        }
        assert_eq!(
            body,
            json!({ "title": "не указано", "name": "is missing", "mistakes": ["не указано", { "message": "не указано" }] })
        );
    }

    #[actix_web::test]
    async fn an_answer_is_worded_and_keeps_what_else_it_says() {
        let phrases = Phrasebook::read(["is missing\n    не указано\n"]);
        let service = App::new()
            .app_data(web::Data::new(phrases))
            .wrap(from_fn(speak))
            .route(
                "/v1/communications/{tenant}/{source}/{item:.+}",
                web::get().to(|| async {
                    let body = json!({ "not_taken": "is missing", "client": "is missing" });
                    HttpResponse::Ok()
                        .insert_header((header::ETAG, "\"1\""))
                        .json(body)
                }),
            )
            .default_service(web::to(|| async {
                HttpResponse::NotFound()
                    .content_type("application/problem+json")
                    .body("{\"title\":\"is missing\"}")
            }));
        let service = init_service(service).await;
        for (path, language, wanted) in [
            (
                "/v1/communications/acme/office/1/2",
                "ru",
                json!({ "not_taken": "не указано", "client": "is missing" }),
            ),
            (
                "/v1/communications/acme/office/1/2",
                "en",
                json!({ "not_taken": "is missing", "client": "is missing" }),
            ),
            ("/v1/nothing", "ru", json!({ "title": "не указано" })),
        ] {
            let request = TestRequest::get().uri(path);
            let request = request.insert_header((header::ACCEPT_LANGUAGE, language));
            let answer = call_service(&service, request.to_request()).await;
            let headers = answer.headers().clone();
            let is_worded = headers.get(header::CONTENT_LANGUAGE).is_some();
            assert_eq!(is_worded, language == "ru", "{path}");
            assert_eq!(
                headers.contains_key(header::ETAG),
                path.contains("acme"),
                "{path}"
            );
            let body: Value = serde_json::from_slice(&read_body(answer).await).unwrap();
            assert_eq!(body, wanted, "{path} in {language}");
        }
    }

    #[test]
    fn every_member_with_our_words_belongs_to_a_route_that_there_is() {
        let operations = super::super::operations();
        for (route, members) in SPOKEN {
            let mut operations = operations.iter();
            assert!(operations.any(|one| one.path() == *route), "{route}");
            assert!(!members.is_empty());
        }
    }
}
