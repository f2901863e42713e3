//! What each key of a VATS's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.crm_token",
        "The key by which the VATS proves itself, from its cabinet.",
    ),
    (
        "secrets.crm_token_previous",
        "The key before it, while one replaces the other.",
    ),
    (
        "secrets.api_key",
        "The key for the VATS's own API; belongs to `address`.",
    ),
    (
        "address",
        "Address of the VATS's own API, from its cabinet. Left out: it is not asked, and no call is placed.",
    ),
    ("api", "Which generation of the API it is."),
    ("history_times", "How the history writes times."),
    (
        "history_poll_s",
        "Seconds between two questions for the history.",
    ),
    (
        "history_overlap_s",
        "Seconds of the history that are asked for once more.",
    ),
    (
        "employees",
        "What the configuration calls an employee: by what the VATS names people.",
    ),
    (
        "responsible",
        "What the VATS is told of who shall be rung: `login` (what counts where nothing is set), `extension`, the employee's own `number`, or `nobody`.",
    ),
    (
        "contact_within_ms",
        "Milliseconds within which the answer to who shall be rung must be there.",
    ),
    (
        "history_wait_s",
        "Seconds that a call waits for its history.",
    ),
    (
        "ring_s_max",
        "Seconds of silence after which a call that nobody answered is over.",
    ),
    (
        "talk_s_max",
        "Seconds of silence after which a call that somebody answered is over.",
    ),
    (
        "originate",
        "Calls are placed by click; needs `address`. Left out: they are not.",
    ),
    (
        "originate.clid",
        "The number that the client sees, in digits.",
    ),
];
