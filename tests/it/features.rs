//! `docs/features.md` claims nothing that no test shows, and forgets no row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A row: its id and the tests that prove it; none = open.
#[derive(Debug, PartialEq)]
struct Row {
    id: String,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(str::trim).collect()
}

/// Splits `S1-04` into series and number.
fn number(id: &str) -> Option<(&str, usize)> {
    let (series, number) = id.split_once('-')?;
    Some((series, number.parse().ok()?))
}

/// Reads the rows, or names the lines that are none.
fn rows(text: &str) -> Result<Vec<Row>, Vec<String>> {
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let cells = cells(line);
        let [id, _, proof] = cells[..] else { continue };
        if number(id).is_none() {
            continue; // a table's head
        }
        let ticked =
            |test: &str| Some(test.trim().strip_prefix('`')?.strip_suffix('`')?.to_owned());
        let tests: Option<Vec<String>> = match proof {
            "open" => Some(Vec::new()),
            list => list.split(',').map(ticked).collect(),
        };
        match tests {
            Some(tests) => rows.push(Row {
                id: id.to_owned(),
                tests,
            }),
            None => wrong.push(format!(
                "{id}: {proof:?} is neither open nor a list of tests"
            )),
        }
    }
    match wrong.is_empty() {
        true => Ok(rows),
        false => Err(wrong),
    }
}

/// Names what is missing from, or too much in, the series that the document counts.
fn gaps(text: &str, rows: &[Row]) -> Vec<String> {
    let counted: BTreeMap<&str, usize> = text
        .lines()
        .filter_map(|line| match cells(line)[..] {
            [series, count] => Some((series, count.parse().ok()?)),
            _ => None,
        })
        .collect();
    let mut wanted: BTreeSet<(&str, usize)> = BTreeSet::new();
    for (series, count) in counted {
        wanted.extend((1..=count).map(|number| (series, number)));
    }
    let mut wrong = Vec::new();
    for row in rows {
        if !number(&row.id).is_some_and(|id| wanted.remove(&id)) {
            wrong.push(format!(
                "{} stands twice, or past its series' count",
                row.id
            ));
        }
    }
    let missing = wanted.iter();
    wrong.extend(missing.map(|(series, number)| format!("{series}-{number:02} is missing")));
    wrong
}

/// Names the claims that no test function bears out.
fn unproved(rows: &[Row], tests: &BTreeSet<String>) -> Vec<String> {
    let claims = rows
        .iter()
        .flat_map(|row| row.tests.iter().map(move |test| (&row.id, test)));
    claims
        .filter(|(_, test)| !tests.contains(*test))
        .map(|(id, test)| format!("{id} names the test {test}, which does not exist"))
        .collect()
}

/// Gathers the names of the test functions below a folder.
fn test_names(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            test_names(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            test_names_in(&fs::read_to_string(&path).expect("read"), found);
        }
    }
}

/// A test is a function below an attribute that ends in `test`, such as `#[tokio::test]`, with
/// further attributes and comments between; or any function of a `proptest!` block, which has the
/// same attribute inside.
fn test_names_in(text: &str, found: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let attribute = line
            .strip_prefix("#[")
            .map(|rest| rest.trim_end_matches(']'));
        match attribute {
            Some(attribute) => {
                let path = attribute.split('(').next().unwrap_or_default();
                is_test |= path == "test" || path.ends_with("::test");
            }
            None if line.starts_with("//") => {}
            None => {
                let name = line.trim_start_matches("async ").strip_prefix("fn ");
                if let (true, Some(name)) = (is_test, name) {
                    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                    found.insert(name[..end.unwrap_or(name.len())].to_owned());
                }
                is_test = false;
            }
        }
    }
}

/// A check of the browser's walk is a method that the walk is told to go through. `make test-browser`
/// runs them.
fn browser_checks_in(text: &str, found: &mut BTreeSet<String>) {
    let lines = || text.lines().map(str::trim);
    let walked: BTreeSet<&str> = lines()
        .filter_map(|line| line.strip_prefix("walk.")?.strip_suffix(','))
        .collect();
    let methods = lines().filter_map(|line| line.strip_prefix("def ")?.strip_suffix("(self):"));
    found.extend(
        methods
            .filter(|name| walked.contains(name))
            .map(str::to_owned),
    );
}

#[test]
fn every_claimed_feature_names_a_test_and_no_row_is_missing() {
    let text = fs::read_to_string(root().join("docs/features.md")).expect("read");
    let rows = rows(&text).unwrap_or_else(|wrong| panic!("{}", wrong.join("\n")));
    assert_eq!(rows.len(), 152, "rows of the document");
    assert_eq!(gaps(&text, &rows), Vec::<String>::new());
    let mut tests = BTreeSet::new();
    test_names(&root().join("src"), &mut tests);
    test_names(&root().join("tests"), &mut tests);
    let walk = fs::read_to_string(root().join("tests/browser/run.py")).expect("read");
    browser_checks_in(&walk, &mut tests);
    assert!(tests.contains("log_in"));
    assert!(tests.contains("every_claimed_feature_names_a_test_and_no_row_is_missing"));
    assert_eq!(unproved(&rows, &tests), Vec::<String>::new());
}

#[test]
fn a_claim_without_a_test_and_a_forgotten_row_are_found() {
    let text = "| series | rows |\n| S1 | 3 |\n\n| row | what | proof |\n| --- | --- | --- |\n\
                | S1-01 | a | `one`, `two` |\n| S1-03 | b | open |\n| S1-03 | b | open |\n";
    let rows = rows(text).expect("they are rows");
    assert_eq!(
        gaps(text, &rows),
        [
            "S1-03 stands twice, or past its series' count",
            "S1-02 is missing"
        ]
    );
    let tests = BTreeSet::from(["one".to_owned()]);
    assert_eq!(
        unproved(&rows, &tests),
        ["S1-01 names the test two, which does not exist"]
    );
    let vague = "| S1-01 | a | done |\n| S1-02 | b | open `one` |";
    assert_eq!(self::rows(vague).expect_err("neither").len(), 2);
}

#[test]
fn only_functions_that_are_run_count_as_tests() {
    let text = "#[test]\nfn one() {}\n\nfn two() {}\n#[tokio::test(start_paused = true)]\n\
                // why\n#[should_panic]\nasync fn three() {}\n    #[test]\n    fn four(n in 0..3) {}\n\
                #[cfg(test)]\nfn five() {}\n";
    let mut found = BTreeSet::new();
    test_names_in(text, &mut found);
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, ["four", "one", "three"]);
}

#[test]
fn only_checks_of_the_browser_that_are_walked_through_count() {
    let text = "class Walk:\n    def one(self):\n        pass\n    def two(self):\n        pass\n\
                \x20   def three(self, way):\n        pass\n\nparts = (\n    walk.one,\n    walk.gone,\n    walk.three,\n)\n";
    let mut found = BTreeSet::new();
    browser_checks_in(text, &mut found);
    assert_eq!(found, BTreeSet::from(["one".to_owned()]));
}
