//! Every adapter says for every kind of step how sure it can be, and the page for administrators
//! says the same.

use std::sync::Arc;

use serde_json::json;
use trunkline::crm::{Adapter, registry};
use trunkline::lab::amocrm::{AmoOptions, start};
use trunkline::model::capabilities::Certainty;
use trunkline::model::employee_sync::SyncManner;
use trunkline::model::plan::StepKind;

use super::amocrm_lab::open;

const PAGE: &str = include_str!("../../docs/delivery.md");

/// Returns the kind after this one: a new kind does not compile until it stands here, and then it
/// must stand in `ALL`.
fn after(kind: StepKind) -> Option<StepKind> {
    match kind {
        StepKind::CreateContact => Some(StepKind::CreateDeal),
        StepKind::CreateDeal => Some(StepKind::CreateUnsorted),
        StepKind::CreateUnsorted => Some(StepKind::RecordCall),
        StepKind::RecordCall => Some(StepKind::CreateTask),
        StepKind::CreateTask => Some(StepKind::FillFields),
        StepKind::FillFields => Some(StepKind::LinkRecording),
        StepKind::LinkRecording => Some(StepKind::AddNote),
        StepKind::AddNote => Some(StepKind::CreateLead),
        StepKind::CreateLead => Some(StepKind::HandOver),
        StepKind::HandOver => Some(StepKind::AwaitContact),
        StepKind::AwaitContact => Some(StepKind::Notify),
        StepKind::Notify => None,
    }
}

#[test]
fn the_list_of_kinds_is_whole() {
    let kinds = std::iter::successors(Some(StepKind::CreateContact), |kind| after(*kind));
    assert!(kinds.eq(StepKind::ALL));
}

/// Opens an account of a CRM that is asked nothing.
async fn opened(name: &str) -> Arc<dyn Adapter> {
    match name {
        "amocrm" => {
            let lab = start(AmoOptions::default()).await.expect("a free port");
            open(&lab.handle(), 6.0)
        }
        "alfacrm" => super::alfacrm_door::open("http://127.0.0.1:9", json!({})),
        "bitrix24" => super::bitrix24_door::open("http://127.0.0.1:9", json!({})),
        "planfix" => super::planfix_door::open("http://127.0.0.1:9", json!({})),
        other => panic!("open an account of {other} here: its steps need a recipe, too"),
    }
}

#[actix_rt::test]
async fn s2_07_v_02_how_employees_come_by_themselves_is_each_crms_own_and_the_docs_name_it() {
    let page = include_str!("../../docs/employees.md");
    for crm in registry::KINDS {
        let (title, manner, words) = match crm.name {
            "amocrm" => ("amoCRM", SyncManner::NightlyNew, "is added every night"),
            "bitrix24" => ("Bitrix24", SyncManner::Daily, "once a day"),
            "planfix" => ("Planfix", SyncManner::ManualOnly, "a person asks for"),
            "alfacrm" => ("AlfaCRM", SyncManner::ManualOnly, "a person asks for"),
            other => panic!("say here how the employees of {other} come"),
        };
        assert_eq!(opened(crm.name).await.employee_sync(), manner, "{title}");
        let row = |line: &&str| line.starts_with("| ") && line.contains(title);
        let row = page.lines().find(row).expect("a row of the table");
        assert!(row.contains(words), "{row}");
    }
}

#[actix_rt::test]
async fn every_step_kind_of_every_adapter_declares_its_recipe_and_the_docs_name_it() {
    for crm in registry::KINDS {
        let adapter = opened(crm.name).await;
        for step in &adapter.capabilities().steps {
            assert!(step.batch_max > 0, "{step:?}");
        }
        for kind in StepKind::ALL {
            let Some(step) = adapter.capabilities().step(kind) else {
                // Not planned for this CRM at all.
                continue;
            };
            let how = match step.certainty {
                Certainty::ByKey => "by key",
                Certainty::BySearch => "by search",
                Certainty::Undecidable => "undecidable",
            };
            let word = serde_json::to_value(kind).expect("a word");
            let row = format!(
                "| {} | {} | {how}",
                crm.name,
                word.as_str().expect("a word")
            );
            assert!(PAGE.contains(&row), "docs/delivery.md has no row {row:?}");
        }
    }
}
