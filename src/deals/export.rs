//! Deals as a table for spreadsheets (CSV) and as one JSON object a line (NDJSON). Pure.
//!
//! What a client or a CRM wrote is never a formula: a spreadsheet takes a cell that begins with
//! `=`, `+`, `-`, `@`, a tab or a line break for one, so such a text gets an apostrophe before it
//! (rule of OWASP). Our own numbers are written as numbers.

use jiff::tz::TimeZone;

use crate::model::deal::{Deal, DealState, Sum};
use crate::model::explanation::Language;
use crate::model::timestamp::Timestamp;
use crate::store::deals::FoundDeal;

/// By what the cells of a line are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// `;`, with a comma in numbers: what a Russian spreadsheet opens by itself.
    #[default]
    Semicolon,
    /// `,`, with a point in numbers.
    Comma,
    /// A tab, with a comma in numbers.
    Tab,
}

impl Separator {
    /// Reads the word of a query.
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "semicolon" => Some(Separator::Semicolon),
            "comma" => Some(Separator::Comma),
            "tab" => Some(Separator::Tab),
            _ => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Separator::Semicolon => ";",
            Separator::Comma => ",",
            Separator::Tab => "\t",
        }
    }

    fn number(self, sum: Sum) -> String {
        let text = sum.to_string();
        match self {
            Separator::Comma => text,
            Separator::Semicolon | Separator::Tab => text.replace('.', ","),
        }
    }
}

/// How a table is written.
#[derive(Debug, Clone)]
pub struct Csv {
    /// By what cells are kept apart.
    pub separator: Separator,
    /// In whose time.
    pub zone: TimeZone,
    /// In which language its heads are.
    pub language: Language,
    /// The additional columns, as they were chosen.
    pub columns: Vec<String>,
}

/// The heads of the table, in Russian and in English.
const HEADS: [[&str; 2]; 20] = [
    ["ID", "ID"],
    ["Название", "Name"],
    ["Состояние", "State"],
    ["Воронка", "Pipeline"],
    ["ID воронки", "Pipeline ID"],
    ["Этап", "Stage"],
    ["ID этапа", "Stage ID"],
    ["Сумма", "Sum"],
    ["Валюта", "Currency"],
    ["Ответственный", "Responsible"],
    ["ID ответственного", "Responsible ID"],
    ["Клиент", "Client"],
    ["ID клиента", "Client ID"],
    ["Телефоны", "Phones"],
    ["E-mail", "E-mail"],
    ["Источник", "Source"],
    ["Обращение", "Communication"],
    ["Создана", "Made"],
    ["Изменена", "Changed"],
    ["Закрыта", "Closed"],
];

/// A mark by which spreadsheets know UTF-8.
const BOM: &str = "\u{feff}";

impl Csv {
    /// Returns the first line, with the mark before it.
    pub fn head(&self) -> String {
        let own = HEADS.iter().map(|[russian, english]| match self.language {
            Language::Ru => *russian,
            Language::En => *english,
        });
        let chosen = self.columns.iter().map(String::as_str);
        let cells = own.chain(chosen).map(safe).collect();
        format!("{BOM}{}", self.line(cells))
    }

    /// Returns the line of a deal.
    pub fn row(&self, found: &FoundDeal) -> String {
        let deal = &found.stored.deal;
        let client = deal.client.as_ref();
        let responsible = deal.responsible.as_ref();
        let phones = client.iter().flat_map(|client| &client.phones);
        // Digits alone: a number, and no formula.
        let phones: Vec<&str> = phones.map(|phone| phone.digits()).collect();
        let emails = client.map(|client| client.emails.join(", "));
        let communication = deal.communication.as_ref().map(ToString::to_string);
        let mut cells = vec![
            safe(&deal.id),
            safe(&deal.name),
            state(deal, self.language).to_owned(),
            safe(&deal.pipeline.name),
            safe(&deal.pipeline.id),
            safe(&deal.stage.name),
            safe(&deal.stage.id),
            deal.sum
                .map(|sum| self.separator.number(sum))
                .unwrap_or_default(),
            safe(deal.currency.as_deref().unwrap_or_default()),
            safe(responsible.map_or("", |one| &one.name)),
            safe(responsible.map_or("", |one| &one.id)),
            safe(client.map_or("", |client| &client.name)),
            safe(client.map_or("", |client| &client.id)),
            phones.join(", "),
            safe(&emails.unwrap_or_default()),
            safe(deal.source.as_deref().unwrap_or_default()),
            safe(&communication.unwrap_or_default()),
            self.time(Some(deal.created_at)),
            self.time(Some(deal.updated_at)),
            self.time(deal.closed_at),
        ];
        let columns = self.columns.iter().enumerate();
        // Those of a deal that was stored by other settings are not told apart by their places.
        let same = deal.columns.len() == self.columns.len();
        cells.extend(columns.map(|(at, _)| {
            let value = deal.columns.get(at).filter(|_| same);
            safe(value.map_or("", |value| &value.text))
        }));
        self.line(cells)
    }

    fn time(&self, at: Option<Timestamp>) -> String {
        let Some(at) = at else {
            return String::new();
        };
        let instant = jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default();
        let zoned = instant.to_zoned(self.zone.clone());
        zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn line(&self, cells: Vec<String>) -> String {
        let cells: Vec<String> = cells
            .into_iter()
            .map(
                |cell| match cell.contains(['"', ';', ',', '\t', '\n', '\r']) {
                    true => format!("\"{}\"", cell.replace('"', "\"\"")),
                    false => cell,
                },
            )
            .collect();
        format!("{}\r\n", cells.join(self.separator.text()))
    }
}

fn state(deal: &Deal, language: Language) -> &'static str {
    let (russian, english) = match deal.state {
        DealState::Open => ("в работе", "open"),
        DealState::Won => ("успех", "won"),
        DealState::Lost => ("отказ", "lost"),
        DealState::Removed => ("удалена", "removed"),
    };
    match language {
        Language::Ru => russian,
        Language::En => english,
    }
}

/// Returns a text that no spreadsheet takes for a formula.
fn safe(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\0').collect();
    // Spreadsheets pass over blanks before a formula.
    let first = text
        .trim_start_matches([' ', '\u{a0}', '\u{feff}'])
        .chars()
        .next();
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}")
        }
        Some(_) | None => text,
    }
}

/// Returns a deal as one line of JSON.
pub fn json_line(found: &FoundDeal) -> String {
    // Plain texts and numbers: they always turn into JSON.
    let mut line = serde_json::to_string(found).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::deals::tests::deal;
    use crate::model::deal::{DealClient, DealValue};
    use crate::model::phone::{Phone, Region};
    use crate::store::deals::StoredDeal;

    fn csv(separator: Separator) -> Csv {
        Csv {
            separator,
            zone: TimeZone::get("Europe/Moscow").expect("a zone"),
            language: Language::Ru,
            columns: vec!["Филиал".to_owned()],
        }
    }

    fn found(deal: Deal) -> FoundDeal {
        FoundDeal {
            stored: StoredDeal {
                deal,
                version: 1,
                stored_at: Timestamp::from_secs(0),
            },
            refused: None,
        }
    }

    fn hostile() -> Deal {
        Deal {
            name: "=HYPERLINK(\"http://evil\";\"x\")".to_owned(),
            sum: Sum::parse("-1500.5"),
            client: Some(DealClient {
                id: "1".to_owned(),
                name: " +7 (916); Анна\r\nи \"Ко\"".to_owned(),
                phones: vec![Phone::parse("+79161234567", Region::default()).expect("a phone")],
                ..DealClient::default()
            }),
            columns: vec![DealValue {
                field: "1".to_owned(),
                name: "Филиал".to_owned(),
                text: "@SUM(A1)".to_owned(),
            }],
            ..deal("7")
        }
    }

    /// Reads a line back, as a spreadsheet does.
    fn cells(line: &str, separator: char) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut chars = line.trim_end_matches("\r\n").chars().peekable();
        while let Some(c) = chars.next() {
            let last = cells.last_mut().expect("never empty");
            match (quoted, c) {
                (true, '"') if chars.next_if_eq(&'"').is_some() => last.push('"'),
                (_, '"') => quoted = !quoted,
                (false, c) if c == separator => cells.push(String::new()),
                (_, c) => last.push(c),
            }
        }
        cells
    }

    #[test]
    fn a_table_opens_in_a_russian_spreadsheet_and_runs_nothing() {
        let csv = csv(Separator::Semicolon);
        assert!(csv.head().starts_with("\u{feff}ID;Название;"));
        let cells = cells(&csv.row(&found(hostile())), ';');
        assert_eq!(cells.len(), HEADS.len() + 1);
        assert_eq!(cells[1], "'=HYPERLINK(\"http://evil\";\"x\")");
        assert_eq!(cells[7], "-1500,50");
        assert_eq!(cells[11], "' +7 (916); Анна\r\nи \"Ко\"");
        assert_eq!(cells[13], "79161234567");
        assert_eq!(cells[17], "1970-01-01 03:00:10");
        assert_eq!(cells[20], "'@SUM(A1)");
    }

    #[test]
    fn a_line_of_json_is_one_line() {
        let line = json_line(&found(hostile()));
        assert_eq!(line.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(read["deal"]["sum"], "-1500.50");
    }

    proptest! {
        #[test]
        fn no_text_becomes_a_formula_or_another_cell(name in "\\PC*|[=+@\\-\t\r\n;,\"' ]{0,12}") {
            for (separator, sign) in [(Separator::Semicolon, ';'), (Separator::Comma, ','), (Separator::Tab, '\t')] {
                let row = csv(separator).row(&found(Deal { name: name.clone(), ..deal("7") }));
                let cells = cells(&row, sign);
                prop_assert_eq!(cells.len(), HEADS.len() + 1);
                let cell = cells[1].trim_start();
                prop_assert!(!cell.starts_with(['=', '+', '-', '@']), "{:?}", cell);
                prop_assert_eq!(cells[1].trim_start_matches('\''), name.trim_start_matches('\''));
            }
        }
    }
}
