//! Checks the CRM accounts of a tenant and builds their settings.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use url::Url;

use crate::crm::AccountSettings;
use crate::crm::registry::CrmKind;
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::model::mistake::Mistake;

use super::configuration::AccountConfig;
use super::daemon::plain;
use super::fingerprint::FingerprintBuilder;
use super::key_path::KeyPath;
use super::kind_mistakes;
use super::mistake::Findings;
use super::names::{self, Unique};
use super::raw::RawAccount;
use super::reading::Places;
use super::secret_place::{self, Owner};
use super::source::{HOOK_SECRETS, hook_secrets};
use super::suggestion;
use super::tenant::Context;

/// The list of accounts.
pub(super) const LIST: &str = "accounts";

/// Turns the written accounts into built ones; those with a mistake are left out.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: &[RawAccount],
    places: &Places,
    tenant: &TenantId,
    context: &mut Context<'_>,
) -> Vec<AccountConfig> {
    let list = KeyPath::top().key(LIST);
    let mut ids = Unique::default();
    let mut portals = HashMap::new();
    let mut accounts = Vec::new();
    for (table, raw) in places.of(&list, raw) {
        let id: Option<AccountId> = ids.id(findings, &table, &raw.id);
        let label = raw.name.as_deref().unwrap_or(&raw.id);
        let name = names::name(findings, &table.key("name"), label);
        let Some(kind) = find_kind(findings, &table.key("crm"), &raw.crm, context) else {
            continue;
        };
        let path = table.key("secrets");
        let known: Vec<&str> = kind.secrets.iter().chain(&HOOK_SECRETS).copied().collect();
        let owner = Owner {
            tenant: tenant.as_str(),
            list: LIST,
            id: &raw.id,
        };
        let opener = context.opener();
        let fetched = secret_place::fetch_all(findings, &path, &raw.secrets, &known, opener, owner);
        let hook_secrets = hook_secrets(findings, &path, &fetched.secrets);
        let settings = match build(kind, raw, context) {
            Ok(settings) => settings,
            Err(mistakes) => {
                kind_mistakes::add(findings, &table, mistakes, &fetched.failed);
                continue;
            }
        };
        for needed in settings.secrets_needed() {
            if fetched.secrets.get(needed).is_none()
                && !fetched.failed.iter().any(|name| name == needed)
            {
                findings.mistake(
                    &path.key(needed),
                    "is missing: the account needs it".to_owned(),
                );
            }
        }
        if let Some(first) = portals.insert(settings.portal(), raw.id.clone()) {
            findings.mistake(
                &table.key("settings"),
                format!("account {first:?} is this portal already: let its integrations share it"),
            );
        }
        let (Some(id), Some(name)) = (id, name) else {
            continue;
        };
        let fingerprint = FingerprintBuilder::default()
            .part(kind.name)
            .part(settings.base_url())
            .part(&settings.fingerprint())
            .secrets(&fetched.secrets)
            .finish();
        accounts.push(AccountConfig {
            id,
            crm: kind.name,
            name,
            settings,
            secrets: fetched.secrets,
            hook_secrets,
            fingerprint,
        });
    }
    accounts
}

fn find_kind<'a>(
    findings: &mut Findings<'_>,
    path: &KeyPath,
    word: &str,
    context: &Context<'a>,
) -> Option<&'a CrmKind> {
    let kinds = context.registries.crms;
    let found = kinds.iter().find(|kind| kind.name == word);
    if found.is_none() {
        let hint = suggestion::hint(word, kinds.iter().map(|kind| kind.name));
        findings.mistake(path, format!("there is no CRM {word:?}; {hint}"));
    }
    found
}

/// Builds the settings; with another address where the portal's own stands in `base_urls`.
fn build(
    kind: &CrmKind,
    raw: &RawAccount,
    context: &mut Context<'_>,
) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>> {
    let value = Value::Object(raw.settings.clone());
    let own = (kind.build)(&value, None);
    if let Ok(settings) = &own {
        let address = Url::parse(settings.base_url()).map(|url| plain(&url));
        let replaced = address
            .ok()
            .and_then(|address| context.base_urls.get_key_value(&address));
        let Some((from, instead)) = replaced else {
            return own;
        };
        context.used_base_urls.insert(from.clone());
        return (kind.build)(&value, Some(instead));
    }
    // Some settings are right for a simulator only, such as a rate that the vendor forbids; then
    // the portal is known by its key alone.
    let base_urls = context.base_urls;
    for (from, instead) in base_urls {
        let Ok(settings) = (kind.build)(&value, Some(instead)) else {
            continue;
        };
        let host = Url::parse(from)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        if host.is_some_and(|host| settings.portal() == PortalKey::new(kind.name, &host)) {
            context.used_base_urls.insert(from.clone());
            return Ok(settings);
        }
    }
    own
}
