//! Bitrix24, as an application; as the contract is read best, and as it may be otherwise.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use trunkline::lab::bitrix24::{BitrixLab, BitrixOptions, CallView, Limits, Mode, Switches, start};
use trunkline::lab::fault::Rule;

use super::{Company, Daemon, Home, Logged, Wanted, home};
use crate::conformance::bitrix24::EMPTY_REFERENCE;

const ACCOUNT: &str = r#"
[[accounts]]
id = "main"
crm = "bitrix24"
name = "Продажи"

[accounts.settings]
url = "https://demo.bitrix24.ru"
client_id = "@CLIENT@"
# The lab's own limit is raised too, to save time.
rate_per_second = 500

[accounts.secrets]
client_secret = { file = "../../secrets/bitrix24-client" }
"#;

const USERS: [&str; 3] = ["12", "13", "1"];

/// The portal's index may know of a card so much later.
const LAG_S: u32 = 30;

struct Bitrix {
    lab: BitrixLab,
    home: Arc<Home>,
}

async fn with(switches: Switches) -> Bitrix {
    let options = BitrixOptions {
        limits: Limits::none(),
        mode: Mode::Simple,
        switches,
        ..BitrixOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let application = lab.options().applications[0].clone();
    let wanted = Wanted {
        account: ACCOUNT.replace("@CLIENT@", &application.client_id),
        url: "https://demo.bitrix24.ru",
        makes: r#"{ kind = "contact_and_deal", pipeline = "0", stage = "NEW" }"#,
        users: USERS,
    };
    let home = home(&wanted, &lab.base_url(), "unused");
    home.write("secrets/bitrix24-client", &application.client_secret);
    Bitrix { lab, home }
}

async fn company() -> Bitrix {
    with(Switches::default()).await
}

/// A portal that looks for a call's client once more at its end.
async fn finding_late() -> Bitrix {
    with(Switches {
        calls_find_clients_at_finish: true,
        ..Switches::default()
    })
    .await
}

/// A portal whose index lags behind.
async fn lagging() -> Bitrix {
    with(Switches {
        search_lags_s: Some(LAG_S),
        ..Switches::default()
    })
    .await
}

super::every_scenario!(super::bitrix24::company);

/// What depends on how a client is found.
macro_rules! finding_scenarios {
    ($open:path) => {
        crate::process::conformance::conforms! { $open:
            a_recording_stands_in_the_history_also_when_it_comes_late,
            a_request_makes_its_client_once_and_one_that_is_filtered_out_makes_nothing,
            a_chat_makes_its_client_once_and_every_word_is_written_once,
            a_strangers_call_whose_card_was_shown_stands_on_the_card_that_it_makes_once,
        }
    };
}

mod that_finds_clients_at_the_end {
    finding_scenarios!(crate::process::conformance::bitrix24::finding_late);
}

mod whose_index_lags {
    finding_scenarios!(crate::process::conformance::bitrix24::lagging);
}

impl Company for Bitrix {
    fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn start(&self) -> LocalBoxFuture<'_, Daemon> {
        Box::pin(async {
            let daemon = Daemon::start(&self.home).await;
            let client_id = &self.lab.options().applications[0].client_id;
            let code = self.lab.issue_code(client_id, 1);
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
            daemon
        })
    }

    fn users(&self) -> [&'static str; 3] {
        USERS
    }

    fn contacts(&self, phone: &str) -> usize {
        self.lab.oracle().contacts_of_phone(phone).len()
    }

    fn deals(&self, phone: &str) -> usize {
        self.lab.oracle().deals_of_phone(phone).len()
    }

    fn calls(&self, phone: &str) -> Vec<Logged> {
        let oracle = self.lab.oracle();
        let standings = oracle.standings();
        let calls = oracle.calls_of_phone(phone).into_iter();
        let logged = |call: &CallView| Logged {
            user: call.user.to_string(),
            at: call.at,
            talk_s: call.duration,
            recording: call.record.as_ref().map(|record| record.url.clone()),
            standing: standings[call.call_id.as_str()],
        };
        calls.map(logged).collect()
    }

    fn texts(&self) -> Vec<String> {
        let comments = self.lab.oracle().comments.into_iter();
        comments.map(|comment| comment.text).collect()
    }

    fn fault(&self, rule: Rule) {
        self.lab.add_fault(rule).expect("there is room");
    }

    fn heal(&self) {
        self.lab.clear_faults();
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let mut complaints = Vec::new();
        if oracle.duplicates.count() > 0 {
            complaints.push(format!("{:?}", oracle.duplicates));
        }
        let odd = oracle.counters.oddities.iter();
        let odd = odd.filter(|(what, _)| what.as_str() != EMPTY_REFERENCE);
        complaints.extend(odd.map(|odd| format!("{odd:?}")));
        if !oracle.live_calls.is_empty() {
            complaints.push(format!("never ended: {:?}", oracle.live_calls));
        }
        complaints
    }
}
