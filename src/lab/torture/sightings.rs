//! What could be known of the calls that were played: when each rang, talked and ended, seen by an
//! observer who is never killed, and when the daemon was there to see it.
//!
//! The switch does not wait, but it keeps a log. From the daemon's first look on, whatever happens
//! while it is dead stands there. Of what began before that look three things are told apart: seen
//! for certain, perhaps, not at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::lab::ami::{AmiServer, Message};
use crate::lab::lock::lock;
use crate::lab::wall;

/// How long before its death an event must have reached the daemon for its record to be
/// certain: reading and committing take milliseconds, but the machine may be busy with a build.
const COMMIT_MARGIN: Duration = Duration::from_millis(1_000);
/// How long after the first list the daemon may still be asking the switch for others.
const LISTS_MARGIN: Duration = Duration::from_millis(700);
/// The observer's largest backlog of unfinished text; one event is a few hundred bytes.
const PENDING_BYTES_MAX: usize = 1 << 20;

/// One life of the daemon, as far as the switch is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// When it asked which channels there are.
    pub(super) from: Instant,
    /// When it was killed; nothing while it lives.
    pub(super) until: Option<Instant>,
}

/// How sure it is that the daemon saw something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    Seen,
    Perhaps,
    Unseen,
}

/// Says whether something that lasted from one moment to another was seen: as it began, or by the
/// lists at the beginning of a watch.
pub(super) fn certainty(watches: &[Watch], from: Instant, until: Instant) -> Certainty {
    let mut perhaps = false;
    for watch in watches {
        let lists_done = watch.from + LISTS_MARGIN;
        let noticed = if from >= lists_done { from } else { lists_done };
        let safe = watch.until.is_none_or(|end| noticed + COMMIT_MARGIN <= end);
        if noticed <= until && safe {
            return Certainty::Seen;
        }
        // The first list's time is learnt a little late.
        let earliest = watch.from.checked_sub(LISTS_MARGIN).unwrap_or(watch.from);
        let alive = watch.until.is_none_or(|end| from <= end);
        perhaps |= alive && until >= earliest;
    }
    if perhaps {
        Certainty::Perhaps
    } else {
        Certainty::Unseen
    }
}

/// Returns from when on the switch's log tells everything: the daemon looked, and lived long enough
/// to write down where the log ended.
pub(super) fn logged_from(watches: &[Watch]) -> Option<Instant> {
    let lasting = |watch: &&Watch| {
        let written = watch.from + LISTS_MARGIN + COMMIT_MARGIN;
        watch.until.is_none_or(|end| written <= end)
    };
    let first = watches.iter().find(lasting)?;
    Some(first.from + LISTS_MARGIN)
}

/// What the observer saw of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting {
    /// Unix seconds of its beginning.
    pub(super) at_s: i64,
    /// The same moment.
    pub(super) begun: Instant,
    /// When it was known who is called: a phone or a line was dialled.
    pub(super) dialled: Option<Instant>,
    /// When two were connected.
    pub(super) talk_from: Option<Instant>,
    /// When the ringing or the talk ended.
    pub(super) busy_until: Option<Instant>,
}

type Sightings = Arc<Mutex<BTreeMap<String, Sighting>>>;

/// Somebody else who watches the switch, and writes down when the daemon looks.
#[derive(Debug)]
pub(super) struct Observer {
    sightings: Sightings,
    attached: Arc<Mutex<Vec<Instant>>>,
    reading: JoinHandle<anyhow::Result<()>>,
    counting: JoinHandle<()>,
}

impl Observer {
    /// Logs in to the switch and watches until dropped.
    pub(super) async fn start(ami: &AmiServer) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(ami.address())
            .await
            .context("connect to the simulated switch")?;
        let login = "Action: Login\r\nUsername: crm\r\nSecret: loopback-only\r\n\r\n";
        stream.write_all(login.as_bytes()).await?;
        let sightings = Sightings::default();
        let attached = Arc::new(Mutex::new(Vec::new()));
        let reading = tokio::spawn(read(stream, Arc::clone(&sightings)));
        let mut looks = ami.attached();
        let written = Arc::clone(&attached);
        let counting = tokio::spawn(async move {
            while looks.changed().await.is_ok() {
                lock(&written).push(Instant::now());
            }
        });
        Ok(Self {
            sightings,
            attached,
            reading,
            counting,
        })
    }

    /// Returns what was seen of a call, by its Linkedid.
    pub(super) fn sighting(&self, linked_id: &str) -> Option<Sighting> {
        lock(&self.sightings).get(linked_id).copied()
    }

    /// Returns when the daemon first looked after this moment.
    pub(super) fn attached_after(&self, moment: Instant) -> Option<Instant> {
        lock(&self.attached)
            .iter()
            .find(|at| **at >= moment)
            .copied()
    }

    /// Fails when the observer has gone blind: then nothing can be said about the calls.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.reading.is_finished() {
            bail!("the observer lost its connection to the simulated switch");
        }
        Ok(())
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.reading.abort();
        self.counting.abort();
    }
}

async fn read(mut stream: TcpStream, sightings: Sightings) -> anyhow::Result<()> {
    let mut pending = String::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 || pending.len() > PENDING_BYTES_MAX {
            bail!("the simulated switch ended the observer's session");
        }
        // The simulated switch sends ASCII and whole lines; a torn letter would only spoil a name.
        pending.push_str(&String::from_utf8_lossy(
            chunk.get(..count).unwrap_or_default(),
        ));
        while let Some((message, rest)) = pending.split_once("\r\n\r\n") {
            let message = Message::parse(message);
            pending = rest.to_owned();
            observe(&mut lock(&sightings), &message, Instant::now());
        }
    }
}

fn observe(sightings: &mut BTreeMap<String, Sighting>, event: &Message, now: Instant) {
    let linked_id = event.get("Linkedid").or_else(|| event.get("DestLinkedid"));
    let Some(linked_id) = linked_id.filter(|id| !id.is_empty()) else {
        return;
    };
    if event.event_name() == "Newchannel" && !sightings.contains_key(linked_id) {
        let at_s = i64::try_from(wall::now().as_secs()).unwrap_or(0);
        let begun = Sighting {
            at_s,
            begun: now,
            dialled: None,
            talk_from: None,
            busy_until: None,
        };
        sightings.insert(linked_id.to_owned(), begun);
    }
    let Some(sighting) = sightings.get_mut(linked_id) else {
        return;
    };
    match event.event_name() {
        "DialBegin" => {
            sighting.dialled.get_or_insert(now);
        }
        "BridgeEnter" if event.get("BridgeNumChannels") == Some("2") => {
            sighting.talk_from.get_or_insert(now);
        }
        "BridgeLeave" | "Hangup" => {
            sighting.busy_until.get_or_insert(now);
        }
        // Unanswered: the ringing is over.
        "DialEnd" if event.get("DialStatus") != Some("ANSWER") => {
            sighting.busy_until.get_or_insert(now);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_began_and_ended_between_two_lives_is_unseen() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let watches = [
            Watch {
                from: at(1_000),
                until: Some(at(5_000)),
            },
            Watch {
                from: at(10_000),
                until: None,
            },
        ];
        for (from, until, expected, why) in [
            (2_000, 2_500, Certainty::Seen, "in the middle of a life"),
            (2_000, 7_000, Certainty::Seen, "its beginning"),
            (
                4_500,
                7_000,
                Certainty::Perhaps,
                "a moment before the death",
            ),
            (5_100, 8_000, Certainty::Unseen, "between the lives"),
            (
                5_100,
                10_100,
                Certainty::Perhaps,
                "ends while the lists are read",
            ),
            (5_100, 11_000, Certainty::Seen, "still there for the lists"),
            (0, 200, Certainty::Unseen, "before the first life"),
            (
                500,
                1_200,
                Certainty::Perhaps,
                "ends as the first life begins",
            ),
        ] {
            assert_eq!(certainty(&watches, at(from), at(until)), expected, "{why}");
        }
    }

    #[tokio::test]
    async fn the_log_tells_everything_from_the_first_life_on_that_lasted() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let watch = |from, until| Watch {
            from: at(from),
            until: Some(at(until)),
        };
        assert_eq!(logged_from(&[watch(0, 900)]), None);
        let lives = [watch(0, 900), watch(2_000, 5_000), watch(6_000, 9_000)];
        assert_eq!(logged_from(&lives), Some(at(2_000) + LISTS_MARGIN));
    }

    #[tokio::test]
    async fn a_life_that_was_too_short_saw_nothing_for_certain() {
        let zero = Instant::now();
        let short = [Watch {
            from: zero,
            until: Some(zero + Duration::from_millis(900)),
        }];
        let seen = certainty(&short, zero, zero + Duration::from_millis(5_000));
        assert_eq!(seen, Certainty::Perhaps);
    }

    #[tokio::test]
    async fn the_observer_sees_when_a_played_call_talks_and_ends() {
        use crate::lab::ami::{AmiOptions, ScriptedCall};
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let ami = AmiServer::start(AmiOptions::on(listen)).await.unwrap();
        let observer = Observer::start(&ami).await.unwrap();
        while ami.clients() == 0 {
            tokio::task::yield_now().await;
        }
        let played = |capture| ami.play(ScriptedCall::of(capture).speed(20.0)).unwrap();
        for (capture, talks) in [
            ("inbound_answered", true),
            ("inbound_missed", false),
            ("inbound_caller_hangup", false),
            ("outbound_answered", true),
            ("outbound_noanswer", false),
        ] {
            let linked_id = played(capture).await.unwrap().unique_ids.remove(0);
            let seen = loop {
                let seen = observer.sighting(&linked_id);
                if let Some(seen) = seen.filter(|seen| seen.busy_until.is_some()) {
                    break seen;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(seen.talk_from.is_some(), talks, "{capture}");
            let times = [seen.dialled, seen.talk_from, seen.busy_until];
            let times: Vec<Instant> = times.into_iter().flatten().collect();
            assert!(times.is_sorted() && seen.dialled.is_some(), "{capture}");
        }
        observer.check().unwrap();
    }
}
