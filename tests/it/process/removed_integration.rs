//! An integration that is taken out of the file while work of it waits: the work is ended and the
//! journal says so; it goes on if the integration returns.

use super::daemon::{Daemon, list};
use super::office::Office;
use super::requests::{request, settled, with_requests};
use super::wait::{until, when};

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "501"
method = { kind = "contact" }
"#;

const SALES: &str = "id = \"sales\"\nname = \"Продажи\"";
const OTHER: &str = "id = \"other\"\nname = \"Продажи\"";

async fn store(daemon: &Daemon) -> (u64, u64) {
    let store = &daemon.get("/v1/status").await["store"];
    let figure = |name: &str| store[name].as_u64().expect("a figure");
    (figure("open_works"), figure("left_works"))
}

async fn remarked(daemon: &Daemon, word: &str, times: usize) {
    until(word, async || {
        let notes = daemon.notes().await;
        let found = notes.iter().filter(|(one, _)| one == word).count();
        when(found == times, format!("{notes:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_of_an_integration_that_is_gone_is_ended_and_goes_on_when_it_returns() {
    let office = with_requests(Office::open().await, REQUESTS);
    let daemon = office.start().await;
    office.crm_down();
    let posted = request("g-1", "+79165550001", "/price");
    assert_eq!(daemon.post(&posted).await.0, 202);
    assert_eq!(store(&daemon).await, (1, 0));

    // By a reload.
    office.home.edit_tenant(SALES, OTHER);
    daemon.reload().await;
    remarked(&daemon, "integration_removed", 1).await;
    assert_eq!(store(&daemon).await, (0, 1));
    let journal = daemon.get("/v1/journal").await;
    let [item] = list(&journal, "items") else {
        panic!("{journal}");
    };
    assert_eq!(item["outcome"], "not_taken", "{item}");
    let story = office.home.run(&["explain", "acme/site/g-1"]).await;
    assert!(
        story.out.contains("acme/sales is not configured"),
        "{story:?}"
    );
    let status = office.home.run(&["status"]).await;
    assert!(status.out.contains("not configured any more"), "{status:?}");

    // It returns by a reload, goes once more while the daemon is stopped, and returns so, too.
    office.home.edit_tenant(OTHER, SALES);
    daemon.reload().await;
    remarked(&daemon, "integration_returned", 1).await;
    assert_eq!(store(&daemon).await, (1, 0));
    assert_eq!(daemon.terminate().await, Some(0));
    office.home.edit_tenant(SALES, OTHER);
    let daemon = office.start().await;
    remarked(&daemon, "integration_removed", 2).await;
    assert_eq!(store(&daemon).await, (0, 1));
    daemon.kill();
    office.home.edit_tenant(OTHER, SALES);
    let daemon = office.start().await;
    office.crm.clear_faults();
    settled(&daemon, 1).await;
    until("the client has his card", async || {
        let made = office.oracle().contacts_of_phone("+79165550001").len();
        when(made == 1, made)
    })
    .await;
    until("nothing waits any more", async || {
        let left = store(&daemon).await;
        when(left == (0, 0), format!("{left:?}"))
    })
    .await;
    let journal = daemon.get("/v1/journal").await;
    assert_eq!(list(&journal, "items")[0]["outcome"], "done", "{journal}");
}
