//! OAuth of amoCRM against the lab: codes, rotation, lost answers, backups (`crm/amocrm.md` §2).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use trunkline::clock::SystemClock;
use trunkline::crm::account::http::{AccountHttp, AccountHttpOptions};
use trunkline::crm::{AccountDoor, AccountSettings, Adapter, Class, registry};
use trunkline::lab::amocrm::{AmoHandle, AmoLab, AmoOptions, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::outcome::Outcome;
use trunkline::model::secret::{Secret, Secrets};

use super::amocrm_lab::{MemoryVault, ask};
use super::memory_pairs::MemoryPairs;

const CLIENT: &str = "6a1d0c5e-0000-4000-8000-000000000001";
const TOKENS: &str = "/oauth2/access_token";

struct Portal {
    _lab: AmoLab,
    crm: AmoHandle,
    pairs: Arc<MemoryPairs>,
    adapter: Arc<dyn Adapter>,
}

impl Portal {
    /// An account that was let in by a code.
    async fn authorised() -> Self {
        let portal = Self::start().await;
        portal.authorise().await;
        portal
    }

    async fn start() -> Self {
        let options = AmoOptions {
            rate_per_second: 2_000,
            account_rate_per_second: 2_000,
            ..AmoOptions::default()
        };
        let lab = start(options).await.expect("a free port");
        let crm = lab.handle();
        let pairs = Arc::new(MemoryPairs::default());
        let adapter = open(&crm, &pairs);
        Self {
            _lab: lab,
            crm,
            pairs,
            adapter,
        }
    }

    async fn authorise(&self) {
        let code = Secret::new(self.crm.issue_code(CLIENT, 501));
        assert_eq!(self.adapter.authorise(code).await, Outcome::Done(()));
    }

    /// The process ends and begins anew with what is on disk.
    fn restart(&mut self) {
        self.adapter = open(&self.crm, &self.pairs);
    }

    fn fault(&self, fault: Fault) {
        let rule = Rule::new("POST", TOKENS, When::Always, fault);
        self.crm.add_fault(rule).expect("a good rule");
    }

    async fn works(&self) -> bool {
        matches!(
            self.adapter.facts(ask(), Class::Work).await,
            Outcome::Done(_)
        )
    }

    /// Asks something; returns why it cannot be asked before a person has acted.
    async fn refusal(&self) -> String {
        match self.adapter.facts(ask(), Class::Work).await {
            Outcome::AuthExpired { why } => why,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    fn token_requests(&self) -> usize {
        let log = self.crm.log();
        log.iter().filter(|entry| entry.path == TOKENS).count()
    }

    #[track_caller]
    fn no_spent_token_was_sent(&self) {
        assert_eq!(self.crm.counters().spent_tokens_reused, 0);
    }
}

fn open(crm: &AmoHandle, pairs: &Arc<MemoryPairs>) -> Arc<dyn Adapter> {
    let kind = registry::find("amocrm").expect("registered");
    let table = json!({
        "url": "https://demo.amocrm.ru", "rate_per_second": 1000, "client_id": CLIENT,
        "redirect_uri": "https://box.example/amo",
    });
    let settings: Arc<dyn AccountSettings> =
        (kind.build)(&table, Some(&crm.base_url())).expect("good settings");
    assert_eq!(settings.secrets_needed(), ["client_secret"]);
    let http = AccountHttp::new(AccountHttpOptions {
        portal: settings.portal(),
        base_url: settings.base_url().to_owned(),
        rate_per_second: settings.rate_per_second(),
        per_second_max: settings.per_second_max(),
        quiet_start: Duration::ZERO,
        clock: Arc::new(SystemClock),
    });
    let mut secrets = Secrets::default();
    secrets.insert("client_secret", Secret::new("lab-secret".to_owned()));
    settings.open(AccountDoor {
        http: Arc::new(http.expect("a door")),
        vault: Arc::new(MemoryVault::without_token()),
        pairs: pairs.clone(),
        secrets,
        recordings: None,
        clock: Arc::new(SystemClock),
    })
}

#[tokio::test]
async fn an_account_without_a_code_says_where_to_get_one() {
    let portal = Portal::start().await;
    let why = portal.refusal().await;
    assert!(why.contains("trunkline account authorise"), "{why}");
    assert!(
        portal
            .adapter
            .alarm()
            .await
            .expect("an alarm")
            .contains("trunkline account")
    );
    portal.authorise().await;
    assert!(portal.works().await);
    assert_eq!(portal.adapter.alarm().await, None);
}

#[tokio::test]
async fn a_code_that_is_wrong_is_refused_in_the_crms_words_and_changes_nothing() {
    let portal = Portal::authorised().await;
    let wrong = portal
        .adapter
        .authorise(Secret::new("def502".to_owned()))
        .await;
    assert!(
        matches!(&wrong, Outcome::Rejected(why) if why.message.contains("wrong or expired")),
        "{wrong:?}"
    );
    assert!(portal.works().await);
}

#[tokio::test]
async fn a_hundred_simultaneous_expiries_cause_one_rotation_and_no_failure() {
    let portal = Portal::authorised().await;
    assert!(portal.works().await);
    let before = portal.token_requests();
    portal.crm.expire_access_tokens();
    let all = join_all((0..100).map(|_| portal.works())).await;
    assert!(all.into_iter().all(|worked| worked));
    assert_eq!(portal.token_requests() - before, 1);
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn two_doors_of_one_account_around_a_reload_rotate_once() {
    let portal = Portal::authorised().await;
    let other = open(&portal.crm, &portal.pairs);
    assert!(portal.works().await);
    portal.crm.expire_access_tokens();
    let before = portal.token_requests();
    let (one, two) = tokio::join!(portal.works(), other.facts(ask(), Class::Work));
    assert!(one && matches!(two, Outcome::Done(_)), "{two:?}");
    assert_eq!(portal.token_requests() - before, 1);
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn the_pair_outlives_a_restart_and_so_does_its_successor() {
    let mut portal = Portal::authorised().await;
    for _ in 0..3 {
        portal.restart();
        assert!(portal.works().await);
        portal.crm.expire_access_tokens();
        assert!(portal.works().await);
    }
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn a_token_whose_answer_was_lost_is_never_sent_again_and_a_new_code_helps() {
    for fault in [
        Fault::LostAfter,
        Fault::ErrorAfter { status: 502 },
        Fault::TruncatedJson,
        Fault::HtmlInsteadOfJson,
    ] {
        let mut portal = Portal::authorised().await;
        assert!(portal.works().await);
        portal.crm.expire_access_tokens();
        portal.fault(fault.clone());
        let why = portal.refusal().await;
        assert!(
            why.contains("trunkline account authorise"),
            "{fault:?}: {why}"
        );
        portal.crm.clear_faults();
        let asked = portal.token_requests();
        for _ in 0..3 {
            portal.refusal().await;
            portal.restart();
        }
        assert_eq!(portal.token_requests(), asked, "{fault:?}");
        portal.authorise().await;
        assert!(portal.works().await, "{fault:?}");
        portal.no_spent_token_was_sent();
    }
}

#[tokio::test]
async fn a_rotation_that_surely_did_nothing_is_tried_again() {
    let mut portal = Portal::authorised().await;
    assert!(portal.works().await);
    portal.crm.expire_access_tokens();
    portal.fault(Fault::TooManyRequests {
        retry_after_s: Some(1),
    });
    let answer = portal.adapter.facts(ask(), Class::Work).await;
    assert!(matches!(answer, Outcome::NotApplied(_)), "{answer:?}");
    portal.crm.clear_faults();
    portal.restart();
    assert!(portal.works().await);
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn a_process_that_ends_amid_a_rotation_does_not_send_the_token_again() {
    let mut portal = Portal::authorised().await;
    assert!(portal.works().await);
    portal.crm.expire_access_tokens();
    // The CRM's answer arrives, and the store is gone.
    *portal.pairs.store_is_gone.lock().expect("no panic") = true;
    assert!(!portal.works().await);
    *portal.pairs.store_is_gone.lock().expect("no panic") = false;
    portal.restart();
    let why = portal.refusal().await;
    assert!(why.contains("answer to the last renewal was lost"), "{why}");
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn a_process_that_ends_between_the_new_pair_and_its_witness_goes_on() {
    let mut portal = Portal::authorised().await;
    assert!(portal.works().await);
    let before = portal.pairs.witness.lock().expect("no panic").clone();
    portal.crm.expire_access_tokens();
    assert!(portal.works().await);
    // The witness as it was while the request was under way.
    let amid = before.map(|witness| trunkline::crm::pair_vault::Witness {
        sent: true,
        ..witness
    });
    *portal.pairs.witness.lock().expect("no panic") = amid;
    portal.restart();
    portal.crm.expire_access_tokens();
    assert!(portal.works().await);
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn a_restored_backup_never_sends_its_old_token() {
    let mut portal = Portal::authorised().await;
    let backup = portal.pairs.stored.lock().expect("no panic").clone();
    portal.crm.expire_access_tokens();
    assert!(portal.works().await);
    *portal.pairs.stored.lock().expect("no panic") = backup;
    portal.restart();
    portal.crm.expire_access_tokens();
    let why = portal.refusal().await;
    assert!(why.contains("from a backup"), "{why}");
    assert!(
        portal
            .adapter
            .alarm()
            .await
            .expect("an alarm")
            .contains("from a backup")
    );
    // The same on a machine that has no witness.
    *portal.pairs.witness.lock().expect("no panic") = None;
    portal.restart();
    assert!(portal.refusal().await.contains("from a backup"));
    portal.no_spent_token_was_sent();
    portal.authorise().await;
    assert!(portal.works().await);
}

#[tokio::test]
async fn an_integration_that_was_switched_off_wants_a_new_code() {
    let portal = Portal::authorised().await;
    assert!(portal.works().await);
    portal.crm.revoke_tokens();
    let why = portal.refusal().await;
    assert!(why.contains("Token has been revoked"), "{why}");
    let asked = portal.token_requests();
    portal.refusal().await;
    assert_eq!(portal.token_requests(), asked);
}
