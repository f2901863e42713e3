//! A backlog after an outage: how many requests it costs, and whether the CRM's limit is used.
//!
//! The daemon works until it knows the account's clients; then the CRM closes every connection while
//! ended calls are handed in, and answers again. The CRM is the
//! simulated amoCRM with its limit raised tenfold. Beside the figures of the whole stand those of
//! a second account that drains at the same time as a black hole next to it.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{self, Instant};
use trunkline::lab::amocrm::{self, AmoLab, AmoOptions, SeedCard};
use trunkline::lab::day::daemon::Daemon as Watched;
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::lab::request_log::Counters;

use super::crm::SilentCrm;
use super::daemon::{Home, Source};
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::Table;

/// Calls and clients of the backlog; half of the clients are unknown to the CRM.
const CALLS: u32 = 10_000;
const CLIENTS: u32 = 5_000;
/// The same of each run beside a neighbour.
const SMALL_CALLS: u32 = 100;
/// Pairs of runs with and without a dead neighbour.
const PAIRS: usize = 7;

/// The portal, as the daemon names it.
const PORTAL: &str = "amocrm:bench.amocrm.ru";

/// The account's limit and the daemon's rate, ten times amoCRM's (`crm/amocrm.md` §4).
const LIMIT: u32 = 70;
const RATE: u32 = 60;
/// Steps that one request takes, as the adapter declares them.
const BATCH: u32 = 50;

/// Requests of one reading of what changed: contacts, companies, deals, events
/// (`crm/amocrm.md` §5, §13).
const POLL: u32 = 4;

/// How long nothing may be finished before the run counts as stuck.
const STALLED: Duration = Duration::from_secs(60);
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// The goals of the product.
const REQUESTS_GOAL: f64 = 1.15;
const RATE_GOAL: f64 = 0.95;
const NEIGHBOUR_GOAL: f64 = 1.0;

pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    say(&format!("drain: {CALLS} calls of {CLIENTS} clients"));
    let drained = drain(scene, CALLS, CLIENTS, None).await?;
    let one = |value: f64| {
        let mut samples = Samples::default();
        samples.push(value);
        samples
    };
    // Contacts and deals of the unknown half, an entry for every call, one poll for changes.
    let unknown = CLIENTS / 2;
    let least = unknown.div_ceil(BATCH) * 2 + CALLS.div_ceil(BATCH) + POLL;
    table.add("drain_requests", "requests", &one(drained.requests));
    table.add("drain_questions", "requests", &one(drained.questions));
    let times = drained.requests / f64::from(least);
    table.aim(
        "drain_requests_to_least",
        "times",
        &one(times),
        REQUESTS_GOAL,
    );
    let rate = drained.steady_rate / f64::from(RATE);
    table.aim("drain_rate_to_configured", "times", &one(rate), RATE_GOAL);
    table.aim("drain_throttled", "answers", &one(drained.throttled), 0.0);
    table.add("drain_took", "s", &one(drained.took.as_secs_f64()));

    say(&format!(
        "drain: {PAIRS} pairs with and without a dead neighbour"
    ));
    let black_hole = SilentCrm::start().await?;
    let (mut with, mut without) = (Samples::default(), Samples::default());
    for _ in 0..PAIRS {
        let beside = drain(scene, SMALL_CALLS, SMALL_CALLS / 2, Some(black_hole.port)).await?;
        let alone = drain(scene, SMALL_CALLS, SMALL_CALLS / 2, None).await?;
        with.push(beside.took.as_secs_f64());
        without.push(alone.took.as_secs_f64());
    }
    table.add("drain_small", "s", &without);
    table.add("drain_small_beside_dead", "s", &with);
    if let Some(ratio) = with.ratio_to(&without) {
        table.aim(
            "drain_beside_dead_to_alone",
            "times",
            &one(ratio),
            NEIGHBOUR_GOAL,
        );
    }
    Ok(())
}

/// What a backlog cost.
struct Drained {
    requests: f64,
    /// Requests that only ask.
    questions: f64,
    throttled: f64,
    /// Requests a second while there was work in plenty.
    steady_rate: f64,
    took: Duration,
}

async fn drain(
    scene: &Scene,
    calls: u32,
    clients: u32,
    black_hole: Option<u16>,
) -> anyhow::Result<Drained> {
    let crm = account(clients).await?;
    let port = port_of(&crm.base_url())?;
    let home = Home::furnish_with(scene.fresh("daemon")?, port, &tenant(black_hole))?;
    home.write("token", &crm.long_lived_token())?;
    if let Some(hole) = black_hole {
        home.write(
            "trunkline.toml",
            &home.with_another(port, &["https://dead.amocrm.ru"], hole),
        )?;
    }
    let (daemon, _) = home.start().await?;
    let watched = Watched::new(home.address())?;
    wait_for_directory(&watched).await?;
    crm.add_fault(Rule::new("", "*", When::Always, Fault::RefusedBefore))?;
    daemon.fill_of(Source::Taken, calls, clients).await?;
    crm.clear_faults();
    let before = crm.log_counters();
    let began = Instant::now();
    let seen = watch(|| crm.log_counters().arrived, &watched).await?;
    let took = began.elapsed();
    let after = crm.log_counters();
    daemon.stop()?;
    let made = crm.oracle().calls.len();
    if made != usize::try_from(calls)? {
        bail!("{made} of {calls} calls are in the CRM");
    }
    let count = |of: &str| -> f64 {
        let at = |counters: &Counters| counters.by_method.get(of).copied().unwrap_or(0);
        // Counts of this size are exact in a float.
        (at(&after) - at(&before)) as f64
    };
    let throttled = after.by_status.get(&429).copied().unwrap_or(0);
    Ok(Drained {
        requests: (after.arrived - before.arrived) as f64,
        questions: count("GET"),
        throttled: throttled as f64,
        steady_rate: steady_rate(&seen),
        took,
    })
}

/// Waits until the account's clients are known.
async fn wait_for_directory(daemon: &Watched) -> anyhow::Result<()> {
    let began = Instant::now();
    while !daemon.directory_is_kept(PORTAL).await? {
        if began.elapsed() > STALLED {
            bail!("the directory was not read within {STALLED:?}");
        }
        time::sleep(LOOK_PAUSE).await;
    }
    Ok(())
}

/// Looks on until nothing is left to do; returns how many requests had come at which time.
pub(crate) async fn watch(
    arrived: impl Fn() -> u64,
    daemon: &Watched,
) -> anyhow::Result<Vec<(f64, f64)>> {
    let began = Instant::now();
    let mut seen = Vec::new();
    let (mut least, mut moved) = (u64::MAX, Instant::now());
    loop {
        time::sleep(LOOK_PAUSE).await;
        seen.push((began.elapsed().as_secs_f64(), arrived() as f64));
        let status = daemon.status().await.context("look after the daemon")?;
        let mine = status
            .integrations
            .iter()
            .filter(|one| one.key.ends_with("/calls"));
        let open: u64 = mine.map(|one| one.open_works).sum();
        if open == 0 {
            return Ok(seen);
        }
        if open < least {
            least = open;
            moved = Instant::now();
        }
        if moved.elapsed() > STALLED {
            bail!("{open} works are left, and none was finished for {STALLED:?}");
        }
    }
}

/// The rate between the tenth and the ninth tenth of the requests: in between there is always
/// more to do than may be asked for.
pub(crate) fn steady_rate(seen: &[(f64, f64)]) -> f64 {
    let (Some((_, first)), Some((_, last))) = (seen.first(), seen.last()) else {
        return 0.0;
    };
    let at = |part: f64| {
        let mark = first + (last - first) * part;
        seen.iter().find(|(_, count)| *count >= mark)
    };
    match (at(0.1), at(0.9)) {
        (Some((from, early)), Some((until, late))) if until > from => {
            (late - early) / (until - from)
        }
        _ => 0.0,
    }
}

/// An account that knows every second client.
async fn account(clients: u32) -> anyhow::Result<AmoLab> {
    let crm = amocrm::start(AmoOptions {
        rate_per_second: LIMIT,
        account_rate_per_second: LIMIT * 2,
        block_after_violations: None,
        ..AmoOptions::default()
    })
    .await?;
    for number in (0..clients).step_by(2) {
        crm.add_contact(&SeedCard::new("Client", &phone(number), 501));
    }
    Ok(crm)
}

/// The number of a client.
pub(crate) fn phone(client: u32) -> String {
    format!("+7916{:07}", u64::from(client) * 7_919 % 10_000_000)
}

pub(crate) fn port_of(url: &str) -> anyhow::Result<u16> {
    let port = url.rsplit(':').next().unwrap_or_default();
    port.parse().with_context(|| format!("no port in {url}"))
}

fn tenant(black_hole: Option<u16>) -> String {
    let neighbour = match black_hole {
        Some(_) => NEIGHBOUR,
        None => "",
    };
    let rate = f64::from(RATE);
    format!(
        r#"[tenant]
id = "bench"
name = "Bench"
time_zone = "Europe/Moscow"
[[employees]]
id = "ivanov"
name = "Ivanov"
extensions = [{{ source = "taken", extension = "101" }}]
users = [{{ account = "crm", user = "502" }}]
[[sources]]
id = "taken"
kind = "webhook"
[sources.secrets]
hook = {{ file = "../secret" }}
[[accounts]]
id = "crm"
crm = "amocrm"
[accounts.settings]
url = "https://bench.amocrm.ru"
rate_per_second = {rate}
written_forms = false
[accounts.secrets]
token = {{ file = "../token" }}
[[integrations]]
id = "calls"
account = "crm"
activity = "on"
takes = [{{ source = "taken", kinds = ["call"] }}]
[integrations.settings.calls]
default_responsible = "501"
[integrations.settings.calls.incoming]
answered_unknown = {{ action = {{ kind = "contact_and_deal", pipeline = "3100", stage = "3102" }} }}
{neighbour}"#
    )
}

/// The same calls for an account that never answers.
const NEIGHBOUR: &str = r#"[[accounts]]
id = "dead"
crm = "amocrm"
[accounts.settings]
url = "https://dead.amocrm.ru"
[accounts.secrets]
token = { file = "../secret" }
[[integrations]]
id = "dead"
account = "dead"
activity = "on"
takes = [{ source = "taken", kinds = ["call"] }]
[integrations.settings.calls]
default_responsible = "1"
[integrations.settings.calls.incoming]
answered_unknown = { action = { kind = "contact" } }
"#;
