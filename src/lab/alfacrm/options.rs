//! What a simulated account is made of, and what the contract leaves open (crm/alfacrm.md §13).

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A user of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlfaUser {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

impl AlfaUser {
    /// Names a user.
    pub fn new(id: u64, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            email: format!("user{id}@school.ru"),
        }
    }
}

/// A simulated account.
#[derive(Debug, Clone)]
pub struct AlfaOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The profile that may come in.
    pub email: String,
    /// Its key.
    pub api_key: String,
    /// The X-APP-KEY that it wants, where it wants one.
    pub app_key: Option<String>,
    /// How long a token is good: 15 minutes or an hour.
    pub token_life: Duration,
    /// Requests in any sliding second.
    pub rate_per_second: u32,
    /// The zone of its dates.
    pub time_zone: String,
    /// The branches, by id; all are active.
    pub branches: Vec<(u64, String)>,
    /// The users; the first one is the profile that comes in.
    pub users: Vec<AlfaUser>,
    /// The stages of leads, in order.
    pub statuses: Vec<(u64, String)>,
    /// The sources of leads.
    pub sources: Vec<(u64, String)>,
    /// The teachers.
    pub teachers: Vec<(u64, String)>,
    /// The types of payments.
    pub pay_types: Vec<(u64, String)>,
    /// The codes of the additional fields of customers, without prefix.
    pub custom_fields: Vec<String>,
    /// What the contract leaves open.
    pub switches: Switches,
    /// The seed of the fault plan.
    pub fault_seed: u64,
    /// Requests kept in the log.
    pub log_entries_max: usize,
}

impl Default for AlfaOptions {
    fn default() -> Self {
        let named = |list: &[(u64, &str)]| {
            let owned = list.iter().map(|(id, name)| (*id, (*name).to_owned()));
            owned.collect()
        };
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            email: "api@school.ru".to_owned(),
            api_key: "11111111-2222-3333-4444-555555555555".to_owned(),
            app_key: None,
            token_life: Duration::from_secs(3600),
            rate_per_second: 5,
            time_zone: "Europe/Moscow".to_owned(),
            branches: named(&[(1, "Центр"), (2, "Север")]),
            users: vec![
                AlfaUser {
                    email: "api@school.ru".to_owned(),
                    ..AlfaUser::new(501, "Интеграция")
                },
                AlfaUser::new(502, "Анна"),
                AlfaUser::new(503, "Борис"),
                AlfaUser::new(504, "Вера"),
            ],
            statuses: named(&[(3, "Новый"), (5, "Пробный урок"), (7, "Договор")]),
            sources: named(&[(4, "Звонок"), (6, "Сайт")]),
            teachers: named(&[(21, "Роман"), (22, "Ольга")]),
            pay_types: named(&[
                (1, "Доход: оплата занятий"),
                (4, "Возврат"),
                (9, "Доход: продажа товара"),
            ]),
            custom_fields: vec!["gw".to_owned(), "utm".to_owned()],
            switches: Switches::default(),
            fault_seed: 1,
            log_entries_max: 10_000,
        }
    }
}

/// How numbers are compared by the filter `phone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneMatch {
    /// What was typed stands somewhere in the digits.
    Digits,
    /// The digits are the same, with 8 for 7 and without either.
    Whole,
    /// To the letter.
    AsStored,
}

/// Where the wished length of a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageSizeKey {
    /// `per-page` of the query and `pageSize` of the body.
    Both,
    /// `per-page` only.
    Query,
    /// `pageSize` only.
    Body,
    /// Nowhere.
    Nowhere,
}

/// In what order lists come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOrder {
    /// By growing ids.
    Growing,
    /// The newest first.
    Falling,
    /// What was changed last first.
    Changed,
}

/// What the contract leaves open, each its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// The status of a bad key: 401 or 403.
    pub bad_key_status: u16,
    /// A log-in ends the tokens from before.
    pub login_ends_others: bool,
    /// The log-in answers with the bare token.
    pub bare_token: bool,
    /// Records of a page where nothing is wished.
    pub page_size: usize,
    /// Where the wish is read.
    pub page_size_key: PageSizeKey,
    /// Items come as a map by id.
    pub items_as_map: bool,
    /// In what order lists come.
    pub order: ListOrder,
    /// How the filter `phone` compares.
    pub phone_match: PhoneMatch,
    /// Numbers are stored as `+7(910)123-45-67`.
    pub masked_phones: bool,
    /// A list holds the cards of the branch in the address only.
    pub of_branch_only: bool,
    /// Customers have a filter `email`.
    pub email_filter: bool,
    /// Longest name, where there is a limit.
    pub name_max: Option<usize>,
    /// Longest comment, where there is a limit.
    pub comment_max: Option<usize>,
    /// Comments can be changed.
    pub comments_change: bool,
    /// Users who are not there are refused by name.
    pub users_checked: bool,
    /// Errors of the framework come inside of a 200.
    pub errors_in_200: bool,
    /// Numbers come as texts, and flags as "0" and "1".
    pub loose_types: bool,
    /// A 429 says how long to wait.
    pub says_retry_after: bool,
    /// There are funnels, and stages name theirs.
    pub funnels: bool,
    /// The role may see the log.
    pub log_open: bool,
    /// The filter `id` of payments takes several.
    pub pays_by_ids: bool,
    /// Payments can be filtered by when they were changed; else that is ignored.
    pub pays_by_update: bool,
    /// Payments say whether they are confirmed.
    pub pays_say_confirmed: bool,
    /// What is told of a deletion says nothing of what was deleted.
    pub deletes_say_nothing: bool,
}

impl Default for Switches {
    /// The best reading.
    fn default() -> Self {
        Self {
            bad_key_status: 401,
            login_ends_others: false,
            bare_token: false,
            page_size: 50,
            page_size_key: PageSizeKey::Both,
            items_as_map: false,
            order: ListOrder::Falling,
            phone_match: PhoneMatch::Digits,
            masked_phones: true,
            of_branch_only: true,
            email_filter: true,
            name_max: Some(50),
            comment_max: Some(2048),
            comments_change: true,
            users_checked: true,
            errors_in_200: false,
            loose_types: false,
            says_retry_after: false,
            funnels: false,
            log_open: true,
            pays_by_ids: true,
            pays_by_update: true,
            pays_say_confirmed: true,
            deletes_say_nothing: false,
        }
    }
}

impl Switches {
    /// Everything the other way.
    pub fn other() -> Self {
        Self {
            bad_key_status: 403,
            login_ends_others: true,
            bare_token: true,
            page_size: 20,
            page_size_key: PageSizeKey::Nowhere,
            items_as_map: true,
            order: ListOrder::Changed,
            phone_match: PhoneMatch::Whole,
            masked_phones: false,
            of_branch_only: false,
            email_filter: false,
            name_max: None,
            comment_max: None,
            comments_change: false,
            users_checked: false,
            errors_in_200: true,
            loose_types: true,
            says_retry_after: true,
            funnels: true,
            log_open: false,
            pays_by_ids: false,
            pays_by_update: false,
            pays_say_confirmed: false,
            deletes_say_nothing: true,
        }
    }
}
