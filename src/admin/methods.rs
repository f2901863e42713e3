//! What is answered to a request that no route takes: nothing is here, or it takes other methods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::problem::problem;

/// The methods of each path, as the operations are declared.
static METHODS: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let mut methods: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for operation in super::operations() {
        let of_path = methods.entry(operation.path()).or_default();
        of_path.insert(operation.method().to_ascii_uppercase());
    }
    let methods = methods.into_iter();
    methods
        .map(|(path, methods)| (path, Vec::from_iter(methods).join(", ")))
        .collect()
});

/// Refuses it.
pub(super) async fn refuse(request: HttpRequest) -> HttpResponse {
    let Some(pattern) = request.match_pattern() else {
        return super::not_found();
    };
    let methods = METHODS.get(pattern.as_str());
    // What is no operation is a page.
    let methods = methods.map_or(Method::GET.as_str(), String::as_str);
    let text = format!(
        "{} is not for this path; it takes {methods}",
        request.method()
    );
    let mut answer = problem(StatusCode::METHOD_NOT_ALLOWED, &text);
    if let Ok(value) = HeaderValue::from_str(methods) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::{App, test};

    use super::*;

    #[actix_web::test]
    async fn a_path_with_another_method_says_which_it_takes_and_no_path_that_there_is_none() {
        let app = App::new().configure(super::super::configure);
        let app = test::init_service(app).await;
        for (method, path, status, allowed) in [
            ("DELETE", "/v1/status", 405, Some("GET")),
            ("HEAD", "/v1/tenants", 405, Some("GET, POST")),
            (
                "POST",
                "/v1/tenants/a/accounts/b",
                405,
                Some("DELETE, GET, PATCH"),
            ),
            ("POST", "/v1/communications/a/b/c/d", 405, Some("GET")),
            ("POST", "/", 405, Some("GET")),
            ("GET", "/v1/nothing", 404, None),
            ("POST", "/v1/tenants/a/accounts/b/", 404, None),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = test::TestRequest::with_uri(path).method(method.clone());
            let answer = test::call_service(&app, request.to_request()).await;
            assert_eq!(answer.status().as_u16(), status, "{method} {path}");
            let told = answer
                .headers()
                .get(ALLOW)
                .map(|value| value.to_str().unwrap());
            assert_eq!(told, allowed, "{method} {path}");
            let media = answer.headers().get(CONTENT_TYPE);
            let media = media.map(|value| value.to_str().unwrap());
            assert_eq!(media, Some("application/problem+json"), "{method} {path}");
        }
    }
}
