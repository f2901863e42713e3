//! `batch`: up to fifty commands in one request, in order, with references to earlier results. It
//! is no transaction (crm/bitrix24.md §1, §16.1, §16.2).

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::exchange::Reply;
use super::methods::Outcome;
use super::params::text_of;
use super::php::{Branch, array};
use super::refusal::Refusal;
use super::world::World;

/// Commands of one batch.
const COMMANDS_MAX: usize = 50;

/// The maps of an answer, on their way.
#[derive(Debug, Default)]
struct Maps {
    result: Vec<(String, Value)>,
    error: Vec<(String, Value)>,
    total: Vec<(String, Value)>,
    next: Vec<(String, Value)>,
    time: Vec<(String, Value)>,
}

impl World {
    /// Answers a batch. Only so many commands are run as `run_max` says.
    pub(super) fn batch(
        &mut self,
        commands: &[(String, String)],
        halt: bool,
        run_max: usize,
        caller: &Caller,
    ) -> Reply {
        self.batches += 1;
        self.batch_commands += commands.len() as u64;
        if commands.len() > COMMANDS_MAX && self.switches.long_batch_refused {
            let text = "Max batch length exceeded";
            return Refusal::bad("ERROR_BATCH_LENGTH_EXCEEDED", text).reply();
        }
        let mut maps = Maps::default();
        for (number, (name, command)) in commands.iter().take(run_max).enumerate() {
            let failed = if number >= COMMANDS_MAX {
                let text = "Max batch length exceeded";
                Some(Refusal::bad("ERROR_BATCH_LENGTH_EXCEEDED", text))
            } else {
                self.command(name, command, caller, &mut maps).err()
            };
            if let Some(refusal) = failed {
                maps.error.push((name.clone(), refusal.body()));
                if halt {
                    break;
                }
            }
        }
        let map = |rows: Vec<(String, Value)>| match array(rows) {
            Value::Array(rows) if rows.is_empty() && !self.switches.empty_maps_are_lists => {
                json!({})
            }
            other => other,
        };
        let result = json!({
            "result": map(maps.result), "result_error": map(maps.error),
            "result_total": map(maps.total), "result_next": map(maps.next),
            "result_time": map(maps.time),
        });
        Reply::ok(&json!({"result": result, "time": self.time(caller.now, None)}))
    }

    fn command(
        &mut self,
        name: &str,
        command: &str,
        caller: &Caller,
        maps: &mut Maps,
    ) -> Result<(), Refusal> {
        let (method, query) = command.split_once('?').unwrap_or((command, ""));
        let method = method.trim().trim_start_matches('/');
        let method = method.strip_suffix(".json").unwrap_or(method);
        if method.eq_ignore_ascii_case("batch") {
            let text = "Method is not allowed for batch usage";
            return Err(Refusal::new(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", text));
        }
        let mut unresolved = false;
        let params = Branch::parse(query).into_map();
        let params: Map<String, Value> = params
            .into_iter()
            .map(|(key, value)| (key, resolve(value, &maps.result, &mut unresolved)))
            .collect();
        if unresolved {
            self.odd("a reference to a result that is not there".into());
            if self.switches.unresolved_reference_fails {
                let text = "Reference to a result that does not exist";
                return Err(Refusal::bad("ERROR_ARGUMENT", text));
            }
        }
        let Outcome { answered, used } = self.invoke(method, params, caller);
        let answer = answered?;
        let key = || name.to_owned();
        maps.result.push((key(), answer.result));
        if let Some(total) = answer.total {
            maps.total.push((key(), json!(total)));
        }
        if let Some(next) = answer.next {
            maps.next.push((key(), json!(next)));
        }
        maps.time.push((key(), self.time(caller.now, used)));
        Ok(())
    }
}

/// Puts results where references to them stand.
fn resolve(value: Value, results: &[(String, Value)], unresolved: &mut bool) -> Value {
    match value {
        Value::String(text) => resolve_text(&text, results, unresolved),
        Value::Array(items) => {
            let resolved = items.into_iter().map(|v| resolve(v, results, unresolved));
            Value::Array(resolved.collect())
        }
        Value::Object(map) => {
            let resolved = map
                .into_iter()
                .map(|(key, v)| (key, resolve(v, results, unresolved)));
            Value::Object(resolved.collect())
        }
        other => other,
    }
}

/// A text that is one reference becomes what it refers to; one inside of a text becomes text.
fn resolve_text(text: &str, results: &[(String, Value)], unresolved: &mut bool) -> Value {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("$result[") {
        let (before, reference) = rest.split_at(at);
        let (path, after) = path_of(reference);
        let found = follow(&path, results);
        *unresolved |= found.is_none();
        if before.is_empty() && after.is_empty() && done.is_empty() {
            return found.cloned().unwrap_or_else(|| json!(""));
        }
        done.push_str(before);
        done.push_str(&found.and_then(text_of).unwrap_or_default());
        rest = after;
    }
    done.push_str(rest);
    Value::String(done)
}

/// Splits `$result[a][0][ID] and more` into the path and the rest.
fn path_of(reference: &str) -> (Vec<&str>, &str) {
    let mut rest = reference.strip_prefix("$result").unwrap_or(reference);
    let mut path = Vec::new();
    while let Some(inside) = rest.strip_prefix('[') {
        let Some((key, after)) = inside.split_once(']') else {
            break;
        };
        path.push(key);
        rest = after;
    }
    // What does not close is no path; it must not be read again.
    (path, rest.strip_prefix('[').unwrap_or(rest))
}

fn follow<'a>(path: &[&str], results: &'a [(String, Value)]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let (_, result) = results.iter().find(|(name, _)| name == first)?;
    rest.iter().try_fold(result, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        Value::Object(map) => map.get(*key),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> (Value, bool) {
        let results = [
            ("reg".to_owned(), json!({"CALL_ID": "c.1"})),
            ("list".to_owned(), json!([{"ID": 7}])),
        ];
        let mut unresolved = false;
        let value = resolve(json!(text), &results, &mut unresolved);
        (value, unresolved)
    }

    #[test]
    fn references_become_what_they_refer_to() {
        for (text, expected) in [
            ("$result[reg][CALL_ID]", json!("c.1")),
            ("$result[list][0][ID]", json!(7)),
            ("call $result[reg][CALL_ID]!", json!("call c.1!")),
            ("D_$result[list][0][ID]", json!("D_7")),
            ("$result[list]", json!([{"ID": 7}])),
            ("no reference", json!("no reference")),
        ] {
            assert_eq!(resolved(text), (expected, false), "{text}");
        }
    }

    #[test]
    fn a_reference_to_nothing_is_empty_and_noticed() {
        for text in [
            "$result[gone][ID]",
            "$result[list][49][ID]",
            "$result[",
            "$result[a",
        ] {
            let (value, unresolved) = resolved(text);
            assert!(unresolved, "{text}");
            assert!(
                value.as_str().is_some_and(|v| !v.contains("$result")),
                "{text}"
            );
        }
    }
}
