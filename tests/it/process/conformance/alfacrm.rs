//! AlfaCRM, where a card is lead and client in one: there are no deals beside it, and no cards at ringing
//! telephones.

use std::sync::Arc;

use trunkline::lab::alfacrm::{AlfaLab, AlfaOptions, CallView, start};
use trunkline::lab::fault::{FaultPlan, Rule};

use super::{Company, Home, Logged, Wanted, home};

const ACCOUNT: &str = r#"
[[accounts]]
id = "main"
crm = "alfacrm"
name = "Школа"

[accounts.settings]
url = "https://demo.s20.online"
email = "api@school.ru"
branch = 1
# The lab's own limit is raised too, to save time.
rate_per_second = 500

[accounts.secrets]
api_key = { file = "../../secrets/alfacrm-key" }
"#;

const USERS: [&str; 3] = ["502", "503", "504"];

struct Alfa {
    lab: AlfaLab,
    home: Arc<Home>,
}

async fn company() -> Alfa {
    let options = AlfaOptions {
        rate_per_second: 2_000,
        ..AlfaOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let key = lab.options().api_key;
    let wanted = Wanted {
        account: ACCOUNT.to_owned(),
        url: "https://demo.s20.online",
        makes: r#"{ kind = "contact" }"#,
        users: USERS,
    };
    let home = home(&wanted, &lab.base_url(), &key);
    home.write("secrets/alfacrm-key", &key);
    Alfa { lab, home }
}

super::every_scenario!(super::alfacrm::company);

impl Company for Alfa {
    fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn users(&self) -> [&'static str; 3] {
        USERS
    }

    fn has_deals(&self) -> bool {
        false
    }

    fn shows_cards(&self) -> bool {
        false
    }

    fn contacts(&self, phone: &str) -> usize {
        self.lab.oracle().customers_of_phone(phone).len()
    }

    fn deals(&self, _: &str) -> usize {
        0
    }

    fn calls(&self, phone: &str) -> Vec<Logged> {
        let oracle = self.lab.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        let logged = |call: &CallView| Logged {
            user: call.user.to_string(),
            at: call.at,
            talk_s: call.duration,
            recording: call.link.clone(),
            standing: usize::from(call.is_shown),
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
        self.lab.set_faults(FaultPlan::new(0));
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let odd = oracle.counters.oddities.iter();
        let odd = odd.map(|odd| format!("{odd:?}"));
        let twice = oracle.marks_twice.iter();
        odd.chain(twice.map(|twice| format!("{twice:?}"))).collect()
    }
}
