//! One communication with everything that was decided and done about it, in words.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::communication::Snapshot;
use crate::model::explanation::{Language, Reason};
use crate::model::facts::{ContactFact, Facts, FactsOrigin};
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::ledger::{Decision, Ledger, LedgerStep, Verdict};
use crate::model::notice::NoticeWay;
use crate::model::passing::{Audience, PassingState};
use crate::model::plan::{Card, Role};
use crate::model::recording::RecordingState;
use crate::model::timestamp::Timestamp;
use crate::problem::{problem, problem_with};
use crate::store::command::{JournalNote, Work};
use crate::store::query::{JournalOutcome, Story};

use super::again::{self, Again};
use super::journal::{Line, line};
use super::state::AdminState;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    lang: Option<Language>,
    /// Each decision is made again from what is stored.
    #[serde(default)]
    again: bool,
}

#[derive(Serialize)]
struct StoryView {
    #[serde(flatten)]
    line: Line,
    outcome: JournalOutcome,
    not_taken: Option<String>,
    snapshot: Snapshot,
    integrations: Vec<IntegrationView>,
    works: Vec<Work>,
    notes: Vec<JournalNote>,
    recording: Option<RecordingView>,
}

/// The recording of a call. Its address stands in the step that gave it to the CRM.
#[derive(Serialize)]
struct RecordingView {
    names: Vec<String>,
    #[serde(flatten)]
    state: RecordingState,
    due: Option<Timestamp>,
}

#[derive(Serialize)]
struct IntegrationView {
    integration: IntegrationKey,
    first_time: Option<bool>,
    decisions: Vec<DecisionView>,
    steps: Vec<LedgerStep>,
    /// What was shown while it was worth showing.
    passing: Vec<PassingView>,
    /// Who was told of new records past the CRM.
    notices: Vec<NoticeView>,
}

#[derive(Serialize)]
struct NoticeView {
    role: Role,
    card: Card,
    #[serde(flatten)]
    way: NoticeWay,
    useful_until: Timestamp,
    #[serde(flatten)]
    state: PassingState,
    explanation: Vec<String>,
}

#[derive(Serialize)]
struct PassingView {
    role: Role,
    audience: Audience,
    useful_until: Timestamp,
    #[serde(flatten)]
    state: PassingState,
    explanation: Vec<String>,
}

#[derive(Serialize)]
struct DecisionView {
    phase: String,
    at: Timestamp,
    settings_revision: u64,
    verdict: Verdict,
    /// What was known about the client, where that was asked.
    facts: Option<FactsView>,
    explanation: Vec<String>,
    /// What this version comes to, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

/// Where facts came from; the records themselves are the CRM's.
#[derive(Debug, Serialize)]
struct FactsView {
    as_of: Timestamp,
    origin: FactsOrigin,
    contacts: Vec<String>,
    companies: Vec<String>,
}

impl FactsView {
    fn of(facts: &Facts) -> Self {
        let ids = |cards: &[ContactFact]| cards.iter().map(|card| card.id.clone()).collect();
        Self {
            as_of: facts.as_of,
            origin: facts.origin,
            contacts: ids(&facts.contacts),
            companies: ids(&facts.companies),
        }
    }
}

pub(super) async fn story(
    state: web::Data<AdminState>,
    path: web::Path<(String, String, String)>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (tenant, source, item) = path.into_inner();
    let key = match format!("{tenant}/{source}/{item}").parse::<CommunicationKey>() {
        Ok(key) => key,
        Err(error) => {
            let members = [("parameter", json!("item"))];
            return problem_with(StatusCode::BAD_REQUEST, &error.to_string(), &members);
        }
    };
    let language = query.lang.unwrap_or(state.language);
    match state.store.story(key).await {
        Ok(Some(mut story)) => {
            for work in &mut story.works {
                state.say_what_it_waits_for(work);
            }
            let again = if query.again {
                match again::of_story(&state, &story, language).await {
                    Ok(again) => again,
                    Err(error) => {
                        return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
                    }
                }
            } else {
                Vec::new()
            };
            HttpResponse::Ok().json(view(story, again, language))
        }
        Ok(None) => problem(StatusCode::NOT_FOUND, "there is no such communication"),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// `again` has an entry for each decision of each ledger, or is empty.
fn view(story: Story, again: Vec<Vec<Again>>, language: Language) -> StoryView {
    let mut again = again.into_iter();
    StoryView {
        line: line(&story.communication),
        outcome: story.communication.outcome,
        not_taken: story.communication.not_taken,
        snapshot: story.communication.snapshot,
        integrations: story
            .ledgers
            .into_iter()
            .map(|(integration, ledger)| {
                integration_view(integration, ledger, again.next(), language)
            })
            .collect(),
        works: story.works,
        notes: story.notes,
        recording: story.recording.map(|recording| RecordingView {
            names: recording.names,
            state: recording.state,
            due: recording.due,
        }),
    }
}

fn integration_view(
    integration: IntegrationKey,
    ledger: Ledger,
    again: Option<Vec<Again>>,
    language: Language,
) -> IntegrationView {
    let mut again = again.unwrap_or_default().into_iter();
    IntegrationView {
        integration,
        first_time: ledger.first_time,
        decisions: ledger
            .decisions
            .iter()
            .map(|one| decision_view(one, again.next(), language))
            .collect(),
        steps: ledger.steps,
        passing: ledger
            .passing
            .into_iter()
            .map(|step| PassingView {
                role: step.role,
                audience: step.audience,
                useful_until: step.useful_until,
                state: step.state,
                explanation: step.reasons.iter().map(|one| one.text(language)).collect(),
            })
            .collect(),
        notices: ledger
            .notices
            .into_iter()
            .map(|notice| NoticeView {
                role: notice.role,
                card: notice.card,
                way: notice.way,
                useful_until: notice.useful_until,
                state: notice.state,
                explanation: notice
                    .reasons
                    .iter()
                    .map(|one| one.text(language))
                    .collect(),
            })
            .collect(),
    }
}

fn decision_view(decision: &Decision, again: Option<Again>, language: Language) -> DecisionView {
    // No reason of the decision itself: it is what it would be if the integration were on.
    let observes = (decision.verdict == Verdict::Observed).then_some(Reason::IntegrationObserves);
    DecisionView {
        phase: decision.phase.to_string(),
        at: decision.at,
        settings_revision: decision.settings,
        verdict: decision.verdict,
        facts: decision.facts.as_ref().map(FactsView::of),
        explanation: decision
            .explanation
            .iter()
            .chain(observes.as_ref())
            .map(|reason| reason.text(language))
            .collect(),
        again,
    }
}
