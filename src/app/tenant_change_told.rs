//! What the journal is told of a change of a tenant's file: what was changed, and of what. Pure.

use crate::admin::tenant_files::{Change, SecretWishes, Take};
use crate::model::ids::{IntegrationId, IntegrationKey, SourceId, SourceKey, TenantId};

/// What the journal is told of a change.
pub(super) struct Told {
    pub(super) source: Option<SourceKey>,
    pub(super) integration: Option<IntegrationKey>,
    pub(super) text: String,
}

impl Told {
    /// Says so of a subject.
    pub(super) fn of(subject: String, what: &[String]) -> Self {
        Self {
            source: None,
            integration: None,
            text: format!("by the admin endpoint: {subject}: {}", what.join(", ")),
        }
    }
}

/// Says what was changed, and of what. A secret is named and not told.
pub(super) fn told(tenant: &TenantId, change: &Change) -> Told {
    let mut what = Vec::new();
    let mut of_source = None;
    let mut source_told = |source: &SourceId| {
        let key = SourceKey::new(tenant.clone(), source.clone());
        let subject = format!("source {key}");
        of_source = Some(key);
        (None, subject)
    };
    let (integration, subject) = match change {
        Change::Account {
            account,
            title,
            address,
            settings,
            secrets,
        } => {
            what.extend(title.as_ref().map(|title| title_told(title.as_deref())));
            what.extend(address.as_ref().map(|address| format!("address {address}")));
            what.extend(settings.iter().map(|(key, value)| format!("{key} {value}")));
            what.extend(
                secrets
                    .keys()
                    .map(|name| format!("secret {name} typed anew")),
            );
            (None, format!("account {tenant}/{account}"))
        }
        Change::AddAccount {
            account,
            crm,
            address,
            ..
        } => {
            what.push(format!("added: {crm} at {address}"));
            (None, format!("account {tenant}/{account}"))
        }
        Change::RemoveAccount(account) => {
            what.push("removed".to_owned());
            (None, format!("account {tenant}/{account}"))
        }
        Change::Integration {
            integration,
            account,
            activity,
            title,
            takes,
        } => {
            what.extend(account.as_ref().map(|account| format!("account {account}")));
            what.extend(activity.map(|activity| format!("activity {activity}")));
            what.extend(title.as_ref().map(|title| title_told(title.as_deref())));
            what.extend(takes.as_deref().map(takes_told));
            of_integration(tenant, integration)
        }
        Change::AddIntegration {
            integration,
            account,
            takes,
            ..
        } => {
            what.push(format!("added: account {account}, {}", takes_told(takes)));
            of_integration(tenant, integration)
        }
        Change::RemoveIntegration(integration) => {
            what.push("removed".to_owned());
            of_integration(tenant, integration)
        }
        Change::Settings { integration, .. } => {
            what.push("its settings".to_owned());
            of_integration(tenant, integration)
        }
        Change::Employees(people) => {
            what.push(format!("{} of them", people.len()));
            (None, format!("employees of {tenant}"))
        }
        Change::AddSource { source, kind, .. } => {
            what.push(format!("added: {kind}"));
            source_told(source)
        }
        Change::Source {
            source, secrets, ..
        } => {
            what.push("its settings".to_owned());
            what.extend(secrets_told(secrets));
            source_told(source)
        }
        Change::RemoveSource(source) => {
            what.push("removed".to_owned());
            source_told(source)
        }
        Change::Company {
            company,
            numbers,
            questions,
        } => {
            what.extend(company.as_ref().map(|_| "its own settings".to_owned()));
            let count = numbers.as_ref().map(Vec::len);
            what.extend(count.map(|count| format!("numbers, {count} of them")));
            what.extend(questions.as_ref().map(|_| "questions".to_owned()));
            (None, format!("company {tenant}"))
        }
    };
    Told {
        source: of_source,
        integration,
        ..Told::of(subject, &what)
    }
}

fn secrets_told(secrets: &SecretWishes) -> impl Iterator<Item = String> {
    secrets.iter().map(|(name, secret)| match secret {
        Some(_) => format!("secret {name} typed anew"),
        None => format!("secret {name} removed"),
    })
}

fn title_told(title: Option<&str>) -> String {
    match title {
        Some(title) => format!("title {title:?}"),
        None => "no title".to_owned(),
    }
}

fn takes_told(takes: &[Take]) -> String {
    if takes.is_empty() {
        return "takes nothing".to_owned();
    }
    let takes = takes.iter().map(|take| {
        let kinds: Vec<String> = take.kinds.iter().map(ToString::to_string).collect();
        format!("{} of {}", kinds.join(" and "), take.source)
    });
    format!("takes {}", takes.collect::<Vec<_>>().join(", "))
}

fn of_integration(
    tenant: &TenantId,
    integration: &IntegrationId,
) -> (Option<IntegrationKey>, String) {
    let key = IntegrationKey::new(tenant.clone(), integration.clone());
    let subject = format!("integration {key}");
    (Some(key), subject)
}
