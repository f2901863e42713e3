//! Requests of sources that want a certain answer: intake looks at the path's secret, the rate and
//! the bounds of the body, and the source's own part answers.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::model::ids::SourceKey;
use crate::pbx::{
    Exchange, ExchangeContext, ExchangeMethod, ExchangeReply, ExchangeRequest, Verdict,
};
use crate::problem::problem;

use super::http::{IntakeHttp, not_found, read_body, sender, too_many};
use super::sink::SourceSink;

/// Serves a request whose path is right.
pub(super) async fn serve(
    state: &IntakeHttp,
    key: &SourceKey,
    exchange: &dyn Exchange,
    request: &HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let method = match *request.method() {
        Method::GET => ExchangeMethod::Get,
        _ => ExchangeMethod::Post,
    };
    if !exchange.methods().contains(&method) {
        return not_found();
    }
    if let Err(wait) = state.flood.source(key) {
        return too_many("source", wait);
    }
    let body = match read_body(request, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let from = sender(request, &state.trusted_proxies);
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let asked = ExchangeRequest {
        method,
        content_type: content_type
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        query: request.query_string().to_owned(),
        body,
        sender: from,
    };
    let context = ExchangeContext {
        sink: Arc::new(SourceSink::new(key.clone(), state.intake.clone())),
        answerer: Arc::clone(&state.answerer),
        clock: Arc::clone(&state.intake.clock),
    };
    let reply = exchange.serve(asked, context).await;
    let from = from.map(tracing::field::display);
    match reply.verdict {
        Verdict::Taken => {}
        Verdict::Refused(why) => tracing::warn!(source = %key, from, why, "request refused"),
        Verdict::Later => tracing::warn!(source = %key, from, "request put off"),
        Verdict::Stranger => {
            let address = sender(request, &state.trusted_proxies);
            if let Err(wait) = state.flood.stranger(address) {
                return too_many("stranger", wait);
            }
            tracing::warn!(source = %key, from, "the sender did not prove who it is");
        }
    }
    response(reply)
}

fn response(reply: ExchangeReply) -> HttpResponse {
    let Ok(status) = StatusCode::from_u16(reply.status) else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "there is no answer");
    };
    let mut building = HttpResponse::build(status);
    building.insert_header((header::CONTENT_TYPE, reply.content_type));
    if let Some(after) = reply.retry_after {
        let seconds = HeaderValue::from(after.as_secs().max(1));
        building.insert_header((header::RETRY_AFTER, seconds));
    }
    building.body(reply.body)
}
