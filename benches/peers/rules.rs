//! How many calls are decided in a second by a realistic settings file, beside the same filter and
//! templates as a script of an embedded engine, compiled once.
//!
//! The daemon's decision is the whole of it: the plan of every step, and the explanation with what
//! each of the 40 conditions saw. The script only says whether the call passes and writes the texts.
//! Both are shown the same calls, and before anything is measured they must say the same of each.

use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::tz::TimeZone;
use rhai::{AST, Array, Dynamic, Engine, Map, Scope};
use tokio::time::Instant;
use trunkline::model::capabilities::{Capabilities, Certainty, StepCapability};
use trunkline::model::communication::{Kind, Phase, Snapshot};
use trunkline::model::employee::Employees;
use trunkline::model::facts::Facts;
use trunkline::model::ids::AccountId;
use trunkline::model::ledger::Ledger;
use trunkline::model::plan::{Effect, FieldFill, Plan, StepKind};
use trunkline::model::timestamp::Timestamp;
use trunkline::rules::plan;
use trunkline::rules::settings::IntegrationSettings;
use trunkline::rules::situation::Situation;

use super::rules_scene::{self, Seen};
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::{Beside, Table};

/// What is measured at once.
const EVALUATIONS: usize = 10_000;
/// Rounds; each candidate once in each.
const ROUNDS: usize = 7;
/// The machine cools down between two candidates.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn measure(_: &Scene, table: &mut Table) -> anyhow::Result<()> {
    say("rules: ten thousand decisions, and as many runs of a script");
    let ours = Ours::new()?;
    let script = Script::new()?;
    let seen = rules_scene::calls();
    let shown = seen.iter().map(|call| Shown::new(call, &script));
    let shown = shown.collect::<anyhow::Result<Vec<Shown>>>()?;
    let accepted = agree(&ours, &script, &shown)?;
    say(&format!(
        "rules: both agree on {} calls, {accepted} of which pass the filter",
        shown.len()
    ));
    let (mut own, mut peer) = (Samples::default(), Samples::default());
    for round in 0..=ROUNDS {
        let rate = rate(&shown, |call| Ok(ours.decide(call).steps.len()))?;
        tokio::time::sleep(PAUSE).await;
        let script_rate = self::rate(&shown, |call| Ok(script.decide(call)?.len()))?;
        tokio::time::sleep(PAUSE).await;
        // The first one warms up.
        if round > 0 {
            own.push(rate);
            peer.push(script_rate);
        }
    }
    let beside = Beside {
        short: "rhai",
        peer: "rhai 1, a script compiled once".to_owned(),
        samples: peer,
    };
    table.compare("rules", "/s", &own, &[beside]);
    Ok(())
}

/// Decides in turn until there were enough; returns decisions a second.
fn rate(shown: &[Shown], decide: impl Fn(&Shown) -> anyhow::Result<usize>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut made = 0;
    for call in shown.iter().cycle().take(EVALUATIONS) {
        made += decide(call)?;
    }
    let took = began.elapsed();
    // What comes of it is used, so that none of it can be left out.
    ensure!(made > 0, "nothing was decided");
    Ok(EVALUATIONS as f64 / took.as_secs_f64())
}

/// Has both decide every call; returns how many pass.
fn agree(ours: &Ours, script: &Script, shown: &[Shown]) -> anyhow::Result<usize> {
    let mut accepted = 0;
    for (position, call) in shown.iter().enumerate() {
        let own = texts(&ours.decide(call));
        let other = script.decide(call)?;
        ensure!(
            own == other,
            "call {position}: {own:?}, but by the script {other:?}"
        );
        accepted += usize::from(!own.is_empty());
    }
    let some = accepted > 0 && accepted < shown.len();
    ensure!(some, "the filter lets all or none pass: {accepted}");
    Ok(accepted)
}

/// Returns what the templates made, in the order of the script.
fn texts(plan: &Plan) -> Vec<String> {
    let mut texts = Vec::new();
    for step in &plan.steps {
        match &step.effect {
            Effect::CreateContact(contact) => {
                texts.push(format!("contact {}", contact.name));
                texts.extend(contact.fields.iter().map(filled));
            }
            Effect::CreateDeal(deal) => {
                texts.push(format!("deal {}", deal.name));
                texts.extend(deal.fields.iter().map(filled));
            }
            Effect::CreateTask(task) => texts.push(format!("task {}", task.text)),
            Effect::FillFields(fill) => texts.extend(fill.fields.iter().map(filled)),
            // They have texts of their own, which no template makes.
            Effect::RecordCall(_)
            | Effect::CreateUnsorted(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::CreateLead(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => {}
        }
    }
    texts.sort();
    texts
}

/// Says what is written into a field.
fn filled(fill: &FieldFill) -> String {
    format!("{} {}", fill.field, fill.value)
}

/// A call as each of the two is shown it.
struct Shown {
    snapshot: Snapshot,
    map: Map,
}

impl Shown {
    fn new(seen: &Seen, script: &Script) -> anyhow::Result<Self> {
        Ok(Self {
            snapshot: seen.snapshot()?,
            map: script.map(seen)?,
        })
    }
}

/// What the daemon decides with.
struct Ours {
    settings: IntegrationSettings,
    employees: Employees,
    ledger: Ledger,
    facts: Facts,
    account: AccountId,
    capabilities: Capabilities,
    zone: TimeZone,
    now: Timestamp,
}

impl Ours {
    fn new() -> anyhow::Result<Self> {
        let settings = rules_scene::settings()?;
        let mistakes = settings.mistakes();
        ensure!(mistakes.is_empty(), "the settings are wrong: {mistakes:?}");
        let step = |kind| StepCapability {
            kind,
            certainty: Certainty::BySearch,
            batch_max: 50,
        };
        let now = Timestamp::parse(rules_scene::ENDED)?;
        Ok(Self {
            settings,
            employees: rules_scene::employees()?,
            ledger: Ledger::default(),
            facts: Facts {
                as_of: now,
                origin: Default::default(),
                contacts: Vec::new(),
                companies: Vec::new(),
                leads: Vec::new(),
                closed_leads: Vec::new(),
                fields: Default::default(),
            },
            account: "sales".parse()?,
            capabilities: Capabilities {
                steps: [
                    StepKind::CreateContact,
                    StepKind::CreateDeal,
                    StepKind::CreateTask,
                    StepKind::FillFields,
                    StepKind::RecordCall,
                ]
                .map(step)
                .to_vec(),
                phases: vec![(Kind::Call, Phase::Ended)],
                calls: Default::default(),
            },
            zone: TimeZone::get("Europe/Moscow")?,
            now,
        })
    }

    fn decide(&self, call: &Shown) -> Plan {
        let situation = Situation {
            snapshot: &call.snapshot,
            phase: Phase::Ended,
            work: 1,
            ledger: &self.ledger,
            settings: &self.settings,
            employees: &self.employees,
            account: &self.account,
            capabilities: &self.capabilities,
            source_name: rules_scene::SOURCE_NAME,
            time_zone: &self.zone,
            recording: None,
            now: self.now,
        };
        plan(&situation, &self.facts)
    }
}

/// The same in the script.
struct Script {
    engine: Engine,
    ast: AST,
}

impl Script {
    fn new() -> anyhow::Result<Self> {
        let engine = Engine::new();
        let text = rules_scene::script();
        let ast = engine.compile(&text).with_context(|| text.clone())?;
        Ok(Self { engine, ast })
    }

    /// Returns a call as the script has it.
    fn map(&self, seen: &Seen) -> anyhow::Result<Map> {
        let json = serde_json::to_string(&seen.told())?;
        let map = self.engine.parse_json(json, false);
        map.map_err(|error| anyhow::anyhow!("show a call to the script: {error}"))
    }

    fn decide(&self, call: &Shown) -> anyhow::Result<Vec<String>> {
        let told = Dynamic::from_map(call.map.clone());
        let made = self
            .engine
            .call_fn::<Array>(&mut Scope::new(), &self.ast, "decide", (told,));
        let made = made.map_err(|error| anyhow::anyhow!("run the script: {error}"))?;
        let texts = made.into_iter().map(|text| text.into_string());
        let texts = texts.collect::<Result<Vec<String>, _>>();
        let mut texts = texts.map_err(|sort| anyhow::anyhow!("the script returned a {sort}"))?;
        texts.sort();
        Ok(texts)
    }
}
