//! Whether a request is processed at all (S0-06, S0-13).

use crate::model::communication::{Kind, Phase};
use crate::model::explanation::{Explanation, Reason};
use crate::model::phone::Phone;
use crate::model::request::SiteRequest;

use super::facets::RequestFacets;
use crate::rules::settings::{RequestMethod, RequestSettings};
use crate::rules::situation::Situation;

/// The kind that all of this is about.
pub(super) const KIND: Kind = Kind::Request;

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
        let Some(settings) = &situation.settings.requests else {
            return Err(Reason::NothingConfigured { kind: KIND }.into());
        };
        if !settings.on {
            return Err(Reason::KindOff { kind: KIND }.into());
        }
        let offered = (KIND, Phase::Received);
        if !situation.capabilities.phases.contains(&offered) {
            let (kind, phase) = offered;
            return Err(Reason::PhaseNotOffered { kind, phase }.into());
        }
        let admitted = Self {
            situation,
            request,
            settings,
        };
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
            path: "requests.filter".to_owned(),
            holds: filter.passes(&facets),
            conditions: filter.seen(&facets),
        })
    }

    /// Returns what conditions look at.
    pub(super) fn facets(&self) -> RequestFacets<'a> {
        RequestFacets(self.request)
    }

    /// Returns the client's number.
    pub(super) fn phone(&self) -> Option<&'a Phone> {
        self.request.phone.as_ref()
    }

    /// Returns the client's e-mail address, in the form in which addresses are compared.
    pub(super) fn email(&self) -> Option<String> {
        let email = self.request.email.as_deref()?.trim().to_lowercase();
        (!email.is_empty()).then_some(email)
    }

    /// Returns every address that the client left, as people write them.
    pub(super) fn addresses(&self) -> Vec<String> {
        let phone = self.phone().map(Phone::to_string);
        phone.into_iter().chain(self.email()).collect()
    }

    /// Returns the method by which this client's request is brought into the CRM.
    pub(super) fn method(&self, known: bool) -> &'a RequestMethod {
        let repeat = self.settings.repeat_method.as_ref().filter(|_| known);
        repeat.unwrap_or(&self.settings.method)
    }
}
