//! The rows of Planfix, one after the other: what the rules make of a communication by settings, and
//! what the simulated account holds when the plan was carried out.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::json;
use trunkline::crm::{Adapter, Class, StepCommand};
use trunkline::lab::planfix::{Oracle, PlanfixLab, PlanfixOptions, TaskView, start};
use trunkline::model::call::{Call, CallLeg, CallPhase, CallResult, Direction, MissReason};
use trunkline::model::chat::{Author, Chat, ChatPhase, Message};
use trunkline::model::communication::{Body, Phase, Snapshot};
use trunkline::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use trunkline::model::explanation::Language;
use trunkline::model::ids::{AccountId, CrmUserId, Extension};
use trunkline::model::ledger::{Decision, Ledger, LedgerStep, StepState, Verdict};
use trunkline::model::outcome::Outcome;
use trunkline::model::phone::{ClientNumber, Phone, Region};
use trunkline::model::plan::{Plan, StepKey, Target};
use trunkline::model::request::SiteRequest;
use trunkline::model::timestamp::Timestamp;
use trunkline::rules::settings::IntegrationSettings;
use trunkline::rules::situation::Situation;
use trunkline::rules::{Triage, plan, triage};

use super::planfix_door::open;

const NEW: &str = "+79161234567";
const KNOWN: &str = "+79167654321";

/// A company with a Planfix in which one client is known, whose manager is user 7.
struct Company {
    lab: PlanfixLab,
    adapter: Arc<dyn Adapter>,
    employees: Employees,
}

impl Company {
    async fn open() -> Self {
        let options = PlanfixOptions {
            per_second: None,
            ..PlanfixOptions::default()
        };
        let lab = start(options).await.expect("a free port");
        lab.add_contact("Ольга", KNOWN, 7);
        let adapter = open(&lab.base_url(), json!({}));
        let employees = Employees(vec![
            employee("anna", "101", "5"),
            employee("boris", "102", "6"),
        ]);
        Self {
            lab,
            adapter,
            employees,
        }
    }

    /// Decides a phase by what the account says, and carries the plan out.
    async fn has(&self, settings: &IntegrationSettings, phase: Phase, body: Body) -> Plan {
        self.goes_on(settings, phase, body, &mut Ledger::default())
            .await
    }

    /// The same after what the ledger holds.
    async fn goes_on(
        &self,
        settings: &IntegrationSettings,
        phase: Phase,
        body: Body,
        ledger: &mut Ledger,
    ) -> Plan {
        let item = self.lab.counters().used_today;
        let snapshot = Snapshot {
            key: format!("acme/office/c-{item}").parse().expect("a key"),
            revision: 1,
            body,
        };
        let account: AccountId = "planfix".parse().expect("an id");
        let zone = TimeZone::get("Europe/Moscow").expect("a zone");
        let work = ledger.decisions.len() as u64 + 1;
        let before = ledger.clone();
        let situation = Situation {
            snapshot: &snapshot,
            phase,
            work,
            ledger: &before,
            settings,
            employees: &self.employees,
            account: &account,
            capabilities: self.adapter.capabilities(),
            source_name: "Офис",
            time_zone: &zone,
            recording: None,
            now: Timestamp::from_secs(self.lab.now()),
        };
        let planned = match triage(&situation) {
            Triage::Ignore(explanation) => Plan {
                steps: Vec::new(),
                first_time: None,
                explanation,
            },
            Triage::Plan(plan) => *plan,
            Triage::Ask(query) => {
                let Outcome::Done(facts) = self.adapter.facts(query, Class::Work).await else {
                    panic!("the account answers");
                };
                plan(&situation, &facts)
            }
        };
        ledger.decisions.push(Decision {
            work,
            phase,
            at: situation.now,
            revision: work,
            settings: 1,
            portal: None,
            facts: None,
            recording: None,
            verdict: Verdict::Planned,
            explanation: planned.explanation.clone(),
            roles: planned.steps.iter().map(|step| step.role.clone()).collect(),
            seen: None,
        });
        ledger.first_time = ledger.first_time.or(planned.first_time);
        for step in &planned.steps {
            let mut effect = step.effect.clone();
            if let Some(target) = effect.target_mut()
                && let Target::Made { by, entity } = target
            {
                let card = ledger.made(by, *entity).cloned();
                *target = Target::Known {
                    card: card.unwrap_or_else(|| panic!("{by} made no {entity}: {planned}")),
                };
            }
            let command = StepCommand {
                key: StepKey {
                    integration: "acme/sales".parse().expect("a key"),
                    communication: snapshot.key.clone(),
                    role: step.role.clone(),
                },
                effect: effect.clone(),
                kind: Some(snapshot.body.kind()),
                phase,
                first_sent_at: situation.now,
            };
            let outcome = self.adapter.execute(vec![command]).await.remove(0);
            let Outcome::Done(result) = outcome else {
                panic!("{}: {outcome:?}", step.role);
            };
            ledger.steps.push(LedgerStep {
                role: step.role.clone(),
                work,
                effect,
                state: StepState::Done {
                    at: situation.now,
                    result,
                },
                attempts: 1,
                first_sent_at: Some(situation.now),
            });
        }
        planned
    }

    /// Returns what the account holds, by now without anything odd.
    #[track_caller]
    fn holds(&self) -> Oracle {
        let oracle = self.lab.oracle();
        assert!(oracle.counters.oddities.is_empty(), "{oracle:?}");
        assert!(oracle.keys_twice.is_empty(), "{oracle:?}");
        oracle
    }

    /// Returns the only task.
    #[track_caller]
    fn task(&self) -> TaskView {
        let mut tasks = self.holds().tasks;
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        tasks.remove(0)
    }
}

fn employee(id: &str, extension: &str, user: &str) -> Employee {
    Employee {
        id: id.parse().expect("an id"),
        name: id.to_owned(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: "office".parse().expect("an id"),
            extension: Extension(extension.to_owned()),
        }],
        users: vec![EmployeeUser {
            account: "planfix".parse().expect("an id"),
            user: CrmUserId(user.to_owned()),
        }],
        phones: Vec::new(),
    }
}

fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::RU).expect("a number")
}

fn settings(text: &str) -> IntegrationSettings {
    let settings: IntegrationSettings = toml::from_str(text).expect("settings");
    assert_eq!(settings.mistakes(), [], "{text}");
    settings
}

fn began() -> Timestamp {
    Timestamp::parse("2026-11-20T09:00:00Z").expect("a time")
}

/// An ended call with a client; answered by Anna's telephone or missed.
fn call(direction: Direction, client: &str, answered: bool) -> Body {
    let (began, over) = (began(), Timestamp::parse("2026-11-20T09:01:00Z"));
    let over = over.expect("a time");
    let anna = Extension("101".to_owned());
    let outgoing = direction == Direction::Outgoing;
    Body::Call {
        call: Call {
            direction,
            phase: CallPhase::Ended,
            result: match answered {
                true => CallResult::Answered,
                false => CallResult::Missed {
                    reason: MissReason::NoAnswer,
                },
            },
            client: ClientNumber::Phone {
                phone: phone(client),
            },
            client_name: None,
            our_number: Some("+74951112233".to_owned()),
            caller_extension: outgoing.then(|| anna.clone()),
            started_at: began,
            answered_at: answered.then_some(began),
            ended_at: Some(over),
            waiting_ms: 1000,
            talking_ms: if answered { 50_000 } else { 0 },
            legs: vec![CallLeg {
                extension: anna.clone(),
                rung_at: began,
                talked_from: answered.then_some(began),
                talked_until: answered.then_some(over),
            }],
            talkers: answered.then(|| anna.clone()).into_iter().collect(),
            last_talker: answered.then_some(anna),
            queues: Vec::new(),
            recordings: Vec::new(),
            click_to_call: None,
            blind: None,
            tags: Vec::new(),
            details: Default::default(),
        },
    }
}

fn request(client: &str) -> Body {
    Body::Request {
        request: SiteRequest {
            at: began(),
            name: Some("Олег".to_owned()),
            phone: Some(phone(client)),
            email: None,
            text: Some("Перезвоните".to_owned()),
            form: Some("Обратный звонок".to_owned()),
            site: Some("example.com".to_owned()),
            page: None,
            fields: Default::default(),
            tags: Vec::new(),
            details: Default::default(),
        },
    }
}

/// A chat of a visitor who left this number, or none.
fn chat(phase: ChatPhase, client: Option<&str>) -> Body {
    let says = |id: &str, author| Message {
        id: id.to_owned(),
        at: began(),
        author,
        text: format!("слово {id}"),
    };
    let taken = phase >= ChatPhase::Accepted;
    let anna = || Extension("101".to_owned());
    let mut messages = vec![says("1", Author::Client { name: None })];
    if taken {
        messages.push(says("2", Author::Employee { login: anna() }));
    }
    Body::Chat {
        chat: Chat {
            phase,
            channel: "site".to_owned(),
            visitor: "v-1".to_owned(),
            name: Some("Игорь".to_owned()),
            phone: client.map(phone),
            email: None,
            site: Some("example.com".to_owned()),
            employee: taken.then(anna),
            tags: Vec::new(),
            started_at: began(),
            ended_at: (phase == ChatPhase::Ended).then(began),
            messages,
            lost: false,
            group: None,
            details: Default::default(),
        },
    }
}

fn roles(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.role.0.as_str()).collect()
}

/// Tasks of the object 101 for new clients, by Anna; of 102 for known ones, by Boris.
const CALLS: &str = r#"
[calls]
default_responsible = "7"
[calls.incoming]
deal_name = "Входящий: {{ client_phone }}"
missed_deal_name = "Пропущен: {{ client_phone }}"
answered_unknown = { action = { kind = "contact_and_deal", pipeline = "101", stage = "2" }, assign_to = { kind = "employee", employee = "anna" } }
missed_unknown = { action = { kind = "contact_and_deal", pipeline = "101", stage = "1" }, assign_to = { kind = "user", user = "5" } }
answered_known = { on = false, action = { kind = "deal_always", pipeline = "102", stage = "1" } }
missed_known = { action = { kind = "deal_always", pipeline = "102", stage = "1" }, assign_to = { kind = "employee", employee = "boris" } }
[calls.outgoing]
deal_name = "Исходящий: {{ client_phone }}"
answered_unknown = { action = { kind = "contact_and_deal", pipeline = "102", stage = "2" }, assign_to = { kind = "caller" } }
missed_known = { action = { kind = "deal_always", pipeline = "101", stage = "1" } }
"#;

/// A call, and what the account must hold of it: object, status, whose, name; none = no task.
type CallRow = (
    Direction,
    &'static str,
    bool,
    Option<(u64, u64, u64, &'static str)>,
);

async fn calls_become(rows: &[CallRow]) {
    let settings = settings(CALLS);
    for (direction, client, answered, wanted) in rows {
        let company = Company::open().await;
        let body = call(*direction, client, *answered);
        let plan = company.has(&settings, Phase::Ended, body).await;
        let oracle = company.holds();
        let row = format!("{direction:?} {client} answered {answered}: {plan}");
        assert_eq!(oracle.calls.len(), 1, "the call itself is told, {row}");
        let Some((object, status, whose, name)) = wanted else {
            assert!(oracle.tasks.is_empty(), "{row}");
            continue;
        };
        let task = company.task();
        assert_eq!(
            (task.template, task.status),
            (Some(*object), *status),
            "{row}"
        );
        assert_eq!(task.assignees, [*whose], "{row}");
        assert!(task.name.starts_with(name), "{}, {row}", task.name);
        assert!(task.counterparty.is_some(), "{row}");
        let ours = oracle.contacts.iter().filter(|contact| contact.by_planfix);
        let made = usize::from(*client == NEW);
        assert_eq!(ours.count(), made, "the contact is Planfix's own, {row}");
        company.lab.stop().await.expect("a clean end");
    }
}

#[actix_rt::test]
async fn s2_09_s2_11_s2_13_a_first_call_makes_a_task_of_its_object_for_whom_it_is_assigned_to() {
    use Direction::Incoming;
    calls_become(&[
        (
            Incoming,
            NEW,
            true,
            Some((101, 2, 5, "Входящий: +79161234567")),
        ),
        (
            Incoming,
            NEW,
            false,
            Some((101, 1, 5, "Пропущен: +79161234567")),
        ),
    ])
    .await;
}

#[actix_rt::test]
async fn s2_10_a_repeat_makes_a_task_or_none_and_has_its_own_assignment() {
    use Direction::Incoming;
    calls_become(&[
        (Incoming, KNOWN, true, None),
        (
            Incoming,
            KNOWN,
            false,
            Some((102, 1, 6, "Пропущен: +79167654321")),
        ),
    ])
    .await;
}

#[actix_rt::test]
async fn s2_14_s2_27_outgoing_calls_have_their_own_tasks_assignments_and_names() {
    use Direction::Outgoing;
    calls_become(&[
        (
            Outgoing,
            NEW,
            true,
            Some((102, 2, 5, "Исходящий: +79161234567")),
        ),
        (Outgoing, NEW, false, None),
        (Outgoing, KNOWN, true, None),
        // Nobody is named: who answers for the client does.
        (
            Outgoing,
            KNOWN,
            false,
            Some((101, 1, 7, "Исходящий: +79167654321")),
        ),
    ])
    .await;
}

#[actix_rt::test]
async fn s2_08_switched_off_no_call_is_sent() {
    let company = Company::open().await;
    let off = settings(&CALLS.replace("[calls]\n", "[calls]\non = false\n"));
    let plan = company
        .has(&off, Phase::Ended, call(Direction::Incoming, NEW, true))
        .await;
    assert_eq!(roles(&plan), [""; 0]);
    let why: Vec<String> = plan
        .explanation
        .iter()
        .map(|reason| reason.text(Language::En))
        .collect();
    assert!(why.iter().any(|text| text.contains("off")), "{why:?}");
    let oracle = company.holds();
    assert!(oracle.calls.is_empty() && oracle.contacts.len() == 1);
}

/// What is made of requests and chats, for new clients by Anna, for known ones by Boris.
fn texts(more: &str) -> IntegrationSettings {
    let block = |kind: &str| {
        format!(
            "[{kind}]\ndefault_responsible = \"7\"\n\
             method = {{ kind = \"contact_and_deal\", pipeline = \"101\", stage = \"1\" }}\n\
             repeat_method = {{ kind = \"contact_and_deal\", pipeline = \"102\", stage = \"2\" }}\n\
             assign_to = {{ kind = \"user\", user = \"5\" }}\n\
             repeat_assign_to = {{ kind = \"employee\", employee = \"boris\" }}\n\
             contact_template = \"7\"\ncontact_name = \"{{{{ client }}}} с сайта\"\n\
             deal_name = \"Обращение: {{{{ client }}}}\"\n{more}\n"
        )
    };
    settings(&format!("{}{}", block("requests"), block("chats")))
}

#[actix_rt::test]
async fn s2_17_requests_and_chats_are_switched_on_and_off() {
    for (on, tasks) in [("on = true", 2), ("on = false", 0)] {
        let company = Company::open().await;
        let settings = texts(on);
        let received = request(NEW);
        company.has(&settings, Phase::Received, received).await;
        let ended = chat(ChatPhase::Ended, Some(KNOWN));
        company.has(&settings, Phase::Ended, ended).await;
        assert_eq!(company.holds().tasks.len(), tasks, "{on}");
    }
}

#[actix_rt::test]
async fn s2_18_s2_19_s2_28_a_request_makes_what_its_case_says_from_template_and_object() {
    for (client, object, status, whose, contacts) in [(NEW, 101, 1, 5, 2), (KNOWN, 102, 2, 6, 1)] {
        let company = Company::open().await;
        company
            .has(&texts(""), Phase::Received, request(client))
            .await;
        let task = company.task();
        assert_eq!((task.template, task.status), (Some(object), status));
        assert_eq!(task.assignees, [whose], "{client}");
        let name = match client {
            NEW => "Обращение: Олег",
            _ => "Обращение:",
        };
        assert!(task.name.starts_with(name), "{}", task.name);
        let oracle = company.holds();
        assert_eq!(oracle.contacts.len(), contacts, "{client}");
        if let Some(made) = oracle.contacts.iter().find(|one| one.name != "Ольга") {
            assert_eq!(made.name, "Олег с сайта");
            assert_eq!(
                (made.template, made.supervisors.as_slice()),
                (Some(7), &[5][..])
            );
            assert_eq!(task.counterparty, Some(made.id));
        }
    }
}

#[actix_rt::test]
async fn s2_20_s2_28_a_chat_makes_what_its_case_says_and_keeps_what_was_written() {
    for (client, object, whose) in [(NEW, 101, 5), (KNOWN, 102, 6)] {
        let company = Company::open().await;
        let ended = chat(ChatPhase::Ended, Some(client));
        company.has(&texts(""), Phase::Ended, ended).await;
        let task = company.task();
        assert_eq!(
            (task.template, task.assignees.as_slice()),
            (Some(object), &[whose][..])
        );
        let oracle = company.holds();
        let [comment] = &oracle.comments[..] else {
            panic!("{:?}", oracle.comments);
        };
        assert!(comment.of_task && comment.on == task.id);
        assert!(comment.text.contains("слово 2"), "{}", comment.text);
    }
}

#[actix_rt::test]
async fn s2_21_contact_and_task_are_made_at_the_moment_that_is_set_and_once() {
    let phases = [
        (Phase::Started, ChatPhase::Started),
        (Phase::Accepted, ChatPhase::Accepted),
        (Phase::Ended, ChatPhase::Ended),
    ];
    for (at, moment) in [("start", 0), ("accepted", 1), ("end", 2)] {
        let company = Company::open().await;
        let block = format!(
            "[chats]\ndefault_responsible = \"7\"\nat = \"{at}\"\n\
             method = {{ kind = \"contact_and_deal\", pipeline = \"101\", stage = \"1\" }}\n"
        );
        let settings = settings(&block);
        let mut ledger = Ledger::default();
        for (number, (phase, stage)) in phases.iter().enumerate() {
            let body = chat(*stage, Some(NEW));
            company.goes_on(&settings, *phase, body, &mut ledger).await;
            let tasks = company.holds().tasks.len();
            assert_eq!(tasks, usize::from(number >= moment), "{at}, {phase}");
        }
        assert_eq!(company.holds().contacts.len(), 2, "one more than was there");
    }
}

#[actix_rt::test]
async fn s2_22_each_chat_without_contact_data_makes_its_own_contact_and_task_where_that_is_set() {
    for (more, made) in [("", 0), ("without_contacts = true", 2)] {
        let company = Company::open().await;
        let block = format!(
            "[chats]\ndefault_responsible = \"7\"\n{more}\n\
             method = {{ kind = \"contact_and_deal\", pipeline = \"101\", stage = \"1\" }}\n"
        );
        let settings = settings(&block);
        for _ in 0..2 {
            let body = chat(ChatPhase::Ended, None);
            company.has(&settings, Phase::Ended, body).await;
        }
        let oracle = company.holds();
        assert_eq!(oracle.tasks.len(), made, "{more}");
        assert_eq!(oracle.contacts.len(), 1 + made, "{more}");
    }
}

#[test]
fn s2_31_settings_without_a_default_responsible_are_refused() {
    for text in [
        "[calls]\n",
        "[requests]\nmethod = { kind = \"by_hand\" }\n",
        "[chats]\nmethod = { kind = \"by_hand\" }\n",
    ] {
        let read = toml::from_str::<IntegrationSettings>(text);
        let why = read.expect_err(text).to_string();
        assert!(why.contains("default_responsible"), "{why}");
        let empty = text.replacen(']', "]\ndefault_responsible = \" \"", 1);
        let read: IntegrationSettings = toml::from_str(&empty).expect("it can be read");
        assert_eq!(read.mistakes().len(), 1, "{empty}");
    }
}

#[actix_rt::test]
async fn s2_31_s2_32_the_first_rule_that_holds_names_who_answers_else_the_default_does() {
    let rules = |kind: &str, site: &str| {
        format!(
            "[[{kind}.responsible]]\nname = \"сайт\"\n\
             when = {{ kind = \"include\", parameter = \"site\", values = [\"{site}\"] }}\n\
             assign = {{ kind = \"employee\", employee = \"boris\" }}\n"
        )
    };
    let block = |kind: &str, site: &str| {
        format!(
            "[{kind}]\ndefault_responsible = \"7\"\n\
             method = {{ kind = \"contact_and_deal\", pipeline = \"101\", stage = \"1\" }}\n{}",
            rules(kind, site)
        )
    };
    for (site, whose) in [("example.com", 6), ("other.example", 7)] {
        let company = Company::open().await;
        let received = request(NEW);
        let requests = settings(&block("requests", site));
        company.has(&requests, Phase::Received, received).await;
        assert_eq!(company.task().assignees, [whose], "requests, {site}");
        let company = Company::open().await;
        let chats = settings(&block("chats", site));
        let ended = chat(ChatPhase::Ended, Some(NEW));
        company.has(&chats, Phase::Ended, ended).await;
        assert_eq!(company.task().assignees, [whose], "chats, {site}");
    }
    let calls = |result: &str| {
        settings(&format!(
            "[calls]\ndefault_responsible = \"7\"\n[[calls.responsible]]\nname = \"итог\"\n\
             when = {{ kind = \"include\", parameter = \"result\", values = [\"{result}\"] }}\n\
             assign = {{ kind = \"employee\", employee = \"boris\" }}\n[calls.incoming]\n\
             missed_unknown = {{ action = {{ kind = \"contact_and_deal\", pipeline = \"101\", \
             stage = \"1\" }} }}\n"
        ))
    };
    for (result, whose) in [("missed", 6), ("answered", 7)] {
        let company = Company::open().await;
        let body = call(Direction::Incoming, NEW, false);
        company.has(&calls(result), Phase::Ended, body).await;
        assert_eq!(company.task().assignees, [whose], "calls, {result}");
    }
}

/// Fields of the contact (311) and of the task (1051).
fn fields(kind: &str, always: bool) -> String {
    format!(
        "[[{kind}.fields]]\ncard = \"contact\"\nfield = \"311\"\nvalue = \"{{{{ source_name }}}}\"\n\
         update_always = {always}\n\
         [[{kind}.fields]]\ncard = \"deal\"\nfield = \"1051\"\nvalue = \"{{{{ source_name }}}}\"\n"
    )
}

#[actix_rt::test]
async fn s2_33_s2_34_fields_of_contact_and_task_are_filled_once_or_at_every_contact() {
    let method = "method = { kind = \"contact_and_deal\", pipeline = \"101\", stage = \"1\" }";
    for kind in ["requests", "chats"] {
        for (client, always, filled) in [
            (NEW, false, true),
            (KNOWN, false, false),
            (KNOWN, true, true),
        ] {
            let company = Company::open().await;
            let text = format!(
                "[{kind}]\ndefault_responsible = \"7\"\n{method}\n{}",
                fields(kind, always)
            );
            let settings = settings(&text);
            let (phase, body) = match kind {
                "requests" => (Phase::Received, request(client)),
                _ => (Phase::Ended, chat(ChatPhase::Ended, Some(client))),
            };
            company.has(&settings, phase, body).await;
            let row = format!("{kind} {client} {always}");
            assert_eq!(company.task().custom[&1051], json!("Офис"), "{row}");
            let oracle = company.holds();
            let contact = oracle.contacts_of_phone(client)[0];
            assert_eq!(contact.custom.contains_key(&311), filled, "{row}");
        }
    }
    // Of a first call Planfix makes the contact: its fields are filled afterwards.
    for (client, always, filled) in [
        (NEW, false, true),
        (KNOWN, false, false),
        (KNOWN, true, true),
    ] {
        let company = Company::open().await;
        let text = format!(
            "[calls]\ndefault_responsible = \"7\"\n{}[calls.incoming]\n\
             answered_unknown = {{ action = {{ kind = \"contact_and_deal\", pipeline = \"101\", \
             stage = \"1\" }} }}\nanswered_known = {{ action = {{ kind = \"deal_always\", \
             pipeline = \"101\", stage = \"1\" }} }}\n",
            fields("calls", always)
        );
        let body = call(Direction::Incoming, client, true);
        company.has(&settings(&text), Phase::Ended, body).await;
        let row = format!("calls {client} {always}");
        assert_eq!(company.task().custom[&1051], json!("Офис"), "{row}");
        let oracle = company.holds();
        let contact = oracle.contacts_of_phone(client)[0];
        assert_eq!(contact.custom.contains_key(&311), filled, "{row}");
    }
}
