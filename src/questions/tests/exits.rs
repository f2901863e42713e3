//! The ways out (V-15): nobody to ring as a personal manager, and nobody picked up.

use super::*;
use crate::model::answering::Unlisted;
use crate::model::question::Question;
use crate::pbx::Answerer;
use crate::questions::reason::Reason;

const DID: &str = "+74950000001";

/// An office whose source has all three ways out.
fn office() -> Office {
    Office::new().with(|office| {
        office.answering.exits.no_manager = extension("701");
        office.answering.exits.redirect_failed = extension("702");
    })
}

fn of_anna() -> Office {
    office().knows(vec![contact("1", "502", 5)])
}

fn listed(office: Office, scenario: Scenario) -> Office {
    office.with(|office| office.numbers.push(number(DID, scenario)))
}

#[tokio::test]
async fn v_15_no_manager_is_the_way_out_wherever_one_was_looked_for_in_vain() {
    for (what, office, caller) in [
        ("an unknown client", office(), CLIENT),
        ("a withheld number", of_anna(), "anonymous"),
        ("a service number", of_anna(), "112"),
        (
            "nobody is responsible",
            office().knows(vec![contact("1", "", 5)]),
            CLIENT,
        ),
        (
            "S1-24 the responsible is nobody of ours",
            office().knows(vec![contact("1", "999", 5)]),
            CLIENT,
        ),
        (
            "V-02 the manager does not count",
            of_anna().person("anna", |anna| anna.personal_manager = false),
            CLIENT,
        ),
        (
            "the manager is away",
            of_anna().person("anna", |anna| anna.away = true),
            CLIENT,
        ),
        (
            "the manager cannot be rung here",
            office().knows(vec![contact("1", "504", 5)]),
            CLIENT,
        ),
        (
            "S1-23 the toggle is off",
            of_anna().with(|office| {
                office.integrations[0].settings = Some(settings(r#"{"on":false}"#));
            }),
            CLIENT,
        ),
    ] {
        let desk = listed(office, Scenario::PersonalManager).desk();
        let found = ask(&desk, caller, Some(DID)).await;
        assert_eq!(found.answer.extension, extension("701"), "{what}");
    }
}

#[tokio::test]
async fn v_15_where_no_manager_was_looked_for_the_ordinary_way_out_is_taken() {
    for (what, office, caller) in [
        (
            "the number's scenario is an employee who cannot be rung here",
            listed(of_anna(), Scenario::Employee(id("vera"))),
            CLIENT,
        ),
        (
            "numbers that are not listed are not looked at",
            of_anna().with(|office| office.answering.unlisted = Unlisted::Other),
            CLIENT,
        ),
        (
            "an employee calls",
            listed(of_anna(), Scenario::PersonalManager),
            "102",
        ),
        (
            "S1-28 from a phone of the employee's own",
            listed(of_anna(), Scenario::PersonalManager),
            "+79160000001",
        ),
    ] {
        let desk = office.desk();
        let found = ask(&desk, caller, Some(DID)).await;
        assert_eq!(found.answer.extension, extension("700"), "{what}");
    }
}

#[tokio::test]
async fn v_15_a_redirect_that_failed_goes_its_own_way_out() {
    let exits = |no_manager, redirect_failed, default| Exits {
        default,
        no_manager,
        redirect_failed,
    };
    for (what, of_source, of_number, expected) in [
        (
            "the source's",
            exits(extension("701"), extension("702"), extension("700")),
            Exits::default(),
            "default 702 manager=anna client=1",
        ),
        (
            "the number's own stands over it",
            exits(extension("701"), extension("702"), extension("700")),
            exits(None, extension("802"), None),
            "default 802 manager=anna client=1",
        ),
        (
            "without one the ordinary",
            exits(extension("701"), None, extension("700")),
            Exits::default(),
            "default 700 manager=anna client=1",
        ),
        (
            "without any the phone system goes on",
            exits(extension("701"), None, None),
            Exits::default(),
            "none manager=anna client=1",
        ),
    ] {
        let desk = listed(of_anna(), Scenario::PersonalManager)
            .with(|office| {
                office.answering.exits = of_source;
                office.numbers[0].exits = of_number;
            })
            .desk();
        let again = Ask {
            caller: CLIENT,
            did: Some(DID),
            redirect_failed: true,
            ..Ask::default()
        };
        let found = desk.answer(&source(&desk), again).await;
        assert_eq!(told(&found), expected, "{what}");
        assert_eq!(
            found.reasons,
            [],
            "{what}: nobody asked why, and a phone rings"
        );
        // The door of a phone system leads to the same.
        let question = Question {
            source: id("acme/office"),
            caller: CLIENT.to_owned(),
            did: Some(DID.to_owned()),
            within: None,
        };
        let asker = "127.0.0.1".parse().expect("an address");
        let answer = desk.answer_after_failure(question, asker).await;
        assert_eq!(answer.expect(what), found.answer, "{what}");
        let first = ask(&desk, CLIENT, Some(DID)).await;
        assert_eq!(
            told(&first),
            "personal_manager 101 manager=anna client=1",
            "{what}"
        );
    }
}

#[tokio::test]
async fn v_15_after_a_failed_redirect_nobody_is_rung_again_by_the_number_either() {
    for scenario in [Scenario::Employee(id("anna")), Scenario::PersonalManager] {
        let desk = listed(of_anna(), scenario)
            .with(|office| office.numbers[0].owner = Some(id("boris")))
            .desk();
        let again = Ask {
            caller: CLIENT,
            did: Some(DID),
            redirect_failed: true,
            explain: true,
            ..Ask::default()
        };
        let found = desk.answer(&source(&desk), again).await;
        assert_eq!(told(&found), "default 702 manager=anna client=1");
        let rows: Vec<_> = found.reasons.iter().filter_map(Reason::row).collect();
        assert_eq!(rows.last(), Some(&"V-15"), "{:?}", found.reasons);
    }
}
