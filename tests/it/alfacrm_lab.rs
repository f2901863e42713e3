//! The adapter of AlfaCRM against the simulator: what no other CRM has.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline::crm::{Adapter, Changes, Class, PieceNext, StepCommand};
use trunkline::lab::alfacrm::{AlfaLab, AlfaOptions, Customer, PhoneMatch, Switches, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::call::Direction;
use trunkline::model::communication::Phase;
use trunkline::model::directory::DirectoryChange;
use trunkline::model::facts::{Facts, FactsQuery};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, NotAppliedCause, Outcome, StepResult};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    CallRecord, CallStatus, Card, Effect, Entity, FieldFill, FillFields, HandOver, NewContact,
    NewNote, NewTask, RecordingLink, Role, StepKey, Target,
};
use trunkline::model::timestamp::Timestamp;

use super::alfacrm_door::{open, open_with};
use super::memory_pairs::MemoryPairs;

const CALLER: &str = "+79161234567";

async fn lab_with(switches: Switches) -> AlfaLab {
    let options = AlfaOptions {
        rate_per_second: 2_000,
        switches,
        ..AlfaOptions::default()
    };
    start(options).await.expect("a free port")
}

async fn lab() -> AlfaLab {
    lab_with(Switches::default()).await
}

fn command(lab: &AlfaLab, role: &str, effect: Effect) -> StepCommand {
    StepCommand {
        key: StepKey {
            integration: "acme/sales".parse().expect("a key"),
            communication: "acme/office/1".parse().expect("a key"),
            role: Role::new(role),
        },
        effect,
        kind: None,
        phase: Phase::Ended,
        first_sent_at: Timestamp::from_secs(lab.now()),
    }
}

fn phone() -> Phone {
    Phone::parse(CALLER, Region::RU).expect("a number")
}

fn contact() -> NewContact {
    NewContact {
        name: "Иван".to_owned(),
        phones: vec![phone()],
        responsible: Some(CrmUserId("502".to_owned())),
        tags: vec!["Звонок".to_owned()],
        ..NewContact::default()
    }
}

fn on(customer: u64) -> Target {
    Target::Known {
        card: card(Entity::Contact, customer),
    }
}

fn card(entity: Entity, id: u64) -> Card {
    Card {
        entity,
        id: id.to_string(),
    }
}

fn entry(lab: &AlfaLab, customer: u64) -> CallRecord {
    CallRecord {
        card: Some(on(customer)),
        direction: Direction::Incoming,
        phone: phone(),
        status: CallStatus::Talked,
        line: Default::default(),
        talk_s: 74,
        at: Timestamp::from_secs(lab.now() - 100),
        employee: Some(CrmUserId("502".to_owned())),
        link: None,
        source_name: "Офис".to_owned(),
        shown_to: None,
    }
}

fn client() -> Customer {
    Customer {
        name: "Иван".to_owned(),
        phones: vec![CALLER.to_owned()],
        assigned: 502,
        ..Customer::default()
    }
}

async fn execute(adapter: &Arc<dyn Adapter>, command: &StepCommand) -> Outcome<StepResult> {
    let mut outcomes = adapter.execute(vec![command.clone()]).await;
    outcomes.remove(0)
}

#[track_caller]
fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("expected success, got {other:?}"),
    }
}

async fn facts(adapter: &Arc<dyn Adapter>) -> Facts {
    let query = FactsQuery {
        phones: vec![phone()],
        emails: Vec::new(),
        deals: true,
        made: Vec::new(),
        made_leads: Vec::new(),
    };
    done(adapter.facts(query, Class::Work).await)
}

#[actix_rt::test]
async fn s4_01_many_requests_at_once_log_in_once_and_a_restart_not_at_all() {
    let lab = lab().await;
    let pairs = Arc::new(MemoryPairs::default());
    let adapter = open_with(&lab.base_url(), json!({}), Arc::clone(&pairs));
    let asked = (0..20).map(|_| facts(&adapter));
    futures_util::future::join_all(asked).await;
    assert_eq!(lab.counters().logins, 1);
    let restarted = open_with(&lab.base_url(), json!({}), Arc::clone(&pairs));
    facts(&restarted).await;
    assert_eq!(lab.counters().logins, 1);
    // A token of other credentials is none of ours.
    let other = open_with(&lab.base_url(), json!({"email": "x@school.ru"}), pairs);
    let query = FactsQuery {
        phones: vec![phone()],
        emails: Vec::new(),
        deals: false,
        made: Vec::new(),
        made_leads: Vec::new(),
    };
    let refused = other.facts(query, Class::Work).await;
    assert!(
        matches!(refused, Outcome::AuthExpired { .. }),
        "{refused:?}"
    );
}

#[actix_rt::test]
async fn s4_01_a_token_that_ended_is_renewed_once_and_nothing_is_lost() {
    for login_ends_others in [false, true] {
        let lab = lab_with(Switches {
            login_ends_others,
            ..Switches::default()
        })
        .await;
        let adapter = open(&lab.base_url(), json!({}));
        facts(&adapter).await;
        lab.end_tokens();
        let steps = (0..10).map(|n| {
            let mut step = command(&lab, "contact", Effect::CreateContact(contact()));
            step.key.role = Role::new(&format!("contact#{n}"));
            step
        });
        for outcome in adapter.execute(steps.collect()).await {
            done(outcome);
        }
        assert_eq!(lab.counters().logins, 2);
        assert_eq!(lab.oracle().customers.len(), 10);
    }
}

#[actix_rt::test]
async fn s4_01_a_bad_key_is_told_of_and_not_tried_at_every_request() {
    for bad_key_status in [401, 403] {
        let lab = lab_with(Switches {
            bad_key_status,
            ..Switches::default()
        })
        .await;
        let adapter = open(&lab.base_url(), json!({"api_key": "wrong"}));
        for _ in 0..5 {
            let told = adapter.describe().await;
            assert!(matches!(told, Outcome::AuthExpired { .. }), "{told:?}");
        }
        let alarm = adapter.alarm().await.expect("an alarm");
        assert!(alarm.contains("v2api"), "{alarm}");
        assert_eq!(lab.log_counters().arrived, 1);
    }
}

#[actix_rt::test]
async fn an_account_that_wants_a_key_for_programs_gets_it_with_every_request() {
    let options = AlfaOptions {
        app_key: Some("app".to_owned()),
        rate_per_second: 2_000,
        ..AlfaOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let adapter = open(&lab.base_url(), json!({"app_key": "app"}));
    assert!(facts(&adapter).await.first_time());
    let without = open(&lab.base_url(), json!({}));
    let told = without.describe().await;
    assert!(matches!(told, Outcome::AuthExpired { .. }), "{told:?}");
}

#[actix_rt::test]
async fn s4_02_a_role_without_the_api_is_an_alarm_and_costs_no_work() {
    let lab = lab().await;
    let adapter = open(&lab.base_url(), json!({}));
    facts(&adapter).await;
    lab.close_role(true);
    let step = command(&lab, "contact", Effect::CreateContact(contact()));
    let outcome = execute(&adapter, &step).await;
    assert!(
        matches!(outcome, Outcome::AuthExpired { .. }),
        "{outcome:?}"
    );
    let alarm = adapter.alarm().await.expect("an alarm");
    assert!(alarm.contains("branch 1"), "{alarm}");
    lab.close_role(false);
    done(execute(&adapter, &step).await);
    assert_eq!(adapter.alarm().await, None);
    let elsewhere = open(&lab.base_url(), json!({"branch": 9}));
    let outcome = execute(&elsewhere, &step).await;
    assert!(
        matches!(outcome, Outcome::AuthExpired { .. }),
        "{outcome:?}"
    );
}

#[actix_rt::test]
async fn the_account_is_described_with_what_does_not_fit_its_settings() {
    let lab = lab().await;
    lab.add_customer(client());
    let wanted = json!({"branch": 2, "lead_status": 99, "lead_source": 98, "marker_field": "gone"});
    let account = done(open(&lab.base_url(), wanted).describe().await);
    let limits = account.limits.join("\n");
    for word in ["lead_status 99", "lead_source 98", "custom_gone"] {
        assert!(limits.contains(word), "{word}: {limits}");
    }
    let account = done(
        open(&lab.base_url(), json!({"marker_field": "gw"}))
            .describe()
            .await,
    );
    assert_eq!(account.limits, [""; 0]);
    assert_eq!((account.users.len(), account.pipelines.len()), (4, 1));
    let fields = |entity: Entity| -> Vec<&str> {
        let own = account.fields.iter().filter(|field| field.entity == entity);
        own.map(|field| field.id.as_str()).collect()
    };
    let of_cards = ["custom_gw", "custom_utm", "legal_name", "dob"];
    assert_eq!(fields(Entity::Contact), of_cards);
    let of_deals = ["teacher", "branch", "legal_name", "pay_type"];
    assert_eq!(fields(Entity::Deal)[..4], of_deals);
    // What settings of deals may name (S4-15, S4-17).
    let [first, upsell] = &account.deal_pipelines[..] else {
        panic!("{:?}", account.deal_pipelines);
    };
    let stages: Vec<&str> = first.stages.iter().map(|stage| stage.id.as_str()).collect();
    assert_eq!(
        (first.id.as_str(), &*stages),
        ("first", &["0", "3", "5", "7"][..])
    );
    assert_eq!(upsell.id, "upsell");
}

#[actix_rt::test]
async fn our_mark_stands_in_our_field_where_it_is_there_and_else_in_the_note() {
    let lab = lab().await;
    let step = command(&lab, "contact", Effect::CreateContact(contact()));
    let marked = |at: usize| {
        let customer = lab.oracle().customers[at].clone();
        let in_field = customer.custom.get("gw").is_some_and(|m| m.contains("TL-"));
        (in_field, customer.note.contains("[TL-"))
    };
    // Nobody is there to show the fields.
    let adapter = open(&lab.base_url(), json!({"marker_field": "gw"}));
    done(execute(&adapter, &step).await);
    assert_eq!(marked(0), (false, true));
    done(execute(&adapter, &step).await);
    assert_eq!(marked(1), (true, false));
    for found in [marked(0), marked(1)] {
        assert_ne!(found.0, found.1);
    }
    assert!(matches!(done(adapter.look(step).await), Look::Found(_)));
    let note = &lab.oracle().customers[0].note;
    assert!(note.starts_with("Теги: Звонок\n["), "{note}");
}

#[actix_rt::test]
async fn a_lead_without_a_number_is_found_among_those_of_the_day() {
    for switches in [Switches::default(), Switches::other()] {
        let lab = lab_with(switches).await;
        let adapter = open(&lab.base_url(), json!({}));
        for n in 0..60 {
            lab.add_customer(Customer {
                name: format!("К{n}"),
                ..Customer::default()
            });
        }
        let nobody = NewContact {
            name: "Гость".to_owned(),
            ..NewContact::default()
        };
        let step = command(&lab, "contact", Effect::CreateContact(nobody));
        assert_eq!(done(adapter.look(step.clone()).await), Look::Absent);
        let rule = Rule::new(
            "POST",
            "*/customer/create",
            When::First { n: 1 },
            Fault::LostAfter,
        );
        lab.add_fault(rule).expect("a good rule");
        let lost = execute(&adapter, &step).await;
        assert!(matches!(lost, Outcome::Ambiguous { .. }), "{lost:?}");
        assert!(matches!(done(adapter.look(step).await), Look::Found(_)));
    }
}

#[actix_rt::test]
async fn what_the_crm_refuses_by_name_is_left_out_and_the_lead_is_made() {
    let lab = lab().await;
    let adapter = open(
        &lab.base_url(),
        json!({"lead_status": 99, "lead_source": 4}),
    );
    let odd = NewContact {
        name: "Очень длинное имя ".repeat(6),
        emails: vec!["nobody".to_owned()],
        responsible: Some(CrmUserId("777".to_owned())),
        ..contact()
    };
    let step = command(&lab, "contact", Effect::CreateContact(odd));
    let made = done(execute(&adapter, &step).await);
    let note = made.note.expect("a word about it");
    for word in ["name", "email", "assigned_id", "lead_status_id"] {
        assert!(note.contains(word), "{word}: {note}");
    }
    let oracle = lab.oracle();
    let customer = &oracle.customers[0];
    assert_eq!((customer.source, customer.assigned), (4, 0));
    assert!(customer.name.chars().count() <= 50 && customer.name.ends_with('…'));
}

#[actix_rt::test]
async fn an_archived_card_is_used_where_there_is_no_other_unless_set_otherwise() {
    let lab = lab().await;
    let old = lab.add_customer(client());
    lab.edit(old, |customer| customer.is_archived = true);
    let adapter = open(&lab.base_url(), json!({}));
    let strict = open(&lab.base_url(), json!({"archived": false}));
    assert_eq!(facts(&adapter).await.contacts[0].id, old.to_string());
    assert!(facts(&strict).await.first_time());
    let new = lab.add_customer(client());
    for adapter in [&adapter, &strict] {
        let known = facts(adapter).await.contacts;
        assert_eq!((known.len(), &known[0].id), (1, &new.to_string()));
    }
}

#[actix_rt::test]
async fn cards_of_our_branch_go_before_those_of_others() {
    let lab = lab_with(Switches {
        of_branch_only: false,
        ..Switches::default()
    })
    .await;
    let own = lab.add_customer(client());
    let other = lab.add_customer(Customer {
        branches: vec![2],
        ..client()
    });
    for (branch, expected) in [(1, own), (2, other)] {
        let adapter = open(&lab.base_url(), json!({ "branch": branch }));
        let known = facts(&adapter).await.contacts;
        assert_eq!((known.len(), &known[0].id), (1, &expected.to_string()));
    }
}

#[actix_rt::test]
async fn a_number_is_found_however_the_crm_compares_it() {
    for phone_match in [PhoneMatch::Digits, PhoneMatch::Whole, PhoneMatch::AsStored] {
        let lab = lab_with(Switches {
            phone_match,
            ..Switches::default()
        })
        .await;
        lab.add_customer(client());
        let adapter = open(&lab.base_url(), json!({}));
        assert!(!facts(&adapter).await.first_time(), "{phone_match:?}");
    }
}

#[actix_rt::test]
async fn a_call_is_a_comment_with_its_facts_and_the_recording_is_put_to_it_later() {
    let lab = lab().await;
    let id = lab.add_customer(client());
    let adapter = open(&lab.base_url(), json!({}));
    let record = entry(&lab, id);
    let step = command(&lab, "call-record", Effect::RecordCall(record.clone()));
    let made = done(execute(&adapter, &step).await);
    let oracle = lab.oracle();
    let call = oracle.calls_of_phone(CALLER)[0].clone();
    assert_eq!((call.duration, call.user, call.outgoing), (74, 502, false));
    assert_eq!(call.at, record.at.as_secs());
    // A person adds a word.
    let comment = made.card(Entity::CallRecord).expect("a comment").clone();
    let link = RecordingLink {
        entry: Target::Known { card: comment },
        on: Some(card(Entity::Contact, id)),
        by: Role::new("call-record"),
        record,
        link: "https://box.example/r/1".to_owned(),
        text: "Запись разговора: https://box.example/r/1".to_owned(),
        upload: false,
    };
    let step = command(&lab, "recording", Effect::LinkRecording(link));
    assert_eq!(done(adapter.look(step.clone()).await), Look::Absent);
    for comments_change in [true, true, false] {
        lab.set_switches(Switches {
            comments_change,
            ..Switches::default()
        });
        done(execute(&adapter, &step).await);
        assert!(matches!(
            done(adapter.look(step.clone()).await),
            Look::Found(_)
        ));
        let oracle = lab.oracle();
        assert_eq!(oracle.comments.len(), 1, "{oracle:?}");
        let told = oracle.calls_of_phone(CALLER)[0].link.clone();
        assert_eq!(told.as_deref(), Some("https://box.example/r/1"));
    }
}

#[actix_rt::test]
async fn where_comments_cannot_be_changed_the_recording_stands_beside_the_call() {
    let lab = lab_with(Switches {
        comments_change: false,
        ..Switches::default()
    })
    .await;
    let id = lab.add_customer(client());
    let adapter = open(&lab.base_url(), json!({}));
    let step = command(&lab, "call-record", Effect::RecordCall(entry(&lab, id)));
    let made = done(execute(&adapter, &step).await);
    let link = RecordingLink {
        entry: Target::Known {
            card: made.cards[0].clone(),
        },
        on: Some(card(Entity::Contact, id)),
        by: Role::new("call-record"),
        record: entry(&lab, id),
        link: "https://box.example/r/1".to_owned(),
        text: "Запись разговора: https://box.example/r/1".to_owned(),
        upload: false,
    };
    let step = command(&lab, "recording", Effect::LinkRecording(link));
    for _ in 0..2 {
        done(execute(&adapter, &step).await);
        assert_eq!(lab.oracle().comments_of(id).len(), 2);
    }
}

#[actix_rt::test]
async fn a_call_without_a_card_finds_the_client_by_the_number_or_nobody() {
    let lab = lab().await;
    let adapter = open(&lab.base_url(), json!({}));
    let anywhere = CallRecord {
        card: None,
        ..entry(&lab, 1)
    };
    let step = command(&lab, "call-record", Effect::RecordCall(anywhere));
    let nothing = done(execute(&adapter, &step).await);
    assert!(nothing.cards.is_empty() && nothing.note.is_some());
    lab.add_customer(client());
    done(execute(&adapter, &step).await);
    assert_eq!(lab.oracle().calls_of_phone(CALLER).len(), 1);
}

#[actix_rt::test]
async fn a_long_note_stands_in_numbered_parts_each_once() {
    let lab = lab().await;
    let id = lab.add_customer(client());
    let adapter = open(&lab.base_url(), json!({}));
    let note = NewNote {
        card: on(id),
        text: "Здравствуйте, сколько стоит?\n".repeat(200),
        at: Timestamp::from_secs(lab.now()),
        messages: Vec::new(),
    };
    let step = command(&lab, "transcript#1", Effect::AddNote(note));
    let rule = Rule::new(
        "POST",
        "*/communication/create",
        When::Nth { n: 2 },
        Fault::LostAfter,
    );
    lab.add_fault(rule).expect("a good rule");
    let lost = execute(&adapter, &step).await;
    assert!(matches!(lost, Outcome::Ambiguous { .. }), "{lost:?}");
    assert_eq!(done(adapter.look(step.clone()).await), Look::Absent);
    let made = done(execute(&adapter, &step).await);
    let oracle = lab.oracle();
    let comments = oracle.comments_of(id);
    assert_eq!((made.cards.len(), comments.len()), (3, 3));
    let lines: usize = comments
        .iter()
        .map(|one| one.text.matches("сколько").count())
        .sum();
    assert_eq!(lines, 200);
    assert!(matches!(done(adapter.look(step).await), Look::Found(_)));
}

#[actix_rt::test]
async fn a_task_hangs_on_the_card_and_says_its_time() {
    let lab = lab().await;
    let id = lab.add_customer(client());
    let adapter = open(&lab.base_url(), json!({}));
    let due = Timestamp::parse("2026-11-21T21:30:00Z").expect("a time");
    for (user, owner) in [("503", 503), ("777", 501)] {
        let task = NewTask {
            card: Some(on(id)),
            responsible: Some(CrmUserId(user.to_owned())),
            text: "Перезвонить клиенту".to_owned(),
            task_type: None,
            due,
        };
        let step = command(&lab, user, Effect::CreateTask(task));
        done(execute(&adapter, &step).await);
        assert!(matches!(done(adapter.look(step).await), Look::Found(_)));
        let tasks = lab.oracle().tasks;
        let task = tasks.last().expect("a task");
        assert_eq!((&task.customers, &task.assigned), (&vec![id], &vec![owner]));
        assert_eq!(task.due_date, "2026-11-22");
        assert!(
            task.text.contains("Срок: 22.11.2026 00:30:00"),
            "{}",
            task.text
        );
    }
}

#[actix_rt::test]
async fn fields_are_filled_where_they_are_empty_and_always_where_that_is_set() {
    let lab = lab().await;
    let id = lab.add_customer(client());
    let adapter = open(&lab.base_url(), json!({}));
    let fill = |value: &str, overwrite| {
        let one = FieldFill {
            field: "utm".to_owned(),
            value: value.to_owned(),
            typed: None,
            overwrite,
        };
        let fill = FillFields {
            card: on(id),
            fields: vec![one],
        };
        command(&lab, "contact-fields", Effect::FillFields(fill))
    };
    for (value, overwrite, becomes) in
        [("ya", false, "ya"), ("go", false, "ya"), ("go", true, "go")]
    {
        let step = fill(value, overwrite);
        done(execute(&adapter, &step).await);
        assert_eq!(lab.oracle().customers[0].custom["utm"], becomes);
        assert!(matches!(done(adapter.look(step).await), Look::Found(_)));
    }
    let over = HandOver {
        card: on(id),
        responsible: CrmUserId("504".to_owned()),
    };
    let step = command(&lab, "owner", Effect::HandOver(over));
    assert_eq!(done(adapter.look(step.clone()).await), Look::Absent);
    done(execute(&adapter, &step).await);
    assert_eq!(lab.oracle().customers[0].assigned, 504);
}

#[actix_rt::test]
async fn a_repeat_of_a_page_is_noticed_and_ends() {
    let lab = lab().await;
    lab.add_customer(client());
    let rule = Rule::new("POST", "*/index", When::Always, Fault::HtmlInsteadOfJson);
    lab.add_fault(rule).expect("a good rule");
    let adapter = open(&lab.base_url(), json!({}));
    let query = FactsQuery {
        phones: vec![phone()],
        emails: Vec::new(),
        deals: false,
        made: Vec::new(),
        made_leads: Vec::new(),
    };
    match adapter.facts(query, Class::Work).await {
        Outcome::NotApplied(not) => assert_eq!(not.cause, NotAppliedCause::Failed),
        other => panic!("{other:?}"),
    }
}

async fn mark_of_everything(adapter: &Arc<dyn Adapter>) -> (usize, Value) {
    let reader = adapter.directory().expect("a directory");
    let (mut cursor, mut read) = (None, 0);
    loop {
        let piece = done(reader.everything(cursor).await);
        read += piece.changes.len();
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { mark } => return (read, mark),
        }
    }
}

#[actix_rt::test]
async fn cards_that_go_to_the_archive_or_are_deleted_leave_the_directory() {
    let lab = lab().await;
    let ids: Vec<u64> = (0..4).map(|_| lab.add_customer(client())).collect();
    let adapter = open(&lab.base_url(), json!({}));
    let (read, mark) = mark_of_everything(&adapter).await;
    assert_eq!(read, 4);
    lab.edit(ids[0], |customer| customer.is_archived = true);
    lab.edit(ids[1], |customer| customer.assigned = 504);
    assert!(lab.delete(ids[2]));
    let reader = adapter.directory().expect("a directory");
    let changes = match done(reader.changes(mark, Class::Background).await) {
        Changes::Read {
            changes, gone_told, ..
        } => {
            assert!(!gone_told, "nothing is decided by it");
            changes
        }
        Changes::TooMany => panic!("too many"),
    };
    let gone = |id: u64| {
        let wanted = card(Entity::Contact, id);
        let mut told = changes.iter();
        told.any(|one| matches!(one, DirectoryChange::Gone { card } if *card == wanted))
    };
    assert_eq!(
        ids.iter().map(|id| gone(*id)).collect::<Vec<_>>(),
        [true, false, true, false]
    );
    let owner = changes.iter().find_map(|change| match change {
        DirectoryChange::Card(one) if one.card.id == ids[1].to_string() => one.responsible.clone(),
        _ => None,
    });
    assert_eq!(owner, Some(CrmUserId("504".to_owned())));
    // Without the log they leave at the next reading of everything.
    lab.set_switches(Switches {
        log_open: false,
        ..Switches::default()
    });
    let (_, mark) = mark_of_everything(&adapter).await;
    done(reader.changes(mark, Class::Background).await);
}

#[actix_rt::test]
async fn at_the_vendors_limit_no_request_comes_too_early() {
    let lab = start(AlfaOptions::default()).await.expect("a free port");
    let adapter = open(&lab.base_url(), json!({"rate_per_second": 5}));
    let asked = (0..8).map(|_| facts(&adapter));
    let within = tokio::time::timeout(
        Duration::from_secs(60),
        futures_util::future::join_all(asked),
    );
    assert!(within.await.is_ok());
    assert_eq!(lab.counters().rate_violations, 0);
}
