//! Whether the CRM tells of its deals at all (S2-38). Where a person sets that up in the CRM, every
//! detail may be wrong there, and nothing shows but that no webhook comes. Pure.

use crate::store::deals::DealPull;

/// So many changes that only a reading found, and no webhook since: it is no chance. A reading may
/// overtake a webhook now and then.
const UNHEARD_MIN: u64 = 5;

/// How webhooks of an integration's deals can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing<'a> {
    /// What a person has to set up in the CRM, where nothing else can.
    pub by_hand: Option<&'a str>,
    /// Where they reach us, without the secret; `None` = they cannot.
    pub place: Option<&'a str>,
}

impl Hearing<'_> {
    /// Says what a person should look at, if anything.
    pub fn advice(&self, pull: &DealPull) -> Option<String> {
        let by_hand = self.by_hand?;
        let Some(place) = self.place else {
            return Some(
                "webhooks cannot reach us: set public_url and the account's secret hook; until then \
                 deals are only read now and then"
                    .to_owned(),
            );
        };
        if pull.unheard < UNHEARD_MIN {
            return None;
        }
        let since = match pull.heard_at {
            Some(at) => format!("since {at}"),
            None => "so far".to_owned(),
        };
        Some(format!(
            "{since} no webhook told of a deal, and {} changes were found without: {by_hand}; the \
             address is {place} and the account's secret hook",
            pull.unheard
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timestamp::Timestamp;

    fn pull(unheard: u64, heard_at: Option<i64>) -> DealPull {
        DealPull {
            unheard,
            heard_at: heard_at.map(Timestamp::from_secs),
            ..DealPull::default()
        }
    }

    #[test]
    fn s2_38_scenarios_that_are_never_heard_are_told_of() {
        let hearing = Hearing {
            by_hand: Some("look at both scenarios"),
            place: Some("https://box.example/crm/name/acme/sales/"),
        };
        assert_eq!(hearing.advice(&pull(0, None)), None);
        assert_eq!(hearing.advice(&pull(4, Some(10))), None);
        let never = hearing.advice(&pull(5, None)).expect("advice");
        assert!(never.contains("look at both scenarios"), "{never}");
        assert!(never.contains("/crm/name/acme/sales/"), "{never}");
        let since = hearing.advice(&pull(9, Some(0))).expect("advice");
        assert!(since.contains("since 1970-01-01"), "{since}");
        let deaf = Hearing {
            place: None,
            ..hearing
        };
        let deaf = deaf.advice(&pull(0, None)).expect("advice");
        assert!(deaf.contains("public_url"), "{deaf}");
        // Where the CRM is asked to tell, it is no person's affair.
        let asked = Hearing {
            by_hand: None,
            ..hearing
        };
        assert_eq!(asked.advice(&pull(99, None)), None);
    }
}
