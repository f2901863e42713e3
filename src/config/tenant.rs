//! Checks one file of `tenants.d`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jiff::tz::TimeZone;

use crate::crm::registry::CrmKind;
use crate::model::ids::TenantId;
use crate::model::phone::Region;
use crate::model::seal::StoreKey;
use crate::pbx::registry::SourceKind;

use super::account;
use super::answering;
use super::configuration::Tenant;
use super::fingerprint::FingerprintBuilder;
use super::integration::{self, Joined};
use super::key_path::KeyPath;
use super::mistake::Findings;
use super::names::{self, Declared};
use super::people::{self, Referred};
use super::raw::{RawTenant, RawTenantFile};
use super::reading::Places;
use super::secret_place::{Environment, Opener};
use super::source;

/// The kinds of sources and CRMs that a configuration may name.
#[derive(Clone, Copy)]
pub struct Registries<'a> {
    /// Kinds of sources.
    pub sources: &'a [SourceKind],
    /// CRMs.
    pub crms: &'a [CrmKind],
}

impl Registries<'static> {
    /// Returns what this build knows.
    pub fn built_in() -> Self {
        Self {
            sources: crate::pbx::registry::KINDS,
            crms: crate::crm::registry::KINDS,
        }
    }
}

/// How people can be told of new records past the CRM.
#[derive(Debug, Clone)]
pub(super) struct NoticeWays {
    /// A mail server is set.
    pub(super) email: bool,
    /// The names of the places that they are posted to.
    pub(super) webhooks: Vec<String>,
}

/// What the files of tenants are checked against.
pub(super) struct Context<'a> {
    pub(super) registries: Registries<'a>,
    pub(super) environment: &'a Environment,
    /// The key of the store, where the daemon's file says one.
    pub(super) key: Option<StoreKey>,
    /// The section and address of an endpoint of questions that other machines reach.
    pub(super) questions_from_afar: Option<(&'static str, SocketAddr)>,
    /// How people are told of new records past the CRM; `None` where the daemon's file has mistakes.
    pub(super) notice_ways: Option<NoticeWays>,
    /// `[base_urls]` of the daemon's file.
    pub(super) base_urls: &'a BTreeMap<String, String>,
    /// Those of them that an account uses.
    pub(super) used_base_urls: BTreeSet<String>,
}

impl Context<'_> {
    /// Returns what secrets are read with.
    pub(super) fn opener(&self) -> Opener<'_> {
        Opener {
            environment: self.environment,
            key: self.key.as_ref(),
        }
    }
}

/// Turns the written file into a tenant; `None` where a mistake in its head was added. Mistakes
/// elsewhere leave out the entries that have them.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: &RawTenantFile,
    places: &Places,
    context: &mut Context<'_>,
) -> Option<Tenant> {
    let head = head(findings, &raw.tenant);
    let region = head.region.unwrap_or_default();
    // What depends on the head is looked at even where the head is wrong.
    let id = head.id.clone().unwrap_or_else(stand_in);
    let document = findings.document();
    let source_ids = Declared::in_list(document, "sources", "source");
    let account_ids = Declared::in_list(document, "accounts", "account");
    let referred = Referred {
        sources: &source_ids,
        accounts: &account_ids,
        region,
    };
    let employees = people::check(findings, &raw.employees, places, &referred);
    let sources = source::check(findings, &raw.sources, places, &id, region, context);
    let accounts = account::check(findings, &raw.accounts, places, &id, context);
    let integration_ids = Declared::in_list(document, "integrations", "integration");
    let answering = answering::tenant(findings, raw, places, &source_ids, &integration_ids, region);
    let tenant_fingerprint = FingerprintBuilder::default()
        .value(&employees)
        .value(&region)
        .part(&raw.tenant.time_zone)
        .value(&raw.tenant.language)
        .finish();
    // Those with a mistake of their own are named as well: one mistake is told once.
    let employee_ids = raw.employees.iter().map(|one| one.id.as_str()).collect();
    let time_zone = head.time_zone.clone().unwrap_or(TimeZone::UTC);
    let joined = Joined {
        employee_ids: &employee_ids,
        source_ids: &source_ids,
        account_ids: &account_ids,
        sources: &sources,
        accounts: &accounts,
        notice_ways: context.notice_ways.as_ref(),
        time_zone: &time_zone,
        tenant_fingerprint: &tenant_fingerprint,
    };
    let integrations = integration::check(findings, &raw.integrations, places, &id, &joined);
    Some(Tenant {
        id: head.id?,
        name: head.name?,
        region: head.region?,
        call_regions: head.call_regions?,
        time_zone: head.time_zone?,
        language: raw.tenant.language,
        employees,
        answering,
        sources,
        accounts,
        integrations,
    })
}

struct Head {
    id: Option<TenantId>,
    name: Option<String>,
    region: Option<Region>,
    call_regions: Option<Vec<Region>>,
    time_zone: Option<TimeZone>,
}

fn head(findings: &mut Findings<'_>, raw: &RawTenant) -> Head {
    let table = KeyPath::top().key("tenant");
    let region = match &raw.region {
        None => Some(Region::default()),
        Some(text) => findings.take(&table.key("region"), text.parse()),
    };
    let call_regions = match &raw.call_regions {
        None => region.map(|region| vec![region]),
        Some(texts) => {
            let list = table.key("call_regions");
            let read: Vec<Option<Region>> = texts
                .iter()
                .enumerate()
                .map(|(position, text)| findings.take(&list.index(position), text.parse()))
                .collect();
            read.into_iter().collect()
        }
    };
    let zone = TimeZone::get(&raw.time_zone).map_err(|_| {
        format!(
            "{:?} is not a time zone: write it like \"Europe/Moscow\"",
            raw.time_zone
        )
    });
    Head {
        id: findings.take(&table.key("id"), raw.id.parse()),
        name: names::name(findings, &table.key("name"), &raw.name),
        region,
        call_regions,
        time_zone: findings.take(&table.key("time_zone"), zone),
    }
}

fn stand_in() -> TenantId {
    "unnamed"
        .parse()
        .expect("the word keeps the rules of identifiers")
}
