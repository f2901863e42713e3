//! Asks a VATS over its own API, in both generations (`pbx/megafon.md` A2, A3). Sends nothing
//! twice; what a failure means is said by [`Failed`].

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use super::settings::ApiSettings;
use super::wire::answers::{self, Account, Group, Number, Page};
use super::wire::history::{self, History};
use super::wire::{csv, moment};
use crate::model::timestamp::Timestamp;
use crate::pbx::{WebAnswer, WebError, WebRequest};

/// Which API a VATS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Generation {
    /// `/crmapi/v1`: JSON, `X-API-KEY`.
    #[default]
    Crmapi,
    /// `/sys/crm_api.wcgp`: forms with a token.
    Wcgp,
}

/// Pages of one list that are read; a page has a hundred items or more.
const PAGES_MAX: usize = 50;

/// Where the old form listens.
const WCGP: &str = "/sys/crm_api.wcgp";

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    /// It never left.
    #[error("{0}")]
    NotSent(String),
    /// Whether it was carried out is not known.
    #[error("{0}")]
    Unclear(String),
    /// The key is not accepted.
    #[error("the phone system does not accept the key (secrets.api_key): {0}")]
    Key(String),
    /// It takes no more for now.
    #[error("{why}")]
    Busy {
        /// When to come again, where it says so.
        after: Option<Duration>,
        /// Its words.
        why: String,
    },
    /// It said no.
    #[error("the phone system says {status}: {words}")]
    Refused {
        /// Status of HTTP.
        status: u16,
        /// Its words.
        words: String,
    },
    /// It is ill.
    #[error("the phone system says {status}: {words}")]
    Ill {
        /// Status of HTTP.
        status: u16,
        /// Its words.
        words: String,
    },
    /// Its answer has no form that is known.
    #[error("the answer of the phone system to {what} has no form that is known: {words}")]
    Unreadable {
        /// The command.
        what: &'static str,
        /// The beginning of the answer.
        words: String,
    },
}

impl ApiSettings {
    /// Has a call placed; returns what it will be called, where that is said.
    pub(super) async fn make_call(
        &self,
        user: &str,
        digits: &str,
        clid: Option<&str>,
    ) -> Result<Option<String>, Failed> {
        let answer = match self.generation {
            Generation::Crmapi => {
                let mut body = json!({ "phone": digits, "user": user });
                if let (Some(clid), Some(fields)) = (clid, body.as_object_mut()) {
                    fields.insert("clid".to_owned(), json!(clid));
                }
                let body = ("application/json", body.to_string().into_bytes());
                let request = WebRequest {
                    post: true,
                    path: "/crmapi/v1/makecall",
                    body: Some(body),
                    ..WebRequest::default()
                };
                self.ask(request).await?
            }
            Generation::Wcgp => {
                let fields = [("user", user), ("phone", digits)];
                let clid = clid.map(|clid| ("clid", clid));
                let fields: Vec<(&str, &str)> = fields.into_iter().chain(clid).collect();
                self.command("makeCall", &fields).await?
            }
        };
        Ok(answers::ordered(&answer.body))
    }

    /// Lists the people.
    pub(super) async fn accounts(&self) -> Result<Vec<Account>, Failed> {
        self.list("/crmapi/v1/users", "accounts", answers::accounts)
            .await
    }

    /// Lists the groups.
    pub(super) async fn groups(&self) -> Result<Vec<Group>, Failed> {
        self.list("/crmapi/v1/groups", "groups", answers::groups)
            .await
    }

    /// Lists the company's numbers; the old form knows no such list.
    pub(super) async fn numbers(&self) -> Result<Option<Vec<Number>>, Failed> {
        match self.generation {
            Generation::Wcgp => Ok(None),
            Generation::Crmapi => {
                let listing = self.list("/crmapi/v1/telnums", "telnums", answers::numbers);
                match listing.await {
                    Ok(numbers) => Ok(Some(numbers)),
                    // Whether every VATS has the list is not known.
                    Err(Failed::Refused { status: 404, .. }) => Ok(None),
                    Err(failed) => Err(failed),
                }
            }
        }
    }

    /// Says whether somebody takes calls of groups; `None` where the VATS does not tell.
    pub(super) async fn is_subscribed(&self, login: &str) -> Result<Option<bool>, Failed> {
        self.switch(login, "subscription", "subscriptionStatus")
            .await
    }

    /// Says whether somebody does not want to be disturbed; `None` where the VATS does not tell.
    pub(super) async fn is_undisturbed(&self, login: &str) -> Result<Option<bool>, Failed> {
        self.switch(login, "dnd", "get_dnd").await
    }

    async fn switch(
        &self,
        login: &str,
        place: &str,
        command: &'static str,
    ) -> Result<Option<bool>, Failed> {
        let asked = match self.generation {
            Generation::Crmapi => {
                let login: String = form_urlencoded::byte_serialize(login.as_bytes()).collect();
                // A space is no plus in a path.
                let login = login.replace('+', "%20");
                let path = format!("/crmapi/v1/users/{login}/{place}");
                let request = WebRequest {
                    path: &path,
                    ..WebRequest::default()
                };
                self.ask(request).await
            }
            Generation::Wcgp => self.command(command, &[("user", login)]).await,
        };
        match asked {
            Ok(answer) => Ok(answers::switch(&answer.body)),
            // Whether every VATS has these commands is not known.
            Err(Failed::Refused { .. }) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// Lists the calls that began within a time.
    pub(super) async fn history(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<History, Failed> {
        let start = moment::write(from, self.time_form);
        let end = moment::write(until, self.time_form);
        let answer = match self.generation {
            Generation::Crmapi => {
                let query = [("start", start), ("end", end), ("type", "all".to_owned())];
                let request = WebRequest {
                    path: "/crmapi/v1/history/json",
                    query: &query,
                    ..WebRequest::default()
                };
                self.ask(request).await?
            }
            Generation::Wcgp => {
                let fields = [("start", &*start), ("end", &*end), ("type", "all")];
                self.command("history", &fields).await?
            }
        };
        match self.generation {
            Generation::Crmapi => {
                let read = history::read(&answer.body);
                read.ok_or_else(|| unreadable("history", &answer))
            }
            Generation::Wcgp => Ok(csv::read(&answer.body)),
        }
    }

    async fn list<T>(
        &self,
        path: &str,
        command: &'static str,
        read: impl Fn(&[u8]) -> Option<Page<T>>,
    ) -> Result<Vec<T>, Failed> {
        if self.generation == Generation::Wcgp {
            let answer = self.command(command, &[]).await?;
            let page = read(&answer.body);
            return Ok(page.ok_or_else(|| unreadable(command, &answer))?.items);
        }
        let mut found = Vec::new();
        let mut begin = 0;
        for _ in 0..PAGES_MAX {
            let query = [("start", begin.to_string())];
            let request = WebRequest {
                path,
                // The first page is asked for as all clients do.
                query: if begin == 0 { &[] } else { &query },
                ..WebRequest::default()
            };
            let answer = self.ask(request).await?;
            let page = read(&answer.body).ok_or_else(|| unreadable(command, &answer))?;
            let empty = page.items.is_empty();
            found.extend(page.items);
            match page.next {
                Some(next) if next > begin && !empty => begin = next,
                Some(_) | None => break,
            }
        }
        Ok(found)
    }

    /// Gives a command in the old form: everything stands in the body, where no log on the way
    /// sees it.
    async fn command(&self, name: &str, fields: &[(&str, &str)]) -> Result<WebAnswer, Failed> {
        let body = self.form(name, fields);
        let request = WebRequest {
            post: true,
            path: WCGP,
            body: Some(("application/x-www-form-urlencoded", body)),
            ..WebRequest::default()
        };
        let answer = self.client.send(request).await.map_err(failed)?;
        judge(answer)
    }

    fn form(&self, name: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("cmd", name);
        form.append_pair("token", self.key.expose());
        form.extend_pairs(fields);
        form.finish().into_bytes()
    }

    async fn ask(&self, request: WebRequest<'_>) -> Result<WebAnswer, Failed> {
        let request = WebRequest {
            key: Some(("x-api-key", &self.key)),
            ..request
        };
        let answer = self.client.send(request).await.map_err(failed)?;
        judge(answer)
    }
}

fn failed(error: WebError) -> Failed {
    match error {
        WebError::NotSent(why) => Failed::NotSent(why),
        WebError::NoAnswer(why) => Failed::Unclear(why),
    }
}

fn judge(answer: WebAnswer) -> Result<WebAnswer, Failed> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let words = answers::error(&answer.body).unwrap_or_else(|| answer.words());
    Err(match status {
        401 | 403 => Failed::Key(words),
        429 => Failed::Busy {
            after: answer.retry_after,
            why: format!("the phone system asks for a pause: {words}"),
        },
        500.. => Failed::Ill { status, words },
        _ => Failed::Refused { status, words },
    })
}

fn unreadable(what: &'static str, answer: &WebAnswer) -> Failed {
    Failed::Unreadable {
        what,
        words: answer.words(),
    }
}
