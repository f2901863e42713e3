//! What follows from the rows of reports.

use super::super::call_row::CallRow;
use super::super::chat_row::{self, ChatRow, Place};
use super::super::request_row::RequestRow;
use super::{Arrival, Memory, Rules, Settled, item, key_of, mark, next_revision};
use crate::model::call::Call;
use crate::model::chat::{ChatPhase, Message};
use crate::model::communication::{Body, Kind, Snapshot};
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;

impl Memory {
    /// Takes a row of the report of calls.
    pub(in crate::pbx::uis) fn take_call(
        &mut self,
        row: CallRow,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let key = key_of(Kind::Call, &row.id);
        let over = row.call.is_over();
        let mut call = row.call;
        let row_mark = mark(&call);
        let mut before = 0;
        if let Some(live) = self.live.get(&key) {
            // Reports lag behind: what goes on is told sooner by notifications.
            if !over {
                return None;
            }
            before = live.revision;
            join(&mut call, &live.call.picture(&rules.identity.numbers));
        } else if self.is_before_us(call.started_at) {
            return None;
        }
        self.live.remove(&key);
        let (began_at, body) = (call.started_at, Body::Call { call });
        let arrived = Arrival {
            kind: Kind::Call,
            id: &row.id,
            row: row_mark,
            body,
            before,
        };
        let shown = self.settle(arrived, rules, now);
        if let Some(settled) = self.settled.get_mut(&key) {
            settled.open = !over;
            settled.began_at = began_at;
        }
        shown
    }

    /// Takes a row of the report of requests.
    pub(in crate::pbx::uis) fn take_request(
        &mut self,
        row: RequestRow,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let was_wanted = self.arrived(Kind::Request, &row.id, row.communication.as_deref());
        if !was_wanted && self.is_before_us(row.request.at) {
            return None;
        }
        let row_mark = mark(&row.request);
        let body = Body::Request {
            request: row.request,
        };
        let arrived = Arrival {
            kind: Kind::Request,
            id: &row.id,
            row: row_mark,
            body,
            before: 0,
        };
        self.settle(arrived, rules, now)
    }

    /// Says whether the messages of a chat are to be read: it is new, changed, has something newer
    /// than is known, or was told of.
    pub(in crate::pbx::uis) fn chat_changed(&self, row: &ChatRow, newest: Option<&Place>) -> bool {
        let known = self.settled.get(&key_of(Kind::Chat, &row.id));
        let Some(known) = known else {
            let recent = newest.is_some_and(|newest| !self.is_before_us(newest.0));
            return recent || self.is_wanted_chat(row) || !self.is_before_us(row.chat.started_at);
        };
        let newer = newest.is_some_and(|newest| Some(newest) > known.message.as_ref());
        newer || known.row != mark(&row.chat)
    }

    fn is_wanted_chat(&self, row: &ChatRow) -> bool {
        let ids = std::iter::once(row.id.as_str()).chain(row.communication.as_deref());
        ids.into_iter()
            .any(|id| self.wanted.contains_key(&key_of(Kind::Chat, id)))
    }

    /// Takes a chat with all of its messages.
    pub(in crate::pbx::uis) fn take_chat(
        &mut self,
        row: ChatRow,
        messages: Vec<Message>,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        self.arrived(Kind::Chat, &row.id, row.communication.as_deref());
        let row_mark = mark(&row.chat);
        let mut chat = row.chat;
        chat.messages = chat_row::in_order(messages);
        let newest = chat_row::latest(&chat.messages);
        if let (Some(ended_at), Some(newest)) = (chat.ended_at, &newest) {
            chat.ended_at = Some(ended_at.max(newest.0));
        }
        let (open, began_at) = (chat.phase != ChatPhase::Ended, chat.started_at);
        let arrived = Arrival {
            kind: Kind::Chat,
            id: &row.id,
            row: row_mark,
            body: Body::Chat { chat },
            before: 0,
        };
        let shown = self.settle(arrived, rules, now);
        if let Some(settled) = self.settled.get_mut(&key_of(Kind::Chat, &row.id)) {
            (settled.open, settled.began_at) = (open, began_at);
            settled.message = newest.max(settled.message.take());
        }
        shown
    }

    /// Notes that a chat needs no reading.
    pub(in crate::pbx::uis) fn chat_is_known(&mut self, row: &ChatRow) {
        self.arrived(Kind::Chat, &row.id, row.communication.as_deref());
    }

    /// Remembers a picture and returns it, unless it is known.
    pub(super) fn settle(
        &mut self,
        arrived: Arrival<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let Arrival {
            kind,
            id,
            row,
            body,
            before,
        } = arrived;
        let key = CommunicationKey::new(rules.identity.key.clone(), &item(kind, id)).ok()?;
        let name = key_of(kind, id);
        let shown = mark(&body);
        let known = self.settled.get_mut(&name);
        if let Some(known) = known {
            // The row decides: a picture that notifications made richer is not made poorer.
            if known.row == row && (known.shown == shown || kind != Kind::Chat) {
                return None;
            }
            known.row = row;
            if known.shown == shown {
                return None;
            }
            known.shown = shown;
            known.revision = next_revision(known.revision.max(before), now);
            known.at = now;
            return Some(Snapshot {
                key,
                revision: known.revision,
                body,
            });
        }
        let revision = next_revision(before, now);
        self.settled.insert(
            name,
            Settled {
                at: now,
                row,
                shown,
                revision,
                began_at: body.started_at(),
                open: false,
                message: None,
            },
        );
        Some(Snapshot {
            key,
            revision,
            body,
        })
    }

    /// What began before the source was first started is somebody else's affair.
    fn is_before_us(&self, began_at: Timestamp) -> bool {
        // The platform's times have whole seconds.
        let since = self.since.map(Timestamp::as_secs);
        since.is_some_and(|since| began_at.as_secs() < since)
    }

    /// Strikes a communication off what is looked for; says whether it was.
    fn arrived(&mut self, kind: Kind, id: &str, communication: Option<&str>) -> bool {
        let mut any = false;
        for name in std::iter::once(id).chain(communication) {
            any |= self.wanted.remove(&key_of(kind, name)).is_some();
        }
        any
    }
}

/// Adds to a report's picture what only notifications tell: who was rung when, and a recording that
/// the report does not name yet.
fn join(call: &mut Call, live: &Call) {
    for leg in &mut call.legs {
        let Some(seen) = live.legs.iter().find(|one| one.extension == leg.extension) else {
            continue;
        };
        leg.rung_at = seen.rung_at.max(call.started_at);
        let fits = |at: Timestamp| call.ended_at.is_none_or(|end| at <= end);
        if leg.talked_from.is_some() && seen.talked_from.is_some_and(fits) {
            leg.talked_from = seen.talked_from;
            let until = seen.talked_until.filter(|at| fits(*at));
            leg.talked_until = until.or(leg.talked_until).max(leg.talked_from);
        }
        leg.rung_at = leg
            .talked_from
            .map_or(leg.rung_at, |from| leg.rung_at.min(from));
    }
    if call.recordings.is_empty() {
        call.recordings.clone_from(&live.recordings);
    }
    if call.click_to_call.is_none() {
        call.click_to_call.clone_from(&live.click_to_call);
    }
    if call.client.phone().is_none() && live.client.phone().is_some() {
        call.client = live.client.clone();
    }
}
