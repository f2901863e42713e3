//! What a person must act upon now.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::alarms::book::Standing;
use crate::alarms::{Alarm, Channel, ChannelState};
use crate::crm::account::breaker::BreakerState;
use crate::crm::account::status::HeldCause;
use crate::integration::status::Health;
use crate::model::activity::Activity;
use crate::rehearsal::Candidate;
use crate::store::StoreError;
use crate::store::query::StoreFigures;

use super::check::mistakes;
use super::openapi::operation::Operation;
use super::state::{AdminState, Overview};

/// Returns what a person must do about credentials, with the page to open where there is one, and
/// about portals that ask to be let in.
pub(super) async fn credential_alarms(state: &AdminState, overview: &Overview) -> Vec<Alarm> {
    let mut found = Vec::new();
    for account in &overview.accounts {
        if let Some(mut text) = account.adapter.alarm().await {
            if let Ok(link) = state.consent.link(&account.tenant, &account.account) {
                text.push_str(&format!("; or open, until {}: {}", link.until, link.url));
            }
            found.push(Alarm {
                word: "credential".to_owned(),
                what: format!("account {}/{}", account.tenant, account.account),
                text,
            });
        }
    }
    found.extend(super::installations::alarms(state).await);
    found
}

/// Returns every alarm that stands.
///
/// # Errors
/// The store cannot be read.
pub async fn standing(state: &AdminState) -> Result<Vec<Alarm>, StoreError> {
    let figures = state.store.figures().await?;
    let overview = state.overview.load_full();
    let mut found = alarms(state, &figures);
    found.extend(super::quarantine::alarm(state, &figures).await?);
    found.extend(credential_alarms(state, &overview).await);
    Ok(found)
}

/// What stands, and who is told.
#[derive(Serialize, JsonSchema)]
struct Alarms {
    /// In order of their coming.
    items: Vec<Standing>,
    /// How those who are told can be reached.
    channels: Vec<ChannelState>,
}

/// What came of trial messages.
#[derive(Serialize, JsonSchema)]
struct Trials {
    /// The ways to people.
    channels: Vec<Trial>,
}

/// What came of a trial message.
#[derive(Serialize, JsonSchema)]
struct Trial {
    /// Which way.
    channel: Channel,
    /// It was taken.
    sent: bool,
    /// Why not.
    why_not: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/alarms",
            "What stands, since when, and who was told",
            list,
        )
        .answers::<Alarms>(200, "Alarms and channels"),
        Operation::post(
            "/v1/alarms/test",
            "Send a trial message over every channel",
            trial,
        )
        .answers::<Trials>(200, "What came of it"),
    ]
}

/// Shows what stands, and how those who are told can be reached.
pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    HttpResponse::Ok().json(Alarms {
        items: state.teller.standing(),
        channels: state.teller.channels(),
    })
}

/// Sends a trial message.
pub(super) async fn trial(state: web::Data<AdminState>) -> HttpResponse {
    let results = state.teller.trial().await;
    let shown = |(channel, result): (Channel, Result<(), String>)| Trial {
        channel,
        sent: result.is_ok(),
        why_not: result.err(),
    };
    let channels = results.into_iter().map(shown).collect();
    HttpResponse::Ok().json(Trials { channels })
}

/// Returns the alarms that stand, but those of credentials and of rows that cannot be read.
pub(super) fn alarms(state: &AdminState, figures: &StoreFigures) -> Vec<Alarm> {
    let mut found = Vec::new();
    for (name, child) in state.board.all() {
        if child.health == Health::Degraded {
            found.push(Alarm {
                word: "degraded".to_owned(),
                what: name,
                text: child
                    .last_error
                    .unwrap_or_else(|| "it is being restarted".to_owned()),
            });
        } else if let Some(why) = child.held {
            found.push(Alarm {
                word: "held".to_owned(),
                what: name,
                text: why,
            });
        }
    }
    for portal in &state.overview.load().portals {
        let status = portal.http.status();
        if let Some(held) = status.held {
            let (word, text) = match held.cause {
                HeldCause::Blocked => (
                    "blocked",
                    format!(
                        "{}; ask the vendor's support to lift it, then: trunkline account resume {}",
                        held.why, portal.key
                    ),
                ),
                HeldCause::Unpaid => ("unpaid", held.why),
            };
            found.push(Alarm {
                word: word.to_owned(),
                what: portal.key.to_string(),
                text,
            });
        } else if status.breaker != BreakerState::Closed {
            let text = status.last_error.map(|error| error.why);
            found.push(Alarm {
                word: "crm_down".to_owned(),
                what: portal.key.to_string(),
                text: text.unwrap_or_else(|| "it does not answer".to_owned()),
            });
        }
    }
    found.extend(wrong_settings(state));
    if figures.dead_letters > 0 {
        found.push(Alarm {
            word: "dead_letters".to_owned(),
            what: "outbox".to_owned(),
            text: format!(
                "{} step(s) were refused for good: trunkline outbox dead names them, and outbox \
                 retry, decide-again and drop act on them",
                figures.dead_letters
            ),
        });
    }
    found.extend(state.signs.all());
    found.extend(state.teller.alarms());
    found
}

/// Names what settings in force name of a CRM that does not have it, as it was last read (V-12).
fn wrong_settings(state: &AdminState) -> Vec<Alarm> {
    let overview = state.overview.load();
    let is_on = |candidate: &&Candidate| {
        let mut integrations = overview.integrations.iter();
        let found = integrations.find(|one| one.key == candidate.integration);
        found.is_some_and(|one| one.activity != Activity::Off)
    };
    let alarm = |candidate: &Candidate| {
        let known = overview.book(&candidate.portal)?.known()?;
        let mistakes = mistakes(candidate, &known.account);
        let first = mistakes.first()?;
        Some(Alarm {
            word: "settings".to_owned(),
            what: format!("integration {}", candidate.integration),
            text: match mistakes.len() {
                1 => first.to_string(),
                count => {
                    format!("{first}; {count} mistakes in all: trunkline check-config --online")
                }
            },
        })
    };
    let candidates = overview.settings.iter().filter(is_on);
    candidates.filter_map(alarm).collect()
}
