//! The daemon keeps in memory what it knows of the clients.

use super::office::Office;
use super::wait::{until, when};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_of_a_configured_portal_is_taken_into_memory_at_the_start() {
    let office = Office::open().await;
    let daemon = office.start().await;
    until("the portal's directory is in memory", async || {
        let log = office.home.log();
        let line = log
            .lines()
            .find(|line| line.contains("directory in memory"));
        when(line.is_some_and(|line| line.contains("amocrm:")), log)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0), "{}", office.home.log());
}
