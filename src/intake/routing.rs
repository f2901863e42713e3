//! Who takes what: a pure table from (source, kind) to integrations.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::call::Direction;
use crate::model::communication::{Body, Kind, Phase, Snapshot};
use crate::model::ids::{IntegrationKey, PortalKey, SourceKey};
use crate::model::recording::{Recording, RecordingState};
use crate::model::timestamp::Timestamp;
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
    /// It has something to do when the recording of a call can be played.
    pub recordings: bool,
    /// It is handed the file of a recording where we have no public address.
    pub files: bool,
    /// It is switched off: it takes nothing, and the journal says so (S1-04).
    pub off: bool,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    takers: HashMap<(SourceKey, Kind), Vec<Taker>>,
    /// The sources whose recordings are looked for.
    recorded: HashSet<SourceKey>,
}

impl Routing {
    /// Adds a taker.
    pub fn add(&mut self, source: SourceKey, kind: Kind, taker: Taker) {
        self.takers.entry((source, kind)).or_default().push(taker);
    }

    /// Has the recordings of a source looked for.
    pub fn record(&mut self, source: SourceKey) {
        self.recorded.insert(source);
    }

    /// Returns the recording that a snapshot tells of: a client's call is over, somebody talked,
    /// and files are named.
    pub fn recording(&self, snapshot: &Snapshot, now: Timestamp) -> Option<Recording> {
        let Body::Call { call } = &snapshot.body else {
            return None;
        };
        let talked = call.is_over() && call.is_answered() && call.direction != Direction::Internal;
        if !talked || call.recordings.is_empty() || !self.recorded.contains(&snapshot.key.source) {
            return None;
        }
        let ended_at = call.ended_at.unwrap_or(call.started_at);
        Some(Recording {
            communication: snapshot.key.clone(),
            token: new_token(),
            names: call.recordings.clone(),
            started_at: call.started_at,
            ended_at,
            state: RecordingState::Sought {
                attempts: 0,
                why: None,
            },
            // At once, also where the phone system's clock is ahead of ours.
            due: Some(ended_at.min(now)),
        })
    }

    /// Returns who has something to do when the recording of a call of this source can be played.
    pub fn recording_routes(&self, source: &SourceKey) -> Vec<Route> {
        self.routes_of_recordings(source, |_| true)
    }

    /// Returns who of them can do it without a public address of ours.
    pub fn file_routes(&self, source: &SourceKey) -> Vec<Route> {
        self.routes_of_recordings(source, |taker| taker.files)
    }

    fn routes_of_recordings(&self, source: &SourceKey, of: impl Fn(&Taker) -> bool) -> Vec<Route> {
        let takers = self.takers.get(&(source.clone(), Kind::Call));
        takers
            .into_iter()
            .flatten()
            .filter(|taker| taker.recordings && !taker.off && of(taker))
            .map(|taker| Route {
                integration: taker.integration.clone(),
                portal: taker.portal.clone(),
                phase: Phase::RecordingReady,
            })
            .collect()
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

/// Draws the last part of a public address.
fn new_token() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the kernel's random numbers cannot fail after boot");
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::CommunicationKey;
    use crate::model::request::SiteRequest;

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
            tags: Vec::new(),
            details: Default::default(),
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
            recordings: false,
            files: false,
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
