//! Cards at ringing telephones: once, in their seconds, beside the lanes (S2-39).

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use trunkline::crm::{AccountDescription, Adapter, Class, Popup, Screen, StepCommand};
use trunkline::integration::context::IntegrationContext;
use trunkline::integration::passing::PassingDesk;
use trunkline::model::activity::Activity;
use trunkline::model::call::{CallPhase, CallResult};
use trunkline::model::capabilities::Capabilities;
use trunkline::model::communication::{Body, Kind, Snapshot};
use trunkline::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use trunkline::model::facts::{Facts, FactsQuery};
use trunkline::model::ids::{CommunicationKey, CrmUserId, Extension, SourceId};
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::passing::{CardMove, PassingState, PassingStep, opened_entry};
use trunkline::rules::settings::{IntegrationSettings, PopupSettings, ShowTo};

use super::crm_double::CrmDouble;
use super::workshop::{Workshop, ended_call};

const CLIENT: &str = "+79160000001";

/// A CRM with a screen.
#[derive(Clone)]
struct Shown {
    crm: CrmDouble,
    popups: Arc<Mutex<Vec<Popup>>>,
    taken: Arc<Mutex<Vec<Popup>>>,
    takes: Duration,
}

impl Shown {
    fn new(takes: Duration) -> Self {
        Self {
            crm: CrmDouble::new(),
            popups: Arc::default(),
            taken: Arc::default(),
            takes,
        }
    }

    fn popups(&self) -> MutexGuard<'_, Vec<Popup>> {
        self.popups.lock().expect("no panic")
    }
}

impl Adapter for Shown {
    fn capabilities(&self) -> &Capabilities {
        self.crm.capabilities()
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        self.crm.describe()
    }

    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>> {
        self.crm.facts(query, class)
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        self.crm.execute(commands)
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        self.crm.look(command)
    }

    fn screen(&self) -> Option<&dyn Screen> {
        Some(self)
    }
}

impl Screen for Shown {
    fn takes_away(&self) -> bool {
        true
    }

    fn take_away(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        async move {
            self.taken.lock().expect("no panic").push(popup);
            Outcome::Done(Some("entry-1".to_owned()))
        }
        .boxed()
    }

    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        async move {
            self.popups().push(popup);
            tokio::time::sleep(self.takes).await;
            Outcome::Done(Some("entry-1".to_owned()))
        }
        .boxed()
    }
}

fn employees() -> Employees {
    let employee = |name: &str, extension: &str, user: &str| Employee {
        id: name.parse().expect("an id"),
        name: name.to_owned(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: "office".parse().expect("an id"),
            extension: Extension(extension.to_owned()),
        }],
        users: vec![EmployeeUser {
            account: "main".parse().expect("an id"),
            user: CrmUserId(user.to_owned()),
        }],
        phones: Vec::new(),
    };
    Employees(vec![
        employee("anna", "101", "502"),
        employee("boris", "102", "503"),
    ])
}

fn context(workshop: &Workshop, crm: &Shown, activity: Activity) -> IntegrationContext {
    let seat = workshop.seat("sales", &workshop.portal("demo"), &crm.crm, activity);
    let mut context = (*seat.context()).clone();
    let popup = PopupSettings {
        on: true,
        show_to: ShowTo::Rung,
        our_numbers: Vec::new(),
    };
    context.settings = Arc::new(IntegrationSettings {
        popup: Some(popup),
        ..IntegrationSettings::clone(&context.settings)
    });
    context.employees = Arc::new(employees());
    context.adapter = Arc::new(crm.clone());
    context
}

/// A desk that works for one integration; it ends with the test.
fn desk(context: &IntegrationContext) -> PassingDesk {
    let (desk, work) = PassingDesk::open();
    let takes: Vec<(SourceId, Kind)> = vec![("office".parse().expect("an id"), Kind::Call)];
    desk.replace(std::iter::once((context, takes.as_slice())));
    tokio::task::spawn_local(work.run());
    desk
}

/// A picture of a call whose telephones ring.
fn ringing(workshop: &Workshop, item: &str, revision: u64, extensions: &[&str]) -> Snapshot {
    let mut snapshot = ended_call(item, CLIENT, workshop.clock.now());
    snapshot.revision = revision;
    if let Body::Call { call } = &mut snapshot.body {
        call.phase = CallPhase::Ringing;
        call.result = CallResult::Open;
        call.ended_at = None;
        let leg = call.legs[0].clone();
        let legs = extensions.iter().map(|text| {
            let mut leg = leg.clone();
            leg.extension = Extension((*text).to_owned());
            leg
        });
        call.legs = legs.collect();
    }
    snapshot
}

async fn tell(workshop: &Workshop, desk: &PassingDesk, snapshot: Snapshot) -> CommunicationKey {
    let key = snapshot.key.clone();
    workshop.offer(snapshot.clone()).await.expect("accepted");
    desk.told(&snapshot);
    key
}

async fn passing(workshop: &Workshop, key: &CommunicationKey) -> Vec<PassingStep> {
    workshop.ledger("sales", key).await.passing
}

/// Waits until so many steps are decided and none is on its way.
async fn settled(workshop: &Workshop, key: &CommunicationKey, steps: usize) -> Vec<PassingStep> {
    let is_open = |step: &PassingStep| matches!(step.state, PassingState::Sent { .. });
    workshop
        .until(async || {
            let found = passing(workshop, key).await;
            found.len() == steps && !found.iter().any(is_open)
        })
        .await;
    passing(workshop, key).await
}

fn users(popup: &Popup) -> Vec<&str> {
    popup.users.iter().map(|user| user.0.as_str()).collect()
}

#[actix::test]
async fn s2_39_each_telephone_that_rings_gets_its_card_once() {
    let workshop = Workshop::new();
    let crm = Shown::new(Duration::ZERO);
    let context = context(&workshop, &crm, Activity::On);
    let desk = desk(&context);
    let first = ringing(&workshop, "1.1", 1, &["101"]);
    let key = tell(&workshop, &desk, first.clone()).await;
    // Told twice, it is shown once.
    desk.told(&first);
    tell(&workshop, &desk, ringing(&workshop, "1.1", 2, &["101"])).await;
    tell(
        &workshop,
        &desk,
        ringing(&workshop, "1.1", 3, &["101", "102"]),
    )
    .await;
    let steps = settled(&workshop, &key, 2).await;
    assert!(
        matches!(steps[0].state, PassingState::Done { .. }),
        "{steps:?}"
    );
    // Another desk, as after a restart: what was shown is known.
    let later = self::desk(&context);
    tell(
        &workshop,
        &later,
        ringing(&workshop, "1.1", 4, &["101", "102"]),
    )
    .await;
    let other = tell(&workshop, &later, ringing(&workshop, "2.2", 1, &["102"])).await;
    settled(&workshop, &other, 1).await;
    assert_eq!(passing(&workshop, &key).await.len(), 2);
    let shown: Vec<Vec<String>> = crm
        .popups()
        .iter()
        .map(|popup| users(popup).into_iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(shown, [["502"], ["503"], ["503"]]);
}

#[actix::test]
async fn who_did_not_pick_up_loses_the_card_and_every_card_is_of_one_entry() {
    let workshop = Workshop::new();
    let crm = Shown::new(Duration::ZERO);
    let context = context(&workshop, &crm, Activity::On);
    let desk = desk(&context);
    let key = tell(&workshop, &desk, ringing(&workshop, "1.1", 1, &["101"])).await;
    settled(&workshop, &key, 1).await;
    let both = ringing(&workshop, "1.1", 2, &["101", "102"]);
    tell(&workshop, &desk, both.clone()).await;
    settled(&workshop, &key, 2).await;
    let mut answered = both;
    answered.revision = 3;
    if let Body::Call { call } = &mut answered.body {
        call.phase = CallPhase::Answered;
        call.talkers = vec![Extension("102".to_owned())];
    }
    // Told twice, it is taken away once.
    tell(&workshop, &desk, answered.clone()).await;
    desk.told(&answered);
    let steps = settled(&workshop, &key, 3).await;
    assert_eq!(steps[2].card, CardMove::TakeAway);
    let opened = opened_entry(&steps).expect("an entry");
    assert_eq!(
        (opened.user.0.as_str(), opened.id.as_deref()),
        ("502", Some("entry-1"))
    );
    let shown: Vec<_> = crm.popups().iter().map(|one| one.opened.clone()).collect();
    assert_eq!(shown, [None, Some(opened.clone())]);
    let taken = crm.taken.lock().expect("no panic").clone();
    let [taken] = taken.as_slice() else {
        panic!("{taken:?}")
    };
    assert_eq!((users(taken), &taken.opened), (vec!["502"], &Some(opened)));
}

#[actix::test]
async fn a_crm_that_dawdles_lets_the_card_expire_and_holds_up_no_other() {
    let workshop = Workshop::new();
    let crm = Shown::new(Duration::from_secs(3600));
    let context = context(&workshop, &crm, Activity::On);
    let desk = desk(&context);
    let began = workshop.clock.now();
    let one = tell(&workshop, &desk, ringing(&workshop, "1.1", 1, &["101"])).await;
    let two = tell(&workshop, &desk, ringing(&workshop, "2.2", 1, &["102"])).await;
    for key in [one, two] {
        let steps = settled(&workshop, &key, 1).await;
        let PassingState::Expired { at, sent: true } = steps[0].state else {
            panic!("{steps:?}");
        };
        assert!((15..=16).contains(&at.since(began).as_secs()), "{at}");
    }
    assert_eq!(crm.popups().len(), 2, "each was sent once");
    workshop.store.shut_down().await;
    workshop.thread.finished().await;
}

#[actix::test]
async fn what_comes_too_late_is_not_sent() {
    let workshop = Workshop::new();
    let crm = Shown::new(Duration::ZERO);
    let context = context(&workshop, &crm, Activity::On);
    let desk = desk(&context);
    let snapshot = ringing(&workshop, "1.1", 1, &["101"]);
    workshop.shift_clock(60);
    let key = tell(&workshop, &desk, snapshot).await;
    let steps = settled(&workshop, &key, 1).await;
    assert!(
        matches!(steps[0].state, PassingState::Expired { .. }),
        "{steps:?}"
    );
    assert!(crm.popups().is_empty());
}

#[actix::test]
async fn an_integration_that_observes_explains_and_shows_nothing() {
    let workshop = Workshop::new();
    let crm = Shown::new(Duration::ZERO);
    let context = context(&workshop, &crm, Activity::Observe);
    let desk = desk(&context);
    let key = tell(&workshop, &desk, ringing(&workshop, "1.1", 1, &["101"])).await;
    let steps = settled(&workshop, &key, 1).await;
    assert!(
        matches!(steps[0].state, PassingState::NotSent { .. }),
        "{steps:?}"
    );
    assert_eq!(steps[0].reasons.len(), 2);
    assert!(crm.popups().is_empty());
}
