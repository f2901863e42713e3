//! The part of an outside line in the conversation: the client, a mobile that answers for a phone,
//! or a stranger to whom the call was handed.

use super::book::Book;
use super::call::{Call, Origin};
use super::channel::{Part, Side};
use super::talk::Talk;
use crate::model::ids::Extension;
use crate::model::timestamp::Timestamp;

impl Book {
    /// Gives an outside line its part, once there is something to tell it by: who dialled it.
    pub(super) fn decide_line(&mut self, uniqueid: &str, dialler: Option<&str>, at: Timestamp) {
        let by_local = dialler
            .and_then(|id| self.channel(id))
            .and_then(|one| self.settings.channels.extension_of_local(&one.name));
        let by_phone = dialler
            .and_then(|id| self.channel(id))
            .and_then(|one| one.extension().cloned());
        let Some(number) = self.call_of(uniqueid) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        let Some(line) = call.channel(uniqueid).filter(|one| one.part == Part::Line) else {
            return;
        };
        let has_client = call.channels.iter().any(|one| one.part == Part::Client);
        let talked = call.talk.first.is_some();
        let part = match (call.origin, line.side) {
            (Origin::Client, Side::Calling) if !has_client => Part::Client,
            (Origin::Client, _) if !talked && has_client => Part::StandIn {
                extension: by_local.or_else(|| call.forwarded_by.clone()),
            },
            (Origin::Client, _) if !has_client => Part::Client,
            (Origin::Client, _) => Part::Outside,
            (Origin::Employee | Origin::Pbx, _) if has_client && talked => Part::Outside,
            (Origin::Employee | Origin::Pbx, _) if !has_client && call.forwarded_by.is_some() => {
                Part::StandIn {
                    extension: call.forwarded_by.clone(),
                }
            }
            (Origin::Employee | Origin::Pbx, _) => Part::Client,
        };
        if part == Part::Client && !has_client {
            // What was said among employees before is no talk with the client.
            call.talk = Talk::default();
            for leg in &mut call.legs {
                leg.talked_from = None;
                leg.talked_until = None;
            }
            if call.origin != Origin::Client && call.caller_extension.is_none() {
                call.caller_extension = by_phone.or_else(|| first_up(call));
            }
        }
        if let Part::StandIn {
            extension: Some(extension),
        } = &part
        {
            let extension = extension.clone();
            call.leg(&extension, at);
        }
        if let Some(line) = call.channel_mut(uniqueid) {
            line.part = part;
        }
        self.changed.insert(number);
        self.dirty = true;
    }
}

fn first_up(call: &Call) -> Option<Extension> {
    let phones = || call.channels.iter().filter(|one| one.extension().is_some());
    phones()
        .find(|one| one.up)
        .or_else(|| phones().next())
        .and_then(|one| one.extension().cloned())
}
