//! The scenarios.

use std::fs;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use trunkline::clock::{Clock as _, SystemClock};

use super::{Company, Logged, Talker};
use crate::process::chats::{CLIENT as CHATTER, WORDS, chat};
use crate::process::daemon::{Daemon, list};
use crate::process::office::site_call;
use crate::process::recordings::wav;
use crate::process::requests::{request, settled};
use crate::process::wait::{until, until_late, when};

const CALLER: &str = "+79165550011";
const OTHERS: [&str; 3] = ["+79165550021", "+79165550022", "+79165550023"];

/// 2026-11-20 09:00 UTC, when the first call of the site began.
const NINE: i64 = 1_795_165_200;

async fn tell(daemon: &Daemon, what: &Value) {
    let (status, answer) = daemon.post(what).await;
    assert_eq!(status, 202, "{answer}");
}

/// Returns the only call with a number.
#[track_caller]
fn the_call(company: &dyn Company, phone: &str) -> Logged {
    let calls = company.calls(phone);
    let [call] = calls.as_slice() else {
        panic!("one call of {phone}: {calls:?}\n{}", company.home().log());
    };
    call.clone()
}

/// Expects one client with a number, with a deal where there are deals.
#[track_caller]
fn is_one_client(company: &dyn Company, phone: &str) {
    let held = (company.contacts(phone), company.deals(phone));
    assert_eq!(held, (1, usize::from(company.has_deals())), "{phone}");
}

/// A call that Anna takes and hands over to Boris.
fn transferred() -> Value {
    let mut call = site_call("t-1", CALLER, 0);
    call["rung"] = json!([{ "extension": "101" }, { "extension": "102" }]);
    call["talkers"] = json!(["101", "102"]);
    call
}

pub(super) async fn a_transferred_call_is_of_who_talked_last(company: &dyn Company) {
    let daemon = company.start().await;
    tell(&daemon, &transferred()).await;
    settled(&daemon, 1).await;
    let [_, boris, _] = company.users();
    let call = the_call(company, CALLER);
    assert_eq!((call.user.as_str(), call.talk_s), (boris, 30));
    is_one_client(company, CALLER);
}

pub(super) async fn a_transferred_call_is_of_who_talked_first_where_that_is_set(
    company: &dyn Company,
) {
    let line = |talker: Talker| format!("talker = {:?}", talker.word());
    let home = company.home();
    home.edit_tenant(&line(Talker::Last), &line(Talker::First));
    let daemon = company.start().await;
    tell(&daemon, &transferred()).await;
    settled(&daemon, 1).await;
    let [anna, ..] = company.users();
    assert_eq!(the_call(company, CALLER).user, anna);
}

pub(super) async fn a_recording_stands_in_the_history_also_when_it_comes_late(
    company: &dyn Company,
) {
    let daemon = company.start().await;
    let home = company.home();
    fs::write(home.path("monitor/there.wav"), wav(8_000)).expect("written");
    for (key, client, file) in [
        ("r-1", OTHERS[0], "there.wav"),
        ("r-2", OTHERS[1], "late.wav"),
    ] {
        let mut call = site_call(key, client, 0);
        call["recordings"] = json!([file]);
        tell(&daemon, &call).await;
    }
    let linked = async |client: &str| {
        until("the call has its recording", async || {
            let calls = company.calls(client);
            let link = calls.first().and_then(|call| call.recording.clone());
            link.ok_or_else(|| format!("{calls:?}\n{}", home.log()))
        })
        .await
    };
    let there = linked(OTHERS[0]).await;
    // The other stands in the history without waiting for its file.
    until("the other call is logged", async || {
        let calls = company.calls(OTHERS[1]);
        when(calls.len() == 1, home.log())
    })
    .await;
    assert_eq!(the_call(company, OTHERS[1]).recording, None);
    fs::write(home.path("monitor/late.wav"), wav(8_000)).expect("written");
    let late = linked(OTHERS[1]).await;
    assert_ne!(there, late);
    // What stands there can be listened to.
    for link in [there, late] {
        let answer = daemon.http.get(&link).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{link}: {}", answer.status());
    }
    settled(&daemon, 2).await;
    for client in &OTHERS[..2] {
        the_call(company, client);
        is_one_client(company, client);
    }
}

/// How often a text stands on cards.
fn written(company: &dyn Company, text: &str) -> usize {
    let texts = company.texts();
    let counted = texts.iter().map(|one| one.matches(text).count());
    counted.sum()
}

pub(super) async fn a_request_makes_its_client_once_and_one_that_is_filtered_out_makes_nothing(
    company: &dyn Company,
) {
    let daemon = company.start().await;
    let first = request("f-1", OTHERS[0], "/price");
    tell(&daemon, &first).await;
    assert_eq!(daemon.post(&first).await.0, 200, "told twice");
    settled(&daemon, 1).await;
    is_one_client(company, OTHERS[0]);
    assert_eq!(written(company, "Перезвоните"), 1, "{:?}", company.texts());
    // The same client once more.
    let mut again = request("f-2", OTHERS[0], "/price");
    again["text"] = json!("Ещё вопрос");
    tell(&daemon, &again).await;
    settled(&daemon, 2).await;
    let deals = if company.has_deals() { 2 } else { 0 };
    let held = (company.contacts(OTHERS[0]), company.deals(OTHERS[0]));
    assert_eq!(held, (1, deals));
    assert_eq!(written(company, "Ещё вопрос"), 1, "{:?}", company.texts());
    // One that does not pass.
    let mut refused = request("f-3", OTHERS[1], "/price");
    (refused["form"], refused["email"]) = (json!("Отписка"), json!(null));
    tell(&daemon, &refused).await;
    settled(&daemon, 3).await;
    let held = (company.contacts(OTHERS[1]), company.deals(OTHERS[1]));
    assert_eq!(held, (0, 0));
    let home = company.home();
    let told = home
        .run(&["explain", "acme/site/f-3", "--lang", "en"])
        .await;
    assert!(told.out.contains("does not pass the filter"), "{told:?}");
}

pub(super) async fn a_chat_makes_its_client_once_and_every_word_is_written_once(
    company: &dyn Company,
) {
    let daemon = company.start().await;
    for phase in [
        chat(1, "started", 1),
        chat(2, "accepted", 2),
        chat(3, "ended", 5),
    ] {
        tell(&daemon, &phase).await;
        assert_eq!(daemon.post(&phase).await.0, 200, "told twice");
    }
    settled(&daemon, 1).await;
    is_one_client(company, CHATTER);
    for word in WORDS {
        let word = word.trim_start_matches('!');
        assert_eq!(written(company, word), 1, "{word}: {:?}", company.texts());
    }
}

pub(super) async fn what_came_in_on_a_day_without_the_crm_is_delivered_once_with_its_own_times(
    company: &dyn Company,
) {
    let daemon = company.start().await;
    company.go_down();
    for (client, began_s) in OTHERS.into_iter().zip([0, 600, 1200]) {
        let call = site_call(&format!("w-{began_s}"), client, began_s);
        tell(&daemon, &call).await;
    }
    tell(&daemon, &request("w-f", CALLER, "/")).await;
    until("everything waits", async || {
        let status = daemon.get("/v1/status").await;
        let sales = &list(&status, "integrations")[0];
        let waits = sales["open_works"] == 4 && sales["waiting_for"].is_string();
        when(waits, sales)
    })
    .await;
    assert_eq!(company.contacts(OTHERS[0]), 0);
    // The box is switched off and on in the middle of it.
    daemon.kill();
    let daemon = company.start_again().await;
    company.heal();
    until_late("all is delivered", async || {
        let status = daemon.get("/v1/status").await;
        when(status["store"]["open_works"] == 0, status.to_string())
    })
    .await;
    for (client, began_s) in OTHERS.into_iter().zip([0, 600, 1200]) {
        is_one_client(company, client);
        let call = the_call(company, client);
        assert_eq!((call.at, call.talk_s), (NINE + began_s, 30), "{call:?}");
    }
    is_one_client(company, CALLER);
}

pub(super) async fn a_kill_in_the_middle_of_the_work_neither_loses_nor_doubles_anything(
    company: &dyn Company,
) {
    let daemon = company.start().await;
    for (number, client) in OTHERS.into_iter().enumerate() {
        let call = site_call(&format!("k-{number}"), client, 0);
        tell(&daemon, &call).await;
    }
    until("a client is there", async || {
        let there = OTHERS.iter().any(|client| company.contacts(client) > 0);
        when(there, company.home().log())
    })
    .await;
    daemon.kill();
    let daemon = company.start_again().await;
    tell(&daemon, &site_call("k-9", CALLER, 60)).await;
    // What was on its way may take the CRM a minute yet before it counts as not done.
    until_late("nothing is left to do", async || {
        let status = daemon.get("/v1/status").await;
        let quiet = status["store"]["open_works"] == 0;
        when(quiet, format!("{status:#}\n{}", company.home().log()))
    })
    .await;
    for client in OTHERS.into_iter().chain([CALLER]) {
        is_one_client(company, client);
        the_call(company, client);
    }
}

/// A call that goes on now: its card is worth something for seconds only.
fn live(began: Timestamp, revision: u64, phase: &str) -> Value {
    let mut call = json!({
        "kind": "call", "key": "p-1", "revision": revision, "direction": "incoming",
        "phase": phase, "client": CALLER, "our_number": "+74950000001",
        "started_at": began.to_string(),
        "rung": [{ "extension": "101", "rung_at": began.to_string() }],
    });
    if phase == "ended" {
        call["answered_at"] = json!((began + 5.seconds()).to_string());
        call["ended_at"] = json!((began + 35.seconds()).to_string());
        call["talkers"] = json!(["101"]);
    }
    call
}

pub(super) async fn a_strangers_call_whose_card_was_shown_stands_on_the_card_that_it_makes_once(
    company: &dyn Company,
) {
    if !company.shows_cards() {
        return;
    }
    let chats = "[integrations.settings.chats]";
    let popup = format!("[integrations.settings.popup]\nshow_to = \"rung\"\n\n{chats}");
    company.home().edit_tenant(chats, &popup);
    let daemon = company.start().await;
    let now = SystemClock.now().as_millis();
    let began = Timestamp::from_millisecond(now).expect("a time");
    tell(&daemon, &live(began, 1, "ringing")).await;
    until("its card was shown", async || {
        let story = daemon.story("acme/site/p-1").await.to_string();
        let shown = story.contains("\"passing\"") && story.contains("\"done\"");
        when(shown, format!("{story}\n{}", company.home().log()))
    })
    .await;
    tell(&daemon, &live(began, 2, "ended")).await;
    settled(&daemon, 1).await;
    is_one_client(company, CALLER);
    let call = the_call(company, CALLER);
    let [anna, ..] = company.users();
    assert_eq!((call.user.as_str(), call.standing), (anna, 1), "{call:?}");
}
