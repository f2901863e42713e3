//! Cases of chats, named by the row of `docs/features.md` that they prove.

mod leads;

use jiff::tz::TimeZone;

use crate::model::capabilities::{CallHistoryManner, Capabilities, Certainty, StepCapability};
use crate::model::chat::{Author, Chat, ChatPhase, Message};
use crate::model::communication::{Body, Kind, Phase, Snapshot};
use crate::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use crate::model::explanation::Reason;
use crate::model::facts::{ContactFact, Facts, FactsOrigin};
use crate::model::ids::{AccountId, CrmUserId, Extension};
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState, Verdict};
use crate::model::phone::{Phone, Region};
use crate::model::plan::{Effect, Plan, StepKind};
use crate::model::timestamp::Timestamp;
use crate::rules::settings::IntegrationSettings;
use crate::rules::situation::Situation;
use crate::rules::{Triage, plan, triage};

const DEAL: &str = r#"method = { kind = "contact_and_deal", pipeline = "31", stage = "7" }"#;
const UNSORTED: &str = r#"method = { kind = "unsorted", pipeline = "31" }"#;
const TASK: &str = r#"task = { due = { kind = "after", hours = 2 } }"#;

const PHASES: [Phase; 6] = [
    Phase::Started,
    Phase::Accepted,
    Phase::Tagged,
    Phase::Message,
    Phase::Continued,
    Phase::Ended,
];

fn read(added: &str) -> IntegrationSettings {
    let text = format!("[chats]\ndefault_responsible = \"501\"\n{added}");
    toml::from_str(&text).expect("settings")
}

fn settings(added: &str) -> IntegrationSettings {
    let settings = read(added);
    assert_eq!(settings.mistakes(), [], "{added}");
    settings
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn says(id: &str, author: Author, text: &str) -> Message {
    Message {
        id: id.to_owned(),
        at: at("2026-11-20T09:00:10Z"),
        author,
        text: text.to_owned(),
    }
}

fn chat(phase: ChatPhase) -> Chat {
    let login = || Extension("101".to_owned());
    let client = says(
        "1",
        Author::Client { name: None },
        "Здравствуйте,\nсколько стоит?",
    );
    let answer = says("2", Author::Employee { login: login() }, "Сто рублей");
    Chat {
        phase,
        channel: "telegram".to_owned(),
        visitor: "v1".to_owned(),
        name: Some("Ольга".to_owned()),
        phone: Some(Phone::parse("+79161234567", Region::RU).expect("a number")),
        email: None,
        site: Some("romashka.example".to_owned()),
        employee: (phase != ChatPhase::Started).then(login),
        tags: vec!["vip".to_owned()],
        started_at: at("2026-11-20T09:00:00Z"),
        ended_at: (phase == ChatPhase::Ended).then(|| at("2026-11-20T09:30:00Z")),
        messages: vec![client, answer],
        lost: false,
        group: None,
        details: [("campaign".to_owned(), "Поиск".to_owned())].into(),
    }
}

fn phase_of(chat: &Chat) -> Phase {
    match chat.phase {
        ChatPhase::Started => Phase::Started,
        ChatPhase::Accepted => Phase::Accepted,
        ChatPhase::Ended => Phase::Ended,
    }
}

fn employees() -> Employees {
    let one = Employee {
        id: "ivanov".parse().expect("an id"),
        name: "Иванов".to_owned(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: "site".parse().expect("an id"),
            extension: Extension("101".to_owned()),
        }],
        users: vec![EmployeeUser {
            account: "sales".parse().expect("an id"),
            user: CrmUserId("502".to_owned()),
        }],
        phones: Vec::new(),
    };
    Employees(vec![one])
}

fn olga() -> ContactFact {
    ContactFact {
        id: "7001".to_owned(),
        name: "Ольга Петрова".to_owned(),
        responsible: Some(CrmUserId("503".to_owned())),
        created_at: Timestamp::from_secs(1_700_000_000),
        updated_at: Timestamp::from_secs(1_700_000_000),
        deals: Vec::new(),
    }
}

fn decide_on(
    settings: &IntegrationSettings,
    chat: Chat,
    known: bool,
    ledger: &Ledger,
) -> (Triage, Plan) {
    let phase = phase_of(&chat);
    decide_at(phase, settings, chat, known, ledger)
}

fn decide_at(
    phase: Phase,
    settings: &IntegrationSettings,
    chat: Chat,
    known: bool,
    ledger: &Ledger,
) -> (Triage, Plan) {
    let contacts = if known { vec![olga()] } else { Vec::new() };
    decide_by(phase, settings, chat, facts(contacts), ledger, false)
}

fn facts(contacts: Vec<ContactFact>) -> Facts {
    Facts {
        as_of: at("2026-11-20T09:00:05Z"),
        origin: FactsOrigin::Crm,
        contacts,
        companies: Vec::new(),
        leads: Vec::new(),
        closed_leads: Vec::new(),
        fields: None,
    }
}

/// Decides by what the CRM says; `leads` = it works with leads beside deals.
fn decide_by(
    phase: Phase,
    settings: &IntegrationSettings,
    chat: Chat,
    facts: Facts,
    ledger: &Ledger,
    leads: bool,
) -> (Triage, Plan) {
    let snapshot = Snapshot {
        key: "romashka/site/c-1".parse().expect("a key"),
        revision: 1,
        body: Body::Chat { chat },
    };
    let kinds = StepKind::ALL.into_iter();
    let capabilities = Capabilities {
        steps: kinds
            .filter(|kind| leads || *kind != StepKind::CreateLead)
            .map(|kind| StepCapability {
                kind,
                certainty: Certainty::BySearch,
                batch_max: 50,
            })
            .collect(),
        phases: PHASES.map(|phase| (Kind::Chat, phase)).to_vec(),
        calls: CallHistoryManner::default(),
    };
    let zone = TimeZone::get("Europe/Moscow").expect("a zone");
    let account: AccountId = "sales".parse().expect("an id");
    let employees = employees();
    let situation = Situation {
        snapshot: &snapshot,
        phase,
        work: ledger.decisions.len() as u64 + 1,
        ledger,
        settings,
        employees: &employees,
        account: &account,
        capabilities: &capabilities,
        source_name: "Сайт",
        time_zone: &zone,
        recording: None,
        now: at("2026-11-20T09:00:05Z"),
    };
    (triage(&situation), plan(&situation, &facts))
}

fn decide(added: &str, chat: Chat, known: bool) -> Plan {
    decide_on(&settings(added), chat, known, &Ledger::default()).1
}

fn roles(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.role.0.as_str()).collect()
}

fn effect<'p>(plan: &'p Plan, role: &str) -> &'p Effect {
    let step = plan.steps.iter().find(|step| step.role.0 == role);
    &step.unwrap_or_else(|| panic!("no {role}:\n{plan}")).effect
}

/// What stands after a decision: its steps are to be sent.
fn after(mut ledger: Ledger, phase: Phase, plan: &Plan) -> Ledger {
    let work = ledger.decisions.len() as u64 + 1;
    ledger.first_time = plan.first_time;
    ledger.decisions.push(Decision {
        work,
        phase,
        at: at("2026-11-20T09:00:05Z"),
        revision: work,
        settings: work,
        portal: None,
        facts: None,
        recording: None,
        verdict: Verdict::Planned,
        explanation: plan.explanation.clone(),
        roles: plan.steps.iter().map(|step| step.role.clone()).collect(),
        seen: None,
    });
    ledger
        .steps
        .extend(plan.steps.iter().map(|step| LedgerStep {
            role: step.role.clone(),
            work,
            effect: step.effect.clone(),
            state: StepState::InFlight {
                since: at("2026-11-20T09:00:05Z"),
            },
            attempts: 1,
            first_sent_at: None,
        }));
    ledger
}

#[test]
fn s2_20_first_time_and_repeat_have_their_own_entities() {
    let both = format!("{DEAL}\nrepeat_method = {{ kind = \"by_hand\" }}\n{TASK}");
    let first = decide(&both, chat(ChatPhase::Ended), false);
    assert_eq!(roles(&first), ["contact", "deal", "task", "transcript#1"]);
    let repeat = decide(&both, chat(ChatPhase::Ended), true);
    assert_eq!(
        roles(&repeat),
        ["task"],
        "the task goes to the client's manager"
    );
    let Effect::CreateTask(task) = effect(&repeat, "task") else {
        panic!("{repeat}");
    };
    assert_eq!(task.responsible, Some(CrmUserId("503".to_owned())));
    let unsorted = decide(UNSORTED, chat(ChatPhase::Ended), true);
    assert_eq!(roles(&unsorted), ["unsorted", "transcript#1"]);
}

#[test]
fn s0_17_what_a_chat_makes_is_made_with_its_fields_and_a_known_contact_gets_what_is_always_written()
{
    let added = format!(
        "{DEAL}\n[[chats.fields]]\ncard = \"deal\"\nfield = \"41\"\nvalue = \"{{{{ channel }}}}\"\n\
         [[chats.fields]]\ncard = \"contact\"\nfield = \"35\"\nvalue = \"чат\"\n\
         [[chats.fields]]\ncard = \"contact\"\nfield = \"36\"\nvalue = \"{{{{ client }}}}\"\n\
         update_always = true"
    );
    let values = |fields: &[crate::model::plan::FieldFill]| -> Vec<(String, String)> {
        let pair = |fill: &crate::model::plan::FieldFill| (fill.field.clone(), fill.value.clone());
        fields.iter().map(pair).collect()
    };
    let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    let first = decide(&added, chat(ChatPhase::Ended), false);
    assert_eq!(roles(&first), ["contact", "deal", "transcript#1"]);
    let contact = effect(&first, "contact").new_fields().unwrap_or_default();
    assert_eq!(values(contact), [pair("35", "чат"), pair("36", "Ольга")]);
    let deal = effect(&first, "deal").new_fields().unwrap_or_default();
    assert_eq!(values(deal), [pair("41", "telegram")]);

    let repeat = decide(&added, chat(ChatPhase::Ended), true);
    let Effect::FillFields(fill) = effect(&repeat, "contact-fields") else {
        panic!("{repeat}");
    };
    assert_eq!(values(&fill.fields), [pair("36", "Ольга")]);
    // Not at a moment at which nothing is made.
    let early = decide(&added, chat(ChatPhase::Started), true);
    assert!(!roles(&early).contains(&"contact-fields"), "{early}");
}

#[test]
fn s2_20_the_contact_is_named_by_a_template_and_answered_for_by_who_took_the_chat() {
    let added = format!(
        "{DEAL}\ncontact_name = \"{{{{ client }}}} ({{{{ channel }}}})\"\n[[chats.responsible]]\n\
         name = \"кто принял\"\nassign = {{ kind = \"talker\" }}"
    );
    let plan = decide(&added, chat(ChatPhase::Ended), false);
    let Effect::CreateContact(contact) = effect(&plan, "contact") else {
        panic!("{plan}");
    };
    assert_eq!(contact.name, "Ольга (telegram)");
    assert_eq!(contact.responsible, Some(CrmUserId("502".to_owned())));
    let mut nobody = chat(ChatPhase::Ended);
    nobody.employee = None;
    let plan = decide(&added, nobody, false);
    let Effect::CreateContact(contact) = effect(&plan, "contact") else {
        panic!("{plan}");
    };
    assert_eq!(
        contact.responsible,
        Some(CrmUserId("501".to_owned())),
        "the default"
    );
}

#[test]
fn s2_21_records_are_made_at_the_moment_that_is_set() {
    let phases = [ChatPhase::Started, ChatPhase::Accepted, ChatPhase::Ended];
    for (moment, makes) in [
        ("start", [true, false, true]),
        ("accepted", [false, true, true]),
        ("end", [false, false, true]),
    ] {
        for (phase, makes) in phases.into_iter().zip(makes) {
            let plan = decide(&format!("at = \"{moment}\"\n{DEAL}"), chat(phase), false);
            assert_eq!(roles(&plan).contains(&"deal"), makes, "{moment} {phase:?}");
            let written = roles(&plan).contains(&"transcript#1");
            assert_eq!(written, phase == ChatPhase::Ended, "{moment} {phase:?}");
        }
    }
    let mut untaken = chat(ChatPhase::Ended);
    untaken.employee = None;
    let plan = decide(&format!("at = \"accepted\"\n{DEAL}"), untaken, false);
    assert_eq!(roles(&plan), [] as [&str; 0]);
}

#[test]
fn s2_21_one_chat_makes_one_set_of_records_whatever_the_settings_become() {
    let first = settings(&format!("at = \"start\"\n{UNSORTED}"));
    let then = settings(&format!("at = \"accepted\"\n{DEAL}\n{TASK}"));
    let (_, started) = decide_on(&first, chat(ChatPhase::Started), false, &Ledger::default());
    assert_eq!(roles(&started), ["unsorted"]);
    let ledger = after(Ledger::default(), Phase::Started, &started);
    let (_, accepted) = decide_on(&then, chat(ChatPhase::Accepted), true, &ledger);
    assert_eq!(roles(&accepted), [] as [&str; 0]);
    assert!(
        accepted
            .explanation
            .iter()
            .any(|why| *why == Reason::ChatActedBefore)
    );
    let ledger = after(ledger, Phase::Accepted, &accepted);
    let (_, ended) = decide_on(&then, chat(ChatPhase::Ended), true, &ledger);
    assert_eq!(roles(&ended), ["transcript#1"]);
}

#[test]
fn s2_22_visitors_without_contact_data_are_taken_where_it_is_switched_on() {
    let mut unknown = chat(ChatPhase::Ended);
    unknown.phone = None;
    let (ignored, _) = decide_on(&settings(DEAL), unknown.clone(), false, &Ledger::default());
    assert_eq!(ignored, Triage::Ignore(Reason::ChatWithoutContacts.into()));
    let on = format!("without_contacts = true\n{DEAL}\n{TASK}");
    let plan = decide(&on, unknown, false);
    assert_eq!(roles(&plan), ["contact", "deal", "task", "transcript#1"]);
}

#[test]
fn a_group_has_its_name_and_each_line_its_author() {
    let mut group = chat(ChatPhase::Ended);
    group.group = Some("Дачники".to_owned());
    let author = Author::Client {
        name: Some("+7916***0001".to_owned()),
    };
    group.messages.push(says("3", author, "И мне"));
    let plan = decide(&format!("without_contacts = true\n{DEAL}"), group, false);
    let Effect::CreateContact(contact) = effect(&plan, "contact") else {
        panic!("{plan}");
    };
    assert_eq!(
        (contact.name.as_str(), contact.phones.len()),
        ("Дачники", 0)
    );
    let Effect::AddNote(note) = effect(&plan, "transcript#1") else {
        panic!("{plan}");
    };
    for line in [
        "12:00 Иванов: Сто рублей",
        "12:00 +7916***0001: И мне",
        "Группа: Дачники",
    ] {
        assert!(note.text.lines().any(|one| one == line), "{}", note.text);
    }
}

/// A chat that one decision after the other looks at.
struct Course {
    settings: IntegrationSettings,
    ledger: Ledger,
}

impl Course {
    fn of(added: &str) -> Self {
        Self {
            settings: settings(added),
            ledger: Ledger::default(),
        }
    }

    /// Decides a phase; from the first on the client is known by what was made.
    fn goes(&mut self, phase: Phase, chat: &Chat) -> Plan {
        let known = !self.ledger.steps.is_empty();
        let (_, plan) = decide_at(phase, &self.settings, chat.clone(), known, &self.ledger);
        self.ledger = after(std::mem::take(&mut self.ledger), phase, &plan);
        plan
    }
}

fn client_says(id: &str, time: &str, text: &str) -> Message {
    Message {
        at: at(time),
        ..says(id, Author::Client { name: None }, text)
    }
}

fn note<'p>(plan: &'p Plan, role: &str) -> &'p str {
    let Effect::AddNote(note) = effect(plan, role) else {
        panic!("{plan}");
    };
    &note.text
}

#[test]
fn v_05_a_live_transcript_writes_each_message_once_and_in_order() {
    let mut course = Course::of(&format!("at = \"accepted\"\ntranscript = \"live\"\n{DEAL}"));
    let mut going = chat(ChatPhase::Accepted);
    assert_eq!(
        roles(&course.goes(Phase::Message, &going)),
        [] as [&str; 0],
        "there is no card yet"
    );
    let made = course.goes(Phase::Accepted, &going);
    assert_eq!(roles(&made), ["contact", "deal"]);
    let first = course.goes(Phase::Message, &going);
    assert_eq!(roles(&first), ["transcript#1"]);
    let text = note(&first, "transcript#1");
    assert!(text.ends_with("12:00 Иванов: Сто рублей"), "{text}");
    // Told once more, it is nothing new.
    assert_eq!(roles(&course.goes(Phase::Message, &going)), [] as [&str; 0]);
    // Two at once, one of them late.
    going
        .messages
        .insert(1, client_says("1a", "2026-11-20T09:00:11Z", "Алло?"));
    going
        .messages
        .push(client_says("3", "2026-11-20T09:05:00Z", "Беру"));
    let second = course.goes(Phase::Message, &going);
    assert_eq!(roles(&second), ["transcript#2"]);
    let text = note(&second, "transcript#2");
    assert_eq!(
        text,
        "Чат: telegram, часть 2\n12:00 Ольга: Алло?\n12:05 Ольга: Беру"
    );
    let mut over = chat(ChatPhase::Ended);
    over.messages = going.messages;
    assert_eq!(roles(&course.goes(Phase::Ended, &over)), [] as [&str; 0]);
}

#[test]
fn v_05_each_message_in_a_closed_chat_makes_an_unsorted_record_again() {
    let mut course = Course::of(UNSORTED);
    let mut chat = chat(ChatPhase::Ended);
    let ended = course.goes(Phase::Ended, &chat);
    assert_eq!(roles(&ended), ["unsorted", "transcript#1"]);
    // Known late, but written before the end: no message in a closed chat.
    chat.messages
        .push(client_says("3", "2026-11-20T09:29:00Z", "Спасибо"));
    let late = course.goes(Phase::Continued, &chat);
    assert_eq!(roles(&late), ["transcript#2"]);
    for (id, minute, number) in [("4", "40", 2), ("5", "50", 3)] {
        let time = format!("2026-11-20T09:{minute}:00Z");
        chat.messages.push(client_says(id, &time, "И ещё вопрос"));
        chat.ended_at = Some(at(&time));
        let again = course.goes(Phase::Continued, &chat);
        let (unsorted, part) = (
            format!("unsorted#{number}"),
            format!("transcript#{}", number + 1),
        );
        assert_eq!(roles(&again), [&unsorted, &part]);
        let Effect::CreateUnsorted(record) = effect(&again, &unsorted) else {
            panic!("{again}");
        };
        let shown = format!("{:?}", record.form);
        assert!(shown.contains("И ещё вопрос"), "{shown}");
        let Effect::AddNote(part) = effect(&again, &part) else {
            panic!("{again}");
        };
        assert_eq!(part.card.to_string(), format!("deal of [{unsorted}]"));
    }
    // The source has opened it again: what is said there is a conversation.
    chat.phase = ChatPhase::Accepted;
    chat.messages
        .push(client_says("6", "2026-11-20T10:00:00Z", "Вы тут?"));
    assert_eq!(
        roles(&course.goes(Phase::Continued, &chat)),
        ["unsorted#4", "transcript#5"]
    );
    chat.messages
        .push(client_says("7", "2026-11-20T10:01:00Z", "Ясно"));
    assert_eq!(
        roles(&course.goes(Phase::Continued, &chat)),
        ["transcript#6"]
    );
}

#[test]
fn v_05_a_message_in_a_closed_chat_is_noted_where_that_is_set_or_a_deal_was_made() {
    let note = format!("in_closed_chat = \"note\"\n{UNSORTED}");
    for (settings, card) in [
        (note.as_str(), "deal of [unsorted]"),
        (DEAL, "deal of [deal]"),
    ] {
        let mut course = Course::of(settings);
        let mut chat = chat(ChatPhase::Ended);
        course.goes(Phase::Ended, &chat);
        chat.messages
            .push(client_says("3", "2026-11-20T09:40:00Z", "И ещё"));
        let plan = course.goes(Phase::Continued, &chat);
        assert_eq!(roles(&plan), ["transcript#2"]);
        assert_eq!(
            effect(&plan, "transcript#2")
                .target()
                .expect("a card")
                .to_string(),
            card
        );
        let closed = Reason::MessageInClosedChat { again: false };
        assert!(
            plan.explanation.iter().any(|why| *why == closed),
            "{plan:?}"
        );
    }
}

#[test]
fn v_05_a_repeat_is_handed_over_to_whom_the_rules_name() {
    let rule = "[[chats.responsible]]\nname = \"кто принял\"\nassign = { kind = \"talker\" }";
    let added = format!("update_responsible = true\n{DEAL}\n{rule}");
    let plan = decide(&added, chat(ChatPhase::Ended), true);
    assert_eq!(roles(&plan), ["deal", "owner", "transcript#1"]);
    assert_eq!(
        effect(&plan, "owner").to_string(),
        "hand over  card=contact#7001  responsible=502"
    );
    let first = decide(&added, chat(ChatPhase::Ended), false);
    assert!(!roles(&first).contains(&"owner"), "{first}");
    // Somebody whom the CRM does not know took it: nobody is named, nothing is changed.
    let mut strange = chat(ChatPhase::Ended);
    strange.employee = Some(Extension("999".to_owned()));
    let plan = decide(&added, strange, true);
    assert_eq!(roles(&plan), ["deal", "transcript#1"]);
    let off = format!("{DEAL}\n{rule}");
    assert!(!roles(&decide(&off, chat(ChatPhase::Ended), true)).contains(&"owner"));
}

#[test]
fn s0_10_chats_of_known_clients_are_left_alone_where_that_is_set_for_good() {
    let mut course = Course::of(&format!("first_time_only = true\nat = \"start\"\n{DEAL}"));
    let started = chat(ChatPhase::Started);
    let (_, plan) = decide_on(&course.settings, started.clone(), true, &Ledger::default());
    assert_eq!(roles(&plan), [] as [&str; 0]);
    course.ledger = after(Ledger::default(), Phase::Started, &plan);
    // Switched off meanwhile: it was decided.
    course.settings = settings(&format!("at = \"start\"\n{DEAL}"));
    let ended = course.goes(Phase::Ended, &chat(ChatPhase::Ended));
    assert_eq!(roles(&ended), [] as [&str; 0]);
    let mut fresh = Course::of(&format!("first_time_only = true\n{DEAL}"));
    let ended = fresh.goes(Phase::Ended, &chat(ChatPhase::Ended));
    assert_eq!(roles(&ended), ["contact", "deal", "transcript#1"]);
}

#[test]
fn s2_21_a_mark_makes_the_records_and_the_filter_says_which() {
    let filter = "filter = { kind = \"include\", parameter = \"tag\", values = [\"Лид\"] }";
    let mut course = Course::of(&format!("at = \"tagged\"\n{DEAL}\n{filter}"));
    let mut going = chat(ChatPhase::Accepted);
    assert_eq!(roles(&course.goes(Phase::Tagged, &going)), [] as [&str; 0]);
    going.tags.push("лид".to_owned());
    let made = course.goes(Phase::Tagged, &going);
    assert_eq!(roles(&made), ["contact", "deal"]);
    going.tags.push("срочно".to_owned());
    assert_eq!(roles(&course.goes(Phase::Tagged, &going)), [] as [&str; 0]);
    // Without the mark at the end, it is written down all the same.
    let ended = course.goes(Phase::Ended, &chat(ChatPhase::Ended));
    assert_eq!(roles(&ended), ["transcript#1"]);
}

#[test]
fn a_lost_chat_is_noted_with_its_reason_where_that_is_set() {
    let mut lost = chat(ChatPhase::Ended);
    lost.lost = true;
    let reason = ("end_reason".to_owned(), "закрыт посетителем".to_owned());
    lost.details.extend([reason]);
    let plan = decide(&format!("lost_note = true\n{DEAL}"), lost.clone(), false);
    assert_eq!(
        note(&plan, "lost-note"),
        "Чат пропущен, 20.11.2026 12:30: никто не ответил\nПричина: закрыт посетителем"
    );
    assert!(!roles(&decide(DEAL, lost, false)).contains(&"lost-note"));
}

#[test]
fn v_07_chats_are_told_apart_by_every_parameter() {
    let mut one = chat(ChatPhase::Ended);
    let details = [
        ("page", "https://romashka.example/price"),
        ("first_campaign", "Карты"),
        ("source", "Яндекс"),
        ("group", "Продажи"),
        ("referrer", "https://ya.example/"),
        ("search_query", "купить ромашки"),
        ("city", "Казань"),
        ("utm_source", "yandex"),
        ("utm_medium", "cpc"),
        ("utm_campaign", "spring"),
        ("utm_content", "banner"),
        ("utm_term", "daisy"),
    ];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    one.details.extend(details.map(text));
    for (parameter, value) in [
        ("channel", "Telegram"),
        ("site", "romashka.example"),
        ("page", "/price"),
        ("campaign", "поиск"),
        ("first_campaign", "карты"),
        ("source", "яндекс"),
        ("group", "продажи"),
        ("employee", "ivanov"),
        ("tag", "VIP"),
        ("text", "сколько стоит"),
        ("referrer", "ya.example"),
        ("search_query", "ромашки"),
        ("name", "ольга"),
        ("city", "казань"),
        ("contacts", "left"),
        ("utm_source", "Yandex"),
        ("utm_medium", "cpc"),
        ("utm_campaign", "spring"),
        ("utm_content", "banner"),
        ("utm_term", "daisy"),
    ] {
        let made = |kind: &str, value: &str| {
            let filter = format!(
                "filter = {{ kind = \"{kind}\", parameter = \"{parameter}\", values = \
                 [\"{value}\"] }}"
            );
            let plan = decide(&format!("{DEAL}\n{filter}"), one.clone(), false);
            let seen = plan.explanation.iter().any(
                |why| matches!(why, Reason::ConditionsSeen { path, .. } if path == "chats.filter"),
            );
            assert!(seen, "{parameter} is not explained");
            !plan.steps.is_empty()
        };
        let other = if parameter == "contacts" {
            "none"
        } else {
            "ничто"
        };
        let answers = [made("include", value), made("exclude", value)];
        assert_eq!(answers, [true, false], "{parameter}");
        let answers = [made("include", other), made("exclude", other)];
        assert_eq!(answers, [false, true], "{parameter}");
    }
}

#[test]
fn a_lost_chat_makes_a_task_of_its_own() {
    let added = format!("{DEAL}\nlost_task = {{ due = {{ kind = \"after\", minutes = 15 }} }}");
    let mut lost = chat(ChatPhase::Ended);
    assert!(!roles(&decide(&added, lost.clone(), false)).contains(&"lost-task"));
    lost.lost = true;
    let plan = decide(&added, lost, false);
    let Effect::CreateTask(task) = effect(&plan, "lost-task") else {
        panic!("{plan}");
    };
    assert_eq!(task.due, at("2026-11-20T09:45:00Z"));
}

#[test]
fn a_long_chat_takes_several_notes() {
    let mut long = chat(ChatPhase::Ended);
    let words = "слово ".repeat(500);
    let message = |n: usize| says(&n.to_string(), Author::System, &words);
    long.messages = (0..10).map(message).collect();
    let plan = decide(DEAL, long, false);
    let notes = roles(&plan);
    assert_eq!(
        notes[2..],
        [
            "transcript#1",
            "transcript#2",
            "transcript#3",
            "transcript#4"
        ]
    );
}

#[test]
fn s2_24_chats_have_a_filter_of_their_own() {
    let filter = |parameter: &str, value: &str| {
        let filter = format!(
            "filter = {{ kind = \"include\", parameter = \"{parameter}\", values = [\"{value}\"] }}"
        );
        roles(&decide(
            &format!("{DEAL}\n{filter}"),
            chat(ChatPhase::Ended),
            false,
        ))
        .len()
    };
    assert_ne!(filter("employee", "ivanov"), 0);
    assert_ne!(filter("campaign", "поиск"), 0);
    assert_eq!(filter("employee", "petrova"), 0);
    assert_eq!(filter("site", "other.example"), 0);
}

#[test]
fn s2_26_a_filter_of_chats_without_conditions_lets_all_pass() {
    let filter = format!("{DEAL}\nfilter = {{ kind = \"any\", of = [] }}");
    let plan = decide(&filter, chat(ChatPhase::Ended), false);
    assert_eq!(roles(&plan), ["contact", "deal", "transcript#1"]);
}

#[test]
fn mistakes_of_chats_are_named_at_once() {
    let found = read(
        "at = \"start\"\nmethod = { kind = \"unsorted\", pipeline = \" \" }\nfilter = { kind = \
         \"exclude\", parameter = \"tag\", values = [\"a\"] }\ndeal_name = \"{{ queue }}\"\n\
         lost_task = { schedule = \"none\", due = { kind = \"after\", hours = 1 } }\n\
         [[chats.responsible]]\nname = \"a\"\nassign = { kind = \"talker\" }",
    );
    let found: Vec<String> = found
        .mistakes()
        .iter()
        .map(|one| one.path.join("."))
        .collect();
    assert_eq!(
        found,
        [
            "chats.method.pipeline",
            "chats.deal_name",
            "chats.filter.parameter",
            "chats.responsible.0.assign.kind",
            "chats.lost_task.schedule",
        ]
    );
}
