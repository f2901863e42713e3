//! Every form of an answer that was seen.

use super::super::wire::history::{Outcome, Way};
use super::super::wire::{answers, csv, history};
use crate::model::call::MissReason;
use crate::model::timestamp::Timestamp;

#[test]
fn an_ordered_call_is_named_in_every_form_seen_or_not_at_all() {
    for (body, expected) in [
        (r#"{"uuid":"abc-1"}"#, Some("abc-1")),
        (r#"{"CallID":"abc-1"}"#, Some("abc-1")),
        (r#"{"callid":"abc-1","clid":"74951230000"}"#, Some("abc-1")),
        (r#""abc-1""#, Some("abc-1")),
        ("abc-1", Some("abc-1")),
        ("abc-1\r\n", Some("abc-1")),
        ("12345", Some("12345")),
        ("", None),
        ("{}", None),
        ("null", None),
        ("<html>ok</html>", None),
        (r#"{"callid":"a b"}"#, None),
    ] {
        let found = answers::ordered(body.as_bytes());
        assert_eq!(found.as_deref(), expected, "{body}");
    }
}

#[test]
fn people_are_read_in_both_forms_and_an_empty_list_may_be_null() {
    let new = br#"{"items":[{"login":"orlova","name":"Anna","ext":510,"telnum":"74951230001",
        "email":"anna@x.example","role":"user"},{"name":5}],"info":{"total":1,"next":100}}"#;
    let page = answers::accounts(new).expect("a page");
    assert_eq!(page.next, Some(100));
    assert_eq!(page.items[0].login, "orlova");
    assert_eq!(page.items[0].name.as_deref(), Some("Anna"));
    assert_eq!(page.items[0].ext.as_deref(), Some("510"));
    let old = br#"[{"name":"orlova","realName":"Anna","ext":"510","telnum":""}]"#;
    let page = answers::accounts(old).expect("a page");
    assert_eq!(page.items[0].login, "orlova");
    assert_eq!(page.items[0].name.as_deref(), Some("Anna"));
    assert_eq!(page.items[0].telnum, None);
    for empty in ["null", "", "[]", r#"{"items":null}"#, " \r\n"] {
        let page = answers::accounts(empty.as_bytes()).expect("a page");
        assert!(page.items.is_empty(), "{empty}");
    }
    for wrong in ["<html>", r#"{"message":"no"}"#, "7", "{"] {
        assert!(answers::accounts(wrong.as_bytes()).is_none(), "{wrong}");
    }
    let groups = br#"[{"id":"1","realName":"Sales","ext":"700"},
        {"id":"2","name":"Help","users":[{"login":"orlova"},"petrov"]}]"#;
    let groups = answers::groups(groups).expect("a page").items;
    assert_eq!(groups[0].name, "Sales");
    assert_eq!(groups[1].logins, ["orlova", "petrov"]);
    let numbers = br#"{"items":["74951230000",{"telnum":"74951230001","title":"Site"}]}"#;
    let numbers = answers::numbers(numbers).expect("a page").items;
    assert_eq!(numbers.len(), 2);
}

#[test]
fn a_row_of_the_history_is_read_in_both_forms() {
    let json = br#"[{"uid":"2C7A0001","type":"in","status":"success","client":"79161112233",
        "user":"orlova","account":"orlova","group_name":"Sales","diversion":"74951230000",
        "start":"2026-03-02T08:05:00Z","wait":9,"duration":"55",
        "record":"https://x.megapbx.ru/rec/1.mp3","rating":null},
        {"uid":"u2","type":"missed","status":"missed","client":"+79161112233","account":"ivr",
        "start":"20260302T080600Z","wait":3,"duration":0,"record":""},
        {"uid":"u3","type":"out","status":"never seen before","client":"79161112233",
        "account":"petrov","start":"2026-03-02 08:07:00","duration":12},
        {"uid":"u4","start":"soon"}, 17]"#;
    let read = history::read(json).expect("a history");
    assert_eq!((read.items.len(), read.unread), (3, 2));
    let first = &read.items[0];
    assert_eq!(
        first.start,
        Timestamp::parse("2026-03-02T08:05:00Z").expect("a time")
    );
    assert_eq!((first.wait_s, first.duration_s), (Some(9), 55));
    assert_eq!(first.user.as_deref(), Some("orlova"));
    assert!(first.link.is_some());
    let second = &read.items[1];
    assert_eq!((second.way, second.user.as_deref()), (Some(Way::In), None));
    assert_eq!(second.outcome, Outcome::Missed(MissReason::NoAnswer));
    assert_eq!(second.link, None);
    let third = &read.items[2];
    assert_eq!(
        (third.outcome, third.user.as_deref()),
        (Outcome::Talked, Some("petrov"))
    );

    let text = "2C7A0001,in,79161112233,orlova,74951230000,20260302T080500Z,9,55,https://x/1.mp3\r\n\
                u2,missed,79161112233,Sales,74951230000,20260302T080600Z,3,0,\n\
                \"u3\",out,\"79161112233\",\"petrov\",,\"20260302T080700Z\",1,\"12\",\n\
                garbage\n\n";
    let read = csv::read(text.as_bytes());
    assert_eq!((read.items.len(), read.unread), (3, 1));
    assert_eq!(read.items[0].duration_s, 55);
    // A missed call's account may be a group's name.
    assert_eq!(read.items[1].user, None);
    assert_eq!(read.items[2].user.as_deref(), Some("petrov"));
    assert_eq!(read.items[2].way, Some(Way::Out));
}

proptest::proptest! {
    #[test]
    fn no_answer_brings_the_readers_down(body in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = answers::ordered(&body);
        let _ = answers::accounts(&body);
        let _ = answers::groups(&body);
        let _ = answers::numbers(&body);
        let _ = answers::error(&body);
        let _ = history::read(&body);
        let _ = csv::read(&body);
    }
}
