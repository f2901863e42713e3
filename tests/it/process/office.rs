//! What stands around a daemon: a simulated Asterisk, a simulated amoCRM account, its folder.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline::lab::ami::{AmiOptions, AmiServer, ScriptedCall};
use trunkline::lab::amocrm::{self, AmoLab, AmoOptions, Oracle};
use trunkline::lab::fault::{Fault, Rule, When};

use super::daemon::Daemon;
use super::home::Home;

/// Anna's user in the CRM: extension 101.
pub(super) const ANNA: u64 = 502;

/// The simulators and the folder.
pub(super) struct Office {
    pub(super) ami: AmiServer,
    pub(super) crm: AmoLab,
    pub(super) home: Arc<Home>,
}

impl Office {
    /// Opens with limits raised, so that tests run fast.
    pub(super) async fn open() -> Self {
        Self::open_with(AmoOptions {
            rate_per_second: 2_000,
            account_rate_per_second: 2_000,
            search_lag: Duration::ZERO,
            ..AmoOptions::default()
        })
        .await
    }

    /// Opens with the limits and the slow search of the real account.
    pub(super) async fn open_strict() -> Self {
        let office = Self::open_with(AmoOptions::default()).await;
        // The vendor's limit to the full: nobody else uses the integration here.
        office
            .home
            .edit_tenant("rate_per_second = 500", "rate_per_second = 7");
        office
    }

    pub(super) async fn open_with(options: AmoOptions) -> Self {
        let ami = AmiServer::start(AmiOptions::on(SocketAddr::from(([127, 0, 0, 1], 0)))).await;
        let ami = ami.expect("a free port");
        let crm = amocrm::start(options).await.expect("a free port");
        let home = Home::new(
            ami.address().port(),
            &crm.base_url(),
            &crm.long_lived_token(),
        );
        Self {
            ami,
            crm,
            home: Arc::new(home),
        }
    }

    /// Starts the daemon and waits until it is ready and sees the switch.
    pub(super) async fn start(&self) -> Daemon {
        let daemon = Daemon::start(&self.home).await;
        daemon.attached().await;
        daemon
    }

    /// Starts the daemon and has it set up the account and deliver a call of this client: what it
    /// logs from now on is about what it is told from now on.
    pub(super) async fn start_warm(&self, client: &str) -> Daemon {
        let daemon = self.start().await;
        let posted = daemon.post(&site_call("first", client, 0)).await;
        assert_eq!(posted.0, 202, "{}", posted.1);
        daemon.settled(1).await;
        daemon
    }

    /// Plays an answered call of this client to Anna, faster than it was recorded.
    pub(super) fn client_calls(&self, client: &str) {
        let call = ScriptedCall::of("inbound_answered").client(client);
        drop(self.ami.play(call.speed(5.0)).expect("it was recorded"));
    }

    /// Adds a fault for requests of the CRM; `path` may hold `*`.
    pub(super) fn fault(&self, method: &str, path: &str, when: When, fault: Fault) {
        let rule = Rule::new(method, path, when, fault);
        self.crm.add_fault(rule).expect("there is room");
    }

    /// Makes the CRM answer nothing but errors.
    pub(super) fn crm_down(&self) {
        self.fault("", "*", When::Always, Fault::ErrorBefore { status: 503 });
    }

    /// Returns what the CRM holds, after a look for anything that is there twice.
    #[track_caller]
    pub(super) fn oracle(&self) -> Oracle {
        let oracle = self.crm.oracle();
        assert_eq!(oracle.duplicates.count(), 0, "{:?}", oracle.duplicates);
        assert_eq!(oracle.counters.rate_violations, 0);
        oracle
    }

    /// Expects one contact, one deal and one logged call for each of these clients, and nothing
    /// else.
    #[track_caller]
    pub(super) fn holds_one_answered_call_of_each(&self, clients: &[&str]) {
        let oracle = self.oracle();
        for client in clients {
            assert_eq!(
                oracle.contacts_of_phone(client).len(),
                1,
                "contacts of {client}"
            );
            assert_eq!(oracle.leads_of_phone(client).len(), 1, "deals of {client}");
            let calls = oracle.calls_of_phone(client);
            assert_eq!(calls.len(), 1, "calls of {client}");
            // A talk took place, Anna's.
            assert_eq!(calls[0].status, Some(4), "{:?}", calls[0]);
            assert_eq!(calls[0].call_responsible, Some(ANNA.to_string()));
        }
        let held = [
            oracle.contacts.len(),
            oracle.leads.len(),
            oracle.calls.len(),
        ];
        assert_eq!(held, [clients.len(); 3], "contacts, deals, calls");
        assert_eq!(oracle.unsorted, []);
    }
}

/// A call of the site's telephony that Anna answered, as the webhook takes it. Began at this many
/// seconds after 2026-11-20 09:00 UTC.
pub(super) fn site_call(key: &str, client: &str, began_s: u32) -> Value {
    let at = |second: u32| {
        format!(
            "2026-11-20T{:02}:{:02}:{:02}Z",
            9 + second / 3600,
            second / 60 % 60,
            second % 60
        )
    };
    json!({
        "kind": "call", "key": key, "revision": 1, "direction": "incoming", "phase": "ended",
        "client": client, "our_number": "+74950000001", "started_at": at(began_s),
        "answered_at": at(began_s + 5), "ended_at": at(began_s + 35),
        "rung": [{ "extension": "101" }], "talkers": ["101"],
    })
}
