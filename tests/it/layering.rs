//! Holds every path in `src` against the table of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod rust_paths;

/// Names that rules must not know: CRMs, phone systems and their vendors.
const VENDORS: [&str; 12] = [
    "amocrm", "kommo", "bitrix", "planfix", "alfacrm", "asterisk", "mikopbx", "freepbx", "uis",
    "comagic", "megafon", "itoolabs",
];

/// The table: module -> what it may import; `None` = everything.
type Table = BTreeMap<String, Option<BTreeSet<String>>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads the rows between the table's head and the first line that is no row.
fn table(text: &str) -> Table {
    let rows = text
        .lines()
        .skip_while(|line| *line != "| module | may import |")
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let ticked = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|');
        let module = ticked(cells.next().unwrap_or_default());
        let module = module.first().expect("a row names its module").clone();
        let permitted = cells.next().expect("a row says what is permitted").trim();
        let permitted = match permitted {
            "everything" => None,
            "nothing" => Some(BTreeSet::new()),
            list => Some(ticked(list)),
        };
        (module, permitted)
    })
    .collect()
}

/// What there is in `src`: needed to tell modules from types.
struct Tree {
    /// Module names at the top.
    top: BTreeSet<String>,
    /// Modules below `crm`, `pbx` and the others, as `crm::registry`.
    second: BTreeSet<String>,
    /// Folders of single CRMs and sources, as `crm::amocrm`.
    folders: BTreeSet<String>,
}

impl Tree {
    fn of(files: &[PathBuf]) -> Self {
        let mut tree = Self {
            top: BTreeSet::new(),
            second: BTreeSet::new(),
            folders: BTreeSet::new(),
        };
        for file in files {
            let parts: Vec<String> = parts(file);
            if let Some(top) = parts.first() {
                tree.top.insert(top.clone());
            }
            if let [top, second, ..] = &parts[..] {
                let name = format!("{top}::{second}");
                let is_folder = file.components().count() > 2;
                if is_folder && matches!(top.as_str(), "crm" | "pbx") && second != "account" {
                    tree.folders.insert(name.clone());
                }
                tree.second.insert(name);
            }
        }
        tree
    }

    /// Returns the row of the table that a module's path belongs to.
    fn row(&self, path: &[String]) -> Option<String> {
        let [top, rest @ ..] = path else { return None };
        let second = rest.first().map(|second| format!("{top}::{second}"));
        match second {
            Some(second) if self.folders.contains(&second) => Some(format!("{top}/*")),
            _ => Some(top.clone()),
        }
    }

    /// Says whether a module may name a path.
    fn permits(&self, table: &Table, module: &[String], path: &[String]) -> Result<(), String> {
        let Some(top) = path.first().filter(|top| self.top.contains(*top)) else {
            return Ok(()); // the crate itself, or an item of its root
        };
        let folder = |path: &[String]| {
            let name = format!("{}::{}", path.first()?, path.get(1)?);
            self.folders.contains(&name).then_some(name)
        };
        let (from_folder, to_folder) = (folder(module), folder(path));
        let is_own = module.first() == Some(top);
        let is_registry = module.get(1).is_some_and(|second| second == "registry");
        if is_own && (from_folder == to_folder || is_registry) {
            return Ok(());
        }
        let row = self.row(module).ok_or("a file outside of every module")?;
        let permitted = table.get(&row).ok_or(format!("no row for {row}"))?;
        let Some(permitted) = permitted else {
            return Ok(());
        };
        let second = path.get(1).map(|second| format!("{top}::{second}"));
        let is_module = second.is_some_and(|name| self.second.contains(&name));
        let mut below = (2..=path.len()).map(|length| path[..length].join("::"));
        let found = (to_folder.is_none() && permitted.contains(top))
            || (!is_module && permitted.contains(&format!("{top}::self")))
            || below.any(|path| permitted.contains(&path));
        match found {
            true => Ok(()),
            false => Err(format!("{row} may not import {}", path.join("::"))),
        }
    }
}

/// Returns a file's module path: `crm/amocrm/mod.rs` -> crm, amocrm.
fn parts(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        parts.pop();
    }
    parts
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every file of `src`, as a path below it, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("read");
            let below = file.strip_prefix(&src).expect("it lies there").to_owned();
            (below, text)
        })
        .collect()
}

/// Names every path of one file that the table does not permit.
fn violations(tree: &Tree, table: &Table, file: &Path, text: &str) -> Vec<String> {
    let module = parts(file);
    rust_paths::of(text, &module)
        .into_iter()
        .filter_map(|path| tree.permits(table, &module, &path).err())
        .map(|problem| format!("{}: {problem}", file.display()))
        .collect()
}

fn real_table() -> Table {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("read");
    table(&text)
}

#[test]
fn every_import_is_permitted_by_the_table() {
    let sources = sources();
    let files: Vec<PathBuf> = sources.iter().map(|(file, _)| file.clone()).collect();
    let (tree, table) = (Tree::of(&files), real_table());
    assert!(table.len() > 15, "the table was not found: {table:?}");
    let found: Vec<String> = sources
        .iter()
        .flat_map(|(file, text)| violations(&tree, &table, file, text))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn rules_know_no_vendor() {
    let mut read = 0;
    for (file, text) in sources() {
        if !file.starts_with("rules") {
            continue;
        }
        read += 1;
        let words = text.to_lowercase();
        let mut words = words.split(|c: char| !c.is_ascii_alphanumeric());
        let named = words.find(|word| VENDORS.iter().any(|vendor| is_vendor(word, vendor)));
        assert_eq!(named, None, "{}", file.display());
    }
    assert!(read >= 3, "rules were not found");
}

/// The short name stands alone only: `uis` is a part of ordinary words.
fn is_vendor(word: &str, vendor: &str) -> bool {
    match vendor.len() {
        ..=3 => word == vendor,
        _ => word.contains(vendor),
    }
}

/// A made-up tree, so that the test does not depend on which modules exist already.
fn made_up() -> (Tree, Table) {
    let files = [
        "model/phone.rs",
        "rules/plan.rs",
        "rules/settings.rs",
        "store/mod.rs",
        "config/mod.rs",
        "intake/mod.rs",
        "admin/mod.rs",
        "lab/main.rs",
        "crm/mod.rs",
        "crm/registry.rs",
        "crm/account/mod.rs",
        "crm/amocrm/mod.rs",
        "crm/bitrix24/mod.rs",
        "app.rs",
    ];
    (Tree::of(&files.map(PathBuf::from)), real_table())
}

#[track_caller]
fn check(file: &str, text: &str, expected: &[&str]) {
    let (tree, table) = made_up();
    let found = violations(&tree, &table, Path::new(file), text);
    let expected: Vec<String> = expected
        .iter()
        .map(|problem| format!("{file}: {problem}"))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_wrong_import_is_found_however_it_is_written() {
    let wrong = ["rules may not import store::Handle"];
    check("rules/plan.rs", "use crate::store::Handle;", &wrong);
    check("rules/plan.rs", "use super::super::store::Handle;", &wrong);
    check(
        "rules/plan.rs",
        "use crate::{model::phone::Phone, store::{Handle}};",
        &wrong,
    );
    check(
        "rules/plan.rs",
        "fn f() { let _: crate::store::Handle = f(); }",
        &wrong,
    );
    check(
        "rules/plan.rs",
        "mod tests { use trunkline::store::Handle; }",
        &wrong,
    );
    check(
        "rules/plan.rs",
        "mod tests { use super::super::super::store::Handle; }",
        &wrong,
    );
    check(
        "rules/plan.rs",
        "pub use crate ::\n store :: Handle as H;",
        &wrong,
    );
}

#[test]
fn what_is_no_import_or_is_permitted_is_left_alone() {
    for text in [
        "// use crate::store::Handle;",
        "/* crate::store /* nested */ crate::store */",
        "//! [`Handle`](crate::store::Handle)",
        "const A: &str = \"crate::store::Handle\"; const B: &str = r#\"crate::store\"#;",
        "use crate::model::phone::Phone; use super::settings; use crate::rules::settings as s;",
        "fn f<'a>(c: char) -> bool { c == '\"' } // crate::store",
        "mod tests { use super::*; }",
    ] {
        check("rules/plan.rs", text, &[]);
    }
}

#[test]
fn folders_of_crms_are_named_by_their_registry_only() {
    let other = "use crate::crm::bitrix24::KIND;";
    check(
        "crm/registry.rs",
        "use super::amocrm; const K: u8 = super::bitrix24::KIND;",
        &[],
    );
    check(
        "crm/amocrm/mod.rs",
        other,
        &["crm/* may not import crm::bitrix24::KIND"],
    );
    check(
        "crm/amocrm/mod.rs",
        "use super::account::http; use crate::crm::Adapter;",
        &[],
    );
    check(
        "crm/mod.rs",
        other,
        &["crm may not import crm::bitrix24::KIND"],
    );
    check(
        "crm/account/mod.rs",
        other,
        &["crm may not import crm::bitrix24::KIND"],
    );
    check(
        "intake/mod.rs",
        other,
        &["intake may not import crm::bitrix24::KIND"],
    );
    check("intake/mod.rs", "use crate::crm::Adapter;", &[]);
    check(
        "admin/mod.rs",
        "use crate::crm::account::status::AccountStatus;",
        &[],
    );
    check(
        "admin/mod.rs",
        "use crate::crm::account::limiter::Limiter;",
        &["admin may not import crm::account::limiter::Limiter"],
    );
    check(
        "intake/mod.rs",
        "use crate::crm::account::http::AccountHttp;",
        &["intake may not import crm::account::http::AccountHttp"],
    );
    check("config/mod.rs", "use crate::crm::registry::KINDS;", &[]);
    check("config/mod.rs", "use crate::rules::settings::A;", &[]);
    check(
        "config/mod.rs",
        "use crate::rules::plan::A;",
        &["config may not import rules::plan::A"],
    );
    check(
        "lab/main.rs",
        "use trunkline::rules::plan;",
        &["lab may not import rules::plan"],
    );
    check(
        "lab/main.rs",
        "use trunkline::model::phone;",
        &["lab may not import model::phone"],
    );
    check("app.rs", other, &[]);
}
