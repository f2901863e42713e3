//! What the settings of calls come to in the CRM.

use trunkline::lab::ami::ScriptedCall;

use super::office::{ANNA, Office};
use super::slow_call::SlowCall;
use super::wait::{until, when};

/// Boris's user: extension 102.
pub(super) const BORIS: u64 = 503;
/// The default responsible of the tenant's file.
const DEFAULT: u64 = 501;

/// What is added to the incoming calls of the tenant's file.
const INCOMING: &str = r#"
contact_name = "{{ client_phone }} ({{ source_name }})"
deal_name = "{{ event }}: {{ employee_name | default('?') }}, {{ our_number }}"
answered_known = { action = { kind = "contact_and_deal", pipeline = "3100", stage = "3102", wait = { days = 1 } } }
missed_known = { action = { kind = "deal_always", pipeline = "3200", stage = "3202" } }
task = { task_type = "2", due = { kind = "after", hours = 2 }, text = "Разобрать {{ client_phone }}" }
missed_task = { due = { kind = "after", minutes = 15 } }

[integrations.settings.calls.tags]
number = true
list = ["звонок"]

[[integrations.settings.calls.fields]]
card = "deal"
field = "41"
value = "{{ event }} {{ client_phone }}"

[[integrations.settings.calls.fields]]
card = "contact"
field = "35"
value = "{{ employee_name }}"
update_always = true

[[integrations.settings.calls.responsible]]
name = "недозвон"
when = { kind = "all", of = [
  { kind = "include", parameter = "direction", values = ["outgoing"] },
  { kind = "include", parameter = "result", values = ["missed"] },
] }
assign = { kind = "caller" }

[[integrations.settings.calls.responsible]]
name = "кто говорил"
when = { kind = "include", parameter = "result", values = ["answered"] }
assign = { kind = "talker" }

[integrations.settings.calls.outgoing]
answered_unknown = { action = { kind = "contact" } }
missed_unknown = { action = { kind = "unsorted", pipeline = "3100" } }
answered_known = { action = { kind = "deal_always", pipeline = "3100", stage = "3103" } }
missed_known = { action = { kind = "contact_and_deal", pipeline = "3200", stage = "3203" } }
task = { due = { kind = "after", days = 1 } }
missed_task = { due = { kind = "after", hours = 1 } }
"#;

/// The last line of the tenant's file: what follows belongs to the incoming calls.
const LAST: &str = r#"missed_unknown = { action = { kind = "contact" } }"#;

/// An office whose calls have every sort of setting.
pub(super) async fn office() -> Office {
    let office = Office::open().await;
    office
        .home
        .edit_tenant(LAST, &format!("{LAST}\n{INCOMING}"));
    office
}

/// Plays a recorded call of this client.
pub(super) fn play(office: &Office, capture: &str, client: &str) {
    let call = ScriptedCall::of(capture).client(client).speed(5.0);
    drop(office.ami.play(call).expect("it was recorded"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_16_s1_21_v_03_v_09_tasks_tags_names_and_responsibles_arrive_in_the_crm() {
    let office = office().await;
    let daemon = office.start().await;
    play(&office, "inbound_answered", "79161110001");
    play(&office, "inbound_missed", "79161110002");
    play(&office, "outbound_noanswer", "79161110003");
    daemon.settled(3).await;
    let oracle = office.oracle();

    let contact = oracle.contacts_of_phone("79161110001")[0];
    assert_eq!(contact.name, "+79161110001 (Офис)");
    assert_eq!(contact.responsible_user_id, ANNA);
    assert_eq!(contact.tags, ["+79161110001", "звонок"]);
    let deal = oracle.leads_of_phone("79161110001")[0];
    assert!(
        deal.name.starts_with("Входящий звонок: Анна, "),
        "{}",
        deal.name
    );
    assert_eq!(deal.responsible_user_id, ANNA);
    assert_eq!(deal.tags, ["+79161110001", "звонок"]);
    assert_eq!(
        deal.fields["Источник звонка"],
        ["Входящий звонок +79161110001"]
    );
    assert_eq!(contact.fields["Должность"], ["Анна"]);
    let [task] = oracle.tasks_of_phone("79161110001")[..] else {
        panic!("{:?}", oracle.tasks);
    };
    assert_eq!(task.text, "Разобрать +79161110001");
    assert_eq!((task.task_type_id, task.responsible_user_id), (2, ANNA));
    assert_eq!(task.entity_type.as_deref(), Some("leads"));
    assert_eq!(task.entity_id, Some(deal.id));
    let in_two_hours = task.complete_till - task.created_at;
    assert!((7_100..=7_260).contains(&in_two_hours), "{in_two_hours}");

    // Missed: a contact of the default responsible, whose is the task.
    let contact = oracle.contacts_of_phone("79161110002")[0];
    assert_eq!(contact.responsible_user_id, DEFAULT);
    let [task] = oracle.tasks_of_phone("79161110002")[..] else {
        panic!("{:?}", oracle.tasks);
    };
    assert!(
        task.text
            .starts_with("Перезвонить +79161110002: пропущенный"),
        "{}",
        task.text
    );
    assert_eq!((task.task_type_id, task.responsible_user_id), (1, DEFAULT));
    assert_eq!(task.entity_id, Some(contact.id));

    // Lost and outgoing: unsorted, and the task of who called, on no card.
    assert_eq!(oracle.unsorted_of_phone("79161110003").len(), 1);
    let inside = oracle.leads.iter().find(|deal| deal.in_unsorted);
    let inside = inside.expect("a record holds a deal");
    assert_eq!(inside.tags, ["+79161110003", "звонок"]);
    assert_eq!(inside.name, "Исходящий звонок +79161110003");
    let alone: Vec<_> = oracle
        .tasks
        .iter()
        .filter(|task| task.entity_id.is_none())
        .collect();
    assert_eq!(alone.len(), 1, "{:?}", oracle.tasks);
    assert_eq!(alone[0].text, "Дозвониться до +79161110003");
    assert_eq!(alone[0].responsible_user_id, ANNA);
    assert_eq!(oracle.tasks.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_27_records_are_there_while_the_call_goes_on_and_its_entry_comes_at_the_end() {
    let office = Office::open().await;
    let case = r#"answered_unknown = { action"#;
    office
        .home
        .edit_tenant(case, r#"answered_unknown = { at = "answer", action"#);
    let daemon = office.start().await;
    let client = "79161110004";
    let call = SlowCall::of(&office.ami, client, office.crm.now());
    call.ring();
    call.answer();
    until("the deal is there", async || {
        let deals = office.oracle().leads_of_phone(client).len();
        when(deals == 1, deals)
    })
    .await;
    let oracle = office.oracle();
    assert_eq!(oracle.contacts_of_phone(client).len(), 1);
    assert_eq!(oracle.calls_of_phone(client).len(), 0);
    call.hang_up();
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&[client]);
    let oracle = office.oracle();
    let (call, deal) = (
        oracle.calls_of_phone(client)[0].entity_id,
        oracle.leads_of_phone(client)[0].id,
    );
    assert_eq!(call, deal, "the entry stands on the answer's deal");
    let key = daemon.journal_keys().await.remove(0);
    let told = office.home.run(&["explain", &key, "--lang", "en"]).await;
    assert!(
        told.out.contains("decided at its answer (S1-27)"),
        "{}",
        told.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_06_the_command_line_says_who_has_no_pair_and_who_it_may_be() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "users = [{ account = \"main\", user = \"503\" }]",
        "users = []",
    );
    let daemon = office.start().await;
    let mapping = || office.home.run(&["account", "mapping", "acme/main"]);
    let told = until("the account was read", async || {
        let told = mapping().await;
        if told.status == Some(0) {
            Ok(told)
        } else {
            Err(told.err)
        }
    })
    .await;
    assert!(told.out.contains("anna  Анна  = user 502"), "{told:?}");
    assert!(told.out.contains("boris  Борис  has no user"), "{told:?}");
    assert!(told.out.contains("user 503"), "{told:?}");
    let unknown = office
        .home
        .run(&["account", "mapping", "acme/nobody"])
        .await;
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
    drop(daemon);
}
