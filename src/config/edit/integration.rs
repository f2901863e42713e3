//! An integration in the text of its tenant's file: in which portal it works (S1-03), and whether it
//! does (S1-04).

use super::super::document::{Document, Node};
use super::place::{own_line, quoted};
use super::{ByHand, TextChanges, item, word};
use crate::model::activity::Activity;

/// The list of integrations.
pub(super) const LIST: &str = "integrations";

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntegrationEdit {
    /// The account that it works in.
    pub account: Option<String>,
    /// Whether it works.
    pub activity: Option<Activity>,
}

/// An integration as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenIntegration {
    /// The account that it works in.
    pub account: Option<String>,
    /// Whether it works, in the file's word; off where nothing is written.
    pub activity: String,
    /// Its name, where one is given.
    pub title: Option<String>,
    /// What it takes.
    pub takes: Vec<WrittenTake>,
}

/// What an integration takes of one source.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WrittenTake {
    /// The source.
    pub source: String,
    /// The kinds of communication, in the file's words.
    pub kinds: Vec<String>,
}

impl IntegrationEdit {
    /// Makes the change in what the integration's table says.
    pub(super) fn expect(&self, integration: &mut toml::Table) {
        if let Some(account) = &self.account {
            integration.insert("account".to_owned(), account.clone().into());
        }
        if let Some(activity) = self.activity {
            integration.insert("activity".to_owned(), word(activity).into());
        }
    }
}

/// Reads an integration.
pub(super) fn written(text: &str, id: &str) -> Option<WrittenIntegration> {
    let document = Document::parse(text.to_owned()).ok()?;
    let (integration, _) = item(&document, LIST, id)?;
    Some(of(integration))
}

/// Reads what an integration's table says.
pub(super) fn of(integration: &Node) -> WrittenIntegration {
    let of = |key| {
        let node = integration.get(key).and_then(Node::as_str);
        node.map(str::to_owned)
    };
    let takes = integration.get("takes").map_or(&[][..], Node::items);
    let takes = takes.iter().filter_map(|take| {
        let kinds = take.get("kinds").map_or(&[][..], Node::items).iter();
        Some(WrittenTake {
            source: take.get("source")?.as_str()?.to_owned(),
            kinds: kinds.filter_map(Node::as_str).map(str::to_owned).collect(),
        })
    });
    WrittenIntegration {
        account: of("account"),
        activity: of("activity").unwrap_or_else(|| word(Activity::default())),
        title: of("name"),
        takes: takes.collect(),
    }
}

/// Returns where the integration's tables stand; `None` where the text has no such integration.
pub(super) fn removal(
    document: &Document,
    text: &str,
    id: &str,
) -> Result<Option<TextChanges>, ByHand> {
    super::removal(document, text, (LIST, "the integration"), id)
}

/// Returns where the text changes; `None` where it has no such integration.
pub(super) fn changes(
    document: &Document,
    text: &str,
    id: &str,
    edit: &IntegrationEdit,
) -> Result<Option<TextChanges>, ByHand> {
    let Some((integration, named)) = item(document, LIST, id) else {
        return Ok(None);
    };
    let mut changes = TextChanges::new();
    let activity = edit.activity.map(word);
    let wanted = [("account", &edit.account), ("activity", &activity)];
    for (key, value) in wanted {
        let Some(value) = value else { continue };
        match integration.get(key) {
            Some(written) => changes.push((written.span.clone(), quoted(value))),
            None => {
                let line = own_line(text, named).ok_or(ByHand("the integration's id"))?;
                changes.push((line.end..line.end, format!("{key} = {}\n", quoted(value))));
            }
        }
    }
    Ok(Some(changes))
}
