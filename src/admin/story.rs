//! One communication with everything that was decided and done about it, in words.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::communication::{Phase, Snapshot};
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
use crate::store::query::Story;

use super::again::{self, Again};
use super::journal::{Line, line};
use super::openapi::operation::Operation;
use super::openapi::shapes::SourceItem;
use super::state::AdminState;

/// How a communication is told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Language of the explanation.
    lang: Option<Language>,
    /// Make each decision again from what is stored, and say what this version decides differently.
    #[serde(default)]
    again: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/communications/{tenant}/{source}/{item:.+}",
            "One communication with everything that was decided and done about it, and why",
            story,
        )
        .names::<SourceItem>("item", "The source's name of it; may hold slashes")
        .answers::<StoryView>(200, "The story")
        .refuses(404, "There is no such communication")
        .refuses(503, "The store does not answer"),
    ]
}

/// One communication with everything that was decided and done about it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Story")]
struct StoryView {
    #[serde(flatten)]
    line: Line,
    /// Why no integration takes it.
    not_taken: Option<String>,
    /// Its newest picture, as the source reported it.
    snapshot: Snapshot,
    /// What each integration decided and did.
    integrations: Vec<IntegrationView>,
    /// Its works that are not over.
    works: Vec<Work>,
    /// Remarks about it.
    notes: Vec<JournalNote>,
    /// Its recording, where it has one.
    recording: Option<RecordingView>,
}

/// The recording of a call. Its address stands in the step that gave it to the CRM.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoryRecording")]
struct RecordingView {
    /// What the phone system calls it.
    names: Vec<String>,
    #[serde(flatten)]
    state: RecordingState,
    /// When it is looked at again.
    due: Option<Timestamp>,
}

/// What one integration decided and did.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoryIntegration")]
struct IntegrationView {
    /// Which.
    integration: IntegrationKey,
    /// The client was new; null before that was decided.
    first_time: Option<bool>,
    /// In order.
    decisions: Vec<DecisionView>,
    /// What was planned, and what became of it.
    steps: Vec<LedgerStep>,
    /// What was shown while it was worth showing: cards at ringing telephones.
    passing: Vec<PassingView>,
    /// Who was told of new records past the CRM.
    notices: Vec<NoticeView>,
}

/// A word about a new record to somebody past the CRM.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoryNotice")]
struct NoticeView {
    /// What it is for.
    role: Role,
    /// The record.
    card: Card,
    #[serde(flatten)]
    way: NoticeWay,
    /// It is not sent any more after this time.
    useful_until: Timestamp,
    #[serde(flatten)]
    state: PassingState,
    /// Why.
    explanation: Vec<String>,
}

/// A card at a ringing telephone.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoryPassing")]
struct PassingView {
    /// What it is for.
    role: Role,
    /// To whom it is shown.
    audience: Audience,
    /// It is not shown any more after this time.
    useful_until: Timestamp,
    #[serde(flatten)]
    state: PassingState,
    /// Why.
    explanation: Vec<String>,
}

/// A decision.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoryDecision")]
struct DecisionView {
    /// The phase that was decided.
    phase: Phase,
    /// When.
    at: Timestamp,
    /// The revision of the settings by which it was made.
    settings_revision: u64,
    /// What it came to.
    verdict: Verdict,
    /// What was known about the client, where that was asked.
    facts: Option<FactsView>,
    /// The reasons.
    explanation: Vec<String>,
    /// What the decision comes to now; only with again=true.
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

/// Where facts came from; the records themselves are the CRM's.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StoryFacts")]
struct FactsView {
    /// When that was so.
    as_of: Timestamp,
    /// Who said so.
    origin: FactsOrigin,
    /// The contacts that have the number, by the CRM's ids.
    contacts: Vec<String>,
    /// The companies that have it, by the CRM's ids.
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
        phase: decision.phase,
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
