//! `trunkline integration …`.

use clap::Subcommand;

use super::file_edit::IntegrationWish;

#[derive(Debug, Subcommand)]
pub(super) enum Integration {
    /// Switch an integration, or let it work in another account, in its tenant's file; a change
    /// after which the configuration would be wrong is not made.
    Edit(IntegrationWish),
}
