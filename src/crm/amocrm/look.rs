//! Looks whether the effect of a step that was sent exists (`crm/amocrm.md` §16). One recipe for
//! every kind of step:
//!
//! | step | where | by what |
//! |---|---|---|
//! | contact, deal | the entity's list, newest first | marker field; without it name, address and the exact `created_at` that we sent |
//! | unsorted | the list of its category; accepted meanwhile: leads; declined: the leads' bin | `source_uid`, then as a deal |
//! | call on a card | call notes of that card | `params.uniq` |
//! | call without a card | call notes of all contacts, leads, companies | `params.uniq` |
//! | task | tasks of the card | text and due time |
//! | note | ordinary notes of the card; undecidable while it waits in Unsorted | text and time |
//! | fields | the card | their values |
//! | recording | call notes, then ordinary notes, of the card (`recording`) | the address |
//!
//! It does not wait, so "absent" is true at the time of looking only: whether the request can still
//! take effect later is the caller's to reckon with (`Adapter::settles_after`).

use std::time::Duration;

use super::AmoAdapter;
use super::client::{Query, ReadError, query};
use super::map;
use super::replies::{card, unsorted_result, with_cards};
use super::scan::{Scan, Scanned};
use super::search::{has_email, has_phone};
use super::setup::Setup;
use super::wire::answers::{CardRecord, Note, Task, Unsorted};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Look, Outcome, Rejection, StepResult};
use crate::model::plan::{
    CallRecord, Card, Effect, Entity, FillFields, NewContact, NewDeal, NewNote, NewTask,
    NewUnsorted,
};

/// How much the CRM's clock may be behind ours.
const CLOCKS_APART: Duration = Duration::from_secs(3600);

/// Why looking came to no end.
pub(super) enum Unclear {
    Read(ReadError),
    /// The step is one that cannot have been sent.
    Unsendable,
}

impl From<ReadError> for Unclear {
    fn from(error: ReadError) -> Self {
        Unclear::Read(error)
    }
}

impl From<Rejection> for Unclear {
    fn from(_: Rejection) -> Self {
        Unclear::Unsendable
    }
}

impl AmoAdapter {
    /// Looks for the effect of a command.
    pub(super) async fn look_for(&self, command: &StepCommand) -> Outcome<Look> {
        let setup = match self.setup.get(&self.client, Class::Work).await {
            Ok(setup) => setup,
            Err(failure) => return failure.into_outcome(),
        };
        self.note_marks(&setup);
        let looking = Looking {
            adapter: self,
            setup: &setup,
            command,
            marker: command.key.marker(),
            since: command.first_sent_at.minus(CLOCKS_APART).as_secs(),
        };
        let seen = match &command.effect {
            Effect::CreateContact(contact) => looking.contact(contact).await,
            Effect::CreateDeal(deal) => looking.deal(deal).await,
            Effect::CreateUnsorted(unsorted) => looking.unsorted(unsorted).await,
            Effect::RecordCall(record) => looking.call(record).await,
            Effect::CreateTask(task) => looking.task(task).await,
            Effect::FillFields(fill) => looking.fields(fill).await,
            Effect::LinkRecording(link) => looking.recording(link).await,
            Effect::AddNote(note) => looking.note(note).await,
            Effect::HandOver(over) => self.is_handed_over(over).await.map_err(Unclear::from),
            // Never sent.
            Effect::CreateLead(_) | Effect::AwaitContact(_) | Effect::Notify(_) => Ok(Look::Absent),
        };
        match seen {
            Ok(look) => Outcome::Done(look),
            Err(Unclear::Read(error)) => error.into_outcome(),
            // Nothing can have come of a step that we refuse to send.
            Err(Unclear::Unsendable) => Outcome::Done(Look::Absent),
        }
    }
}

/// One search for one effect.
pub(super) struct Looking<'a> {
    pub(super) adapter: &'a AmoAdapter,
    setup: &'a Setup,
    pub(super) command: &'a StepCommand,
    marker: String,
    /// Older records cannot be it: Unix seconds.
    pub(super) since: i64,
}

impl Looking<'_> {
    async fn contact(&self, contact: &NewContact) -> Result<Look, Unclear> {
        let scan = self.cards("contacts", Vec::new());
        let found = scan
            .find(&self.adapter.client, |card: &CardRecord| {
                self.marked(card, self.setup.marker_contacts)
                    .unwrap_or_else(|| self.looks_like_contact(card, contact))
            })
            .await?;
        Ok(look(found, |found| {
            with_cards(vec![card(Entity::Contact, found.id)])
        }))
    }

    async fn deal(&self, deal: &NewDeal) -> Result<Look, Unclear> {
        let created_at = self.command.first_sent_at.as_secs();
        let contact = match &deal.contact {
            Some(target) => Some(map::id("contact", &map::known(target)?.id)?),
            None => None,
        };
        // Names come from templates and others make deals in the same second: it must be this
        // client's, too.
        let of_client = |lead: &CardRecord| {
            contact.is_none_or(|id| lead.embedded.contacts.iter().any(|one| one.id == id))
        };
        self.lead(|lead| {
            lead.created_at == created_at
                && lead.name.as_deref() == Some(deal.name.as_str())
                && of_client(lead)
        })
        .await
    }

    /// Looks for a lead by the marker, or else by likeness: among those that are there, then in
    /// the bin, for what a person threw away is not to be made again.
    async fn lead(&self, alike: impl Fn(&CardRecord) -> bool) -> Result<Look, Unclear> {
        let matches = |lead: &CardRecord| {
            self.marked(lead, self.setup.marker_leads)
                .unwrap_or_else(|| alike(lead))
        };
        let client = &self.adapter.client;
        let result = |lead: CardRecord| {
            let mut cards = vec![card(Entity::Deal, lead.id)];
            let contacts = lead.embedded.contacts.iter();
            cards.extend(contacts.map(|contact| card(Entity::Contact, contact.id)));
            with_cards(cards)
        };
        let there = self.cards("leads", query(&[("with", "contacts")]));
        let seen = look(there.find(client, matches).await?, result);
        if seen != Look::Absent {
            return Ok(seen);
        }
        let bin = self.cards("leads", query(&[("with", "only_deleted")]));
        Ok(look(bin.find(client, matches).await?, result))
    }

    async fn unsorted(&self, unsorted: &NewUnsorted) -> Result<Look, Unclear> {
        let category = map::category(&unsorted.form);
        // Its time is the one that we gave it, perhaps long before the sending.
        let at = unsorted.at.minus(CLOCKS_APART).as_secs();
        let scan = Scan {
            path: "/api/v4/leads/unsorted",
            name: "unsorted",
            query: query(&[
                ("filter[category][]", category),
                ("order[created_at]", "desc"),
            ]),
            hint: None,
            since: at.min(self.since),
        };
        let client = &self.adapter.client;
        let listed = scan
            .find(client, |record: &Unsorted| {
                record.source_uid.as_deref() == Some(self.marker.as_str())
            })
            .await?;
        let seen = look(listed, |record| unsorted_result(&record));
        if seen != Look::Absent {
            return Ok(seen);
        }
        // Accepted: its lead has become an ordinary one.
        self.lead(|lead| {
            lead.created_at >= self.since
                && lead.name.as_deref() == Some(unsorted.deal_name.as_str())
        })
        .await
    }

    async fn call(&self, record: &CallRecord) -> Result<Look, Unclear> {
        if let Some(target) = &record.card {
            let on = map::known(target)?;
            let path = format!("/api/v4/{}/{}/notes", map::entity_path(on.entity)?, on.id);
            return match self.call_note(record, &path, Some(on.entity)).await {
                // The card is gone, and its notes with it; sending again will say so for good.
                Err(Unclear::Read(ReadError::Refused(refusal))) if refusal.code == "404" => {
                    Ok(Look::Absent)
                }
                seen => seen,
            };
        }
        // amoCRM chose the card, if there was one (§11).
        let mut places = vec![
            ("contacts", Some(Entity::Contact)),
            ("leads", Some(Entity::Deal)),
            ("companies", Some(Entity::Company)),
        ];
        if self.setup.customers {
            places.push(("customers", None));
        }
        for (entity, on) in places {
            let seen = self
                .call_note(record, &format!("/api/v4/{entity}/notes"), on)
                .await?;
            if seen != Look::Absent {
                return Ok(seen);
            }
        }
        Ok(Look::Absent)
    }

    async fn call_note(
        &self,
        record: &CallRecord,
        path: &str,
        on: Option<Entity>,
    ) -> Result<Look, Unclear> {
        // A note bears the time of its call, perhaps long before the sending, and whether it also
        // tells when it was written is not known. After an outage many such notes come at once.
        let at = record.at.minus(CLOCKS_APART).as_secs();
        let scan = Scan {
            path,
            name: "notes",
            query: query(&[
                ("filter[note_type][]", "call_in"),
                ("filter[note_type][]", "call_out"),
                ("order[id]", "desc"),
            ]),
            hint: None,
            since: at.min(self.since),
        };
        let found = scan
            .find(&self.adapter.client, |note: &Note| {
                note.params.uniq.as_deref() == Some(self.marker.as_str())
            })
            .await?;
        Ok(look(found, |note| {
            let mut cards = vec![card(Entity::CallRecord, note.id)];
            if note.entity_id != 0 {
                cards.extend(on.map(|entity| card(entity, note.entity_id)));
            }
            with_cards(cards)
        }))
    }

    /// A note bears the time that we gave it, or that of its making: both are after it was said.
    async fn note(&self, note: &NewNote) -> Result<Look, Unclear> {
        let on = map::known(&note.card)?;
        let path = format!("/api/v4/{}/{}/notes", map::entity_path(on.entity)?, on.id);
        let scan = Scan {
            path: &path,
            name: "notes",
            query: query(&[("filter[note_type][]", "common"), ("order[id]", "desc")]),
            hint: None,
            since: note.at.minus(CLOCKS_APART).as_secs().min(self.since),
        };
        let same = |made: &Note| {
            let text = made.params.text.as_deref().map(str::trim);
            let told = made.created_at == note.at.as_secs() || made.created_at >= self.since;
            text == Some(note.text.trim()) && told
        };
        match scan.find(&self.adapter.client, same).await {
            Ok(Scanned::Absent) if self.may_wait_in_unsorted(on).await? => Ok(Look::Undecidable),
            // The card is gone, and its notes with it; sending again will say so for good.
            Err(ReadError::Refused(refusal)) if refusal.code == "404" => Ok(Look::Absent),
            Err(error) => Err(error.into()),
            Ok(scanned) => Ok(look(scanned, |made| {
                with_cards(vec![card(Entity::Note, made.id)])
            })),
        }
    }

    /// Says whether a card may be one that waits in Unsorted, whose notes need not be listed (§10):
    /// a lead in the stage of those, or one that is not shown.
    async fn may_wait_in_unsorted(&self, on: &Card) -> Result<bool, Unclear> {
        if on.entity != Entity::Deal {
            return Ok(false);
        }
        let path = format!("/api/v4/leads/{}", on.id);
        let client = &self.adapter.client;
        let lead: Option<CardRecord> = client.record(&path, Vec::new(), Class::Work).await?;
        let stages = &self.setup.unsorted_stages;
        Ok(lead.is_none_or(|lead| stages.contains(&lead.status_id)))
    }

    async fn task(&self, task: &NewTask) -> Result<Look, Unclear> {
        let mut pairs = Vec::new();
        let mut entity_id = 0;
        if let Some(target) = &task.card {
            let on = map::known(target)?;
            entity_id = map::id("card", &on.id)?;
            pairs.extend(query(&[
                ("filter[entity_type]", map::entity_path(on.entity)?),
                ("filter[entity_id][]", &on.id),
            ]));
        }
        pairs.extend(query(&[("order[id]", "desc")]));
        let scan = Scan {
            path: "/api/v4/tasks",
            name: "tasks",
            query: pairs,
            hint: None,
            since: self.since,
        };
        let due = task.due.as_secs();
        let found = scan
            .find(&self.adapter.client, |made: &Task| {
                made.entity_id == entity_id
                    && made.complete_till == due
                    && made.text.as_deref().map(str::trim) == Some(task.text.trim())
            })
            .await?;
        Ok(look(found, |made| {
            with_cards(vec![card(Entity::Task, made.id)])
        }))
    }

    /// Fields that are filled look the same whoever filled them: nothing is left to be done.
    async fn fields(&self, fill: &FillFields) -> Result<Look, Unclear> {
        let on = map::known(&fill.card)?;
        Ok(match self.adapter.unfilled(on, &fill.fields).await {
            // The card is gone; sending again will say so for good.
            Err(ReadError::Refused(refusal)) if matches!(refusal.code.as_str(), "204" | "404") => {
                Look::Absent
            }
            Err(error) => return Err(error.into()),
            Ok(Some(_)) => Look::Absent,
            Ok(None) => Look::Found(StepResult {
                cards: vec![on.clone()],
                adopted: true,
                ..StepResult::default()
            }),
        })
    }

    /// A scan of cards, newest first, with the marker as a search beside.
    fn cards(&self, entity: &'static str, with: Query) -> Scan<'static> {
        let path = match entity {
            "contacts" => "/api/v4/contacts",
            _ => "/api/v4/leads",
        };
        let mut hint = query(&[("query", &self.marker), ("limit", "50")]);
        hint.extend(with.clone());
        let mut order = query(&[("order[id]", "desc")]);
        order.extend(with);
        Scan {
            path,
            name: entity,
            query: order,
            hint: Some(hint),
            since: self.since,
        }
    }

    /// Says whether a card bears our marker; `None` where it bears none at all.
    fn marked(&self, card: &CardRecord, field: Option<i64>) -> Option<bool> {
        let text = card.text_by_id(field?)?;
        Some(text == self.marker)
    }

    fn looks_like_contact(&self, card: &CardRecord, contact: &NewContact) -> bool {
        let region = self.setup.region;
        card.created_at == self.command.first_sent_at.as_secs()
            && card.name.as_deref() == Some(contact.name.as_str())
            && contact
                .phones
                .iter()
                .all(|phone| has_phone(card, phone, region))
            && contact.emails.iter().all(|email| has_email(card, email))
    }
}

fn look<T>(scanned: Scanned<T>, result: impl Fn(T) -> StepResult) -> Look {
    match scanned {
        Scanned::Found(found) => Look::Found(StepResult {
            adopted: true,
            ..result(found)
        }),
        Scanned::Absent => Look::Absent,
        Scanned::TooLong => Look::Undecidable,
    }
}
