//! Click-to-call through the session.

use std::sync::Arc;

use serde_json::json;

use super::super::orders::AsteriskCaller;
use super::doubles::{Bench, ended};
use super::fake_pbx::{Face, FakePbx, header};
use crate::model::call_order::{CallOrder, ShownNumber};
use crate::model::ids::Extension;
use crate::model::phone::{Phone, Region};
use crate::pbx::{Caller, OrderError};

fn bench(port: u16) -> (Bench, AsteriskCaller) {
    let originate = json!({
        "originate": { "context": "from-internal", "dial_format": "national", "dial_prefix": "9" },
    });
    let bench = Bench::with(port, originate);
    let caller = AsteriskCaller {
        source: "acme/office".parse().expect("a key"),
        queue: Arc::clone(&bench.orders),
    };
    (bench, caller)
}

fn order(id: &str) -> CallOrder {
    CallOrder {
        shown: None,
        id: id.to_owned(),
        employee: "anna".parse().expect("an id"),
        extension: Extension("101".to_owned()),
        phone: Phone::parse("+79161234567", Region::RU).expect("a number"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_rings_the_employee_and_then_dials_the_client_under_our_own_name() {
    let (mut pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let (bench, caller) = bench(pbx.port);
    let _run = bench.run_over(pipe);
    let taken = caller.place(order("c2c-1795211600.17")).await;
    let communication = taken.expect("taken").communication.expect("known");
    assert_eq!(communication.to_string(), "acme/office/c2c-1795211600.17");
    let action = pbx.wait_for_action("Originate", 1).await;
    for (name, value) in [
        ("Channel", "PJSIP/101"),
        ("Context", "from-internal"),
        ("Exten", "989161234567"),
        ("CallerID", "\"+79161234567\" <89161234567>"),
        ("ChannelId", "c2c-1795211600.17"),
        ("ActionID", "c2c-1795211600.17"),
        ("Timeout", "30000"),
        ("Async", "true"),
    ] {
        assert_eq!(header(&action, name), Some(value), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn s2_15_s2_16_the_client_sees_the_chosen_number_and_always_where_that_is_chosen() {
    for (always, variable) in [
        (false, None),
        (true, Some("__TRUNKCIDOVERRIDE=84951112233")),
    ] {
        let (mut pbx, pipe) = FakePbx::on_a_pipe(Face::default());
        let (bench, caller) = bench(pbx.port);
        let _run = bench.run_over(pipe);
        let shown = ShownNumber {
            number: Phone::parse("+74951112233", Region::RU).expect("a number"),
            always,
        };
        let order = CallOrder {
            shown: Some(shown),
            ..order("c2c-1795211600.17")
        };
        caller.place(order).await.expect("taken");
        let action = pbx.wait_for_action("Originate", 1).await;
        let caller_id = "\"+79161234567\" <84951112233>";
        assert_eq!(header(&action, "CallerID"), Some(caller_id));
        assert_eq!(header(&action, "Exten"), Some("989161234567"));
        assert_eq!(header(&action, "Variable"), variable);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_pbx_refuses_is_told_in_its_words() {
    let face = Face {
        denied: ["Originate"].into(),
        ..Face::default()
    };
    let (pbx, pipe) = FakePbx::on_a_pipe(face);
    let (bench, caller) = bench(pbx.port);
    let _run = bench.run_over(pipe);
    assert_eq!(
        caller.place(order("c2c-1.1")).await,
        Err(OrderError::Refused("Permission denied".to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_without_a_session_expires_and_is_not_placed_when_one_comes() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let (bench, caller) = bench(pbx.port);
    let expired = caller.place(order("c2c-1.1")).await;
    assert_eq!(expired, Err(OrderError::Expired { within_s: 5 }));
    let _run = bench.run_over(pipe);
    caller.place(order("c2c-1.2")).await.expect("taken");
    let names = pbx.names().await;
    let placed = names.iter().filter(|name| *name == "Originate").count();
    assert_eq!(placed, 1, "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_sent_and_not_answered_may_have_been_placed() {
    let face = Face {
        ignored: ["Originate"].into(),
        ..Face::default()
    };
    let (mut pbx, pipe) = FakePbx::on_a_pipe(face);
    let (bench, caller) = bench(pbx.port);
    let run = bench.run_over(pipe);
    let breaks = async {
        pbx.wait_for_action("Originate", 1).await;
        pbx.close().await;
    };
    let (placed, ()) = tokio::join!(caller.place(order("c2c-1.1")), breaks);
    assert_eq!(placed, Err(OrderError::Unclear));
    assert!(ended(run).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn no_more_orders_wait_than_a_person_could_want() {
    let (_bench, caller) = bench(1);
    let mut waiting: Vec<_> = (0..33)
        .map(|n| Box::pin(caller.place(order(&format!("c2c-1.{n}")))))
        .map(futures_util::FutureExt::now_or_never)
        .collect();
    // Each gave up waiting at once, so that its place is free again.
    assert!(waiting.iter().all(Option::is_none), "{waiting:?}");
    waiting.clear();
    let places: Vec<_> = (0..33)
        .map(|n| {
            let name = format!("c2c-2.{n}");
            let caller = &caller;
            async move { caller.place(order(&name)).await }
        })
        .collect();
    let results = futures_util::future::join_all(places).await;
    let busy = results.iter().filter(|r| **r == Err(OrderError::Busy));
    assert_eq!(busy.count(), 1, "{results:?}");
}
