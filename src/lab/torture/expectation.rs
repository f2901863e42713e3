//! What the CRM must hold in the end: the stream, and what of it could be seen.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::crm::{ADMINISTRATOR, CrmKind};
use super::posting::Poster;
use super::sightings::{Certainty, Observer, Sighting, Watch, certainty, logged_from};
use super::stream::{Call, CallId, Stream, Way};
use super::verdict::{ExpectedCall, ExpectedClient};

/// Says what the CRM must hold.
pub(super) fn expectation(
    crm: CrmKind,
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
                    users: users_of(crm, call),
                    talk_s: None,
                    needed: true,
                }),
                Way::Played => {
                    let sighting = observer.sighting(played.get(&id)?)?;
                    let logged = logged_from.is_some_and(|from| sighting.begun >= from);
                    Some(match logged {
                        true => logged_call(crm, call, &sighting),
                        false => early_call(crm, call, &sighting, watches),
                    })
                }
            }
        });
        expected.push(ExpectedClient {
            phone: client.phone.chars().skip(1).collect(),
            unsorted: match client.unlucky {
                true => records(crm, client.calls.len()),
                false => 0,
            },
            calls: calls.collect(),
        });
    }
    expected
}

/// What the CRM must hold of a call that did not wait, but stands in the switch's log: all of it,
/// whether the daemon lived meanwhile or not.
fn logged_call(crm: CrmKind, call: &Call, sighting: &Sighting) -> ExpectedCall {
    let talk = sighting.talk_from.zip(sighting.busy_until);
    let talk_s = talk.map(|(from, until)| until.saturating_duration_since(from).as_secs());
    ExpectedCall {
        at_s: sighting.at_s,
        outgoing: call.outgoing,
        answered: Some(call.answered),
        users: users_of(crm, call),
        talk_s: talk_s.and_then(|seconds| i64::try_from(seconds).ok()),
        needed: true,
    }
}

/// What the CRM must hold of a call that began before the daemon's first look: what of it was
/// seen.
fn early_call(crm: CrmKind, call: &Call, sighting: &Sighting, watches: &[Watch]) -> ExpectedCall {
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
        users: match known {
            true => users_of(crm, call),
            false => Vec::new(),
        },
        talk_s: None,
        needed: exists,
    }
}

/// How many records that wait to be sorted so many missed calls of one client make: one each in
/// amoCRM's Unsorted, and one lead in Bitrix24, on which the later calls are logged. AlfaCRM has
/// nothing of the kind: the client's card is the lead.
fn records(crm: CrmKind, calls: usize) -> usize {
    match crm {
        CrmKind::Amocrm => calls,
        CrmKind::Bitrix24 => calls.min(1),
        // They have nothing like that: the call is the client's, as any other.
        CrmKind::Planfix | CrmKind::Alfacrm => 0,
    }
}

/// The users who may be named by a call's entry: whose phone took part. In Bitrix24 a missed
/// incoming call may be of who answers for the client instead, if there is a card already (V-04).
fn users_of(crm: CrmKind, call: &Call) -> Vec<u64> {
    let owner = match crm {
        CrmKind::Bitrix24 if !call.answered && !call.outgoing => Some(ADMINISTRATOR),
        CrmKind::Amocrm | CrmKind::Bitrix24 | CrmKind::Planfix | CrmKind::Alfacrm => None,
    };
    user_of(call.extension).into_iter().chain(owner).collect()
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
