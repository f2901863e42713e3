//! What can be wrong with settings although their types allow it, as far as it shows without
//! asking the CRM: whether users, pipelines and stages exist is checked against the account.

use std::collections::BTreeSet;

use crate::model::mistake::Mistake;
use crate::model::phone::Phone;

use super::settings::{
    CallSettings, DirectionSettings, IntegrationSettings, KnownAction, UnknownAction,
};

/// The most numbers that one list takes: each call walks the list, and ten thousand comparisons
/// take less than a tenth of a millisecond.
const NUMBERS_MAX: usize = 10_000;

impl IntegrationSettings {
    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if let Some(calls) = &self.calls {
            check_calls(calls, &mut found);
        }
        if let Some(popup) = &self.popup {
            popup.mistakes(&mut found);
        }
        found
    }
}

fn check_calls(calls: &CallSettings, found: &mut Vec<Mistake>) {
    let responsible = &calls.default_responsible.0;
    if responsible.trim().is_empty() {
        found.push(Mistake::at(
            "calls.default_responsible",
            "name a user of the CRM by its id: somebody must answer for new records (S1-17)",
        ));
    } else {
        check_id("calls.default_responsible", responsible, found);
    }
    check_numbers("calls.partner_numbers", &calls.partner_numbers, found);
    let partners: BTreeSet<&Phone> = calls.partner_numbers.iter().collect();
    check_direction("calls.incoming", &calls.incoming, &partners, found);
    check_direction("calls.outgoing", &calls.outgoing, &partners, found);
}

fn check_direction(
    path: &str,
    direction: &DirectionSettings,
    partners: &BTreeSet<&Phone>,
    found: &mut Vec<Mistake>,
) {
    let filter = format!("{path}.filtered_numbers");
    check_numbers(&filter, &direction.filtered_numbers, found);
    for (position, phone) in direction.filtered_numbers.iter().enumerate() {
        if partners.contains(phone) {
            found.push(Mistake::at(
                &format!("{filter}.{position}"),
                format!(
                    "{phone} is in calls.partner_numbers as well, so that its calls are not even \
                     logged: keep it in one list"
                ),
            ));
        }
    }
    let unknown = [
        ("answered_unknown", &direction.answered_unknown),
        ("missed_unknown", &direction.missed_unknown),
    ];
    for (key, case) in unknown {
        if let Some(case) = case {
            let (pipeline, stage) = places_of_unknown(&case.action);
            check_place(&format!("{path}.{key}.action"), pipeline, stage, found);
        }
    }
    let known = [
        ("answered_known", &direction.answered_known),
        ("missed_known", &direction.missed_known),
    ];
    for (key, case) in known {
        if let Some(case) = case {
            let (pipeline, stage) = places_of_known(&case.action);
            check_place(&format!("{path}.{key}.action"), pipeline, stage, found);
        }
    }
}

fn places_of_unknown(action: &UnknownAction) -> (Option<&str>, Option<&str>) {
    match action {
        UnknownAction::ContactAndDeal { pipeline, stage } => (Some(pipeline), Some(stage)),
        UnknownAction::Unsorted { pipeline } => (Some(pipeline), None),
        UnknownAction::Contact {} => (None, None),
    }
}

fn places_of_known(action: &KnownAction) -> (Option<&str>, Option<&str>) {
    match action {
        KnownAction::ContactAndDeal { pipeline, stage }
        | KnownAction::DealAlways { pipeline, stage } => (Some(pipeline), Some(stage)),
        KnownAction::Unsorted { pipeline } => (Some(pipeline), None),
    }
}

fn check_place(path: &str, pipeline: Option<&str>, stage: Option<&str>, found: &mut Vec<Mistake>) {
    let given = [
        (
            "pipeline",
            pipeline,
            "name the pipeline by its id in the CRM",
        ),
        (
            "stage",
            stage,
            "name the stage of the pipeline by its id in the CRM (S1-11)",
        ),
    ];
    for (key, id, hint) in given {
        let Some(id) = id else { continue };
        let path = format!("{path}.{key}");
        if id.trim().is_empty() {
            found.push(Mistake::at(&path, hint));
        } else {
            check_id(&path, id, found);
        }
    }
}

fn check_id(path: &str, id: &str, found: &mut Vec<Mistake>) {
    if id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        found.push(Mistake::at(
            path,
            format!("{id:?} is no id of the CRM: take the spaces out"),
        ));
    }
}

fn check_numbers(path: &str, numbers: &[Phone], found: &mut Vec<Mistake>) {
    if numbers.len() > NUMBERS_MAX {
        found.push(Mistake::at(
            path,
            format!(
                "{} numbers are too many: at most {NUMBERS_MAX}",
                numbers.len()
            ),
        ));
    }
    let mut seen = BTreeSet::new();
    for (position, phone) in numbers.iter().enumerate() {
        if !seen.insert(phone) {
            found.push(Mistake::at(
                &format!("{path}.{position}"),
                format!("{phone} stands here twice: take one out"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
        [calls]
        default_responsible = "501"
        partner_numbers = ["+74950000001"]
        [calls.incoming]
        filtered_numbers = ["+74950000002"]
        answered_unknown = { action = { kind = "contact_and_deal", pipeline = "31", stage = "7" } }
        missed_unknown = { on = false, action = { kind = "contact" } }
        answered_known = { action = { kind = "deal_always", pipeline = "31", stage = "7" } }
        missed_known = { action = { kind = "unsorted", pipeline = "31" } }
    "#;

    fn parse(text: &str) -> Result<IntegrationSettings, toml::de::Error> {
        toml::from_str(text)
    }

    #[track_caller]
    fn mistakes_of(text: &str) -> Vec<String> {
        let settings = parse(text).expect("the types allow it");
        let mistakes = settings.mistakes();
        mistakes.iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn sound_settings_have_no_mistakes_and_survive_their_own_text() {
        let settings = parse(SOUND).expect("parses");
        assert_eq!(settings.mistakes(), []);
        let text = toml::to_string(&settings).expect("serialises");
        assert_eq!(parse(&text).expect("parses its own text"), settings);
        assert_eq!(IntegrationSettings::default().mistakes(), []);
    }

    #[test]
    fn s1_17_a_default_responsible_is_mandatory() {
        let missing = parse("[calls]").expect_err("refused by its type");
        assert!(
            missing.message().contains("default_responsible"),
            "{missing}"
        );
        let empty = mistakes_of("[calls]\ndefault_responsible = \" \"");
        assert_eq!(
            empty,
            [
                "calls.default_responsible: name a user of the CRM by its id: somebody must answer \
              for new records (S1-17)"
            ]
        );
    }

    #[test]
    fn s1_11_contact_and_deal_wants_pipeline_and_stage() {
        for action in ["contact_and_deal", "deal_always"] {
            for (key, kept) in [("pipeline", "stage"), ("stage", "pipeline")] {
                let missing = format!(
                    "[calls]\ndefault_responsible = \"501\"\n[calls.incoming]\nanswered_known = \
                     {{ action = {{ kind = \"{action}\", {kept} = \"31\" }} }}"
                );
                let refusal = parse(&missing).expect_err("refused by its type");
                assert!(refusal.message().contains(key), "{refusal}");
                let empty = missing.replace("kind =", &format!("{key} = \"\", kind ="));
                let found = mistakes_of(&empty);
                let path = format!("calls.incoming.answered_known.action.{key}: ");
                assert!(
                    found.len() == 1 && found[0].starts_with(&path),
                    "{action} without {key}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn s1_12_unsorted_wants_a_pipeline_and_refuses_a_stage() {
        let unsorted = |rest: &str| {
            format!(
                "[calls]\ndefault_responsible = \"501\"\n[calls.outgoing]\nmissed_unknown = \
                 {{ action = {{ kind = \"unsorted\"{rest} }} }}"
            )
        };
        assert!(parse(&unsorted("")).is_err());
        assert!(parse(&unsorted(", pipeline = \"31\", stage = \"7\"")).is_err());
        let found = mistakes_of(&unsorted(", pipeline = \"\""));
        assert_eq!(
            found,
            [
                "calls.outgoing.missed_unknown.action.pipeline: name the pipeline by its id in the \
              CRM"
            ]
        );
    }

    #[test]
    fn s1_13_contact_takes_no_further_setting() {
        let text = "[calls]\ndefault_responsible = \"501\"\n[calls.incoming]\nanswered_unknown = \
                    { action = { kind = \"contact\", pipeline = \"31\" } }";
        assert!(parse(text).is_err());
    }

    #[test]
    fn s1_09_a_known_client_is_never_made_a_contact_only() {
        let text = "[calls]\ndefault_responsible = \"501\"\n[calls.incoming]\nanswered_known = \
                    { action = { kind = \"contact\" } }";
        assert!(parse(text).is_err());
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_path() {
        let found = mistakes_of(
            r#"
            [calls]
            default_responsible = "5 01"
            partner_numbers = ["+74950000001", "+74950000001"]
            [calls.incoming]
            filtered_numbers = ["+74950000002", "+74950000001"]
            [calls.outgoing]
            answered_unknown = { action = { kind = "contact_and_deal", pipeline = " 31", stage = "" } }
            "#,
        );
        let paths: Vec<&str> = found
            .iter()
            .filter_map(|mistake| mistake.split_once(": "))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            paths,
            [
                "calls.default_responsible",
                "calls.partner_numbers.1",
                "calls.incoming.filtered_numbers.1",
                "calls.outgoing.answered_unknown.action.pipeline",
                "calls.outgoing.answered_unknown.action.stage",
            ]
        );
    }

    #[test]
    fn a_list_of_numbers_has_a_bound() {
        let many = (0..=NUMBERS_MAX).map(|n| format!("\"+7495{n:07}\""));
        let text = format!(
            "[calls]\ndefault_responsible = \"501\"\npartner_numbers = [{}]",
            many.collect::<Vec<_>>().join(",")
        );
        assert_eq!(
            mistakes_of(&text),
            ["calls.partner_numbers: 10001 numbers are too many: at most 10000"]
        );
    }

    #[test]
    fn a_wrong_key_is_refused() {
        for text in [
            "call = {}",
            "[calls]\ndefault_responsible = \"501\"\nincomming = {}",
            "[calls]\ndefault_responsible = \"501\"\n[calls.incoming]\nfilter = []",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_names_every_setting() {
        let schema = schemars::schema_for!(IntegrationSettings);
        let text = serde_json::to_string(&schema).expect("serialises");
        for key in [
            "default_responsible",
            "partner_numbers",
            "call_history",
            "filtered_numbers",
            "answered_unknown",
            "missed_known",
            "deal_always",
            "crm_chooses",
        ] {
            assert!(text.contains(&format!("\"{key}\"")), "{key} in {text}");
        }
    }
}
