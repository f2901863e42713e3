//! What the desk does around the chain: live questions, last talks, who may ask.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::*;
use crate::model::call::{Call, CallPhase, CallResult, Direction};
use crate::model::communication::{Body, Snapshot};
use crate::model::ids::CommunicationKey;
use crate::model::phone::ClientNumber;
use crate::model::question::{Knowledge, NotAnswered, Question};
use crate::pbx::Answerer;

/// A CRM that answers after a while, or cannot be asked.
struct Crm {
    clients: Option<Vec<KnownClient>>,
    after: Option<Duration>,
    asked: AtomicUsize,
}

impl LiveBook for Crm {
    fn ask(&self, _: Phone) -> Option<BoxFuture<'static, Option<Vec<KnownClient>>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let after = self.after?;
        let clients = self.clients.clone();
        let answer = async move {
            tokio::time::sleep(after).await;
            clients
        };
        Some(answer.boxed())
    }
}

fn crm(clients: Option<Vec<KnownClient>>, after_ms: Option<u64>) -> Arc<Crm> {
    Arc::new(Crm {
        clients,
        after: after_ms.map(Duration::from_millis),
        asked: AtomicUsize::new(0),
    })
}

fn office(crm: &Arc<Crm>, within_ms: Option<u64>) -> Office {
    let live: Arc<dyn LiveBook> = Arc::clone(crm) as Arc<dyn LiveBook>;
    Office::new().with(|office| {
        office.integrations[0].live = Some(live);
        office.answering.live_within = within_ms.map(Duration::from_millis);
    })
}

#[tokio::test(start_paused = true)]
async fn a_client_whom_memory_does_not_know_is_asked_for_within_the_deadline() {
    let anna = || Some(vec![contact("1", "502", 5)]);
    for (what, crm, expected) in [
        (
            "known",
            crm(anna(), Some(100)),
            "personal_manager 101 manager=anna client=1",
        ),
        ("unknown", crm(Some(Vec::new()), Some(100)), "default 700"),
        ("too late", crm(anna(), Some(400)), "default 700"),
        ("no clear answer", crm(None, Some(1)), "default 700"),
        ("the breaker is open", crm(None, None), "default 700"),
    ] {
        let desk = office(&crm, Some(300)).desk();
        let began = tokio::time::Instant::now();
        let found = ask(&desk, CLIENT, None).await;
        assert_eq!(told(&found), expected, "{what}");
        assert!(began.elapsed() <= Duration::from_millis(301), "{what}");
        assert_eq!(crm.asked.load(Ordering::Relaxed), 1, "{what}");
        let live = found.answer.knowledge == Knowledge::Live;
        assert_eq!(live, what == "known");
        assert_eq!(found.answer.age_s, live.then_some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_crm_is_asked_only_where_opted_for_and_only_where_it_could_change_the_answer() {
    let anna = || Some(vec![contact("1", "502", 5)]);
    let crm = crm(anna(), Some(10));
    let not_opted = office(&crm, None).desk();
    ask(&not_opted, CLIENT, None).await;
    let known = office(&crm, Some(300))
        .knows(vec![contact("2", "503", 1)])
        .desk();
    ask(&known, CLIENT, None).await;
    let desk = office(&crm, Some(300))
        .with(|office| {
            office.numbers.push(number("100", Scenario::Other));
            office
                .numbers
                .push(number("101", Scenario::Employee(id("anna"))));
        })
        .desk();
    for (caller, did) in [
        ("anonymous", None),
        ("112", None),
        ("+79160000001", None),
        (CLIENT, Some("100")),
        (CLIENT, Some("101")),
    ] {
        ask(&desk, caller, did).await;
    }
    assert_eq!(crm.asked.load(Ordering::Relaxed), 0);
    // The asker's own patience counts, too.
    let ask = Ask {
        caller: CLIENT,
        within: Some(Duration::from_millis(5)),
        ..Ask::default()
    };
    let found = desk.answer(&source(&desk), ask).await;
    assert_eq!(told(&found), "default 700");
    assert_eq!(crm.asked.load(Ordering::Relaxed), 1);
}

pub(super) fn talk(client: &str, extension: &str, at_s: i64) -> Snapshot {
    let extension = Extension(extension.to_owned());
    let call = Call {
        direction: Direction::Incoming,
        phase: CallPhase::Ended,
        result: CallResult::Answered,
        client: ClientNumber::Phone {
            phone: phone(client),
        },
        client_name: None,
        our_number: None,
        caller_extension: None,
        started_at: Timestamp::from_secs(at_s),
        answered_at: None,
        ended_at: None,
        waiting_ms: 0,
        talking_ms: 1,
        legs: Vec::new(),
        talkers: vec![extension],
        last_talker: None,
        queues: Vec::new(),
        recordings: Vec::new(),
        click_to_call: None,
        blind: None,
        tags: Vec::new(),
        details: Default::default(),
    };
    let key = CommunicationKey::new(id("acme/office"), &format!("call-{at_s}"));
    Snapshot {
        key: key.expect("a key"),
        revision: 1,
        body: Body::Call { call },
    }
}

#[tokio::test]
async fn a_shared_number_goes_to_whoever_talked_with_it_last() {
    let desk = Office::new()
        .knows(vec![contact("2", "503", 20), contact("1", "502", 10)])
        .with(|office| {
            let text = r#"{"shared_numbers":{"policy":"last_talk"}}"#;
            office.integrations[0].settings = Some(settings(text));
        })
        .desk();
    let expect = async |line: &str| assert_eq!(told(&ask(&desk, CLIENT, None).await), line);
    assert!(desk.talks().keep(true));
    desk.talks().note(&talk(CLIENT, "101", 100));
    expect("personal_manager 101 manager=anna client=1 policy=last_talk").await;
    desk.talks().note(&talk(CLIENT, "102", 200));
    expect("personal_manager 102 manager=boris client=2 policy=last_talk").await;
    // News that come late are older than what is known.
    desk.talks().note(&talk(CLIENT, "101", 150));
    expect("personal_manager 102 manager=boris client=2 policy=last_talk").await;
    // Nobody asks for talks any more: they are forgotten, and new ones are not remembered.
    assert!(desk.talks().keep(false));
    desk.talks().note(&talk(CLIENT, "101", 300));
    assert_eq!(desk.talks().with(&id("acme"), &phone(CLIENT)), None);
}

#[tokio::test]
async fn only_addresses_of_the_sources_allow_are_answered() {
    let desk = Office::new()
        .with(|office| office.answering.allow = vec!["10.0.0.0/24".parse().expect("a range")])
        .desk();
    let ask = |source: &str, asker: &str| {
        let question = Question {
            source: id(source),
            caller: CLIENT.to_owned(),
            did: None,
            within: None,
        };
        let asker: IpAddr = asker.parse().expect("an address");
        let answer = Answerer::answer(&desk, question, asker);
        answer.now_or_never().expect("at once")
    };
    assert!(ask("acme/office", "10.0.0.7").is_ok());
    for asker in ["127.0.0.1", "10.0.1.7", "::1"] {
        let refused = ask("acme/office", asker);
        assert!(
            matches!(refused, Err(NotAnswered::NotAllowed { .. })),
            "{asker}"
        );
    }
    let refused = ask("acme/attic", "10.0.0.7");
    assert!(matches!(refused, Err(NotAnswered::UnknownSource(_))));
}

#[tokio::test]
async fn a_book_that_is_not_read_through_yet_answers_with_what_it_has() {
    let desk = Office::new()
        .knows(vec![contact("1", "502", 5)])
        .with(|office| office.integrations[0].book.as_of = None)
        .desk();
    let found = ask(&desk, CLIENT, None).await;
    assert_eq!(told(&found), "personal_manager 101 manager=anna client=1");
    assert_eq!(found.answer.age_s, None);
    let found = ask(&desk, "+79160000009", None).await;
    assert_eq!(told(&found), "default 700");
    let incomplete = crate::questions::reason::Reason::DirectoryIncomplete {
        integration: id("sales"),
    };
    assert!(found.reasons.contains(&incomplete), "{:?}", found.reasons);
}
