//! Reads a list from its newest end until what is sought is found or surely is not there.
//!
//! Lists ordered by id or time are always up to date, unlike the search (`crm/amocrm.md` §16), so
//! only such a reading may say "absent".

use serde::de::DeserializeOwned;

use super::client::{Client, Query, ReadError, query};
use super::wire::answers::{CardRecord, Note, Task, Unsorted};
use crate::crm::Class;

/// The first look is short: mostly the record is among the newest.
const FIRST_LIMIT: &str = "50";

/// Then pages of the greatest permitted length.
const LIMIT: &str = "250";

/// Most of those pages: ten thousand records made or changed since the sending. Beyond that an
/// account is too busy for reading back, and the outcome is undecidable.
const PAGES_MAX: u32 = 40;

/// Something with a time before which nothing of it existed.
pub(super) trait Dated {
    /// Returns the latest time that the record bears, in Unix seconds. Times of making can be
    /// given by whoever makes it; the time of the last change comes from the CRM.
    fn latest(&self) -> i64;
}

impl Dated for CardRecord {
    fn latest(&self) -> i64 {
        self.created_at.max(self.updated_at)
    }
}

impl Dated for Note {
    fn latest(&self) -> i64 {
        self.created_at.max(self.updated_at)
    }
}

impl Dated for Task {
    fn latest(&self) -> i64 {
        self.created_at.max(self.updated_at)
    }
}

impl Dated for Unsorted {
    fn latest(&self) -> i64 {
        self.created_at
    }
}

/// What came of a scan.
#[derive(Debug)]
pub(super) enum Scanned<T> {
    Found(T),
    /// Everything that could be it was seen.
    Absent,
    /// There was more to see than is read.
    TooLong,
}

/// Which list, and how far back.
pub(super) struct Scan<'a> {
    pub(super) path: &'a str,
    pub(super) name: &'a str,
    /// Filters and order: newest first.
    pub(super) query: Query,
    /// A search that may find it at once; trusted only when it does.
    pub(super) hint: Option<Query>,
    /// Older records cannot be it: Unix seconds.
    pub(super) since: i64,
}

impl Scan<'_> {
    /// Reads until a record matches, or none can any more.
    pub(super) async fn find<T: DeserializeOwned + Dated>(
        &self,
        client: &Client,
        matches: impl Fn(&T) -> bool,
    ) -> Result<Scanned<T>, ReadError> {
        if let Some(seen) = self.look_at(client, FIRST_LIMIT, 1, &matches).await? {
            return Ok(seen);
        }
        if let Some(hint) = &self.hint {
            let page = client
                .page(self.path, self.name, hint.clone(), Class::Work)
                .await?;
            if let Some(found) = page.items.into_iter().find(&matches) {
                return Ok(Scanned::Found(found));
            }
        }
        for number in 1..=PAGES_MAX {
            if let Some(seen) = self.look_at(client, LIMIT, number, &matches).await? {
                return Ok(seen);
            }
        }
        Ok(Scanned::TooLong)
    }

    async fn look_at<T: DeserializeOwned + Dated>(
        &self,
        client: &Client,
        limit: &str,
        number: u32,
        matches: &impl Fn(&T) -> bool,
    ) -> Result<Option<Scanned<T>>, ReadError> {
        let number = number.to_string();
        let mut pairs = self.query.clone();
        pairs.extend(query(&[("limit", limit), ("page", &number)]));
        let page = client
            .page::<T>(self.path, self.name, pairs, Class::Work)
            .await?;
        // One old record proves nothing, for its time may have been given by its maker; a whole
        // page of them does.
        let all_old = page.items.iter().all(|item| item.latest() < self.since);
        let last = page.items.is_empty() || !page.more;
        if let Some(found) = page.items.into_iter().find(matches) {
            return Ok(Some(Scanned::Found(found)));
        }
        Ok((all_old || last).then_some(Scanned::Absent))
    }
}
