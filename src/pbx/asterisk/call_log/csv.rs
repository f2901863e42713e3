//! One line of comma-separated fields as `cdr_csv` and `CSV_QUOTE` write them: texts in quotes, a
//! quote inside doubled, numbers and empty dates without quotes. Pure.

/// Fields of one line: `cel_custom` writes twenty, `cdr_csv` at the most twenty-one. More are no
/// line of theirs.
const FIELDS_MAX: usize = 64;

/// Splits a line, without its line break. `None` when it is torn: a quote that is not closed, text
/// after a closed one, or too many fields.
pub(super) fn fields(line: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        if found.len() >= FIELDS_MAX {
            return None;
        }
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                (field.to_owned(), after)
            }
        };
        found.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(found),
            None => return None,
        }
    }
}

/// Reads up to the closing quote; returns the field and what follows.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(fields: &[String]) -> String {
        let quoted = fields
            .iter()
            .map(|f| format!("\"{}\"", f.replace('"', "\"\"")));
        quoted.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_line_of_cdr_csv_has_quoted_texts_and_bare_numbers() {
        let line = r#""","101","102","from-internal","""Anna"" <101>","PJSIP/101-1","","Dial","PJSIP/102,20","2026-11-20 09:00:00",,"2026-11-20 09:00:05",5,0,"NO ANSWER","DOCUMENTATION","1795210154.0","""#;
        let fields = fields(line).unwrap();
        assert_eq!(fields[4], "\"Anna\" <101>");
        assert_eq!(fields[8], "PJSIP/102,20");
        assert_eq!((fields[10].as_str(), fields[12].as_str()), ("", "5"));
        assert_eq!(fields.len(), 18);
    }

    #[test]
    fn a_torn_line_is_no_line() {
        for torn in [r#""a","b"#, r#""a"b,"c""#, r#"""""#] {
            assert_eq!(fields(torn), None, "{torn}");
        }
        assert_eq!(fields(&",".repeat(FIELDS_MAX)), None);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(fields_in in proptest::collection::vec("[^\r\n]{0,12}", 1..20)) {
            prop_assert_eq!(fields(&quoted(&fields_in)), Some(fields_in));
        }

        #[test]
        fn no_line_makes_it_panic(line in ".{0,80}") {
            let _ = fields(&line);
        }
    }
}
