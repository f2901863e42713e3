//! What each key of an account's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.api_key",
        "The key for API v2 (v2api) of the profile in `email`, which must be an administrator's.",
    ),
    (
        "secrets.app_key",
        "The X-APP-KEY that a few new accounts want beside it.",
    ),
    (
        "url",
        "The account's address, with or without https://: NAME.s20.online, or a host of one's own.",
    ),
    (
        "email",
        "The e-mail address of the profile that the key belongs to.",
    ),
    (
        "branch",
        "The id of the branch that new cards, comments and tasks stand in; its cards are used before those of others.",
    ),
    (
        "rate_per_second",
        "Requests a second, at most 5; more only where a simulator stands in for the account.",
    ),
    (
        "time_zone",
        "The zone of the account's dates, which say none. Left out: Europe/Moscow.",
    ),
    (
        "lead_status",
        "The id of the stage of new leads. Left out: not assigned.",
    ),
    (
        "lead_source",
        "The id of the source of new leads. Left out: none.",
    ),
    (
        "marker_field",
        "The code of an additional field of customers (a line) that takes our mark, by which we find what we made. Left out: the mark stands in the note.",
    ),
    (
        "archived",
        "A client who is in the archive only is known by that card; off: gets a new lead.",
    ),
    (
        "written_forms",
        "A client who is not found by ten digits is looked for in two other ways of writing: up to two requests more for each unknown number.",
    ),
    (
        "deals",
        "What of the account comes back as deals (docs/deals.md), where an integration receives them.",
    ),
    (
        "deals.branches",
        "The ids of the branches whose cards and payments are read. Left out: every active one that the role sees.",
    ),
    (
        "deals.income_types",
        "The ids of the types of payments that are income of clients. Left out: 1, payments for lessons.",
    ),
    (
        "deals.first_sale",
        "The sum of a first sale: `first_payment`, the income of the first payment, or `none`.",
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
