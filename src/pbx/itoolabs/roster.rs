//! Lists the people, groups and numbers of a VATS.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::api::Failed;
use super::settings::{ApiSettings, ItoolabsSettings};
use super::tracker::NamedBy;
use super::wire::answers::Account;
use crate::model::ids::Extension;
use crate::model::roster::{ListedEmployee, ListedGroup, ListedNumber, Roster};
use crate::pbx::{RosterError, RosterReader};

/// How long all lists together may take: a person waits.
const WITHIN: Duration = Duration::from_secs(25);

/// Of so many people it is asked whether their telephones ring: two short questions each.
const ASKED_MAX: usize = 50;

/// Who lists them.
pub(super) struct ItoolabsRoster {
    pub(super) settings: Arc<ItoolabsSettings>,
}

impl RosterReader for ItoolabsRoster {
    fn read(&self) -> BoxFuture<'_, Result<Roster, RosterError>> {
        async move {
            let api = self.settings.api.as_ref().ok_or_else(|| {
                let why = "the settings name no address of the phone system's API";
                RosterError::NotConfigured(why.to_owned())
            })?;
            let reading = read(api, self.settings.named_by);
            match tokio::time::timeout(WITHIN, reading).await {
                Ok(read) => read,
                Err(_) => Err(RosterError::Unreachable(format!(
                    "the phone system did not list everything within {} s",
                    WITHIN.as_secs()
                ))),
            }
        }
        .boxed()
    }
}

async fn read(api: &ApiSettings, named_by: NamedBy) -> Result<Roster, RosterError> {
    let accounts = api.accounts().await.map_err(roster_error)?;
    let groups = api.groups().await.map_err(roster_error)?;
    let numbers = api.numbers().await.map_err(roster_error)?;
    let mut remarks = Vec::new();
    if numbers.is_none() {
        remarks.push("the phone system does not list the company's numbers".to_owned());
    }
    remarks.extend(presence(api, &accounts).await);
    let employees: Vec<ListedEmployee> = accounts
        .into_iter()
        .map(|account| employee(account, named_by))
        .collect();
    let unnamed = employees.iter().filter(|one| one.named.is_none()).count();
    if unnamed > 0 {
        remarks.push(format!(
            "{unnamed} people have no extension, and employees are named by it"
        ));
    }
    Ok(Roster {
        system: format!("the VATS {}", api.client.host()),
        employees,
        groups: groups
            .into_iter()
            .map(|group| ListedGroup {
                name: group.name,
                extension: group.ext,
                members: group.logins,
            })
            .collect(),
        numbers: numbers
            .into_iter()
            .flatten()
            .map(|number| ListedNumber {
                number: number.number,
                title: number.title,
                owner: number.owner,
            })
            .collect(),
        remarks,
        ..Roster::default()
    })
}

/// Names those whose telephones do not ring, whatever the integration says. What cannot be asked is
/// left out: the lists are worth something without it.
async fn presence(api: &ApiSettings, accounts: &[Account]) -> Vec<String> {
    let mut remarks = Vec::new();
    if accounts.len() > ASKED_MAX {
        let count = accounts.len();
        return vec![format!(
            "whether people take calls was not asked: {count} are more than {ASKED_MAX}"
        )];
    }
    for account in accounts {
        let name = account.name.as_ref().unwrap_or(&account.login);
        let both = async {
            let subscribed = api.is_subscribed(&account.login).await?;
            let undisturbed = api.is_undisturbed(&account.login).await?;
            Ok::<_, Failed>((subscribed, undisturbed))
        };
        match both.await {
            // It has no such commands.
            Ok((None, None)) => break,
            Ok((subscribed, undisturbed)) => {
                if subscribed == Some(false) {
                    remarks.push(format!(
                        "{name} takes no calls of groups (subscription is off)"
                    ));
                }
                if undisturbed == Some(true) {
                    remarks.push(format!(
                        "{name} does not want to be disturbed: calls that are led there do not ring"
                    ));
                }
            }
            Err(failed) => {
                remarks.push(format!("whether people take calls was not told: {failed}"));
                break;
            }
        }
    }
    remarks
}

fn employee(account: Account, named_by: NamedBy) -> ListedEmployee {
    let named = match named_by {
        NamedBy::Login => Some(account.login.clone()),
        NamedBy::Extension => account.ext.clone(),
    };
    // What the configuration would refuse is not proposed.
    let named = named.filter(|named| !named.contains(char::is_whitespace));
    ListedEmployee {
        named: named.map(Extension),
        name: account.name,
        extension: account.ext,
        number: account.telnum,
        email: account.email.filter(|email| email.contains('@')),
        id: None,
        known_as: None,
    }
}

fn roster_error(failed: Failed) -> RosterError {
    let words = failed.to_string();
    match failed {
        Failed::NotSent(_) | Failed::Unclear(_) | Failed::Ill { .. } => {
            RosterError::Unreachable(words)
        }
        Failed::Key(_) | Failed::Refused { .. } => RosterError::Refused(words),
        Failed::Busy { .. } => RosterError::Busy(words),
        Failed::Unreadable { .. } => RosterError::Unreadable(words),
    }
}
