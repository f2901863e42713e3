//! One connection from the first byte to the last.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::assignments::{self, VARIABLES};
use super::environment::{EnvironmentReader, Refusal};
use super::inquiry::{self, Inquiry, NoQuestion};
use super::replies::{Replies, ReplyReader};
use crate::model::question::{Answer, NotAnswered};
use crate::pbx::Answerer;

/// How long the steps of a conversation may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// Asterisk writes its environment at once; a PBX far away needs a round trip.
    pub(super) environment: Duration,
    /// The answerer keeps to the source's deadline by itself. This is for the case that it does
    /// not, and longer than any call waits for us.
    pub(super) answer: Duration,
    /// Writing the commands and reading what became of them.
    pub(super) replies: Duration,
}

/// What became of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The variables are set.
    Answered,
    /// The variables are emptied, since nothing that can be answered was asked.
    Unanswerable(Unanswerable),
    /// The answer came too late to be of use.
    Late,
    /// It did not say in time what it wants.
    Silent,
    /// It is no Asterisk, or says too much.
    Refused(Refusal),
    /// The caller hung up, or the connection broke.
    Gone,
    /// Asterisk did not set every variable.
    NotSet(Replies),
}

/// Why a question cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswerable {
    /// It is none.
    NoQuestion(NoQuestion),
    /// Nobody may answer it.
    NotAnswered(NotAnswered),
}

impl Ending {
    /// Returns the word by which metrics and warnings know it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unanswerable(Unanswerable::NoQuestion(NoQuestion::Script)) => "unknown_script",
            Self::Unanswerable(
                Unanswerable::NoQuestion(NoQuestion::Source)
                | Unanswerable::NotAnswered(NotAnswered::UnknownSource(_)),
            ) => "unknown_source",
            Self::Unanswerable(Unanswerable::NotAnswered(NotAnswered::NotAllowed { .. })) => {
                "not_allowed"
            }
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Refused(Refusal::Foreign) => "foreign",
            Self::Refused(Refusal::TooLong) => "too_long",
            Self::Gone => "gone",
            Self::NotSet(_) => "not_set",
        }
    }
}

/// Reads a question, answers it and closes. Whatever happens, the stream is dropped soon: an
/// Asterisk keeps a channel whose caller has gone for as long as we keep the connection.
pub(super) async fn hold(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    answerer: &dyn Answerer,
    deadlines: Deadlines,
) -> Ending {
    let mut reader = EnvironmentReader::default();
    let read = timeout(deadlines.environment, environment(&mut stream, &mut reader)).await;
    match read {
        Err(_) => return Ending::Silent,
        Ok(Err(ending)) => return ending,
        Ok(Ok(())) => {}
    }
    let answer = match inquiry::inquiry(reader.finish()) {
        Err(nothing) => Err(Unanswerable::NoQuestion(nothing)),
        Ok(Inquiry {
            question,
            redirect_failed,
        }) => {
            let answering = if redirect_failed {
                answerer.answer_after_failure(question, peer)
            } else {
                answerer.answer(question, peer)
            };
            match timeout(deadlines.answer, answering).await {
                Err(_) => return Ending::Late,
                Ok(answer) => answer.map_err(Unanswerable::NotAnswered),
            }
        }
    };
    let told = timeout(deadlines.replies, tell(&mut stream, answer.as_ref().ok()));
    match (told.await, answer) {
        (Err(_) | Ok(None), _) => Ending::Gone,
        (Ok(Some(replies)), _) if replies.hung_up => Ending::Gone,
        (Ok(Some(replies)), _) if replies.set < VARIABLES.len() => Ending::NotSet(replies),
        (Ok(Some(_)), Err(why)) => Ending::Unanswerable(why),
        (Ok(Some(_)), Ok(_)) => Ending::Answered,
    }
}

async fn environment(
    stream: &mut (impl AsyncRead + Unpin),
    reader: &mut EnvironmentReader,
) -> Result<(), Ending> {
    // An ordinary environment comes in one piece of 700 bytes, or line by line.
    let mut piece = [0; 2048];
    loop {
        let length = stream.read(&mut piece).await.unwrap_or(0);
        let Some(piece) = piece.get(..length).filter(|piece| !piece.is_empty()) else {
            return Err(Ending::Gone);
        };
        // Nothing honest follows the environment before our first command.
        if reader.feed(piece).map_err(Ending::Refused)?.is_some() {
            return Ok(());
        }
    }
}

/// Writes the commands and closes our side, without which Asterisk would work off the first one
/// only; returns what it answered by the end. `None` = the connection broke.
async fn tell(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: Option<&Answer>,
) -> Option<Replies> {
    stream.write_all(&assignments::write(answer)).await.ok()?;
    stream.shutdown().await.ok()?;
    let mut reader = ReplyReader::new(VARIABLES.len());
    let mut piece = [0; 512];
    loop {
        // A connection that is reset behind the last answer has said everything.
        let length = stream.read(&mut piece).await.unwrap_or(0);
        let Some(piece) = piece.get(..length).filter(|piece| !piece.is_empty()) else {
            let replies = reader.replies();
            let silent = replies.set + replies.refused == 0;
            return (!silent).then_some(replies);
        };
        let replies = reader.feed(piece).ok()?;
        // Nothing is waited for behind the last answer.
        if replies.hung_up || replies.complete(VARIABLES.len()) {
            return Some(replies);
        }
    }
}
