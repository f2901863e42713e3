//! The chain by the rows of the feature table.

use super::*;
use crate::model::answering::Unlisted;
use crate::model::question::{Answer, AnswerClient, AnswerManager, Knowledge, Route};
use crate::model::work_hours::WorkHours;

const DID: &str = "84950000001";

/// One row: what it shows, the office, the caller, the expected line.
type Case = (&'static str, Office, &'static str, &'static str);

async fn check(cases: Vec<Case>) {
    for (what, office, caller, expected) in cases {
        let desk = office.desk();
        let found = ask(&desk, caller, Some(DID)).await;
        assert_eq!(told(&found), expected, "{what}: {:?}", found.reasons);
        assert!(!found.reasons.is_empty(), "{what}");
    }
}

fn of_anna() -> Office {
    Office::new().knows(vec![contact("1", "502", 5)])
}

fn listed(office: Office, number: InboundNumber) -> Office {
    office.with(|office| office.numbers.push(number))
}

fn manager_number() -> InboundNumber {
    number(DID, Scenario::PersonalManager)
}

#[tokio::test]
async fn s1_25_the_number_decides_first_then_the_manager_then_the_default() {
    let owned = |mut number: InboundNumber| {
        number.owner = Some(id("anna"));
        number
    };
    let of_boris = || Office::new().knows(vec![contact("1", "503", 5)]);
    check(vec![
        (
            "S1-25 a scenario that names an employee wins over the client's manager",
            listed(of_boris(), number(DID, Scenario::Employee(id("anna")))),
            CLIENT,
            "did_employee 101 manager=boris client=1",
        ),
        (
            "S1-25 and over the owner of the number",
            listed(
                of_boris(),
                owned(number(DID, Scenario::Employee(id("boris")))),
            ),
            CLIENT,
            "did_employee 102 manager=boris client=1",
        ),
        (
            "S1-25 a number of one employee rings that employee",
            listed(of_boris(), owned(manager_number())),
            CLIENT,
            "did_owner 101 manager=boris client=1",
        ),
        (
            "S1-25 also where its scenario is something else, and the caller is withheld",
            listed(of_boris(), owned(number(DID, Scenario::Other))),
            "anonymous",
            "did_owner 101",
        ),
        (
            "S1-25 the employee of the scenario is rung at any hour",
            listed(of_boris(), number(DID, Scenario::Employee(id("anna"))))
                .person("anna", |anna| anna.away = true),
            CLIENT,
            "did_employee 101 manager=boris client=1",
        ),
        (
            "S1-25 an employee of the scenario without an extension here leaves it to the rest",
            listed(of_boris(), number(DID, Scenario::Employee(id("vera")))),
            CLIENT,
            "default 700 manager=boris client=1",
        ),
        (
            "S1-25 the personal manager is looked for where that is the scenario",
            listed(of_anna(), manager_number()),
            CLIENT,
            "personal_manager 101 manager=anna client=1",
        ),
        (
            "S1-25 with another scenario nobody is looked for, and the scenario goes on",
            listed(of_anna(), number(DID, Scenario::Other)),
            CLIENT,
            "none manager=anna client=1",
        ),
        (
            "S1-25 or the number's own destination is taken",
            listed(of_anna(), number(DID, Scenario::Other))
                .with(|office| office.numbers[0].exits.default = extension("800")),
            CLIENT,
            "default 800 manager=anna client=1",
        ),
        (
            "a number that is not listed: the question itself is the scenario",
            of_anna(),
            CLIENT,
            "personal_manager 101 manager=anna client=1",
        ),
        (
            "unless the source says otherwise",
            of_anna().with(|office| office.answering.unlisted = Unlisted::Other),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "an unknown client goes to the default",
            Office::new(),
            CLIENT,
            "default 700",
        ),
        (
            "and without a default the phone system goes on",
            Office::new().with(|office| office.answering.exits = Exits::default()),
            CLIENT,
            "none",
        ),
    ])
    .await;
}

#[tokio::test]
async fn s1_24_the_manager_counts_only_if_mapped_wanted_and_there() {
    let hours =
        |text: &str| -> Option<WorkHours> { Some(serde_json::from_str(text).expect("hours")) };
    let mornings = r#"[{"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"12:00"}]"#;
    let days = r#"[{"days":["fri"],"from":"09:00","to":"18:00"}]"#;
    check(vec![
        (
            "S1-23 with the toggle off nothing is redirected",
            of_anna().with(|office| {
                office.integrations[0].settings = Some(settings(r#"{"on":false}"#));
            }),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "S1-23 nor without settings",
            of_anna().with(|office| office.integrations[0].settings = None),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "S1-04 nor by an integration that only observes",
            of_anna().with(|office| office.integrations[0].acts = false),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "S1-24 a user without an employee goes to the default",
            Office::new().knows(vec![contact("1", "999", 5)]),
            CLIENT,
            "default 700 client=1",
        ),
        (
            "S1-06 so does a manager without an extension at the asking source",
            Office::new().knows(vec![contact("1", "504", 5)]),
            CLIENT,
            "default 700 manager=vera client=1",
        ),
        (
            "V-02 an employee who is not used for the search",
            of_anna().person("anna", |anna| {
                anna.personal_manager = false;
                anna.stand_in = Some(id("boris"));
            }),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "a manager who is switched off is stood in for",
            of_anna().person("anna", |anna| {
                anna.away = true;
                anna.stand_in = Some(id("boris"));
            }),
            CLIENT,
            "stand_in 102 manager=anna client=1",
        ),
        (
            "so is one who is not at work at this hour",
            of_anna().person("anna", |anna| {
                anna.hours = hours(mornings);
                anna.stand_in = Some(id("boris"));
            }),
            CLIENT,
            "stand_in 102 manager=anna client=1",
        ),
        (
            "at work the manager is rung",
            of_anna().person("anna", |anna| {
                anna.hours = hours(days);
                anna.stand_in = Some(id("boris"));
            }),
            CLIENT,
            "personal_manager 101 manager=anna client=1",
        ),
        (
            "a manager who cannot be rung here is stood in for, too",
            Office::new()
                .knows(vec![contact("1", "504", 5)])
                .person("vera", |vera| vera.stand_in = Some(id("anna"))),
            CLIENT,
            "stand_in 101 manager=vera client=1",
        ),
        (
            "nobody stands in: the default",
            of_anna().person("anna", |anna| anna.away = true),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "who stands in is absent: the default",
            of_anna()
                .person("anna", |anna| {
                    anna.away = true;
                    anna.stand_in = Some(id("boris"));
                })
                .person("boris", |boris| boris.hours = hours(mornings)),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
        (
            "who stands in has no extension here: the default",
            of_anna().person("anna", |anna| {
                anna.away = true;
                anna.stand_in = Some(id("vera"));
            }),
            CLIENT,
            "default 700 manager=anna client=1",
        ),
    ])
    .await;
}

#[tokio::test]
async fn v_15_the_responsible_comes_from_the_chosen_record() {
    let with_settings = |text: &str, clients: Vec<KnownClient>| {
        let settings = settings(text);
        let office = Office::new().knows(clients);
        office.with(|office| office.integrations[0].settings = Some(settings))
    };
    check(vec![
        (
            "S1-23 of a contact with a deal, the contact's",
            Office::new().knows(vec![with_deal(contact("1", "502", 5), "503")]),
            CLIENT,
            "personal_manager 101 manager=anna client=1",
        ),
        (
            "S1-23 a company alone names no manager",
            Office::new().knows(vec![company("1", "502", 5)]),
            CLIENT,
            "default 700 client=1",
        ),
        (
            "V-15 of the company, where that is chosen",
            with_settings(
                r#"{"responsible_of":["company"]}"#,
                vec![contact("1", "502", 5), company("2", "503", 4)],
            ),
            CLIENT,
            "personal_manager 102 manager=boris client=2 policy=most_recently_updated",
        ),
        (
            "V-15 of the open deal, where that is chosen",
            with_settings(
                r#"{"responsible_of":["deal","contact"]}"#,
                vec![with_deal(contact("1", "502", 5), "503")],
            ),
            CLIENT,
            "personal_manager 102 manager=boris client=1",
        ),
        (
            "V-15 and of the next record where the first names nobody",
            with_settings(
                r#"{"responsible_of":["deal","contact"]}"#,
                vec![contact("1", "502", 5)],
            ),
            CLIENT,
            "personal_manager 101 manager=anna client=1",
        ),
        (
            "V-15 nobody is named anywhere: the way out",
            Office::new().knows(vec![contact("1", "", 5)]),
            CLIENT,
            "default 700 client=1",
        ),
    ])
    .await;
}

#[tokio::test]
async fn callers_without_a_public_number_have_defined_answers() {
    check(vec![
        ("a withheld number", of_anna(), "", "default 700"),
        ("an anonymous caller", of_anna(), "Anonymous", "default 700"),
        ("a service number", of_anna(), "112", "default 700"),
        ("an extension of ours", of_anna(), "102", "default 700"),
        (
            "S1-28 an employee's own phone",
            of_anna(),
            "+79160000001",
            "default 700",
        ),
        (
            "without a default",
            of_anna().with(|office| office.answering.exits = Exits::default()),
            "anonymous",
            "none",
        ),
    ])
    .await;
    let desk = of_anna().desk();
    let own = ask(&desk, "8 916 000-00-01", None).await.answer;
    assert_eq!(own.phone, Some(phone("+79160000001")));
    let short = ask(&desk, "102", None).await.answer;
    assert_eq!(short.phone, None);
}

#[tokio::test]
async fn the_first_integration_that_redirects_and_knows_the_client_answers() {
    let second = |acts: bool, clients: Vec<KnownClient>| {
        let mut book = Written::default();
        book.clients.insert(phone(CLIENT), clients);
        Integration {
            id: "service",
            acts,
            settings: Some(settings("{}")),
            book,
            live: None,
        }
    };
    let boris = || vec![contact("8", "503", 1)];
    let ask_both = async |office: Office| {
        let desk = office.desk();
        let found = ask(&desk, CLIENT, None).await;
        (
            told(&found),
            found.answer.integration.map(|id| id.to_string()),
        )
    };
    let office = of_anna().with(|office| office.integrations.push(second(true, boris())));
    let (told, by) = ask_both(office).await;
    assert_eq!(told, "personal_manager 101 manager=anna client=1");
    assert_eq!(by.as_deref(), Some("sales"));
    let office = Office::new().with(|office| office.integrations.push(second(true, boris())));
    let (told, by) = ask_both(office).await;
    assert_eq!(told, "personal_manager 102 manager=boris client=8");
    assert_eq!(by.as_deref(), Some("service"));
    // One that only observes stands behind all that act, and lends its name only.
    let office = of_anna().with(|office| office.integrations.insert(0, second(false, boris())));
    let (told, by) = ask_both(office).await;
    assert_eq!(told, "personal_manager 101 manager=anna client=1");
    assert_eq!(by.as_deref(), Some("sales"));
    let office = Office::new().with(|office| office.integrations.push(second(false, boris())));
    let (told, by) = ask_both(office).await;
    assert_eq!(told, "default 700 manager=boris client=8");
    assert_eq!(by.as_deref(), Some("service"));
}

#[tokio::test]
async fn the_answer_is_the_one_of_the_contract() {
    let desk = of_anna().desk();
    let answer = ask(&desk, "8 (916) 111-22-33", Some(DID)).await.answer;
    let expected = Answer {
        phone: Some(phone(CLIENT)),
        client: Some(AnswerClient {
            id: "1".to_owned(),
            name: "Client 1".to_owned(),
            url: Some("https://crm.example/1".to_owned()),
        }),
        manager: Some(Arc::new(AnswerManager {
            employee: id("anna"),
            name: "ANNA".to_owned(),
            extension: extension("101"),
        })),
        extension: extension("101"),
        route: Route::PersonalManager,
        integration: Some(id("sales")),
        knowledge: Knowledge::Directory,
        age_s: Some(30),
    };
    assert_eq!(answer, expected);
    let text = serde_json::to_string(&answer).expect("JSON");
    assert_eq!(
        text,
        r#"{"phone":"+79161112233","client":{"id":"1","name":"Client 1","url":"https://crm.example/1"},"manager":{"employee":"anna","name":"ANNA","extension":"101"},"extension":"101","route":"personal_manager","integration":"sales","knowledge":"directory","age_s":30}"#
    );
    let unknown = ask(&desk, "+79169999999", None).await.answer;
    let text = serde_json::to_string(&unknown).expect("JSON");
    assert_eq!(
        text,
        r#"{"phone":"+79169999999","client":null,"manager":null,"extension":"700","route":"default","integration":null,"knowledge":"none","age_s":null}"#
    );
}

#[tokio::test]
async fn every_reason_has_words_in_both_languages() {
    use crate::model::explanation::Language;
    let desk = of_anna().person("anna", |anna| anna.away = true).desk();
    let found = ask(&desk, CLIENT, None).await;
    let words = |language| -> Vec<String> {
        found
            .reasons
            .iter()
            .map(|reason| reason.words(language))
            .collect()
    };
    assert_eq!(
        words(Language::En),
        [
            "sales knows the client: contact 1",
            "responsible of the contact: user 502",
            "the dialled number is not listed: the personal manager is looked for",
            "employee anna is switched off",
            "nobody stands in for anna",
            "destination no_manager: 700",
        ]
    );
    assert_eq!(words(Language::Ru).len(), 6);
    assert!(words(Language::Ru)[3].contains("отключён"));
}
