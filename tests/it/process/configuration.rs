//! A configuration full of mistakes.

use super::home::Home;

const FULL_OF_MISTAKES: &str = r#"[tenant]
id = "acme"
name = "Акме"
time_zone = "Europe/Moskow"

[[employees]]
id = "anna"
name = "Анна"
extensions = [{ source = "ofice", extension = "101" }]
phones = ["hello"]

[[sources]]
id = "office"
kind = "asterix"

[[sources]]
id = "site"
kind = "webhook"

[[accounts]]
id = "main"
crm = "amocrm"
[accounts.settings]
url = "https://demo.example"
rate = 6
[accounts.secrets]
token = { file = "../../secrets/gone" }

[[integrations]]
id = "sales"
account = "mian"
activity = "onn"
takes = [{ source = "site", kinds = ["call"] }]
"#;

/// Line of the file, key path, some words of the message.
const MISTAKES: [(&str, &str, &str); 10] = [
    ("acme.toml:4:", "tenant.time_zone", "not a time zone"),
    ("acme.toml:9:", "employees[0].extensions[0].source", "ofice"),
    ("acme.toml:10:", "employees[0].phones[0]", "hello"),
    ("acme.toml:14:", "sources[0].kind", "asterisk"),
    ("acme.toml:16:", "sources[1].secrets.hook", ""),
    ("acme.toml:24:", "accounts[0].settings.url", "amocrm.ru"),
    (
        "acme.toml:25:",
        "accounts[0].settings.rate",
        "rate_per_second",
    ),
    ("acme.toml:27:", "accounts[0].secrets.token", "cannot read"),
    ("acme.toml:31:", "integrations[0].account", "mian"),
    ("acme.toml:32:", "integrations[0].activity", "observe"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_mistakes_are_all_named_with_their_places_and_nothing_is_started() {
    let home = Home::new(1, "http://127.0.0.1:1", "a token");
    home.write("etc/tenants.d/acme.toml", FULL_OF_MISTAKES);
    for (arguments, name) in [(&["check-config"][..], "check-config"), (&["run"], "run")] {
        let ran = home.run(arguments).await;
        assert_eq!(ran.status, Some(2), "{name}: {ran:?}");
        assert_eq!(ran.out, "");
        for (place, path, words) in MISTAKES {
            let named = |line: &&str| {
                line.contains(place) && line.contains(&format!(" {path}:")) && line.contains(words)
            };
            let found = ran.err.lines().filter(named).count();
            assert_eq!(found, 1, "{name}: {place} {path} {words}\n{}", ran.err);
        }
        assert!(ran.err.contains("10 mistake(s)"), "{name}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 11, "{name}: {}", ran.err);
    }
    assert!(!home.path("trunkline.redb").exists(), "no store was made");
    let ran = home.run(&["check-config", "--json"]).await;
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.json()["mistakes"].as_array().map(Vec::len), Some(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_configuration_is_told_and_a_missing_one_is_named() {
    let home = Home::new(1, "http://127.0.0.1:1", "a token");
    let ran = home.run(&["check-config"]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.out
            .contains("1 tenant(s), 2 source(s), 1 integration(s)"),
        "{ran:?}"
    );
    std::fs::remove_file(home.config()).expect("removed");
    for command in ["check-config", "run", "status"] {
        let ran = home.run(&[command]).await;
        assert_eq!(ran.status, Some(2), "{command}: {ran:?}");
        assert!(ran.err.contains("trunkline.toml"), "{command}: {ran:?}");
    }
}
