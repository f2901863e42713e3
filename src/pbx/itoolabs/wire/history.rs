//! Finished calls: one form for the message after a call and for the rows of the history, JSON
//! (`pbx/megafon.md` A3) and CSV (A2, [`super::csv`]).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TEXT_CHARS_MAX, id, line, link, moment, seconds};
use crate::model::call::MissReason;
use crate::model::timestamp::Timestamp;

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::pbx::itoolabs) enum Way {
    In,
    Out,
}

impl Way {
    /// Reads `in` or `out`; clients also meet `missed`, which is a missed incoming call.
    pub(in crate::pbx::itoolabs) fn read(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "in" | "incoming" | "missed" => Some(Way::In),
            "out" | "outgoing" => Some(Way::Out),
            _ => None,
        }
    }
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::pbx::itoolabs) enum Outcome {
    Talked,
    Missed(MissReason),
}

impl Outcome {
    /// Reads a status, whatever its case (`pbx/megafon.md` A1).
    pub(in crate::pbx::itoolabs) fn read(text: &str, way: Option<Way>) -> Option<Self> {
        let missed = |reason| Some(Outcome::Missed(reason));
        match text.trim().to_ascii_lowercase().as_str() {
            "success" => Some(Outcome::Talked),
            "missed" | "noanswer" | "no_answer" => missed(MissReason::NoAnswer),
            "cancel" | "cancelled" | "canceled" => missed(MissReason::CallerGaveUp),
            "busy" => missed(MissReason::Busy),
            "notavailable" => missed(match way {
                Some(Way::In) => MissReason::NobodyRung,
                Some(Way::Out) | None => MissReason::NoAnswer,
            }),
            "notallowed" | "notfound" => missed(MissReason::Failed),
            _ => None,
        }
    }
}

/// A finished call, or one employee's part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct HistoryItem {
    /// `callid` or `uid`.
    pub(in crate::pbx::itoolabs) id: String,
    pub(in crate::pbx::itoolabs) way: Option<Way>,
    pub(in crate::pbx::itoolabs) outcome: Outcome,
    pub(in crate::pbx::itoolabs) phone: Option<String>,
    pub(in crate::pbx::itoolabs) user: Option<String>,
    pub(in crate::pbx::itoolabs) ext: Option<String>,
    /// Login or group, which only the list of people tells apart.
    pub(in crate::pbx::itoolabs) account: Option<String>,
    pub(in crate::pbx::itoolabs) group: Option<String>,
    pub(in crate::pbx::itoolabs) telnum: Option<String>,
    pub(in crate::pbx::itoolabs) diversion: Option<String>,
    pub(in crate::pbx::itoolabs) start: Timestamp,
    /// Seconds of ringing; `None` where they are not told apart from the duration.
    pub(in crate::pbx::itoolabs) wait_s: Option<u64>,
    /// Seconds of talk where `wait_s` is known, else of the whole.
    pub(in crate::pbx::itoolabs) duration_s: u64,
    pub(in crate::pbx::itoolabs) link: Option<String>,
}

/// What a history held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct History {
    /// The calls that could be read.
    pub(in crate::pbx::itoolabs) items: Vec<HistoryItem>,
    /// Rows that could not.
    pub(in crate::pbx::itoolabs) unread: usize,
}

/// Names that stand in `account` and are nobody's login (`pbx/megafon.md` A2).
const MACHINES: [&str; 2] = ["ivr", "fax"];

/// Reads the JSON of a history: an array, an object that holds one as `items`, or nothing.
pub(in crate::pbx::itoolabs) fn read(body: &[u8]) -> Option<History> {
    let value = super::answers::json(body)?;
    let items = super::answers::list(&value)?;
    let mut history = History::default();
    for item in items {
        match read_item(item) {
            Some(item) => history.items.push(item),
            None => history.unread += 1,
        }
    }
    Some(history)
}

fn read_item(item: &Value) -> Option<HistoryItem> {
    let raw = |name: &str| super::answers::scalar(item.get(name)?);
    let text = |name: &str| line(&raw(name)?, TEXT_CHARS_MAX);
    let kind = raw("type").unwrap_or_default();
    let way = Way::read(&kind);
    let status = raw("status").unwrap_or_default();
    let duration_s = raw("duration").as_deref().and_then(seconds).unwrap_or(0);
    let missed = kind.trim().eq_ignore_ascii_case("missed");
    let outcome = match Outcome::read(&status, way) {
        Some(outcome) => outcome,
        // A status that nobody has met yet: what was talked, was talked.
        None if duration_s > 0 && !missed => Outcome::Talked,
        None => Outcome::Missed(MissReason::NoAnswer),
    };
    let account = text("account").filter(|account| !is_machine(account));
    let user = text("user").filter(|user| !is_machine(user));
    Some(HistoryItem {
        id: raw("uid")
            .or_else(|| raw("callid"))
            .as_deref()
            .and_then(id)?,
        way,
        outcome,
        phone: text("client").or_else(|| text("phone")),
        // The account of a missed call may be a group.
        user: user.or_else(|| account.clone().filter(|_| outcome == Outcome::Talked)),
        ext: None,
        account,
        group: text("group_name").or_else(|| text("groupRealName")),
        telnum: None,
        diversion: text("diversion").or_else(|| text("via")),
        start: raw("start").as_deref().and_then(moment::read)?,
        wait_s: Some(raw("wait").as_deref().and_then(seconds).unwrap_or(0)),
        duration_s,
        link: raw("record")
            .or_else(|| raw("link"))
            .as_deref()
            .and_then(link),
    })
}

pub(super) fn is_machine(account: &str) -> bool {
    MACHINES
        .iter()
        .any(|word| account.eq_ignore_ascii_case(word))
}
