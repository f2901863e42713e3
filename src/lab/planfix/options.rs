//! What an account is made of unless a script says otherwise: the company "acme".

use std::net::SocketAddr;

use super::switches::Switches;

/// What an account is started with.
#[derive(Debug, Clone)]
pub struct PlanfixOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The robot's token.
    pub rest_token: String,
    /// The token of the telephony application.
    pub telephony_token: String,
    /// The key of the PBX, as typed in the application.
    pub pbx_token: String,
    /// The address of the PBX, as typed there; none = not typed.
    pub pbx_url: Option<String>,
    /// The scopes that were not ticked for the robot's token.
    pub missing_scopes: Vec<&'static str>,
    /// The people.
    pub users: Vec<UserOptions>,
    /// The objects of tasks.
    pub objects: Vec<ObjectOptions>,
    /// The additional fields.
    pub fields: Vec<FieldOptions>,
    /// The line field of the data tag of calls that takes a time, if there is one.
    pub call_time_field: Option<String>,
    /// Requests a second that REST permits; none = any number.
    pub per_second: Option<u32>,
    /// Requests a day that REST permits.
    pub per_day: u64,
    /// The open facts.
    pub switches: Switches,
    /// Requests that the log keeps.
    pub log_entries_max: usize,
    /// The seed of faults by chance.
    pub fault_seed: u64,
    /// How long a minute of scenarios is that wait or repeat.
    pub hook_minute: std::time::Duration,
}

/// A user.
#[derive(Debug, Clone)]
pub struct UserOptions {
    /// The number.
    pub id: u64,
    /// First name.
    pub name: String,
    /// Surname.
    pub lastname: String,
    /// The short number.
    pub short_number: Option<String>,
    /// The own telephone.
    pub phone: Option<String>,
    /// The user may log in.
    pub is_active: bool,
}

/// An object of tasks.
#[derive(Debug, Clone)]
pub struct ObjectOptions {
    /// The number, which is the template's, too.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The statuses.
    pub statuses: Vec<StatusOptions>,
}

/// A status.
#[derive(Debug, Clone)]
pub struct StatusOptions {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: String,
    /// Tasks in it are worked on.
    pub is_active: bool,
}

/// An additional field.
#[derive(Debug, Clone)]
pub struct FieldOptions {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: String,
    /// Of tasks; else of contacts.
    pub of_tasks: bool,
    /// The type (§2.2).
    pub kind: i64,
    /// The templates that it is attached to; empty = every one.
    pub attached_to: Vec<u64>,
    /// It is attached to nothing: what is written is swallowed.
    pub is_loose: bool,
}

impl UserOptions {
    /// An employee.
    pub fn employee(id: u64, name: &str, lastname: &str, short_number: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            lastname: lastname.to_owned(),
            short_number: (!short_number.is_empty()).then(|| short_number.to_owned()),
            phone: None,
            is_active: true,
        }
    }
}

impl FieldOptions {
    /// A line.
    pub fn line(id: u64, name: &str, of_tasks: bool) -> Self {
        Self {
            id,
            name: name.to_owned(),
            of_tasks,
            kind: 0,
            attached_to: Vec::new(),
            is_loose: false,
        }
    }
}

fn object(id: u64, name: &str) -> ObjectOptions {
    let status = |id, name: &str, is_active| StatusOptions {
        id,
        name: name.to_owned(),
        is_active,
    };
    ObjectOptions {
        id,
        name: name.to_owned(),
        statuses: vec![
            status(1, "Новая", true),
            status(2, "В работе", true),
            status(6, "Сделка успешна", false),
            status(120, "Отказ", false),
        ],
    }
}

impl Default for PlanfixOptions {
    fn default() -> Self {
        let left = UserOptions {
            is_active: false,
            ..UserOptions::employee(9, "Павел", "Уволенный", "")
        };
        let number = FieldOptions {
            kind: 1,
            ..FieldOptions::line(1042, "Сумма", true)
        };
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            rest_token: "lab-planfix-rest".to_owned(),
            telephony_token: "lab-planfix-telephony".to_owned(),
            pbx_token: "lab-pbx-key".to_owned(),
            pbx_url: Some("https://box.example/crm/planfix".to_owned()),
            missing_scopes: Vec::new(),
            users: vec![
                UserOptions::employee(5, "Анна", "Петрова", "101"),
                UserOptions::employee(6, "Борис", "Сидоров", "102"),
                UserOptions::employee(7, "Вера", "Кузнецова", "103"),
                left,
            ],
            objects: vec![object(101, "Продажа"), object(102, "Сервис")],
            fields: vec![
                FieldOptions::line(310, "trunkline", false),
                FieldOptions::line(311, "Источник", false),
                FieldOptions::line(1050, "trunkline", true),
                FieldOptions::line(1051, "Источник", true),
                number,
            ],
            call_time_field: Some("Время звонка".to_owned()),
            per_second: Some(1),
            per_day: 20_000,
            switches: Switches::default(),
            log_entries_max: 2_000,
            fault_seed: 1,
            hook_minute: std::time::Duration::from_secs(60),
        }
    }
}
