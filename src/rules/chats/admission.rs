//! Whether a chat is processed at all, and what this moment decides (S2-21, S2-22, S2-24).

use crate::model::chat::Chat;
use crate::model::communication::{Kind, Phase};
use crate::model::employee::Employee;
use crate::model::explanation::{Explanation, Reason, RulePass, TransferAction};
use crate::model::phone::Phone;
use crate::model::plan::UnsortedForm;
use crate::model::timestamp::Timestamp;

use super::texts;
use crate::rules::filters::{ChatFacets, Facets};
use crate::rules::phases;
use crate::rules::settings::{ChatMoment, ChatParameter, ChatSettings, Choices, Transcript};
use crate::rules::situation::Situation;
use crate::rules::template::Values;
use crate::rules::variables;
use crate::rules::written::client::Client;
use crate::rules::written::{Usual, Written};

/// A chat that is processed, and what was set for it.
pub(super) struct ClientChat<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) chat: &'a Chat,
    pub(super) settings: &'a ChatSettings,
}

/// What an earlier moment made of the chat: the choice is made once, whatever client and settings
/// have become since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier<'a> {
    /// Nothing yet.
    Nothing,
    /// A repeat was left alone (S0-10).
    Left,
    /// What the method says.
    Acted(&'a TransferAction),
}

impl<'a> ClientChat<'a> {
    /// Admits a chat, or says why it is ignored.
    pub(super) fn admit(situation: &'a Situation<'a>, chat: &'a Chat) -> Result<Self, Explanation> {
        let kind = Self::KIND;
        let Some(settings) = &situation.settings.chats else {
            return Err(Reason::NothingConfigured { kind }.into());
        };
        if !settings.on {
            return Err(Reason::KindOff { kind }.into());
        }
        let phase = situation.phase;
        if !situation.capabilities.phases.contains(&(kind, phase)) {
            return Err(Reason::PhaseNotOffered { kind, phase }.into());
        }
        let is_decided = match phase {
            Phase::Ended | Phase::Continued => true,
            Phase::Message => settings.transcript == Transcript::Live,
            phase => phase == phases::of_moment(settings.at),
        };
        if !is_decided {
            return Err(Reason::ChatAtOtherMoment { phase }.into());
        }
        let admitted = Self {
            situation,
            chat,
            settings,
        };
        if admitted.earlier() == Earlier::Nothing {
            if admitted.addresses().is_empty() && !settings.without_contacts {
                return Err(Reason::ChatWithoutContacts.into());
            }
            admitted.pass()?;
        }
        Ok(admitted)
    }

    /// Returns what an earlier moment made of the chat.
    pub(super) fn earlier(&self) -> Earlier<'a> {
        let situation = self.situation;
        // A decision that is made again is no earlier moment.
        let is_other = |work: u64, phase: Phase| {
            phase != situation.phase || (phase.recurs() && work != situation.work)
        };
        let decisions = situation.ledger.decisions.iter();
        let mut reasons = decisions
            .filter(|decision| is_other(decision.work, decision.phase))
            .flat_map(|decision| decision.explanation.iter());
        let found = reasons.find_map(|reason| match reason {
            Reason::MethodActs { method, .. } => Some(Earlier::Acted(method)),
            Reason::RepeatLeft { .. } => Some(Earlier::Left),
            _ => None,
        });
        found.unwrap_or(Earlier::Nothing)
    }

    /// Says whether this is a moment at which records are made (S2-21), or at which they are made
    /// up for; else why not.
    pub(super) fn moment(&self) -> Result<(), Reason> {
        let closed = self.closed_at().is_some();
        if self.situation.phase == Phase::Message && !closed {
            return Err(Reason::ChatWordsWait);
        }
        match self.settings.at {
            ChatMoment::Start | ChatMoment::End => Ok(()),
            ChatMoment::Accepted if self.chat.is_taken() => Ok(()),
            ChatMoment::Accepted => Err(Reason::NobodyTookChat),
            ChatMoment::Tagged if !self.chat.tags.is_empty() => Ok(()),
            ChatMoment::Tagged => Err(Reason::ChatNotTagged),
        }
    }

    /// Returns by when the chat had been seen to be over, by earlier decisions.
    pub(super) fn closed_at(&self) -> Option<Timestamp> {
        let mut reasons = self.earlier_reasons();
        reasons.find_map(|reason| match reason {
            Reason::ChatOver { at } => Some(*at),
            _ => None,
        })
    }

    /// Says whether the chat was seen to go on after its end, when it was looked at last.
    pub(super) fn goes_on(&self) -> bool {
        let mut reasons = self.earlier_reasons();
        let last =
            reasons.find(|reason| matches!(reason, Reason::ChatOver { .. } | Reason::ChatGoesOn));
        last == Some(&Reason::ChatGoesOn)
    }

    /// Returns the reasons of the decisions of earlier moments, the newest first.
    fn earlier_reasons(&self) -> impl Iterator<Item = &'a Reason> {
        let situation = self.situation;
        let decisions = situation.ledger.decisions.iter().rev();
        decisions
            .filter(|one| one.work != situation.work)
            .flat_map(|one| one.explanation.iter())
    }

    /// Says whether the end of the chat is decided.
    pub(super) fn is_at_end(&self) -> bool {
        self.situation.phase == Phase::Ended
    }

    /// Returns who took the chat.
    pub(super) fn taker(&self) -> Result<&'a Employee, RulePass> {
        let login = self.chat.employee.as_ref().filter(|_| self.chat.is_taken());
        let login = login.ok_or(RulePass::NobodyTalked)?;
        let situation = self.situation;
        let source = &situation.snapshot.key.source.source;
        let employee = situation.employees.by_extension(source, login);
        employee.ok_or_else(|| RulePass::ExtensionUnknown {
            extension: login.clone(),
        })
    }
}

impl Written for ClientChat<'_> {
    type Parameter = ChatParameter;

    const KIND: Kind = Kind::Chat;
    const BLOCK: &'static str = "chats";

    const FIELDS: &'static str = "chats.fields";
    const USUAL: Usual = Usual {
        contact_name: variables::CHAT_CONTACT_NAME,
        deal_name: variables::CHAT_DEAL_NAME,
        task: variables::CHAT_TASK,
    };

    fn situation(&self) -> &Situation<'_> {
        self.situation
    }

    fn choices(&self) -> Choices<'_, ChatParameter> {
        self.settings.choices()
    }

    fn facets(&self) -> impl Facets<ChatParameter> {
        ChatFacets {
            chat: self.chat,
            employee: self.taker().ok().map(|one| one.id.as_str()),
            has_contacts: !self.addresses().is_empty(),
        }
    }

    /// A group has no contact data of one client (V-05).
    fn phone(&self) -> Option<&Phone> {
        let phone = self.chat.phone.as_ref();
        phone.filter(|_| self.chat.group.is_none())
    }

    fn written_email(&self) -> Option<&str> {
        let email = self.chat.email.as_deref();
        email.filter(|_| self.chat.group.is_none())
    }

    fn name(&self) -> Option<&str> {
        let group = self.chat.group.as_deref();
        group.or(self.chat.name.as_deref())
    }

    fn began_at(&self) -> Timestamp {
        self.chat.started_at
    }

    fn talker(&self) -> Result<&Employee, RulePass> {
        self.taker()
    }

    fn form(&self) -> UnsortedForm {
        texts::form(self, texts::first_words(self))
    }

    fn values(&self, client: Option<&Client<'_>>) -> Values {
        texts::values(self, client)
    }
}
