//! One pass: known callers beside what the database holds, in order, page by page.
//!
//! ```text
//! what is not clients' -> clients, page by page -> from now on it holds for some time -> rest
//! without the setting:
//! it does not hold any more -> all clients go -> the rest goes -> over
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::rows::{Change, ClientKey, MADE, Row, UNTIL, small_rows};
use super::settings::MirrorSettings;
use super::{LOOK, Mirror, Phase};
use crate::model::phone::Phone;

/// Clients of one page: about a millisecond of work.
const PAGE: usize = 256;

/// Between two pages.
const PAGE_PAUSE: Duration = Duration::from_millis(5);

/// Clients that are removed before others are looked for.
const GONE_AT_ONCE: usize = 1_000;

/// Without a change, who works when is looked at this often.
const PASS_EVERY: Duration = Duration::from_secs(60);

/// A pass over many clients takes time; of all time it takes at most one part in so many.
const REST_TIMES: u32 = 20;

/// The time until which the copy holds is put off so often.
const UNTIL_EVERY: Duration = Duration::from_secs(3600);

pub(super) struct Pass {
    /// How long was looked and compared.
    worked: Duration,
    /// What was known when it began.
    revision: u64,
    at: Place,
    /// Clients that are to be there, so far.
    wanted: usize,
    /// Asterisk did not take everything.
    pub(super) refused: bool,
}

enum Place {
    Beginning,
    Clients(Option<Phone>),
    End,
}

impl Mirror<'_> {
    pub(super) fn begin_pass(&mut self) {
        self.phase = Phase::Pass(Pass {
            worked: Duration::ZERO,
            revision: self.known.revision(),
            at: Place::Beginning,
            wanted: 0,
            refused: false,
        });
    }

    fn rest(&mut self, revision: u64, worked: Duration) {
        let now = Instant::now();
        self.phase = Phase::Rest {
            revision,
            not_before: now + worked.saturating_mul(REST_TIMES).max(LOOK),
            at_last: now + worked.saturating_mul(REST_TIMES).max(PASS_EVERY),
        };
    }

    /// Goes on with the pass: everything before its place is as it is to be.
    pub(super) fn go_on(&mut self) {
        let Phase::Pass(pass) = &self.phase else {
            return;
        };
        match &pass.at {
            Place::Beginning => self.begin_clients(),
            Place::Clients(after) => {
                let after = after.clone();
                self.compare_page(after);
            }
            Place::End => self.end_pass(),
        }
    }

    fn goes_to(&mut self, place: Place) {
        if let Phase::Pass(pass) = &mut self.phase {
            pass.at = place;
        }
    }

    /// Before the clients: what is not theirs; where there is to be no copy, the dialplan is told
    /// first not to use it.
    fn begin_clients(&mut self) {
        let until = Row::About(UNTIL.to_owned());
        match self.settings {
            Some(_) => {
                let numbers = self.known.dialled(self.source);
                let managers = self.known.managers(self.source);
                let Some((numbers, managers)) = numbers.zip(managers) else {
                    return self.rest(0, Duration::ZERO);
                };
                let wanted = small_rows(&numbers, &managers);
                let mut changes = self.held.small_changes(&wanted, &[until]);
                // First of all: by it a session without the setting sees that there is something.
                let made = Row::About(MADE.to_owned());
                changes.sort_by_key(|change| change.row != made);
                self.waiting.extend(changes);
            }
            None if self.held.small(&until).is_some() => {
                self.waiting.push_back(Change {
                    row: until,
                    value: None,
                });
            }
            None => {}
        }
        self.goes_to(Place::Clients(None));
    }

    fn compare_page(&mut self, after: Option<Phone>) {
        let began = Instant::now();
        let Phase::Pass(pass) = &mut self.phase else {
            return;
        };
        let (mut wanted, mut end) = (Vec::new(), None);
        if let Some(settings) = self.settings {
            let Some(page) = self.known.clients(self.source, after.as_ref(), PAGE) else {
                // Not everything is known yet, as after a start: what is there stays.
                return self.rest(0, Duration::ZERO);
            };
            let last = page.clients.last().map(|(phone, _)| phone.clone());
            end = last.filter(|_| page.more);
            let clients = page.clients.iter().filter_map(|(phone, manager)| {
                Some((ClientKey::of(phone)?, Arc::from(manager.as_ref()?.as_str())))
            });
            wanted.extend(clients);
            wanted.sort_unstable();
            let room = settings.clients_max.saturating_sub(pass.wanted);
            if wanted.len() > room {
                wanted.truncate(room);
                end = None;
                if !std::mem::replace(&mut self.too_many_told, true) {
                    self.remarks.push(format!(
                        "more than {} numbers have a personal manager: the copy in Asterisk's \
                         database holds no more (clients_max)",
                        settings.clients_max
                    ));
                }
            }
        }
        let keys = (
            after.as_ref().and_then(ClientKey::of),
            end.as_ref().and_then(ClientKey::of),
        );
        let changes = self
            .held
            .client_changes(keys.0, keys.1, &wanted, GONE_AT_ONCE);
        let gone = changes.iter().filter(|change| change.value.is_none());
        // So many are gone that there may be more: the page is looked at again afterwards.
        if gone.count() < GONE_AT_ONCE {
            pass.wanted = pass.wanted.saturating_add(wanted.len());
            pass.at = match end {
                Some(last) => Place::Clients(Some(last)),
                None => Place::End,
            };
            self.due = Instant::now() + PAGE_PAUSE;
        }
        pass.worked = pass.worked.saturating_add(began.elapsed());
        self.waiting.extend(changes);
    }

    /// After the clients: from now on the copy holds for some time; where there is to be none,
    /// the rest of it goes.
    fn end_pass(&mut self) {
        let Phase::Pass(pass) = &self.phase else {
            return;
        };
        let (revision, refused, worked) = (pass.revision, pass.refused, pass.worked);
        let Some(settings) = self.settings else {
            let mut changes = self.held.small_changes(&BTreeMap::new(), &[]);
            if changes.is_empty() {
                tracing::info!("the copy of the answers in the pbx's database is removed");
                return self.over(None);
            }
            // The mark goes last: until then the next session would go on with it.
            changes.sort_by_key(|change| change.row == Row::About(MADE.to_owned()));
            self.waiting.extend(changes);
            return;
        };
        if !refused {
            self.put_off_the_end(settings);
        }
        self.rest(revision, worked);
    }

    fn put_off_the_end(&mut self, settings: &MirrorSettings) {
        let row = Row::About(UNTIL.to_owned());
        let now = u64::try_from(self.clock.now().as_secs()).unwrap_or_default();
        let latest = now.saturating_add(settings.trusted.as_secs());
        let earliest = latest.saturating_sub(UNTIL_EVERY.as_secs());
        let held = self.held.small(&row).and_then(|text| text.parse().ok());
        if !held.is_some_and(|held: u64| (earliest..=latest).contains(&held)) {
            let value = Some(Arc::from(latest.to_string()));
            self.waiting.push_back(Change { row, value });
        }
    }
}
