//! The folder of a demo: the shipped configuration with this run's ports, and fresh secrets.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Ports;
use crate::lab::alfacrm::AlfaOptions;
use crate::lab::amocrm::AmoHandle;
use crate::lab::bitrix24::BitrixOptions;
use crate::lab::itoolabs::VatsOptions;
use crate::lab::planfix::PlanfixOptions;
use crate::lab::uis::UisOptions;

const DAEMON: &str = include_str!("../../../lab/demo/trunkline.toml");
const TENANT: &str = include_str!("../../../lab/demo/tenants.d/demo.toml");

/// The secret of the simulated switch's user `trunkline`.
const AMI_SECRET: &str = "lab-ami-secret";
/// Made by a run, and removed before the next one: a demo begins on an empty store.
const LEFTOVERS: [&str; 4] = [
    "trunkline.redb",
    "token-witness.json",
    "admin.sock",
    "daemon.log",
];

/// The configuration that is written: the daemon's file and its tenant's, with the usual ports.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Texts {
    /// `trunkline.toml`.
    pub(in crate::lab) daemon: Cow<'static, str>,
    /// `tenants.d/demo.toml`.
    pub(in crate::lab) tenant: Cow<'static, str>,
}

/// The configuration of the demo.
pub(super) const SHIPPED: Texts = Texts {
    daemon: Cow::Borrowed(DAEMON),
    tenant: Cow::Borrowed(TENANT),
};

/// Where everything of a demo lies.
#[derive(Debug)]
pub(in crate::lab) struct DemoFiles {
    dir: PathBuf,
    admin_token: String,
    site_hook: String,
    vats_hook: String,
    uis_hook: String,
}

/// The secret of the integration in the simulated portals.
const CLIENT_SECRET: &str = "lab-secret";

impl DemoFiles {
    /// Writes the configuration and the secrets into the folder.
    pub(in crate::lab) fn write(
        dir: &Path,
        texts: Texts,
        ports: &Ports,
        crms: &BTreeMap<String, AmoHandle>,
    ) -> anyhow::Result<Self> {
        for part in ["etc/tenants.d", "secrets"] {
            let folder = dir.join(part);
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder);
            made.with_context(|| format!("make {}", folder.display()))?;
        }
        let dir = dir
            .canonicalize()
            .with_context(|| format!("find {}", dir.display()))?;
        for leftover in LEFTOVERS {
            // Nothing to remove at the first run.
            fs::remove_file(dir.join(leftover)).ok();
        }
        let files = Self {
            admin_token: random_text()?,
            site_hook: random_text()?,
            vats_hook: random_text()?,
            uis_hook: random_text()?,
            dir,
        };
        files.put("secrets/ami", AMI_SECRET)?;
        files.put("secrets/site-hook", &files.site_hook)?;
        files.put("secrets/vats-hook", &files.vats_hook)?;
        files.put("secrets/uis-hook", &files.uis_hook)?;
        files.put("secrets/uis-key", &UisOptions::default().key)?;
        let vats = VatsOptions::default();
        files.put("secrets/vats-token", &vats.crm_token)?;
        files.put("secrets/vats-key", &vats.api_key)?;
        files.put("secrets/admin-token", &files.admin_token)?;
        files.put("secrets/store-key", &random_text()?)?;
        files.put("secrets/amocrm-client", CLIENT_SECRET)?;
        let application = BitrixOptions::default().applications.into_iter().next();
        let secret = application.map_or_else(String::new, |app| app.client_secret);
        files.put("secrets/bitrix24-client", &secret)?;
        let planfix = PlanfixOptions::default();
        files.put("secrets/planfix-rest", &planfix.rest_token)?;
        files.put("secrets/planfix-telephony", &planfix.telephony_token)?;
        files.put("secrets/alfacrm-key", &AlfaOptions::default().api_key)?;
        for (name, crm) in crms {
            files.put(&format!("secrets/amocrm-{name}"), &crm.long_lived_token())?;
        }
        files.put("etc/trunkline.toml", &with_ports(&texts.daemon, ports))?;
        files.put("etc/tenants.d/demo.toml", &with_ports(&texts.tenant, ports))?;
        Ok(files)
    }

    /// Returns the daemon's configuration.
    pub(in crate::lab) fn config(&self) -> PathBuf {
        self.dir.join("etc/trunkline.toml")
    }

    /// Returns the daemon's log.
    pub(in crate::lab) fn log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// Returns the file of the admin token.
    pub(in crate::lab) fn token_file(&self) -> PathBuf {
        self.dir.join("secrets/admin-token")
    }

    /// Returns the admin token.
    pub(in crate::lab) fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Returns the secret of the webhook source.
    pub(in crate::lab) fn site_hook(&self) -> &str {
        &self.site_hook
    }

    /// Returns the path that the VATS tells its calls to.
    pub(in crate::lab) fn vats_hook(&self) -> String {
        format!("/hooks/itoolabs/demo/cloud/{}", self.vats_hook)
    }

    /// Returns the path that UIS tells its forms and chats to.
    pub(in crate::lab) fn uis_hook(&self) -> String {
        format!("/hooks/uis/demo/pages/{}", self.uis_hook)
    }

    fn put(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.dir.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("write {}", path.display()))
    }
}

/// Puts this run's ports in the place of the usual ones.
fn with_ports(text: &str, ports: &Ports) -> String {
    let usual = [
        ("8460", ports.admin_port),
        ("8461", ports.intake_port),
        ("8462", ports.questions_port),
        ("8470", ports.crm_port),
        ("8471", ports.dead_crm_port),
        ("8490", ports.ami_port),
        ("8472", ports.vats_port),
        ("8474", ports.bitrix24_port),
        ("8475", ports.uis_port),
        ("8476", ports.alfacrm_port),
        ("8477", ports.planfix_port),
    ];
    // By marks first, so that a port that takes the place of another is not replaced again.
    let marked = usual
        .iter()
        .enumerate()
        .fold(text.to_owned(), |text, (n, (port, _))| {
            text.replace(port, &format!("\u{1}{n}\u{1}"))
        });
    usual
        .iter()
        .enumerate()
        .fold(marked, |text, (n, (_, port))| {
            text.replace(&format!("\u{1}{n}\u{1}"), &port.to_string())
        })
}

/// Makes a secret of 256 random bits, in characters that fit into a path.
fn random_text() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).context("ask the system for random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_exchanged_all_at_once() {
        let ports = Ports {
            admin_port: 8461,
            intake_port: 8460,
            questions_port: 8463,
            crm_port: 9001,
            dead_crm_port: 9002,
            ami_port: 9003,
            vats_port: 9004,
            bitrix24_port: 9005,
            uis_port: 9006,
            alfacrm_port: 9007,
            planfix_port: 9008,
        };
        let text = with_ports(DAEMON, &ports);
        assert!(text.contains("[admin]\nlisten = \"127.0.0.1:8461\""));
        assert!(text.contains("[intake]\nlisten = \"127.0.0.1:8460\""));
        assert!(text.contains("= \"http://127.0.0.1:9001\""));
        assert!(with_ports(TENANT, &ports).contains("port = 9003"));
    }

    #[test]
    fn the_shipped_files_are_toml_and_name_every_secret_that_is_written() {
        let daemon: toml::Table = DAEMON.parse().unwrap();
        let tenant: toml::Table = TENANT.parse().unwrap();
        assert_eq!(
            daemon["admin"]["token_file"].as_str(),
            Some("../secrets/admin-token")
        );
        for secret in [
            "ami",
            "site-hook",
            "vats-hook",
            "vats-token",
            "vats-key",
            "amocrm-main",
            "amocrm-service",
            "bitrix24-client",
            "uis-hook",
            "uis-key",
            "planfix-rest",
            "planfix-telephony",
            "alfacrm-key",
        ] {
            let named = format!("../../secrets/{secret}\"");
            assert!(TENANT.contains(&named), "{secret} is named nowhere");
        }
        assert_eq!(tenant["integrations"].as_array().map(Vec::len), Some(5));
    }

    #[tokio::test]
    async fn a_second_run_begins_on_an_empty_store() {
        let folder = tempfile::tempdir().unwrap();
        let ports = Ports {
            admin_port: 1,
            intake_port: 2,
            questions_port: 6,
            crm_port: 3,
            dead_crm_port: 4,
            ami_port: 5,
            vats_port: 7,
            bitrix24_port: 8,
            uis_port: 9,
            alfacrm_port: 10,
            planfix_port: 11,
        };
        let first = DemoFiles::write(folder.path(), SHIPPED, &ports, &BTreeMap::new()).unwrap();
        fs::write(folder.path().join("trunkline.redb"), "old").unwrap();
        let second = DemoFiles::write(folder.path(), SHIPPED, &ports, &BTreeMap::new()).unwrap();
        assert!(!folder.path().join("trunkline.redb").exists());
        assert_ne!(first.admin_token(), second.admin_token());
        let written = fs::read_to_string(second.token_file()).unwrap();
        assert_eq!(written, second.admin_token());
    }
}
