//! What the ids on cards and payments stand for (`crm/alfacrm.md` §3), read once an hour.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tracing::warn;

use super::{CLASS, FIRST, PAID, UNASSIGNED, UNPAID, UPSELL};
use crate::crm::alfacrm::AlfaAdapter;
use crate::crm::alfacrm::client::{List, Unanswered};
use crate::crm::alfacrm::settings::CUSTOM;
use crate::crm::alfacrm::wire::Row;
use crate::crm::{DealField, DealNames, Pipeline, Stage};
use crate::model::timestamp::Timestamp;

/// How long it is believed.
const FRESH_FOR: Duration = Duration::from_secs(3600);

/// Most pages of any of these lists.
const PAGES_MAX: u64 = 50;

/// Fields of deals that are no additional fields: what they are called, and for programs.
pub(super) const TEACHER: (&str, &str) = ("teacher", "Педагог");
pub(super) const BRANCH: (&str, &str) = ("branch", "Филиал");
pub(super) const PAYER: (&str, &str) = ("legal_name", "Заказчик");
pub(super) const PAY_TYPE: (&str, &str) = ("pay_type", "Тип платежа");

/// Every one of them.
pub(in crate::crm::alfacrm) const FIELDS: [(&str, &str); 4] = [TEACHER, BRANCH, PAYER, PAY_TYPE];

/// Names by their ids.
type Names = BTreeMap<u64, String>;

/// What ids stand for.
#[derive(Debug, Default)]
pub(super) struct Reference {
    /// The branches that are read.
    pub(super) branches: Vec<u64>,
    pub(super) branch_names: Names,
    pub(super) teachers: Names,
    pub(super) users: Names,
    pub(super) sources: Names,
    pub(super) pay_types: Names,
    /// With the name of the funnel where there are several.
    pub(super) stages: Names,
    /// The additional fields of customers, as a page of them shows.
    pub(super) customs: Vec<String>,
}

/// What was read and is believed for a while.
#[derive(Default)]
pub(in crate::crm::alfacrm) struct DealMemory(Mutex<Option<(Timestamp, Arc<Reference>)>>);

impl AlfaAdapter {
    pub(super) async fn reference(&self) -> Result<Arc<Reference>, Unanswered> {
        let now = self.clock.now();
        let memory = &self.deal_memory.0;
        let known = memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((at, reference)) = known
            && now.since(at) < FRESH_FOR
        {
            return Ok(reference);
        }
        let reference = Arc::new(self.read_reference().await?);
        let kept = Some((now, Arc::clone(&reference)));
        *memory.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(reference)
    }

    async fn read_reference(&self) -> Result<Reference, Unanswered> {
        let own = self.settings.branch;
        let branches = self.listed_for_deals("branch/index", own).await?;
        let is_active = |one: &&Value| {
            let row = Row(one);
            row.0.get("is_active").is_none() || row.flag("is_active")
        };
        let active = branches.iter().filter(is_active);
        let mut read: Vec<u64> = match self.settings.deals.branches.is_empty() {
            true => active.filter_map(|one| Row(one).id()).collect(),
            false => self.settings.deals.branches.clone(),
        };
        if read.is_empty() {
            read.push(own);
        }
        let mut reference = Reference {
            branch_names: named(&branches),
            users: named(&self.listed_for_deals("user/index", own).await?),
            sources: named(&self.listed_for_deals("lead-source/index", own).await?),
            pay_types: named(&self.listed_for_deals("pay-type/index", own).await?),
            ..Reference::default()
        };
        let statuses = self.listed_for_deals("lead-status/index", own).await?;
        let funnels = named(&self.listed_for_deals("pipeline/index", own).await?);
        for status in &statuses {
            let row = Row(status);
            let name = row.text("name").unwrap_or_default();
            let funnel = row
                .number("pipeline_id")
                .and_then(|funnel| funnels.get(&funnel));
            let name = funnel.map_or_else(|| name.clone(), |funnel| format!("{funnel} / {name}"));
            reference.stages.extend(row.id().map(|id| (id, name)));
        }
        for branch in &read {
            let teachers = self.listed_for_deals("teacher/index", *branch).await?;
            reference.teachers.extend(named(&teachers));
        }
        reference.branches = read;
        let customers = self.some_customers(CLASS).await?;
        let objects = customers.iter().filter_map(Value::as_object);
        let keys = objects.flat_map(|customer| customer.keys());
        let customs = keys.filter(|key| key.starts_with(CUSTOM)).cloned();
        reference.customs = customs.collect();
        reference.customs.sort();
        reference.customs.dedup();
        Ok(reference)
    }

    /// Reads a list of names; they are a help, so that one which the role may not see is empty.
    async fn listed_for_deals(
        &self,
        path: &'static str,
        branch: u64,
    ) -> Result<Vec<Value>, Unanswered> {
        let filters = match path {
            // Also those who left: their lessons are told.
            "teacher/index" => json!({ "removed": 1 }),
            _ => json!({}),
        };
        let list = List::new(path, filters).in_branch(branch);
        match self.client.all(&list, PAGES_MAX, CLASS).await {
            Ok(read) => Ok(read.unwrap_or_default()),
            Err(Unanswered::Barred(why)) => {
                warn!(path, why, "a list of names cannot be read");
                Ok(Vec::new())
            }
            Err(Unanswered::Refused(refusal)) => {
                warn!(
                    path,
                    why = refusal.message,
                    "a list of names cannot be read"
                );
                Ok(Vec::new())
            }
            Err(failed) => Err(failed),
        }
    }

    pub(super) async fn deal_names(&self) -> Result<DealNames, Unanswered> {
        let reference = self.reference().await?;
        let mut names = DealNames {
            users: texts(&reference.users),
            ..DealNames::default()
        };
        let stages = reference
            .stages
            .iter()
            .map(|(id, name)| (id.to_string(), name.clone()));
        for pipeline in pipelines(stages.collect()) {
            for stage in pipeline.stages {
                names
                    .stages
                    .insert((pipeline.id.clone(), stage.id), stage.name);
            }
            names.pipelines.insert(pipeline.id, pipeline.name);
        }
        let ordinary = FIELDS.map(|(id, name)| DealField {
            id: id.to_owned(),
            code: None,
            name: name.to_owned(),
        });
        let customs = reference.customs.iter().map(|key| DealField {
            id: key.clone(),
            code: key.strip_prefix(CUSTOM).map(str::to_owned),
            name: key.strip_prefix(CUSTOM).unwrap_or(key).to_owned(),
        });
        names.fields = ordinary.into_iter().chain(customs).collect();
        Ok(names)
    }
}

/// Returns the two pipelines, the first one with these stages of leads.
pub(in crate::crm::alfacrm) fn pipelines(stages: Vec<(String, String)>) -> [Pipeline; 2] {
    let stage = |(id, name): (String, String)| Stage { id, name };
    let of = |list: &[(&str, &str)]| -> Vec<Stage> {
        let owned = list
            .iter()
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()));
        owned.map(stage).collect()
    };
    let mut of_leads = of(&[(UNASSIGNED, "Не распределён")]);
    of_leads.extend(stages.into_iter().map(stage));
    [
        (FIRST, "Первая продажа", of_leads),
        (
            UPSELL,
            "Допродажи",
            of(&[(PAID, "Оплачено"), (UNPAID, "Не подтверждено")]),
        ),
    ]
    .map(|(id, name, stages)| Pipeline {
        id: id.to_owned(),
        name: name.to_owned(),
        main: id == FIRST,
        unsorted: false,
        stages,
    })
}

fn named(records: &[Value]) -> Names {
    let name = |record: &Value| {
        let row = Row(record);
        Some((row.id()?, row.text("name").unwrap_or_default()))
    };
    records.iter().filter_map(name).collect()
}

fn texts(names: &Names) -> BTreeMap<String, String> {
    let texts = names
        .iter()
        .map(|(id, name)| (id.to_string(), name.clone()));
    texts.collect()
}
