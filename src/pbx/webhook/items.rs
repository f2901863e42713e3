//! Reads the items of a body as they were written: which keys there are, which of them must be
//! there and how long they may be. What fields mean together is judged in `map`.

use serde::Deserialize;
use serde_json::Value;

use super::wire::{
    CallItem, ChatItem, FEW_MAX, FIELDS_MAX, Item, LEGS_MAX, LegItem, MESSAGES_MAX, MessageItem,
    REVISION_MAX, RequestItem, SECONDS_MAX, Seconds,
};
use crate::model::ids::SOURCE_ITEM_BYTES_MAX;
use crate::model::object_reader::{Mistakes, Reader, TextShape};

/// Names, numbers, addresses of sites: what fits on one line of a form.
const LINE: TextShape = TextShape::Line(256);
/// A web address or a path of a recording: browsers and file systems stop at about this length.
const LONG_LINE: TextShape = TextShape::Line(2048);
/// A message or the text of a request; CRMs cut notes at 20 000 characters or earlier.
const TEXT: TextShape = TextShape::Lines(20_000);
/// Key of a communication; the store's bound is in bytes and checked when the key is built.
const KEY: TextShape = TextShape::Line(SOURCE_ITEM_BYTES_MAX);
/// The word of `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindWord {
    Call,
    Chat,
    Request,
}

impl Item {
    /// Reads an item, or notes every mistake in it.
    pub(super) fn read(value: &Value, path: &[String], mistakes: &mut Mistakes) -> Option<Self> {
        let before = mistakes.count();
        let mut reader = Reader::new(value, path, mistakes)?;
        let kind = reader.word("kind");
        // Without a known kind nothing else can be judged.
        let item = match reader.required("kind", kind)? {
            KindWord::Call => CallItem::read(reader).map(Item::Call),
            KindWord::Chat => ChatItem::read(reader).map(Item::Chat),
            KindWord::Request => RequestItem::read(reader).map(Item::Request),
        };
        item.filter(|_| mistakes.count() == before)
    }
}

impl CallItem {
    fn read(mut r: Reader<'_>) -> Option<Self> {
        let key = r.required_text("key", KEY);
        let revision = read_revision(&mut r);
        let direction = r.word("direction");
        let direction = r.required("direction", direction);
        let phase = r.word("phase");
        let phase = r.required("phase", phase);
        let started_at = r.time("started_at");
        let started_at = r.required("started_at", started_at);
        let client = r.text("client", LINE);
        let client_name = r.text("client_name", LINE);
        let our_number = r.text("our_number", LINE);
        let caller = r.text("caller", LINE);
        let answered_at = r.time("answered_at");
        let ended_at = r.time("ended_at");
        let waiting_s = read_seconds(&mut r, "waiting_s");
        let talking_s = read_seconds(&mut r, "talking_s");
        let result = r.word("result");
        let reason = r.word("reason");
        let rung = r.list("rung", LEGS_MAX, |value, path, mistakes| {
            LegItem::read(Reader::new(value, path, mistakes)?)
        });
        let talkers = r.texts("talkers", LEGS_MAX, LINE);
        let last_talker = r.text("last_talker", LINE);
        let queues = r.texts("queues", FEW_MAX, LINE);
        let recordings = r.texts("recordings", FEW_MAX, LONG_LINE);
        let click_to_call = r.text("click_to_call", LINE);
        r.finish();
        Some(Self {
            key: key?,
            revision: revision?,
            direction: direction?,
            phase: phase?,
            client,
            client_name,
            our_number,
            caller,
            started_at: started_at?,
            answered_at,
            ended_at,
            waiting_s,
            talking_s,
            result,
            reason,
            rung,
            talkers,
            last_talker,
            queues,
            recordings,
            click_to_call,
        })
    }
}

impl LegItem {
    fn read(mut r: Reader<'_>) -> Option<Self> {
        let extension = r.required_text("extension", LINE);
        let rung_at = r.time("rung_at");
        let talked_from = r.time("talked_from");
        let talked_until = r.time("talked_until");
        r.finish();
        Some(Self {
            extension: extension?,
            rung_at,
            talked_from,
            talked_until,
        })
    }
}

impl ChatItem {
    fn read(mut r: Reader<'_>) -> Option<Self> {
        let key = r.required_text("key", KEY);
        let revision = read_revision(&mut r);
        let phase = r.word("phase");
        let phase = r.required("phase", phase);
        let channel = r.required_text("channel", LINE);
        let visitor = r.required_text("visitor", LINE);
        let started_at = r.time("started_at");
        let started_at = r.required("started_at", started_at);
        let name = r.text("name", LINE);
        let phone = r.text("phone", LINE);
        let email = r.text("email", LINE);
        let site = r.text("site", LONG_LINE);
        let employee = r.text("employee", LINE);
        let tags = r.texts("tags", FEW_MAX, LINE);
        let ended_at = r.time("ended_at");
        let messages = r.list("messages", MESSAGES_MAX, |value, path, mistakes| {
            MessageItem::read(Reader::new(value, path, mistakes)?)
        });
        r.finish();
        Some(Self {
            key: key?,
            revision: revision?,
            phase: phase?,
            channel: channel?,
            visitor: visitor?,
            name,
            phone,
            email,
            site,
            employee,
            tags,
            started_at: started_at?,
            ended_at,
            messages,
        })
    }
}

impl MessageItem {
    fn read(mut r: Reader<'_>) -> Option<Self> {
        let id = r.required_text("id", LINE);
        let at = r.time("at");
        let at = r.required("at", at);
        let from = r.word("from");
        let from = r.required("from", from);
        let name = r.text("name", LINE);
        let employee = r.text("employee", LINE);
        // A picture or a sticker has no text; the key must stand all the same.
        let text = r.text("text", TEXT);
        let _ = r.required("text", text.as_ref());
        r.finish();
        Some(Self {
            id: id?,
            at: at?,
            from: from?,
            name,
            employee,
            text: text.unwrap_or_default(),
        })
    }
}

impl RequestItem {
    fn read(mut r: Reader<'_>) -> Option<Self> {
        let key = r.required_text("key", KEY);
        let revision = read_revision(&mut r);
        let at = r.time("at");
        let at = r.required("at", at);
        let name = r.text("name", LINE);
        let phone = r.text("phone", LINE);
        let email = r.text("email", LINE);
        let text = r.text("text", TEXT);
        let form = r.text("form", LINE);
        let site = r.text("site", LONG_LINE);
        let page = r.text("page", LONG_LINE);
        let fields = r.named_texts("fields", FIELDS_MAX, LINE, TEXT);
        r.finish();
        Some(Self {
            key: key?,
            revision: revision?,
            at: at?,
            name,
            phone,
            email,
            text,
            form,
            site,
            page,
            fields,
        })
    }
}

fn read_revision(r: &mut Reader<'_>) -> Option<u64> {
    let revision = r.whole("revision", REVISION_MAX);
    r.required("revision", revision)
}

fn read_seconds(r: &mut Reader<'_>, key: &'static str) -> Option<Seconds> {
    r.seconds_as_ms(key, SECONDS_MAX).map(|ms| Seconds { ms })
}
