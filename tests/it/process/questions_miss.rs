//! Questions about clients whom memory does not know: answered from what the daemon makes itself,
//! and by a CRM that has a deadline.

use std::time::Duration;

use tokio::time::Instant;
use trunkline::lab::fault::{Fault, When};

use super::home::ADMIN_TOKEN;
use super::office::{Office, site_call};
use super::questions::{CLIENT, answer, ask, redirects};
use super::wait::{until, when};

/// Live questions that one integration may have under way.
const LIVE_MAX: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_17_who_is_made_by_a_first_call_reaches_the_default_responsible_with_the_second() {
    let office = Office::open().await;
    let home = &office.home;
    home.edit_tenant(
        "default_responsible = \"501\"",
        "default_responsible = \"503\"",
    );
    home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\n\n[integrations.settings.calls]\n",
    );
    home.edit_tenant(
        "name = \"Офис\"\n",
        "name = \"Офис\"\nquestions = { exits = { default = \"700\" } }\n",
    );
    // Changes are asked for once an hour: what is known is known from our own making.
    home.edit_tenant(
        "rate_per_second = 500\n",
        "rate_per_second = 500\ndirectory = { poll_seconds = 3600 }\n",
    );
    let daemon = office.start().await;
    until("the CRM was read through", async || {
        let found = daemon.get("/v1/directories").await;
        when(found["items"][0]["decides"] == true, found)
    })
    .await;
    let unknown = answer(&daemon, home, CLIENT).await;
    assert_eq!(
        (&unknown["route"], &unknown["extension"]),
        (&"default".into(), &"700".into())
    );
    let posted = daemon.post(&site_call("first", CLIENT, 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(1).await;
    until("the default responsible is rung", async || {
        let found = answer(&daemon, home, CLIENT).await;
        when(found["extension"] == "102", found)
    })
    .await;
    let found = answer(&daemon, home, CLIENT).await;
    assert_eq!(found["route"], "personal_manager", "{found}");
    assert_eq!(found["manager"]["employee"], "boris", "{found}");
    assert_eq!(found["knowledge"], "directory", "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_that_hangs_costs_the_caller_the_deadline_and_is_asked_a_few_times_only() {
    let office = Office::open().await;
    redirects(&office.home);
    office
        .home
        .edit_tenant("live_within_ms = 2000", "live_within_ms = 300");
    let daemon = office.start().await;
    until("the CRM was read through", async || {
        let found = daemon.get("/v1/directories").await;
        when(found["items"][0]["decides"] == true, found)
    })
    .await;
    let hangs = Fault::LateAfter { ms: 60_000 };
    office.fault("", "*", When::Always, hangs);
    let began = Instant::now();
    let home = &office.home;
    let daemon = &daemon;
    let questions = (0..LIVE_MAX + 12).map(|n| async move {
        let query = format!("phone=791611122{n:02}&format=text");
        ask(daemon, home, &query).await.1
    });
    let answers = futures_util::future::join_all(questions).await;
    let took = began.elapsed();
    assert!(answers.iter().all(|text| text == "700\n"), "{answers:?}");
    // 300 ms, and room for a machine that is busy with a build; the CRM takes a minute.
    assert!(took < Duration::from_secs(30), "{took:?}");
    let metrics = daemon.http.get(format!("http://{}/metrics", home.admin()));
    let metrics = metrics.bearer_auth(ADMIN_TOKEN).send().await;
    let metrics = metrics.expect("an answer").text().await.expect("a text");
    let line = format!("trunkline_questions_live_total{{outcome=\"no_answer\"}} {LIVE_MAX}\n");
    assert!(metrics.contains(&line), "{line}: {metrics}");
    let line = "trunkline_questions_live_total{outcome=\"not_asked\"} 12\n";
    assert!(metrics.contains(line), "{line}: {metrics}");
}
