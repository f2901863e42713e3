//! What `packaging/` gives to Prometheus and Grafana asks for nothing that the daemon does not tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::home::ADMIN_TOKEN;
use super::office::Office;
use super::wait::{until, when};

const RULES: &str = include_str!("../../../packaging/prometheus/trunkline.rules.yml");
const TRIALS: &str = include_str!("../../../packaging/prometheus/trunkline.rules.test.yml");
const DASHBOARD: &str = include_str!("../../../packaging/grafana/trunkline.json");

/// Returns the metrics that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_of_a_name(c));
    words
        .filter(|word| word.starts_with("trunkline_"))
        .collect()
}

/// Returns the values that a label is compared with.
fn compared<'a>(text: &'a str, label: &str) -> BTreeSet<&'a str> {
    let begin = format!("{label}=\"");
    let rests = text.split(&begin).skip(1);
    rests
        .filter_map(|rest| rest.split_once('"'))
        .map(|(value, _)| value)
        .collect()
}

/// Returns every expression of the dashboard.
fn expressions(dashboard: &Value) -> String {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let all = targets
        .flatten()
        .filter_map(|target| target["expr"].as_str());
    all.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_of_the_rules_and_the_dashboard_is_told_by_the_daemon() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let asked = expressions(&dashboard);
    let wanted: BTreeSet<&str> = named(RULES).union(&named(&asked)).copied().collect();
    assert!(wanted.len() > 15, "{wanted:?}");
    let kinds = compared(RULES, "kind");
    assert_eq!(kinds, BTreeSet::from(["source", "integration"]));

    let office = Office::open().await;
    let daemon = office.start_warm("+79161110001").await;
    let url = format!("http://{}/metrics", office.home.admin());
    until("every metric that is asked for is told", async || {
        let answer = daemon.http.get(&url).bearer_auth(ADMIN_TOKEN).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let told = answer.text().await.map_err(|error| error.to_string())?;
        let names = named(&told);
        let missing: Vec<_> = wanted
            .iter()
            .filter(|name| !names.contains(*name))
            .collect();
        let kinds_told = compared(&told, "kind");
        let strange: Vec<_> = kinds.difference(&kinds_told).collect();
        let lacks = format!("metrics {missing:?}, kinds {strange:?}");
        when(missing.is_empty() && strange.is_empty(), lacks)
    })
    .await;
}

#[test]
fn every_alert_is_tried_ill_and_well() {
    let alerts = RULES.split("alert: ").skip(1);
    let alerts: Vec<&str> = alerts.filter_map(|rest| rest.lines().next()).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        let quiet = format!("alertname: {alert}, exp_alerts: []");
        let loud = format!("{{alertname=\"{alert}\", alertstate=\"firing\"");
        for wanted in [quiet, loud] {
            assert!(TRIALS.contains(&wanted), "{alert}: {wanted}");
        }
    }
}

#[test]
fn panels_of_the_dashboard_have_numbers_and_places_of_their_own() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let mut numbers = BTreeSet::new();
    let mut places = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(numbers.insert(panel["id"].as_u64()), "{panel}");
        let place = &panel["gridPos"];
        assert!(
            places.insert((place["y"].as_u64(), place["x"].as_u64())),
            "{panel}"
        );
        assert!(
            place["x"]
                .as_u64()
                .zip(place["w"].as_u64())
                .is_some_and(|(x, w)| x + w <= 24)
        );
    }
}

/// Returns promtool, from the path or where `packaging/prerequisites.sh test` put it.
fn promtool() -> Option<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("var/tools/promtool");
    let found = [PathBuf::from("promtool"), fetched];
    found
        .into_iter()
        .find(|program| Command::new(program).arg("--version").output().is_ok())
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that tries nothing says so")]
fn the_rules_rouse_somebody_when_they_should() {
    let Some(promtool) = promtool() else {
        eprintln!("passed over: promtool is not there; packaging/prerequisites.sh test fetches it");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/prometheus");
    let asked: [&[&str]; 3] = [
        &["check", "rules", "trunkline.rules.yml"],
        &["test", "rules", "trunkline.rules.test.yml"],
        &["check", "config", "--syntax-only", "scrape.yml"],
    ];
    for arguments in asked {
        let ran = Command::new(&promtool)
            .args(arguments)
            .current_dir(&folder)
            .output();
        let ran = ran.expect("it runs");
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    }
}
