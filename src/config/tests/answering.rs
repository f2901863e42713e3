//! Numbers, hours, stand-ins and who may ask.

use super::{Folder, TENANT};
use crate::config::difference;
use crate::model::answering::{Exit, Scenario, Unlisted};

/// A second employee, numbers and an order of integrations.
const MORE: &str = r#"
[[employees]]
id = "petrova"
name = "Петрова"
extensions = [{ source = "office", extension = "102" }]
personal_manager = false
away = true
stand_in = "ivanov"
hours = [{ days = ["mon", "fri"], from = "09:00", to = "18:00" }]

[[numbers]]
number = "8 495 000-00-01"

[[numbers]]
number = "100"
source = "office"
scenario = "employee"
employee = "ivanov"
owner = "petrova"
exits = { default = "700", no_manager = "701", redirect_failed = "702" }

[questions]
integrations = ["main"]
"#;

const OF_SOURCE: &str = r#"name = "Офис"
questions = { allow = ["10.0.0.0/24"], unlisted = "other", live_within_ms = 300, exits = { default = "600" } }
"#;

fn folder(more: &str) -> Folder {
    let folder = Folder::new();
    folder.write("tenants.d/demo.toml", &format!("{TENANT}{more}"));
    folder
}

#[test]
fn v_02_s1_25_numbers_hours_and_stand_ins_are_taken_over() {
    let folder = folder(MORE);
    folder.edit("name = \"Офис\"\n", OF_SOURCE);
    let configuration = folder.loaded();
    let tenant = &configuration.tenants[0];
    let answering = &tenant.answering;
    assert_eq!(answering.integrations.len(), 1);
    // Ivanov is as usual, and needs no entry.
    assert_eq!(answering.people.len(), 1);
    let petrova = answering.people.values().next().expect("one");
    assert!(petrova.away && !petrova.personal_manager);
    assert_eq!(
        petrova.stand_in.as_ref().map(|id| id.as_str()),
        Some("ivanov")
    );
    assert_eq!(petrova.hours.as_ref().map(|hours| hours.0.len()), Some(1));
    let [first, second] = &answering.numbers[..] else {
        panic!("two numbers are configured");
    };
    assert_eq!(
        (&first.scenario, &first.source),
        (&Scenario::PersonalManager, &None)
    );
    assert!(matches!(&second.scenario, Scenario::Employee(id) if id.as_str() == "ivanov"));
    let exits = [Exit::Default, Exit::NoManager, Exit::RedirectFailed];
    let exits = exits.map(|exit| second.exits.of(exit).map(|one| one.0.as_str()));
    assert_eq!(exits, [Some("700"), Some("701"), Some("702")]);
    let office = &tenant.sources[0].answering;
    assert_eq!(office.unlisted, Unlisted::Other);
    assert_eq!(
        office.live_within.map(|within| within.as_millis()),
        Some(300)
    );
    assert!(office.allow[0].contains("10.0.0.9".parse().expect("an address")));
    let site = &tenant.sources[1].answering;
    assert!(site.allow[0].contains("127.0.0.1".parse().expect("an address")));
    assert_eq!(site.exits.of(Exit::NoManager), None);
}

#[test]
fn every_mistake_in_them_is_named() {
    let more = MORE
        .replace("8 495 000-00-01", "our line")
        .replace("stand_in = \"ivanov\"", "stand_in = \"ivanova\"")
        .replace("from = \"09:00\"", "from = \"9\"")
        .replace("days = [\"mon\", \"fri\"]", "days = []")
        .replace("employee = \"ivanov\"\n", "")
        .replace("owner = \"petrova\"", "owner = \"ivanov\"")
        .replace(
            "integrations = [\"main\"]",
            "integrations = [\"main\", \"main\", \"maim\"]",
        )
        + "[[numbers]]\nnumber = \"100\"\nsource = \"office\"\nscenario = \"other\"\n\
           employee = \"petrova\"\n[[numbers]]\nnumber = \"200\"\nsource = \"site\"\n\
           owner = \"petrova\"\n";
    let folder = folder(&more);
    folder.edit(
        "name = \"Офис\"\n",
        "questions = { allow = [\"10.0.0.0/33\", \"pbx\"], live_within_ms = 9, \
         exits = { default = \"7 00\" } }\n",
    );
    insta::assert_snapshot!(folder.mistakes());
}

#[test]
fn a_dialplan_on_another_machine_may_not_ask_either_before_somebody_says_so() {
    let folder = Folder::new();
    folder.write("trunkline.toml", "[fastagi]\nlisten = \"0.0.0.0:4573\"\n");
    let text = folder.mistakes();
    assert!(text.contains("fastagi.listen is 0.0.0.0:4573"), "{text}");
    // A free port is a free port, however often it is asked for.
    folder.write(
        "trunkline.toml",
        "[fastagi]\nlisten = \"127.0.0.1:0\"\n[questions]\nlisten = \"127.0.0.1:0\"\n",
    );
    folder.loaded();
}

#[test]
fn questions_from_other_machines_are_refused_where_nobody_says_who_may_ask() {
    let folder = Folder::new();
    folder.write(
        "trunkline.toml",
        "[questions]\nlisten = \"10.0.0.5:8462\"\n",
    );
    let text = folder.mistakes();
    assert_eq!(text.lines().count(), 2, "{text}");
    for place in ["sources[0].questions.allow", "sources[1].questions.allow"] {
        assert!(text.contains(place), "{text}");
    }
    folder.edit("name = \"Офис\"\n", OF_SOURCE);
    folder.edit(
        "kind = \"form\"\n",
        "kind = \"form\"\nquestions = { allow = [] }\n",
    );
    assert_eq!(folder.loaded().daemon.questions.hosts.len(), 0);
    folder.write("trunkline.toml", "[fastagi]\nlisten = \"10.0.0.5:4573\"\n");
    let listen = "10.0.0.5:4573".parse().ok();
    assert_eq!(Some(folder.loaded().daemon.fastagi.listen), listen);
    folder.write("trunkline.toml", "[questions]\nlisten = \"0.0.0.0:8462\"\n");
    assert!(folder.mistakes().contains("questions.hosts"));
    folder.write(
        "trunkline.toml",
        "[questions]\nlisten = \"0.0.0.0:8462\"\nhosts = [\"pbx.local\", \"10.0.0.5:8462\", \"\"]\n",
    );
    let text = folder.mistakes();
    assert_eq!(text.lines().count(), 2, "{text}");
    folder.write(
        "trunkline.toml",
        "[questions]\nlisten = \"127.0.0.1:8461\"\n",
    );
    assert!(
        folder
            .mistakes()
            .contains("intake.listen has this address too")
    );
}

#[test]
fn a_changed_number_touches_no_session_and_no_integration() {
    let folder = folder(MORE);
    let old = folder.loaded();
    folder.edit("away = true", "away = false");
    folder.edit("exits = { default = \"700\"", "exits = { default = \"710\"");
    folder.edit("name = \"Офис\"\n", OF_SOURCE);
    let changes = difference(&old, &folder.loaded());
    assert_eq!(changes.answering.len(), 1);
    assert!(changes.sources.is_empty() && changes.integrations.is_empty());
    assert!(changes.accounts.is_empty() && !changes.is_empty());
}
