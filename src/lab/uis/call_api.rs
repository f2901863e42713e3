//! Click-to-call of the Call API (`pbx/uis.md` §3).

use serde_json::{Map, Value, json};

use super::api::{Found, Refusal};
use super::world::{Placed, World};

/// The company's own numbers.
const OWN: [&str; 1] = ["74951230000"];

/// Has a call placed.
pub(super) fn start(world: &mut World, params: &Map<String, Value>) -> Result<Found, Refusal> {
    let text = |key: &str| {
        let value = params.get(key).and_then(Value::as_str);
        value.ok_or_else(|| Refusal::of("required_parameter_missed", key))
    };
    match text("first_call")? {
        "employee" | "contact" => {}
        _ => return Err(Refusal::of("invalid_parameter_value", "first_call")),
    }
    if !OWN.contains(&text("virtual_phone_number")?) {
        return Err(Refusal::new(-32007, "virtual_phone_number_not_found"));
    }
    let contact = text("contact")?;
    let whole = contact.len() >= 11 && contact.bytes().all(|byte| byte.is_ascii_digit());
    if !whole {
        return Err(Refusal::of("invalid_parameter_value", "contact"));
    }
    let employee = params
        .get("employee")
        .and_then(|employee| employee.get("id"));
    let employee = employee.and_then(Value::as_u64);
    let employee = employee.ok_or_else(|| Refusal::of("required_parameter_missed", "employee"))?;
    if world.employee_name(employee).is_none() {
        return Err(Refusal::of("employee_not_found", "employee"));
    }
    let session = 920_000_000 + world.placed.len() as u64;
    let mut params = params.clone();
    params.remove("access_token");
    world.placed.push(Placed {
        params: Value::Object(params),
        session,
    });
    Ok(Found::of(json!({ "call_session_id": session })))
}
