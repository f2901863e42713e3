//! Getting in: greeting, password, subscription, what the PBX may refuse, and garbage.

use serde_json::json;

use super::doubles::{Bench, ended};
use super::fake_pbx::{Face, FakePbx, header};
use crate::pbx::ListenerError;

/// The headers that we send in the recorded login, by action.
fn recorded(action: &str) -> Vec<(String, String)> {
    let transcript = include_str!("../../../../tests/data/asterisk/ami-login-md5.transcript");
    let ours = transcript
        .lines()
        .filter_map(|line| line.strip_prefix(">> "));
    let mut headers: Vec<(String, String)> = ours
        .skip_while(|line| *line != format!("Action: {action}"))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let next = headers
        .iter()
        .skip(1)
        .position(|(name, _)| name == "Action");
    headers.truncate(next.map_or(headers.len(), |position| position + 1));
    headers.retain(|(name, _)| !matches!(name.as_str(), "ActionID" | "Events"));
    headers
}

#[tokio::test]
async fn the_login_proves_the_secret_as_recorded_and_subscribes() {
    let mut pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let run = bench.run();
    let peer = bench.state.wait_until_up(1).await;
    assert_eq!(peer, format!("Asterisk 22.10.1 at 127.0.0.1:{}", pbx.port));

    for name in ["Challenge", "Login"] {
        let sent = pbx.wait_for_action(name, 1).await;
        let expected = recorded(name);
        assert!(expected.len() >= 2, "{name} is in the transcript");
        for (key, value) in expected {
            assert_eq!(header(&sent, &key), Some(value.as_str()), "{name}");
        }
    }
    let login = pbx.wait_for_action("Login", 1).await;
    assert_eq!(header(&login, "Events"), Some("system,call,agent,user,cdr"));
    assert_eq!(header(&login, "Secret"), None);

    bench.stop.send_replace(true);
    assert_eq!(ended(run).await, Ok(()));
    pbx.wait_for_action("Logoff", 1).await;
}

#[tokio::test]
async fn a_refused_login_names_both_causes() {
    let face = Face {
        login_answer: Some("Authentication failed"),
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let Err(ListenerError::Refused(message)) = ended(Bench::new(pbx.port).run()).await else {
        panic!("a refusal expected");
    };
    assert!(message.contains("secret is wrong"), "{message}");
    assert!(message.contains("address is not permitted"), "{message}");
}

#[tokio::test]
async fn a_user_that_is_logged_in_already_is_tried_again() {
    let face = Face {
        login_answer: Some("Login Already In Use"),
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let result = ended(Bench::new(pbx.port).run()).await;
    assert!(
        matches!(result, Err(ListenerError::Connection(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn without_challenge_and_tls_the_password_stays_here() {
    let face = Face {
        unknown: ["Challenge"].into(),
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let result = ended(Bench::new(pbx.port).run()).await;
    assert!(
        matches!(&result, Err(ListenerError::Refused(message)) if message.contains("login = \"plain\"")),
        "{result:?}"
    );
    assert_eq!(pbx.names().await, ["Challenge"]);
}

#[tokio::test]
async fn a_plain_login_is_made_where_it_is_chosen() {
    let mut pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::with(pbx.port, json!({ "login": "plain" }));
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    let login = pbx.wait_for_action("Login", 1).await;
    assert_eq!(header(&login, "Secret"), Some("loopback-only"));
    assert!(!pbx.names().await.contains(&"Challenge".to_owned()));
}

#[tokio::test]
async fn another_service_on_the_port_is_named() {
    let face = Face {
        banner: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let result = ended(Bench::new(pbx.port).run()).await;
    assert!(
        matches!(&result, Err(ListenerError::Protocol(_))),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_port_is_named_after_the_deadline() {
    let face = Face {
        banner: "",
        ..Face::default()
    };
    let (pbx, pipe) = FakePbx::on_a_pipe(face);
    let result = ended(Bench::new(pbx.port).run_over(pipe)).await;
    assert!(
        matches!(&result, Err(ListenerError::Protocol(message)) if message.contains("silent")),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_closed_port_is_a_broken_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let result = ended(Bench::new(port).run()).await;
    assert!(
        matches!(result, Err(ListenerError::Connection(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_user_with_few_rights_has_a_session_with_remarks() {
    let face = Face {
        uptime: None,
        denied: [
            "CoreStatus",
            "CoreSettings",
            "CoreShowChannels",
            "Status",
            "BridgeList",
            "Filter",
        ]
        .into(),
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let bench = Bench::with(pbx.port, json!({ "events": ["call", "dialplan"] }));
    let _run = bench.run();
    let peer = bench.state.wait_until_up(1).await;
    assert!(
        peer.starts_with("Asterisk Call Manager/11.0.0 at "),
        "{peer}"
    );
    let remarks = bench.sink.remarks().join("\n");
    for word in [
        "since when it runs",
        "CoreShowChannels",
        "Status",
        "cannot be compared",
    ] {
        assert!(remarks.contains(word), "{word}: {remarks}");
    }
}

#[tokio::test]
async fn filters_keep_out_only_what_was_asked_for_and_is_of_no_use() {
    let mut pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::with(
        pbx.port,
        json!({ "events": ["call", "system", "dialplan"] }),
    );
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    for (times, filter) in [(1, "!Event: Newexten"), (2, "!Variable: RTPAUDIOQOS")] {
        let action = pbx.wait_for_action("Filter", times).await;
        assert_eq!(header(&action, "Filter"), Some(filter));
        assert_eq!(
            header(&action, "MatchCriteria"),
            None,
            "the new form is unsafe on 16"
        );
    }
}

#[tokio::test]
async fn garbage_and_an_endless_line_cost_one_remark_and_nothing_else() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    let mut garbage = vec![b'x'; 300_000];
    garbage.extend(b"\r\n\r\n\0\xff\xfe: \x01\r\n\r\n");
    garbage.extend(std::iter::repeat_n(b'y', 100_000));
    garbage.extend(b"\r\n\r\n");
    pbx.send_bytes(garbage).await;
    pbx.send("Event: PeerStatus\nPeer: PJSIP/101\n\n").await;
    bench
        .sink
        .wait_until("the remark", |sink| !sink.remarks().is_empty())
        .await;
    assert!(!run.is_finished());
    bench.stop.send_replace(true);
    assert_eq!(ended(run).await, Ok(()));
    assert_eq!(bench.sink.remarks().len(), 1, "{:?}", bench.sink.remarks());
}
