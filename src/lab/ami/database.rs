//! The small database (AstDB): DBPut, DBGet, DBDel.

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

pub(super) fn delete(switch: &mut Switch, request: &Request<'_>) -> Next {
    let Some(key) = key_of(request) else {
        return error(switch, request, "No family or key specified");
    };
    match switch.database.remove(&key) {
        Some(_) => success(switch, request, |m| {
            m.with("Message", "Key deleted successfully")
        }),
        None => error(switch, request, "Database entry not found"),
    }
}
