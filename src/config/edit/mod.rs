//! Changes of a tenant's file by command or API (S1-02 … S1-04). What else stands in the file stays as
//! it is, comments included; a change after which the configuration would be wrong is not made.

mod account;
mod company;
mod employees;
mod integration;
mod item;
mod place;
mod settings;
mod source;
mod tenant;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::document::{Document, Node};
use super::load::{self, Instead};
use super::mistake::ConfigMistake;
use super::secret_place::{Environment, Owner};
use crate::model::activity::Activity;
use crate::model::seal::StoreKey;
use crate::model::secret::Secret;

pub use account::{AccountEdit, TitleEdit, WrittenAccount};
pub use company::{CompanyEdit, WrittenCompany};
pub use integration::{IntegrationEdit, WrittenIntegration, WrittenTake};
pub use item::ItemValues;
pub use settings::WrittenSettings;
pub use source::WrittenSourceItem;
pub use tenant::{
    NewTenant, WrittenSource, WrittenTenant, add_tenant, written_tenant, written_tenants,
};

/// What is to be changed in a tenant's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEdit {
    /// Something of an account.
    Account(String, AccountEdit),
    /// The account goes, with everything that stands in its table.
    RemoveAccount(String),
    /// Something of an integration.
    Integration(String, IntegrationEdit),
    /// The integration goes, with everything that stands in its tables.
    RemoveIntegration(String),
    /// What an integration does: all of its settings.
    Settings(String, serde_json::Map<String, serde_json::Value>),
    /// Everything that can be set of a source but its secrets: all of it.
    Source(String, serde_json::Map<String, serde_json::Value>),
    /// Secrets of a source: set as somebody typed them, or taken away.
    SourceSecrets(String, BTreeMap<String, Option<Secret>>),
    /// The source goes, with everything that stands in its tables.
    RemoveSource(String),
    /// What is said of the company itself.
    Company(CompanyEdit),
    /// The people of the company: all of them.
    Employees(Vec<serde_json::Map<String, serde_json::Value>>),
    /// There is one more item in a list.
    Add(Section, String, ItemEdit),
    /// Values of an item.
    Values(Section, String, ItemEdit),
}

/// A list of a tenant's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `[[accounts]]`.
    Accounts,
    /// `[[integrations]]`.
    Integrations,
    /// `[[sources]]`.
    Sources,
}

impl Section {
    fn list(self) -> &'static str {
        match self {
            Section::Accounts => super::account::LIST,
            Section::Integrations => integration::LIST,
            Section::Sources => source::LIST,
        }
    }
}

/// Values of an item, and its secrets as somebody typed them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemEdit {
    /// Everything but secrets. In a change `null` takes a value away.
    pub values: ItemValues,
    /// The secrets that are set; the file holds them sealed.
    pub secrets: BTreeMap<String, Secret>,
}

impl ItemEdit {
    /// Returns what the file is to hold: secrets sealed for their place.
    fn sealed(&self, owner: Owner<'_>, key: Option<&StoreKey>) -> Result<ItemValues, EditError> {
        let mut values = self.values.clone();
        if self.secrets.is_empty() {
            return Ok(values);
        }
        let secrets = self.secrets.iter();
        let sealed = sealed(
            secrets.map(|(name, secret)| (name, Some(secret))),
            owner,
            key,
        )?;
        values.insert("secrets".to_owned(), sealed);
        Ok(values)
    }
}

/// Seals secrets for their place; one that is taken away is `null`.
fn sealed<'a>(
    secrets: impl Iterator<Item = (&'a String, Option<&'a Secret>)>,
    owner: Owner<'_>,
    key: Option<&StoreKey>,
) -> Result<serde_json::Value, EditError> {
    secrets
        .map(|(name, secret)| {
            let value = match secret {
                None => serde_json::Value::Null,
                Some(secret) => {
                    let key = key.ok_or(EditError::NoKey)?;
                    serde_json::json!({ "sealed": owner.seal(key, name, secret) })
                }
            };
            Ok((name.clone(), value))
        })
        .collect::<Result<serde_json::Map<_, _>, EditError>>()
        .map(serde_json::Value::Object)
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedFile {
    /// The file.
    pub file: PathBuf,
    /// Its revision from now on.
    pub revision: String,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It is not written in any file.
    #[error("no file of a tenant has {0}")]
    Absent(String),
    /// The file is another than whoever wants the change has seen.
    #[error("{file} was changed meanwhile: look at it again, then repeat the change")]
    Stale {
        /// The file.
        file: PathBuf,
        /// Its revision now.
        revision: String,
    },
    /// Another change is being made.
    #[error("another change is being made: try again")]
    Busy,
    /// It is written in a form that only a person can change.
    #[error("{file}: {what} stands inside a line with other things: change it by hand")]
    ByHand {
        /// The file.
        file: PathBuf,
        /// What.
        what: &'static str,
    },
    /// The configuration would be wrong.
    #[error("the configuration would be wrong")]
    Mistakes(Vec<ConfigMistake>),
    /// There is no key to seal secrets with.
    #[error("the daemon's file names no key of the store: no secret can be sealed")]
    NoKey,
    /// It is there already.
    #[error("{0} is there already")]
    Exists(String),
    /// The file could not be written.
    #[error("write {file}: {error}")]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Makes changes of the file of a tenant, all or none. With `expected`, only where that is the file's revision.
pub fn edit_file(
    main: &Path,
    environment: &Environment,
    tenant: &str,
    edits: &[FileEdit],
    expected: Option<&str>,
) -> Result<EditedFile, EditError> {
    let (file, _) = find(main, tenant)?;
    // Held until the end; a crash lets it go. Whoever waits for it asks again.
    let _turn = turn(&file)?;
    let (file, before) = find(main, tenant)?;
    let revision = revision_of(&before);
    if expected.is_some_and(|expected| expected != revision) {
        return Err(EditError::Stale { file, revision });
    }
    let key = load::store_key(main, environment);
    let mut after = before;
    for edit in edits {
        after = edit.applied(&file, tenant, &after, key.as_ref())?;
    }
    let instead = Instead {
        file: file.clone(),
        text: after.clone(),
    };
    load::load_instead(main, environment, instead).map_err(EditError::Mistakes)?;
    match replace(&file, &after) {
        Ok(()) => Ok(EditedFile {
            revision: revision_of(&after),
            file,
        }),
        Err(error) => Err(EditError::Write { file, error }),
    }
}

/// Returns an account of a tenant as it is written, with the revision of its file.
pub fn written_account(
    main: &Path,
    tenant: &str,
    account: &str,
) -> Result<(WrittenAccount, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let written = account::written(&text, account);
    let written = written.ok_or_else(|| EditError::Absent(format!("{tenant}/{account}")))?;
    Ok((written, revision_of(&text)))
}

/// Returns an integration of a tenant as it is written, with the revision of its file.
pub fn written_integration(
    main: &Path,
    tenant: &str,
    integration: &str,
) -> Result<(WrittenIntegration, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let written = integration::written(&text, integration);
    let written = written.ok_or_else(|| EditError::Absent(format!("{tenant}/{integration}")))?;
    Ok((written, revision_of(&text)))
}

/// Returns the settings of an integration of a tenant as they are written, with the revision of its
/// file.
pub fn written_settings(
    main: &Path,
    tenant: &str,
    integration: &str,
) -> Result<(WrittenSettings, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let written = settings::written(&text, integration);
    let written = written.ok_or_else(|| EditError::Absent(format!("{tenant}/{integration}")))?;
    Ok((written, revision_of(&text)))
}

/// Returns a source of a tenant as it is written, with the revision of its file.
pub fn written_source(
    main: &Path,
    tenant: &str,
    id: &str,
) -> Result<(WrittenSourceItem, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let written = source::written(&text, id);
    let written = written.ok_or_else(|| EditError::Absent(format!("{tenant}/{id}")))?;
    Ok((written, revision_of(&text)))
}

/// Returns what the file of a tenant says of the company itself, with the file's revision.
pub fn written_company(main: &Path, tenant: &str) -> Result<(WrittenCompany, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let written = company::written(&text);
    let written = written.ok_or_else(|| EditError::Absent(tenant.to_owned()))?;
    Ok((written, revision_of(&text)))
}

/// Returns the people of a tenant as they are written, with the revision of its file.
pub fn written_employees(
    main: &Path,
    tenant: &str,
) -> Result<(Vec<serde_json::Value>, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let written = employees::written(&text);
    let written = written.ok_or_else(|| EditError::Absent(format!("{tenant}/employees")))?;
    Ok((written, revision_of(&text)))
}

impl FileEdit {
    /// Returns the text after the change.
    fn applied(
        &self,
        file: &Path,
        tenant: &str,
        before: &str,
        key: Option<&StoreKey>,
    ) -> Result<String, EditError> {
        let id = match self {
            FileEdit::Account(id, _) | FileEdit::RemoveAccount(id) => id.as_str(),
            FileEdit::Integration(id, _) | FileEdit::RemoveIntegration(id) => id,
            FileEdit::Settings(id, _) => id,
            FileEdit::Source(id, _)
            | FileEdit::SourceSecrets(id, _)
            | FileEdit::RemoveSource(id) => id,
            FileEdit::Company(_) => "the company",
            FileEdit::Add(_, id, _) | FileEdit::Values(_, id, _) => id,
            FileEdit::Employees(_) => "employees",
        };
        let absent = || EditError::Absent(format!("{tenant}/{id}"));
        let by_hand = |what| EditError::ByHand {
            file: file.to_owned(),
            what,
        };
        let owner = |section: Section| Owner {
            tenant,
            list: section.list(),
            id,
        };
        let item = match self {
            FileEdit::Settings(id, wanted) => Some(settings::changed(before, id, wanted)),
            FileEdit::Add(section, id, edit) => {
                let values = edit.sealed(owner(*section), key)?;
                Some(item::added(before, section.list(), id, &values))
            }
            FileEdit::Values(section, id, edit) => {
                let values = edit.sealed(owner(*section), key)?;
                Some(item::patched(before, section.list(), id, &values))
            }
            FileEdit::Source(id, wanted) => Some(source::changed(before, id, wanted)),
            FileEdit::SourceSecrets(id, secrets) => {
                let secrets = secrets.iter().map(|(name, secret)| (name, secret.as_ref()));
                let secrets = sealed(secrets, owner(Section::Sources), key)?;
                let values = ItemValues::from_iter([("secrets".to_owned(), secrets)]);
                Some(item::patched(before, source::LIST, id, &values))
            }
            FileEdit::Company(edit) => Some(company::changed(before, edit)),
            FileEdit::Employees(wanted) => Some(employees::changed(before, wanted)),
            FileEdit::Account(..)
            | FileEdit::RemoveAccount(_)
            | FileEdit::Integration(..)
            | FileEdit::RemoveIntegration(_)
            | FileEdit::RemoveSource(_) => None,
        };
        if let Some(after) = item {
            return after
                .map_err(|ByHand(what)| by_hand(what))?
                .ok_or_else(absent);
        }
        let changes = match Document::parse(before.to_owned()) {
            Err(_) => Ok(None),
            Ok(document) => match self {
                FileEdit::Account(id, edit) => account::changes(&document, before, id, edit),
                FileEdit::RemoveAccount(id) => account::removal(&document, before, id),
                FileEdit::RemoveIntegration(id) => integration::removal(&document, before, id),
                FileEdit::Integration(id, edit) => {
                    integration::changes(&document, before, id, edit)
                }
                FileEdit::RemoveSource(id) => source::removal(&document, before, id),
                FileEdit::Settings(..)
                | FileEdit::Source(..)
                | FileEdit::SourceSecrets(..)
                | FileEdit::Company(_)
                | FileEdit::Employees(_)
                | FileEdit::Add(..)
                | FileEdit::Values(..) => Ok(None),
            },
        };
        let changes = changes.map_err(|ByHand(what)| by_hand(what))?;
        let changes = changes.ok_or_else(absent)?;
        let after = apply(before, changes);
        // Whatever the text looks like: nothing but what was wanted may have changed in what it says.
        match self.is_all_that_changed(before, &after) {
            true => Ok(after),
            false => Err(by_hand("what is to be changed")),
        }
    }

    fn is_all_that_changed(&self, before: &str, after: &str) -> bool {
        let read = |text: &str| toml::from_str::<toml::Table>(text).ok();
        let (Some(mut expected), Some(after)) = (read(before), read(after)) else {
            return false;
        };
        let (list, id) = match self {
            FileEdit::Account(id, _) | FileEdit::RemoveAccount(id) => ("accounts", id),
            FileEdit::Integration(id, _)
            | FileEdit::RemoveIntegration(id)
            | FileEdit::Settings(id, _) => (integration::LIST, id),
            FileEdit::Add(section, id, _) | FileEdit::Values(section, id, _) => {
                (section.list(), id)
            }
            FileEdit::RemoveSource(id) => (source::LIST, id),
            // They are held against the text where they are written.
            FileEdit::Employees(_)
            | FileEdit::Company(_)
            | FileEdit::Source(..)
            | FileEdit::SourceSecrets(..) => return true,
        };
        let Some(items) = expected.get_mut(list).and_then(toml::Value::as_array_mut) else {
            return false;
        };
        let is_it = |item: &toml::Value| item.get("id").and_then(toml::Value::as_str) == Some(id);
        let Some(place) = items.iter().position(is_it) else {
            return false;
        };
        match self {
            FileEdit::RemoveAccount(_)
            | FileEdit::RemoveIntegration(_)
            | FileEdit::RemoveSource(_) => {
                items.remove(place);
                if items.is_empty() {
                    expected.remove(list);
                }
            }
            FileEdit::Account(_, edit) => {
                if let Some(item) = items.get_mut(place).and_then(toml::Value::as_table_mut) {
                    edit.expect(item);
                }
            }
            FileEdit::Integration(_, edit) => {
                if let Some(item) = items.get_mut(place).and_then(toml::Value::as_table_mut) {
                    edit.expect(item);
                }
            }
            FileEdit::Settings(..)
            | FileEdit::Source(..)
            | FileEdit::SourceSecrets(..)
            | FileEdit::Company(_)
            | FileEdit::Employees(_)
            | FileEdit::Add(..)
            | FileEdit::Values(..) => {}
        }
        expected == after
    }
}

/// What can only be changed by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ByHand(&'static str);

/// A text after a change; `None` where it has nothing of the name.
type EditText = Result<Option<String>, ByHand>;

/// Places of a text and what will stand there.
type TextChanges = Vec<(Range<usize>, String)>;

fn apply(text: &str, mut changes: TextChanges) -> String {
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = text.to_owned();
    for (range, new) in changes {
        text.replace_range(range, &new);
    }
    text
}

/// Returns the file of a tenant and its text.
fn find(main: &Path, tenant: &str) -> Result<(PathBuf, String), EditError> {
    let mut texts = load::tenant_texts(main).into_iter();
    let found = texts.find(|(_, text)| is_of(text, tenant));
    found.ok_or_else(|| EditError::Absent(format!("the tenant {tenant}")))
}

fn is_of(text: &str, tenant: &str) -> bool {
    let document = Document::parse(text.to_owned());
    let id = document.as_ref().ok().and_then(|document| {
        let tenant = document.root.get("tenant")?;
        tenant.get("id")?.as_str()
    });
    id == Some(tenant)
}

/// Says which text a file holds, without showing it.
fn revision_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let first = digest.iter().take(12);
    first.map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps every other change of the folder's files waiting, the daemon's and those of commands.
fn turn(file: &Path) -> Result<File, EditError> {
    let failed = |error: io::Error| EditError::Write {
        file: file.to_owned(),
        error,
    };
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = File::open(folder).map_err(failed)?;
    match rustix::fs::flock(
        &folder,
        rustix::fs::FlockOperation::NonBlockingLockExclusive,
    ) {
        Ok(()) => Ok(folder),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(EditError::Busy),
        Err(error) => Err(failed(error.into())),
    }
}

/// Writes a file that is not there yet; only its owner and group may read it.
fn create(file: &Path, text: &str) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let fresh = file.with_file_name(format!(".{name}.new"));
    let mut written = File::create(&fresh)?;
    let done = written
        .set_permissions(fs::Permissions::from_mode(0o640))
        .and_then(|()| written.write_all(text.as_bytes()))
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::rename(&fresh, file));
    if done.is_err() {
        drop(fs::remove_file(&fresh));
    }
    done
}

/// Replaces a file as a whole; who may read it stays as it was.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let before = fs::metadata(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, so that a reload in between passes it over.
    let fresh = file.with_file_name(format!(".{name}.new"));
    let mut written = File::create(&fresh)?;
    let permissions = fs::Permissions::from_mode(before.permissions().mode());
    let owned = written.set_permissions(permissions).and_then(|()| {
        let ours = written.metadata()?;
        match (ours.uid(), ours.gid()) == (before.uid(), before.gid()) {
            true => Ok(()),
            false => fchown(&written, Some(before.uid()), Some(before.gid())),
        }
    });
    let done = owned
        .and_then(|()| written.write_all(text.as_bytes()))
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::rename(&fresh, file));
    if done.is_err() {
        // It holds nothing that is not in the file itself.
        drop(fs::remove_file(&fresh));
    }
    done
}

/// Returns the word of an activity in the files.
fn word(activity: Activity) -> String {
    activity.to_string()
}

/// Returns where the tables of an item stand; `None` where the text has no such item.
fn removal(
    document: &Document,
    text: &str,
    (list, what): (&str, &'static str),
    id: &str,
) -> Result<Option<TextChanges>, ByHand> {
    let Some((_, named)) = item(document, list, id) else {
        return Ok(None);
    };
    let lines = place::own_line(text, named);
    let lines = lines.and_then(|line| place::table_lines(text, list, line.start));
    let lines = lines.ok_or(ByHand(what))?;
    Ok(Some(vec![(lines, String::new())]))
}

/// Returns the item of a list that has this id, with the id.
fn item<'a>(document: &'a Document, list: &str, id: &str) -> Option<(&'a Node, &'a Node)> {
    let items = document.root.get(list).map_or(&[][..], Node::items);
    items.iter().find_map(|item| {
        let named = item.get("id")?;
        (named.as_str() == Some(id)).then_some((item, named))
    })
}
