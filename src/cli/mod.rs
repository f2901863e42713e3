//! The command line. Everything but `run` and `check-config` speaks to the running daemon.

mod account;
mod alarms;
mod authorisation;
mod backup;
mod call;
mod check;
mod client;
mod credentials;
mod deals;
mod doctor;
mod employees;
mod explain;
mod file_edit;
mod forget;
mod installations;
mod integration;
mod journal;
mod lookup;
mod outbox;
mod output;
mod pbx;
mod rehearse;
mod settings;
mod status;
mod store;
mod support_bundle;
mod sync;
mod test_call;
mod widget;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, ConfigMistake, Configuration, Environment};
use crate::model::explanation::Language;
use crate::sabotage;

pub(crate) use client::Client;
use output::Output;

/// Joins a company's phone system with its CRM.
#[derive(Debug, Parser)]
#[command(name = "trunkline", version = sabotage::VERSION, about)]
pub struct Cli {
    /// The daemon's configuration file.
    #[arg(long, global = true, default_value = "/etc/trunkline/trunkline.toml")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Run,
    /// Check the configuration and name every mistake.
    CheckConfig {
        /// Have the daemon ask the CRMs, too: whether the users, pipelines, stages, fields and sorts of
        /// tasks that the settings name are there.
        #[arg(long)]
        online: bool,
    },
    /// Show what is alive and what is not.
    Status,
    /// Say what was made of one communication, and why.
    Explain {
        /// The communication, as the journal names it: tenant/source/key.
        key: String,
        /// The language of the explanation.
        #[arg(long, value_enum)]
        lang: Option<Lang>,
        /// Make each decision again from what is stored, and say what this version decides
        /// differently.
        #[arg(long)]
        again: bool,
    },
    /// Say whom a caller would reach, and why.
    Lookup(lookup::Lookup),
    /// Search the journal.
    Journal(journal::Search),
    /// Look at work that is not over, and at dead letters.
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Look at alarms, and try whether they reach anybody.
    #[command(subcommand)]
    Alarms(alarms::Alarms),
    /// Look what is wrong with the set-up, and say what to do. Changes nothing.
    Doctor,
    /// Write what somebody who helps needs to see, without secrets and client data, into one file.
    SupportBundle(support_bundle::SupportBundle),
    /// Write store and configuration of this moment into one file. The daemon goes on meanwhile.
    Backup(backup::Backup),
    /// Put a backup back, while no daemon runs.
    Restore(backup::Restore),
    /// Look at rows of the store that cannot be read, put them back or give them up.
    #[command(subcommand)]
    Store(store::Store),
    /// Look at CRM accounts, and authorise them.
    #[command(subcommand)]
    Account(account::Account),
    /// Switch integrations, and let them work in another account.
    #[command(subcommand)]
    Integration(integration::Integration),
    /// Look at the employees that come from a CRM, and have them read.
    #[command(subcommand)]
    Employees(employees::Employees),
    /// Read now what changed in the CRM, or show how far the directories are.
    Sync(sync::Sync),
    /// Remove whatever tells who a client was, by its number, from the journal of this box.
    Forget(forget::Forget),
    /// Look at the deals that came back from CRMs, export them, have them read now.
    #[command(subcommand)]
    Deals(deals::Deals),
    /// Connect an employee with a number: the employee's phone rings first.
    Call(call::Call),
    /// Follow the next call of a number to the CRM, and say where it stopped and why.
    TestCall(test_call::TestCall),
    /// Say what settings would have made of recorded communications. Nothing is sent or changed.
    Rehearse(rehearse::Rehearse),
    /// Look around in a phone system.
    #[command(subcommand)]
    Pbx(pbx::Pbx),
    /// Say what can be set.
    #[command(subcommand)]
    Settings(settings::Settings),
    /// Write the archive of a CRM's widget with the operators' workplace.
    Widget(widget::Widget),
    /// Print the OpenAPI document of the admin endpoint.
    Openapi,
}

/// A language of explanations.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Lang {
    Ru,
    En,
}

impl Lang {
    /// Returns the word that the API uses.
    fn word(self) -> &'static str {
        match self {
            Lang::Ru => "ru",
            Lang::En => "en",
        }
    }
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Ru => Language::Ru,
            Lang::En => Language::En,
        }
    }
}

/// Done.
const DONE: u8 = 0;
/// Tried and failed.
const FAILED: u8 = 1;
/// Wrong usage or configuration.
const WRONG: u8 = 2;

/// Runs the command line; returns the exit status: 0 done, 1 failed, 2 wrong usage or
/// configuration.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { WRONG } else { DONE };
            // Nothing can be done about a closed standard output.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let mut output = Output::new(cli.json);
    ExitCode::from(execute(cli, &mut output))
}

fn execute(cli: Cli, output: &mut Output) -> u8 {
    match cli.command {
        Command::Openapi => {
            output.raw(crate::admin::openapi());
            DONE
        }
        Command::Settings(settings) => {
            settings::print(&settings, output);
            DONE
        }
        Command::Run => run(&cli.config, output),
        Command::CheckConfig { online: false } => check(&cli.config, output),
        Command::CheckConfig { online: true } => check_online(&cli.config, output),
        Command::Doctor => {
            let result = wait_for(doctor::run(&cli.config, output));
            told(result, output)
        }
        Command::SupportBundle(bundle) => {
            let result = wait_for(bundle.run(&cli.config, output));
            told(result, output)
        }
        Command::Widget(widget) => widget.run(&cli.config, output),
        Command::Restore(restore) => restore.run(&cli.config, output),
        Command::Account(account::Account::Edit(edit)) => edit.run(&cli.config, output),
        Command::Account(account::Account::Remove(remove)) => remove.run(&cli.config, output),
        Command::Integration(integration::Integration::Edit(edit)) => edit.run(&cli.config, output),
        command => ask(&cli.config, command, output),
    }
}

fn load(path: &Path, output: &mut Output) -> Result<Configuration, u8> {
    config::load(path, &Environment::of_process()).map_err(|mistakes| {
        report(&mistakes, output);
        WRONG
    })
}

fn report(mistakes: &[ConfigMistake], output: &mut Output) {
    if output.json() {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        output.value(&serde_json::json!({ "ok": false, "mistakes": lines }));
    } else {
        for mistake in mistakes {
            output.error(&mistake.to_string());
        }
        output.error(&format!(
            "{} mistake(s) in the configuration",
            mistakes.len()
        ));
    }
}

fn check(path: &Path, output: &mut Output) -> u8 {
    let configuration = match load(path, output) {
        Ok(configuration) => configuration,
        Err(status) => return status,
    };
    let (mut sources, mut integrations) = (0, 0);
    for tenant in &configuration.tenants {
        sources += tenant.sources.len();
        integrations += tenant.integrations.len();
    }
    let tenants = configuration.tenants.len();
    if output.json() {
        output.value(&serde_json::json!({
            "ok": true, "tenants": tenants, "sources": sources, "integrations": integrations,
        }));
    } else {
        output.line(&format!(
            "the configuration is right: {tenants} tenant(s), {sources} source(s), \
             {integrations} integration(s)"
        ));
    }
    DONE
}

fn check_online(path: &Path, output: &mut Output) -> u8 {
    if let Err(status) = load(path, output) {
        return status;
    }
    let result = wait_for(check::online(path, output));
    told(result, output)
}

fn run(path: &Path, output: &mut Output) -> u8 {
    let configuration = match load(path, output) {
        Ok(configuration) => configuration,
        Err(status) => return status,
    };
    match crate::app::run(path.to_owned(), configuration) {
        Ok(()) => DONE,
        Err(error) => {
            output.error(&format!("{error:#}"));
            FAILED
        }
    }
}

fn ask(path: &Path, command: Command, output: &mut Output) -> u8 {
    let result = wait_for(ask_daemon(path, command, output));
    told(result, output)
}

/// Runs something that waits for the daemon.
fn wait_for(
    asking: impl Future<Output = Result<(), client::ClientError>>,
) -> Result<(), client::ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(asking),
        Err(error) => Err(client::ClientError::Local(error.to_string())),
    }
}

/// Tells what went wrong, if anything; returns the exit status.
fn told(result: Result<(), client::ClientError>, output: &mut Output) -> u8 {
    match result {
        Ok(()) => DONE,
        Err(client::ClientError::Told) => FAILED,
        Err(error) => {
            output.failure(&error.to_string());
            match error {
                client::ClientError::Wrong(_) => WRONG,
                _ => FAILED,
            }
        }
    }
}

async fn ask_daemon(
    path: &Path,
    command: Command,
    output: &mut Output,
) -> Result<(), client::ClientError> {
    let command = match command {
        // A phone system that is not configured yet is looked at without a daemon.
        Command::Pbx(pbx) => return pbx::run(path, pbx, output).await,
        command => command,
    };
    let client = Client::from_config(path)?;
    match command {
        Command::Status => status::show(&client, output).await,
        Command::Explain { key, lang, again } => {
            let language = lang.map(Language::from);
            explain::show(&client, &key, language, again, output).await
        }
        Command::Lookup(wish) => lookup::show(&client, wish, output).await,
        Command::Journal(search) => journal::show(&client, search, output).await,
        Command::Outbox(outbox) => outbox::run(&client, outbox, output).await,
        Command::Store(wish) => store::run(&client, wish, output).await,
        Command::Account(account) => account::run(&client, account, output).await,
        Command::Integration(wish) => integration::run(&client, wish, output).await,
        Command::Backup(wish) => backup::make(&client, &wish, output).await,
        Command::Alarms(wish) => alarms::run(&client, &wish, output).await,
        Command::Employees(wish) => employees::run(&client, wish, output).await,
        Command::Sync(wish) => sync::run(&client, wish, output).await,
        Command::Forget(wish) => forget::run(&client, wish, output).await,
        Command::Deals(deals) => deals::run(&client, deals, output).await,
        Command::Call(wish) => call::place(&client, wish, output).await,
        Command::TestCall(wish) => test_call::follow(&client, wish, output).await,
        Command::Rehearse(wish) => rehearse::show(&client, wish, output).await,
        // They need no daemon, and were carried out before one was asked.
        Command::Run
        | Command::CheckConfig { .. }
        | Command::Restore(_)
        | Command::Doctor
        | Command::SupportBundle(_)
        | Command::Pbx(_)
        | Command::Settings(_)
        | Command::Widget(_)
        | Command::Openapi => Ok(()),
    }
}
