//! The directory against the lab's account: everything is read, what people change follows, and
//! nothing is asked for one by one that is known.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use trunkline::clock::{Clock, SystemClock};
use trunkline::crm::DirectorySettings;
use trunkline::directory::freshness::Freshness;
use trunkline::directory::sync::{DirectorySync, SyncReport};
use trunkline::lab::amocrm::{AmoOptions, CardEdit, SeedCard, SeedLead, Switches};
use trunkline::lab::fault::{Fault, When};
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{Card, Entity};
use trunkline::store::directory::{DirectoryAnswer, DirectoryQuery, DirectoryState};
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};

use super::amocrm_lab::Rehearsal;

const PHONE: &str = "+79161234567";
const OTHER: &str = "+79031112233";

struct Kept {
    account: Rehearsal,
    store: StoreHandle,
    thread: Option<StoreThread>,
    freshness: Arc<Freshness>,
    report: Arc<Seen>,
    folder: TempDir,
    life: Option<Life>,
}

struct Life {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    states: Mutex<Vec<DirectoryState>>,
    troubles: Mutex<Vec<String>>,
    moved: tokio::sync::Notify,
}

impl SyncReport for Seen {
    fn state(&self, state: &DirectoryState) {
        self.states.lock().expect("no panic").push(state.clone());
        self.moved.notify_one();
    }

    fn trouble(&self, why: &str) {
        self.troubles.lock().expect("no panic").push(why.to_owned());
        self.moved.notify_one();
    }
}

impl Kept {
    async fn of(account: Rehearsal) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (store, thread) = open(&folder);
        Self {
            account,
            store,
            thread: Some(thread),
            freshness: Arc::default(),
            report: Arc::default(),
            folder,
            life: None,
        }
    }

    fn portal() -> PortalKey {
        PortalKey::new("amocrm", "demo.amocrm.ru")
    }

    fn begin(&mut self) {
        let sync = DirectorySync {
            portal: Self::portal(),
            adapter: Arc::clone(&self.account.adapter),
            // Only what is wished for is read while a test looks on.
            settings: DirectorySettings {
                poll: Duration::from_secs(3600),
                ..DirectorySettings::default()
            },
            hook: None,
            store: self.store.clone(),
            clock: Arc::new(SystemClock),
            freshness: Arc::clone(&self.freshness),
            report: Arc::clone(&self.report) as Arc<dyn SyncReport>,
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            sync.run(stopped).await.expect("the store goes on");
        });
        self.life = Some(Life { stop, task });
    }

    async fn end(&mut self) {
        if let Some(life) = self.life.take() {
            life.stop.send(true).expect("it lives");
            life.task.await.expect("no panic");
        }
    }

    /// The process ends and begins anew with what is on disk.
    async fn restart(&mut self) {
        self.store.shut_down().await;
        if let Some(thread) = self.thread.take() {
            let end = tokio::task::spawn_blocking(move || thread.join()).await;
            end.expect("the store ends");
        }
        let (store, thread) = open(&self.folder);
        (self.store, self.thread) = (store, Some(thread));
        self.report = Arc::default();
    }

    /// Waits until the sync shows a state that is as wished.
    async fn until(&self, wished: impl Fn(&DirectoryState) -> bool) {
        let seen = || {
            let states = self.report.states.lock().expect("no panic");
            states.last().is_some_and(&wished)
        };
        while !seen() {
            self.report.moved.notified().await;
        }
    }

    /// Waits until everything that the account holds now is known.
    async fn fresh(&self) {
        self.until(|state| state.mark.is_some()).await;
        // A first reading after a start publishes what may be decided by.
        while self.freshness.as_of().is_none() {
            self.report.moved.notified().await;
        }
        let now = SystemClock.now();
        assert!(self.freshness.reaches(now).await, "no fresh picture");
    }

    async fn ask(&self, phone: &str) -> DirectoryAnswer {
        let query = DirectoryQuery {
            portal: Self::portal(),
            phones: vec![Phone::parse(phone, Region::default()).expect("a number")],
            emails: Vec::new(),
            deals: true,
            expected: Vec::new(),
        };
        self.store.directory_answer(query).await.expect("an answer")
    }

    /// Returns the ids of the cards with a number, in order.
    async fn ids(&self, phone: &str) -> Vec<String> {
        let answer = self.ask(phone).await;
        let mut ids: Vec<String> = answer.cards.into_iter().map(|k| k.card.card.id).collect();
        ids.sort();
        ids
    }

    fn requests(&self) -> usize {
        self.account.handle.log().len()
    }
}

fn open(folder: &TempDir) -> (StoreHandle, StoreThread) {
    let key = StoreKey::from_bytes(&[7; 32]).expect("32 bytes");
    let options = StoreOptions::default();
    Store::open(&folder.path().join("store.redb"), key, options).expect("opens")
}

fn contact(name: &str, phone: &str) -> SeedCard {
    SeedCard::new(name, phone, 501)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_read_whole_and_its_changes_follow() {
    let account = Rehearsal::start().await;
    let crm = account.handle.clone();
    let anna = crm.add_contact(&contact("Анна", "8 (916) 123-45-67"));
    let firm = crm.add_company(&contact("ООО Ромашка", OTHER));
    let deal = crm.add_lead(&SeedLead {
        contact_id: Some(anna),
        ..SeedLead::default()
    });
    let mut kept = Kept::of(account).await;
    kept.begin();
    kept.fresh().await;

    let answer = kept.ask(PHONE).await;
    let known = answer.cards.first().expect("the contact");
    assert_eq!(known.card.name, "Анна");
    assert_eq!(known.card.responsible, Some(CrmUserId("501".to_owned())));
    let deals: Vec<&str> = known.deals.iter().map(|deal| deal.id.as_str()).collect();
    assert_eq!(deals, [deal.to_string()]);
    let company = kept.ask(OTHER).await;
    let company = company.cards.first().map(|known| known.card.card.clone());
    assert_eq!(
        company,
        Some(Card {
            entity: Entity::Company,
            id: firm.to_string()
        })
    );

    // Another responsible, another number, a closed deal.
    let edit = CardEdit {
        responsible_user_id: Some(502),
        phones: Some(vec![OTHER.to_owned()]),
        ..CardEdit::default()
    };
    assert!(crm.edit_contact(anna, &edit));
    let won = CardEdit {
        status_id: Some(142),
        ..CardEdit::default()
    };
    assert!(crm.edit_lead(deal, &won));
    kept.fresh().await;
    assert!(kept.ids(PHONE).await.is_empty());
    let answer = kept.ask(OTHER).await;
    let known = answer.cards.iter().find(|known| known.card.name == "Анна");
    let known = known.expect("the contact under its new number");
    assert_eq!(known.card.responsible, Some(CrmUserId("502".to_owned())));
    assert!(known.deals.iter().all(|deal| !deal.open));

    // A new contact, and one that is deleted.
    let boris = crm.add_contact(&contact("Борис", PHONE));
    assert!(crm.delete_company(firm));
    kept.fresh().await;
    assert_eq!(kept.ids(PHONE).await, [boris.to_string()]);
    assert_eq!(kept.ids(OTHER).await, [anna.to_string()]);
    kept.end().await;
    assert_eq!(kept.freshness.as_of(), None, "nobody keeps it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_another_took_over_leaves_the_directory() {
    for told in [true, false] {
        let account = Rehearsal::start().await;
        let crm = account.handle.clone();
        let stays = crm.add_contact(&contact("Анна", PHONE));
        let goes = crm.add_contact(&contact("Аня", OTHER));
        let mut kept = Kept::of(account).await;
        kept.begin();
        kept.fresh().await;
        if !told {
            // The audit feed says of the merge only who took over whom.
            let switches = Switches {
                merge_tells_deletion: false,
                ..crm.switches()
            };
            crm.set_switches(switches);
        }
        assert!(crm.merge_contacts(stays, goes));
        kept.fresh().await;
        assert_eq!(kept.ids(OTHER).await, [stays.to_string()], "told: {told}");
        kept.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_account_is_read_by_pages_and_a_restart_goes_on_where_it_was() {
    let account = Rehearsal::start().await;
    let crm = account.handle.clone();
    for n in 0..2_600 {
        let phone = format!("+7916{:07}", 1_000_000 + n);
        crm.add_contact(&contact(&format!("Клиент {n}"), &phone));
    }
    // All that was long ago.
    crm.shift_clock_ms(3_600_000);
    let mut kept = Kept::of(account).await;
    kept.begin();
    let halfway =
        |state: &DirectoryState| state.pass.as_ref().is_some_and(|pass| pass.read >= 1_000);
    kept.until(halfway).await;
    kept.end().await;
    let before = kept.requests();
    assert!(
        kept.report
            .states
            .lock()
            .expect("no panic")
            .last()
            .is_some_and(halfway)
    );
    kept.restart().await;
    kept.begin();
    kept.fresh().await;
    for n in [0, 249, 250, 1_300, 2_599] {
        let phone = format!("+7916{:07}", 1_000_000 + n);
        assert_eq!(kept.ids(&phone).await.len(), 1, "{phone}");
    }
    let stored = kept.store.directory(Kept::portal()).await.expect("read");
    assert_eq!(stored.map(|stored| stored.cards), Some(2_600));
    // At the most eleven pages, some of them twice to find the last; two short lists; changes, once
    // by themselves and once because the test asks.
    let after = kept.requests() - before;
    assert!(
        after <= 11 + 4 + 2 + 2 * 4,
        "{after} requests after the restart"
    );
    kept.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_change_told_of_is_found_by_reading_everything_again() {
    let account = Rehearsal::start().await;
    let crm = account.handle.clone();
    let stays = crm.add_contact(&contact("Анна", PHONE));
    let goes = crm.add_contact(&contact("Борис", OTHER));
    let last = crm.add_contact(&contact("Вера", "+79035556677"));
    let mut kept = Kept::of(account).await;
    kept.begin();
    kept.fresh().await;
    // Deleted in silence: the audit feed does not tell.
    kept.account
        .fault("GET", "/api/v4/events", When::Always, Fault::ForbiddenJson);
    assert!(crm.delete_contact(goes));
    kept.freshness.wish_soon();
    while kept.freshness.as_of().is_some() {
        kept.report.moved.notified().await;
    }
    assert_eq!(
        kept.ids(OTHER).await,
        [goes.to_string()],
        "known still, but nothing is decided by it"
    );
    kept.freshness.wish_everything();
    kept.until(|state| state.pass.is_some()).await;
    kept.until(|state| state.pass.is_none()).await;
    assert!(kept.ids(OTHER).await.is_empty());
    assert_eq!(kept.ids(PHONE).await, [stays.to_string()]);
    assert_eq!(kept.ids("+79035556677").await, [last.to_string()]);
    kept.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_share_one_reading_of_what_changed() {
    let mut kept = Kept::of(Rehearsal::start().await).await;
    kept.begin();
    kept.fresh().await;
    let before = kept.requests();
    let now = SystemClock.now();
    let waiting = (0..500).map(|_| kept.freshness.reaches(now));
    let answers = futures_util::future::join_all(waiting).await;
    assert!(answers.into_iter().all(|fresh| fresh));
    // Contacts, companies, deals, events.
    assert_eq!(kept.requests() - before, 4);
    kept.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_that_fails_keeps_nobody_waiting_and_is_asked_again() {
    let mut kept = Kept::of(Rehearsal::start().await).await;
    kept.begin();
    kept.fresh().await;
    kept.account.fault(
        "GET",
        "/api/v4/contacts",
        // A page that merely fails is asked for three times.
        When::First { n: 3 },
        Fault::ErrorBefore { status: 502 },
    );
    assert!(!kept.freshness.reaches(SystemClock.now()).await);
    assert_eq!(kept.report.troubles.lock().expect("no panic").len(), 1);
    kept.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_paging_may_be_missing_or_lead_to_an_empty_page() {
    for next_to_empty_page in [true, false] {
        let switches = Switches {
            next_to_empty_page,
            ..Switches::default()
        };
        let options = AmoOptions {
            rate_per_second: 2_000,
            account_rate_per_second: 2_000,
            switches,
            ..AmoOptions::default()
        };
        let account = Rehearsal::with(options, 1_000.0).await;
        for n in 0..500 {
            let phone = format!("+7916{:07}", 1_000_000 + n);
            account.handle.add_contact(&contact("Клиент", &phone));
        }
        let mut kept = Kept::of(account).await;
        kept.begin();
        kept.fresh().await;
        let stored = kept.store.directory(Kept::portal()).await.expect("read");
        assert_eq!(stored.map(|stored| stored.cards), Some(500));
        kept.end().await;
    }
}
