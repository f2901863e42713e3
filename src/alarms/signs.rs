//! What is seen now and then, and stands until it is looked at again: the disk, silent sources, the
//! certificate of the outside address.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Alarm;

/// Where each observer shows its alarms.
#[derive(Debug, Default)]
pub struct Signs(Mutex<BTreeMap<&'static str, Vec<Alarm>>>);

impl Signs {
    /// Replaces what one observer sees.
    pub fn show(&self, observer: &'static str, alarms: Vec<Alarm>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(observer, alarms);
    }

    /// Returns what all of them see.
    pub fn all(&self) -> Vec<Alarm> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().flatten().cloned().collect()
    }
}
