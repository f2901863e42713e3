//! An employee is connected with a client, by command and by API.

use super::office::Office;

const ORIGINATE: &str = "[sources.settings.originate]\ncontext = \"from-internal\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_becomes_a_call_of_that_name_and_the_seventh_within_a_minute_is_refused() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "linger_ms = 200\n",
        &format!("linger_ms = 200\n\n{ORIGINATE}"),
    );
    let daemon = office.start().await;
    let call = ["call", "acme/office", "anna"];

    for (phone, words) in [
        ("101", "not a telephone number"),
        ("+881612345678", "may not be called"),
        ("+375291234567", "may not be called"),
    ] {
        let told = office.home.run(&[&call[..], &[phone]].concat()).await;
        assert_eq!(told.status, Some(1), "{told:?}");
        assert!(told.err.contains(words), "{told:?}");
    }
    let told = office
        .home
        .run(&["call", "acme/nowhere", "anna", "89161112233"])
        .await;
    assert_eq!(told.status, Some(2), "{told:?}");

    let placed = office
        .home
        .run(&[&call[..], &["8 916 111-22-33", "--json"]].concat())
        .await;
    assert_eq!(placed.status, Some(0), "{placed:?}");
    let placed = placed.json();
    let communication = placed["communication"].as_str().expect("a name").to_owned();
    daemon.settled(1).await;
    assert_eq!(daemon.journal_keys().await, [communication.as_str()]);
    let told = office
        .home
        .run(&["explain", &communication, "--json"])
        .await;
    let told = told.json();
    let became = &told["snapshot"]["body"]["call"];
    assert_eq!(became["click_to_call"], placed["call"], "{told}");
    assert_eq!(became["direction"], "outgoing", "{told}");
    assert_eq!(became["talkers"][0], "101", "{told}");

    // Whoever asks later who called whom finds it.
    let notes = daemon.notes().await;
    let words = |words: &str| {
        let about = |note: &(String, String)| note.0 == "click_to_call" && note.1.contains(words);
        notes.iter().filter(|note| about(note)).count()
    };
    assert_eq!(
        words("a call of anna to +79161112233 was placed"),
        1,
        "{notes:?}"
    );
    assert_eq!(words("was not placed"), 3, "{notes:?}");
    for _ in 0..5 {
        let told = office
            .home
            .run(&[&call[..], &["89161112233"]].concat())
            .await;
        assert_eq!(told.status, Some(0), "{told:?}");
    }
    let told = office
        .home
        .run(&[&call[..], &["89161112233"]].concat())
        .await;
    assert_eq!(told.status, Some(1), "{told:?}");
    assert!(
        told.err.contains("6 calls placed within a minute"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_becomes_a_call_after_a_reload_that_left_the_switch_alone() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "linger_ms = 200\n",
        &format!("linger_ms = 200\n\n{ORIGINATE}"),
    );
    let daemon = office.start().await;
    daemon.reload().await;
    let call = ["call", "acme/office", "anna", "89161112233"];
    let placed = office.home.run(&call).await;
    assert_eq!(placed.status, Some(0), "{placed:?}");
    daemon.settled(1).await;
}
