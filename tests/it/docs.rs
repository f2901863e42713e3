//! The documentation: its links lead somewhere, its examples can be read, and its Russian pages go
//! with the English ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Russian pages that have no English twin.
const RUSSIAN_ALONE: [&str; 1] = ["README.md"];

/// Pages by where they lie, from the root of the tree.
type Pages = BTreeMap<PathBuf, Page>;

/// A page, its lines numbered from 1.
#[derive(Debug, Default)]
struct Page {
    /// What stands outside of fences, without its code.
    prose: Vec<(usize, String)>,
    examples: Vec<Example>,
}

/// What stands between two fences.
#[derive(Debug, Default)]
struct Example {
    /// The line of the opening fence.
    line: usize,
    /// The indentation of that line, in bytes.
    indent: usize,
    language: String,
    text: String,
}

impl Page {
    fn new(text: &str) -> Self {
        let mut page = Self::default();
        let mut open: Option<Example> = None;
        let mut in_code = false;
        for (number, line) in (1..).zip(text.lines()) {
            let inner = line.trim_start();
            match (open.take(), inner.strip_prefix("```")) {
                (None, None) => {
                    in_code &= !inner.is_empty();
                    page.prose.push((number, without_code(line, &mut in_code)));
                }
                (None, Some(language)) => {
                    open = Some(Example {
                        line: number,
                        indent: line.len() - inner.len(),
                        language: language.trim().to_owned(),
                        text: String::new(),
                    });
                }
                (Some(mut example), None) => {
                    example.text += line.get(example.indent..).unwrap_or(inner);
                    example.text.push('\n');
                    open = Some(example);
                }
                (Some(example), Some(_)) => page.examples.push(example),
            }
        }
        // The fence that nobody closed swallows the rest of the page: it is shown as what it is.
        page.examples.extend(open.map(|example| Example {
            language: "open to the end".to_owned(),
            ..example
        }));
        page
    }

    /// Returns where a link can lead to inside the page, as the usual viewers of Markdown name it.
    fn anchors(&self) -> BTreeSet<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut found = BTreeSet::new();
        for (_, line) in &self.prose {
            let title = line.trim_start_matches('#');
            if title.len() == line.len() || !title.starts_with(' ') {
                continue;
            }
            let anchor = anchor(title.trim());
            let times = seen.entry(anchor.clone()).or_default();
            found.insert(match *times {
                0 => anchor,
                times => format!("{anchor}-{times}"),
            });
            *times += 1;
        }
        found
    }

    /// Returns the links as line and target.
    fn links(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose.iter().flat_map(|(number, line)| {
            let after = line.split("](").skip(1);
            after.filter_map(|rest| Some((*number, rest.split_once(')')?.0)))
        })
    }
}

/// Drops code from a line; it may have begun in an earlier line of the paragraph. Titles keep its
/// words, which are part of their anchors.
fn without_code(line: &str, in_code: &mut bool) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    let mut kept = String::new();
    for letter in line.chars() {
        if letter == '`' {
            *in_code = !*in_code;
        } else if !*in_code {
            kept.push(letter);
        }
    }
    kept
}

fn anchor(title: &str) -> String {
    let letters = title.chars().flat_map(char::to_lowercase);
    letters
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
            _ => None,
        })
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the root, of `docs`, and of every folder in it.
fn pages() -> Pages {
    let mut found = Pages::new();
    let mut folders = vec![PathBuf::from("docs")];
    let mut files = listed(Path::new(""));
    while let Some(folder) = folders.pop() {
        for path in listed(&folder) {
            match root().join(&path).is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    for path in files {
        if path.extension().is_some_and(|ending| ending == "md") {
            let text = fs::read_to_string(root().join(&path)).expect("read");
            found.insert(path, Page::new(&text));
        }
    }
    found
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(root().join(folder))
        .expect("listed")
        .map(|entry| folder.join(entry.expect("listed").file_name()))
        .collect()
}

/// Follows a relative path from the folder of a page; nothing if it leaves the tree.
fn followed(page: &Path, target: &str) -> Option<PathBuf> {
    let mut way = page.parent()?.to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(name) => way.push(name),
            Component::CurDir => {}
            Component::ParentDir if way.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(way)
}

/// Names the links that lead to no file, or to no heading of theirs.
fn broken_links(pages: &Pages, is_there: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, page) in pages {
        for (line, link) in page.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, heading) = match link.split_once('#') {
                Some((target, heading)) => (target, Some(heading)),
                None => (link, None),
            };
            let leads_to = match target {
                "" => Some(path.clone()),
                target => followed(path, target).filter(|way| is_there(way)),
            };
            let at = format!("{}:{line}: {link}", path.display());
            match (leads_to, heading) {
                (None, _) => wrong.push(format!("{at}: there is no such file")),
                (Some(_), None) => {}
                (Some(way), Some(heading)) => match pages.get(&way) {
                    Some(other) if other.anchors().contains(heading) => {}
                    Some(_) => wrong.push(format!("{at}: there is no such heading")),
                    None => wrong.push(format!("{at}: that is no page with headings")),
                },
            }
        }
    }
    wrong
}

/// Names the examples that cannot be read.
fn broken_examples(path: &Path, page: &Page) -> Vec<String> {
    let mut wrong = Vec::new();
    for example in &page.examples {
        let trouble = match example.language.as_str() {
            "toml" => toml::from_str::<toml::Table>(&example.text)
                .err()
                .map(|error| error.to_string()),
            "json" => serde_json::from_str::<serde_json::Value>(&example.text)
                .err()
                .map(|error| error.to_string()),
            "open to the end" => Some("the fence is not closed".to_owned()),
            _ => None,
        };
        wrong.extend(trouble.map(|text| format!("{}:{}: {text}", path.display(), example.line)));
    }
    wrong
}

/// Returns what the examples of a page set, with the line of each.
fn settings(page: &Page) -> Vec<(usize, toml::Table)> {
    let tomls = page.examples.iter().filter(|one| one.language == "toml");
    tomls
        .filter_map(|one| Some((one.line, toml::from_str(&one.text).ok()?)))
        .collect()
}

/// Says what a Russian page lacks beside its twin.
fn strangers(name: &str, page: &Page, twin: &Page) -> Vec<String> {
    let mut wrong = Vec::new();
    let leads = |page: &Page, target: &str| page.links().any(|(_, link)| link == target);
    if !leads(page, &format!("../{name}")) {
        wrong.push(format!("docs/ru/{name}:1: it does not name docs/{name}"));
    }
    if !leads(twin, &format!("ru/{name}")) {
        wrong.push(format!("docs/{name}:1: it does not name docs/ru/{name}"));
    }
    let theirs = settings(twin);
    for (line, ours) in settings(page) {
        if !theirs.iter().any(|(_, theirs)| *theirs == ours) {
            wrong.push(format!(
                "docs/ru/{name}:{line}: docs/{name} has no example that sets the same"
            ));
        }
    }
    wrong
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    none(&broken_links(&pages(), |way| root().join(way).exists()));
}

#[test]
fn every_example_of_the_documentation_can_be_read() {
    let pages = pages();
    let wrong = pages
        .iter()
        .flat_map(|(path, page)| broken_examples(path, page));
    none(&wrong.collect::<Vec<_>>());
}

#[test]
fn every_russian_page_goes_with_an_english_one_and_is_in_the_list_of_pages() {
    let pages = pages();
    let list = &pages[Path::new("docs/ru/README.md")];
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, page) in &pages {
        let Ok(name) = path.strip_prefix("docs/ru") else {
            continue;
        };
        seen += 1;
        let name = name.to_str().expect("a plain name");
        match pages.get(&Path::new("docs").join(name)) {
            Some(twin) => wrong.extend(strangers(name, page, twin)),
            None if RUSSIAN_ALONE.contains(&name) => {}
            None => wrong.push(format!("docs/ru/{name}:1: there is no docs/{name}")),
        }
        if name != "README.md" && !list.links().any(|(_, link)| link == name) {
            wrong.push(format!("docs/ru/README.md:1: it does not name {name}"));
        }
    }
    assert!(seen > RUSSIAN_ALONE.len(), "{seen} pages");
    none(&wrong);
}

#[test]
fn a_link_that_leads_nowhere_is_named_with_file_and_line() {
    let page = "# Одна страница 2.0\n\n## Again\n## Again\n\
                [good](b.md#one) [here](#одна-страница-20) [second](#again-1)\n\
                `[code](no.md)` and `code that\ngoes on` [gone](no.md)\n\
                ```sh\n[shell](no.md)\n```\n\
                [far](https://example.com/no.md) [no heading](b.md#two) [out](../../no.md)\n";
    let pages = Pages::from([
        (PathBuf::from("docs/a.md"), Page::new(page)),
        (PathBuf::from("docs/b.md"), Page::new("# `One`\n")),
    ]);
    let found = broken_links(&pages, |way| pages.contains_key(way));
    assert_eq!(
        found,
        [
            "docs/a.md:7: no.md: there is no such file",
            "docs/a.md:11: b.md#two: there is no such heading",
            "docs/a.md:11: ../../no.md: there is no such file",
        ]
    );
}

#[test]
fn an_example_that_cannot_be_read_is_named_with_file_and_line() {
    let page = "1. text\n\n   ```toml\n   [a]\n   b = 1\n   ```\n\n```toml\nb =\n```\n\
                ```json\n{]\n```\n```sh\nb =\n```\n```text\n";
    let wrong = broken_examples(Path::new("a.md"), &Page::new(page));
    let places: Vec<&str> = wrong.iter().map(|one| &one[..8]).collect();
    assert_eq!(places, ["a.md:8: ", "a.md:11:", "a.md:17:"], "{wrong:?}");
}

#[test]
fn a_russian_example_that_sets_something_else_is_named() {
    let page = |link: &str, value: u8| Page::new(&format!("{link}\n```toml\na = {value} # x\n```"));
    let (ours, theirs) = (page("[e](../a.md)", 1), page("[r](ru/a.md)", 1));
    assert_eq!(strangers("a.md", &ours, &theirs), Vec::<String>::new());
    let found = strangers("a.md", &page("", 2), &page("", 1));
    assert_eq!(
        found,
        [
            "docs/ru/a.md:1: it does not name docs/a.md",
            "docs/a.md:1: it does not name docs/ru/a.md",
            "docs/ru/a.md:2: docs/a.md has no example that sets the same",
        ]
    );
}
