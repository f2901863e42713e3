//! `trunkline-lab`: simulators of the services that Trunkline joins.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    trunkline::lab::cli::run().await
}
