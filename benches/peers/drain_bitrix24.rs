//! A backlog after an outage of Bitrix24: how many commands a request carries on average, and whether
//! what the bucket lets out is used.
//!
//! As `drain`, with a portal that is let in as an application: it is unreachable while ended calls
//! are handed in, and answers again. Its bucket empties ten times as fast as the vendor's.

use anyhow::bail;
use tokio::time::Instant;
use trunkline::lab::bitrix24::{self, BitrixLab, BitrixOptions, Limits, SeedCard};
use trunkline::lab::day::daemon::Daemon as Watched;
use trunkline::lab::fault::{Fault, Rule, When};

use super::daemon::{Home, Source};
use super::drain::{phone, port_of, steady_rate, watch};
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::Table;

/// Calls and clients of the backlog; half of the clients are unknown to the portal.
const CALLS: u32 = 10_000;
const CLIENTS: u32 = 5_000;
/// What leaves the bucket in a second, and the daemon's rate: ten times the vendor's
/// (`crm/bitrix24.md` §1).
const RATE: u32 = 20;
/// Commands of a request on average.
const COMMANDS_GOAL: f64 = 40.0;
/// Whose tokens we have, and whose the calls are.
const ADMINISTRATOR: u64 = 1;
const EMPLOYEE: u64 = 12;

pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    say(&format!(
        "drain into Bitrix24: {CALLS} calls of {CLIENTS} clients"
    ));
    let portal = portal().await?;
    let application = portal.options().applications.first();
    let (client_id, secret) = application
        .map(|app| (app.client_id.clone(), app.client_secret.clone()))
        .unwrap_or_default();
    let port = port_of(&portal.base_url())?;
    let folder = scene.fresh("daemon")?;
    let home = Home::furnish_for(
        folder,
        "https://demo.bitrix24.ru",
        port,
        &tenant(&client_id),
    )?;
    home.write("client", &secret)?;
    let (daemon, _) = home.start().await?;
    let watched = Watched::new(home.address())?;
    let code = portal.issue_code(&client_id, ADMINISTRATOR);
    watched.authorise("bench/crm", &code).await?;

    portal.add_fault(Rule::new("", "*", When::Always, Fault::RefusedBefore))?;
    daemon.fill_of(Source::Taken, CALLS, CLIENTS).await?;
    portal.clear_faults();
    let before = portal.counters();
    let began = Instant::now();
    let seen = watch(|| portal.log_counters().arrived, &watched).await?;
    let took = began.elapsed();
    let after = portal.counters();
    daemon.stop()?;
    let oracle = portal.oracle();
    let (calls, contacts) = (oracle.calls.len(), oracle.contacts.len());
    if (calls, contacts) != (usize::try_from(CALLS)?, usize::try_from(CLIENTS)?) {
        bail!("{calls} of {CALLS} calls and {contacts} of {CLIENTS} contacts are in the portal");
    }

    let one = |value: f64| {
        let mut samples = Samples::default();
        samples.push(value);
        samples
    };
    // Counts of this size are exact in a float.
    let requests = (after.batches - before.batches) as f64;
    let commands = (after.batch_commands - before.batch_commands) as f64;
    table.add("drain_bitrix24_requests", "requests", &one(requests));
    table.aim(
        "drain_bitrix24_commands",
        "a request",
        &one(commands / requests.max(1.0)),
        COMMANDS_GOAL,
    );
    table.add(
        "drain_bitrix24_commands_of_a_call",
        "commands",
        &one(commands / f64::from(CALLS)),
    );
    let rate = steady_rate(&seen) / f64::from(RATE);
    table.add("drain_bitrix24_rate_to_configured", "times", &one(rate));
    let refused = after.rate_violations + after.operating_violations;
    table.aim(
        "drain_bitrix24_throttled",
        "answers",
        &one(refused as f64),
        0.0,
    );
    table.add("drain_bitrix24_took", "s", &one(took.as_secs_f64()));
    Ok(())
}

/// A portal that knows every second client.
async fn portal() -> anyhow::Result<BitrixLab> {
    let portal = bitrix24::start(BitrixOptions {
        limits: Limits {
            drain_per_second: RATE,
            ..Limits::default()
        },
        ..BitrixOptions::default()
    })
    .await?;
    for number in (0..CLIENTS).step_by(2) {
        portal.add_contact(&SeedCard::new("Client", &phone(number), EMPLOYEE));
    }
    Ok(portal)
}

/// The directory is off: what the first reading of it costs is no part of the backlog.
fn tenant(client_id: &str) -> String {
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
users = [{{ account = "crm", user = "{EMPLOYEE}" }}]
[[sources]]
id = "taken"
kind = "webhook"
[sources.secrets]
hook = {{ file = "../secret" }}
[[accounts]]
id = "crm"
crm = "bitrix24"
[accounts.settings]
url = "https://demo.bitrix24.ru"
rate_per_second = {rate}
client_id = "{client_id}"
[accounts.settings.directory]
on = false
[accounts.secrets]
client_secret = {{ file = "../client" }}
[[integrations]]
id = "calls"
account = "crm"
activity = "on"
takes = [{{ source = "taken", kinds = ["call"] }}]
[integrations.settings.calls]
default_responsible = "{ADMINISTRATOR}"
[integrations.settings.calls.incoming]
answered_unknown = {{ action = {{ kind = "contact_and_deal", pipeline = "0", stage = "NEW" }} }}
"#
    )
}
