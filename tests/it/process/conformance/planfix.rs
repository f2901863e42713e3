//! Planfix. Its deals are tasks of an object, and its contacts are made by itself from calls. Whether a
//! call's last event arrived nobody can find out: one that stands twice with the same name counts once.

use std::sync::Arc;

use trunkline::lab::fault::{FaultPlan, Rule};
use trunkline::lab::planfix::{CallView, PlanfixLab, PlanfixOptions, UserOptions, start};

use super::{Company, Home, Logged, Wanted, home};

const ACCOUNT: &str = r#"
[[accounts]]
id = "main"
crm = "planfix"
name = "Продажи"

[accounts.settings]
url = "https://acme.planfix.ru/rest/"
call_time_field = "@TIME@"
# The lab's own limit is raised too, to save time.
rate_per_second = 500

[accounts.secrets]
token = { file = "../../secrets/planfix-rest" }
telephony_token = { file = "../../secrets/planfix-telephony" }
"#;

const USERS: [&str; 3] = ["502", "503", "501"];

struct Planfix {
    lab: PlanfixLab,
    home: Arc<Home>,
}

async fn company() -> Planfix {
    let options = PlanfixOptions {
        per_second: None,
        users: vec![
            UserOptions::employee(501, "Ольга", "Лаб", "100"),
            UserOptions::employee(502, "Анна", "Лаб", "101"),
            UserOptions::employee(503, "Борис", "Лаб", "102"),
        ],
        ..PlanfixOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let options = lab.options();
    let time_field = options.call_time_field.as_deref().expect("there is one");
    let wanted = Wanted {
        account: ACCOUNT.replace("@TIME@", time_field),
        url: "https://acme.planfix.ru",
        makes: r#"{ kind = "contact_and_deal", pipeline = "101", stage = "1" }"#,
        users: USERS,
    };
    let home = home(&wanted, &lab.base_url(), &options.rest_token);
    home.write("secrets/planfix-rest", &options.rest_token);
    home.write("secrets/planfix-telephony", &options.telephony_token);
    Planfix { lab, home }
}

super::every_scenario!(super::planfix::company);

impl Company for Planfix {
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
        self.lab.oracle().deals_of_phone(phone).len()
    }

    fn calls(&self, phone: &str) -> Vec<Logged> {
        let oracle = self.lab.oracle();
        let of_phone = |call: &&CallView| phone.ends_with(&call.phone);
        let mut calls = oracle.calls_once();
        calls.retain(of_phone);
        calls.sort_by_key(|call| call.at);
        let logged = |call: &CallView| Logged {
            user: call.user.map(|user| user.to_string()).unwrap_or_default(),
            at: call.at,
            talk_s: i64::try_from(call.duration).expect("short"),
            recording: call.link.clone(),
            standing: 1,
        };
        calls.into_iter().map(logged).collect()
    }

    fn texts(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let comments = oracle.comments.into_iter().map(|comment| comment.text);
        let tasks = oracle.tasks.into_iter().map(|task| task.description);
        comments.chain(tasks).collect()
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
        let twice = oracle.keys_twice.iter();
        odd.chain(twice.map(|twice| format!("{twice:?}"))).collect()
    }
}
