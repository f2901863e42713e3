//! Leads as deals that come back (V-13): what changed, by the order of the list, moves and deletions
//! by the audit feed, names (`crm/amocrm.md` §5, §7, §9, §13, §14).

mod changes;
mod hint;
mod record;

pub(super) use self::hint::hints;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::AmoAdapter;
use super::client::{ReadError, query};
use super::directory::{PAGE_MAX, Reading};
use super::setup;
use super::wire::answers::{Account, CardRecord, Pipeline};
use crate::crm::{
    Class, DealField, DealNames, DealPiece, DealReader, DealRecords, DealsSince, DealsWanted,
    HookAddress,
};
use crate::model::deal::{DealClient, DealRecord};
use crate::model::outcome::Outcome;

/// All of it gives way to everything else.
const CLASS: Class = Class::Background;

impl AmoAdapter {
    async fn deal_names(&self) -> Result<DealNames, ReadError> {
        let pairs = query(&[]);
        let account: Option<Account> = self.client.record("/api/v4/account", pairs, CLASS).await?;
        let pipelines = self
            .client
            .page::<Pipeline>("/api/v4/leads/pipelines", "pipelines", Vec::new(), CLASS)
            .await?;
        // Names are a help: who may not list people or fields sees their ids.
        let users = match self.users().await {
            Ok(users) => users,
            Err(ReadError::Refused(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut limits = Vec::new();
        let fields = setup::fields_if_allowed(&self.client, "leads", CLASS, &mut limits).await?;
        let mut names = DealNames {
            currency: account.and_then(|account| account.currency),
            users: users
                .into_iter()
                .map(|user| (user.id.0, user.name))
                .collect(),
            ..DealNames::default()
        };
        for field in fields.unwrap_or_default() {
            names.fields.push(DealField {
                id: field.id.to_string(),
                code: field.code.filter(|code| !code.is_empty()),
                name: field.name.unwrap_or_default(),
            });
        }
        for pipeline in pipelines.items {
            let id = pipeline.id.to_string();
            for status in pipeline.embedded.statuses {
                let place = (id.clone(), status.id.to_string());
                names.stages.insert(place, status.name.unwrap_or_default());
            }
            names
                .pipelines
                .insert(id, pipeline.name.unwrap_or_default());
        }
        Ok(names)
    }
}

impl DealReader for AmoAdapter {
    fn changes<'a>(
        &'a self,
        since: DealsSince,
        _: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealPiece>> {
        self.reading(CLASS, async move |reading| {
            changes::piece(&reading, since).await
        })
        .boxed()
    }

    fn anew<'a>(
        &'a self,
        ids: Vec<String>,
        _: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealRecords>> {
        self.reading(CLASS, async move |reading| {
            changes::anew(&reading, ids).await
        })
        .boxed()
    }

    fn names<'a>(&'a self, _: &'a DealsWanted) -> BoxFuture<'a, Outcome<DealNames>> {
        async {
            match self.deal_names().await {
                Ok(names) => Outcome::Done(names),
                Err(error) => error.into_outcome(),
            }
        }
        .boxed()
    }

    fn subscribe(&self, hook: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        self.told_at(hook).boxed()
    }
}

impl Reading<'_> {
    /// Reads records by their ids: together where the paid filter is on (§5), else one by one. Also
    /// what a filter did not bring: where the option has lapsed it is ignored in silence.
    async fn by_ids(
        &self,
        list: &str,
        with: &str,
        ids: &BTreeSet<i64>,
    ) -> Result<BTreeMap<i64, CardRecord>, ReadError> {
        let mut found = BTreeMap::new();
        let path = format!("/api/v4/{list}");
        if self.setup.api_filter && ids.len() > 1 {
            let ids: Vec<i64> = ids.iter().copied().collect();
            for some in ids.chunks(PAGE_MAX) {
                let mut pairs = query(&[("with", with), ("limit", &PAGE_MAX.to_string())]);
                let wanted = some
                    .iter()
                    .map(|id| ("filter[id][]".to_owned(), id.to_string()));
                pairs.extend(wanted);
                let page = self
                    .client
                    .page::<CardRecord>(&path, list, pairs, CLASS)
                    .await?;
                let wanted = page.items.into_iter().filter(|one| some.contains(&one.id));
                found.extend(wanted.map(|one| (one.id, one)));
            }
        }
        for id in ids {
            if found.contains_key(id) {
                continue;
            }
            let pairs = query(&[("with", with)]);
            let path = format!("{path}/{id}");
            let one: Option<CardRecord> = self.client.record(&path, pairs, CLASS).await?;
            found.extend(one.map(|one| (one.id, one)));
        }
        Ok(found)
    }

    /// Makes deals of leads, with their clients.
    async fn deals_of(&self, leads: &[CardRecord]) -> Result<Vec<DealRecord>, ReadError> {
        let contacts: BTreeSet<i64> = leads.iter().filter_map(record::main_contact).collect();
        let companies: BTreeSet<i64> = leads.iter().filter_map(record::only_company).collect();
        let mut clients: BTreeMap<(&str, i64), DealClient> = BTreeMap::new();
        for (list, ids) in [("contacts", contacts), ("companies", companies)] {
            for (id, card) in self.by_ids(list, "leads", &ids).await? {
                clients
                    .extend(record::client(&card, self.setup).map(|client| ((list, id), client)));
            }
        }
        let deal = |lead: &CardRecord| {
            let contact = record::main_contact(lead).map(|id| ("contacts", id));
            let company = record::only_company(lead).map(|id| ("companies", id));
            let client = contact.or(company).and_then(|place| clients.get(&place));
            record::deal(lead, client.cloned())
        };
        Ok(leads.iter().map(deal).collect())
    }
}
