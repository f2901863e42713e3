//! Additional fields of cards: filled once, never over what stands there unless that is wished.

use trunkline::crm::StepCommand;
use trunkline::lab::amocrm::{AmoHandle, AmoOptions, SeedCard};
use trunkline::lab::fault::{Fault, When};
use trunkline::model::field::{self, FieldValue, Takes};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, Outcome};
use trunkline::model::plan::{Card, Effect, Entity, FieldFill, FillFields, HandOver, Target};

use super::amocrm_lab::{PHONE, Rehearsal, command, done};

/// "Должность" of contacts, a text.
const POSITION: &str = "35";
/// "Согласие" of contacts, a tick.
const TICK: &str = "36";

fn fill(handle: &AmoHandle, contact: u64, fields: &[(&str, &str, bool)]) -> StepCommand {
    let fields = fields.iter().map(|(field, value, overwrite)| FieldFill {
        field: (*field).to_owned(),
        value: (*value).to_owned(),
        typed: None,
        overwrite: *overwrite,
    });
    let card = Target::Known {
        card: Card {
            entity: Entity::Contact,
            id: contact.to_string(),
        },
    };
    let effect = Effect::FillFields(FillFields {
        card,
        fields: fields.collect(),
    });
    command(handle, "1", "contact-fields", effect)
}

fn position(handle: &AmoHandle, contact: u64) -> Vec<String> {
    let oracle = handle.oracle();
    let card = oracle.contacts.iter().find(|card| card.id == contact);
    let fields = &card.expect("it is there").fields;
    fields.get("Должность").cloned().unwrap_or_default()
}

#[actix_rt::test]
async fn v_10_what_stands_in_a_field_stays_unless_it_is_written_always() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let contact = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    for (value, overwrite, stands) in [
        ("Директор", false, "Директор"),
        ("Сторож", false, "Директор"),
        ("Сторож", true, "Сторож"),
        ("Сторож", true, "Сторож"),
    ] {
        let command = fill(&handle, contact, &[(POSITION, value, overwrite)]);
        let result = done(rehearsal.execute(&command).await);
        assert_eq!(result.cards[0].id, contact.to_string());
        assert_eq!(position(&handle, contact), [stands], "{value} {overwrite}");
        assert!(matches!(rehearsal.look(&command).await, Look::Found(_)));
    }
    // Beside the fields nothing of the card has changed.
    let oracle = handle.oracle();
    let card = oracle.contacts_of_phone(PHONE)[0];
    assert_eq!(
        (card.name.as_str(), card.responsible_user_id),
        ("Иван", 502)
    );
}

#[actix_rt::test]
async fn v_10_a_filling_whose_answer_was_lost_is_found_and_one_that_was_refused_is_not() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let contact = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let command = fill(&handle, contact, &[(POSITION, "Директор", false)]);
    for (fault, arrived) in [
        (Fault::ErrorBefore { status: 503 }, false),
        (Fault::LostAfter, true),
    ] {
        rehearsal.fault("PATCH", "/api/v4/*", When::First { n: 1 }, fault);
        let outcome = rehearsal.execute(&command).await;
        assert!(!matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let seen = rehearsal.look(&command).await;
        assert_eq!(matches!(seen, Look::Found(_)), arrived, "{seen:?}");
        assert_eq!(position(&handle, contact).is_empty(), !arrived);
        rehearsal.lab.clear_faults();
    }
}

#[actix_rt::test]
async fn v_10_a_field_that_takes_no_text_and_a_card_that_is_gone_are_refused_with_the_crms_words() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let contact = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    for (card, field) in [(contact, TICK), (contact, "999"), (999_999, POSITION)] {
        let command = fill(&handle, card, &[(field, "Директор", true)]);
        let outcome = rehearsal.execute(&command).await;
        assert!(
            matches!(outcome, Outcome::Rejected(_)),
            "{card} {field}: {outcome:?}"
        );
        assert_eq!(rehearsal.look(&command).await, Look::Absent);
    }
    assert_eq!(position(&handle, contact), Vec::<String>::new());
}

/// A deal of a client, to be made with these fields.
fn deal_with(handle: &AmoHandle, call: &str, fields: Vec<FieldFill>) -> StepCommand {
    let contact = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let mut command = super::amocrm_lab::deal(handle, call, contact);
    if let Effect::CreateDeal(deal) = &mut command.effect {
        deal.fields = fields;
    }
    command
}

fn typed(field: &str, value: &str, typed: Option<FieldValue>) -> FieldFill {
    FieldFill {
        field: field.to_owned(),
        value: value.to_owned(),
        typed,
        overwrite: false,
    }
}

/// Every type that takes something, from the account's own list to a value that it stores.
#[actix_rt::test]
async fn v_10_each_type_of_field_is_listed_written_in_its_form_and_found_again() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let account = done(rehearsal.adapter.describe().await);
    let zone = jiff::tz::TimeZone::get("Europe/Moscow").expect("a zone");
    let cases = [
        ("41", "с сайта", vec!["с сайта"]),
        ("Канал", "сайт", vec!["Сайт"]),
        ("43", "А, В", vec!["А", "В"]),
        ("Бюджет", "1 500,5", vec!["1500.5"]),
        ("45", "20.11.2026 12:00", vec!["1795165200"]),
        ("utm_source", "yandex", vec!["yandex"]),
    ];
    let fitted = |wanted: &str, text: &str| {
        let found = field::find(&account.fields, Entity::Deal, wanted).expect(wanted);
        let fitted = found.fit(text, &zone).expect(text);
        (
            typed(&found.id, &fitted.text, fitted.typed),
            found.name.clone(),
        )
    };
    let fills: Vec<FieldFill> = cases.iter().map(|case| fitted(case.0, case.1).0).collect();
    let made = deal_with(&handle, "1", fills.clone());
    let result = done(rehearsal.execute(&made).await);
    assert_eq!(result.note, None);
    let holds = |id: &str| {
        let oracle = handle.oracle();
        let mut leads = oracle.leads.into_iter();
        let lead = leads.find(|lead| lead.id.to_string() == id);
        lead.expect("it is there").fields
    };
    for (wanted, text, expected) in &cases {
        let name = fitted(wanted, text).1;
        assert_eq!(holds(&result.cards[0].id)[&name], *expected, "{wanted}");
    }
    // The same by a step of its own, on a deal that exists.
    let bare = done(
        rehearsal
            .execute(&deal_with(&handle, "2", Vec::new()))
            .await,
    );
    let effect = Effect::FillFields(FillFields {
        card: Target::Known {
            card: bare.cards[0].clone(),
        },
        fields: fills,
    });
    let fill = command(&handle, "2", "deal-fields", effect);
    assert_eq!(rehearsal.look(&fill).await, Look::Absent);
    done(rehearsal.execute(&fill).await);
    assert!(matches!(rehearsal.look(&fill).await, Look::Found(_)));
    let held = holds(&bare.cards[0].id);
    for (wanted, text, expected) in &cases {
        assert_eq!(held[&fitted(wanted, text).1], *expected, "{wanted}");
    }
    let takes = |entity, wanted: &str| {
        let found = field::find(&account.fields, entity, wanted).expect(wanted);
        found.takes
    };
    assert_eq!(takes(Entity::Contact, "36"), Takes::Tick);
    assert_eq!(takes(Entity::Contact, "POSITION"), Takes::Line);
    assert_eq!(takes(Entity::Contact, "PHONE"), Takes::Nothing);
    assert_eq!(takes(Entity::Company, "WEB"), Takes::Address);
}

#[actix_rt::test]
async fn v_10_a_field_that_is_refused_does_not_keep_its_record_or_the_other_fields_from_being_made()
{
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    // Gone since it was listed, and of another type than it was.
    let fields = || {
        vec![
            typed("999", "x", None),
            typed("41", "с сайта", None),
            typed("44", "не число", None),
        ]
    };
    let deal = deal_with(&handle, "1", fields());
    let result = done(rehearsal.execute(&deal).await);
    let note = result.note.expect("it says so");
    assert!(note.contains("refuses additional fields"), "{note}");
    let oracle = handle.oracle();
    assert_eq!(oracle.leads.len(), 1);
    assert_eq!(oracle.leads[0].fields["Источник звонка"], ["с сайта"]);
    assert!(matches!(rehearsal.look(&deal).await, Look::Found(_)));

    let bare = done(
        rehearsal
            .execute(&deal_with(&handle, "2", Vec::new()))
            .await,
    );
    let effect = Effect::FillFields(FillFields {
        card: Target::Known {
            card: bare.cards[0].clone(),
        },
        fields: fields(),
    });
    let fill = command(&handle, "2", "deal-fields", effect);
    let result = done(rehearsal.execute(&fill).await);
    assert!(result.note.is_some_and(|note| note.contains("refuses")));
    let oracle = handle.oracle();
    let id = &bare.cards[0].id;
    let filled = oracle.leads.iter().find(|lead| lead.id.to_string() == *id);
    let filled = &filled.expect("it is there").fields;
    assert_eq!(filled["Источник звонка"], ["с сайта"]);
    assert_eq!(handle.counters().rate_violations, 0);
}

/// The marker field stands before the administrator's: which of them is gone is told apart.
#[actix_rt::test]
async fn v_10_a_marker_field_that_is_gone_is_made_anew_beside_fields_of_the_administrator() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let deal = deal_with(&handle, "1", vec![typed("41", "с сайта", None)]);
    // The first fields that are made in a lab.
    for id in 900_001..=900_002 {
        handle.drop_field(id);
    }
    let refused = rehearsal.execute(&deal).await;
    let Outcome::NotApplied(not_applied) = refused else {
        panic!("{refused:?}");
    };
    assert!(not_applied.why.contains("marker field"), "{not_applied:?}");
    let result = done(rehearsal.execute(&deal).await);
    assert_eq!(result.note, None);
    assert_eq!(
        handle.oracle().leads[0].fields["Источник звонка"],
        ["с сайта"]
    );
}

#[actix_rt::test]
async fn v_12_an_unsorted_record_goes_to_its_pipelines_own_stage_whichever_is_the_first() {
    let mut options = AmoOptions {
        rate_per_second: 2_000,
        account_rate_per_second: 2_000,
        ..AmoOptions::default()
    };
    options.pipelines[1].is_unsorted_on = true;
    let rehearsal = Rehearsal::with(options, 1_000.0).await;
    let handle = rehearsal.handle.clone();
    let account = done(rehearsal.adapter.describe().await);
    let pipelines: Vec<_> = account.pipelines.iter().map(|one| &one.id).collect();
    assert_eq!(pipelines, ["3100", "3200"]);
    let mut command = super::amocrm_lab::incoming(&handle, "1");
    if let Effect::CreateUnsorted(unsorted) = &mut command.effect {
        unsorted.pipeline = "3200".to_owned();
    }
    done(rehearsal.execute(&command).await);
    let oracle = handle.oracle();
    assert_eq!(oracle.unsorted[0].pipeline_id, 3200);
    let stages = account.pipelines[1].stages.iter();
    let stages: Vec<&str> = stages.map(|stage| stage.id.as_str()).collect();
    let deal = &oracle.leads[0];
    assert_eq!((deal.pipeline_id, deal.in_unsorted), (3200, true));
    let stage = deal.status_id.to_string();
    assert!(
        !stages.contains(&stage.as_str()),
        "no stage of ordinary deals: {stage}"
    );
}

#[actix_rt::test]
async fn v_05_a_contact_is_handed_over_and_a_lost_answer_is_found() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let contact = handle.add_contact(&SeedCard::new("Иван", PHONE, 501));
    let owner = || handle.oracle().contacts_of_phone(PHONE)[0].responsible_user_id;
    let over = |user: &str| {
        let card = Target::Known {
            card: Card {
                entity: Entity::Contact,
                id: contact.to_string(),
            },
        };
        let effect = Effect::HandOver(HandOver {
            card,
            responsible: CrmUserId(user.to_owned()),
        });
        command(&handle, "1", "owner", effect)
    };
    let to_anna = over("502");
    assert!(matches!(rehearsal.look(&to_anna).await, Look::Absent));
    rehearsal.fault("PATCH", "/api/v4/*", When::First { n: 1 }, Fault::LostAfter);
    let outcome = rehearsal.execute(&to_anna).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    assert_eq!(owner(), 502);
    assert!(matches!(rehearsal.look(&to_anna).await, Look::Found(_)));
    assert_eq!(done(rehearsal.execute(&over("501")).await).cards.len(), 1);
    assert_eq!(owner(), 501);
}
