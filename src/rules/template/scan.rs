//! Looks at what stands between the braces of a template: which statements and filters it uses.
//! The engine itself would take more than names need.

/// The filters that there are.
pub(super) const FILTERS: [&str; 6] = ["upper", "lower", "capitalize", "trim", "default", "last"];

/// The statements that there are.
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];

/// Signs that only arithmetic, lists and members need.
const SIGNS_REFUSED: &str = "*/%[]{}.";

/// Names what a template uses and may not.
pub(super) fn mistakes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = rest.get(start + 1..).unwrap_or_default();
        let (close, is_statement) = match rest.chars().next() {
            Some('{') => ("}}", false),
            Some('%') => ("%}", true),
            Some('#') => {
                rest = after(rest, "#}");
                continue;
            }
            _ => continue,
        };
        let inside = rest.get(1..).unwrap_or_default();
        let end = length(inside, close);
        let code = inside.get(..end).unwrap_or(inside);
        check(code, is_statement, &mut found);
        rest = inside.get(end..).unwrap_or_default();
    }
    found
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// Returns how long the code is: up to the closing braces that stand in no text of its own.
fn length(code: &str, close: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (place, c) in code.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if code
                .get(place..)
                .is_some_and(|rest| rest.starts_with(close)) =>
            {
                return place;
            }
            None => {}
        }
    }
    code.len()
}

fn check(code: &str, is_statement: bool, found: &mut Vec<String>) {
    let code = without_texts(code);
    // `{{-` and `{%-` take blanks away, that is all.
    let code = code.trim_matches(['-', '+']).trim();
    if is_statement {
        let word: String = code.chars().take_while(|c| c.is_alphanumeric()).collect();
        if !STATEMENTS.contains(&word.as_str()) {
            found.push(format!(
                "{{% {word} %}} is not taken: only {}",
                STATEMENTS.join(", ")
            ));
            return;
        }
    }
    if let Some(sign) = code.chars().find(|c| SIGNS_REFUSED.contains(*c)) {
        found.push(format!(
            "the sign {sign:?} has no meaning in a template here"
        ));
    }
    for part in code.split('|').skip(1) {
        let name: String = part
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if !FILTERS.contains(&name.as_str()) {
            found.push(format!(
                "there is no filter {name:?}: there are {}",
                FILTERS.join(", ")
            ));
        }
    }
    let words: Vec<&str> = code
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    if words.contains(&"is") {
        found.push("\"is\" is not taken: write {% if variable %}".to_owned());
    }
}

/// Empties the texts in quotation marks.
fn without_texts(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut quote = None;
    let mut escaped = false;
    for c in code.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => {
                quote = None;
                kept.push(c);
            }
            Some(_) => {}
            None => {
                if c == '"' || c == '\'' {
                    quote = Some(c);
                }
                kept.push(c);
            }
        }
    }
    kept
}
