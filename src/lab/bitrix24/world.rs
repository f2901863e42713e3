//! The state of a simulated portal. One lock guards it, so each request takes effect as a whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::tz::TimeZone;

use super::auth::Auth;
use super::bucket::Buckets;
use super::connectors::Connectors;
use super::dates;
use super::delivery::EventQueue;
use super::operating::Operating;
use super::options::{BitrixOptions, Mode, UserOptions, WebhookOptions};
use super::records::{
    Activity, Bind, Card, Comment, FinishedCall, Kind, Line, LiveCall, Notice, OfflineEvent, Shown,
    Status, Task, UserField,
};
use super::refusal::Refusal;
use super::switches::Switches;
use super::uploads::Ticket;
use super::version_three::Kept;
use crate::lab::lab_clock::Moment;

/// Kinds of oddities that are counted apart; more share one name.
const ODDITIES_MAX: usize = 500;
/// Shown cards that are remembered.
const SHOWN_MAX: usize = 50_000;

/// Everything that a portal holds.
#[derive(Debug)]
pub(super) struct World {
    pub(super) options: BitrixOptions,
    pub(super) switches: Switches,
    pub(super) domain: String,
    pub(super) former_domains: BTreeSet<String>,
    pub(super) zone: TimeZone,
    pub(super) mode: Mode,
    pub(super) paid: bool,
    /// What single methods, in lower case, are refused with.
    pub(super) refused_methods: BTreeMap<String, Refusal>,
    /// Cards whose responsible was told of them by the portal.
    pub(super) announced: BTreeSet<(Kind, u64)>,
    /// What every request is answered with while there is trouble.
    pub(super) trouble: Option<Refusal>,
    pub(super) auth: Auth,
    pub(super) webhooks: Vec<WebhookOptions>,
    pub(super) buckets: Buckets,
    pub(super) operating: Operating,
    pub(super) users: Vec<UserOptions>,
    pub(super) statuses: Vec<Status>,
    pub(super) user_fields: Vec<UserField>,
    pub(super) cards: BTreeMap<(Kind, u64), Card>,
    /// Cards by what they are found by: `PHONE`, `EMAIL`, `CONTACT_ID` or `ORIGIN_ID`, and code.
    pub(super) found_by: BTreeMap<(String, String), BTreeSet<(Kind, u64)>>,
    /// What each card is indexed under.
    pub(super) indexed: BTreeMap<(Kind, u64), BTreeSet<(String, String)>>,
    /// Leads that became deals, with their deals.
    pub(super) converted: BTreeMap<u64, u64>,
    pub(super) activities: BTreeMap<u64, Activity>,
    /// Activities by the cards that they stand on.
    pub(super) activities_of: BTreeMap<(u64, u64), BTreeSet<u64>>,
    pub(super) comments: BTreeMap<u64, Comment>,
    pub(super) tasks: BTreeMap<u64, Task>,
    pub(super) notices: BTreeMap<u64, Notice>,
    pub(super) live_calls: BTreeMap<String, LiveCall>,
    pub(super) finished_calls: BTreeMap<u64, FinishedCall>,
    /// Finished calls by `CALL_ID`.
    pub(super) finished_by_call: BTreeMap<String, u64>,
    /// Registers that were answered with a call that was there.
    pub(super) repeated_registers: u64,
    /// Numbers that were missed and not called back yet, by code.
    pub(super) missed: BTreeMap<String, u64>,
    pub(super) shown: VecDeque<Shown>,
    pub(super) lines: BTreeMap<u64, Line>,
    pub(super) tickets: BTreeMap<String, Ticket>,
    pub(super) binds: Vec<Bind>,
    pub(super) placements: Vec<(String, String, String)>,
    pub(super) offline: BTreeMap<u64, OfflineEvent>,
    /// The newest row of each application, event and object.
    pub(super) offline_rows: BTreeMap<(String, String, String), u64>,
    /// Rows that were pushed out by newer ones.
    pub(super) offline_lost: u64,
    pub(super) event_queue: EventQueue,
    /// The time of the request or deed under way.
    pub(super) clock_now: Moment,
    /// Replies by who asked and under which key.
    pub(super) kept_replies: BTreeMap<(String, String), Kept>,
    pub(super) connectors: Connectors,
    pub(super) calls_of: BTreeMap<&'static str, u64>,
    pub(super) batches: u64,
    pub(super) batch_commands: u64,
    pub(super) oddities: BTreeMap<String, u64>,
    ids: BTreeMap<&'static str, u64>,
}

impl World {
    pub(super) fn new(options: &BitrixOptions, now: Moment) -> Self {
        let limits = &options.limits;
        let mut world = Self {
            switches: options.switches.clone(),
            domain: options.domain.clone(),
            former_domains: BTreeSet::new(),
            zone: dates::zone(&options.timezone),
            mode: options.mode,
            paid: true,
            refused_methods: BTreeMap::new(),
            announced: BTreeSet::new(),
            trouble: None,
            auth: Auth::new(options),
            webhooks: options.webhooks.clone(),
            buckets: Buckets::new(
                limits.bucket,
                limits.drain_per_second,
                options.switches.refused_requests_count,
            ),
            operating: Operating::new(limits.operating, limits.cost, limits.costs.clone()),
            users: options.users.clone(),
            statuses: Vec::new(),
            user_fields: Vec::new(),
            cards: BTreeMap::new(),
            found_by: BTreeMap::new(),
            activities_of: BTreeMap::new(),
            indexed: BTreeMap::new(),
            converted: BTreeMap::new(),
            activities: BTreeMap::new(),
            comments: BTreeMap::new(),
            tasks: BTreeMap::new(),
            notices: BTreeMap::new(),
            live_calls: BTreeMap::new(),
            finished_calls: BTreeMap::new(),
            finished_by_call: BTreeMap::new(),
            repeated_registers: 0,
            missed: BTreeMap::new(),
            shown: VecDeque::new(),
            lines: BTreeMap::new(),
            tickets: BTreeMap::new(),
            binds: Vec::new(),
            placements: Vec::new(),
            offline: BTreeMap::new(),
            offline_rows: BTreeMap::new(),
            offline_lost: 0,
            event_queue: EventQueue::default(),
            clock_now: now,
            kept_replies: BTreeMap::new(),
            connectors: Connectors::default(),
            calls_of: BTreeMap::new(),
            batches: 0,
            batch_commands: 0,
            oddities: BTreeMap::new(),
            ids: BTreeMap::new(),
            options: options.clone(),
        };
        world.fill_dictionaries();
        world
    }

    /// Returns the next id of a kind of record; the first one is `first`.
    pub(super) fn next_id(&mut self, kind: &'static str, first: u64) -> u64 {
        let id = self.ids.entry(kind).or_insert(first);
        let next = *id;
        *id = id.saturating_add(1);
        next
    }

    /// Lets the next id of a kind be this one.
    pub(super) fn raise_id(&mut self, kind: &'static str, next: u64) {
        self.ids.insert(kind, next);
    }

    /// Takes down what leaves the contract and is tolerated.
    pub(super) fn odd(&mut self, what: String) {
        let known = self.oddities.contains_key(&what) || self.oddities.len() < ODDITIES_MAX;
        let key = if known { what } else { "others".to_owned() };
        *self.oddities.entry(key).or_default() += 1;
    }

    pub(super) fn user(&self, id: u64) -> Option<&UserOptions> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn card(&self, kind: Kind, id: u64) -> Option<&Card> {
        self.cards.get(&(kind, id))
    }

    pub(super) fn cards_of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Card> {
        self.cards
            .range((kind, 0)..=(kind, u64::MAX))
            .map(|(_, card)| card)
    }

    /// Puts a card on a screen.
    pub(super) fn show_card(&mut self, call_id: &str, user_id: u64, now_ms: i64) {
        if self.shown.len() >= SHOWN_MAX {
            self.shown.pop_front();
        }
        self.shown.push_back(Shown {
            call_id: call_id.to_owned(),
            user_id,
            shown_ms: now_ms,
            hidden_ms: None,
        });
    }

    /// Takes a card from a screen.
    pub(super) fn hide_card(&mut self, call_id: &str, user_id: u64, now_ms: i64) {
        let mut shown = self.shown.iter_mut().rev();
        let card = shown.find(|card| {
            card.call_id == call_id && card.user_id == user_id && card.hidden_ms.is_none()
        });
        if let Some(card) = card {
            card.hidden_ms = Some(now_ms);
        }
    }
}
