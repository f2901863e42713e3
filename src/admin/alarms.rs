//! What a person must act upon now.

use serde::Serialize;

use crate::crm::account::breaker::BreakerState;
use crate::crm::account::status::HeldCause;
use crate::integration::status::Health;
use crate::model::activity::Activity;
use crate::rehearsal::Candidate;
use crate::store::query::StoreFigures;

use super::check::mistakes;
use super::state::{AdminState, Overview};

/// One alarm. Ends by itself when its cause ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Alarm {
    /// A stable word.
    pub word: &'static str,
    /// What it concerns.
    pub what: String,
    /// In words.
    pub text: String,
}

/// Returns what a person must do about credentials, with the page to open where there is one.
pub(super) async fn credential_alarms(state: &AdminState, overview: &Overview) -> Vec<Alarm> {
    let mut found = Vec::new();
    for account in &overview.accounts {
        if let Some(mut text) = account.adapter.alarm().await {
            if let Ok(link) = state.consent.link(&account.tenant, &account.account) {
                text.push_str(&format!("; or open, until {}: {}", link.until, link.url));
            }
            found.push(Alarm {
                word: "credential",
                what: format!("account {}/{}", account.tenant, account.account),
                text,
            });
        }
    }
    found
}

/// Returns the alarms that stand, but those of credentials.
pub(super) fn alarms(state: &AdminState, figures: &StoreFigures) -> Vec<Alarm> {
    let mut found = Vec::new();
    for (name, child) in state.board.all() {
        if child.health == Health::Degraded {
            found.push(Alarm {
                word: "degraded",
                what: name,
                text: child
                    .last_error
                    .unwrap_or_else(|| "it is being restarted".to_owned()),
            });
        } else if let Some(why) = child.held {
            found.push(Alarm {
                word: "held",
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
                word,
                what: portal.key.to_string(),
                text,
            });
        } else if status.breaker != BreakerState::Closed {
            let text = status.last_error.map(|error| error.why);
            found.push(Alarm {
                word: "crm_down",
                what: portal.key.to_string(),
                text: text.unwrap_or_else(|| "it does not answer".to_owned()),
            });
        }
    }
    found.extend(wrong_settings(state));
    if figures.dead_letters > 0 {
        found.push(Alarm {
            word: "dead_letters",
            what: "outbox".to_owned(),
            text: format!(
                "{} step(s) were refused for good: trunkline outbox dead names them, and outbox \
                 retry, decide-again and drop act on them",
                figures.dead_letters
            ),
        });
    }
    if figures.unreadable_rows > 0 {
        found.push(Alarm {
            word: "unreadable_rows",
            what: "store".to_owned(),
            text: format!(
                "{} row(s) cannot be read; the log names them, their works are set aside",
                figures.unreadable_rows
            ),
        });
    }
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
            word: "settings",
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
