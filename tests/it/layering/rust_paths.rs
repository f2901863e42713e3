//! Finds the paths into our own crate in a Rust file. Reads tokens, not grammar: comments, strings
//! and character literals are passed over, groups in braces are followed.

/// Returns every path that begins with `crate`, `super`, `self` or the crate's name, from the
/// crate's root on. `module` is where the file stands.
pub(crate) fn of(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut inline: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(opened, _)| *opened < depth + 1);
            }
            "mod" if tokens.get(at + 2).is_some_and(|next| next == "{") => {
                inline.push((depth + 1, tokens[at + 1].clone()));
            }
            "crate" | "super" | "self" | "trunkline" if is_start(&tokens, at) => {
                let mut here = module.to_vec();
                here.extend(inline.iter().map(|(_, name)| name.clone()));
                let mut next = at;
                follow(&tokens, &mut next, here, &mut found);
                at = next;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_start(tokens: &[String], at: usize) -> bool {
    let continued = at > 0 && tokens[at - 1] == "::";
    !continued && tokens.get(at + 1).is_some_and(|next| next == "::")
}

/// Follows one path from its first word, groups included, and leaves `at` behind it.
fn follow(tokens: &[String], at: &mut usize, here: Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut path = match tokens[*at].as_str() {
        "crate" | "trunkline" => Vec::new(),
        "super" => here[..here.len().saturating_sub(1)].to_vec(),
        _ => here,
    };
    *at += 1;
    while tokens.get(*at).is_some_and(|token| token == "::") {
        *at += 1;
        match tokens.get(*at).map(String::as_str) {
            Some("super") => {
                path.pop();
                *at += 1;
            }
            Some("{") => {
                group(tokens, at, &path, found);
                return;
            }
            Some(word) if is_word(word) => {
                path.push(word.to_owned());
                *at += 1;
            }
            _ => break,
        }
    }
    found.push(path);
}

/// Follows the members of a group, from its opening brace to behind the closing one.
fn group(tokens: &[String], at: &mut usize, prefix: &[String], found: &mut Vec<Vec<String>>) {
    *at += 1;
    while let Some(token) = tokens.get(*at) {
        if token == "}" {
            *at += 1;
            return;
        }
        if !is_word(token) && token != "*" {
            *at += 1;
            continue;
        }
        let mut path = prefix.to_vec();
        if token != "*" && token != "self" {
            path.push(token.clone());
        }
        *at += 1;
        let mut nested = false;
        while tokens.get(*at).is_some_and(|token| token == "::") {
            *at += 1;
            match tokens.get(*at) {
                Some(token) if token == "{" => {
                    group(tokens, at, &path, found);
                    nested = true;
                }
                Some(token) if is_word(token) => {
                    path.push(token.clone());
                    *at += 1;
                }
                _ => *at += 1,
            }
        }
        if !nested {
            found.push(path);
        }
        if tokens.get(*at).is_some_and(|token| token == "as") {
            *at += 2;
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        if c == '/' && next == Some('/') {
            at = line_end(&chars, at);
        } else if c == '/' && next == Some('*') {
            at = comment_end(&chars, at);
        } else if let Some(end) = raw_string_end(&chars, at) {
            at = end;
        } else if c == '"' {
            at = string_end(&chars, at);
        } else if c == '\'' {
            at = quote_end(&chars, at);
        } else if c.is_alphanumeric() || c == '_' {
            let start = at;
            while chars
                .get(at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                at += 1;
            }
            tokens.push(chars[start..at].iter().collect());
        } else if c == ':' && next == Some(':') {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    tokens
}

fn line_end(chars: &[char], from: usize) -> usize {
    let rest = &chars[from..];
    from + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn comment_end(chars: &[char], from: usize) -> usize {
    let mut open = 0_usize;
    let mut at = from;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                open += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                open -= 1;
                at += 2;
                if open == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"`, `r#"…"#`, `br"…"`; not the raw identifier `r#type`.
fn raw_string_end(chars: &[char], from: usize) -> Option<usize> {
    let before = from.checked_sub(1).and_then(|at| chars.get(at));
    if before.is_some_and(|c| c.is_alphanumeric() || *c == '_') {
        return None;
    }
    let mut at = from;
    if chars[at] == 'b' {
        at += 1;
    }
    if chars.get(at) != Some(&'r') {
        return None;
    }
    at += 1;
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    at += hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        let closing = chars[at] == '"'
            && chars[at + 1..]
                .iter()
                .take_while(|c| **c == '#')
                .take(hashes)
                .count()
                == hashes;
        at += 1;
        if closing {
            return Some(at + hashes);
        }
    }
    Some(at)
}

/// A character literal, or only the tick of a lifetime.
fn quote_end(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        (Some('\\'), _) => {
            let rest = &chars[(from + 3).min(chars.len())..];
            from + 4 + rest.iter().position(|c| *c == '\'').unwrap_or(rest.len())
        }
        (Some(_), Some('\'')) => from + 3,
        _ => from + 1,
    }
}
