//! What is made of chats and site requests alike (rows S0-06 … S0-22, V-09, V-11, V-12): whatever a
//! client wrote. `requests` and `chats` say in these terms what came and what was set.
//!
//! ```text
//! client    who is it, new or known?                  <- facts by number and e-mail, ledger
//! entities  which method, and what does it make?      -> contact, deal, unsorted
//! task      who has what to do about it?              -> task
//! note      on which card is kept what was written?   -> note
//!
//! people    who answers for what is made
//! texts     names and texts from templates, tags
//! place     pipeline and stage; the card that things hang on
//! ```

mod client;
mod entities;
mod note;
mod people;
mod place;
mod task;
mod texts;

use crate::model::communication::{Address, Kind};
use crate::model::explanation::{Reason, RulePass};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::ids::CrmUserId;
use crate::model::phone::Phone;
use crate::model::plan::UnsortedForm;
use crate::model::timestamp::Timestamp;
use crate::model::written_reason::WrittenReason;

use super::draft::Draft;
use super::settings::{AssignTo, Method, TaskSettings, Template, WrittenTags};
use super::situation::Situation;
use super::template::Values;

pub(super) use self::client::Client;
pub(super) use self::note::note;
pub(super) use self::place::DealPlace;
pub(super) use self::texts::moment;

/// The role of the contact that is made.
pub(super) const CONTACT: &str = "contact";
/// The role of its deal.
pub(super) const DEAL: &str = "deal";
/// The role of the unsorted record.
pub(super) const UNSORTED: &str = "unsorted";
/// The role of the task.
pub(super) const TASK: &str = "task";

/// A chat or a request that is decided now.
pub(super) struct Written<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) kind: Kind,
    /// When the client wrote.
    pub(super) at: Timestamp,
    pub(super) phone: Option<&'a Phone>,
    /// Lower case.
    pub(super) email: Option<String>,
    /// What was set.
    pub(super) options: Options<'a>,
    /// The values of the variables of templates, but for `contact_name` and `known`, which the
    /// client brings.
    pub(super) values: Values,
    /// The texts where no template says otherwise.
    pub(super) usual: Usual,
    /// What an unsorted record of it says.
    pub(super) form: UnsortedForm,
    /// Who took it.
    pub(super) taker: Result<CrmUserId, RulePass>,
}

/// What was set for a kind.
pub(super) struct Options<'a> {
    /// The path of the kind's settings.
    pub(super) path: &'static str,
    pub(super) default_responsible: &'a CrmUserId,
    pub(super) method: &'a Method,
    /// Absent = the same.
    pub(super) repeat: Option<&'a Method>,
    pub(super) first_time_only: bool,
    pub(super) deals: Option<DealPlace<'a>>,
    pub(super) deal_rules: Vec<Asked<'a, DealPlace<'a>>>,
    pub(super) responsible: Vec<Asked<'a, &'a AssignTo>>,
    pub(super) tags: &'a WrittenTags,
    pub(super) contact_name: Option<&'a Template>,
    pub(super) deal_name: Option<&'a Template>,
    pub(super) task: Option<&'a TaskSettings>,
}

/// A rule, asked whether it holds. One that is switched off does not.
pub(super) struct Asked<'a, T> {
    pub(super) name: &'a str,
    pub(super) holds: bool,
    pub(super) gives: T,
}

/// The templates of a kind where none is set (V-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usual {
    pub(super) contact_name: &'static str,
    pub(super) deal_name: &'static str,
    pub(super) task_text: &'static str,
}

impl Written<'_> {
    /// Returns what the CRM has to be asked; `None` where there is nothing to ask by.
    pub(super) fn query(&self) -> Option<FactsQuery> {
        let query = FactsQuery {
            phones: self.phone.cloned().into_iter().collect(),
            emails: self.email.clone().into_iter().collect(),
            deals: self.wants_deals(),
            made: Vec::new(),
        };
        (!query.phones.is_empty() || !query.emails.is_empty()).then_some(query)
    }

    /// Returns by what the client is looked for.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let phone = self.phone.cloned().map(Address::Phone);
        let email = self.email.clone().map(Address::Email);
        phone.into_iter().chain(email).collect()
    }

    /// Returns the method that a client's communication takes.
    pub(super) fn method(&self, client: &Client<'_>) -> &Method {
        match self.options.repeat {
            Some(repeat) if client.known => repeat,
            Some(_) | None => self.options.method,
        }
    }

    /// Deals cost the account further requests: they are asked for only where they can matter, to
    /// choose the contact that a deal is made for, or the card of a note or task.
    fn wants_deals(&self) -> bool {
        let repeat = self.options.repeat.unwrap_or(self.options.method);
        let task = self.options.task.is_some_and(|task| task.on);
        let on_a_card = match repeat {
            Method::Contact { .. } | Method::ContactAndDeal {} => true,
            Method::ByHand {} | Method::Unsorted { .. } => task,
        };
        on_a_card && !self.options.first_time_only
    }
}

/// What the CRM says about a client of whom no address is known.
pub(super) fn nothing_known(situation: &Situation<'_>) -> Facts {
    Facts {
        as_of: situation.now,
        origin: Default::default(),
        contacts: Vec::new(),
        companies: Vec::new(),
    }
}

/// Plans contact, deal, unsorted record and task; says whether the communication is processed at
/// all.
pub(super) fn plan(written: &Written<'_>, client: &Client<'_>, draft: &mut Draft<'_>) -> bool {
    if written.options.first_time_only && client.known {
        let kind = written.kind;
        explain(draft, WrittenReason::OnlyFirstTime { kind });
        return false;
    }
    entities::plan(written, client, draft);
    task::plan(written, client, draft);
    true
}

/// Adds a reason.
pub(super) fn explain(draft: &mut Draft<'_>, why: WrittenReason) {
    draft.explain(Reason::Written { why });
}
