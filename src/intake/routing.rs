//! Who takes what: a pure table from (source, kind) to integrations.

use std::collections::HashMap;

use crate::model::communication::{Kind, Phase, Snapshot};
use crate::model::ids::{IntegrationKey, PortalKey, SourceKey};
use crate::store::command::{Acceptance, Route};

/// An integration that takes a kind of communication from a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taker {
    /// The integration.
    pub integration: IntegrationKey,
    /// The portal in which the lanes lie.
    pub portal: PortalKey,
    /// The phases at which it may have something to do.
    pub phases: Vec<Phase>,
    /// It is switched off: it takes nothing, and the journal says so (S1-04).
    pub off: bool,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    takers: HashMap<(SourceKey, Kind), Vec<Taker>>,
}

impl Routing {
    /// Adds a taker.
    pub fn add(&mut self, source: SourceKey, kind: Kind, taker: Taker) {
        self.takers.entry((source, kind)).or_default().push(taker);
    }

    /// Joins a snapshot with its routes. A phase that was skipped (a source that reports a call
    /// only when it is over) is routed with the one that was reported: each is worked on once,
    /// however often it is routed.
    pub fn acceptance(&self, snapshot: Snapshot) -> Acceptance {
        let kind = snapshot.body.kind();
        let none = Vec::new();
        let takers = self
            .takers
            .get(&(snapshot.key.source.clone(), kind))
            .unwrap_or(&none);
        let routes = takers
            .iter()
            .filter(|taker| !taker.off)
            .flat_map(|taker| {
                taker
                    .phases
                    .iter()
                    .filter(|phase| snapshot.body.has_reached(**phase))
                    .map(|phase| Route {
                        integration: taker.integration.clone(),
                        portal: taker.portal.clone(),
                        phase: *phase,
                    })
            })
            .collect();
        let off: Vec<&str> = takers
            .iter()
            .filter(|taker| taker.off)
            .map(|taker| taker.integration.integration.as_str())
            .collect();
        let not_taken = if takers.is_empty() {
            Some(format!(
                "no integration takes a {kind} of source {}",
                snapshot.key.source
            ))
        } else if off.len() == takers.len() {
            Some(format!("switched off: {}", off.join(", ")))
        } else {
            None
        };
        Acceptance {
            snapshot,
            routes,
            not_taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::communication::Body;
    use crate::model::ids::CommunicationKey;
    use crate::model::request::SiteRequest;
    use crate::model::timestamp::Timestamp;

    fn request() -> Snapshot {
        let source: SourceKey = "acme/site".parse().expect("a key");
        let request = SiteRequest {
            at: Timestamp::from_secs(1),
            name: None,
            phone: None,
            email: None,
            text: None,
            form: None,
            site: None,
            page: None,
            fields: Default::default(),
        };
        Snapshot {
            key: CommunicationKey::new(source, "r-1").expect("a key"),
            revision: 1,
            body: Body::Request { request },
        }
    }

    fn taker(name: &str, off: bool) -> Taker {
        Taker {
            integration: format!("acme/{name}").parse().expect("a key"),
            portal: PortalKey::new("crm", "demo"),
            phases: vec![Phase::Received],
            off,
        }
    }

    fn table(takers: Vec<Taker>) -> Routing {
        let mut routing = Routing::default();
        for taker in takers {
            routing.add("acme/site".parse().expect("a key"), Kind::Request, taker);
        }
        routing
    }

    #[test]
    fn every_integration_that_takes_it_gets_work() {
        let acceptance =
            table(vec![taker("sales", false), taker("service", false)]).acceptance(request());
        assert_eq!(acceptance.routes.len(), 2);
        assert_eq!(acceptance.not_taken, None);
    }

    #[test]
    fn s1_04_an_integration_that_is_off_takes_nothing_and_the_journal_says_so() {
        let acceptance = table(vec![taker("sales", true)]).acceptance(request());
        assert!(acceptance.routes.is_empty());
        assert_eq!(acceptance.not_taken.as_deref(), Some("switched off: sales"));
    }

    /// The phases to which a call is routed that an integration wants at its answer and at its end.
    fn phases_of(result: serde_json::Value, phase: &str) -> Vec<Phase> {
        let source: SourceKey = "acme/office".parse().expect("a key");
        let call = serde_json::json!({
            "direction": "incoming", "phase": phase, "result": result,
            "client": { "kind": "phone", "phone": "+79161234567" },
            "started_at": "2026-11-20T09:00:00Z", "waiting_ms": 0, "talking_ms": 0,
        });
        let call = serde_json::from_value(call).expect("a call");
        let snapshot = Snapshot {
            key: CommunicationKey::new(source.clone(), "c-1").expect("a key"),
            revision: 1,
            body: Body::Call { call },
        };
        let mut routing = Routing::default();
        let taker = Taker {
            phases: vec![Phase::Answered, Phase::Ended],
            ..taker("sales", false)
        };
        routing.add(source, Kind::Call, taker);
        let routes = routing.acceptance(snapshot).routes;
        routes.into_iter().map(|route| route.phase).collect()
    }

    #[test]
    fn s1_27_a_call_that_nobody_answered_has_no_answer_to_decide() {
        let answered = || serde_json::json!({ "kind": "answered" });
        let missed = serde_json::json!({ "kind": "missed", "reason": "no_answer" });
        assert_eq!(phases_of(answered(), "answered"), [Phase::Answered]);
        // Reported only when it was over: both are decided, in order.
        let both = [Phase::Answered, Phase::Ended];
        assert_eq!(phases_of(answered(), "ended"), both);
        assert_eq!(phases_of(missed, "ended"), [Phase::Ended]);
        let open = serde_json::json!({ "kind": "open" });
        assert_eq!(phases_of(open, "ringing"), []);
    }

    #[test]
    fn what_nobody_takes_is_said_to_be_taken_by_nobody() {
        let acceptance = Routing::default().acceptance(request());
        assert_eq!(
            acceptance.not_taken.as_deref(),
            Some("no integration takes a request of source acme/site")
        );
    }
}
