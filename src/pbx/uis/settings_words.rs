//! What each key of a UIS account's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.token",
        "A permanent key of the API. Without it and without `login` notifications are all there is.",
    ),
    (
        "secrets.password",
        "The password of `login`, where there is no key.",
    ),
    (
        "brand",
        "Under what name the account was sold; `uis` where nothing is set. It decides the addresses below.",
    ),
    (
        "time_zone",
        "The zone of the account's times (IANA). Left out: as the account says.",
    ),
    (
        "recordings_site",
        "The site that plays recordings which a report names by their ids.",
    ),
    (
        "login",
        "The API user, where there is no key; its password is the secret `password`.",
    ),
    (
        "data_api",
        "Address of the Data API. Left out: the brand's own.",
    ),
    (
        "call_api",
        "Address of the Call API. Left out: the brand's own.",
    ),
    (
        "poll_min_s",
        "Seconds between two rounds of questions at the least.",
    ),
    (
        "overlap_min",
        "Minutes that each round looks back once more.",
    ),
    (
        "day_share",
        "How much of the account's daily limit of requests may be used, in percent.",
    ),
    (
        "click_to_call",
        "Calls are placed by click. Left out: they are not.",
    ),
    (
        "click_to_call.virtual_number",
        "The company's number that the client sees, with its country code: 74951230000.",
    ),
    (
        "click_to_call.first_call",
        "Whose telephone rings first: `employee` (what counts where nothing is set) or `contact`.",
    ),
    (
        "interactive",
        "How the platform's questions of interactive call processing are answered. Not for `megafon`.",
    ),
    (
        "interactive.reach_by",
        "By what an employee is reached: `phones` (what counts where nothing is set) or `extension`.",
    ),
    (
        "interactive.usual_code",
        "The code that leads to the scenario's usual branch.",
    ),
];
