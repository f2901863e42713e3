//! The CRM under torture, whichever it is.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;

use super::found::Found;
use super::profile::Profile;
use crate::lab::alfacrm::{self, AlfaLab, AlfaOptions, AlfaUser};
use crate::lab::amocrm::{self, AmoHandle, AmoLab, AmoOptions, Tokens};
use crate::lab::bitrix24::{self, BitrixHandle, BitrixLab, BitrixOptions, Limits, UserOptions};
use crate::lab::fault::FaultPlan;
use crate::lab::planfix::{self, PlanfixLab, PlanfixOptions};

/// What the simulated amoCRM account permits all integrations together: only ours is there.
const ACCOUNT_RATE_PER_SECOND: u32 = 1_000;
/// The integration's id in the simulated amoCRM account, as the tenant's configuration has it.
const AMO_CLIENT: &str = "6a1d0c5e-0000-4000-8000-000000000001";
/// Who permits it, and whom new records go to: the administrator of either CRM.
pub(super) const ADMINISTRATOR: u64 = 501;

/// The fault by which a batch ends in the middle.
const HALF_A_BATCH: &str = "partial_batch";

/// Which CRM is tortured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CrmKind {
    /// An amoCRM account.
    Amocrm,
    /// A Bitrix24 portal.
    Bitrix24,
    /// A Planfix account.
    Planfix,
    /// An AlfaCRM account.
    Alfacrm,
}

/// The CRM under torture.
pub(super) enum Crm {
    Amocrm(AmoLab),
    Bitrix24(BitrixLab),
    Planfix(PlanfixLab),
    Alfacrm(AlfaLab),
}

/// Lets the daemon in, from any task.
#[derive(Clone)]
pub(super) enum Doorkeeper {
    Amocrm(AmoHandle),
    Bitrix24(BitrixHandle),
    /// Its tokens do not end.
    Planfix,
    Alfacrm,
}

impl Doorkeeper {
    /// Makes an authorization code, as the CRM's page would.
    pub(super) fn issue_code(&self) -> String {
        match self {
            Self::Amocrm(account) => account.issue_code(AMO_CLIENT, ADMINISTRATOR),
            Self::Bitrix24(portal) => {
                let application = portal.options().applications.first();
                let client_id = application.map_or("", |app| app.client_id.as_str());
                portal.issue_code(client_id, ADMINISTRATOR)
            }
            Self::Planfix => String::new(),
            // Its key is good for ever.
            Self::Alfacrm => String::new(),
        }
    }
}

impl Crm {
    pub(super) async fn start(kind: CrmKind, profile: &Profile) -> anyhow::Result<Self> {
        match kind {
            CrmKind::Amocrm => {
                let account = amocrm::start(amo_options(profile)).await;
                let account = account.context("start the simulated amoCRM")?;
                Ok(Self::Amocrm(account))
            }
            CrmKind::Bitrix24 => {
                let portal = bitrix24::start(portal_options(profile)).await;
                let portal = portal.context("start the simulated Bitrix24")?;
                Ok(Self::Bitrix24(portal))
            }
            CrmKind::Planfix => {
                let account = planfix::start(planfix_options(profile)).await;
                let account = account.context("start the simulated Planfix")?;
                Ok(Self::Planfix(account))
            }
            CrmKind::Alfacrm => {
                let account = alfacrm::start(alfa_options(profile)).await;
                let account = account.context("start the simulated AlfaCRM")?;
                Ok(Self::Alfacrm(account))
            }
        }
    }

    pub(super) fn base_url(&self) -> String {
        match self {
            Self::Amocrm(account) => account.base_url(),
            Self::Bitrix24(portal) => portal.base_url(),
            Self::Planfix(account) => account.base_url(),
            Self::Alfacrm(account) => account.base_url(),
        }
    }

    pub(super) fn doorkeeper(&self) -> Doorkeeper {
        match self {
            Self::Amocrm(account) => Doorkeeper::Amocrm(account.handle()),
            Self::Bitrix24(portal) => Doorkeeper::Bitrix24(portal.handle()),
            Self::Planfix(_) => Doorkeeper::Planfix,
            Self::Alfacrm(_) => Doorkeeper::Alfacrm,
        }
    }

    pub(super) fn set_faults(&self, plan: FaultPlan) {
        match self {
            Self::Amocrm(account) => account.set_faults(plan),
            Self::Bitrix24(portal) => portal.set_faults(plan),
            Self::Planfix(account) => account.set_faults(plan),
            Self::Alfacrm(account) => account.set_faults(plan),
        }
    }

    /// Returns how many requests have arrived and are not answered yet.
    pub(super) fn under_way(&self) -> usize {
        match self {
            Self::Amocrm(account) => account.under_way(),
            Self::Bitrix24(portal) => portal.under_way(),
            Self::Planfix(account) => account.under_way(),
            Self::Alfacrm(account) => account.under_way(),
        }
    }

    /// Returns what it holds.
    pub(super) fn found(&self) -> Found {
        match self {
            Self::Amocrm(account) => Found::from(&account.oracle()),
            Self::Bitrix24(portal) => {
                let struck = portal.log_counters().by_fault;
                let broken_off = struck.get(HALF_A_BATCH).copied().unwrap_or(0);
                let broken_off = usize::try_from(broken_off).unwrap_or(usize::MAX);
                Found::of_portal(&portal.oracle(), broken_off)
            }
            Self::Planfix(account) => Found::from(&account.oracle()),
            Self::Alfacrm(account) => Found::from(&account.oracle()),
        }
    }

    /// Returns how many requests came above what it permits.
    pub(super) fn rate_violations(&self) -> u64 {
        match self {
            Self::Amocrm(account) => account.counters().rate_violations,
            Self::Bitrix24(portal) => {
                let counters = portal.counters();
                counters.rate_violations + counters.operating_violations
            }
            Self::Planfix(account) => account.counters().rate_violations,
            Self::Alfacrm(account) => account.counters().rate_violations,
        }
    }

    /// Returns how many refresh tokens were sent again.
    pub(super) fn spent_tokens_reused(&self) -> u64 {
        match self {
            Self::Amocrm(account) => account.counters().spent_tokens_reused,
            Self::Bitrix24(portal) => portal.counters().spent_tokens_reused,
            Self::Planfix(_) => 0,
            // There is nothing that may be sent but once.
            Self::Alfacrm(_) => 0,
        }
    }

    /// Says what was sent, and what befell it.
    pub(super) fn traffic(&self) -> String {
        let (log, most) = match self {
            Self::Amocrm(account) => {
                let most = account.counters().requests_per_second_max;
                (
                    account.log_counters(),
                    format!("at most {most} in a second"),
                )
            }
            Self::Bitrix24(portal) => {
                let oracle = portal.oracle();
                let left_behind = oracle.left_behind().count();
                let counters = oracle.counters;
                let commands = counters.batch_commands;
                let most = format!(
                    "{commands} commands in {} batches, at most {} requests in the bucket; \
                     {left_behind} registrations of old calls that half a batch left behind, of which \
                     nothing shows",
                    counters.batches, counters.bucket_most
                );
                (portal.log_counters(), most)
            }
            Self::Planfix(account) => {
                let oracle = account.oracle();
                let twice = oracle.calls.len() - oracle.calls_once().len();
                let counters = oracle.counters;
                let most = format!(
                    "{} of them to REST, {} events of telephony; {twice} calls told twice, of which \
                     nobody can find out; odd {:?}",
                    counters.used_today, counters.events, counters.oddities
                );
                (account.log_counters(), most)
            }
            Self::Alfacrm(account) => {
                let counters = account.counters();
                let most = format!(
                    "{} log-ins, at most {} in a second",
                    counters.logins, counters.requests_per_second_max
                );
                (account.log_counters(), most)
            }
        };
        format!(
            "{} requests, faults {:?}, {most}",
            log.arrived, log.by_fault
        )
    }
}

fn amo_options(profile: &Profile) -> AmoOptions {
    AmoOptions {
        rate_per_second: profile.rate_per_second,
        account_rate_per_second: ACCOUNT_RATE_PER_SECOND,
        tokens: Tokens {
            access_ttl: profile.access_ttl,
            ..Tokens::default()
        },
        // A violation is to be counted; a blocked account would only end everything.
        block_after_violations: None,
        ..AmoOptions::default()
    }
}

/// An account with the users of the tenant's configuration; the profile that comes in is the
/// administrator's.
fn alfa_options(profile: &Profile) -> AlfaOptions {
    let users = [(502, "Anna"), (503, "Boris"), (504, "Vera")];
    let users = users.map(|(id, name)| AlfaUser::new(id, name));
    let options = AlfaOptions::default();
    let administrator = AlfaUser {
        email: options.email.clone(),
        ..AlfaUser::new(ADMINISTRATOR, "Olga")
    };
    AlfaOptions {
        rate_per_second: profile.rate_per_second,
        token_life: profile.access_ttl,
        users: std::iter::once(administrator).chain(users).collect(),
        ..options
    }
}

/// A portal with the users of the tenant's configuration, which are those of amoCRM's.
fn portal_options(profile: &Profile) -> BitrixOptions {
    let employee = |id, name, number| UserOptions::employee(id, name, "Lab", number);
    BitrixOptions {
        limits: Limits {
            drain_per_second: profile.rate_per_second,
            ..Limits::default()
        },
        access_ttl: profile.access_ttl.max(PORTAL_ACCESS_TTL_MIN),
        webhooks: Vec::new(),
        users: vec![
            UserOptions {
                is_admin: true,
                ..employee(ADMINISTRATOR, "Olga", "100")
            },
            employee(502, "Anna", "101"),
            employee(503, "Boris", "102"),
            employee(504, "Vera", "103"),
        ],
        ..BitrixOptions::default()
    }
}

/// An account with the users of the tenant's configuration.
fn planfix_options(profile: &Profile) -> PlanfixOptions {
    let employee = |id, name, number| planfix::UserOptions::employee(id, name, "Lab", number);
    PlanfixOptions {
        per_second: Some(profile.rate_per_second),
        per_day: u64::from(u32::MAX),
        users: vec![
            employee(ADMINISTRATOR, "Olga", "100"),
            employee(502, "Anna", "101"),
            employee(503, "Boris", "102"),
            employee(504, "Vera", "103"),
        ],
        ..PlanfixOptions::default()
    }
}

/// The daemon counts a token as used up ten seconds before its end, so that a shorter life would
/// be none.
const PORTAL_ACCESS_TTL_MIN: Duration = Duration::from_secs(13);
