//! What is made of listings, in the form in which Asterisk 16 and 22 write them.

use super::findings::{Device, Findings, Queue, Technology};
use super::proposal::propose;
use crate::model::discovery::{Certainty, Discovery, FoundEndpoint, Role};
use crate::model::explanation::Language;
use crate::pbx::asterisk::ami_message::Message;
use crate::pbx::asterisk::channels::{ChannelRules, ChannelSettings, Profile};

/// An endpoint of PJSIP as the two listings tell it: name, context, caller id, login elsewhere,
/// contacts (most, all).
fn pjsip(name: &str, context: &str, caller: &str, login: &str, contacts: (&str, &str)) -> Device {
    let item = Message::from_pairs([
        ("Event", "EndpointList"),
        ("ObjectName", name),
        ("OutboundAuths", login),
        ("DeviceState", "Not in use"),
    ]);
    let mut device = Device::of_endpoint_list(&item).expect("a device");
    device.learn_from_details(&[
        Message::from_pairs([
            ("Event", "EndpointDetail"),
            ("ObjectName", name),
            ("Context", context),
            ("Callerid", caller),
            ("OutboundAuth", login),
        ]),
        Message::from_pairs([("Event", "AuthDetail"), ("Password", "a-password")]),
        Message::from_pairs([
            ("Event", "AorDetail"),
            ("MaxContacts", contacts.0),
            ("TotalContacts", contacts.1),
            ("ContactsRegistered", "0"),
        ]),
    ]);
    device
}

fn phone(extension: &str, name: &str) -> Device {
    let caller = format!("\"{name}\" <{extension}>");
    pjsip(extension, "from-internal", &caller, "", ("1", "0"))
}

fn trunk(name: &str) -> Device {
    pjsip(name, "from-trunk", "<unknown>", "", ("0", "1"))
}

fn peer(technology: Technology, name: &str, dynamic: &str, address: &str) -> Device {
    let item = Message::from_pairs([
        ("Event", "PeerEntry"),
        ("ObjectName", name),
        ("IPaddress", address),
        ("Dynamic", dynamic),
        ("Status", "Unmonitored"),
    ]);
    Device::of_peer_list(technology, &item).expect("a device")
}

fn found(devices: Vec<Device>) -> Discovery {
    propose(findings(devices), &ChannelRules::default())
}

fn findings(devices: Vec<Device>) -> Findings {
    Findings {
        language: Language::En,
        system: "Asterisk 22".to_owned(),
        devices,
        ..Findings::default()
    }
}

fn one<'a>(found: &'a Discovery, name: &str) -> &'a FoundEndpoint {
    let mut endpoints = found.endpoints.iter();
    let endpoint = endpoints.find(|one| one.name == name);
    endpoint.unwrap_or_else(|| panic!("{name} in {found:?}"))
}

fn channels(found: &Discovery) -> serde_json::Value {
    found.settings.get("channels").cloned().unwrap_or_default()
}

#[test]
fn each_endpoint_is_told_apart_by_what_speaks_for_it() {
    let registered = |mut device: Device| {
        device.registers_elsewhere = true;
        device
    };
    for (device, role, certainty, why) in [
        (
            phone("101", "Anna"),
            Role::Extension,
            Certainty::Clear,
            "it registers itself, as phones do",
        ),
        (
            trunk("megafon"),
            Role::Trunk,
            Certainty::Clear,
            "its calls begin in from-trunk, where calls from outside do",
        ),
        // A provider's login that looks like an extension.
        (
            registered(pjsip("7701", "from-trunk", "<unknown>", "7701", ("0", "1"))),
            Role::Trunk,
            Certainty::Clear,
            "the PBX registers with a provider by it",
        ),
        // A gateway that registers with the PBX.
        (
            pjsip("goip", "from-trunk", "<unknown>", "", ("1", "0")),
            Role::Trunk,
            Certainty::Likely,
            "its calls begin in from-trunk, where calls from outside do",
        ),
        // A door that has a name instead of a number.
        (
            pjsip("door-left", "from-internal", "<unknown>", "", ("1", "0")),
            Role::Extension,
            Certainty::Likely,
            "it registers itself, as phones do",
        ),
        (
            peer(Technology::Iax2, "branch", "no", "192.0.2.9"),
            Role::Trunk,
            Certainty::Clear,
            "its address is fixed, it does not register",
        ),
        (
            peer(Technology::Sip, "301", "yes", "-none-"),
            Role::Extension,
            Certainty::Clear,
            "it registers itself, as phones do",
        ),
        // Nothing but its name is known.
        (
            Device::new(Technology::Pjsip, "205"),
            Role::Extension,
            Certainty::Likely,
            "its name is that of the extension 205",
        ),
    ] {
        let name = device.name.clone();
        let found = found(vec![device]);
        let told = one(&found, &name);
        assert_eq!((told.role, told.certainty), (role, certainty), "{told:?}");
        assert_eq!(
            told.reasons.first().map(String::as_str),
            Some(why),
            "{told:?}"
        );
    }
}

#[test]
fn the_proposed_settings_make_the_rules_of_channels_see_what_was_judged() {
    let found = found(vec![
        phone("101", "Anna"),
        phone("1234567", "Boris"),
        pjsip("door-left", "from-internal", "", "", ("1", "0")),
        trunk("megafon"),
        pjsip("7701", "provider-in", "", "7701", ("0", "1")),
        pjsip("tie", "default", "", "tie", ("0", "1")),
    ]);
    let table = channels(&found);
    assert_eq!(
        table,
        serde_json::json!({
            "trunks": ["megafon", "7701", "tie"],
            "extensions": ["door-left"],
            "trunk_contexts": ["provider-in"],
            "extension_digits_max": 7,
        })
    );
    let settings: ChannelSettings = serde_json::from_value(table).expect("settings");
    assert_eq!(settings.mistakes(), []);
    let again = ChannelRules::new(settings);
    for told in &found.endpoints {
        let channel = format!("{}/{}-0000001a", told.technology, told.name);
        let is_trunk = matches!(
            again.classify(&channel, None),
            crate::pbx::asterisk::channels::Endpoint::Trunk(_)
        );
        assert_eq!(is_trunk, told.role == Role::Trunk, "{channel}");
    }
    let people: Vec<(&str, &str)> = found
        .employees
        .iter()
        .map(|one| (one.id.as_str(), one.extension.0.as_str()))
        .collect();
    assert_eq!(
        people,
        [
            ("anna", "101"),
            ("boris", "1234567"),
            ("ext-door-left", "door-left")
        ]
    );
    assert_eq!(found.dial_context.as_deref(), Some("from-internal"));
}

#[test]
fn freepbx_is_known_by_its_users_who_have_the_names() {
    let mut listed = findings(vec![
        pjsip("101", "from-internal", "device <101>", "", ("1", "0")),
        pjsip("99101", "from-internal", "device <99101>", "", ("1", "0")),
        pjsip("102", "from-internal", "device <102>", "", ("1", "0")),
    ]);
    listed
        .users
        .insert("101".to_owned(), "Анна Петрова".to_owned());
    listed.users.insert("102".to_owned(), String::new());
    let found = propose(listed, &ChannelRules::default());
    assert_eq!(channels(&found)["profile"], "freepbx");
    let people: Vec<(&str, Option<&str>)> = found
        .employees
        .iter()
        .map(|one| (one.id.as_str(), one.name.as_deref()))
        .collect();
    assert_eq!(
        people,
        [("anna-petrova", Some("Анна Петрова")), ("ext-102", None)]
    );
    assert_eq!(
        one(&found, "99101").extension.as_ref().expect("one").0,
        "101"
    );
    assert!(
        found.remarks[0].contains("AMPUSER/101"),
        "{:?}",
        found.remarks
    );
}

#[test]
fn mikopbx_is_known_by_the_names_of_its_contexts() {
    let found = found(vec![
        pjsip("201", "all_peers", "\"Vera\" <201>", "", ("5", "0")),
        pjsip(
            "SIP-TRUNK-1",
            "1921681012005060-incoming",
            "",
            "x",
            ("0", "1"),
        ),
    ]);
    let table = channels(&found);
    assert_eq!(table["profile"], "mikopbx");
    assert_eq!(
        table["trunk_contexts"],
        serde_json::Value::Null,
        "the profile knows them"
    );
}

#[test]
fn what_the_settings_take_for_something_else_is_seen_and_what_they_name_stays() {
    let now = ChannelRules::new(ChannelSettings {
        profile: Profile::Plain,
        trunks: vec!["mega*".to_owned()],
        extensions: vec!["odd".to_owned()],
        ..ChannelSettings::default()
    });
    let found = propose(
        findings(vec![
            trunk("megafon"),
            pjsip("7701", "", "", "7701", ("0", "1")),
            trunk("odd"),
        ]),
        &now,
    );
    assert_eq!(one(&found, "7701").taken_for, Role::Extension);
    assert_eq!(one(&found, "7701").role, Role::Trunk);
    assert_eq!(one(&found, "odd").role, Role::Extension, "a person said so");
    let table = channels(&found);
    assert_eq!(table["trunks"], serde_json::json!(["mega*", "7701"]));
    assert_eq!(table["extensions"], serde_json::json!(["odd"]));
}

#[test]
fn hostile_names_are_shown_harmlessly_and_are_not_proposed() {
    let name = "x\u{1b}[2J\u{202e}*";
    let found = found(vec![
        trunk("*"),
        trunk(name),
        trunk(&"t".repeat(300)),
        pjsip(
            "101",
            "from-internal",
            "\"\u{1b}]0;evil\u{7}\" <101>",
            "",
            ("1", "0"),
        ),
    ]);
    let text = serde_json::to_string(&found).expect("JSON");
    assert!(
        !text.contains("\\u001b") && !text.contains('\u{202e}'),
        "{text}"
    );
    assert_eq!(channels(&found), serde_json::Value::Null);
    let refused = found
        .remarks
        .iter()
        .filter(|remark| remark.contains("cannot stand in trunks"));
    assert_eq!(refused.count(), 3, "{:?}", found.remarks);
    assert_eq!(found.employees[0].name.as_deref(), Some("]0;evil"));
}

#[test]
fn a_name_of_a_trunk_and_of_a_phone_is_left_to_a_person() {
    let found = found(vec![
        peer(Technology::Iax2, "300", "no", "192.0.2.9"),
        phone("300", "Vera"),
    ]);
    assert_eq!(channels(&found), serde_json::Value::Null);
    assert!(
        found
            .remarks
            .iter()
            .any(|remark| remark.contains("give one of them another name")),
        "{:?}",
        found.remarks
    );
}

#[test]
fn more_trunks_than_the_settings_take_are_counted() {
    let found = found((0..250).map(|n| trunk(&format!("t{n}"))).collect());
    assert_eq!(
        channels(&found)["trunks"].as_array().expect("a list").len(),
        200
    );
    assert!(
        found
            .remarks
            .iter()
            .any(|remark| remark.starts_with("50 more names")),
        "{:?}",
        found.remarks
    );
}

#[test]
fn queues_are_read_with_their_members_and_up_to_a_bound() {
    let member = |queue: &str, location: &str, name: &str| {
        Message::from_pairs([
            ("Event", "QueueMember"),
            ("Queue", queue),
            ("Name", name),
            ("Location", location),
        ])
    };
    let params = |queue: &str| Message::from_pairs([("Event", "QueueParams"), ("Queue", queue)]);
    let items = [
        params("support"),
        member("support", "Local/102@from-queue/n", "Борис"),
        member("support", "PJSIP/101", "PJSIP/101"),
        params("empty"),
        params("more"),
    ];
    let mut listed = findings(vec![
        Device::new(Technology::Pjsip, "101"),
        Device::new(Technology::Pjsip, "102"),
    ]);
    listed.queues = Queue::read_all(&items, 2, 10);
    let found = propose(listed, &ChannelRules::default());
    let told: Vec<(&str, Vec<&str>)> = found
        .queues
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.members.iter().map(String::as_str).collect(),
            )
        })
        .collect();
    assert_eq!(told, [("empty", vec![]), ("support", vec!["101", "102"])]);
    assert_eq!(one(&found, "101").reasons[0], "the queue support rings it");
    let names: Vec<Option<&str>> = found
        .employees
        .iter()
        .map(|one| one.name.as_deref())
        .collect();
    assert_eq!(names, [None, Some("Борис")]);
}

#[test]
fn a_registration_belongs_to_the_endpoint_that_it_names_or_whose_login_it_has() {
    let registration = |endpoint: &str, name: &str, auth: &str| {
        Message::from_pairs([
            ("Event", "OutboundRegistrationDetail"),
            ("Endpoint", endpoint),
            ("ObjectName", name),
            ("OutboundAuth", auth),
        ])
    };
    for (item, ours) in [
        (registration("megafon", "reg-1", "x"), true),
        (registration("beeline", "megafon", "login"), false),
        (registration("", "megafon", "x"), true),
        (registration("", "reg-1", "login"), true),
        (registration("", "reg-1", ""), false),
    ] {
        let mut device = pjsip("megafon", "from-trunk", "", "login", ("0", "1"));
        device.learn_from_registration(&item);
        assert_eq!(device.registers_elsewhere, ours, "{item:?}");
    }
    let entry = Message::from_pairs([
        ("Event", "RegistryEntry"),
        ("Host", "192.0.2.9"),
        ("Username", "u"),
    ]);
    let mut fixed = peer(Technology::Sip, "provider", "no", "192.0.2.9");
    fixed.learn_from_registry(&entry);
    assert!(fixed.registers_elsewhere);
    let mut phone = peer(Technology::Sip, "301", "yes", "192.0.2.9");
    phone.learn_from_registry(&entry);
    assert!(
        !phone.registers_elsewhere,
        "a phone at that address registers itself"
    );
}
