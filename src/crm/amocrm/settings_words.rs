//! What each key of an account's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.token",
        "A long-lived token, where the account is not let in by OAuth.",
    ),
    (
        "secrets.client_secret",
        "The secret of the integration in `client_id`.",
    ),
    (
        "url",
        "The portal's address, with or without https://: NAME.amocrm.ru.",
    ),
    (
        "rate_per_second",
        "Requests a second, at most 7; more only where a simulator stands in for the portal.",
    ),
    (
        "marker_field",
        "The name of the text field of ours on contacts and deals, by which we find what we made. Left out: Trunkline.",
    ),
    (
        "written_forms",
        "A client who is not found by ten digits is looked for in the ways people write numbers, too: up to six requests more for each unknown number.",
    ),
    (
        "client_id",
        "The id of the integration by which we are let in (docs/authorise-amocrm.md). Left out: by the secret `token`.",
    ),
    (
        "redirect_uri",
        "The address that is registered with the integration, to the letter.",
    ),
    (
        "workplace",
        "The https address of the operators' workplace, for the widget (docs/workplace.md).",
    ),
    (
        "directory",
        "How the clients of the account are kept on the box (docs/directory.md).",
    ),
    ("directory.on", "The clients are kept."),
    (
        "directory.poll_seconds",
        "Seconds between two questions for what changed.",
    ),
    (
        "directory.repair_days",
        "Days after which everything is read again, to find what no change told of.",
    ),
];
