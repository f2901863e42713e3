//! `trunkline widget …`: the operators' workplace inside of a CRM (S0-25, S2-44, S4-19).

mod zip;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::config::Configuration;
use crate::crm::registry::{self, CrmKind};
use crate::crm::{Embedding, WidgetPlace};

use super::output::Output;
use super::{DONE, FAILED, WRONG, load};

/// Where an archive is written when nothing else is said.
const FILE: &str = "widget.zip";

/// Write the archive of a CRM's widget, or say how the workplace gets into the CRM otherwise.
#[derive(Debug, Args)]
pub(super) struct Widget {
    /// The CRM, as it stands in `crm = "…"`.
    crm: String,
    /// The account: tenant/account. Left out where there is one of this CRM only.
    account: Option<String>,
    /// The file that is written.
    #[arg(long, default_value = FILE)]
    output: PathBuf,
}

impl Widget {
    pub(super) fn run(&self, path: &Path, output: &mut Output) -> u8 {
        let Some(kind) = registry::find(&self.crm) else {
            let known: Vec<&str> = registry::KINDS.iter().map(|kind| kind.name).collect();
            let known = known.join(", ");
            output.failure(&format!("there is no CRM {:?}: write {known}", self.crm));
            return WRONG;
        };
        match kind.embedding {
            Embedding::None { instead } => {
                output.failure(instead);
                FAILED
            }
            Embedding::Placement => {
                output.failure(&format!(
                    "{} needs no file: write workplace into the account's settings, and the entry \
                     stands in the portal's menu after a reload (docs/workplace.md)",
                    kind.name
                ));
                FAILED
            }
            Embedding::Widget => self.write(kind, path, output),
        }
    }

    fn write(&self, kind: &CrmKind, path: &Path, output: &mut Output) -> u8 {
        let configuration = match load(path, output) {
            Ok(configuration) => configuration,
            Err(status) => return status,
        };
        let archive = match self.archive(kind, &configuration) {
            Ok(archive) => archive,
            Err(why) => {
                output.failure(&why);
                return WRONG;
            }
        };
        if let Err(error) = std::fs::write(&self.output, &archive) {
            output.failure(&format!("write {}: {error}", self.output.display()));
            return FAILED;
        }
        let (file, bytes) = (self.output.display().to_string(), archive.len());
        match output.json() {
            true => output.value(&json!({ "file": file, "bytes": bytes })),
            false => output.line(&format!(
                "{file} is written ({bytes} bytes): upload it to the account's integration \
                 (docs/workplace.md)"
            )),
        }
        DONE
    }

    /// Makes the archive, or says what is missing.
    fn archive(&self, kind: &CrmKind, configuration: &Configuration) -> Result<Vec<u8>, String> {
        let mut found = configuration.tenants.iter().flat_map(|tenant| {
            let accounts = tenant.accounts.iter();
            let of_kind = accounts.filter(|account| account.crm == kind.name);
            of_kind.map(move |account| (format!("{}/{}", tenant.id, account.id), account))
        });
        let (name, account) = match &self.account {
            Some(wanted) => found
                .find(|(name, _)| name == wanted)
                .ok_or_else(|| format!("there is no account {wanted} of {}", kind.name))?,
            None => {
                let all: Vec<_> = found.collect();
                match all.as_slice() {
                    [(name, account)] => (name.clone(), *account),
                    [] => return Err(format!("there is no account of {}", kind.name)),
                    several => {
                        let names: Vec<&str> =
                            several.iter().map(|(name, _)| name.as_str()).collect();
                        return Err(format!("say which account: {}", names.join(", ")));
                    }
                }
            }
        };
        let public_url = configuration.daemon.public_url.as_ref().ok_or_else(|| {
            "public_url is not set: the widget's clicks would not reach the box".to_owned()
        })?;
        let public_url = public_url.as_str().trim_end_matches('/');
        let place = WidgetPlace {
            calls: format!("{public_url}/workplace/{name}/calls"),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let files = account.settings.widget(&place)?;
        zip::pack(&files).ok_or_else(|| "the widget is too large".to_owned())
    }
}
