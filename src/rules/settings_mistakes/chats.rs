//! What can be wrong with the settings of chats.

use super::written;
use crate::model::mistake::Mistake;
use crate::rules::settings::{
    Assign, ChatMoment, ChatParameter, ChatSettings, Parameter, Transcript, TranscriptCard,
};
use crate::rules::variables::OF_CHATS;

/// Names every mistake.
pub(super) fn check(chats: &ChatSettings, found: &mut Vec<Mistake>) {
    written::check("chats", &chats.choices(), &OF_CHATS, found);
    if let Some(filter) = chats
        .filter
        .as_ref()
        .filter(|_| chats.at == ChatMoment::Start)
    {
        filter.refuse("chats.filter", &not_at_start, found);
    }
    let rules = chats.responsible.iter().enumerate();
    let rules = rules.map(|(at, rule)| (format!("responsible.{at}.assign"), &rule.assign));
    let assigned = chats.choices().assigned().into_iter();
    let assigned = assigned.map(|(key, assign)| (key.to_owned(), assign));
    for (path, assign) in rules.chain(assigned) {
        let message = match assign {
            Assign::Caller {} => "in a chat nobody calls: talker is who took it",
            Assign::Talker {} if chats.at == ChatMoment::Start => {
                "at the start nobody took the chat: have records made when it is accepted"
            }
            _ => continue,
        };
        let path = format!("chats.{path}.kind");
        found.push(Mistake::at(&path, message));
    }
    let place = chats.transcript_to;
    if place.closed && place.prefer == TranscriptCard::Client {
        let message = "closed cards are leads and deals: choose in prefer which";
        found.push(Mistake::at("chats.transcript_to.closed", message));
    }
    if chats.transcript == Transcript::Live && chats.at == ChatMoment::End {
        let message = "with records made at the end there is no card to write on before: choose \
                       another moment (chats.at), or the transcript at the end";
        found.push(Mistake::at("chats.transcript", message));
    }
}

/// Who takes a chat and how it is marked shows later: at its start nothing would ever pass.
fn not_at_start(parameter: ChatParameter) -> Option<String> {
    let word = parameter.word();
    let later = matches!(parameter, ChatParameter::Employee | ChatParameter::Tag);
    later.then(|| format!("at the start a chat has no {word}: take the condition out (V-08)"))
}
