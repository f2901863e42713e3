//! What the whole program must do with any CRM, told without naming one: scenarios over the trait
//! [`Company`], run for each CRM of the lab. What only an adapter must do stands in `tests/it/conformance`.

mod alfacrm;
mod amocrm;
mod bitrix24;
mod planfix;
mod scenarios;

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use trunkline::lab::fault::{Fault, Rule, When};

use super::daemon::Daemon;
use super::home::Home;

const TENANT: &str = include_str!("../etc/conformance.toml");

/// The address that stands in the daemon's file for the CRM's.
const CRM_URL: &str = "https://demo.amocrm.ru";

/// Who talks first or last is whose call it is (V-03).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Talker {
    First,
    Last,
}

impl Talker {
    fn word(self) -> &'static str {
        match self {
            Talker::First => "first",
            Talker::Last => "last",
        }
    }
}

/// A call in a CRM's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logged {
    /// Whose it is, by the CRM's id.
    pub(super) user: String,
    /// Unix seconds.
    pub(super) at: i64,
    /// Seconds.
    pub(super) talk_s: i64,
    /// Where its recording is, if it has one.
    pub(super) recording: Option<String>,
    /// How often it stands on a card that is there.
    pub(super) standing: usize,
}

/// What the files of a company say of its CRM.
pub(super) struct Wanted {
    /// The account's part of the tenant's file.
    pub(super) account: String,
    /// The address in it.
    pub(super) url: &'static str,
    /// What a client is made of.
    pub(super) makes: &'static str,
    /// Anna's user, Boris's, and who else answers.
    pub(super) users: [&'static str; 3],
}

/// A CRM of the lab with a daemon's folder, as scenarios see it.
pub(super) trait Company: Send + Sync {
    /// The daemon's folder.
    fn home(&self) -> &Arc<Home>;
    /// Starts the daemon for the first time, and lets it in.
    fn start(&self) -> LocalBoxFuture<'_, Daemon> {
        self.start_again()
    }
    /// Starts the daemon again.
    fn start_again(&self) -> LocalBoxFuture<'_, Daemon> {
        Box::pin(Daemon::start(self.home()))
    }
    /// Anna's user, Boris's, and who else answers.
    fn users(&self) -> [&'static str; 3];
    /// There are deals beside the cards of clients.
    fn has_deals(&self) -> bool {
        true
    }
    /// A card can be shown while a telephone rings.
    fn shows_cards(&self) -> bool {
        true
    }
    /// How many contacts have the number.
    fn contacts(&self, phone: &str) -> usize;
    /// How many deals those contacts have.
    fn deals(&self, phone: &str) -> usize;
    /// The calls with the number, by time.
    fn calls(&self, phone: &str) -> Vec<Logged>;
    /// What was written on cards.
    fn texts(&self) -> Vec<String>;
    /// Adds a fault.
    fn fault(&self, rule: Rule);
    /// Nothing goes wrong any more.
    fn heal(&self);
    /// What the CRM found odd about how it was asked, or twice.
    fn complaints(&self) -> Vec<String>;
    /// The CRM answers nothing but errors.
    fn go_down(&self) {
        let broken = Fault::ErrorBefore { status: 503 };
        self.fault(Rule::new("", "*", When::Always, broken));
    }
}

/// Makes the folder of a company with this CRM at this address.
pub(super) fn home(wanted: &Wanted, base_url: &str, token: &str) -> Arc<Home> {
    let home = Home::new(1, base_url, token);
    std::fs::create_dir(home.path("monitor")).expect("a folder");
    home.edit("etc/trunkline.toml", CRM_URL, wanted.url);
    let tenants = "tenants_dir = \"tenants.d\"";
    let public = format!("{tenants}\npublic_url = \"http://{}\"", home.intake());
    home.edit("etc/trunkline.toml", tenants, &public);
    let [anna, boris, boss] = wanted.users;
    let folder = home.path("monitor");
    let tenant = TENANT
        .replace("@ACCOUNT@", &wanted.account)
        .replace("@MAKES@", wanted.makes)
        .replace("@RECORDINGS@", &folder.to_string_lossy())
        .replace("@TALKER@", Talker::Last.word())
        .replace("@ANNA@", anna)
        .replace("@BORIS@", boris)
        .replace("@BOSS@", boss);
    home.write("etc/tenants.d/acme.toml", &tenant);
    Arc::new(home)
}

/// Runs every scenario for a CRM.
macro_rules! conforms {
    ($open:path: $($scenario:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                let company = $open().await;
                crate::process::conformance::scenarios::$scenario(&company).await;
                let complaints = crate::process::conformance::Company::complaints(&company);
                assert!(complaints.is_empty(), "{complaints:?}");
            }
        )+
    };
}

/// Names every scenario, for [`conforms`].
macro_rules! every_scenario {
    ($open:path) => {
        crate::process::conformance::conforms! { $open:
            a_transferred_call_is_of_who_talked_last,
            a_transferred_call_is_of_who_talked_first_where_that_is_set,
            a_recording_stands_in_the_history_also_when_it_comes_late,
            a_request_makes_its_client_once_and_one_that_is_filtered_out_makes_nothing,
            a_chat_makes_its_client_once_and_every_word_is_written_once,
            what_came_in_on_a_day_without_the_crm_is_delivered_once_with_its_own_times,
            a_kill_in_the_middle_of_the_work_neither_loses_nor_doubles_anything,
            a_strangers_call_whose_card_was_shown_stands_on_the_card_that_it_makes_once,
        }
    };
}

use {conforms, every_scenario};
