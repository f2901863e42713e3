//! Changes the title or the address of an account where it is written, in its tenant's file. What
//! else stands there stays as it is, comments included; a change after which the configuration would
//! be wrong is not made.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::document::{Document, Node};
use super::load::{self, Instead};
use super::mistake::ConfigMistake;
use super::secret_place::Environment;

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountEdit {
    /// The title.
    pub title: Option<TitleEdit>,
    /// The address, as a person writes it.
    pub address: Option<String>,
}

/// What becomes of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TitleEdit {
    /// It is this from now on.
    Set(String),
    /// There is none any more.
    Clear,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The account is not written in any file.
    #[error("no file of a tenant has the account {0}")]
    NoAccount(String),
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
    /// The file could not be written.
    #[error("write {file}: {error}")]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Changes an account (`tenant/account`); returns the file that was written.
pub fn edit_account(
    main: &Path,
    environment: &Environment,
    account: &str,
    edit: &AccountEdit,
) -> Result<PathBuf, EditError> {
    let missing = || EditError::NoAccount(account.to_owned());
    let (tenant, id) = account.split_once('/').ok_or_else(missing)?;
    let (file, text) = load::tenant_texts(main)
        .into_iter()
        .find(|(_, text)| is_of(text, tenant))
        .ok_or_else(missing)?;
    let text = edited(&file, text, id, edit)?.ok_or_else(missing)?;
    let instead = Instead {
        file: file.clone(),
        text: text.clone(),
    };
    load::load_instead(main, environment, instead).map_err(EditError::Mistakes)?;
    match replace(&file, &text) {
        Ok(()) => Ok(file),
        Err(error) => Err(EditError::Write { file, error }),
    }
}

fn is_of(text: &str, tenant: &str) -> bool {
    let document = Document::parse(text.to_owned());
    let id = document.as_ref().ok().and_then(|document| {
        let tenant = document.root.get("tenant")?;
        tenant.get("id")?.as_str()
    });
    id == Some(tenant)
}

/// Returns the text after the change; `None` where it has no such account.
fn edited(
    file: &Path,
    text: String,
    id: &str,
    edit: &AccountEdit,
) -> Result<Option<String>, EditError> {
    let Ok(document) = Document::parse(text.clone()) else {
        return Ok(None);
    };
    let accounts = document.root.get("accounts").map_or(&[][..], Node::items);
    let mut accounts = accounts.iter().filter_map(|account| {
        let named = account.get("id")?;
        (named.as_str() == Some(id)).then_some((account, named))
    });
    let Some((account, named)) = accounts.next() else {
        return Ok(None);
    };
    let by_hand = |what| EditError::ByHand {
        file: file.to_owned(),
        what,
    };
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    match (&edit.title, account.get("name")) {
        (Some(TitleEdit::Set(title)), Some(written)) => {
            changes.push((written.span.clone(), quoted(title)));
        }
        (Some(TitleEdit::Set(title)), None) => {
            let line = own_line(&text, named).ok_or_else(|| by_hand("the account's id"))?;
            changes.push((line.end..line.end, format!("name = {}\n", quoted(title))));
        }
        (Some(TitleEdit::Clear), Some(written)) => {
            let line = own_line(&text, written).ok_or_else(|| by_hand("the account's name"))?;
            changes.push((line, String::new()));
        }
        (Some(TitleEdit::Clear), None) | (None, _) => {}
    }
    if let Some(address) = &edit.address {
        let written = account
            .get("settings")
            .and_then(|settings| settings.get("url"));
        let written = written.ok_or_else(|| by_hand("the account's url"))?;
        changes.push((written.span.clone(), quoted(address)));
    }
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = text;
    for (range, new) in changes {
        text.replace_range(range, &new);
    }
    Ok(Some(text))
}

/// Returns the line, its end included, that holds nothing but this key and its value.
fn own_line(text: &str, node: &Node) -> Option<Range<usize>> {
    let key = node.key_span.as_ref()?;
    let before = text.get(..key.start)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let after = text.get(node.span.end..)?;
    let end = after
        .find('\n')
        .map_or(text.len(), |newline| node.span.end + newline + 1);
    let rest = text.get(node.span.end..end)?.trim();
    let alone = text.get(start..key.start)?.trim().is_empty()
        && (rest.is_empty() || rest.starts_with('#'))
        && text.get(start..end)?.ends_with('\n');
    alone.then_some(start..end)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[tenant]\nid = \"acme\"\n\n# The first.\n[[accounts]]\nid = \"main\"  # ours\n\
        name = \"Отдел\" # shown\ncrm = \"x\"\n[accounts.settings]\nurl = \"https://a.example\"\n\n\
        [[accounts]]\nid = \"other\"\ncrm = \"x\"\nsettings = { url = \"b.example\" }\n";

    fn change(id: &str, title: Option<TitleEdit>, address: Option<&str>) -> Option<String> {
        let edit = AccountEdit {
            title,
            address: address.map(str::to_owned),
        };
        edited(Path::new("acme.toml"), TEXT.to_owned(), id, &edit).expect("it can be edited")
    }

    fn set(title: &str) -> Option<TitleEdit> {
        Some(TitleEdit::Set(title.to_owned()))
    }

    #[test]
    fn a_title_is_changed_set_and_cleared_and_nothing_else_moves() {
        let text = change("main", set("Новый \"портал\""), None).expect("found");
        assert_eq!(text, TEXT.replace("\"Отдел\"", "'Новый \"портал\"'"));
        let text = change("other", set("Второй"), None).expect("found");
        let with_title = "id = \"other\"\nname = \"Второй\"\n";
        assert_eq!(text, TEXT.replace("id = \"other\"\n", with_title));
        let text = change("main", Some(TitleEdit::Clear), None).expect("found");
        assert_eq!(text, TEXT.replace("name = \"Отдел\" # shown\n", ""));
        let text = change("other", Some(TitleEdit::Clear), None).expect("found");
        assert_eq!(text, TEXT);
    }

    #[test]
    fn an_address_is_changed_wherever_it_stands() {
        let text = change("main", None, Some("https://new.example")).expect("found");
        assert_eq!(
            text,
            TEXT.replace("https://a.example", "https://new.example")
        );
        let text = change("other", set("Два"), Some("c.example")).expect("found");
        let expected = TEXT
            .replace("id = \"other\"\n", "id = \"other\"\nname = \"Два\"\n")
            .replace("b.example", "c.example");
        assert_eq!(text, expected);
        assert_eq!(change("nobody", None, Some("c.example")), None);
    }

    #[test]
    fn what_stands_in_one_line_with_others_is_left_to_a_person() {
        let text = "accounts = [{ id = \"main\", name = \"A\", settings = { url = \"a\" } }]\n";
        let edit = AccountEdit {
            title: Some(TitleEdit::Clear),
            address: None,
        };
        let refused = edited(Path::new("a.toml"), text.to_owned(), "main", &edit);
        assert!(
            matches!(refused, Err(EditError::ByHand { .. })),
            "{refused:?}"
        );
    }
}
