//! How much of its operating time each method has used (`crm/bitrix24.md` §1, limits): a method
//! that has none left is let rest, the others go on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::wire::scalar;
use crate::model::timestamp::Timestamp;

/// What a method may use in ten minutes, less a margin for what is under way.
const OPERATING_MAX_S: f64 = 480.0 - 15.0;

/// How long a method rests where the portal does not say: the oldest minute leaves after that.
const REST: Duration = Duration::from_secs(60);

/// The longest rest that is believed: all ten minutes.
const REST_MAX: Duration = Duration::from_secs(600);

/// Methods that are let rest, and until when.
#[derive(Default)]
pub(super) struct Operating(Mutex<HashMap<&'static str, Timestamp>>);

impl Operating {
    /// Returns how long a method must rest still.
    pub(super) fn rest(&self, method: &'static str, now: Timestamp) -> Option<Duration> {
        let until = *self.lock().get(method)?;
        (until > now).then(|| until.since(now))
    }

    /// Takes note of a method that the portal refuses to serve for a while.
    pub(super) fn parked(&self, method: &'static str, now: Timestamp) -> Duration {
        let mut resting = self.lock();
        let until = resting.entry(method).or_insert(now);
        *until = (*until).max(now.plus(REST));
        until.since(now)
    }

    /// Reads what the portal says about the time that a method has used.
    pub(super) fn told(&self, method: &'static str, time: &Value, now: Timestamp) {
        let number = |key: &str| -> Option<f64> { scalar(time.get(key)?)?.parse().ok() };
        let Some(used) = number("operating") else {
            return;
        };
        if used < OPERATING_MAX_S {
            return;
        }
        let reset = time.get("operating_reset_at").and_then(scalar);
        let whole = reset.as_deref().and_then(|text| text.split('.').next());
        let reset = whole.and_then(|text| text.parse::<i64>().ok());
        let until = reset.map_or(now.plus(REST), Timestamp::from_secs);
        let until = until.min(now.plus(REST_MAX));
        tracing::warn!(method, used_s = used, %until, "the method's operating time is used up");
        self.lock().insert(method, until);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_method_without_time_left_rests_until_its_oldest_minute_leaves_and_alone() {
        let operating = Operating::default();
        let now = Timestamp::from_secs(1000);
        let told = |used: f64| {
            let time = json!({"operating": used, "operating_reset_at": 1040});
            operating.told("crm.deal.list", &time, now);
        };
        told(400.0);
        assert_eq!(operating.rest("crm.deal.list", now), None);
        told(466.0);
        let left = operating.rest("crm.deal.list", now);
        assert_eq!(left, Some(Duration::from_secs(40)));
        assert_eq!(
            operating.rest("crm.deal.list", Timestamp::from_secs(1040)),
            None
        );
        assert_eq!(operating.rest("crm.lead.list", now), None);
        let texts = json!({"operating": "470.5", "operating_reset_at": "1040"});
        operating.told("crm.lead.add", &texts, now);
        assert_eq!(operating.rest("crm.lead.add", now), left);
        assert_eq!(operating.parked("crm.lead.list", now), REST);
    }
}
