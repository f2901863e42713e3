//! Directories of VATS 2.0 (`pbx/megafon.md` §B2).

use serde_json::{Value, json};

use super::world::World;

/// Answers a GET; `None` where there is nothing at this path.
pub(super) fn answer(
    world: &World,
    path: &str,
    authorization: Option<&str>,
) -> Option<(u16, Value)> {
    let list = match path {
        "/employee" => employees(world),
        "/employee-group" | "/employee-group/" => json!([
            { "id": 1, "name": "Продажи", "short_phone": "900", "distribution_type": "parallel",
              "employees": [] },
        ]),
        "/numbers/virtual-number" => json!([
            { "id": 1, "number": "79231230000", "type": "def", "purpose": "company",
              "state": "active", "comment": "Главный" },
        ]),
        _ => return None,
    };
    if authorization != Some(world.key.as_str()) {
        return Some((401, json!({ "message": "Unauthorized" })));
    }
    Some((
        200,
        match world.switches.directories_in_data {
            true => json!({ "data": list }),
            false => list,
        },
    ))
}

fn employees(world: &World) -> Value {
    let one = |(id, name): &(u64, String)| {
        json!({
            "id": id, "full_name": name, "login": format!("user{id}"),
            "email": format!("user{id}@example.org"), "short_phone": format!("{}", id % 1000),
            "phone": null, "sim_phone": format!("7923000{id:04}"), "role": "user",
        })
    };
    world.employees.iter().map(one).collect()
}
