//! At which addresses the CRMs reach us, and what of that an administrator must know (S2-42).

use std::collections::{BTreeMap, HashMap};

use crate::admin::state::{Off, WebhookOverview};
use crate::config::{AccountConfig, Configuration, IntegrationConfig, Tenant};
use crate::crm::HookAddress;
use crate::integration::context::IntegrationContext;
use crate::model::activity::Activity;
use crate::model::call_order::ShowsNumber;
use crate::model::ids::IntegrationKey;

use super::clicks::{places, settings_of};
use super::sync_child::hook_of;

/// What integrations go by.
pub(super) type Contexts<'a> = HashMap<&'a IntegrationKey, &'a IntegrationContext>;

/// Returns the address of each integration, and tells the adapters whose CRMs ask there.
pub(super) fn of(
    new: &Configuration,
    contexts: &Contexts<'_>,
) -> BTreeMap<IntegrationKey, WebhookOverview> {
    let mut found = BTreeMap::new();
    for tenant in &new.tenants {
        for account in &tenant.accounts {
            let of_account = || with_account(tenant, account);
            let addresses = of_account().filter_map(|one| hook_of(new, one, account));
            let mut told = of_account().filter_map(|one| contexts.get(&one.key));
            if let Some(clicks) = told
                .next()
                .and_then(|context| context.adapter.call_requests())
            {
                clicks.asked_at(addresses.collect());
            }
            for integration in of_account() {
                let asks = contexts.get(&integration.key);
                let asks = asks.is_some_and(|context| context.adapter.call_requests().is_some());
                let address = hook_of(new, integration, account);
                let why_not = why_not(new, account, address.as_ref());
                let webhook = WebhookOverview {
                    address,
                    why_not,
                    asks_for_calls: asks,
                };
                found.insert(integration.key.clone(), webhook);
            }
        }
    }
    found
}

fn with_account<'a>(
    tenant: &'a Tenant,
    account: &'a AccountConfig,
) -> impl Iterator<Item = &'a IntegrationConfig> {
    let integrations = tenant.integrations.iter();
    integrations.filter(|integration| integration.account == account.id)
}

fn why_not(
    new: &Configuration,
    account: &AccountConfig,
    address: Option<&HookAddress>,
) -> Option<String> {
    if address.is_some() {
        return None;
    }
    Some(
        match (&new.daemon.public_url, account.hook_secrets.is_empty()) {
            (None, _) => {
                "public_url is not set in trunkline.toml: the CRM cannot reach the box".to_owned()
            }
            (_, true) => format!(
                "account {} has no secret `hook`: openssl rand -hex 24",
                account.id
            ),
            (_, false) => "the address is not known".to_owned(),
        },
    )
}

/// Names what calls by click cannot do as configured.
pub(super) fn clicks_off(new: &Configuration, contexts: &Contexts<'_>) -> Vec<Off> {
    let mut off = Vec::new();
    for tenant in &new.tenants {
        for integration in &tenant.integrations {
            let context = contexts.get(&integration.key);
            let asks = context.is_some_and(|context| context.adapter.call_requests().is_some());
            let settings = settings_of(integration);
            if !asks || !settings.on || integration.activity == Activity::Off {
                continue;
            }
            let key = &integration.key;
            let account = tenant.account(&integration.account);
            let address = account.and_then(|account| hook_of(new, integration, account));
            if let (Some(account), None) = (account, address)
                && let Some(why) = why_not(new, account, None)
            {
                off.push(Off {
                    what: format!("calls by click of {key}"),
                    why,
                });
            }
            off.extend(numbers_off(tenant, integration));
        }
    }
    off
}

/// Says which source cannot show the number as it was chosen (S2-15, S2-16).
fn numbers_off(tenant: &Tenant, integration: &IntegrationConfig) -> Vec<Off> {
    let settings = settings_of(integration);
    let Some(shown) = settings.shown() else {
        return Vec::new();
    };
    let places = places(tenant, integration).into_iter();
    let sources = places.filter_map(|id| tenant.source(&id));
    sources
        .filter_map(|source| {
            let shows = source.source.caller()?.shows_number();
            let why = why_otherwise(shows, shown.always)?;
            Some(Off {
                what: format!(
                    "the outgoing number of {} at {}",
                    integration.key, source.key
                ),
                why: why.to_owned(),
            })
        })
        .collect()
}

/// Says why the number is not shown as it was chosen, if that is so.
fn why_otherwise(shows: ShowsNumber, always: bool) -> Option<&'static str> {
    match (shows, always) {
        (ShowsNumber::Chosen, _) | (ShowsNumber::ChosenAlways, true) => None,
        (ShowsNumber::ChosenAlways, false) => Some(
            "it is shown always there, whatever rules the employee has: the phone system takes no \
             other wish",
        ),
        (ShowsNumber::ItsOwn, _) => Some("the phone system shows what it is set to show"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_16_where_a_phone_system_cannot_show_the_number_as_chosen_that_is_said() {
        for (shows, always, told) in [
            (ShowsNumber::Chosen, false, false),
            (ShowsNumber::Chosen, true, false),
            (ShowsNumber::ChosenAlways, true, false),
            (ShowsNumber::ChosenAlways, false, true),
            (ShowsNumber::ItsOwn, false, true),
            (ShowsNumber::ItsOwn, true, true),
        ] {
            let why = why_otherwise(shows, always);
            assert_eq!(why.is_some(), told, "{shows:?} {always}");
        }
    }
}
