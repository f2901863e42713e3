//! The scenarios.

use std::time::Duration;

use serde_json::Value;
use trunkline::crm::{Changes, Class, PieceNext, StepCommand};
use trunkline::model::call::Direction;
use trunkline::model::directory::DirectoryChange;
use trunkline::model::facts::{Facts, FactsQuery};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    CallRecord, CallStatus, Card, Effect, Entity, HandOver, NewContact, NewDeal, NewNote, NewTask,
    StepKind, Target,
};

use super::{Entry, Portal, Trouble, command};

const CALLER: &str = "+79161234567";
const OTHER: &str = "+79167654321";

fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::RU).expect("a number")
}

fn on(card: &Card) -> Option<Target> {
    Some(Target::Known { card: card.clone() })
}

fn contact(portal: &dyn Portal, call: &str, number: &str) -> StepCommand {
    let contact = NewContact {
        name: format!("Звонок {number}"),
        phones: vec![phone(number)],
        emails: Vec::new(),
        responsible: Some(portal.user()),
        tags: vec!["Звонок".to_owned()],
        fields: Vec::new(),
        template: None,
    };
    command(portal, call, "contact", Effect::CreateContact(contact))
}

fn deal(portal: &dyn Portal, call: &str, client: Option<Target>) -> StepCommand {
    let (pipeline, stage) = portal.stage();
    let deal = NewDeal {
        name: "Сделка".to_owned(),
        pipeline,
        stage,
        contact: client,
        responsible: Some(portal.user()),
        tags: Vec::new(),
        fields: Vec::new(),
    };
    command(portal, call, "deal", Effect::CreateDeal(deal))
}

fn task(portal: &dyn Portal, call: &str, card: Option<Target>) -> StepCommand {
    let task = NewTask {
        card,
        responsible: Some(portal.user()),
        text: "Перезвонить".to_owned(),
        task_type: None,
        due: portal.now().plus(Duration::from_secs(900)),
    };
    command(portal, call, "task", Effect::CreateTask(task))
}

fn entry(portal: &dyn Portal, call: &str, card: Option<Target>) -> StepCommand {
    let record = CallRecord {
        card,
        direction: Direction::Incoming,
        phone: phone(CALLER),
        status: CallStatus::Talked,
        talk_s: 54,
        at: portal.now().minus(Duration::from_secs(120)),
        employee: Some(portal.user()),
        link: None,
        source_name: "Офис".to_owned(),
        shown_to: None,
        line: None,
    };
    command(portal, call, "call-record", Effect::RecordCall(record))
}

fn as_made_by(mut command: StepCommand, user: CrmUserId) -> StepCommand {
    match &mut command.effect {
        Effect::CreateContact(contact) => contact.responsible = Some(user),
        Effect::CreateDeal(deal) => deal.responsible = Some(user),
        Effect::CreateTask(task) => task.responsible = Some(user),
        Effect::RecordCall(record) => record.employee = Some(user),
        other => panic!("{other:?} names nobody"),
    }
    command
}

async fn execute(portal: &dyn Portal, command: &StepCommand) -> Outcome<StepResult> {
    let mut outcomes = portal.adapter().execute(vec![command.clone()]).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

#[track_caller]
fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("expected success, got {other:?}"),
    }
}

async fn make(portal: &dyn Portal, command: &StepCommand) -> Card {
    let result = done(execute(portal, command).await);
    result.cards.into_iter().next().expect("a card")
}

async fn facts(portal: &dyn Portal, number: &str, made: Vec<String>) -> Facts {
    let query = FactsQuery {
        phones: vec![phone(number)],
        emails: Vec::new(),
        deals: true,
        made,
        made_leads: Vec::new(),
    };
    done(portal.adapter().facts(query, Class::Work).await)
}

/// Makes contact, deal and entry of a first call, as far as the CRM has them.
async fn first_call(portal: &dyn Portal) {
    let client = make(portal, &contact(portal, "1", CALLER)).await;
    let on_what = match portal.has_deals() {
        true => make(portal, &deal(portal, "1", on(&client))).await,
        false => client,
    };
    make(portal, &entry(portal, "1", on(&on_what))).await;
}

pub(super) async fn a_first_call_makes_a_contact_a_deal_and_an_entry_once(portal: &dyn Portal) {
    first_call(portal).await;
    assert_eq!(portal.contacts(CALLER), 1);
    assert_eq!(portal.deals(CALLER), usize::from(portal.has_deals()));
    assert_eq!(portal.calls(CALLER), 1);
}

pub(super) async fn a_client_who_was_made_is_known_at_the_next_call(portal: &dyn Portal) {
    let client = make(portal, &contact(portal, "1", CALLER)).await;
    if portal.has_deals() {
        make(portal, &deal(portal, "1", on(&client))).await;
    }
    let facts = facts(portal, CALLER, vec![client.id.clone()]).await;
    assert!(!facts.first_time());
    let known = facts.contacts.first().expect("known");
    assert_eq!(known.id, client.id);
    assert_eq!(known.responsible, Some(portal.user()));
    let one_is_open = matches!(known.deals.as_slice(), [deal] if deal.open);
    assert_eq!(one_is_open, portal.has_deals(), "{known:?}");
}

pub(super) async fn a_number_is_found_however_it_was_typed(portal: &dyn Portal) {
    for typed in ["+7 (916) 123-45-67", "89161234567", "9161234567"] {
        let id = portal.add_client(typed, typed);
        let facts = facts(portal, CALLER, Vec::new()).await;
        assert!(
            facts.contacts.iter().any(|contact| contact.id == id),
            "{typed}: {facts:?}"
        );
    }
}

pub(super) async fn a_stranger_is_nobody(portal: &dyn Portal) {
    portal.add_client("Другой", OTHER);
    let facts = facts(portal, CALLER, Vec::new()).await;
    assert!(
        facts.first_time() && facts.companies.is_empty(),
        "{facts:?}"
    );
}

pub(super) async fn what_was_sent_and_not_answered_is_found_and_not_made_twice(
    portal: &dyn Portal,
) {
    done(portal.adapter().describe().await);
    let client = Card {
        entity: Entity::Contact,
        id: portal.add_client("Анна", OTHER),
    };
    let mut steps = vec![contact(portal, "1", CALLER), task(portal, "1", on(&client))];
    let entry = entry(portal, "1", on(&client));
    match portal.finds_calls() {
        true => steps.push(entry),
        false => assert_eq!(done(portal.adapter().look(entry).await), Look::Undecidable),
    }
    if portal.has_deals() {
        steps.push(deal(portal, "1", on(&client)));
    }
    for trouble in [Trouble::AnswerLost, Trouble::BrokenAfter] {
        for step in &steps {
            let mut step = step.clone();
            step.key.communication = match trouble {
                Trouble::AnswerLost => "acme/office/lost",
                _ => "acme/office/broken",
            }
            .parse()
            .expect("a key");
            // Two tasks that say the same would be one to a CRM that keeps no key of ours.
            if let Effect::CreateTask(task) = &mut step.effect {
                task.text = format!("Перезвонить {trouble:?}");
            }
            let before = done(portal.adapter().look(step.clone()).await);
            assert_eq!(before, Look::Absent, "{:?}", step.key.role);
            portal.trouble(trouble);
            let outcome = execute(portal, &step).await;
            assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
            match done(portal.adapter().look(step.clone()).await) {
                Look::Found(result) => assert!(result.adopted && !result.cards.is_empty()),
                other => panic!("{}: {other:?}", step.key.role),
            }
        }
    }
    assert_eq!(portal.contacts(CALLER), 2);
    assert_eq!(portal.deals(OTHER), if portal.has_deals() { 2 } else { 0 });
    assert_eq!(
        portal.calls(CALLER),
        if portal.finds_calls() { 2 } else { 0 }
    );
    assert_eq!(portal.tasks(), 2);
}

pub(super) async fn what_surely_did_not_happen_is_said_so_and_may_be_repeated(portal: &dyn Portal) {
    done(portal.adapter().describe().await);
    let step = contact(portal, "1", CALLER);
    portal.trouble(Trouble::TooMany);
    let outcome = execute(portal, &step).await;
    assert!(matches!(outcome, Outcome::NotApplied(_)), "{outcome:?}");
    assert_eq!(portal.contacts(CALLER), 0);
    portal.trouble(Trouble::Refused);
    let outcome = execute(portal, &step).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    assert_eq!(
        done(portal.adapter().look(step.clone()).await),
        Look::Absent
    );
    done(execute(portal, &step).await);
    assert_eq!(portal.contacts(CALLER), 1);
}

pub(super) async fn a_call_keeps_its_own_time_however_late_it_is_delivered(portal: &dyn Portal) {
    let client = make(portal, &contact(portal, "1", CALLER)).await;
    let mut late = entry(portal, "1", on(&client));
    let at = portal.now().minus(Duration::from_secs(7 * 3600));
    if let Effect::RecordCall(record) = &mut late.effect {
        record.at = at;
    }
    make(portal, &late).await;
    let times = portal.called_at(CALLER);
    let seconds: Vec<i64> = times.iter().map(|time| time.as_secs()).collect();
    assert_eq!(seconds, [at.as_secs()]);
}

/// Says whether the CRM has steps of a kind.
fn has(portal: &dyn Portal, kind: StepKind) -> bool {
    portal.adapter().capabilities().step(kind).is_some()
}

pub(super) async fn calls_of_every_kind_stand_in_the_history_as_what_they_were(
    portal: &dyn Portal,
) {
    let client = make(portal, &contact(portal, "1", CALLER)).await;
    let kinds = [
        (Direction::Incoming, CallStatus::Talked),
        (Direction::Incoming, CallStatus::NoAnswer),
        (Direction::Outgoing, CallStatus::Talked),
        (Direction::Outgoing, CallStatus::NoAnswer),
        (Direction::Outgoing, CallStatus::Busy),
    ];
    let mut expected = Vec::new();
    for (place, (direction, status)) in (0u64..).zip(kinds) {
        let mut step = entry(portal, &format!("1{place}"), on(&client));
        let talk_s = if status == CallStatus::Talked { 54 } else { 0 };
        if let Effect::RecordCall(record) = &mut step.effect {
            (record.direction, record.status, record.talk_s) = (direction, status, talk_s);
            record.at = portal.now().minus(Duration::from_secs(3600 - place * 300));
        }
        done(execute(portal, &step).await);
        expected.push(Entry {
            outgoing: direction == Direction::Outgoing,
            answered: status == CallStatus::Talked,
            talk_s: i64::try_from(talk_s).expect("short"),
        });
    }
    assert_eq!(portal.history(CALLER), expected);
}

pub(super) async fn a_client_who_calls_again_stays_one_client_with_all_the_calls(
    portal: &dyn Portal,
) {
    let client = make(portal, &contact(portal, "1", CALLER)).await;
    if portal.has_deals() {
        make(portal, &deal(portal, "1", on(&client))).await;
    }
    for call in ["1", "2", "3"] {
        let facts = facts(portal, CALLER, vec![client.id.clone()]).await;
        let known: Vec<&str> = facts.contacts.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(known, [client.id.as_str()]);
        done(execute(portal, &entry(portal, call, on(&client))).await);
    }
    assert_eq!((portal.contacts(CALLER), portal.calls(CALLER)), (1, 3));
    assert_eq!(portal.deals(CALLER), usize::from(portal.has_deals()));
}

pub(super) async fn what_a_client_wrote_stands_on_the_card_once_whatever_becomes_of_the_answer(
    portal: &dyn Portal,
) {
    done(portal.adapter().describe().await);
    if !has(portal, StepKind::AddNote) {
        return;
    }
    let client = Card {
        entity: Entity::Contact,
        id: portal.add_client("Анна", CALLER),
    };
    for (call, trouble) in [("1", Trouble::AnswerLost), ("2", Trouble::BrokenAfter)] {
        let note = NewNote {
            card: Target::Known {
                card: client.clone(),
            },
            text: format!("Здравствуйте, [b]{call}[/b] <i>и</i>\nещё строка"),
            at: portal.now(),
            messages: Vec::new(),
        };
        let step = command(portal, call, "note", Effect::AddNote(note));
        assert_eq!(
            done(portal.adapter().look(step.clone()).await),
            Look::Absent
        );
        portal.trouble(trouble);
        let outcome = execute(portal, &step).await;
        assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
        let found = done(portal.adapter().look(step.clone()).await);
        assert!(matches!(found, Look::Found(_)), "{found:?}");
    }
}

pub(super) async fn a_card_is_handed_over_once_and_a_card_that_is_handed_over_is_left_alone(
    portal: &dyn Portal,
) {
    done(portal.adapter().describe().await);
    if !has(portal, StepKind::HandOver) {
        return;
    }
    let client = make(portal, &contact(portal, "1", CALLER)).await;
    let over = HandOver {
        card: Target::Known {
            card: client.clone(),
        },
        responsible: portal.other_user(),
    };
    let step = command(portal, "2", "hand-over", Effect::HandOver(over));
    assert_eq!(
        done(portal.adapter().look(step.clone()).await),
        Look::Absent
    );
    done(execute(portal, &step).await);
    let found = done(portal.adapter().look(step).await);
    assert!(matches!(found, Look::Found(_)), "{found:?}");
    let known = facts(portal, CALLER, vec![client.id]).await;
    assert_eq!(known.contacts[0].responsible, Some(portal.other_user()));
}

pub(super) async fn of_steps_that_are_sent_together_a_bad_one_harms_no_other(portal: &dyn Portal) {
    let mut steps: Vec<StepCommand> = (0..20)
        .map(|n| contact(portal, &n.to_string(), &format!("+791600000{n:02}")))
        .collect();
    if let Effect::CreateContact(bad) = &mut steps[7].effect {
        bad.responsible = Some(CrmUserId("nobody".to_owned()));
    }
    let outcomes = portal.adapter().execute(steps).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        match n {
            7 => assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}"),
            _ => assert!(matches!(outcome, Outcome::Done(_)), "{n}: {outcome:?}"),
        }
        let number = format!("+791600000{n:02}");
        assert_eq!(portal.contacts(&number), usize::from(n != 7), "{number}");
    }
}

pub(super) async fn a_user_who_left_costs_no_call(portal: &dyn Portal) {
    let left = portal.user_who_left();
    let contact = as_made_by(contact(portal, "1", CALLER), left.clone());
    let client = make(portal, &contact).await;
    let entry = as_made_by(entry(portal, "1", on(&client)), left);
    make(portal, &entry).await;
    assert_eq!((portal.contacts(CALLER), portal.calls(CALLER)), (1, 1));
}

pub(super) async fn the_account_says_who_works_there_and_where_deals_go(portal: &dyn Portal) {
    let account = done(portal.adapter().describe().await);
    let user = |id: &CrmUserId| account.users.iter().find(|user| user.id == *id);
    assert!(user(&portal.user()).is_some_and(|user| user.active && !user.name.is_empty()));
    let left = user(&portal.user_who_left());
    assert!(left.is_none_or(|user| !user.active), "{left:?}");
    let (pipeline, stage) = portal.stage();
    let found = account.pipelines.iter().find(|one| one.id == pipeline);
    let found = found.expect("the pipeline");
    assert!(found.stages.iter().any(|one| one.id == stage), "{found:?}");
    assert!(account.pipelines.iter().any(|one| one.main));
}

pub(super) async fn the_directory_holds_every_client_and_learns_of_new_ones(portal: &dyn Portal) {
    for n in 0..120 {
        portal.add_client(&format!("К{n}"), &format!("+7916000{n:04}"));
    }
    let adapter = portal.adapter();
    let reader = adapter.directory().expect("a directory");
    let mut cursor: Option<Value> = None;
    let mut clients = std::collections::BTreeSet::new();
    let mark = loop {
        let piece = done(reader.everything(cursor).await);
        for change in piece.changes {
            if let DirectoryChange::Card(card) = change {
                assert_eq!(card.phones.len(), 1, "{card:?}");
                assert!(clients.insert(card.card.id), "twice");
            }
        }
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { mark } => break mark,
        }
    };
    assert_eq!(clients.len(), 120);
    let new = portal.add_client("Новый", CALLER);
    let Changes::Read { changes, .. } = done(reader.changes(mark, Class::Work).await) else {
        panic!("too many")
    };
    let told = changes.iter().any(|change| match change {
        DirectoryChange::Card(card) => card.card.id == new && card.phones == [phone(CALLER)],
        _ => false,
    });
    assert!(told, "{changes:?}");
    let cards = [new, "999999".to_owned()].map(|id| Card {
        entity: Entity::Contact,
        id,
    });
    let anew = done(reader.anew(cards.to_vec(), Class::Work).await);
    let gone = anew
        .iter()
        .filter(|one| matches!(one, DirectoryChange::Gone { .. }))
        .count();
    assert_eq!((anew.len(), gone), (2, 1));
}
