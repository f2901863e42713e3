//! What site requests and chats have in common: both are written, both bring a client by method.
//!
//! ```text
//! client     who is it, new or known?             <- facts, ledger
//! entities   what does the method make?           -> contact, deal, unsorted
//! task       who has what to do about it?         -> task
//! notice     who is told of it?                   -> notice
//! fields     what is told in additional fields?   -> with the records, contact-fields
//! place      where is what was written kept?
//!
//! people     who answers for what is made
//! texts      names and texts from templates
//! ```
//!
//! What is particular to a kind comes through [`Written`].

pub(super) mod client;
pub(super) mod entities;
pub(super) mod fields;
pub(super) mod notice;
pub(super) mod people;
pub(super) mod place;
pub(super) mod task;
pub(super) mod texts;

use crate::model::communication::Kind;
use crate::model::employee::Employee;
use crate::model::explanation::{Explanation, Reason, RulePass};
use crate::model::phone::Phone;
use crate::model::plan::UnsortedForm;
use crate::model::timestamp::Timestamp;

use self::client::Client;
use super::filters::{Facets, Parameter};
use super::settings::{Choices, RequestMethod};
use super::situation::Situation;
use super::template::Values;

/// A request or chat, as what is made of it needs to know it.
pub(super) trait Written {
    /// What conditions look at.
    type Parameter: Parameter;

    /// Its kind.
    const KIND: Kind;

    /// The block of its settings, by which explanations name a setting.
    const BLOCK: &'static str;

    /// Where the rules of additional fields stand in the settings.
    const FIELDS: &'static str;

    /// The templates where none is set.
    const USUAL: Usual;

    /// Returns what the decision may look at.
    fn situation(&self) -> &Situation<'_>;

    /// Returns what was set.
    fn choices(&self) -> Choices<'_, Self::Parameter>;

    /// Returns what conditions look at.
    fn facets(&self) -> impl Facets<Self::Parameter>;

    /// Returns the client's number.
    fn phone(&self) -> Option<&Phone>;

    /// Returns the e-mail address as the client wrote it.
    fn written_email(&self) -> Option<&str>;

    /// Returns the name of who wrote: of the client, or of a group.
    fn name(&self) -> Option<&str>;

    /// Returns when it began.
    fn began_at(&self) -> Timestamp;

    /// Returns the employee who talked with the client.
    fn talker(&self) -> Result<&Employee, RulePass>;

    /// Returns the form that it takes in Unsorted.
    fn form(&self) -> UnsortedForm;

    /// Returns the values of the variables of its templates.
    fn values(&self, client: Option<&Client<'_>>) -> Values;

    /// Returns the e-mail address in the form in which addresses are compared.
    fn email(&self) -> Option<String> {
        let email = self.written_email()?.trim().to_lowercase();
        (!email.is_empty()).then_some(email)
    }

    /// Returns every address that the client left, as people write them.
    fn addresses(&self) -> Vec<String> {
        let phone = self.phone().map(Phone::to_string);
        phone.into_iter().chain(self.email()).collect()
    }

    /// Returns the method by which a new or known client's is brought into the CRM.
    fn method(&self, known: bool) -> &RequestMethod {
        let choices = self.choices();
        let repeat = choices.repeat_method.filter(|_| known);
        repeat.unwrap_or(choices.method)
    }

    /// Returns what each condition of the filter said, where there is one.
    fn filter_seen(&self) -> Option<Reason> {
        let filter = self.choices().filter?;
        let facets = self.facets();
        Some(Reason::ConditionsSeen {
            path: format!("{}.filter", Self::BLOCK),
            holds: filter.passes(&facets),
            conditions: filter.seen(&facets),
        })
    }

    /// Lets what passes the filter through, or says why not.
    fn pass(&self) -> Result<(), Explanation> {
        let filter = self.choices().filter;
        if filter.is_none_or(|filter| filter.passes(&self.facets())) {
            return Ok(());
        }
        let mut why = Explanation(self.filter_seen().into_iter().collect());
        why.push(Reason::FilteredOut { kind: Self::KIND });
        Err(why)
    }
}

/// The templates of names and texts where none is set (V-09).
#[derive(Debug, Clone, Copy)]
pub(super) struct Usual {
    /// Names a contact.
    pub(super) contact_name: &'static str,
    /// Names a deal.
    pub(super) deal_name: &'static str,
    /// Says what is to be done.
    pub(super) task: &'static str,
}
