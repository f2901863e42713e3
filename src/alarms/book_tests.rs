use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::alarms::settings::{EmailSettings, Quiet, Security};
use crate::model::explanation::Language;

fn settings() -> AlarmSettings {
    AlarmSettings {
        language: Language::En,
        box_name: "box".to_owned(),
        time_zone: TimeZone::UTC,
        quiet: None,
        stands: Duration::from_secs(120),
        crm_down: Duration::from_secs(900),
        gather: Duration::from_secs(600),
        remind: Some(Duration::from_secs(86_400)),
        silent_hours: None,
        email: Some(EmailSettings {
            server: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            authorities: None,
            login: None,
            from: "box@example.com".to_owned(),
            to: vec!["admin@example.com".to_owned()],
        }),
        webhook: None,
    }
}

fn disk() -> Alarm {
    Alarm::new("disk", "/var", "full")
}

fn crm() -> Alarm {
    Alarm::new("crm_down", "amocrm:demo", "503")
}

/// Plays minutes: what is seen in each, and returns what was told when.
struct Play {
    book: Book,
    settings: AlarmSettings,
    now: Timestamp,
    told: Vec<String>,
}

impl Play {
    fn new(settings: AlarmSettings) -> Self {
        Self {
            book: Book::default(),
            settings,
            now: Timestamp::parse("2026-11-21T12:00:00Z").expect("a time"),
            told: Vec::new(),
        }
    }

    fn minutes(&mut self, minutes: u64, seen: &[Alarm]) -> &mut Self {
        for _ in 0..minutes {
            self.look(seen, true);
            self.now = self.now.plus(Duration::from_secs(60));
        }
        self
    }

    fn look(&mut self, seen: &[Alarm], taken: bool) {
        self.book.observe(self.now, seen, &self.settings);
        let due = self.book.due(self.now, Channel::Email, &self.settings);
        if let Some(message) = due.filter(|_| taken) {
            self.book.told(self.now, Channel::Email, &message);
            let clock = self.now.to_string();
            let clock = clock.get(11..16).unwrap_or_default().to_owned();
            for (item, standing) in &message.items {
                self.told
                    .push(format!("{clock} {item:?} {}", standing.alarm.word));
            }
        }
    }

    #[track_caller]
    fn told(&self, wanted: &[&str]) {
        assert_eq!(self.told, wanted);
    }
}

#[test]
fn an_alarm_is_told_once_and_taken_back() {
    let mut play = Play::new(settings());
    play.minutes(30, &[disk()]).minutes(30, &[]);
    play.told(&["12:02 New disk", "12:32 Over disk"]);
    assert_eq!(play.book.standing, []);
}

#[test]
fn what_comes_and_goes_in_a_moment_is_not_told_and_a_gap_is_no_end() {
    let mut play = Play::new(settings());
    play.minutes(1, &[disk()]).minutes(30, &[]);
    play.told(&[]);
    assert_eq!(play.book.standing, []);
    play.minutes(5, &[disk()])
        .minutes(1, &[])
        .minutes(60, &[disk()]);
    play.told(&["12:33 New disk"]);
}

#[test]
fn a_crm_is_down_for_long_before_it_is_told() {
    let mut play = Play::new(settings());
    play.minutes(14, &[crm()]).minutes(30, &[]);
    play.told(&[]);
    play.minutes(20, &[crm()]);
    play.told(&["12:59 New crm_down"]);
}

#[test]
fn what_comes_soon_after_a_message_shares_the_next() {
    let mut play = Play::new(settings());
    play.minutes(3, &[disk()]);
    let held = Alarm::new("held", "integration a/b", "unpaid");
    let blocked = Alarm::new("blocked", "amocrm:demo", "blocked");
    play.minutes(2, &[disk(), held.clone()]);
    play.minutes(10, &[disk(), held, blocked]);
    play.told(&["12:02 New disk", "12:12 New held", "12:12 New blocked"]);
}

#[test]
fn at_night_nobody_is_told_and_in_the_morning_everything() {
    let mut settings = settings();
    settings.quiet = Some(Quiet {
        from: "12:01".parse().expect("a time"),
        until: "08:00".parse().expect("a time"),
    });
    let mut play = Play::new(settings);
    // One stands all night, one came and went.
    play.minutes(60, &[disk(), crm()])
        .minutes(20 * 60, &[disk()]);
    play.told(&["08:00 New disk", "08:00 Was crm_down"]);
}

#[test]
fn what_still_stands_is_repeated() {
    let mut settings = settings();
    settings.remind = Some(Duration::from_secs(3600));
    let mut play = Play::new(settings.clone());
    play.minutes(130, &[disk()]);
    play.told(&["12:02 New disk", "13:02 Still disk", "14:02 Still disk"]);
    settings.remind = None;
    let mut play = Play::new(settings);
    play.minutes(130, &[disk()]);
    play.told(&["12:02 New disk"]);
}

#[test]
fn a_message_that_was_not_taken_is_told_later_also_when_all_is_over() {
    let mut play = Play::new(settings());
    for minute in 0..60 {
        let seen: &[Alarm] = if minute < 30 { &[disk()] } else { &[] };
        play.look(seen, false);
        play.now = play.now.plus(Duration::from_secs(60));
    }
    play.told(&[]);
    play.minutes(1, &[]);
    play.told(&["13:00 Was disk"]);
    play.minutes(30, &[]);
    assert_eq!(play.book.standing, []);
}

#[test]
fn a_book_that_comes_back_from_disk_says_nothing_twice() {
    let mut play = Play::new(settings());
    play.minutes(30, &[disk()]);
    let text = serde_json::to_string(&play.book).expect("JSON");
    play.book = serde_json::from_str(&text).expect("the same");
    play.minutes(30, &[disk()]);
    play.told(&["12:02 New disk"]);
}
