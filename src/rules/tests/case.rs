//! One case of a table: read, decided, written as text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::{Table, Value};

use crate::model::call::Call;
use crate::model::capabilities::{CallHistoryManner, Capabilities, Certainty, StepCapability};
use crate::model::communication::{Body, Kind, Phase, Snapshot};
use crate::model::employee::Employees;
use crate::model::explanation::{Explanation, Language};
use crate::model::facts::Facts;
use crate::model::ids::AccountId;
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState, Verdict};
use crate::model::outcome::StepResult;
use crate::model::plan::{Card, Effect, Entity, Plan, PlannedStep, StepKind};
use crate::model::recording::RecordingAddress;
use crate::model::timestamp::Timestamp;
use crate::rules::settings::IntegrationSettings;
use crate::rules::situation::Situation;
use crate::rules::{Triage, plan, replaced, triage};

/// Checks a table against its snapshot.
#[track_caller]
pub(super) fn check(name: &str) {
    let file = read(&folder().join(format!("{name}.toml")));
    let mut top = read(&folder().join("base.toml"));
    let mut own = file.clone();
    let cases = own.remove("case").expect("a table has cases");
    lay_over(&mut top, own);
    let mut text = String::new();
    for case in cases.as_array().expect("cases are a list") {
        let case = case.as_table().expect("a case is a table");
        text.push_str(&tell(&top, case));
    }
    insta::with_settings!({
        snapshot_path => folder(),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

/// Returns the names of the tables.
pub(super) fn tables() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a plain name"));
    let tables = names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned));
    tables.filter(|name| name != "base").collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rules")
}

fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Lays values over others, key by key. A table with a `kind` is one value and replaces all.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if !above.contains_key("kind") => {
                lay_over(below, above);
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// The values of one decision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    phase: Phase,
    now: Timestamp,
    source_name: String,
    account: AccountId,
    call: Call,
    facts: Facts,
    ledger: Ledger,
    settings: IntegrationSettings,
    employees: Employees,
    capabilities: Offer,
    #[serde(default)]
    recording: Option<RecordingAddress>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    steps: Vec<StepKind>,
    phases: Vec<(Kind, Phase)>,
    #[serde(default)]
    calls: CallHistoryManner,
}

impl Case {
    /// Builds a case: the call's shape and the client by their names, then the case's own values.
    fn build(top: &Table, own: &Table) -> Self {
        let mut table = top.clone();
        lay_over(&mut table, own.clone());
        let shapes = take_table(&mut table, "shapes");
        let clients = take_table(&mut table, "clients");
        let shape = take_text(&mut table, "shape");
        let client = take_text(&mut table, "client");
        let mut call = top["call"].as_table().expect("a table").clone();
        lay_over(
            &mut call,
            shapes[&shape].as_table().expect("a shape").clone(),
        );
        if let Some(own) = own.get("call") {
            lay_over(&mut call, own.as_table().expect("a table").clone());
        }
        table.insert("call".to_owned(), Value::Table(call));
        table.insert("facts".to_owned(), clients[&client].clone());
        Value::Table(table).try_into().expect("a case")
    }
}

fn take_table(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Value::Table(inner)) => inner,
        other => panic!("{key} is {other:?}"),
    }
}

fn take_text(table: &mut Table, key: &str) -> String {
    match table.remove(key) {
        Some(Value::String(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

/// What an earlier decision about the same call came to: `after = { contact = "done", … }` gives
/// its steps their states, `first` lays values over the case for that decision only, `first_phase`
/// is the phase that it decided.
struct Earlier {
    states: Table,
    first: Table,
    phase: Option<Value>,
}

impl Earlier {
    fn take(own: &mut Table) -> Option<Self> {
        let first = own.remove("first");
        let phase = own.remove("first_phase");
        let Some(Value::Table(states)) = own.remove("after") else {
            return None;
        };
        let first = first.map_or_else(Table::new, |first| {
            first.as_table().expect("a table").clone()
        });
        Some(Self {
            states,
            first,
            phase,
        })
    }

    fn ledger(self, top: &Table, own: &Table) -> Ledger {
        let mut before = own.clone();
        lay_over(&mut before, self.first);
        let case = Case::build(top, &before);
        let planned = decide(&case).1;
        let phase = self
            .phase
            .map_or(case.phase, |phase| phase.try_into().expect("a phase"));
        let roles = planned.steps.iter().map(|step| step.role.clone()).collect();
        let ledger = Ledger {
            first_time: planned.first_time,
            decisions: vec![Decision {
                work: 1,
                phase,
                at: case.now,
                revision: 1,
                settings: 1,
                portal: None,
                recording: None,
                facts: Some(case.facts),
                verdict: Verdict::Planned,
                explanation: planned.explanation,
                roles,
                seen: None,
            }],
            steps: planned
                .steps
                .into_iter()
                .map(|step| self.states[&step.role.0].as_str().map(|word| (step, word)))
                .map(|step| step.expect("a state for every step"))
                .map(|(step, word)| ledger_step(step, word, case.now))
                .collect(),
            passing: Vec::new(),
            notices: Vec::new(),
        };
        assert_eq!(
            ledger.steps.len(),
            self.states.len(),
            "a step for every state"
        );
        ledger
    }
}

fn ledger_step(step: PlannedStep, word: &str, at: Timestamp) -> LedgerStep {
    let reason = "as the case wants".to_owned();
    let (state, attempts) = match word {
        "pending" => (StepState::Pending, 0),
        "in_flight" => (StepState::InFlight { since: at }, 1),
        "done" => (
            StepState::Done {
                at,
                result: result(&step.effect),
            },
            1,
        ),
        "waiting" => {
            let why = reason;
            (
                StepState::Waiting {
                    until: at,
                    why,
                    look_first: true,
                    settles_at: None,
                },
                3,
            )
        }
        "dead" => (StepState::Dead { at, reason }, 1),
        "dropped" => (StepState::Dropped { at, reason }, 0),
        "expired" => (StepState::Expired { at }, 0),
        other => panic!("no state {other}"),
    };
    LedgerStep {
        role: step.role,
        work: 1,
        effect: step.effect,
        state,
        attempts,
        first_sent_at: (attempts > 0).then_some(at),
    }
}

fn result(effect: &Effect) -> StepResult {
    let entity = match effect {
        Effect::CreateContact(_) => Entity::Contact,
        Effect::CreateDeal(_) => Entity::Deal,
        Effect::CreateUnsorted(_) => Entity::Unsorted,
        Effect::RecordCall(_) | Effect::LinkRecording(_) => Entity::CallRecord,
        Effect::CreateTask(_) => Entity::Task,
        Effect::CreateLead(_) => Entity::Lead,
        Effect::FillFields(_) => Entity::Fields,
        Effect::AddNote(_) => Entity::Note,
        Effect::HandOver(_) | Effect::AwaitContact(_) => Entity::Contact,
        Effect::Notify(_) => Entity::Notice,
    };
    let id = "9001".to_owned();
    StepResult {
        cards: vec![Card { entity, id }],
        ..StepResult::default()
    }
}

fn tell(top: &Table, own: &Table) -> String {
    let mut own = own.clone();
    let name = take_text(&mut own, "name");
    let earlier = Earlier::take(&mut own);
    let mut case = Case::build(top, &own);
    if let Some(earlier) = earlier {
        case.ledger = earlier.ledger(top, &own);
    }
    let (triaged, planned, replaced) = decide(&case);
    let mut text = format!("== {name}\n");
    match &triaged {
        Triage::Ignore(why) => {
            assert_eq!(planned.steps, [], "what is ignored has no steps");
            assert_eq!(planned.explanation, *why, "one reason, whoever asks");
            text.push_str("ignored\n");
        }
        Triage::Plan(plan) => {
            assert_eq!(**plan, planned, "the same plan, whoever asks");
            let _ = write!(text, "asks nothing\n{planned}");
        }
        Triage::Ask(query) => {
            let deals = if query.deals { " and deals" } else { "" };
            let _ = writeln!(text, "asks about {:?}{deals}", query.phones[0].as_str());
            let _ = write!(text, "{planned}");
            if !replaced.is_empty() {
                let _ = writeln!(text, "instead of {}", replaced.join(", "));
            }
            let first_time = planned.first_time.expect("it is settled");
            let _ = writeln!(text, "first time: {first_time}");
        }
    }
    tell_why(&mut text, &planned.explanation);
    text.push('\n');
    text
}

fn tell_why(text: &mut String, explanation: &Explanation) {
    for sentence in explanation.sentences(Language::Ru) {
        let _ = writeln!(text, "- {sentence}");
    }
}

fn decide(case: &Case) -> (Triage, Plan, Vec<String>) {
    let snapshot = Snapshot {
        key: "romashka/office/1763629200.17".parse().expect("a key"),
        revision: 4,
        body: Body::Call {
            call: case.call.clone(),
        },
    };
    let step = |kind: &StepKind| StepCapability {
        kind: *kind,
        certainty: Certainty::BySearch,
        batch_max: 50,
    };
    let capabilities = Capabilities {
        steps: case.capabilities.steps.iter().map(step).collect(),
        phases: case.capabilities.phases.clone(),
        calls: case.capabilities.calls,
    };
    let zone = TimeZone::get("Europe/Moscow").expect("a zone");
    let situation = Situation {
        snapshot: &snapshot,
        phase: case.phase,
        work: 1,
        ledger: &case.ledger,
        settings: &case.settings,
        employees: &case.employees,
        account: &case.account,
        capabilities: &capabilities,
        source_name: &case.source_name,
        time_zone: &zone,
        recording: case.recording.as_ref(),
        now: case.now,
    };
    let planned = plan(&situation, &case.facts);
    assert_eq!(
        planned,
        plan(&situation, &case.facts),
        "the same values, the same plan"
    );
    let replaced = replaced(&situation).into_iter().map(|role| role.0.clone());
    (triage(&situation), planned, replaced.collect())
}
