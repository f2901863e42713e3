//! A call is registered before its client has a card, and stands on the card that it makes all the same,
//! once, whatever becomes of the requests (`crm/bitrix24.md` §8): where the portal looks for the client at
//! the registration only, where it looks once more at the end, and where its index lags behind.

use std::time::Duration;

use trunkline::crm::{Class, Popup, StepCommand};
use trunkline::lab::bitrix24::{BitrixOptions, Limits, Mode, Switches};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::facts::FactsQuery;
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    Card, Effect, Entity, NewContact, NewDeal, NewLead, RecordingLink, Target,
};
use trunkline::model::timestamp::Timestamp;

use super::bitrix24_lab::{CALLER, Rehearsal};

/// Every way in which a portal may stand to a call's client.
fn portals() -> [(&'static str, Switches); 4] {
    let usual = Switches::default;
    [
        ("at the registration", usual()),
        (
            "at the end, too",
            Switches {
                calls_find_clients_at_finish: true,
                ..usual()
            },
        ),
        (
            "a lagging index",
            Switches {
                search_lags_s: Some(600),
                ..usual()
            },
        ),
        (
            "activities that cannot be asked for an origin",
            Switches {
                activities_filter_by_origin: false,
                ..usual()
            },
        ),
    ]
}

async fn portal(switches: Switches) -> Rehearsal {
    Rehearsal::with(BitrixOptions {
        limits: Limits::none(),
        mode: Mode::Simple,
        switches,
        ..BitrixOptions::default()
    })
    .await
}

fn phone() -> Phone {
    Phone::parse(CALLER, Region::RU).expect("a number")
}

fn user() -> CrmUserId {
    CrmUserId("12".to_owned())
}

fn known(card: &Card) -> Target {
    Target::Known { card: card.clone() }
}

/// Rings at Anna's telephone, with a card; afterwards the call makes its client.
async fn ring(portal: &Rehearsal, at: Timestamp) {
    let popup = Popup {
        extensions: Vec::new(),
        our_number: None,
        phone: phone(),
        users: vec![user()],
        entry: portal.call("1", CALLER).key,
        opened: None,
        at,
    };
    let screen = portal.adapter.screen().expect("a screen");
    let shown = screen.show(popup).await;
    assert!(matches!(shown, Outcome::Done(Some(_))), "{shown:?}");
}

async fn client(portal: &Rehearsal) -> Card {
    let contact = NewContact {
        name: "Борис".to_owned(),
        phones: vec![phone()],
        emails: Vec::new(),
        responsible: Some(user()),
        tags: Vec::new(),
        fields: Vec::new(),
        template: None,
    };
    let contact = portal.command("1", "contact", Effect::CreateContact(contact));
    let contact = portal.execute(&contact).await.cards.remove(0);
    let deal = NewDeal {
        name: "Сделка".to_owned(),
        pipeline: "0".to_owned(),
        stage: "NEW".to_owned(),
        contact: Some(known(&contact)),
        responsible: Some(user()),
        tags: Vec::new(),
        fields: Vec::new(),
    };
    let deal = portal.command("1", "deal", Effect::CreateDeal(deal));
    portal.execute(&deal).await.cards.remove(0)
}

/// The end of the call, which is to stand on a card.
fn end(portal: &Rehearsal, at: Timestamp, on: &Card) -> StepCommand {
    let mut step = portal.call("1", CALLER);
    if let Effect::RecordCall(record) = &mut step.effect {
        record.card = Some(known(on));
        record.shown_to = Some(user());
        record.at = at;
    }
    step
}

/// Carries a step out as an integration does: after an unclear answer it looks, and sends again when it is
/// settled that nothing is there.
async fn carried(portal: &Rehearsal, step: &StepCommand) -> StepResult {
    let mut step = step.clone();
    for _ in 0..20 {
        let mut outcomes = portal.adapter.execute(vec![step.clone()]).await;
        match outcomes.remove(0) {
            Outcome::Done(result) => return result,
            Outcome::NotApplied(_) => continue,
            Outcome::Ambiguous { .. } => {}
            other => panic!("{other:?}"),
        }
        let looked = loop {
            match portal.adapter.look(step.clone()).await {
                Outcome::Done(look) => break look,
                Outcome::NotApplied(_) | Outcome::Ambiguous { .. } => {}
                other => panic!("{other:?}"),
            }
        };
        match looked {
            Look::Found(result) => return result,
            Look::Absent => {}
            Look::Undecidable => panic!("undecidable"),
        }
        let settled = Duration::from_secs(120);
        step.first_sent_at = Timestamp::from_secs(portal.lab.now()).minus(settled);
    }
    panic!("never done");
}

#[actix_rt::test]
async fn a_call_that_rang_before_it_had_a_client_stands_on_its_card_once_whatever_goes_wrong() {
    let faults = [
        Fault::LostAfter,
        Fault::RefusedBefore,
        Fault::PartialBatch { status: 502 },
    ];
    for (name, switches) in portals() {
        for fault in &faults {
            // Every request of the call's end in its turn; the last of these meets none.
            for n in 1..=8 {
                let portal = portal(switches.clone()).await;
                let at = Timestamp::from_secs(portal.lab.now());
                ring(&portal, at).await;
                let deal = client(&portal).await;
                let rule = Rule::new("POST", "*batch", When::Nth { n }, fault.clone());
                portal.lab.add_fault(rule).expect("a good rule");
                let result = carried(&portal, &end(&portal, at, &deal)).await;
                assert!(result.cards.len() > 1, "{name} {fault:?} {n}: {result:?}");
                let oracle = portal.lab.oracle();
                let standings: Vec<usize> = oracle.standings().into_values().collect();
                assert_eq!(
                    standings,
                    [1],
                    "{name} {fault:?} {n}: {:?}",
                    oracle.activities
                );
                assert!(oracle.live_calls.is_empty(), "{name} {fault:?} {n}");
                portal.lab.clear_faults();
                portal.end().await;
            }
        }
    }
}

#[actix_rt::test]
async fn the_recording_of_such_a_call_can_be_heard_from_its_card() {
    let portal = portal(Switches::default()).await;
    let at = Timestamp::from_secs(portal.lab.now());
    ring(&portal, at).await;
    let deal = client(&portal).await;
    let step = end(&portal, at, &deal);
    let result = portal.execute(&step).await;
    let Effect::RecordCall(record) = step.effect else {
        panic!("a call")
    };
    let link = RecordingLink {
        entry: known(result.card(Entity::CallRecord).expect("an entry")),
        on: result.cards.get(1).cloned(),
        by: step.key.role.clone(),
        record,
        link: "https://box.example/r/token".to_owned(),
        text: "Запись разговора: https://box.example/r/token".to_owned(),
        upload: false,
    };
    let recording = portal.command("1", "recording", Effect::LinkRecording(link));
    for _ in 0..2 {
        portal.execute(&recording).await;
    }
    let oracle = portal.lab.oracle();
    let call = &oracle.calls[0];
    let ours = oracle.activities.iter();
    let ours: Vec<_> = ours.filter(|one| one.origin == call.external_id).collect();
    let [activity] = ours.as_slice() else {
        panic!("{ours:?}")
    };
    assert_eq!(
        activity.description,
        "Запись разговора: https://box.example/r/token"
    );
    assert_eq!(call.record.as_ref().map(|record| record.times), Some(2));
    portal.end().await;
}

#[actix_rt::test]
async fn what_was_made_a_moment_ago_is_known_although_the_index_does_not_have_it_yet() {
    let portal = Rehearsal::with(BitrixOptions {
        limits: Limits::none(),
        mode: Mode::Classic,
        switches: Switches {
            search_lags_s: Some(600),
            ..Switches::default()
        },
        ..BitrixOptions::default()
    })
    .await;
    let lead = NewLead {
        name: "Звонок".to_owned(),
        client: "Борис".to_owned(),
        stage: Some("NEW".to_owned()),
        phones: vec![phone()],
        emails: Vec::new(),
        contact: None,
        responsible: Some(user()),
        tags: Vec::new(),
        fields: Vec::new(),
    };
    let lead = portal.command("1", "lead", Effect::CreateLead(lead));
    let lead = portal.execute(&lead).await.cards.remove(0);
    let query = |made_leads: Vec<String>| FactsQuery {
        phones: vec![phone()],
        emails: Vec::new(),
        deals: true,
        made: Vec::new(),
        made_leads,
    };
    let asked = async |made_leads| match portal.adapter.facts(query(made_leads), Class::Work).await
    {
        Outcome::Done(facts) => facts,
        other => panic!("{other:?}"),
    };
    assert!(asked(Vec::new()).await.leads.is_empty(), "it lags");
    let facts = asked(vec![lead.id.clone()]).await;
    let ids: Vec<&str> = facts.leads.iter().map(|lead| lead.id.as_str()).collect();
    assert_eq!(ids, [lead.id.as_str()]);
    portal.end().await;
}
