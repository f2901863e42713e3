//! The daemon with one promise broken (`--features sabotage`): what the torture proves itself
//! with. In no package. `TRUNKLINE_SABOTAGE` names the promise.

use std::process::ExitCode;

fn main() -> ExitCode {
    match trunkline::sabotage::named() {
        Ok(Some(_)) => trunkline::cli::main(),
        Ok(None) => {
            eprintln!("TRUNKLINE_SABOTAGE is not set: there is nothing to break");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
