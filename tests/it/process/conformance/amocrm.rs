//! amoCRM.

use std::sync::Arc;
use std::time::Duration;

use trunkline::lab::amocrm::{AmoLab, AmoOptions, CallView, start};
use trunkline::lab::fault::Rule;

use super::{Company, Home, Logged, Wanted, home};

const ACCOUNT: &str = r#"
[[accounts]]
id = "main"
crm = "amocrm"
name = "Продажи"

[accounts.settings]
url = "https://demo.amocrm.ru"
# The lab's own limit is raised too, to save time.
rate_per_second = 500

[accounts.secrets]
token = { file = "../../secrets/amocrm-main" }
"#;

const USERS: [&str; 3] = ["502", "503", "501"];

struct Amo {
    lab: AmoLab,
    home: Arc<Home>,
}

async fn company() -> Amo {
    let options = AmoOptions {
        rate_per_second: 2_000,
        account_rate_per_second: 2_000,
        search_lag: Duration::ZERO,
        ..AmoOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let wanted = Wanted {
        account: ACCOUNT.to_owned(),
        url: "https://demo.amocrm.ru",
        makes: r#"{ kind = "contact_and_deal", pipeline = "3100", stage = "3102" }"#,
        users: USERS,
    };
    let home = home(&wanted, &lab.base_url(), &lab.long_lived_token());
    Amo { lab, home }
}

super::every_scenario!(super::amocrm::company);

impl Company for Amo {
    fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn users(&self) -> [&'static str; 3] {
        USERS
    }

    fn contacts(&self, phone: &str) -> usize {
        self.lab.oracle().contacts_of_phone(phone).len()
    }

    fn deals(&self, phone: &str) -> usize {
        self.lab.oracle().leads_of_phone(phone).len()
    }

    fn calls(&self, phone: &str) -> Vec<Logged> {
        let oracle = self.lab.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        let logged = |call: &CallView| Logged {
            user: call.call_responsible.clone().unwrap_or_default(),
            at: call.at,
            talk_s: call.duration,
            recording: Some(call.link.clone()).filter(|link| !link.is_empty()),
            standing: usize::from(call.is_shown),
        };
        calls.map(logged).collect()
    }

    fn texts(&self) -> Vec<String> {
        let notes = self.lab.oracle().notes;
        let texts = notes.iter().filter_map(|note| note.params["text"].as_str());
        texts.map(str::to_owned).collect()
    }

    fn fault(&self, rule: Rule) {
        self.lab.add_fault(rule).expect("there is room");
    }

    fn heal(&self) {
        self.lab.clear_faults();
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let twice = oracle.duplicates.count();
        (twice > 0)
            .then(|| format!("{:?}", oracle.duplicates))
            .into_iter()
            .collect()
    }
}
