//! `trunkline deals`.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Client, ClientError, segments};
use super::output::Output;
use super::status::items;

#[derive(Debug, Subcommand)]
pub(super) enum Deals {
    /// Say which integrations receive deals, and how far they are.
    Show,
    /// List deals, the newest made first.
    List {
        /// The integration: tenant/integration.
        integration: String,
        #[command(flatten)]
        filter: Filter,
        /// At the most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Go on where an earlier list ended.
        #[arg(long)]
        after: Option<String>,
    },
    /// Show one deal with the history of its stages.
    Story {
        /// The integration: tenant/integration.
        integration: String,
        /// The deal, by the CRM's id.
        deal: String,
    },
    /// Write all deals to standard output.
    Export {
        /// The integration: tenant/integration.
        integration: String,
        #[command(flatten)]
        filter: Filter,
        /// In which form.
        #[arg(long, value_enum, default_value = "csv")]
        format: Format,
        /// What keeps the cells of a CSV apart.
        #[arg(long, value_enum, default_value = "semicolon")]
        separator: Separator,
    },
    /// Read now what changed in the CRM.
    Sync {
        /// The integration: tenant/integration.
        integration: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Made at or after this time (RFC 3339).
    #[arg(long)]
    from: Option<String>,
    /// Made before this time.
    #[arg(long)]
    until: Option<String>,
    /// Only of this state: open, won, lost, removed. Left out: all but the removed ones.
    #[arg(long)]
    state: Option<String>,
    /// Only of this pipeline, by id.
    #[arg(long)]
    pipeline: Option<String>,
    /// Only of this responsible, by id.
    #[arg(long)]
    responsible: Option<String>,
    /// Only those whose name, id, client or number holds this text.
    #[arg(long)]
    text: Option<String>,
    /// Only those that the phone system refused.
    #[arg(long)]
    refused: bool,
}

impl Filter {
    fn query(self) -> Vec<(&'static str, String)> {
        let given = [
            ("from", self.from),
            ("until", self.until),
            ("state", self.state),
            ("pipeline", self.pipeline),
            ("responsible", self.responsible),
            ("text", self.text),
            ("refused", self.refused.then(|| "true".to_owned())),
        ];
        let given = given.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// A table for spreadsheets.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Separator {
    /// As Russian spreadsheets want it, with a comma in numbers.
    Semicolon,
    /// With a point in numbers.
    Comma,
    /// A tab, with a comma in numbers.
    Tab,
}

pub(super) async fn run(
    client: &Client,
    deals: Deals,
    output: &mut Output,
) -> Result<(), ClientError> {
    match deals {
        Deals::Show => show(client, output).await,
        Deals::List {
            integration,
            filter,
            limit,
            after,
        } => {
            let mut query = filter.query();
            query.push(("limit", limit.to_string()));
            query.extend(after.map(|after| ("after", after)));
            let found = client.get(&way(&integration, "")?, &query).await?;
            list(&found, output);
            Ok(())
        }
        Deals::Story { integration, deal } => {
            let path = format!("/by-id/{}", segments(&deal).replace('/', "%2F"));
            let found = client.get(&way(&integration, &path)?, &[]).await?;
            story(&found, output);
            Ok(())
        }
        Deals::Export {
            integration,
            filter,
            format,
            separator,
        } => {
            let word = |value: Option<clap::builder::PossibleValue>| {
                value
                    .map(|value| value.get_name().to_owned())
                    .unwrap_or_default()
            };
            let mut query = filter.query();
            query.push(("format", word(format.to_possible_value())));
            query.push(("separator", word(separator.to_possible_value())));
            let path = way(&integration, "/export")?;
            client
                .download(&path, &query, |piece| output.bytes(piece))
                .await
        }
        Deals::Sync { integration } => {
            let path = way(&integration, "/sync")?;
            let asked = client.post(&path, &json!({})).await?;
            match output.json() {
                true => output.value(&asked),
                false => output.line(&format!("{integration}: what changed will be read")),
            }
            Ok(())
        }
    }
}

fn way(integration: &str, rest: &str) -> Result<String, ClientError> {
    let Some((tenant, integration)) = integration.split_once('/') else {
        let why = format!("{integration:?} is no integration: write tenant/integration");
        return Err(ClientError::Wrong(why));
    };
    let part = |text: &str| segments(text).replace('/', "%2F");
    Ok(format!(
        "/v1/tenants/{}/integrations/{}/deals{rest}",
        part(tenant),
        part(integration)
    ))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

async fn show(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let found = client.get("/v1/deals", &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    for one in items(&found, "items") {
        let number = |name: &str| one.get(name).and_then(Value::as_u64).unwrap_or(0);
        let how = match (one.get("on") == Some(&json!(true)), text(one, "/as_of")) {
            (false, _) => "switched off".to_owned(),
            (true, Some(at)) => format!("as of {at}"),
            (true, None) => "not read yet".to_owned(),
        };
        let name = text(one, "/integration").unwrap_or("-");
        output.line(&format!("{name}: {} deals, {how}", number("deals")));
        if let Some(trouble) = text(one, "/trouble") {
            output.line(&format!("  last trouble: {trouble}"));
        }
        if text(one, "/webhooks/by_hand").is_some()
            && let Some(address) = text(one, "/webhooks/address")
        {
            output.line(&format!("  webhooks: {address}SECRET"));
        }
        if let Some(advice) = text(one, "/webhooks/advice") {
            output.line(&format!("  look at this: {advice}"));
        }
        if let Some(source) = text(one, "/upload/source") {
            let refused = one.pointer("/upload/refused").and_then(Value::as_u64);
            let at = text(one, "/upload/at").unwrap_or("never");
            let refused = refused.unwrap_or(0);
            output.line(&format!(
                "  passed on to {source}: last {at}, {refused} refused"
            ));
            if let Some(trouble) = text(one, "/upload/trouble") {
                output.line(&format!("  last trouble there: {trouble}"));
            }
        }
    }
    Ok(())
}

fn list(found: &Value, output: &mut Output) {
    if output.json() {
        output.value(found);
        return;
    }
    for one in items(found, "items") {
        let of = |pointer: &str| {
            text(one, &format!("/deal{pointer}"))
                .unwrap_or("-")
                .to_owned()
        };
        output.line(&format!(
            "{}  {:7} {:>12} {}  {} / {}  {}  {}",
            of("/created_at"),
            of("/state"),
            of("/sum"),
            of("/id"),
            of("/pipeline/name"),
            of("/stage/name"),
            of("/client/name"),
            of("/name"),
        ));
        if let Some(why) = text(one, "/refused") {
            output.line(&format!("  refused by the phone system: {why}"));
        }
    }
    if let Some(next) = text(found, "/next") {
        output.line(&format!("there are more: --after {next}"));
    }
}

fn story(found: &Value, output: &mut Output) {
    if output.json() {
        output.value(found);
        return;
    }
    let of = |pointer: &str| {
        text(found, &format!("/deal{pointer}"))
            .unwrap_or("-")
            .to_owned()
    };
    output.line(&format!("{}  {}  {}", of("/id"), of("/state"), of("/name")));
    output.line(&format!(
        "  {} / {}, sum {}",
        of("/pipeline/name"),
        of("/stage/name"),
        of("/sum")
    ));
    output.line(&format!(
        "  client {}, responsible {}",
        of("/client/name"),
        of("/responsible/name")
    ));
    output.line(&format!("  came of {}", of("/communication")));
    for one in items(found, "moves") {
        let part = |pointer: &str| text(one, pointer).unwrap_or("-").to_owned();
        output.line(&format!(
            "  {}  {} / {} -> {} / {}",
            part("/at"),
            part("/from/pipeline"),
            part("/from/stage"),
            part("/to/pipeline"),
            part("/to/stage"),
        ));
    }
    if let Some(why) = text(found, "/refused") {
        output.line(&format!("  refused by the phone system: {why}"));
    }
}
