//! Search of the journal: pages through the narrowest facet of the index and filters the rest,
//! newest first; never a scan of all communications.

use super::error::{StoreError, Trouble};
use super::facet::{narrowest, of_address, phones};
use super::ledger_rows::Progress;
use super::query::{JournalPage, JournalSearch, SEARCH_ROWS_MAX, StoredCommunication};
use super::reader::Reader;
use super::tables::{COMMUNICATIONS, JOURNAL_INDEX, LAST, LEDGERS, get_text, skip_unreadable};
use crate::model::communication::Address;
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::ledger::LedgerStep;
use crate::model::phone::Phone;

/// The most index rows that one page looks at: a page with a rare filter ends within a second,
/// and says where to go on.
pub(super) const LOOK_MAX: usize = 20_000;

/// Returns one page, looking at no more than so many rows of the index.
pub(super) fn search(
    reader: &Reader<'_>,
    search: &JournalSearch,
    look_max: usize,
) -> Result<JournalPage, Trouble> {
    let facet = narrowest(search);
    let start = search.from.map_or(i64::MIN, |from| from.as_millis());
    let end = search.until.map_or(i64::MAX, |until| until.as_millis());
    let after = match &search.after {
        Some(key) => Some(position(reader, key)?),
        None => None,
    };
    let end = match &after {
        Some((at, key)) if *at < end => (*at, key.as_str()),
        Some(_) | None => (end, ""),
    };
    let mut page = JournalPage::default();
    let limit = search.limit.min(SEARCH_ROWS_MAX);
    if limit == 0 || (start, "") > end {
        return Ok(page);
    }
    let communications = reader.table(COMMUNICATIONS)?;
    let range = (facet.as_str(), start, "")..(facet.as_str(), end.0, end.1);
    let index = reader.table(JOURNAL_INDEX)?;
    for (looks, row) in index.range(range)?.rev().enumerate() {
        let (place, _) = row?;
        let (_, _, key) = place.value();
        if page.found.len() >= limit || looks >= look_max {
            return Ok(page);
        }
        page.next = key.parse::<CommunicationKey>().ok();
        let read = get_text(&communications, "communications", key, reader.health);
        let stored: Option<StoredCommunication> = skip_unreadable(read)?;
        page.found
            .extend(stored.filter(|found| matches(search, found)));
    }
    page.next = None;
    Ok(page)
}

/// Returns the steps of some integrations for the newest communications of a number or e-mail
/// address.
pub(super) fn steps_of_address(
    reader: &Reader<'_>,
    address: &Address,
    integrations: &[IntegrationKey],
    communications_max: usize,
) -> Result<Vec<LedgerStep>, Trouble> {
    let Some(facet) = of_address(address) else {
        return Ok(Vec::new());
    };
    let (index, ledgers) = (reader.table(JOURNAL_INDEX)?, reader.table(LEDGERS)?);
    let range = (facet.as_str(), i64::MIN, "")..=(facet.as_str(), i64::MAX, LAST);
    let mut steps = Vec::new();
    for row in index.range(range)?.rev().take(communications_max) {
        let (place, _) = row?;
        let (_, _, communication) = place.value();
        for integration in integrations {
            let name = integration.to_string();
            let Some(row) = ledgers.get((communication, name.as_str()))? else {
                continue;
            };
            // Another communication's, counted and logged: no reason to hold this one up.
            let name = format!("{name} {communication}");
            let read = reader.health.read::<Progress>("ledgers", name, row.value());
            steps.extend(read.into_iter().flat_map(|progress| progress.steps));
        }
    }
    Ok(steps)
}

/// Returns where a communication stands in every facet.
fn position(reader: &Reader<'_>, key: &CommunicationKey) -> Result<(i64, String), Trouble> {
    let stored = reader
        .communication(key)?
        .ok_or_else(|| StoreError::NoCommunication(key.clone()))?;
    let at = stored.snapshot.body.started_at().as_millis();
    Ok((at, key.to_string()))
}

fn matches(search: &JournalSearch, found: &StoredCommunication) -> bool {
    let began = found.snapshot.body.started_at();
    let tenant = found.snapshot.key.tenant();
    let has_phone = |wanted: &Phone| phones(found).any(|phone| phone == *wanted);
    search.tenant.as_ref().is_none_or(|wanted| wanted == tenant)
        && search.phone.as_ref().is_none_or(has_phone)
        && search.from.is_none_or(|from| began >= from)
        && search.until.is_none_or(|until| began < until)
        && search.outcome.is_none_or(|wanted| wanted == found.outcome)
        && search
            .kind
            .is_none_or(|wanted| wanted == found.snapshot.body.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::communication::{Body, Kind, Snapshot};
    use crate::model::request::SiteRequest;
    use crate::model::timestamp::Timestamp;
    use crate::store::command::{Accept, Acceptance};
    use crate::store::{Store, StoreKey, StoreOptions};

    #[tokio::test]
    async fn a_page_that_looked_at_enough_rows_says_where_to_go_on() {
        let backend = redb::backends::InMemoryBackend::new();
        let opened = Store::open_backend(backend, StoreKey::generate(), StoreOptions::default());
        let (store, _thread) = opened.expect("opens");
        let source = "acme/site".parse().expect("a source");
        let acceptances = (0..10).map(|n| Acceptance {
            snapshot: Snapshot {
                key: CommunicationKey::new(Clone::clone(&source), &format!("r{n}")).expect("a key"),
                revision: 1,
                body: Body::Request {
                    request: SiteRequest {
                        at: Timestamp::from_secs(n),
                        name: None,
                        phone: None,
                        email: None,
                        text: None,
                        form: None,
                        site: None,
                        page: None,
                        fields: Default::default(),
                        tags: Vec::new(),
                        details: Default::default(),
                    },
                },
            },
            routes: vec![],
            not_taken: None,
        });
        let accept = Accept {
            acceptances: acceptances.collect(),
            source: Clone::clone(&source),
            checkpoint: None,
            recordings: Vec::new(),
            notes: vec![],
            now: Timestamp::from_secs(100),
        };
        store.accept(accept).await.expect("accepts");
        let mut search = JournalSearch {
            kind: Some(Kind::Chat),
            limit: 5,
            ..JournalSearch::default()
        };
        let mut ends = Vec::new();
        loop {
            let page = store.search_within(search.clone(), 4).await;
            let page = page.expect("searches");
            assert_eq!(page.found, []);
            let Some(next) = page.next else { break };
            ends.push(next.item.clone());
            search.after = Some(next);
        }
        assert_eq!(ends, ["r6", "r2"]);
    }
}
