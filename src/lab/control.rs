//! The endpoint by which a person or a script steers the simulated Asterisk of
//! `trunkline-lab serve`. The simulated accounts have their own under `/_lab/`.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, web};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::ami::{AmiServer, ScriptedCall, capture};
use super::itoolabs::{CallKind, VatsCall, VatsHandle};

/// A call that is wished for; what is left out is as recorded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    capture: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    did: String,
    #[serde(default)]
    agents: BTreeMap<String, String>,
    #[serde(default)]
    start_in_s: u32,
    #[serde(default = "as_recorded")]
    speed: f64,
}

fn as_recorded() -> f64 {
    1.0
}

/// Serves until the task is dropped.
///
/// # Errors
/// Fails when the address cannot be bound.
pub(super) async fn serve(listen: SocketAddr, ami: AmiServer, vats: VatsHandle) -> io::Result<()> {
    let ami = web::Data::new(ami);
    let vats = web::Data::new(vats);
    HttpServer::new(move || {
        App::new()
            .app_data(ami.clone())
            .app_data(vats.clone())
            .route("/vats/tell-to", web::post().to(tell_to))
            .route("/vats/play", web::post().to(play_vats))
            .route("/ami", web::get().to(show))
            .route("/ami/play", web::post().to(play))
            .route("/ami/{action}", web::post().to(act))
    })
    .workers(1)
    .disable_signals()
    .bind(listen)?
    .run()
    .await
}

async fn show(ami: web::Data<AmiServer>) -> HttpResponse {
    let captures: Vec<&str> = capture::all().iter().map(|capture| capture.name).collect();
    HttpResponse::Ok().json(json!({
        "address": ami.address().to_string(),
        "clients": ami.clients(),
        "channels": ami.living_channels(),
        "captures": captures,
    }))
}

async fn play(ami: web::Data<AmiServer>, wish: web::Json<Wish>) -> HttpResponse {
    let wish = wish.into_inner();
    let call = ScriptedCall {
        capture: wish.capture,
        client: wish.client,
        did: wish.did,
        agents: wish.agents,
        start_in: std::time::Duration::from_secs(u64::from(wish.start_in_s)),
        speed: wish.speed,
    };
    match ami.play(call) {
        // The call plays on by itself.
        Ok(handle) => {
            drop(handle);
            HttpResponse::Accepted().finish()
        }
        Err(error) => HttpResponse::BadRequest().json(json!({ "error": error.to_string() })),
    }
}

/// A call of the VATS that is wished for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VatsWish {
    call: CallKind,
    client: String,
    #[serde(default)]
    users: Vec<String>,
}

/// Enters the CRM's address, which is the body, in the cabinet of the VATS.
async fn tell_to(vats: web::Data<VatsHandle>, body: String) -> HttpResponse {
    vats.tell_to(body.trim());
    HttpResponse::NoContent().finish()
}

async fn play_vats(vats: web::Data<VatsHandle>, wish: web::Json<VatsWish>) -> HttpResponse {
    let wish = wish.into_inner();
    let call = VatsCall {
        users: wish.users,
        ..VatsCall::new(wish.call, &wish.client)
    };
    // The call plays on by itself.
    actix_web::rt::spawn(async move { vats.play(call).await });
    HttpResponse::Accepted().finish()
}

async fn act(ami: web::Data<AmiServer>, action: web::Path<String>, body: Bytes) -> HttpResponse {
    match action.as_str() {
        "cut" => ami.drop_sessions(),
        "refuse" => ami.refuse(true),
        "accept" => ami.refuse(false),
        "restart" => ami.restart(),
        "crash" => ami.crash(),
        "raw" => ami.send_raw(&body),
        _ => return HttpResponse::NotFound().finish(),
    }
    HttpResponse::NoContent().finish()
}
