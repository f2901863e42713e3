//! What an administrator chose for a VATS: read from the source's `settings` table and its secrets,
//! with every mistake named. Past this file the settings cannot be wrong.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::api::Generation;
use super::tracker::NamedBy;
use super::wire::moment::TimeForm;
use crate::model::asked::{Asked, asked_by};
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Mistakes, Reader, TextShape};
use crate::model::secret::{Secret, Secrets};
use crate::pbx::WebClient;

/// The key by which the VATS proves itself to us; two overlap while one is replaced.
pub(super) const CRM_TOKEN: &str = "crm_token";
pub(super) const CRM_TOKEN_PREVIOUS: &str = "crm_token_previous";

/// The key by which we prove ourselves to the VATS.
pub(super) const API_KEY: &str = "api_key";

/// Shortest token that is taken, in bytes: the cabinet makes longer ones.
const TOKEN_BYTES_MIN: usize = 8;

/// A VATS.
#[derive(Clone)]
pub(super) struct ItoolabsSettings {
    /// What the VATS proves itself by.
    pub(super) tokens: Vec<Secret>,
    /// Where and how its own API is asked; `None` = it is not.
    pub(super) api: Option<ApiSettings>,
    /// What the configuration calls an employee.
    pub(super) named_by: NamedBy,
    /// What the VATS is told of who shall be rung.
    pub(super) responsible: Responsible,
    /// Within what time the answer must be there.
    pub(super) contact_within: Duration,
    /// How long a call waits for its history.
    pub(super) history_wait: Duration,
    /// After so long a silence a call that nobody answered is over.
    pub(super) ring_max: Duration,
    /// After so long a silence a call that somebody answered is over.
    pub(super) talk_max: Duration,
    /// Calls are placed; with the number that the client sees, where one is set.
    pub(super) originate: Option<OriginateSettings>,
}

/// How the VATS's own API is asked.
#[derive(Clone)]
pub(super) struct ApiSettings {
    pub(super) client: WebClient,
    pub(super) key: Secret,
    pub(super) generation: Generation,
    pub(super) time_form: TimeForm,
    /// How often the history is asked for.
    pub(super) poll: Duration,
    /// How much of it is asked for again.
    pub(super) overlap: Duration,
}

/// What the VATS is told of who shall be rung (`pbx/megafon.md` A1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Responsible {
    /// The login.
    #[default]
    Login,
    /// The extension.
    Extension,
    /// The employee's own outside number.
    Number,
    /// Nobody: the VATS goes its usual way, and only the name is told.
    Nobody,
}

/// How calls are placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OriginateSettings {
    /// The number that the client sees.
    pub(super) clid: Option<String>,
}

impl ItoolabsSettings {
    /// Reads the table, or names every mistake in it.
    pub(super) fn read(settings: &Value, secrets: &Secrets) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Mistakes::default();
        let empty = Value::Object(serde_json::Map::new());
        let table = if settings.is_null() { &empty } else { settings };
        let read = Reader::new(table, &[], &mut mistakes).map(|reader| read(reader, secrets));
        let found = mistakes.into_vec();
        match read {
            Some((Some(settings), of_secrets)) if found.is_empty() && of_secrets.is_empty() => {
                Ok(settings)
            }
            Some((_, of_secrets)) => Err(found.into_iter().chain(of_secrets).collect()),
            None => Err(found),
        }
    }
}

/// Returns every key of the table.
pub(super) fn asked() -> Vec<Asked> {
    asked_by(|table| drop(read(table, &Secrets::default())))
}

fn read(mut table: Reader<'_>, secrets: &Secrets) -> (Option<ItoolabsSettings>, Vec<Mistake>) {
    let mut of_secrets = Vec::new();
    let api = read_api(&mut table, secrets, &mut of_secrets);
    let named_by = table.word("employees").unwrap_or_default();
    let responsible = table.word("responsible").unwrap_or_default();
    let contact_within = table.whole_in("contact_within_ms", 100..=10_000, 1_500);
    let history_wait = table.seconds("history_wait_s", 1..=3_600, 60);
    let ring_max = table.seconds("ring_s_max", 30..=86_400, 900);
    let talk_max = table.seconds("talk_s_max", 60..=86_400, 14_400);
    let originate = table.table("originate").map(|mut table| {
        let clid = table.text("clid", TextShape::Line(32));
        let digits = |text: &String| text.chars().all(|c| c.is_ascii_digit());
        if clid.as_ref().is_some_and(|clid| !digits(clid)) {
            table.wrong("clid", "write digits alone, such as 74951230000");
        }
        table.finish();
        OriginateSettings { clid }
    });
    if originate.is_some() && api.is_none() {
        table.wrong(
            "originate",
            "calls are placed over its API: address is missing",
        );
    }
    table.finish();
    let tokens = tokens(secrets, &mut of_secrets);
    let settings = ItoolabsSettings {
        tokens,
        api,
        named_by,
        responsible,
        contact_within: Duration::from_millis(contact_within),
        history_wait,
        ring_max,
        talk_max,
        originate,
    };
    (Some(settings), of_secrets)
}

fn read_api(
    table: &mut Reader<'_>,
    secrets: &Secrets,
    of_secrets: &mut Vec<Mistake>,
) -> Option<ApiSettings> {
    let address = table.text("address", TextShape::Line(256));
    let generation = table.word("api").unwrap_or_default();
    let time_form = table.word("history_times").unwrap_or_default();
    let poll = table.seconds("history_poll_s", 1..=86_400, 300);
    let overlap = table.seconds("history_overlap_s", 60..=86_400, 1_800);
    let key = secrets.get(API_KEY).cloned();
    let Some(address) = address else {
        if key.is_some() {
            table.wrong(
                "address",
                "secrets.api_key is for its API, and no address is named",
            );
        }
        return None;
    };
    let client = WebClient::new(&address);
    if let Err(error) = &client {
        table.wrong("address", error);
    }
    if key.is_none() {
        let message = "the key of its API is missing: api_key = { file = \"…\" }";
        of_secrets.push(of_secret(API_KEY, message));
    }
    Some(ApiSettings {
        client: client.ok()?,
        key: key?,
        generation,
        time_form,
        poll,
        overlap,
    })
}

fn tokens(secrets: &Secrets, mistakes: &mut Vec<Mistake>) -> Vec<Secret> {
    let mut tokens = Vec::new();
    for name in [CRM_TOKEN, CRM_TOKEN_PREVIOUS] {
        let Some(token) = secrets.get(name) else {
            continue;
        };
        if token.expose().len() < TOKEN_BYTES_MIN {
            let message = format!("has fewer than {TOKEN_BYTES_MIN} bytes: it could be guessed");
            mistakes.push(of_secret(name, &message));
        }
        tokens.push(token.clone());
    }
    if secrets.get(CRM_TOKEN).is_none() {
        let message = "what the VATS proves itself by is missing: crm_token = { file = \"…\" }";
        mistakes.push(of_secret(CRM_TOKEN, message));
    }
    tokens
}

fn of_secret(name: &str, message: &str) -> Mistake {
    Mistake::at(&format!("secrets.{name}"), message)
}
