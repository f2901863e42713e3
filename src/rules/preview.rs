//! What a template gives before it is saved (S2-29): its mistakes, a made-up communication, and real
//! ones as they were decided.

use crate::model::communication::{Body, Kind};
use crate::model::explanation::TemplateMiss;
use crate::model::facts::Facts;
use schemars::JsonSchema;

use super::settings::Template;
use super::situation::Situation;
use super::variables::{self, Variable};
use super::written::texts::{NAME_CHARS_MAX, TASK_CHARS_MAX};
use super::{calls, chats, requests};

/// Returns the variables that templates of a kind may use.
pub fn variables(kind: Kind) -> &'static [Variable] {
    match kind {
        Kind::Call => &variables::OF_CALLS,
        Kind::Chat => &variables::OF_CHATS,
        Kind::Request => &variables::OF_REQUESTS,
    }
}

/// What a template is for: it bounds the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The name of a card.
    #[default]
    Name,
    /// A text, such as a task's.
    Text,
}

impl Purpose {
    fn chars_max(self) -> usize {
        match self {
            Purpose::Name => NAME_CHARS_MAX,
            Purpose::Text => TASK_CHARS_MAX,
        }
    }
}

/// Names everything that is wrong with a template.
pub fn mistakes(kind: Kind, template: &Template) -> Vec<String> {
    template.mistakes(&variables::samples(variables(kind)))
}

/// Returns what a template without mistakes gives where every variable says something.
///
/// # Errors
/// Fails where nothing is left of the text.
pub fn sample(kind: Kind, purpose: Purpose, template: &Template) -> Result<String, TemplateMiss> {
    // The sets with every text come first; the last of them says yes to every condition.
    let sets = variables::samples(variables(kind));
    let whole = sets.len() / 2;
    let values = sets.get(whole.saturating_sub(1));
    let values = values.ok_or(TemplateMiss::Empty)?;
    template.text(values, purpose.chars_max())
}

/// Returns what a template gives for a communication whose client the CRM knew as `facts` say;
/// `None` = it is none that this template could be used for.
pub fn filled(
    template: &Template,
    purpose: Purpose,
    situation: &Situation<'_>,
    facts: &Facts,
) -> Option<Result<String, TemplateMiss>> {
    let chars_max = purpose.chars_max();
    match &situation.snapshot.body {
        Body::Call { call } => calls::preview(template, chars_max, situation, call, facts),
        Body::Chat { chat } => chats::preview(template, chars_max, situation, chat, facts),
        Body::Request { request } => {
            requests::preview(template, chars_max, situation, request, facts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::variables::Sample;

    const KINDS: [Kind; 3] = [Kind::Call, Kind::Chat, Kind::Request];

    #[test]
    fn s2_29_a_sample_says_what_the_table_of_variables_says() {
        for kind in KINDS {
            for variable in variables(kind) {
                let name = variable.name;
                let (template, wanted) = match variable.sample {
                    Sample::Flag => (format!("{{% if {name} %}}A{{% endif %}}"), "A".to_owned()),
                    _ => (format!("{{{{ {name} }}}}"), variable.sample_text()),
                };
                let template = Template(template);
                assert_eq!(mistakes(kind, &template), Vec::<String>::new());
                let text = sample(kind, Purpose::Name, &template).expect("a text");
                assert_eq!(text, wanted, "{name}");
            }
        }
    }

    #[test]
    fn s2_29_a_mistake_of_a_template_is_told_by_kind() {
        let template = Template("{{ miss_reason }}".to_owned());
        assert_eq!(mistakes(Kind::Call, &template), Vec::<String>::new());
        let found = mistakes(Kind::Request, &template);
        assert!(
            found
                .iter()
                .any(|text| text.contains("no variable \"miss_reason\"")),
            "{found:?}"
        );
    }

    #[test]
    fn a_name_is_shorter_than_a_text() {
        let long = Template("я".repeat(900));
        let name = sample(Kind::Call, Purpose::Name, &long).expect("a name");
        let text = sample(Kind::Call, Purpose::Text, &long).expect("a text");
        assert_eq!((name.chars().count(), text.chars().count()), (255, 900));
    }
}
