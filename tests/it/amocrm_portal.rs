//! How amoCRM's portals let us in, are renamed and switch us off, against the lab
//! (`crm/amocrm.md` §2).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use trunkline::clock::{Clock, SystemClock};
use trunkline::crm::account::http::{AccountHttp, AccountHttpOptions};
use trunkline::crm::{
    AccountDoor, AccountSettings, Adapter, Class, Grant, NoPage, SwitchOff, SwitchedOff, registry,
};
use trunkline::lab::amocrm::{AmoHandle, AmoLab, AmoOptions, RenamedHost, Switches, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::outcome::{NotAppliedCause, Outcome};
use trunkline::model::secret::{Secret, Secrets};
use trunkline::model::timestamp::Timestamp;

use super::amocrm_lab::{MemoryVault, Rehearsal, ask};
use super::memory_pairs::MemoryPairs;

const CLIENT: &str = "6a1d0c5e-0000-4000-8000-000000000001";
const CALLBACK: &str = "https://box.example/amo";
const TOKENS: &str = "/oauth2/access_token";
const WHERE: &str = "/oauth2/account/current/subdomain";
const DAY: i64 = 86_400;

/// The machine's clock, moved.
#[derive(Default)]
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let moved = self.0.load(Ordering::Relaxed);
        Timestamp::from_millis(SystemClock.now().as_millis() + moved * 1000)
    }
}

struct Portal {
    _lab: AmoLab,
    crm: AmoHandle,
    pairs: Arc<MemoryPairs>,
    clock: Arc<MovedClock>,
    adapter: Arc<dyn Adapter>,
}

impl Portal {
    async fn start() -> Self {
        let options = AmoOptions {
            rate_per_second: 2_000,
            account_rate_per_second: 2_000,
            ..AmoOptions::default()
        };
        let lab = start(options).await.expect("a free port");
        let crm = lab.handle();
        let pairs = Arc::new(MemoryPairs::default());
        let clock = Arc::new(MovedClock::default());
        let adapter = open(&crm, &pairs, &clock, "demo.amocrm.ru", "lab-secret");
        Self {
            _lab: lab,
            crm,
            pairs,
            clock,
            adapter,
        }
    }

    /// A portal that let us in and answers at its own host only.
    async fn authorised() -> Self {
        let portal = Self::start().await;
        portal.authorise().await;
        assert!(portal.works().await);
        portal
    }

    async fn authorise(&self) {
        let code = Secret::new(self.crm.issue_code(CLIENT, 501));
        assert_eq!(self.adapter.authorise(code).await, Outcome::Done(()));
    }

    /// The process ends and begins anew with what is on disk.
    fn restart(&mut self) {
        self.restart_as("demo.amocrm.ru", "lab-secret");
    }

    fn restart_as(&mut self, host: &str, secret: &str) {
        self.adapter = open(&self.crm, &self.pairs, &self.clock, host, secret);
    }

    fn answers_of_old_host(&self, renamed_host: RenamedHost) {
        self.crm.set_switches(Switches {
            renamed_host,
            ..Switches::default()
        });
    }

    async fn works(&self) -> bool {
        matches!(
            self.adapter.facts(ask(), Class::Work).await,
            Outcome::Done(_)
        )
    }

    async fn alarm(&self) -> String {
        self.adapter.alarm().await.unwrap_or_default()
    }

    async fn renamed_to(&self) -> Option<String> {
        self.adapter.credential().await.expect("one").renamed_to
    }

    fn requests_of(&self, path: &str) -> usize {
        let log = self.crm.log();
        log.iter().filter(|entry| entry.path == path).count()
    }

    async fn granted(&self, host: &str) -> Outcome<()> {
        let grant = Grant {
            code: Secret::new(self.crm.issue_code(CLIENT, 501)),
            host: host.to_owned(),
        };
        self.adapter
            .consent()
            .expect("by consent")
            .granted(grant)
            .await
    }

    fn notice(&self) -> SwitchOff {
        notice(&self.crm.switch_off_notice(CLIENT))
    }

    #[track_caller]
    fn no_spent_token_was_sent(&self) {
        assert_eq!(self.crm.counters().spent_tokens_reused, 0);
    }
}

fn notice(query: &str) -> SwitchOff {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name).expect(name);
        found.1.to_owned()
    };
    SwitchOff {
        account_id: value("account_id"),
        client_id: value("client_uuid"),
        signature: value("signature"),
    }
}

fn open(
    crm: &AmoHandle,
    pairs: &Arc<MemoryPairs>,
    clock: &Arc<MovedClock>,
    host: &str,
    client_secret: &str,
) -> Arc<dyn Adapter> {
    let kind = registry::find("amocrm").expect("registered");
    let table = json!({
        "url": host, "rate_per_second": 1000, "client_id": CLIENT, "redirect_uri": CALLBACK,
    });
    let base_url = crm.base_url_of(host);
    let settings: Arc<dyn AccountSettings> =
        (kind.build)(&table, Some(&base_url)).expect("good settings");
    let http = AccountHttp::new(AccountHttpOptions {
        portal: settings.portal(),
        base_url: settings.base_url().to_owned(),
        rate_per_second: settings.rate_per_second(),
        per_second_max: settings.per_second_max(),
        quiet_start: Duration::ZERO,
        clock: clock.clone(),
    });
    let mut secrets = Secrets::default();
    secrets.insert("client_secret", Secret::new(client_secret.to_owned()));
    settings.open(AccountDoor {
        http: Arc::new(http.expect("a door")),
        vault: Arc::new(MemoryVault::without_token()),
        pairs: pairs.clone(),
        secrets,
        recordings: None,
        clock: clock.clone(),
    })
}

const READINGS: [RenamedHost; 3] = [
    RenamedHost::NotFound,
    RenamedHost::Unauthorized,
    RenamedHost::Redirect,
];

#[tokio::test]
async fn a_renamed_portal_is_followed_while_the_token_is_good_and_when_it_ends() {
    for reading in READINGS {
        for expired in [false, true] {
            let mut portal = Portal::authorised().await;
            portal.answers_of_old_host(reading);
            portal.crm.rename("new");
            if expired {
                portal.crm.expire_access_tokens();
            }
            let name = format!("{reading:?}, expired {expired}");
            assert!(portal.works().await, "{name}");
            assert_eq!(
                portal.renamed_to().await.as_deref(),
                Some("new.amocrm.ru"),
                "{name}"
            );
            // Kept: the next process goes to the new host at once, and so does one whose
            // administrator wrote the new name down.
            let asked = portal.requests_of(WHERE);
            portal.restart();
            assert!(portal.works().await, "{name}");
            portal.restart_as("new.amocrm.ru", "lab-secret");
            assert!(portal.works().await, "{name}");
            portal.crm.expire_access_tokens();
            assert!(portal.works().await, "{name}");
            assert_eq!(portal.renamed_to().await, None, "{name}");
            assert_eq!(portal.requests_of(WHERE), asked, "{name}");
            portal.no_spent_token_was_sent();
        }
    }
}

#[tokio::test]
async fn a_portal_that_is_renamed_twice_is_followed_twice() {
    let portal = Portal::authorised().await;
    portal.answers_of_old_host(RenamedHost::Unauthorized);
    for name in ["second", "third"] {
        portal.crm.rename(name);
        portal.crm.expire_access_tokens();
        assert!(portal.works().await, "{name}");
        assert_eq!(portal.renamed_to().await, Some(format!("{name}.amocrm.ru")));
    }
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn no_token_goes_to_a_host_that_is_none_of_amocrms() {
    for foreign in ["new.example.org#", "new.example.org/", "user@new", "a.b"] {
        let portal = Portal::authorised().await;
        portal.crm.rename(foreign);
        portal.crm.expire_access_tokens();
        assert!(!portal.works().await, "{foreign}");
        assert_eq!(portal.renamed_to().await, None, "{foreign}");
    }
}

#[tokio::test]
async fn while_nobody_says_where_the_portal_is_the_refresh_token_is_kept() {
    let mut portal = Portal::authorised().await;
    portal.answers_of_old_host(RenamedHost::Unauthorized);
    portal.crm.rename("new");
    portal.crm.expire_access_tokens();
    let rule = Rule::new(
        "GET",
        WHERE,
        When::Always,
        Fault::ErrorBefore { status: 503 },
    );
    portal.crm.add_fault(rule).expect("a good rule");
    let answer = portal.adapter.facts(ask(), Class::Work).await;
    assert!(
        matches!(&answer, Outcome::NotApplied(no) if no.cause == NotAppliedCause::Unreachable),
        "{answer:?}"
    );
    portal.crm.clear_faults();
    portal.restart();
    assert!(portal.works().await);
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn a_process_that_ends_amid_a_rename_goes_on() {
    for reading in READINGS {
        let mut portal = Portal::authorised().await;
        portal.answers_of_old_host(reading);
        portal.crm.rename("new");
        portal.crm.expire_access_tokens();
        // It was asked where the portal is, and the store is gone.
        *portal.pairs.store_is_gone.lock().expect("no panic") = true;
        assert!(!portal.works().await, "{reading:?}");
        *portal.pairs.store_is_gone.lock().expect("no panic") = false;
        portal.restart();
        assert!(portal.works().await, "{reading:?}");
        portal.no_spent_token_was_sent();
    }
}

#[tokio::test]
async fn tokens_of_the_portal_that_was_configured_before_are_not_sent_to_another() {
    let mut portal = Portal::authorised().await;
    let before = portal.crm.log().len();
    portal.restart_as("other.amocrm.ru", "lab-secret");
    assert!(!portal.works().await);
    assert!(portal.alarm().await.contains("not authorised yet"));
    assert_eq!(portal.crm.log().len(), before);
    portal.restart();
    assert!(portal.works().await);
}

#[tokio::test]
async fn an_integration_with_a_wrong_secret_needs_the_right_one_and_no_code() {
    let mut portal = Portal::authorised().await;
    portal.crm.expire_access_tokens();
    portal.restart_as("demo.amocrm.ru", "mistyped");
    assert!(!portal.works().await);
    let alarm = portal.alarm().await;
    assert!(alarm.contains("client_secret"), "{alarm}");
    portal.restart();
    assert!(portal.works().await);
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn the_page_to_open_is_amocrms_and_leads_back_to_us_only() {
    let portal = Portal::start().await;
    let consent = portal.adapter.consent().expect("by consent");
    let state = Secret::new("state-of-the-test".to_owned());
    let page = consent.page(CALLBACK, &state).expect("a page");
    assert!(
        page.starts_with("https://www.amocrm.ru/oauth?client_id="),
        "{page}"
    );
    let sent = portal.crm.consent(&page, 501).expect("a good link");
    assert!(sent.starts_with(CALLBACK), "{sent}");
    assert!(sent.contains("state=state-of-the-test"), "{sent}");
    assert!(sent.contains("referer=demo.amocrm.ru"), "{sent}");
    let elsewhere = consent.page("https://other.example/oauth/amocrm", &state);
    assert!(
        matches!(elsewhere, Err(NoPage::Elsewhere { .. })),
        "{elsewhere:?}"
    );
}

#[tokio::test]
async fn a_consent_of_another_host_changes_nothing_and_is_not_exchanged() {
    let portal = Portal::authorised().await;
    let exchanged = portal.requests_of(TOKENS);
    for host in [
        "",
        "other.amocrm.ru",
        "demo.example.org",
        "demo.amocrm.ru.example.org",
        "demo.amocrm.ru@example.org",
        "www.amocrm.ru",
    ] {
        let refused = portal.granted(host).await;
        assert!(
            matches!(refused, Outcome::Rejected(_)),
            "{host}: {refused:?}"
        );
    }
    assert_eq!(portal.requests_of(TOKENS), exchanged);
    assert!(portal.works().await);
    assert_eq!(portal.granted("Demo.amocrm.ru").await, Outcome::Done(()));
    assert!(portal.works().await);
}

#[tokio::test]
async fn a_consent_in_a_portal_that_was_renamed_meanwhile_is_taken() {
    let portal = Portal::authorised().await;
    portal.crm.rename("new");
    assert_eq!(portal.granted("new.amocrm.ru").await, Outcome::Done(()));
    assert!(portal.works().await);
    assert_eq!(portal.renamed_to().await.as_deref(), Some("new.amocrm.ru"));
}

#[tokio::test]
async fn a_notice_counts_when_it_is_signed_for_this_account() {
    let portal = Portal::authorised().await;
    let consent = portal.adapter.consent().expect("by consent");
    let good = portal.notice();
    assert!(consent.signed(&good).await);
    let wrong = [
        SwitchOff {
            account_id: "31000002".to_owned(),
            ..good.clone()
        },
        SwitchOff {
            client_id: "another".to_owned(),
            ..good.clone()
        },
        SwitchOff {
            signature: good.signature.replace(['a', '0'], "b"),
            ..good.clone()
        },
        SwitchOff {
            signature: String::new(),
            ..good
        },
    ];
    for notice in wrong {
        assert!(!consent.signed(&notice).await, "{notice:?}");
    }
}

#[tokio::test]
async fn an_integration_that_was_switched_off_rests_until_it_is_let_in_again() {
    let mut portal = Portal::authorised().await;
    let check = async |portal: &Portal| {
        let consent = portal.adapter.consent().expect("by consent");
        consent.check_switched_off().await
    };
    // A notice that was sent before, or too early, stops nothing.
    assert_eq!(check(&portal).await, SwitchedOff::No);
    assert!(portal.works().await);
    portal.crm.revoke_tokens();
    assert_eq!(check(&portal).await, SwitchedOff::Yes);
    let alarm = portal.alarm().await;
    assert!(alarm.contains("switched off in amoCRM"), "{alarm}");
    // Nothing more is sent, by this process or the next.
    let sent = portal.crm.log().len();
    for _ in 0..2 {
        assert!(!portal.works().await);
        portal.adapter.keep().await;
        portal.restart();
        assert!(!portal.works().await);
        assert!(portal.alarm().await.contains("switched off in amoCRM"));
    }
    assert_eq!(portal.crm.log().len(), sent);
    portal.authorise().await;
    assert!(portal.works().await);
    assert_eq!(portal.alarm().await, "");
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn a_crm_that_does_not_answer_switches_nothing_off() {
    let portal = Portal::authorised().await;
    let rule = Rule::new(
        "GET",
        "/api/v4/account",
        When::Always,
        Fault::ErrorBefore { status: 502 },
    );
    portal.crm.add_fault(rule).expect("a good rule");
    let consent = portal.adapter.consent().expect("by consent");
    let checked = consent.check_switched_off().await;
    assert!(matches!(checked, SwitchedOff::Unknown(_)), "{checked:?}");
    portal.crm.clear_faults();
    assert_eq!(portal.alarm().await, "");
}

#[tokio::test]
async fn a_refresh_token_that_nobody_uses_is_told_of_thirty_days_ahead() {
    let portal = Portal::authorised().await;
    let at = |days: i64| portal.clock.0.store(days * DAY, Ordering::Relaxed);
    at(59);
    assert_eq!(portal.alarm().await, "");
    at(61);
    let alarm = portal.alarm().await;
    assert!(
        alarm.contains("refresh token was not used since"),
        "{alarm}"
    );
    let credential = portal.adapter.credential().await.expect("one");
    let ends_at = credential.ends_at.expect("it ends");
    let left = ends_at.since(portal.clock.now()).as_secs() / 86_400;
    assert!((28..=29).contains(&left), "{left}");
    // Seen after now and then, it is used in time.
    portal.adapter.keep().await;
    assert_eq!(portal.alarm().await, "");
    portal.no_spent_token_was_sent();
}

#[tokio::test]
async fn seeing_after_a_young_pair_costs_no_request() {
    let portal = Portal::authorised().await;
    let sent = portal.crm.log().len();
    portal.adapter.keep().await;
    assert_eq!(portal.crm.log().len(), sent);
}

#[tokio::test]
async fn an_account_with_a_long_lived_token_says_that_it_was_switched_off() {
    let rehearsal = Rehearsal::start().await;
    let consent = rehearsal.adapter.consent().expect("it can be switched off");
    // Without the integration's secret no notice can be checked, so none counts.
    let notice = notice(&rehearsal.handle.switch_off_notice(CLIENT));
    assert!(!consent.signed(&notice).await);
    let page = consent.page(CALLBACK, &Secret::default());
    assert_eq!(page, Err(NoPage::NotByConsent));
    assert_eq!(consent.check_switched_off().await, SwitchedOff::No);
    rehearsal.handle.revoke_tokens();
    assert_eq!(consent.check_switched_off().await, SwitchedOff::Yes);
    let alarm = rehearsal.adapter.alarm().await.unwrap_or_default();
    assert!(alarm.contains("switched off in amoCRM"), "{alarm}");
}
