//! amoCRM.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use trunkline::crm::Adapter;
use trunkline::lab::amocrm::{AmoHandle, AmoLab, AmoOptions, CallView, SeedCard, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::ids::CrmUserId;
use trunkline::model::timestamp::Timestamp;

use super::{Entry, Portal, Trouble};
use crate::amocrm_lab::open;

struct Amo {
    lab: AmoLab,
    handle: AmoHandle,
    adapter: Arc<dyn Adapter>,
}

async fn portal() -> Box<dyn Portal> {
    let options = AmoOptions {
        rate_per_second: 2_000,
        account_rate_per_second: 2_000,
        ..AmoOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let handle = lab.handle();
    let adapter = open(&handle, 900.0);
    Box::new(Amo {
        lab,
        handle,
        adapter,
    })
}

super::every_scenario!(super::amocrm::portal);

impl Portal for Amo {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::clone(&self.adapter)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.handle.now())
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
        ("3100".to_owned(), "3102".to_owned())
    }

    fn add_client(&self, name: &str, phone: &str) -> String {
        let card = SeedCard::new(name, phone, 502);
        self.handle.add_contact(&card).to_string()
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
        let rule = Rule::new("POST", "/api/v4/*", When::First { n: 1 }, fault);
        self.handle.add_fault(rule).expect("a good rule");
    }

    fn contacts(&self, phone: &str) -> usize {
        self.handle.oracle().contacts_of_phone(phone).len()
    }

    fn deals(&self, phone: &str) -> usize {
        self.handle.oracle().leads_of_phone(phone).len()
    }

    fn calls(&self, phone: &str) -> usize {
        self.handle.oracle().calls_of_phone(phone).len()
    }

    fn tasks(&self) -> usize {
        self.handle.oracle().tasks.len()
    }

    fn called_at(&self, phone: &str) -> Vec<Timestamp> {
        let oracle = self.handle.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        calls.map(|call| Timestamp::from_secs(call.at)).collect()
    }

    fn history(&self, phone: &str) -> Vec<Entry> {
        let oracle = self.handle.oracle();
        let calls = oracle.calls_of_phone(phone).into_iter();
        let entry = |call: &CallView| Entry {
            outgoing: call.direction == "outbound",
            // A talk took place (`crm/amocrm.md` §11).
            answered: call.status == Some(4),
            talk_s: call.duration,
        };
        calls.map(entry).collect()
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.handle.oracle();
        let odd = oracle
            .counters
            .oddities
            .iter()
            .map(|odd| format!("{odd:?}"));
        let uses = oracle.marker_uses("Trunkline").into_iter();
        let twice = uses.filter(|(_, uses)| *uses > 1);
        odd.chain(twice.map(|twice| format!("{twice:?}"))).collect()
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move { self.lab.stop().await.expect("a clean end") }.boxed()
    }
}
