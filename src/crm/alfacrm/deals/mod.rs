//! Customers and their payments as deals that come back (S4-14 … S4-18; `crm/alfacrm.md` §5 … §8), in
//! two pipelines: the first sale, one for each card, and upsells, one for each payment after that.
//! Triggers of each branch name cards and payments; lists of what was changed since yesterday, for
//! filters know days only, find those that no trigger named. Stages and deletions come from the log,
//! where the role may see it.

mod changes;
pub(super) mod choices;
mod hint;
mod log;
mod read;
mod reference;
mod settle;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

pub(super) use self::hint::{hints, is_of_others};
pub(super) use self::reference::{DealMemory, FIELDS, pipelines};
use super::AlfaAdapter;
use super::client::outcome;
use crate::crm::{
    Class, DealNames, DealPiece, DealReader, DealRecords, DealsSince, DealsWanted, HookAddress,
};
use crate::model::deal_settings::DealSettings;
use crate::model::mistake::Mistake;
use crate::model::outcome::Outcome;

/// All of it gives way to everything else.
const CLASS: Class = Class::Background;

/// The two pipelines (S4-15).
pub(super) const FIRST: &str = "first";
pub(super) const UPSELL: &str = "upsell";

/// The stage of a lead that has none.
const UNASSIGNED: &str = "0";

/// The stages of an upsell.
const PAID: &str = "paid";
const UNPAID: &str = "unpaid";

const LEAD: &str = "lead:";
const PAY: &str = "pay:";

/// Returns the deal of a card.
fn lead_id(customer: u64) -> String {
    format!("{LEAD}{customer}")
}

/// Returns the deal of a payment.
fn pay_id(pay: u64) -> String {
    format!("{PAY}{pay}")
}

/// What a deal is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Customer(u64),
    Pay(u64),
}

/// Reads a deal's id; `None` = it was never one of this CRM.
fn of(id: &str) -> Option<Of> {
    if let Some(customer) = id.strip_prefix(LEAD) {
        return customer.parse().ok().map(Of::Customer);
    }
    id.strip_prefix(PAY)?.parse().ok().map(Of::Pay)
}

/// Names what settings cannot mean: there are two pipelines, whatever funnels the account has.
pub(super) fn mistakes(deals: &DealSettings) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut look = |path: String, pipeline: &str| {
        if ![FIRST, UPSELL].contains(&pipeline) {
            let message = format!("must be \"{FIRST}\" or \"{UPSELL}\"");
            found.push(Mistake::at(&path, message));
        }
    };
    for (at, pipeline) in deals.pipelines.iter().enumerate() {
        look(format!("pipelines.{at}"), pipeline);
    }
    for (key, set) in [("good", &deals.good), ("bad", &deals.bad)] {
        for (at, stage) in set.iter().enumerate() {
            if let Some(pipeline) = &stage.pipeline {
                look(format!("{key}.{at}.pipeline"), pipeline);
            }
        }
    }
    found
}

impl DealReader for AlfaAdapter {
    fn changes<'a>(
        &'a self,
        since: DealsSince,
        wanted: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealPiece>> {
        async move { outcome(self.deal_piece(since, wanted).await) }.boxed()
    }

    fn anew<'a>(
        &'a self,
        ids: Vec<String>,
        wanted: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealRecords>> {
        async move { outcome(self.deals_anew(ids, wanted).await) }.boxed()
    }

    fn names<'a>(&'a self, _: &'a DealsWanted) -> BoxFuture<'a, Outcome<DealNames>> {
        async move { outcome(self.deal_names().await) }.boxed()
    }

    /// The log tells of deletions, if the role may see it and it holds them.
    fn tells_gone(&self) -> bool {
        false
    }

    fn gone(&self, ids: Vec<String>) -> BoxFuture<'_, Outcome<Vec<String>>> {
        async move { outcome(self.gone_of(ids).await) }.boxed()
    }

    /// A person enters the address in the triggers of each branch (§7).
    fn subscribe(&self, _: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        async { Outcome::Done(()) }.boxed()
    }
}
