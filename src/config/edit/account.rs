//! An account in the text of its tenant's file: its title, its address, and the end of it.

use super::super::account::LIST;
use super::super::document::{Document, Node, Value};
use super::place::{own_line, quoted};
use super::{ByHand, TextChanges, item};

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountEdit {
    /// The title.
    pub title: Option<TitleEdit>,
    /// The address, as a person writes it.
    pub address: Option<String>,
}

/// What becomes of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TitleEdit {
    /// It is this from now on.
    Set(String),
    /// There is none any more.
    Clear,
}

/// An account as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenAccount {
    /// Its CRM.
    pub crm: Option<String>,
    /// Its title, where one is given.
    pub title: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// The texts, numbers and switches of its settings, the address among them.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The names of its secrets.
    pub secrets: Vec<String>,
}

impl AccountEdit {
    /// Makes the change in what the account's table says.
    pub(super) fn expect(&self, account: &mut toml::Table) {
        match &self.title {
            Some(TitleEdit::Set(title)) => {
                account.insert("name".to_owned(), title.clone().into());
            }
            Some(TitleEdit::Clear) => {
                account.remove("name");
            }
            None => {}
        }
        let settings = account.get_mut("settings");
        if let Some(address) = &self.address
            && let Some(settings) = settings.and_then(toml::Value::as_table_mut)
        {
            settings.insert("url".to_owned(), address.clone().into());
        }
    }
}

/// Reads an account.
pub(super) fn written(text: &str, id: &str) -> Option<WrittenAccount> {
    let document = Document::parse(text.to_owned()).ok()?;
    let (account, _) = item(&document, LIST, id)?;
    Some(of(account))
}

/// Reads what an account's table says.
pub(super) fn of(account: &Node) -> WrittenAccount {
    let of = |node: Option<&Node>| node.and_then(Node::as_str).map(str::to_owned);
    let settings = account.get("settings");
    let secrets = match account.get("secrets").map(|node| &node.value) {
        Some(Value::Table(entries)) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    };
    WrittenAccount {
        crm: of(account.get("crm")),
        title: of(account.get("name")),
        address: of(settings.and_then(|table| table.get("url"))),
        settings: settings.map(plain).unwrap_or_default(),
        secrets,
    }
}

/// Returns the texts, numbers and switches of a table: those that stand in a form.
fn plain(table: &Node) -> serde_json::Map<String, serde_json::Value> {
    let Value::Table(entries) = &table.value else {
        return serde_json::Map::new();
    };
    let plain = entries.iter().filter_map(|(key, node)| {
        let value = match &node.value {
            Value::String(text) => text.clone().into(),
            Value::Integer(whole) => (*whole).into(),
            Value::Boolean(flag) => (*flag).into(),
            _ => return None,
        };
        Some((key.clone(), value))
    });
    plain.collect()
}

/// Returns where the text changes; `None` where it has no such account.
pub(super) fn changes(
    document: &Document,
    text: &str,
    id: &str,
    edit: &AccountEdit,
) -> Result<Option<TextChanges>, ByHand> {
    let Some((account, named)) = item(document, LIST, id) else {
        return Ok(None);
    };
    let mut changes = TextChanges::new();
    match (&edit.title, account.get("name")) {
        (Some(TitleEdit::Set(title)), Some(written)) => {
            changes.push((written.span.clone(), quoted(title)));
        }
        (Some(TitleEdit::Set(title)), None) => {
            let line = own_line(text, named).ok_or(ByHand("the account's id"))?;
            changes.push((line.end..line.end, format!("name = {}\n", quoted(title))));
        }
        (Some(TitleEdit::Clear), Some(written)) => {
            let line = own_line(text, written).ok_or(ByHand("the account's name"))?;
            changes.push((line, String::new()));
        }
        (Some(TitleEdit::Clear), None) | (None, _) => {}
    }
    if let Some(address) = &edit.address {
        let written = account
            .get("settings")
            .and_then(|settings| settings.get("url"));
        let written = written.ok_or(ByHand("the account's url"))?;
        changes.push((written.span.clone(), quoted(address)));
    }
    Ok(Some(changes))
}

/// Returns where the account's table stands; `None` where the text has no such account.
pub(super) fn removal(
    document: &Document,
    text: &str,
    id: &str,
) -> Result<Option<TextChanges>, ByHand> {
    super::removal(document, text, (LIST, "the account"), id)
}
