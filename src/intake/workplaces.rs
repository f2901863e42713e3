//! Workplaces inside of CRMs: the page that frames one, and clicks on numbers. The portal hands the
//! page its user's tokens (`crm/bitrix24.md` §12): they are read by nobody, and the workplace's own
//! page never sees them.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::crm::WidgetClicked;
use crate::model::secret::Secret;
use crate::problem::problem;

use super::http::{IntakeHttp, read_body, stranger, too_many, try_again};

/// Longest body: what a portal tells a page has some hundred bytes.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;

/// The header in which a CRM's page proves who clicks (`crm/amocrm.md` §17).
const PROOF: &str = "X-Auth-Token";

/// How long a browser may remember that it may ask.
const ASKED_FOR_SECONDS: &str = "600";

const STYLE: &str =
    "html,body,iframe{margin:0;border:0;width:100%;height:100%;display:block}body{overflow:hidden}";

/// Shows the page that frames a workplace.
pub(super) async fn page(
    state: web::Data<IntakeHttp>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    if state.crm_hooks.load().is_none() {
        return try_again("the daemon is starting; try again");
    }
    let (tenant, account) = path.into_inner();
    let Some(page) = state.workplaces.page(tenant, account).await else {
        return stranger(&state, &request);
    };
    // Read to its end and forgotten: it may hold tokens of a user.
    if let Err(refusal) = read_body(&request, body).await {
        return refusal;
    }
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; frame-src {}; frame-ancestors {}",
        page.origin,
        page.framed_by.join(" ")
    );
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"ru\"><head><meta charset=\"utf-8\"><title>Рабочее место</title>\
         <style>{STYLE}</style></head>\n<body><iframe src=\"{}\" title=\"Рабочее место\" \
         allow=\"microphone; autoplay\" referrerpolicy=\"no-referrer\"></iframe></body></html>\n",
        escaped(&page.address)
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}

/// Writes an address as it stands in a page.
fn escaped(address: &str) -> String {
    let mut text = String::new();
    for c in address.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            c => text.push(c),
        }
    }
    text
}

/// Says to a browser whether a page of the portal may send clicks.
pub(super) async fn asked(
    state: web::Data<IntakeHttp>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> HttpResponse {
    let Some(origin) = own_origin(&state, path.into_inner(), &request).await else {
        return stranger(&state, &request);
    };
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST"))
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            format!("{PROOF}, Content-Type, X-Requested-With"),
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, ASKED_FOR_SECONDS))
        .insert_header((header::VARY, "Origin"))
        .finish()
}

/// Returns the request's origin where it is the portal's.
async fn own_origin(
    state: &IntakeHttp,
    (tenant, account): (String, String),
    request: &HttpRequest,
) -> Option<HeaderValue> {
    let said = request.headers().get(header::ORIGIN)?;
    let ours = state.workplaces.origin(tenant, account).await?;
    (said.as_bytes() == ours.as_bytes()).then(|| said.clone())
}

/// What is clicked on.
#[derive(Deserialize)]
struct Wish {
    phone: String,
}

/// Has a number called.
pub(super) async fn click(
    state: web::Data<IntakeHttp>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    if state.crm_hooks.load().is_none() {
        return try_again("the daemon is starting; try again");
    }
    let (tenant, account) = path.into_inner();
    let of = (tenant.clone(), account.clone());
    let Some(origin) = own_origin(&state, of, &request).await else {
        return stranger(&state, &request);
    };
    let proof = request.headers().get(PROOF);
    let Some(proof) = proof.and_then(|proof| proof.to_str().ok()) else {
        return stranger(&state, &request);
    };
    let proof = Secret::new(proof.to_owned());
    let body = match read_body(&request, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut answer = match serde_json::from_slice::<Wish>(&body) {
        Ok(wish) => {
            let desk = &state.workplaces;
            match desk.click(tenant, account, proof, wish.phone).await {
                WidgetClicked::Stranger => return stranger(&state, &request),
                clicked => told(clicked),
            }
        }
        // What was sent is not repeated.
        Err(_) => problem(
            StatusCode::BAD_REQUEST,
            "the body must be {\"phone\": \"…\"}",
        ),
    };
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    answer
}

fn told(clicked: WidgetClicked) -> HttpResponse {
    match clicked {
        WidgetClicked::Placed { call } => HttpResponse::Accepted().json(json!({ "call": call })),
        WidgetClicked::Stranger => super::http::not_found(),
        WidgetClicked::Used => problem(
            StatusCode::CONFLICT,
            "this click was carried out already: click again",
        ),
        WidgetClicked::Nobody(why) => problem(StatusCode::CONFLICT, &why),
        WidgetClicked::NotPermitted(why) => problem(StatusCode::UNPROCESSABLE_ENTITY, &why),
        WidgetClicked::TooMany(wait) => too_many("click", wait),
        WidgetClicked::Failed(why) => problem(StatusCode::BAD_GATEWAY, &why),
    }
}
