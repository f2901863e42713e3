//! Bitrix24, as an application.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use trunkline::crm::Adapter;
use trunkline::lab::bitrix24::{BitrixLab, BitrixOptions, CallView, Limits, SeedCard, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::Outcome;
use trunkline::model::secret::Secret;
use trunkline::model::timestamp::Timestamp;

use super::{Entry, Portal, Trouble};
use crate::bitrix24_door::open;

/// The end of a call whose registration was refused, and the pages that follow the last one, refer
/// to what is not there: the contract says what becomes of that (`crm/bitrix24.md` §16).
pub(crate) const EMPTY_REFERENCE: &str = "a reference to a result that is not there";

struct Bitrix {
    lab: BitrixLab,
    adapter: Arc<dyn Adapter>,
}

async fn portal() -> Box<dyn Portal> {
    let options = BitrixOptions {
        limits: Limits::none(),
        ..BitrixOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let application = &lab.options().applications[0];
    let wanted = json!({
        "client_id": application.client_id, "client_secret": application.client_secret,
    });
    let adapter = open(&lab.base_url(), wanted);
    let code = Secret::new(lab.issue_code(&application.client_id, 1));
    assert_eq!(adapter.authorise(code).await, Outcome::Done(()));
    Box::new(Bitrix { lab, adapter })
}

super::every_scenario!(super::bitrix24::portal);

impl Portal for Bitrix {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::clone(&self.adapter)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.lab.now())
    }

    fn user(&self) -> CrmUserId {
        CrmUserId("12".to_owned())
    }

    fn other_user(&self) -> CrmUserId {
        CrmUserId("13".to_owned())
    }

    fn user_who_left(&self) -> CrmUserId {
        CrmUserId("16".to_owned())
    }

    fn stage(&self) -> (String, String) {
        ("0".to_owned(), "NEW".to_owned())
    }

    fn add_client(&self, name: &str, phone: &str) -> String {
        let card = SeedCard::new(name, phone, 12);
        self.lab.add_contact(&card).to_string()
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
        let rule = Rule::new("POST", "*batch", When::First { n: 1 }, fault);
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
        let todos = oracle
            .activities
            .iter()
            .filter(|one| one.provider == "CRM_TODO");
        todos.count() + oracle.tasks.len()
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
            outgoing: call.direction == "outbound",
            answered: call.duration > 0,
            talk_s: call.duration,
        };
        calls.map(entry).collect()
    }

    fn complaints(&self) -> Vec<String> {
        let oracle = self.lab.oracle();
        let odd = oracle.counters.oddities.iter();
        let odd = odd.filter(|(what, _)| what.as_str() != EMPTY_REFERENCE);
        let odd = odd.map(|odd| format!("{odd:?}"));
        let twice = oracle.duplicates.origins.iter();
        let twice = twice.chain(&oracle.duplicates.external_ids);
        let spent = oracle.counters.spent_tokens_reused;
        let spent = (spent > 0).then(|| format!("{spent} spent tokens"));
        odd.chain(twice.map(|twice| format!("{twice:?}")))
            .chain(spent)
            .collect()
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move { self.lab.stop().await.expect("a clean end") }.boxed()
    }
}
