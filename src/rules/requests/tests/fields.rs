//! Additional fields of what requests make (S0-17, V-10).

use super::*;
use crate::model::field::{CrmField, FieldMiss, FieldOption, FieldValue, Takes};
use crate::model::plan::{Card, Entity, FieldFill, Target};
use crate::rules::fields::{keep_what_was_used, named};

const FIELDS: &str = r#"
[[requests.fields]]
card = "contact"
field = "POSITION"
value = "{{ form }}"

[[requests.fields]]
card = "contact"
field = "36"
value = "да"
update_always = true

[[requests.fields]]
card = "deal"
field = "Канал"
value = "сайт"

[[requests.fields]]
card = "deal"
field = "45"
value = "{{ date }} {{ time }}"

[[requests.fields]]
card = "deal"
field = "46"
value = "{{ campaign }}"

[[requests.fields]]
card = "deal"
field = "44"
value = "{{ source }}"
"#;

fn field(entity: Entity, id: &str, name: &str, takes: Takes, options: &[&str]) -> CrmField {
    let options = options.iter().zip(1..).map(|(text, n)| FieldOption {
        id: format!("{id}0{n}"),
        text: (*text).to_owned(),
    });
    CrmField {
        entity,
        id: id.to_owned(),
        name: name.to_owned(),
        code: (id == "35").then(|| "POSITION".to_owned()),
        kind: "lab".to_owned(),
        takes,
        options: options.collect(),
    }
}

/// What the CRM has.
fn catalogue() -> Vec<CrmField> {
    let (contact, deal) = (Entity::Contact, Entity::Deal);
    vec![
        field(contact, "35", "Должность", Takes::Line, &[]),
        field(contact, "36", "Согласие", Takes::Tick, &[]),
        field(contact, "39", "Ничьё", Takes::Line, &[]),
        field(deal, "42", "Канал", Takes::Choice, &["Звонок", "Сайт"]),
        field(deal, "44", "Бюджет", Takes::Number, &[]),
        field(deal, "45", "Дата визита", Takes::Moment, &[]),
        field(deal, "46", "Кампания", Takes::Nothing, &[]),
    ]
}

/// Decides with what the CRM has of the fields that the settings name.
fn decide_knowing(settings: &IntegrationSettings, known: bool, all: &[CrmField]) -> (Plan, Facts) {
    let facts = Facts {
        fields: named(settings, all),
        ..facts(known)
    };
    (decide_by(settings, request(), &facts).1, facts)
}

/// The fields of a step: id, value, overwriting.
fn filled(fields: &[FieldFill]) -> Vec<(&str, &str, bool)> {
    fields
        .iter()
        .map(|fill| (fill.field.as_str(), fill.value.as_str(), fill.overwrite))
        .collect()
}

fn left_out(plan: &Plan) -> Vec<(String, FieldMiss)> {
    let reasons = plan.explanation.iter();
    reasons
        .filter_map(|reason| match reason {
            Reason::FieldLeftOut { field, why, .. } => Some((field.clone(), why.clone())),
            _ => None,
        })
        .collect()
}

#[test]
fn s0_17_what_a_request_makes_is_made_with_its_fields_each_as_its_type_wants() {
    let settings = settings(&format!("{DEAL}\n{FIELDS}"));
    let (plan, _) = decide_knowing(&settings, false, &catalogue());
    assert_eq!(roles(&plan), ["contact", "deal", "note"], "{plan}");
    let contact = effect(&plan, "contact").fields();
    let expected = [("35", "Обратный звонок", false), ("36", "1", true)];
    assert_eq!(filled(contact), expected);
    assert_eq!(contact[1].typed, Some(FieldValue::Tick { on: true }));
    let deal = effect(&plan, "deal").fields();
    let expected = [
        ("42", "Сайт", false),
        ("45", "2026-11-20T12:00:00+03:00", false),
    ];
    assert_eq!(filled(deal), expected);
    let ids = vec!["4202".to_owned()];
    assert_eq!(deal[0].typed, Some(FieldValue::Choices { ids }));
    let secs = Timestamp::parse(AT).expect("a time").as_secs();
    assert_eq!(deal[1].typed, Some(FieldValue::Moment { secs }));
    // The source is not told, which is no reason to write anything; the rest goes on.
    let kind = "lab".to_owned();
    let why = FieldMiss::TakesNoText { kind };
    assert_eq!(left_out(&plan), [("46".to_owned(), why)]);
}

#[test]
fn s0_17_on_a_repeat_the_contact_gets_what_is_always_written_and_the_new_deal_everything() {
    let settings = settings(&format!("{DEAL}\n{FIELDS}"));
    let (plan, _) = decide_knowing(&settings, true, &catalogue());
    assert_eq!(roles(&plan), ["deal", "note", "contact-fields"], "{plan}");
    let Effect::FillFields(fill) = effect(&plan, "contact-fields") else {
        panic!("{plan}");
    };
    assert_eq!(filled(&fill.fields), [("36", "1", true)]);
    let card = Card {
        entity: Entity::Contact,
        id: "7001".to_owned(),
    };
    assert_eq!(fill.card, Target::Known { card });
    assert_eq!(filled(effect(&plan, "deal").fields()).len(), 2);
}

#[test]
fn s0_17_by_hand_and_in_unsorted_no_field_is_filled_but_those_of_a_contact_that_exists() {
    for (method, known, expected) in [
        ("by_hand\" }", true, vec![]),
        (
            "unsorted\", pipeline = \"31\" }",
            false,
            vec!["unsorted", "note"],
        ),
        (
            "unsorted\", pipeline = \"31\" }",
            true,
            vec!["unsorted", "note", "contact-fields"],
        ),
        ("contact\" }", true, vec!["note", "contact-fields"]),
        ("contact\" }", false, vec!["contact", "note"]),
    ] {
        let settings = settings(&format!("method = {{ kind = \"{method}\n{FIELDS}"));
        let (plan, _) = decide_knowing(&settings, known, &catalogue());
        assert_eq!(roles(&plan), expected, "{method} {known}");
    }
}

#[test]
fn v_10_what_does_not_fit_is_left_out_with_the_reason_and_the_rest_is_made() {
    let rule = |card: &str, field: &str, value: &str| {
        format!(
            "\n[[requests.fields]]\ncard = \"{card}\"\nfield = \"{field}\"\nvalue = \"{value}\""
        )
    };
    let added = [
        rule("contact", "Должность", "Директор"),
        rule("contact", "35", "Сторож"),
        rule("contact", "нет такого", "x"),
        rule("deal", "44", "{{ form }}"),
        rule("deal", "Канал", "Радио"),
        rule("deal", "45", "когда-нибудь"),
    ];
    let settings = settings(&format!("{DEAL}{}", added.concat()));
    let (plan, _) = decide_knowing(&settings, false, &catalogue());
    let contact = effect(&plan, "contact").fields();
    assert_eq!(filled(contact), [("35", "Директор", false)]);
    assert_eq!(effect(&plan, "deal").fields(), []);
    let option = "Радио".to_owned();
    let expected = [
        ("35", FieldMiss::Twice),
        ("нет такого", FieldMiss::NotThere),
        ("44", FieldMiss::NoNumber),
        ("Канал", FieldMiss::NoOption { option }),
        ("45", FieldMiss::NoMoment),
    ];
    let expected = expected.map(|(field, why)| (field.to_owned(), why));
    assert_eq!(left_out(&plan), expected);
}

#[test]
fn v_10_where_the_crm_lists_no_fields_an_id_or_code_is_taken_at_its_word_and_a_name_is_not() {
    let settings = settings(&format!("{DEAL}\n{FIELDS}"));
    let named_by_words = FIELDS.replace("\"36\"", "\"Согласие клиента\"");
    let by_words = super::settings(&format!("{DEAL}\n{named_by_words}"));
    let (plan, facts) = decide_knowing(&settings, false, &[]);
    assert_eq!(facts.fields, None);
    let contact = effect(&plan, "contact").fields();
    let expected = [("POSITION", "Обратный звонок", false), ("36", "да", true)];
    assert_eq!(filled(contact), expected);
    assert_eq!(left_out(&plan), []);
    let (plan, _) = decide_knowing(&by_words, false, &[]);
    let expected = [("Согласие клиента".to_owned(), FieldMiss::NotListed)];
    assert_eq!(left_out(&plan), expected);
}

#[test]
fn v_10_a_decision_keeps_only_what_it_used_of_the_fields_and_is_made_again_the_same() {
    let settings = settings(&format!("{DEAL}\n{FIELDS}"));
    let (plan, mut facts) = decide_knowing(&settings, false, &catalogue());
    let kept = facts.fields.clone().expect("the CRM lists them");
    assert_eq!(kept.len(), 6, "what no setting names is not kept");
    keep_what_was_used(&mut facts, &plan);
    let options = facts.fields.iter().flatten().flat_map(|one| &one.options);
    let options: Vec<&str> = options.map(|option| option.text.as_str()).collect();
    assert_eq!(options, ["Сайт"]);
    let again = decide_by(&settings, request(), &facts).1;
    assert_eq!(again, plan);
    let stored = serde_json::to_value(&facts).expect("JSON");
    let facts: Facts = serde_json::from_value(stored).expect("reads");
    assert_eq!(decide_by(&settings, request(), &facts).1, plan);
}

#[test]
fn v_10_mistakes_of_fields_are_found_when_they_are_saved() {
    let rule = |field: &str, value: &str| {
        format!("\n[[requests.fields]]\ncard = \"deal\"\nfield = \"{field}\"\nvalue = \"{value}\"")
    };
    for (added, expected) in [
        (rule(" ", "x"), vec!["requests.fields.0.field"]),
        (rule("41", "{{ talk }}"), vec!["requests.fields.0.value"]),
        (rule("41", ""), vec!["requests.fields.0.value"]),
        (
            rule("Источник", "x") + &rule("источник", "y"),
            vec!["requests.fields.1.field"],
        ),
        (rule("Поле с пробелами", "x"), vec![]),
    ] {
        let found = mistakes(&format!("{DEAL}{added}"));
        let paths: Vec<&str> = found
            .iter()
            .filter_map(|one| one.split(':').next())
            .collect();
        assert_eq!(paths, expected, "{added}");
    }
}
