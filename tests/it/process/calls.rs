//! A call, from the switch to the CRM, and what the command line says about it.

use trunkline::lab::ami::ScriptedCall;

use super::daemon::list;
use super::office::{ANNA, Office};

const CLIENT: &str = "79161112233";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_becomes_contact_deal_and_call_note_and_the_command_line_tells_why() {
    let office = Office::open().await;
    let daemon = office.start().await;
    office.client_calls(CLIENT);
    daemon.settled(1).await;

    office.holds_one_answered_call_of_each(&[CLIENT]);
    let oracle = office.crm.oracle();
    let contact = oracle.contacts_of_phone(CLIENT)[0];
    assert_eq!(contact.phones, ["+79161112233"]);
    let deal = oracle.leads_of_phone(CLIENT)[0];
    assert_eq!((deal.pipeline_id, deal.status_id), (3100, 3102));
    assert_eq!(deal.contacts, [contact.id]);
    let call = oracle.calls_of_phone(CLIENT)[0];
    assert_eq!(call.direction, "inbound");
    // Nobody owns the client yet, so that Anna, who talked, is only named in the entry.
    assert_eq!(call.call_responsible, Some(ANNA.to_string()));
    assert_eq!(
        (call.entity_type.as_str(), call.entity_id),
        ("lead", deal.id)
    );

    let status = office.home.run(&["status"]).await;
    assert_eq!(status.status, Some(0), "{status:?}");
    assert!(
        status.out.contains("source acme/office (asterisk): up"),
        "{status:?}"
    );
    let status = office.home.run(&["status", "--json"]).await;
    assert_eq!(status.json()["store"]["communications"], 1);

    let [key] = &daemon.journal_keys().await[..] else {
        panic!("one call was made");
    };
    for form in [
        "+79161112233",
        "8 (916) 111-22-33",
        "9161112233",
        "7916-111-22-33",
    ] {
        let found = office
            .home
            .run(&["journal", "--json", "--phone", form])
            .await;
        assert_eq!(found.status, Some(0), "{form}: {found:?}");
        let found = found.json();
        assert_eq!(list(&found, "items").len(), 1, "{form}: {found}");
        assert_eq!(found["items"][0]["key"], key.as_str());
        assert_eq!(found["items"][0]["outcome"], "done");
    }
    let other = office
        .home
        .run(&["journal", "--json", "--phone", "+79161112234"])
        .await;
    assert_eq!(list(&other.json(), "items").len(), 0);

    for (language, words) in [
        ("en", "Answered call, new client"),
        ("ru", "Отвеченный звонок, новый клиент"),
    ] {
        let told = office.home.run(&["explain", key, "--lang", language]).await;
        assert_eq!(told.status, Some(0), "{told:?}");
        for words in [
            words,
            "S1-07",
            "calls.incoming.answered_unknown",
            "step deal: done",
        ] {
            assert!(
                told.out.contains(words),
                "{language}, {words}: {}",
                told.out
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_call_is_told_in_words() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let call = ScriptedCall::of("inbound_missed").client(CLIENT).speed(5.0);
    drop(office.ami.play(call).expect("it was recorded"));
    daemon.settled(1).await;
    let oracle = office.oracle();
    assert_eq!((oracle.contacts.len(), oracle.leads.len()), (1, 0));
    let call = oracle.calls_of_phone(CLIENT)[0];
    assert_eq!(
        (call.status, call.entity_type.as_str()),
        (Some(6), "contact")
    );

    let key = daemon.journal_keys().await.remove(0);
    let told = office.home.run(&["explain", &key, "--lang", "en"]).await;
    let beginning = format!("call {key}: incoming missed (no answer), talk 0 s, done\n");
    assert!(told.out.starts_with(&beginning), "{}", told.out);
    for words in ["S1-08", "calls.incoming.missed_unknown"] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    let found = office.home.run(&["journal", "--phone", CLIENT]).await;
    assert!(
        found.out.contains("incoming missed (no answer)"),
        "{}",
        found.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_tells_a_question_that_is_wrong_from_a_daemon_that_is_not_there() {
    let office = Office::open().await;
    let daemon = office.start().await;
    for question in [
        &["explain", "acme/office/nowhere"][..],
        &["journal", "--phone", "hello"],
        &["journal", "--outcome", "fine"],
    ] {
        let ran = office.home.run(question).await;
        assert_eq!(ran.status, Some(2), "{question:?}: {ran:?}");
        assert!(!ran.err.trim().is_empty(), "{question:?}");
    }
    assert_eq!(daemon.terminate().await, Some(0));
    let ran = office.home.run(&["status"]).await;
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.err.contains("is it running"), "{ran:?}");
}
