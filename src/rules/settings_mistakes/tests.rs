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
        ["calls.incoming.missed_known.at: a missed call has no answer: take this key out (S1-27)"]
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
        "click_to_call",
        "always_show",
        "employees",
        "no_personal_managers",
    ] {
        assert!(text.contains(&format!("\"{key}\"")), "{key} in {text}");
    }
}

#[test]
fn v_07_a_filter_of_outgoing_calls_asks_nothing_that_they_do_not_have() {
    let filter = |side: &str, parameter: &str| {
        mistakes_of(&format!(
            "[calls]\ndefault_responsible = \"501\"\n[calls.{side}]\nfilter = {{ kind = \"all\", of = [\
             {{ kind = \"include\", parameter = \"{parameter}\", values = [\"a\"] }}] }}"
        ))
    };
    for parameter in ["our_number", "employee", "tag"] {
        assert_eq!(filter("outgoing", parameter), Vec::<String>::new());
    }
    for parameter in [
        "queue",
        "scenario",
        "last_operation",
        "group",
        "campaign",
        "site",
        "source",
    ] {
        assert_eq!(filter("incoming", parameter), Vec::<String>::new());
        let message = format!(
            "calls.outgoing.filter.of.0.parameter: a call to a client has no {parameter}: take the \
             condition out (V-07)"
        );
        assert_eq!(filter("outgoing", parameter), [message]);
    }
}

#[test]
fn mistakes_of_filters_are_named_with_all_the_others() {
    let found = mistakes_of(
        "[calls]\ndefault_responsible = \" \"\n[calls.incoming]\nfilter = { kind = \"include\", \
         parameter = \"result\", values = [\"lost\", \"missed\"] }\n[calls.outgoing]\nfilter = { kind = \
         \"exclude\", parameter = \"employee\", values = [] }",
    );
    assert_eq!(
        found[1..],
        [
            "calls.incoming.filter.values.0: \"lost\" is neither \"answered\" nor \"missed\"",
            "calls.outgoing.filter.values: name at least one value",
        ]
    );
}
