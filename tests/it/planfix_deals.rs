//! The reader of Planfix's deals against the simulator: what the contract leaves open, both ways, and
//! what a reading costs of the day's quota.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use trunkline::crm::{Adapter, DealsNext, DealsSince, DealsWanted, KnownDeals};
use trunkline::lab::planfix::{PlanfixLab, PlanfixOptions, TaskEdit, start};
use trunkline::model::deal::Deal;
use trunkline::model::outcome::Outcome;
use trunkline::model::timestamp::Timestamp;

use super::planfix_door::open;

const OBJECT: u64 = 101;

/// Nothing was read before.
struct Nothing;

impl KnownDeals for Nothing {
    fn known(&self, _: Vec<String>) -> BoxFuture<'_, Result<BTreeMap<String, Deal>, String>> {
        async { Ok(BTreeMap::new()) }.boxed()
    }
}

fn wanted() -> DealsWanted {
    DealsWanted {
        pipelines: vec![OBJECT.to_string()],
        fields: vec![" сумма ".to_owned()],
        known: Arc::new(Nothing),
    }
}

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("{other:?}"),
    }
}

async fn account() -> (PlanfixLab, Arc<dyn Adapter>) {
    let options = PlanfixOptions {
        per_second: None,
        ..PlanfixOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let adapter = open(&lab.base_url(), json!({}));
    (lab, adapter)
}

fn task(lab: &PlanfixLab, client: u64) -> u64 {
    let edit = TaskEdit {
        name: Some("Пианино".to_owned()),
        counterparty: Some(client),
        field: Some((1042, json!(1500.5))),
        ..TaskEdit::default()
    };
    lab.add_task(OBJECT, &edit)
}

/// Reads everything since the beginning; returns the ids, each once, and what was gone.
async fn everything(adapter: &dyn Adapter) -> (Vec<String>, Vec<String>) {
    let reader = adapter.deals().expect("Planfix has deals");
    let wanted = wanted();
    let (mut ids, mut gone) = (Vec::new(), Vec::new());
    let mut since = DealsSince::Time(Timestamp::from_secs(0));
    loop {
        let piece = done(reader.changes(since, &wanted).await);
        ids.extend(piece.records.deals.into_iter().map(|deal| deal.id));
        gone.extend(piece.records.gone);
        match piece.next {
            DealsNext::At(cursor) => since = DealsSince::Cursor(cursor),
            DealsNext::End(_) => break,
        }
    }
    ids.sort();
    ids.dedup();
    (ids, gone)
}

#[tokio::test]
async fn s2_35_what_was_deleted_is_found_whether_lists_show_it_or_not() {
    for (lists_show, is_shown) in [(false, false), (true, false), (false, true), (true, true)] {
        let (lab, adapter) = account().await;
        lab.switch(|switches| {
            switches.lists_show_deleted = lists_show;
            switches.deleted_task_is_shown = is_shown;
        });
        let client = lab.add_contact("Анна", "+79161234567", 5);
        let (kept, deleted) = (task(&lab, client), task(&lab, client));
        assert!(lab.delete_task(deleted));
        let reader = adapter.deals().expect("Planfix has deals");
        let ids = || vec![kept.to_string(), deleted.to_string(), "x".to_owned()];
        let gone = done(reader.gone(ids()).await);
        assert_eq!(gone, [deleted.to_string(), "x".to_owned()], "{lists_show}");
        let anew = done(reader.anew(ids(), &wanted()).await);
        let mut anew_gone = anew.gone;
        anew_gone.sort();
        assert_eq!(anew_gone, gone);
        assert_eq!(anew.deals.len(), 1);
        assert!(!reader.tells_gone());
        let (read, _) = everything(&*adapter).await;
        assert_eq!(read, [kept.to_string()]);
    }
}

#[tokio::test]
async fn s2_36_a_task_that_lists_do_not_show_yet_is_read_by_itself() {
    let (lab, adapter) = account().await;
    lab.switch(|switches| switches.list_lag_ms = 600_000);
    let client = lab.add_contact("Анна", "+79161234567", 5);
    let id = task(&lab, client).to_string();
    let reader = adapter.deals().expect("Planfix has deals");
    let read = done(reader.anew(vec![id.clone()], &wanted()).await);
    let [deal] = &read.deals[..] else {
        panic!("{read:?}");
    };
    assert_eq!(deal.id, id);
    assert_eq!(deal.values[0].text, "1500.5");
    let phones: Vec<String> = deal
        .client
        .iter()
        .flat_map(|client| client.phones.iter().map(ToString::to_string))
        .collect();
    assert_eq!(phones, ["+79161234567"]);
}

#[tokio::test]
async fn s2_35_a_reading_takes_one_request_for_a_hundred_tasks_and_one_for_each_client() {
    let (lab, adapter) = account().await;
    let client = lab.add_contact("Анна", "+79161234567", 5);
    let mut wanted: Vec<String> = (0..250).map(|_| task(&lab, client).to_string()).collect();
    wanted.sort();
    // Of another object, and of none of ours.
    lab.add_task(102, &TaskEdit::default());
    let (read, gone) = everything(&*adapter).await;
    assert_eq!(read, wanted);
    assert!(gone.is_empty(), "{gone:?}");
    let of = |path: &str| {
        lab.log()
            .iter()
            .filter(|one| one.path.contains(path))
            .count()
    };
    assert_eq!(of("/task/list"), 3);
    assert_eq!(of(&format!("/contact/{client}")), 1);
    // Names are remembered: fields, objects, statuses of the one object, people.
    everything(&*adapter).await;
    assert_eq!(of("/statuses"), 1);
    assert_eq!(of("/user/list"), 1);
    assert_eq!(of("/contact/"), 1);
}

#[tokio::test]
async fn s2_35_deals_wait_when_the_days_quota_is_near_its_end() {
    let options = PlanfixOptions {
        per_second: None,
        per_day: 40,
        ..PlanfixOptions::default()
    };
    let lab = start(options).await.expect("a free port");
    let adapter = open(&lab.base_url(), json!({ "requests_a_day": 1_000 }));
    let client = lab.add_contact("Анна", "+79161234567", 5);
    task(&lab, client);
    let reader = adapter.deals().expect("Planfix has deals");
    let since = DealsSince::Time(Timestamp::from_secs(0));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(reader.changes(since.clone(), &wanted()).await);
    }
    // The first answer said how little is left.
    let last = seen.pop().map(|outcome| outcome.done());
    let Some(Err(not_done)) = last else {
        panic!("{last:?}");
    };
    assert!(not_done.why.contains("kept for new work"), "{not_done:?}");
    assert!(not_done.retry_after >= Some(Duration::from_secs(60)));
    assert!(lab.counters().used_today < 10);
}
