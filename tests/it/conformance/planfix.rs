//! Planfix. Its deals are tasks of an object.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use trunkline::crm::Adapter;
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::lab::planfix::{CallView, PlanfixLab, PlanfixOptions, start};
use trunkline::model::ids::CrmUserId;
use trunkline::model::timestamp::Timestamp;

use super::{Entry, Portal, Trouble};
use crate::planfix_door::open;

struct Planfix {
    lab: PlanfixLab,
    adapter: Arc<dyn Adapter>,
}

async fn portal() -> Box<dyn Portal> {
    let options = PlanfixOptions {
        per_second: None,
        ..PlanfixOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let adapter = open(&lab.base_url(), json!({}));
    Box::new(Planfix { lab, adapter })
}

super::every_scenario!(super::planfix::portal);

impl Portal for Planfix {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::clone(&self.adapter)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.lab.now())
    }

    fn user(&self) -> CrmUserId {
        CrmUserId("5".to_owned())
    }

    fn other_user(&self) -> CrmUserId {
        CrmUserId("6".to_owned())
    }

    fn user_who_left(&self) -> CrmUserId {
        CrmUserId("9".to_owned())
    }

    fn stage(&self) -> (String, String) {
        ("101".to_owned(), "1".to_owned())
    }

    fn add_client(&self, name: &str, phone: &str) -> String {
        self.lab.add_contact(name, phone, 5).to_string()
    }

    fn trouble(&self, trouble: Trouble) {
        let fault = match trouble {
            Trouble::AnswerLost => Fault::LostAfter,
            Trouble::Refused => Fault::RefusedBefore,
            Trouble::BrokenAfter => Fault::ErrorAfter { status: 502 },
            Trouble::TooMany => Fault::TooManyRequests {
                retry_after_s: None,
            },
        };
        // What makes something ends with a slash.
        let rule = Rule::new("POST", "/rest/*/", When::First { n: 1 }, fault);
        self.lab.add_fault(rule).expect("a good rule");
    }

    fn contacts(&self, phone: &str) -> usize {
        self.lab.oracle().contacts_of_phone(phone).len()
    }

    fn deals(&self, phone: &str) -> usize {
        self.lab.oracle().deals_of_phone(phone).len()
    }

    fn calls(&self, phone: &str) -> usize {
        self.lab.oracle().calls_of_phone(phone).len()
    }

    fn tasks(&self) -> usize {
        let oracle = self.lab.oracle();
        oracle
            .tasks
            .iter()
            .filter(|task| task.template.is_none())
            .count()
    }

    fn called_at(&self, phone: &str) -> Vec<Timestamp> {
        let oracle = self.lab.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        calls.map(|call| Timestamp::from_secs(call.at)).collect()
    }

    fn finds_calls(&self) -> bool {
        false
    }

    fn history(&self, phone: &str) -> Vec<Entry> {
        let oracle = self.lab.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        let entry = |call: &CallView| Entry {
            outgoing: call.outgoing,
            answered: call.status == "Success",
            talk_s: i64::try_from(call.duration).expect("short"),
        };
        calls.map(entry).collect()
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let odd = oracle.counters.oddities.iter();
        let odd = odd.map(|odd| format!("{odd:?}"));
        let twice = oracle.keys_twice.iter();
        odd.chain(twice.map(|twice| format!("{twice:?}"))).collect()
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move { self.lab.stop().await.expect("a clean end") }.boxed()
    }
}
