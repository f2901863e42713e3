//! The way to the quarantine for everybody.

use super::super::error::StoreError;
use super::super::handle::StoreHandle;
use super::super::writer::Command;
use super::{
    QuarantineCommand, QuarantineDone, QuarantineId, QuarantineSummary, QuarantinedRow, Search,
    find, quarantined, rows_listed, summary,
};
use crate::model::timestamp::Timestamp;

impl StoreHandle {
    /// Reads the store through: what cannot be read goes into quarantine and is named in the log,
    /// what was kept in place and is read again leaves it. Decisions of what is over are only looked
    /// at where something is met that the rest does not account for. Returns what changed.
    pub async fn check(&self, now: Timestamp) -> Result<QuarantineDone, StoreError> {
        let mut done = self.look_through(Search::AtStart, now).await?;
        if self.shared.health.unreadable() > 0 {
            let more = self.look_through(Search::Whole, now).await?;
            done.rows = done.rows.saturating_add(more.rows);
            done.works.extend(more.works);
        }
        Ok(done)
    }

    async fn look_through(
        &self,
        search: Search,
        now: Timestamp,
    ) -> Result<QuarantineDone, StoreError> {
        let mut done = QuarantineDone::default();
        loop {
            let found = self.read_long(move |reader| find(reader, search)).await?;
            if found.rows.is_empty() && found.released.is_empty() {
                return Ok(done);
            }
            let more = found.more;
            let taken = self.change(QuarantineCommand::Take(found, now)).await?;
            done.rows = done.rows.saturating_add(taken.rows);
            done.works.extend(taken.works);
            if !more || taken.rows == 0 {
                return Ok(done);
            }
        }
    }

    /// Lists what is in quarantine in order of finding, after one of an earlier answer.
    pub async fn quarantine(
        &self,
        after: Option<QuarantineId>,
        limit: usize,
    ) -> Result<Vec<QuarantinedRow>, StoreError> {
        self.read_long(move |reader| rows_listed(reader, after, limit))
            .await
    }

    /// Returns one row in quarantine with its content.
    pub async fn quarantined(
        &self,
        id: QuarantineId,
    ) -> Result<Option<(QuarantinedRow, Vec<u8>)>, StoreError> {
        self.read(move |reader| quarantined(reader, id)).await
    }

    /// Says how much is in quarantine.
    pub async fn quarantine_summary(&self) -> Result<QuarantineSummary, StoreError> {
        self.read_long(summary).await
    }

    /// Puts a row back to where it was, if the present build reads it and nothing stands there;
    /// returns the open works that may go on.
    pub async fn put_back(
        &self,
        id: QuarantineId,
        now: Timestamp,
    ) -> Result<QuarantineDone, StoreError> {
        self.change(QuarantineCommand::PutBack(id, now)).await
    }

    /// Gives a row up for good, with the open works that cannot go on without it.
    pub async fn drop_quarantined(
        &self,
        id: QuarantineId,
        now: Timestamp,
    ) -> Result<QuarantineDone, StoreError> {
        self.change(QuarantineCommand::Drop(id, now)).await
    }

    async fn change(&self, command: QuarantineCommand) -> Result<QuarantineDone, StoreError> {
        self.ask(|reply| Command::Quarantine(Box::new(command), reply))
            .await
    }
}
