//! A pair of tokens and whether its refresh token may be sent. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crm::pair_vault::{Standing, Witness, standing};
use crate::model::timestamp::Timestamp;

/// The longest before its end that an access token is renewed: amoCRM's live for a day.
const MARGIN_MAX: Duration = Duration::from_secs(3600);

/// What amoCRM hands out (`crm/amocrm.md` §2), as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    /// When it was asked for.
    pub(super) from: Timestamp,
    /// When the access token ends.
    pub(super) until: Timestamp,
    /// The fingerprint of the refresh token that this pair came from; `None` for the first pair.
    pub(super) previous: Option<String>,
    /// Where the account lets us in.
    #[serde(flatten)]
    pub(super) place: Place,
    /// The account lets us in no more: why. Kept, so that a restart does not knock again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<String>,
}

/// Which portal a pair is good for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// The host as it was configured when the account was let in. `None` = the pair is older than
    /// this note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    portal: Option<String>,
    /// The host to which the portal was renamed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renamed_to: Option<String>,
}

impl Place {
    /// Names the portal as configured and as it is called now.
    pub(super) fn new(portal: &str, now: &str) -> Self {
        Self {
            portal: Some(portal.to_owned()),
            renamed_to: (now != portal).then(|| now.to_owned()),
        }
    }

    /// Returns the portal's present host, when the portal is this one as configured; `None` when
    /// the pair belongs to another portal, whose tokens have no business here.
    pub(super) fn host(&self, configured: &str) -> Option<String> {
        let now = self.renamed_to.as_deref();
        match &self.portal {
            Some(portal) if portal != configured => {
                // The administrator followed the rename: both speak of one portal.
                (now == Some(configured)).then(|| configured.to_owned())
            }
            Some(_) | None => Some(now.unwrap_or(configured).to_owned()),
        }
    }
}

/// How long a refresh token lives when it is not used (`crm/amocrm.md` §2: three months).
const REFRESH_LIFE: Duration = Duration::from_secs(90 * 86_400);

impl Pair {
    /// Returns when the refresh token ends unless it is used before.
    pub(super) fn refresh_ends_at(&self) -> Timestamp {
        self.from.plus(REFRESH_LIFE)
    }

    /// Says whether the access token can be sent.
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Says whether it is time for the next pair.
    pub(super) fn wants_renewal(&self, now: Timestamp) -> bool {
        let margin = (self.until.since(self.from) / 10).min(MARGIN_MAX);
        now.plus(margin) >= self.until
    }

    /// Returns the witness of this pair.
    pub(super) fn witness(&self, sent: bool) -> Witness {
        Witness::of(&self.refresh, sent)
    }

    /// Says whether its refresh token may be sent.
    pub(super) fn standing(&self, witness: Option<&Witness>) -> Standing {
        standing(&self.refresh, self.previous.as_deref(), witness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::pair_vault::fingerprint;

    fn pair(number: u32) -> Pair {
        let previous = number.checked_sub(1).filter(|n| *n > 0);
        Pair {
            access: format!("access {number}"),
            refresh: format!("refresh {number}"),
            from: Timestamp::from_secs(0),
            until: Timestamp::from_secs(86_400),
            previous: previous.map(|n| fingerprint(&format!("refresh {n}"))),
            place: Place::default(),
            ended: None,
        }
    }

    #[test]
    fn a_pair_is_good_for_its_own_portal_under_its_old_name_and_its_new_one() {
        let host = |place: &Place, configured| place.host(configured);
        let old = Place::default();
        assert_eq!(host(&old, "demo.x").as_deref(), Some("demo.x"));
        let plain = Place::new("demo.x", "demo.x");
        assert_eq!(host(&plain, "demo.x").as_deref(), Some("demo.x"));
        assert_eq!(host(&plain, "other.x"), None);
        let renamed = Place::new("demo.x", "new.x");
        assert_eq!(host(&renamed, "demo.x").as_deref(), Some("new.x"));
        assert_eq!(host(&renamed, "new.x").as_deref(), Some("new.x"));
        assert_eq!(host(&renamed, "other.x"), None);
    }

    #[test]
    fn a_pair_of_an_earlier_version_is_read() {
        let text = r#"{"access":"a","refresh":"r","from":"1970-01-01T00:00:00Z","until":"1970-01-02T00:00:00Z","previous":null}"#;
        let written = serde_json::to_value(pair(1)).unwrap();
        let mut early: serde_json::Value = serde_json::from_str(text).unwrap();
        early["from"] = written["from"].clone();
        early["until"] = written["until"].clone();
        let early: Pair = serde_json::from_value(early).unwrap();
        assert_eq!((early.place, early.ended), (Place::default(), None));
    }

    #[test]
    fn a_refresh_token_is_sent_only_while_it_is_surely_the_newest_and_unsent() {
        let rows = [
            ("the first pair", 1, Some((1, false)), Standing::Fresh),
            ("a later pair", 4, Some((4, false)), Standing::Fresh),
            ("its answer is unknown", 4, Some((4, true)), Standing::Spent),
            (
                "ended between store and witness",
                5,
                Some((4, true)),
                Standing::Fresh,
            ),
            (
                "ended between witness and store at a new code",
                4,
                Some((7, false)),
                Standing::FromElsewhere,
            ),
            (
                "a backup of one pair ago",
                3,
                Some((4, false)),
                Standing::FromElsewhere,
            ),
            (
                "a backup of one pair ago, amid a rotation",
                3,
                Some((4, true)),
                Standing::FromElsewhere,
            ),
            ("an old backup", 1, Some((9, true)), Standing::FromElsewhere),
            (
                "a store without its witness",
                4,
                None,
                Standing::FromElsewhere,
            ),
            (
                "a successor of a token that was not sent",
                5,
                Some((4, false)),
                Standing::FromElsewhere,
            ),
        ];
        for (why, stored, witness, expected) in rows {
            let witness = witness.map(|(number, sent)| pair(number).witness(sent));
            assert_eq!(pair(stored).standing(witness.as_ref()), expected, "{why}");
        }
    }

    #[test]
    fn an_access_token_is_renewed_an_hour_before_its_end_or_in_its_last_tenth() {
        let day = pair(1);
        let at = Timestamp::from_secs;
        assert!(!day.wants_renewal(at(86_400 - 3601)));
        assert!(day.wants_renewal(at(86_400 - 3600)));
        assert!(day.is_valid(at(86_399)) && !day.is_valid(at(86_400)));
        let short = Pair {
            until: at(20),
            ..pair(1)
        };
        assert!(!short.wants_renewal(at(17)) && short.wants_renewal(at(18)));
    }
}
