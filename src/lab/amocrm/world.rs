//! The state of one simulated account and the small questions about it. Handlers of the single
//! resources are `impl World` blocks in their own files; all of them run under one lock, so each
//! request takes effect as a whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::auth::{Auth, Caller};
use super::exchange::Paging;
use super::fields::Field;
use super::hook_queue::HookQueue;
use super::lab_clock::Moment;
use super::options::{AmoOptions, Switches, UserOptions};
use super::rate::Limiter;
use super::records::{
    Card, Event, Hook, Kind, Note, Pipeline, Popup, Tag, Task, Unsorted, last_ten,
};
use super::review::Review;

/// Entries of the audit feed that are kept; a torture run makes some tens of thousands.
const EVENTS_MAX: usize = 500_000;
/// Popups that are kept.
const POPUPS_MAX: usize = 50_000;
/// Different oddities that are counted.
const ODDITIES_MAX: usize = 1_000;
/// Cards, links, tags, notes, tasks and unsorted records together: some gigabytes.
pub(super) const RECORDS_MAX: usize = 2_000_000;

/// One simulated account.
#[derive(Debug)]
pub(super) struct World {
    pub(super) account_id: u64,
    pub(super) subdomain: String,
    pub(super) timezone: String,
    pub(super) filters_enabled: bool,
    pub(super) search_lag: Duration,
    pub(super) switches: Switches,
    pub(super) limiter: Limiter,
    pub(super) auth: Auth,
    /// False while the subscription is not paid: every request is 402.
    pub(super) paid: bool,
    pub(super) users: Vec<UserOptions>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) loss_reasons: Vec<(u64, String)>,
    pub(super) fields: Vec<Field>,
    pub(super) cards: BTreeMap<(Kind, u64), Card>,
    /// Both directions of every link; the value tells the main contact of a lead.
    pub(super) links: BTreeMap<(Kind, u64, Kind, u64), bool>,
    /// Contacts and companies by the last ten digits of each phone.
    by_phone: BTreeMap<String, BTreeSet<(Kind, u64)>>,
    pub(super) tags: Vec<Tag>,
    pub(super) notes: BTreeMap<u64, Note>,
    pub(super) tasks: BTreeMap<u64, Task>,
    /// Kind and id of a card, and a task that stands or once stood on it.
    pub(super) tasks_of_cards: BTreeSet<(Kind, u64, u64)>,
    pub(super) unsorted: BTreeMap<String, Unsorted>,
    pub(super) events: VecDeque<Event>,
    pub(super) hooks: Vec<Hook>,
    pub(super) hook_queue: HookQueue,
    pub(super) popups: VecDeque<Popup>,
    pub(super) oddities: BTreeMap<String, u64>,
    next_ids: BTreeMap<&'static str, u64>,
}

impl World {
    /// Makes an account with its users, pipelines and fields and no cards.
    pub(super) fn new(options: &AmoOptions) -> Self {
        let mut limiter = Limiter::new(
            options.rate_per_second,
            options.account_rate_per_second,
            options.block_after_violations,
        );
        limiter.refused_count = options.switches.refused_requests_count;
        let reasons = options.loss_reasons.iter().enumerate();
        Self {
            account_id: options.account_id,
            subdomain: options.subdomain.clone(),
            timezone: options.timezone.clone(),
            filters_enabled: options.filters_enabled,
            search_lag: options.search_lag,
            switches: options.switches.clone(),
            limiter,
            auth: Auth::new(options),
            paid: true,
            users: options.users.clone(),
            pipelines: super::account::pipelines(options),
            loss_reasons: reasons
                .map(|(n, name)| (601 + n as u64, name.clone()))
                .collect(),
            fields: super::fields::catalogue(&options.fields),
            cards: BTreeMap::new(),
            links: BTreeMap::new(),
            by_phone: BTreeMap::new(),
            tags: Vec::new(),
            notes: BTreeMap::new(),
            tasks: BTreeMap::new(),
            tasks_of_cards: BTreeSet::new(),
            unsorted: BTreeMap::new(),
            events: VecDeque::new(),
            hooks: Vec::new(),
            hook_queue: HookQueue::default(),
            popups: VecDeque::new(),
            oddities: BTreeMap::new(),
            next_ids: BTreeMap::new(),
        }
    }

    /// Returns the next id of a sequence.
    pub(super) fn next_id(&mut self, sequence: &'static str, first: u64) -> u64 {
        let next = self.next_ids.entry(sequence).or_insert(first);
        let id = *next;
        *next += 1;
        id
    }

    /// Returns whether the account can hold no more records.
    pub(super) fn is_full(&self) -> bool {
        let cards = self.cards.len() + self.links.len() + self.tags.len();
        let records = cards + self.notes.len() + self.tasks.len() + self.unsorted.len();
        records >= RECORDS_MAX
    }

    /// Returns an empty judgement under the account's switches.
    pub(super) fn review(&self) -> Review {
        Review {
            nulls_refused: self.switches.nulls_refused_everywhere,
            unknown_keys_refused: self.switches.unknown_keys_refused,
            ..Review::default()
        }
    }

    /// Counts something that the real service may tolerate but the contract does not name.
    pub(super) fn odd(&mut self, what: String) {
        if self.oddities.len() < ODDITIES_MAX || self.oddities.contains_key(&what) {
            *self.oddities.entry(what).or_default() += 1;
        }
    }

    /// Returns how lists are cut into pages.
    pub(super) fn paging(&self, limit_max: u64) -> Paging {
        Paging {
            limit_max,
            next_to_empty_page: self.switches.next_to_empty_page,
            with_total: false,
        }
    }

    /// Returns a card that is not in the bin.
    pub(super) fn card(&self, kind: Kind, id: u64) -> Option<&Card> {
        self.cards.get(&(kind, id)).filter(|card| !card.deleted)
    }

    /// Returns every card of a kind, those in the bin too, by ascending id.
    pub(super) fn cards_of(&self, kind: Kind) -> impl Iterator<Item = &Card> {
        let range = (kind, 0)..=(kind, u64::MAX);
        self.cards.range(range).map(|(_, card)| card)
    }

    /// Returns the ids of one kind that are linked to a card and not in the bin.
    pub(super) fn linked(&self, kind: Kind, id: u64, other: Kind) -> Vec<u64> {
        let range = (kind, id, other, 0)..=(kind, id, other, u64::MAX);
        let ids = self.links.range(range).map(|(key, _)| key.3);
        ids.filter(|id| self.card(other, *id).is_some()).collect()
    }

    /// Links two cards. A contact and a lead have at most one company (crm/amocrm.md §8).
    pub(super) fn join(&mut self, one: (Kind, u64), other: (Kind, u64), is_main: Option<bool>) {
        for (a, b) in [(one, other), (other, one)] {
            let single = b.0 == Kind::Company && matches!(a.0, Kind::Contact | Kind::Lead);
            if single {
                for old in self.linked(a.0, a.1, Kind::Company) {
                    self.part(a, (Kind::Company, old));
                }
            }
        }
        let (lead, contact) = if one.0 == Kind::Lead {
            (one, other)
        } else {
            (other, one)
        };
        let before = self.links.get(&(one.0, one.1, other.0, other.1)).copied();
        let first = || self.linked(Kind::Lead, lead.1, Kind::Contact).is_empty();
        let main = lead.0 == Kind::Lead
            && contact.0 == Kind::Contact
            && is_main.or(before).unwrap_or_else(first);
        if main {
            let range = (Kind::Lead, lead.1, Kind::Contact, 0)
                ..=(Kind::Lead, lead.1, Kind::Contact, u64::MAX);
            let others: Vec<u64> = self.links.range(range).map(|(key, _)| key.3).collect();
            for contact in others {
                self.links
                    .insert((Kind::Lead, lead.1, Kind::Contact, contact), false);
                self.links
                    .insert((Kind::Contact, contact, Kind::Lead, lead.1), false);
            }
        }
        self.links.insert((one.0, one.1, other.0, other.1), main);
        self.links.insert((other.0, other.1, one.0, one.1), main);
    }

    /// Undoes a link; returns whether there was one.
    pub(super) fn part(&mut self, one: (Kind, u64), other: (Kind, u64)) -> bool {
        self.links.remove(&(other.0, other.1, one.0, one.1));
        self.links
            .remove(&(one.0, one.1, other.0, other.1))
            .is_some()
    }

    pub(super) fn pipeline(&self, id: u64) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.id == id)
    }

    pub(super) fn main_pipeline(&self) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.is_main)
    }

    pub(super) fn user(&self, id: u64) -> Option<&UserOptions> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Returns the responsible named by a body if such a user may be one; notes it if not.
    pub(super) fn check_responsible(&self, id: u64, path: String, review: &mut Review) {
        let only_active = self.switches.deactivated_responsible_refused;
        let user = self.user(id).filter(|user| user.is_active || !only_active);
        if user.is_none() {
            review.choice(path);
        }
    }

    /// Notes an author who is neither a user nor the robot (0).
    pub(super) fn check_author(&self, id: Option<u64>, path: String, review: &mut Review) {
        if id.is_some_and(|id| id != 0 && self.user(id).is_none()) {
            review.choice(path);
        }
    }

    /// Returns the id of the field that holds phones or e-mails of a kind.
    pub(super) fn field_of_code(&self, kind: Kind, code: &str) -> Option<u64> {
        let field = self
            .fields
            .iter()
            .find(|f| f.entity == kind && f.code.as_deref() == Some(code));
        field.map(|field| field.id)
    }

    /// Returns the texts of a card's values of a field with this code.
    pub(super) fn texts_of_code(&self, card: &Card, code: &str) -> Vec<String> {
        let values = self
            .field_of_code(card.kind, code)
            .and_then(|field| card.values.get(&field));
        values.into_iter().flatten().map(|v| v.text()).collect()
    }

    /// Gives the card's present text to the index, to come into force after the delay.
    pub(super) fn reindex(&mut self, kind: Kind, id: u64, now: Moment) {
        let Some(card) = self.cards.get(&(kind, id)) else {
            return;
        };
        let mut text = card.name.to_lowercase();
        for value in card.values.values().flatten() {
            text.push('\n');
            text.push_str(&value.text().to_lowercase());
        }
        if self.switches.search_reads_digits_of_phones {
            for phone in self.texts_of_code(card, "PHONE") {
                text.push('\n');
                text.extend(phone.chars().filter(char::is_ascii_digit));
            }
        }
        let phones = self.texts_of_code(card, "PHONE");
        let keys: BTreeSet<String> = phones.iter().map(|phone| last_ten(phone)).collect();
        let due = now.instant + self.search_lag;
        if let Some(card) = self.cards.get_mut(&(kind, id)) {
            card.indexed.change(text, now.instant, due);
            for gone in std::mem::replace(&mut card.phone_keys, keys.clone()).difference(&keys) {
                if let Some(cards) = self.by_phone.get_mut(gone) {
                    cards.remove(&(kind, id));
                }
            }
        }
        for key in keys {
            self.by_phone.entry(key).or_default().insert((kind, id));
        }
    }

    /// Finds the card on which the service logs a call or shows a popup: by the last ten digits;
    /// the lead if exactly one is open and there is no customer, the customer if exactly one and no
    /// open lead, else the contact or company (crm/amocrm.md §11).
    pub(super) fn card_of_phone(&self, phone: &str) -> Option<(Kind, u64)> {
        let wanted = last_ten(phone);
        if wanted.is_empty() {
            return None;
        }
        let waiting_too = self.switches.calls_match_waiting_contacts;
        // Contacts stand before companies in the order of kinds, and old cards before new ones.
        let candidates = self.by_phone.get(&wanted)?.iter();
        let card = candidates
            .filter_map(|(kind, id)| self.card(*kind, *id))
            .find(|card| !card.waiting || waiting_too)?;
        let leads: Vec<u64> = self
            .linked(card.kind, card.id, Kind::Lead)
            .into_iter()
            .filter(|id| self.card(Kind::Lead, *id).is_some_and(Card::is_open_lead))
            .collect();
        let customers = self.linked(card.kind, card.id, Kind::Customer);
        match (leads.as_slice(), customers.as_slice()) {
            ([lead], []) => Some((Kind::Lead, *lead)),
            ([], [customer]) => Some((Kind::Customer, *customer)),
            _ => Some((card.kind, card.id)),
        }
    }

    /// Adds an entry to the audit feed.
    pub(super) fn event(
        &mut self,
        kind: &str,
        entity: (&'static str, u64),
        before: Value,
        after: Value,
        caller: &Caller,
    ) {
        let number = self.next_id("event", 1);
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            id: format!("01{number:024X}"),
            kind: kind.to_owned(),
            entity_type: entity.0,
            entity_id: entity.1,
            created_by: caller.user_id,
            created_at: caller.now.seconds(),
            before,
            after,
        });
    }

    /// Remembers a popup.
    pub(super) fn show_popup(&mut self, popup: Popup) {
        if self.popups.len() >= POPUPS_MAX {
            self.popups.pop_front();
        }
        self.popups.push_back(popup);
    }

    /// Returns a text that looks random and is the same on every run.
    pub(super) fn opaque(&mut self, what: &'static str, hex_digits: usize) -> String {
        let number = self.next_id(what, 1);
        opaque_text(&format!("{}/{what}/{number}", self.account_id), hex_digits)
    }
}

/// Returns so many hexadecimal digits that depend on the seed only.
pub(super) fn opaque_text(seed: &str, hex_digits: usize) -> String {
    let mut text = String::with_capacity(hex_digits);
    let mut block: u32 = 0;
    while text.len() < hex_digits {
        for byte in Sha256::digest(format!("{seed}/{block}")) {
            text.push_str(&format!("{byte:02x}"));
        }
        block += 1;
    }
    text.truncate(hex_digits);
    text
}

/// Empty lists of the audit feed.
pub(super) fn nothing() -> Value {
    json!([])
}
