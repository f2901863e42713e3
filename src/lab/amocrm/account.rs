//! The account, its users, pipelines and loss reasons: what an integration reads at set-up
//! (crm/amocrm.md §6, §7).

use serde_json::{Value, json};

use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::options::{AmoOptions, PipelineOptions, UserOptions};
use super::records::{LOST, Pipeline, Status, WON};
use super::world::{World, opaque_text};

/// Users per page at most.
const USERS_PAGE_MAX: u64 = 250;

impl World {
    /// `GET /account`.
    pub(super) fn account(&self, incoming: &Incoming, caller: &Caller) -> Reply {
        let with = |word| incoming.query.with(word);
        let mut body = json!({
            "id": self.account_id, "name": "Demo", "subdomain": self.subdomain,
            "current_user_id": caller.user_id, "country": "RU", "customers_mode": "disabled",
            "is_unsorted_on": true, "is_loss_reason_enabled": true, "is_helpbot_enabled": false,
            "is_technical_account": false, "contact_name_display_order": 1, "currency": "RUB",
            "created_at": 1_700_000_000, "created_by": 0, "updated_at": 1_700_000_000,
            "_links": incoming.self_link(),
        });
        if with("amojo_id") {
            body["amojo_id"] = json!(self.amojo_id());
        }
        if with("version") {
            body["version"] = json!(11);
        }
        if with("drive_url") {
            body["drive_url"] = json!("https://drive-a.amocrm.ru");
        }
        if with("is_api_filter_enabled") {
            body["is_api_filter_enabled"] = json!(self.filters_enabled);
        }
        let mut embedded = json!({});
        if with("task_types") {
            embedded["task_types"] = json!([
                {"id": 1, "name": "Связаться", "color": null, "icon_id": null, "code": "FOLLOW_UP"},
                {"id": 2, "name": "Встреча", "color": null, "icon_id": null, "code": "MEETING"},
            ]);
        }
        if with("users_groups") {
            embedded["users_groups"] = json!([{"id": 0, "name": "Отдел продаж", "uuid": null}]);
        }
        if with("datetime_settings") {
            embedded["datetime_settings"] = json!({
                "date_pattern": "d.m.Y H:i", "short_date_pattern": "d.m.Y",
                "time_format": "H:i:s", "timezone": self.timezone,
                "timezone_offset": self.timezone_offset(caller),
            });
        }
        if embedded.as_object().is_some_and(|map| !map.is_empty()) {
            body["_embedded"] = embedded;
        }
        Reply::ok(&body)
    }

    /// `GET /users` and `/users/{id}`: administrators only.
    pub(super) fn users_resource(
        &self,
        rest: &[&str],
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        if incoming.method != "GET" {
            return Reply::method_not_allowed();
        }
        if !caller.is_admin {
            return Reply::forbidden();
        }
        let all = self.switches.deactivated_users_listed;
        match rest {
            [] => {
                let listed = self.users.iter().filter(|user| user.is_active || all);
                let listed: Vec<&UserOptions> = listed.collect();
                let mut paging = self.paging(USERS_PAGE_MAX);
                paging.with_total = true;
                paging.reply(incoming, "users", &listed, |user| {
                    render_user(user, incoming)
                })
            }
            [id] => {
                let user = id.parse().ok().and_then(|id| self.user(id));
                user.map_or_else(Reply::empty, |user| Reply::ok(&render_user(user, incoming)))
            }
            _ => Reply::not_found(),
        }
    }

    /// `GET /leads/pipelines` and below; no paging.
    pub(super) fn pipelines_resource(&self, rest: &[&str], incoming: &Incoming) -> Reply {
        if incoming.method != "GET" {
            return Reply::method_not_allowed();
        }
        let pipeline = |id: &str| id.parse().ok().and_then(|id| self.pipeline(id));
        match rest {
            [] => {
                let rows = self
                    .pipelines
                    .iter()
                    .map(|p| self.render_pipeline(p, incoming));
                let rows: Vec<Value> = rows.collect();
                Reply::ok(&json!({
                    "_total_items": rows.len(), "_links": incoming.self_link(),
                    "_embedded": {"pipelines": rows},
                }))
            }
            [id] => pipeline(id).map_or_else(Reply::not_found, |p| {
                Reply::ok(&self.render_pipeline(p, incoming))
            }),
            [id, "statuses"] => pipeline(id).map_or_else(Reply::not_found, |p| {
                let rows = p.statuses.iter().map(|s| self.render_status(p, s));
                let rows: Vec<Value> = rows.collect();
                Reply::ok(&json!({
                    "_total_items": rows.len(), "_links": incoming.self_link(),
                    "_embedded": {"statuses": rows},
                }))
            }),
            [id, "statuses", status] => pipeline(id)
                .and_then(|p| Some((p, p.status(status.parse().ok()?)?)))
                .map_or_else(Reply::not_found, |(p, s)| {
                    Reply::ok(&self.render_status(p, s))
                }),
            _ => Reply::not_found(),
        }
    }

    /// `GET /leads/loss_reasons` and `/leads/loss_reasons/{id}`.
    pub(super) fn loss_reasons_resource(&self, rest: &[&str], incoming: &Incoming) -> Reply {
        if incoming.method != "GET" {
            return Reply::method_not_allowed();
        }
        match rest {
            [] => self.paging(USERS_PAGE_MAX).reply(
                incoming,
                "loss_reasons",
                &self.loss_reasons,
                |(id, name)| render_loss_reason(*id, name),
            ),
            [id] => {
                let id = id.parse::<u64>().ok();
                let reason = self
                    .loss_reasons
                    .iter()
                    .find(|(known, _)| Some(*known) == id);
                reason.map_or_else(Reply::empty, |(id, name)| {
                    Reply::ok(&render_loss_reason(*id, name))
                })
            }
            _ => Reply::not_found(),
        }
    }

    fn amojo_id(&self) -> String {
        let hex = opaque_text(&format!("amojo/{}", self.account_id), 32);
        let part = |range| hex.get(range).unwrap_or("");
        let (a, b, c) = (part(0..8), part(8..12), part(13..16));
        format!("{a}-{b}-4{c}-8{}-{}", part(17..20), part(20..32))
    }

    fn timezone_offset(&self, caller: &Caller) -> String {
        let zone = jiff::tz::TimeZone::get(&self.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let now = jiff::Timestamp::from_second(caller.now.seconds()).unwrap_or_default();
        let seconds = zone.to_offset(now).seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn render_pipeline(&self, pipeline: &Pipeline, incoming: &Incoming) -> Value {
        let statuses = pipeline
            .statuses
            .iter()
            .map(|s| self.render_status(pipeline, s));
        let statuses: Vec<Value> = statuses.collect();
        json!({
            "id": pipeline.id, "name": pipeline.name, "sort": pipeline.id,
            "is_main": pipeline.is_main, "is_unsorted_on": pipeline.is_unsorted_on,
            "is_archive": pipeline.is_archive, "account_id": self.account_id,
            "_links": incoming.link(&format!("/api/v4/leads/pipelines/{}", pipeline.id)),
            "_embedded": {"statuses": statuses},
        })
    }

    fn render_status(&self, pipeline: &Pipeline, status: &Status) -> Value {
        json!({
            "id": status.id, "name": status.name, "sort": status.sort,
            "is_editable": status.kind == 0 && status.id > 143, "pipeline_id": pipeline.id,
            "color": "#99ccff", "type": status.kind, "account_id": self.account_id,
        })
    }
}

/// The model of a loss reason.
pub(super) fn render_loss_reason(id: u64, name: &str) -> Value {
    json!({
        "id": id, "name": name, "sort": id,
        "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
    })
}

fn render_user(user: &UserOptions, incoming: &Incoming) -> Value {
    let with = |word| incoming.query.with(word);
    let level = |admin: bool| if admin { "A" } else { "G" };
    let rights = json!({
        "view": level(user.is_admin), "edit": level(user.is_admin), "add": level(user.is_admin),
        "delete": if user.is_admin { "A" } else { "D" }, "export": if user.is_admin { "A" } else { "D" },
    });
    let mut row = json!({
        "id": user.id, "name": user.name, "email": user.email, "lang": "ru",
        "rights": {
            "leads": rights, "contacts": rights, "companies": rights,
            "tasks": {"edit": level(user.is_admin), "delete": level(user.is_admin)},
            "mail_access": false, "catalog_access": false, "status_rights": [],
            "is_admin": user.is_admin, "is_free": false, "is_active": user.is_active,
            "group_id": 0, "role_id": null,
        },
        "_links": incoming.link(&format!("/api/v4/users/{}", user.id)),
    });
    if with("phone_number") {
        row["phone_number"] = json!(user.phone_number);
    }
    if with("amojo_id") {
        row["amojo_id"] = json!(opaque_text(&format!("user/{}", user.id), 32));
    }
    if with("role") || with("group") {
        row["_embedded"] = json!({"roles": [], "groups": [{"id": 0, "name": "Отдел продаж"}]});
    }
    row
}

/// Makes the pipelines of a new account, with the stages that come by themselves.
pub(super) fn pipelines(options: &AmoOptions) -> Vec<Pipeline> {
    let status = |id, name: &str, sort, kind| Status {
        id,
        name: name.to_owned(),
        sort,
        kind,
    };
    let pipeline = |(n, p): (usize, &PipelineOptions)| {
        let mut statuses = vec![status(p.id + 1, "Неразобранное", 10, 1)];
        for (n, name) in p.stages.iter().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            let sort = n.saturating_mul(10).saturating_add(20);
            statuses.push(status(p.id + 2 + u64::from(n), name, sort, 0));
        }
        statuses.push(status(WON, "Успешно реализовано", 10_000, 0));
        statuses.push(status(LOST, "Закрыто и не реализовано", 11_000, 0));
        Pipeline {
            id: p.id,
            name: p.name.clone(),
            is_main: n == 0,
            is_unsorted_on: p.is_unsorted_on,
            is_archive: p.is_archive,
            statuses,
        }
    };
    options.pipelines.iter().enumerate().map(pipeline).collect()
}
