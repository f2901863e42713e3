//! One connection, under a clock that the test drives.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::super::conversation::{Deadlines, Ending, hold};
use super::super::environment::Refusal;
use super::super::replies::Replies;
use super::doubles::{Fake, SCRIPT, ask, commands, environment};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const DEADLINES: Deadlines = Deadlines {
    environment: Duration::from_secs(2),
    answer: Duration::from_secs(3),
    replies: Duration::from_secs(4),
};

/// Runs our side against what `asterisk` does with its end.
async fn meet<T>(
    fake: &Fake,
    peer: IpAddr,
    asterisk: impl AsyncFnOnce(DuplexStream) -> T,
) -> (Ending, T) {
    let (ours, theirs) = duplex(4096);
    tokio::join!(hold(ours, peer, fake, DEADLINES), asterisk(theirs))
}

async fn asked(fake: &Fake, peer: IpAddr, script: &str) -> (&'static str, String) {
    let environment = environment(script);
    let (ending, told) = meet(fake, peer, async |end| ask(end, &environment).await).await;
    (ending.word(), told)
}

#[tokio::test(start_paused = true)]
async fn a_question_sets_four_variables() {
    let fake = Fake::naming("ООО Ромашка");
    let (ending, told) = asked(&fake, LOOPBACK, SCRIPT).await;
    assert_eq!(ending, "answered");
    let expected = commands("101", "personal_manager", "ООО Ромашка", "Анна");
    assert_eq!(told, expected);
    let question = fake.asked.lock().unwrap().pop().unwrap();
    assert_eq!(question.caller, "79161234567");
    assert_eq!(question.did.as_deref(), Some("74951230010"));
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_name_is_a_command_stays_a_value() {
    let fake = Fake::naming("x\nEXEC System \"reboot\"\\\r\nHANGUP");
    let (ending, told) = asked(&fake, LOOPBACK, SCRIPT).await;
    assert_eq!(ending, "answered");
    let client = r#"x EXEC System \"reboot\"\\ HANGUP"#;
    let expected = commands("101", "personal_manager", client, "Анна");
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_answered_empties_the_variables_and_tells_no_reason() {
    let fake = Fake::naming("x");
    let stranger = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
    let other_source = "lookup?tenant=acme&source=other";
    for (script, peer, why) in [
        (
            "route?tenant=acme&source=office",
            LOOPBACK,
            "unknown_script",
        ),
        ("lookup?tenant=acme", LOOPBACK, "unknown_source"),
        (other_source, LOOPBACK, "unknown_source"),
        (SCRIPT, stranger, "not_allowed"),
    ] {
        let (ending, told) = asked(&fake, peer, script).await;
        assert_eq!(ending, why);
        assert_eq!(told, commands("", "none", "", ""));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_its_side_behind_the_environment_is_answered() {
    let fake = Fake::naming("x");
    let (_, told) = meet(&fake, LOOPBACK, async |mut end| {
        end.write_all(environment(SCRIPT).as_bytes()).await.unwrap();
        end.shutdown().await.unwrap();
        let mut told = String::new();
        end.read_to_string(&mut told).await.unwrap();
        told
    })
    .await;
    assert_eq!(told.lines().count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_frees_the_channel_at_once() {
    let fake = Fake::naming("x");
    let dead = "511 Command Not Permitted on a dead channel or intercept routine\n";
    for replies in [
        "HANGUP\n".to_owned(),
        format!("200 result=1\nHANGUP\n{}", dead.repeat(3)),
    ] {
        let begun = Instant::now();
        let (ending, ()) = meet(&fake, LOOPBACK, async |mut end| {
            end.write_all(environment(SCRIPT).as_bytes()).await.unwrap();
            end.read_to_string(&mut String::new()).await.unwrap();
            end.write_all(replies.as_bytes()).await.unwrap();
            // The other side is gone while ours is still open.
            end.read_to_end(&mut Vec::new()).await.unwrap();
        })
        .await;
        assert_eq!(ending, Ending::Gone);
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_asterisk_that_does_not_set_a_variable_is_noticed() {
    let fake = Fake::naming("x");
    let (ending, ()) = meet(&fake, LOOPBACK, async |mut end| {
        end.write_all(environment(SCRIPT).as_bytes()).await.unwrap();
        end.read_to_string(&mut String::new()).await.unwrap();
        let replies = "200 result=1\n200 result=1\n\
            520-Invalid command syntax.  Proper usage follows:\n520 End of proper usage.\n\
            511 Command Not Permitted on a dead channel or intercept routine\n";
        end.write_all(replies.as_bytes()).await.unwrap();
    })
    .await;
    let replies = Replies {
        set: 2,
        refused: 2,
        hung_up: false,
    };
    assert_eq!(ending, Ending::NotSet(replies));
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_never_ends_is_left_at_the_deadline() {
    let fake = Fake::naming("x");
    for said in ["", "agi_network: yes\n", "agi_network: ye"] {
        let begun = Instant::now();
        let (ending, ()) = meet(&fake, LOOPBACK, async |mut end| {
            end.write_all(said.as_bytes()).await.unwrap();
            end.read_to_end(&mut Vec::new()).await.unwrap();
        })
        .await;
        assert_eq!(ending, Ending::Silent);
        assert_eq!(begun.elapsed(), DEADLINES.environment);
    }
    let begun = Instant::now();
    let (ending, ()) = meet(&fake, LOOPBACK, async |mut end| {
        end.write_all(environment(SCRIPT).as_bytes()).await.unwrap();
        end.read_to_string(&mut String::new()).await.unwrap();
        // It does not answer, and does not go either.
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    assert_eq!(ending, Ending::Gone);
    assert!(begun.elapsed() >= DEADLINES.replies);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let fake = Fake {
        hangs: true,
        ..Fake::naming("x")
    };
    let begun = Instant::now();
    let (ending, told) = asked(&fake, LOOPBACK, SCRIPT).await;
    assert_eq!((ending, told.as_str()), ("late", ""));
    assert_eq!(begun.elapsed(), DEADLINES.answer);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_lines_and_a_line_without_end_are_cut_off() {
    let fake = Fake::naming("x");
    let lines = "agi_x: y\n".repeat(10_000);
    let endless = format!("agi_x: {}", "y".repeat(100_000));
    for (text, why) in [
        (lines.as_str(), Refusal::TooLong),
        (endless.as_str(), Refusal::TooLong),
        ("GET / HTTP/1.1\r\n\r\n", Refusal::Foreign),
    ] {
        let (ending, ()) = meet(&fake, LOOPBACK, async |mut end| {
            let _ = end.write_all(text.as_bytes()).await;
        })
        .await;
        assert_eq!(ending, Ending::Refused(why));
    }
}
