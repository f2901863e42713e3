//! What every CRM's adapter must do, told without naming any: scenarios over the trait [`Portal`],
//! run for each CRM of the lab.

mod alfacrm;
mod amocrm;
pub(crate) mod bitrix24;
mod planfix;
mod scenarios;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use trunkline::crm::{Adapter, StepCommand};
use trunkline::model::communication::Phase;
use trunkline::model::ids::CrmUserId;
use trunkline::model::plan::{Effect, Role, StepKey};
use trunkline::model::timestamp::Timestamp;

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Its effect happens and the answer is lost.
    AnswerLost,
    /// The connection is closed; nothing happens.
    Refused,
    /// Too many requests; nothing happens.
    TooMany,
    /// The server breaks after the effect.
    BrokenAfter,
}

/// A call in a CRM's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) outgoing: bool,
    pub(super) answered: bool,
    /// Seconds.
    pub(super) talk_s: i64,
}

/// A CRM of the lab, as scenarios see it.
pub(super) trait Portal: Send + Sync {
    /// Its adapter.
    fn adapter(&self) -> Arc<dyn Adapter>;
    /// What time it is there.
    fn now(&self) -> Timestamp;
    /// A user who is there.
    fn user(&self) -> CrmUserId;
    /// Another one.
    fn other_user(&self) -> CrmUserId;
    /// A user who has left.
    fn user_who_left(&self) -> CrmUserId;
    /// A pipeline and a stage of it.
    fn stage(&self) -> (String, String);
    /// Makes a client by hand; returns the id.
    fn add_client(&self, name: &str, phone: &str) -> String;
    /// Makes the next request that changes something go wrong.
    fn trouble(&self, trouble: Trouble);
    /// How many contacts have the number.
    fn contacts(&self, phone: &str) -> usize;
    /// There are deals beside the cards of clients.
    fn has_deals(&self) -> bool {
        true
    }
    /// How many deals those contacts have.
    fn deals(&self, phone: &str) -> usize;
    /// How many calls with the number stand in the call history.
    fn calls(&self, phone: &str) -> usize;
    /// How many tasks there are.
    fn tasks(&self) -> usize;
    /// When the calls with the number took place, by the CRM.
    fn called_at(&self, phone: &str) -> Vec<Timestamp>;
    /// The calls with the number, by time.
    fn history(&self, phone: &str) -> Vec<Entry>;
    /// Whether an entry of the call history can be found again: else the kind is undecidable.
    fn finds_calls(&self) -> bool {
        true
    }
    /// What the CRM found odd about how it was asked, or twice.
    fn complaints(&self) -> Vec<String>;
    /// Ends it.
    fn end(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// A command about a communication.
pub(super) fn command(portal: &dyn Portal, call: &str, role: &str, effect: Effect) -> StepCommand {
    StepCommand {
        key: StepKey {
            integration: "acme/sales".parse().expect("a key"),
            communication: format!("acme/office/{call}").parse().expect("a key"),
            role: Role::new(role),
        },
        effect,
        kind: None,
        phase: Phase::Ended,
        first_sent_at: portal.now(),
    }
}

/// Runs every scenario for a CRM.
macro_rules! conforms {
    ($start:path: $($scenario:ident),+ $(,)?) => {
        $(
            #[actix_rt::test]
            async fn $scenario() {
                let portal = $start().await;
                crate::conformance::scenarios::$scenario(portal.as_ref()).await;
                let complaints = portal.complaints();
                assert!(complaints.is_empty(), "{complaints:?}");
                portal.end().await;
            }
        )+
    };
}

/// Names every scenario, for [`conforms`].
macro_rules! every_scenario {
    ($start:path) => {
        crate::conformance::conforms! { $start:
            a_first_call_makes_a_contact_a_deal_and_an_entry_once,
            a_client_who_was_made_is_known_at_the_next_call,
            a_number_is_found_however_it_was_typed,
            a_stranger_is_nobody,
            what_was_sent_and_not_answered_is_found_and_not_made_twice,
            what_surely_did_not_happen_is_said_so_and_may_be_repeated,
            a_call_keeps_its_own_time_however_late_it_is_delivered,
            calls_of_every_kind_stand_in_the_history_as_what_they_were,
            a_client_who_calls_again_stays_one_client_with_all_the_calls,
            what_a_client_wrote_stands_on_the_card_once_whatever_becomes_of_the_answer,
            a_card_is_handed_over_once_and_a_card_that_is_handed_over_is_left_alone,
            of_steps_that_are_sent_together_a_bad_one_harms_no_other,
            a_user_who_left_costs_no_call,
            the_account_says_who_works_there_and_where_deals_go,
            the_directory_holds_every_client_and_learns_of_new_ones,
        }
    };
}

use {conforms, every_scenario};
