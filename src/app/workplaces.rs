//! The operators' workplaces inside of CRMs: the page that frames one, and clicks on numbers there. A
//! click is the CRM's user's, whom the CRM names and signs; it is carried out at the same desk and
//! within the same bounds as any other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::admin::state::{AccountOverview, Overview};
use crate::clock::SharedClock;
use crate::crm::{WidgetClick, WidgetClicked, WidgetProof, WorkplaceDesk, WorkplacePage};
use crate::model::call_order::CallRefusal;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;
use crate::pbx::call_desk::{CallDesk, DeskError};

use super::consent::Desk;

/// Used proofs that are remembered until they end. An office of a hundred people who click all day
/// uses some hundred within half an hour; at the bound nobody clicks until earlier ones have ended.
const USED_MAX: usize = 10_000;

/// The desk.
pub(super) struct Workplaces {
    overview: Arc<ArcSwap<Overview>>,
    calls: Arc<CallDesk>,
    clock: SharedClock,
    consent: Desk,
    used: Mutex<Used>,
}

/// Proofs that were used, with their ends.
#[derive(Default)]
struct Used(BTreeMap<String, Timestamp>);

impl Used {
    /// Uses a proof; says whether it was good for that.
    fn take(&mut self, click: &WidgetClick, now: Timestamp) -> bool {
        if self.0.len() >= USED_MAX {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() >= USED_MAX {
            return false;
        }
        self.0.insert(click.id.clone(), click.until).is_none()
    }
}

impl Workplaces {
    pub(super) fn new(
        overview: Arc<ArcSwap<Overview>>,
        calls: Arc<CallDesk>,
        clock: SharedClock,
        consent: Desk,
    ) -> Self {
        Self {
            overview,
            calls,
            clock,
            consent,
            used: Mutex::default(),
        }
    }

    fn find(&self, tenant: &str, account: &str) -> Option<AccountOverview> {
        let overview = self.overview.load();
        let mut accounts = overview.accounts.iter();
        let is_it = |one: &&AccountOverview| {
            one.tenant.as_str() == tenant && one.account.as_str() == account
        };
        accounts.find(is_it).cloned()
    }

    /// Uses a proof; says whether it was good for that.
    fn use_up(&self, click: &WidgetClick, now: Timestamp) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.take(click, now)
    }

    async fn clicked(
        &self,
        account: &AccountOverview,
        proof: &Secret,
        phone: &str,
    ) -> WidgetClicked {
        let Some(users) = account.adapter.widget_users() else {
            return WidgetClicked::Stranger;
        };
        let audience = self.overview.load().public_url.clone().unwrap_or_default();
        let now = self.clock.now();
        let proof = WidgetProof {
            token: proof.expose(),
            audience: &origin(&audience),
            now,
        };
        let Some(click) = users.clicks(proof).await else {
            return WidgetClicked::Stranger;
        };
        if !self.use_up(&click, now) {
            return WidgetClicked::Used;
        }
        let user = &click.user;
        let Some(employee) = account.employees.by_user(&account.account, user) else {
            return WidgetClicked::Nobody(format!("user {user} of the CRM is no employee here"));
        };
        let Some(source) = self.calls.source_of(&account.tenant, &employee.id) else {
            return WidgetClicked::Nobody(format!(
                "employee {} has no extension at a source that places calls",
                employee.id
            ));
        };
        let placed = self.calls.place(&source, &employee.id, phone).await;
        let text = match &placed {
            Ok(placed) => format!(
                "a call of {} to {} was placed from the CRM",
                employee.id, placed.order.phone
            ),
            Err(error) => format!(
                "a call of {} from the CRM was not placed: {error}",
                employee.id
            ),
        };
        self.consent.tell(account, "click_to_call", &text).await;
        match placed {
            Ok(placed) => WidgetClicked::Placed {
                call: placed.order.id,
            },
            Err(DeskError::Refused(CallRefusal::TooMany { retry_after, .. })) => {
                WidgetClicked::TooMany(retry_after)
            }
            Err(error @ DeskError::Refused(_)) => WidgetClicked::NotPermitted(error.to_string()),
            Err(error @ (DeskError::UnknownSource(_) | DeskError::NoCaller(_))) => {
                WidgetClicked::Nobody(error.to_string())
            }
            Err(error @ DeskError::Order(_)) => WidgetClicked::Failed(error.to_string()),
        }
    }
}

/// Returns scheme and host of our outside address.
fn origin(public_url: &str) -> String {
    let url = url::Url::parse(public_url);
    url.map(|url| url.origin().ascii_serialization())
        .unwrap_or_default()
}

impl WorkplaceDesk for Workplaces {
    fn page(&self, tenant: String, account: String) -> BoxFuture<'_, Option<WorkplacePage>> {
        async move {
            let found = self.find(&tenant, &account)?;
            let workplace = found.shown.workplace.as_ref()?;
            let credential = found.adapter.credential().await;
            let renamed = credential.and_then(|credential| credential.renamed_to);
            let mut framed_by = vec![origin(&found.shown.address)];
            framed_by.extend(renamed.map(|host| format!("https://{host}")));
            Some(WorkplacePage {
                address: workplace.address().to_owned(),
                origin: workplace.origin(),
                framed_by,
            })
        }
        .boxed()
    }

    fn origin(&self, tenant: String, account: String) -> BoxFuture<'_, Option<String>> {
        async move {
            let found = self.find(&tenant, &account)?;
            found.shown.workplace.as_ref()?;
            Some(found.adapter.widget_users()?.origin().await)
        }
        .boxed()
    }

    fn click(
        &self,
        tenant: String,
        account: String,
        proof: Secret,
        phone: String,
    ) -> BoxFuture<'_, WidgetClicked> {
        async move {
            let found = self.find(&tenant, &account);
            match found.filter(|found| found.shown.workplace.is_some()) {
                Some(found) => self.clicked(&found, &proof, &phone).await,
                None => WidgetClicked::Stranger,
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::CrmUserId;

    #[test]
    fn a_proof_is_good_for_one_click_and_is_forgotten_after_its_end() {
        let click = |id: usize, until| WidgetClick {
            user: CrmUserId("1".to_owned()),
            id: id.to_string(),
            until: Timestamp::from_secs(until),
        };
        let mut used = Used::default();
        let start = Timestamp::from_secs(100);
        assert!(used.take(&click(0, 200), start));
        assert!(!used.take(&click(0, 200), start));
        for id in 1..USED_MAX {
            assert!(used.take(&click(id, 200), start));
        }
        assert!(!used.take(&click(USED_MAX, 300), start), "at the bound");
        let later = Timestamp::from_secs(200);
        assert!(used.take(&click(USED_MAX, 300), later));
        assert_eq!(used.0.len(), 1);
    }
}
