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
mod deal_query;
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
mod seen;
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

use self::openapi::operation::Operation;

pub use openapi::openapi;
pub use quarantine::wake_works;

/// Every operation of this endpoint, by the files of their handlers.
fn operations() -> Vec<Operation> {
    let of_files = [
        status::operations(),
        openapi::operations(),
        session::operations(),
        alarms::operations(),
        backup::operations(),
        journal::operations(),
        story::operations(),
        calls::operations(),
        discovery::operations(),
        roster::operations(),
        lookup::operations(),
        test_call::operations(),
        rehearsal::operations(),
        settings_schema::operations(),
        form::operations(),
        preview::operations(),
        staff::operations(),
        accounts::operations(),
        connection::operations(),
        sources::operations(),
        tenants::operations(),
        company::operations(),
        edits::operations(),
        employees::operations(),
        webhooks::operations(),
        settings::operations(),
        authorisation::operations(),
        mapping::operations(),
        lists::operations(),
        installations::operations(),
        check::operations(),
        guide::operations(),
        outbox::operations(),
        dead_letters::operations(),
        quarantine::operations(),
        forget::operations(),
        deals::operations(),
        directories::operations(),
    ];
    of_files.into_iter().flatten().collect()
}

/// Adds every route that needs the administrator's rights; `access` guards them.
pub fn configure(config: &mut web::ServiceConfig) {
    for operation in operations() {
        operation.register(config);
    }
    config
        .configure(pages::configure)
        .default_service(web::to(methods::refuse));
}

fn not_found() -> HttpResponse {
    problem(
        actix_web::http::StatusCode::NOT_FOUND,
        "there is nothing here",
    )
}
