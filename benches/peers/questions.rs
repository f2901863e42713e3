//! Questions over HTTP: answered each second beside a web server that sends a file of the same
//! size, under the same load from the same core.

use std::time::Duration;

use super::asker::{Asker, PATH};
use super::crm::SilentCrm;
use super::daemon::Home;
use super::nginx::Nginx;
use super::office;
use super::peer::Peer;
use super::pinned::{Pinned, begin_on_server_core};
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::{Beside, Table};
use super::wrk::Wrk;

/// Rounds that count; one before them warms everything up.
const ROUNDS: usize = 7;

/// How long a candidate has its turn.
const TURN: Duration = Duration::from_secs(2);

/// As many as busy phone systems keep open, and one.
const CONNECTIONS: [usize; 2] = [64, 1];

/// What has to be reached of the peer's requests.
const GOAL: f64 = 0.95;

/// Measures with every number of connections.
pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    let wrk = match Wrk::new(&scene.fresh("wrk")?, PATH) {
        Ok(wrk) => wrk,
        Err(error) => {
            say(&format!("questions skipped: {error:#}"));
            return Ok(());
        }
    };
    let crm = SilentCrm::start().await?;
    let folder = scene.fresh("daemon")?;
    let home = Home::furnish_with(folder.clone(), crm.port, &office::tenant())?;
    office::fill(&folder.join("trunkline.redb")).await?;
    begin_on_server_core();
    let (daemon, _) = home.start().await?;
    let port = home.questions_port();
    office::wait_until_known(async |client| Asker::connect(port)?.ask(client).map(drop)).await?;
    let body = Asker::connect(port)?.ask(1)?;
    let path = PATH.split('?').next().unwrap_or(PATH);
    let peer = Nginx::start(&scene.fresh("nginx")?, path, &body).await;
    let peer = Peer::from_start("nginx", peer);
    let mut servers = vec![daemon.pid()];
    if let Peer::Here(peer) = &peer {
        servers.extend(peer.pids()?);
    }
    let pinned = Pinned::pin(&servers);
    for connections in CONNECTIONS {
        say(&format!(
            "questions: {connections} connection(s), {ROUNDS} rounds"
        ));
        let (mut own, mut other) = (Figures::default(), Figures::default());
        for round in 0..=ROUNDS {
            own.turn(&wrk, port, connections, round).await?;
            if let Peer::Here(peer) = &peer {
                other.turn(&wrk, peer.port, connections, round).await?;
            }
        }
        let name = match &peer {
            Peer::Here(peer) => peer.name() + pinned.name(),
            Peer::Skipped(why) => why.clone(),
        };
        let beside = |samples: &Samples| {
            [Beside {
                short: "nginx",
                peer: name.clone(),
                samples: samples.clone(),
            }]
        };
        let row = format!("questions_{connections}");
        table.compare(&row, "questions/s", &own.rate, &beside(&other.rate));
        table.aim_ratio(&row, GOAL);
        table.compare(&format!("{row}_p99"), "us", &own.p99, &beside(&other.p99));
    }
    // After so many questions every one is still answered by memory.
    Asker::connect(port)?.ask(2)?;
    Ok(())
}

#[derive(Default)]
struct Figures {
    rate: Samples,
    p99: Samples,
}

impl Figures {
    async fn turn(
        &mut self,
        wrk: &Wrk,
        port: u16,
        connections: usize,
        round: usize,
    ) -> anyhow::Result<()> {
        let turn = wrk.drive(port, connections, TURN).await?;
        if round > 0 {
            self.rate.push(turn.per_second);
            self.p99.push(turn.p99_us);
        }
        Ok(())
    }
}
