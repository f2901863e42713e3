//! The generic webhook: calls, chats and site requests from connectors that people write
//! themselves, in a JSON shape of our own (`docs/webhook.md`, `docs/webhook.schema.json`).
//!
//! It only decodes. Receiving the body, the secret in the path and the commit are intake's part.
//!
//! `bytes -> [items] wire types as written -> [map] snapshots`; every mistake of every item is named,
//! and one mistake refuses the whole body.

mod items;
mod map;
mod map_call;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use self::wire::Item;
pub use self::wire::schema;
use super::registry::SourceKind;
use super::{Hook, HookError, Listener, Source, SourceForm, SourceIdentity};
use crate::model::asked::SettingsForm;
use crate::model::communication::{Kind, Snapshot};
use crate::model::mistake::Mistake;
use crate::model::object_reader::Mistakes;
use crate::model::secret::Secrets;
use crate::model::words::Words;

/// The registry's line.
pub const KIND: SourceKind = SourceKind {
    name: "webhook",
    // What it refuses it tells the programs that post to it, in English.
    russian: "",
    // Those of the path that senders post to belong to every source that has a hook.
    secrets: &[],
    form: SettingsForm::NONE,
    person: SourceForm {
        title: Words {
            ru: "Веб-хук: события в JSON от своих программ",
            en: "Webhook: events in JSON from programs of your own",
        },
        hint: Words {
            ru: "Звонки, чаты и заявки присылает ваш сайт или коннектор (docs/webhook.md). Секрет стоит в \
                 адресе, который вставляется там; мы никуда не подключаемся.",
            en: "Your site or connector sends calls, chats and requests (docs/webhook.md). The secret stands \
                 in the address that is pasted there; nothing is connected to.",
        },
        first: &["secrets.hook"],
        titles: &[],
    },
    build,
};

/// Most items in one body. A connector that was away for a day sends what it has in a few
/// bodies; more in one would hold the store's writer for too long.
pub const ITEMS_MAX: usize = 500;

fn build(
    identity: SourceIdentity,
    settings: &Value,
    _secrets: &Secrets,
) -> Result<Arc<dyn Source>, Vec<Mistake>> {
    let mistakes: Vec<Mistake> = match settings {
        Value::Null => Vec::new(),
        Value::Object(table) => {
            let unknown = Mistake::at("", "a webhook has no such setting");
            table.keys().map(|key| unknown.clone().under(key)).collect()
        }
        _ => vec![Mistake::at("", "must be a table")],
    };
    if mistakes.is_empty() {
        Ok(Arc::new(WebhookSource { identity }))
    } else {
        Err(mistakes)
    }
}

struct WebhookSource {
    identity: SourceIdentity,
}

impl Source for WebhookSource {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        None
    }

    fn hook(&self) -> Option<Arc<dyn Hook>> {
        Some(Arc::new(WebhookHook {
            identity: self.identity.clone(),
        }))
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Call, Kind::Chat, Kind::Request]
    }
}

struct WebhookHook {
    identity: SourceIdentity,
}

impl Hook for WebhookHook {
    fn decode(&self, content_type: Option<&str>, body: &[u8]) -> Result<Vec<Snapshot>, HookError> {
        if !content_type.is_none_or(is_json) {
            return Err(one_mistake("must be sent as application/json"));
        }
        // Some Windows programs begin a file with a byte order mark; it means nothing.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| one_mistake(&format!("is not JSON: {error}")))?;
        let mut mistakes = Mistakes::default();
        let snapshots = match &value {
            Value::Array(items) if items.len() > ITEMS_MAX => {
                return Err(HookError::TooMany(ITEMS_MAX));
            }
            Value::Array(items) => self.array(items, &mut mistakes),
            Value::Object(_) => self.item(&value, &[], &mut mistakes).into_iter().collect(),
            _ => {
                return Err(one_mistake("must be an object or an array of objects"));
            }
        };
        match mistakes.into_vec() {
            found if found.is_empty() => Ok(snapshots),
            found => Err(HookError::Mistakes(found)),
        }
    }
}

impl WebhookHook {
    fn array(&self, items: &[Value], mistakes: &mut Mistakes) -> Vec<Snapshot> {
        // What was seen of each key: two pictures of one communication need two revisions, and
        // a communication cannot change its kind.
        let mut seen: BTreeMap<String, (Kind, Vec<u64>)> = BTreeMap::new();
        let mut snapshots = Vec::with_capacity(items.len());
        for (position, value) in items.iter().enumerate() {
            let path = [position.to_string()];
            let Some(snapshot) = self.item(value, &path, mistakes) else {
                continue;
            };
            let kind = snapshot.body.kind();
            let (first_kind, revisions) = seen
                .entry(snapshot.key.item.clone())
                .or_insert_with(|| (kind, Vec::new()));
            if *first_kind != kind {
                mistakes.add(
                    &path,
                    "kind",
                    format!("the same key is a {first_kind} above"),
                );
            }
            if revisions.contains(&snapshot.revision) {
                mistakes.add(
                    &path,
                    "revision",
                    "the same key and revision stand above".to_owned(),
                );
            }
            revisions.push(snapshot.revision);
            snapshots.push(snapshot);
        }
        snapshots
    }

    fn item(&self, value: &Value, path: &[String], mistakes: &mut Mistakes) -> Option<Snapshot> {
        let item = Item::read(value, path, mistakes)?;
        match map::snapshot(item, &self.identity) {
            Ok(snapshot) => Some(snapshot),
            Err(found) => {
                for mistake in found {
                    mistakes.add_mistake(path, mistake);
                }
                None
            }
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

fn one_mistake(message: &str) -> HookError {
    HookError::Mistakes(vec![Mistake::at("", message)])
}

#[cfg(test)]
mod tests;
