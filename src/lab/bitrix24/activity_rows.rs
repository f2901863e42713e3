//! Activities as lists see and write them (crm/bitrix24.md §7).

use serde_json::{Map, Value, json};

use super::dates;
use super::records::Activity;
use super::world::World;

impl World {
    /// Returns what an activity has under a name; with none, whether there is such a name.
    pub(super) fn activity_value(
        &self,
        activity: Option<&Activity>,
        name: &str,
    ) -> Option<Vec<Value>> {
        let known = [
            "ID",
            "OWNER_TYPE_ID",
            "OWNER_ID",
            "TYPE_ID",
            "PROVIDER_ID",
            "PROVIDER_TYPE_ID",
            "SUBJECT",
            "DESCRIPTION",
            "RESPONSIBLE_ID",
            "AUTHOR_ID",
            "COMPLETED",
            "CREATED",
            "LAST_UPDATED",
            "START_TIME",
            "END_TIME",
            "DEADLINE",
            "DIRECTION",
            "ORIGINATOR_ID",
            "ORIGIN_ID",
            "STATUS",
        ];
        if !known.contains(&name)
            || (name.starts_with("ORIGIN") && !self.switches.activities_filter_by_origin)
        {
            return None;
        }
        let Some(activity) = activity else {
            return Some(Vec::new());
        };
        let value = match name {
            "ID" => json!(activity.id),
            "OWNER_TYPE_ID" => json!(activity.owner.0),
            "OWNER_ID" => json!(activity.owner.1),
            "TYPE_ID" => json!(activity.type_id),
            "PROVIDER_ID" => json!(activity.provider_id),
            "PROVIDER_TYPE_ID" => json!(activity.provider_type_id),
            "SUBJECT" => json!(activity.subject),
            "DESCRIPTION" => json!(activity.description),
            "RESPONSIBLE_ID" => json!(activity.responsible_id),
            "AUTHOR_ID" => json!(activity.author_id),
            "COMPLETED" => json!(activity.is_completed),
            "CREATED" => json!(activity.created_at),
            "LAST_UPDATED" => json!(activity.updated_at),
            "START_TIME" => json!(activity.start_at),
            "END_TIME" => json!(activity.end_at),
            "DEADLINE" => return Some(activity.deadline.map(|d| json!(d)).into_iter().collect()),
            "DIRECTION" => json!(activity.direction),
            "ORIGINATOR_ID" => json!(activity.originator_id),
            "ORIGIN_ID" => json!(activity.origin_id),
            _ => json!(if activity.is_completed { 2 } else { 1 }),
        };
        Some(vec![value])
    }

    pub(super) fn render_activity(&self, activity: &Activity, select: Option<&[String]>) -> Value {
        let wanted = |name: &str| {
            name == "ID" || select.is_none_or(|names| names.iter().any(|n| n == name || n == "*"))
        };
        let date = |seconds: i64| json!(dates::iso(seconds, &self.zone));
        let mut row = Map::new();
        for (name, value) in [
            ("ID", json!(activity.id.to_string())),
            ("OWNER_TYPE_ID", json!(activity.owner.0.to_string())),
            ("OWNER_ID", json!(activity.owner.1.to_string())),
            ("TYPE_ID", json!(activity.type_id.to_string())),
            ("PROVIDER_ID", json!(activity.provider_id)),
            ("PROVIDER_TYPE_ID", json!(activity.provider_type_id)),
            ("SUBJECT", json!(activity.subject)),
            ("DESCRIPTION", json!(activity.description)),
            (
                "DESCRIPTION_TYPE",
                json!(activity.description_type.to_string()),
            ),
            ("DIRECTION", json!(activity.direction.to_string())),
            ("PRIORITY", json!(activity.priority.to_string())),
            ("RESPONSIBLE_ID", json!(activity.responsible_id.to_string())),
            ("AUTHOR_ID", json!(activity.author_id.to_string())),
            (
                "COMPLETED",
                json!(if activity.is_completed { "Y" } else { "N" }),
            ),
            (
                "STATUS",
                json!(if activity.is_completed { "2" } else { "1" }),
            ),
            ("CREATED", date(activity.created_at)),
            ("LAST_UPDATED", date(activity.updated_at)),
            ("START_TIME", date(activity.start_at)),
            ("END_TIME", date(activity.end_at)),
            ("DEADLINE", activity.deadline.map_or(Value::Null, date)),
            ("ORIGINATOR_ID", json!(activity.originator_id)),
            ("ORIGIN_ID", json!(activity.origin_id)),
        ] {
            if wanted(name) {
                row.insert(name.to_owned(), value);
            }
        }
        // Communications and files come only when they are asked for.
        let named = |name: &str| select.is_some_and(|names| names.iter().any(|n| n == name));
        if named("COMMUNICATIONS") {
            row.insert("COMMUNICATIONS".into(), json!(activity.communications));
        }
        if !activity.files.is_empty() && (select.is_none() || named("FILES")) {
            let files = activity.files.iter().map(|id| json!({"id": id}));
            row.insert("FILES".into(), files.collect());
        }
        Value::Object(row)
    }
}
