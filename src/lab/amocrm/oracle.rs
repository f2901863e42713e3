//! What the account holds in the end, counted without asking how it came there: by phone, by
//! content, by marker. Tests and the working day compare it with what a script calls for.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::records::{Popup, last_ten};

/// Everything an account holds, in a stable order.
#[derive(Debug, Clone, Serialize)]
pub struct Oracle {
    /// Contacts that are not in the bin, by id.
    pub contacts: Vec<CardView>,
    /// Companies that are not in the bin, by id.
    pub companies: Vec<CardView>,
    /// Leads that are not in the bin, by id.
    pub leads: Vec<LeadView>,
    /// Calls wherever they are logged, by time.
    pub calls: Vec<CallView>,
    /// Notes that are no calls, by id.
    pub notes: Vec<NoteView>,
    /// Tasks, by id.
    pub tasks: Vec<TaskView>,
    /// Unsorted records in every state, in order of creation.
    pub unsorted: Vec<UnsortedView>,
    /// Popups shown, in order.
    pub popups: Vec<Popup>,
    /// What is there twice.
    pub duplicates: Duplicates,
    /// Counters of the account.
    pub counters: OracleCounters,
}

/// A contact or company.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardView {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Phones as stored.
    pub phones: Vec<String>,
    /// E-mails as stored.
    pub emails: Vec<String>,
    /// Owner; 0 for none.
    pub responsible_user_id: u64,
    /// Author; 0 for the robot.
    pub created_by: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Names of its tags, sorted.
    pub tags: Vec<String>,
    /// Texts of its other fields by field name.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Whether it waits inside an unsorted record.
    pub in_unsorted: bool,
    /// Linked leads.
    pub leads: Vec<u64>,
    /// Linked company.
    pub companies: Vec<u64>,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeadView {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Pipeline.
    pub pipeline_id: u64,
    /// Stage.
    pub status_id: u64,
    /// Name of the stage.
    pub stage: String,
    /// Owner; 0 for none.
    pub responsible_user_id: u64,
    /// Author; 0 for the robot.
    pub created_by: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds of closing.
    pub closed_at: Option<i64>,
    /// Price.
    pub price: i64,
    /// Names of its tags, sorted.
    pub tags: Vec<String>,
    /// Texts of its fields by field name.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Whether it waits inside an unsorted record.
    pub in_unsorted: bool,
    /// Linked contacts.
    pub contacts: Vec<u64>,
    /// Linked companies.
    pub companies: Vec<u64>,
}

/// A call, wherever it is logged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallView {
    /// Its note's id; ids grow in the order in which the notes were made.
    pub id: u64,
    /// Last ten digits of the number.
    pub phone: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The call's time in Unix seconds.
    pub at: i64,
    /// Length in seconds.
    pub duration: i64,
    /// The caller's own id of the call.
    pub uniq: String,
    /// Address of the recording.
    pub link: String,
    /// `call_status` of crm/amocrm.md §11.
    pub status: Option<i64>,
    /// `call_result`.
    pub result: Option<String>,
    /// Who talked: user id, number or text.
    pub call_responsible: Option<String>,
    /// Responsible of the note.
    pub responsible_user_id: u64,
    /// Author of the note.
    pub created_by: u64,
    /// Kind of the card that carries it.
    pub entity_type: String,
    /// The card that carries it.
    pub entity_id: u64,
    /// `note`, `calls` or `unsorted`.
    pub origin: String,
    /// False when its card is in the bin.
    pub is_shown: bool,
}

/// A note that is no call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoteView {
    /// Its id.
    pub id: u64,
    /// Type.
    pub note_type: String,
    /// Kind of its card.
    pub entity_type: String,
    /// Its card.
    pub entity_id: u64,
    /// Parameters as stored.
    pub params: Value,
    /// Unix seconds.
    pub created_at: i64,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskView {
    /// Its id.
    pub id: u64,
    /// Its text.
    pub text: String,
    /// Due time in Unix seconds.
    pub complete_till: i64,
    /// Kind of its card, plural.
    pub entity_type: Option<String>,
    /// Its card.
    pub entity_id: Option<u64>,
    /// Type.
    pub task_type_id: u64,
    /// Who must do it.
    pub responsible_user_id: u64,
    /// Author.
    pub created_by: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Whether it is done.
    pub is_completed: bool,
}

/// An unsorted record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnsortedView {
    /// Its id.
    pub uid: String,
    /// `sip` or `forms`.
    pub category: String,
    /// The caller's own id.
    pub source_uid: String,
    /// Name of the source.
    pub source_name: String,
    /// Pipeline.
    pub pipeline_id: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// `waiting`, `accepted` or `declined`.
    pub state: String,
    /// Last ten digits of the caller: from the metadata, else from the contact inside.
    pub phone: String,
    /// Metadata as stored.
    pub metadata: Value,
    /// The lead inside.
    pub lead: Option<u64>,
    /// The contact inside.
    pub contact: Option<u64>,
}

/// What is there twice; each row is the content and how often it is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Duplicates {
    /// Contacts, those in unsorted not counted, with one phone.
    pub contacts: BTreeMap<String, usize>,
    /// Calls of one number, time and direction.
    pub calls: BTreeMap<String, usize>,
    /// Leads with one content: contacts, pipeline, name, field values.
    pub leads: BTreeMap<String, usize>,
    /// Tasks of one card with one text and due time.
    pub tasks: BTreeMap<String, usize>,
    /// Notes of one card with one type and parameters.
    pub notes: BTreeMap<String, usize>,
    /// Unsorted records of one category and `source_uid`.
    pub unsorted: BTreeMap<String, usize>,
}

impl Duplicates {
    /// Returns how many effects are too many.
    pub fn count(&self) -> usize {
        let lists = [
            &self.contacts,
            &self.calls,
            &self.leads,
            &self.tasks,
            &self.notes,
            &self.unsorted,
        ];
        lists
            .iter()
            .flat_map(|list| list.values())
            .map(|n| n - 1)
            .sum()
    }
}

/// Counters of the account.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OracleCounters {
    /// Requests above the rate.
    pub rate_violations: u64,
    /// Requests answered with the block page.
    pub blocked_requests: u64,
    /// Whether the account is blocked now.
    pub is_blocked: bool,
    /// The most requests of one integration in any sliding second.
    pub requests_per_second_max: u64,
    /// Spent refresh tokens that were sent again.
    pub spent_tokens_reused: u64,
    /// Refreshes that succeeded.
    pub token_rotations: u64,
    /// Hooks that a destination took.
    pub hooks_delivered: u64,
    /// Attempts of hooks that failed.
    pub hook_attempts_failed: u64,
    /// Hooks given up.
    pub hooks_lost: u64,
    /// Requests that leave the contract in a way that is tolerated.
    pub oddities: BTreeMap<String, u64>,
}

impl Oracle {
    /// Returns the contacts, not in unsorted, that hold this phone.
    pub fn contacts_of_phone(&self, phone: &str) -> Vec<&CardView> {
        let wanted = last_ten(phone);
        let holds =
            |c: &&CardView| !c.in_unsorted && c.phones.iter().any(|p| last_ten(p) == wanted);
        self.contacts.iter().filter(holds).collect()
    }

    /// Returns the leads, not in unsorted, of the contacts that hold this phone.
    pub fn leads_of_phone(&self, phone: &str) -> Vec<&LeadView> {
        let contacts: Vec<u64> = self.contacts_of_phone(phone).iter().map(|c| c.id).collect();
        let ours =
            |l: &&LeadView| !l.in_unsorted && l.contacts.iter().any(|c| contacts.contains(c));
        self.leads.iter().filter(ours).collect()
    }

    /// Returns the calls of this phone, by time.
    pub fn calls_of_phone(&self, phone: &str) -> Vec<&CallView> {
        let wanted = last_ten(phone);
        self.calls
            .iter()
            .filter(|call| call.phone == wanted)
            .collect()
    }

    /// Returns the unsorted records of this phone, in every state.
    pub fn unsorted_of_phone(&self, phone: &str) -> Vec<&UnsortedView> {
        let wanted = last_ten(phone);
        self.unsorted
            .iter()
            .filter(|record| record.phone == wanted)
            .collect()
    }

    /// Returns the tasks on contacts and leads of this phone.
    pub fn tasks_of_phone(&self, phone: &str) -> Vec<&TaskView> {
        let contacts: Vec<u64> = self.contacts_of_phone(phone).iter().map(|c| c.id).collect();
        let leads: Vec<u64> = self.leads_of_phone(phone).iter().map(|l| l.id).collect();
        let ours = |task: &&TaskView| match (task.entity_type.as_deref(), task.entity_id) {
            (Some("contacts"), Some(id)) => contacts.contains(&id),
            (Some("leads"), Some(id)) => leads.contains(&id),
            _ => false,
        };
        self.tasks.iter().filter(ours).collect()
    }

    /// Returns how often each text of a field stands on cards: more than once is a marker used
    /// twice.
    pub fn marker_uses(&self, field_name: &str) -> BTreeMap<String, usize> {
        let of_cards = self
            .contacts
            .iter()
            .chain(&self.companies)
            .map(|c| &c.fields);
        let fields = of_cards.chain(self.leads.iter().map(|l| &l.fields));
        let texts = fields.filter_map(|fields| fields.get(field_name)).flatten();
        let mut uses = BTreeMap::new();
        texts.for_each(|text| *uses.entry(text.clone()).or_default() += 1);
        uses
    }
}
