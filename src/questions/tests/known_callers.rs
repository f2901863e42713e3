//! What a phone system is given to keep: the same answers, for everybody who is known.

use super::*;
use crate::model::answering::Unlisted;
use crate::pbx::{DialledWay, KnownCallers};

fn key() -> crate::model::ids::SourceKey {
    id("acme/office")
}

/// Everybody, read in pages of this size: number and manager.
fn all(desk: &Desk, page: usize) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut after: Option<Phone> = None;
    loop {
        let some = desk.clients(&key(), after.as_ref(), page).expect("known");
        after = some.clients.last().map(|(phone, _)| phone.clone());
        let lines = some.clients.into_iter();
        found.extend(lines.map(|(phone, id)| (phone.to_string(), id.map(String::from))));
        if !some.more {
            return found;
        }
    }
}

fn with_clients(clients: &[(&str, &str)]) -> Office {
    Office::new().with(|office| {
        for (number, user) in clients {
            let cards = vec![contact("1", user, 5)];
            office.integrations[0]
                .book
                .clients
                .insert(phone(number), cards);
        }
    })
}

#[test]
fn every_client_is_said_with_who_answers_for_it() {
    let office = with_clients(&[
        ("+79161112233", "502"),
        ("+380441112233", "503"),
        ("+79161112200", "504"),
        ("+79161112201", "999"),
        ("+79161112202", ""),
    ]);
    let office = office.with(|office| {
        let mut second = Office::new().integrations.remove(0);
        second.id = "second";
        let cards = vec![contact("2", "503", 5)];
        second
            .book
            .clients
            .insert(phone("+79031112244"), cards.clone());
        // The first that knows a client answers.
        second.book.clients.insert(phone("+79161112233"), cards);
        office.integrations.push(second);
    });
    let desk = office.desk();
    let line =
        |number: &str, manager: Option<&str>| (number.to_owned(), manager.map(str::to_owned));
    let expected = [
        line("+79031112244", Some("boris")),
        // Nobody is user 999; nobody answers for the one after.
        line("+79161112200", Some("vera")),
        line("+79161112201", None),
        line("+79161112202", None),
        line("+79161112233", Some("anna")),
        line("+380441112233", Some("boris")),
    ];
    for page in [1, 2, 3, 100] {
        assert_eq!(all(&desk, page), expected, "in pages of {page}");
    }
}

#[test]
fn managers_and_clients_together_say_what_a_call_is_answered() {
    let clients = [
        ("+79161112233", "502"),
        ("+79161112244", "503"),
        ("+79161112255", "504"),
    ];
    let plain = || with_clients(&clients);
    let away = |person: &mut PersonAnswering| person.away = true;
    let stood_in = |person: &mut PersonAnswering| {
        person.away = true;
        person.stand_in = Some(id("boris"));
    };
    let unwanted = |person: &mut PersonAnswering| person.personal_manager = false;
    for (what, office, expected) in [
        ("usual", plain(), [Some("101"), Some("102"), None]),
        (
            "away",
            plain().person("anna", away),
            [None, Some("102"), None],
        ),
        (
            "stood in for",
            plain().person("anna", stood_in),
            [Some("102"), Some("102"), None],
        ),
        (
            "nobody is there",
            plain().person("anna", stood_in).person("boris", away),
            [None; 3],
        ),
        (
            "unwanted",
            plain().person("boris", unwanted),
            [Some("101"), None, None],
        ),
        (
            "no extension",
            plain().person("vera", stood_in),
            [Some("101"), Some("102"), Some("102")],
        ),
    ] {
        let desk = office.desk();
        let managers = desk.managers(&key()).expect("a source");
        let of = |employee: &String| {
            let mut rung = managers.iter();
            let found = rung.find(|(id, _)| id.as_str() == employee.as_str());
            found.map(|(_, extension)| extension.0.clone())
        };
        let copied: Vec<Option<String>> = all(&desk, 10)
            .iter()
            .map(|(_, manager)| of(manager.as_ref().expect("everybody has one")))
            .collect();
        assert_eq!(copied, expected.map(|e| e.map(str::to_owned)), "{what}");
        for ((number, _), extension) in clients.iter().zip(&copied) {
            let found = futures_util::FutureExt::now_or_never(ask(&desk, number, None));
            let answer = found.expect("at once").answer;
            let rung = match answer.route {
                crate::model::question::Route::Default => None,
                _ => answer.extension.map(|extension| extension.0),
            };
            assert_eq!(&rung, extension, "{what}: {number}");
        }
    }
}

#[test]
fn colleagues_are_no_clients_even_where_the_crm_has_a_card_of_them() {
    let desk = with_clients(&[("+79160000001", "503")]).desk();
    assert_eq!(all(&desk, 10), [("+79160000001".to_owned(), None)]);
}

#[test]
fn before_a_directory_is_whole_nothing_is_said_and_who_only_observes_says_nothing() {
    let office = with_clients(&[("+79161112233", "502")]);
    let incomplete = office
        .with(|office| office.integrations[0].book.as_of = None)
        .desk();
    assert_eq!(incomplete.clients(&key(), None, 10), None);
    let observing = with_clients(&[("+79161112233", "502")]);
    let observing = observing
        .with(|office| office.integrations[0].acts = false)
        .desk();
    assert_eq!(all(&observing, 10), []);
    assert_eq!(observing.clients(&id("acme/attic"), None, 10), None);
}

#[test]
fn the_companys_numbers_are_said_in_every_form_in_which_they_are_dialled() {
    let office = Office::new().with(|office| {
        let anna = Scenario::Employee(id("anna"));
        office.numbers.push(number("+7 495 000-00-01", anna));
        office.numbers.push(number("600", Scenario::Other));
        let mut owned = number("84950000002", Scenario::PersonalManager);
        owned.owner = Some(id("boris"));
        office.numbers.push(owned);
        // Vera has no extension here: the manager is not looked for all the same.
        office
            .numbers
            .push(number("84950000003", Scenario::Employee(id("vera"))));
        office
            .numbers
            .push(number("84950000004", Scenario::PersonalManager));
        office.answering.unlisted = Unlisted::Other;
    });
    let dialled = office.desk().dialled(&key()).expect("a source");
    assert_eq!(
        (dialled.country.as_str(), dialled.trunk_prefix.as_str()),
        ("7", "8")
    );
    assert_eq!(dialled.others, DialledWay::Usual);
    let ring = |text: &str| DialledWay::Ring(extension(text).expect("one"));
    for (digits, way) in [
        ("74950000001", Some(ring("101"))),
        ("84950000001", Some(ring("101"))),
        ("4950000001", Some(ring("101"))),
        ("4950000002", Some(ring("102"))),
        ("74950000003", Some(DialledWay::Usual)),
        ("74950000004", Some(DialledWay::Manager)),
        ("600", Some(DialledWay::Usual)),
        ("601", None),
    ] {
        let mut listed = dialled.listed.iter();
        let found = listed
            .find(|(form, _)| form == digits)
            .map(|(_, way)| way.clone());
        assert_eq!(found, way, "{digits}");
    }
}

#[test]
fn other_settings_are_another_revision() {
    let desk = Office::new().desk();
    let before = desk.revision();
    assert_eq!(desk.revision(), before);
    desk.replace(Office::new().table());
    assert_ne!(desk.revision(), before);
}
