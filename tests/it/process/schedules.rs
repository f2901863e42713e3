//! Tasks in the CRM are due by the company's working schedule, with a calendar of the box.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use trunkline::clock::{Clock as _, SystemClock};

use super::office::Office;

/// The office is on Kamchatka, and not where the tenant is.
const ZONE: &str = "Asia/Kamchatka";

/// The last line of the tenant's file: what follows belongs to the incoming calls.
const LAST: &str = r#"missed_unknown = { action = { kind = "contact" } }"#;

const TASK: &str = r#"
task = { due = { kind = "after", hours = 4 } }

[[integrations.settings.schedules]]
name = "office"
time_zone = "Asia/Kamchatka"
calendar = "closed.ics"
hours = [{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from = "09:00", to = "12:00" }]
"#;

const SCHEDULE: &str = "[integrations.settings]\nschedule = \"office\"\n\n";

/// Closed from long ago until `opens`, which has an hour without work, and on the day after it of
/// every year.
fn calendar(opens: Date) -> String {
    let day = |date: Date| date.strftime("%Y%m%d").to_string();
    let yearly = opens.tomorrow().expect("a date");
    let first = yearly.with().year(2020).build().expect("no leap day");
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Acme//Office//RU\r\n\
         BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Ремонт\r\nDTSTART;VALUE=DATE:20260101\r\n\
         DTEND;VALUE=DATE:{}\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Собрание\r\nDTSTART;TZID={ZONE}:{}T100000\r\n\
         DURATION:PT1H\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:День компании\r\nDTSTART;VALUE=DATE:{}\r\n\
         RRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        day(opens),
        day(opens),
        day(first),
    )
}

/// Returns a day so many days from now, next to no leap day.
fn in_days(days: i64) -> Date {
    let zone = TimeZone::get(ZONE).expect("a zone");
    let now = Timestamp::from_millisecond(SystemClock.now().as_millis()).expect("a time");
    let today = zone.to_datetime(now).date();
    let date = today.checked_add(days.days()).expect("a date");
    match (date.month(), date.day()) {
        (2, 27..) => date.with().month(3).day(3).build().expect("a date"),
        _ => date,
    }
}

/// Returns the only task of a client, by the clocks of the office.
fn due(office: &Office, client: &str) -> jiff::civil::DateTime {
    let oracle = office.oracle();
    let [task] = oracle.tasks_of_phone(client)[..] else {
        panic!("{:?}", oracle.tasks);
    };
    let due = Timestamp::from_second(task.complete_till).expect("a time");
    TimeZone::get(ZONE).expect("a zone").to_datetime(due)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_23_s0_24_a_task_is_due_by_the_schedule_and_its_calendar() {
    let office = Office::open().await;
    office.home.edit_tenant(LAST, &format!("{LAST}\n{TASK}"));
    let calls = "[integrations.settings.calls]\n";
    office
        .home
        .edit_tenant(calls, &format!("{SCHEDULE}{calls}"));
    let file = "etc/tenants.d/closed.ics";
    let opens = in_days(20);
    office.home.write(file, &calendar(opens));
    let daemon = office.start().await;
    office.client_calls("79165551001");
    daemon.settled(1).await;
    // Two hours on the first day, less one; the day after it is free; two more are left.
    let after_the_free_day = opens.checked_add(2.days()).expect("a date");
    assert_eq!(
        due(&office, "79165551001"),
        after_the_free_day.to_datetime(Time::constant(11, 0, 0, 0))
    );

    // Another calendar is in force at the next reload.
    let earlier = in_days(9);
    office.home.write(file, &calendar(earlier));
    let told = daemon.reload().await;
    assert!(
        told.contains("integrations: 0 added, 1 changed, 0 removed"),
        "{told}"
    );
    office.client_calls("79165551002");
    daemon.settled(2).await;
    let after_the_free_day = earlier.checked_add(2.days()).expect("a date");
    assert_eq!(
        due(&office, "79165551002"),
        after_the_free_day.to_datetime(Time::constant(11, 0, 0, 0))
    );

    // One that cannot be read changes nothing.
    office.home.write(
        file,
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Кто-то\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    let told = daemon.reload().await;
    assert!(told.starts_with("reload refused: 1 mistake(s)"), "{told}");
    let log = office.home.log();
    assert!(
        log.contains("integrations[0].settings.schedules[0].calendar"),
        "{log}"
    );
    assert!(log.contains("has no DTSTART"), "{log}");
}
