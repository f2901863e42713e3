//! The daemon: the release binary with a configuration made for the run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::Instant;

use trunkline::lab::day::daemon::DaemonAddress;

use super::crm::SilentCrm;
use super::drain;
use super::event::Event;
use super::http::{self, HttpConnection};
use super::server::{Server, Signal, free_port};

/// Keys, tokens and path secrets of the run: they open nothing else.
pub(crate) const SECRET: &str = "only-for-this-benchmark-run-0123456789";

/// Which source an event is posted to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// An integration takes it: a piece of work is made and waits in its lane.
    Taken,
    /// Nobody takes it: it is stored and journalled, and rests.
    Untaken,
}

impl Source {
    fn id(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Untaken => "untaken",
        }
    }
}

/// A folder with a configuration, from which the daemon can be started again and again.
pub(crate) struct Home {
    folder: PathBuf,
    /// The address of the company's portal.
    portal: &'static str,
    intake_port: u16,
    questions_port: u16,
    admin_port: u16,
    fastagi_port: u16,
}

impl Home {
    /// Writes the configuration into an empty folder.
    pub(crate) fn furnish(folder: PathBuf, crm: &SilentCrm) -> anyhow::Result<Self> {
        Self::furnish_with(folder, crm.port, TENANT)
    }

    /// The same with another company.
    pub(crate) fn furnish_with(
        folder: PathBuf,
        crm_port: u16,
        tenant: &str,
    ) -> anyhow::Result<Self> {
        Self::furnish_for(folder, "https://bench.amocrm.ru", crm_port, tenant)
    }

    /// The same with another portal, too.
    pub(crate) fn furnish_for(
        folder: PathBuf,
        portal: &'static str,
        crm_port: u16,
        tenant: &str,
    ) -> anyhow::Result<Self> {
        let home = Self {
            folder,
            portal,
            intake_port: free_port()?,
            questions_port: free_port()?,
            admin_port: free_port()?,
            fastagi_port: free_port()?,
        };
        std::fs::create_dir(home.folder.join("tenants.d"))?;
        home.write("secret", SECRET)?;
        home.write("trunkline.toml", &home.daemon_file(crm_port))?;
        home.write("tenants.d/bench.toml", tenant)?;
        Ok(home)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }

    /// The load comes from one source, which must not be taken for a flood. Everything else that is
    /// not named is as delivered, the log's level too: one line for each
    /// accepted event.
    fn daemon_file(&self, crm_port: u16) -> String {
        format!(
            r#"tenants_dir = "tenants.d"
[store]
path = "trunkline.redb"
key_file = "secret"
[admin]
listen = "127.0.0.1:{}"
socket = "admin.sock"
token_file = "secret"
[intake]
listen = "127.0.0.1:{}"
source_requests_per_second_max = 1000000
[questions]
listen = "127.0.0.1:{}"
[fastagi]
listen = "127.0.0.1:{}"
[log]
format = "text"
[base_urls]
"{}" = "http://127.0.0.1:{}"
"#,
            self.admin_port,
            self.intake_port,
            self.questions_port,
            self.fastagi_port,
            self.portal,
            crm_port
        )
    }

    /// Returns the daemon's file with further addresses, all of one other CRM.
    pub(crate) fn with_another(&self, crm_port: u16, urls: &[&str], port: u16) -> String {
        let line = |url: &&str| format!("\"{url}\" = \"http://127.0.0.1:{port}\"\n");
        [self.daemon_file(crm_port)]
            .into_iter()
            .chain(urls.iter().map(line))
            .collect::<String>()
    }

    /// Returns where questions are asked.
    pub(crate) fn questions_port(&self) -> u16 {
        self.questions_port
    }

    /// Returns where a dialplan asks.
    pub(crate) fn fastagi_port(&self) -> u16 {
        self.fastagi_port
    }

    /// Returns where the daemon is asked how it is.
    pub(crate) fn address(&self) -> DaemonAddress {
        DaemonAddress {
            admin: format!("http://127.0.0.1:{}", self.admin_port),
            token: SECRET.to_owned(),
            intake: format!("http://127.0.0.1:{}", self.intake_port),
            hooks: [("taken".to_owned(), SECRET.to_owned())].into(),
        }
    }

    /// Starts the daemon; returns it with the time from there until it is ready.
    pub(crate) async fn start(&self) -> anyhow::Result<(Daemon, Duration)> {
        let started = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        command
            .arg("--config")
            .arg(self.folder.join("trunkline.toml"))
            .arg("run");
        let log = self.folder.join("log");
        let mut server = Server::start("trunkline", &mut command, log, Signal::Terminate)?;
        let port = self.admin_port;
        server
            .until(async || match http::get(port, "/readyz").await? {
                200 => Ok(()),
                status => bail!("/readyz answers {status}"),
            })
            .await?;
        let daemon = Daemon {
            server,
            intake_port: self.intake_port,
        };
        Ok((daemon, started.elapsed()))
    }
}

const TENANT: &str = r#"[tenant]
id = "bench"
name = "Bench"
time_zone = "Europe/Moscow"
[[employees]]
id = "ivanov"
name = "Ivanov"
extensions = [{ source = "taken", extension = "101" }]
users = [{ account = "crm", user = "1" }]
[[sources]]
id = "taken"
kind = "webhook"
[sources.secrets]
hook = { file = "../secret" }
[[sources]]
id = "untaken"
kind = "webhook"
[sources.secrets]
hook = { file = "../secret" }
[[accounts]]
id = "crm"
crm = "amocrm"
[accounts.settings]
url = "https://bench.amocrm.ru"
[accounts.secrets]
token = { file = "../secret" }
[[integrations]]
id = "calls"
account = "crm"
activity = "on"
takes = [{ source = "taken", kinds = ["call"] }]
[integrations.settings.calls]
default_responsible = "1"
[integrations.settings.calls.incoming]
answered_unknown = { action = { kind = "contact" } }
"#;

/// A running daemon.
pub(crate) struct Daemon {
    server: Server,
    intake_port: u16,
}

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub(crate) async fn connect(&self, source: Source) -> anyhow::Result<HttpConnection> {
        let path = format!("/v1/events/bench/{}/{SECRET}", source.id());
        HttpConnection::open(self.intake_port, path).await
    }

    /// Brings so many calls of so many clients in.
    pub(crate) async fn fill_of(
        &self,
        source: Source,
        calls: u32,
        clients: u32,
    ) -> anyhow::Result<()> {
        self.fill_with(source, calls, |number| {
            Event::of_client(number, &drain::phone(number % clients))
        })
        .await
    }

    /// Brings so many communications in, in bodies of as many as are taken at once.
    pub(crate) async fn fill(&self, source: Source, count: u32) -> anyhow::Result<()> {
        self.fill_with(source, count, Event::numbered).await
    }

    async fn fill_with(
        &self,
        source: Source,
        count: u32,
        event: impl Fn(u32) -> Event,
    ) -> anyhow::Result<()> {
        /// `docs/webhook.md`, Bounds.
        const ITEMS_MAX: usize = 500;
        let mut connection = self.connect(source).await?;
        let numbers: Vec<u32> = (0..count).collect();
        for some in numbers.chunks(ITEMS_MAX) {
            let bodies = some.iter().map(|number| event(*number).body);
            let body = format!("[{}]", bodies.collect::<Vec<_>>().join(","));
            match connection.post(&body).await? {
                202 => {}
                status => bail!("filling the store was answered with {status}"),
            }
        }
        Ok(())
    }

    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.server.stop()
    }

    pub(crate) fn kill(self) -> anyhow::Result<()> {
        self.server.kill()
    }
}
