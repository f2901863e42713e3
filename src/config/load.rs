//! Reads the files and puts their parts together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::configuration::{Configuration, DaemonSettings, Tenant};
use super::daemon;
use super::defaults;
use super::document::Document;
use super::key_path::KeyPath;
use super::mistake::{ConfigMistake, Findings};
use super::raw::{RawDaemon, RawTenantFile};
use super::reading;
use super::secret_place::Environment;
use super::tenant::{self, Context, NoticeWays, Registries};
use crate::model::seal::StoreKey;

/// Longest configuration file, in bytes. A tenant with a thousand employees takes a quarter of it.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Most tenants of one box. Every one has sessions, actors and files of its own; a box that joins
/// more companies than this is no longer a small one.
const TENANTS_MAX: usize = 500;

/// Reads the configuration of `trunkline.toml` at `path` and of the tenants beside it, or names
/// every mistake, the daemon's file first.
pub fn load(path: &Path, environment: &Environment) -> Result<Configuration, Vec<ConfigMistake>> {
    load_with(path, environment, Registries::built_in())
}

/// Like [`load`], with other kinds of sources and CRMs than this build's.
pub fn load_with(
    path: &Path,
    environment: &Environment,
    registries: Registries<'_>,
) -> Result<Configuration, Vec<ConfigMistake>> {
    load_reporting(path, environment, registries, Report::default())
}

/// A text that is read instead of a file's own, or of one that is not there yet.
#[derive(Debug)]
pub(super) struct Instead {
    pub(super) file: PathBuf,
    pub(super) text: String,
}

/// Like [`load`], as if one of the files were another.
pub(super) fn load_instead(
    path: &Path,
    environment: &Environment,
    instead: Instead,
) -> Result<Configuration, Vec<ConfigMistake>> {
    let report = Report {
        instead: Some(instead),
        ..Report::default()
    };
    load_reporting(path, environment, Registries::built_in(), report)
}

/// Returns the folder of the tenants' files.
pub(super) fn tenants_dir(path: &Path) -> PathBuf {
    let main = read_file(path).ok();
    let main = main.and_then(|text| Document::parse(text).ok());
    tenants_folder(path, main.as_ref())
}

/// Returns the key of the store; `None` where the daemon's file has mistakes.
pub(super) fn store_key(path: &Path, environment: &Environment) -> Option<StoreKey> {
    let mut report = Report::default();
    let main = report.parse(path)?;
    let daemon = load_daemon(&mut report, path, &main, environment)?;
    Some(StoreKey::of_text(&daemon.store.key))
}

/// Returns the files of a configuration that can be read, named from the folder of `trunkline.toml` on
/// where they lie below it, else by their names in `tenants.d`.
pub fn written_files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let main = read_file(path).ok().map(|text| (path.to_owned(), text));
    let files = main.into_iter().chain(tenant_texts(path));
    let named = files.filter_map(|(file, text)| {
        let below = file.strip_prefix(folder).ok().map(Path::to_owned);
        let name = match below {
            Some(below) => below,
            None => Path::new("tenants.d").join(file.file_name()?),
        };
        Some((name.to_string_lossy().into_owned(), text.into_bytes()))
    });
    named.collect()
}

/// Returns the tenants' files that can be read, with their texts.
pub fn tenant_texts(path: &Path) -> Vec<(PathBuf, String)> {
    let files = tenant_files(&tenants_dir(path)).unwrap_or_default();
    files
        .into_iter()
        .filter_map(|file| {
            let text = read_file(&file).ok()?;
            Some((file, text))
        })
        .collect()
}

fn load_reporting(
    path: &Path,
    environment: &Environment,
    registries: Registries<'_>,
    mut report: Report,
) -> Result<Configuration, Vec<ConfigMistake>> {
    let main = report.parse(path);
    let daemon = main
        .as_ref()
        .and_then(|document| load_daemon(&mut report, path, document, environment));
    let base_urls = daemon
        .as_ref()
        .map_or_else(BTreeMap::new, |daemon| daemon.base_urls.clone());
    let mut context = context(registries, environment, daemon.as_ref(), &base_urls);
    let folder = tenants_folder(path, main.as_ref());
    let mut files = match tenant_files(&folder) {
        Ok(files) => files,
        Err(message) => {
            report.mistake(path, main.as_ref(), "tenants_dir", message);
            Vec::new()
        }
    };
    let instead = report.instead.as_ref().map(|one| one.file.clone());
    if let Some(new) = instead.filter(|file| file != path && !files.contains(file)) {
        files.push(new);
        files.sort();
    }
    let mut tenants: Vec<Tenant> = Vec::new();
    let mut owners: HashMap<String, PathBuf> = HashMap::new();
    for file in &files {
        let Some(document) = report.parse(file) else {
            continue;
        };
        let tenant = load_tenant(&mut report, file, &document, &mut context, &mut owners);
        tenants.extend(tenant);
    }
    if report.mistakes.is_empty() {
        let unused = base_urls
            .keys()
            .filter(|from| !context.used_base_urls.contains(*from));
        for from in unused {
            report.unused_base_url(path, main.as_ref(), from);
        }
    }
    report.finish(path, daemon, tenants)
}

/// Reads a tenant's file that is not in force, as if it lay beside the others, or names every
/// mistake. `name` is the file's name, in whose place it would come.
pub fn load_draft(
    path: &Path,
    environment: &Environment,
    name: &str,
    text: String,
) -> Result<Tenant, Vec<ConfigMistake>> {
    let mut report = Report::default();
    let main = report.parse(path);
    let daemon = main
        .as_ref()
        .and_then(|document| load_daemon(&mut report, path, document, environment));
    let base_urls = daemon
        .as_ref()
        .map_or_else(BTreeMap::new, |daemon| daemon.base_urls.clone());
    let registries = Registries::built_in();
    let mut context = context(registries, environment, daemon.as_ref(), &base_urls);
    let name = Path::new(name).file_name().unwrap_or("draft.toml".as_ref());
    let file = tenants_folder(path, main.as_ref()).join(name);
    let tenant = if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("is longer than {FILE_BYTES_MAX} bytes");
        report.mistake(&file, None, "", message);
        None
    } else {
        let document = report.parse_text(&file, text);
        document.and_then(|document| {
            let mut owners = HashMap::new();
            load_tenant(&mut report, &file, &document, &mut context, &mut owners)
        })
    };
    match tenant {
        Some(tenant) if report.mistakes.is_empty() => Ok(tenant),
        _ => {
            report.mistakes.sort();
            Err(report.mistakes)
        }
    }
}

fn context<'a>(
    registries: Registries<'a>,
    environment: &'a Environment,
    daemon: Option<&DaemonSettings>,
    base_urls: &'a BTreeMap<String, String>,
) -> Context<'a> {
    Context {
        registries,
        environment,
        key: daemon.map(|daemon| StoreKey::of_text(&daemon.store.key)),
        questions_from_afar: daemon.and_then(|daemon| {
            let both = [
                ("questions", daemon.questions.listen),
                ("fastagi", daemon.fastagi.listen),
            ];
            both.into_iter().find(|(_, at)| !at.ip().is_loopback())
        }),
        notice_ways: daemon.map(|daemon| NoticeWays {
            email: daemon.alarms.email.is_some(),
            webhooks: daemon.notice_webhooks.keys().cloned().collect(),
        }),
        base_urls,
        used_base_urls: BTreeSet::new(),
    }
}

fn load_daemon(
    report: &mut Report,
    path: &Path,
    document: &Document,
    environment: &Environment,
) -> Option<DaemonSettings> {
    let tree = match defaults::under(&document.root) {
        Ok(tree) => tree,
        Err(mistake) => {
            let message = format!("the defaults of this build are broken: {}", mistake.message);
            report.mistake(path, Some(document), "", message);
            return None;
        }
    };
    let reading = reading::read::<RawDaemon>(&tree);
    let mut findings = Findings::new(path, document, reading.mistakes, reading.touched);
    let daemon = reading
        .value
        .and_then(|raw| daemon::check(&mut findings, raw, environment));
    report.add(findings);
    daemon
}

fn load_tenant(
    report: &mut Report,
    file: &Path,
    document: &Document,
    context: &mut Context<'_>,
    owners: &mut HashMap<String, PathBuf>,
) -> Option<Tenant> {
    let reading = reading::read::<RawTenantFile>(&document.root);
    let mut findings = Findings::new(file, document, reading.mistakes, reading.touched);
    let tenant = reading.value.as_ref().and_then(|raw| {
        let tenant = tenant::check(&mut findings, raw, &reading.places, context);
        if let Some(first) = owners.insert(raw.tenant.id.clone(), file.to_owned()) {
            let path = KeyPath::top().key("tenant").key("id");
            let message = format!(
                "tenant {:?} stands in {} already",
                raw.tenant.id,
                first.display()
            );
            findings.mistake(&path, message);
        }
        tenant
    });
    report.add(findings);
    tenant
}

/// Returns where the tenants' files lie, even where the daemon's file has mistakes.
fn tenants_folder(path: &Path, main: Option<&Document>) -> PathBuf {
    let written = main.and_then(|document| document.root.get("tenants_dir")?.as_str());
    let folder = path.parent().unwrap_or(Path::new(""));
    folder.join(written.unwrap_or("tenants.d"))
}

/// Returns the tenants' files in order of their names.
fn tenant_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("cannot list {}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        if is_toml && !hidden {
            files.push(path);
        }
        if files.len() > TENANTS_MAX {
            return Err(format!(
                "{} has more than {TENANTS_MAX} files",
                folder.display()
            ));
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not a text in UTF-8".to_owned())
}

/// The mistakes and warnings of all files.
#[derive(Default)]
struct Report {
    instead: Option<Instead>,
    mistakes: Vec<ConfigMistake>,
    warnings: Vec<ConfigMistake>,
}

impl Report {
    fn add(&mut self, findings: Findings<'_>) {
        self.mistakes.extend(findings.mistakes);
        self.warnings.extend(findings.warnings);
    }

    /// Reads and parses a file; `None` after adding the mistake.
    fn parse(&mut self, path: &Path) -> Option<Document> {
        let instead = self.instead.as_ref().filter(|one| one.file == path);
        let text = match instead.map_or_else(|| read_file(path), |one| Ok(one.text.clone())) {
            Ok(text) => text,
            Err(message) => {
                self.mistake(path, None, "", message);
                return None;
            }
        };
        self.parse_text(path, text)
    }

    /// Parses a file's text; `None` after adding the mistake.
    fn parse_text(&mut self, path: &Path, text: String) -> Option<Document> {
        match Document::parse(text) {
            Ok(document) => Some(document),
            Err(mistake) => {
                self.mistakes.push(ConfigMistake {
                    file: path.to_owned(),
                    position: Some(mistake.position),
                    path: String::new(),
                    message: mistake.message,
                });
                None
            }
        }
    }

    fn mistake(&mut self, path: &Path, document: Option<&Document>, key: &str, message: String) {
        let way = match key {
            "" => KeyPath::top(),
            key => KeyPath::top().key(key),
        };
        self.mistakes.push(ConfigMistake {
            file: path.to_owned(),
            position: document.map(|document| document.position(&way)),
            path: way.to_string(),
            message,
        });
    }

    fn unused_base_url(&mut self, path: &Path, document: Option<&Document>, from: &str) {
        let way = KeyPath::top().key("base_urls").key(from);
        self.warnings.push(ConfigMistake {
            file: path.to_owned(),
            position: document.map(|document| document.position(&way)),
            path: way.to_string(),
            message: "no account has this address".to_owned(),
        });
    }

    fn finish(
        mut self,
        main: &Path,
        daemon: Option<DaemonSettings>,
        tenants: Vec<Tenant>,
    ) -> Result<Configuration, Vec<ConfigMistake>> {
        match daemon {
            Some(daemon) if self.mistakes.is_empty() => Ok(Configuration {
                daemon,
                tenants,
                warnings: self.warnings,
            }),
            _ => {
                self.mistakes.sort();
                self.mistakes.sort_by_key(|mistake| mistake.file != main);
                Err(self.mistakes)
            }
        }
    }
}
