//! Requests in AlfaCRM's manner: everything is POST with JSON, also reads; pages that may shift;
//! errors inside of a 200 (`crm/alfacrm.md` §1).

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::auth::Session;
use super::refusal::Refusal;
use super::settings::AlfaSettings;
use super::wire::{self, Page, Row};
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::AccountHttp;
use crate::crm::account::transport::{Method, Request, Response, words};
use crate::crm::{AccountDoor, Class};
use crate::model::outcome::{NotAppliedCause, Outcome};

/// Records of a page that we ask for; the CRM may give fewer (§1.3).
pub(super) const PAGE_SIZE: u64 = 200;

/// So often more a page is asked for that merely failed: a list of many pages is read from its
/// beginning whenever one of them is missing.
const PAGE_AGAIN_MAX: u32 = 2;

/// So often a list is read again that moved under the reading.
const LIST_AGAIN_MAX: u32 = 2;

/// The list without which nothing can be decided.
const CUSTOMERS: &str = "customer/index";

/// Why a request brought nothing.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It may succeed later.
    Failed(Failure),
    /// The role may not do that, or the branch is not ours (§1.4).
    Barred(String),
    /// The CRM refuses it.
    Refused(Refusal),
}

impl Unanswered {
    /// Returns the outcome, whatever the request would have brought.
    pub(super) fn into_outcome<T>(self) -> Outcome<T> {
        match self {
            Unanswered::Failed(failure) => failure.into_outcome(),
            Unanswered::Barred(why) => Outcome::AuthExpired { why },
            Unanswered::Refused(refusal) => Outcome::Rejected(refusal.rejection()),
        }
    }
}

/// Returns the outcome of a reading.
pub(super) fn outcome<T>(read: Result<T, Unanswered>) -> Outcome<T> {
    match read {
        Ok(read) => Outcome::Done(read),
        Err(unanswered) => unanswered.into_outcome(),
    }
}

/// What came and is not what was asked for: the effect is unknown.
pub(super) fn unclear(why: String) -> Unanswered {
    Unanswered::Failed(Failure::Ambiguous { why })
}

/// What the CRM said makes no sense: a reading has failed.
pub(super) fn senseless(why: String) -> Unanswered {
    Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
}

/// A list: what stands in the address, and what is looked for.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// Path behind the branch, such as `customer/index`.
    pub(super) path: &'static str,
    /// Further parts of the query.
    pub(super) query: Vec<(String, String)>,
    /// The filters; unknown ones are ignored by the CRM.
    pub(super) filters: Value,
    /// The branch whose list it is; `None` = our own.
    branch: Option<u64>,
}

impl List {
    pub(super) fn new(path: &'static str, filters: Value) -> Self {
        Self {
            path,
            query: Vec::new(),
            filters,
            branch: None,
        }
    }

    /// The same list of another branch.
    pub(super) fn in_branch(self, branch: u64) -> Self {
        Self {
            branch: Some(branch),
            ..self
        }
    }

    /// Of the comments of a customer.
    pub(super) fn comments(customer: u64) -> Self {
        Self {
            query: of_customer(customer),
            ..Self::new("communication/index", json!({}))
        }
    }
}

/// Returns the part of a query that names a customer (§1.2).
pub(super) fn of_customer(customer: u64) -> Vec<(String, String)> {
    vec![
        ("class".to_owned(), "Customer".to_owned()),
        ("related_id".to_owned(), customer.to_string()),
    ]
}

/// Speaks to one account.
pub(super) struct Client {
    http: Arc<AccountHttp>,
    pub(super) session: Session,
    branch: u64,
}

impl Client {
    pub(super) fn new(settings: &AlfaSettings, door: &AccountDoor) -> Self {
        Self {
            http: Arc::clone(&door.http),
            session: Session::open(settings, door),
            branch: settings.branch,
        }
    }

    /// Reads one page of a list.
    pub(super) async fn page(
        &self,
        list: &List,
        number: u64,
        class: Class,
    ) -> Result<Page, Unanswered> {
        let mut again = match class {
            Class::Live => 0,
            Class::Work | Class::Background => PAGE_AGAIN_MAX,
        };
        loop {
            match self.page_once(list, number, class).await {
                Err(Unanswered::Failed(failure)) if again > 0 && is_passing(&failure) => again -= 1,
                read => return read,
            }
        }
    }

    async fn page_once(&self, list: &List, number: u64, class: Class) -> Result<Page, Unanswered> {
        let mut body = list.filters.clone();
        body["page"] = json!(number);
        // One of the two counts, nobody says which (§13).
        body["pageSize"] = json!(PAGE_SIZE);
        let mut query = list.query.clone();
        query.push(("per-page".to_owned(), PAGE_SIZE.to_string()));
        let answer = self
            .ask(
                list.branch.unwrap_or(self.branch),
                list.path,
                query,
                &body,
                Purpose::Read,
                class,
            )
            .await?;
        if let Some(refusal) = Refusal::of_write(&answer) {
            return Err(Unanswered::Refused(refusal));
        }
        wire::page(&answer).ok_or_else(|| {
            let told = answer.to_string();
            senseless(format!("no list: {}", words(told.as_bytes())))
        })
    }

    /// Reads every page of a list, each record once; nothing where there are more than so many
    /// pages. A list whose length changed under the reading is read again: rows may have moved to
    /// a page that was read already (§1.3).
    pub(super) async fn all(
        &self,
        list: &List,
        pages_max: u64,
        class: Class,
    ) -> Result<Option<Vec<Value>>, Unanswered> {
        let mut again = LIST_AGAIN_MAX;
        loop {
            let (records, moved) = match self.all_once(list, pages_max, class).await? {
                Some(read) => read,
                None => return Ok(None),
            };
            if !moved || again == 0 {
                return Ok(Some(records));
            }
            again -= 1;
        }
    }

    async fn all_once(
        &self,
        list: &List,
        pages_max: u64,
        class: Class,
    ) -> Result<Option<(Vec<Value>, bool)>, Unanswered> {
        let (mut records, mut known) = (Vec::new(), BTreeSet::new());
        let (mut collected, mut total, mut moved) = (0_u64, None, false);
        let mut first_before = None;
        for number in 0..pages_max {
            let page = self.page(list, number, class).await?;
            moved |= number > 0 && page.total != total;
            total = page.total;
            let first = page.items.first().and_then(|item| Row(item).id());
            if page.items.is_empty() {
                return Ok(Some((records, moved)));
            }
            if first.is_some() && first == first_before {
                return Err(senseless(format!(
                    "page {number} is the one before once more"
                )));
            }
            first_before = first;
            collected = collected.saturating_add(page.items.len() as u64);
            for item in page.items {
                match Row(&item).id() {
                    Some(id) if !known.insert(id) => moved = true,
                    Some(_) | None => records.push(item),
                }
            }
            if total.is_some_and(|total| collected >= total) {
                return Ok(Some((records, moved)));
            }
        }
        Ok(None)
    }

    /// Sends what changes something; returns the record as it is then.
    pub(super) async fn write(
        &self,
        path: &str,
        query: Vec<(String, String)>,
        body: &Value,
    ) -> Result<Value, Unanswered> {
        let answer = self
            .ask(self.branch, path, query, body, Purpose::Write, Class::Work)
            .await?;
        if let Some(refusal) = Refusal::of_write(&answer) {
            return Err(Unanswered::Refused(refusal));
        }
        match answer.get("model") {
            Some(model) if Row(model).id().is_some() => Ok(model.clone()),
            Some(_) | None => Err(unclear("the answer does not say what was made".to_owned())),
        }
    }

    /// Sends what changes a record.
    pub(super) async fn update(
        &self,
        path: &str,
        id: u64,
        mut query: Vec<(String, String)>,
        body: &Value,
    ) -> Result<Value, Unanswered> {
        query.insert(0, ("id".to_owned(), id.to_string()));
        self.write(path, query, body).await
    }

    async fn ask(
        &self,
        branch: u64,
        path: &str,
        query: Vec<(String, String)>,
        body: &Value,
        purpose: Purpose,
        class: Class,
    ) -> Result<Value, Unanswered> {
        let request = Request {
            method: Method::Post,
            path: format!("/v2api/{branch}/{path}"),
            query,
            body: Some(Bytes::from(body.to_string())),
            bearer: None,
            purpose,
            class,
        };
        let response = self.send(request, class).await?;
        let status = response.status;
        let told = || format!("HTTP {status}: {}", words(&response.body));
        match status {
            200..=299 => serde_json::from_slice(&response.body).map_err(|_| match purpose {
                Purpose::Read => senseless(told()),
                // A yes that does not say what it made.
                Purpose::Write => unclear(told()),
            }),
            403 => {
                let told = Refusal::of_status(status, &response.body).message;
                let why = format!("{path} in branch {branch} is forbidden: {told}");
                // Lists that we can do without are no reason for an alarm.
                let is_own = branch == self.branch;
                let is_needed = purpose == Purpose::Write || path == CUSTOMERS && is_own;
                Err(Unanswered::Barred(match is_needed {
                    true => self.session.barred(&why),
                    false => why,
                }))
            }
            // Our paths exist in every account, and the CRM says in JSON what it does not find.
            404 if !response.is_json() => Err(Unanswered::Failed(Failure::not_applied(
                NotAppliedCause::Unreachable,
                format!("check the account's address: {}", told()),
                None,
            ))),
            _ => Err(Unanswered::Refused(Refusal::of_status(
                status,
                &response.body,
            ))),
        }
    }

    /// Sends with the present token, and where that is refused once more with another: a refused
    /// request did nothing.
    async fn send(&self, request: Request, class: Class) -> Result<Response, Unanswered> {
        let token = self
            .session
            .token(class)
            .await
            .map_err(Unanswered::Failed)?;
        let headers = self.session.headers(token.clone());
        let mut outcome = self.http.send_with(request.clone(), &headers).await;
        if let Outcome::AuthExpired { .. } = outcome {
            let next = self.session.renewed(&token, class).await;
            let headers = self.session.headers(next.map_err(Unanswered::Failed)?);
            outcome = self.http.send_with(request, &headers).await;
        }
        let failure = match outcome {
            Outcome::Done(response) => {
                self.session.accepted();
                return Ok(response);
            }
            Outcome::NotApplied(not_applied) => Failure::NotApplied(not_applied),
            Outcome::Ambiguous { why } => Failure::Ambiguous { why },
            Outcome::AuthExpired { why } => Failure::AuthExpired {
                why: self.session.barred(&why),
            },
            Outcome::Rejected(rejection) => Failure::Ambiguous {
                why: rejection.message,
            },
        };
        Err(Unanswered::Failed(failure))
    }
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
