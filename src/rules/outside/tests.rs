use crate::model::capabilities::{CallHistoryManner, Certainty, StepCapability};
use crate::model::employee::{Employee, EmployeeUser};
use crate::model::outcome::StepResult;
use crate::model::plan::{NewContact, NewDeal, NewTask, NewUnsorted, UnsortedForm};

use super::*;

fn now() -> Timestamp {
    Timestamp::from_secs(1_795_210_000)
}

fn settings(kind: &str, notices: &str) -> IntegrationSettings {
    let method = match kind {
        "calls" => "",
        _ => "method = { kind = \"by_hand\" }",
    };
    let text = format!(
        "[{kind}]\ndefault_responsible = \"501\"\nnotify = true\n{method}\n[notices]\n{notices}"
    );
    let settings: IntegrationSettings = toml::from_str(&text).expect("settings");
    assert_eq!(settings.mistakes(), [], "{text}");
    settings
}

fn capabilities(kinds: &[StepKind]) -> Capabilities {
    let steps = kinds.iter().map(|kind| StepCapability {
        kind: *kind,
        certainty: Certainty::ByKey,
        batch_max: 1,
    });
    Capabilities {
        steps: steps.collect(),
        phases: Vec::new(),
        calls: CallHistoryManner::default(),
    }
}

fn employee(user: &str, email: Option<&str>) -> Employee {
    Employee {
        id: "anna".parse().expect("an id"),
        name: "Анна".to_owned(),
        email: email.map(str::to_owned),
        extensions: Vec::new(),
        users: vec![EmployeeUser {
            account: "sales".parse().expect("an id"),
            user: CrmUserId(user.to_owned()),
        }],
        phones: Vec::new(),
    }
}

fn done(id: &str, entity: Entity) -> StepState {
    let card = Card {
        entity,
        id: id.to_owned(),
    };
    StepState::Done {
        at: now(),
        result: StepResult {
            cards: vec![card],
            ..StepResult::default()
        },
    }
}

fn dead() -> StepState {
    StepState::Dead {
        at: now(),
        reason: "refused".to_owned(),
    }
}

fn step(work: u64, effect: Effect, state: StepState) -> LedgerStep {
    LedgerStep {
        role: Role::new(&format!("{:?}#{work}", effect.kind())),
        work,
        effect,
        state,
        attempts: 1,
        first_sent_at: None,
    }
}

fn contact(state: StepState) -> LedgerStep {
    let contact = NewContact {
        name: "Олег".to_owned(),
        responsible: Some(CrmUserId("502".to_owned())),
        ..NewContact::default()
    };
    step(1, Effect::CreateContact(contact), state)
}

fn deal(state: StepState) -> LedgerStep {
    let deal = NewDeal {
        name: "Заявка: Олег".to_owned(),
        responsible: Some(CrmUserId("502".to_owned())),
        ..NewDeal::default()
    };
    step(1, Effect::CreateDeal(deal), state)
}

fn unsorted(state: StepState) -> LedgerStep {
    let unsorted = NewUnsorted {
        pipeline: "31".to_owned(),
        source_name: "Сайт".to_owned(),
        form: UnsortedForm::Form {
            name: "Заявка".to_owned(),
            text: None,
            page: None,
        },
        at: now(),
        deal_name: "Заявка".to_owned(),
        contact_name: "Олег".to_owned(),
        phone: None,
        email: None,
        tags: Vec::new(),
    };
    step(1, Effect::CreateUnsorted(unsorted), state)
}

/// Who knows what.
struct Scene {
    settings: IntegrationSettings,
    capabilities: Capabilities,
    employees: Employees,
    of_crm: Option<&'static str>,
    kind: Kind,
    now: Timestamp,
}

impl Scene {
    fn new(notices: &str) -> Self {
        Self {
            settings: settings("requests", notices),
            capabilities: capabilities(&[StepKind::CreateContact, StepKind::CreateDeal]),
            employees: Employees(vec![employee("502", Some("anna@example.com"))]),
            of_crm: None,
            kind: Kind::Request,
            now: now(),
        }
    }

    fn decide_on(&self, ledger: &Ledger) -> Option<(Vec<OutsideNotice>, News)> {
        let of_user = |user: &CrmUserId| {
            let email = self.of_crm.map(str::to_owned);
            let name = "Анна Орлова".to_owned();
            (user.0 == "502").then_some(KnownUser { name, email })
        };
        notices(&Made {
            ledger,
            work: 1,
            kind: self.kind,
            settings: &self.settings,
            settings_revision: 3,
            capabilities: &self.capabilities,
            employees: &self.employees,
            account: &"sales".parse().expect("an id"),
            of_user: &of_user,
            now: self.now,
        })
    }

    fn decide(&self, steps: Vec<LedgerStep>) -> Option<(Vec<OutsideNotice>, News)> {
        self.decide_on(&Ledger {
            steps,
            ..Ledger::default()
        })
    }
}

fn addresses(notice: &OutsideNotice) -> &[String] {
    match &notice.way {
        NoticeWay::Email { to } => to,
        NoticeWay::Webhook { .. } => &[],
    }
}

#[test]
fn s3_17_who_answers_is_told_of_the_foremost_record_once_it_is_made() {
    let scene = Scene::new("");
    let made = |contact_is, deal_is| vec![contact(contact_is), deal(deal_is)];
    let contact_made = || done("1", Entity::Contact);
    let (found, news) = scene
        .decide(made(contact_made(), done("2", Entity::Deal)))
        .expect("a deal is new");
    assert_eq!(
        (news.card.entity, news.card.id.as_str()),
        (Entity::Deal, "2")
    );
    assert_eq!(news.name, "Заявка: Олег");
    let [notice] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(addresses(notice), ["anna@example.com"]);
    assert_eq!(notice.useful_until, now().plus(Duration::from_secs(3600)));
    assert!(matches!(notice.state, PassingState::Sent { .. }));
    // The deal may come yet.
    assert_eq!(scene.decide(made(contact_made(), StepState::Pending)), None);
    // It will not: the contact is new all the same.
    let (_, news) = scene
        .decide(made(contact_made(), dead()))
        .expect("a contact");
    assert_eq!(news.card.entity, Entity::Contact);
    // Nothing was made.
    assert_eq!(scene.decide(made(dead(), dead())), None);
    let task = Effect::CreateTask(NewTask {
        card: None,
        responsible: None,
        text: "Позвонить".to_owned(),
        task_type: None,
        due: now(),
    });
    let task = step(1, task, done("9", Entity::Task));
    assert_eq!(scene.decide(vec![task]), None, "a task tells by itself");
}

#[test]
fn v_16_a_communication_is_told_of_once_and_only_by_its_own_work() {
    let scene = Scene::new("");
    let steps = vec![deal(done("2", Entity::Deal))];
    let (notices, _) = scene.decide(steps.clone()).expect("it is new");
    let told = Ledger {
        steps: steps.clone(),
        notices,
        ..Ledger::default()
    };
    assert_eq!(scene.decide_on(&told), None);
    let mut later = steps;
    later[0].work = 2;
    assert_eq!(scene.decide(later), None, "another work made it");
}

#[test]
fn the_address_is_the_employees_own_else_the_crms_and_who_has_none_is_named() {
    let steps = || vec![deal(done("2", Entity::Deal))];
    let mut scene = Scene::new("");
    scene.of_crm = Some("orlova@crm.example");
    let to = |scene: &Scene| {
        let (found, _) = scene.decide(steps()).expect("it is new");
        (addresses(&found[0]).to_vec(), found[0].clone())
    };
    assert_eq!(to(&scene).0, ["anna@example.com"]);
    scene.employees = Employees(vec![employee("502", None)]);
    let (addresses, notice) = to(&scene);
    assert_eq!(addresses, ["orlova@crm.example"]);
    let from_crm = |reason: &NoticeReason| {
        matches!(reason, NoticeReason::ToResponsible { from_crm: true, .. })
    };
    assert!(notice.reasons.iter().any(from_crm), "{notice:?}");
    // What the CRM has there is no address.
    for wrong in [
        "",
        "orlova",
        "a@b@c",
        "a b@example.com",
        "x\r\n@example.com",
    ] {
        scene.of_crm = Some(wrong);
        let (addresses, notice) = to(&scene);
        assert_eq!(addresses, [""; 0], "{wrong:?}");
        assert!(matches!(notice.state, PassingState::NotSent { .. }));
        let named = |one: &NoticeReason| matches!(one, NoticeReason::NoAddress { .. });
        assert!(notice.reasons.iter().any(named), "{notice:?}");
    }
}

#[test]
fn fixed_addresses_and_a_webhook_are_told_of_every_record_also_of_an_unsorted_one() {
    let scene =
        Scene::new("to = [\"office@example.com\", \"Anna@Example.com\"]\nwebhook = \"bot\"");
    let (found, news) = scene
        .decide(vec![deal(done("2", Entity::Deal))])
        .expect("it is new");
    assert_eq!(found.len(), 2);
    assert_eq!(
        addresses(&found[0]),
        ["anna@example.com", "office@example.com"],
        "each once"
    );
    assert_eq!(
        found[1].way,
        NoticeWay::Webhook {
            name: "bot".to_owned()
        }
    );
    assert_eq!(
        news.responsible.and_then(|user| user.name).as_deref(),
        Some("Анна")
    );
    let (found, news) = scene
        .decide(vec![unsorted(done("5", Entity::Unsorted))])
        .expect("it is new");
    assert_eq!(
        addresses(&found[0]),
        ["office@example.com", "Anna@Example.com"]
    );
    assert!(found[0].reasons.contains(&NoticeReason::NobodyAnswers));
    assert_eq!(
        (news.card.entity, news.responsible),
        (Entity::Unsorted, None)
    );
}

#[test]
fn news_that_is_none_any_more_is_not_sent() {
    let mut scene = Scene::new("useful_minutes = 10");
    scene.now = now().plus(Duration::from_secs(600));
    let (found, _) = scene
        .decide(vec![deal(done("2", Entity::Deal))])
        .expect("it is decided");
    assert!(matches!(found[0].state, PassingState::Expired { .. }));
}

#[test]
fn a_crm_that_tells_its_users_itself_and_what_is_switched_off_tell_nobody_past_it() {
    let steps = || vec![deal(done("2", Entity::Deal))];
    let mut scene = Scene::new("");
    scene.kind = Kind::Chat;
    assert_eq!(scene.decide(steps()), None, "chats have no notify");
    scene.kind = Kind::Request;
    assert!(scene.decide(steps()).is_some());
    scene.capabilities = capabilities(&StepKind::ALL);
    assert_eq!(scene.decide(steps()), None, "the CRM tells");
    for kind in ["calls", "chats", "requests"] {
        let settings = settings(kind, "");
        let told = |kind| tells(&settings, kind, &capabilities(&[]));
        let all = [Kind::Call, Kind::Chat, Kind::Request].map(told);
        assert_eq!(all.iter().filter(|told| **told).count(), 1, "{kind}");
    }
}

#[test]
fn mistakes_of_notices_are_named() {
    let text = "[calls]\ndefault_responsible = \"501\"\n[notices]\nto_responsible = false\n\
                to = [\"nobody\", \"a@example.com\", \"A@example.com\"]\nuseful_minutes = 0";
    let settings: IntegrationSettings = toml::from_str(text).expect("settings");
    let found = settings.mistakes().into_iter();
    let mut paths: Vec<String> = found.map(|mistake| mistake.path.join(".")).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "notices",
            "notices.to.0",
            "notices.to.2",
            "notices.useful_minutes"
        ]
    );
    let nobody = "[calls]\ndefault_responsible = \"501\"\nnotify = true\n[notices]\n\
                  to_responsible = false";
    let settings: IntegrationSettings = toml::from_str(nobody).expect("settings");
    assert_eq!(settings.mistakes().len(), 1);
}
