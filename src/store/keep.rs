//! What is kept beside communications: remarks, settings by revision, sealed credentials, and
//! what we set up in an account.

use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{StoreError, Trouble};
use super::row::encode;
use super::tables::{Tables, put_text};
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::model::timestamp::Timestamp;

/// One revision of an integration's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SettingsRow {
    /// When it was saved.
    pub(super) at: Timestamp,
    /// The settings.
    pub(super) settings: Value,
}

/// Saves settings; the same content as the present revision keeps its number.
pub(super) fn put_settings(
    tables: &mut Tables<'_>,
    key: &IntegrationKey,
    settings: Value,
    at: Timestamp,
) -> Result<u64, Trouble> {
    let key = key.to_string();
    let current = tables.settings_current.get(key.as_str())?;
    let current = current.map_or(0, |revision| revision.value());
    if settings_are(tables, &key, current, &settings)? {
        return Ok(current);
    }
    let next = current
        .checked_add(1)
        .ok_or_else(|| Trouble::Fatal("the revisions are used up".to_owned()))?;
    let row = encode(&SettingsRow { at, settings })?;
    tables
        .settings
        .insert((key.as_str(), next), row.as_slice())?;
    tables.settings_current.insert(key.as_str(), next)?;
    tables.wrote = true;
    Ok(next)
}

/// Compares with a stored revision; one that cannot be read differs from everything.
fn settings_are(
    tables: &Tables<'_>,
    key: &str,
    revision: u64,
    settings: &Value,
) -> Result<bool, Trouble> {
    let Some(row) = tables.settings.get((key, revision))? else {
        return Ok(false);
    };
    let name = format!("{key} {revision}");
    let read = tables
        .health
        .read::<SettingsRow>("settings", name, row.value());
    match read {
        Ok(row) => Ok(row.settings == *settings),
        Err(StoreError::Unreadable { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Puts or replaces a sealed credential.
pub(super) fn put_credential(
    tables: &mut Tables<'_>,
    name: &str,
    sealed: &[u8],
) -> Result<(), Trouble> {
    tables.credentials.insert(name, sealed)?;
    tables.wrote = true;
    Ok(())
}

/// Removes a credential; says whether it was there.
pub(super) fn delete_credential(tables: &mut Tables<'_>, name: &str) -> Result<bool, Trouble> {
    let was_there = tables.credentials.remove(name)?.is_some();
    tables.wrote |= was_there;
    Ok(was_there)
}

/// Puts or replaces what we set up in an account.
pub(super) fn put_account(
    tables: &mut Tables<'_>,
    key: &PortalKey,
    value: &Value,
) -> Result<(), Trouble> {
    put_text(&mut tables.accounts, key.as_str(), value)?;
    tables.wrote = true;
    Ok(())
}
