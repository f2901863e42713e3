//! Whether a request is processed at all (S0-06, S0-13).

use crate::model::communication::{Kind, Phase};
use crate::model::employee::Employee;
use crate::model::explanation::{Explanation, Reason, RulePass};
use crate::model::phone::Phone;
use crate::model::plan::UnsortedForm;
use crate::model::request::SiteRequest;
use crate::model::timestamp::Timestamp;

use super::facets::RequestFacets;
use super::texts;
use crate::rules::filters::Facets;
use crate::rules::settings::{Choices, RequestParameter, RequestSettings};
use crate::rules::situation::Situation;
use crate::rules::template::Values;
use crate::rules::variables;
use crate::rules::written::client::Client;
use crate::rules::written::{Usual, Written};

/// A request that is processed, and what was set for it.
pub(super) struct ClientRequest<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) request: &'a SiteRequest,
    pub(super) settings: &'a RequestSettings,
}

impl<'a> ClientRequest<'a> {
    /// Admits a request, or says why it is ignored.
    pub(super) fn admit(
        situation: &'a Situation<'a>,
        request: &'a SiteRequest,
    ) -> Result<Self, Explanation> {
        let kind = Self::KIND;
        let Some(settings) = &situation.settings.requests else {
            return Err(Reason::NothingConfigured { kind }.into());
        };
        if !settings.on {
            return Err(Reason::KindOff { kind }.into());
        }
        let phase = Phase::Received;
        if !situation.capabilities.phases.contains(&(kind, phase)) {
            return Err(Reason::PhaseNotOffered { kind, phase }.into());
        }
        let admitted = Self {
            situation,
            request,
            settings,
        };
        admitted.pass()?;
        Ok(admitted)
    }
}

impl Written for ClientRequest<'_> {
    type Parameter = RequestParameter;

    const KIND: Kind = Kind::Request;
    const BLOCK: &'static str = "requests";

    const FIELDS: &'static str = "requests.fields";
    const USUAL: Usual = Usual {
        contact_name: variables::REQUEST_CONTACT_NAME,
        deal_name: variables::REQUEST_DEAL_NAME,
        task: variables::REQUEST_TASK,
    };

    fn situation(&self) -> &Situation<'_> {
        self.situation
    }

    fn choices(&self) -> Choices<'_, RequestParameter> {
        self.settings.choices()
    }

    fn facets(&self) -> impl Facets<RequestParameter> {
        RequestFacets(self.request)
    }

    fn phone(&self) -> Option<&Phone> {
        self.request.phone.as_ref()
    }

    fn written_email(&self) -> Option<&str> {
        self.request.email.as_deref()
    }

    fn name(&self) -> Option<&str> {
        self.request.name.as_deref()
    }

    fn began_at(&self) -> Timestamp {
        self.request.at
    }

    /// In a request nobody talks: refused when the settings are saved.
    fn talker(&self) -> Result<&Employee, RulePass> {
        Err(RulePass::NobodyTalked)
    }

    fn form(&self) -> UnsortedForm {
        UnsortedForm::Form {
            name: texts::form_name(self),
            text: self.request.text.as_deref().map(texts::form_text),
            page: self.request.page.clone(),
        }
    }

    fn values(&self, client: Option<&Client<'_>>) -> Values {
        texts::values(self, client)
    }
}
