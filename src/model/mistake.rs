//! A mistake in something that a person or a program gave us.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One mistake, with the path of the value that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The way to the value: keys and list positions, such as `["trunks", "0"]`.
    pub path: Vec<String>,
    /// What is wrong and what to do: a lower-case fragment.
    pub message: String,
}

impl Mistake {
    /// Describes a mistake at a path written with dots, such as `trunks.0`; `""` is the top.
    pub fn at(path: &str, message: impl Into<String>) -> Self {
        let path = path
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            path,
            message: message.into(),
        }
    }

    /// Returns the same mistake one level deeper.
    pub fn under(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path.join("."), self.message)
        }
    }
}
