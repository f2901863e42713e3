//! Compares what the CRM holds with what the stream calls for. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::found::{Found, FoundCall};

/// How far an entry's time may be from its call's: whole seconds, and a switch that tells the
/// beginning of a call which was found running in whole seconds, too.
const TIME_S_MAX: i64 = 2;

/// What the CRM must hold of a client, as one source knows it; the cards of those with one number
/// are the same.
#[derive(Debug, Clone)]
pub(super) struct ExpectedClient {
    /// Last ten digits.
    pub(super) phone: String,
    /// How many records wait to be sorted; where there are some, there is no card.
    pub(super) unsorted: usize,
    /// The calls in order.
    pub(super) calls: Vec<ExpectedCall>,
}

/// What the CRM must hold of a call.
#[derive(Debug, Clone)]
pub(super) struct ExpectedCall {
    /// Unix seconds.
    pub(super) at_s: i64,
    pub(super) outgoing: bool,
    /// Nothing where it could not be known.
    pub(super) answered: Option<bool>,
    /// The users of whom one is named; empty where it could not be known.
    pub(super) users: Vec<u64>,
    /// How long the talk was, in seconds; nothing where it is not compared.
    pub(super) talk_s: Option<i64>,
    /// It must be there; otherwise the daemon could not know of it for certain, and it may.
    pub(super) needed: bool,
}

/// The counts of the last line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) lost: usize,
    pub(super) duplicated: usize,
    pub(super) out_of_order: usize,
}

/// What came of the comparison.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) counts: Counts,
    /// What is wrong, one line each.
    pub(super) differences: Vec<String>,
}

impl Verdict {
    fn lose(&mut self, text: String) {
        self.counts.lost += 1;
        self.differences.push(format!("lost: {text}"));
    }

    fn duplicate(&mut self, count: usize, text: &str) {
        if count > 0 {
            self.counts.duplicated += count;
            self.differences.push(format!("{count} too many: {text}"));
        }
    }

    /// Compares numbers of one kind of record.
    fn count(&mut self, what: &str, expected: usize, found: usize) {
        if found < expected {
            for _ in found..expected {
                self.lose(format!("{what}: {expected} expected, {found} there"));
            }
        }
        let text = format!("{what}: {expected} expected, {found} there");
        self.duplicate(found.saturating_sub(expected), &text);
    }
}

/// Compares.
pub(super) fn judge(clients: &[ExpectedClient], found: &Found) -> Verdict {
    let mut verdict = Verdict::default();
    let mut calls: BTreeMap<&str, Vec<&FoundCall>> = BTreeMap::new();
    for call in &found.calls {
        calls.entry(&call.phone).or_default().push(call);
    }
    let mut by_phone: BTreeMap<&str, Vec<&ExpectedClient>> = BTreeMap::new();
    for client in clients {
        by_phone.entry(&client.phone).or_default().push(client);
    }
    for (phone, ways) in &by_phone {
        let mut held = calls.remove(phone).unwrap_or_default();
        let entries = held.len();
        for client in ways {
            judge_calls(client, &mut held, &mut verdict);
        }
        if !held.is_empty() {
            let text = format!("calls of {phone}: {held:?} beside those of {ways:?}");
            verdict.duplicate(held.len(), &text);
        }
        let records = ways.iter().map(|client| client.unsorted).sum();
        let mut expected = ways.iter().flat_map(|client| &client.calls);
        let called = entries > 0 || expected.any(|call| call.needed);
        let cards = usize::from(called && records == 0);
        let contacts = found.contacts_of(phone);
        verdict.count(&format!("contacts of {phone}"), cards, contacts);
        let deals = found.deals_of(phone);
        verdict.count(&format!("deals of {phone}"), cards, deals);
        let unsorted = found.unsorted_of(phone);
        verdict.count(&format!("unsorted of {phone}"), records, unsorted);
    }
    for (phone, held) in calls {
        verdict.duplicate(held.len(), &format!("calls of {phone}, who never called"));
    }
    let strange = found.contacts.iter().filter(|contact| {
        let mut phones = contact.phones.iter();
        !phones.any(|phone| by_phone.keys().any(|known| phone.ends_with(known)))
    });
    verdict.duplicate(strange.count(), "contacts of nobody who called");
    let unfinished = format!("calls that were never ended: {:?}", found.unfinished);
    verdict.duplicate(found.unfinished.len(), &unfinished);
    let twice = format!(
        "calls that stand on cards twice: {:?}",
        found.twice_on_cards
    );
    verdict.duplicate(found.twice_on_cards.len(), &twice);
    let adrift = found.deals.iter().filter(|deal| deal.is_adrift);
    verdict.duplicate(adrift.count(), "deals without a contact");
    verdict
}

/// Finds each call's entry, takes it out, and says what is wrong with it.
fn judge_calls(client: &ExpectedClient, held: &mut Vec<&FoundCall>, verdict: &mut Verdict) {
    let phone = &client.phone;
    let mut found: Vec<(u64, usize)> = Vec::new();
    for (number, call) in client.calls.iter().enumerate() {
        let at = held
            .iter()
            .position(|entry| (entry.at - call.at_s).abs() <= TIME_S_MAX);
        let Some(at) = at else {
            if call.needed {
                verdict.lose(format!("call {number} of {phone}: {call:?}"));
            }
            continue;
        };
        let entry = held.remove(at);
        found.push((entry.id, number));
        if let Some(what) = wrong(call, entry) {
            let text = format!("call {number} of {phone} has a wrong {what}: {call:?}, {entry:?}");
            verdict.lose(text);
        }
    }
    found.sort_unstable();
    for pair in found.windows(2) {
        if let [(_, earlier), (_, later)] = pair
            && earlier > later
        {
            verdict.counts.out_of_order += 1;
            let text = format!("out of order: {phone}: call {earlier} stands before call {later}");
            verdict.differences.push(text);
        }
    }
}

fn wrong(call: &ExpectedCall, entry: &FoundCall) -> Option<&'static str> {
    if entry.outgoing != call.outgoing {
        Some("direction")
    } else if call
        .answered
        .is_some_and(|expected| expected != entry.answered)
    {
        Some("result")
    } else if !call.users.is_empty() && !entry.user.is_some_and(|u| call.users.contains(&u)) {
        Some("employee")
    } else if call
        .talk_s
        .is_some_and(|expected| (entry.duration - expected).abs() > TIME_S_MAX)
    {
        Some("length")
    } else if !entry.is_shown {
        Some("card")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
