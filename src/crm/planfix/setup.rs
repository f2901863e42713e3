//! What must be known of an account before anything is made there: its objects with their
//! statuses, and the fields that keep our key (`crm/planfix.md` §10). Read once, kept in the vault.
//!
//! A field that is not attached to a template swallows what is written to it (§2.2), so that the
//! first record of each template is read back. Until then, and where the field is missing, a
//! task's name carries the end of the key, which a search finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Client, Unanswered, vault_failure};
use super::wire::{Record, rows};
use crate::crm::{Class, TokenVault};

/// What an object's ended tasks say where statuses are not read yet (§4): completed, done.
const ENDED: [i64; 2] = [3, 6];

/// Objects whose statuses are read, a request each.
const OBJECTS_MAX: usize = 50;

/// What is known of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Setup {
    /// The fields that keep our key.
    pub(super) contact_key: Option<i64>,
    pub(super) task_key: Option<i64>,
    /// The types of all fields (§2.2).
    pub(super) types: BTreeMap<i64, i64>,
    /// The objects that tasks are made from.
    pub(super) objects: Vec<Object>,
    /// Templates at which the key was read back, and those that swallowed it.
    #[serde(default)]
    pub(super) proved: BTreeSet<String>,
    #[serde(default)]
    pub(super) swallowed: BTreeSet<String>,
}

/// An object of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) statuses: Vec<Status>,
}

/// A status of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Status {
    pub(super) id: i64,
    pub(super) name: String,
    /// Tasks in it are worked on.
    pub(super) open: bool,
}

impl Setup {
    /// Says whether a task of an object is worked on; `None` = it is of no object.
    pub(super) fn is_open(&self, object: i64, status: i64) -> Option<bool> {
        let object = self.objects.iter().find(|one| one.id == object)?;
        let known = object.statuses.iter().find(|one| one.id == status);
        Some(known.map_or(!ENDED.contains(&status), |status| status.open))
    }
}

/// Keeps it.
pub(super) struct SetupKeeper {
    vault: Arc<dyn TokenVault>,
    key_field: String,
    known: Mutex<Option<Arc<Setup>>>,
    /// Templates that swallowed the key when the account was read last: somebody may have attached
    /// the field since, so that their next record is read back once more.
    again: Mutex<BTreeSet<String>>,
}

impl SetupKeeper {
    pub(super) fn new(vault: Arc<dyn TokenVault>, key_field: String) -> Self {
        Self {
            vault,
            key_field,
            known: Mutex::default(),
            again: Mutex::default(),
        }
    }

    /// Returns what is known at this moment.
    pub(super) fn present(&self) -> Option<Arc<Setup>> {
        self.lock().clone()
    }

    /// Makes sure that the account is known.
    pub(super) async fn ready(
        &self,
        client: &Client,
        class: Class,
    ) -> Result<Arc<Setup>, Unanswered> {
        if let Some(known) = self.present() {
            return Ok(known);
        }
        if let Some(setup) = self.stored().await? {
            *self.lock() = Some(Arc::clone(&setup));
            return Ok(setup);
        }
        self.read(client, class).await
    }

    /// Returns what was known in an earlier life.
    async fn stored(&self) -> Result<Option<Arc<Setup>>, Unanswered> {
        let stored = self.vault.setup().await;
        let stored = stored.map_err(|error| Unanswered::Failed(vault_failure(&error)))?;
        // One of another version reads as none and is made anew.
        let setup = stored.and_then(|value| serde_json::from_value::<Setup>(value).ok());
        Ok(setup.map(Arc::new))
    }

    /// Says whether the next record of a template that swallowed the key is read back once more.
    pub(super) fn is_tried_again(&self, template: &str) -> bool {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.remove(template)
    }

    /// Reads the account anew.
    pub(super) async fn read(
        &self,
        client: &Client,
        class: Class,
    ) -> Result<Arc<Setup>, Unanswered> {
        let mut setup = Setup::default();
        for (kind, key) in [
            ("contact", &mut setup.contact_key),
            ("task", &mut setup.task_key),
        ] {
            for field in custom_fields(client, kind, class).await? {
                setup.types.insert(field.id, field.kind);
                if field.kind == 0 && field.name.trim().eq_ignore_ascii_case(&self.key_field) {
                    *key = Some(field.id);
                }
            }
        }
        setup.objects = objects(client, class).await?;
        let before = match self.present() {
            Some(before) => Some(before),
            None => self.stored().await?,
        };
        if let Some(before) = before {
            // What was proved of another field proves nothing.
            if (before.contact_key, before.task_key) == (setup.contact_key, setup.task_key) {
                setup.proved.clone_from(&before.proved);
                setup.swallowed.clone_from(&before.swallowed);
                let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
                again.clone_from(&before.swallowed);
            }
        }
        self.note(setup).await
    }

    /// Takes note of what reading a record back showed of its template.
    pub(super) async fn proved(&self, template: String, kept: bool) -> Result<(), Unanswered> {
        let Some(present) = self.present() else {
            return Ok(());
        };
        let mut setup = Setup::clone(&present);
        // What was attached since is kept from now on.
        setup.swallowed.remove(&template);
        match kept {
            true => setup.proved.insert(template),
            false => setup.swallowed.insert(template),
        };
        self.note(setup).await.map(drop)
    }

    async fn note(&self, setup: Setup) -> Result<Arc<Setup>, Unanswered> {
        let setup = Arc::new(setup);
        if self.present().as_ref() != Some(&setup) {
            let value = serde_json::to_value(&*setup).unwrap_or_default();
            let saved = self.vault.save_setup(value).await;
            saved.map_err(|error| Unanswered::Failed(vault_failure(&error)))?;
        }
        *self.lock() = Some(Arc::clone(&setup));
        Ok(setup)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Setup>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An additional field.
pub(super) struct CustomField {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kind: i64,
    pub(super) options: Vec<String>,
}

/// Reads the additional fields of contacts or tasks.
pub(super) async fn custom_fields(
    client: &Client,
    kind: &str,
    class: Class,
) -> Result<Vec<CustomField>, Unanswered> {
    let path = format!("/customfield/{kind}");
    let answer = client.get(path, "id,name,type,enumValues", class).await?;
    let list = rows(&answer, "customfields").ok_or_else(|| Unanswered::unreadable("fields"))?;
    let field = |row: &Record<'_>| {
        let options = row.0.get("enumValues").and_then(Value::as_array);
        let options = options
            .into_iter()
            .flatten()
            .filter_map(super::wire::scalar);
        Some(CustomField {
            id: row.id()?,
            name: row.text("name").unwrap_or_default(),
            kind: row.number("type").unwrap_or(-1),
            options: options.collect(),
        })
    };
    Ok(list.iter().filter_map(field).collect())
}

async fn objects(client: &Client, class: Class) -> Result<Vec<Object>, Unanswered> {
    let body = json!({ "offset": 0, "pageSize": 100, "fields": "id,name" });
    let answer = client.list("/object/list", body, class).await?;
    let list = rows(&answer, "objects").ok_or_else(|| Unanswered::unreadable("objects"))?;
    let mut objects = Vec::new();
    for row in list.into_iter().take(OBJECTS_MAX) {
        let Some(id) = row.id() else { continue };
        let path = format!("/object/{id}/statuses");
        let answer = client.get(path, "id,name,isActive", class).await?;
        let list = rows(&answer, "statuses").ok_or_else(|| Unanswered::unreadable("statuses"))?;
        let status = |row: &Record<'_>| {
            let id = row.number("id")?;
            Some(Status {
                id,
                name: row.text("name").unwrap_or_default(),
                open: match row.0.get("isActive") {
                    Some(_) => row.flag("isActive"),
                    None => !ENDED.contains(&id),
                },
            })
        };
        objects.push(Object {
            id,
            name: row.text("name").unwrap_or_default(),
            statuses: list.iter().filter_map(status).collect(),
        });
    }
    Ok(objects)
}
