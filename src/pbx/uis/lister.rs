//! Lists the people and numbers of an account, for the command line and the admin endpoint.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::mgf::Directories;
use super::reports::Reports;
use super::roster::{NamedPeople, People};
use super::rpc::{Api, RpcError};
use super::settings::{ApiSettings, Brand};
use crate::model::roster::Roster;
use crate::pbx::{RosterError, RosterReader};

/// Lists.
pub(super) struct UisLister {
    pub(super) brand: Brand,
    pub(super) api: Arc<Api>,
    pub(super) settings: ApiSettings,
}

impl RosterReader for UisLister {
    fn read(&self) -> BoxFuture<'_, Result<Roster, RosterError>> {
        async move {
            let (people, numbers) = match self.brand {
                Brand::Megafon => {
                    let directories = Directories {
                        web: self.settings.data.clone(),
                        auth: self.settings.auth.clone(),
                    };
                    (directories.people().await, directories.numbers().await)
                }
                Brand::Uis | Brand::Comagic | Brand::Callgear | Brand::Novofon => {
                    let reports = Reports {
                        api: Arc::clone(&self.api),
                    };
                    (reports.people().await, reports.numbers().await)
                }
            };
            let people = people.map_err(roster_error)?;
            // The numbers are a help; without them people can be mapped all the same.
            let (numbers, limits) = match numbers {
                Ok(numbers) => (numbers, Vec::new()),
                Err(error) => (Vec::new(), vec![format!("numbers: {error}")]),
            };
            Ok(Roster {
                system: self.api.host(),
                employees: self.listed(&people),
                numbers,
                limits,
                ..Roster::default()
            })
        }
        .boxed()
    }
}

impl UisLister {
    /// VATS 2.0 names people by their names alone: who shares one is not named by its calls.
    fn listed(&self, people: &People) -> Vec<crate::model::roster::ListedEmployee> {
        let named = NamedPeople::of(people);
        let is_named = |name: Option<&str>| match self.brand {
            Brand::Megafon => name.is_some_and(|name| named.of_name(name).is_some()),
            Brand::Uis | Brand::Comagic | Brand::Callgear | Brand::Novofon => true,
        };
        let people = people.0.iter();
        people
            .map(|one| one.listed(is_named(one.name.as_deref())))
            .collect()
    }
}

fn roster_error(error: RpcError) -> RosterError {
    let words = error.to_string();
    match error {
        RpcError::NotSent { .. } | RpcError::NoAnswer { .. } => RosterError::Unreachable(words),
        RpcError::Limit { .. } => RosterError::Busy(words),
        RpcError::Refused(_) => RosterError::Refused(words),
    }
}
