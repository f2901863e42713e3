//! Payments (crm/alfacrm.md §5): lists, and what a person does with them. Income of clients, and
//! everything else that an account pays and is paid.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::api::Listed;
use super::exchange::{Incoming, Reply};
use super::loose::{number, numbers};
use super::world::World;

/// A payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pay {
    /// The id.
    pub id: u64,
    /// The branch.
    pub branch: u64,
    /// Whose; 0 = nobody's.
    pub customer: u64,
    /// Its type.
    pub kind: u64,
    /// The sum, as it is written.
    pub income: String,
    /// It is money.
    pub confirmed: bool,
    /// The day of the document, `YYYY-MM-DD`.
    pub document_date: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

impl World {
    pub(super) fn list_pays(
        &mut self,
        branch: u64,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Reply {
        let ids = match body.get("id") {
            // Whether several are taken nobody says.
            Some(Value::Array(_)) if !self.switches.pays_by_ids => vec![0],
            given => numbers(given),
        };
        let customer = number(body.get("customer_id"));
        let mut body = body.clone();
        if !self.switches.pays_by_update {
            body.remove("updated_at_from");
        }
        let chosen = self.pays.values().filter(|one| {
            (!self.switches.of_branch_only || one.branch == branch)
                && (ids.is_empty() || ids.contains(&one.id))
                && customer.is_none_or(|wanted| wanted == one.customer)
                && self.is_within(&body, "created_at", one.created_at)
                && self.is_within(&body, "updated_at", one.updated_at)
        });
        let listed = chosen.map(|one| Listed {
            id: one.id,
            changed_at: one.updated_at,
            record: self.pay_record(one),
        });
        let listed = listed.collect();
        self.paged(listed, incoming, &body)
    }

    fn pay_record(&self, one: &Pay) -> Value {
        let name = self
            .options
            .pay_types
            .iter()
            .find(|(id, _)| *id == one.kind);
        let mut record = json!({
            "id": one.id, "branch_id": one.branch, "location_id": null,
            "customer_id": if one.customer == 0 { Value::Null } else { json!(one.customer) },
            "pay_type_id": one.kind, "pay_type_name": name.map(|(_, name)| name),
            "pay_account_id": 2, "pay_item_id": null, "teacher_id": null,
            "document_date": one.document_date, "income": one.income, "bonus": "0.00",
            "payer_name": "", "note": "", "created_at": self.written(one.created_at),
            "updated_at": self.written(one.updated_at),
        });
        if self.switches.pays_say_confirmed {
            record["is_confirmed"] = json!(u8::from(one.confirmed));
        }
        record
    }

    /// Puts a payment into the account.
    pub(super) fn add_pay(&mut self, mut pay: Pay) -> u64 {
        pay.id = self.new_id();
        let now = self.now.seconds();
        pay.created_at = now;
        pay.updated_at = now;
        if pay.document_date.is_empty() {
            pay.document_date = self.written(now).chars().take(10).collect();
        }
        self.pay_happened("create", 1, None, Some(&pay));
        let id = pay.id;
        self.pays.insert(id, pay);
        id
    }

    /// Changes a payment; false where there is none.
    pub(super) fn edit_pay(&mut self, id: u64, change: impl FnOnce(&mut Pay)) -> bool {
        let Some(before) = self.pays.get(&id).cloned() else {
            return false;
        };
        let mut after = before.clone();
        change(&mut after);
        after.updated_at = self.now.seconds();
        self.pay_happened("update", 2, Some(&before), Some(&after));
        self.pays.insert(id, after);
        true
    }

    /// Deletes a payment; false where there is none.
    pub(super) fn delete_pay(&mut self, id: u64) -> bool {
        let Some(gone) = self.pays.remove(&id) else {
            return false;
        };
        self.pay_happened("delete", 3, Some(&gone), None);
        true
    }

    fn pay_happened(
        &mut self,
        event: &'static str,
        code: u64,
        before: Option<&Pay>,
        after: Option<&Pay>,
    ) {
        let Some(one) = after.or(before) else { return };
        let (id, branch) = (one.id, one.branch);
        let (old, new) = match (before, after) {
            (Some(_), None) if self.switches.deletes_say_nothing => (json!([]), json!([])),
            _ => super::hooks::changed(
                before.map(fields).unwrap_or_default(),
                after.map(fields).unwrap_or_default(),
            ),
        };
        self.note_fields("Pay", id, code, (&old, &new));
        self.tell("Pay", event, id, &[branch], (old, new));
    }
}

/// What webhooks tell of a payment; the flag is called otherwise than in lists (§7).
fn fields(one: &Pay) -> Map<String, Value> {
    let fields = [
        ("customer_id", json!(one.customer.to_string())),
        ("income", json!(one.income)),
        ("document_date", json!(one.document_date)),
        ("confirmed", json!(one.confirmed)),
        ("pay_type_id", json!(one.kind.to_string())),
        ("branch_id", json!(one.branch)),
    ];
    let fields = fields.into_iter();
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}
