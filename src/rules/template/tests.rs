use proptest::prelude::*;

use super::*;

fn values(name: &str, talked: bool) -> Values {
    Values::from([
        ("client", Value::Text(name.to_owned())),
        ("talked", Value::Flag(talked)),
        ("seconds", Value::Number(54)),
    ])
}

fn samples() -> Vec<Values> {
    vec![values("Ольга", true), values("", false)]
}

fn template(text: &str) -> Template {
    Template(text.to_owned())
}

#[track_caller]
fn mistake(text: &str) -> String {
    let found = template(text).mistakes(&samples());
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found[0].clone()
}

#[test]
fn v_09_a_template_is_filled_in() {
    let filled = |text: &str| {
        let template = template(text);
        assert_eq!(
            template.mistakes(&samples()),
            Vec::<String>::new(),
            "{text}"
        );
        template.text(&values("Ольга", true), 100).expect("a text")
    };
    assert_eq!(filled("Звонок: {{ client }}"), "Звонок: Ольга");
    assert_eq!(
        filled("{{ client | upper }}, {{ seconds }} с"),
        "ОЛЬГА, 54 с"
    );
    assert_eq!(
        filled("{% if talked %}Разговор{% else %}Пропущен{% endif %} {{ client|default('?') }}"),
        "Разговор Ольга"
    );
    assert_eq!(filled("{{ client | last(2) | capitalize }} {# so #}"), "Га");
    assert_eq!(filled("{{ 'a }} b' }} {client}"), "a }} b {client}");
    assert_eq!(
        filled("{%- if not talked -%} a {%- else -%} {{- client -}} {%- endif -%}"),
        "Ольга"
    );
    assert_eq!(filled("{{ client }}\n\tи\u{7} ещё"), "Ольга и ещё");
}

#[test]
fn v_09_a_mistake_is_found_when_the_template_is_saved() {
    assert_eq!(
        mistake("{{ clinet }}"),
        "there is no variable \"clinet\" here: client, seconds, talked"
    );
    assert!(mistake("{{ client ").contains("cannot be read"));
    assert!(mistake("{% if talked %}a").contains("cannot be read"));
    assert_eq!(
        mistake("{% if talked %}{{ client | shout }}{% endif %}"),
        "there is no filter \"shout\": there are upper, lower, capitalize, trim, default, last"
    );
    let looping = template("{% for c in client %}{% endfor %}").mistakes(&samples());
    assert!(looping[0].contains("{% for %} is not taken"), "{looping:?}");
    assert!(mistake("{% set a = client %}{{ client }}").contains("{% set %} is not taken"));
    assert!(mistake("{{ client * 1000000 }}").contains("'*'"));
    assert!(mistake("{{ client.name }}").contains("'.'"));
    assert!(mistake("{% if client is defined %}a{% endif %}").contains("\"is\""));
    assert!(mistake("{{ range(7) }}").contains("there is no variable \"range\""));
    assert!(mistake("{{ client | last('two') }}").contains("cannot be read"));
    assert!(mistake(" ").contains("write a text"));
    assert!(mistake(&"a".repeat(TEMPLATE_CHARS_MAX + 1)).contains("too many"));
    let two = template("{{ a }}{{ b }}{{ client | no }}").mistakes(&samples());
    assert_eq!(two.len(), 3, "every mistake at once: {two:?}");
}

#[test]
fn v_09_a_text_has_a_bound_and_is_never_empty() {
    let long = template("{{ client }}").text(&values(&"я".repeat(5000), true), 20);
    let long = long.expect("a text");
    assert_eq!(long.chars().count(), 20);
    assert!(long.ends_with('…'));
    let empty = template("{{ client }}").text(&values(" \n ", true), 20);
    assert_eq!(empty, Err(TemplateMiss::Empty));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_template_is_checked_and_run_without_a_panic(
        text in "([a-z ]{0,3}(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|client|talked|if |endif|else|'|\"|\\||~|\\(|\\)|not |\\\\|[^a]){0,2}){0,12}",
        client in ".{0,12}",
    ) {
        let template = Template(text);
        let sound = template.mistakes(&samples()).is_empty();
        let filled = template.text(&values(&client, true), 50);
        if let Ok(filled) = &filled {
            prop_assert!(filled.chars().count() <= 50);
            prop_assert!(!filled.chars().any(char::is_control));
        }
        let _ = sound;
    }
}
