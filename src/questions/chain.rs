//! From a question and what is known to the answer. Pure: no I/O, no time, no waiting.
//!
//! ```text
//! did_employee -> did_owner -> personal_manager -> stand_in -> default -> none
//! ```

use std::sync::Arc;

use crate::directory::known::KnownClient;
use crate::model::answering::{Exit, InboundNumber, Scenario, Unlisted};
use crate::model::ids::{CrmUserId, EmployeeId, Extension};
use crate::model::personal_manager::{PersonalManagerSettings, ResponsibleOf, SharedNumbers};
use crate::model::phone::{ClientNumber, Phone};
use crate::model::question::{Answer, AnswerClient, Knowledge, Route};
use crate::model::timestamp::Timestamp;

use super::choice::choose;
use super::reason::{Found, Reason};
use super::table::{AskedIntegration, Person, SourceEntry};

/// Who calls, as far as it can be told from the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A public number that is no employee's own.
    Outside(Phone),
    /// An employee, by an extension or from a phone of the employee's own.
    Internal(EmployeeId, Option<Phone>),
    /// No public number.
    Unreadable,
    /// The number is hidden.
    Withheld,
}

/// A question, read.
pub struct Asked<'a> {
    /// The asking source.
    pub source: &'a SourceEntry,
    /// Who calls.
    pub caller: Caller,
    /// The dialled number, where it is listed.
    pub number: Option<&'a InboundNumber>,
    /// The employee whom an earlier answer named did not answer (V-15).
    pub redirect_failed: bool,
}

/// What one integration says about the number.
pub struct Hits {
    /// Its position in the tenant's order.
    pub integration: usize,
    /// Where the picture comes from.
    pub knowledge: Knowledge,
    /// Since when the picture is whole; `None` = it is not yet.
    pub as_of: Option<Timestamp>,
    /// The cards, most recently updated first; at least one.
    pub clients: Vec<KnownClient>,
}

/// What the answer is made from besides the settings.
pub struct Known<'a> {
    /// What the first integration that knows the number says; `None` = nobody knows it.
    pub hits: Option<Hits>,
    /// What was found out while asking.
    pub remarks: Vec<Reason>,
    /// The reasons are wanted, too: a phone that rings can do without.
    pub explain: bool,
    /// Says who talked with a number last.
    pub last_talker: &'a dyn Fn(&Phone) -> Option<EmployeeId>,
    /// The present time.
    pub now: Timestamp,
}

impl<'a> Asked<'a> {
    /// Reads a question.
    pub fn read(
        source: &'a SourceEntry,
        caller: &str,
        did: Option<&str>,
        redirect_failed: bool,
    ) -> Self {
        let caller = match source.rules.incoming_number(caller) {
            ClientNumber::Withheld => Caller::Withheld,
            ClientNumber::Phone { phone } => match source.person_of_phone(&phone) {
                Some(person) => Caller::Internal(person.employee.id.clone(), Some(phone)),
                None => Caller::Outside(phone),
            },
            ClientNumber::Other { text } => match source.person_of_extension(&text) {
                Some(person) => Caller::Internal(person.employee.id.clone(), None),
                None => Caller::Unreadable,
            },
        };
        Self {
            source,
            caller,
            number: did.and_then(|did| source.number(did)),
            redirect_failed,
        }
    }

    /// Returns the number whose owner is looked for, if one is.
    pub fn client_number(&self) -> Option<&Phone> {
        match &self.caller {
            Caller::Outside(phone) => Some(phone),
            Caller::Internal(..) | Caller::Unreadable | Caller::Withheld => None,
        }
    }

    /// Says whether the answer depends on who the client's manager is; else the client only lends
    /// it a name, which is not worth waiting for.
    pub fn needs_manager(&self) -> bool {
        let scenario = match self.number {
            Some(number) => number.scenario == Scenario::PersonalManager && number.owner.is_none(),
            None => self.source.answering.unlisted == Unlisted::PersonalManager,
        };
        scenario && !self.redirect_failed && self.client_number().is_some()
    }
}

/// Returns the positions of the integrations in the order in which they are asked: the tenant's,
/// with those behind that redirect nothing and only lend a name.
pub fn order(source: &SourceEntry) -> impl Iterator<Item = (usize, &AskedIntegration)> {
    let all = || source.tenant.integrations.iter().enumerate();
    let redirecting = all().filter(|(_, integration)| integration.redirects().is_some());
    let others = all().filter(|(_, integration)| integration.redirects().is_none());
    redirecting.chain(others)
}

/// Returns whom calls to an employee's clients ring at this time: the employee, or who stands in.
pub fn rung_for(source: &SourceEntry, person: Person<'_>, now: Timestamp) -> Option<Extension> {
    let asked = Asked {
        source,
        caller: Caller::Withheld,
        number: None,
        redirect_failed: false,
    };
    let mut answering = Answering::new(&asked, &|_| None, now);
    let found = answering.of_manager(person);
    answering.answer.extension.filter(|_| found)
}

/// Answers.
pub fn answer(asked: &Asked<'_>, known: Known<'_>) -> Found {
    let mut answering = Answering {
        explain: known.explain,
        reasons: known.remarks,
        ..Answering::new(asked, known.last_talker, known.now)
    };
    let manager = known.hits.and_then(|hits| answering.client(hits));
    answering.route(manager);
    Found {
        answer: answering.answer,
        policy: answering.policy,
        reasons: answering.reasons,
    }
}

/// Who answers for the client, as far as the card and the mapping tell.
enum Manager<'a> {
    /// This person.
    Person(Person<'a>),
    /// Nobody who is of use; the reason is given.
    Nobody,
}

struct Answering<'a, 'b> {
    asked: &'b Asked<'a>,
    last_talker: &'b dyn Fn(&Phone) -> Option<EmployeeId>,
    now: Timestamp,
    policy: Option<&'static str>,
    explain: bool,
    reasons: Vec<Reason>,
    answer: Answer,
}

impl<'a, 'b> Answering<'a, 'b> {
    /// Begins with nothing known and nothing to be explained.
    fn new(
        asked: &'b Asked<'a>,
        last_talker: &'b dyn Fn(&Phone) -> Option<EmployeeId>,
        now: Timestamp,
    ) -> Self {
        let phone = match &asked.caller {
            Caller::Outside(phone) | Caller::Internal(_, Some(phone)) => Some(phone.clone()),
            Caller::Internal(_, None) | Caller::Unreadable | Caller::Withheld => None,
        };
        Self {
            asked,
            last_talker,
            now,
            policy: None,
            explain: false,
            reasons: Vec::new(),
            answer: Answer {
                phone,
                client: None,
                manager: None,
                extension: None,
                route: Route::None,
                integration: None,
                knowledge: Knowledge::None,
                age_s: None,
            },
        }
    }
}

impl<'a> Answering<'a, '_> {
    /// Notes what counted, where somebody wants to know.
    fn because(&mut self, reason: impl FnOnce() -> Reason) {
        if self.explain {
            self.reasons.push(reason());
        }
    }

    /// Fills in the client and who answers for the client. Returns the manager where calls are
    /// redirected to one.
    fn client(&mut self, hits: Hits) -> Option<Manager<'a>> {
        let source = self.asked.source;
        let integration = source.tenant.integrations.get(hits.integration)?;
        // Without any settings nothing is redirected, but the client is named.
        let unset = PersonalManagerSettings {
            on: false,
            responsible_of: vec![ResponsibleOf::Contact],
            shared_numbers: SharedNumbers::default(),
        };
        let settings = integration.settings.as_ref().unwrap_or(&unset);
        let last = std::cell::OnceCell::new();
        let talked_last = |user: &CrmUserId| {
            let talker = last.get_or_init(|| (self.last_talker)(self.asked.client_number()?));
            let person = source.person_of_user(hits.integration, user);
            matches!((talker, person), (Some(talker), Some(person)) if person.employee.id == *talker)
        };
        let choice = choose(&hits.clients, settings, &talked_last)?;
        let url = (integration.link)(&choice.client.card);
        self.answer.integration = Some(integration.id.clone());
        self.answer.knowledge = hits.knowledge;
        self.answer.age_s = hits.as_of.map(|as_of| self.now.since(as_of).as_secs());
        self.because(|| Reason::ClientKnown {
            integration: integration.id.clone(),
            card: choice.client.card.clone(),
        });
        if hits.clients.len() > 1 {
            let policy = settings.shared_numbers.name();
            self.policy = Some(policy);
            self.because(|| Reason::SharedNumber {
                cards: hits.clients.len(),
                policy,
                settled: choice.settled,
            });
        }
        let manager = self.manager(hits.integration, choice.responsible);
        let chosen = choice.at;
        let client = hits.clients.into_iter().nth(chosen);
        self.answer.client = client.map(|client| AnswerClient {
            id: client.card.id,
            name: client.name,
            url,
        });
        if integration.redirects().is_none() {
            let observes = settings.on && !integration.acts;
            self.because(|| Reason::NoRedirect {
                integration: integration.id.clone(),
                observes,
            });
            return Some(Manager::Nobody);
        }
        Some(manager)
    }

    fn manager(
        &mut self,
        integration: usize,
        responsible: Option<(&CrmUserId, ResponsibleOf)>,
    ) -> Manager<'a> {
        let Some((user, of)) = responsible else {
            self.because(|| Reason::NoResponsible);
            return Manager::Nobody;
        };
        self.because(|| Reason::Responsible {
            user: user.clone(),
            of,
        });
        let Some(person) = self.asked.source.person_of_user(integration, user) else {
            self.because(|| Reason::UserUnmapped { user: user.clone() });
            return Manager::Nobody;
        };
        self.answer.manager = Some(Arc::clone(person.as_manager));
        Manager::Person(person)
    }

    /// Walks the chain.
    fn route(&mut self, manager: Option<Manager<'a>>) {
        let asked = self.asked;
        if asked.redirect_failed {
            self.because(|| Reason::RedirectFailed);
            return self.leave(Exit::RedirectFailed);
        }
        if let Some(number) = asked.number
            && self.of_number(number)
        {
            return;
        }
        let looks = match asked.number.map(|number| &number.scenario) {
            Some(Scenario::PersonalManager) => {
                self.because(|| Reason::ScenarioPersonalManager);
                true
            }
            Some(Scenario::Employee(_)) => false,
            Some(Scenario::Other) => {
                self.because(|| Reason::ScenarioOther);
                false
            }
            None => {
                let manager = asked.source.answering.unlisted == Unlisted::PersonalManager;
                self.because(|| Reason::NumberUnlisted { manager });
                manager
            }
        };
        if !looks {
            return self.leave(Exit::Default);
        }
        match &asked.caller {
            Caller::Internal(employee, _) => {
                self.because(|| Reason::CallerInternal {
                    employee: employee.clone(),
                });
                return self.leave(Exit::Default);
            }
            Caller::Unreadable => self.because(|| Reason::CallerUnreadable),
            Caller::Withheld => self.because(|| Reason::CallerWithheld),
            Caller::Outside(_) if manager.is_none() => self.because(|| Reason::ClientUnknown),
            Caller::Outside(_) => {}
        }
        if let Some(Manager::Person(person)) = manager
            && self.of_manager(person)
        {
            return;
        }
        self.leave(Exit::NoManager);
    }

    /// Tries the two ways that the dialled number itself gives (S1-25).
    fn of_number(&mut self, number: &InboundNumber) -> bool {
        if let Scenario::Employee(employee) = &number.scenario {
            self.because(|| Reason::ScenarioEmployee {
                employee: employee.clone(),
            });
            if self.ring_employee(employee, Route::DidEmployee) {
                return true;
            }
        }
        if let Some(employee) = &number.owner {
            self.because(|| Reason::NumberOwner {
                employee: employee.clone(),
            });
            return self.ring_employee(employee, Route::DidOwner);
        }
        false
    }

    /// Tries the personal manager, then the stand-in.
    fn of_manager(&mut self, person: Person<'a>) -> bool {
        let id = &person.employee.id;
        if !person.answering.personal_manager {
            self.because(|| Reason::NotForManagerSearch {
                employee: id.clone(),
            });
            return false;
        }
        if self.is_there(person) && self.ring(id, Some(person), Route::PersonalManager) {
            return true;
        }
        let stand_in = person.answering.stand_in.as_ref();
        let Some(stand_in) = stand_in.and_then(|id| self.asked.source.person(id)) else {
            self.because(|| Reason::NoStandIn {
                employee: id.clone(),
            });
            return false;
        };
        let id = &stand_in.employee.id;
        self.because(|| Reason::StandsIn {
            employee: id.clone(),
        });
        self.is_there(stand_in) && self.ring(id, Some(stand_in), Route::StandIn)
    }

    fn is_there(&mut self, person: Person<'_>) -> bool {
        let zone = &self.asked.source.tenant.zone;
        let Some(why) = person.answering.absence(self.now, zone) else {
            return true;
        };
        self.because(|| Reason::Absent {
            employee: person.employee.id.clone(),
            why,
        });
        false
    }

    /// Sends the call to the employee of this id, if there is one with an extension at the source.
    fn ring_employee(&mut self, employee: &EmployeeId, route: Route) -> bool {
        let person = self.asked.source.person(employee);
        self.ring(employee, person, route)
    }

    /// Sends the call to an employee, if the employee has an extension at the source.
    fn ring(&mut self, employee: &EmployeeId, person: Option<Person<'_>>, route: Route) -> bool {
        let Some(extension) = person.and_then(|person| person.extension) else {
            self.because(|| Reason::NoExtension {
                employee: employee.clone(),
            });
            return false;
        };
        self.answer.extension = Some(extension.clone());
        self.answer.route = route;
        true
    }

    /// Sends the call where nobody was found. A number with a scenario of another sort has its
    /// own way out or none: the phone system's scenario decides.
    fn leave(&mut self, exit: Exit) {
        let source = &self.asked.source.answering.exits;
        let extension = match self.asked.number {
            Some(number) if number.scenario == Scenario::Other => number.exits.of(exit),
            Some(number) => number.exits.of(exit).or_else(|| source.of(exit)),
            None => source.of(exit),
        };
        match extension {
            Some(extension) => {
                self.answer.route = Route::Default;
                self.answer.extension = Some(extension.clone());
                self.because(|| Reason::Destination {
                    exit,
                    extension: extension.clone(),
                });
            }
            None => {
                self.answer.route = Route::None;
                self.because(|| Reason::NoDestination { exit });
            }
        }
    }
}
