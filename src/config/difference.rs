//! What a reload has to do: pure comparison of two configurations.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::answering::SourceAnswering;
use crate::model::ids::{AccountId, IntegrationKey, SourceKey, TenantId};

use super::configuration::{Configuration, DaemonSettings, SourceConfig, Tenant};
use super::fingerprint::Fingerprint;

/// What differs between two configurations. What is unchanged keeps running untouched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Sections of `trunkline.toml` that differ, such as `store`; most act at the next start only.
    pub daemon: Vec<&'static str>,
    /// Sources: a changed one needs a new session.
    pub sources: ItemChanges<SourceKey>,
    /// Accounts: a changed one must be opened anew.
    pub accounts: ItemChanges<(TenantId, AccountId)>,
    /// Integrations: a changed one needs a new actor; its waiting work stays.
    pub integrations: ItemChanges<IntegrationKey>,
    /// Tenants that answer in another way who a caller should reach; nothing is started anew.
    pub answering: Vec<TenantId>,
}

impl Changes {
    /// Says whether nothing differs that a running part depends on.
    pub fn is_empty(&self) -> bool {
        self.daemon.is_empty()
            && self.sources.is_empty()
            && self.accounts.is_empty()
            && self.integrations.is_empty()
            && self.answering.is_empty()
    }
}

/// The items of one sort, each in exactly one list, in order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemChanges<K> {
    /// Only in the new configuration.
    pub added: Vec<K>,
    /// Only in the old one.
    pub removed: Vec<K>,
    /// In both, with something different.
    pub changed: Vec<K>,
    /// In both, the same.
    pub unchanged: Vec<K>,
}

impl<K> Default for ItemChanges<K> {
    fn default() -> Self {
        Self {
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            unchanged: Vec::new(),
        }
    }
}

impl<K: Ord + Clone> ItemChanges<K> {
    fn between(old: &BTreeMap<K, &Fingerprint>, new: &BTreeMap<K, &Fingerprint>) -> Self {
        let mut changes = Self::default();
        for (key, fingerprint) in new {
            let list = match old.get(key) {
                None => &mut changes.added,
                Some(before) if before == fingerprint => &mut changes.unchanged,
                Some(_) => &mut changes.changed,
            };
            list.push(key.clone());
        }
        let gone = old.keys().filter(|key| !new.contains_key(key));
        changes.removed = gone.cloned().collect();
        changes
    }
}

impl<K> ItemChanges<K> {
    /// Says whether every item is in both, the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Compares the configuration that runs with the one that shall run.
pub fn difference(old: &Configuration, new: &Configuration) -> Changes {
    Changes {
        daemon: daemon_sections(&old.daemon, &new.daemon),
        sources: ItemChanges::between(&sources(old), &sources(new)),
        accounts: ItemChanges::between(&accounts(old), &accounts(new)),
        integrations: ItemChanges::between(&integrations(old), &integrations(new)),
        answering: answering(old, new),
    }
}

impl Configuration {
    /// Goes on with the running parts of sources that did not change. A source may keep state in
    /// memory, such as the calls that are open or an order that waits for its session: its session,
    /// its hook and its caller must stay parts of one and the same.
    pub fn keep_running(&mut self, running: &Configuration) {
        let sources = self.tenants.iter_mut().flat_map(|one| &mut one.sources);
        for source in sources {
            let before = running.tenants.iter().flat_map(|one| &one.sources);
            let same = |before: &&SourceConfig| {
                before.key == source.key && before.fingerprint == source.fingerprint
            };
            if let Some(before) = before.into_iter().find(same) {
                source.source = Arc::clone(&before.source);
            }
        }
    }
}

/// Returns the tenants of both whose numbers, hours, exits or permissions to ask differ.
fn answering(old: &Configuration, new: &Configuration) -> Vec<TenantId> {
    let differs = |now: &&Tenant| {
        old.tenant(&now.id).is_some_and(|before| {
            let of_sources = |tenant: &Tenant| -> Vec<(SourceKey, SourceAnswering)> {
                let sources = tenant.sources.iter();
                let both = sources.map(|source| (source.key.clone(), source.answering.clone()));
                both.collect()
            };
            before.answering != now.answering || of_sources(before) != of_sources(now)
        })
    };
    let changed = new.tenants.iter().filter(differs);
    changed.map(|tenant| tenant.id.clone()).collect()
}

fn daemon_sections(old: &DaemonSettings, new: &DaemonSettings) -> Vec<&'static str> {
    let sections = [
        ("tenants_dir", old.tenants_dir == new.tenants_dir),
        ("public_url", old.public_url == new.public_url),
        (
            "trusted_proxies",
            old.trusted_proxies == new.trusted_proxies,
        ),
        ("store", old.store == new.store),
        ("admin", old.admin == new.admin),
        ("alarms", old.alarms == new.alarms),
        ("notices", old.notice_webhooks == new.notice_webhooks),
        ("intake", old.intake == new.intake),
        ("installations", old.installations == new.installations),
        ("questions", old.questions == new.questions),
        ("fastagi", old.fastagi == new.fastagi),
        ("recordings", old.recordings == new.recordings),
        ("log", old.log == new.log),
        ("base_urls", old.base_urls == new.base_urls),
    ];
    sections
        .iter()
        .filter(|(_, same)| !same)
        .map(|(section, _)| *section)
        .collect()
}

fn sources(configuration: &Configuration) -> BTreeMap<SourceKey, &Fingerprint> {
    let tenants = configuration.tenants.iter();
    tenants
        .flat_map(|tenant| &tenant.sources)
        .map(|source| (source.key.clone(), &source.fingerprint))
        .collect()
}

fn accounts(configuration: &Configuration) -> BTreeMap<(TenantId, AccountId), &Fingerprint> {
    let tenants = configuration.tenants.iter();
    tenants
        .flat_map(|tenant| {
            tenant.accounts.iter().map(|account| {
                (
                    (tenant.id.clone(), account.id.clone()),
                    &account.fingerprint,
                )
            })
        })
        .collect()
}

fn integrations(configuration: &Configuration) -> BTreeMap<IntegrationKey, &Fingerprint> {
    let tenants = configuration.tenants.iter();
    tenants
        .flat_map(|tenant| &tenant.integrations)
        .map(|integration| (integration.key.clone(), &integration.fingerprint))
        .collect()
}
