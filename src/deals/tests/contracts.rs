//! That tasks of one CRM and leads with payments of another fit: what their adapters make of the
//! contracts' examples, written by hand, and what the core makes of that.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::crm::{DealField, DealNames};
use crate::deals::normalise::{came_before, normalise};
use crate::model::deal::{
    DealClient, DealRecord, DealState, DealValue, DealVerdict, StagePlace, Sum,
};
use crate::model::deal_settings::{ConversionModel, DealSettings};
use crate::model::timestamp::Timestamp;

fn settings(value: Value) -> DealSettings {
    let settings: DealSettings = serde_json::from_value(value).expect("settings");
    assert_eq!(settings.mistakes(), []);
    settings
}

fn record(id: &str, pipeline: &str, stage: &str) -> DealRecord {
    DealRecord {
        id: id.to_owned(),
        name: "Пианино".to_owned(),
        place: StagePlace {
            pipeline: pipeline.to_owned(),
            stage: stage.to_owned(),
        },
        verdict: None,
        settled: false,
        kept: BTreeMap::new(),
        price: None,
        currency: None,
        responsible: None,
        client: Some(DealClient::default()),
        source: None,
        values: Vec::new(),
        created_at: Timestamp::from_secs(10),
        updated_at: Timestamp::from_secs(20),
        closed_at: Some(Timestamp::from_secs(15)),
    }
}

fn value(field: &str, name: &str, text: &str) -> DealValue {
    DealValue {
        field: field.to_owned(),
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

/// `GET task/{id}`: object 9 is the pipeline, the status the stage, field 114 the sum
/// (`crm/planfix.md` §6).
#[test]
fn s2_37_a_task_is_a_deal_of_its_object_with_the_sum_of_a_chosen_field() {
    let task = json!({"id": 20555, "status": {"id": 3}, "object": {"id": 9},
        "customFieldData": [{"field": {"id": 114, "name": "Сумма"}, "value": 1500.5}]});
    let text = |pointer: &str| {
        task.pointer(pointer)
            .map(Value::to_string)
            .unwrap_or_default()
    };
    let task = DealRecord {
        values: vec![value("114", "Сумма", &text("/customFieldData/0/value"))],
        ..record(&text("/id"), &text("/object/id"), &text("/status/id"))
    };
    let chosen = settings(json!({
        "pipelines": ["9"], "good": [{"pipeline": "9", "stage": "3"}],
        "bad": [{"pipeline": "9", "stage": "5"}], "sum_field": "114",
    }));
    let deal = normalise(&task, &DealNames::default(), &chosen).expect("a deal");
    assert_eq!(deal.state, DealState::Won);
    assert_eq!(deal.sum, Sum::parse("1500.50"));
    let other = DealRecord {
        place: StagePlace {
            pipeline: "10".to_owned(),
            ..task.place.clone()
        },
        ..task
    };
    assert_eq!(normalise(&other, &DealNames::default(), &chosen), None);
}

/// Two funnels of one account; the success of the first is a stage, or that the lead became a
/// client, which only the CRM can say (`crm/alfacrm.md` §8).
#[test]
fn s4_15_s4_17_a_lead_and_a_payment_are_deals_of_two_pipelines_and_sets_are_merged() {
    let chosen = settings(json!({
        "good": [{"pipeline": "first", "stage": "4"}, {"pipeline": "first", "stage": "5"}],
        "bad": [{"pipeline": "first", "stage": "8"}, {"pipeline": "first", "stage": "9"}],
        "columns": ["teacher", "branch"],
    }));
    let names = DealNames {
        pipelines: BTreeMap::from([("upsell".to_owned(), "Допродажи".to_owned())]),
        fields: vec![DealField {
            id: "teacher".to_owned(),
            code: None,
            name: "Педагог".to_owned(),
        }],
        ..DealNames::default()
    };
    let state = |record: &DealRecord| normalise(record, &names, &chosen).map(|deal| deal.state);
    let (won, lost) = (Some(DealVerdict::Won), Some(DealVerdict::Lost));
    for (stage, verdict, wanted) in [
        ("4", None, DealState::Won),
        ("5", None, DealState::Won),
        ("8", None, DealState::Lost),
        ("9", None, DealState::Lost),
        ("1", None, DealState::Open),
        // What the card says counts beside the sets.
        ("1", won, DealState::Won),
        ("9", won, DealState::Won),
        ("1", lost, DealState::Lost),
        ("4", lost, DealState::Won),
    ] {
        let lead = DealRecord {
            verdict,
            settled: true,
            ..record("lead:145", "first", stage)
        };
        assert_eq!(state(&lead), Some(wanted), "{stage} {verdict:?}");
    }
    let pay = DealRecord {
        price: Sum::parse("11.00"),
        verdict: won,
        settled: true,
        values: vec![
            value("teacher", "", "Роман"),
            value("branch", "Филиал", "Север"),
        ],
        ..record("pay:189", "upsell", "paid")
    };
    let deal = normalise(&pay, &names, &chosen).expect("a deal");
    assert_eq!(
        (deal.id.as_str(), deal.pipeline.name.as_str()),
        ("pay:189", "Допродажи")
    );
    let columns: Vec<_> = deal
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.text.as_str()))
        .collect();
    assert_eq!(columns, [("Педагог", "Роман"), ("branch", "Север")]);
    assert_eq!(deal.closed_at, Some(Timestamp::from_secs(15)));
}

#[test]
fn v_13_without_sets_the_crm_says_what_a_deal_came_to() {
    let won = DealRecord {
        verdict: Some(DealVerdict::Won),
        ..record("1", "31", "142")
    };
    let state = |settings: &DealSettings| {
        normalise(&won, &DealNames::default(), settings).map(|deal| deal.state)
    };
    assert_eq!(state(&settings(json!({}))), Some(DealState::Won));
    let other = json!({"good": [{"stage": "7"}]});
    assert_eq!(state(&settings(other)), Some(DealState::Open));
    let bad = json!({"bad": [{"stage": "142"}]});
    assert_eq!(state(&settings(bad)), Some(DealState::Lost));
}

#[test]
fn v_13_source_columns_and_model_are_as_they_were_chosen() {
    let made = Timestamp::from_secs(5);
    let lead = DealRecord {
        source: Some("Сайт".to_owned()),
        values: vec![
            value("41", "Откуда", "Выставка"),
            value("42", "Смета", "не знаю"),
        ],
        client: Some(DealClient {
            created_at: Some(made),
            ..DealClient::default()
        }),
        price: Sum::from_units(5),
        ..record("1", "31", "1")
    };
    let names = DealNames {
        fields: vec![DealField {
            id: "41".to_owned(),
            code: Some("FROM".to_owned()),
            name: "Откуда".to_owned(),
        }],
        ..DealNames::default()
    };
    let deal = |chosen: Value| normalise(&lead, &names, &settings(chosen)).expect("a deal");
    let plain = deal(json!({}));
    assert_eq!(plain.source.as_deref(), Some("Сайт"));
    assert_eq!(plain.sum, Sum::from_units(5));
    assert_eq!(
        came_before(&plain, ConversionModel::BeforeDeal),
        plain.created_at
    );
    assert_eq!(came_before(&plain, ConversionModel::BeforeContact), made);
    for field in ["41", "FROM", " откуда "] {
        let chosen =
            deal(json!({"source_field": field, "sum_field": "Смета", "columns": [field, "Нет"]}));
        assert_eq!(chosen.source.as_deref(), Some("Выставка"), "{field}");
        assert_eq!(chosen.sum, None, "what is no number is no sum");
        let columns: Vec<_> = chosen
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.text.as_str()))
            .collect();
        assert_eq!(columns, [("Откуда", "Выставка"), ("Нет", "")]);
    }
}
