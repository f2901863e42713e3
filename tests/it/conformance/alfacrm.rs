//! AlfaCRM, where a card is lead and client in one: there are no deals beside it. As the contract is
//! read best, and with everything that it leaves open the other way.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use trunkline::crm::Adapter;
use trunkline::lab::alfacrm::{AlfaLab, AlfaOptions, CallView, Customer, Switches, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::ids::CrmUserId;
use trunkline::model::timestamp::Timestamp;

use super::{Entry, Portal, Trouble};
use crate::alfacrm_door::open;

struct Alfa {
    lab: AlfaLab,
    adapter: Arc<dyn Adapter>,
}

async fn with(switches: Switches) -> Box<dyn Portal> {
    let options = AlfaOptions {
        rate_per_second: 2_000,
        switches,
        ..AlfaOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let adapter = open(&lab.base_url(), json!({}));
    Box::new(Alfa { lab, adapter })
}

async fn portal() -> Box<dyn Portal> {
    with(Switches::default()).await
}

async fn other() -> Box<dyn Portal> {
    with(Switches::other()).await
}

mod as_read_best {
    crate::conformance::every_scenario!(crate::conformance::alfacrm::portal);
}

mod the_other_way {
    crate::conformance::every_scenario!(crate::conformance::alfacrm::other);
}

impl Portal for Alfa {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::clone(&self.adapter)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.lab.now())
    }

    fn user(&self) -> CrmUserId {
        CrmUserId("502".to_owned())
    }

    fn other_user(&self) -> CrmUserId {
        CrmUserId("503".to_owned())
    }

    fn user_who_left(&self) -> CrmUserId {
        CrmUserId("505".to_owned())
    }

    fn stage(&self) -> (String, String) {
        let funnel = if self.lab.switches().funnels {
            "1"
        } else {
            "0"
        };
        (funnel.to_owned(), "3".to_owned())
    }

    fn add_client(&self, name: &str, phone: &str) -> String {
        let customer = Customer {
            name: name.to_owned(),
            phones: vec![phone.to_owned()],
            assigned: 502,
            ..Customer::default()
        };
        self.lab.add_customer(customer).to_string()
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
        let rule = Rule::new("POST", "*/create", When::First { n: 1 }, fault);
        self.lab.add_fault(rule).expect("a good rule");
    }

    fn contacts(&self, phone: &str) -> usize {
        self.lab.oracle().customers_of_phone(phone).len()
    }

    fn has_deals(&self) -> bool {
        false
    }

    fn deals(&self, _: &str) -> usize {
        0
    }

    fn calls(&self, phone: &str) -> usize {
        self.lab.oracle().calls_of_phone(phone).len()
    }

    fn tasks(&self) -> usize {
        self.lab.oracle().tasks.len()
    }

    fn called_at(&self, phone: &str) -> Vec<Timestamp> {
        let oracle = self.lab.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        calls.map(|call| Timestamp::from_secs(call.at)).collect()
    }

    fn history(&self, phone: &str) -> Vec<Entry> {
        let oracle = self.lab.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        let entry = |call: &CallView| Entry {
            outgoing: call.outgoing,
            answered: call.answered,
            talk_s: call.duration,
        };
        calls.map(entry).collect()
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let odd = oracle
            .counters
            .oddities
            .iter()
            .map(|odd| format!("{odd:?}"));
        let twice = oracle.marks_twice.iter().map(|twice| format!("{twice:?}"));
        odd.chain(twice).collect()
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move { self.lab.stop().await.expect("a clean end") }.boxed()
    }
}
