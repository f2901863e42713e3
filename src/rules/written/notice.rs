//! Who answers for a new record is told of it (S3-17): once, and of what is made only, never of
//! what is written later (V-16).

use crate::model::communication::Kind;
use crate::model::explanation::Reason;
use crate::model::plan::{Effect, Entity, Notice};

use super::entities::{CONTACT, DEAL, LEAD};
use super::texts::NAME_CHARS_MAX;
use super::{Written, people};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::template::one_line;

/// The role of the notice.
const NOTICE: &str = "notice";

/// Plans the notice about the foremost record that this decision makes. Of an unsorted record none
/// is told: nobody answers for it yet.
pub(in crate::rules) fn plan<W: Written>(what: &W, draft: &mut Draft<'_>) {
    let makers = [
        (DEAL, Entity::Deal),
        (LEAD, Entity::Lead),
        (CONTACT, Entity::Contact),
    ];
    let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.plans(role)) else {
        return;
    };
    let (Some(user), Some(name)) = (draft.responsible_of(role).cloned(), draft.name_of(role))
    else {
        return;
    };
    let (new, of) = (new(entity), of(W::KIND));
    let notice = Notice {
        user: user.clone(),
        text: format!("{new} ({of}): {}", one_line(name, NAME_CHARS_MAX)),
        card: made(role, entity),
    };
    if draft.wish(NOTICE, Effect::Notify(notice)) == Wish::Planned {
        let user = people::user_name(what.situation(), &user);
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
