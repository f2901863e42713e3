//! The small database (AstDB): DBPut, DBGet, DBGetTree, DBDel.

use super::actions::{Next, Request, error, header, success};
use super::lists::List;
use super::message::Message;
use super::switch::Switch;

fn key_of(request: &Request<'_>) -> Option<(String, String)> {
    let (family, key) = (header(request, "Family"), header(request, "Key"));
    (!family.is_empty() && !key.is_empty()).then(|| (family.to_owned(), key.to_owned()))
}

/// Entries that the small database takes: a guard against a client gone wild.
const DATABASE_ENTRIES_MAX: usize = 200_000;

pub(super) fn put(switch: &mut Switch, request: &Request<'_>) -> Next {
    let Some(key) = key_of(request) else {
        return error(switch, request, "No family or key specified");
    };
    if switch.database.len() >= DATABASE_ENTRIES_MAX {
        return error(switch, request, "Failed to update entry");
    }
    switch
        .database
        .insert(key, header(request, "Val").to_owned());
    success(switch, request, |m| {
        m.with("Message", "Updated database successfully")
    })
}

pub(super) fn get(switch: &Switch, request: &Request<'_>) -> Next {
    let Some((family, key)) = key_of(request) else {
        return error(switch, request, "No family or key specified");
    };
    let Some(value) = switch.database.get(&(family.clone(), key.clone())) else {
        return error(switch, request, "Database entry not found");
    };
    let item = Message::event("DBGetResponse")
        .with("Family", family)
        .with("Key", key)
        .with("Val", value);
    List::new("Result will follow", "DBGetComplete", vec![item])
        .ids_last()
        .send(switch, request);
    Next::ReadOn
}

/// Lists what lies below a family, or below a key of it, as a tree: the real server looks for the
/// path as a whole part and takes SQL's wildcards in it for what they are.
pub(super) fn get_tree(switch: &Switch, request: &Request<'_>) -> Next {
    let (family, key) = (header(request, "Family"), header(request, "Key"));
    let mut beginning = String::new();
    for part in [family, key].iter().filter(|part| !part.is_empty()) {
        beginning.push('/');
        beginning.push_str(part);
    }
    beginning.push('/');
    let rows = switch.database.iter().filter_map(|((family, key), value)| {
        let full = format!("/{family}/{key}");
        is_like(&format!("{full}/"), &beginning).then_some((full, value))
    });
    let items = rows.map(|(full, value)| {
        Message::event("DBGetTreeResponse")
            .with("Key", full)
            .with("Val", value)
    });
    let items = items.collect();
    List::new("Result will follow", "DBGetTreeComplete", items)
        .ids_last()
        .send(switch, request);
    Next::ReadOn
}

/// Says whether a text begins with a pattern, in which `_` is any character.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut text = text.chars();
    pattern.chars().all(|want| {
        text.next()
            .is_some_and(|c| want == '_' || want.eq_ignore_ascii_case(&c))
    })
}

pub(super) fn delete(switch: &mut Switch, request: &Request<'_>) -> Next {
    let Some(key) = key_of(request) else {
        return error(switch, request, "No family or key specified");
    };
    match switch.database.remove(&key) {
        Some(_) => success(switch, request, |m| {
            m.with("Message", "Key deleted successfully")
        }),
        None => error(switch, request, "Database entry could not be deleted"),
    }
}
