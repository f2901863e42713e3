//! Additional fields of cards: filled once, never over what stands there unless that is wished.

use trunkline::crm::StepCommand;
use trunkline::lab::amocrm::{AmoHandle, SeedCard};
use trunkline::lab::fault::{Fault, When};
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
