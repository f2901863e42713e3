//! Who may see which events and do which actions: manager classes, users, event masks.

/// The manager classes, in the order of their bits (`pbx/asterisk.md` §1, Read classes).
const NAMES: [&str; 17] = [
    "system",
    "call",
    "log",
    "verbose",
    "command",
    "agent",
    "user",
    "config",
    "dtmf",
    "reporting",
    "cdr",
    "dialplan",
    "originate",
    "agi",
    "security",
    "aoc",
    "message",
];

/// A set of manager classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes(u32);

impl Classes {
    /// Every class.
    pub const ALL: Self = Self((1 << NAMES.len()) - 1);
    /// No class.
    pub const NONE: Self = Self(0);

    /// Reads a comma list such as `system,call`; `all` stands for every class, unknown names are
    /// left out, as in `manager.conf`.
    pub fn parse(list: &str) -> Self {
        let mut bits = 0;
        for name in list.split(',').map(str::trim) {
            if name.eq_ignore_ascii_case("all") {
                return Self::ALL;
            }
            if let Some(index) = NAMES.iter().position(|n| n.eq_ignore_ascii_case(name)) {
                bits |= 1 << index;
            }
        }
        Self(bits)
    }

    /// Reads the mask of `Login` and `Events`: `on`, `off` or a list of classes.
    pub fn parse_mask(mask: &str) -> Self {
        match mask.trim().to_ascii_lowercase().as_str() {
            "" | "on" | "yes" | "true" | "1" => Self::ALL,
            "off" | "no" | "false" | "0" => Self::NONE,
            list => Self::parse(list),
        }
    }

    /// Reads the header `Privilege: call,all` of an event: the class is what stands before `all`,
    /// which is in every such header.
    pub fn of_privilege(privilege: &str) -> Self {
        let named = privilege
            .split(',')
            .filter(|name| !name.trim().eq_ignore_ascii_case("all"))
            .collect::<Vec<_>>()
            .join(",");
        Self::parse(&named)
    }

    /// Tells whether the two sets share a class.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns what is in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A line of `manager.conf`.
#[derive(Debug, Clone)]
pub struct AmiUser {
    /// The name in `Username`.
    pub name: String,
    /// The secret, in plain text as Asterisk keeps it.
    pub secret: String,
    /// Classes whose events the user may see.
    pub read: Classes,
    /// Classes whose actions the user may do.
    pub write: Classes,
}

impl AmiUser {
    /// Builds a user from comma lists of classes.
    pub fn new(name: &str, secret: &str, read: &str, write: &str) -> Self {
        Self {
            name: name.to_owned(),
            secret: secret.to_owned(),
            read: Classes::parse(read),
            write: Classes::parse(write),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_privilege_all_gives_nobody_a_right() {
        let cdr_only = Classes::parse("cdr");
        assert!(!cdr_only.meets(Classes::of_privilege("call,all")));
        assert!(cdr_only.meets(Classes::of_privilege("cdr,all")));
    }

    #[test]
    fn a_mask_can_be_a_word_or_a_list() {
        assert_eq!(Classes::parse_mask("on"), Classes::ALL);
        assert_eq!(Classes::parse_mask("off"), Classes::NONE);
        assert_eq!(
            Classes::parse_mask("call,agent"),
            Classes::parse("agent, call")
        );
    }
}
