//! Reads the deals that came back.

use redb::ReadableTable;

use super::deal_tables::{
    BY_TIME, BY_VERSION, COUNT_DEALS, COUNT_HINTS, COUNT_REFUSED, COUNTS, DEALS, HINTS, MOVES,
    PULLS, REFUSED, UPLOADS, is_old, read_row,
};
use super::deals::{
    DEALS_PAGE_MAX, DealBatch, DealCommand, DealFigures, DealHint, DealPageFound, DealPlace,
    DealPull, DealSearch, DealUpload, DealUploaded, DealsApplied, FoundDeal, StoredDeal,
};
use super::error::{StoreError, Trouble};
use super::handle::StoreHandle;
use super::reader::Reader;
use super::tables::{LAST, get_text, skip_unreadable};
use super::writer::Command;
use crate::model::deal::{DealState, StageMove};
use crate::model::ids::IntegrationKey;
use crate::model::timestamp::Timestamp;

/// The most deals that one page of a search looks at: with a rare filter it ends within a second,
/// and says where to go on.
const LOOK_MAX: usize = 20_000;

/// The most deals that one sweep looks at: some seconds of one reader.
const SWEEP_LOOK_MAX: usize = 1_000_000;

/// The most moves that are returned of one deal.
const MOVES_MAX: usize = 1_000;

impl StoreHandle {
    /// Changes what is kept of an integration's deals.
    pub async fn change_deals(&self, batch: DealBatch) -> Result<DealsApplied, StoreError> {
        self.deals(DealCommand::Batch(batch)).await
    }

    /// Keeps the CRM's word that something about these deals changed.
    pub async fn hint_deals(
        &self,
        integration: IntegrationKey,
        deals: Vec<String>,
    ) -> Result<(), StoreError> {
        let hint = DealCommand::Hint(integration, deals);
        self.deals(hint).await.map(drop)
    }

    /// Records how far deals were passed on.
    pub async fn deals_uploaded(&self, uploaded: DealUploaded) -> Result<(), StoreError> {
        let uploaded = DealCommand::Uploaded(uploaded);
        self.deals(uploaded).await.map(drop)
    }

    /// Removes closed and removed deals that neither the CRM nor we have changed since `before`, at
    /// the most so many; returns how many.
    pub async fn sweep_deals(&self, before: Timestamp, rows_max: usize) -> Result<u64, StoreError> {
        let list = self
            .read_long(move |reader| reader.old_deals(before, rows_max))
            .await?;
        if list.is_empty() {
            return Ok(0);
        }
        let applied = self.deals(DealCommand::Remove(list, before)).await?;
        Ok(applied.changed)
    }

    async fn deals(&self, command: DealCommand) -> Result<DealsApplied, StoreError> {
        self.ask(|reply| Command::Deals(Box::new(command), reply))
            .await
    }

    /// Searches an integration's deals, the newest made first.
    pub async fn search_deals(
        &self,
        integration: IntegrationKey,
        search: DealSearch,
    ) -> Result<DealPageFound, StoreError> {
        self.read_long(move |reader| reader.search_deals(&integration, &search))
            .await
    }

    /// Returns a deal with its moves, the oldest first.
    pub async fn deal(
        &self,
        integration: IntegrationKey,
        id: String,
    ) -> Result<Option<(FoundDeal, Vec<StageMove>)>, StoreError> {
        self.read(move |reader| reader.deal_with_moves(&integration, &id))
            .await
    }

    /// Returns those of these deals that are kept.
    pub async fn deals_by_id(
        &self,
        integration: IntegrationKey,
        ids: Vec<String>,
    ) -> Result<Vec<StoredDeal>, StoreError> {
        self.read(move |reader| {
            let key = integration.to_string();
            let mut found = Vec::new();
            for id in &ids {
                found.extend(reader.stored_deal(&key, id)?);
            }
            Ok(found)
        })
        .await
    }

    /// Returns how far the reading of deals came.
    pub async fn deal_pull(
        &self,
        integration: IntegrationKey,
    ) -> Result<Option<DealPull>, StoreError> {
        self.read(move |reader| reader.deal_pull(&integration))
            .await
    }

    /// Returns hints that wait, the oldest first, at the most so many.
    pub async fn deal_hints(
        &self,
        integration: IntegrationKey,
        limit: usize,
    ) -> Result<Vec<DealHint>, StoreError> {
        self.read(move |reader| reader.deal_hints(&integration, limit))
            .await
    }

    /// Returns how far deals were passed on.
    pub async fn deal_upload(
        &self,
        integration: IntegrationKey,
    ) -> Result<Option<DealUpload>, StoreError> {
        self.read(move |reader| reader.deal_upload(&integration))
            .await
    }

    /// Returns deals that changed after a number, in the order of their changes.
    pub async fn deals_after(
        &self,
        integration: IntegrationKey,
        version: u64,
        limit: usize,
    ) -> Result<Vec<StoredDeal>, StoreError> {
        self.read(move |reader| reader.deals_after(&integration, version, limit))
            .await
    }

    /// Counts an integration's deals.
    pub async fn deal_figures(
        &self,
        integration: IntegrationKey,
    ) -> Result<DealFigures, StoreError> {
        self.read(move |reader| reader.deal_figures(&integration))
            .await
    }
}

impl Reader<'_> {
    fn search_deals(
        &self,
        integration: &IntegrationKey,
        search: &DealSearch,
    ) -> Result<DealPageFound, Trouble> {
        let key = integration.to_string();
        let mut page = DealPageFound::default();
        let limit = search.limit.min(DEALS_PAGE_MAX);
        let Some(index) = self.table_if_made(BY_TIME)? else {
            return Ok(page);
        };
        let start = search.from.map_or(i64::MIN, Timestamp::as_millis);
        let end = search.until.map_or(i64::MAX, Timestamp::as_millis);
        let end = match &search.after {
            Some(after) if after.created_at.as_millis() < end => {
                (after.created_at.as_millis(), after.id.as_str())
            }
            Some(_) | None => (end, ""),
        };
        if limit == 0 || (start, "") > end {
            return Ok(page);
        }
        let wanted = Wanted::of(search);
        let range = (key.as_str(), start, "")..(key.as_str(), end.0, end.1);
        for (looks, row) in index.range(range)?.rev().enumerate() {
            let (place, _) = row?;
            let (_, made, id) = place.value();
            if page.deals.len() >= limit || looks >= LOOK_MAX {
                return Ok(page);
            }
            page.next = Some(DealPlace {
                created_at: Timestamp::from_millis(made),
                id: id.to_owned(),
            });
            let found = self.found_deal(&key, id)?;
            page.deals.extend(found.filter(|found| wanted.fits(found)));
        }
        page.next = None;
        Ok(page)
    }

    fn stored_deal(&self, key: &str, id: &str) -> Result<Option<StoredDeal>, Trouble> {
        let Some(table) = self.table_if_made(DEALS)? else {
            return Ok(None);
        };
        let row = table.get((key, id))?;
        let read = row.map(|row| read_row(self.health, key, id, row.value()));
        // Counted and logged; the others are shown.
        skip_unreadable(read.transpose())
    }

    fn found_deal(&self, key: &str, id: &str) -> Result<Option<FoundDeal>, Trouble> {
        let Some(stored) = self.stored_deal(key, id)? else {
            return Ok(None);
        };
        let refusals = self.table_if_made(REFUSED)?;
        let refused = refusals.map(|table| table.get((key, id))).transpose()?;
        let refused = refused.flatten().map(|why| why.value().to_owned());
        Ok(Some(FoundDeal { stored, refused }))
    }

    fn deal_with_moves(
        &self,
        integration: &IntegrationKey,
        id: &str,
    ) -> Result<Option<(FoundDeal, Vec<StageMove>)>, Trouble> {
        let key = integration.to_string();
        let Some(found) = self.found_deal(&key, id)? else {
            return Ok(None);
        };
        let mut moves = Vec::new();
        if let Some(table) = self.table_if_made(MOVES)? {
            let range = (key.as_str(), id, i64::MIN, "")..=(key.as_str(), id, i64::MAX, LAST);
            for row in table.range(range)?.take(MOVES_MAX) {
                let (place, row) = row?;
                let (_, _, at, one) = place.value();
                let name = format!("{key} {id} {at} {one}");
                let read = self
                    .health
                    .read::<StageMove>("deal_moves", name, row.value());
                moves.extend(read);
            }
        }
        Ok(Some((found, moves)))
    }

    fn deal_pull(&self, integration: &IntegrationKey) -> Result<Option<DealPull>, Trouble> {
        match self.table_if_made(PULLS)? {
            // One that cannot be read is begun anew.
            Some(table) => skip_unreadable(get_text(
                &table,
                "deal_pulls",
                &integration.to_string(),
                self.health,
            )),
            None => Ok(None),
        }
    }

    fn deal_upload(&self, integration: &IntegrationKey) -> Result<Option<DealUpload>, Trouble> {
        match self.table_if_made(UPLOADS)? {
            Some(table) => skip_unreadable(get_text(
                &table,
                "deal_uploads",
                &integration.to_string(),
                self.health,
            )),
            None => Ok(None),
        }
    }

    fn deal_hints(
        &self,
        integration: &IntegrationKey,
        limit: usize,
    ) -> Result<Vec<DealHint>, Trouble> {
        let key = integration.to_string();
        let Some(table) = self.table_if_made(HINTS)? else {
            return Ok(Vec::new());
        };
        let mut hints = Vec::new();
        for row in table.range((key.as_str(), "")..=(key.as_str(), LAST))? {
            let (place, number) = row?;
            hints.push(DealHint {
                deal: place.value().1.to_owned(),
                number: number.value(),
            });
        }
        hints.sort_by_key(|hint| hint.number);
        hints.truncate(limit);
        Ok(hints)
    }

    fn deals_after(
        &self,
        integration: &IntegrationKey,
        version: u64,
        limit: usize,
    ) -> Result<Vec<StoredDeal>, Trouble> {
        let key = integration.to_string();
        let Some(table) = self.table_if_made(BY_VERSION)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let range = (key.as_str(), version.saturating_add(1))..=(key.as_str(), u64::MAX);
        for row in table.range(range)?.take(limit) {
            let (_, id) = row?;
            found.extend(self.stored_deal(&key, id.value())?);
        }
        Ok(found)
    }

    fn deal_figures(&self, integration: &IntegrationKey) -> Result<DealFigures, Trouble> {
        let key = integration.to_string();
        let Some(table) = self.table_if_made(COUNTS)? else {
            return Ok(DealFigures::default());
        };
        let count = |word: &str| -> Result<u64, Trouble> {
            Ok(table
                .get((key.as_str(), word))?
                .map_or(0, |count| count.value()))
        };
        Ok(DealFigures {
            deals: count(COUNT_DEALS)?,
            hints: count(COUNT_HINTS)?,
            refused: count(COUNT_REFUSED)?,
        })
    }

    fn old_deals(
        &self,
        before: Timestamp,
        rows_max: usize,
    ) -> Result<Vec<(IntegrationKey, String)>, Trouble> {
        let Some(table) = self.table_if_made(DEALS)? else {
            return Ok(Vec::new());
        };
        let mut old = Vec::new();
        for row in table.iter()?.take(SWEEP_LOOK_MAX) {
            if old.len() >= rows_max {
                break;
            }
            let (place, row) = row?;
            let (key, id) = place.value();
            let read = read_row(self.health, key, id, row.value());
            let stored = skip_unreadable(read.map(Some))?;
            if stored.is_some_and(|stored| is_old(&stored, before))
                && let Ok(integration) = key.parse()
            {
                old.push((integration, id.to_owned()));
            }
        }
        Ok(old)
    }
}

/// A search, with its text in small letters.
struct Wanted<'a> {
    search: &'a DealSearch,
    text: Option<String>,
    digits: Option<String>,
}

impl<'a> Wanted<'a> {
    fn of(search: &'a DealSearch) -> Self {
        let text = search.text.as_ref().map(|text| text.trim().to_lowercase());
        let text = text.filter(|text| !text.is_empty());
        let digits = text.as_ref().map(|text| {
            let mut digits: String = text.chars().filter(char::is_ascii_digit).collect();
            // The national form: 8 and the code of a country are one.
            if digits.len() == 11 && digits.starts_with('8') {
                digits.remove(0);
            }
            digits
        });
        Self {
            search,
            digits: digits.filter(|digits| digits.len() >= 4),
            text,
        }
    }

    fn fits(&self, found: &FoundDeal) -> bool {
        let deal = &found.stored.deal;
        let search = self.search;
        let of_state = match search.state {
            Some(state) => deal.state == state,
            None => deal.state != DealState::Removed,
        };
        let responsible = deal.responsible.as_ref();
        let is_of = |wanted: &String| responsible.is_some_and(|one| one.id == *wanted);
        of_state
            && (!search.refused || found.refused.is_some())
            && search
                .pipeline
                .as_ref()
                .is_none_or(|wanted| deal.pipeline.id == *wanted)
            && search.responsible.as_ref().is_none_or(is_of)
            && self.text.as_ref().is_none_or(|text| self.has(found, text))
    }

    fn has(&self, found: &FoundDeal, text: &str) -> bool {
        let deal = &found.stored.deal;
        let client = deal.client.as_ref();
        let mut phones = client.iter().flat_map(|client| &client.phones);
        deal.id == text
            || deal.name.to_lowercase().contains(text)
            || client.is_some_and(|client| client.name.to_lowercase().contains(text))
            || self
                .digits
                .as_ref()
                .is_some_and(|digits| phones.any(|phone| phone.as_str().contains(digits)))
    }
}
