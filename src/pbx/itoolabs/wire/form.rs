//! What the VATS sends: forms with `cmd` and `crm_token` (`pbx/megafon.md` A1).

use url::form_urlencoded;

use super::history::{HistoryItem, Outcome, Way};
use super::{TEXT_CHARS_MAX, id, line, link, moment, seconds};
use crate::model::secret::{Secret, is_one_of};

/// Fields that are read of one message; those seen have a dozen.
const FIELDS_MAX: usize = 64;

/// What the VATS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) enum Message {
    /// Who calls, and who shall be rung?
    Contact(Contact),
    /// Something happened in a call.
    Event(Event),
    /// A call, or one employee's part of it, is over.
    History(HistoryItem),
    /// The caller gave a mark.
    Rating(Rating),
}

/// A question before a call is distributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Contact {
    pub(in crate::pbx::itoolabs) phone: String,
    pub(in crate::pbx::itoolabs) diversion: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) enum EventKind {
    /// The user's phone begins to ring.
    Incoming,
    /// The user answered.
    Accepted,
    /// The talk is over.
    Completed,
    /// The user's phone rings no more: the caller gave up, or somebody else answered.
    Cancelled,
    /// The user dials the client.
    Outgoing,
    /// The call went to another user.
    Transferred,
}

/// An event of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Event {
    pub(in crate::pbx::itoolabs) kind: EventKind,
    pub(in crate::pbx::itoolabs) callid: String,
    pub(in crate::pbx::itoolabs) second_callid: Option<String>,
    pub(in crate::pbx::itoolabs) phone: Option<String>,
    pub(in crate::pbx::itoolabs) user: Option<String>,
    pub(in crate::pbx::itoolabs) way: Option<Way>,
    pub(in crate::pbx::itoolabs) diversion: Option<String>,
    pub(in crate::pbx::itoolabs) group: Option<String>,
    pub(in crate::pbx::itoolabs) ext: Option<String>,
    pub(in crate::pbx::itoolabs) telnum: Option<String>,
}

/// A mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Rating {
    pub(in crate::pbx::itoolabs) callid: String,
    pub(in crate::pbx::itoolabs) rating: String,
    pub(in crate::pbx::itoolabs) user: Option<String>,
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) enum Refusal {
    /// The token is missing or another one.
    Token,
    /// The rest of it cannot be used.
    Parameters(&'static str),
}

/// Reads a message: body and query are of one sort, and a field of the body goes first.
pub(in crate::pbx::itoolabs) fn read(
    body: &[u8],
    query: &str,
    tokens: &[Secret],
) -> Result<Message, Refusal> {
    let fields = Fields::of(body, query);
    let token = fields.raw("crm_token").unwrap_or_default();
    if !is_one_of(token, tokens) {
        return Err(Refusal::Token);
    }
    let command = fields.raw("cmd").unwrap_or_default();
    match command.to_ascii_lowercase().as_str() {
        "contact" => fields.contact().map(Message::Contact),
        "event" => fields.event().map(Message::Event),
        "history" => fields.history().map(Message::History),
        "rating" => fields.rating().map(Message::Rating),
        "" => Err(Refusal::Parameters("there is no cmd")),
        _ => Err(Refusal::Parameters("the cmd is not known")),
    }
}

struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(body: &[u8], query: &str) -> Self {
        let of_body = form_urlencoded::parse(body);
        let of_query = form_urlencoded::parse(query.as_bytes());
        let fields = of_body.chain(of_query).take(FIELDS_MAX);
        Self(
            fields
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    fn raw(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> Option<String> {
        line(self.raw(name)?, TEXT_CHARS_MAX)
    }

    fn callid(&self) -> Result<String, Refusal> {
        let found = self.raw("callid").and_then(id);
        found.ok_or(Refusal::Parameters("there is no usable callid"))
    }

    fn contact(&self) -> Result<Contact, Refusal> {
        // A caller who hides the number is asked about too, with an empty one.
        Ok(Contact {
            phone: self.text("phone").unwrap_or_default(),
            diversion: self.text("diversion"),
        })
    }

    fn event(&self) -> Result<Event, Refusal> {
        let kind = self.raw("type").unwrap_or_default();
        let kind = match kind.trim().to_ascii_uppercase().as_str() {
            "INCOMING" => EventKind::Incoming,
            "ACCEPTED" => EventKind::Accepted,
            "COMPLETED" => EventKind::Completed,
            "CANCELLED" | "CANCELED" => EventKind::Cancelled,
            "OUTGOING" => EventKind::Outgoing,
            "TRANSFERRED" | "TRANSFERED" => EventKind::Transferred,
            _ => return Err(Refusal::Parameters("the type of the event is not known")),
        };
        Ok(Event {
            kind,
            callid: self.callid()?,
            second_callid: self.raw("second_callid").and_then(id),
            phone: self.text("phone"),
            user: self.text("user"),
            way: self.raw("direction").and_then(Way::read),
            diversion: self.text("diversion"),
            group: self.text("groupRealName"),
            ext: self.text("ext"),
            telnum: self.text("telnum"),
        })
    }

    fn history(&self) -> Result<HistoryItem, Refusal> {
        let start = self.raw("start").and_then(moment::read);
        let start = start.ok_or(Refusal::Parameters("there is no usable start"))?;
        let way = self.raw("type").and_then(Way::read);
        let status = self.raw("status").unwrap_or_default();
        let duration_s = self.raw("duration").and_then(seconds).unwrap_or_default();
        let outcome = Outcome::read(status, way)
            .ok_or(Refusal::Parameters("the status of the call is not known"))?;
        Ok(HistoryItem {
            id: self.callid()?,
            way,
            outcome,
            phone: self.text("phone"),
            user: self.text("user"),
            ext: self.text("ext"),
            account: None,
            group: self.text("groupRealName"),
            telnum: self.text("telnum"),
            diversion: self.text("diversion"),
            start,
            wait_s: None,
            duration_s,
            link: self.raw("link").and_then(link),
        })
    }

    fn rating(&self) -> Result<Rating, Refusal> {
        let rating = self.text("rating");
        Ok(Rating {
            callid: self.callid()?,
            rating: rating.ok_or(Refusal::Parameters("there is no rating"))?,
            user: self.text("user"),
        })
    }
}
