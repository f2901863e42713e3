//! Webhooks: amoCRM tells us that something changed (`crm/amocrm.md` §14). They need rights of an
//! administrator and one of the larger tariffs; without them changes are only asked for.

use serde::Serialize;

use crate::crm::amocrm::client::{Client, ReadError, Written, query};
use crate::crm::amocrm::wire::answers::Webhook;
use crate::crm::{Class, HookAddress};
use crate::model::outcome::Rejection;

/// What changes the directory.
const EVENTS: [&str; 16] = [
    "add_contact",
    "update_contact",
    "delete_contact",
    "restore_contact",
    "responsible_contact",
    "add_company",
    "update_company",
    "delete_company",
    "restore_company",
    "responsible_company",
    "add_lead",
    "update_lead",
    "delete_lead",
    "restore_lead",
    "responsible_lead",
    "status_lead",
];

#[derive(Serialize)]
struct Subscription<'a> {
    destination: &'a str,
    settings: &'a [&'a str],
}

#[derive(Serialize)]
struct Unsubscription<'a> {
    destination: &'a str,
}

/// Subscribes at an address of ours, unless that is done, and ends what we subscribed there with
/// an earlier secret.
pub(in crate::crm::amocrm) async fn subscribe(
    client: &Client,
    hook: &HookAddress,
) -> Result<(), ReadError> {
    let class = Class::Background;
    let pairs = query(&[("limit", "250")]);
    let page = client
        .page::<Webhook>("/api/v4/webhooks", "webhooks", pairs, class)
        .await?;
    let address = hook.address.expose();
    let is_good = |known: &Webhook| {
        let all = EVENTS
            .iter()
            .all(|event| known.settings.iter().any(|s| s == event));
        known.destination == address && !known.disabled && all
    };
    if !page.items.iter().any(is_good) {
        let wish = Subscription {
            destination: address,
            settings: &EVENTS,
        };
        written(client.write("/api/v4/webhooks", &wish, class).await)?;
    }
    let ours = |known: &&Webhook| {
        known.destination != address && known.destination.starts_with(&hook.place)
    };
    for old in page.items.iter().filter(ours) {
        let wish = Unsubscription {
            destination: &old.destination,
        };
        written(client.delete("/api/v4/webhooks", &wish, class).await)?;
    }
    Ok(())
}

fn written(written: Written) -> Result<(), ReadError> {
    match written {
        Written::Stored(_) => Ok(()),
        Written::Refused(refusal) => Err(ReadError::Refused(Rejection {
            code: refusal.status().to_string(),
            message: format!("webhooks: {}", refusal.whole().message),
        })),
        Written::Failed(failure) => Err(ReadError::Failed(failure)),
    }
}
