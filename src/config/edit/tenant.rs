//! Companies: what their files say of themselves, and a new one.

use std::path::Path;

use super::super::document::{Document, Node};
use super::super::load::{self, Instead};
use super::super::secret_place::Environment;
use super::account::{self, WrittenAccount};
use super::integration::{self, WrittenIntegration};
use super::place::quoted;
use super::{EditError, EditedFile, create, find, revision_of, turn};

/// A company as its file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenTenant {
    /// Its id.
    pub id: String,
    /// Its name, where one is given.
    pub name: Option<String>,
    /// Its sources.
    pub sources: Vec<WrittenSource>,
    /// Its accounts, by their ids.
    pub accounts: Vec<(String, WrittenAccount)>,
    /// Its integrations, by their ids.
    pub integrations: Vec<(String, WrittenIntegration)>,
}

/// A source as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WrittenSource {
    /// Its id.
    pub source: String,
    /// What it is.
    pub kind: Option<String>,
    /// Its name, where one is given.
    pub name: Option<String>,
}

/// A company that has no file yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTenant {
    /// Its id, which the file is named after.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its clocks (IANA).
    pub time_zone: String,
    /// In whose national form its numbers are written; `None` = as where nothing is set.
    pub region: Option<String>,
    /// The language of its texts; `None` = as where nothing is set.
    pub language: Option<String>,
}

/// Returns the companies of all files that can be read, with the revisions of their files.
pub fn written_tenants(main: &Path) -> Vec<(WrittenTenant, String)> {
    let texts = load::tenant_texts(main).into_iter();
    texts
        .filter_map(|(_, text)| Some((written(&text)?, revision_of(&text))))
        .collect()
}

/// Returns a company as it is written, with the revision of its file.
///
/// # Errors
/// No file is of this company.
pub fn written_tenant(main: &Path, tenant: &str) -> Result<(WrittenTenant, String), EditError> {
    let (_, text) = find(main, tenant)?;
    let found = written(&text).ok_or_else(|| EditError::Absent(tenant.to_owned()))?;
    Ok((found, revision_of(&text)))
}

/// Writes the file of a new company: nobody works in it yet.
///
/// # Errors
/// There is one of this name, or the configuration would be wrong, or the file cannot be written.
pub fn add_tenant(
    main: &Path,
    environment: &Environment,
    new: &NewTenant,
) -> Result<EditedFile, EditError> {
    let file = load::tenants_dir(main).join(format!("{}.toml", new.id));
    let _turn = turn(&file)?;
    if file.exists() || find(main, &new.id).is_ok() {
        return Err(EditError::Exists(new.id.clone()));
    }
    let text = new.text();
    let instead = Instead {
        file: file.clone(),
        text: text.clone(),
    };
    load::load_instead(main, environment, instead).map_err(EditError::Mistakes)?;
    match create(&file, &text) {
        Ok(()) => Ok(EditedFile {
            revision: revision_of(&text),
            file,
        }),
        Err(error) => Err(EditError::Write { file, error }),
    }
}

impl NewTenant {
    fn text(&self) -> String {
        let lines = [
            ("id", Some(&self.id)),
            ("name", Some(&self.name)),
            ("time_zone", Some(&self.time_zone)),
            ("region", self.region.as_ref()),
            ("language", self.language.as_ref()),
        ];
        let lines = lines.into_iter().filter_map(|(key, value)| {
            let value = quoted(value?);
            Some(format!("{key} = {value}\n"))
        });
        format!("[tenant]\n{}", lines.collect::<String>())
    }
}

fn written(text: &str) -> Option<WrittenTenant> {
    let document = Document::parse(text.to_owned()).ok()?;
    let root = &document.root;
    let word = |node: &Node, key: &str| {
        let word = node.get(key).and_then(Node::as_str);
        word.map(str::to_owned)
    };
    let list = |name: &str| root.get(name).map_or(&[][..], Node::items).iter();
    let tenant = root.get("tenant")?;
    let sources = list("sources").filter_map(|one| {
        Some(WrittenSource {
            source: word(one, "id")?,
            kind: word(one, "kind"),
            name: word(one, "name"),
        })
    });
    let accounts = list(super::super::account::LIST)
        .filter_map(|one| Some((word(one, "id")?, account::of(one))));
    let integrations =
        list(integration::LIST).filter_map(|one| Some((word(one, "id")?, integration::of(one))));
    Some(WrittenTenant {
        id: word(tenant, "id")?,
        name: word(tenant, "name"),
        sources: sources.collect(),
        accounts: accounts.collect(),
        integrations: integrations.collect(),
    })
}
