//! The way to the store for everybody: commands go to the writer and come back when they are on
//! disk; reads are answered beside it.
//!
//! A future that is dropped does not take its command back.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::task::spawn_blocking;

use super::command::{
    Accept, Accepted, Advance, Decide, Defer, Fence, ForgetReport, JournalNote, Pass,
    RecordingChange, Retention, Revive, Revived, SweepReport, Work, WorkAtHand, WorkId,
};
use super::copy;
use super::directory::{
    DirectoryAnswer, DirectoryApplied, DirectoryBatch, DirectoryChunk, DirectoryFeed,
    DirectoryPart, DirectoryPlace, DirectoryQuery, DirectoryRange, StoredDirectory,
};
use super::error::{StoreEnd, StoreError, Trouble};
use super::forget;
use super::left_works::LeftCommand;
use super::query::{
    DeadLetter, JournalPage, JournalSearch, NoteSearch, RecordingFigures, StoreFigures,
    StoredCommunication, StoredNote, Story,
};
use super::read_pool::ReadPool;
use super::reader::Reader;
use super::recordings::digest;
use super::search;
use super::shared::Shared;
use super::sweep;
use super::writer::{Command, Reply};
use crate::model::communication::Address;
use crate::model::ids::{CommunicationKey, IntegrationKey, PortalKey, SourceKey};
use crate::model::ledger::{Ledger, LedgerStep};
use crate::model::phone::Phone;
use crate::model::plan::{Card, StepKey};
use crate::model::recording::Recording;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// So many long reads (search, lists, sweep) run at a time: one core of the smallest box stays
/// free for work however many people search.
pub(super) const LONG_READS_MAX: usize = 2;

/// Communications that one transaction forgets: short enough that intake does not notice.
const FORGET_ROWS_MAX: usize = 100;

/// A handle of the store; cheap to clone.
#[derive(Clone)]
pub struct StoreHandle {
    queue: mpsc::Sender<Command>,
    pub(super) shared: Arc<Shared>,
    reads: Arc<ReadPool>,
    long_reads: Arc<Semaphore>,
}

impl std::fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreHandle").finish_non_exhaustive()
    }
}

/// Commands. Each answers when its effect is on disk.
impl StoreHandle {
    pub(super) fn new(queue: mpsc::Sender<Command>, shared: Arc<Shared>, reads: ReadPool) -> Self {
        Self {
            queue,
            shared,
            reads: Arc::new(reads),
            long_reads: Arc::new(Semaphore::new(LONG_READS_MAX)),
        }
    }

    /// Returns how many commands wait for the writer, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        let max = self.queue.max_capacity();
        (max.saturating_sub(self.queue.capacity()), max)
    }

    /// Commits what a source reported; one answer for each snapshot. Does not wait when the
    /// queue is at its bound: [`StoreError::Full`], and the source is told to come again.
    pub async fn accept(&self, command: Accept) -> Result<Vec<Accepted>, StoreError> {
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Command::Accept(command, reply)) {
            Ok(()) => self.answered(answer).await,
            Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
        }
    }

    /// Takes an integration over: every earlier fence of it gets [`StoreError::Fenced`].
    pub async fn claim(&self, key: IntegrationKey) -> Result<Fence, StoreError> {
        self.ask(|reply| Command::Claim(key, reply)).await
    }

    /// Records that an undecided work cannot be decided yet; counts the attempt.
    pub async fn defer(&self, fence: Fence, command: Defer) -> Result<(), StoreError> {
        self.ask(|reply| Command::Defer(fence, command, reply))
            .await
    }

    /// Records a decision. A decided work may be decided again, with `replaces` naming what the
    /// new decision takes the place of. `first_time`, once set, is kept. Returns the ledger with it.
    pub async fn decide(&self, fence: Fence, command: Decide) -> Result<Ledger, StoreError> {
        self.ask(|reply| Command::Decide(fence, Box::new(command), reply))
            .await
    }

    /// Changes states of steps of the ledger to which the work belongs. A final state is never
    /// left by this command.
    pub async fn advance(&self, fence: Fence, command: Advance) -> Result<(), StoreError> {
        self.ask(|reply| Command::Advance(fence, command, false, reply))
            .await
            .map(drop)
    }

    /// The same, and takes the work off the table in the same transaction where that leaves every
    /// step of it final; says whether it did.
    pub async fn advance_to_end(&self, fence: Fence, command: Advance) -> Result<bool, StoreError> {
        self.ask(|reply| Command::Advance(fence, command, true, reply))
            .await
    }

    /// Takes a decided work off the table; refused while a step of it is not final.
    pub async fn close(&self, fence: Fence, work: WorkId, at: Timestamp) -> Result<(), StoreError> {
        self.ask(|reply| Command::Close(fence, work, at, reply))
            .await
    }

    /// Carries out a person's wish about a dead letter, with a remark that says so.
    pub async fn revive(&self, command: Revive) -> Result<Revived, StoreError> {
        self.ask(|reply| Command::Revive(command, reply)).await
    }

    /// Writes down a passing step, or what it came to.
    pub async fn pass(&self, command: Pass) -> Result<(), StoreError> {
        self.ask(|reply| Command::Pass(Box::new(command), reply))
            .await
    }

    /// Writes a remark into the journal.
    pub async fn note(&self, note: JournalNote) -> Result<(), StoreError> {
        self.ask(|reply| Command::Note(note, reply)).await
    }

    /// Saves settings and returns their revision; content equal to the present revision keeps
    /// its number.
    pub async fn put_settings(
        &self,
        key: IntegrationKey,
        settings: Value,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.ask(|reply| Command::PutSettings(key, settings, at, reply))
            .await
    }

    /// Puts or replaces a credential, sealed before it leaves the caller.
    pub async fn put_credential(
        &self,
        name: impl Into<String>,
        secret: Secret,
    ) -> Result<(), StoreError> {
        let name = name.into();
        let sealed = self.shared.key.seal("credentials", &name, &secret);
        drop(secret);
        self.ask(|reply| Command::PutCredential(name, sealed, reply))
            .await
    }

    /// Removes a credential; says whether it was there.
    pub async fn delete_credential(&self, name: impl Into<String>) -> Result<bool, StoreError> {
        let name = name.into();
        self.ask(|reply| Command::DeleteCredential(name, reply))
            .await
    }

    /// Puts or replaces what we set up in an account (marker field and the like).
    pub async fn put_account(&self, key: PortalKey, value: Value) -> Result<(), StoreError> {
        self.ask(|reply| Command::PutAccount(key, value, reply))
            .await
    }

    /// Takes open works off the table whose integrations are not configured any more, with remarks;
    /// they are kept beside it as long as their communications. Returns how many.
    pub async fn leave_works(&self, works: Vec<WorkId>, at: Timestamp) -> Result<u64, StoreError> {
        let command = LeftCommand::Leave(works, at);
        self.ask(|reply| Command::Left(Box::new(command), reply))
            .await
    }

    /// Puts such works back, in their place by order of acceptance; undecided ones are begun as if
    /// they were new. Returns how many.
    pub async fn return_works(&self, works: Vec<Work>, at: Timestamp) -> Result<u64, StoreError> {
        let command = LeftCommand::Return(works, at);
        self.ask(|reply| Command::Left(Box::new(command), reply))
            .await
    }

    /// Removes old communications that have neither an open work nor a dead letter, with all
    /// that belongs to them, and old remarks; one bounded transaction a call.
    pub async fn sweep(&self, retention: Retention) -> Result<SweepReport, StoreError> {
        let list = self
            .read_long(move |reader| sweep::candidates(reader, retention))
            .await?;
        self.ask(|reply| Command::Sweep(list, reply)).await
    }

    /// Removes whatever tells who a client was, by its number, from every communication that is
    /// over and has no work waiting, and from all remarks; in short transactions, each of them
    /// whole. What the directory says is the CRM's and stays.
    pub async fn forget(&self, phone: Phone, at: Timestamp) -> Result<ForgetReport, StoreError> {
        let list = self
            .read_long(move |reader| forget::candidates(reader, &phone, at))
            .await?;
        let mut report = ForgetReport::default();
        for piece in list.pieces(FORGET_ROWS_MAX) {
            report.add(self.ask(|reply| Command::Forget(piece, reply)).await?);
        }
        Ok(report)
    }

    /// Changes a portal's directory; the sync's state is on disk together with the changes.
    pub async fn change_directory(
        &self,
        batch: DirectoryBatch,
    ) -> Result<DirectoryApplied, StoreError> {
        self.ask(|reply| Command::Directory(Box::new(batch), reply))
            .await
    }

    /// Changes what became of a recording; returns the works that were made because of it.
    pub async fn change_recording(
        &self,
        change: RecordingChange,
    ) -> Result<Vec<(IntegrationKey, WorkId)>, StoreError> {
        self.ask(|reply| Command::Recording(Box::new(change), reply))
            .await
    }

    /// Answers when the writer has carried out what waits before this: shows that it turns.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.ask(Command::Probe).await
    }

    /// Ends the store after the commands that wait already; later calls get
    /// [`StoreError::Closed`].
    pub async fn shut_down(&self) {
        // An error says that it has ended already.
        drop(self.queue.send(Command::End(StoreEnd::Closed)).await);
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.queue.send(command(reply)).await;
        sent.map_err(|_| StoreError::Closed)?;
        self.answered(answer).await
    }

    async fn answered<T: Send + 'static>(
        &self,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = if self.shared.hold_paused_clock {
            match spawn_blocking(move || answer.blocking_recv()).await {
                Ok(answer) => answer,
                Err(_) => return Err(StoreError::Closed),
            }
        } else {
            answer.await
        };
        answer.map_err(|_| StoreError::Closed)?
    }
}

/// Reads. They see what was committed before they began and never wait for the writer.
impl StoreHandle {
    /// Returns all open works in order of acceptance; unreadable ones are skipped and counted.
    pub async fn open_works(&self) -> Result<Vec<Work>, StoreError> {
        self.read(|reader| reader.open_works()).await
    }

    /// Returns the works of integrations that are not configured any more.
    pub async fn left_works(&self) -> Result<Vec<Work>, StoreError> {
        self.read(|reader| reader.left_works()).await
    }

    /// Returns the communications of an integration with a notice that was begun and of which it is
    /// not known what it came to.
    pub async fn notices_unsettled(
        &self,
        integration: IntegrationKey,
    ) -> Result<Vec<CommunicationKey>, StoreError> {
        self.read(move |reader| reader.notices_unsettled(&integration))
            .await
    }

    /// Returns an open work with its communication and ledger, all of one moment.
    pub async fn work_at_hand(&self, id: WorkId) -> Result<Option<WorkAtHand>, StoreError> {
        self.read(move |reader| reader.work_at_hand(id)).await
    }

    /// Returns the steps that these integrations have planned for the newest communications of a
    /// number or e-mail address, so many of them; what cannot be read is left out.
    pub async fn steps_of_address(
        &self,
        address: Address,
        integrations: Vec<IntegrationKey>,
        communications_max: usize,
    ) -> Result<Vec<LedgerStep>, StoreError> {
        self.read(move |reader| {
            search::steps_of_address(reader, &address, &integrations, communications_max)
        })
        .await
    }

    /// Returns an open work.
    pub async fn work(&self, id: WorkId) -> Result<Option<Work>, StoreError> {
        self.read(move |reader| reader.work(id)).await
    }

    /// Returns a communication.
    pub async fn communication(
        &self,
        key: CommunicationKey,
    ) -> Result<Option<StoredCommunication>, StoreError> {
        self.read(move |reader| reader.communication(&key)).await
    }

    /// Returns a ledger; empty when nothing was decided yet. One that cannot be read is an
    /// error: taken for empty it would let effects be made twice.
    pub async fn ledger(
        &self,
        integration: IntegrationKey,
        communication: CommunicationKey,
    ) -> Result<Ledger, StoreError> {
        self.read(move |reader| reader.ledger(&integration, &communication))
            .await
    }

    /// Returns a communication with everything that is known of it.
    pub async fn story(&self, key: CommunicationKey) -> Result<Option<Story>, StoreError> {
        self.read(move |reader| reader.story(&key)).await
    }

    /// Searches the journal, newest first. A page may be short although there is more, when a
    /// filter is rare: [`StoreHandle::search_page`] says so.
    pub async fn search(
        &self,
        search: JournalSearch,
    ) -> Result<Vec<StoredCommunication>, StoreError> {
        Ok(self.search_page(search).await?.found)
    }

    /// Searches the journal, newest first, and says where the next page begins.
    pub async fn search_page(&self, search: JournalSearch) -> Result<JournalPage, StoreError> {
        self.search_within(search, search::LOOK_MAX).await
    }

    pub(super) async fn search_within(
        &self,
        search: JournalSearch,
        look_max: usize,
    ) -> Result<JournalPage, StoreError> {
        self.read_long(move |reader| search::search(reader, &search, look_max))
            .await
    }

    /// Lists dead letters in order of integration, communication and role, after a given one.
    pub async fn dead_letters(
        &self,
        limit: usize,
        after: Option<StepKey>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read_long(move |reader| reader.dead_letters(None, after.as_ref(), limit))
            .await
    }

    /// Lists the dead letters of one integration, in order of communication and role.
    pub async fn dead_letters_of(
        &self,
        integration: IntegrationKey,
        limit: usize,
        after: Option<StepKey>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read_long(move |reader| reader.dead_letters(Some(&integration), after.as_ref(), limit))
            .await
    }

    /// Lists remarks, newest first.
    pub async fn notes(&self, search: NoteSearch) -> Result<Vec<StoredNote>, StoreError> {
        self.read_long(move |reader| reader.notes(&search)).await
    }

    /// Returns a revision of settings, or the present one, with its number.
    pub async fn settings(
        &self,
        key: IntegrationKey,
        revision: Option<u64>,
    ) -> Result<Option<(u64, Value)>, StoreError> {
        self.read(move |reader| reader.settings(&key, revision))
            .await
    }

    /// Returns what is known of a call's recording.
    pub async fn recording(&self, call: CommunicationKey) -> Result<Option<Recording>, StoreError> {
        self.read(move |reader| reader.recording(&call)).await
    }

    /// Returns the recording that has this token.
    pub async fn recording_of_token(&self, token: String) -> Result<Option<Recording>, StoreError> {
        self.recording_of_digest(digest(&token)).await
    }

    /// Returns the recording whose token has this SHA-256 digest.
    pub async fn recording_of_digest(
        &self,
        digest: [u8; 32],
    ) -> Result<Option<Recording>, StoreError> {
        self.read(move |reader| reader.recording_of_digest(&digest))
            .await
    }

    /// Returns the recordings about which something is to be done by now, the oldest first.
    pub async fn recordings_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Recording>, StoreError> {
        self.read(move |reader| reader.recordings_due(now, limit))
            .await
    }

    /// Returns recordings that can be played and of which not everybody was told, in the order of
    /// their calls' names, after one of them.
    pub async fn recordings_untold(
        &self,
        after: Option<CommunicationKey>,
        limit: usize,
    ) -> Result<Vec<Recording>, StoreError> {
        self.read(move |reader| reader.recordings_untold(after.as_ref(), limit))
            .await
    }

    /// Counts the recordings by what became of them.
    pub async fn recording_figures(&self) -> Result<RecordingFigures, StoreError> {
        self.read(|reader| reader.recording_figures()).await
    }

    /// Returns the checkpoint that a source committed last.
    pub async fn checkpoint(&self, key: SourceKey) -> Result<Option<Value>, StoreError> {
        self.read(move |reader| reader.checkpoint(&key)).await
    }

    /// Returns a credential.
    pub async fn credential(&self, name: impl Into<String>) -> Result<Option<Secret>, StoreError> {
        let (name, shared) = (name.into(), Arc::clone(&self.shared));
        self.read(move |reader| reader.credential(&name, &shared.key))
            .await
    }

    /// Returns what we set up in an account.
    pub async fn account(&self, key: PortalKey) -> Result<Option<Value>, StoreError> {
        self.read(move |reader| reader.account(&key)).await
    }

    /// Returns the state and size of a portal's directory; `None` where it has none.
    pub async fn directory(
        &self,
        portal: PortalKey,
    ) -> Result<Option<StoredDirectory>, StoreError> {
        self.read(move |reader| reader.directory(&portal)).await
    }

    /// Returns who has an address, by a portal's directory, and the sync's state at that moment.
    pub async fn directory_answer(
        &self,
        query: DirectoryQuery,
    ) -> Result<DirectoryAnswer, StoreError> {
        self.read(move |reader| reader.directory_answer(&query))
            .await
    }

    /// Returns which records of a range of ids the directory knows, in order.
    pub async fn directory_range(&self, range: DirectoryRange) -> Result<Vec<Card>, StoreError> {
        self.read(move |reader| reader.directory_range(&range))
            .await
    }

    /// Returns a piece of a portal's directory: all of it is loaded piece by piece, each in a
    /// read of its own, so that the database can forget old pages meanwhile. What changes
    /// meanwhile comes by [`StoreHandle::follow_directories`], taken before the first piece.
    pub async fn directory_chunk(
        &self,
        portal: PortalKey,
        part: DirectoryPart,
        from: Option<DirectoryPlace>,
        rows_max: usize,
    ) -> Result<DirectoryChunk, StoreError> {
        self.read_long(move |reader| reader.directory_chunk(&portal, part, from.as_ref(), rows_max))
            .await
    }

    /// Follows the changes of all directories from now on, after each is on disk.
    pub fn follow_directories(&self) -> broadcast::Receiver<DirectoryFeed> {
        self.shared.follow()
    }

    /// Copies everything, as it is at this moment, into a new file. Work goes on meanwhile.
    ///
    /// # Errors
    /// The inner one: the copy could not be written and is worth nothing.
    pub async fn copy_to(
        &self,
        path: std::path::PathBuf,
    ) -> Result<Result<(), String>, StoreError> {
        self.read_long(move |reader| copy::copy(&reader.txn, &path))
            .await
    }

    /// Returns figures for status and metrics.
    pub async fn figures(&self) -> Result<StoreFigures, StoreError> {
        let counted = self.read(|reader| reader.figures()).await?;
        Ok(self.shared.complete(counted))
    }

    pub(super) async fn read_long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.long_reads.acquire().await;
        let _permit = permit.map_err(|_| StoreError::Closed)?;
        self.read_apart(read).await
    }

    /// Reads off the async threads: a page that is not in the cache may take the disk's time.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.shared.hold_paused_clock {
            return self.read_apart(read).await;
        }
        let shared = Arc::clone(&self.shared);
        match self.reads.run(move || shared.read(read)).await {
            Ok(result) => self.told(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Reads on a thread of its own.
    async fn read_apart<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let result = match spawn_blocking(move || shared.read(read)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return Err(StoreError::Closed),
        };
        self.told(result)
    }

    fn told<T>(&self, result: Result<T, Trouble>) -> Result<T, StoreError> {
        match result {
            Ok(value) => Ok(value),
            Err(Trouble::Refused(error)) => Err(error),
            Err(Trouble::Fatal(why)) => {
                self.shared.fail(why.clone());
                // Wakes the writer; one whose queue is full is awake.
                drop(self.queue.try_send(Command::End(StoreEnd::Failed(why))));
                Err(StoreError::Closed)
            }
        }
    }
}
