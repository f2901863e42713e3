//! One store, one daemon.

use super::office::{Office, site_call};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_daemon_on_the_same_store_refuses_and_does_not_disturb_the_first() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let second = office.home.run(&["run"]).await;
    assert_eq!(second.status, Some(1), "{second:?}");
    let store = office.home.path("trunkline.redb").display().to_string();
    // As it stands on the last line, where an administrator looks.
    let last = second.err.lines().last().unwrap_or("");
    assert!(
        last.contains("in use") && last.contains("trunkline.redb"),
        "{store}: {second:?}"
    );
    // The socket is still the first one's.
    let status = office.home.run(&["status"]).await;
    assert_eq!(status.status, Some(0), "{status:?}");
    let posted = daemon.post(&site_call("w-1", "+79166660001", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(1).await;
    assert_eq!(office.ami.clients(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_made_with_another_key_is_refused_with_words() {
    let office = Office::open().await;
    let daemon = office.start().await;
    assert_eq!(daemon.terminate().await, Some(0));
    office
        .home
        .write("secrets/store-key", &"another key of many bytes".repeat(2));
    let refused = office.home.run(&["run"]).await;
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.err.contains("key"), "{refused:?}");
}
