//! The journal's index: one table, (facet, begin, communication), where a facet is a text such
//! as `phone:+79161234567` or `tenant:acme outcome:dead`. Every facet is ordered by time, so
//! that any search pages through one facet and filters the rest.

use std::collections::BTreeSet;

use super::error::Trouble;
use super::query::{JournalOutcome, JournalSearch, StoredCommunication};
use super::tables::Tables;
use crate::model::communication::Address;
use crate::model::ids::TenantId;
use crate::model::phone::Phone;

/// The facet that every communication has.
const ALL: &str = "all";

/// Returns the outcome's word in the index; never changed, it stands in stored keys.
fn word(outcome: JournalOutcome) -> &'static str {
    match outcome {
        JournalOutcome::Open => "open",
        JournalOutcome::NotTaken => "not_taken",
        JournalOutcome::Ignored => "ignored",
        JournalOutcome::Observed => "observed",
        JournalOutcome::Done => "done",
        JournalOutcome::Waiting => "waiting",
        JournalOutcome::Dead => "dead",
    }
}

fn of_tenant(tenant: &TenantId) -> String {
    format!("tenant:{tenant}")
}

/// Returns the facet of all communications of a number.
pub(super) fn of_phone(phone: &Phone) -> String {
    format!("phone:{phone}")
}

/// Returns the facet of all communications of an address; a visitor's id has none, for the CRM is
/// never asked by it.
pub(super) fn of_address(address: &Address) -> Option<String> {
    match address {
        Address::Phone(phone) => Some(of_phone(phone)),
        Address::Email(email) => Some(format!("email:{email}")),
        Address::Visitor(_) => None,
    }
}

/// Returns the facet of all communications of an outcome.
pub(super) fn of_outcome(outcome: JournalOutcome) -> String {
    format!("outcome:{}", word(outcome))
}

fn of_tenant_and_outcome(tenant: &TenantId, outcome: JournalOutcome) -> String {
    format!("tenant:{tenant} outcome:{}", word(outcome))
}

/// Chooses the facet with the fewest rows that holds everything a search may find: a number has
/// few calls, a tenant's outcome fewer than the tenant.
pub(super) fn narrowest(search: &JournalSearch) -> String {
    match (&search.phone, &search.tenant, search.outcome) {
        (Some(phone), _, _) => of_phone(phone),
        (None, Some(tenant), Some(outcome)) => of_tenant_and_outcome(tenant, outcome),
        (None, None, Some(outcome)) => of_outcome(outcome),
        (None, Some(tenant), None) => of_tenant(tenant),
        (None, None, None) => ALL.to_owned(),
    }
}

/// Returns the client's numbers.
pub(super) fn phones(stored: &StoredCommunication) -> impl Iterator<Item = Phone> {
    stored
        .snapshot
        .body
        .addresses()
        .into_iter()
        .filter_map(|address| match address {
            Address::Phone(phone) => Some(phone),
            Address::Email(_) | Address::Visitor(_) => None,
        })
}

/// Returns where a communication stands in the index.
fn places(stored: &StoredCommunication) -> BTreeSet<(String, i64)> {
    let at = stored.snapshot.body.started_at().as_millis();
    let tenant = stored.snapshot.key.tenant();
    let mut places = BTreeSet::from([
        (ALL.to_owned(), at),
        (of_tenant(tenant), at),
        (of_outcome(stored.outcome), at),
        (of_tenant_and_outcome(tenant, stored.outcome), at),
    ]);
    let addresses = stored.snapshot.body.addresses();
    places.extend(
        addresses
            .iter()
            .filter_map(of_address)
            .map(|facet| (facet, at)),
    );
    places
}

/// Moves a communication's rows of the index.
pub(super) fn reindex(
    tables: &mut Tables<'_>,
    old: Option<&StoredCommunication>,
    new: Option<&StoredCommunication>,
) -> Result<(), Trouble> {
    let Some(key) = new.or(old).map(|stored| stored.snapshot.key.to_string()) else {
        return Ok(());
    };
    let before = old.map(places).unwrap_or_default();
    let after = new.map(places).unwrap_or_default();
    for (facet, at) in before.difference(&after) {
        tables
            .journal_index
            .remove((facet.as_str(), *at, key.as_str()))?;
        tables.wrote = true;
    }
    for (facet, at) in after.difference(&before) {
        tables
            .journal_index
            .insert((facet.as_str(), *at, key.as_str()), ())?;
        tables.wrote = true;
    }
    Ok(())
}
