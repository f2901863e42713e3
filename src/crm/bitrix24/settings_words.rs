//! What each key of an account's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.token",
        "The address of an incoming webhook, where the account is not let in by an application.",
    ),
    (
        "secrets.client_secret",
        "The key of the application in `client_id`.",
    ),
    (
        "url",
        "The portal's address, with or without https://: NAME.bitrix24.ru, or the host of a box of one's own.",
    ),
    (
        "plan",
        "The portal's plan, which sets its limit of requests: `standard` where nothing is set.",
    ),
    (
        "rate_per_second",
        "Requests a second in the long run. Left out: the plan's limit. More only where a simulator stands in for the portal.",
    ),
    (
        "client_id",
        "The id of the application by which we are let in (docs/connect-bitrix24.md). Left out: by the secret `token`.",
    ),
    (
        "redirect_uri",
        "The return address that is registered with the application. Left out: the portal shows a code to paste.",
    ),
    (
        "oauth_host",
        "The vendor's authorisation server; oauth.bitrix.info where nothing is set.",
    ),
    (
        "workplace",
        "The https address of the operators' workplace, shown in the portal's menu (docs/workplace.md).",
    ),
    (
        "recordings",
        "How recordings come into the portal: `link` has it fetch them from public_url, `upload` hands it the files, `automatic`, where nothing is set, does the first where there is a public_url and else the second.",
    ),
    (
        "message_in_chat",
        "Whose call it was gets a message about it in the portal's chat (V-14); off where nothing is set.",
    ),
    (
        "number_as_line",
        "The company's number that was called, or shown, is the call's line in the portal's statistics (V-14); off where nothing is set. The portal makes a line of every new number.",
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
