//! Clicks on numbers in the portal, and its callback forms (`crm/bitrix24.md` §4, telephony events).
//!
//! They wait in the portal's queue of offline events, so that the box need not be reachable. Where it is,
//! the portal knocks at our hook, of which nothing is believed: it only has the queue asked at once.
//!
//! The portal registers the call of a click by itself. Its id is part of the click's name, the name
//! becomes the call's own, and so the end of the call finds the entry without anything being kept. Which
//! clicks were taken stands in the vault before any of them is told: none is dialled twice.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::BitrixAdapter;
use super::command::Command;
use super::pool::{Bundle, Unanswered};
use super::refusal::Sort;
use super::wire::{Record, list};
use crate::crm::account::classify::Purpose;
use crate::crm::{Class, Click, Clicks, HookAddress};
use crate::model::call_order::CRM_CLICK;
use crate::model::ids::CrmUserId;
use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;

/// What tells of a click, and of a callback form.
const START: &str = "ONEXTERNALCALLSTART";
const CALLBACK: &str = "ONEXTERNALCALLBACKSTART";
const EVENTS: [&str; 2] = [START, CALLBACK];

/// Clicks of one answer: what is left comes next.
const GET_MAX: usize = 50;

/// How the names of calls begin that the portal registers (§8).
const ENTRY: &str = "externalCall";

/// How the second part of a callback's name begins.
const FORM: &str = "form";

/// Returns the entry of the portal that a click opened, from the name of its order.
pub(super) fn entry_of(order: &str) -> Option<String> {
    let (epoch, own) = order.strip_prefix(CRM_CLICK)?.split_once('.')?;
    (is_epoch(epoch) && is_own(own)).then(|| format!("{ENTRY}.{own}.{epoch}"))
}

/// Says whether an order of this name came of a callback form.
pub(super) fn is_callback(order: &str) -> bool {
    let parts = order
        .strip_prefix(CRM_CLICK)
        .and_then(|name| name.split_once('.'));
    parts.is_some_and(|(epoch, own)| is_epoch(epoch) && own.starts_with(FORM))
}

/// Names a click by the call that the portal registered: `externalCall.716f….1790000001`.
fn name_of(call_id: &str) -> Option<String> {
    let (own, epoch) = call_id
        .strip_prefix(ENTRY)?
        .strip_prefix('.')?
        .split_once('.')?;
    (is_epoch(epoch) && is_own(own)).then(|| format!("{epoch}.{own}"))
}

fn is_epoch(text: &str) -> bool {
    (9..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hexadecimal, as long as a digest at the most: no name of a form begins so.
fn is_own(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Says whether an event tells of a click.
pub(super) fn is_click(event: &str) -> bool {
    EVENTS.contains(&event.to_ascii_uppercase().as_str())
}

/// Reads a click; `None` for what is none, or has no sense.
pub(super) fn click(row: Record<'_>, not_before: Timestamp, now: Timestamp) -> Option<Click> {
    let event = row.text("EVENT_NAME")?.to_ascii_uppercase();
    let data = Record(row.0.get("EVENT_DATA")?);
    let told_at = row.time("TIMESTAMP_X").unwrap_or(now);
    let (name, user) = match event.as_str() {
        START => (
            name_of(&data.text("CALL_ID")?)?,
            Some(CrmUserId(data.text("USER_ID")?)),
        ),
        CALLBACK => {
            let number = row.id()?;
            (format!("{}.{FORM}{number}", told_at.as_secs()), None)
        }
        _ => return None,
    };
    Some(Click {
        name,
        user,
        phone: data
            .text("PHONE_NUMBER_INTERNATIONAL")
            .or_else(|| data.text("PHONE_NUMBER"))?,
        // Clocks differ: what was not there when we asked last is younger than that.
        at: told_at.max(not_before).min(now),
    })
}

impl Clicks for BitrixAdapter {
    fn clicks(&self) -> BoxFuture<'_, Outcome<Vec<Click>>> {
        async move { outcome(self.new_clicks().await) }.boxed()
    }

    fn give_up(&self, click: Click, why: String) -> BoxFuture<'_, Outcome<()>> {
        async move { outcome(self.end_click(&click, &why).await) }.boxed()
    }

    fn subscribe(&self, hook: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        async move { outcome(self.have_clicks_told(&hook).await) }.boxed()
    }
}

fn outcome<T>(result: Result<T, Unanswered>) -> Outcome<T> {
    match result {
        Ok(result) => Outcome::Done(result),
        Err(unanswered) => unanswered.into_outcome(),
    }
}

impl BitrixAdapter {
    async fn new_clicks(&self) -> Result<Vec<Click>, Unanswered> {
        let Some(reserves) = self.clicks_wait().await? else {
            return Ok(Vec::new());
        };
        let asked_at = self.clock.now();
        let not_before = self.events.clicks().asked_at.unwrap_or_default();
        let cleared: Vec<String> = std::mem::take(&mut self.events.clicks().cleared);
        let clear = |process: &String| {
            Command::new("event.offline.clear", json!({ "process_id": process }))
        };
        let mut commands: Vec<Command> = cleared.iter().map(clear).collect();
        let of_clear = commands.len();
        commands.extend(EVENTS.map(|event| {
            // Reserved until they stand in our vault, where the portal's plan has that.
            let params = json!({
                "clear": u8::from(!reserves), "limit": GET_MAX, "filter": { "EVENT_NAME": event },
            });
            Command::new("event.offline.get", params)
        }));
        let bundle = Bundle {
            name: "clicks".to_owned(),
            commands,
            purpose: Purpose::Read,
            // Together with whatever else is sent: alone only where nothing is.
            class: Class::Work,
        };
        let replies = self.client.ask(bundle).await?;
        let mut found = Vec::new();
        let mut processes = Vec::new();
        for reply in replies.into_iter().skip(of_clear) {
            let answered = match reply {
                Ok(answered) => answered,
                Err(refusal) => {
                    if refusal.sort() == Sort::Final {
                        // The plan, or the rights, were changed: looked at again next time.
                        self.events.clicks().told = None;
                    }
                    return Err(refusal.unanswered(Purpose::Read));
                }
            };
            let events = answered.value.get("events").unwrap_or(&Value::Null);
            let rows = list(events, "").unwrap_or_default();
            let named = |row: &Record<'_>| row.text("EVENT_NAME").unwrap_or_default();
            if !rows.is_empty() && rows.iter().all(|row| is_click(&named(row))) {
                processes.extend(Record(&answered.value).text("process_id"));
            } else if !rows.is_empty() {
                // A portal that ignores the filter: what is the directory's it finds by looking at
                // everything that waits.
                self.events.look_at_everything();
            }
            found.extend(
                rows.into_iter()
                    .filter_map(|row| click(row, not_before, asked_at)),
            );
        }
        found.append(&mut self.events.clicks().handed);
        let fresh = match self.setup.take_clicks(&found).await {
            Ok(fresh) => fresh,
            Err(failed) => {
                self.events.clicks().handed = found;
                return Err(failed);
            }
        };
        let mut known = self.events.clicks();
        known.asked_at = Some(asked_at);
        known.cleared = processes;
        Ok(fresh)
    }

    /// Makes sure that clicks wait for us, where they can: whether they are kept while they are read.
    async fn clicks_wait(&self) -> Result<Option<bool>, Unanswered> {
        if !self.client.auth().is_application() || self.client.is_observed() {
            return Ok(None);
        }
        if let Some(told) = self.events.clicks().told {
            return Ok(told);
        }
        let asked = vec![
            Command::new("feature.get", json!({ "CODE": "rest_offline_extended" })),
            Command::new("event.get", json!({})),
        ];
        let replies = self
            .client
            .read_all("click events", asked, Class::Work)
            .await?;
        let mut replies = replies.into_iter();
        let reserves = match replies.next() {
            Some(Ok(answered)) => Record(&answered.value).flag("value"),
            Some(Err(refusal)) if refusal.sort() == Sort::Final => false,
            Some(Err(refusal)) => return Err(refusal.unanswered(Purpose::Read)),
            None => return Err(Unanswered::unreadable("no answer")),
        };
        let bound = match replies.next() {
            Some(Ok(answered)) => super::events::bound(&answered.value),
            Some(Err(refusal)) => return Err(refusal.unanswered(Purpose::Read)),
            None => return Err(Unanswered::unreadable("no answer")),
        };
        let missing = EVENTS
            .into_iter()
            .filter(|event| !bound.iter().any(|one| one == event));
        let commands = missing.map(|event| {
            let params = json!({ "event": event, "event_type": "offline" });
            Command::new("event.bind", params)
        });
        self.bind("bind clicks", commands.collect()).await?;
        self.events.clicks().told = Some(Some(reserves));
        Ok(Some(reserves))
    }

    async fn bind(&self, name: &str, commands: Vec<Command>) -> Result<(), Unanswered> {
        let bundle = Bundle {
            name: name.to_owned(),
            commands,
            purpose: Purpose::Write,
            class: Class::Work,
        };
        for reply in self.client.ask(bundle).await? {
            match reply {
                Ok(_) => {}
                // Bound after all (§9).
                Err(refusal) if refusal.says("already binded") => {}
                Err(refusal) => return Err(refusal.unanswered(Purpose::Write)),
            }
        }
        Ok(())
    }

    /// Ends the call that the portal registered, so that its card goes.
    async fn end_click(&self, click: &Click, why: &str) -> Result<(), Unanswered> {
        let Some(entry) = entry_of(&format!("{CRM_CLICK}{}", click.name)) else {
            return Ok(());
        };
        let user = super::map::user(click.user.as_ref()).map_err(Unanswered::Refused)?;
        let params = json!({
            "CALL_ID": entry, "USER_ID": user, "DURATION": 0, "STATUS_CODE": "503",
            "FAILED_REASON": super::text::bb(why), "ADD_TO_CHAT": 0,
        });
        let bundle = Bundle {
            name: format!("end {entry}"),
            commands: vec![Command::new("telephony.externalCall.finish", params)],
            purpose: Purpose::Write,
            class: Class::Work,
        };
        match self.client.ask(bundle).await?.into_iter().next() {
            // Somebody has ended it already.
            Some(Err(refusal)) if refusal.says("Call is not found (") => Ok(()),
            Some(Err(refusal)) => Err(refusal.unanswered(Purpose::Write)),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Has the portal knock at our address when somebody clicks; addresses of ours with an older
    /// secret are given up.
    async fn have_clicks_told(&self, hook: &HookAddress) -> Result<(), Unanswered> {
        if !self.client.auth().is_application() || self.client.is_observed() {
            return Ok(());
        }
        let asked = Command::new("event.get", json!({}));
        let answered = self.client.read("events", asked, Class::Work).await?;
        let rows = list(&answered.value, "events").unwrap_or_default();
        let mut commands = Vec::new();
        for event in EVENTS {
            let of_event = |row: &&Record<'_>| {
                row.text("event")
                    .is_some_and(|one| one.eq_ignore_ascii_case(event))
            };
            let handlers: Vec<String> = rows
                .iter()
                .filter(of_event)
                .filter_map(|row| row.text("handler"))
                .collect();
            for old in handlers.iter().filter(|one| one.starts_with(&hook.place)) {
                if old != hook.address.expose() {
                    let params = json!({ "event": event, "handler": old });
                    commands.push(Command::new("event.unbind", params));
                }
            }
            if !handlers.iter().any(|one| one == hook.address.expose()) {
                let params = json!({ "event": event, "handler": hook.address.expose() });
                commands.push(Command::new("event.bind", params));
            }
        }
        self.bind("bind handlers", commands).await
    }
}

/// How long the names of clicks that were taken are kept: the portal may tell of one again for as long
/// as it keeps what was reserved (§4), but an old one is dialled no more.
pub(super) const TAKEN_FOR: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_click_leads_back_to_its_entry() {
        let entry = "externalCall.716f1cc568716f1cc568716f1cc568aa.1790000001";
        let name = name_of(entry).expect("an entry of the portal");
        assert_eq!(name, "1790000001.716f1cc568716f1cc568716f1cc568aa");
        let order = format!("{CRM_CLICK}{name}");
        assert_eq!(entry_of(&order).as_deref(), Some(entry));
        assert!(!is_callback(&order));
        let form = "crm-1790000001.form901";
        assert!(is_callback(form));
        for other in [
            "c2c-1790000001.12",
            "crm-x.12",
            "crm-1790000001.",
            form,
            "crm-1.z",
        ] {
            assert_eq!(entry_of(other), None, "{other}");
        }
        for bad in [
            "externalCall.716f",
            "716f.1790000001",
            "externalCall.71/../6f.1790000001",
        ] {
            assert_eq!(name_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_click_is_as_old_as_the_portal_says_unless_we_asked_since() {
        let row = json!({
            "ID": "902", "EVENT_NAME": "OnExternalCallStart",
            "TIMESTAMP_X": "2026-11-20T12:00:00+03:00",
            "EVENT_DATA": {
                "PHONE_NUMBER": "8 916 123-45-67", "USER_ID": "12",
                "CALL_ID": "externalCall.9c.1790000002",
            },
        });
        let time = |text| Timestamp::parse(text).expect("a time");
        let now = time("2026-11-20T09:05:00Z");
        let old = click(Record(&row), Timestamp::default(), now).expect("a click");
        assert_eq!(old.at, time("2026-11-20T09:00:00Z"));
        let asked = time("2026-11-20T09:04:57Z");
        let young = click(Record(&row), asked, now).expect("a click");
        assert_eq!((young.at, young.name.as_str()), (asked, "1790000002.9c"));
        assert_eq!(young.user, Some(CrmUserId("12".to_owned())));
        assert_eq!(
            click(
                Record(&json!({"EVENT_NAME": "ONCRMLEADDELETE"})),
                asked,
                now
            ),
            None
        );
    }
}
