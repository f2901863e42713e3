//! Who works at the simulated company, and how its VATS behaves where the contract says nothing.

use std::net::SocketAddr;
use std::time::Duration;

/// A user of the VATS.
#[derive(Debug, Clone)]
pub struct User {
    /// What events call it.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// The extension.
    pub ext: String,
    /// The person's own number.
    pub telnum: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

impl User {
    /// A user with an extension alone.
    pub fn new(login: &str, name: &str, ext: &str) -> Self {
        Self {
            login: login.to_owned(),
            name: name.to_owned(),
            ext: ext.to_owned(),
            telnum: None,
            email: None,
        }
    }
}

/// A group of users.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name, as events tell it.
    pub name: String,
    /// Its extension.
    pub ext: String,
    /// Logins of its members.
    pub logins: Vec<String>,
}

/// How a VATS is started.
#[derive(Debug, Clone)]
pub struct VatsOptions {
    /// Where its API listens.
    pub listen: SocketAddr,
    /// The key that its API wants.
    pub api_key: String,
    /// What it proves itself by to the CRM.
    pub crm_token: String,
    /// The company's numbers.
    pub numbers: Vec<String>,
    /// The users.
    pub users: Vec<User>,
    /// The groups.
    pub groups: Vec<Group>,
    /// What the contract leaves open.
    pub switches: Switches,
}

impl Default for VatsOptions {
    fn default() -> Self {
        let users = [
            ("orlova", "Анна Орлова", "510"),
            ("petrov", "Борис Петров", "511"),
            ("sidorova", "Вера Сидорова", "512"),
        ];
        let user = |(login, name, ext): (&str, &str, &str)| User {
            telnum: Some(format!("7495123{ext}0")),
            email: Some(format!("{login}@demo.example")),
            ..User::new(login, name, ext)
        };
        let logins = users.map(|(login, _, _)| login.to_owned()).to_vec();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: "lab-vats-key".to_owned(),
            crm_token: "lab-vats-crm-token".to_owned(),
            numbers: vec!["74951230000".to_owned()],
            users: users.map(user).to_vec(),
            groups: vec![Group {
                id: "1".to_owned(),
                name: "Продажи".to_owned(),
                ext: "700".to_owned(),
                logins,
            }],
            switches: Switches::default(),
        }
    }
}

/// How the client's number is written in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhoneForm {
    /// `79161112233`.
    #[default]
    Digits,
    /// `+79161112233`.
    Plus,
    /// `89161112233`.
    Eight,
}

/// What `makeCall` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MakeCallForm {
    /// `{"callid":…,"clid":…}`.
    #[default]
    Callid,
    /// `{"uuid":…}`.
    Uuid,
    /// `{"CallID":…}`.
    CapitalId,
    /// The bare id.
    Bare,
    /// Nothing.
    Empty,
}

/// Everything that the contract marks as unconfirmed, and the faults that it wants reproduced.
#[derive(Debug, Clone)]
pub struct Switches {
    /// Events say `direction` (missing in the documents of 2017).
    pub direction: bool,
    /// Messages say `diversion`.
    pub diversion: bool,
    /// How the client's number is written.
    pub phone_form: PhoneForm,
    /// The history calls a call as its events did.
    pub uid_is_callid: bool,
    /// `duration` of the message after a call is of the whole call, ringing included.
    pub duration_is_whole: bool,
    /// `user` of a call that nobody took is empty.
    pub nobody_is_empty: bool,
    /// The message after a call is sent.
    pub history_message: bool,
    /// How long after a call it is sent.
    pub history_after: Duration,
    /// How long after a call the history lists it.
    pub listed_after: Duration,
    /// Each message is sent twice.
    pub twice: bool,
    /// Of two events of a call the later one is sent first.
    pub swapped: bool,
    /// The messages of one call are sent by GET.
    pub by_get: bool,
    /// How often a message that was not taken is sent again.
    pub retries: u32,
    /// How long an answer to `contact` is waited for.
    pub contact_within: Duration,
    /// The integration may say who is rung.
    pub routes: bool,
    /// Messages bear another token.
    pub wrong_token: bool,
    /// Fields of the CSV are quoted.
    pub csv_quoted: bool,
    /// What `makeCall` answers.
    pub make_call: MakeCallForm,
    /// An empty list is `null`.
    pub empty_is_null: bool,
    /// `/telnums` exists.
    pub telnums: bool,
    /// Subscriptions to calls of groups, and "do not disturb", can be asked for.
    pub presence: bool,
    /// Times in questions may be RFC 3339, too.
    pub rfc3339: bool,
    /// Requests that are served in any minute; `None` = all.
    pub per_minute: Option<usize>,
    /// Users are listed so many at a time.
    pub page: usize,
    /// A recording wants the key.
    pub record_wants_key: bool,
    /// The API answers nothing but 503.
    pub down: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            direction: true,
            diversion: true,
            phone_form: PhoneForm::Digits,
            uid_is_callid: true,
            duration_is_whole: true,
            nobody_is_empty: false,
            history_message: true,
            history_after: Duration::from_secs(1),
            listed_after: Duration::ZERO,
            twice: false,
            swapped: false,
            by_get: false,
            retries: 0,
            contact_within: Duration::from_secs(2),
            routes: true,
            wrong_token: false,
            csv_quoted: false,
            make_call: MakeCallForm::Callid,
            empty_is_null: true,
            telnums: true,
            presence: true,
            rfc3339: true,
            per_minute: None,
            page: 100,
            record_wants_key: true,
            down: false,
        }
    }
}
