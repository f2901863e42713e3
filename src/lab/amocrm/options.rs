//! What a simulated account is made of and how strict it is. Every behaviour that the contract
//! marks as unconfirmed is a switch whose default is what the contract assumes.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything needed to start one simulated account.
#[derive(Debug, Clone)]
pub struct AmoOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// First part of the host name, as in account and hooks.
    pub subdomain: String,
    /// The account's id.
    pub account_id: u64,
    /// IANA name of the account's zone.
    pub timezone: String,
    /// Credentials that exist from the start.
    pub tokens: Tokens,
    /// Requests that one integration may make in any sliding second (crm/amocrm.md §4).
    pub rate_per_second: u32,
    /// Requests that all integrations together may make in any sliding second.
    pub account_rate_per_second: u32,
    /// Violations within a minute after which everything is 403 until lifted; none = never.
    pub block_after_violations: Option<u32>,
    /// Whether the account paid for filters of lists; without, they are ignored in silence.
    pub filters_enabled: bool,
    /// How long a written card stays out of `query`, or is found by its old text.
    pub search_lag: Duration,
    /// What the contract leaves open.
    pub switches: Switches,
    /// The account's users.
    pub users: Vec<UserOptions>,
    /// The account's pipelines; the first is the main one.
    pub pipelines: Vec<PipelineOptions>,
    /// Names of the loss reasons.
    pub loss_reasons: Vec<String>,
    /// Custom fields besides phone and e-mail.
    pub fields: Vec<FieldOptions>,
    /// Requests that the log keeps.
    pub log_entries_max: usize,
    /// Seed of the fault plan.
    pub fault_seed: u64,
    /// What stands for one minute between the attempts of a hook.
    pub hook_minute: Duration,
}

impl Default for AmoOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            subdomain: "demo".into(),
            account_id: 31_000_001,
            timezone: "Europe/Moscow".into(),
            tokens: Tokens::default(),
            rate_per_second: 7,
            account_rate_per_second: 50,
            // The number is not published; ten within a minute is no accident of pacing.
            block_after_violations: Some(10),
            filters_enabled: false,
            search_lag: Duration::from_secs(2),
            switches: Switches::default(),
            users: demo_users(),
            pipelines: demo_pipelines(),
            loss_reasons: vec!["Дорого".into(), "Не дозвонились".into()],
            fields: demo_fields(),
            log_entries_max: 20_000,
            fault_seed: 0,
            hook_minute: Duration::from_secs(60),
        }
    }
}

/// Credentials that exist from the start.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The integrations known to the account.
    pub clients: Vec<ClientOptions>,
    /// Unix time at which the long-lived token of each integration ends.
    pub long_lived_until: i64,
    /// Life of an access token (24 h at amoCRM).
    pub access_ttl: Duration,
    /// Life of a refresh token (three months at amoCRM).
    pub refresh_ttl: Duration,
}

/// An integration that may ask for tokens.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: String,
    /// The registered address, compared exactly.
    pub redirect_uri: String,
    /// The user who issued the tokens: index into the users.
    pub user: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            clients: vec![
                ClientOptions {
                    client_id: "6a1d0c5e-0000-4000-8000-000000000001".into(),
                    client_secret: "lab-secret".into(),
                    redirect_uri: "https://box.example/amo".into(),
                    user: 0,
                },
                // One that leads back to where a daemon of this name listens for it.
                ClientOptions {
                    client_id: "6a1d0c5e-0000-4000-8000-000000000002".into(),
                    client_secret: "lab-secret-of-the-way-back".into(),
                    redirect_uri: "https://box.example/oauth/amocrm".into(),
                    user: 0,
                },
            ],
            // 2033-05-18: far, and the same token text on every start.
            long_lived_until: 2_000_000_000,
            access_ttl: Duration::from_secs(86_400),
            refresh_ttl: Duration::from_secs(90 * 86_400),
        }
    }
}

/// A user of the account.
#[derive(Debug, Clone)]
pub struct UserOptions {
    /// The user's id.
    pub id: u64,
    /// Shown name.
    pub name: String,
    /// Log-in.
    pub email: String,
    /// The telephone on the user's page, if any.
    pub phone_number: Option<String>,
    /// Whether administrator.
    pub is_admin: bool,
    /// False for a deactivated one.
    pub is_active: bool,
}

impl UserOptions {
    /// An active employee without special rights.
    pub fn employee(id: u64, name: &str) -> Self {
        Self {
            id,
            name: name.into(),
            email: format!("user{id}@demo.example"),
            phone_number: None,
            is_admin: false,
            is_active: true,
        }
    }
}

/// A pipeline with its own stages; 142, 143 and the unsorted stage come by themselves.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// The pipeline's id; its unsorted stage is id + 1, the ordinary ones follow.
    pub id: u64,
    /// Shown name.
    pub name: String,
    /// Whether it takes incoming leads.
    pub is_unsorted_on: bool,
    /// Whether archived.
    pub is_archive: bool,
    /// Names of the ordinary stages.
    pub stages: Vec<String>,
}

/// A custom field.
#[derive(Debug, Clone)]
pub struct FieldOptions {
    /// `leads`, `contacts` or `companies`.
    pub entity: String,
    /// The field's id.
    pub id: u64,
    /// Shown name.
    pub name: String,
    /// A type of crm/amocrm.md §7.
    pub kind: String,
    /// Code, where it has one.
    pub code: Option<String>,
    /// Options of a choice.
    pub options: Vec<String>,
}

/// What an account does with a second unsorted record of the same `source_uid` or `uniq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedUnsorted {
    /// Takes it as another one.
    Accept,
    /// Refuses it.
    Reject,
    /// Takes it and puts the tag "duplicate" on both.
    Tag,
}

/// What an account does with a second call of the same `uniq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedUniq {
    /// Stores it as another one.
    Store,
    /// Refuses the item.
    Reject,
}

/// What the old host of a renamed account answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenamedHost {
    /// 404 with a page.
    NotFound,
    /// 401, as to an integration that it does not know.
    Unauthorized,
    /// A redirect to the new host.
    Redirect,
}

/// Behaviours that the contract marks as unconfirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// A spent refresh token still works for so many seconds (§2; assume none).
    pub refresh_grace_s: u32,
    /// A 400 for a partly invalid batch has stored the valid items (§3).
    pub invalid_batch_stores_valid_items: bool,
    /// Explicit null is refused everywhere and not only in note parameters (§3, §21.6).
    pub nulls_refused_everywhere: bool,
    /// A key that the contract does not name is refused; otherwise it is counted as an oddity.
    pub unknown_keys_refused: bool,
    /// Requests answered with 429 count in the sliding second.
    pub refused_requests_count: bool,
    /// Lists answer 304 to `If-Modified-Since` (§4).
    pub if_modified_since: bool,
    /// `next` is given also when the next page is empty (§5).
    pub next_to_empty_page: bool,
    /// Deactivated users are listed (§6).
    pub deactivated_users_listed: bool,
    /// A deactivated user is refused as responsible.
    pub deactivated_responsible_refused: bool,
    /// A phone or e-mail without `enum_code` becomes WORK (§7).
    pub multitext_defaults_to_work: bool,
    /// `values` that are null or empty clear the field (§7).
    pub empty_values_clear: bool,
    /// PATCH replaces the whole value set of a field it names (§7).
    pub patch_replaces_values: bool,
    /// `query` made of digits also finds phones stored with spaces and brackets (§8).
    pub search_reads_digits_of_phones: bool,
    /// Values are read with `enum` besides `enum_code` (§21.5).
    pub values_also_carry_enum: bool,
    /// A contact inside an unsorted record can be read by its id (§10).
    pub waiting_card_readable_by_id: bool,
    /// A lead inside an unsorted record stands in the list of leads (§10).
    pub waiting_leads_listed: bool,
    /// What becomes of an unsorted record that is there already (§10).
    pub repeated_unsorted: RepeatedUnsorted,
    /// An empty list of unsorted records is 204 (§10).
    pub empty_unsorted_list_is_204: bool,
    /// Accepting what was accepted or declined before is 404 (§10).
    pub processed_unsorted_is_404: bool,
    /// Numbers in the metadata of unsorted records are read as text (§10).
    pub metadata_numbers_as_text: bool,
    /// The call event of an unsorted record stands on the lead, not on the contact.
    pub unsorted_call_on_lead: bool,
    /// `/calls` answers 200 when some items matched a card and some did not (§11).
    pub mixed_calls_answer_200: bool,
    /// `/calls` finds contacts inside unsorted records (§11).
    pub calls_match_waiting_contacts: bool,
    /// What becomes of a call with a `uniq` that is stored already (§16).
    pub repeated_uniq: RepeatedUniq,
    /// The note of a call can be changed (§11: `PATCH` is listed for notes in general).
    pub call_notes_change: bool,
    /// The parameters of a changed note are laid over the stored ones; otherwise they take their
    /// place (§11).
    pub changed_params_merge: bool,
    /// Linking what is linked already is a success (§16).
    pub repeated_link_succeeds: bool,
    /// Duplicate control of `leads/complex` is on for this integration (§9).
    pub duplicate_control: bool,
    /// The audit feed tells of a merged card that it was deleted, too.
    pub merge_tells_deletion: bool,
    /// `responsible_*` hooks name the former responsible (§14).
    pub hooks_name_old_responsible: bool,
    /// Subscribing again enables a disabled hook (§14).
    pub resubscribing_enables_hook: bool,
    /// A long-lived token carries `exp` (§2).
    pub long_lived_token_has_exp: bool,
    /// What the old host of a renamed account answers (§2: 404 or 401).
    pub renamed_host: RenamedHost,
    /// A popup for a user who is unknown or deactivated is refused; else such users are passed
    /// over (§12 does not say).
    pub popup_users_are_checked: bool,
    /// A popup is answered with 204 and no body (§12 shows a body).
    pub popup_answer_is_empty: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            refresh_grace_s: 0,
            invalid_batch_stores_valid_items: false,
            nulls_refused_everywhere: true,
            unknown_keys_refused: false,
            refused_requests_count: true,
            if_modified_since: false,
            next_to_empty_page: true,
            deactivated_users_listed: true,
            deactivated_responsible_refused: true,
            multitext_defaults_to_work: true,
            empty_values_clear: true,
            patch_replaces_values: true,
            search_reads_digits_of_phones: false,
            values_also_carry_enum: false,
            waiting_card_readable_by_id: true,
            waiting_leads_listed: false,
            repeated_unsorted: RepeatedUnsorted::Accept,
            empty_unsorted_list_is_204: true,
            processed_unsorted_is_404: true,
            metadata_numbers_as_text: true,
            unsorted_call_on_lead: true,
            mixed_calls_answer_200: true,
            calls_match_waiting_contacts: false,
            repeated_uniq: RepeatedUniq::Store,
            call_notes_change: true,
            changed_params_merge: true,
            repeated_link_succeeds: true,
            duplicate_control: false,
            merge_tells_deletion: true,
            hooks_name_old_responsible: true,
            resubscribing_enables_hook: true,
            long_lived_token_has_exp: true,
            renamed_host: RenamedHost::NotFound,
            popup_users_are_checked: false,
            popup_answer_is_empty: false,
        }
    }
}

fn demo_users() -> Vec<UserOptions> {
    let admin = UserOptions {
        is_admin: true,
        ..UserOptions::employee(501, "Ольга Иванова")
    };
    let left = UserOptions {
        is_active: false,
        ..UserOptions::employee(505, "Павел Уволенный")
    };
    vec![
        admin,
        UserOptions::employee(502, "Пётр Петров"),
        UserOptions::employee(503, "Семён Сидоров"),
        UserOptions::employee(504, "Анна Кузнецова"),
        left,
    ]
}

fn demo_pipelines() -> Vec<PipelineOptions> {
    let pipeline = |id, name: &str, is_unsorted_on, stages: &[&str]| PipelineOptions {
        id,
        name: name.into(),
        is_unsorted_on,
        is_archive: false,
        stages: stages.iter().map(|s| (*s).to_owned()).collect(),
    };
    vec![
        pipeline(3100, "Продажи", true, &["Первичный контакт", "Переговоры"]),
        pipeline(3200, "Сервис", false, &["Заявка", "В работе"]),
    ]
}

fn demo_fields() -> Vec<FieldOptions> {
    let field =
        |entity: &str, id, name: &str, kind: &str, code: &str, options: &[&str]| FieldOptions {
            entity: entity.into(),
            id,
            name: name.into(),
            kind: kind.into(),
            code: (!code.is_empty()).then(|| code.to_owned()),
            options: options.iter().map(|o| (*o).to_owned()).collect(),
        };
    vec![
        field("contacts", 35, "Должность", "text", "POSITION", &[]),
        field("contacts", 36, "Согласие", "checkbox", "", &[]),
        field("leads", 41, "Источник звонка", "text", "", &[]),
        field(
            "leads",
            42,
            "Канал",
            "select",
            "",
            &["Сайт", "Звонок", "Визит"],
        ),
        field("leads", 43, "Интересы", "multiselect", "", &["А", "Б", "В"]),
        field("leads", 44, "Бюджет", "numeric", "", &[]),
        field("leads", 45, "Дата визита", "date_time", "", &[]),
        field(
            "leads",
            46,
            "utm_source",
            "tracking_data",
            "UTM_SOURCE",
            &[],
        ),
        field("companies", 55, "Сайт", "url", "WEB", &[]),
    ]
}
