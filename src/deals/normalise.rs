//! What a CRM says of a deal, as we keep it: stages merged into success and refusal, the sum from
//! the chosen field, the chosen columns (V-13, S2-37, S4-17). Pure.

use crate::crm::{DealField, DealNames};
use crate::model::deal::{Deal, DealRecord, DealState, DealValue, DealVerdict, Named, Sum};
use crate::model::deal_settings::{ConversionModel, DealSettings};
use crate::model::timestamp::Timestamp;

/// Longest text of a name or column that is kept: what cards of CRMs take.
const TEXT_CHARS_MAX: usize = 4_000;

/// Returns the deal; `None` where its pipeline is not among the chosen ones.
pub fn normalise(record: &DealRecord, names: &DealNames, settings: &DealSettings) -> Option<Deal> {
    if !settings.pipelines.is_empty() && !settings.pipelines.contains(&record.place.pipeline) {
        return None;
    }
    let state = state(record, settings);
    let sum = match &settings.sum_field {
        Some(field) => value(record, names, field).and_then(|value| Sum::parse(&value.text)),
        None => record.price,
    };
    let source = match &settings.source_field {
        Some(field) => value(record, names, field).map(|value| cut(&value.text)),
        None => record.source.as_deref().map(cut),
    };
    Some(Deal {
        id: record.id.clone(),
        name: cut(&record.name),
        pipeline: named(
            &record.place.pipeline,
            names.pipelines.get(&record.place.pipeline),
        ),
        stage: named(
            &record.place.stage,
            names
                .stages
                .get(&(record.place.pipeline.clone(), record.place.stage.clone())),
        ),
        state,
        sum,
        currency: record.currency.clone().or_else(|| names.currency.clone()),
        responsible: record
            .responsible
            .as_ref()
            .map(|user| named(&user.0, names.users.get(&user.0))),
        client: record.client.clone(),
        source,
        columns: columns(record, names, settings),
        communication: None,
        kept: record.kept.clone(),
        created_at: record.created_at,
        updated_at: record.updated_at,
        // A refusal that was taken back, or a stage that only we count as an end.
        closed_at: match state {
            DealState::Open | DealState::Removed => None,
            DealState::Won | DealState::Lost => record.closed_at,
        },
    })
}

/// The sets decide, beside what is settled; what stands in neither is what the CRM says, for a set
/// that was left out.
fn state(record: &DealRecord, settings: &DealSettings) -> DealState {
    let (place, verdict) = (&record.place, record.verdict);
    let settled = verdict.filter(|_| record.settled);
    if settled == Some(DealVerdict::Won) {
        return DealState::Won;
    }
    if settings.good.iter().any(|stage| stage.holds(place)) {
        return DealState::Won;
    }
    if settings.bad.iter().any(|stage| stage.holds(place)) {
        return DealState::Lost;
    }
    if settled == Some(DealVerdict::Lost) {
        return DealState::Lost;
    }
    match verdict {
        Some(DealVerdict::Won) if settings.good.is_empty() => DealState::Won,
        Some(DealVerdict::Lost) if settings.bad.is_empty() => DealState::Lost,
        Some(_) | None => DealState::Open,
    }
}

/// Returns the time before which the communication lies that the deal came of.
pub fn came_before(deal: &Deal, model: ConversionModel) -> Timestamp {
    let client = deal.client.as_ref();
    match model {
        ConversionModel::BeforeDeal => deal.created_at,
        ConversionModel::BeforeContact => client
            .and_then(|client| client.created_at)
            .unwrap_or(deal.created_at),
    }
}

fn columns(record: &DealRecord, names: &DealNames, settings: &DealSettings) -> Vec<DealValue> {
    let column = |wanted: &String| {
        let known = field(names, wanted);
        let found = value(record, names, wanted);
        DealValue {
            field: known.map_or(wanted, |known| &known.id).clone(),
            name: known.map_or_else(|| wanted.clone(), |known| cut(&known.name)),
            text: found.map(|found| cut(&found.text)).unwrap_or_default(),
        }
    };
    settings.columns.iter().map(column).collect()
}

/// Finds the field that is meant: by id, else by code, else by name.
fn field<'a>(names: &'a DealNames, wanted: &str) -> Option<&'a DealField> {
    let wanted = wanted.trim();
    let small = wanted.to_lowercase();
    let find = |fits: &dyn Fn(&DealField) -> bool| names.fields.iter().find(|field| fits(field));
    find(&|field| field.id == wanted)
        .or_else(|| find(&|field| field.code.as_deref() == Some(wanted)))
        .or_else(|| find(&|field| field.name.trim().to_lowercase() == small))
}

/// Finds what stands in a field; where the CRM lists none, by what the values say of themselves.
fn value<'a>(record: &'a DealRecord, names: &DealNames, wanted: &str) -> Option<&'a DealValue> {
    let known = field(names, wanted);
    let id = known.map_or(wanted.trim(), |known| &known.id);
    let small = wanted.trim().to_lowercase();
    let by_name = |value: &&DealValue| value.name.trim().to_lowercase() == small;
    let values = &record.values;
    let by_id = values.iter().find(|value| value.field == id);
    by_id.or_else(|| values.iter().find(by_name))
}

fn named(id: &str, name: Option<&String>) -> Named {
    Named {
        id: id.to_owned(),
        name: name
            .filter(|name| !name.is_empty())
            .map_or_else(|| id.to_owned(), |name| cut(name)),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
