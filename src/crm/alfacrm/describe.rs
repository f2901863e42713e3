//! Reads what rules and administrators must know about an account (`crm/alfacrm.md` §3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::client::{List, Unanswered};
use super::map::ORDINARY;
use super::settings::CUSTOM;
use super::wire::Row;
use super::{AlfaAdapter, deals};
use crate::crm::{AccountDescription, Class, CrmUser, Pipeline, Stage};
use crate::model::field::{CrmField, Takes};
use crate::model::ids::CrmUserId;
use crate::model::plan::Entity;

/// Most pages of any of these lists.
const PAGES_MAX: u64 = 50;

/// What the funnel of leads is called where the account has but one.
const LEADS: &str = "Лиды";

impl AlfaAdapter {
    pub(super) async fn description(&self) -> Result<AccountDescription, Unanswered> {
        let mut limits = Vec::new();
        self.check_branch(&mut limits).await?;
        let users = self.users(&mut limits).await?;
        let pipelines = self.pipelines(&mut limits).await?;
        self.check_lists(&mut limits).await?;
        let fields = self.fields().await?;
        if let Some(field) = &self.settings.marker_field
            && self.marker_field(Class::Work).await?.is_none()
        {
            limits.push(format!(
                "no customer has the field {field}: our mark goes into the note; make the field in \
                 AlfaCRM, or leave marker_field out"
            ));
        }
        if self.own_user().await?.is_none() {
            limits.push(format!(
                "no user has the e-mail address {}: comments of nobody in particular stand under \
                 whom AlfaCRM chooses",
                self.settings.email
            ));
        }
        Ok(AccountDescription {
            id: self.settings.host.clone(),
            name: self.settings.host.clone(),
            time_zone: None,
            users,
            deal_pipelines: self.deal_pipelines(&pipelines),
            pipelines,
            fields,
            task_types: Vec::new(),
            limits,
        })
    }

    /// Reads a list; one that the role may not see is empty, and told of.
    async fn listed(
        &self,
        path: &'static str,
        what: &str,
        limits: &mut Vec<String>,
    ) -> Result<Option<Vec<Value>>, Unanswered> {
        let list = List::new(path, json!({}));
        match self.client.all(&list, PAGES_MAX, Class::Work).await {
            Ok(Some(records)) => Ok(Some(records)),
            Ok(None) => {
                limits.push(format!("{what} cannot be listed: there are too many"));
                Ok(None)
            }
            Err(Unanswered::Barred(why)) => {
                limits.push(format!("{what} cannot be listed: {why}"));
                Ok(None)
            }
            Err(Unanswered::Refused(refusal)) => {
                limits.push(format!("{what} cannot be listed: {}", refusal.message));
                Ok(None)
            }
            Err(failed) => Err(failed),
        }
    }

    async fn check_branch(&self, limits: &mut Vec<String>) -> Result<(), Unanswered> {
        let Some(branches) = self.listed("branch/index", "branches", limits).await? else {
            return Ok(());
        };
        let own = self.settings.branch;
        let found = branches.iter().find(|one| Row(one).id() == Some(own));
        let names = || {
            let named = branches.iter().filter_map(named);
            named
                .map(|(id, name)| format!("{id} ({name})"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match found.map(Row) {
            None => limits.push(format!("there is no branch {own}; there are {}", names())),
            Some(row) if row.0.get("is_active").is_some() && !row.flag("is_active") => {
                limits.push(format!("branch {own} is not active"));
            }
            Some(_) => {}
        }
        Ok(())
    }

    async fn users(&self, limits: &mut Vec<String>) -> Result<Vec<CrmUser>, Unanswered> {
        let users = self.listed("user/index", "users", limits).await?;
        let user = |record: &Value| {
            let row = Row(record);
            Some(CrmUser {
                id: CrmUserId(row.id()?.to_string()),
                name: row.text("name").unwrap_or_default(),
                email: row.texts("email").into_iter().next(),
                phone: row.texts("phone").into_iter().next(),
                // Who left is not listed.
                active: true,
            })
        };
        Ok(users.unwrap_or_default().iter().filter_map(user).collect())
    }

    /// Returns the funnels of leads; the one that has no name of its own is the account's only one.
    async fn pipelines(&self, limits: &mut Vec<String>) -> Result<Vec<Pipeline>, Unanswered> {
        let statuses = self
            .listed("lead-status/index", "stages of leads", limits)
            .await?;
        let Some(mut statuses) = statuses else {
            return Ok(Vec::new());
        };
        statuses.retain(is_enabled);
        statuses.sort_by_key(|one| (Row(one).number("weight"), Row(one).id()));
        if let Some(wanted) = self.settings.lead_status
            && !statuses.iter().any(|one| Row(one).id() == Some(wanted))
        {
            limits.push(format!(
                "lead_status {wanted} is no stage of leads: new leads stand in none"
            ));
        }
        // Newer accounts have several; in others the list is not there.
        let names = self
            .listed("pipeline/index", "funnels", &mut Vec::new())
            .await?;
        let names: BTreeMap<u64, String> =
            names.unwrap_or_default().iter().filter_map(named).collect();
        let mut by_funnel: BTreeMap<u64, Vec<Stage>> = BTreeMap::new();
        for status in &statuses {
            let funnel = Row(status).number("pipeline_id").unwrap_or_default();
            if let Some((id, name)) = named(status) {
                let id = id.to_string();
                by_funnel
                    .entry(funnel)
                    .or_default()
                    .push(Stage { id, name });
            }
        }
        let first = by_funnel.keys().next().copied();
        let pipeline = |(id, stages)| Pipeline {
            name: names.get(&id).cloned().unwrap_or_else(|| LEADS.to_owned()),
            main: Some(id) == first,
            unsorted: false,
            stages,
            id: id.to_string(),
        };
        Ok(by_funnel.into_iter().map(pipeline).collect())
    }

    /// Returns the two pipelines of deals that come back; none where stages are not listed.
    fn deal_pipelines(&self, funnels: &[Pipeline]) -> Vec<Pipeline> {
        let stages = funnels.iter().flat_map(|funnel| {
            funnel.stages.iter().map(move |stage| {
                let name = match funnels.len() {
                    1 => stage.name.clone(),
                    _ => format!("{} / {}", funnel.name, stage.name),
                };
                (stage.id.clone(), name)
            })
        });
        match funnels.is_empty() {
            true => Vec::new(),
            false => deals::pipelines(stages.collect()).into(),
        }
    }

    async fn check_lists(&self, limits: &mut Vec<String>) -> Result<(), Unanswered> {
        let Some(wanted) = self.settings.lead_source else {
            return Ok(());
        };
        let sources = self
            .listed("lead-source/index", "sources of leads", limits)
            .await?;
        let is_there = |sources: Vec<Value>| {
            let mut enabled = sources.iter().filter(|one| is_enabled(one));
            enabled.any(|one| Row(one).id() == Some(wanted))
        };
        if !sources.is_none_or(is_there) {
            limits.push(format!(
                "lead_source {wanted} is no source of leads: new leads have none"
            ));
        }
        Ok(())
    }

    /// Returns the additional fields: nothing lists them, so that customers are looked at (§2).
    async fn fields(&self) -> Result<Vec<CrmField>, Unanswered> {
        let customers = self.some_customers(Class::Work).await?;
        if customers.is_empty() {
            return Ok(Vec::new());
        }
        let keys: BTreeSet<&String> = customers
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|customer| customer.keys().filter(|key| key.starts_with(CUSTOM)))
            .collect();
        let of = |entity, id: &str, name: &str, takes| CrmField {
            entity,
            id: id.to_owned(),
            name: name.to_owned(),
            code: id.strip_prefix(CUSTOM).map(str::to_owned),
            kind: "text".to_owned(),
            takes,
            options: Vec::new(),
        };
        let field = |id: &str, name: &str, takes| of(Entity::Contact, id, name, takes);
        let read = |id: &str, name: &str| of(Entity::Deal, id, name, Takes::Nothing);
        let of_deals = deals::FIELDS.map(|(id, name)| read(id, name));
        let of_deals = of_deals
            .into_iter()
            .chain(keys.iter().map(|key| read(key, key)));
        let of_deals: Vec<CrmField> = of_deals.collect();
        let ordinary = ORDINARY.map(|(id, name)| {
            let takes = if id == "dob" { Takes::Day } else { Takes::Line };
            field(id, name, takes)
        });
        let own = keys.into_iter().map(|key| field(key, key, Takes::Unknown));
        Ok(own.chain(ordinary).chain(of_deals).collect())
    }

    /// Returns a page of customers, to see which fields they have.
    pub(super) async fn some_customers(&self, class: Class) -> Result<Vec<Value>, Unanswered> {
        let list = List::new("customer/index", json!({ "is_study": 2, "removed": 1 }));
        Ok(self.client.page(&list, 0, class).await?.items)
    }

    /// Returns the user who lets us in, by the e-mail address (§3).
    pub(super) async fn own_user(&self) -> Result<Option<u64>, Unanswered> {
        if let Some(known) = self.own_user.get() {
            return Ok(*known);
        }
        let email = self.settings.email.to_lowercase();
        let list = List::new("user/index", json!({ "email": self.settings.email }));
        let users = match self.client.all(&list, PAGES_MAX, Class::Work).await {
            Ok(users) => users.unwrap_or_default(),
            Err(Unanswered::Barred(_) | Unanswered::Refused(_)) => Vec::new(),
            Err(failed) => return Err(failed),
        };
        let is_own = |user: &&Value| Row(user).emails().contains(&email);
        let own = users.iter().find(is_own).and_then(|user| Row(user).id());
        // Two askers find the same.
        Ok(*self.own_user.get_or_init(|| own))
    }
}

fn is_enabled(record: &Value) -> bool {
    let row = Row(record);
    row.0.get("is_enabled").is_none() || row.flag("is_enabled")
}

fn named(record: &Value) -> Option<(u64, String)> {
    let row = Row(record);
    Some((row.id()?, row.text("name").unwrap_or_default()))
}
