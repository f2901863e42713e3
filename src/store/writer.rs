//! The writer: one thread that takes whatever commands wait, carries them out in one transaction
//! and answers only when it is on disk. An error of the disk ends it for good.

use redb::{Database, Durability};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::accept::accept;
use super::command::{
    Accept, Accepted, Advance, Decide, Defer, Fence, ForgetReport, JournalNote, Pass,
    RecordingChange, Revive, Revived, SweepReport, WorkId,
};
use super::deal_tables;
use super::deals::{DealCommand, DealsApplied};
use super::directory::{DirectoryApplied, DirectoryBatch};
use super::directory_tables::apply as apply_directory;
use super::error::{StoreEnd, StoreError, Trouble};
use super::forget::{ForgetList, forget};
use super::keep::{delete_credential, put_account, put_credential, put_settings};
use super::left_works::{self, LeftCommand};
use super::passing::pass;
use super::quarantine::{self, QuarantineCommand, QuarantineDone};
use super::recordings;
use super::revive::revive;
use super::shared::Shared;
use super::sweep::{SweepList, sweep};
use super::tables::Tables;
use super::work::{advance, claim, close, decide, defer};
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::model::ledger::Ledger;
use crate::model::timestamp::Timestamp;

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Everything that the writer can be asked.
#[derive(Debug)]
pub(super) enum Command {
    Accept(Accept, Reply<Vec<Accepted>>),
    Claim(IntegrationKey, Reply<Fence>),
    Defer(Fence, Defer, Reply<()>),
    Decide(Fence, Box<Decide>, Reply<Ledger>),
    /// With `true` the work is closed where all its steps are final then.
    Advance(Fence, Advance, bool, Reply<bool>),
    Close(Fence, WorkId, Timestamp, Reply<()>),
    Revive(Revive, Reply<Revived>),
    Pass(Box<Pass>, Reply<()>),
    Note(JournalNote, Reply<()>),
    PutSettings(IntegrationKey, Value, Timestamp, Reply<u64>),
    PutCredential(String, Vec<u8>, Reply<()>),
    DeleteCredential(String, Reply<bool>),
    PutAccount(PortalKey, Value, Reply<()>),
    Sweep(SweepList, Reply<SweepReport>),
    Forget(ForgetList, Reply<ForgetReport>),
    Directory(Box<DirectoryBatch>, Reply<DirectoryApplied>),
    Deals(Box<DealCommand>, Reply<DealsApplied>),
    Recording(Box<RecordingChange>, Reply<Vec<(IntegrationKey, WorkId)>>),
    Quarantine(Box<QuarantineCommand>, Reply<QuarantineDone>),
    Left(Box<LeftCommand>, Reply<u64>),
    /// Answers when the writer has come this far: shows that it turns.
    Probe(Reply<()>),
    /// Ends the writer after what came before.
    End(StoreEnd),
}

/// An answer that waits for the commit.
struct Answer {
    send: Box<dyn FnOnce()>,
    is_refusal: bool,
}

/// Runs until the store ends.
pub(super) fn run(
    database: &Database,
    queue: &mut mpsc::Receiver<Command>,
    shared: &Shared,
    group_max: usize,
) -> StoreEnd {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < group_max
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        match carry_out(database, group, shared) {
            Ok(None) => {}
            Ok(Some(end)) => return end,
            Err(why) => return StoreEnd::Failed(why),
        }
        if let Some(why) = shared.failure() {
            return StoreEnd::Failed(why.clone());
        }
    }
    StoreEnd::Closed
}

/// Carries out a group in one transaction; returns why the store ends, where a command says so.
fn carry_out(
    database: &Database,
    group: Vec<Command>,
    shared: &Shared,
) -> Result<Option<StoreEnd>, String> {
    let failed = |trouble: Trouble| match trouble {
        Trouble::Refused(error) => error.to_string(),
        Trouble::Fatal(why) => why,
    };
    let mut txn = database
        .begin_write()
        .map_err(|error| failed(error.into()))?;
    txn.set_durability(Durability::Immediate)
        .map_err(|error| failed(error.into()))?;
    txn.set_quick_repair(shared.quick_repair);
    let mut answers = Vec::with_capacity(group.len());
    let mut end = None;
    let mut tables = Tables::open(&txn, &shared.health).map_err(failed)?;
    for command in group {
        match command {
            Command::End(why) => {
                end = Some(why);
                break;
            }
            other => {
                let wrote = std::mem::take(&mut tables.wrote);
                let answer = apply(&mut tables, other).map_err(failed)?;
                debug_assert!(
                    !(answer.is_refusal && tables.wrote),
                    "a refused command has written"
                );
                tables.wrote |= wrote;
                answers.push(answer);
            }
        }
    }
    let wrote = tables.wrote;
    let feed = std::mem::take(&mut tables.directory.feed);
    drop(tables);
    if wrote {
        txn.commit().map_err(|error| failed(error.into()))?;
        shared.count_commit();
        feed.into_iter().for_each(|changes| shared.tell(changes));
    } else {
        // Only refusals and repeats of what is on disk already: nothing to wait for.
        txn.abort().map_err(|error| failed(error.into()))?;
    }
    shared.count_commands(answers.len());
    for answer in answers {
        (answer.send)();
    }
    Ok(end)
}

/// Carries out one command. An error is the database's; a refusal is an answer.
fn apply(tables: &mut Tables<'_>, command: Command) -> Result<Answer, Trouble> {
    match command {
        Command::Accept(accepting, reply) => settle(reply, accept(tables, &accepting)),
        Command::Claim(key, reply) => settle(reply, claim(tables, &key)),
        Command::Defer(fence, c, reply) => settle(reply, defer(tables, fence, &c)),
        Command::Decide(fence, c, reply) => settle(reply, decide(tables, fence, &c)),
        Command::Advance(fence, c, closes, reply) => {
            settle(reply, advance(tables, fence, &c, closes))
        }
        Command::Close(fence, work, at, reply) => settle(reply, close(tables, fence, work, at)),
        Command::Revive(c, reply) => settle(reply, revive(tables, &c)),
        Command::Pass(c, reply) => settle(reply, pass(tables, &c)),
        Command::Note(note, reply) => settle(reply, tables.put_note(&note).map(|_| ())),
        Command::PutSettings(key, settings, at, reply) => {
            settle(reply, put_settings(tables, &key, settings, at))
        }
        Command::PutCredential(name, sealed, reply) => {
            settle(reply, put_credential(tables, &name, &sealed))
        }
        Command::DeleteCredential(name, reply) => settle(reply, delete_credential(tables, &name)),
        Command::PutAccount(key, value, reply) => settle(reply, put_account(tables, &key, &value)),
        Command::Sweep(list, reply) => settle(reply, sweep(tables, &list)),
        Command::Forget(list, reply) => settle(reply, forget(tables, &list)),
        Command::Recording(c, reply) => settle(reply, recordings::change(tables, &c)),
        Command::Directory(batch, reply) => settle(reply, apply_directory(tables, &batch)),
        Command::Deals(c, reply) => settle(reply, deal_tables::apply(tables, &c)),
        Command::Quarantine(c, reply) => settle(reply, quarantine::apply(tables, &c)),
        Command::Left(c, reply) => settle(reply, left_works::apply(tables, &c)),
        Command::Probe(reply) => settle(reply, Ok(())),
        // Taken out of the group before; there is nobody to answer.
        Command::End(_) => Ok(Answer {
            send: Box::new(|| {}),
            is_refusal: false,
        }),
    }
}

fn settle<T: 'static>(reply: Reply<T>, result: Result<T, Trouble>) -> Result<Answer, Trouble> {
    let answer = match result {
        Ok(value) => Ok(value),
        Err(Trouble::Refused(error)) => Err(error),
        Err(fatal) => return Err(fatal),
    };
    let is_refusal = answer.is_err();
    // The asker may have gone; what was done stays done.
    let send = Box::new(move || drop(reply.send(answer)));
    Ok(Answer { send, is_refusal })
}
