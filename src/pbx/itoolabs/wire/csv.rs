//! The history of the old form: CSV without a head (`pbx/megafon.md` A2). Whether fields are ever
//! quoted is not known, so both are read.

use super::history::{History, HistoryItem, Outcome, Way, is_machine};
use super::{TEXT_CHARS_MAX, id, line, link, moment, seconds};
use crate::model::call::MissReason;

/// Reads all rows.
pub(in crate::pbx::itoolabs) fn read(body: &[u8]) -> History {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    let mut history = History::default();
    for row in text.lines().filter(|row| !row.trim().is_empty()) {
        match read_row(&fields(row)) {
            Some(item) => history.items.push(item),
            None => history.unread += 1,
        }
    }
    history
}

/// UID, type, client, account, via, start, wait, duration, record.
fn read_row(fields: &[String]) -> Option<HistoryItem> {
    let raw = |at: usize| fields.get(at).map(String::as_str);
    let text = |at: usize| line(raw(at)?, TEXT_CHARS_MAX);
    let kind = raw(1)?;
    let way = Way::read(kind)?;
    let duration_s = raw(7).and_then(seconds).unwrap_or(0);
    let missed = kind.trim().eq_ignore_ascii_case("missed") || duration_s == 0;
    let outcome = match missed {
        true => Outcome::Missed(MissReason::NoAnswer),
        false => Outcome::Talked,
    };
    let account = text(3).filter(|account| !is_machine(account));
    Some(HistoryItem {
        id: raw(0).and_then(id)?,
        way: Some(way),
        outcome,
        phone: text(2),
        // Of a missed call it may be a group; who dialled is always a person.
        user: account.clone().filter(|_| !missed || way == Way::Out),
        ext: None,
        account,
        group: None,
        telnum: None,
        diversion: text(4),
        start: raw(5).and_then(moment::read)?,
        wait_s: Some(raw(6).and_then(seconds).unwrap_or(0)),
        duration_s,
        link: raw(8).and_then(link),
    })
}

/// Takes a row apart; a quoted field may hold commas and doubled quotes.
fn fields(row: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut rest = row.trim_end_matches('\r').chars().peekable();
    while let Some(c) = rest.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}
