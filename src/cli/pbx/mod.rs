//! `trunkline pbx …`.

mod direct;
mod fragment;
mod report;
mod roster;
mod templates;

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::model::discovery::Discovery;
use crate::model::explanation::Language;
use crate::model::ids::{SourceId, SourceKey};

use self::direct::Direct;
use self::fragment::{Fragment, Place};
use super::Lang;
use super::client::{Client, ClientError};
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum Pbx {
    /// Look around in a phone system: what is a trunk, what is a phone and why, who works there,
    /// and what to configure. Nothing is changed there.
    Discover(Box<Discover>),
    /// List the people, groups and numbers that a configured phone system says that it has, and
    /// who of them is configured. Nothing is changed there.
    Roster(RosterWish),
    /// Print what is to be pasted into the pages of a configured source, such as the templates of a
    /// platform's notifications.
    Templates {
        /// The source, tenant/source.
        source: String,
    },
}

/// Whose people.
#[derive(Debug, Args)]
pub(super) struct RosterWish {
    /// A configured source, tenant/source.
    source: String,
    /// Print those who are not configured yet as configuration to paste.
    #[arg(long)]
    toml: bool,
}

/// Where to look around.
#[derive(Debug, Args)]
pub(super) struct Discover {
    /// A configured source, tenant/source; or name a phone system by --host.
    #[arg(required_unless_present = "host", conflicts_with = "host")]
    source: Option<String>,
    /// Print a piece of configuration to paste instead of the report.
    #[arg(long)]
    toml: bool,
    /// The language of reasons and remarks.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    #[command(flatten)]
    direct: Direct,
}

pub(super) async fn run(path: &Path, pbx: Pbx, output: &mut Output) -> Result<(), ClientError> {
    let toml = match &pbx {
        Pbx::Discover(wish) => wish.toml,
        Pbx::Roster(wish) => wish.toml,
        Pbx::Templates { .. } => false,
    };
    if toml && output.json() {
        let message = "--toml and --json: choose one of them";
        return Err(ClientError::Wrong(message.to_owned()));
    }
    let wish = match pbx {
        Pbx::Discover(wish) => wish,
        Pbx::Roster(wish) => return roster::run(path, &wish.source, toml, output).await,
        Pbx::Templates { source } => return templates::show(path, &source, output),
    };
    match &wish.source {
        Some(source) => configured(path, source, wish.toml, wish.lang, output).await,
        None => {
            let language = wish.lang.map(Language::from).unwrap_or_default();
            unconfigured(&wish.direct, wish.toml, language, output).await
        }
    }
}

/// Asks the daemon, which has the source's settings.
async fn configured(
    path: &Path,
    source: &str,
    toml: bool,
    lang: Option<Lang>,
    output: &mut Output,
) -> Result<(), ClientError> {
    let key: SourceKey = source
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{source}: {error}")))?;
    let client = Client::from_config(path)?;
    let path = format!(
        "/v1/tenants/{}/sources/{}/discovery",
        key.tenant, key.source
    );
    let query: Vec<(&str, String)> = lang
        .map(|lang| ("lang", lang.word().to_owned()))
        .into_iter()
        .collect();
    let answer = client.get(&path, &query).await?;
    if output.json() {
        output.value(&answer);
        return Ok(());
    }
    let found: Discovery = read(answer)?;
    if toml {
        let place = Place::Configured;
        print(
            &Fragment {
                id: &key.source,
                found: &found,
                place,
            },
            output,
        );
    } else {
        report::show(&found, Some(&key), output);
    }
    Ok(())
}

/// Looks itself: nothing of it is configured, and no daemon need run.
async fn unconfigured(
    direct: &Direct,
    toml: bool,
    language: Language,
    output: &mut Output,
) -> Result<(), ClientError> {
    let id: SourceId = direct
        .id
        .parse()
        .map_err(|error| ClientError::Wrong(format!("--id: {error}")))?;
    let place = direct.connect(&id, output)?;
    let found = place.discoverer.discover(language).await;
    let found = found.map_err(|error| ClientError::Refused(error.to_string()))?;
    if output.json() {
        let value = serde_json::to_value(&found);
        output.value(&value.map_err(|error| ClientError::Local(error.to_string()))?);
    } else if toml {
        let place = Place::New {
            kind: &direct.kind,
            settings: &place.settings,
            secret_file: &place.secret_file,
        };
        print(
            &Fragment {
                id: &id,
                found: &found,
                place,
            },
            output,
        );
    } else {
        report::show(&found, None, output);
    }
    Ok(())
}

fn read(answer: Value) -> Result<Discovery, ClientError> {
    serde_json::from_value(answer).map_err(|error| {
        ClientError::Local(format!(
            "the daemon answered in another form ({error}): is it of this version?"
        ))
    })
}

fn print(fragment: &Fragment<'_>, output: &mut Output) {
    output.raw(&fragment.write());
}
