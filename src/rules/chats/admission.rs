//! Whether a chat is processed at all, and what this moment decides (S2-21, S2-22, S2-24).

use crate::model::chat::Chat;
use crate::model::communication::{Kind, Phase};
use crate::model::explanation::{Explanation, Reason};
use crate::model::phone::Phone;

use super::people;
use crate::rules::filters::ChatFacets;
use crate::rules::phases;
use crate::rules::settings::{ChatMoment, ChatSettings, RequestMethod};
use crate::rules::situation::Situation;

/// The kind that all of this is about.
pub(super) const KIND: Kind = Kind::Chat;

/// A chat that is processed, and what was set for it.
pub(super) struct ClientChat<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) chat: &'a Chat,
    pub(super) settings: &'a ChatSettings,
}

impl<'a> ClientChat<'a> {
    /// Admits a chat, or says why it is ignored.
    pub(super) fn admit(
        situation: &'a Situation<'a>,
        chat: &'a Chat,
    ) -> Result<Self, Explanation> {
        let Some(settings) = &situation.settings.chats else {
            return Err(Reason::NothingConfigured { kind: KIND }.into());
        };
        if !settings.on {
            return Err(Reason::KindOff { kind: KIND }.into());
        }
        let phase = situation.phase;
        if !situation.capabilities.phases.contains(&(KIND, phase)) {
            return Err(Reason::PhaseNotOffered { kind: KIND, phase }.into());
        }
        if phase != Phase::Ended && phase != phases::of_moment(settings.at) {
            return Err(Reason::ChatAtOtherMoment { phase }.into());
        }
        let admitted = Self {
            situation,
            chat,
            settings,
        };
        if admitted.addresses().is_empty() && !settings.without_contacts {
            return Err(Reason::ChatWithoutContacts.into());
        }
        let filter = settings.filter.as_ref();
        if filter.is_some_and(|filter| !filter.passes(&admitted.facets())) {
            let mut why = Explanation(admitted.filter_seen().into_iter().collect());
            why.push(Reason::FilteredOut { kind: KIND });
            return Err(why);
        }
        Ok(admitted)
    }

    /// Returns what each condition of the filter said, where there is one.
    pub(super) fn filter_seen(&self) -> Option<Reason> {
        let filter = self.settings.filter.as_ref()?;
        let facets = self.facets();
        Some(Reason::ConditionsSeen {
            path: "chats.filter".to_owned(),
            holds: filter.passes(&facets),
            conditions: filter.seen(&facets),
        })
    }

    /// Returns what conditions look at.
    pub(super) fn facets(&self) -> ChatFacets<'a> {
        ChatFacets {
            chat: self.chat,
            employee: people::taker(self).ok().map(|one| one.id.as_str()),
        }
    }

    /// Says whether an earlier moment made the chat's records: the choice is made once, whatever
    /// client and settings have become since.
    pub(super) fn acted_before(&self) -> bool {
        let mut decisions = self.situation.ledger.decisions.iter();
        decisions.any(|decision| {
            let mut reasons = decision.explanation.iter();
            decision.phase < self.situation.phase
                && reasons.any(|reason| matches!(reason, Reason::MethodActs { .. }))
        })
    }

    /// Says whether the moment is there at which records are made (S2-21).
    pub(super) fn moment_has_come(&self) -> bool {
        match self.settings.at {
            ChatMoment::Start | ChatMoment::End => true,
            ChatMoment::Accepted => self.chat.employee.is_some(),
        }
    }

    /// Says whether the end of the chat is decided.
    pub(super) fn is_at_end(&self) -> bool {
        self.situation.phase == Phase::Ended
    }

    /// Returns the client's number. A group has no contact data of one client.
    pub(super) fn phone(&self) -> Option<&'a Phone> {
        self.chat.phone.as_ref().filter(|_| self.chat.group.is_none())
    }

    /// Returns the client's e-mail address, in the form in which addresses are compared.
    pub(super) fn email(&self) -> Option<String> {
        let email = self.chat.email.as_deref()?.trim().to_lowercase();
        (!email.is_empty() && self.chat.group.is_none()).then_some(email)
    }

    /// Returns every address that the client left, as people write them.
    pub(super) fn addresses(&self) -> Vec<String> {
        let phone = self.phone().map(Phone::to_string);
        phone.into_iter().chain(self.email()).collect()
    }

    /// Returns the method by which this client's chat is brought into the CRM.
    pub(super) fn method(&self, known: bool) -> &'a RequestMethod {
        let repeat = self.settings.repeat_method.as_ref().filter(|_| known);
        repeat.unwrap_or(&self.settings.method)
    }
}
