//! Whether a request is decided, and what was set for it (S0-06).

use crate::model::communication::Kind;
use crate::model::explanation::{Reason, RulePass};
use crate::model::phone::Phone;
use crate::model::request::SiteRequest;
use crate::model::written_reason::WrittenReason;

use super::content;
use crate::rules::settings::{AssignRule, DealRule, RequestSettings, RequestWhen};
use crate::rules::situation::Situation;
use crate::rules::variables;
use crate::rules::written::{Asked, DealPlace, Options, Usual, Written};

/// The path of the settings.
const PATH: &str = "requests";

/// Admits a request, or says why it is ignored.
pub(super) fn admit<'a>(
    situation: &'a Situation<'a>,
    request: &'a SiteRequest,
) -> Result<Written<'a>, Reason> {
    let kind = Kind::Request;
    let Some(settings) = &situation.settings.requests else {
        return Err(Reason::NothingConfigured { kind });
    };
    if !settings.on {
        let why = WrittenReason::SwitchedOff { kind };
        return Err(Reason::Written { why });
    }
    let phase = situation.phase;
    if !situation.capabilities.phases.contains(&(kind, phase)) {
        return Err(Reason::PhaseNotOffered { kind, phase });
    }
    let phone: Option<&Phone> = request.phone.as_ref();
    Ok(Written {
        situation,
        kind,
        at: request.at,
        phone,
        email: content::email(request),
        options: options(settings, situation, request),
        values: content::values(situation, request),
        usual: Usual {
            contact_name: variables::REQUEST_CONTACT_NAME,
            deal_name: variables::REQUEST_DEAL_NAME,
            task_text: variables::REQUEST_TASK_TEXT,
        },
        form: content::form(request),
        taker: Err(RulePass::NobodyTalked),
    })
}

fn options<'a>(
    settings: &'a RequestSettings,
    situation: &Situation<'_>,
    request: &SiteRequest,
) -> Options<'a> {
    let holds = |on: bool, when: Option<&RequestWhen>| {
        on && when.is_none_or(|when| content::passes(situation, request, when))
    };
    let deals = settings.deals.as_ref();
    let deal_rules = deals.iter().flat_map(|deals| &deals.rules);
    let asked_deal = |rule: &'a DealRule<RequestWhen>| Asked {
        name: rule.name.as_str(),
        holds: holds(rule.on, rule.when.as_ref()),
        gives: DealPlace::from(rule),
    };
    let asked_person = |rule: &'a AssignRule<RequestWhen>| Asked {
        name: rule.name.as_str(),
        holds: holds(rule.on, rule.when.as_ref()),
        gives: &rule.assign,
    };
    Options {
        path: PATH,
        default_responsible: &settings.default_responsible,
        method: &settings.method,
        repeat: settings.repeat.as_ref(),
        first_time_only: settings.first_time_only,
        deals: deals.map(DealPlace::from),
        deal_rules: deal_rules.map(asked_deal).collect(),
        responsible: settings.responsible.iter().map(asked_person).collect(),
        tags: &settings.tags,
        contact_name: settings.contact_name.as_ref(),
        deal_name: settings.deal_name.as_ref(),
        task: settings.task.as_ref(),
    }
}
