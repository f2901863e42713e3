//! Checks the integrations of a tenant.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::model::activity::Activity;
use crate::model::communication::Kind;
use crate::model::ids::{IntegrationId, IntegrationKey, SourceId, TenantId};
use crate::model::mistake::Mistake;
use crate::rules::settings::IntegrationSettings;

use super::calendar;
use super::configuration::{AccountConfig, IntegrationConfig, SourceConfig};
use super::document::Value;
use super::fingerprint::{Fingerprint, FingerprintBuilder};
use super::key_path::KeyPath;
use super::kind_mistakes;
use super::mistake::Findings;
use super::names::{self, Declared, Unique};
use super::raw::{RawIntegration, RawTake};
use super::reading::Places;
use super::tenant::NoticeWays;

/// What integrations refer to.
pub(super) struct Joined<'a> {
    /// The ids of the sources in the file.
    pub(super) source_ids: &'a Declared<'a>,
    /// The ids of the accounts in the file.
    pub(super) account_ids: &'a Declared<'a>,
    /// The sources that could be built.
    pub(super) sources: &'a [SourceConfig],
    /// The accounts that could be built.
    pub(super) accounts: &'a [AccountConfig],
    /// The ids of the employees in the file.
    pub(super) employee_ids: &'a BTreeSet<&'a str>,
    /// How people are told of new records past the CRM.
    pub(super) notice_ways: Option<&'a NoticeWays>,
    /// The tenant's clocks.
    pub(super) time_zone: &'a TimeZone,
    /// The tenant's people, region, zone and language.
    pub(super) tenant_fingerprint: &'a Fingerprint,
}

/// Turns the written integrations into checked ones; those with a mistake are left out.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: &[RawIntegration],
    places: &Places,
    tenant: &TenantId,
    joined: &Joined<'_>,
) -> Vec<IntegrationConfig> {
    let list = KeyPath::top().key("integrations");
    let mut ids = Unique::default();
    let mut taken = Taken::default();
    let mut integrations = Vec::new();
    for (table, raw) in places.of(&list, raw) {
        let id: Option<IntegrationId> = ids.id(findings, &table, &raw.id);
        let label = raw.name.as_deref().unwrap_or(&raw.id);
        let name = names::name(findings, &table.key("name"), label);
        let account = joined
            .account_ids
            .refer(findings, &table.key("account"), &raw.account);
        let takes = takes(findings, &table, raw, places, joined, &mut taken);
        let receives = raw.settings.deals.is_some();
        if raw.activity != Activity::Off && raw.takes.is_empty() && !receives {
            findings.warning(
                &table,
                "it takes nothing, so it does nothing: add takes = […]",
            );
        }
        let settings_path = table.key("settings");
        if raw.settings.employees.as_ref().is_some_and(|sync| !sync.on) {
            findings.warning(
                &settings_path.key("employees").key("on"),
                "the sync of employees is off: responsibles, calls by click and the personal manager \
                 work for employees of this file only, and may stop working for others (S2-04)",
            );
        }
        let mut mistakes = raw.settings.mistakes();
        mistakes.extend(unknown_employees(&raw.settings, joined.employee_ids));
        let of_account = account.as_ref();
        let own = of_account.and_then(|id| joined.accounts.iter().find(|known| known.id == *id));
        mistakes.extend(deal_mistakes(&raw.settings, own, joined.sources));
        mistakes.extend(template_mistakes(&raw.settings, own));
        mistakes.extend(notice_mistakes(&raw.settings, joined.notice_ways));
        mistakes.extend(click_mistakes(&raw.settings, joined));
        kind_mistakes::add_at(findings, &settings_path, mistakes);
        let mut settings = raw.settings.clone();
        calendar::apply(findings, &settings_path, &mut settings, joined.time_zone);
        let value = serde_json::to_value(&settings);
        let value = findings.take(&settings_path, value);
        if let Some(value) = &value {
            ignored_keys(findings, &settings_path, value);
        }
        let (Some(id), Some(name), Some(account), Some(settings_value)) =
            (id, name, account, value)
        else {
            continue;
        };
        let mut fingerprint = FingerprintBuilder::default()
            .fingerprint(joined.tenant_fingerprint)
            .part(&name)
            .value(&raw.activity)
            .value(&settings_value);
        for source in joined.sources {
            let source_id = &source.key.source;
            for (_, kind) in takes.iter().filter(|(taken, _)| taken == source_id) {
                fingerprint = fingerprint.value(source_id).part(&source.name).value(kind);
            }
        }
        if let Some(account) = joined.accounts.iter().find(|known| known.id == account) {
            fingerprint = fingerprint
                .value(&account.id)
                .fingerprint(&account.fingerprint);
        }
        integrations.push(IntegrationConfig {
            key: IntegrationKey::new(tenant.clone(), id),
            name,
            account,
            activity: raw.activity,
            takes: takes.into_iter().collect(),
            settings,
            settings_value,
            fingerprint: fingerprint.finish(),
        });
    }
    integrations
}

/// Names the employees of the settings whom the file does not have.
fn unknown_employees(settings: &IntegrationSettings, employees: &BTreeSet<&str>) -> Vec<Mistake> {
    let named = settings.employees_named().into_iter();
    named
        .filter(|(_, employee)| !employees.contains(employee))
        .map(|(path, employee)| {
            Mistake::at(
                &path,
                format!("there is no employee {employee:?} in this file"),
            )
        })
        .collect()
}

/// Names the templates of contacts that mean nothing to the CRM.
fn template_mistakes(settings: &IntegrationSettings, own: Option<&AccountConfig>) -> Vec<Mistake> {
    let Some(account) = own.filter(|account| !account.settings.has_contact_templates()) else {
        return Vec::new();
    };
    let requests = settings.requests.as_ref();
    let chats = settings.chats.as_ref();
    let blocks = [
        (
            "requests",
            requests.and_then(|one| one.contact_template.as_ref()),
        ),
        ("chats", chats.and_then(|one| one.contact_template.as_ref())),
    ];
    let named = blocks
        .into_iter()
        .filter(|(_, template)| template.is_some());
    let mistake = |(block, _)| {
        let message = format!("{} makes no contacts from templates", account.crm);
        Mistake::at(&format!("{block}.contact_template"), message)
    };
    named.map(mistake).collect()
}

/// Names the ways of notices that this box does not have.
fn notice_mistakes(settings: &IntegrationSettings, ways: Option<&NoticeWays>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let (Some(notices), Some(ways)) = (&settings.notices, ways) else {
        return mistakes;
    };
    if notices.has_email() && !ways.email {
        let message = "e-mail goes by the server of [alarms.email] in trunkline.toml: set one, or \
                       write to_responsible = false and name no addresses";
        mistakes.push(Mistake::at("notices", message));
    }
    if let Some(name) = notices.webhook.as_ref()
        && !ways.webhooks.contains(name)
    {
        let known = ways.webhooks.join(", ");
        let message =
            format!("there is no {name:?} in [notices.webhooks] of trunkline.toml: [{known}]");
        mistakes.push(Mistake::at("notices.webhook", message));
    }
    mistakes
}

/// Names what deals cannot come from, or go to. What could not be built has its own mistakes.
fn deal_mistakes(
    settings: &IntegrationSettings,
    account: Option<&AccountConfig>,
    sources: &[SourceConfig],
) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let Some(deals) = &settings.deals else {
        return mistakes;
    };
    if let Some(account) = account.filter(|account| !account.settings.has_deals()) {
        let message = format!("no deals come back from {}", account.crm);
        mistakes.push(Mistake::at("deals", message));
    }
    let own = account.map(|account| account.settings.deal_mistakes(deals));
    let own = own.unwrap_or_default().into_iter();
    mistakes.extend(own.map(|mistake| mistake.under("deals")));
    if let Some(wanted) = &deals.upload_to {
        let takes = |source: &SourceConfig| source.source.deal_taker().is_some();
        let found = sources.iter().find(|source| source.key.source == *wanted);
        if !found.is_some_and(takes) {
            let good = sources.iter().filter(|source| takes(source));
            let good: Vec<&str> = good.map(|source| source.key.source.as_str()).collect();
            let message = match good.as_slice() {
                [] => {
                    "no source of this file takes deals: one with a key of its API would".to_owned()
                }
                good => format!("{wanted} takes no deals; {} would", good.join(", ")),
            };
            mistakes.push(Mistake::at("deals.upload_to", message));
        }
    }
    mistakes
}

/// Names a source of calls by click that there is none of, or that places no calls. One that could not
/// be built has its own mistakes.
fn click_mistakes(settings: &IntegrationSettings, joined: &Joined<'_>) -> Option<Mistake> {
    let chosen = settings.click_to_call.as_ref()?.source.as_ref()?;
    let mut built = joined.sources.iter();
    let message = match built.find(|source| source.key.source == *chosen) {
        Some(source) if source.source.caller().is_some() => return None,
        Some(_) => format!(
            "{chosen} places no calls: its kind cannot, or its settings have no table for calls by click"
        ),
        None if joined.source_ids.has(chosen.as_str()) => return None,
        None => format!("there is no source {:?} in this file", chosen.as_str()),
    };
    Some(Mistake::at("click_to_call.source", message))
}

/// Names the keys of the file that reading passed over: serde refuses no unknown key beside the
/// tag of a choice that has no keys of its own. What was read has every key that counts.
fn ignored_keys(findings: &mut Findings<'_>, path: &KeyPath, read: &serde_json::Value) {
    let Some(node) = findings.document().root.at(path) else {
        return;
    };
    match &node.value {
        Value::Table(entries) => {
            for (key, written) in entries {
                match read.get(key) {
                    Some(member) => ignored_keys(findings, &path.key(key), member),
                    // A list without items is as good as none, and is kept as none.
                    None if is_empty_list(&written.value) => {}
                    None => findings.mistake(&path.key(key), "this key has no meaning here"),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in (0..items.len()).zip(read.as_array().into_iter().flatten()) {
                ignored_keys(findings, &path.index(index), item);
            }
        }
        _ => {}
    }
}

fn is_empty_list(value: &Value) -> bool {
    matches!(value, Value::Array(items) if items.is_empty())
}

/// Which integration takes what into which portal, of those that are on. One that observes sends
/// nothing and may stand beside them: so new settings are tried.
#[derive(Default)]
struct Taken(BTreeMap<(String, SourceId, Kind), String>);

impl Taken {
    /// Notes a pair; returns who has it already.
    fn by_another(
        &mut self,
        portal: &str,
        source: &SourceId,
        kind: Kind,
        me: &str,
    ) -> Option<&str> {
        let pair = (portal.to_owned(), source.clone(), kind);
        let owner = self.0.entry(pair).or_insert_with(|| me.to_owned());
        (owner != me).then_some(owner)
    }
}

fn takes(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: &RawIntegration,
    places: &Places,
    joined: &Joined<'_>,
    taken: &mut Taken,
) -> BTreeSet<(SourceId, Kind)> {
    let account = joined
        .accounts
        .iter()
        .find(|account| account.id.as_str() == raw.account);
    // An account that could not be built is compared by its name.
    let portal = account.map_or_else(
        || raw.account.clone(),
        |account| account.settings.portal().to_string(),
    );
    let list = table.key("takes");
    let mut checked = BTreeSet::new();
    for (entry, take) in places.of(&list, &raw.takes) {
        let path = entry.key("source");
        let source: Option<SourceId> = joined.source_ids.refer(findings, &path, &take.source);
        let Some(source) = source else { continue };
        kinds(findings, &entry, take, places, joined);
        for (path, kind) in places.of(&entry.key("kinds"), &take.kinds) {
            if !checked.insert((source.clone(), *kind)) {
                findings.mistake(&path, format!("{kind} of {source} is taken above already"));
            }
            if raw.activity != Activity::On {
                continue;
            }
            if let Some(other) = taken.by_another(&portal, &source, *kind, &raw.id) {
                findings.mistake(
                    &path,
                    format!(
                        "integration {other:?} is on and takes {kind} of {source} into the same \
                         portal already: everything would be made twice"
                    ),
                );
            }
        }
    }
    checked
}

/// Names the kinds that the source cannot report.
fn kinds(
    findings: &mut Findings<'_>,
    entry: &KeyPath,
    take: &RawTake,
    places: &Places,
    joined: &Joined<'_>,
) {
    let list = entry.key("kinds");
    if take.kinds.is_empty() {
        findings.mistake(&list, "name at least one kind: call, chat or request");
    }
    let built = joined
        .sources
        .iter()
        .find(|source| source.key.source.as_str() == take.source);
    let Some(built) = built else { return };
    let can = built.source.kinds();
    for (path, kind) in places.of(&list, &take.kinds) {
        if !can.contains(kind) {
            let can: Vec<String> = can.iter().map(Kind::to_string).collect();
            findings.mistake(
                &path,
                format!(
                    "a source of kind {:?} reports no {kind}; it reports: {}",
                    built.kind,
                    can.join(", ")
                ),
            );
        }
    }
}
