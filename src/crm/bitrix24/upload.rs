//! Recordings that the portal cannot fetch from us: we hand it the file (`crm/bitrix24.md` §8,
//! attachRecord; §16.6).
//!
//! ```text
//! attachRecord FILENAME --> uploadUrl --> the form with the file --> FILE_ID
//!        ^                                   |
//!        +----- a new address for each try --+
//! ```
//! The address holds a token that ends with ours, so that none is kept. The same file once more takes
//! the place of the one before, so that nothing is looked for. One file of a portal is on its way at a
//! time: it fills the line and lies in memory meanwhile.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use url::Url;

use super::BitrixAdapter;
use super::client::refuse;
use super::command::Command;
use super::execute::{made, unfinished};
use super::hosts;
use super::pool::Unanswered;
use super::refusal::{Refusal, Sort};
use super::wire::{Record, time};
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::form::{FileForm, FilePart};
use crate::crm::account::transport::{FilePost, Response, words};
use crate::crm::{Class, NoRecordingFile, RecordingFile, RecordingFiles, StepCommand};
use crate::model::outcome::{NotAppliedCause, Outcome, StepResult};
use crate::model::plan::{CallRecord, Entity, RecordingLink};
use crate::model::recording::AudioFormat;

/// Longest file: an hour and three quarters of WAV at 8 kHz, a working day of MP3. What the portal
/// takes is not documented (§8 [?]).
pub(super) const FILE_BYTES_MAX: u64 = 100_000_000;

/// Files that wait for the line. The others come back later, so that a thousand recordings after an
/// outage do not keep anything else from its turn.
const WAITING_MAX: usize = 4;

/// When who found no room comes back.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

/// Time for a file: a line of a quarter of a megabit a second is the slowest that is reckoned with.
const WITHIN_MIN: Duration = Duration::from_secs(65);
const BYTES_A_SECOND: u64 = 32_000;
const WITHIN_MAX: Duration = Duration::from_secs(3600);

/// For so long after the first try a file is sent again that the portal refuses in words of which it
/// is not known that they are its last: its disk may be full, a scanner may be down.
const TRIED_FOR: Duration = Duration::from_secs(3 * 86_400);

/// The recordings on their way to a portal.
pub(super) struct Uploads {
    files: Option<Arc<dyn RecordingFiles>>,
    room: Semaphore,
    line: Semaphore,
}

impl Uploads {
    pub(super) fn new(files: Option<Arc<dyn RecordingFiles>>) -> Self {
        Self {
            files,
            room: Semaphore::new(WAITING_MAX),
            line: Semaphore::new(1),
        }
    }
}

/// What came of offering a file.
enum Offered {
    Taken,
    /// The address was good no more.
    Stale(String),
}

impl BitrixAdapter {
    /// Hands the portal the file of a recording.
    pub(super) async fn upload_recording(
        &self,
        step: &StepCommand,
        link: &RecordingLink,
        entry: &str,
    ) -> Result<StepResult, Unanswered> {
        let Ok(_room) = self.uploads.room.try_acquire() else {
            let why = "other recordings are on their way to the portal".to_owned();
            return Err(later(why, Some(COME_BACK_AFTER)));
        };
        // Nobody closes it.
        let _line = self.uploads.line.acquire().await;
        let file = self.recording_file(step).await?;
        let name = file_name(&link.record, file.format);
        let form = read(file, &name).await?;
        let mut stale = String::new();
        // The token may end between the two requests: asked once more, the portal refuses that one,
        // and it is renewed there.
        for _ in 0..2 {
            let url = self.upload_address(step, entry, &name).await?;
            match self.offer(step, url, form.clone()).await? {
                Offered::Taken => return Ok(made(Entity::CallRecord, entry)),
                Offered::Stale(why) => stale = why,
            }
        }
        Err(later(
            format!("the portal refuses the address that it gave: {stale}"),
            None,
        ))
    }

    async fn recording_file(&self, step: &StepCommand) -> Result<RecordingFile, Unanswered> {
        let gone = |why: String| Unanswered::Refused(refuse("recording_gone", why));
        let Some(files) = &self.uploads.files else {
            return Err(gone("no recordings are kept here".to_owned()));
        };
        match files.open(step.key.communication.clone()).await {
            Ok(file) => Ok(file),
            Err(NoRecordingFile::Gone(why)) => Err(gone(why)),
            Err(NoRecordingFile::NotNow(why)) => Err(later(why, None)),
        }
    }

    /// Asks where the file is to be posted.
    async fn upload_address(
        &self,
        step: &StepCommand,
        entry: &str,
        name: &str,
    ) -> Result<Url, Unanswered> {
        let params = json!({ "CALL_ID": entry, "FILENAME": name });
        let command = Command::new("telephony.externalCall.attachRecord", params);
        // Nothing is attached by it yet.
        let asked = format!("upload {}", step.key.marker());
        let replies = self
            .client
            .read_all(&asked, vec![command], Class::Work)
            .await?;
        let answered = match replies.into_iter().next() {
            Some(Ok(answered)) => answered,
            Some(Err(refusal)) => return Err(unfinished(&refusal, Purpose::Read)),
            None => return Err(Unanswered::unreadable("no answer")),
        };
        let told = Record(&answered.value).text("uploadUrl");
        let told = told.ok_or_else(|| Unanswered::unreadable("no address for the upload"))?;
        self.own_address(&told).ok_or_else(|| {
            let message = "the portal names another host for the upload: nothing is sent there";
            Unanswered::Refused(refuse("foreign_host", message.to_owned()))
        })
    }

    /// Returns an address of the portal's own, written as it was told: its token is escaped there.
    fn own_address(&self, told: &str) -> Option<Url> {
        let secure = told.replacen("http://", "https://", 1);
        let host = hosts::of_portal(&self.host, &secure)?;
        let told = Url::parse(&secure).ok()?;
        let base = hosts::base_of(&self.base_url, &self.host, &host);
        let query = told
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let base = base.trim_end_matches('/');
        Url::parse(&format!("{base}{}{query}", told.path())).ok()
    }

    async fn offer(
        &self,
        step: &StepCommand,
        url: Url,
        form: FileForm,
    ) -> Result<Offered, Unanswered> {
        let bytes = u64::try_from(form.body.len()).unwrap_or(u64::MAX);
        let longer = Duration::from_secs(bytes / BYTES_A_SECOND);
        let post = FilePost {
            url,
            form,
            within: WITHIN_MIN.saturating_add(longer).min(WITHIN_MAX),
        };
        match self.http.post_file(post).await {
            Outcome::Done(response) => self.taken(step, &response),
            Outcome::AuthExpired { why } => Ok(Offered::Stale(why)),
            Outcome::NotApplied(not_applied) => {
                Err(Unanswered::Failed(Failure::NotApplied(not_applied)))
            }
            Outcome::Ambiguous { why } => Err(Unanswered::Failed(Failure::Ambiguous { why })),
            Outcome::Rejected(rejection) => Err(Unanswered::Refused(rejection)),
        }
    }

    /// Reads what the portal says to a file.
    fn taken(&self, step: &StepCommand, response: &Response) -> Result<Offered, Unanswered> {
        let answer: Option<Value> = serde_json::from_slice(&response.body).ok();
        let is_good = (200..=299).contains(&response.status);
        let made = answer.as_ref().and_then(|answer| answer.get("result"));
        if is_good && made.is_some_and(|made| Record(made).text("FILE_ID").is_some()) {
            return Ok(Offered::Taken);
        }
        let refusal = match answer.as_ref().and_then(Refusal::read) {
            Some(refusal) => refusal,
            None if is_good => {
                let why = format!("the answer names no file: {}", words(&response.body));
                return Err(Unanswered::Failed(Failure::Ambiguous { why }));
            }
            None => Refusal::of_answer(response.status, &response.body),
        };
        let lasting = self.clock.now().since(step.first_sent_at) < TRIED_FOR;
        match refusal.sort() {
            Sort::Credential => Ok(Offered::Stale(refusal.text)),
            Sort::Final if response.status != 413 && !is_last(&refusal) && lasting => {
                // Sent it was: what became of it, its words do not say for sure.
                let why = format!("the portal did not take the file: {}", refusal.text);
                Err(Unanswered::Failed(Failure::Ambiguous { why }))
            }
            _ => Err(refusal.unanswered(Purpose::Write)),
        }
    }
}

/// Says whether the portal will never take the file, whenever it is sent.
fn is_last(refusal: &Refusal) -> bool {
    ["too large", "wrong file extension", "content is empty"]
        .iter()
        .any(|words| refusal.says(words))
}

fn later(why: String, after: Option<Duration>) -> Unanswered {
    Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, after))
}

/// Reads the file into the form, off the threads that others wait for.
async fn read(file: RecordingFile, name: &str) -> Result<FileForm, Unanswered> {
    let (name, bytes) = (name.to_owned(), file.bytes);
    let reading = spawn_blocking(move || {
        let part = FilePart {
            field: "file",
            name: &name,
            content_type: file.format.content_type(),
            file: &file.file,
        };
        FileForm::read(&part, FILE_BYTES_MAX)
    });
    let read = reading
        .await
        .map_err(|error| later(error.to_string(), None))?;
    let form =
        read.map_err(|error| later(format!("the recording cannot be read: {error}"), None))?;
    form.ok_or_else(|| {
        let message = format!(
            "the recording is {bytes} bytes long, more than the {FILE_BYTES_MAX} that are handed \
             over: have the phone system write MP3, or set public_url, so that the portal fetches it"
        );
        Unanswered::Refused(refuse("recording_too_long", message))
    })
}

/// Names the file as people find it in the portal: time and number of the call.
fn file_name(record: &CallRecord, format: AudioFormat) -> String {
    let at = time(record.at);
    let at: String = at
        .chars()
        .take(19)
        .map(|c| if c == ':' { '-' } else { c })
        .collect();
    let number = record.phone.as_str().trim_start_matches('+');
    format!("{at}-{number}.{}", format.extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_time_and_number_and_by_nothing_that_ends_a_name() {
        let record = super::super::tests::calls::record(None);
        assert_eq!(
            file_name(&record, AudioFormat::Mp3),
            "2026-11-20T08-55-00-79161234567.mp3"
        );
    }
}
