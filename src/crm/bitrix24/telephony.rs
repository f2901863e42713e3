//! Calls in the portal's terms (`crm/bitrix24.md` §8): registered and finished in one request when
//! they are over, so that an outage costs no more than a delay. With a card at a ringing telephone they
//! are registered then, and only finished at the end, by the portal's name of them. Where the answer
//! that told it was lost, they are registered again at the end: for half an hour the portal knows them
//! by our own name and answers with the same entry. Pure.
//!
//! Where telephony is closed to us (a webhook without the right), a call is an activity.

use serde_json::{Value, json};

use super::client::refuse;
use super::command::{Command, result_of};
use super::settings::Telling;
use super::{clicks, map, standing, wire};
use crate::crm::{Popup, StepCommand};
use crate::model::call::Direction;
use crate::model::ids::CrmUserId;
use crate::model::outcome::Rejection;
use crate::model::plan::{CallRecord, CallStatus, Card, Entity};
use crate::model::timestamp::Timestamp;

/// How the portal calls the entries that it makes itself.
const CALL_ID: &str = "externalCall.";

/// Says whether an entry of the call history is one of the portal's telephony, not an activity.
pub(super) fn is_telephony(entry: &str) -> bool {
    entry.starts_with(CALL_ID)
}

/// Writes the registration and the end of a call, in this order; `own_user` stands in for nobody.
pub(super) fn call(
    command: &StepCommand,
    record: &CallRecord,
    user: Option<&CrmUserId>,
    telling: Telling,
) -> Result<Vec<Command>, Rejection> {
    let user = logged_under(user)?;
    let shown_to = map::user(record.shown_to.as_ref())?;
    let our_number = record
        .line
        .as_ref()
        .and_then(|line| line.our_number.as_deref());
    let register = register(&Registration {
        user: shown_to.unwrap_or(user),
        phone: record.phone.as_str(),
        kind: match is_callback(record) {
            true => CALLBACK,
            false => kind(record.direction),
        },
        at: record.at,
        name: command.key.marker(),
        client: client(record)?,
        // What its card began has its line already, and is known again without.
        line: our_number.filter(|_| telling.number_as_line && shown_to.is_none()),
    });
    Ok(vec![
        register,
        finish(result_of(0, "[CALL_ID]"), record, user, telling),
    ])
}

/// Writes the end of a call that stands in the portal under its own name: somebody clicked there, or a
/// card was shown.
pub(super) fn opened_call(
    entry: &str,
    record: &CallRecord,
    user: Option<&CrmUserId>,
    telling: Telling,
) -> Result<Command, Rejection> {
    Ok(finish(json!(entry), record, logged_under(user)?, telling))
}

fn logged_under(user: Option<&CrmUserId>) -> Result<i64, Rejection> {
    let none = || refuse("no_user", "Bitrix24 logs no call without a user".to_owned());
    map::user(user)?.ok_or_else(none)
}

fn finish(entry: Value, record: &CallRecord, user: i64, telling: Telling) -> Command {
    let talked = record.status == CallStatus::Talked;
    let params = json!({
        "CALL_ID": entry,
        "USER_ID": user,
        // Whether it was answered is told by this alone.
        "DURATION": if talked { record.talk_s.max(1) } else { 0 },
        "STATUS_CODE": status_code(record),
        "ADD_TO_CHAT": u8::from(telling.in_chat),
    });
    Command::new("telephony.externalCall.finish", params)
}

/// Whether a card is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Yes,
    No,
}

/// Writes the registration of a call that rings, and what becomes of its card. It is registered under
/// whom the call's first card was for: by the user, too, the portal knows it again.
pub(super) fn ringing(
    popup: &Popup,
    shown: Shown,
    telling: Telling,
) -> Result<Vec<Command>, Rejection> {
    let users = seen_by(popup)?;
    let under = match &popup.opened {
        Some(entry) => map::id("user", &entry.user.0)?,
        None => users.first().copied().unwrap_or_default(),
    };
    let register = register(&Registration {
        user: under,
        phone: popup.phone.as_str(),
        kind: kind(Direction::Incoming),
        at: popup.at,
        name: popup.entry.marker(),
        client: None,
        line: popup
            .our_number
            .as_deref()
            .filter(|_| telling.number_as_line),
    });
    // The card of whoever it is registered for is shown by this, too: a registration that stands
    // already shows none.
    Ok(vec![
        register,
        card_of(result_of(0, "[CALL_ID]"), &users, shown),
    ])
}

/// Writes what becomes of the card of a call that is registered.
pub(super) fn card(entry: &str, popup: &Popup, shown: Shown) -> Result<Command, Rejection> {
    Ok(card_of(json!(entry), &seen_by(popup)?, shown))
}

fn card_of(entry: Value, users: &[i64], shown: Shown) -> Command {
    let method = match shown {
        Shown::Yes => "telephony.externalCall.show",
        Shown::No => "telephony.externalCall.hide",
    };
    Command::new(method, json!({ "CALL_ID": entry, "USER_ID": users }))
}

fn seen_by(popup: &Popup) -> Result<Vec<i64>, Rejection> {
    let users = popup.users.iter().map(|user| map::id("user", &user.0));
    let users: Vec<i64> = users.collect::<Result<_, _>>()?;
    match users.is_empty() {
        true => {
            let message = "Bitrix24 shows cards to users who are named".to_owned();
            Err(refuse("no_user", message))
        }
        false => Ok(users),
    }
}

struct Registration<'a> {
    user: i64,
    phone: &'a str,
    kind: u8,
    at: Timestamp,
    name: String,
    client: Option<(&'static str, i64)>,
    line: Option<&'a str>,
}

/// The same values at every repeat: by them the portal recognises a call that it has.
fn register(call: &Registration<'_>) -> Command {
    let params = json!({
        "USER_ID": call.user,
        "PHONE_NUMBER": call.phone,
        "TYPE": call.kind,
        "CALL_START_DATE": wire::time(call.at),
        "CRM_CREATE": 0,
        "SHOW": 0,
        // The message is made at the end, once.
        "ADD_TO_CHAT": 0,
        "LINE_NUMBER": call.line,
        "EXTERNAL_CALL_ID": call.name,
        "CRM_ENTITY_TYPE": call.client.map(|client| client.0),
        "CRM_ENTITY_ID": call.client.map(|client| client.1),
    });
    Command::new("telephony.externalCall.register", params)
}

/// Returns the client whose card the call is put on; of a deal the portal finds it by the number,
/// and the deal by itself.
fn client(record: &CallRecord) -> Result<Option<(&'static str, i64)>, Rejection> {
    let Some(target) = &record.card else {
        return Ok(None);
    };
    let card = map::known(target)?;
    let name = match card.entity {
        Entity::Contact => "CONTACT",
        Entity::Company => "COMPANY",
        Entity::Lead => "LEAD",
        Entity::Deal
        | Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => return Ok(None),
    };
    Ok(Some((name, map::id("card", &card.id)?)))
}

/// The portal's word for a call back (§8).
const CALLBACK: u8 = 4;

/// Says whether the call was asked for in a callback form of the portal.
fn is_callback(record: &CallRecord) -> bool {
    let click = record.line.as_ref().and_then(|line| line.click.as_deref());
    click.is_some_and(clicks::is_callback)
}

fn kind(direction: Direction) -> u8 {
    match direction {
        Direction::Outgoing => 1,
        Direction::Incoming | Direction::Internal => 2,
    }
}

/// A call to us that nobody took is a missed one, whyever: only those are left open (V-04).
fn status_code(record: &CallRecord) -> &'static str {
    match (record.status, record.direction) {
        (CallStatus::Talked, _) => "200",
        (CallStatus::Busy, Direction::Outgoing) => "486",
        (CallStatus::WrongNumber, Direction::Outgoing) => "404",
        (CallStatus::NoAnswer, _)
        | (CallStatus::Busy | CallStatus::WrongNumber, Direction::Incoming | Direction::Internal) => {
            "304"
        }
    }
}

/// Reads the sort of client that the portal put a call on.
pub(super) fn entity(name: &str) -> Option<Entity> {
    match name.to_ascii_uppercase().as_str() {
        "CONTACT" => Some(Entity::Contact),
        "COMPANY" => Some(Entity::Company),
        "LEAD" => Some(Entity::Lead),
        "DEAL" => Some(Entity::Deal),
        _ => None,
    }
}

/// Returns the cards of a call: its entry, and the client it stands on.
pub(super) fn cards(entry: &str, told: &Value) -> Vec<Card> {
    let told = wire::Record(told);
    let mut cards = vec![Card {
        entity: Entity::CallRecord,
        id: entry.to_owned(),
    }];
    let on = told.text("CRM_ENTITY_TYPE").and_then(|name| entity(&name));
    if let (Some(entity), Some(id)) = (on, told.number("CRM_ENTITY_ID").filter(|id| *id > 0)) {
        let id = id.to_string();
        cards.push(Card { entity, id });
    } else if let Some(activity) = standing::activity_told(told.0) {
        // It stands on something, whatever that is.
        cards.push(Card {
            entity: Entity::CallRecord,
            id: activity.to_string(),
        });
    }
    cards
}

/// A call as an activity on a card, with the client that it was with.
pub(super) fn activity(
    command: &StepCommand,
    record: &CallRecord,
    on: &Card,
    client: &Card,
    user: Option<&CrmUserId>,
) -> Result<Command, Rejection> {
    let (owner_type, owner) = map::owner(on)?;
    let (client_type, client) = map::owner(client)?;
    let talked = record.status == CallStatus::Talked;
    let incoming = record.direction != Direction::Outgoing;
    let seconds = std::time::Duration::from_secs(record.talk_s);
    let fields = json!({
        "OWNER_TYPE_ID": owner_type,
        "OWNER_ID": owner,
        "TYPE_ID": 2,
        "DIRECTION": if incoming { 1 } else { 2 },
        "SUBJECT": subject(incoming, talked, record.phone.as_str()),
        "RESPONSIBLE_ID": map::user(user)?,
        // A missed call is left open: somebody must see to it.
        "COMPLETED": if talked || !incoming { "Y" } else { "N" },
        "START_TIME": wire::time(record.at),
        "END_TIME": wire::time(record.at.plus(seconds)),
        "COMMUNICATIONS": [{
            "VALUE": record.phone.as_str(), "ENTITY_ID": client, "ENTITY_TYPE_ID": client_type,
        }],
        "ORIGINATOR_ID": map::ORIGINATOR,
        "ORIGIN_ID": command.key.marker(),
    });
    Ok(Command::new(
        "crm.activity.add",
        json!({ "fields": fields }),
    ))
}

fn subject(incoming: bool, talked: bool, phone: &str) -> String {
    let what = match (incoming, talked) {
        (true, true) => "Входящий звонок",
        (true, false) => "Пропущенный звонок",
        (false, true) => "Исходящий звонок",
        (false, false) => "Исходящий звонок без ответа",
    };
    format!("{what} {phone}")
}
