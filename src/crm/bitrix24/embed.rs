//! What the portal is told about addresses of ours: where it says that the application was taken out
//! (`crm/bitrix24.md` §3), and the workplace in its menu (§12, S0-25). The workplace's own page is
//! framed by one of ours, for the portal hands every page the user's tokens.
//!
//! Installing or updating the application forgets both, so that they are looked at after every start
//! and once a day.

use serde_json::{Value, json};

use super::BitrixAdapter;
use super::command::Command;
use super::pool::{Bundle, Reply, Unanswered};
use super::refusal::Sort;
use super::wire::list;
use crate::crm::account::classify::Purpose;
use crate::crm::{Class, Outside};

/// Told when the application is taken out.
const REMOVAL: &str = "ONAPPUNINSTALL";

/// Where in the portal the workplace is: an entry of its menu.
const PLACEMENT: &str = "LEFT_MENU";

impl BitrixAdapter {
    /// Binds what is missing and takes back what is not wanted any more.
    pub(super) async fn embed(&self, outside: &Outside) -> Result<(), Unanswered> {
        // A portal that is only observed is not changed, and a webhook binds nothing (§0.1).
        if !self.client.auth().is_application() || self.client.is_observed() {
            return Ok(());
        }
        let class = Class::Background;
        let asked = vec![
            Command::new("event.get", json!({})),
            Command::new("placement.get", json!({})),
        ];
        let mut replies = self.client.read_all("bound", asked, class).await?;
        let places = replies.pop();
        let events = match replies.pop() {
            Some(Ok(answered)) => handlers(&answered.value, "event", REMOVAL),
            Some(Err(refusal)) => return Err(refusal.unanswered(Purpose::Read)),
            None => return Err(Unanswered::unreadable("bound")),
        };
        let mut commands = Vec::new();
        let removals = &outside.installations;
        if !events.iter().any(|known| known == removals) {
            let params = json!({ "event": REMOVAL, "handler": removals });
            commands.push(Command::new("event.bind", params));
        }
        for stale in events.iter().filter(|known| is_older(known, removals)) {
            let params = json!({ "event": REMOVAL, "handler": stale });
            commands.push(Command::new("event.unbind", params));
        }
        let wanted = self.has_workplace.then_some(&outside.workplace);
        match places {
            Some(Ok(answered)) => {
                let bound = handlers(&answered.value, "placement", PLACEMENT);
                commands.extend(placements(&bound, &outside.workplace, wanted));
            }
            // Without the scope nothing is there to be taken back.
            Some(Err(refusal)) if wanted.is_none() && refusal.sort() == Sort::Final => {}
            Some(Err(refusal)) => return Err(refusal.unanswered(Purpose::Read)),
            None => return Err(Unanswered::unreadable("bound")),
        }
        if commands.is_empty() {
            return Ok(());
        }
        let bundle = Bundle {
            name: "bind addresses".to_owned(),
            commands,
            purpose: Purpose::Write,
            class,
        };
        let replies = self.client.ask(bundle).await?;
        replies.into_iter().try_for_each(taken)
    }
}

/// Returns what changes the placements from what is bound to what is wanted.
fn placements(bound: &[String], ours: &str, wanted: Option<&String>) -> Vec<Command> {
    let unbound = bound.iter().filter(|known| {
        let is_ours = *known == ours || is_older(known, ours);
        is_ours && wanted != Some(*known)
    });
    let mut commands: Vec<Command> = unbound
        .map(|known| {
            let params = json!({ "PLACEMENT": PLACEMENT, "HANDLER": known });
            Command::new("placement.unbind", params)
        })
        .collect();
    if let Some(wanted) = wanted.filter(|wanted| !bound.contains(wanted)) {
        let params = json!({
            "PLACEMENT": PLACEMENT, "HANDLER": wanted, "TITLE": "Рабочее место",
            "LANG_ALL": {
                "ru": { "TITLE": "Рабочее место" }, "en": { "TITLE": "Workplace" },
            },
        });
        commands.push(Command::new("placement.bind", params));
    }
    commands
}

/// Says whether an address is the same one of ours under another `public_url`.
fn is_older(known: &str, ours: &str) -> bool {
    // Scheme, host and what a proxy puts before may change; the three last parts never do.
    let tail = |address: &str| -> Vec<String> {
        let parts: Vec<&str> = address.rsplit('/').take(3).collect();
        parts.into_iter().map(str::to_owned).collect()
    };
    known != ours && tail(known) == tail(ours)
}

/// Returns the addresses that are bound to an event or place.
fn handlers(value: &Value, key: &str, name: &str) -> Vec<String> {
    let rows = list(value, key).unwrap_or_default();
    let rows = rows.into_iter().filter(|row| {
        let bound = row.text(key);
        bound.is_some_and(|bound| bound.eq_ignore_ascii_case(name))
    });
    rows.filter_map(|row| row.text("handler")).collect()
}

fn taken(reply: Reply) -> Result<(), Unanswered> {
    match reply {
        Ok(_) => Ok(()),
        // Bound after all (§9).
        Err(refusal) if refusal.says("already binded") => Ok(()),
        Err(refusal) => Err(refusal.unanswered(Purpose::Write)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://box.example/workplace/acme/main";

    fn changes(bound: &[&str], wanted: bool) -> Vec<(&'static str, Value)> {
        let bound: Vec<String> = bound.iter().map(|one| (*one).to_owned()).collect();
        let ours = OURS.to_owned();
        let commands = placements(&bound, OURS, wanted.then_some(&ours));
        commands
            .into_iter()
            .map(|one| (one.method, one.params["HANDLER"].clone()))
            .collect()
    }

    #[test]
    fn s0_25_the_workplace_is_bound_once_and_taken_back_and_others_stay() {
        let older = "https://old.example/x/workplace/acme/main";
        let foreign = "https://box.example/workplace/acme/other";
        assert_eq!(changes(&[], true), [("placement.bind", json!(OURS))]);
        assert_eq!(changes(&[OURS, foreign], true), []);
        assert_eq!(
            changes(&[older], true),
            [
                ("placement.unbind", json!(older)),
                ("placement.bind", json!(OURS))
            ]
        );
        assert_eq!(
            changes(&[OURS, foreign], false),
            [("placement.unbind", json!(OURS))]
        );
        assert_eq!(changes(&[], false), []);
    }
}
