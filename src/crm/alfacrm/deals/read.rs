//! Reads customers with their payments, and makes deals of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::reference::{BRANCH, PAY_TYPE, PAYER, Reference, TEACHER};
use super::settle::{Before, Now, Pay, Settled, settle};
use super::{CLASS, FIRST, Of, PAID, UNASSIGNED, UNPAID, UPSELL, lead_id, of, pay_id};
use crate::crm::alfacrm::AlfaAdapter;
use crate::crm::alfacrm::client::{List, Unanswered, senseless};
use crate::crm::alfacrm::deals::choices::FirstSale;
use crate::crm::alfacrm::settings::CUSTOM;
use crate::crm::alfacrm::wire::{Row, items, written};
use crate::crm::{DealRecords, DealsWanted};
use crate::model::deal::{
    Deal, DealClient, DealRecord, DealState, DealValue, DealVerdict, StageMove, StagePlace, Sum,
};
use crate::model::timestamp::Timestamp;

/// Most pages of the payments of one customer.
const PAY_PAGES_MAX: u64 = 20;

/// Cards and payments that are read by their ids in one request.
const IDS_MAX: usize = 100;

/// The cards that are worked with, and those of the archive: nothing on a card says which it is.
const ACTIVE: u8 = 0;
const ARCHIVE: u8 = 2;

/// A customer as it was read.
struct Card {
    id: u64,
    record: Value,
    is_archived: bool,
    pays: Vec<Pay>,
}

impl AlfaAdapter {
    /// Reads customers with their payments; those that are not there any more are gone, with what
    /// was told of their payments. `log_open` where the role may see the log.
    pub(super) async fn deals_of(
        &self,
        customers: &BTreeSet<u64>,
        wanted: &DealsWanted,
        log_open: bool,
    ) -> Result<DealRecords, Unanswered> {
        let reference = self.reference().await?;
        let mut cards = self.deal_cards(customers, &reference.branches).await?;
        for card in &mut cards {
            card.pays = self.pays_of(card.id, &reference.branches).await?;
        }
        let pays = cards.iter().flat_map(|card| &card.pays);
        let ids = customers.iter().map(|id| lead_id(*id));
        let ids = ids.chain(pays.map(|pay| pay_id(pay.id))).collect();
        let known = wanted.known.known(ids).await.map_err(senseless)?;
        let mut records = DealRecords::default();
        for card in &cards {
            let lead = known.get(&lead_id(card.id));
            let is_there = |pay: &&Pay| {
                let deal = known.get(&pay_id(pay.id));
                deal.is_some_and(|deal| deal.state != DealState::Removed)
            };
            let before = Before {
                kept: lead.map(|lead| lead.kept.clone()).unwrap_or_default(),
                was_lead: lead.is_some(),
                upsells: card
                    .pays
                    .iter()
                    .filter(is_there)
                    .map(|pay| pay.id)
                    .collect(),
            };
            let row = Row(&card.record);
            let is_client = row.number("is_study") == Some(1);
            let mut told = None;
            if log_open && before.asks_since(is_client) {
                let log = self.log_of(card.id, &reference.branches).await?;
                let clients = log.map(|log| log.clients).unwrap_or_default();
                told = clients.into_iter().map(|(_, at)| at).min();
            }
            let zone = &self.settings.zone;
            let now = Now {
                is_client,
                updated_at: row.time("updated_at", zone).unwrap_or_default(),
                told,
            };
            let settled = settle(now, &before, &card.pays, zone);
            records
                .deals
                .push(self.lead(card, &settled, lead, &reference));
            for pay in &card.pays {
                let id = pay_id(pay.id);
                match settled.upsells.contains(&pay.id) {
                    true => {
                        let deal = self.upsell(card, pay, &reference);
                        records.moves.extend(seen_move(&deal, known.get(&id)));
                        records.deals.push(deal);
                    }
                    false => records.gone.push(id),
                }
            }
        }
        let there: BTreeSet<u64> = cards.iter().map(|card| card.id).collect();
        let missing = customers.difference(&there);
        records.gone.extend(missing.map(|id| lead_id(*id)));
        records.moves_told = log_open;
        if !log_open {
            // Then they are made of what is seen, once.
            records.moves.clear();
        }
        Ok(records)
    }

    async fn deal_cards(
        &self,
        ids: &BTreeSet<u64>,
        branches: &[u64],
    ) -> Result<Vec<Card>, Unanswered> {
        let mut found: BTreeMap<u64, Card> = BTreeMap::new();
        let all: Vec<u64> = ids.iter().copied().collect();
        for some in all.chunks(IDS_MAX) {
            // Of two lists that a card moves between while they are read the later is right; and one
            // that is worked with in any branch is worked with.
            for removed in [ARCHIVE, ACTIVE] {
                for branch in branches {
                    let filters = json!({ "id": some, "is_study": 2, "removed": removed });
                    for record in self.read_in(*branch, "customer/index", filters).await? {
                        let Some(id) = Row(&record).id().filter(|id| ids.contains(id)) else {
                            continue;
                        };
                        let card = Card {
                            id,
                            record,
                            is_archived: removed == ARCHIVE,
                            pays: Vec::new(),
                        };
                        found.insert(id, card);
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// Returns a customer's payments that are income.
    async fn pays_of(&self, customer: u64, branches: &[u64]) -> Result<Vec<Pay>, Unanswered> {
        let mut found: BTreeMap<u64, Pay> = BTreeMap::new();
        for branch in branches {
            let filters = json!({ "customer_id": customer });
            let read = self.read_in(*branch, "pay/index", filters).await?;
            let pays = read.iter().filter_map(|record| self.pay(record));
            let own = pays.filter(|pay| pay.customer == customer);
            found.extend(own.map(|pay| (pay.id, pay)));
        }
        Ok(found.into_values().collect())
    }

    fn pay(&self, record: &Value) -> Option<Pay> {
        Pay::read(record, &self.settings.deals, &self.settings.zone)
    }

    /// Reads everything that passes filters in a branch. One that the role may not see holds
    /// nothing, unless it is the account's own.
    pub(super) async fn read_in(
        &self,
        branch: u64,
        path: &'static str,
        filters: Value,
    ) -> Result<Vec<Value>, Unanswered> {
        let list = List::new(path, filters).in_branch(branch);
        match self.client.all(&list, PAY_PAGES_MAX, CLASS).await {
            Ok(Some(read)) => Ok(read),
            Ok(None) => Err(senseless(format!("{path} in branch {branch} is too long"))),
            Err(Unanswered::Barred(why)) if branch != self.settings.branch => {
                tracing::warn!(branch, why, "deals of a branch are not read");
                Ok(Vec::new())
            }
            Err(other) => Err(other),
        }
    }

    /// Reads payments by their ids, whatever they are: whose each is.
    pub(super) async fn customers_of_pays(
        &self,
        pays: &[u64],
    ) -> Result<BTreeMap<u64, Option<u64>>, Unanswered> {
        let reference = self.reference().await?;
        let mut found = BTreeMap::new();
        let mut note = |records: &[Value], wanted: &[u64]| {
            for record in records {
                let row = Row(record);
                if let Some(id) = row.id().filter(|id| wanted.contains(id)) {
                    found.insert(id, row.number("customer_id").filter(|id| *id > 0));
                }
            }
            wanted
                .iter()
                .copied()
                .filter(|id| !found.contains_key(id))
                .collect::<Vec<u64>>()
        };
        for some in pays.chunks(IDS_MAX) {
            let mut missing = some.to_vec();
            for branch in &reference.branches {
                if !missing.is_empty() {
                    let filters = json!({ "id": missing });
                    let read = self.read_in(*branch, "pay/index", filters).await?;
                    missing = note(&read, some);
                }
            }
            // Whether this filter takes several, nobody says.
            for id in missing {
                for branch in &reference.branches {
                    let filters = json!({ "id": id });
                    let read = self.read_in(*branch, "pay/index", filters).await?;
                    if note(&read, &[id]).is_empty() {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Returns which of these are not there any more.
    pub(super) async fn gone_of(&self, ids: Vec<String>) -> Result<Vec<String>, Unanswered> {
        let (mut customers, mut pays) = (BTreeSet::new(), Vec::new());
        for id in &ids {
            match of(id) {
                Some(Of::Customer(customer)) => drop(customers.insert(customer)),
                Some(Of::Pay(pay)) => pays.push(pay),
                None => {}
            }
        }
        let reference = self.reference().await?;
        let cards = match customers.is_empty() {
            true => Vec::new(),
            false => self.deal_cards(&customers, &reference.branches).await?,
        };
        let there: BTreeSet<u64> = cards.iter().map(|card| card.id).collect();
        let pays = match pays.is_empty() {
            true => BTreeMap::new(),
            false => self.customers_of_pays(&pays).await?,
        };
        let is_gone = |id: &String| match of(id) {
            Some(Of::Customer(customer)) => !there.contains(&customer),
            Some(Of::Pay(pay)) => !pays.contains_key(&pay),
            None => true,
        };
        Ok(ids.into_iter().filter(is_gone).collect())
    }

    /// Returns the first sale.
    fn lead(
        &self,
        card: &Card,
        settled: &Settled,
        known: Option<&Deal>,
        reference: &Reference,
    ) -> DealRecord {
        let row = Row(&card.record);
        let zone = &self.settings.zone;
        let is_client = row.number("is_study") == Some(1);
        let is_rejected = row.number("lead_reject_id").is_some_and(|id| id > 0);
        let verdict = match (is_client, is_rejected || card.is_archived) {
            (true, _) => Some(DealVerdict::Won),
            (false, true) => Some(DealVerdict::Lost),
            (false, false) => None,
        };
        let stage = row.number("lead_status_id").filter(|id| *id > 0);
        let stage = stage.map_or_else(|| UNASSIGNED.to_owned(), |id| id.to_string());
        let created_at = row.time("created_at", zone).unwrap_or_default();
        let updated_at = row.time("updated_at", zone).unwrap_or(created_at);
        let first = card.pays.iter().find(|pay| Some(pay.id) == settled.first);
        let counts = self.settings.deals.first_sale == FirstSale::FirstPayment;
        let income = first
            .filter(|pay| counts && pay.is_confirmed)
            .map(|pay| pay.income);
        // What ended where it stands ended when it was seen there first.
        let stood = known.filter(|known| known.stage.id == stage);
        let stood = stood.filter(|known| match verdict {
            Some(DealVerdict::Won) => known.state == DealState::Won,
            Some(DealVerdict::Lost) => known.state == DealState::Lost,
            None => true,
        });
        let closed_at = settled.client_since.filter(|_| is_client);
        let closed_at = closed_at.or_else(|| stood.and_then(|known| known.closed_at));
        let source = row.number("lead_source_id");
        let branches = row.numbers("branch_ids");
        DealRecord {
            id: lead_id(card.id),
            name: row.text("name").unwrap_or_default(),
            place: StagePlace {
                pipeline: FIRST.to_owned(),
                stage,
            },
            verdict,
            settled: true,
            kept: settled.kept.clone(),
            price: income.or_else(|| Sum::from_units(0)),
            currency: None,
            responsible: row.responsible(),
            client: Some(self.client_of(card)),
            source: source.and_then(|id| reference.sources.get(&id)).cloned(),
            values: self.values(card, &branches, None, reference),
            created_at,
            updated_at,
            closed_at: Some(closed_at.unwrap_or(updated_at)),
        }
    }

    /// Returns an upsell.
    fn upsell(&self, card: &Card, pay: &Pay, reference: &Reference) -> DealRecord {
        let row = Row(&card.record);
        let made_at = self.made_at(pay);
        let source = row.number("lead_source_id");
        let branches = match pay.branch {
            Some(branch) => vec![branch],
            None => row.numbers("branch_ids"),
        };
        DealRecord {
            id: pay_id(pay.id),
            name: row.text("name").unwrap_or_default(),
            place: StagePlace {
                pipeline: UPSELL.to_owned(),
                stage: if pay.is_confirmed { PAID } else { UNPAID }.to_owned(),
            },
            verdict: pay.is_confirmed.then_some(DealVerdict::Won),
            settled: true,
            kept: BTreeMap::new(),
            price: Some(pay.income),
            currency: None,
            responsible: row.responsible(),
            client: Some(self.client_of(card)),
            source: source.and_then(|id| reference.sources.get(&id)).cloned(),
            values: self.values(card, &branches, Some(pay), reference),
            created_at: made_at,
            updated_at: pay.updated_at.max(made_at),
            closed_at: Some(made_at),
        }
    }

    /// Returns when a payment was made: the day of its document, at the time of day at which it was
    /// entered (§8).
    fn made_at(&self, pay: &Pay) -> Timestamp {
        let zone = &self.settings.zone;
        let day = written(pay.day, zone, "%Y-%m-%d");
        let clock = written(pay.created_at, zone, "%H:%M:%S");
        crate::crm::alfacrm::wire::time(&format!("{day} {clock}"), zone).unwrap_or(pay.day)
    }

    fn client_of(&self, card: &Card) -> DealClient {
        let row = Row(&card.record);
        DealClient {
            id: card.id.to_string(),
            name: row.text("name").unwrap_or_default(),
            phones: row.phones(),
            emails: row.emails(),
            created_at: row.time("created_at", &self.settings.zone),
        }
    }

    fn values(
        &self,
        card: &Card,
        branches: &[u64],
        pay: Option<&Pay>,
        reference: &Reference,
    ) -> Vec<DealValue> {
        let row = Row(&card.record);
        let called = |ids: &[u64], names: &BTreeMap<u64, String>| {
            let name = |id: &u64| names.get(id).cloned().unwrap_or_else(|| id.to_string());
            ids.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        let kind = pay.and_then(|pay| pay.kind);
        let ordinary = [
            (
                TEACHER,
                called(&row.numbers("teacher_ids"), &reference.teachers),
            ),
            (BRANCH, called(branches, &reference.branch_names)),
            (PAYER, row.text("legal_name").unwrap_or_default()),
            (PAY_TYPE, called(kind.as_slice(), &reference.pay_types)),
        ];
        let ordinary = ordinary
            .into_iter()
            .map(|((field, name), text)| (field.to_owned(), name.to_owned(), text));
        let object = card.record.as_object().into_iter().flatten();
        let customs = object.filter(|(key, _)| key.starts_with(CUSTOM));
        let customs = customs.map(|(key, value)| {
            let texts = items(value).into_iter().filter_map(shown);
            let text = texts.collect::<Vec<_>>().join(", ");
            // By the code it is found also before a list of fields is read again.
            let code = key.strip_prefix(CUSTOM).unwrap_or(key);
            (key.clone(), code.to_owned(), text)
        });
        let own = self.settings.marker_field.as_deref();
        ordinary
            .chain(customs)
            .filter(|(field, _, text)| !text.is_empty() && Some(field.as_str()) != own)
            .map(|(field, name, text)| DealValue { field, name, text })
            .collect()
    }
}

/// Returns what stands in an additional field as people see it.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(ticked) => Some(if *ticked { "да" } else { "нет" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Makes a move of a payment that stands elsewhere than before: the log does not tell of stages that
/// are ours.
fn seen_move(deal: &DealRecord, known: Option<&Deal>) -> Option<StageMove> {
    let known = known.filter(|known| known.state != DealState::Removed)?;
    let from = StagePlace {
        pipeline: known.pipeline.id.clone(),
        stage: known.stage.id.clone(),
    };
    (from != deal.place).then(|| StageMove {
        deal: deal.id.clone(),
        at: deal.updated_at,
        id: format!("seen/{}", deal.place.stage),
        from: Some(from),
        to: deal.place.clone(),
    })
}

/// Says whether a card or payment is kept as it is.
pub(super) fn is_unchanged(row: Row<'_>, known: &Deal, zone: &jiff::tz::TimeZone) -> bool {
    let at = row
        .time("updated_at", zone)
        .or_else(|| row.time("created_at", zone));
    known.state != DealState::Removed && at == Some(known.updated_at)
}
