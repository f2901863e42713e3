//! What the CRM must hold in the end: the stream, and what of it could be seen.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::posting::Poster;
use super::sightings::{Certainty, Observer, Sighting, Watch, certainty, logged_from};
use super::stream::{Call, CallId, Stream, Way};
use super::verdict::{ExpectedCall, ExpectedClient};

/// Says what the CRM must hold.
pub(super) fn expectation(
    stream: &Stream,
    poster: &Poster,
    observer: &Observer,
    played: &BTreeMap<CallId, String>,
    watches: &[Watch],
) -> Vec<ExpectedClient> {
    let logged_from = logged_from(watches);
    let mut expected = Vec::with_capacity(stream.clients.len());
    for (number, client) in stream.clients.iter().enumerate() {
        let calls = client.calls.iter().enumerate().filter_map(|(n, call)| {
            let id = CallId {
                client: number,
                call: n,
            };
            match client.way {
                Way::Posted => Some(ExpectedCall {
                    at_s: poster.at_s(id),
                    outgoing: call.outgoing,
                    answered: Some(call.answered),
                    user: user_of(call.extension),
                    talk_s: None,
                    needed: true,
                }),
                Way::Played => {
                    let sighting = observer.sighting(played.get(&id)?)?;
                    let logged = logged_from.is_some_and(|from| sighting.begun >= from);
                    Some(match logged {
                        true => logged_call(call, &sighting),
                        false => early_call(call, &sighting, watches),
                    })
                }
            }
        });
        expected.push(ExpectedClient {
            phone: client.phone.chars().skip(1).collect(),
            unsorted: client.unlucky,
            calls: calls.collect(),
        });
    }
    expected
}

/// What the CRM must hold of a call that did not wait, but stands in the switch's log: all of it,
/// whether the daemon lived meanwhile or not.
fn logged_call(call: &Call, sighting: &Sighting) -> ExpectedCall {
    let talk = sighting.talk_from.zip(sighting.busy_until);
    let talk_s = talk.map(|(from, until)| until.saturating_duration_since(from).as_secs());
    ExpectedCall {
        at_s: sighting.at_s,
        outgoing: call.outgoing,
        answered: Some(call.answered),
        user: user_of(call.extension),
        talk_s: talk_s.and_then(|seconds| i64::try_from(seconds).ok()),
        needed: true,
    }
}

/// What the CRM must hold of a call that began before the daemon's first look: what of it was
/// seen.
fn early_call(call: &Call, sighting: &Sighting, watches: &[Watch]) -> ExpectedCall {
    let seen = |from: Option<Instant>| match (from, sighting.busy_until) {
        (Some(from), Some(until)) => certainty(watches, from, until),
        _ => Certainty::Unseen,
    };
    let exists = seen(sighting.dialled) == Certainty::Seen;
    let known = if call.answered {
        seen(sighting.talk_from) == Certainty::Seen
    } else {
        exists
    };
    ExpectedCall {
        at_s: sighting.at_s,
        outgoing: call.outgoing,
        answered: known.then_some(call.answered),
        user: user_of(call.extension).filter(|_| known),
        talk_s: None,
        needed: exists,
    }
}

/// The user of a phone, by the torture's configuration.
fn user_of(extension: &str) -> Option<u64> {
    match extension {
        "101" => Some(502),
        "102" => Some(503),
        "103" => Some(504),
        _ => None,
    }
}
