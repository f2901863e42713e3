//! Notices that nothing comes from a source any more, although people work.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::alarms::Alarm;
use crate::clock::SharedClock;
use crate::config::{Configuration, Tenant};
use crate::model::activity::Activity;
use crate::model::ids::SourceKey;
use crate::model::timestamp::Timestamp;
use crate::rules::schedule::work_after;
use crate::rules::settings::Schedule;
use crate::store::query::JournalSearch;
use crate::store::{StoreError, StoreHandle};

/// So many of a tenant's newest communications are looked through for a source's last one.
const LOOKED_THROUGH_MAX: usize = 500;

/// When each source last told of a communication.
pub(super) struct Heard {
    clock: SharedClock,
    at: Mutex<BTreeMap<SourceKey, Timestamp>>,
}

impl Heard {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            at: Mutex::default(),
        }
    }

    /// Writes down that a source told of something just now.
    pub(super) fn note(&self, source: &SourceKey) {
        let now = self.clock.now();
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match at.get_mut(source) {
            Some(last) => *last = now,
            None => drop(at.insert(source.clone(), now)),
        }
    }

    fn known(&self, source: &SourceKey) -> Option<Timestamp> {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.get(source).copied()
    }

    /// Returns when a source last told of something: in this life, else by the journal. One that the
    /// journal knows nothing of counts from now on.
    async fn last(&self, store: &StoreHandle, source: &SourceKey) -> Result<Timestamp, StoreError> {
        if let Some(known) = self.known(source) {
            return Ok(known);
        }
        let search = JournalSearch {
            tenant: Some(source.tenant.clone()),
            limit: LOOKED_THROUGH_MAX,
            ..JournalSearch::default()
        };
        let found = store.search(search).await?;
        let mut found = found.iter();
        let newest = found.find(|one| one.snapshot.key.source == *source);
        let last = newest.map_or_else(|| self.clock.now(), |newest| newest.updated_at);
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have told of something meanwhile.
        Ok(*at.entry(source.clone()).or_insert(last))
    }
}

/// A source with the hours in which something must come.
pub(super) struct Listened {
    source: SourceKey,
    name: String,
    schedule: Schedule,
    zone: jiff::tz::TimeZone,
    hours: u32,
}

/// Names the sources that are listened to: those that an integration takes from which works by a
/// schedule.
pub(super) fn listened(configuration: &Configuration) -> Vec<Listened> {
    let Some(hours) = configuration.daemon.alarms.silent_hours else {
        return Vec::new();
    };
    let of_tenant = |tenant: &Tenant| {
        let listened = tenant.sources.iter().filter_map(|source| {
            let schedule = schedule(tenant, &source.key)?;
            Some(Listened {
                source: source.key.clone(),
                name: source.name.clone(),
                schedule: schedule.clone(),
                zone: tenant.time_zone.clone(),
                hours,
            })
        });
        listened.collect::<Vec<_>>()
    };
    configuration.tenants.iter().flat_map(of_tenant).collect()
}

fn schedule<'a>(tenant: &'a Tenant, source: &SourceKey) -> Option<&'a Schedule> {
    let integrations = tenant.integrations.iter();
    let takes = integrations.filter(|one| {
        let takes = one.takes.iter().any(|(taken, _)| *taken == source.source);
        takes && one.activity != Activity::Off
    });
    let mut named = takes.filter_map(|one| {
        let name = one.settings.schedule.as_ref()?;
        let mut schedules = one.settings.schedules.iter();
        schedules.find(|schedule| schedule.name == *name)
    });
    named.next()
}

/// Returns the alarms of those that are silent.
pub(super) async fn silent(
    heard: &Heard,
    store: &StoreHandle,
    listened: &[Listened],
) -> Result<Vec<Alarm>, StoreError> {
    let mut found = Vec::new();
    for one in listened {
        let last = heard.last(store, &one.source).await?;
        if let Some(alarm) = one.silent(last, heard.clock.now()) {
            found.push(alarm);
        }
    }
    Ok(found)
}

impl Listened {
    fn silent(&self, last: Timestamp, now: Timestamp) -> Option<Alarm> {
        let due = work_after(&self.schedule, &self.zone, last, self.hours)?;
        (now >= due).then(|| {
            let text = format!(
                "{}: nothing was reported since {last}: {} working hours by the schedule {:?}",
                self.name, self.hours, self.schedule.name
            );
            Alarm::new("silent", format!("source {}", self.source), text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn only_hours_of_work_count_as_silence() {
        let schedule = serde_json::json!({
            "name": "office",
            "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00" }],
        });
        let listened = Listened {
            source: "acme/office".parse().expect("a key"),
            name: "Офис".to_owned(),
            schedule: serde_json::from_value(schedule).expect("a schedule"),
            zone: jiff::tz::TimeZone::get("Europe/Moscow").expect("a zone"),
            hours: 4,
        };
        // A Friday, 17:00 in Moscow: one hour is left, then Monday until noon.
        let last = at("2026-11-20T14:00:00Z");
        for silent in ["2026-11-21T12:00:00Z", "2026-11-23T08:59:59Z"] {
            assert_eq!(listened.silent(last, at(silent)), None, "{silent}");
        }
        let alarm = listened.silent(last, at("2026-11-23T09:00:00Z"));
        let alarm = alarm.expect("four hours of work went by");
        assert_eq!(
            (alarm.word.as_str(), alarm.what.as_str()),
            ("silent", "source acme/office")
        );
        assert_eq!(
            listened.silent(at("2026-11-23T07:00:00Z"), at("2026-11-23T09:00:00Z")),
            None
        );
    }
}
