//! What can be wrong with settings although their types allow it, as far as it shows without
//! asking the CRM: whether users, pipelines and stages exist is checked against the account.

use std::collections::BTreeSet;

use crate::model::mistake::Mistake;
use crate::model::phone::Phone;

use super::settings::{
    Assign, CallSettings, DirectionSettings, FieldRule, IntegrationSettings, Interval, KnownAction,
    Moment, ResponsibleRule, TagSettings, TaskDue, TaskSettings, Telephony, Template,
    UnknownAction,
};
use super::variables;

/// The most numbers that one list takes: each call walks the list, and ten thousand comparisons
/// take less than a tenth of a millisecond.
const NUMBERS_MAX: usize = 10_000;

/// The most rules of responsibles: more than that nobody keeps in order.
const RULES_MAX: usize = 200;

/// The most additional fields: no card of a CRM shows more.
const FIELDS_MAX: usize = 100;

/// The most tags, and the longest.
const TAGS_MAX: usize = 40;
const TAG_CHARS_MAX: usize = 100;

impl IntegrationSettings {
    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if let Some(calls) = &self.calls {
            check_calls(calls, &mut found);
        }
        if let Some(manager) = &self.personal_manager {
            let under = |mistake: Mistake| mistake.under("personal_manager");
            found.extend(manager.mistakes().into_iter().map(under));
        }
        found
    }

    /// Returns the employees that the settings name, with the path of each: whether the tenant has
    /// them shows in the tenant's file only.
    pub fn employees_named(&self) -> Vec<(String, &str)> {
        let rules = self.calls.iter().flat_map(|calls| &calls.responsible);
        let mut named = Vec::new();
        for (position, rule) in rules.enumerate() {
            let path = format!("calls.responsible.{position}");
            if let Assign::Employee { employee } = &rule.assign {
                named.push((format!("{path}.assign.employee"), employee.as_str()));
            }
            if let Some(when) = &rule.when {
                when.employees_named(&format!("{path}.when"), &mut named);
            }
        }
        named
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
    check_rules("calls.responsible", &calls.responsible, found);
    check_tags("calls.tags", &calls.tags, found);
    check_fields("calls.fields", &calls.fields, found);
    if calls.telephony == Telephony::Another && calls.fields.is_empty() {
        found.push(Mistake::at(
            "calls.telephony",
            "with another telephony only fields are filled: name them in calls.fields (V-03)",
        ));
    }
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
            let awkward = match case.action {
                UnknownAction::Unsorted { .. } => Some("an unsorted record"),
                UnknownAction::ContactAndDeal { .. } | UnknownAction::Contact {} => None,
            };
            check_moment(&format!("{path}.{key}.at"), key, case.at, awkward, found);
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
            if let KnownAction::ContactAndDeal {
                wait: Some(wait), ..
            } = case.action
            {
                check_interval(&format!("{path}.{key}.action.wait"), wait, found);
            }
            let awkward = match case.action {
                KnownAction::Unsorted { .. } => Some("an unsorted record"),
                KnownAction::DealAlways { .. } => Some("a deal at every call"),
                KnownAction::ContactAndDeal { .. } => None,
            };
            check_moment(&format!("{path}.{key}.at"), key, case.at, awkward, found);
        }
    }
    for (key, template) in [
        ("contact_name", &direction.contact_name),
        ("deal_name", &direction.deal_name),
    ] {
        if let Some(template) = template {
            check_template(&format!("{path}.{key}"), template, found);
        }
    }
    for (key, task) in [
        ("task", &direction.task),
        ("missed_task", &direction.missed_task),
    ] {
        if let Some(task) = task {
            check_task(&format!("{path}.{key}"), task, found);
        }
    }
}

/// At the answer nothing can be made of a missed call, nor what has to wait for the end (S1-14,
/// S1-27).
fn check_moment(
    path: &str,
    case: &str,
    at: Moment,
    awkward: Option<&str>,
    found: &mut Vec<Mistake>,
) {
    if at == Moment::End {
        return;
    }
    if case.starts_with("missed") {
        let message = "a missed call has no answer: take this key out (S1-27)";
        found.push(Mistake::at(path, message));
    } else if let Some(what) = awkward {
        let message = format!("{what} is made when the call has ended: take this key out (S1-27)");
        found.push(Mistake::at(path, message));
    }
}

fn check_rules(path: &str, rules: &[ResponsibleRule], found: &mut Vec<Mistake>) {
    if rules.len() > RULES_MAX {
        let message = format!("{} rules are too many: at most {RULES_MAX}", rules.len());
        found.push(Mistake::at(path, message));
    }
    let mut names = BTreeSet::new();
    for (position, rule) in rules.iter().enumerate() {
        let path = format!("{path}.{position}");
        if rule.name.trim().is_empty() {
            let message = "name the rule: explanations show it";
            found.push(Mistake::at(&format!("{path}.name"), message));
        } else if !names.insert(rule.name.as_str()) {
            let message = format!("another rule is named {:?} already", rule.name);
            found.push(Mistake::at(&format!("{path}.name"), message));
        }
        if let Some(when) = &rule.when {
            when.mistakes(&format!("{path}.when"), found);
        }
        match &rule.assign {
            Assign::User { user } if user.0.trim().is_empty() => found.push(Mistake::at(
                &format!("{path}.assign.user"),
                "name a user of the CRM by its id",
            )),
            Assign::User { user } => check_id(&format!("{path}.assign.user"), &user.0, found),
            Assign::Employee { .. }
            | Assign::Talker {}
            | Assign::Caller {}
            | Assign::ContactOwner {} => {}
        }
    }
}

fn check_tags(path: &str, tags: &TagSettings, found: &mut Vec<Mistake>) {
    let path = format!("{path}.list");
    if tags.list.len() > TAGS_MAX {
        let message = format!("{} tags are too many: at most {TAGS_MAX}", tags.list.len());
        found.push(Mistake::at(&path, message));
    }
    let mut seen = BTreeSet::new();
    for (position, tag) in tags.list.iter().enumerate() {
        let path = format!("{path}.{position}");
        if tag.trim().is_empty() || tag.chars().any(char::is_control) {
            found.push(Mistake::at(&path, "write the tag as one line of text"));
        } else if tag.chars().count() > TAG_CHARS_MAX {
            let message = format!("the tag is too long: at most {TAG_CHARS_MAX} characters");
            found.push(Mistake::at(&path, message));
        } else if !seen.insert(tag.trim()) {
            let message = format!("{tag:?} stands here twice: take one out");
            found.push(Mistake::at(&path, message));
        }
    }
}

fn check_fields(path: &str, fields: &[FieldRule], found: &mut Vec<Mistake>) {
    if fields.len() > FIELDS_MAX {
        let message = format!("{} fields are too many: at most {FIELDS_MAX}", fields.len());
        found.push(Mistake::at(path, message));
    }
    let mut seen = BTreeSet::new();
    for (position, rule) in fields.iter().enumerate() {
        let path = format!("{path}.{position}");
        if rule.field.trim().is_empty() {
            let message = "name the field by its id in the CRM";
            found.push(Mistake::at(&format!("{path}.field"), message));
        } else if !seen.insert((rule.card, rule.field.as_str())) {
            let message = format!("the field {:?} stands above already", rule.field);
            found.push(Mistake::at(&format!("{path}.field"), message));
        } else {
            check_id(&format!("{path}.field"), &rule.field, found);
        }
        check_template(&format!("{path}.value"), &rule.value, found);
    }
}

fn check_task(path: &str, task: &TaskSettings, found: &mut Vec<Mistake>) {
    if let Some(text) = &task.text {
        check_template(&format!("{path}.text"), text, found);
    }
    if let Some(task_type) = &task.task_type {
        let path = format!("{path}.task_type");
        if task_type.trim().is_empty() {
            let message = "name the type by its id in the CRM, or leave the key out";
            found.push(Mistake::at(&path, message));
        } else {
            check_id(&path, task_type, found);
        }
    }
    match task.due {
        TaskDue::After(interval) => check_interval(&format!("{path}.due"), interval, found),
    }
}

fn check_interval(path: &str, interval: Interval, found: &mut Vec<Mistake>) {
    found.extend(interval.mistake().map(|mistake| Mistake::at(path, mistake)));
}

fn check_template(path: &str, template: &Template, found: &mut Vec<Mistake>) {
    let samples = variables::samples(&variables::OF_CALLS);
    let mistakes = template.mistakes(&samples).into_iter();
    found.extend(mistakes.map(|mistake| Mistake::at(path, mistake)));
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
        KnownAction::ContactAndDeal {
            pipeline, stage, ..
        }
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

    const DIRECTION: &str = "[calls]\ndefault_responsible = \"501\"\n[calls.incoming]\n";

    #[test]
    fn s1_27_only_an_answered_case_without_unsorted_and_deal_always_is_made_at_the_answer() {
        let case = |key: &str, action: &str| {
            format!(
                "{DIRECTION}{key} = {{ at = \"answer\", action = {{ kind = \"{action}\", pipeline = \
                 \"31\"{} }} }}",
                if action == "unsorted" {
                    ""
                } else {
                    ", stage = \"7\""
                }
            )
        };
        for sound in ["answered_unknown", "answered_known"] {
            assert_eq!(
                mistakes_of(&case(sound, "contact_and_deal")),
                Vec::<String>::new()
            );
        }
        assert_eq!(
            mistakes_of(&case("missed_known", "contact_and_deal")),
            [
                "calls.incoming.missed_known.at: a missed call has no answer: take this key out (S1-27)"
            ]
        );
        assert_eq!(
            mistakes_of(&case("answered_known", "deal_always")),
            [
                "calls.incoming.answered_known.at: a deal at every call is made when the call has \
              ended: take this key out (S1-27)"
            ]
        );
        assert_eq!(
            mistakes_of(&case("answered_unknown", "unsorted")),
            [
                "calls.incoming.answered_unknown.at: an unsorted record is made when the call has \
              ended: take this key out (S1-27)"
            ]
        );
    }

    #[test]
    fn every_mistake_of_rules_tags_tasks_and_templates_is_named_at_once_with_its_path() {
        let found = mistakes_of(
            r#"
            [calls]
            default_responsible = "501"
            [calls.tags]
            list = ["звонок", " ", "звонок"]
            [[calls.fields]]
            card = "deal"
            field = " "
            value = "{{ nothing }}"
            [[calls.fields]]
            card = "deal"
            field = "41"
            value = "{{ event }}"
            [[calls.fields]]
            card = "deal"
            field = "41"
            value = "{{ date }}"
            [[calls.responsible]]
            name = " "
            assign = { kind = "user", user = "" }
            [[calls.responsible]]
            name = "a"
            when = { kind = "include", parameter = "result", values = ["won"] }
            assign = { kind = "talker" }
            [[calls.responsible]]
            name = "a"
            assign = { kind = "user", user = "5 1" }
            [calls.incoming]
            deal_name = "{{ client_fone }}"
            contact_name = "{% for a in b %}"
            answered_known = { action = { kind = "contact_and_deal", pipeline = "31", stage = "7", wait = {} } }
            task = { task_type = " ", due = { kind = "after" }, text = "{{ event" }
            [calls.outgoing]
            missed_task = { task_type = "1 2", due = { kind = "after", days = 9999 } }
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
                "calls.responsible.0.name",
                "calls.responsible.0.assign.user",
                "calls.responsible.1.when.values.0",
                "calls.responsible.2.name",
                "calls.responsible.2.assign.user",
                "calls.tags.list.1",
                "calls.tags.list.2",
                "calls.fields.0.field",
                "calls.fields.0.value",
                "calls.fields.2.field",
                "calls.incoming.answered_known.action.wait",
                "calls.incoming.contact_name",
                "calls.incoming.deal_name",
                "calls.incoming.task.text",
                "calls.incoming.task.task_type",
                "calls.incoming.task.due",
                "calls.outgoing.missed_task.task_type",
                "calls.outgoing.missed_task.due",
            ]
        );
    }

    #[test]
    fn v_03_beside_another_telephony_there_must_be_fields_to_fill() {
        let text = "[calls]\ndefault_responsible = \"501\"\ntelephony = \"another\"";
        assert_eq!(
            mistakes_of(text),
            [
                "calls.telephony: with another telephony only fields are filled: name them in \
              calls.fields (V-03)"
            ]
        );
    }

    #[test]
    fn a_task_wants_a_due_time_and_takes_no_other_key() {
        for text in [
            "task = {}",
            "task = { due = { minutes = 5 } }",
            "task = { due = { kind = \"after\", weeks = 1 } }",
            "task = { due = { kind = \"after\", minutes = 5 }, whom = \"501\" }",
        ] {
            assert!(parse(&format!("{DIRECTION}{text}")).is_err(), "{text}");
        }
        let sound = parse(&format!(
            "{DIRECTION}task = {{ due = {{ kind = \"after\", minutes = 5 }} }}"
        ));
        assert_eq!(sound.expect("parses").mistakes(), []);
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
            "talker",
            "telephony",
            "fields",
            "update_always",
            "responsible",
            "contact_owner",
            "include",
            "our_number",
            "tags",
            "contact_name",
            "deal_name",
            "task",
            "missed_task",
            "task_type",
            "due",
            "after",
            "minutes",
            "wait",
            "at",
        ] {
            assert!(text.contains(&format!("\"{key}\"")), "{key} in {text}");
        }
    }
}
