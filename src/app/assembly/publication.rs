//! What others look up is made of the configuration: who takes what of which source, who may post
//! where, who places calls, and what administrators see.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::admin::discovery::Discoverable;
use crate::admin::roster::RosterPlace;
use crate::admin::state::{
    AccountOverview, AccountShown, CrmOverview, DoorOwner, IntegrationOverview, Off, OutsideDoor,
    Overview, SourceKindOverview, SourceOverview,
};
use crate::app::clicks::ClickDoor;
use crate::app::rehearsing;
use crate::app::sync_child::crm_hooks;
use crate::app::webhooks::{self, Contexts};
use crate::config::{Configuration, Fingerprint, IntegrationConfig, SourceConfig, Tenant};
use crate::crm::registry;
use crate::intake::http::{HookSource, Receiver};
use crate::intake::routing::{Routing, Taker};
use crate::integration::context::IntegrationContext;
use crate::integration::portal::Portal;
use crate::model::activity::Activity;
use crate::model::call_order::CallPermit;
use crate::model::capabilities::RecordingWay;
use crate::model::communication::{Kind, Phase};
use crate::model::ids::{AccountId, PortalKey, SourceKey, TenantId};
use crate::pbx::call_desk::{DeskTable, DeskTenant};
use crate::rules;

use super::Assembly;

impl Assembly {
    /// Makes all of it say what is configured now.
    pub(super) fn publish(
        &self,
        new: &Configuration,
        contexts: &[(Fingerprint, IntegrationContext)],
    ) {
        let contexts = contexts.iter().map(|(_, context)| context);
        let by_key: Contexts = contexts.map(|context| (&context.key, context)).collect();
        let portals = by_key.values();
        let portals = portals.map(|context| (context.key.clone(), Arc::clone(&context.portal)));
        self.shared.portals.store(Arc::new(portals.collect()));
        self.shared.recordings.configure(new);
        let takes = new.tenants.iter().flat_map(|tenant| &tenant.integrations);
        self.shared
            .passing
            .replace(takes.filter_map(|one| Some((*by_key.get(&one.key)?, one.takes.as_slice()))));
        self.shared.desk.replace(desk_table(new));
        self.shared.questions.apply(new);
        self.shared.installations.apply(new);
        let door = ClickDoor {
            desk: Arc::clone(&self.shared.desk),
            store: self.shared.store.clone(),
            clock: Arc::clone(&self.shared.clock),
        };
        let crm_hooks = crm_hooks(new, &by_key, &self.deals, &self.clicks, &door);
        let mut overview = self.overview(new, &by_key);
        let told = crm_hooks
            .iter()
            .filter(|(_, hook)| !hook.secrets.is_empty());
        overview.doors.extend(told.map(|(key, hook)| OutsideDoor {
            path: format!("/crm/{}/{}/{}/", hook.kind, key.tenant, key.integration),
            of: DoorOwner::Integration(key.clone()),
            texts: Vec::new(),
        }));
        self.shared.overview.store(Arc::new(overview));
        let routing = routing(new, &by_key);
        self.shared.intake.routing.store(Arc::new(routing));
        self.shared.crm_hooks.store(Some(Arc::new(crm_hooks)));
        // Last: whoever is let in to post must find out who takes it.
        self.shared.hooks.store(Some(Arc::new(hooks(new))));
    }

    /// Returns what administrators see, without the doors of CRMs.
    fn overview(&self, new: &Configuration, by_key: &Contexts<'_>) -> Overview {
        let mut integrations = Vec::new();
        let mut portals: BTreeMap<PortalKey, Arc<Portal>> = BTreeMap::new();
        for tenant in &new.tenants {
            for integration in &tenant.integrations {
                let Some(context) = by_key.get(&integration.key) else {
                    continue;
                };
                portals.insert(context.portal.key.clone(), Arc::clone(&context.portal));
                integrations.push(IntegrationOverview {
                    key: integration.key.clone(),
                    crm: crm_of(tenant, integration),
                    portal: context.portal.key.clone(),
                    activity: integration.activity,
                    settings_revision: context.settings_revision,
                });
            }
        }
        let accounts = self.accounts.iter().map(|((tenant, account), running)| {
            let of_tenant = new.tenants.iter().find(|known| known.id == *tenant);
            let employees = of_tenant.map(|tenant| tenant.employees.clone());
            AccountOverview {
                employees: Arc::new(employees.unwrap_or_default()),
                tenant: tenant.clone(),
                account: account.clone(),
                portal: running.portal.key.clone(),
                adapter: Arc::clone(&running.adapter),
                book: Arc::clone(running.portal.book()),
                shown: shown(new, tenant, account),
            }
        });
        let mut off = what_is_off(new);
        off.extend(webhooks::clicks_off(new, by_key));
        let public_url = new.daemon.public_url.as_ref();
        let settings = new.tenants.iter().flat_map(rehearsing::candidates);
        let sources = || new.tenants.iter().flat_map(|tenant| &tenant.sources);
        Overview {
            sources: sources().map(source_shown).collect(),
            integrations,
            accounts: accounts.collect(),
            portals: portals.into_values().collect(),
            discoverable: discoverable(new),
            rosters: rosters(new),
            deals: self.deals.shown(new),
            off,
            settings: settings.collect(),
            public_url: public_url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
            crms: crms(),
            source_kinds: source_kinds(),
            webhooks: webhooks::of(new, by_key),
            doors: sources().filter_map(door).collect(),
        }
    }
}

/// Says who takes what of which source.
fn routing(new: &Configuration, by_key: &Contexts<'_>) -> Routing {
    let mut routing = Routing::default();
    for tenant in &new.tenants {
        for source in &tenant.sources {
            if !source.recordings.is_empty() {
                routing.record(source.key.clone());
            }
        }
        for integration in &tenant.integrations {
            let Some(context) = by_key.get(&integration.key) else {
                continue;
            };
            for (source, kind) in &integration.takes {
                let source = SourceKey::new(tenant.id.clone(), source.clone());
                routing.add(source, *kind, taker(integration, context, *kind));
            }
        }
    }
    routing
}

/// Says what an integration does with communications of a kind.
fn taker(integration: &IntegrationConfig, context: &IntegrationContext, kind: Kind) -> Taker {
    let capabilities = context.adapter.capabilities();
    let able = &capabilities.phases;
    let wanted = rules::wanted_phases(kind, &integration.settings).into_iter();
    Taker {
        integration: integration.key.clone(),
        portal: context.portal.key.clone(),
        phases: wanted
            .filter(|phase| able.contains(&(kind, *phase)))
            .collect(),
        recordings: able.contains(&(Kind::Call, Phase::RecordingReady)),
        files: capabilities.calls.recording_way != RecordingWay::Link,
        off: integration.activity == Activity::Off,
    }
}

/// Returns what takes what is posted to a source, where it is posted to.
fn receiver(source: &SourceConfig) -> Option<Receiver> {
    let reader = source.source.hook().map(Receiver::Reader);
    let exchange = || source.source.exchange().map(Receiver::Exchange);
    reader.or_else(exchange)
}

/// Says who may post what a source tells.
fn hooks(new: &Configuration) -> HashMap<SourceKey, HookSource> {
    let sources = new.tenants.iter().flat_map(|tenant| &tenant.sources);
    let hook = |source: &SourceConfig| {
        let hook = HookSource {
            kind: source.kind,
            receiver: receiver(source)?,
            secrets: source.hook_secrets.clone(),
        };
        Some((source.key.clone(), hook))
    };
    sources.filter_map(hook).collect()
}

/// Returns the door of a source that is posted to.
fn door(source: &SourceConfig) -> Option<OutsideDoor> {
    receiver(source)?;
    let SourceKey { tenant, source: id } = &source.key;
    Some(OutsideDoor {
        of: DoorOwner::Source(source.key.clone()),
        path: format!("/hooks/{}/{tenant}/{id}/", source.kind),
        texts: source.source.to_paste(),
    })
}

fn source_shown(source: &SourceConfig) -> SourceOverview {
    SourceOverview {
        key: source.key.clone(),
        kind: source.kind.to_owned(),
        name: source.name.clone(),
        session: source.source.listener().is_some(),
        kinds: source.source.kinds().to_vec(),
    }
}

/// Returns the sources in which an administrator can look around.
fn discoverable(new: &Configuration) -> Vec<Discoverable> {
    let of_tenant = |tenant: &Tenant| {
        let employees = Arc::new(tenant.employees.clone());
        let place = |source: &SourceConfig| {
            Some(Discoverable {
                key: source.key.clone(),
                discoverer: source.source.discoverer()?,
                employees: Arc::clone(&employees),
            })
        };
        tenant.sources.iter().filter_map(place).collect::<Vec<_>>()
    };
    new.tenants.iter().flat_map(of_tenant).collect()
}

/// Returns the sources that can list their people.
fn rosters(new: &Configuration) -> Vec<RosterPlace> {
    let of_tenant = |tenant: &Tenant| {
        let employees = Arc::new(tenant.employees.clone());
        let place = |source: &SourceConfig| {
            Some(RosterPlace {
                key: source.key.clone(),
                reader: source.source.roster()?,
                employees: Arc::clone(&employees),
            })
        };
        tenant.sources.iter().filter_map(place).collect::<Vec<_>>()
    };
    new.tenants.iter().flat_map(of_tenant).collect()
}

/// Says who may place calls where.
fn desk_table(new: &Configuration) -> DeskTable {
    let mut table = DeskTable::default();
    for tenant in &new.tenants {
        let permit = CallPermit {
            region: tenant.region,
            call_regions: tenant.call_regions.clone(),
        };
        let desk_tenant = DeskTenant {
            permit,
            employees: Arc::new(tenant.employees.clone()),
        };
        table.tenants.insert(tenant.id.clone(), desk_tenant);
        let sources = tenant.sources.iter();
        let callers = sources.map(|source| (source.key.clone(), source.source.caller()));
        table.sources.extend(callers);
    }
    table
}

/// Returns what administrators call an account.
fn shown(new: &Configuration, tenant: &TenantId, account: &AccountId) -> AccountShown {
    let found = new
        .tenant(tenant)
        .and_then(|tenant| tenant.account(account));
    found.map_or_else(AccountShown::default, |found| AccountShown {
        crm: found.crm.to_owned(),
        title: found.name.clone(),
        address: found.settings.address(),
        workplace: found.settings.workplace().cloned(),
    })
}

fn crm_of(tenant: &Tenant, integration: &IntegrationConfig) -> String {
    tenant
        .accounts
        .iter()
        .find(|account| account.id == integration.account)
        .map(|account| account.crm.to_owned())
        .unwrap_or_default()
}

/// Names what cannot work as configured.
fn what_is_off(configuration: &Configuration) -> Vec<Off> {
    let mut off = Vec::new();
    if configuration.daemon.public_url.is_none() {
        off.push(Off {
            what: "recording links in call history".to_owned(),
            why: "public_url is not set: entries go without a link; CRMs that take files are \
                  handed them"
                .to_owned(),
        });
        off.push(Off {
            what: "webhooks of CRMs and authorisation by redirect".to_owned(),
            why: "public_url is not set: tokens and codes are pasted".to_owned(),
        });
    }
    off
}

/// Returns the CRMs of this build, for those who add an account.
fn crms() -> Vec<CrmOverview> {
    let kinds = registry::KINDS.iter();
    kinds
        .map(|kind| CrmOverview {
            crm: kind.name,
            form: kind.credential,
        })
        .collect()
}

/// Returns the kinds of source of this build, for those who add a source.
fn source_kinds() -> Vec<SourceKindOverview> {
    let kinds = crate::pbx::registry::KINDS.iter();
    kinds
        .map(|kind| SourceKindOverview {
            kind: kind.name,
            form: kind.person,
        })
        .collect()
}
