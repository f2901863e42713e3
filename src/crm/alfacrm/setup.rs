//! Where our mark goes on a card: into an additional field of ours that was seen to be there, else
//! into the note. What was seen is kept, so that a restart does as before.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::AlfaAdapter;
use super::client::Unanswered;
use crate::crm::Class;

/// Under what the field is kept.
const FIELD: &str = "marker_field";

impl AlfaAdapter {
    /// Returns the field of ours on customers, where it is there.
    pub(super) async fn marker_field(&self, class: Class) -> Result<Option<String>, Unanswered> {
        let Some(field) = self.settings.marker_field.clone() else {
            return Ok(None);
        };
        if self.marked.load(Ordering::Relaxed) {
            return Ok(Some(field));
        }
        let kept = self.vault.setup().await.ok().flatten();
        let is_kept = kept.is_some_and(|kept| kept.get(FIELD) == Some(&json!(field)));
        let is_there = is_kept || self.is_seen(&field, class).await?;
        if !is_there {
            return Ok(None);
        }
        if !is_kept {
            // What cannot be kept is looked up again.
            self.vault.save_setup(json!({ FIELD: field })).await.ok();
        }
        self.marked.store(true, Ordering::Relaxed);
        Ok(Some(field))
    }

    /// Takes note that the field is not there any more.
    pub(super) async fn unmark(&self) {
        self.marked.store(false, Ordering::Relaxed);
        self.vault.save_setup(json!({})).await.ok();
    }

    async fn is_seen(&self, field: &str, class: Class) -> Result<bool, Unanswered> {
        let customers = self.some_customers(class).await?;
        let mut objects = customers.iter().filter_map(Value::as_object);
        Ok(objects.any(|customer| customer.contains_key(field)))
    }
}
