//! Settings: every mistake at once.

use serde_json::{Value, json};

use crate::model::communication::Kind;
use crate::model::secret::{Secret, Secrets};
use crate::pbx::{Source, registry};
use std::sync::Arc;

fn build(settings: &Value, secrets: &[&str]) -> Result<Arc<dyn Source>, Vec<String>> {
    let mut given = Secrets::default();
    for name in secrets {
        given.insert(name, Secret::new("a-secret-of-the-test".to_owned()));
    }
    let identity = crate::pbx::SourceIdentity {
        key: "acme/cloud".parse().expect("a key"),
        numbers: Default::default(),
    };
    let kind = registry::find("uis").expect("it is known");
    (kind.build)(identity, settings, &given)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

#[test]
fn a_key_brings_chats_and_requests_and_without_one_notifications_do_what_they_can() {
    let with = build(&json!({}), &["token"]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(with.kinds(), [Kind::Call, Kind::Chat, Kind::Request]);
    assert!(with.exchange().is_some() && with.roster().is_some());
    let without = build(&Value::Null, &[]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(without.kinds(), [Kind::Call, Kind::Request]);
    assert!(without.roster().is_none() && without.caller().is_none());
    assert_eq!(without.to_paste().len(), 11);
}

#[test]
fn vats_2_is_polled_and_never_told() {
    let settings =
        json!({ "brand": "megafon", "click_to_call": { "virtual_number": "79231230000" } });
    let source = build(&settings, &["token"]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(source.kinds(), [Kind::Call]);
    assert!(source.exchange().is_none() && source.to_paste().is_empty());
    assert!(source.caller().is_some());
    let mistakes = build(&json!({ "brand": "megafon" }), &[])
        .err()
        .expect("mistakes");
    assert!(mistakes[0].contains("secrets.token"), "{mistakes:?}");
    let asked = json!({ "brand": "megafon", "interactive": {} });
    let mistakes = build(&asked, &["token"]).err().expect("mistakes");
    assert!(
        mistakes[0].contains("Персональный менеджер"),
        "{mistakes:?}"
    );
}

#[test]
fn every_mistake_is_named_at_once() {
    let settings = json!({
        "brand": "uiss", "time_zone": "Europe/Moskow", "data_api": "http://dataapi.uiscom.ru/v2.0",
        "call_api": "callapi", "poll_min_s": 0, "overlap_min": 9999, "day_share": 0, "polls": 5,
        "click_to_call": { "virtual_number": "101", "first_call": "boss" },
        "interactive": { "reach_by": "magic", "usual_code": 5000 },
    });
    let mut mistakes = build(&settings, &["token"]).err().expect("mistakes");
    mistakes.sort_unstable();
    let begins = [
        "brand",
        "call_api",
        "click_to_call.first_call",
        "click_to_call.virtual_number",
        "data_api",
        "day_share",
        "interactive.reach_by",
        "interactive.usual_code",
        "overlap_min",
        "poll_min_s",
        "polls",
        "time_zone",
    ];
    assert_eq!(mistakes.len(), begins.len(), "{mistakes:#?}");
    for (mistake, begin) in mistakes.iter().zip(begins) {
        assert!(
            mistake.starts_with(begin),
            "{mistake} should begin with {begin}"
        );
    }
}

#[test]
fn a_login_wants_its_password_and_no_key_beside_it() {
    let login = json!({ "login": "api@example.org" });
    assert!(build(&login, &["password"]).is_ok());
    for (settings, secrets, place) in [
        (&login, &[][..], "secrets.password"),
        (&login, &["token", "password"][..], "login"),
        (&json!({}), &["password"][..], "login"),
    ] {
        let mistakes = build(settings, secrets).err().expect("mistakes");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains(place), "{mistakes:?}");
    }
}
