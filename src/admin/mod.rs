//! The administrator's endpoint on loopback and the local socket: state, journal, explanations,
//! outbox and dead letters, metrics; and the pages over all of it.

pub mod access;
mod accounts;
mod again;
pub mod alarms;
mod authorisation;
mod backup;
mod body;
mod calls;
mod check;
mod company;
mod connection;
mod dead_letters;
mod deals;
mod directories;
pub mod discovery;
mod edits;
pub mod employees;
mod forget;
mod form;
mod guide;
mod installations;
mod journal;
mod language;
mod lists;
mod lookup;
mod mapping;
mod methods;
mod openapi;
mod outbox;
mod pages;
mod preview;
mod quarantine;
mod rehearsal;
mod rehearsal_report;
pub mod roster;
mod session;
pub mod sessions;
mod settings;
mod settings_schema;
mod sources;
pub mod spoken;
mod staff;
pub mod state;
mod station_words;
mod stations;
mod status;
mod story;
pub mod tenant_files;
mod tenants;
mod test_call;
mod webhooks;

use actix_web::{HttpResponse, web};

use crate::problem::problem;

pub use openapi::DOCUMENT as OPENAPI;
pub use quarantine::wake_works;

/// Adds every route that needs the administrator's rights; `access` guards them.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(status::healthz))
        .route("/readyz", web::get().to(status::readyz))
        .route("/metrics", web::get().to(status::metrics))
        .route("/openapi.json", web::get().to(openapi::serve))
        .route("/v1/session", web::get().to(session::show))
        .route("/v1/session", web::post().to(session::begin))
        .route("/v1/session", web::delete().to(session::end))
        .route("/v1/status", web::get().to(status::status))
        .route("/v1/alarms", web::get().to(alarms::list))
        .route("/v1/alarms/test", web::post().to(alarms::trial))
        .route("/v1/backup", web::post().to(backup::make))
        .route("/v1/journal", web::get().to(journal::search))
        .route("/v1/journal/notes", web::get().to(journal::notes))
        .route(
            "/v1/communications/{tenant}/{source}/{item:.+}",
            web::get().to(story::story),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}/calls",
            web::post().to(calls::place),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}/discovery",
            web::get().to(discovery::discover),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}/roster",
            web::get().to(roster::read),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}/lookup",
            web::get().to(lookup::lookup),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}/test-call",
            web::get().to(test_call::follow),
        )
        .route("/v1/rehearsal", web::post().to(rehearsal::rehearse))
        .route("/v1/settings/schema", web::get().to(settings_schema::serve))
        .route("/v1/settings/form", web::get().to(form::of_settings))
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/form",
            web::get().to(form::of_integration),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/preview",
            web::post().to(preview::preview),
        )
        .route("/v1/tenants/{tenant}/employees", web::get().to(staff::show))
        .route(
            "/v1/tenants/{tenant}/employees",
            web::put().to(staff::replace),
        )
        .route("/v1/accounts", web::get().to(accounts::list))
        .route("/v1/crms", web::get().to(connection::crms))
        .route("/v1/source-kinds", web::get().to(sources::kinds))
        .route("/v1/tenants", web::get().to(tenants::list))
        .route("/v1/tenants", web::post().to(tenants::add))
        .route("/v1/tenants/{tenant}", web::get().to(tenants::show))
        .route("/v1/tenants/{tenant}/company", web::get().to(company::show))
        .route(
            "/v1/tenants/{tenant}/company",
            web::put().to(company::replace),
        )
        .route("/v1/tenants/{tenant}/sources", web::post().to(sources::add))
        .route(
            "/v1/tenants/{tenant}/sources/{source}",
            web::get().to(sources::show),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}",
            web::put().to(sources::replace),
        )
        .route(
            "/v1/tenants/{tenant}/sources/{source}",
            web::delete().to(sources::remove),
        )
        .route(
            "/v1/tenants/{tenant}/accounts",
            web::post().to(tenants::add_account),
        )
        .route(
            "/v1/tenants/{tenant}/integrations",
            web::post().to(tenants::add_integration),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}",
            web::get().to(edits::account),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}",
            web::patch().to(edits::change_account),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}",
            web::delete().to(edits::remove_account),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}",
            web::get().to(edits::integration),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}",
            web::patch().to(edits::change_integration),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}",
            web::delete().to(edits::remove_integration),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/employees",
            web::get().to(employees::show),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/employees/sync",
            web::post().to(employees::sync),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/webhook",
            web::get().to(webhooks::show),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/webhook",
            web::post().to(webhooks::copy),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/settings",
            web::get().to(settings::show),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/settings",
            web::put().to(settings::replace),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}/authorisation",
            web::post().to(authorisation::authorise),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}/authorisation",
            web::delete().to(authorisation::forget),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}/authorisation/link",
            web::post().to(authorisation::link),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}/connection",
            web::post().to(connection::check),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}/mapping",
            web::get().to(mapping::report),
        )
        .route(
            "/v1/tenants/{tenant}/accounts/{account}/lists",
            web::get().to(lists::show),
        )
        .route("/v1/installations", web::get().to(installations::list))
        .route(
            "/v1/installations/{id}/accept",
            web::post().to(installations::accept),
        )
        .route(
            "/v1/installations/{id}",
            web::delete().to(installations::refuse),
        )
        .route("/v1/check", web::post().to(check::check))
        .route("/v1/guide", web::get().to(guide::show))
        .route("/v1/outbox", web::get().to(outbox::list))
        .route("/v1/dead-letters", web::get().to(dead_letters::list))
        .route(
            "/v1/dead-letters/{wish}",
            web::post().to(dead_letters::revive),
        )
        .route("/v1/store/quarantine", web::get().to(quarantine::list))
        .route("/v1/store/quarantine/{id}", web::get().to(quarantine::show))
        .route(
            "/v1/store/quarantine/{id}",
            web::delete().to(quarantine::give_up),
        )
        .route(
            "/v1/store/quarantine/{id}/put-back",
            web::post().to(quarantine::put_back),
        )
        .route("/v1/accounts/resume", web::post().to(accounts::resume))
        .route("/v1/forget", web::post().to(forget::forget))
        .route("/v1/deals", web::get().to(deals::places))
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/deals",
            web::get().to(deals::list),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/deals/export",
            web::get().to(deals::export),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/deals/sync",
            web::post().to(deals::sync),
        )
        .route(
            "/v1/tenants/{tenant}/integrations/{integration}/deals/by-id/{deal}",
            web::get().to(deals::show),
        )
        .route("/v1/directories", web::get().to(directories::list))
        .route("/v1/directories/sync", web::post().to(directories::sync))
        .configure(pages::configure)
        .default_service(web::to(methods::refuse));
}

fn not_found() -> HttpResponse {
    problem(
        actix_web::http::StatusCode::NOT_FOUND,
        "there is nothing here",
    )
}
