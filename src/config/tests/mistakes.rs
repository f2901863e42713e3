//! What is refused, in which words, and what is only warned of.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use super::{Folder, TENANT};
use crate::config::Environment;
use crate::model::activity::Activity;
use crate::model::communication::Kind;

#[test]
fn a_right_configuration_is_taken_over_whole() {
    let folder = Folder::new();
    let configuration = folder.loaded();
    assert_eq!(configuration.warnings, []);
    assert_eq!(configuration.daemon.store.retention_days, 365);
    let [tenant] = &configuration.tenants[..] else {
        panic!("one tenant is configured");
    };
    assert_eq!(tenant.time_zone.iana_name(), Some("Europe/Moscow"));
    let [employee] = &tenant.employees.0[..] else {
        panic!("one employee is configured");
    };
    assert_eq!(employee.phones[0].as_str(), "+79160000001");
    let [office, site] = &tenant.sources[..] else {
        panic!("two sources are configured");
    };
    assert_eq!((office.kind, office.name.as_str()), ("switchboard", "Офис"));
    assert_eq!(office.hook_secrets, []);
    assert_eq!(site.name, "site");
    assert_eq!(site.hook_secrets[0].expose(), "0123456789abcdef");
    let account = &tenant.accounts[0];
    assert_eq!(account.token().expect("it is named").expose(), "ey.token");
    let integration = &tenant.integrations[0];
    assert_eq!(integration.activity, Activity::On);
    let takes: Vec<String> = integration
        .takes
        .iter()
        .map(|(source, kind)| format!("{source} {kind}"))
        .collect();
    assert_eq!(takes, ["office call", "site call", "site request"]);
    assert_eq!(
        tenant.takers(&site.key.source, Kind::Request).count(),
        1,
        "the integration is found by what it takes"
    );
    assert_eq!(
        integration.settings_value["calls"]["incoming"]["missed_known"],
        serde_json::Value::Null
    );
}

#[test]
fn s1_04_an_integration_is_off_until_it_is_switched_on() {
    let folder = Folder::new();
    folder.edit("activity = \"on\"\n", "");
    let configuration = folder.loaded();
    assert_eq!(
        configuration.tenants[0].integrations[0].activity,
        Activity::Off
    );
}

#[test]
fn ten_mistakes_in_one_file_give_ten_lines() {
    let folder = Folder::new();
    folder.write(
        "tenants.d/demo.toml",
        r#"[tenant]
id = "demo"
name = "Демо"
time_zone = "Europe/Moskow"

[[employees]]
id = "ivanov"
name = "Иванов"
extensions = [{ source = "offise", extension = "101" }]
phones = ["hello"]

[[sources]]
id = "office"
kind = "swichboard"

[[sources]]
id = "site"
kind = "form"
[sources.secrets]
hook = "inline-secret"

[[accounts]]
id = "sales"
crm = "paper"
[accounts.settings]
portal = 5

[[integrations]]
id = "main"
acount = "sales"
activity = "onn"
takes = [{ source = "site", kinds = ["chat", "call"] }]
[integrations.settings.calls]
default_responsible = "11"
[integrations.settings.calls.incoming.answered_unknown]
action = { kind = "contact_and_deal", pipeline = 1, stage = "2" }
"#,
    );
    let text = folder.mistakes();
    assert_eq!(text.lines().count(), 10, "{text}");
    assert_snapshot!(text);
}

#[test]
fn mistakes_of_all_files_come_together_and_a_syntax_mistake_hides_only_its_own_file() {
    let folder = Folder::new();
    folder.write("tenants.d/a.toml", "[tenant\n");
    folder.write(
        "tenants.d/b.toml",
        "[tenant]\nid = \"demo\"\nname = \"b\"\n",
    );
    folder.write(
        "trunkline.toml",
        "public_url = \"http://box.example\"\n[admin]\nlisten = \"0.0.0.0:8460\"\n[store]\nretention_days = 0\nkeyfile = \"x\"\n[intake]\nlisten = \"8461\"\n",
    );
    assert_snapshot!(folder.mistakes());
}

#[test]
fn a_daemon_file_with_a_syntax_mistake_does_not_hide_the_tenants() {
    let folder = Folder::new();
    folder.write("trunkline.toml", "[admin\n");
    folder.edit("kind = \"form\"", "kind = \"from\"");
    assert_snapshot!(folder.mistakes());
}

#[test]
fn references_duplicates_and_owners_are_checked() {
    let folder = Folder::new();
    folder.write(
        "tenants.d/demo.toml",
        &format!(
            "{TENANT}{}",
            r#"
[[employees]]
id = "petrov"
name = "Петров"
extensions = [{ source = "office", extension = "101" }]
users = [{ account = "sale", user = "12" }, { account = "sales", user = "11" }]

[[employees]]
id = "petrov"
name = ""
email = "anna"

[[integrations]]
id = "second"
account = "nowhere"

[[integrations]]
id = "main"
account = "sales"
takes = [{ source = "office", kinds = ["call", "call"] }, { source = "site", kinds = [] }]
"#
        ),
    );
    assert_snapshot!(folder.mistakes());
}

#[test]
fn employees_whom_settings_name_must_be_in_the_file() {
    let second = r#"
[[integrations]]
id = "second"
account = "sales"
[integrations.settings.calls]
default_responsible = "11"
[[integrations.settings.calls.responsible]]
name = "ушли"
when = { kind = "include", parameter = "employee", values = ["ivanov", "smirnov"] }
assign = { kind = "employee", employee = "sidorov" }
"#;
    let folder = Folder::new();
    folder.write("tenants.d/demo.toml", &format!("{TENANT}{second}"));
    let text = folder.mistakes();
    for (path, employee) in [
        ("responsible[0].assign.employee", "sidorov"),
        ("responsible[0].when.values[1]", "smirnov"),
    ] {
        let told = format!("there is no employee {employee:?} in this file");
        let line = text.lines().find(|line| line.contains(&told));
        assert!(
            line.is_some_and(|line| line.contains(path)),
            "{path}: {text}"
        );
    }
    assert_eq!(text.lines().count(), 2, "{text}");
}

/// Another account of the same portal cannot be had: it is refused by itself.
#[test]
fn two_integrations_that_are_on_may_not_make_the_same_thing_twice() {
    let second = r#"
[[integrations]]
id = "second"
account = "sales"
activity = "on"
takes = [{ source = "site", kinds = ["request"] }, { source = "office", kinds = ["call"] }]
"#;
    let folder = Folder::new();
    folder.write("tenants.d/demo.toml", &format!("{TENANT}{second}"));
    assert_snapshot!(folder.mistakes());

    let observing = second.replace("\"on\"", "\"observe\"");
    folder.write("tenants.d/demo.toml", &format!("{TENANT}{observing}"));
    assert_eq!(folder.loaded().tenants[0].integrations.len(), 2);
}

#[test]
fn one_portal_is_one_account() {
    let folder = Folder::new();
    let twin = "\n[[accounts]]\nid = \"twin\"\ncrm = \"paper\"\nsettings = { portal = \"https://DEMO.paper.example\" }\n";
    folder.write("tenants.d/demo.toml", &format!("{TENANT}{twin}"));
    assert_snapshot!(folder.mistakes());
}

#[test]
fn mistakes_of_kinds_are_put_where_they_stand() {
    let folder = Folder::new();
    folder.edit("host = \"10.0.0.5\"\n", "");
    folder.edit(
        "lines = [{ name = \"trunk\" }]",
        "lines = [{ name = \"a\" },\n  { name = 5 }]",
    );
    folder.edit("kinds = [\"call\"] }", "kinds = [\"call\", \"chat\"] }");
    folder.edit(
        "default_responsible = \"11\"",
        "default_responsible = \" \"",
    );
    assert_snapshot!(folder.mistakes());
}

#[test]
fn secrets_that_cannot_be_had_are_named_and_never_shown() {
    let folder = Folder::new();
    folder.edit(
        "password = { file = \"password\" }",
        "password = \"hunter2hunter2\"\npin = { file = \"pin\" }",
    );
    folder.edit(
        "hook = { credential = \"hook\" }",
        "hook = { credential = \"../hook\" }\nhook_previous = { credential = \"short\" }",
    );
    folder.edit(
        "token = { credential = \"token\" }",
        "token = { credential = \"gone\", file = \"gone\" }",
    );
    folder.write("credentials/short", "hunter2 hunter2!");
    let text = folder.mistakes();
    assert!(!text.contains("hunter2"), "{text}");
    let text = text.replace(&folder.dir.path().display().to_string(), "");
    assert_snapshot!(text);
}

#[test]
fn a_file_that_is_no_secret_is_refused() {
    let folder = Folder::new();
    for (text, words) in [
        ("", "is empty"),
        ("\n", "is empty"),
        (&"x".repeat(70_000), "is longer than 65536 bytes"),
    ] {
        folder.write("tenants.d/password", text);
        assert!(folder.mistakes().contains(words), "{words}");
    }
    fs::write(folder.path("tenants.d/password"), [0xff, 0xfe]).expect("written");
    assert!(folder.mistakes().contains("is not a text in UTF-8"));
    folder.edit("\"password\" }", "\".\" }");
    assert!(folder.mistakes().contains("is not a file"));
    folder.edit("\".\" }", "\"missing\" }");
    let text = folder.mistakes();
    assert!(
        text.contains("sources[0].secrets.password: cannot read"),
        "{text}"
    );
    assert_eq!(
        text.lines().count(),
        1,
        "the kind's own complaint is no news: {text}"
    );
}

#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    let folder = Folder::new();
    let path = folder.path("tenants.d/password");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("changed");
    let configuration = folder.loaded();
    let [warning] = &configuration.warnings[..] else {
        panic!("one warning is expected");
    };
    assert_eq!(warning.path, "sources[0].secrets.password");
}

#[test]
fn a_source_over_http_needs_a_secret() {
    let folder = Folder::new();
    folder.edit("[sources.secrets]\nhook = { credential = \"hook\" }\n", "");
    let text = folder.mistakes();
    assert!(
        text.contains("demo.toml:25:1: sources[1].secrets.hook: "),
        "{text}"
    );
}

#[test]
fn the_store_needs_a_key_and_the_token_is_not_to_be_guessed() {
    let folder = Folder::new();
    folder.write(
        "trunkline.toml",
        "[store]\nkey_file = \"k\"\n[admin]\ntoken_file = \"t\"\n",
    );
    folder.write("k", &"k".repeat(31));
    folder.write("t", "short");
    assert_snapshot!(folder.mistakes());

    folder.write("k", &"k".repeat(32));
    folder.write("t", "a token of 16 b.");
    let daemon = folder.loaded().daemon;
    assert_eq!(daemon.store.key.expose(), "k".repeat(32));
    assert!(daemon.admin.token.is_some());
}

#[test]
fn without_credentials_the_key_is_asked_for() {
    let folder = Folder::new();
    folder.write(
        "tenants.d/demo.toml",
        "[tenant]\nid = \"a\"\nname = \"a\"\ntime_zone = \"UTC\"\n",
    );
    let path = folder.path("trunkline.toml");
    let Err(mistakes) = crate::config::load(&path, &Environment::default()) else {
        panic!("the store has no key");
    };
    let text = folder.lines(&mistakes);
    assert!(
        text.contains("store.key_credential: there is no credential \"store-key\""),
        "{text}"
    );
}

#[test]
fn a_stand_in_address_reaches_the_account_and_an_unused_one_is_warned_of() {
    let folder = Folder::new();
    folder.write(
        "trunkline.toml",
        "[base_urls]\n\"https://demo.paper.example/\" = \"http://127.0.0.1:8470\"\n\"https://other.example\" = \"http://127.0.0.1:8471\"\n",
    );
    let configuration = folder.loaded();
    let settings = &configuration.tenants[0].accounts[0].settings;
    assert_eq!(settings.base_url(), "http://127.0.0.1:8470");
    assert_eq!(settings.portal().as_str(), "paper:demo.paper.example");
    assert_eq!(
        folder.lines(&configuration.warnings),
        "trunkline.toml:3:1: base_urls.\"https://other.example\": no account has this address\n"
    );
}

/// Rehearsals raise the rate to save time; on the real portal that is a mistake.
#[test]
fn what_only_a_simulator_permits_is_permitted_with_its_address() {
    let folder = Folder::new();
    folder.edit("[accounts.settings]\n", "[accounts.settings]\nrate = 100\n");
    let text = folder.mistakes();
    assert!(
        text.contains("accounts[0].settings.rate: the vendor permits 7"),
        "{text}"
    );
    let main = "[base_urls]\n\"https://demo.paper.example\" = \"http://127.0.0.1:8470\"\n";
    folder.write("trunkline.toml", main);
    let configuration = folder.loaded();
    let settings = &configuration.tenants[0].accounts[0].settings;
    assert_eq!(settings.base_url(), "http://127.0.0.1:8470");
    assert_eq!(configuration.warnings, []);
}

#[test]
fn missing_files_and_folders_are_named() {
    let folder = Folder::new();
    fs::remove_dir_all(folder.path("tenants.d")).expect("removed");
    let text = folder.mistakes();
    assert!(
        text.starts_with("trunkline.toml:1:1: tenants_dir: cannot list"),
        "{text}"
    );
    fs::remove_file(folder.path("trunkline.toml")).expect("removed");
    let text = folder.mistakes();
    assert!(text.contains("trunkline.toml: cannot be read"), "{text}");
}

#[test]
fn files_too_long_are_not_read() {
    let folder = Folder::new();
    folder.write("tenants.d/long.toml", &"# x\n".repeat(300_000));
    let text = folder.mistakes();
    assert_eq!(text, "tenants.d/long.toml: is longer than 1048576 bytes\n");
}

#[test]
fn a_click_to_call_names_a_source_that_is_there_and_places_calls() {
    for (source, words) in [
        ("offise", "there is no source \"offise\" in this file"),
        ("site", "site places no calls"),
    ] {
        let folder = Folder::new();
        let clicks = format!("[integrations.settings.click_to_call]\nsource = \"{source}\"\n");
        let calls = "[integrations.settings.calls]\n";
        folder.edit(calls, &format!("{clicks}{calls}"));
        let text = folder.mistakes();
        assert!(text.contains("settings.click_to_call.source"), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn s2_04_a_sync_of_employees_that_is_off_is_warned_of() {
    let folder = Folder::new();
    let calls = "[integrations.settings.calls]\n";
    folder.edit(
        calls,
        &format!("[integrations.settings.employees]\non = false\n{calls}"),
    );
    let configuration = folder.loaded();
    let [warning] = &configuration.warnings[..] else {
        panic!("{:?}", configuration.warnings)
    };
    assert!(warning.to_string().contains("S2-04"), "{warning}");
}
