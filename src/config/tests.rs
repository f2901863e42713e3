//! The whole way from files to configuration, with made-up kinds of sources and CRMs.

mod answering;
mod changes;
mod installations;
mod kinds;
mod mistakes;
mod recordings;
mod schema;
mod wrong_keys;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{ConfigMistake, Configuration, Environment, load_with};

/// A folder with a configuration that is right, to be spoilt by tests.
struct Folder {
    dir: TempDir,
}

const TENANT: &str = r#"
[tenant]
id = "demo"
name = "Демо"
time_zone = "Europe/Moscow"

[[employees]]
id = "ivanov"
name = "Иванов"
extensions = [{ source = "office", extension = "101" }]
users = [{ account = "sales", user = "11" }]
phones = ["8 916 000-00-01"]

[[sources]]
id = "office"
kind = "switchboard"
name = "Офис"
numbers = { incoming = [{ from = "8", to = "+7", length_min = 11 }] }
[sources.settings]
host = "10.0.0.5"
lines = [{ name = "trunk" }]
[sources.secrets]
password = { file = "password" }

[[sources]]
id = "site"
kind = "form"
[sources.secrets]
hook = { credential = "hook" }

[[accounts]]
id = "sales"
crm = "paper"
[accounts.settings]
portal = "https://demo.paper.example"
[accounts.secrets]
token = { credential = "token" }

[[integrations]]
id = "main"
account = "sales"
activity = "on"
takes = [{ source = "office", kinds = ["call"] }, { source = "site", kinds = ["call", "request"] }]
[integrations.settings.calls]
default_responsible = "11"
[integrations.settings.calls.incoming.answered_unknown]
action = { kind = "contact_and_deal", pipeline = "1", stage = "2" }
"#;

impl Folder {
    fn new() -> Self {
        let folder = Self {
            dir: TempDir::new().expect("a temporary folder"),
        };
        folder.write("trunkline.toml", "");
        folder.write("tenants.d/demo.toml", TENANT);
        folder.write("tenants.d/password", "secret of the switchboard\n");
        folder.write("credentials/store-key", &"k".repeat(44));
        folder.write("credentials/hook", "0123456789abcdef");
        folder.write("credentials/token", "ey.token");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only its owner can read.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("made");
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
    }

    /// Replaces a part of the tenant's file that stands there exactly once.
    fn edit(&self, from: &str, to: &str) {
        let path = self.path("tenants.d/demo.toml");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text.matches(from).count(), 1, "{from}");
        fs::write(path, text.replace(from, to)).expect("written");
    }

    fn environment(&self) -> Environment {
        Environment {
            credentials_dir: Some(self.path("credentials")),
        }
    }

    fn load(&self) -> Result<Configuration, Vec<ConfigMistake>> {
        let path = self.path("trunkline.toml");
        load_with(&path, &self.environment(), kinds::registries())
    }

    #[track_caller]
    fn loaded(&self) -> Configuration {
        match self.load() {
            Ok(configuration) => configuration,
            Err(mistakes) => panic!("{}", self.lines(&mistakes)),
        }
    }

    /// Returns every mistake as its own line, with ways that begin at the folder.
    #[track_caller]
    fn mistakes(&self) -> String {
        match self.load() {
            Ok(_) => panic!("the configuration was accepted"),
            Err(mistakes) => self.lines(&mistakes),
        }
    }

    fn lines(&self, mistakes: &[ConfigMistake]) -> String {
        let folder = format!("{}/", self.dir.path().display());
        mistakes
            .iter()
            .map(|mistake| mistake.to_string().replace(&folder, "") + "\n")
            .collect()
    }
}
