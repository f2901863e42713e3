//! What a phone system is given to keep: the same answers, for everybody who is known.

use super::*;
use crate::model::answering::Unlisted;
use crate::pbx::{DialledWay, KnownCallers};

fn key() -> crate::model::ids::SourceKey {
    id("acme/office")
}

/// Everybody, read in pages of this size: number and extension.
fn all(desk: &Desk, page: usize) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut after: Option<Phone> = None;
    loop {
        let some = desk.clients(&key(), after.as_ref(), page).expect("known");
        after = some.clients.last().map(|(phone, _)| phone.clone());
        let lines = some.clients.into_iter();
        found.extend(lines.map(|(phone, ext)| (phone.to_string(), ext.map(|ext| ext.0))));
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
fn every_client_has_whom_a_call_would_ring() {
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
        |number: &str, extension: Option<&str>| (number.to_owned(), extension.map(str::to_owned));
    let expected = [
        line("+79031112244", Some("102")),
        // Vera has no extension here; nobody is user 999; nobody answers for the last.
        line("+79161112200", None),
        line("+79161112201", None),
        line("+79161112202", None),
        line("+79161112233", Some("101")),
        line("+380441112233", Some("102")),
    ];
    for page in [1, 2, 3, 100] {
        assert_eq!(all(&desk, page), expected, "in pages of {page}");
    }
}

#[test]
fn who_is_away_is_stood_in_for_and_colleagues_are_no_clients() {
    let office = with_clients(&[("+79161112233", "502"), ("+79161112244", "503")]);
    let away = |person: &mut PersonAnswering| {
        person.away = true;
        person.stand_in = Some(id("boris"));
    };
    let desk = office.person("anna", away).desk();
    let found: Vec<_> = all(&desk, 10).into_iter().map(|(_, ext)| ext).collect();
    assert_eq!(found, [Some("102".to_owned()), Some("102".to_owned())]);
    let desk = with_clients(&[("+79161112244", "503")]).person("boris", |boris| boris.away = true);
    assert_eq!(all(&desk.desk(), 10)[0].1, None, "nobody stands in");
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
