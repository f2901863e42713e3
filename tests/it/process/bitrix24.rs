//! What stands around a daemon whose CRM is Bitrix24: a simulated Asterisk, a simulated portal, its
//! folder.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use trunkline::lab::ami::{AmiOptions, AmiServer};
use trunkline::lab::bitrix24::{self, BitrixLab, BitrixOptions, Limits, Mode, Oracle};

use super::daemon::Daemon;
use super::home::Home;

/// The simulators and the folder.
pub(super) struct Branch {
    pub(super) ami: AmiServer,
    pub(super) portal: BitrixLab,
    pub(super) home: Arc<Home>,
}

impl Branch {
    /// Opens a portal that works with leads or without, with limits raised, so that tests run fast.
    pub(super) async fn open(mode: Mode) -> Self {
        Self::open_with(BitrixOptions {
            limits: Limits::none(),
            mode,
            ..BitrixOptions::default()
        })
        .await
    }

    pub(super) async fn open_with(options: BitrixOptions) -> Self {
        let ami = AmiServer::start(AmiOptions::on(SocketAddr::from(([127, 0, 0, 1], 0)))).await;
        let ami = ami.expect("a free port");
        let portal = bitrix24::start(options).await.expect("a free port");
        let home = Home::new(ami.address().port(), &portal.base_url(), "unused");
        let application = &portal.options().applications[0];
        home.write("secrets/bitrix24-client", &application.client_secret);
        home.edit(
            "etc/trunkline.toml",
            "https://demo.amocrm.ru",
            "https://demo.bitrix24.ru",
        );
        for (from, to) in [
            ("crm = \"amocrm\"", "crm = \"bitrix24\""),
            (
                "url = \"https://demo.amocrm.ru\"",
                &format!(
                    "url = \"https://demo.bitrix24.ru\"\nclient_id = \"{}\"",
                    application.client_id
                ),
            ),
            (
                "token = { file = \"../../secrets/amocrm-main\" }",
                "client_secret = { file = \"../../secrets/bitrix24-client\" }",
            ),
            ("user = \"502\"", "user = \"12\""),
            ("user = \"503\"", "user = \"13\""),
            (
                "default_responsible = \"501\"",
                "default_responsible = \"1\"",
            ),
            (
                "pipeline = \"3100\", stage = \"3102\"",
                "pipeline = \"0\", stage = \"NEW\"",
            ),
        ] {
            home.edit_tenant(from, to);
        }
        Self {
            ami,
            portal,
            home: Arc::new(home),
        }
    }

    /// Starts the daemon, lets it into the portal and waits until it sees the switch.
    pub(super) async fn start(&self) -> Daemon {
        let daemon = Daemon::start(&self.home).await;
        self.authorise().await;
        daemon.attached().await;
        daemon
    }

    /// Starts the daemon again, which is let in already.
    pub(super) async fn start_again(&self) -> Daemon {
        let daemon = Daemon::start(&self.home).await;
        daemon.attached().await;
        daemon
    }

    /// Gives the daemon a code of the portal as an administrator does.
    async fn authorise(&self) {
        let client_id = &self.portal.options().applications[0].client_id;
        let code = self.portal.issue_code(client_id, 1);
        let mut command = self.home.command(&["account", "authorise", "acme/main"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let run = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("the program starts");
            let mut input = child.stdin.take().expect("piped");
            writeln!(input, "{code}").expect("it reads");
            drop(input);
            child.wait_with_output().expect("it ends")
        });
        let output = run.await.expect("no panic");
        assert!(output.status.success(), "{output:?}");
    }

    /// Returns what the portal holds, after a look for anything that is there twice.
    #[track_caller]
    pub(super) fn oracle(&self) -> Oracle {
        let oracle = self.portal.oracle();
        assert!(oracle.duplicates.origins.is_empty(), "{oracle:?}");
        assert!(oracle.duplicates.external_ids.is_empty(), "{oracle:?}");
        oracle
    }
}
