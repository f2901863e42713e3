//! Decisions made again from what is stored: whether this version decides the same, and what it
//! would decide differently.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::capabilities::Capabilities;
use crate::model::explanation::Language;
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::ledger::{Decision, Ledger};
use crate::rules::basis::Basis;
use crate::rules::replay::{differences, replay};
use crate::store::StoreError;
use crate::store::query::Story;

use super::state::AdminState;

/// What a decision comes to when it is made again.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionAgain")]
pub(super) struct Again {
    /// It comes out the same; null where it cannot be made again.
    same: Option<bool>,
    /// What comes out otherwise.
    differences: Vec<String>,
    /// The reasons of this version, where something does.
    explanation: Vec<String>,
    /// Why it cannot be made again.
    why_not: Option<String>,
}

/// What a decision rests on besides itself.
struct Grounds<'a> {
    communication: &'a CommunicationKey,
    ledger: &'a Ledger,
    basis: Result<&'a Basis, &'a str>,
    capabilities: Option<&'a Capabilities>,
}

/// Makes every decision of a story again; in the order of its ledgers and their decisions.
pub(super) async fn of_story(
    state: &AdminState,
    story: &Story,
    language: Language,
) -> Result<Vec<Vec<Again>>, StoreError> {
    let mut all = Vec::new();
    for (integration, ledger) in &story.ledgers {
        let bases = bases(state, integration, ledger).await?;
        let overview = state.overview.load_full();
        let again = ledger.decisions.iter().map(|decision| {
            let mut accounts = overview.accounts.iter();
            let account = accounts.find(|one| {
                one.tenant == integration.tenant && decision.portal.as_ref() == Some(&one.portal)
            });
            let basis = bases.get(&decision.settings);
            let grounds = Grounds {
                communication: &story.communication.snapshot.key,
                ledger,
                basis: basis.map_or(Err("its settings are not kept"), |one| {
                    one.as_ref().map_err(String::as_str)
                }),
                capabilities: account.map(|account| account.adapter.capabilities()),
            };
            again(decision, &grounds, language)
        });
        all.push(again.collect());
    }
    Ok(all)
}

/// Reads the revisions that decisions name.
async fn bases(
    state: &AdminState,
    integration: &IntegrationKey,
    ledger: &Ledger,
) -> Result<BTreeMap<u64, Result<Basis, String>>, StoreError> {
    let mut bases = BTreeMap::new();
    for decision in &ledger.decisions {
        let revision = decision.settings;
        if bases.contains_key(&revision) {
            continue;
        }
        let stored = state.store.settings(integration.clone(), Some(revision));
        if let Some((_, value)) = stored.await? {
            let basis = Basis::from_stored(value);
            let unread = |error| format!("its settings cannot be read: {error}");
            bases.insert(revision, basis.map_err(unread));
        }
    }
    Ok(bases)
}

fn again(decision: &Decision, grounds: &Grounds<'_>, language: Language) -> Again {
    let cannot = |why: String| Again {
        same: None,
        differences: Vec::new(),
        explanation: Vec::new(),
        why_not: Some(why),
    };
    let basis = match grounds.basis {
        Ok(basis) => basis,
        Err(why) => return cannot(why.to_owned()),
    };
    let Some(capabilities) = grounds.capabilities else {
        return cannot("the account that it was made for is not configured any more".to_owned());
    };
    let plan = match replay(decision, grounds.communication, basis, capabilities) {
        Ok(plan) => plan,
        Err(error) => return cannot(error.to_string()),
    };
    let differences = differences(decision, grounds.ledger, &plan);
    let reasons = plan.explanation.iter();
    let explanation = if differences.is_empty() {
        Vec::new()
    } else {
        reasons.map(|reason| reason.text(language)).collect()
    };
    Again {
        same: Some(differences.is_empty()),
        differences,
        explanation,
        why_not: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::communication::Kind;
    use crate::model::explanation::Reason;
    use crate::rules::settings::IntegrationSettings;

    fn internal_call() -> CommunicationKey {
        "acme/office/1".parse().expect("a key")
    }

    /// A decision of the tests' own making about a call between two employees.
    fn decision(explanation: serde_json::Value) -> Decision {
        let at = "2026-11-20T09:02:00Z";
        let call = json!({
            "kind": "call",
            "call": {
                "direction": "internal", "phase": "ended", "result": { "kind": "answered" },
                "client": { "kind": "withheld" }, "started_at": at, "ended_at": at,
                "waiting_ms": 0, "talking_ms": 0, "talkers": [], "legs": [],
            },
        });
        let decision = json!({
            "work": 1, "phase": "ended", "at": at, "revision": 1, "settings": 1, "facts": null,
            "verdict": "ignored", "explanation": explanation, "roles": [],
            "seen": { "now": at, "body": call, "before": null },
        });
        serde_json::from_value(decision).expect("a decision")
    }

    fn made_again(decision: &Decision, basis: Result<&Basis, &str>, offered: bool) -> Again {
        let capabilities = Capabilities {
            steps: Vec::new(),
            phases: Vec::new(),
            calls: Default::default(),
        };
        let grounds = Grounds {
            communication: &internal_call(),
            ledger: &Ledger::default(),
            basis,
            capabilities: offered.then_some(&capabilities),
        };
        again(decision, &grounds, Language::En)
    }

    #[test]
    fn a_decision_is_the_same_or_differs_in_words_or_says_why_it_cannot_be_made_again() {
        let basis = json!({
            "settings": IntegrationSettings::default(), "employees": [], "account": "sales",
            "source_names": {}, "time_zone": "Europe/Moscow",
        });
        let basis = Basis::from_stored(basis).expect("a basis");
        let first = made_again(&decision(json!([])), Ok(&basis), true);
        assert_eq!(first.same, Some(false), "{first:?}");
        assert_eq!(first.differences, ["the reasons"]);
        assert_eq!(first.explanation.len(), 1);
        let mut kept = decision(json!([]));
        kept.explanation
            .push(Reason::NothingConfigured { kind: Kind::Call });
        let second = made_again(&kept, Ok(&basis), true);
        assert_eq!((second.same, second.explanation.len()), (Some(true), 0));
        let mut old = kept.clone();
        old.seen = None;
        for (decision, basis, offered, why) in [
            (&old, Ok(&basis), true, "did not keep what it saw"),
            (
                &kept,
                Err("its settings are not kept"),
                true,
                "settings are not kept",
            ),
            (&kept, Ok(&basis), false, "not configured any more"),
        ] {
            let again = made_again(decision, basis, offered);
            assert_eq!(again.same, None);
            let told = again.why_not.unwrap_or_default();
            assert!(told.contains(why), "{told}");
        }
    }
}
