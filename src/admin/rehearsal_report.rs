//! One integration's rehearsal: reads what is recorded, has it rehearsed and writes down what
//! differs.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::communication::Kind;
use crate::model::explanation::{Explanation, Language, Reason};
use crate::model::ids::{IntegrationKey, SourceId};
use crate::model::plan::{Effect, Role, StepKind};
use crate::model::timestamp::Timestamp;
use crate::rehearsal::{
    self, Account, Candidate, Made, NotRehearsed, Record, Stage, StepDifference, Verdict,
};
use crate::rules::basis::Basis;
use crate::store::query::{JournalSearch, StoredCommunication, Story};
use crate::store::{StoreError, StoreHandle};

use super::journal::{Line, line};
use super::state::{AdminState, Overview};

/// Communications that are read at a time.
const PAGE: usize = 100;

/// The most communications of the tenant that are looked at, those included which the integration
/// does not take.
const LOOK_MAX: usize = 20_000;

/// With what the outcome is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RehearsedAgainst")]
pub(super) enum Against {
    /// With what was decided then.
    Decisions,
    /// With what the settings in force make of the same.
    SettingsInForce,
}

/// One integration's settings before and after; one of the two is there.
pub(super) struct Pair<'a> {
    pub(super) integration: &'a IntegrationKey,
    pub(super) in_force: Option<&'a Candidate>,
    pub(super) rehearsed: Option<&'a Candidate>,
}

/// What is looked at, and what is told of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Only what began at or after this time.
    pub(super) since: Option<Timestamp>,
    /// The newest of them.
    pub(super) last: usize,
    /// What comes to the same is told as well.
    pub(super) all: bool,
    /// The language of reasons.
    pub(super) language: Language,
}

/// One integration's rehearsal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RehearsalReport")]
pub(super) struct Report {
    /// Which.
    integration: IntegrationKey,
    /// When the oldest communication began that was looked at.
    oldest: Option<Timestamp>,
    /// There are older ones, which the bound left out.
    more: bool,
    /// How many came out how.
    pub(super) counts: Counts,
    /// Steps by kind, as it was.
    made_before: BTreeMap<StepKind, usize>,
    /// Steps by kind, as it would be.
    made_after: BTreeMap<StepKind, usize>,
    /// Why some were not rehearsed.
    not_rehearsed: Vec<NotRehearsedCount>,
    /// What differs, newest first; on request what comes to the same as well.
    communications: Vec<Item>,
}

/// How many communications came out how.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "RehearsalCounts")]
pub(super) struct Counts {
    /// Communications that were looked at.
    pub(super) communications: usize,
    /// They come to the same.
    same: usize,
    /// Other steps come of them.
    other_steps: usize,
    /// The same steps come of them for other reasons.
    other_reasons: usize,
    /// They could not be rehearsed.
    not_rehearsed: usize,
}

/// Why some communications were not rehearsed.
#[derive(Debug, Serialize, JsonSchema)]
struct NotRehearsedCount {
    /// As data.
    why: NotRehearsed,
    /// In words.
    text: String,
    /// How many.
    communications: usize,
}

/// One communication.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RehearsedCommunication")]
struct Item {
    #[serde(flatten)]
    line: Line,
    /// How it came out.
    difference: Told,
    /// Why it was not rehearsed.
    not_rehearsed: Option<String>,
    /// What came of it.
    before: Option<MadeView>,
    /// What would come of it.
    after: Option<MadeView>,
    /// The steps that are otherwise.
    steps: Vec<StepView>,
    /// Reasons that do not count any more.
    reasons_gone: Vec<String>,
    /// Reasons that count now.
    reasons_new: Vec<String>,
}

/// How a communication came out.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RehearsalDifference")]
enum Told {
    /// The same comes of it.
    Same,
    /// The same steps come of it for other reasons.
    Reasons,
    /// Other steps come of it.
    Steps,
    /// It could not be rehearsed.
    NotRehearsed,
}

/// What comes of a communication.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RehearsalOutcome")]
struct MadeView {
    /// The integration takes it.
    taken: bool,
    /// The steps.
    steps: Vec<StepText>,
    /// The reasons.
    explanation: Vec<String>,
    /// What had to be taken for granted.
    assumed: Vec<&'static str>,
}

/// A step in words.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RehearsalStep")]
struct StepText {
    /// What it is for.
    role: Role,
    /// What it does.
    text: String,
}

/// A step that is otherwise.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RehearsalStepChange")]
struct StepView {
    /// What it is for.
    role: Role,
    /// What it did, where there was one.
    before: Option<String>,
    /// What it would do, where there is one.
    after: Option<String>,
}

/// The revisions of settings that decisions name.
type Bases = HashMap<(IntegrationKey, u64), Basis>;

/// Rehearses what is recorded of one integration, the newest first.
pub(super) async fn report(
    state: &AdminState,
    overview: &Overview,
    pair: &Pair<'_>,
    against: Against,
    bounds: Bounds,
) -> Result<Report, StoreError> {
    let stages = Stages {
        integration: pair.integration,
        against,
        in_force: pair.in_force.map(|one| stage(overview, one)),
        rehearsed: pair.rehearsed.map(|one| stage(overview, one)),
    };
    let mut report = Report {
        integration: pair.integration.clone(),
        oldest: None,
        more: false,
        counts: Counts::default(),
        made_before: BTreeMap::new(),
        made_after: BTreeMap::new(),
        not_rehearsed: Vec::new(),
        communications: Vec::new(),
    };
    let takes = |source: &SourceId, kind: Kind| {
        let candidates = [pair.in_force, pair.rehearsed].into_iter().flatten();
        let mut takes = candidates.flat_map(|one| &one.takes);
        takes.any(|(s, k)| s == source && *k == kind)
    };
    let mut search = JournalSearch {
        tenant: Some(pair.integration.tenant.clone()),
        from: bounds.since,
        limit: PAGE,
        ..JournalSearch::default()
    };
    let mut bases = Bases::new();
    let mut looked = 0;
    loop {
        let page = state.store.search_page(search.clone()).await?;
        for found in page.found {
            looked += 1;
            let key = &found.snapshot.key;
            if !takes(&key.source.source, found.snapshot.body.kind()) {
                continue;
            }
            if report.counts.communications >= bounds.last {
                report.more = true;
                return Ok(report);
            }
            let Some(story) = state.store.story(key.clone()).await? else {
                continue;
            };
            read_bases(&state.store, &story, &mut bases).await?;
            let outcome = stages.run(&story, &bases);
            report.note(&found, outcome, bounds);
        }
        let Some(next) = page.next else {
            return Ok(report);
        };
        if looked >= LOOK_MAX {
            report.more = true;
            return Ok(report);
        }
        search.after = Some(next);
    }
}

fn stage<'a>(overview: &'a Overview, candidate: &'a Candidate) -> Result<Stage<'a>, NotRehearsed> {
    let mut accounts = overview.accounts.iter();
    match accounts.find(|account| account.portal == candidate.portal) {
        Some(account) => {
            let stage = Stage::new(candidate, account.adapter.capabilities())?;
            let known = overview
                .book(&candidate.portal)
                .and_then(|book| book.known());
            Ok(
                stage
                    .with_fields(known.map_or_else(Vec::new, |known| known.account.fields.clone())),
            )
        }
        None => Err(NotRehearsed::PortalNotInForce(candidate.portal.clone())),
    }
}

/// Reads the revisions of settings that the decisions of a story name.
async fn read_bases(
    store: &StoreHandle,
    story: &Story,
    bases: &mut Bases,
) -> Result<(), StoreError> {
    for (integration, ledger) in &story.ledgers {
        for decision in &ledger.decisions {
            let name = (integration.clone(), decision.settings);
            if bases.contains_key(&name) {
                continue;
            }
            let stored = store.settings(integration.clone(), Some(decision.settings));
            // One that cannot be read leaves unknown what was asked then, no more.
            let basis = match stored.await {
                Ok(stored) => stored.and_then(|(_, value)| Basis::from_stored(value).ok()),
                Err(StoreError::Unreadable { .. }) => None,
                Err(error) => return Err(error),
            };
            if let Some(basis) = basis {
                bases.insert(name, basis);
            }
        }
    }
    Ok(())
}

/// What is run over every communication.
struct Stages<'a> {
    integration: &'a IntegrationKey,
    against: Against,
    in_force: Option<Result<Stage<'a>, NotRehearsed>>,
    rehearsed: Option<Result<Stage<'a>, NotRehearsed>>,
}

impl Stages<'_> {
    fn run(&self, story: &Story, bases: &Bases) -> Result<(Made, Made), NotRehearsed> {
        let accounts: Vec<Account<'_>> = story
            .ledgers
            .iter()
            .map(|(integration, ledger)| Account {
                integration,
                ledger,
            })
            .collect();
        let record = Record {
            snapshot: &story.communication.snapshot,
            accounts: &accounts,
            waits: !story.works.is_empty(),
        };
        let basis_of =
            |integration: &IntegrationKey, revision| bases.get(&(integration.clone(), revision));
        let run = |stage: &Option<Result<Stage<'_>, NotRehearsed>>| match stage {
            Some(Ok(stage)) => rehearsal::rehearse(stage, &record, &basis_of),
            Some(Err(not)) => Err(not.clone()),
            // An integration that is not there takes nothing.
            None => Ok(Made::default()),
        };
        let after = run(&self.rehearsed)?;
        let before = match self.against {
            Against::SettingsInForce => run(&self.in_force)?,
            Against::Decisions => rehearsal::stored(&record, self.integration)?,
        };
        Ok((before, after))
    }
}

impl Report {
    /// Writes down how a communication came out.
    fn note(
        &mut self,
        found: &StoredCommunication,
        outcome: Result<(Made, Made), NotRehearsed>,
        bounds: Bounds,
    ) {
        self.counts.communications += 1;
        self.oldest = Some(found.snapshot.body.started_at());
        let item = match outcome {
            Ok((before, after)) => {
                count(&before, &mut self.made_before);
                count(&after, &mut self.made_after);
                let item = compared(found, &before, &after, bounds.language);
                match item.difference {
                    Told::Same => self.counts.same += 1,
                    Told::Reasons => self.counts.other_reasons += 1,
                    Told::Steps => self.counts.other_steps += 1,
                    Told::NotRehearsed => {}
                }
                item
            }
            Err(why) => {
                self.counts.not_rehearsed += 1;
                let text = why.text(bounds.language);
                match self.not_rehearsed.iter_mut().find(|one| one.why == why) {
                    Some(known) => known.communications += 1,
                    None => self.not_rehearsed.push(NotRehearsedCount {
                        why,
                        text: text.clone(),
                        communications: 1,
                    }),
                }
                not_rehearsed(found, text)
            }
        };
        if bounds.all || !matches!(item.difference, Told::Same) {
            self.communications.push(item);
        }
    }
}

fn count(made: &Made, counts: &mut BTreeMap<StepKind, usize>) {
    for step in &made.steps {
        *counts.entry(step.effect.kind()).or_default() += 1;
    }
}

fn compared(found: &StoredCommunication, before: &Made, after: &Made, language: Language) -> Item {
    let difference = rehearsal::compare(before, after);
    let words = |reasons: &[Reason]| -> Vec<String> {
        reasons.iter().map(|reason| reason.text(language)).collect()
    };
    Item {
        line: line(found),
        difference: match difference.verdict {
            Verdict::Same => Told::Same,
            Verdict::Reasons => Told::Reasons,
            Verdict::Steps => Told::Steps,
        },
        not_rehearsed: None,
        before: Some(made_view(before, language)),
        after: Some(made_view(after, language)),
        steps: difference.steps.iter().map(step_view).collect(),
        reasons_gone: words(&difference.reasons_gone),
        reasons_new: words(&difference.reasons_new),
    }
}

fn not_rehearsed(found: &StoredCommunication, why: String) -> Item {
    Item {
        line: line(found),
        difference: Told::NotRehearsed,
        not_rehearsed: Some(why),
        before: None,
        after: None,
        steps: Vec::new(),
        reasons_gone: Vec::new(),
        reasons_new: Vec::new(),
    }
}

fn step_view(step: &StepDifference) -> StepView {
    let text = |effect: &Option<Effect>| effect.as_ref().map(ToString::to_string);
    StepView {
        role: step.role.clone(),
        before: text(&step.before),
        after: text(&step.after),
    }
}

fn made_view(made: &Made, language: Language) -> MadeView {
    let sentences = |explanation: &Explanation| explanation.sentences(language).collect();
    MadeView {
        taken: made.taken,
        steps: made
            .steps
            .iter()
            .map(|step| StepText {
                role: step.role.clone(),
                text: step.effect.to_string(),
            })
            .collect(),
        explanation: sentences(&made.explanation),
        assumed: made.assumed.iter().map(|one| one.text(language)).collect(),
    }
}
