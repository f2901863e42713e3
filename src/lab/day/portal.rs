//! The simulated Bitrix24 as a day sees it. One day's calls feed it beside the other CRM; what
//! that makes of them there is written by hand in a file of its own, the *half* of a day.
//!
//! Seen through the same [`Holding`], so that one comparison serves both:
//!
//! | of the portal | in the holding |
//! | --- | --- |
//! | contact | contact; there are no tags |
//! | deal | deal: `pipeline` is the funnel, `stage` the number of its row in `crm.status.list` |
//! | lead | unsorted record of the category `lead`; converted = accepted, junk = declined |
//! | finished call | entry of the call history, on the card that it was registered for |
//! | thing to do, task | task |

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::comparison::{Comparison, Seen, compare};
use super::expectation::{
    CallCard, CallDirection, CallResult, ClientExpectation, Totals, UnsortedState,
    WaitingExpectation,
};
use super::holding::{
    Held, HeldCall, HeldContact, HeldDeal, HeldNote, HeldTask, HeldUnsorted, Holding,
};
use super::script::{Day, DayError, Seed, last_ten};
use crate::lab::bitrix24::{
    ActivityView, BitrixHandle, CallView, CardView, CommentView, Kind, Oracle, SeedCard, SeedDeal,
};
use crate::lab::fault::{Fault, Rule, RuleRefused, When};

/// What a day expects of a second CRM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Half {
    /// What the CRM holds before the day begins.
    #[serde(default, rename = "seed")]
    pub seeds: Vec<Seed>,
    /// What it must hold about each client in the end.
    #[serde(default, rename = "client")]
    pub clients: Vec<ClientExpectation>,
    /// How much it must hold in all, seeds included.
    pub totals: Totals,
    /// Integrations whose CRM does not answer, and how much must wait for it.
    #[serde(default)]
    pub waiting: Vec<WaitingExpectation>,
}

impl Half {
    /// Reads a half.
    ///
    /// # Errors
    /// Names the first mistake.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        let half: Self = toml::from_str(text)?;
        let mut numbers = BTreeSet::new();
        for client in &half.clients {
            if !numbers.insert(last_ten(&client.phone)) {
                let text = format!("client {} stands twice", client.phone);
                return Err(DayError::Contradiction(text));
            }
        }
        Ok(half)
    }

    /// Returns the day with this half in the place of its own: the same calls, other
    /// expectations.
    pub fn of(&self, day: &Day) -> Day {
        let half = self.clone();
        Day {
            seeds: half.seeds,
            clients: half.clients,
            totals: half.totals,
            waiting: half.waiting,
            ..day.clone()
        }
    }
}

/// A portal that a day's calls feed.
#[derive(Debug, Clone)]
pub struct Portal {
    /// The portal.
    pub handle: BitrixHandle,
    /// What it must hold in the end.
    pub half: Half,
    /// What was in it before.
    pub seeded: Seeded,
}

/// What became of a portal.
#[derive(Debug, Clone)]
pub struct PortalOutcome {
    /// The day with the portal's half: what its table and its summary are made of.
    pub day: Day,
    /// What the portal holds.
    pub holding: Holding,
    /// What else was seen.
    pub seen: Seen,
    /// The comparison.
    pub comparison: Comparison,
}

impl Portal {
    /// Puts the seeds of a half into a portal.
    ///
    /// # Errors
    /// Fails where a seed names a stage that is none of its funnel.
    pub fn seeded(handle: BitrixHandle, half: Half) -> Result<Self, DayError> {
        let seeded = seed(&handle, &half.seeds)?;
        Ok(Self {
            handle,
            half,
            seeded,
        })
    }

    /// Compares what the portal holds after a day; `seen` is what the runner saw of all CRMs.
    pub fn outcome(&self, day: &Day, seen: &Seen) -> PortalOutcome {
        let counters = self.handle.counters();
        let seen = Seen {
            rate_violations: counters.rate_violations + counters.operating_violations,
            ..seen.clone()
        };
        let day = self.half.of(day);
        let holding = holding(&self.handle, &self.seeded);
        let comparison = compare(&day, &holding, &seen);
        PortalOutcome {
            day,
            holding,
            seen,
            comparison,
        }
    }
}

/// Ids of what was in the portal before the day.
#[derive(Debug, Clone, Default)]
pub struct Seeded {
    contacts: BTreeSet<u64>,
    deals: BTreeSet<u64>,
}

/// Puts seeds into the portal.
///
/// # Errors
/// Fails where a seed names a stage that is none of its funnel.
pub fn seed(portal: &BitrixHandle, seeds: &[Seed]) -> Result<Seeded, DayError> {
    let mut seeded = Seeded::default();
    for seed in seeds {
        let card = SeedCard::new(&seed.name, &seed.phone, seed.responsible);
        let contact = portal.add_contact(&card);
        seeded.contacts.insert(contact);
        for deal in &seed.deals {
            let stage = portal.stage_of_row(deal.stage);
            let added = stage.map(|stage| {
                portal.add_deal(&SeedDeal {
                    title: seed.name.clone(),
                    contact: Some(contact),
                    category: deal.pipeline,
                    stage: Some(stage),
                    responsible: Some(deal.responsible),
                    ..SeedDeal::default()
                })
            });
            match added.filter(|id| *id != 0) {
                Some(id) => seeded.deals.insert(id),
                None => {
                    let (stage, funnel) = (deal.stage, deal.pipeline);
                    let text = format!("stage {stage} is none of the funnel {funnel}");
                    return Err(DayError::Contradiction(text));
                }
            };
        }
    }
    Ok(seeded)
}

/// Makes the portal answer everything with 503.
///
/// # Errors
/// Fails when the portal's fault plan is full.
pub fn take_down(portal: &BitrixHandle) -> Result<(), RuleRefused> {
    let fault = Fault::ErrorBefore { status: 503 };
    portal.add_fault(Rule::new("", "*", When::Always, fault))
}

/// Makes the portal itself again.
pub fn bring_up(portal: &BitrixHandle) {
    portal.clear_faults();
}

/// Loses the answer to the next request under this path; a batch is one request.
///
/// # Errors
/// Fails when the portal's fault plan is full.
pub fn lose_answer(portal: &BitrixHandle, path: &str) -> Result<(), RuleRefused> {
    let rule = Rule::new("POST", path, When::Nth { n: 1 }, Fault::LostAfter);
    portal.add_fault(rule)
}

/// Sorts what the portal holds by client.
pub fn holding(portal: &BitrixHandle, seeded: &Seeded) -> Holding {
    sorted(&portal.oracle(), seeded)
}

fn sorted(oracle: &Oracle, seeded: &Seeded) -> Holding {
    let mut clients: BTreeMap<String, Held> = BTreeMap::new();
    for contact in &oracle.contacts {
        for key in keys(contact) {
            clients.entry(key).or_default().contacts.push(HeldContact {
                responsible: contact.responsible,
                tags: Vec::new(),
                seeded: seeded.contacts.contains(&contact.id),
            });
        }
    }
    for deal in &oracle.deals {
        for key in owners(deal, oracle) {
            clients.entry(key).or_default().deals.push(HeldDeal {
                pipeline: deal.category,
                stage: deal.stage_id,
                responsible: deal.responsible,
                tags: Vec::new(),
                seeded: seeded.deals.contains(&deal.id),
            });
        }
    }
    for lead in &oracle.leads {
        let mut keys = owners(lead, oracle);
        keys.extend(self::keys(lead));
        for key in keys {
            let held = clients.entry(key).or_default();
            held.unsorted.push(held_lead(lead));
        }
    }
    for call in &oracle.calls {
        let held = clients.entry(call.phone.clone()).or_default();
        held.calls.push(held_call(call, oracle));
    }
    for key in clients.keys().cloned().collect::<Vec<_>>() {
        let todos = oracle.todos_of_phone(&key).into_iter().map(held_todo);
        let todos: Vec<HeldTask> = todos.collect();
        let held = clients.entry(key.clone()).or_default();
        held.tasks.extend(todos);
        held.tasks.extend(tasks_of(&key, oracle));
    }
    for comment in oracle.comments.iter().filter(is_note) {
        for (key, on) in noted(comment, oracle) {
            clients.entry(key).or_default().notes.push(HeldNote {
                on,
                text: comment.text.clone(),
            });
        }
    }
    let is_todo = |activity: &&ActivityView| activity.provider == "CRM_TODO";
    Holding {
        clients,
        totals: Totals {
            contacts: oracle.contacts.len(),
            deals: oracle.deals.len(),
            unsorted: oracle.leads.len(),
            calls: oracle.calls.len(),
            tasks: oracle.activities.iter().filter(is_todo).count() + oracle.tasks.len(),
            notes: oracle.comments.iter().filter(is_note).count(),
        },
    }
}

/// Says whether somebody wrote a comment; log lines are the portal's own.
fn is_note(comment: &&CommentView) -> bool {
    !comment.is_log_line
}

/// Returns whose card a comment stands on, and which sort of card it is.
fn noted(comment: &CommentView, oracle: &Oracle) -> Vec<(String, CallCard)> {
    let Some((kind, id)) = comment.card else {
        return Vec::new();
    };
    let (cards, on) = match kind {
        Kind::Contact => (&oracle.contacts, CallCard::Contact),
        Kind::Deal => (&oracle.deals, CallCard::Deal),
        Kind::Lead => (&oracle.leads, CallCard::Unsorted),
        _ => return Vec::new(),
    };
    let Some(card) = cards.iter().find(|card| card.id == id) else {
        return Vec::new();
    };
    let mut clients = keys(card);
    clients.extend(owners(card, oracle));
    clients.into_iter().map(|client| (client, on)).collect()
}

fn keys(card: &CardView) -> BTreeSet<String> {
    card.phones.iter().map(|phone| last_ten(phone)).collect()
}

/// Returns the numbers of a deal's or lead's contacts.
fn owners(card: &CardView, oracle: &Oracle) -> BTreeSet<String> {
    let contacts = oracle.contacts.iter();
    let own = contacts.filter(|contact| card.contacts.contains(&contact.id));
    own.flat_map(keys).collect()
}

fn held_lead(lead: &CardView) -> HeldUnsorted {
    HeldUnsorted {
        pipeline: 0,
        category: "lead".to_owned(),
        state: match lead.stage.as_str() {
            _ if lead.is_open => UnsortedState::Waiting,
            "CONVERTED" => UnsortedState::Accepted,
            _ => UnsortedState::Declined,
        },
    }
}

fn held_call(call: &CallView, oracle: &Oracle) -> HeldCall {
    HeldCall {
        direction: match call.direction.as_str() {
            "outbound" => CallDirection::Out,
            _ => CallDirection::In,
        },
        result: match call.duration > 0 {
            true => CallResult::Answered,
            false => CallResult::Missed,
        },
        employee: Some(call.user),
        talk_s: u64::try_from(call.duration).unwrap_or(0),
        on: card_of(call, oracle),
        at_s: call.at,
    }
}

/// Returns the kind of the card, or nothing where there is none or it is another client's.
fn card_of(call: &CallView, oracle: &Oracle) -> Option<CallCard> {
    let (kind, id) = call.card.filter(|_| call.is_shown)?;
    let (cards, on) = match kind {
        Kind::Contact => (&oracle.contacts, CallCard::Contact),
        Kind::Company => (&oracle.companies, CallCard::Company),
        Kind::Lead => (&oracle.leads, CallCard::Unsorted),
        Kind::Deal => (&oracle.deals, CallCard::Deal),
    };
    let card = cards.iter().find(|card| card.id == id)?;
    let is_own = keys(card).contains(&call.phone) || owners(card, oracle).contains(&call.phone);
    is_own.then_some(on)
}

fn held_todo(todo: &ActivityView) -> HeldTask {
    HeldTask {
        responsible: todo.responsible,
        text: format!("{} {}", todo.subject, todo.description),
    }
}

/// Returns the tasks on cards of a number.
fn tasks_of(phone: &str, oracle: &Oracle) -> Vec<HeldTask> {
    let contacts = oracle.contacts_of_phone(phone).into_iter();
    let contacts = contacts.map(|card| format!("C_{}", card.id));
    let deals = oracle.deals_of_phone(phone).into_iter();
    let deals = deals.map(|card| format!("D_{}", card.id));
    let leads = oracle.leads_of_phone(phone).into_iter();
    let leads = leads.map(|card| format!("L_{}", card.id));
    let codes: BTreeSet<String> = contacts.chain(deals).chain(leads).collect();
    let own = oracle.tasks.iter().filter(|task| {
        let mut cards = task.cards.iter();
        cards.any(|card| codes.contains(card))
    });
    own.map(|task| HeldTask {
        responsible: task.responsible,
        text: format!("{} {}", task.title, task.description),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::lab::bitrix24::{BitrixLab, BitrixOptions, start};
    use crate::lab::day::report;

    const DAY: &str = r#"
        name = "small"
        tenant = "demo"
        client = []
        totals = { contacts = 0, deals = 0, unsorted = 0, calls = 0, tasks = 0 }
        [[part]]
        title = "one call"
        events = [
          { do = "call", at_s = 0.0, capture = "inbound_answered", client = "79035550001", what = "a" },
        ]
    "#;
    const HALF: &str = r#"
        totals = { contacts = 2, deals = 2, unsorted = 1, calls = 1, tasks = 1 }
        [[seed]]
        name = "Клиент"
        phone = "+7 903 555-00-03"
        responsible = 13
        deals = [{ pipeline = 3, stage = 110, responsible = 13 }]
        [[client]]
        phone = "+79035550003"
        why = "was there before"
        contacts = [{ responsible = 13, seeded = true }]
        deals = [{ pipeline = 3, stage = 110, responsible = 13, seeded = true }]
        [[client]]
        phone = "+79035550001"
        why = "called"
        contacts = [{ responsible = 12 }]
        deals = [{ pipeline = 0, stage = 106, responsible = 12 }]
        calls = [{ direction = "in", result = "answered", employee = 12, talk_s = [4, 6], on = "contact" }]
        tasks = [{ responsible = 12, text = "Перезвонить" }]
        [[client]]
        phone = "+79035550009"
        why = "is a lead"
        unsorted = [{ pipeline = 0, category = "lead" }]
    "#;

    async fn call(lab: &BitrixLab, method: &str, body: Value) -> Value {
        let client_id = &lab.options().applications[0].client_id;
        let tokens = lab.issue_tokens(client_id, 1);
        let mut body = body;
        body["auth"] = tokens["access_token"].clone();
        let url = format!("{}/rest/{method}", lab.base_url());
        let request = reqwest::Client::new().post(url).json(&body);
        let answer = request.header("User-Agent", "test/1").send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["result"].clone()
    }

    async fn played() -> (BitrixLab, Portal) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let lab = start(BitrixOptions::default()).await.unwrap();
        let half = Half::parse(HALF).unwrap();
        let portal = Portal::seeded(lab.handle(), half).unwrap();
        lab.add_lead(&SeedCard::new("Лид", "+79035550009", 12));
        let fields = json!({
            "NAME": "a", "ASSIGNED_BY_ID": 12, "PHONE": [{"VALUE": "+79035550001"}],
        });
        let contact = call(&lab, "crm.contact.add", json!({"fields": fields})).await;
        let fields = json!({"TITLE": "a", "ASSIGNED_BY_ID": 12, "CONTACT_IDS": [contact]});
        call(&lab, "crm.deal.add", json!({"fields": fields})).await;
        let todo = json!({
            "ownerTypeId": 3, "ownerId": contact, "deadline": "2030-01-01T00:00:00Z",
            "title": "Перезвонить", "responsibleId": 12,
        });
        call(&lab, "crm.activity.todo.add", todo).await;
        let body = json!({"USER_ID": 12, "PHONE_NUMBER": "79035550001", "TYPE": 2, "SHOW": 0});
        let call_id = call(&lab, "telephony.externalcall.register", body).await;
        let body = json!({"CALL_ID": call_id["CALL_ID"], "DURATION": 5});
        call(&lab, "telephony.externalcall.finish", body).await;
        (lab, portal)
    }

    fn outcome(portal: &Portal) -> PortalOutcome {
        let now = portal.handle.now();
        let seen = Seen {
            spans: BTreeMap::from([("9035550001".to_owned(), vec![(now - 9, now)])]),
            ..Seen::default()
        };
        portal.outcome(&Day::parse(DAY).unwrap(), &seen)
    }

    #[tokio::test]
    async fn a_portal_that_holds_what_the_half_expects_has_no_difference() {
        let (_lab, portal) = played().await;
        let outcome = outcome(&portal);
        let comparison = &outcome.comparison;
        assert_eq!(comparison.differences, []);
        assert_eq!(
            (comparison.expected_effects, comparison.effects_found),
            (5, 5)
        );
        let table = report::table(&outcome.day, &[], &outcome.holding, comparison);
        assert!(table.contains("deal of 12 in 0/106"), "{table}");
        assert!(!table.contains("WRONG"), "{table}");
    }

    #[tokio::test]
    async fn what_is_made_twice_or_is_gone_is_a_difference() {
        let (lab, portal) = played().await;
        let again = SeedCard::new("a", "8 903 555-00-01", 12);
        lab.add_contact(&again);
        assert_eq!(outcome(&portal).comparison.duplicates, 1);
        let deal = lab.oracle().deals_of_phone("9035550001")[0].id;
        lab.delete(Kind::Deal, deal);
        assert_eq!(outcome(&portal).comparison.missing, 1);
    }

    #[tokio::test]
    async fn a_request_too_many_is_a_difference_and_trouble_comes_and_goes() {
        let (lab, portal) = played().await;
        lab.set_bucket(0, 0);
        call(&lab, "profile", json!({})).await;
        let counted = outcome(&portal);
        assert_eq!(counted.seen.rate_violations, 1);
        assert!(!counted.comparison.is_clean());
        lab.set_bucket(50, 2);
        take_down(&lab).unwrap();
        let url = format!("{}profile", lab.webhook_url().unwrap());
        let status = async || {
            reqwest::get(&url)
                .await
                .map(|answer| answer.status().as_u16())
        };
        assert_eq!(status().await.unwrap(), 503);
        bring_up(&lab);
        assert_eq!(status().await.unwrap(), 200);
        lose_answer(&lab, "*/profile").unwrap();
        let request = reqwest::Client::new().post(&url);
        assert!(request.send().await.is_err());
    }

    #[test]
    fn a_half_with_a_client_twice_is_refused() {
        let text = r#"
            totals = { contacts = 0, deals = 0, unsorted = 0, calls = 0, tasks = 0 }
            client = [{ phone = "+79035550001", why = "" }, { phone = "89035550001", why = "" }]
        "#;
        assert!(matches!(Half::parse(text), Err(DayError::Contradiction(_))));
    }

    #[tokio::test]
    async fn a_seed_in_a_stage_of_another_funnel_is_refused() {
        let lab = start(BitrixOptions::default()).await.unwrap();
        let half = Half::parse(&HALF.replacen("stage = 110", "stage = 106", 1)).unwrap();
        assert!(matches!(
            seed(&lab, &half.seeds),
            Err(DayError::Contradiction(_))
        ));
    }
}
