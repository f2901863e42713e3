//! What the reading of a settings table asks for: every key with its form, so that one reading both
//! reads a table and describes it.

use serde_json::{Map, Value};

use super::object_reader::{Mistakes, Reader};

/// One key that a reading asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The way to it, from the table that is read.
    pub path: Vec<String>,
    /// What its value may be.
    pub form: Form,
    /// The table cannot do without it.
    pub required: bool,
}

/// What a value may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// A text of at most so many characters.
    Text {
        /// Characters.
        chars_max: usize,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What counts where nothing is set.
        usual: Option<u64>,
    },
    /// A number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// What counts where nothing is set.
        usual: Option<f64>,
    },
    /// True or false.
    Flag {
        /// What counts where nothing is set.
        usual: bool,
    },
    /// A time as text.
    Time,
    /// A list of texts.
    Texts {
        /// Texts.
        items_max: usize,
        /// Characters of each.
        chars_max: usize,
    },
    /// A list of something else.
    List {
        /// Items.
        items_max: usize,
    },
    /// Texts by name.
    NamedTexts {
        /// Entries.
        entries_max: usize,
    },
    /// A table; what it holds is asked for with longer ways.
    Table,
}

/// What a kind of source or CRM says about its `settings` table and its secrets.
#[derive(Clone, Copy)]
pub struct SettingsForm {
    /// Returns every key.
    pub asked: fn() -> Vec<Asked>,
    /// What each key is for: its way, joined by dots, and a line of words. Secrets stand there under
    /// `secrets.NAME`.
    pub words: &'static [(&'static str, &'static str)],
}

impl SettingsForm {
    /// A kind without settings.
    pub const NONE: Self = Self {
        asked: Vec::new,
        words: &[],
    };

    /// Returns what a key is for.
    pub fn words_of(&self, path: &str) -> Option<&'static str> {
        let mut words = self.words.iter();
        words.find(|(key, _)| *key == path).map(|(_, words)| *words)
    }
}

/// Returns what a reading asks for, in order. The reading runs on an empty table, and once more for
/// each word that it knows, because words decide which other keys there are.
pub(crate) fn asked_by(read: impl Fn(Reader<'_>)) -> Vec<Asked> {
    let mut runs = vec![run(&read, Map::new())];
    let mut looked_at = 0;
    let mut tried: Vec<(Vec<String>, &str)> = Vec::new();
    while let Some(asked) = runs.get(looked_at) {
        looked_at += 1;
        for (path, word) in words_in(asked) {
            if !tried.contains(&(path.clone(), word)) {
                runs.push(run(&read, nested(&path, word)));
                tried.push((path, word));
            }
        }
    }
    let mut keys: Vec<Asked> = Vec::new();
    for asked in runs.iter().flatten() {
        if !keys.iter().any(|known| known.path == asked.path) {
            keys.push(asked.clone());
        }
    }
    for key in &mut keys {
        let needed = |run: &Vec<Asked>| run.iter().any(|one| one.path == key.path && one.required);
        key.required = runs.iter().all(needed);
    }
    keys
}

fn run(read: &impl Fn(Reader<'_>), table: Map<String, Value>) -> Vec<Asked> {
    let table = Value::Object(table);
    let mut mistakes = Mistakes::recording();
    if let Some(reader) = Reader::new(&table, &[], &mut mistakes) {
        read(reader);
    }
    mistakes.into_asked()
}

fn words_in(asked: &[Asked]) -> Vec<(Vec<String>, &'static str)> {
    let mut found = Vec::new();
    for one in asked {
        if let Form::Word(words) = one.form {
            found.extend(words.iter().map(|word| (one.path.clone(), *word)));
        }
    }
    found
}

/// Returns a table that holds the word at the end of the way.
fn nested(path: &[String], word: &str) -> Map<String, Value> {
    let mut keys = path.iter().rev();
    let mut table = Map::new();
    if let Some(last) = keys.next() {
        table.insert(last.clone(), Value::from(word));
    }
    for key in keys {
        table = Map::from_iter([(key.clone(), Value::Object(table))]);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::model::object_reader::TextShape;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
        Fancy,
    }

    fn read(mut r: Reader<'_>) {
        r.required_text("host", TextShape::Line(20));
        r.whole_in("port", 1..=65_535, 80);
        if let Some(mut inner) = r.table("inner") {
            let kind: Option<Kind> = inner.word("kind");
            inner.required("kind", kind);
            if kind == Some(Kind::Fancy) {
                inner.required_text("colour", TextShape::Line(9));
            }
            inner.finish();
        }
        r.finish();
    }

    #[test]
    fn a_reading_tells_every_key_that_any_word_leads_to() {
        let asked = asked_by(read);
        let shown: Vec<(String, bool)> = asked
            .iter()
            .map(|one| (one.path.join("."), one.required))
            .collect();
        let wanted = [
            ("host", true),
            ("port", false),
            ("inner", false),
            ("inner.kind", true),
            ("inner.colour", false),
        ];
        assert_eq!(
            shown,
            wanted.map(|(path, required)| (path.to_owned(), required))
        );
        let whole = Form::Whole {
            min: 1,
            max: 65_535,
            usual: Some(80),
        };
        assert_eq!(asked[1].form, whole);
        assert_eq!(asked[3].form, Form::Word(&["plain", "fancy"]));
    }
}
