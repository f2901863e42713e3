//! The public addresses of recordings. What they play is not known here; who asks for what is not
//! there counts as a stranger.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;

use super::http::{IntakeHttp, sender, stranger};

/// Answers for a token, asked by a request that came from an address; `None` = nothing has it.
pub type PlayRecording = Arc<
    dyn Fn(String, HttpRequest, Option<IpAddr>) -> LocalBoxFuture<'static, Option<HttpResponse>>
        + Send
        + Sync,
>;

pub(super) async fn play(
    state: web::Data<IntakeHttp>,
    token: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let from = sender(&request, &state.trusted_proxies);
    let answer = (state.recordings)(token.into_inner(), request.clone(), from).await;
    answer.unwrap_or_else(|| stranger(&state, &request))
}
