//! Tasks of Planfix that come back as deals, by the real program: webhooks get lost, come twice and
//! in the wrong order, the daemon is killed; whatever is sent to it, the answer is a quick 200, for
//! anything else stops every webhook of the account.

use std::sync::Arc;

use serde_json::json;
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::lab::planfix::{PlanfixLab, PlanfixOptions, Scenarios, TaskEdit, start};
use trunkline::lab::uis::{self, UisLab, UisOptions};

use super::daemon::{Daemon, list};
use super::deal_table::{
    DEALS, Table, equal, export, place, read_once, repair, repair_and_check, stages, table,
};
use super::home::Home;
use super::wait::{until, when};

const TENANT: &str = include_str!("etc/shop.toml");
const HOOK: &str = "a-secret-of-the-shop-0123456789abc";
const OBJECT: u64 = 101;
const IN_WORK: u64 = 2;
const WON: u64 = 6;
const LOST: u64 = 120;
const SUM: u64 = 1042;
const SOURCE: u64 = 1051;

/// The simulated accounts, and the daemon's folder.
struct Shop {
    crm: PlanfixLab,
    cloud: UisLab,
    home: Arc<Home>,
}

impl Shop {
    async fn open(more: &str) -> Self {
        let options = PlanfixOptions {
            per_second: None,
            ..PlanfixOptions::default()
        };
        let (rest, telephony) = (options.rest_token.clone(), options.telephony_token.clone());
        let crm = start(options).await.expect("a free port");
        let cloud = uis::start(UisOptions::default())
            .await
            .expect("a free port");
        let home = Home::new(1, &crm.base_url(), &rest);
        let planfix = "https://acme.planfix.ru";
        home.edit("etc/trunkline.toml", "https://demo.amocrm.ru", planfix);
        let public = format!("public_url = \"http://{}\"\n[store]", home.intake());
        home.edit("etc/trunkline.toml", "[store]", &public);
        home.write("secrets/planfix-rest", &rest);
        home.write("secrets/planfix-telephony", &telephony);
        home.write("secrets/crm-hook", HOOK);
        home.write("secrets/uis-key", cloud.key());
        home.write("secrets/uis-hook", "cloud-hook-of-the-process-tests");
        let tenant = TENANT
            .replace("@DATA_API@", &cloud.data_api())
            .replace("@CALL_API@", &cloud.call_api());
        home.write("etc/tenants.d/acme.toml", &format!("{tenant}{more}"));
        Self {
            crm,
            cloud,
            home: Arc::new(home),
        }
    }

    fn hook(&self) -> String {
        format!(
            "http://{}/crm/planfix/acme/sales/{HOOK}",
            self.home.intake()
        )
    }

    /// Sets the scenarios up as the manual says, and starts the daemon.
    async fn start(&self) -> Daemon {
        let scenarios = Scenarios::by_the_manual(&self.hook(), OBJECT);
        self.crm.set_scenarios(Some(scenarios));
        let daemon = Daemon::start(&self.home).await;
        read_once(&daemon).await;
        daemon
    }

    /// Puts a task with a client of its own into the account.
    fn add_deal(&self, n: u64, name: &str) -> u64 {
        let phone = format!("+7916{n:07}");
        let contact = self.crm.add_contact(&format!("Клиент {n}"), &phone, 5);
        let edit = TaskEdit {
            name: Some(name.to_owned()),
            assignee: Some(6),
            counterparty: Some(contact),
            field: Some((SUM, json!(n * 100))),
            ..TaskEdit::default()
        };
        self.crm.add_task(OBJECT, &edit)
    }

    fn move_deal(&self, id: u64, status: u64) {
        let edit = TaskEdit {
            status: Some(status),
            ..TaskEdit::default()
        };
        assert!(self.crm.edit_task(id, &edit), "there is a task {id}");
    }

    /// What the CRM holds.
    fn truth(&self) -> Table {
        let oracle = self.crm.oracle();
        let phone = |id: Option<u64>| {
            let contact = oracle.contacts.iter().find(|one| Some(one.id) == id);
            let phone = contact.and_then(|one| one.phones.first());
            phone.cloned().unwrap_or_default()
        };
        let named = |status| match status {
            1 => ("open", "Новая"),
            IN_WORK => ("open", "В работе"),
            WON => ("won", "Сделка успешна"),
            LOST => ("lost", "Отказ"),
            other => panic!("status {other}"),
        };
        let tasks = oracle.tasks.iter();
        let deals = tasks.filter(|task| task.template == Some(OBJECT));
        let row = |task: &trunkline::lab::planfix::TaskView| {
            let (state, stage) = named(task.status);
            let sum = task.custom.get(&SUM).map(ToString::to_string);
            let row = (
                task.name.clone(),
                state.to_owned(),
                OBJECT.to_string(),
                stage.to_owned(),
                sum.unwrap_or_default(),
                task.assignees
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                phone(task.counterparty),
            );
            (task.id.to_string(), row)
        };
        deals.map(row).collect()
    }

    async fn equal(&self, daemon: &Daemon) {
        equal(&self.home, daemon, || self.truth()).await;
    }

    /// Waits until the scenarios have sent everything.
    async fn sent(&self) {
        until("every webhook is sent", async || {
            let counters = self.crm.counters();
            when(counters.hooks_waiting == 0, format!("{counters:?}"))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_35_s2_36_with_a_fifth_of_all_webhooks_lost_the_table_is_planfixs_after_one_reading() {
    let shop = Shop::open("").await;
    let old: Vec<u64> = (0..20).map(|n| shop.add_deal(n, "Старая")).collect();
    // A task of another object is none of the deals.
    shop.crm.add_task(102, &TaskEdit::default());
    let daemon = shop.start().await;
    shop.equal(&daemon).await;

    shop.crm.spoil_hooks(200, 5);
    let new: Vec<u64> = (20..60).map(|n| shop.add_deal(n, "Новая")).collect();
    for (n, id) in old.iter().chain(&new).enumerate() {
        shop.move_deal(*id, IN_WORK);
        shop.move_deal(*id, if n % 3 == 0 { LOST } else { WON });
        let edit = TaskEdit {
            name: Some(format!("Пианино {n}")),
            assignee: Some(7),
            field: Some((SUM, json!(7_000 + n))),
            ..TaskEdit::default()
        };
        assert!(shop.crm.edit_task(*id, &edit));
    }
    // No scenario tells of this, and lists do not show it.
    for id in old.iter().take(5).chain(new.iter().take(5)) {
        assert!(shop.crm.delete_task(*id));
    }
    let counters = shop.crm.counters();
    assert!(counters.hooks_lost > 20, "{counters:?}");
    repair_and_check(&shop.home, &daemon).await;
    assert_eq!(table(&shop.home, &daemon).await, shop.truth());
    shop.sent().await;
    // What came late, and twice, changes nothing.
    shop.equal(&daemon).await;
    let removed = export(&shop.home, &daemon, "format=ndjson&state=removed").await;
    assert!((5..=10).contains(&removed.lines().count()), "{removed}");
    let counters = shop.crm.counters();
    assert_eq!(counters.hooks_failed, 0, "{counters:?}");
    assert!(counters.oddities.is_empty(), "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_36_what_a_scenario_told_is_read_after_the_daemon_was_killed() {
    let shop = Shop::open("").await;
    let ids: Vec<u64> = (0..12).map(|n| shop.add_deal(n, "Пианино")).collect();
    let mut daemon = shop.start().await;
    shop.equal(&daemon).await;
    let read_at = place(&daemon).await["as_of"].clone();
    let mut told = shop.crm.counters().hooks_delivered;
    for status in [IN_WORK, WON] {
        // Nothing can be read before the end comes.
        let down = Fault::ErrorBefore { status: 503 };
        let rule = Rule::new("", "/rest/task*", When::Always, down);
        shop.crm.add_fault(rule).expect("there is room");
        for id in &ids {
            shop.move_deal(*id, status);
        }
        until("every hint is on disk", async || {
            let place = place(&daemon).await;
            when(place["hints"] == ids.len(), place)
        })
        .await;
        // One that was not answered would stop the others.
        told += 12;
        until("every webhook was answered", async || {
            let counters = shop.crm.counters();
            when(counters.hooks_delivered == told, format!("{counters:?}"))
        })
        .await;
        daemon.kill();
        shop.crm
            .set_faults(trunkline::lab::fault::FaultPlan::new(1));
        daemon = Daemon::start(&shop.home).await;
        shop.equal(&daemon).await;
    }
    for id in ids {
        let wanted = [IN_WORK.to_string(), WON.to_string()];
        assert_eq!(stages(&daemon, &id.to_string()).await, wanted, "deal {id}");
    }
    // It was the hints: nothing else was to be read on that day.
    assert_eq!(place(&daemon).await["as_of"], read_at);
    assert!(place(&daemon).await["webhooks"]["heard"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_36_webhooks_that_come_twice_and_in_the_wrong_order_leave_the_task_as_it_is() {
    let shop = Shop::open("").await;
    let daemon = shop.start().await;
    shop.crm.spoil_hooks(0, 2);
    shop.crm.hold_hooks(true, false);
    let ids: Vec<u64> = (0..10).map(|n| shop.add_deal(n, "Пианино")).collect();
    for status in [IN_WORK, WON, LOST, IN_WORK, WON] {
        for id in &ids {
            shop.move_deal(*id, status);
        }
    }
    shop.crm.hold_hooks(false, true);
    shop.sent().await;
    shop.equal(&daemon).await;
    assert_eq!(shop.crm.counters().hooks_failed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_36_whatever_a_scenario_sends_is_answered_by_a_quick_200() {
    let shop = Shop::open("").await;
    let id = shop.add_deal(1, "Пианино");
    let daemon = shop.start().await;
    shop.equal(&daemon).await;
    // The CRM being down is no reason to be slow.
    let down = Fault::LateAfter { ms: 8_000 };
    let rule = Rule::new("", "/rest/*", When::Always, down);
    shop.crm.add_fault(rule).expect("there is room");
    shop.move_deal(id, WON);
    shop.sent().await;
    let path = format!("/crm/planfix/acme/sales/{HOOK}");
    for body in [
        "",
        "{",
        "[]",
        "{\"task_id\":\"{{Задача.Номер}}\"}",
        "{\"task_id\":\"99999999\"}",
        "{\"task\":1}",
        "cmd=makeCall&from=101",
    ] {
        assert_eq!(
            daemon.post_to(&path, body.to_owned()).await.0,
            200,
            "{body}"
        );
    }
    // More than a body may hold.
    let huge = format!(
        "{{\"task_id\":\"{id}\",\"more\":\"{}\"}}",
        "x".repeat(200_000)
    );
    assert_eq!(daemon.post_to(&path, huge).await.0, 200);
    // A stranger learns nothing.
    let wrong = "/crm/planfix/acme/sales/not-the-secret-of-the-shop";
    assert_eq!(daemon.post_to(wrong, String::new()).await.0, 404);
    let counters = shop.crm.counters();
    assert_eq!(counters.hooks_failed, 0, "{counters:?}");
    let metrics = daemon
        .http
        .get(format!("http://{}/metrics", shop.home.admin()))
        .bearer_auth(super::home::ADMIN_TOKEN)
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    let unread = metrics
        .lines()
        .find(|line| line.starts_with("trunkline_crm_hooks_unread{"));
    assert!(
        unread.is_some_and(|line| line.ends_with(" 7")),
        "{unread:?}"
    );
    shop.crm
        .set_faults(trunkline::lab::fault::FaultPlan::new(1));
    // A form is as good: somebody picked the wrong type.
    let as_form = Scenarios {
        as_form: true,
        ..Scenarios::by_the_manual(&shop.hook(), OBJECT)
    };
    shop.crm.set_scenarios(Some(as_form));
    shop.move_deal(id, LOST);
    shop.equal(&daemon).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_37_s2_38_settings_and_scenarios_that_differ_from_the_manual_are_found() {
    let shop = Shop::open("").await;
    let daemon = shop.start().await;
    let good = shop.home.run(&["check-config", "--online"]).await;
    assert_eq!(good.status, Some(0), "{good:?}");
    for (from, to, words) in [
        (
            "pipelines = [\"101\"]",
            "pipelines = [\"999\"]",
            "no pipeline 999; it has 101 (Продажа), 102 (Сервис)",
        ),
        (
            "sum_field = \"Сумма\"",
            "sum_field = \"Источник\"",
            "1051 (Источник) is no field of numbers; there is 1042 (Сумма)",
        ),
        (
            "stage = \"6\" }",
            "stage = \"7\" }",
            "pipeline 101 (Продажа) has no stage 7",
        ),
        ("\"Источник\"", "\"Нет такого\"", "no such field"),
    ] {
        shop.home.edit_tenant(from, to);
        if from.starts_with("pipelines") {
            shop.home
                .edit_tenant("{ pipeline = \"101\", stage = \"6\" }", "{ stage = \"6\" }");
            shop.home.edit_tenant(
                "{ pipeline = \"101\", stage = \"120\" }",
                "{ stage = \"120\" }",
            );
        }
        let ran = shop.home.run(&["check-config", "--online"]).await;
        let told = format!("{}{}", ran.out, ran.err);
        assert!(
            ran.status != Some(0) && told.contains(words),
            "{words}: {told}"
        );
        if from.starts_with("pipelines") {
            shop.home
                .edit_tenant("{ stage = \"6\" }", "{ pipeline = \"101\", stage = \"6\" }");
            shop.home.edit_tenant(
                "{ stage = \"120\" }",
                "{ pipeline = \"101\", stage = \"120\" }",
            );
        }
        shop.home.edit_tenant(to, from);
    }
    // Without an object or a status of success nothing could be a deal, or be won.
    shop.home
        .edit_tenant("good = [{ pipeline = \"101\", stage = \"6\" }]\n", "");
    let ran = shop.home.run(&["check-config"]).await;
    let told = format!("{}{}", ran.out, ran.err);
    assert!(
        told.contains("deals.good") && told.contains("success"),
        "{told}"
    );
    shop.home.edit_tenant(
        "bad = [",
        "good = [{ pipeline = \"101\", stage = \"6\" }]\nbad = [",
    );

    // Scenarios with another parameter are never heard, and what they should have told is read.
    let other = Scenarios {
        parameter: "id".to_owned(),
        ..Scenarios::by_the_manual(&shop.hook(), OBJECT)
    };
    shop.crm.set_scenarios(Some(other));
    for n in 0..8 {
        shop.add_deal(n, "Пианино");
    }
    shop.sent().await;
    repair(&shop.home, &daemon).await;
    shop.equal(&daemon).await;
    until("the silence is told of", async || {
        let shown = shop.home.run(&["deals", "show"]).await;
        let told = shown.out.contains("so far no webhook told of a deal")
            && shown.out.contains("both scenarios")
            && shown.out.contains("/crm/planfix/acme/sales/SECRET");
        when(told, shown.out)
    })
    .await;
    let report = shop.home.run(&["doctor", "--json"]).await.json();
    let mut checks = list(&report, "checks").iter();
    let found = checks
        .find(|check| check["id"] == "deals")
        .expect("a check");
    assert_eq!(found["verdict"], "warn", "{found}");
    // Set up by the manual they are heard, and nothing is left to say.
    let right = Scenarios::by_the_manual(&shop.hook(), OBJECT);
    shop.crm.set_scenarios(Some(right));
    shop.add_deal(9, "Скрипка");
    shop.equal(&daemon).await;
    until("all is well", async || {
        let place = place(&daemon).await;
        when(place["webhooks"]["advice"].is_null(), place)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_35_s2_37_deals_are_exported_and_passed_on_and_the_switch_ends_it() {
    let shop = Shop::open("upload_to = \"cloud\"\n").await;
    let id = shop.add_deal(15, "=1+1");
    let daemon = shop.start().await;
    let edit = TaskEdit {
        status: Some(WON),
        field: Some((SOURCE, json!("Выставка"))),
        ..TaskEdit::default()
    };
    assert!(shop.crm.edit_task(id, &edit));
    shop.equal(&daemon).await;
    let csv = shop.home.run(&["deals", "export", "acme/sales"]).await;
    let line = csv.out.lines().nth(1).unwrap_or_default();
    assert!(
        line.starts_with(&format!(
            "{id};'=1+1;успех;Продажа;101;Сделка успешна;6;1500;"
        )),
        "{csv:?}"
    );
    assert!(line.contains("Выставка"), "{csv:?}");
    until("the deal is passed on", async || {
        let deals = shop.cloud.deals();
        let there = deals.get(&format!("acme/sales/{id}")).cloned();
        let stage = there.as_ref().map(|deal| deal["stage_ext_id"].clone());
        when(
            stage == Some(json!("acme/sales/101/won")),
            format!("{deals:?}"),
        )
    })
    .await;
    assert_eq!(
        shop.cloud.deals()[&format!("acme/sales/{id}")]["revenue"],
        json!(1_500)
    );
    // Switched off (S2-35), what was received stays and nothing more is.
    shop.home
        .edit_tenant("poll_minutes = 1440", "poll_minutes = 1440\non = false");
    daemon.reload().await;
    shop.add_deal(16, "Скрипка");
    shop.sent().await;
    let shown = daemon.get(&format!("{DEALS}?limit=10")).await;
    assert_eq!(list(&shown, "items").len(), 1, "{shown}");
    assert_eq!(place(&daemon).await["on"], false);
    assert_eq!(shop.crm.counters().hooks_failed, 0);
}
