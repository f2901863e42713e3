//! Serves recordings by their tokens: whole, or the range that a player asks for.
//!
//! Who has the address may listen: it is the address that is secret. It is never logged.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_files::NamedFile;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwap;

use super::keeper::RecordingSettings;
use super::opener;
use crate::clock::SharedClock;
use crate::model::ids::CommunicationKey;
use crate::model::recording::{AudioFile, Recording, RecordingState, is_token};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

/// A player asks for one range after the other: the journal notes a listener once in this time.
const NOTED_FOR: Duration = Duration::from_secs(3600);

/// Listeners that are remembered; beyond it all are forgotten, and noted once more.
const LISTENERS_MAX: usize = 10_000;

/// How soon to come again for a recording that is not there yet.
const NOT_YET_S: &str = "30";

/// Plays recordings.
pub struct Player {
    store: StoreHandle,
    clock: SharedClock,
    settings: Arc<ArcSwap<RecordingSettings>>,
    listeners: Mutex<HashMap<(CommunicationKey, Option<IpAddr>), Timestamp>>,
}

impl Player {
    /// Makes a player of what the store knows.
    pub fn new(
        store: StoreHandle,
        clock: SharedClock,
        settings: Arc<ArcSwap<RecordingSettings>>,
    ) -> Self {
        Self {
            store,
            clock,
            settings,
            listeners: Mutex::default(),
        }
    }

    /// Answers for a token; `None` = nothing has it, and whoever asked is a stranger.
    pub async fn play(
        &self,
        token: &str,
        request: &HttpRequest,
        from: Option<IpAddr>,
    ) -> Option<HttpResponse> {
        if !is_token(token) {
            return None;
        }
        let recording = match self.store.recording_of_token(token.to_owned()).await {
            Ok(recording) => recording?,
            Err(error) => {
                tracing::error!(%error, "recording not played");
                let text = "the recording cannot be looked up; try again";
                return Some(problem(StatusCode::SERVICE_UNAVAILABLE, text));
            }
        };
        let now = self.clock.now();
        let life = self.settings.load().keeping.link_life;
        if life.is_some_and(|life| recording.ended_at.plus(life) < now) {
            return Some(gone("this address is no longer valid"));
        }
        Some(match &recording.state {
            RecordingState::Sought { .. } => not_yet(),
            RecordingState::Missing { .. } => gone("there is no recording of this call"),
            RecordingState::Forgotten { .. } => gone("this recording is no longer kept"),
            RecordingState::Ready { file, .. } => {
                self.play_file(&recording, file, request, from).await
            }
        })
    }

    async fn play_file(
        &self,
        recording: &Recording,
        file: &AudioFile,
        request: &HttpRequest,
        from: Option<IpAddr>,
    ) -> HttpResponse {
        let key = &recording.communication;
        let opened = match opener::open(&self.settings.load_full(), recording, file).await {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                tracing::warn!(communication = %key, "the file of a recording is gone");
                return gone("the phone system does not have this recording any more");
            }
            Err(error) => {
                tracing::error!(communication = %key, %error, "recording not played");
                return problem(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the recording cannot be read; try again",
                );
            }
        };
        let format = file.format;
        // The phone system's own name holds telephone numbers.
        let name = format!("recording.{}", format.extension());
        let named = match NamedFile::from_file(opened, &name) {
            Ok(named) => named,
            Err(error) => {
                tracing::error!(communication = %key, %error, "recording not played");
                let text = "the recording cannot be read; try again";
                return problem(StatusCode::SERVICE_UNAVAILABLE, text);
            }
        };
        let sort = format.content_type().parse();
        let named = match sort {
            Ok(sort) => named.set_content_type(sort),
            Err(_) => named,
        };
        let mut response = named.disable_content_disposition().into_response(request);
        let fixed: [(HeaderName, &str); 3] = [
            // Of nobody's cache but the listener's own.
            (header::CACHE_CONTROL, "private, max-age=3600"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        for (name, value) in fixed {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        self.note(recording, request, from, response.status()).await;
        response
    }

    /// Tells log and journal who listens, once for all the ranges that a player asks for.
    async fn note(
        &self,
        recording: &Recording,
        request: &HttpRequest,
        from: Option<IpAddr>,
        status: StatusCode,
    ) {
        let key = &recording.communication;
        metrics::counter!("trunkline_recordings_played").increment(1);
        let who = from.map_or_else(|| "somebody".to_owned(), |from| from.to_string());
        tracing::debug!(communication = %key, from = who, %status, "recording fetched");
        if request.method() != Method::GET || !status.is_success() || !self.is_news(key, from) {
            return;
        }
        tracing::info!(communication = %key, from = who, "recording played");
        let note = JournalNote {
            at: self.clock.now(),
            tenant: Some(key.tenant().clone()),
            source: Some(key.source.clone()),
            integration: None,
            communication: Some(key.clone()),
            word: "recording_played".to_owned(),
            text: format!("played from {who}"),
        };
        if let Err(error) = self.store.note(note).await {
            tracing::error!(%error, "journal");
        }
    }

    fn is_news(&self, key: &CommunicationKey, from: Option<IpAddr>) -> bool {
        let now = self.clock.now();
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if listeners.len() >= LISTENERS_MAX {
            listeners.clear();
        }
        let before = listeners.get(&(key.clone(), from));
        if before.is_some_and(|at| now.since(*at) < NOTED_FOR) {
            return false;
        }
        listeners.insert((key.clone(), from), now);
        true
    }
}

fn not_yet() -> HttpResponse {
    let mut response = problem(
        StatusCode::NOT_FOUND,
        "this recording is not ready yet; try again",
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static(NOT_YET_S));
    response
}

fn gone(text: &str) -> HttpResponse {
    problem(StatusCode::GONE, text)
}
