//! Commands that change a tenant's file: S1-02 … S1-04 where the configuration is kept in files. They
//! need no running daemon.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::config::{
    AccountEdit, EditError, Environment, FileEdit, IntegrationEdit, TitleEdit, edit_file,
};
use crate::model::activity::Activity;

use super::output::Output;
use super::{DONE, FAILED, WRONG, report};

/// What is to be changed of an account.
#[derive(Debug, Args)]
pub(super) struct AccountWish {
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

/// Which account is to be taken out.
#[derive(Debug, Args)]
pub(super) struct AccountRemoval {
    /// The account: tenant/account.
    account: String,
}

/// What is to be changed of an integration.
#[derive(Debug, Args)]
pub(super) struct IntegrationWish {
    /// The integration: tenant/integration.
    integration: String,
    /// The account that it works in from now on, of the same tenant.
    #[arg(long)]
    account: Option<String>,
    /// Whether it works from now on.
    #[arg(long, value_enum)]
    activity: Option<Switch>,
}

/// The positions of the switch.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Switch {
    /// It takes nothing.
    Off,
    /// It decides and explains, and sends nothing.
    Observe,
    /// It works.
    On,
}

impl AccountWish {
    pub(super) fn run(self, main: &Path, output: &mut Output) -> u8 {
        let edit = AccountEdit {
            title: match (self.title, self.no_title) {
                (Some(title), _) => Some(TitleEdit::Set(title)),
                (None, true) => Some(TitleEdit::Clear),
                (None, false) => None,
            },
            address: self.url,
        };
        if edit == AccountEdit::default() {
            output.failure("say what is to be changed: --title, --no-title, --url");
            return WRONG;
        }
        carry_out(main, &self.account, output, |id| {
            FileEdit::Account(id, edit)
        })
    }
}

impl AccountRemoval {
    pub(super) fn run(self, main: &Path, output: &mut Output) -> u8 {
        let done = carry_out(main, &self.account, output, FileEdit::RemoveAccount);
        if done == DONE && !output.json() {
            output.line(&format!(
                "what it was let in with: trunkline account forget {}",
                self.account
            ));
        }
        done
    }
}

impl IntegrationWish {
    pub(super) fn run(self, main: &Path, output: &mut Output) -> u8 {
        let edit = IntegrationEdit {
            account: self.account,
            activity: self.activity.map(|switch| match switch {
                Switch::Off => Activity::Off,
                Switch::Observe => Activity::Observe,
                Switch::On => Activity::On,
            }),
        };
        if edit == IntegrationEdit::default() {
            output.failure("say what is to be changed: --account, --activity");
            return WRONG;
        }
        carry_out(main, &self.integration, output, |id| {
            FileEdit::Integration(id, edit)
        })
    }
}

/// Makes a change; `name` is tenant/id.
fn carry_out(
    main: &Path,
    name: &str,
    output: &mut Output,
    edit: impl FnOnce(String) -> FileEdit,
) -> u8 {
    let Some((tenant, id)) = name.split_once('/') else {
        output.failure(&format!("{name}: write tenant/name"));
        return WRONG;
    };
    let edit = edit(id.to_owned());
    match edit_file(main, &Environment::of_process(), tenant, &[edit], None) {
        Ok(edited) => {
            let file = edited.file.display().to_string();
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
                EditError::Absent(_) | EditError::ByHand { .. } => WRONG,
                _ => FAILED,
            }
        }
    }
}
