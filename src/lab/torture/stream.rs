//! What happens to the company under torture: clients, their calls, and the moments at which the
//! daemon is killed. Made from the seed alone, whatever the machine does.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dice::Dice;

/// Calls of one source for each kill; two sources make the twenty that are promised.
pub(super) const CALLS_PER_KILL: usize = 10;

/// Most calls of one client who posts.
const POSTED_MAX: usize = 6;
/// Most calls of one client who rings.
const PLAYED_MAX: usize = 4;
/// Rounds between two calls of a client who rings, so that the calls do not overlap.
const ROUNDS_APART: usize = 4;
/// Within how long of its round's beginning everything of it begins: about a round's length.
const ROUND_MS: u64 = 2_800;

/// Everything that happens.
#[derive(Debug)]
pub(super) struct Stream {
    /// Who calls.
    pub(super) clients: Vec<Client>,
    /// What happens until each kill.
    pub(super) rounds: Vec<Round>,
}

/// An outside party, as one source knows it: who calls both ways stands here twice.
#[derive(Debug)]
pub(super) struct Client {
    /// E.164 without the plus.
    pub(super) phone: String,
    /// By which way the calls come.
    pub(super) way: Way,
    /// Never reaches anybody, so that every call makes a record in Unsorted.
    pub(super) unlucky: bool,
    /// The calls, in order.
    pub(super) calls: Vec<Call>,
}

/// How a client's calls reach the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Posted until the daemon has taken them.
    Posted,
    /// Through the switch, which does not wait.
    Played,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) outgoing: bool,
    pub(super) answered: bool,
    /// The phone that takes part.
    pub(super) extension: &'static str,
}

/// Names a call: client, and which of the client's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CallId {
    pub(super) client: usize,
    pub(super) call: usize,
}

/// What happens between two kills.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) posts: Vec<Post>,
    pub(super) plays: Vec<Play>,
    pub(super) kill: Kill,
    /// How long the daemon stays dead.
    pub(super) dead: Duration,
}

/// Calls of one client that are posted together.
#[derive(Debug)]
pub(super) struct Post {
    /// When, after the round began.
    pub(super) after: Duration,
    pub(super) calls: Vec<CallId>,
    pub(super) manner: Manner,
}

/// How a source tells of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Once, when it is over.
    Once,
    /// While it rings, and when it is over.
    AsItGoes,
    /// When it is over, and the same again.
    Twice,
    /// When it is over, and then an older picture, late.
    Stale,
}

/// A call that is played on the switch.
#[derive(Debug)]
pub(super) struct Play {
    /// When, after the round began.
    pub(super) after: Duration,
    pub(super) call: CallId,
    pub(super) capture: &'static str,
    /// How many times faster than recorded.
    pub(super) speed: f64,
}

/// The moment of a kill.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kill {
    /// So long after the process was started, ready or not.
    Starting(Duration),
    /// So long after it was ready.
    Running(Duration),
}

const EXTENSIONS: [&str; 3] = ["101", "102", "103"];

impl Stream {
    /// Makes the stream of a seed.
    pub(super) fn new(seed: u64, kills: usize) -> Self {
        let mut dice = Dice::new(seed);
        let mut clients = Vec::new();
        let mut rounds = Vec::with_capacity(kills);
        let mut last_played = BTreeMap::new();
        for number in 0..kills {
            let posts = posts(&mut dice, &mut clients);
            let plays = plays(&mut dice, &mut clients, &mut last_played, number);
            let kill = if dice.percent(15) {
                Kill::Starting(Duration::from_millis(dice.within(0..500)))
            } else {
                Kill::Running(Duration::from_millis(dice.within(100..3_000)))
            };
            rounds.push(Round {
                posts,
                plays,
                kill,
                dead: Duration::from_millis(dice.within(0..400)),
            });
        }
        Self { clients, rounds }
    }

    /// Returns a call and who makes it.
    pub(super) fn call(&self, id: CallId) -> Option<(&Client, &Call)> {
        let client = self.clients.get(id.client)?;
        Some((client, client.calls.get(id.call)?))
    }

    /// Returns how many communications there are.
    pub(super) fn communications(&self) -> usize {
        self.clients.iter().map(|client| client.calls.len()).sum()
    }
}

fn posts(dice: &mut Dice, clients: &mut Vec<Client>) -> Vec<Post> {
    let mut posts = Vec::new();
    let mut left = CALLS_PER_KILL;
    while left > 0 {
        let count = if dice.percent(20) { 2 } else { 1 }.min(left);
        left -= count;
        let client = client_for(dice, clients, Way::Posted, POSTED_MAX - count, |_| true);
        let calls = (0..count)
            .filter_map(|_| add_call(dice, clients, client))
            .collect();
        let manners = [
            Manner::Once,
            Manner::Once,
            Manner::AsItGoes,
            Manner::Twice,
            Manner::Stale,
        ];
        posts.push(Post {
            after: Duration::from_millis(dice.within(0..ROUND_MS)),
            calls,
            manner: dice.pick(&manners).copied().unwrap_or(Manner::Once),
        });
    }
    posts
}

fn plays(
    dice: &mut Dice,
    clients: &mut Vec<Client>,
    last_played: &mut BTreeMap<usize, usize>,
    round: usize,
) -> Vec<Play> {
    let mut plays = Vec::new();
    for _ in 0..CALLS_PER_KILL {
        let rested = |client: &usize| {
            last_played
                .get(client)
                .is_none_or(|last| last + ROUNDS_APART <= round)
        };
        let client = client_for(dice, clients, Way::Played, PLAYED_MAX - 1, |c| rested(&c));
        last_played.insert(client, round);
        let Some(call) = add_call(dice, clients, client) else {
            continue;
        };
        let made = clients.get(client).and_then(|c| c.calls.get(call.call));
        // Which recording, and how many hundredths faster: calls of two to seven seconds, so that
        // many of them outlive a life of the daemon.
        let (capture, slowest, fastest) = match made {
            Some(call) if call.outgoing && call.answered => ("outbound_answered", 40, 120),
            Some(call) if call.outgoing => ("outbound_noanswer", 100, 250),
            Some(call) if call.answered => ("inbound_answered", 40, 120),
            _ if dice.percent(50) => ("inbound_caller_hangup", 40, 100),
            _ => ("inbound_missed", 80, 200),
        };
        plays.push(Play {
            after: Duration::from_millis(dice.within(0..ROUND_MS)),
            call,
            capture,
            speed: dice.within(slowest..fastest) as f64 / 100.0,
        });
    }
    plays
}

/// Chooses a client who may call once more, or makes a new one.
fn client_for(
    dice: &mut Dice,
    clients: &mut Vec<Client>,
    way: Way,
    calls_max: usize,
    may: impl Fn(usize) -> bool,
) -> usize {
    let known: Vec<usize> = clients
        .iter()
        .enumerate()
        .filter(|(n, client)| client.way == way && client.calls.len() <= calls_max && may(*n))
        .map(|(n, _)| n)
        .collect();
    if dice.percent(60)
        && let Some(client) = dice.pick(&known)
    {
        return *client;
    }
    let number = clients.len();
    // Some ring whom the other source knows: both sources' work for them meets in one lane.
    let shared = if way == Way::Played && dice.percent(30) {
        let alone = |phone: &String| clients.iter().filter(|c| c.phone == *phone).count() == 1;
        let others = clients
            .iter()
            .filter(|client| client.way == Way::Posted && !client.unlucky);
        let phones = others.map(|client| client.phone.clone()).filter(alone);
        dice.pick(&phones.collect::<Vec<String>>()).cloned()
    } else {
        None
    };
    clients.push(Client {
        phone: shared.unwrap_or_else(|| format!("7903{:07}", 3_000_000 + number)),
        way,
        unlucky: way == Way::Posted && dice.percent(15),
        calls: Vec::new(),
    });
    number
}

fn add_call(dice: &mut Dice, clients: &mut [Client], number: usize) -> Option<CallId> {
    let client = clients.get_mut(number)?;
    let first = client.calls.is_empty();
    let outgoing = !client.unlucky && dice.percent(30);
    // A missed first call of a client who posts would go to Unsorted.
    let must_answer = first && client.way == Way::Posted && !outgoing;
    let call = Call {
        outgoing,
        answered: !client.unlucky && (must_answer || dice.percent(65)),
        extension: dice.pick(&EXTENSIONS).copied().unwrap_or("101"),
    };
    client.calls.push(call);
    Some(CallId {
        client: number,
        call: client.calls.len() - 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_stream() {
        let text = |seed| format!("{:?}", Stream::new(seed, 12));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn each_kill_has_its_twenty_communications_half_of_them_played() {
        let stream = Stream::new(3, 40);
        assert_eq!(stream.communications(), 40 * 2 * CALLS_PER_KILL);
        for round in &stream.rounds {
            let posted: usize = round.posts.iter().map(|post| post.calls.len()).sum();
            assert_eq!(
                (posted, round.plays.len()),
                (CALLS_PER_KILL, CALLS_PER_KILL)
            );
        }
    }

    #[test]
    fn calls_happen_in_their_clients_order_and_played_ones_far_enough_apart() {
        let stream = Stream::new(5, 60);
        let mut seen = vec![0; stream.clients.len()];
        let mut last = BTreeMap::new();
        for (number, round) in stream.rounds.iter().enumerate() {
            let posted = round.posts.iter().flat_map(|post| post.calls.clone());
            for id in posted {
                assert_eq!(id.call, seen[id.client]);
                seen[id.client] += 1;
            }
            for play in &round.plays {
                assert_eq!(play.call.call, seen[play.call.client]);
                seen[play.call.client] += 1;
                if let Some(last) = last.insert(play.call.client, number) {
                    assert!(number >= last + ROUNDS_APART);
                }
            }
        }
        assert!(stream.clients.iter().any(|client| client.calls.len() > 2));
        assert!(stream.clients.iter().any(|client| client.unlucky));
    }

    #[test]
    fn some_clients_call_both_ways_and_none_of_them_is_unlucky() {
        let stream = Stream::new(5, 60);
        let mut ways: BTreeMap<&str, Vec<&Client>> = BTreeMap::new();
        for client in &stream.clients {
            ways.entry(&client.phone).or_default().push(client);
        }
        let both: Vec<_> = ways.values().filter(|same| same.len() > 1).collect();
        assert!(both.len() > 10, "{}", both.len());
        for same in both {
            assert_eq!(same.len(), 2);
            assert!(same[0].way != same[1].way && same.iter().all(|client| !client.unlucky));
        }
    }

    #[test]
    fn an_unlucky_client_is_never_answered_and_a_lucky_one_is_at_first() {
        let stream = Stream::new(9, 60);
        for client in stream.clients.iter().filter(|c| c.way == Way::Posted) {
            if client.unlucky {
                assert!(
                    client
                        .calls
                        .iter()
                        .all(|call| !call.answered && !call.outgoing)
                );
            } else {
                let first = client.calls.first().unwrap();
                assert!(first.answered || first.outgoing);
            }
        }
    }
}
