use super::*;
use crate::lab::bitrix24::{Kind, SeedCard};

#[tokio::test]
async fn lists_have_pages_of_fifty_and_go_on_by_offset_or_by_id() {
    let bench = Bench::start().await;
    for n in 0..120 {
        let phone = format!("+7916000{n:04}");
        bench.lab.add_contact(&SeedCard::new("a", &phone, 12));
    }
    let (_, body) = bench.call("crm.contact.list", json!({"start": 0})).await;
    assert_eq!((&body["total"], &body["next"]), (&json!(120), &json!(50)));
    let (_, body) = bench.call("crm.contact.list", json!({"start": 100})).await;
    assert_eq!(body["result"].as_array().unwrap().len(), 20);
    assert!(body.get("next").is_none());
    let mut last = 0;
    let mut pages = Vec::new();
    loop {
        let ask = json!({
            "order": {"ID": "ASC"}, "filter": {">ID": last}, "start": -1,
            "select": ["ID", "PHONE", "ASSIGNED_BY_ID"],
        });
        let (_, body) = bench.call("crm.contact.list", ask).await;
        assert!(body.get("total").is_none());
        let rows = body["result"].as_array().unwrap().clone();
        pages.push(rows.len());
        if rows.len() < 50 {
            break;
        }
        let row = rows.last().unwrap();
        assert!(row["PHONE"][0]["VALUE"].is_string() && row.get("NAME").is_none());
        last = row["ID"].as_str().unwrap().parse().unwrap();
    }
    assert_eq!(pages, [50, 50, 20]);
    bench
        .lab
        .switch(|s| s.uncounted_lists_have_no_total = false);
    let (_, body) = bench.call("crm.contact.list", json!({"start": -1})).await;
    assert_eq!(body["total"], 120);
}

#[tokio::test]
async fn phones_come_only_where_they_are_named() {
    let bench = Bench::start().await;
    bench.contact("+79161234567").await;
    let rows = bench
        .ok("crm.contact.list", json!({"select": ["*", "UF_*"]}))
        .await;
    assert!(rows[0].get("PHONE").is_none() && rows[0].get("NAME").is_some());
}

#[tokio::test]
async fn the_universal_list_refuses_what_it_cannot_filter_by() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let deal = bench.deal(contact).await;
    let ask = |filter: Value| json!({"entityTypeId": 2, "filter": filter, "select": ["id"]});
    let open = json!({"contactId": contact, "stageSemanticId": "P"});
    let found = bench.ok("crm.item.list", ask(open)).await;
    assert_eq!(found["items"][0]["id"], deal);
    let origin = json!({"0": {"logic": "OR", "0": {"originId": "x"}, "1": {"=id": deal}}});
    let found = bench.ok("crm.item.list", ask(origin)).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let (status, code, text) = bench
        .refused("crm.item.list", ask(json!({"phone": "x"})))
        .await;
    assert_eq!((status, code.as_str()), (400, "INVALID_ARG_VALUE"));
    assert_eq!(text, "field 'phone' is not allowed in filter");
    let by_id = json!({"entityTypeId": 2, "order": {"ID": "ASC"}, "filter": {">id": 0}});
    assert_eq!(
        bench.refused("crm.item.list", by_id.clone()).await.1,
        "INVALID_ARG_VALUE"
    );
    bench.lab.switch(|s| s.items_ordered_by_upper_case = true);
    bench.ok("crm.item.list", by_id).await;
}

#[tokio::test]
async fn the_classic_list_ignores_what_it_does_not_know_and_returns_too_much() {
    let bench = Bench::start().await;
    bench.contact("+79161234567").await;
    let rows = bench
        .ok("crm.contact.list", json!({"filter": {"=ORIGIN": "x"}}))
        .await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(bench.lab.counters().oddities.len(), 1);
    let rows = bench
        .ok("crm.contact.list", json!({"filter": {"=ORIGIN_ID": "x"}}))
        .await;
    assert_eq!(rows, json!([]));
}

#[tokio::test]
async fn findbycomm_compares_codes_and_says_nothing_with_a_list() {
    let bench = Bench::start().await;
    let id = bench.contact("8 (916) 123-45-67").await;
    let find = |value: &str| json!({"type": "PHONE", "values": [value]});
    let found = bench
        .ok("crm.duplicate.findbycomm", find("+79161234567"))
        .await;
    assert_eq!(found, json!({"CONTACT": [id]}));
    let found = bench
        .ok("crm.duplicate.findbycomm", find("9161234567"))
        .await;
    assert_eq!(found, json!([]));
    bench.lab.delete(Kind::Contact, id);
    let found = bench
        .ok("crm.duplicate.findbycomm", find("+79161234567"))
        .await;
    assert_eq!(found, json!([]));
    let (status, code, text) = bench.refused("crm.duplicate.findbycomm", json!({})).await;
    assert_eq!(
        (status, code.as_str()),
        (400, "Communication type is not defined")
    );
    assert_eq!(text, "Parameter 'type' is required.");
    let no_list = json!({"type": "PHONE", "values": "79161234567"});
    let refused = bench.refused("crm.duplicate.findbycomm", no_list).await;
    assert_eq!(refused.1, "Communication values is not defined");
}

#[tokio::test]
async fn twenty_of_one_type_hide_the_others() {
    let bench = Bench::start().await;
    for _ in 0..25 {
        bench.lab.add_lead(&SeedCard::new("a", "+79161234567", 12));
    }
    let contact = bench
        .lab
        .add_contact(&SeedCard::new("a", "+79161234567", 12));
    let find = json!({"type": "PHONE", "values": ["79161234567"]});
    let found = bench.ok("crm.duplicate.findbycomm", find.clone()).await;
    assert_eq!(found["LEAD"].as_array().unwrap().len(), 20);
    assert!(found.get("CONTACT").is_none());
    let mut only = find.clone();
    only["entity_type"] = json!("CONTACT");
    let found = bench.ok("crm.duplicate.findbycomm", only).await;
    assert_eq!(found, json!({"CONTACT": [contact]}));
    bench.lab.switch(|s| s.full_type_hides_others = false);
    let found = bench.ok("crm.duplicate.findbycomm", find).await;
    assert_eq!(found["CONTACT"], json!([contact]));
}

#[tokio::test]
async fn deals_are_found_by_contact_origin_and_id_and_by_what_they_lack() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let marked = bench.deal(contact).await;
    let other = bench.deal(contact).await;
    let fields = json!({"ORIGINATOR_ID": "box", "ORIGIN_ID": "k1"});
    let update = json!({"id": marked, "fields": fields});
    bench.ok("crm.deal.update", update).await;
    for (filter, expected) in [
        (json!({"CONTACT_ID": contact}), vec![marked, other]),
        (
            json!({"=ORIGIN_ID": "k1", "=ORIGINATOR_ID": "box"}),
            vec![marked],
        ),
        (json!({"=ORIGIN_ID": "k1", "=ORIGINATOR_ID": "fox"}), vec![]),
        (json!({"ORIGIN_ID": ""}), vec![other]),
        (json!({"@ID": [other, marked, 7]}), vec![marked, other]),
        (json!({"!ID": marked}), vec![other]),
        (json!({">ID": marked}), vec![other]),
    ] {
        let ask = json!({"filter": filter, "select": ["ID"], "order": {"ID": "ASC"}});
        let rows = bench.ok("crm.deal.list", ask).await;
        let found: Vec<u64> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["ID"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(found, expected, "{filter}");
    }
    bench.lab.delete(Kind::Contact, contact);
    let ask = json!({"filter": {"CONTACT_ID": contact}});
    assert_eq!(bench.ok("crm.deal.list", ask).await, json!([]));
}
