//! Every example under `config/` is a configuration that the daemon takes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use trunkline::config::{Configuration, Environment, Registries, load_with};
use trunkline::model::asked::SettingsForm;
use trunkline::model::communication::Kind;
use trunkline::pbx::registry::SourceKind;
use trunkline::pbx::{Hook, Listener, Source};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

/// Copies the examples to a folder of their own and puts a secret wherever one is named.
fn installed() -> (TempDir, Environment) {
    let folder = TempDir::new().expect("a temporary folder");
    let credentials = folder.path().join("credentials");
    for name in ["tenants.d", "secrets", "credentials"] {
        fs::create_dir(folder.path().join(name)).expect("made");
    }
    write(&credentials.join("store-key"));
    let mut files = vec![PathBuf::from("trunkline.toml")];
    for entry in fs::read_dir(examples().join("tenants.d")).expect("listed") {
        files.push(Path::new("tenants.d").join(entry.expect("listed").file_name()));
    }
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let text = fs::read_to_string(examples().join(&file)).expect("read");
        for (key, base) in [
            ("file = \"", folder.path().join("tenants.d")),
            ("credential = \"", credentials.clone()),
        ] {
            for place in text.lines().filter(|line| !line.starts_with('#')) {
                if let Some((_, rest)) = place.split_once(&format!("{{ {key}")) {
                    let (name, _) = rest.split_once('"').expect("it ends");
                    write(&base.join(name));
                }
            }
        }
        fs::write(folder.path().join(&file), text).expect("written");
    }
    let environment = Environment {
        credentials_dir: Some(credentials),
    };
    (folder, environment)
}

fn write(path: &Path) {
    fs::write(path, "0123456789abcdef0123456789abcdef").expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("changed");
}

fn load() -> Configuration {
    let (folder, environment) = installed();
    let sources = sources();
    let registries = Registries {
        sources: &sources,
        ..Registries::built_in()
    };
    let path = folder.path().join("trunkline.toml");
    match load_with(&path, &environment, registries) {
        Ok(configuration) => configuration,
        Err(mistakes) => {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"));
        }
    }
}

#[test]
fn every_example_is_taken_without_a_warning() {
    let configuration = load();
    assert_eq!(configuration.warnings, []);
    let ids: BTreeSet<&str> = configuration
        .tenants
        .iter()
        .map(|tenant| tenant.id.as_str())
        .collect();
    assert_eq!(
        ids,
        BTreeSet::from([
            "fialka", "gerbera", "iris", "landysh", "lyutik", "mimoza", "pion", "romashka",
            "vasilek"
        ])
    );
    for tenant in &configuration.tenants {
        assert!(!tenant.employees.0.is_empty() && !tenant.integrations.is_empty());
    }
}

#[test]
fn the_asterisk_example_shows_all_four_cases_in_both_directions() {
    let configuration = load();
    let tenant = configuration
        .tenants
        .iter()
        .find(|tenant| tenant.id.as_str() == "romashka")
        .expect("it is there");
    let calls = tenant.integrations[0].settings.calls.as_ref().expect("set");
    for direction in [&calls.incoming, &calls.outgoing] {
        assert!(direction.answered_unknown.is_some() && direction.missed_unknown.is_some());
        assert!(direction.answered_known.is_some() && direction.missed_known.is_some());
    }
}

/// What this build knows, and a plain stand-in for a kind of the examples that it lacks.
fn sources() -> Vec<SourceKind> {
    let built_in = Registries::built_in().sources.iter();
    let mut kinds: Vec<SourceKind> = built_in
        .map(|kind| SourceKind {
            name: kind.name,
            russian: kind.russian,
            secrets: kind.secrets,
            form: kind.form,
            person: kind.person,
            build: kind.build,
        })
        .collect();
    if !kinds.iter().any(|kind| kind.name == "asterisk") {
        kinds.push(SourceKind {
            name: "asterisk",
            russian: "",
            secrets: &["secret"],
            form: SettingsForm::NONE,
            person: trunkline::pbx::webhook::KIND.person,
            build: |_, _, _| Ok(Arc::new(StandIn)),
        });
    }
    kinds
}

struct StandIn;

impl Source for StandIn {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        None
    }
    fn hook(&self) -> Option<Arc<dyn Hook>> {
        None
    }
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Call]
    }
}
