//! The names of new records where no template says otherwise. Russian, the language of the CRM
//! cards of our tenants.

use jiff::tz::TimeZone;

use crate::model::call::{Call, CallResult, MissReason};
use crate::model::explanation::Side;
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;

/// Names a new contact: all that is known of the client is the number.
pub(super) fn contact(phone: &Phone) -> String {
    phone.to_string()
}

/// Names the deal that a call makes.
pub(super) fn deal(side: Side, call: &Call, phone: &Phone) -> String {
    format!("{} {phone}", event(side, call))
}

/// Names what happened.
pub(super) fn event(side: Side, call: &Call) -> &'static str {
    match side {
        Side::Incoming if call.is_answered() => "Входящий звонок",
        Side::Incoming => "Пропущенный звонок",
        Side::Outgoing => "Исходящий звонок",
    }
}

/// Tells in one line what an outgoing call came to.
pub(super) fn outgoing_summary(call: &Call, phone: &Phone) -> String {
    let outcome = match call.result {
        CallResult::Answered => format!("разговор {} с", call.talking_ms / 1000),
        CallResult::Missed { reason } => match reason {
            MissReason::Busy => "занято".to_owned(),
            MissReason::Declined => "вызов отклонён".to_owned(),
            MissReason::Failed => "вызов не прошёл".to_owned(),
            MissReason::NoAnswer
            | MissReason::CallerGaveUp
            | MissReason::AbandonedInQueue
            | MissReason::NobodyRung => "клиент не ответил".to_owned(),
        },
        CallResult::Open | CallResult::EmployeeNotReached { .. } => "разговора не было".to_owned(),
    };
    format!("Исходящий звонок на {phone}: {outcome}")
}

/// Says where a recording can be heard.
pub(super) fn recording(link: &str) -> String {
    format!("Запись разговора: {link}")
}

/// Returns day and time of day in the company's zone; empty for a time that no calendar has.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> (String, String) {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => {
            let at = at.to_zoned(zone.clone());
            let date = format!("{:02}.{:02}.{:04}", at.day(), at.month(), at.year());
            (date, format!("{:02}:{:02}", at.hour(), at.minute()))
        }
        Err(_) => (String::new(), String::new()),
    }
}
