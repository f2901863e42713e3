//! The stations of a call on its way to the CRM, and where it stands: pure, from what the store and
//! the status board say.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::integration::status::{ChildStatus, Health};
use crate::model::communication::Phase;
use crate::model::explanation::Language;
use crate::model::ids::IntegrationKey;
use crate::model::ledger::{Ledger, StepState, Verdict};
use crate::model::timestamp::Timestamp;
use crate::store::command::{Work, WorkState};
use crate::store::query::Story;

/// A place that a call comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Station {
    /// The link to the phone system.
    Source,
    /// The phone system told of the call.
    Event,
    /// It is on disk, and somebody takes it.
    Accepted,
    /// It is decided what becomes of it.
    Decided,
    /// Requests have left.
    Sent,
    /// The CRM has confirmed.
    Crm,
}

/// How a call stands at a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// It came through.
    Passed,
    /// It is to come, or to go on.
    Waits,
    /// It goes no further, as the settings want it.
    Ends,
    /// It goes no further, and a person must act.
    Fails,
}

/// One station with what is to be told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Stop {
    /// Which.
    pub(super) station: Station,
    /// The integration, from the decision on.
    pub(super) integration: Option<IntegrationKey>,
    /// How the call stands there: ends, as the settings want it; fails, a person must act.
    pub(super) state: Standing,
    /// In words.
    pub(super) text: String,
    /// The reasons of the decision.
    pub(super) reasons: Vec<String>,
}

/// The way of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Way {
    /// The stations, in order.
    pub(super) stations: Vec<Stop>,
    /// Nothing more will happen by itself.
    pub(super) over: bool,
    /// The CRM has confirmed everything that was decided.
    pub(super) in_crm: bool,
    /// Where it stopped, or stands.
    pub(super) stopped: Option<Station>,
}

/// What is known.
pub(super) struct Scene<'a> {
    /// The source keeps a session up; else it is posted to.
    pub(super) session: bool,
    /// How the session is.
    pub(super) source: Option<&'a ChildStatus>,
    pub(super) since: Timestamp,
    /// The number that is waited for.
    pub(super) phone: &'a str,
    /// The call.
    pub(super) story: Option<&'a Story>,
    /// The numbers of other calls that were reported since.
    pub(super) others: &'a [String],
    pub(super) language: Language,
}

/// Says where the call is.
pub(super) fn way(scene: &Scene<'_>) -> Way {
    let mut stations = vec![source(scene), event(scene)];
    let (mut over, mut in_crm) = (false, false);
    if let Some(story) = scene.story {
        let accepted = accepted(scene, story);
        let refused = accepted.state == Standing::Fails;
        stations.push(accepted);
        let keys: BTreeSet<&IntegrationKey> = story
            .ledgers
            .iter()
            .map(|(key, _)| key)
            .chain(story.works.iter().map(|work| &work.integration))
            .collect();
        for key in &keys {
            stations.extend(of_integration(scene, story, key));
        }
        let ended = has_ended(story);
        if keys.is_empty() && !refused {
            stations.push(match ended {
                true => stop(Station::Decided, Standing::Ends, scene.words(Words::Nobody)),
                false => stop(
                    Station::Decided,
                    Standing::Waits,
                    scene.words(Words::GoesOn),
                ),
            });
        }
        over = refused || (ended && story.works.is_empty());
        let is_confirmed =
            |one: &Stop| one.station == Station::Crm || one.state == Standing::Passed;
        in_crm = over
            && stations.iter().all(is_confirmed)
            && stations.iter().any(|one| one.station == Station::Crm);
    }
    let first = |standing| stations.iter().find(|one| one.state == standing);
    let stopped = if in_crm {
        None
    } else if over {
        first(Standing::Fails).or_else(|| first(Standing::Ends))
    } else {
        first(Standing::Fails).or_else(|| first(Standing::Waits))
    };
    let stopped = stopped.map(|one| one.station);
    Way {
        stations,
        over,
        in_crm,
        stopped,
    }
}

fn stop(station: Station, state: Standing, text: String) -> Stop {
    Stop {
        station,
        integration: None,
        state,
        text,
        reasons: Vec::new(),
    }
}

fn has_ended(story: &Story) -> bool {
    story.communication.snapshot.body.has_reached(Phase::Ended)
}

fn source(scene: &Scene<'_>) -> Stop {
    // A call that is here came through.
    let is_here = scene.story.is_some();
    let (state, words) = match scene.source {
        _ if !scene.session => (Standing::Passed, Words::PostedTo),
        Some(child) if child.health == Health::Up => (Standing::Passed, Words::SessionUp),
        _ if is_here => (Standing::Passed, Words::SessionWasUp),
        child => {
            let why = child.and_then(|child| child.last_error.clone());
            (Standing::Waits, Words::SessionDown(why))
        }
    };
    stop(Station::Source, state, scene.words(words))
}

fn event(scene: &Scene<'_>) -> Stop {
    let Some(story) = scene.story else {
        let seen = scene.source.and_then(|child| child.last_seen_at);
        let words = match (scene.others, seen) {
            ([], Some(at)) if at >= scene.since => Words::NoCallButEvents,
            ([], _) => Words::NoCall,
            (others, _) => Words::OtherCalls(others.to_vec()),
        };
        return stop(Station::Event, Standing::Waits, scene.words(words));
    };
    let began = story.communication.snapshot.body.started_at();
    stop(
        Station::Event,
        Standing::Passed,
        scene.words(Words::Began(began)),
    )
}

fn accepted(scene: &Scene<'_>, story: &Story) -> Stop {
    let (state, words) = match &story.communication.not_taken {
        Some(why) => (Standing::Fails, Words::NotTaken(why.clone())),
        None => (
            Standing::Passed,
            Words::Stored(story.communication.accepted_at),
        ),
    };
    stop(Station::Accepted, state, scene.words(words))
}

/// From the decision to the CRM, for one integration.
fn of_integration(scene: &Scene<'_>, story: &Story, key: &IntegrationKey) -> Vec<Stop> {
    let nothing = Ledger::default();
    let mut ledgers = story.ledgers.iter();
    let ledger = ledgers.find(|(one, _)| one == key);
    let ledger = ledger.map_or(&nothing, |(_, ledger)| ledger);
    let undecided = story.works.iter().find_map(|work| why_undecided(work, key));
    let mut stops = vec![decided(scene, story, ledger, undecided)];
    if ledger
        .decisions
        .iter()
        .any(|one| one.verdict == Verdict::Observed)
    {
        let words = scene.words(Words::Observed);
        stops.push(stop(Station::Sent, Standing::Ends, words));
    } else if !ledger.steps.is_empty() {
        stops.push(sent(scene, ledger));
        stops.extend(in_crm(scene, ledger));
    }
    for one in &mut stops {
        one.integration = Some(key.clone());
    }
    stops
}

/// Returns why a work of the integration is not decided, in so far as it says.
fn why_undecided(work: &Work, key: &IntegrationKey) -> Option<Option<String>> {
    match &work.state {
        WorkState::Undecided { why, .. } if work.integration == *key => Some(why.clone()),
        WorkState::Undecided { .. } | WorkState::Decided { .. } => None,
    }
}

fn decided(
    scene: &Scene<'_>,
    story: &Story,
    ledger: &Ledger,
    undecided: Option<Option<String>>,
) -> Stop {
    let decisions = ledger.decisions.iter();
    let (state, words) = if let Some(why) = undecided {
        (Standing::Waits, Words::NotDecided(why))
    } else if !ledger.steps.is_empty() {
        let roles = ledger.steps.iter().map(|step| step.role.to_string());
        (Standing::Passed, Words::Planned(roles.collect()))
    } else if has_ended(story) {
        (Standing::Ends, Words::NothingMade)
    } else {
        (Standing::Waits, Words::GoesOn)
    };
    let mut stop = stop(Station::Decided, state, scene.words(words));
    for reason in decisions.flat_map(|one| &one.explanation) {
        let text = reason.text(scene.language);
        if !stop.reasons.contains(&text) {
            stop.reasons.push(text);
        }
    }
    stop
}

fn sent(scene: &Scene<'_>, ledger: &Ledger) -> Stop {
    // The gravest of the steps is what the administrator must know.
    let mut found = (Standing::Passed, Words::Sent);
    for step in &ledger.steps {
        let role = step.role.to_string();
        let (state, words) = match &step.state {
            StepState::Done { .. } => continue,
            StepState::Dead { reason, .. } => (Standing::Fails, Words::Dead(role, reason.clone())),
            StepState::Dropped { reason, .. } => {
                (Standing::Ends, Words::Dropped(role, reason.clone()))
            }
            StepState::Expired { .. } => (Standing::Ends, Words::Expired(role)),
            StepState::Waiting { until, why, .. } => {
                (Standing::Waits, Words::StepWaits(role, *until, why.clone()))
            }
            StepState::Pending | StepState::InFlight { .. } => {
                (Standing::Waits, Words::UnderWay(role))
            }
        };
        let rank = |standing: Standing| match standing {
            Standing::Passed => 0,
            Standing::Ends => 1,
            Standing::Waits => 2,
            Standing::Fails => 3,
        };
        if rank(state) > rank(found.0) {
            found = (state, words);
        }
    }
    stop(Station::Sent, found.0, scene.words(found.1))
}

fn in_crm(scene: &Scene<'_>, ledger: &Ledger) -> Option<Stop> {
    let mut cards = Vec::new();
    let mut done = 0_usize;
    for step in &ledger.steps {
        if let StepState::Done { result, .. } = &step.state {
            done += 1;
            let names = result
                .cards
                .iter()
                .map(|card| format!("{} {}", card.entity, card.id));
            cards.extend(names);
        }
    }
    (done > 0).then(|| {
        let state = match done == ledger.steps.len() {
            true => Standing::Passed,
            false => Standing::Waits,
        };
        stop(Station::Crm, state, scene.words(Words::InCrm(cards)))
    })
}

impl Scene<'_> {
    fn words(&self, words: Words) -> String {
        super::station_words::text(&words, self.phone, self.language)
    }
}

/// What is said of a station.
pub(super) enum Words {
    PostedTo,
    SessionUp,
    SessionWasUp,
    SessionDown(Option<String>),
    NoCall,
    NoCallButEvents,
    OtherCalls(Vec<String>),
    Began(Timestamp),
    Stored(Timestamp),
    NotTaken(String),
    Nobody,
    GoesOn,
    NotDecided(Option<String>),
    NothingMade,
    Planned(Vec<String>),
    Observed,
    Sent,
    UnderWay(String),
    StepWaits(String, Timestamp, String),
    Dead(String, String),
    Dropped(String, String),
    Expired(String),
    InCrm(Vec<String>),
}
