//! What CRMs say over HTTP: that something changed. Nothing of what they say is believed: the word
//! only has what changed read sooner, over the account's own door. Which deals it is about is on
//! disk before the answer; the answer is always yes, for some CRMs stop telling anybody anything
//! for a while where it is not (`crm/planfix.md` §6).
//!
//! Some ask at the same address for a call; what that is and how it is answered knows the adapter.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;

use crate::crm::HookReply;
use crate::model::ids::IntegrationKey;
use crate::model::secret::Secret;

use super::http::{IntakeHttp, begun, read_body, stranger, try_again};
use super::path::secret_matches;

/// An account that may tell us of changes.
pub struct CrmHook {
    /// The word of its CRM in the registry, as it stands in the path.
    pub kind: &'static str,
    /// The secrets of its path; two overlap while one is replaced.
    pub secrets: Vec<Secret>,
    /// Has what changed read soon.
    pub told: Learn,
    /// Keeps which deals it is about, where deals of the account are received.
    pub deals: Option<KeepHint>,
    /// Answers what the CRM asks of the phone system, where it does.
    pub asks: Option<AnswerAsked>,
}

/// Answers what a CRM asks, from content type and body; nothing where it only tells of a change.
pub type AnswerAsked =
    Arc<dyn Fn(Option<String>, web::Bytes) -> BoxFuture<'static, Option<HookReply>> + Send + Sync>;

/// Learns of a change from the content type and the body of a webhook.
pub type Learn = Arc<dyn Fn(Option<&str>, &[u8]) + Send + Sync>;

/// Keeps what a webhook hints at, from its content type and body; returns when that is on disk, or
/// when it will be found by other means. False where it names nothing that it should.
pub type KeepHint =
    Arc<dyn Fn(Option<String>, web::Bytes) -> BoxFuture<'static, bool> + Send + Sync>;

/// The accounts that may tell; replaced at reload. Nothing as long as the daemon starts.
pub type CrmHookTable = ArcSwapOption<HashMap<IntegrationKey, CrmHook>>;

/// Takes a CRM's word. Answered at once: amoCRM waits for two seconds (`crm/amocrm.md` §14).
pub(super) async fn told(
    state: web::Data<IntakeHttp>,
    path: web::Path<(String, String, String, String)>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let (kind, tenant, integration, secret) = path.into_inner();
    let Ok(key) = format!("{tenant}/{integration}").parse::<IntegrationKey>() else {
        return stranger(&state, &request);
    };
    let Some(hooks) = begun(&state.crm_hooks).await else {
        return try_again("the daemon is starting; try again");
    };
    let Some(hook) = hooks.get(&key).filter(|hook| hook.kind == kind) else {
        return stranger(&state, &request);
    };
    if !secret_matches(&secret, &hook.secrets) {
        return stranger(&state, &request);
    }
    metrics::counter!("trunkline_crm_hooks", "kind" => hook.kind).increment(1);
    // Read to its end, or the sender might see a broken connection.
    let Ok(body) = read_body(&request, body).await else {
        // Too large, broken off, or too slow: what it told of is found by the next reading.
        unread(hook.kind);
        return HttpResponse::Ok().finish();
    };
    let headers = request.headers();
    let kind = headers.get(actix_web::http::header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    if let Some(answer) = &hook.asks
        && let Some(reply) = answer(kind.clone(), body.clone()).await
    {
        return answered(reply);
    }
    (hook.told)(kind.as_deref(), &body);
    if let Some(keep) = &hook.deals
        && !keep(kind, body).await
    {
        unread(hook.kind);
    }
    HttpResponse::Ok().finish()
}

/// Counts a webhook that named nothing that can be read.
fn unread(kind: &'static str) {
    metrics::counter!("trunkline_crm_hooks_unread", "kind" => kind).increment(1);
}

fn answered(reply: HookReply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    match reply.body.is_empty() {
        true => response.finish(),
        false => response.content_type(reply.content_type).body(reply.body),
    }
}
