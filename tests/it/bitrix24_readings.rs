//! The Bitrix24 adapter stands every way in which answers may be written (`crm/bitrix24.md` §1): the same
//! work gives the same result.

use std::collections::BTreeMap;

use trunkline::crm::{Changes, Class, PieceNext, StepCommand};
use trunkline::lab::bitrix24::{
    BitrixOptions, Kind, Limits, Mode, Reading, SeedCard, SeedDeal, Switches, readings,
};
use trunkline::model::directory::DirectoryChange;
use trunkline::model::facts::FactsQuery;
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, Outcome};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    Card, Effect, Entity, FieldFill, FillFields, NewContact, NewDeal, NewNote, NewTask, Notice,
    Target,
};
use trunkline::model::timestamp::Timestamp;

use super::bitrix24_lab::{CALLER, Rehearsal};

const KNOWN: &str = "+79167654321";

/// What was seen, part by part.
type Seen = BTreeMap<&'static str, String>;

async fn portal(mode: Mode, reading: Reading) -> Rehearsal {
    let switches = Switches {
        reading,
        ..Switches::default()
    };
    switched(mode, switches).await
}

async fn switched(mode: Mode, switches: Switches) -> Rehearsal {
    Rehearsal::with(BitrixOptions {
        limits: Limits::none(),
        mode,
        switches,
        ..BitrixOptions::default()
    })
    .await
}

fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::RU).expect("a number")
}

fn query(number: &str) -> FactsQuery {
    FactsQuery {
        phones: vec![phone(number)],
        emails: Vec::new(),
        deals: true,
        made: Vec::new(),
        made_leads: Vec::new(),
    }
}

fn known(card: &Card) -> Target {
    Target::Known { card: card.clone() }
}

/// Carries a step out, and finds it again; returns what it made.
async fn made(portal: &Rehearsal, step: &StepCommand) -> Vec<Card> {
    let result = portal.execute(step).await;
    let repeats = matches!(step.effect, Effect::Notify(_));
    match portal.adapter.look(step.clone()).await {
        Outcome::Done(Look::Found(found)) => {
            assert_eq!(
                found.cards.first(),
                result.cards.first(),
                "{:?}",
                step.key.role
            );
        }
        Outcome::Done(Look::Absent) if repeats => {}
        other => panic!("{:?}: {other:?}", step.key.role),
    }
    result.cards
}

/// Does what an integration does in a day.
async fn day(portal: &Rehearsal) -> Seen {
    let mut seen = Seen::new();
    let account = match portal.adapter.describe().await {
        Outcome::Done(account) => account,
        other => panic!("{other:?}"),
    };
    seen.insert("users", format!("{:?}", account.users));
    seen.insert("pipelines", format!("{:?}", account.pipelines));
    seen.insert("fields", format!("{:?}", account.fields));
    seen.insert("limits", format!("{:?}", account.limits));
    let id = portal
        .lab
        .add_contact(&SeedCard::new("Анна", "8 (916) 765-43-21", 12));
    portal.lab.add_deal(&SeedDeal {
        contact: Some(id),
        ..SeedDeal::default()
    });
    let facts = match portal.adapter.facts(query(KNOWN), Class::Work).await {
        Outcome::Done(facts) => facts,
        other => panic!("{other:?}"),
    };
    let contacts = facts.contacts.iter();
    let contacts: Vec<_> = contacts
        .map(|one| {
            let deals: Vec<_> = one.deals.iter().map(|d| (&d.pipeline, d.open)).collect();
            let is_dated = one.updated_at > Timestamp::default();
            format!("{} {:?} {deals:?} {is_dated}", one.name, one.responsible)
        })
        .collect();
    seen.insert("a known client", format!("{contacts:?}"));
    let stranger = portal.adapter.facts(query(CALLER), Class::Work).await;
    let Outcome::Done(stranger) = stranger else {
        panic!("{stranger:?}")
    };
    assert!(stranger.first_time() && stranger.leads.is_empty());
    write(portal, &mut seen).await;
    read(portal, &mut seen).await;
    seen
}

/// Every sort of record.
async fn write(portal: &Rehearsal, seen: &mut Seen) {
    let responsible = || Some(CrmUserId("12".to_owned()));
    let step = |role: &str, effect| portal.command("1", role, effect);
    let contact = NewContact {
        name: "Борис".to_owned(),
        phones: vec![phone(CALLER)],
        emails: vec!["b@example.org".to_owned()],
        responsible: responsible(),
        tags: vec!["Звонок".to_owned()],
        fields: Vec::new(),
        template: None,
    };
    let contact = made(portal, &step("contact", Effect::CreateContact(contact))).await;
    let deal = NewDeal {
        name: "Сделка".to_owned(),
        pipeline: "3".to_owned(),
        stage: "C3:NEW".to_owned(),
        contact: Some(known(&contact[0])),
        responsible: responsible(),
        tags: Vec::new(),
        fields: Vec::new(),
    };
    let deal = made(portal, &step("deal", Effect::CreateDeal(deal))).await;
    let due = Timestamp::from_secs(portal.lab.now() + 900);
    for (role, card) in [("task", Some(known(&deal[0]))), ("own-task", None)] {
        let task = NewTask {
            card,
            responsible: responsible(),
            text: "Перезвонить".to_owned(),
            task_type: None,
            due,
        };
        made(portal, &step(role, Effect::CreateTask(task))).await;
    }
    let note = NewNote {
        card: known(&deal[0]),
        text: "Здравствуйте".to_owned(),
        at: Timestamp::from_secs(portal.lab.now()),
        messages: Vec::new(),
    };
    made(portal, &step("note", Effect::AddNote(note))).await;
    let fill = FillFields {
        card: known(&deal[0]),
        fields: vec![FieldFill {
            field: "UTM_SOURCE".to_owned(),
            value: "mango".to_owned(),
            typed: None,
            overwrite: false,
        }],
    };
    made(portal, &step("fields", Effect::FillFields(fill))).await;
    let notice = Notice {
        user: CrmUserId("12".to_owned()),
        text: "Новая сделка".to_owned(),
        card: known(&deal[0]),
    };
    made(portal, &step("notice", Effect::Notify(notice))).await;
    let call = made(portal, &portal.call("1", CALLER)).await;
    assert!(call.contains(&contact[0]), "{call:?}");
    let oracle = portal.lab.oracle();
    assert_eq!(oracle.duplicates.count(), 0, "{:?}", oracle.duplicates);
    seen.insert(
        "written",
        format!(
            "{} contacts, {} deals, {} calls, {} unfinished, {} activities, {} comments, {} tasks, {} notices",
            oracle.contacts.len(),
            oracle.deals.len(),
            oracle.calls.len(),
            oracle.live_calls.len(),
            oracle.activities.len(),
            oracle.comments.len(),
            oracle.tasks.len(),
            oracle.notices.len(),
        ),
    );
}

/// The directory: everything, then what changed, then what was deleted.
async fn read(portal: &Rehearsal, seen: &mut Seen) {
    for n in 0..120 {
        let card = SeedCard::new(&format!("К{n}"), &format!("+7916000{n:04}"), 12);
        portal.lab.add_contact(&card);
    }
    let reader = portal.adapter.directory().expect("a directory");
    let (mut cursor, mut cards, mut deals) = (None, BTreeMap::new(), 0);
    let mark = loop {
        let piece = match reader.everything(cursor).await {
            Outcome::Done(piece) => piece,
            other => panic!("{other:?}"),
        };
        for change in piece.changes {
            match change {
                DirectoryChange::Card(card) => {
                    let told = format!("{:?} {:?}", card.phones, card.responsible);
                    assert!(cards.insert(card.card, told).is_none(), "twice");
                }
                DirectoryChange::Deal(deal) => deals += deal.clients.len(),
                other => panic!("{other:?}"),
            }
        }
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { mark } => break mark,
        }
    };
    seen.insert("directory", format!("{deals} deals {cards:?}"));
    let gone = cards.keys().next_back().expect("some").clone();
    let id = gone.id.parse().expect("a number");
    assert!(portal.lab.delete(Kind::Contact, id));
    let changes = reader.changes(mark, Class::Work).await;
    let Outcome::Done(Changes::Read {
        changes, gone_told, ..
    }) = changes
    else {
        panic!("{changes:?}")
    };
    let told: Vec<&Card> = changes
        .iter()
        .filter_map(|change| match change {
            DirectoryChange::Gone { card } => Some(card),
            _ => None,
        })
        .collect();
    assert_eq!(gone.entity, Entity::Contact);
    seen.insert("gone", format!("{told:?} {gone_told}"));
}

#[actix_rt::test]
async fn whatever_way_answers_are_written_the_same_work_gives_the_same_result() {
    for mode in [Mode::Classic, Mode::Simple] {
        let mut expected = None;
        for (name, reading) in readings() {
            let rehearsal = portal(mode, reading).await;
            let seen = day(&rehearsal).await;
            let expected = expected.get_or_insert_with(|| seen.clone());
            for (part, shown) in expected.iter() {
                assert_eq!(seen.get(part), Some(shown), "{name}: {part}");
            }
            rehearsal.end().await;
        }
    }
}

/// What is otherwise in a portal that is otherwise: where events are not kept for us, nobody tells of
/// deletions.
const OTHERWISE: [(&str, &str); 1] = [("offline_reserve_available", "gone")];

#[actix_rt::test]
async fn whatever_the_contract_leaves_open_the_same_work_gives_the_same_result() {
    let usual = serde_json::to_value(Switches::default()).expect("switches");
    let usual = usual.as_object().expect("a map");
    let rehearsal = switched(Mode::Simple, Switches::default()).await;
    let expected = day(&rehearsal).await;
    rehearsal.end().await;
    let mut turned = 0;
    for (name, value) in usual {
        let Some(flag) = value.as_bool() else {
            continue;
        };
        turned += 1;
        let mut switches = usual.clone();
        switches.insert(name.clone(), (!flag).into());
        let switches = serde_json::from_value(switches.into()).expect("switches");
        let rehearsal = switched(Mode::Simple, switches).await;
        let seen = day(&rehearsal).await;
        for (part, shown) in &expected {
            if !OTHERWISE.contains(&(name.as_str(), part)) {
                assert_eq!(seen.get(part), Some(shown), "{name}: {part}");
            }
        }
        rehearsal.end().await;
    }
    assert!(turned > 30, "{turned}");
}

#[actix_rt::test]
async fn a_token_that_expired_is_renewed_whatever_the_status_says() {
    for (name, reading) in readings() {
        let rehearsal = portal(Mode::Simple, reading).await;
        let before = rehearsal.lab.counters().token_rotations;
        rehearsal.lab.expire_access_tokens();
        let done = rehearsal.execute(&rehearsal.call("1", CALLER)).await;
        assert!(!done.cards.is_empty(), "{name}");
        assert_eq!(
            rehearsal.lab.counters().token_rotations,
            before + 1,
            "{name}"
        );
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn a_portal_that_was_renamed_is_found_again_while_its_token_lives() {
    let rehearsal = Rehearsal::by_name().await;
    rehearsal.execute(&rehearsal.call("1", CALLER)).await;
    let rotations = || rehearsal.lab.counters().token_rotations;
    let before = rotations();
    rehearsal.lab.rename("new.bitrix24.ru");
    rehearsal.execute(&rehearsal.call("2", KNOWN)).await;
    assert_eq!(rotations(), before + 1);
    // Moved once more a moment later: the authorisation server is not asked again at once, it may block
    // who does.
    rehearsal.lab.rename("newer.bitrix24.ru");
    for _ in 0..3 {
        let step = rehearsal.call("3", "+79160000003");
        let outcomes = rehearsal.adapter.execute(vec![step]).await;
        let [Outcome::NotApplied(not_applied)] = &outcomes[..] else {
            panic!("{outcomes:?}")
        };
        assert!(not_applied.why.contains("redirect"), "{not_applied:?}");
    }
    assert_eq!(rotations(), before + 1);
    rehearsal.end().await;
}
