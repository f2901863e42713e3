//! What each key of an Asterisk's settings is for.

pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "secrets.secret",
        "The password of the AMI user, as in `manager.conf`.",
    ),
    (
        "secrets.log_password",
        "The password of the database account in `log.username`; needed where `log` is a table of a database.",
    ),
    ("host", "Name or address of the Asterisk."),
    ("port", "Port of AMI. Left out: 5038, with `tls` 5039."),
    (
        "username",
        "The AMI user: the section's name in `manager.conf`.",
    ),
    (
        "login",
        "How the password is proved. `md5` (what counts where nothing is set) sends it only over TLS and only to a PBX without challenges; `plain` sends it.",
    ),
    (
        "tls",
        "TLS to AMI; an empty table trusts whom the operating system trusts.",
    ),
    (
        "tls.server_name",
        "The name that the certificate must be for. Left out: `host`.",
    ),
    (
        "tls.ca",
        "File of the authorities that sign the certificate, in PEM.",
    ),
    (
        "tls.certificate_sha256",
        "The fingerprint of the one certificate that is trusted, in hexadecimal digits. Excludes `ca`.",
    ),
    (
        "connect_timeout_s",
        "Seconds that making the connection may take, TLS included.",
    ),
    (
        "keep_alive_s",
        "Seconds of silence after which the PBX is asked whether it is there.",
    ),
    ("reply_deadline_s", "Seconds that an answer may take."),
    (
        "linger_ms",
        "Milliseconds that a call waits for late events after its last channel.",
    ),
    (
        "events",
        "The classes of events that are asked for; `call` must be among them. Left out: system, call, agent, user, cdr.",
    ),
    (
        "channels",
        "Which channels are trunks and which are extensions (docs/connect-asterisk.md).",
    ),
    (
        "channels.profile",
        "Whose Asterisk it is: how FreePBX and MikoPBX name channels and contexts is known.",
    ),
    (
        "channels.trunks",
        "Names of trunks, `*` for any characters.",
    ),
    (
        "channels.extensions",
        "Names of extensions' devices, `*` for any characters.",
    ),
    (
        "channels.trunk_contexts",
        "Contexts in which calls from outside begin.",
    ),
    (
        "channels.extension_digits_min",
        "Digits of the shortest extension.",
    ),
    (
        "channels.extension_digits_max",
        "Digits of the longest extension.",
    ),
    (
        "originate",
        "Calls are placed by click: an employee is connected with a number. Left out: they are not.",
    ),
    (
        "originate.channel",
        "The employee's device, with `{extension}` in it. Left out: `PJSIP/{extension}`.",
    ),
    (
        "originate.context",
        "The context in which the client's number is dialled.",
    ),
    (
        "originate.dial_prefix",
        "Stands before the number: digits, `+`, `*` and `#`.",
    ),
    (
        "originate.dial_format",
        "How the number is dialled: `plus` is +79161234567, `digits` (what counts where nothing is set) 79161234567, `national` 89161234567.",
    ),
    (
        "originate.ring_timeout_s",
        "Seconds that the employee's telephone rings.",
    ),
    (
        "originate.always_variable",
        "The channel variable that takes a number which is always shown (`click_to_call.always_show`). Left out: `TRUNKCIDOVERRIDE`, as FreePBX knows it.",
    ),
    (
        "log",
        "The PBX's own log, from which calls are taken that came and went while Trunkline was away (docs/pbx-log.md).",
    ),
    (
        "log.kind",
        "Which log it is: a file of `cel_custom` or `cdr_csv`, or FreePBX's table `cel_table` or `cdr_table` in MariaDB.",
    ),
    (
        "log.path",
        "The file's whole path. Left out: where Asterisk and FreePBX keep it.",
    ),
    (
        "log.columns",
        "The columns of a line of `cel_custom`, in order. Left out: those of Asterisk's sample.",
    ),
    (
        "log.time_zone",
        "The zone that times are written in (IANA). Left out: the box's own, or UTC.",
    ),
    (
        "log.grace_s",
        "Seconds that the record of a call that is over is waited for.",
    ),
    (
        "log.host",
        "Name or address of the database. Left out: 127.0.0.1.",
    ),
    ("log.port", "Port of the database."),
    (
        "log.username",
        "The account of the database that may read the table.",
    ),
    ("log.database", "The database. Left out: asteriskcdrdb."),
    (
        "log.table",
        "The table. Left out: `cel` or `cdr`, as `log.kind` says.",
    ),
    (
        "astdb_mirror",
        "A copy of the answers to \"who should this caller reach?\" in the PBX's own database (docs/dialplan.md).",
    ),
    (
        "astdb_mirror.clients_max",
        "Clients in the copy at the most.",
    ),
    (
        "astdb_mirror.trusted_hours",
        "Hours for which the dialplan may use the copy after Trunkline was last in step with it.",
    ),
];
