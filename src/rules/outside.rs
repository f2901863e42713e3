//! Who is told of a new record past the CRM, where it cannot tell its users by itself (S3-17): once
//! for a communication, of the foremost record that a work made, and of none that was there before
//! (V-16).

use std::time::Duration;

use crate::model::capabilities::Capabilities;
use crate::model::communication::Kind;
use crate::model::employee::Employees;
use crate::model::explanation::UserName;
use crate::model::ids::{AccountId, CrmUserId};
use crate::model::ledger::{Ledger, LedgerStep, StepState};
use crate::model::mistake::Mistake;
use crate::model::notice::{NoticeReason, NoticeWay, OutsideNotice};
use crate::model::passing::PassingState;
use crate::model::plan::{Card, Effect, Entity, Role, StepKind};
use crate::model::timestamp::Timestamp;

use super::settings::{IntegrationSettings, NoticeSettings};

/// The role of the notice that goes by e-mail.
const BY_EMAIL: &str = "notice#email";
/// The role of the one that is posted.
const BY_WEBHOOK: &str = "notice#webhook";

/// The most addresses that are told of every record.
const ADDRESSES_MAX: usize = 20;

/// The longest address (RFC 5321).
const ADDRESS_CHARS_MAX: usize = 254;

/// The longest time for which news is news: a day.
const USEFUL_MINUTES_MAX: u32 = 1440;

/// The values that a notice is decided from.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// What was planned and got so far.
    pub ledger: &'a Ledger,
    /// The work whose records are looked at.
    pub work: u64,
    /// What the communication is.
    pub kind: Kind,
    /// What the administrator chose.
    pub settings: &'a IntegrationSettings,
    /// Its revision.
    pub settings_revision: u64,
    /// What the CRM can do.
    pub capabilities: &'a Capabilities,
    /// The people of the tenant.
    pub employees: &'a Employees,
    /// The account, by which an employee's user is found.
    pub account: &'a AccountId,
    /// What the CRM says of a user, as it was last read.
    pub of_user: &'a dyn Fn(&CrmUserId) -> Option<KnownUser>,
    /// Now.
    pub now: Timestamp,
}

/// What the CRM says of one of its users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUser {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What the communication is.
    pub kind: Kind,
    /// The record.
    pub card: Card,
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub responsible: Option<UserName>,
}

/// Says whether records of this kind of communication are told of past the CRM.
pub fn tells(settings: &IntegrationSettings, kind: Kind, capabilities: &Capabilities) -> bool {
    let notify = match kind {
        Kind::Call => settings.calls.as_ref().map(|calls| calls.notify),
        Kind::Chat => settings.chats.as_ref().map(|chats| chats.notify),
        Kind::Request => settings.requests.as_ref().map(|requests| requests.notify),
    };
    let by_crm = capabilities.step(StepKind::Notify).is_some();
    settings.notices.is_some() && notify == Some(true) && !by_crm
}

/// Decides who is told of what a work made, and what; empty = nothing is to be told, or not yet. The
/// same values give the same notices.
pub fn notices(made: &Made<'_>) -> Option<(Vec<OutsideNotice>, News)> {
    let settings = made.settings.notices.as_ref()?;
    if !tells(made.settings, made.kind, made.capabilities) {
        return None;
    }
    let (step, card, made_at) = foremost(made)?;
    let responsible = responsible_of(&step.effect);
    let useful = Duration::from_secs(u64::from(settings.useful_minutes) * 60);
    let useful_until = made_at.plus(useful);
    let state = match useful_until > made.now {
        true => PassingState::Sent { at: made.now },
        false => PassingState::Expired {
            at: made.now,
            sent: false,
        },
    };
    let notice = |role: &str, way: NoticeWay, mut reasons: Vec<NoticeReason>| {
        let entity = card.entity;
        reasons.insert(0, NoticeReason::RecordMade { entity });
        let state = match &way {
            NoticeWay::Email { to } if to.is_empty() => PassingState::NotSent { at: made.now },
            NoticeWay::Email { .. } | NoticeWay::Webhook { .. } => state.clone(),
        };
        OutsideNotice {
            role: Role::new(role),
            card: card.clone(),
            way,
            useful_until,
            settings: made.settings_revision,
            state,
            reasons,
        }
    };
    let is_new = |role: &str| {
        let mut known = made.ledger.notices.iter();
        !known.any(|one| one.role.0 == role)
    };
    let mut notices = Vec::new();
    if settings.has_email() && is_new(BY_EMAIL) {
        let (to, reasons) = recipients(made, settings, responsible);
        notices.push(notice(BY_EMAIL, NoticeWay::Email { to }, reasons));
    }
    if let Some(name) = settings.webhook.clone().filter(|_| is_new(BY_WEBHOOK)) {
        let reasons = vec![NoticeReason::ToWebhook { name: name.clone() }];
        notices.push(notice(BY_WEBHOOK, NoticeWay::Webhook { name }, reasons));
    }
    let news = news(made, step, card);
    (!notices.is_empty()).then_some((notices, news))
}

/// Returns what a notice tells that was decided before; `None` where the ledger does not have its
/// record any more.
pub fn news_of(made: &Made<'_>, notice: &OutsideNotice) -> Option<News> {
    let step = made.ledger.steps.iter().find(|step| match &step.state {
        StepState::Done { result, .. } => result.cards.contains(&notice.card),
        _ => false,
    })?;
    Some(news(made, step, notice.card.clone()))
}

fn news(made: &Made<'_>, step: &LedgerStep, card: Card) -> News {
    News {
        kind: made.kind,
        name: name_of(&step.effect).to_owned(),
        responsible: responsible_of(&step.effect).map(|user| user_name(made, user)),
        card,
    }
}

/// Returns the foremost record that the work made, once it is known which one that is.
fn foremost<'a>(made: &Made<'a>) -> Option<(&'a LedgerStep, Card, Timestamp)> {
    let order = [
        Entity::Deal,
        Entity::Lead,
        Entity::Contact,
        Entity::Unsorted,
    ];
    for entity in order {
        let mut steps = made.ledger.steps.iter();
        let mine =
            |step: &&LedgerStep| step.work == made.work && makes(&step.effect) == Some(entity);
        let Some(step) = steps.find(mine) else {
            continue;
        };
        match &step.state {
            StepState::Done { at, result } => {
                // In a mode without leads the CRM makes something else of one.
                let card = result.card(entity).or(result.cards.first());
                return card.map(|card| (step, card.clone(), *at));
            }
            // It may come yet.
            StepState::Pending | StepState::InFlight { .. } | StepState::Waiting { .. } => {
                return None;
            }
            StepState::Dead { .. } | StepState::Dropped { .. } | StepState::Expired { .. } => {}
        }
    }
    None
}

fn makes(effect: &Effect) -> Option<Entity> {
    match effect {
        Effect::CreateDeal(_) => Some(Entity::Deal),
        Effect::CreateLead(_) => Some(Entity::Lead),
        Effect::CreateContact(_) => Some(Entity::Contact),
        Effect::CreateUnsorted(_) => Some(Entity::Unsorted),
        Effect::RecordCall(_)
        | Effect::CreateTask(_)
        | Effect::FillFields(_)
        | Effect::LinkRecording(_)
        | Effect::AddNote(_)
        | Effect::HandOver(_)
        | Effect::AwaitContact(_)
        | Effect::Notify(_) => None,
    }
}

fn name_of(effect: &Effect) -> &str {
    match effect {
        Effect::CreateDeal(deal) => &deal.name,
        Effect::CreateLead(lead) => &lead.name,
        Effect::CreateContact(contact) => &contact.name,
        Effect::CreateUnsorted(unsorted) => &unsorted.deal_name,
        _ => "",
    }
}

fn responsible_of(effect: &Effect) -> Option<&CrmUserId> {
    match effect {
        Effect::CreateDeal(deal) => deal.responsible.as_ref(),
        Effect::CreateLead(lead) => lead.responsible.as_ref(),
        Effect::CreateContact(contact) => contact.responsible.as_ref(),
        _ => None,
    }
}

/// Returns the addresses that are written to, and why these.
fn recipients(
    made: &Made<'_>,
    settings: &NoticeSettings,
    responsible: Option<&CrmUserId>,
) -> (Vec<String>, Vec<NoticeReason>) {
    let mut to = Vec::new();
    let mut reasons = Vec::new();
    match responsible.filter(|_| settings.to_responsible) {
        Some(user) => {
            let employee = made.employees.by_user(made.account, user);
            let own = employee.and_then(|employee| employee.email.clone());
            let of_crm = || (made.of_user)(user).and_then(|known| known.email);
            let from_crm = own.is_none();
            let address = own.or_else(of_crm).filter(|text| is_address(text));
            let user = user_name(made, user);
            reasons.push(match address {
                Some(address) => {
                    to.push(address.trim().to_owned());
                    NoticeReason::ToResponsible { user, from_crm }
                }
                None => NoticeReason::NoAddress { user },
            });
        }
        None if settings.to_responsible => reasons.push(NoticeReason::NobodyAnswers),
        None => {}
    }
    if !settings.to.is_empty() {
        reasons.push(NoticeReason::ToAddresses);
    }
    for address in &settings.to {
        let address = address.trim();
        if !to.iter().any(|one| one.eq_ignore_ascii_case(address)) {
            to.push(address.to_owned());
        }
    }
    (to, reasons)
}

fn user_name(made: &Made<'_>, user: &CrmUserId) -> UserName {
    let employee = made.employees.by_user(made.account, user);
    let name = employee.map(|employee| employee.name.clone());
    UserName {
        id: user.clone(),
        name: name.or_else(|| (made.of_user)(user).map(|known| known.name)),
    }
}

/// Says whether a text can be an e-mail address. What the mail server thinks of it shows later.
fn is_address(text: &str) -> bool {
    let text = text.trim();
    let plain = |part: &str| {
        !part.is_empty()
            && !part
                .contains(|c: char| c.is_whitespace() || c.is_control() || "@<>,;\"".contains(c))
    };
    let parts = text.split_once('@');
    text.chars().count() <= ADDRESS_CHARS_MAX
        && parts.is_some_and(|(who, host)| plain(who) && plain(host) && !host.starts_with('.'))
}

/// Names every mistake of the settings that the types do not exclude by themselves.
pub(super) fn mistakes(settings: &IntegrationSettings, found: &mut Vec<Mistake>) {
    let Some(notices) = &settings.notices else {
        return;
    };
    let switches = [
        settings.calls.as_ref().map(|calls| calls.notify),
        settings.chats.as_ref().map(|chats| chats.notify),
        settings.requests.as_ref().map(|requests| requests.notify),
    ];
    if !switches.contains(&Some(true)) {
        found.push(Mistake::at(
            "notices",
            "nothing is told of: switch notify of calls, requests or chats on",
        ));
    }
    if !notices.has_email() && notices.webhook.is_none() {
        found.push(Mistake::at(
            "notices",
            "nobody is told: choose to_responsible, to or webhook",
        ));
    }
    if notices.to.len() > ADDRESSES_MAX {
        let message = format!("name at most {ADDRESSES_MAX} addresses");
        found.push(Mistake::at("notices.to", message));
    }
    for (position, address) in notices.to.iter().enumerate() {
        let path = format!("notices.to.{position}");
        let mut above = notices.to.iter().take(position);
        if !is_address(address) {
            let message =
                format!("{address:?} is no e-mail address: write it like \"sales@example.com\"");
            found.push(Mistake::at(&path, message));
        } else if above.any(|one| one.eq_ignore_ascii_case(address)) {
            let message = format!("{address} stands here twice: take one out");
            found.push(Mistake::at(&path, message));
        }
    }
    if !(1..=USEFUL_MINUTES_MAX).contains(&notices.useful_minutes) {
        let message = format!("choose 1 to {USEFUL_MINUTES_MAX} minutes");
        found.push(Mistake::at("notices.useful_minutes", message));
    }
}

#[cfg(test)]
mod tests;
