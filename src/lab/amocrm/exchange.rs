//! One request as the simulator sees it, and one answer as it makes it; nothing of sockets.

use serde_json::{Value, json};

/// The largest page of a list (crm/amocrm.md §4).
const LIMIT_MAX: u64 = 250;
/// The page size without `limit`.
const LIMIT_DEFAULT: u64 = 50;

/// A request.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    pub(super) method: String,
    /// The host that was meant, where the address names one (`/@HOST/…`); else any.
    pub(super) host: Option<String>,
    /// Path without the query; the contract's paths need no decoding.
    pub(super) path: String,
    /// The query as it came.
    pub(super) query_text: String,
    pub(super) query: Query,
    pub(super) authorization: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) context_user: Option<String>,
    pub(super) if_modified_since: Option<String>,
    pub(super) refresh_token_header: Option<String>,
    pub(super) body: Vec<u8>,
    /// Scheme and host for links in answers.
    pub(super) base: String,
}

impl Incoming {
    /// Returns the body as JSON, or the answer for a body that is none.
    pub(super) fn json(&self) -> Result<Value, Reply> {
        serde_json::from_slice(&self.body).map_err(|e| {
            Reply::problem(
                400,
                "Bad Request",
                &format!("Request body is not JSON: {e}"),
            )
        })
    }

    /// Returns the address of a resource under the account's host.
    pub(super) fn link(&self, path: &str) -> Value {
        json!({"self": {"href": format!("{}{path}", self.base)}})
    }

    /// Returns `_links` with the address of this very request.
    pub(super) fn self_link(&self) -> Value {
        if self.query_text.is_empty() {
            self.link(&self.path)
        } else {
            self.link(&format!("{}?{}", self.path, self.query_text))
        }
    }
}

/// The parameters of a query, with the three ways PHP clients write arrays.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// Returns the last value of a plain parameter.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(k, _)| k == key);
        found.map(|(_, v)| v.as_str())
    }

    /// Returns every value of `key`, `key[]` and `key[n]`, and the parts of comma-joined ones.
    pub(super) fn list(&self, key: &str) -> Vec<&str> {
        let is_ours = |k: &str| {
            k.strip_prefix(key).is_some_and(|rest| {
                let inside = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']'));
                rest.is_empty() || inside.is_some_and(|i| i.bytes().all(|b| b.is_ascii_digit()))
            })
        };
        let ours = self.0.iter().filter(|(k, _)| is_ours(k));
        ours.flat_map(|(_, v)| v.split(','))
            .filter(|v| !v.is_empty())
            .collect()
    }

    /// Returns the numbers of an array parameter; what is no number is left out.
    pub(super) fn numbers(&self, key: &str) -> Vec<i64> {
        self.list(key)
            .iter()
            .filter_map(|v| v.parse().ok())
            .collect()
    }

    /// Returns the bounds `key[from]` and `key[to]`.
    pub(super) fn range(&self, key: &str) -> (Option<i64>, Option<i64>) {
        let bound = |end: &str| {
            self.get(&format!("{key}[{end}]"))
                .and_then(|v| v.parse().ok())
        };
        (bound("from"), bound("to"))
    }

    /// Returns whether any parameter begins with this text.
    pub(super) fn any_begins_with(&self, prefix: &str) -> bool {
        self.0.iter().any(|(k, _)| k.starts_with(prefix))
    }

    /// Returns the parameters whose names begin with this text, with the rest of the name.
    pub(super) fn beginning_with(&self, prefix: &str) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .filter(|(k, _)| k.starts_with(prefix))
            .map(|(k, v)| (k.get(prefix.len()..).unwrap_or(""), v.as_str()))
            .collect()
    }

    /// Returns the comma-joined words of `with`.
    pub(super) fn with(&self, word: &str) -> bool {
        self.list("with").contains(&word)
    }

    /// Returns the page asked for, from 1, and the page size, cut to `limit_max`.
    pub(super) fn page(&self, limit_max: u64) -> (u64, u64) {
        let number = |key: &str| self.get(key).and_then(|v| v.parse::<u64>().ok());
        let limit = number("limit").unwrap_or(LIMIT_DEFAULT);
        let page = number("page").unwrap_or(1).max(1);
        (page, limit.clamp(1, limit_max.min(LIMIT_MAX)))
    }

    /// Returns the query with another page number, for `next` and `prev`.
    pub(super) fn with_page(&self, page: u64) -> String {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in self.0.iter().filter(|(k, _)| k != "page") {
            text.append_pair(key, value);
        }
        text.append_pair("page", &page.to_string());
        text.finish()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after_s: Option<u32>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A success with a body.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/hal+json",
            retry_after_s: None,
            body: body.to_string().into_bytes(),
        }
    }

    /// 200 with a body.
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// 204: an empty result.
    pub(super) fn empty() -> Self {
        Self::plain(204, "application/hal+json", "")
    }

    /// A problem body of the usual shape (crm/amocrm.md §3).
    pub(super) fn problem(status: u16, title: &str, detail: &str) -> Self {
        Self::problem_json(
            status,
            &json!({
                "title": title,
                "type": format!("https://httpstatus.es/{status}"),
                "status": status,
                "detail": detail,
            }),
        )
    }

    /// A problem body made by the caller.
    pub(super) fn problem_json(status: u16, body: &Value) -> Self {
        Self {
            content_type: "application/problem+json",
            ..Self::json(status, body)
        }
    }

    pub(super) fn not_found() -> Self {
        Self::problem(404, "Not Found", "Resource not found")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::problem(
            405,
            "Method Not Allowed",
            "Method not allowed for this resource",
        )
    }

    pub(super) fn forbidden() -> Self {
        Self::problem(
            403,
            "Forbidden",
            "You do not have the rights for this action",
        )
    }

    pub(super) fn unauthorized() -> Self {
        Self::problem(
            401,
            "Unauthorized",
            "Access token is missing, expired or revoked",
        )
    }

    /// 429 as the front server sends it: not JSON.
    pub(super) fn too_many(retry_after_s: Option<u32>) -> Self {
        let page = "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n</html>\r\n";
        Self {
            retry_after_s,
            ..Self::plain(429, "text/html", page)
        }
    }

    /// The page of a blocked account.
    pub(super) fn blocked() -> Self {
        let page = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n\
                    <body><center><h1>403 Forbidden</h1></center></body>\r\n</html>\r\n";
        Self::plain(403, "text/html", page)
    }

    /// An answer of the front server when what is behind it failed.
    pub(super) fn gateway_error(status: u16) -> Self {
        let page = format!("<html><head><title>{status}</title></head></html>\r\n");
        Self::plain(status, "text/html", &page)
    }

    pub(super) fn plain(status: u16, content_type: &'static str, body: &str) -> Self {
        Self {
            status,
            content_type,
            retry_after_s: None,
            body: body.as_bytes().to_vec(),
        }
    }
}

/// Cuts one page out of a list and wraps it, or answers 204 when the page is empty
/// (crm/amocrm.md §5).
pub(super) struct Paging {
    pub(super) limit_max: u64,
    pub(super) next_to_empty_page: bool,
    pub(super) with_total: bool,
}

impl Paging {
    pub(super) fn reply<T>(
        &self,
        incoming: &Incoming,
        name: &str,
        all: &[T],
        render: impl FnMut(&T) -> Value,
    ) -> Reply {
        let (page, limit) = incoming.query.page(self.limit_max);
        let skip = usize::try_from((page - 1).saturating_mul(limit)).unwrap_or(usize::MAX);
        let take = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows: Vec<Value> = all.iter().skip(skip).take(take).map(render).collect();
        if rows.is_empty() {
            return Reply::empty();
        }
        let behind = all.len().saturating_sub(skip);
        let mut links = incoming.self_link();
        let address = |page| {
            let query = incoming.query.with_page(page);
            json!({"href": format!("{}{}?{query}", incoming.base, incoming.path)})
        };
        if behind > take || (behind == take && self.next_to_empty_page) {
            links["next"] = address(page + 1);
        }
        if page > 1 {
            links["prev"] = address(page - 1);
            links["first"] = address(1);
        }
        let mut body = json!({"_page": page, "_links": links, "_embedded": {name: rows}});
        if self.with_total {
            body["_total_items"] = json!(all.len());
            body["_page_count"] = json!((all.len() as u64).div_ceil(limit));
        }
        Reply::ok(&body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn array_parameters_are_read_in_every_spelling() {
        let query =
            Query::parse("filter[id][]=1&filter%5Bid%5D%5B7%5D=2&filter[id]=3,4&filter[idx]=9");
        assert_eq!(query.numbers("filter[id]"), [1, 2, 3, 4]);
    }

    #[test]
    fn a_next_link_keeps_the_other_parameters() {
        let query = Query::parse("order[id]=desc&page=2&limit=5");
        assert_eq!(query.with_page(3), "order%5Bid%5D=desc&limit=5&page=3");
    }
}
