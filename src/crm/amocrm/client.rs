//! Requests in amoCRM's manner: token, JSON, empty 204s, refusals that are read.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::auth::Auth;
use super::wire::answers::{self, Page, Unreadable};
use super::wire::refusal::Refusal;
use crate::crm::Class;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::AccountHttp;
use crate::crm::account::transport::{Method, Request, Response, words};
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome, Rejection};
use crate::model::timestamp::Timestamp;

/// So often more a page is asked for that failed: a list of many pages is read from its beginning
/// whenever one of them is missing, and behind a CRM that fails now and then that would never end.
/// The account's pace and its breaker stand before these requests as before all others.
const PAGE_AGAIN_MAX: u32 = 2;

/// Why a read brought nothing.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It may succeed later.
    Failed(Failure),
    /// The CRM refuses it.
    Refused(Rejection),
}

impl ReadError {
    /// Returns the outcome, whatever was to be read.
    pub(super) fn into_outcome<T>(self) -> Outcome<T> {
        match self {
            ReadError::Failed(failure) => failure.into_outcome(),
            ReadError::Refused(rejection) => Outcome::Rejected(rejection),
        }
    }
}

/// What came of a write.
#[derive(Debug)]
pub(super) enum Written {
    /// It was accepted; the JSON answer.
    Stored(Bytes),
    /// It was refused, as a whole or in part.
    Refused(Refusal),
    /// There is no use in asking what became of the items one by one.
    Failed(Failure),
}

/// A query as pairs.
pub(super) type Query = Vec<(String, String)>;

/// Builds a query.
pub(super) fn query(pairs: &[(&str, &str)]) -> Query {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Speaks to one account.
pub(super) struct Client {
    http: Arc<AccountHttp>,
    pub(super) auth: Auth,
}

impl Client {
    pub(super) fn new(http: Arc<AccountHttp>, auth: Auth) -> Self {
        Self { http, auth }
    }

    /// Says whether nothing may be set up in the account: no integration is on.
    pub(super) fn is_observed(&self) -> bool {
        self.http.is_observed()
    }

    /// Reads one page of a list; a 204 is an empty one.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        path: &str,
        name: &str,
        query: Query,
        class: Class,
    ) -> Result<Page<T>, ReadError> {
        let (page, _) = self.dated_page(path, name, query, class).await?;
        Ok(page)
    }

    /// Reads one page of a list, with the time that the account's clock showed. A page that merely
    /// failed is asked for again, [`PAGE_AGAIN_MAX`] times.
    pub(super) async fn dated_page<T: DeserializeOwned>(
        &self,
        path: &str,
        name: &str,
        query: Query,
        class: Class,
    ) -> Result<(Page<T>, Option<Timestamp>), ReadError> {
        for _ in 0..PAGE_AGAIN_MAX {
            match self.page_once(path, name, query.clone(), class).await {
                Err(ReadError::Failed(failure)) if class != Class::Live && is_passing(&failure) => {
                }
                read => return read,
            }
        }
        self.page_once(path, name, query, class).await
    }

    async fn page_once<T: DeserializeOwned>(
        &self,
        path: &str,
        name: &str,
        query: Query,
        class: Class,
    ) -> Result<(Page<T>, Option<Timestamp>), ReadError> {
        let (body, date) = self.read(path, query, class).await?;
        let page = match body {
            Some(body) => answers::page(&body, name).map_err(|error| unreadable(&error))?,
            None => Page::empty(),
        };
        Ok((page, date))
    }

    /// Reads one record; a 204 is none.
    pub(super) async fn record<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query,
        class: Class,
    ) -> Result<Option<T>, ReadError> {
        let (body, _) = self.read(path, query, class).await?;
        match body {
            Some(body) => answers::record(&body)
                .map(Some)
                .map_err(|error| unreadable(&error)),
            None => Ok(None),
        }
    }

    async fn read(
        &self,
        path: &str,
        query: Query,
        class: Class,
    ) -> Result<(Option<Bytes>, Option<Timestamp>), ReadError> {
        let request = Request {
            method: Method::Get,
            path: path.to_owned(),
            query,
            body: None,
            bearer: None,
            purpose: Purpose::Read,
            class,
        };
        let response = self.send(request).await?;
        match response.status {
            204 => Ok((None, response.date)),
            200..=299 if response.is_json() => Ok((Some(response.body), response.date)),
            200..=299 => Err(failed(format!(
                "HTTP {} without JSON: {}",
                response.status,
                words(&response.body)
            ))),
            status => Err(ReadError::Refused(
                Refusal::read(status, &response.body).whole(),
            )),
        }
    }

    /// Sends items to be stored.
    pub(super) async fn write<B: Serialize>(&self, path: &str, items: &B, class: Class) -> Written {
        self.store(Method::Post, path, items, class).await
    }

    /// Sends what is to change about one record, or about each of a list.
    pub(super) async fn change<B: Serialize>(&self, path: &str, body: &B, class: Class) -> Written {
        self.store(Method::Patch, path, body, class).await
    }

    /// Sends items to be removed.
    pub(super) async fn delete<B: Serialize>(
        &self,
        path: &str,
        items: &B,
        class: Class,
    ) -> Written {
        self.store(Method::Delete, path, items, class).await
    }

    async fn store<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        items: &B,
        class: Class,
    ) -> Written {
        let body = match serde_json::to_vec(items) {
            Ok(body) => Bytes::from(body),
            // Our bodies are plain structs; should one ever fail, nothing has left.
            Err(error) => {
                let why = format!("write the request: {error}");
                return Written::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None));
            }
        };
        let request = Request {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            body: Some(body),
            bearer: None,
            purpose: Purpose::Write,
            class,
        };
        let response = match self.send(request).await {
            Ok(response) => response,
            Err(ReadError::Failed(failure)) => return Written::Failed(failure),
            Err(ReadError::Refused(rejection)) => {
                return Written::Failed(Failure::Ambiguous {
                    why: rejection.message,
                });
            }
        };
        match response.status {
            200..=299 if response.is_json() => Written::Stored(response.body),
            204 if method == Method::Delete => Written::Stored(response.body),
            // A yes that does not say what it made.
            200..=299 => Written::Failed(Failure::Ambiguous {
                why: format!(
                    "HTTP {} without JSON: {}",
                    response.status,
                    words(&response.body)
                ),
            }),
            status => Written::Refused(Refusal::read(status, &response.body)),
        }
    }

    async fn send(&self, request: Request) -> Result<Response, ReadError> {
        let base_url = self.http.base_url();
        let mut outcome = self.send_with_token(request.clone()).await?;
        if is_gone(&outcome) && self.auth.moved_from(&base_url).await {
            // Nothing was done where nobody is.
            outcome = self.send_with_token(request).await?;
        }
        match outcome {
            // A call that is given up for that would be lost.
            Outcome::Done(response) if is_no_account(&response) => Err(ReadError::Failed(
                Failure::not_applied(NotAppliedCause::Unreachable, no_account(&response), None),
            )),
            Outcome::Done(response) => {
                self.auth.accepted();
                Ok(response)
            }
            Outcome::NotApplied(not_applied) => {
                Err(ReadError::Failed(Failure::NotApplied(not_applied)))
            }
            Outcome::Ambiguous { why } => Err(ReadError::Failed(Failure::Ambiguous { why })),
            Outcome::AuthExpired { why } => Err(ReadError::Failed(Failure::AuthExpired {
                why: format!("amoCRM refuses a token that it has just handed out ({why})"),
            })),
            Outcome::Rejected(rejection) => Err(ReadError::Refused(rejection)),
        }
    }

    /// Sends with the present token, and where that is refused once more with the one that follows:
    /// a refused request did nothing.
    async fn send_with_token(&self, mut request: Request) -> Result<Outcome<Response>, ReadError> {
        let token = self.auth.token().await.map_err(ReadError::Failed)?;
        request.bearer = Some(token.clone());
        let outcome = self.http.send(request.clone()).await;
        let Outcome::AuthExpired { why } = &outcome else {
            return Ok(outcome);
        };
        let next = self.auth.refused(token, why).await;
        request.bearer = Some(next.map_err(ReadError::Failed)?);
        Ok(self.http.send(request).await)
    }
}

/// Says whether there is perhaps no portal of this name any more (§2).
fn is_gone(outcome: &Outcome<Response>) -> bool {
    match outcome {
        Outcome::Done(response) => is_no_account(response),
        Outcome::NotApplied(not_applied) => not_applied.cause == NotAppliedCause::Unreachable,
        Outcome::Ambiguous { .. } | Outcome::AuthExpired { .. } | Outcome::Rejected(_) => false,
    }
}

/// Our paths exist in every account, and amoCRM says in JSON what it does not find: this is no
/// account any more, or a server in front of it.
fn is_no_account(response: &Response) -> bool {
    response.status == 404 && !response.is_json()
}

fn no_account(response: &Response) -> String {
    let words = words(&response.body);
    format!("HTTP 404 without JSON, check the portal's address: {words}")
}

/// Says whether a read failed for no reason that the CRM gave.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::NotApplied(not_applied) => {
            not_applied.cause == NotAppliedCause::Failed && not_applied.retry_after.is_none()
        }
        Failure::Ambiguous { .. } | Failure::AuthExpired { .. } => false,
    }
}

fn failed(why: String) -> ReadError {
    ReadError::Failed(Failure::NotApplied(NotApplied {
        cause: NotAppliedCause::Failed,
        why,
        retry_after: None,
    }))
}

fn unreadable(error: &Unreadable) -> ReadError {
    failed(error.to_string())
}
