//! From items as written to snapshots: what the fields mean together, and what follows from what
//! was left out. Pure. `docs/webhook.md` describes the same rules for people. Calls have a file
//! of their own.

use super::map_call::{call, not_before};
use super::wire::{AuthorWord, ChatItem, ChatPhaseWord, Item, MessageItem, RequestItem};
use crate::model::chat::{Author, Chat, ChatPhase, Message};
use crate::model::communication::{Body, Snapshot};
use crate::model::ids::{CommunicationKey, Extension};
use crate::model::mistake::Mistake;
use crate::model::number_rules::NumberRules;
use crate::model::phone::{ClientNumber, Phone};
use crate::model::request::SiteRequest;
use crate::pbx::SourceIdentity;

/// Turns an item into a snapshot, or names every contradiction in it.
pub(super) fn snapshot(item: Item, identity: &SourceIdentity) -> Result<Snapshot, Vec<Mistake>> {
    let (key, revision, body) = match item {
        Item::Call(item) => {
            let (key, revision) = (item.key.clone(), item.revision);
            (
                key,
                revision,
                call(item, &identity.numbers).map(|call| Body::Call { call }),
            )
        }
        Item::Chat(item) => {
            let (key, revision) = (item.key.clone(), item.revision);
            (
                key,
                revision,
                chat(item, &identity.numbers).map(|chat| Body::Chat { chat }),
            )
        }
        Item::Request(item) => {
            let (key, revision) = (item.key.clone(), item.revision);
            let request = request(item, &identity.numbers);
            (
                key,
                revision,
                request.map(|request| Body::Request { request }),
            )
        }
    };
    let key = CommunicationKey::new(identity.key.clone(), &key)
        .map_err(|error| Mistake::at("key", error.to_string()));
    match (key, body) {
        (Ok(key), Ok(body)) => Ok(Snapshot {
            key,
            revision,
            body,
        }),
        (key, body) => Err(key
            .err()
            .into_iter()
            .chain(body.err().into_iter().flatten())
            .collect()),
    }
}

fn chat(item: ChatItem, numbers: &NumberRules) -> Result<Chat, Vec<Mistake>> {
    let mut wrong = Vec::new();
    let phase = match item.phase {
        ChatPhaseWord::Started => ChatPhase::Started,
        ChatPhaseWord::Accepted => ChatPhase::Accepted,
        ChatPhaseWord::Ended => ChatPhase::Ended,
    };
    match (phase, item.ended_at) {
        (ChatPhase::Ended, None) => {
            wrong.push(Mistake::at("ended_at", "is missing: the chat is over"));
        }
        (ChatPhase::Started | ChatPhase::Accepted, Some(_)) => {
            wrong.push(Mistake::at(
                "ended_at",
                "stands only in a chat that is over",
            ));
        }
        (ChatPhase::Ended, Some(_)) | (ChatPhase::Started | ChatPhase::Accepted, None) => {}
    }
    not_before(
        "ended_at",
        item.ended_at,
        item.started_at,
        "started_at",
        &mut wrong,
    );
    match (phase, &item.employee) {
        (ChatPhase::Accepted, None) => {
            wrong.push(Mistake::at("employee", "is missing: who took the chat"));
        }
        (ChatPhase::Started, Some(_)) => {
            let message = "stands only in a chat that was taken: send the phase accepted";
            wrong.push(Mistake::at("employee", message));
        }
        _ => {}
    }
    if item.lost == Some(true) && phase != ChatPhase::Ended {
        wrong.push(Mistake::at("lost", "stands only in a chat that is over"));
    }
    let mut ids = std::collections::BTreeSet::new();
    let mut messages = Vec::with_capacity(item.messages.len());
    for (position, message) in item.messages.into_iter().enumerate() {
        if !ids.insert(message.id.clone()) {
            let path = format!("messages.{position}.id");
            wrong.push(Mistake::at(&path, "stands twice in this chat"));
        }
        match author(&message) {
            Ok(author) => messages.push(Message {
                id: message.id,
                at: message.at,
                author,
                text: message.text,
            }),
            Err(mistake) => {
                wrong.push(mistake.under(&position.to_string()).under("messages"));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Chat {
        phase,
        channel: item.channel,
        visitor: item.visitor,
        name: item.name,
        // What a visitor typed that is no number or address stands in the messages anyhow.
        phone: item.phone.and_then(|text| phone(&text, numbers)),
        email: item.email.filter(|text| is_email(text)),
        site: item.site,
        employee: item.employee.map(Extension),
        tags: item.tags,
        started_at: item.started_at,
        ended_at: item.ended_at,
        messages,
        lost: item.lost.unwrap_or(false),
        group: item.group,
        details: Default::default(),
    })
}

fn author(message: &MessageItem) -> Result<Author, Mistake> {
    match (message.from, &message.employee) {
        (AuthorWord::Client, None) => Ok(Author::Client {
            name: message.name.clone(),
        }),
        (AuthorWord::Employee, Some(login)) => Ok(Author::Employee {
            login: Extension(login.clone()),
        }),
        (AuthorWord::System, None) => Ok(Author::System),
        (AuthorWord::Employee, None) => Err(Mistake::at("employee", "is missing: who wrote it")),
        (AuthorWord::Client | AuthorWord::System, Some(_)) => Err(Mistake::at(
            "employee",
            "stands only in a message from an employee",
        )),
    }
}

fn request(item: RequestItem, numbers: &NumberRules) -> Result<SiteRequest, Vec<Mistake>> {
    let mut fields: std::collections::BTreeMap<String, String> = item.fields.into_iter().collect();
    let says_nothing = item.name.is_none()
        && item.phone.is_none()
        && item.email.is_none()
        && item.text.is_none()
        && fields.is_empty();
    if says_nothing {
        let message =
            "the request says nothing: give at least one of name, phone, email, text, fields";
        return Err(vec![Mistake::at("", message)]);
    }
    // A client's slip of the pen must not cost the request; a person can still read it.
    let mut keep = |name: &str, text: &str| {
        fields
            .entry(name.to_owned())
            .or_insert_with(|| text.to_owned());
    };
    let phone = item.phone.and_then(|text| {
        let read = phone(&text, numbers);
        if read.is_none() {
            keep("phone", &text);
        }
        read
    });
    let email = item.email.filter(|text| {
        let read = is_email(text);
        if !read {
            keep("email", text);
        }
        read
    });
    Ok(SiteRequest {
        at: item.at,
        name: item.name,
        phone,
        email,
        text: item.text,
        form: item.form,
        site: item.site,
        page: item.page,
        fields,
        tags: Vec::new(),
        details: Default::default(),
    })
}

fn phone(text: &str, numbers: &NumberRules) -> Option<Phone> {
    match numbers.incoming_number(text) {
        ClientNumber::Phone { phone } => Some(phone),
        ClientNumber::Other { .. } | ClientNumber::Withheld => None,
    }
}

/// Says whether a text can be a client's e-mail address: one `@` with something on both sides and
/// no spaces. More than that only the mail itself can prove.
fn is_email(text: &str) -> bool {
    let mut parts = text.split('@');
    let (Some(name), Some(host), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
}
