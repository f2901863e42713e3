//! What each key of an account's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.token",
        "The bearer token of the robot for REST, with every scope ticked (S2-01).",
    ),
    (
        "secrets.telephony_token",
        "The token of the application \"API of Planfix for telephony\" (S2-02). May be left out with `telephony_by_setup`.",
    ),
    (
        "secrets.pbx_key",
        "The key of the PBX, as it is typed beside the PBX's address in that application: requests of Planfix for calls carry it (S2-40). Left out: the secret in the address is their proof.",
    ),
    (
        "url",
        "The address for REST, as Planfix shows it: https://NAME.planfix.ru/rest/.",
    ),
    (
        "telephony_url",
        "The address of the telephony API, on the same host. Left out: https://NAME.planfix.ru/tel/api.",
    ),
    (
        "telephony_by_setup",
        "The token of telephony is taken from Planfix itself, which sends it to the PBX's address when the application is switched on. A token that was entered counts before it.",
    ),
    (
        "rate_per_second",
        "REST requests a second. More than one only where a simulator stands in for Planfix.",
    ),
    (
        "requests_a_day",
        "REST requests a day by the plan: 20000, 50000 or 100000.",
    ),
    (
        "time_zone",
        "The time zone of the robot (IANA), by which Planfix reads the dates of filters.",
    ),
    (
        "key_field",
        "The name of the line field, on the contact template and on the task objects, that keeps our key: by it an effect is found again.",
    ),
    (
        "call_time_field",
        "The name of the line field of the data tag \"Call\" that takes the time of a call: events have no place for it. Left out: the time is not told.",
    ),
    (
        "contact_template",
        "The number of the template of contacts that requests and chats make. Left out: Planfix's own.",
    ),
    (
        "contact_wait_seconds",
        "How long a step waits for the contact that Planfix makes of a caller (S2-12).",
    ),
    (
        "without_contact",
        "What becomes of such a step when the contact does not come: `go_on` without it, or `give_up` as a dead letter.",
    ),
    (
        "missed_extension",
        "The short number of the employee under whom a missed call stands for which no telephone rang. Left out: it is told without one.",
    ),
    (
        "directory",
        "How the clients of the account are kept on the box (docs/directory.md).",
    ),
    ("directory.on", "The clients are kept."),
    (
        "directory.poll_seconds",
        "Seconds between two questions for what changed; each takes two requests of the day's quota.",
    ),
    (
        "directory.repair_days",
        "Days after which everything is read again, to find what no change told of.",
    ),
];
