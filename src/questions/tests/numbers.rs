//! Any textual form of a number is that number, of callers and of dialled numbers.

use proptest::prelude::*;

use super::*;
use crate::model::phone::Region;
use crate::questions::chain::{Asked, Caller};

/// Puts spaces, brackets and dashes between the digits of a number.
fn spread(digits: &str, marks: &[&str]) -> String {
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        text.push(digit);
        text.push_str(marks.get(position).copied().unwrap_or_default());
    }
    text
}

fn mark() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("-"), 1 => Just("."), 1 => Just("\u{a0}")]
}

proptest! {
    #[test]
    fn every_form_of_a_number_is_one_caller_and_one_number(
        subscriber in 0_u32..10_000_000,
        code in prop_oneof![Just("916"), Just("495"), Just("812"), Just("383"), Just("903")],
        marks in proptest::collection::vec(mark(), 11),
        form in 0_usize..6,
    ) {
        let local = format!("{subscriber:07}");
        let national = format!("{code}{local}");
        let written = match form {
            0 => format!("+7{}", spread(&national, &marks)),
            1 => format!("8{}", spread(&national, &marks)),
            2 => format!("7{}", spread(&national, &marks)),
            3 => spread(&national, &marks),
            4 => format!("8 ({code}) {local} доб. 12"),
            _ => format!(" +7 ({code}) {local} "),
        };
        let e164 = format!("+7{national}");
        let office = Office::new()
            .with(|office| office.numbers.push(number(&e164, Scenario::Other)));
        let desk = office.desk();
        let source = source(&desk);
        let asked = Asked::read(&source, &written, Some(&written), false);
        prop_assert_eq!(&asked.caller, &Caller::Outside(phone(&e164)), "{:?}", &written);
        prop_assert!(asked.number.is_some(), "{:?}", &written);
    }

    #[test]
    fn whatever_is_sent_for_a_number_has_an_answer(
        caller in "\\PC{0,200}",
        did in "\\PC{0,200}",
    ) {
        let desk = Office::new().desk();
        let found = futures_util::FutureExt::now_or_never(ask(&desk, &caller, Some(&did)));
        let found = found.expect("an answer from memory waits for nothing");
        let line = told(&found);
        prop_assert_eq!(line, "default 700");
    }
}

#[tokio::test]
async fn a_number_of_another_country_is_read_by_its_code_or_by_the_sources_region() {
    let minsk = "+375291234567";
    let book = |office: &mut Office| {
        let clients = vec![contact("1", "502", 1)];
        office.integrations[0]
            .book
            .clients
            .insert(phone(minsk), clients);
    };
    let expected = "personal_manager 101 manager=anna client=1";
    let desk = Office::new().with(book).desk();
    for form in ["+375 29 123-45-67", "810375291234567", "+375(29)1234567"] {
        assert_eq!(told(&ask(&desk, form, None).await), expected, "{form}");
    }
    let desk = Office::new()
        .with(book)
        .with(|office| office.rules.region = "BY".parse::<Region>().expect("a region"))
        .desk();
    for form in ["80291234567", "8 029 123-45-67", "291234567"] {
        assert_eq!(told(&ask(&desk, form, None).await), expected, "{form}");
    }
}

#[tokio::test]
async fn a_number_of_one_source_stands_over_the_same_of_any_source() {
    let office = Office::new().with(|office| {
        let mut here = number("74950000001", Scenario::Employee(id("boris")));
        here.source = Some(id("office"));
        office.numbers.push(here);
        office
            .numbers
            .push(number("+74950000001", Scenario::Employee(id("anna"))));
        let mut elsewhere = number("100", Scenario::Employee(id("anna")));
        elsewhere.source = Some(id("branch"));
        office.numbers.push(elsewhere);
        office
            .numbers
            .push(number("200", Scenario::Employee(id("boris"))));
    });
    let desk = office.desk();
    for form in [
        "+74950000001",
        "84950000001",
        "74950000001",
        "(495) 000-00-01",
    ] {
        assert_eq!(
            told(&ask(&desk, CLIENT, Some(form)).await),
            "did_employee 102",
            "{form}"
        );
    }
    assert_eq!(told(&ask(&desk, CLIENT, Some("100")).await), "default 700");
    assert_eq!(
        told(&ask(&desk, CLIENT, Some(" 200 ")).await),
        "did_employee 102"
    );
}
