//! Reasons in words that an office administrator understands, in Russian and English.

mod english;
mod fields;
mod russian;

use super::explanation::{Language, Reason, TemplateMiss};

impl Reason {
    /// Returns the reason as one sentence.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => russian::text(self),
            Language::En => english::text(self),
        }
    }
}

impl TemplateMiss {
    /// Returns why a template gives no text.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => russian::no_text(self),
            Language::En => english::no_text(self),
        }
    }
}

#[cfg(test)]
mod tests;
