//! Values for the store's tests: a tenant `acme` with the source `office` and the integration
//! `amo`, and calls of it.

use serde_json::json;
use trunkline::model::call::{Call, CallPhase, CallResult, Direction};
use trunkline::model::communication::{Body, Phase, Snapshot};
use trunkline::model::explanation::{Explanation, Reason};
use trunkline::model::ids::{CommunicationKey, IntegrationKey, PortalKey, SourceKey};
use trunkline::model::ledger::{Decision, LedgerStep, StepState, Verdict};
use trunkline::model::outcome::StepResult;
use trunkline::model::phone::{ClientNumber, Phone, Region};
use trunkline::model::plan::{Card, Effect, Entity, NewContact, NewDeal, NewTask, Role, Target};
use trunkline::model::timestamp::Timestamp;
use trunkline::store::command::{
    Accept, Acceptance, Accepted, Advance, Decide, Route, StepChange, WorkId,
};
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};

use crate::crash_backend::{CrashDisk, StopAt};

/// The key of every store in memory.
pub(super) fn key() -> StoreKey {
    StoreKey::from_bytes(&[7; 32]).expect("32 bytes")
}

/// A time, in seconds after the tests' morning.
pub(super) fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(1_795_000_000 + s)
}

pub(super) fn source() -> SourceKey {
    "acme/office".parse().expect("a source")
}

pub(super) fn amo() -> IntegrationKey {
    "acme/amo".parse().expect("an integration")
}

pub(super) fn portal() -> PortalKey {
    PortalKey::new("amocrm", "acme.amocrm.ru")
}

pub(super) fn phone(n: u32) -> Phone {
    Phone::parse(&format!("+7916{n:07}"), Region::RU).expect("a number")
}

pub(super) fn communication(item: &str) -> CommunicationKey {
    CommunicationKey::new(source(), item).expect("a key")
}

/// A store on a disk in memory.
pub(super) fn in_memory() -> (StoreHandle, StoreThread) {
    on(CrashDisk::new(Vec::new(), StopAt::Never))
}

/// A store on a given disk.
pub(super) fn on(disk: CrashDisk) -> (StoreHandle, StoreThread) {
    Store::open_backend(disk, key(), options()).expect("opens")
}

pub(super) fn options() -> StoreOptions {
    StoreOptions {
        now: at(0),
        ..StoreOptions::default()
    }
}

/// Ends a store and waits until its file is closed.
pub(super) async fn close(handle: StoreHandle, thread: StoreThread) {
    handle.shut_down().await;
    drop(handle);
    let end = tokio::task::spawn_blocking(move || thread.join()).await;
    assert_eq!(end.expect("joins"), trunkline::store::StoreEnd::Closed);
}

/// A missed call of client `n` that began `n` seconds after the morning.
pub(super) fn call(item: &str, n: u32, revision: u64) -> Snapshot {
    Snapshot {
        key: communication(item),
        revision,
        body: Body::Call {
            call: Call {
                direction: Direction::Incoming,
                phase: CallPhase::Ended,
                result: CallResult::Open,
                client: ClientNumber::Phone { phone: phone(n) },
                client_name: None,
                our_number: None,
                caller_extension: None,
                started_at: at(i64::from(n)),
                answered_at: None,
                ended_at: None,
                waiting_ms: 0,
                talking_ms: 0,
                legs: Vec::new(),
                talkers: Vec::new(),
                last_talker: None,
                queues: Vec::new(),
                recordings: Vec::new(),
                click_to_call: None,
                blind: None,
                tags: Vec::new(),
                details: Default::default(),
            },
        },
    }
}

/// Gives a snapshot to `amo` at the phase "ended".
pub(super) fn routed(snapshot: Snapshot) -> Acceptance {
    Acceptance {
        snapshot,
        routes: vec![Route {
            integration: amo(),
            portal: portal(),
            phase: Phase::Ended,
        }],
        not_taken: None,
    }
}

/// A commit of `office` with a checkpoint that counts.
pub(super) fn accept(acceptances: Vec<Acceptance>, checkpoint: u64) -> Accept {
    Accept {
        source: source(),
        acceptances,
        checkpoint: Some(json!({ "n": checkpoint })),
        notes: Vec::new(),
        recordings: Vec::new(),
        now: at(1000),
    }
}

pub(super) fn role(text: &str) -> Role {
    Role::new(text)
}

fn step(role: &str, work: WorkId, effect: Effect) -> LedgerStep {
    LedgerStep {
        role: Role::new(role),
        work,
        effect,
        state: StepState::Pending,
        attempts: 0,
        first_sent_at: None,
    }
}

pub(super) fn contact_step(work: WorkId) -> LedgerStep {
    let contact = NewContact {
        name: "+79160000001".to_owned(),
        phones: vec![phone(1)],
        emails: Vec::new(),
        responsible: None,
        tags: Vec::new(),
        fields: Vec::new(),
        template: None,
    };
    step("contact", work, Effect::CreateContact(contact))
}

/// A deal that needs the contact.
pub(super) fn deal_step(work: WorkId) -> LedgerStep {
    let deal = NewDeal {
        name: "Call".to_owned(),
        pipeline: "1".to_owned(),
        stage: "2".to_owned(),
        contact: Some(made(&role("contact"), Entity::Contact)),
        responsible: None,
        tags: Vec::new(),
        fields: Vec::new(),
    };
    step("deal", work, Effect::CreateDeal(deal))
}

/// A task that needs the deal.
pub(super) fn task_step(work: WorkId) -> LedgerStep {
    let task = NewTask {
        task_type: None,
        card: Some(made(&role("deal"), Entity::Deal)),
        responsible: None,
        text: "Call back".to_owned(),
        due: at(9000),
    };
    step("task", work, Effect::CreateTask(task))
}

fn made(by: &Role, entity: Entity) -> Target {
    Target::Made {
        by: by.clone(),
        entity,
    }
}

/// An acceptance that made these works and moved none.
pub(super) fn stored(works: Vec<(IntegrationKey, WorkId)>) -> Accepted {
    let gained = Vec::new();
    Accepted::Stored { works, gained }
}

/// A decision of a work at "ended" with these steps.
pub(super) fn decide(work: WorkId, steps: Vec<LedgerStep>) -> Decide {
    Decide {
        work,
        addresses_seen: usize::MAX,
        decision: Decision {
            work,
            phase: Phase::Ended,
            at: at(1001),
            revision: 1,
            settings: 1,
            portal: Some(portal()),
            recording: None,
            facts: None,
            verdict: if steps.is_empty() {
                Verdict::Ignored
            } else {
                Verdict::Planned
            },
            explanation: Explanation(vec![Reason::InternalCall]),
            roles: steps.iter().map(|step| step.role.clone()).collect(),
            seen: None,
        },
        first_time: Some(true),
        steps,
        replaces: Vec::new(),
    }
}

/// Changes of one step.
pub(super) fn advance(work: WorkId, role: &str, states: Vec<StepState>) -> Advance {
    let steps = states.into_iter().map(|state| StepChange {
        role: Role::new(role),
        state,
    });
    Advance {
        work,
        steps: steps.collect(),
    }
}

pub(super) fn in_flight() -> StepState {
    StepState::InFlight { since: at(1002) }
}

pub(super) fn done(entity: Entity, id: &str) -> StepState {
    StepState::Done {
        at: at(1003),
        result: StepResult {
            cards: vec![Card {
                entity,
                id: id.to_owned(),
            }],
            adopted: false,
            note: None,
        },
    }
}

pub(super) fn dead() -> StepState {
    StepState::Dead {
        at: at(1004),
        reason: "400: the stage does not exist".to_owned(),
    }
}

pub(super) fn dropped() -> StepState {
    StepState::Dropped {
        at: at(1004),
        reason: "it needs a step that is dead".to_owned(),
    }
}
