//! Names and texts from templates (S0-14, V-09).

use crate::model::explanation::Reason;
use crate::model::phone::Phone;
use crate::rules::settings::Template;
use crate::rules::template::one_line;

use super::Written;
use super::client::Client;

/// The longest name of a card. No limit is documented by the CRMs; this passes everywhere.
pub(in crate::rules) const NAME_CHARS_MAX: usize = 255;

/// The longest text of a task.
pub(in crate::rules) const TASK_CHARS_MAX: usize = 1000;

/// The longest note: several pages.
pub(in crate::rules) const NOTE_CHARS_MAX: usize = 10_000;

/// What stands for a client who left nothing.
const NOBODY: &str = "Без контактов";

/// A name or text, and why it is not the template's, where it is not.
pub(in crate::rules) struct Phrase {
    pub(in crate::rules) text: String,
    pub(in crate::rules) instead: Option<Reason>,
}

/// Returns the name of a new contact.
pub(in crate::rules) fn contact_name<W: Written>(what: &W, client: &Client<'_>) -> Phrase {
    let text = Text {
        own: what.choices().contact_name,
        key: "contact_name",
        usual: W::USUAL.contact_name,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(what, Some(client))
}

/// Returns the name of a new deal.
pub(in crate::rules) fn deal_name<W: Written>(what: &W, client: &Client<'_>) -> Phrase {
    let text = Text {
        own: what.choices().deal_name,
        key: "deal_name",
        usual: W::USUAL.deal_name,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(what, Some(client))
}

/// Returns the name of a deal where no template applies (S0-15).
pub(in crate::rules) fn usual_deal_name<W: Written>(what: &W) -> String {
    let text = Text {
        own: None,
        key: "",
        usual: W::USUAL.deal_name,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(what, None).text
}

/// Returns the text of a task whose settings stand at a key of the block.
pub(in crate::rules) fn task_text<W: Written>(
    what: &W,
    client: &Client<'_>,
    key: &'static str,
    own: Option<&Template>,
    usual: &'static str,
) -> Phrase {
    let text = Text {
        own,
        key,
        usual,
        chars_max: TASK_CHARS_MAX,
    };
    text.write(what, Some(client))
}

/// What a text is made from.
struct Text<'a> {
    own: Option<&'a Template>,
    key: &'static str,
    usual: &'static str,
    chars_max: usize,
}

impl Text<'_> {
    /// Fills the administrator's template in, else the usual one.
    fn write<W: Written>(&self, what: &W, client: Option<&Client<'_>>) -> Phrase {
        let values = what.values(client);
        let mut instead = None;
        if let Some(template) = self.own {
            match template.text(&values, self.chars_max) {
                Ok(text) => return Phrase { text, instead },
                Err(why) => {
                    let path = format!("{}.{}", W::BLOCK, self.key);
                    instead = Some(Reason::TemplateFailed { path, why });
                }
            }
        }
        let usual = Template(self.usual.to_owned()).text(&values, self.chars_max);
        // A test runs the usual ones on every sample; what is left if that is not enough is still a
        // name.
        Phrase {
            text: usual.unwrap_or_else(|_| client_label(what)),
            instead,
        }
    }
}

/// Names the client: by name, else number, else e-mail address.
pub(in crate::rules) fn client_label(what: &impl Written) -> String {
    let name = what.name().map(|name| one_line(name, NAME_CHARS_MAX));
    name.filter(|name| !name.is_empty())
        .or_else(|| what.phone().map(Phone::to_string))
        .or_else(|| what.email())
        .unwrap_or_else(|| NOBODY.to_owned())
}
