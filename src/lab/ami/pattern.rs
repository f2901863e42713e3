//! The few regular expressions that `Action: Filter` takes here: literal text, `.`, `*`, `^`, `$`
//! and `\` before a special character. Anything else is refused rather than misread.

/// A compiled filter pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    from_start: bool,
    to_end: bool,
    items: Vec<(Item, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Any,
    Exactly(char),
}

impl Item {
    fn takes(self, c: char) -> bool {
        match self {
            // Asterisk compiles without REG_NEWLINE, so a dot takes a line end too.
            Item::Any => true,
            Item::Exactly(wanted) => wanted == c,
        }
    }
}

impl Pattern {
    /// Compiles a pattern; `None` when it uses what is not supported here.
    pub(super) fn compile(text: &str) -> Option<Self> {
        let (from_start, rest) = match text.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut items: Vec<(Item, bool)> = Vec::new();
        let mut to_end = false;
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            let item = match c {
                '\\' => Item::Exactly(chars.next()?),
                '.' => Item::Any,
                '$' if chars.peek().is_none() => {
                    to_end = true;
                    break;
                }
                '*' | '[' | ']' | '(' | ')' | '{' | '}' | '|' | '+' | '?' | '^' | '$' => {
                    return None;
                }
                literal => Item::Exactly(literal),
            };
            let repeated = chars.next_if_eq(&'*').is_some();
            items.push((item, repeated));
        }
        Some(Self {
            from_start,
            to_end,
            items,
        })
    }

    /// Tells whether the pattern occurs in the text. Runs in text length times pattern length.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        // The positions in the pattern that are alive, as in a classic simulation of an NFA.
        let end = self.items.len();
        let mut alive = vec![false; end + 1];
        self.enter(&mut alive, 0);
        if alive[end] && !self.to_end {
            return true;
        }
        for c in text.chars() {
            let mut next = vec![false; end + 1];
            for (at, (item, repeated)) in self.items.iter().enumerate() {
                if alive[at] && item.takes(c) {
                    self.enter(&mut next, if *repeated { at } else { at + 1 });
                }
            }
            if !self.from_start {
                self.enter(&mut next, 0);
            }
            alive = next;
            if alive[end] && !self.to_end {
                return true;
            }
        }
        alive[end]
    }

    /// Marks a position as alive, and every one that follows over items that may be absent.
    fn enter(&self, alive: &mut [bool], from: usize) {
        let mut at = from;
        loop {
            alive[at] = true;
            match self.items.get(at) {
                Some((_, true)) => at += 1,
                Some((_, false)) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Pattern::compile(pattern).unwrap().occurs_in(text), expected);
    }

    #[test]
    fn the_supported_patterns_match_as_expected() {
        check("Event: RTCP.*", "Event: RTCPSent\r\nX: 1", true);
        check("Event: RTCP.*", "Event: Newchannel", false);
        check("^Event: VarSet", "Event: VarSet\r\n", true);
        check("^VarSet", "Event: VarSet\r\n", false);
        check("a*b", "caab", true);
        check("ab$", "abc", false);
        check(r"1\.5", "1x5", false);
        check("", "anything", true);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for pattern in ["(a|b)", "[ab]", "a+", "*", "a{2}"] {
            assert_eq!(Pattern::compile(pattern), None, "{pattern}");
        }
    }
}
