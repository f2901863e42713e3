//! One request as the simulator sees it, and one answer as it makes it; nothing of sockets.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use super::php::Branch;

/// A request.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    pub(super) method: String,
    /// The host that was meant, where the address names one (`/@HOST/…`); else the portal's.
    pub(super) host: Option<String>,
    /// Path without the query; the contract's paths need no decoding.
    pub(super) path: String,
    /// The query as it came.
    pub(super) query_text: String,
    pub(super) content_type: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// Address of the sender, for the bucket.
    pub(super) peer: String,
    pub(super) body: Vec<u8>,
}

/// A body that is not what its content type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadBody;

impl Incoming {
    /// Returns the parameters of query and body; those of the body win.
    pub(super) fn params(&self) -> Result<Map<String, Value>, BadBody> {
        let mut params = Branch::parse(&self.query_text).into_map();
        if self.body.is_empty() {
            return Ok(params);
        }
        let of_body = match self.is_json() {
            true => match serde_json::from_slice(&self.body) {
                Ok(Value::Object(map)) => map,
                // An empty list is an empty array to the service.
                Ok(Value::Array(list)) if list.is_empty() => Map::new(),
                _ => return Err(BadBody),
            },
            false => Branch::parse(&self.body_text()).into_map(),
        };
        params.extend(of_body);
        Ok(params)
    }

    /// Returns the commands of a batch in their order.
    pub(super) fn commands(&self) -> Vec<(String, String)> {
        if self.is_json() && !self.body.is_empty() {
            let batch: Result<BatchBody, _> = serde_json::from_slice(&self.body);
            return batch.map(|batch| batch.cmd.0).unwrap_or_default();
        }
        let of_body = Branch::parse(&self.body_text()).texts_below("cmd");
        let of_query = || Branch::parse(&self.query_text).texts_below("cmd");
        of_body.or_else(of_query).unwrap_or_default()
    }

    pub(super) fn is_json(&self) -> bool {
        let content_type = self.content_type.as_deref().unwrap_or("");
        content_type
            .to_ascii_lowercase()
            .starts_with("application/json")
    }

    fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Deserialize)]
struct BatchBody {
    #[serde(default)]
    cmd: Commands,
}

/// The commands in the order of the body; a map of JSON would sort them.
#[derive(Default)]
struct Commands(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Commands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Commands;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("commands by name or in a list")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Commands, A::Error> {
                let mut commands = Vec::new();
                while let Some((name, command)) = map.next_entry()? {
                    commands.push((name, command));
                }
                Ok(Commands(commands))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Commands, A::Error> {
                let mut commands: Vec<(String, String)> = Vec::new();
                while let Some(command) = list.next_element()? {
                    commands.push((commands.len().to_string(), command));
                }
                Ok(Commands(commands))
            }
        }
        deserializer.deserialize_any(InOrder)
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// Where a redirect leads.
    pub(super) location: Option<String>,
    /// Whether it was given before, under the same key.
    pub(super) is_replayed: bool,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=utf-8",
            location: None,
            is_replayed: false,
            body: body.to_string().into_bytes(),
        }
    }

    /// 200 with a body.
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// An error of the service (crm/bitrix24.md §1).
    pub(super) fn error(status: u16, code: &str, description: &str) -> Self {
        Self::json(
            status,
            &json!({"error": code, "error_description": description}),
        )
    }

    /// A page.
    pub(super) fn page(status: u16, text: &str) -> Self {
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            location: None,
            is_replayed: false,
            body: text.as_bytes().to_vec(),
        }
    }

    /// A redirect with a page, as of a portal that was renamed.
    pub(super) fn redirect(location: &str) -> Self {
        Self {
            location: Some(location.to_owned()),
            ..Self::page(302, "<html><body>Moved</body></html>")
        }
    }

    /// An answer of the front server when what is behind it failed.
    pub(super) fn gateway_error(status: u16) -> Self {
        Self::page(
            status,
            &format!("<html><head><title>{status}</title></head></html>\r\n"),
        )
    }

    /// 204.
    pub(super) fn empty() -> Self {
        Self::page(204, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_json_body_keep_their_order() {
        let incoming = Incoming {
            content_type: Some("application/json".into()),
            body: br#"{"halt":0,"cmd":{"z":"scope","a":"profile"}}"#.to_vec(),
            ..Incoming::default()
        };
        let names: Vec<String> = incoming.commands().into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["z", "a"]);
    }

    #[test]
    fn the_body_wins_over_the_query() {
        let incoming = Incoming {
            query_text: "auth=q&id=1".into(),
            content_type: Some("application/json".into()),
            body: br#"{"id":2}"#.to_vec(),
            ..Incoming::default()
        };
        let params = incoming.params().unwrap();
        assert_eq!((&params["auth"], &params["id"]), (&json!("q"), &json!(2)));
    }
}
