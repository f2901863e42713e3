//! Follows an account: rounds over its reports as often as its limits permit, or sooner where a
//! notification says that there is something to read. Without a key it only ends what nobody told
//! the end of.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tracing::Instrument;

use super::budget;
use super::desk::Desk;
use super::mgf::{self, Directories};
use super::reports::Reports;
use super::roster::NamedPeople;
use super::round::{Round, RoundError};
use super::rpc::{Api, Limits, RpcError};
use super::settings::{ApiSettings, Brand};
use crate::pbx::{Listener, ListenerContext, ListenerError, SinkError};

/// Pause between two looks at what is to be ended.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How often people and zone are read.
const PEOPLE_EVERY: Duration = Duration::from_secs(3_600);

/// What a round costs in points: calls, requests, messages, chats (`pbx/uis.md` §4).
const ROUND_COST: u64 = 4;

/// What an administrator of VATS 2.0 should know (`pbx/megafon.md` §B4).
const ROUTING: &str = "who a client reaches is chosen by the vendor's own scenario \
     \"Персональный менеджер\": VATS 2.0 asks nobody else";

/// The session with an account.
pub(super) struct UisListener {
    pub(super) desk: Arc<Desk>,
    pub(super) data: Option<Arc<Api>>,
}

impl Listener for UisListener {
    fn run(&self, context: ListenerContext) -> BoxFuture<'static, Result<(), ListenerError>> {
        let span = tracing::info_span!("uis", source = %self.desk.identity.key);
        let desk = Arc::clone(&self.desk);
        let data = self.data.clone();
        async move {
            match (&desk.settings.api, data) {
                (Some(settings), Some(data)) => follow(&desk, settings, &data, context).await,
                _ => wait_for_notifications(&desk, context).await,
            }
        }
        .instrument(span)
        .boxed()
    }
}

async fn wait_for_notifications(
    desk: &Desk,
    context: ListenerContext,
) -> Result<(), ListenerError> {
    let mut stop = context.stop.clone();
    sweep(desk, &context).await?;
    context.state.connected("notifications");
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        sweep(desk, &context).await?;
    }
}

async fn follow(
    desk: &Desk,
    settings: &ApiSettings,
    data: &Arc<Api>,
    context: ListenerContext,
) -> Result<(), ListenerError> {
    let mut stop = context.stop.clone();
    let mut follower = Follower {
        desk,
        settings,
        data,
        people_at: None,
        report: None,
    };
    let mut connected = false;
    loop {
        sweep(desk, &context).await?;
        let done = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            done = follower.round(&context) => done,
        };
        let pause = match done {
            Ok(()) => {
                let cost = follower.cost();
                budget::pause(data.limits(), cost, settings.pace)
            }
            // Not a failure: the account's day or minute is used up, and the state says so.
            Err(RoundError::Rpc(RpcError::Limit { wait, host })) => {
                tracing::warn!(host, wait_s = wait.as_secs(), "limit of requests used up");
                wait.max(settings.pace.period_min)
            }
            Err(error) => return Err(error.into()),
        };
        if !connected {
            context.state.connected(&data.host());
            connected = true;
        }
        context.state.seen();
        show(&context, data.limits(), pause);
        rest(desk, pause, budget::gap(pause, settings.pace), &context).await?;
        if *stop.borrow() {
            return Ok(());
        }
    }
}

/// Waits for the next round: until its time has come, or something is to be read soon.
async fn rest(
    desk: &Desk,
    pause: Duration,
    gap: Duration,
    context: &ListenerContext,
) -> Result<(), ListenerError> {
    let mut stop = context.stop.clone();
    let (until, soonest) = (Instant::now() + pause, Instant::now() + gap);
    loop {
        let step = until.min(Instant::now() + SWEEP_EVERY);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = desk.soon.notified() => break,
            () = tokio::time::sleep_until(step) => {}
        }
        if step == until {
            return Ok(());
        }
        sweep(desk, context).await?;
    }
    // What was told shows in the reports a moment later.
    let told = Instant::now() + gap.min(budget::SOON);
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep_until(until.min(soonest.max(told))) => {}
    }
    Ok(())
}

fn show(context: &ListenerContext, limits: Option<Limits>, pause: Duration) {
    context.state.gauge("next_round_s", pause.as_secs_f64());
    if let Some(limits) = limits {
        context
            .state
            .gauge("day_points_left", limits.day_remaining as f64);
    }
}

/// Ends and forgets what is due.
async fn sweep(desk: &Desk, context: &ListenerContext) -> Result<(), SinkError> {
    let now = context.clock.now();
    let mut open = desk.open(&context.sink, now).await?;
    let (snapshots, words, changed) = open.memory().sweep(&desk.rules, now);
    let memory = open.memory();
    context
        .state
        .gauge("open_calls", memory.open_calls() as f64);
    context.state.gauge("to_be_read", memory.wanted() as f64);
    match changed {
        true => open.commit(snapshots, words, now).await,
        false => Ok(()),
    }
}

/// What one run knows.
struct Follower<'a> {
    desk: &'a Desk,
    settings: &'a ApiSettings,
    data: &'a Arc<Api>,
    people_at: Option<Instant>,
    /// The history of VATS 2.0.
    report: Option<serde_json::Value>,
}

impl Follower<'_> {
    fn is_megafon(&self) -> bool {
        self.desk.settings.brand == Brand::Megafon
    }

    fn cost(&self) -> u64 {
        match self.is_megafon() {
            true => 1,
            false => ROUND_COST,
        }
    }

    async fn round(&mut self, context: &ListenerContext) -> Result<(), RoundError> {
        let reports = Reports {
            api: Arc::clone(self.data),
        };
        if self.people_at.is_none_or(|at| at.elapsed() >= PEOPLE_EVERY) {
            self.read_people(&reports, context).await?;
            self.people_at = Some(Instant::now());
        }
        let round = Round {
            desk: self.desk,
            reports: &reports,
            sink: &context.sink,
            clock: &context.clock,
        };
        if !self.is_megafon() {
            return round.run().await;
        }
        let report = match &self.report {
            Some(report) => report,
            None => self.report.insert(mgf::history_report(self.data).await?),
        };
        round.history(report).await
    }

    async fn read_people(
        &self,
        reports: &Reports,
        context: &ListenerContext,
    ) -> Result<(), RoundError> {
        let (people, zone) = match self.is_megafon() {
            true => (self.directories().people().await?, None),
            false => (reports.people().await?, reports.zone_name().await?),
        };
        let now = context.clock.now();
        let mut open = self.desk.open(&context.sink, now).await?;
        let memory = open.memory();
        if memory.people == people && (zone.is_none() || memory.zone == zone) {
            return Ok(());
        }
        let mut words = Vec::new();
        let named = NamedPeople::of(&people);
        if self.is_megafon() {
            if memory.people.0.is_empty() {
                words.push(ROUTING.to_owned());
            }
            let shared = named.shared();
            if !shared.is_empty() {
                words.push(format!(
                    "several people have one name, and calls name people by it alone: calls of \
                     {} stay without an employee until the names differ",
                    shared.join(", ")
                ));
            }
            context.state.gauge("shared_names", shared.len() as f64);
        }
        memory.people = people;
        memory.zone = zone.or(memory.zone.take());
        open.commit(Vec::new(), words, now).await?;
        Ok(())
    }

    fn directories(&self) -> Directories {
        Directories {
            web: self.settings.data.clone(),
            auth: self.settings.auth.clone(),
        }
    }
}
