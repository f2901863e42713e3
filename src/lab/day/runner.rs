//! Plays a day: each part's events at their times, then waits until the daemon has nothing left
//! to do, then goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::time::{self, Instant};

use super::comparison::{Comparison, Difference, Seen, compare};
use super::crm::{self, Seeded};
use super::daemon::{Daemon, DaemonError, Status};
use super::expectation::WaitingExpectation;
use super::fed::Fed;
use super::holding::Holding;
use super::portal::{self, Portal, PortalOutcome};
use super::report::PlayedLine;
use super::script::{Day, Event, Part, last_ten};
use crate::lab::ami::{AmiServer, PlayError, ScriptedCall};
use crate::lab::amocrm::AmoHandle;
use crate::lab::fault::RuleRefused;
use crate::lab::itoolabs::{VatsCall, VatsHandle};
use crate::lab::uis::UisHandle;
use crate::lab::wall;

/// How long a part may take to settle after its last call: breakers that probe half open wait up
/// to a minute, retries back off.
const SETTLE_DEADLINE: Duration = Duration::from_secs(120);
/// How long a person waits for an unsorted record to appear.
const ACCEPT_DEADLINE: Duration = Duration::from_secs(90);
/// How long the daemon may take to find the switch.
const ATTACH_DEADLINE: Duration = Duration::from_secs(60);
/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(250);
/// Looks in a row that must find nothing to do: one might fall between a call's end and the
/// moment when its work is written.
const QUIET_LOOKS: u32 = 4;

/// Everything that a day is played with.
pub struct Stage<'a> {
    /// The day.
    pub day: &'a Day,
    /// The simulated switch.
    pub ami: &'a AmiServer,
    /// The simulated VATS, where there is one.
    pub vats: Option<&'a VatsHandle>,
    /// The simulated UIS account, where there is one.
    pub uis: Option<&'a UisHandle>,
    /// The other CRMs that the day feeds, by the administrator's name.
    pub fed: &'a BTreeMap<String, Fed>,
    /// The simulated accounts, by the administrator's name.
    pub crms: &'a BTreeMap<String, AmoHandle>,
    /// The account whose holding is compared.
    pub account: &'a str,
    /// What was in it before.
    pub seeded: &'a Seeded,
    /// The portals that the same calls feed, by the administrator's name.
    pub portals: &'a BTreeMap<String, Portal>,
    /// The daemon.
    pub daemon: &'a Daemon,
}

/// What became of a day.
#[derive(Debug)]
pub struct DayOutcome {
    /// What was played, in order.
    pub played: Vec<PlayedLine>,
    /// What the CRM holds.
    pub holding: Holding,
    /// What else was seen.
    pub seen: Seen,
    /// The comparison.
    pub comparison: Comparison,
    /// What became of the portals, by the administrator's name.
    pub portals: BTreeMap<String, PortalOutcome>,
}

impl DayOutcome {
    /// Tells whether every CRM holds what it must.
    pub fn is_clean(&self) -> bool {
        let portals = self.portals.values();
        self.comparison.is_clean() && portals.into_iter().all(|p| p.comparison.is_clean())
    }
}

/// Why a day could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The daemon cannot be asked.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// A call cannot be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// A fault cannot be set.
    #[error("set a fault: {0}")]
    Fault(#[from] RuleRefused),
    /// The day names an account that is not simulated.
    #[error("no account named {0:?} is simulated here")]
    UnknownAccount(String),
    /// The day has calls of a VATS, and none is simulated.
    #[error("no vats is simulated here")]
    NoVats,
    /// The day has forms or chats of UIS, and none is simulated.
    #[error("no uis is simulated here")]
    NoUis,
    /// The daemon did not take what UIS told.
    #[error("{what:?} of uis was not taken: {why}")]
    Uis {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// A webhook was answered otherwise than the day says.
    #[error("webhook {what:?} was answered {found}, not {expected}: {body}")]
    Answer {
        /// Which.
        what: String,
        /// What the day says.
        expected: u16,
        /// What came.
        found: u16,
        /// With these words.
        body: String,
    },
    /// No unsorted record of the client appeared.
    #[error("no unsorted record of {0} appeared in {ACCEPT_DEADLINE:?}")]
    NoUnsorted(String),
    /// The daemon never asked the switch which calls there are.
    #[error("the daemon did not log in to the simulated switch within {ATTACH_DEADLINE:?}")]
    NotAttached,
}

/// What one event left behind.
#[derive(Default)]
struct Trace {
    lines: Vec<PlayedLine>,
    spans: Vec<(String, (i64, i64))>,
}

/// Plays the day and compares. `tell` hears of each part as it begins.
///
/// # Errors
/// Fails when the day cannot be played to its end; differences are no error.
pub async fn run(stage: &Stage<'_>, mut tell: impl FnMut(&str)) -> Result<DayOutcome, RunError> {
    attach(stage.ami).await?;
    let mut played = Vec::new();
    let mut seen = Seen::default();
    let mut unsettled = Vec::new();
    let mut communications = 0;
    for part in &stage.day.parts {
        tell(&part.title);
        let begin = Instant::now();
        let traces = try_join_all(part.events.iter().map(|event| happen(stage, event, begin)));
        for trace in traces.await? {
            played.extend(trace.lines);
            for (client, span) in trace.spans {
                seen.spans.entry(client).or_default().push(span);
            }
        }
        communications += u64::from(part_communications(part));
        if let Some(difference) = settle(stage, part, communications).await? {
            tell(&format!("  goes on all the same: {}", difference.found));
            unsettled.push(difference);
        }
    }
    let status = stage.daemon.status().await?;
    for waiting in waiting(stage) {
        let name = format!("{}/{}", stage.day.tenant, waiting.integration);
        let found = status.integrations.iter().find(|i| i.key == name);
        // Work that waits without a word about it would be as bad as lost work.
        if found.is_some_and(|found| found.waiting_for.is_some()) {
            let communications = stage.daemon.waiting(&name).await?.len();
            seen.waiting
                .insert(waiting.integration.clone(), communications);
        }
    }
    let main = account(stage, stage.account)?;
    seen.rate_violations = main.counters().rate_violations;
    let holding = crm::holding(main, stage.seeded);
    let mut comparison = compare(stage.day, &holding, &seen);
    comparison.differences.extend(unsettled);
    let portals = stage.portals.iter();
    let portals = portals.map(|(name, portal)| (name.clone(), portal.outcome(stage.day, &seen)));
    let fed = stage.fed.iter();
    let fed = fed.map(|(name, fed)| (name.clone(), fed.outcome(stage.day, &seen)));
    Ok(DayOutcome {
        portals: portals.chain(fed).collect(),
        played,
        holding,
        seen,
        comparison,
    })
}

async fn attach(ami: &AmiServer) -> Result<(), RunError> {
    let mut attached = ami.attached();
    let asked = attached.wait_for(|count| *count > 0);
    match time::timeout(ATTACH_DEADLINE, asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(RunError::NotAttached),
    }
}

fn part_communications(part: &Part) -> u32 {
    part.events.iter().map(Event::communications).sum()
}

async fn happen(stage: &Stage<'_>, event: &Event, begin: Instant) -> Result<Trace, RunError> {
    let delay = Duration::try_from_secs_f64(event.at_s()).unwrap_or_default();
    time::sleep_until(begin + delay).await;
    match event {
        Event::Call {
            capture,
            client,
            did,
            agents,
            speed,
            what,
            ..
        } => {
            let started = now_s();
            let call = ScriptedCall {
                capture: capture.clone(),
                client: client.clone(),
                did: did.clone(),
                agents: agents.clone(),
                start_in: Duration::ZERO,
                speed: *speed,
            };
            // A task that was aborted with the server has nothing to tell.
            stage.ami.play(call)?.await.ok();
            Ok(Trace {
                lines: vec![line(client, what, capture)],
                spans: vec![(last_ten(client), (started, now_s()))],
            })
        }
        Event::Vats {
            call,
            client,
            users,
            ring_s,
            talk_s,
            what,
            ..
        } => {
            let vats = stage.vats.ok_or(RunError::NoVats)?;
            let started = now_s();
            let seconds = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
            let played = VatsCall {
                users: users.clone(),
                ..VatsCall::new(*call, client).times(seconds(*ring_s), seconds(*talk_s))
            };
            vats.play(played).await;
            Ok(Trace {
                lines: vec![line(client, what, "the VATS")],
                spans: vec![(last_ten(client), (started, now_s()))],
            })
        }
        Event::Post {
            source,
            body,
            status,
            what,
            ..
        } => post(stage, source, body, *status, what).await,
        Event::UisRequest { request, what, .. } => {
            let uis = stage.uis.ok_or(RunError::NoUis)?;
            let client = request.phone.clone().unwrap_or_default();
            let told = uis.tell_request(request.shifted(now_s())).await;
            told.map_err(|why| not_taken(what, why))?;
            Ok(said(&client, what))
        }
        Event::UisChat { chat, what, .. } => {
            let uis = stage.uis.ok_or(RunError::NoUis)?;
            let client = chat.phone.clone().unwrap_or_default();
            let told = uis.tell_chat(chat.shifted(now_s())).await;
            told.map_err(|why| not_taken(what, why))?;
            Ok(said(&client, what))
        }
        Event::AcceptUnsorted {
            account: name,
            client,
            user,
            stage: deal_stage,
            ..
        } => {
            let crm = account(stage, name)?;
            let until = Instant::now() + ACCEPT_DEADLINE;
            while !crm::accept_unsorted(crm, client, *user, *deal_stage) {
                if Instant::now() > until {
                    return Err(RunError::NoUnsorted(client.clone()));
                }
                time::sleep(LOOK_PAUSE).await;
            }
            let what = format!("user {user} accepts the unsorted record");
            Ok(Trace {
                lines: vec![line(client, &what, "a person in the CRM")],
                spans: Vec::new(),
            })
        }
        Event::CrmDown { account: name, .. } => {
            match stage.portals.get(name) {
                Some(portal) => portal::take_down(&portal.handle)?,
                None => crm::take_down(account(stage, name)?)?,
            }
            Ok(Trace::default())
        }
        Event::CrmUp { account: name, .. } => {
            match stage.portals.get(name) {
                Some(portal) => portal::bring_up(&portal.handle),
                None => crm::bring_up(account(stage, name)?),
            }
            Ok(Trace::default())
        }
        Event::LoseAnswer {
            account: name,
            path,
            ..
        } => {
            match stage.portals.get(name) {
                Some(portal) => portal::lose_answer(&portal.handle, path)?,
                None => crm::lose_answer(account(stage, name)?, path)?,
            }
            Ok(Trace::default())
        }
        Event::CutLink { .. } => {
            stage.ami.drop_sessions();
            Ok(Trace::default())
        }
        Event::Garbage { .. } => {
            stage
                .ami
                .send_raw(b"\x00\xff\xfe no AMI at all \r\n: : :\r\n\r\n\r\nEvent\r\n\r\n");
            Ok(Trace::default())
        }
    }
}

fn not_taken(what: &str, why: String) -> RunError {
    RunError::Uis {
        what: what.to_owned(),
        why,
    }
}

/// What is written instead of said lasts no time.
fn said(client: &str, what: &str) -> Trace {
    Trace {
        lines: vec![line(client, what, "UIS")],
        spans: Vec::new(),
    }
}

async fn post(
    stage: &Stage<'_>,
    source: &str,
    body: &str,
    expected: u16,
    what: &str,
) -> Result<Trace, RunError> {
    let now = now_s();
    // The day's reader has checked that it is JSON.
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut trace = Trace::default();
    fill_in_times(&mut body, now);
    let items = body
        .as_array()
        .map_or_else(|| vec![&body], |items| items.iter().collect());
    for item in items {
        let client = item.get("client").and_then(Value::as_str).unwrap_or("");
        let second = |key: &str| {
            let text = item.get(key).and_then(Value::as_str)?;
            Some(text.parse::<jiff::Timestamp>().ok()?.as_second())
        };
        let from = second("started_at").unwrap_or(now);
        let until = second("ended_at").unwrap_or(now);
        trace
            .lines
            .push(line(client, what, &format!("webhook {source}")));
        trace.spans.push((last_ten(client), (from, until)));
    }
    let (found, answer) = stage
        .daemon
        .post(&stage.day.tenant, source, body.to_string())
        .await?;
    if found != expected {
        return Err(RunError::Answer {
            what: what.to_owned(),
            expected,
            found,
            body: answer,
        });
    }
    Ok(trace)
}

/// Puts times in the place of texts such as `@-75`.
fn fill_in_times(value: &mut Value, now: i64) {
    match value {
        Value::String(text) => {
            let offset = text
                .strip_prefix('@')
                .and_then(|seconds| seconds.parse::<i64>().ok());
            let at = offset.and_then(|offset| jiff::Timestamp::from_second(now + offset).ok());
            if let Some(at) = at {
                *text = at.to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_in_times(item, now)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| fill_in_times(field, now)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Waits until the daemon has heard of everything and the integrations whose CRM answers have no
/// open work.
async fn settle(
    stage: &Stage<'_>,
    part: &Part,
    communications: u64,
) -> Result<Option<Difference>, RunError> {
    let until = Instant::now() + SETTLE_DEADLINE;
    let mut quiet = 0;
    loop {
        let status = stage.daemon.status().await?;
        let busy = busy(stage, &status, communications);
        quiet = if busy.is_none() { quiet + 1 } else { 0 };
        if quiet >= QUIET_LOOKS {
            return Ok(None);
        }
        if let Some(busy) = busy
            && Instant::now() > until
        {
            return Ok(Some(Difference {
                about: format!("part {:?}", part.title),
                expected: format!("nothing left to do within {} s", SETTLE_DEADLINE.as_secs()),
                found: busy,
            }));
        }
        time::sleep(LOOK_PAUSE).await;
    }
}

fn busy(stage: &Stage<'_>, status: &Status, communications: u64) -> Option<String> {
    let stored = status.store.communications;
    if stored < communications {
        return Some(format!(
            "{stored} communications stored of {communications}"
        ));
    }
    if let Some(source) = status.sources.iter().find(|source| source.open_calls() > 0) {
        return Some(format!(
            "{} open calls of {}",
            source.open_calls(),
            source.key
        ));
    }
    let stuck = |key: &str| {
        waiting(stage).any(|waiting| format!("{}/{}", stage.day.tenant, waiting.integration) == key)
    };
    let working = status
        .integrations
        .iter()
        .find(|integration| integration.open_works > 0 && !stuck(&integration.key))?;
    Some(format!(
        "{} open works of {}",
        working.open_works, working.key
    ))
}

/// Returns what is expected to wait, whichever CRM it is for.
fn waiting<'a>(stage: &Stage<'a>) -> impl Iterator<Item = &'a WaitingExpectation> {
    let portals = stage
        .portals
        .values()
        .flat_map(|portal| &portal.half.waiting);
    stage.day.waiting.iter().chain(portals)
}

fn account<'a>(stage: &Stage<'a>, name: &str) -> Result<&'a AmoHandle, RunError> {
    stage
        .crms
        .get(name)
        .ok_or_else(|| RunError::UnknownAccount(name.to_owned()))
}

fn line(client: &str, what: &str, by: &str) -> PlayedLine {
    PlayedLine {
        client: client.to_owned(),
        what: what.to_owned(),
        by: by.to_owned(),
    }
}

fn now_s() -> i64 {
    i64::try_from(wall::now().as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_become_absolute_and_other_texts_stay() {
        let mut body = serde_json::json!({"a": "@-75", "b": ["@0", "@x", "at"], "c": 1});
        fill_in_times(&mut body, 1_800_000_075);
        let expected = serde_json::json!({
            "a": "2027-01-15T08:00:00Z", "b": ["2027-01-15T08:01:15Z", "@x", "at"], "c": 1
        });
        assert_eq!(body, expected);
    }
}
