//! A CRM in memory, with a script of what goes wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use trunkline::crm::{AccountDescription, Adapter, Class, StepCommand};
use trunkline::model::capabilities::{Capabilities, Certainty, StepCapability};
use trunkline::model::communication::{Kind, Phase};
use trunkline::model::facts::{ContactFact, Facts, FactsOrigin, FactsQuery};
use trunkline::model::outcome::{
    Look, NotApplied, NotAppliedCause, Outcome, Rejection, StepResult,
};
use trunkline::model::phone::Phone;
use trunkline::model::plan::{Card, Effect, Entity, StepKind};
use trunkline::model::timestamp::Timestamp;

/// What the next request comes to, beside its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is refused.
    Unreachable,
    /// The effect is there, the answer is lost.
    AnswerLost,
    /// There is no effect, and no answer.
    RequestLost,
    /// The answer does not come, and the effect only after the first look.
    EffectLate,
    /// It is refused for good.
    Refused,
    /// The CRM asks for a pause of an hour.
    Throttled,
    /// This one request fails, and is to come again in an hour.
    PutOff,
    /// The adapter panics.
    Panic,
}

/// Is told of each effect, by its number, at the moment between the CRM's yes and our record of it.
#[derive(Clone)]
struct Hook(Arc<dyn Fn(usize) + Send + Sync>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

#[derive(Debug, Default)]
struct State {
    hook: Option<Hook>,
    contacts: Vec<(Phone, String)>,
    effects: Vec<String>,
    recorded_at: Vec<Timestamp>,
    markers: Vec<(String, StepResult)>,
    troubles: VecDeque<(StepKind, Trouble)>,
    under_way: Vec<StepCommand>,
    settles_after: Duration,
    facts_down: bool,
    credential_refused: bool,
    search_lags: bool,
    facts_panic: bool,
    held: Option<StepKind>,
    facts_held: bool,
    poison: Option<Phone>,
    undecidable: bool,
    requests: Vec<(StepKind, usize)>,
    asked: u64,
    looked: u64,
}

/// The CRM and its adapter in one.
#[derive(Clone)]
pub(crate) struct CrmDouble {
    state: Arc<Mutex<State>>,
    capabilities: Capabilities,
}

impl CrmDouble {
    pub(crate) fn new() -> Self {
        let steps = StepKind::ALL
            .into_iter()
            .map(|kind| StepCapability {
                kind,
                certainty: Certainty::ByKey,
                batch_max: 50,
            })
            .collect();
        let phases = vec![(Kind::Call, Phase::Ended)];
        Self {
            state: Arc::default(),
            capabilities: Capabilities {
                steps,
                phases,
                calls: Default::default(),
            },
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes the next request of a kind go wrong.
    pub(crate) fn script(&self, kind: StepKind, trouble: Trouble) {
        self.state().troubles.push_back((kind, trouble));
    }

    /// Says how long the CRM may be at work on a request that was given up; at first: not at all.
    pub(crate) fn settles_after(&self, time: Duration) {
        self.state().settles_after = time;
    }

    /// Makes questions fail, or answers them again.
    pub(crate) fn facts_down(&self, down: bool) {
        self.state().facts_down = down;
    }

    /// Makes questions fail because of the credential, or answers them again.
    pub(crate) fn credential_refused(&self, refused: bool) {
        self.state().credential_refused = refused;
    }

    /// Lets the search find nothing that was made here; direct reads still do.
    pub(crate) fn search_lags(&self) {
        self.state().search_lags = true;
    }

    /// Lets the next question panic inside the adapter.
    pub(crate) fn panic_at_facts(&self) {
        self.state().facts_panic = true;
    }

    /// Lets requests of a kind hang until [`CrmDouble::release`].
    pub(crate) fn hold(&self, kind: StepKind) {
        self.state().held = Some(kind);
    }

    /// Lets what hangs go on.
    pub(crate) fn release(&self) {
        self.state().held = None;
    }

    /// Lets questions hang, or go on.
    pub(crate) fn hold_facts(&self, held: bool) {
        self.state().facts_held = held;
    }

    /// Refuses every request for contacts that this client is in, without saying who is to blame.
    pub(crate) fn poison(&self, phone: &str) {
        let phone = Phone::try_from(phone.to_owned()).expect("a number");
        self.state().poison = Some(phone);
    }

    /// Lets something happen after each effect, before anybody hears of it.
    pub(crate) fn after_each_effect(&self, hook: impl Fn(usize) + Send + Sync + 'static) {
        self.state().hook = Some(Hook(Arc::new(hook)));
    }

    /// Lets nobody find out what became of a request.
    pub(crate) fn undecidable(&self) {
        self.state().undecidable = true;
    }

    /// Makes a contact as a person would.
    pub(crate) fn add_contact(&self, phone: &str) {
        let phone = Phone::try_from(phone.to_owned()).expect("a number");
        self.state().contacts.push((phone, "by hand".to_owned()));
    }

    /// Returns the requests in order: their kind and how many steps each carried.
    pub(crate) fn requests(&self) -> Vec<(StepKind, usize)> {
        self.state().requests.clone()
    }

    /// Returns what was made, in order.
    pub(crate) fn effects(&self) -> Vec<String> {
        self.state().effects.clone()
    }

    /// Returns the times that the entries of the call history bear.
    pub(crate) fn recorded_at(&self) -> Vec<Timestamp> {
        self.state().recorded_at.clone()
    }

    /// Returns how often it was asked about a client.
    pub(crate) fn asked(&self) -> u64 {
        self.state().asked
    }

    /// Returns how often an effect was looked for.
    pub(crate) fn looked(&self) -> u64 {
        self.state().looked
    }

    fn make(&self, command: &StepCommand) -> StepResult {
        let mut state = self.state();
        let number = state.effects.len() + 1;
        let (entity, what) = match &command.effect {
            Effect::CreateContact(contact) => {
                let phone = contact.phones.first().cloned().expect("a number");
                state.contacts.push((phone.clone(), number.to_string()));
                (Entity::Contact, format!("contact {phone}"))
            }
            Effect::CreateDeal(_) => (Entity::Deal, "deal".to_owned()),
            Effect::CreateLead(_) => (Entity::Lead, "lead".to_owned()),
            Effect::CreateUnsorted(_) => (Entity::Unsorted, "unsorted".to_owned()),
            Effect::RecordCall(record) => {
                state.recorded_at.push(record.at);
                (Entity::CallRecord, format!("call {}", record.phone))
            }
            Effect::CreateTask(_) => (Entity::Task, "task".to_owned()),
            Effect::FillFields(_) => (Entity::Fields, "fields".to_owned()),
            Effect::LinkRecording(link) => (Entity::CallRecord, format!("recording {}", link.link)),
            Effect::AddNote(note) => (Entity::Note, format!("note {}", note.text)),
            Effect::HandOver(_) => (Entity::Contact, "hand over".to_owned()),
            Effect::AwaitContact(_) => (Entity::Contact, "await".to_owned()),
            Effect::Notify(_) => (Entity::Notice, "notice".to_owned()),
        };
        state.effects.push(what);
        let card = Card {
            entity,
            id: number.to_string(),
        };
        let result = StepResult {
            cards: vec![card],
            ..StepResult::default()
        };
        state.markers.push((command.key.marker(), result.clone()));
        let hook = state.hook.clone();
        drop(state);
        if let Some(Hook(hook)) = hook {
            hook(number);
        }
        result
    }

    /// Refuses a request that the poisonous client is in: by name where it is alone.
    fn refused_whole(&self, commands: &[StepCommand]) -> Option<Outcome<StepResult>> {
        let poison = self.state().poison.clone()?;
        let poisonous = |command: &StepCommand| match &command.effect {
            Effect::CreateContact(contact) => contact.phones.contains(&poison),
            _ => false,
        };
        commands.iter().any(poisonous).then(|| {
            if commands.len() > 1 {
                return Outcome::Ambiguous {
                    why: "the request was refused".to_owned(),
                };
            }
            Outcome::Rejected(Rejection {
                code: "400".to_owned(),
                message: "bad request".to_owned(),
            })
        })
    }

    fn carry_out(&self, command: &StepCommand) -> Outcome<StepResult> {
        let kind = command.effect.kind();
        let trouble = {
            let mut state = self.state();
            let at = state.troubles.iter().position(|(of, _)| *of == kind);
            at.and_then(|at| state.troubles.remove(at))
                .map(|(_, trouble)| trouble)
        };
        match trouble {
            None => Outcome::Done(self.make(command)),
            Some(Trouble::Unreachable) => unreachable_crm(),
            Some(Trouble::AnswerLost) => {
                self.make(command);
                Outcome::Ambiguous {
                    why: "the answer was lost".to_owned(),
                }
            }
            Some(Trouble::EffectLate) => {
                self.state().under_way.push(command.clone());
                Outcome::Ambiguous {
                    why: "no answer in time".to_owned(),
                }
            }
            Some(Trouble::RequestLost) => Outcome::Ambiguous {
                why: "no answer came".to_owned(),
            },
            Some(Trouble::Refused) => Outcome::Rejected(Rejection {
                code: "400".to_owned(),
                message: "no such pipeline".to_owned(),
            }),
            Some(Trouble::Throttled) => Outcome::NotApplied(NotApplied {
                cause: NotAppliedCause::Throttled,
                why: "too many".to_owned(),
                retry_after: Some(Duration::from_secs(3600)),
            }),
            Some(Trouble::PutOff) => Outcome::NotApplied(NotApplied {
                cause: NotAppliedCause::Failed,
                why: "this card is locked".to_owned(),
                retry_after: Some(Duration::from_secs(3600)),
            }),
            Some(Trouble::Panic) => panic!("scripted panic of the adapter"),
        }
    }
}

fn unreachable_crm<T>() -> Outcome<T> {
    Outcome::NotApplied(NotApplied {
        cause: NotAppliedCause::Unreachable,
        why: "connection refused".to_owned(),
        retry_after: None,
    })
}

impl Adapter for CrmDouble {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        async { unreachable_crm() }.boxed()
    }

    fn facts(&self, query: FactsQuery, _: Class) -> BoxFuture<'_, Outcome<Facts>> {
        async move {
            self.state().asked += 1;
            while self.state().facts_held {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mut state = self.state();
            if std::mem::take(&mut state.facts_panic) {
                drop(state);
                panic!("scripted panic of the adapter");
            }
            if state.facts_down {
                return unreachable_crm();
            }
            if state.credential_refused {
                return Outcome::AuthExpired {
                    why: "the token is refused".to_owned(),
                };
            }
            let at = Timestamp::default();
            let contacts = state
                .contacts
                .iter()
                .filter(|(phone, id)| {
                    query.phones.contains(phone) && (!state.search_lags || query.made.contains(id))
                })
                .map(|(phone, id)| ContactFact {
                    id: id.clone(),
                    name: phone.to_string(),
                    responsible: None,
                    created_at: at,
                    updated_at: at,
                    deals: Vec::new(),
                })
                .collect();
            Outcome::Done(Facts {
                as_of: at,
                origin: FactsOrigin::Crm,
                contacts,
                companies: Vec::new(),
                leads: Vec::new(),
                closed_leads: Vec::new(),
                fields: None,
            })
        }
        .boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move {
            if let Some(first) = commands.first() {
                self.state()
                    .requests
                    .push((first.effect.kind(), commands.len()));
            }
            // A request takes a moment, in which others become ready.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let kind = commands.first().map(|command| command.effect.kind());
            while kind.is_some() && self.state().held == kind {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if let Some(refusal) = self.refused_whole(&commands) {
                return commands.iter().map(|_| refusal.clone()).collect();
            }
            commands
                .iter()
                .map(|command| self.carry_out(command))
                .collect()
        }
        .boxed()
    }

    fn settles_after(&self) -> Duration {
        self.state().settles_after
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        async move {
            let (seen, under_way) = {
                let mut state = self.state();
                state.looked += 1;
                let marker = command.key.marker();
                let found = state.markers.iter().find(|(made, _)| *made == marker);
                let seen = match found {
                    _ if state.undecidable => Look::Undecidable,
                    Some((_, result)) => Look::Found(result.clone()),
                    None => Look::Absent,
                };
                (seen, std::mem::take(&mut state.under_way))
            };
            for late in &under_way {
                self.make(late);
            }
            Outcome::Done(seen)
        }
        .boxed()
    }
}
