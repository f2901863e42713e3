use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::read;

/// Returns what events give: days, and times as `from/to`, in order.
fn days(events: &str, zone: &str) -> Result<Vec<String>, String> {
    let text =
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}\r\nEND:VCALENDAR\r\n");
    let days = read(&text, &TimeZone::get(zone).expect("a zone"))?;
    let holidays = days.holidays.iter().map(ToString::to_string);
    let closed = days
        .closed
        .iter()
        .map(|one| format!("{}/{}", one.from, one.to));
    Ok(holidays.chain(closed).collect())
}

fn event(lines: &str) -> String {
    let lines = lines.replace(", ", "\r\n");
    format!("BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Day off\r\n{lines}\r\nEND:VEVENT")
}

#[test]
fn s0_24_events_of_a_calendar_are_holidays_and_times_without_work() {
    for (lines, wanted) in [
        // Whole days; the end is the day after the last.
        ("DTSTART;VALUE=DATE:20270101", vec!["2027-01-01"]),
        (
            "DTSTART;VALUE=DATE:20270101, DTEND;VALUE=DATE:20270103",
            vec!["2027-01-01", "2027-01-02"],
        ),
        (
            "DTSTART;VALUE=DATE:20270101, DURATION:P2D",
            vec!["2027-01-01", "2027-01-02"],
        ),
        (
            "DTSTART;VALUE=DATE:20270101, DTEND;VALUE=DATE:20270101",
            vec!["2027-01-01"],
        ),
        // Every year; the 29th of February only where there is one.
        (
            "DTSTART;VALUE=DATE:20190508, RRULE:FREQ=YEARLY;UNTIL=20220601",
            vec!["2020-05-08", "2021-05-08", "2022-05-08"],
        ),
        (
            "DTSTART;VALUE=DATE:20240229, RRULE:FREQ=YEARLY;COUNT=2",
            vec!["2024-02-29", "2028-02-29"],
        ),
        // The second Sunday of May; the last Friday of each month of a quarter.
        (
            "DTSTART;VALUE=DATE:20270509, RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=2SU;COUNT=2",
            vec!["2027-05-09", "2028-05-14"],
        ),
        (
            "DTSTART;VALUE=DATE:20270129, RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
            vec!["2027-01-29", "2027-02-26", "2027-03-26"],
        ),
        // Without one of them, and with one more.
        (
            "DTSTART;VALUE=DATE:20270101, RRULE:FREQ=YEARLY;COUNT=3, EXDATE;VALUE=DATE:20280101, RDATE;VALUE=DATE:20270302",
            vec!["2027-01-01", "2027-03-02", "2029-01-01"],
        ),
        // Times: by the reader's clocks, in UTC, and in a zone, over a change of its clocks.
        (
            "DTSTART:20261231T160000, DTEND:20261231T180000",
            vec!["2026-12-31T16:00:00/2026-12-31T18:00:00"],
        ),
        (
            "DTSTART:20261231T130000Z, DURATION:PT2H",
            vec!["2026-12-31T16:00:00/2026-12-31T18:00:00"],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20270320T100000, DTEND;TZID=Europe/Berlin:20270320T110000, RRULE:FREQ=WEEKLY;COUNT=2",
            vec![
                "2027-03-20T12:00:00/2027-03-20T13:00:00",
                "2027-03-27T12:00:00/2027-03-27T13:00:00",
            ],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20270327T100000, DTEND;TZID=Europe/Berlin:20270327T110000, RRULE:FREQ=DAILY;COUNT=2",
            vec![
                "2027-03-27T12:00:00/2027-03-27T13:00:00",
                "2027-03-28T11:00:00/2027-03-28T12:00:00",
            ],
        ),
        // The last of a series told in UTC, as most programs do.
        (
            "DTSTART;TZID=Europe/Moscow:20270301T100000, DTEND;TZID=Europe/Moscow:20270301T110000, RRULE:FREQ=WEEKLY;UNTIL=20270308T070000Z",
            vec![
                "2027-03-01T10:00:00/2027-03-01T11:00:00",
                "2027-03-08T10:00:00/2027-03-08T11:00:00",
            ],
        ),
        // What has no end takes no time; what is cancelled or long past does not count.
        ("DTSTART:20261231T160000", vec![]),
        ("DTSTART;VALUE=DATE:20270101, STATUS:CANCELLED", vec![]),
        ("DTSTART;VALUE=DATE:19990101", vec![]),
        // Free or busy, a day off is one.
        (
            "DTSTART;VALUE=DATE:20270101, TRANSP:TRANSPARENT",
            vec!["2027-01-01"],
        ),
    ] {
        assert_eq!(
            days(&event(lines), "Europe/Moscow"),
            Ok(wanted.into_iter().map(str::to_owned).collect()),
            "{lines}"
        );
    }
}

#[test]
fn s0_24_what_repeats_for_ever_ends_with_the_century() {
    let every_year = event("DTSTART;VALUE=DATE:20200508, RRULE:FREQ=YEARLY");
    let days_off = days(&every_year, "Europe/Moscow").expect("a calendar");
    assert_eq!(
        (days_off.len(), days_off.last().map(String::as_str)),
        (81, Some("2100-05-08"))
    );
    // Two of them: the first does not use up what the second needs.
    let both = format!(
        "{every_year}\r\n{}",
        event("DTSTART;VALUE=DATE:20270612, RRULE:FREQ=YEARLY")
    );
    assert_eq!(
        days(&both, "Europe/Moscow").expect("a calendar").len(),
        81 + 74
    );
    let every_day = event("DTSTART;VALUE=DATE:20270101, RRULE:FREQ=DAILY");
    let refused = days(&every_day, "Europe/Moscow").expect_err("too many");
    assert!(refused.contains("UNTIL or COUNT"), "{refused}");
}

#[test]
fn s0_24_an_occurrence_may_be_moved_or_cancelled() {
    let series = event("DTSTART;VALUE=DATE:20270101, RRULE:FREQ=YEARLY;COUNT=3");
    let moved = event("RECURRENCE-ID;VALUE=DATE:20280101, DTSTART;VALUE=DATE:20280103");
    let cancelled =
        event("RECURRENCE-ID;VALUE=DATE:20290101, DTSTART;VALUE=DATE:20290101, STATUS:CANCELLED");
    let found = days(
        &format!("{series}\r\n{moved}\r\n{cancelled}"),
        "Europe/Moscow",
    );
    assert_eq!(
        found,
        Ok(vec!["2027-01-01".to_owned(), "2028-01-03".to_owned()])
    );
}

#[test]
fn s0_24_a_zone_may_be_named_as_outlook_does() {
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Russian Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE";
    let closed = event(
        "DTSTART;TZID=Russian Standard Time:20270301T100000, DTEND;TZID=Russian Standard Time:20270301T110000",
    );
    let found = days(&format!("{zone}\r\n{closed}"), "Asia/Yekaterinburg");
    assert_eq!(
        found,
        Ok(vec!["2027-03-01T12:00:00/2027-03-01T13:00:00".to_owned()])
    );
}

#[test]
fn a_calendar_that_cannot_be_read_says_what_is_wrong() {
    for (events, says) in [
        (
            event("STATUS:CONFIRMED"),
            "the event \"Day off\" has no DTSTART",
        ),
        (
            event("DTSTART;VALUE=DATE:tomorrow"),
            "has a DTSTART that is no date or time",
        ),
        (
            event("DTSTART;VALUE=DATE:20270231"),
            "has a DTSTART that is no date or time",
        ),
        (
            event("DTSTART;TZID=Mars/Base:20270101T100000"),
            "in a time zone that is not known: \"Mars/Base\"",
        ),
        (
            event("DTSTART;VALUE=DATE:20270101, RRULE:FREQ=NEVER"),
            "RRULE",
        ),
        (
            event("DTSTART;VALUE=DATE:20270101, RRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=99"),
            "RRULE",
        ),
        (
            event("DTSTART;VALUE=DATE:20270101, RRULE:every year"),
            "RRULE",
        ),
        (
            event("DTSTART;VALUE=DATE:20270101, DURATION:long"),
            "DURATION",
        ),
        (
            "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101".to_owned(),
            "END:VCALENDAR ends nothing",
        ),
    ] {
        let refused = days(&events, "Europe/Moscow").expect_err(&events);
        assert!(refused.contains(says), "{events}: {refused}");
    }
    for text in [
        "",
        "holidays: 1 May",
        "{}",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n",
        "BEGIN:VCALENDAR\r\n",
        "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nEND:VEVENT\r\n",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    ] {
        assert!(read(text, &TimeZone::UTC).is_err(), "{text:?}");
    }
    let nothing = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";
    assert!(read(nothing, &TimeZone::UTC).is_ok());
}

proptest! {
    #[test]
    fn no_calendar_whatever_stops_us(
        lines in proptest::collection::vec(
            ("(BEGIN|END|DTSTART|DTEND|RRULE|EXDATE|RDATE|DURATION|RECURRENCE-ID|TZID|X-A|STATUS)",
             "(|;VALUE=DATE|;VALUE=RECUR|;VALUE=PERIOD|;TZID=Europe/Moscow|;VALUE=DATE-TIME|;X=\")",
             "(VEVENT|VTIMEZONE|VALARM|20270101|20270101T250000|99999999|20270101T100000Z/PT1H|FREQ=YEARLY(;INTERVAL=0|;BYMONTHDAY=31;BYMONTH=2|;BYDAY=9MO|;COUNT=0|;UNTIL=1)?|FREQ=SECONDLY;COUNT=3|-P9999W|P1D|\\PC{0,12})"),
            0..14),
    ) {
        let lines: Vec<String> = lines.iter().map(|(a, b, c)| format!("{a}{b}:{c}")).collect();
        let _ = days(&lines.join("\r\n"), "Europe/Moscow");
        let _ = days(&event(&lines.join("\r\n")), "Europe/Moscow");
    }
}
