//! Writes the manual pages and shell completions of `trunkline` into the folder that is named.
//!
//! A tool of the Debian build (`--features manual`), not a part of any package: it asks the command
//! line for what it takes, so that the pages cannot say anything else.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use trunkline::cli::Cli;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("name the folder to write to")?;
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), &folder).context("write the manual pages")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "trunkline", &folder)
            .with_context(|| format!("write the completion of {shell}"))?;
    }
    Ok(())
}
