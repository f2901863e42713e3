//! Who answers for a new record is told of it (S3-17): once, and of what is made only, never of
//! what is written later (V-16).

use crate::model::communication::Kind;
use crate::model::explanation::Reason;
use crate::model::plan::{Effect, Entity, Notice};

use super::entities::{CONTACT, DEAL, LEAD, UNSORTED};
use super::people;
use super::texts::NAME_CHARS_MAX;
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::outside;
use crate::rules::situation::Situation;
use crate::rules::template::one_line;

/// The role of the notice.
const NOTICE: &str = "notice";

/// Plans the notice about the foremost record that this decision makes, or says that it goes past the
/// CRM. Of an unsorted record the CRM tells nobody: nobody answers for it yet.
pub(in crate::rules) fn plan(situation: &Situation<'_>, kind: Kind, draft: &mut Draft<'_>) {
    let makers = [
        (DEAL, Entity::Deal),
        (LEAD, Entity::Lead),
        (CONTACT, Entity::Contact),
    ];
    let found = makers.into_iter().find(|(role, _)| draft.plans(role));
    if outside::tells(situation.settings, kind, situation.capabilities) {
        let unsorted = || {
            draft
                .plans(UNSORTED)
                .then_some((UNSORTED, Entity::Unsorted))
        };
        if let Some((role, card)) = found.or_else(unsorted)
            && !draft.awaits(role)
        {
            draft.explain(Reason::ToldOutside { card });
        }
        return;
    }
    let Some((role, entity)) = found else {
        return;
    };
    let (Some(user), Some(name)) = (draft.responsible_of(role).cloned(), draft.name_of(role))
    else {
        return;
    };
    let (new, of) = (new(entity), of(kind));
    let notice = Notice {
        user: user.clone(),
        text: format!("{new} ({of}): {}", one_line(name, NAME_CHARS_MAX)),
        card: made(role, entity),
    };
    if draft.wish(NOTICE, Effect::Notify(notice)) == Wish::Planned {
        let user = people::user_name(situation, &user);
        draft.explain(Reason::ResponsibleTold { user, card: entity });
    }
}

fn new(entity: Entity) -> &'static str {
    match entity {
        Entity::Deal => "Новая сделка",
        Entity::Lead => "Новый лид",
        _ => "Новый контакт",
    }
}

fn of(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "звонок",
        Kind::Chat => "чат",
        Kind::Request => "заявка с сайта",
    }
}
