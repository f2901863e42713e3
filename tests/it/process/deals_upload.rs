//! Deals that are passed on to UIS by the real program: each once, a bad one holding up no other,
//! and going on where it was after a restart.

use serde_json::Value;
use trunkline::lab::amocrm::CardEdit;

use super::daemon::{Daemon, list};
use super::uis::Cloud;
use super::wait::{until, when};

/// Waits until so many deals are there, and so many were refused.
async fn passed_on(cloud: &Cloud, daemon: &Daemon, deals: usize, refused: u64) {
    until("the deals are passed on", async || {
        let there = cloud.lab.deals().len();
        let found = daemon.get("/v1/deals").await;
        let upload = list(&found, "items")
            .first()
            .map(|one| one["upload"].clone());
        let seen = upload
            .as_ref()
            .and_then(|upload| upload["refused"].as_u64());
        when(
            there == deals && seen == Some(refused),
            format!("{there}, {upload:?}"),
        )
    })
    .await;
}

async fn sync(cloud: &Cloud) {
    let asked = cloud
        .office
        .home
        .run(&["deals", "sync", "acme/sales"])
        .await;
    assert_eq!(asked.status, Some(0), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_deal_holds_up_no_other_and_a_restart_sends_nothing_again() {
    let cloud = Cloud::open().await;
    let office = &cloud.office;
    office.receive_deals("upload_to = \"cloud\"\n");
    cloud.lab.refuse_deals_named(Some("Плохая"));
    for n in 0..15 {
        office.add_deal(n, "Хорошая");
    }
    let bad = office.add_deal(15, "Плохая");
    let daemon = cloud.start().await;
    passed_on(&cloud, &daemon, 15, 1).await;
    let taken = cloud.lab.deals_taken();
    assert_eq!(taken, 15, "each once");
    let refused = office
        .home
        .run(&["deals", "list", "acme/sales", "--refused"])
        .await;
    assert!(refused.out.contains("Плохая"), "{refused:?}");
    assert!(
        refused.out.contains("refused by the phone system"),
        "{refused:?}"
    );

    daemon.kill();
    let daemon = cloud.start().await;
    // The next change is passed on alone, the deal that was a bad one as soon as it is none.
    let edit = CardEdit {
        name: Some("Исправленная".to_owned()),
        status_id: Some(142),
        ..CardEdit::default()
    };
    // A change needs a date that moved: dates are of seconds.
    let made = office.crm.now();
    until("a second has passed", async || {
        when(office.crm.now() > made + 1, "not yet")
    })
    .await;
    assert!(office.crm.edit_lead(bad, &edit));
    sync(&cloud).await;
    passed_on(&cloud, &daemon, 16, 0).await;
    assert_eq!(cloud.lab.deals_taken(), taken + 1);
    let deal = cloud.lab.deals()[&format!("acme/sales/{bad}")].clone();
    assert_eq!(deal["stage_ext_id"], "acme/sales/3100/won");
    assert_eq!(deal["revenue"], Value::from(1_500));
    assert_eq!(cloud.lab.asked("create.sales_funnel"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_platform_does_not_answer_deals_wait_and_then_go() {
    let cloud = Cloud::open().await;
    cloud.office.receive_deals("upload_to = \"cloud\"\n");
    cloud.office.add_deal(1, "Пианино");
    let daemon = cloud.start().await;
    passed_on(&cloud, &daemon, 1, 0).await;
    cloud
        .lab
        .switch(|switches| switches.component_disabled = true);
    cloud.office.add_deal(2, "Скрипка");
    sync(&cloud).await;
    until("the trouble is shown", async || {
        let found = daemon.get("/v1/deals").await;
        let upload = list(&found, "items")
            .first()
            .map(|one| one["upload"].clone());
        let shown = upload
            .as_ref()
            .and_then(|upload| upload["trouble"].as_str());
        when(
            shown.is_some_and(|why| why.contains("tariff")),
            format!("{upload:?}"),
        )
    })
    .await;
    cloud
        .lab
        .switch(|switches| switches.component_disabled = false);
    passed_on(&cloud, &daemon, 2, 0).await;
}
