//! `trunkline account edit`: S1-02 where the configuration is kept in files.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::config::{AccountEdit, EditError, Environment, TitleEdit, edit_account};

use super::output::Output;
use super::{DONE, FAILED, WRONG, report};

/// What is to be changed.
#[derive(Debug, Args)]
pub(super) struct Edit {
    /// The account: tenant/account.
    account: String,
    /// The title from now on.
    #[arg(long, conflicts_with = "no_title")]
    title: Option<String>,
    /// Clear the title.
    #[arg(long)]
    no_title: bool,
    /// The portal's address from now on, with or without https://.
    #[arg(long)]
    url: Option<String>,
}

pub(super) fn run(path: &Path, wish: Edit, output: &mut Output) -> u8 {
    let edit = AccountEdit {
        title: match (wish.title, wish.no_title) {
            (Some(title), _) => Some(TitleEdit::Set(title)),
            (None, true) => Some(TitleEdit::Clear),
            (None, false) => None,
        },
        address: wish.url,
    };
    if edit == AccountEdit::default() {
        output.failure("say what is to be changed: --title, --no-title, --url");
        return WRONG;
    }
    match edit_account(path, &Environment::of_process(), &wish.account, &edit) {
        Ok(file) => {
            let file = file.display().to_string();
            match output.json() {
                true => output.value(&json!({ "ok": true, "file": file })),
                false => output.line(&format!(
                    "{file} is written; systemctl reload trunkline puts it into effect"
                )),
            }
            DONE
        }
        Err(EditError::Mistakes(mistakes)) => {
            report(&mistakes, output);
            WRONG
        }
        Err(error) => {
            output.failure(&error.to_string());
            match error {
                EditError::NoAccount(_) | EditError::ByHand { .. } => WRONG,
                EditError::Mistakes(_) | EditError::Write { .. } => FAILED,
            }
        }
    }
}
