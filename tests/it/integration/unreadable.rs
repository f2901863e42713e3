//! Rows that cannot be read set their own work aside and nothing else.

use redb::{Database, TableDefinition};

use trunkline::integration::status::Health;
use trunkline::model::activity::Activity;

use super::crm_double::CrmDouble;
use super::workshop::Workshop;

const LEDGERS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("ledgers");
const COMMUNICATIONS: TableDefinition<&str, &[u8]> = TableDefinition::new("communications");

#[actix::test]
async fn a_work_whose_rows_cannot_be_read_is_set_aside_and_the_integration_goes_on() {
    let before = Workshop::in_folder(tempfile::tempdir().expect("a folder"));
    let crm = CrmDouble::new();
    crm.facts_down(true);
    let portal = before.portal("demo");
    let sales = before.integration("sales", &portal, &crm, Activity::On);
    let ledger = before.call("1.0", "+79161234567").await;
    let row = before.call("2.0", "+79161234568").await;
    before.call("3.0", "+79161234567").await;
    sales.supervised.stop().await;
    let folder = before.close().await;

    let database = Database::open(folder.path().join("store.redb")).expect("opens");
    let txn = database.begin_write().expect("begins");
    {
        let mut ledgers = txn.open_table(LEDGERS).expect("a table");
        let place = ledger.to_string();
        let garbage: &[u8] = b"garbage";
        ledgers
            .insert((place.as_str(), "acme/sales"), garbage)
            .expect("writes");
        let mut communications = txn.open_table(COMMUNICATIONS).expect("a table");
        communications
            .insert(row.to_string().as_str(), garbage)
            .expect("writes");
    }
    txn.commit().expect("commits");
    drop(database);

    let workshop = Workshop::in_folder(folder);
    crm.facts_down(false);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("4.0", "+79161234568").await;
    workshop
        .until(|| async { workshop.store.open_works().await.expect("reads").len() == 2 })
        .await;
    let contacts = crm.effects();
    let contacts = contacts.iter().filter(|one| one.starts_with("contact"));
    assert_eq!(contacts.count(), 2, "{:?}", crm.effects());
    let status = workshop.board.get("integration acme/sales").expect("shown");
    assert_eq!((status.health, status.restarts), (Health::Up, 0));
    assert!(status.last_error.expect("told").contains("set aside"));
    assert!(
        workshop
            .store
            .figures()
            .await
            .expect("reads")
            .unreadable_rows
            >= 2
    );
}
