//! Chats where the CRM works with leads beside deals, and on which cards what was written is put.

use super::*;
use crate::model::facts::DealFact;
use crate::model::plan::{Entity, Target};

const LEAD: &str = r#"method = { kind = "lead_or_deal", pipeline = "0", stage = "NEW", lead_stage = "IN_PROCESS" }"#;

fn card(id: &str, updated: i64) -> ContactFact {
    ContactFact {
        id: id.to_owned(),
        name: format!("карточка {id}"),
        responsible: Some(CrmUserId("504".to_owned())),
        updated_at: Timestamp::from_secs(updated),
        ..olga()
    }
}

fn deal(id: &str, created: i64, closed: Option<i64>) -> DealFact {
    DealFact {
        id: id.to_owned(),
        pipeline: "0".to_owned(),
        stage: "NEW".to_owned(),
        responsible: None,
        open: closed.is_none(),
        created_at: Timestamp::from_secs(created),
        closed_at: closed.map(Timestamp::from_secs),
    }
}

fn decide_ended(added: &str, chat: Chat, facts: Facts, leads: bool) -> Plan {
    let ledger = Ledger::default();
    decide_by(Phase::Ended, &settings(added), chat, facts, &ledger, leads).1
}

/// Returns the cards on which notes are put, in order.
fn noted(plan: &Plan) -> Vec<String> {
    let notes = plan.steps.iter().filter_map(|step| match &step.effect {
        Effect::AddNote(note) => Some(note.card.to_string()),
        _ => None,
    });
    notes.collect()
}

#[test]
fn s3_09_a_chat_makes_a_lead_where_the_crm_works_with_leads_else_contact_and_deal() {
    let added = format!("{LEAD}\n{TASK}");
    let ended = || chat(ChatPhase::Ended);
    let plan = decide_ended(&added, ended(), facts(Vec::new()), true);
    assert_eq!(roles(&plan), ["lead", "task", "transcript#1"]);
    let Effect::CreateLead(lead) = effect(&plan, "lead") else {
        panic!("{plan}");
    };
    assert_eq!(lead.stage.as_deref(), Some("IN_PROCESS"));
    assert_eq!((lead.client.as_str(), lead.phones.len()), ("Ольга", 1));
    assert_eq!(lead.contact, None);
    assert_eq!(noted(&plan), ["lead of [lead]"]);
    let Effect::CreateTask(task) = effect(&plan, "task") else {
        panic!("{plan}");
    };
    let on = task.card.as_ref().map(Target::to_string);
    assert_eq!(on.as_deref(), Some("lead of [lead]"));

    let without = decide_ended(&added, ended(), facts(Vec::new()), false);
    assert_eq!(roles(&without), ["contact", "deal", "task", "transcript#1"]);
    // The activity alone: a contact and the task on it.
    let activity = format!("method = {{ kind = \"contact\" }}\n{TASK}");
    let alone = decide_ended(&activity, ended(), facts(vec![olga()]), true);
    assert_eq!(roles(&alone), ["task", "transcript#1"]);
}

#[test]
fn s3_09_a_known_client_gets_a_further_lead_on_the_contact_unless_one_is_open() {
    let ended = || chat(ChatPhase::Ended);
    let plan = decide_ended(LEAD, ended(), facts(vec![olga()]), true);
    let Effect::CreateLead(lead) = effect(&plan, "lead") else {
        panic!("{plan}");
    };
    let contact = lead.contact.as_ref().map(Target::to_string);
    assert_eq!(contact.as_deref(), Some("contact#7001"));

    let mut known = facts(Vec::new());
    known.leads = vec![card("71", 100), card("72", 200)];
    let plan = decide_ended(&format!("{LEAD}\n{TASK}"), ended(), known, true);
    assert_eq!(roles(&plan), ["task", "transcript#1"]);
    assert_eq!(noted(&plan), ["lead#72"]);
    let open = Reason::OpenLead {
        lead: crate::model::explanation::CardName {
            id: "72".to_owned(),
            name: "карточка 72".to_owned(),
        },
    };
    assert!(plan.explanation.0.contains(&open), "{plan}");
}

#[test]
fn v_06_a_chat_without_contact_data_makes_a_lead_or_a_deal_without_a_contact() {
    let added = format!("{LEAD}\nwithout_contacts = true");
    let mut nobody = chat(ChatPhase::Ended);
    (nobody.phone, nobody.email) = (None, None);
    let plan = decide_ended(&added, nobody.clone(), facts(Vec::new()), true);
    assert_eq!(roles(&plan), ["lead", "transcript#1"]);
    assert_eq!(plan.first_time, Some(true));
    let plan = decide_ended(&added, nobody.clone(), facts(Vec::new()), false);
    assert_eq!(roles(&plan), ["deal", "transcript#1"]);
    let Effect::CreateDeal(deal) = effect(&plan, "deal") else {
        panic!("{plan}");
    };
    assert_eq!(deal.contact, None);
    // S3-11: where they are not taken, nothing is made.
    let plan = decide_ended(LEAD, nobody, facts(Vec::new()), true);
    assert_eq!(roles(&plan), [""; 0]);
}

#[test]
fn v_06_what_was_written_goes_to_the_freshest_card_of_the_sort_that_is_preferred() {
    let mut client = olga();
    client.deals = vec![
        deal("51", 100, None),
        deal("52", 300, None),
        deal("53", 400, Some(500)),
    ];
    let mut known = facts(vec![client.clone()]);
    known.leads = vec![card("71", 100), card("72", 200)];
    known.closed_leads = vec![card("73", 900)];
    let written = |to: &str, facts: &Facts| {
        let added = format!("method = {{ kind = \"contact\" }}\ntranscript_to = {{ {to} }}");
        noted(&decide_ended(
            &added,
            chat(ChatPhase::Ended),
            facts.clone(),
            true,
        ))
    };
    assert_eq!(written("", &known), ["contact#7001"]);
    assert_eq!(written("prefer = \"lead\"", &known), ["lead#72"]);
    assert_eq!(written("prefer = \"deal\"", &known), ["deal#52"]);
    assert_eq!(
        written("prefer = \"both\", copy_to_client = true", &known),
        ["lead#72", "deal#52", "contact#7001"]
    );

    // Nothing is open: closed cards only where that is set.
    let mut closed = known.clone();
    closed.leads.clear();
    closed.contacts[0].deals = vec![deal("53", 400, Some(500)), deal("54", 100, Some(600))];
    assert_eq!(written("prefer = \"deal\"", &closed), ["contact#7001"]);
    let last = |prefer: &str| format!("prefer = \"{prefer}\", closed = true");
    assert_eq!(written(&last("deal"), &closed), ["deal#54"]);
    assert_eq!(written(&last("lead"), &closed), ["lead#73"]);
    assert_eq!(written(&last("both"), &closed), ["lead#73", "deal#54"]);
    // What is open goes before what is preferred and closed.
    closed.leads = known.leads;
    assert_eq!(written(&last("deal"), &closed), ["lead#72"]);

    // What the chat makes itself takes it.
    let own = format!("{LEAD}\ntranscript_to = {{ prefer = \"deal\", copy_to_client = true }}");
    let plan = decide_ended(&own, chat(ChatPhase::Ended), facts(vec![client]), true);
    assert_eq!(noted(&plan), ["lead of [lead]", "contact#7001"]);

    let found = read("method = { kind = \"by_hand\" }\ntranscript_to = { closed = true }");
    let paths = |one: &crate::model::mistake::Mistake| one.path.join(".");
    let found: Vec<String> = found.mistakes().iter().map(paths).collect();
    assert_eq!(found, ["chats.transcript_to.closed"]);
}

#[test]
fn v_06_a_part_on_several_cards_is_written_on_each_of_them_once() {
    let added = format!(
        "{LEAD}\nat = \"accepted\"\ntranscript = \"live\"\ntranscript_to = {{ copy_to_client = true }}"
    );
    let settings = settings(&added);
    let known = || facts(vec![olga()]);
    let mut ledger = Ledger::default();
    let mut said = Vec::new();
    let mut talk = chat(ChatPhase::Accepted);
    for (phase, new) in [
        (Phase::Accepted, None),
        (Phase::Message, Some("3")),
        (Phase::Message, Some("4")),
        (Phase::Ended, None),
    ] {
        if let Some(id) = new {
            let client = Author::Client { name: None };
            talk.messages.push(says(id, client, "И ещё"));
        }
        let (_, plan) = decide_by(phase, &settings, talk.clone(), known(), &ledger, true);
        said.extend(roles(&plan).into_iter().map(str::to_owned));
        ledger = after(ledger, phase, &plan);
    }
    assert_eq!(
        said,
        [
            "lead",
            "transcript#1",
            "transcript-2#1",
            "transcript#2",
            "transcript-2#2"
        ]
    );
}

#[test]
fn s3_17_v_16_who_answers_is_told_of_a_new_record_once_and_of_no_message() {
    let added = format!("{DEAL}\nat = \"accepted\"\ntranscript = \"live\"\nnotify = true");
    let settings = settings(&added);
    let decide = |phase, ledger: &Ledger| {
        let chat = chat(ChatPhase::Accepted);
        decide_by(phase, &settings, chat, facts(Vec::new()), ledger, true).1
    };
    let first = decide(Phase::Accepted, &Ledger::default());
    assert_eq!(roles(&first), ["contact", "deal", "notice"]);
    let Effect::Notify(notice) = effect(&first, "notice") else {
        panic!("{first}");
    };
    assert_eq!(notice.user, CrmUserId("501".to_owned()));
    assert_eq!(notice.card.to_string(), "deal of [deal]");
    assert_eq!(
        notice.text,
        "Новая сделка (чат): Чат на сайте romashka.example: Ольга"
    );
    let ledger = after(Ledger::default(), Phase::Accepted, &first);
    let message = decide(Phase::Message, &ledger);
    assert_eq!(roles(&message), ["transcript#1"]);
    // Where nothing is made, nobody is told.
    let known = decide_ended(
        "method = { kind = \"contact\" }\nnotify = true",
        chat(ChatPhase::Ended),
        facts(vec![olga()]),
        true,
    );
    assert_eq!(roles(&known), ["transcript#1"]);
    assert_eq!(Entity::Notice.to_string(), "notice");
}
