//! Requests in the portal's manner: batches, the token in the body, errors inside of successes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex as Turn;

use super::auth::{Auth, Credential};
use super::command::Command;
use super::operating::Operating;
use super::pool::{self, Answered, Bundle, Pool, Reply, Sender, Unanswered};
use super::refusal::{self, Refusal, Sort};
use super::wire::Record;
use crate::clock::SharedClock;
use crate::crm::Class;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::AccountHttp;
use crate::crm::account::transport::{Elsewhere, Method, Request, Response, words};
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome, Rejection};
use crate::model::secret::Secret;

/// Speaks to one account.
pub(super) struct Client {
    pool: Arc<Pool>,
    line: Arc<Line>,
    /// Whose a token is that did not say it, as the portal answered.
    own_user: Turn<Option<(Secret, Option<String>)>>,
}

/// The way to the portal.
struct Line {
    http: Arc<AccountHttp>,
    auth: Auth,
    operating: Operating,
    clock: SharedClock,
    /// The portal let us do nothing at all lately: its words.
    barred: Mutex<Option<String>>,
}

impl Unanswered {
    /// Returns the outcome, whatever was asked.
    pub(super) fn into_outcome<T>(self) -> Outcome<T> {
        match self {
            Unanswered::Failed(failure) => failure.into_outcome(),
            Unanswered::Refused(rejection) => Outcome::Rejected(rejection),
        }
    }

    /// Says why, for people.
    pub(super) fn words(self) -> String {
        match self {
            Unanswered::Failed(Failure::NotApplied(not_applied)) => not_applied.why,
            Unanswered::Failed(Failure::Ambiguous { why } | Failure::AuthExpired { why }) => why,
            Unanswered::Refused(rejection) => rejection.message,
        }
    }

    /// What could not be read, without effect.
    pub(super) fn unreadable(what: &str) -> Self {
        let why = format!("the portal's answer cannot be read: {what}");
        Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
    }
}

impl Refusal {
    /// Says what it means for what was asked.
    pub(super) fn unanswered(&self, purpose: Purpose) -> Unanswered {
        let why = format!("{} {}", self.code, self.text);
        let throttled =
            |why, after| Failure::not_applied(NotAppliedCause::Throttled, why, Some(after));
        Unanswered::Failed(match (self.sort(), purpose) {
            (Sort::Throttled, _) => throttled(why, std::time::Duration::from_secs(1)),
            (Sort::MethodParked, _) => throttled(why, std::time::Duration::from_secs(60)),
            (Sort::Credential, _) => Failure::AuthExpired { why },
            (Sort::Fault, Purpose::Read) => {
                Failure::not_applied(NotAppliedCause::Failed, why, None)
            }
            (Sort::Fault, Purpose::Write) => Failure::Ambiguous { why },
            (Sort::Final, _) => return Unanswered::Refused(self.rejection()),
        })
    }
}

impl Client {
    pub(super) fn new(http: Arc<AccountHttp>, auth: Auth, clock: SharedClock) -> Self {
        let line = Arc::new(Line {
            http,
            auth,
            operating: Operating::default(),
            clock,
            barred: Mutex::default(),
        });
        let sender: Arc<dyn Sender> = Arc::clone(&line) as Arc<dyn Sender>;
        Self {
            pool: Pool::new(sender),
            line,
            own_user: Turn::default(),
        }
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.line.auth
    }

    /// Says whether nothing may be set up in the portal: no integration is on.
    pub(super) fn is_observed(&self) -> bool {
        self.line.http.is_observed()
    }

    /// Says what a person must do so that the portal serves us, if anything.
    pub(super) async fn alarm(&self) -> Option<String> {
        let alarm = self.line.auth.alarm(self.line.clock.now()).await;
        alarm.or_else(|| self.line.barred().clone())
    }

    /// Returns whose rights we have. A portal that installed the application did not say it with its
    /// tokens (§3), and is asked once for each of them, until the first renewal says it.
    pub(super) async fn own_user(&self) -> Result<Option<String>, Unanswered> {
        let credential = self.line.auth.present().await;
        let credential = credential.map_err(Unanswered::Failed)?;
        let Some(token) = credential.token.filter(|_| credential.user.is_none()) else {
            return Ok(credential.user);
        };
        // Who asks at the same time waits for the one answer.
        let mut asked = self.own_user.lock().await;
        if let Some((of, user)) = asked.as_ref()
            && of.expose() == token.expose()
        {
            return Ok(user.clone());
        }
        let profile = Command::new("profile", json!({}));
        let user = match self.read("own user", profile, Class::Work).await {
            Ok(answered) => Record(&answered.value).id().map(|id| id.to_string()),
            // Nobody is as good as nobody else: a call without an employee says so.
            Err(Unanswered::Refused(_)) => None,
            Err(other) => return Err(other),
        };
        *asked = Some((token, user.clone()));
        Ok(user)
    }

    /// Sends commands that belong together; each has its own reply.
    pub(super) async fn ask(&self, bundle: Bundle) -> Result<Vec<Reply>, Unanswered> {
        let now = self.line.clock.now();
        for command in &bundle.commands {
            if let Some(left) = self.line.operating.rest(command.method, now) {
                return Err(Unanswered::Failed(Failure::NotApplied(NotApplied {
                    cause: NotAppliedCause::Throttled,
                    why: format!("{} has no operating time left", command.method),
                    retry_after: Some(left),
                })));
            }
        }
        // Without a credential nobody need queue.
        self.line.auth.present().await.map_err(Unanswered::Failed)?;
        self.pool.ask(bundle).await
    }

    /// Reads by several commands at once.
    pub(super) async fn read_all(
        &self,
        name: &str,
        commands: Vec<Command>,
        class: Class,
    ) -> Result<Vec<Reply>, Unanswered> {
        let bundle = Bundle {
            name: format!("read {name}"),
            commands,
            purpose: Purpose::Read,
            class,
        };
        self.ask(bundle).await
    }

    /// Reads by one command; a refusal of it is an error.
    pub(super) async fn read(
        &self,
        name: &str,
        command: Command,
        class: Class,
    ) -> Result<Answered, Unanswered> {
        let replies = self.read_all(name, vec![command], class).await?;
        let reply = replies.into_iter().next();
        let reply = reply.ok_or_else(|| Unanswered::unreadable("no answer"))?;
        reply.map_err(|refusal| refusal.unanswered(Purpose::Read))
    }
}

impl Sender for Line {
    fn send(&self, request: pool::Request) -> BoxFuture<'_, Result<Vec<Reply>, Unanswered>> {
        async move {
            let response = self.perform(&request).await?;
            let body = &response.body;
            if !(200..=299).contains(&response.status) {
                let refusal = Refusal::of_answer(response.status, body);
                return Err(self.refused(&refusal, &request));
            }
            let answer: Value = match serde_json::from_slice(body) {
                Ok(answer) => answer,
                // A yes that does not say to what.
                Err(_) => {
                    let why = format!("HTTP {} without JSON: {}", response.status, words(body));
                    return Err(Unanswered::Failed(Failure::Ambiguous { why }));
                }
            };
            if let Some(refusal) = Refusal::read(&answer) {
                return Err(self.refused(&refusal, &request));
            }
            match answer.get("result") {
                Some(Value::Object(result)) => {
                    *self.barred() = None;
                    Ok(self.replies(&request, result))
                }
                Some(_) | None => Err(Unanswered::Failed(Failure::Ambiguous {
                    why: "the answer to a batch holds no results".to_owned(),
                })),
            }
        }
        .boxed()
    }
}

/// What a refusal of a whole request means: of rights and plan, nobody's step is to blame.
fn whole(refusal: &Refusal, request: &pool::Request) -> Unanswered {
    let of_the_account = matches!(
        refusal.code.as_str(),
        "ACCESS_DENIED"
            | "INVALID_CREDENTIALS"
            | "INSUFFICIENT_SCOPE"
            | "WRONG_AUTH_TYPE"
            | "USER_ACCESS_ERROR"
            | "ALLOWED_ONLY_INTRANET_USER"
            | "METHOD_CONFIRM_WAITING"
            | "PORTAL_DELETED"
            | "ERROR_METHOD_NOT_FOUND"
            | "INVALID_REQUEST"
    );
    match of_the_account {
        true => Unanswered::Failed(Failure::AuthExpired {
            why: format!(
                "the portal lets us do nothing: {} {}",
                refusal.code, refusal.text
            ),
        }),
        false => refusal.unanswered(request.purpose),
    }
}

impl Line {
    fn barred(&self) -> MutexGuard<'_, Option<String>> {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, refusal: &Refusal, request: &pool::Request) -> Unanswered {
        let unanswered = whole(refusal, request);
        if let Unanswered::Failed(Failure::AuthExpired { why }) = &unanswered {
            *self.barred() = Some(why.clone());
        }
        unanswered
    }

    /// Sends a request, and once more where only the token was refused: nothing was done then.
    async fn perform(&self, request: &pool::Request) -> Result<Response, Unanswered> {
        let credential = self.auth.present().await.map_err(Unanswered::Failed)?;
        let outcome = self.send_with(request, &credential).await;
        let outcome = match outcome {
            Outcome::AuthExpired { why } => {
                let next = self.auth.refused(&credential, &why).await;
                let next = next.map_err(Unanswered::Failed)?;
                self.send_with(request, &next).await
            }
            Outcome::Done(response) if response.status == refusal::MOVED => {
                match self.auth.moved(&credential).await? {
                    Some(next) => self.send_with(request, &next).await,
                    None => Outcome::Done(response),
                }
            }
            other => other,
        };
        match outcome {
            Outcome::Done(response) if response.status == refusal::MOVED => {
                let why = "the portal answers with a redirect: it was renamed or closed, check its \
                           address";
                let failed =
                    Failure::not_applied(NotAppliedCause::Unreachable, why.to_owned(), None);
                Err(Unanswered::Failed(failed))
            }
            Outcome::Done(response) => {
                self.auth.accepted();
                Ok(response)
            }
            Outcome::NotApplied(not_applied) => {
                Err(Unanswered::Failed(Failure::NotApplied(not_applied)))
            }
            Outcome::Ambiguous { why } => Err(Unanswered::Failed(Failure::Ambiguous { why })),
            Outcome::AuthExpired { why } => Err(Unanswered::Failed(Failure::AuthExpired {
                why: format!("the portal refuses a token that was just handed out ({why})"),
            })),
            Outcome::Rejected(rejection) => Err(Unanswered::Refused(rejection)),
        }
    }

    async fn send_with(&self, request: &pool::Request, with: &Credential) -> Outcome<Response> {
        let mut cmd = Map::new();
        for (name, _, text) in &request.commands {
            cmd.insert(name.clone(), json!(text));
        }
        let mut body = json!({ "halt": 0, "cmd": cmd });
        if let Some(token) = &with.token {
            body["auth"] = json!(token.expose());
        }
        let sent = Request {
            method: Method::Post,
            path: format!("{}/batch", with.prefix),
            query: Vec::new(),
            body: Some(Bytes::from(body.to_string())),
            bearer: None,
            purpose: request.purpose,
            class: request.class,
        };
        // The secret of a webhook stands in the address: it is no part of the path, which is logged.
        let portal = Elsewhere {
            base_url: with.base_url.clone(),
            header: ("accept", Secret::new("application/json".to_owned())),
        };
        self.http.send_elsewhere(sent, portal).await
    }

    /// Tells each command its own reply. Empty maps come as empty lists (§1).
    fn replies(&self, request: &pool::Request, result: &Map<String, Value>) -> Vec<Reply> {
        let now = self.clock.now();
        let part = |part: &str, name: &str| result.get(part)?.get(name);
        let number = |value: &Value| match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let commands = request.commands.iter();
        commands
            .map(|(name, method, _)| {
                if let Some(time) = part("result_time", name) {
                    self.operating.told(method, time, now);
                }
                if let Some(error) = part("result_error", name) {
                    let refusal = Refusal::read(error).unwrap_or_else(|| Refusal {
                        code: String::new(),
                        text: words(error.to_string().as_bytes()),
                    });
                    if refusal.sort() == Sort::MethodParked {
                        self.operating.parked(method, now);
                    }
                    return Err(refusal);
                }
                match part("result", name) {
                    Some(value) => Ok(Answered {
                        value: value.clone(),
                        next: part("result_next", name).and_then(number),
                        total: part("result_total", name).and_then(number),
                    }),
                    None => Err(Refusal {
                        code: "ERROR_UNEXPECTED_ANSWER".to_owned(),
                        text: "the answer to the batch does not mention the command".to_owned(),
                    }),
                }
            })
            .collect()
    }
}

/// Returns the refusal of a step that we cannot put into the portal's terms.
pub(super) fn refuse(code: &str, message: String) -> Rejection {
    Rejection {
        code: code.to_owned(),
        message,
    }
}
