//! `trunkline settings`: what can be set, for editors and people. Needs no daemon.

use clap::{Subcommand, ValueEnum};

use super::output::Output;
use crate::config::{SettingsFile, settings_reference, settings_schema};

/// What is printed.
#[derive(Debug, Subcommand)]
pub(super) enum Settings {
    /// Print the JSON Schema (draft 2020-12) of a sort of file.
    Schema {
        /// The sort of file.
        #[arg(long, default_value = "tenant")]
        kind: Kind,
    },
    /// Print the reference of all settings, in Markdown.
    Reference,
}

/// A sort of file.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    /// trunkline.toml
    Daemon,
    /// A file of tenants.d
    Tenant,
}

/// Prints it.
pub(super) fn print(settings: &Settings, output: &mut Output) {
    match settings {
        Settings::Schema { kind } => output.value(&settings_schema(match kind {
            Kind::Daemon => SettingsFile::Daemon,
            Kind::Tenant => SettingsFile::Tenant,
        })),
        Settings::Reference => output.raw(&settings_reference()),
    }
}
