//! Users, departments, and what the portal says about itself and the caller
//! (crm/bitrix24.md §10, §16.4).

use serde_json::{Map, Value, json};

use super::auth::{Caller, status_of};
use super::listing::{Filter, page, sort};
use super::methods::{self, Answered, METHODS};
use super::options::UserOptions;
use super::params::{Params, flag_of, text_of};
use super::refusal::Refusal;
use super::world::World;

impl World {
    pub(super) fn user_get(&mut self, params: &Params, caller: &Caller) -> Answered {
        let filter = params.object("FILTER").unwrap_or_default();
        // Whatever else is given at the top is a filter, too.
        let filter = match params.get("ID") {
            Some(id) if filter.is_empty() => Map::from_iter([("ID".to_owned(), id.clone())]),
            _ => filter,
        };
        let filter = Filter::read(&filter, false);
        let values = |user: &UserOptions, name: &str| {
            Some(vec![match name {
                "ID" => json!(user.id),
                "ACTIVE" => json!(user.is_active),
                "USER_TYPE" => json!("employee"),
                "NAME" => json!(user.name),
                "LAST_NAME" => json!(user.last_name),
                "EMAIL" => json!(user.email),
                "UF_PHONE_INNER" => json!(user.inner_number.clone().unwrap_or_default()),
                "UF_DEPARTMENT" => json!(1),
                _ => return None,
            }])
        };
        let rows = self.users.iter();
        let rows = rows.filter(|user| filter.fits(&self.zone, &|name| values(user, name)));
        let mut rows: Vec<&UserOptions> = rows.collect();
        let mut order = Map::new();
        if let Some(name) = params.word("SORT") {
            let way = params.word("ORDER").unwrap_or_else(|| "ASC".into());
            order.insert(name, json!(way));
        }
        sort(&mut rows, &order, "ID", |user, name| {
            values(user, name)?.into_iter().next()
        });
        let render = |rows: Vec<&UserOptions>| {
            let rows = rows.into_iter();
            rows.map(|user| self.render_user(user, caller)).collect()
        };
        Ok(page(rows, params, &self.switches, render))
    }

    pub(super) fn user_current(&mut self, _: &Params, caller: &Caller) -> Answered {
        match self.user(caller.user_id) {
            Some(user) => Ok(self.render_user(user, caller).into()),
            None => Err(Refusal::new(403, "user_access_error", "User is not found")),
        }
    }

    fn render_user(&self, user: &UserOptions, caller: &Caller) -> Value {
        let has = |name: &str| caller.scope.iter().any(|own| own == name);
        let with_phones = has("user") || has("user_basic");
        let mut row = Map::new();
        let mut put = |name: &str, text: &str| {
            if !text.is_empty() || !self.switches.empty_user_keys_omitted {
                row.insert(name.to_owned(), json!(text));
            }
        };
        put("NAME", &user.name);
        put("LAST_NAME", &user.last_name);
        put("SECOND_NAME", "");
        put("UF_PHONE_INNER", user.inner_number.as_deref().unwrap_or(""));
        if with_phones {
            put("EMAIL", &user.email);
            put("WORK_PHONE", "");
            put("PERSONAL_MOBILE", user.mobile.as_deref().unwrap_or(""));
        }
        row.insert("ID".into(), json!(user.id.to_string()));
        row.insert("ACTIVE".into(), json!(user.is_active));
        row.insert("UF_DEPARTMENT".into(), json!([1]));
        row.insert("USER_TYPE".into(), json!("employee"));
        if self.switches.user_timestamp_is_object {
            row.insert("TIMESTAMP_X".into(), json!({}));
        }
        Value::Object(row)
    }

    pub(super) fn department_get(&mut self, params: &Params, _: &Caller) -> Answered {
        let admin = self.users.iter().find(|user| user.is_admin);
        let head = admin.map(|user| user.id.to_string()).unwrap_or_default();
        let rows = vec![json!({"ID": "1", "NAME": "Компания", "SORT": 500, "UF_HEAD": head})];
        Ok(page(rows, params, &self.switches, Value::Array))
    }

    pub(super) fn app_info(&mut self, _: &Params, caller: &Caller) -> Answered {
        let client_id = caller.client_id.clone().unwrap_or_default();
        let application = self.auth.application(&client_id);
        let installation = self.auth.installed.get(&client_id);
        Ok(json!({
            "ID": application.map_or(0, |app| app.id), "CODE": client_id, "VERSION": 1,
            "STATUS": status_of(application),
            "INSTALLED": installation.is_some_and(|i| i.finished),
            "PAYMENT_EXPIRED": "N", "DAYS": null, "LANGUAGE_ID": "ru", "LICENSE": "ru_pro100",
        })
        .into())
    }

    pub(super) fn scope(&mut self, params: &Params, caller: &Caller) -> Answered {
        let full = params.get("full").and_then(flag_of).unwrap_or(false);
        let scope = match full {
            true => super::options::full_scope(),
            false => caller.scope.clone(),
        };
        Ok(json!(scope).into())
    }

    pub(super) fn profile(&mut self, _: &Params, caller: &Caller) -> Answered {
        let user = self.user(caller.user_id);
        Ok(json!({
            "ID": caller.user_id.to_string(), "ADMIN": caller.is_admin,
            "NAME": user.map(|user| user.name.clone()),
            "LAST_NAME": user.map(|user| user.last_name.clone()),
            "TIME_ZONE": self.options.timezone, "TIME_ZONE_OFFSET": 0,
        })
        .into())
    }

    pub(super) fn server_time(&mut self, _: &Params, caller: &Caller) -> Answered {
        Ok(json!(super::dates::iso(caller.seconds(), &self.zone)).into())
    }

    pub(super) fn feature_get(&mut self, params: &Params, _: &Caller) -> Answered {
        let available = match params.word("CODE").as_deref() {
            Some("rest_offline_extended" | "rest_auth_connector") => {
                self.switches.offline_reserve_available
            }
            Some(_) => false,
            None => return Err(Refusal::missing("CODE")),
        };
        Ok(json!({"value": if available { "Y" } else { "N" }}).into())
    }

    pub(super) fn list_methods(&mut self, params: &Params, caller: &Caller) -> Answered {
        let wanted = params.get("scope").and_then(text_of);
        let names = METHODS.iter().filter(|method| match &wanted {
            Some(scope) => method.scope.contains(&scope.as_str()),
            None => {
                let own = |name: &&str| caller.scope.iter().any(|own| own == *name);
                method.scope.is_empty() || method.scope.iter().any(own)
            }
        });
        Ok(json!(names.map(|method| method.name).collect::<Vec<_>>()).into())
    }

    pub(super) fn method_get(&mut self, params: &Params, caller: &Caller) -> Answered {
        let name = params.word("name").unwrap_or_default();
        let method = methods::find(&name);
        let has = |scope: &&str| caller.scope.iter().any(|own| own == *scope);
        let available = method.is_some_and(|m| m.scope.is_empty() || m.scope.iter().any(has));
        Ok(json!({"isExisting": method.is_some(), "isAvailable": available}).into())
    }
}
