use super::*;
use crate::lab::bitrix24::{Mode, SeedCard, UserFieldOptions};

#[tokio::test]
async fn the_classic_family_writes_numbers_as_texts_and_the_universal_one_does_not() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let fields = json!({
        "TITLE": "Звонок", "CATEGORY_ID": 3, "STAGE_ID": "C3:NEW", "ASSIGNED_BY_ID": 12,
        "CONTACT_IDS": [contact], "SOURCE_ID": "CALL", "OPPORTUNITY": 15000,
        "ORIGINATOR_ID": "box", "ORIGIN_ID": "t1:call:1", "UF_CRM_1700000001": "mango",
    });
    let id = bench.ok("crm.deal.add", json!({"fields": fields})).await;
    let classic = bench.ok("crm.deal.get", json!({"id": id})).await;
    assert_eq!(classic["ID"], id.to_string());
    assert_eq!(classic["OPPORTUNITY"], "15000.00");
    assert_eq!(classic["CLOSED"], "N");
    assert_eq!(classic["CONTACT_ID"], contact.to_string());
    assert_eq!(classic["STAGE_SEMANTIC_ID"], "P");
    assert_eq!(classic["UF_CRM_1700000001"], "mango");
    let item = bench
        .ok("crm.item.get", json!({"entityTypeId": 2, "id": id}))
        .await;
    let item = &item["item"];
    assert_eq!((&item["id"], &item["assignedById"]), (&id, &json!(12)));
    assert_eq!(item["contactIds"], json!([contact]));
    assert_eq!(item["ufCrm_1700000001"], "mango");
    assert_eq!(item["opportunity"], 15000.0);
    bench.assert_no_oddities();
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_taken_down_and_wrong_values_are_refused() {
    let bench = Bench::start().await;
    let fields = json!({"NAME": "a", "NICKNAME": "b", "DATE_CREATE": "2020-01-01"});
    bench.ok("crm.contact.add", json!({"fields": fields})).await;
    assert_eq!(bench.lab.counters().oddities.len(), 2);
    for fields in [
        json!({"TITLE": "a", "SOURCE_ID": "MOON"}),
        json!({"TITLE": "a", "STAGE_ID": "C3:NEW"}),
        json!({"TITLE": "a", "CATEGORY_ID": 99}),
        json!({"TITLE": "a", "ASSIGNED_BY_ID": "Anna"}),
        json!({"TITLE": "a", "UF_CRM_1700000002": 1}),
        json!({"TITLE": "a", "CLOSEDATE": "tomorrow"}),
    ] {
        let (status, code, _) = bench
            .refused("crm.deal.add", json!({"fields": fields}))
            .await;
        let expected = (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID");
        assert_eq!((status, code.as_str()), expected, "{fields}");
    }
    assert!(bench.lab.oracle().deals.is_empty());
}

#[tokio::test]
async fn missing_cards_are_told_of_with_an_empty_code_or_another() {
    let bench = Bench::start().await;
    let refused = bench.refused("crm.deal.get", json!({"id": 1})).await;
    assert_eq!(refused, (400, String::new(), "Not found".into()));
    let update = json!({"id": 1, "fields": {"NAME": "a"}});
    let refused = bench.refused("crm.contact.update", update).await;
    assert_eq!(refused.2, "Contact is not found");
    bench.lab.switch(|s| s.classic_errors_are_nameless = false);
    assert_eq!(
        bench.refused("crm.deal.get", json!({"id": 1})).await.1,
        "ERROR_CORE"
    );
    let get = json!({"entityTypeId": 2, "id": 1});
    assert_eq!(bench.refused("crm.item.get", get).await.1, "NOT_FOUND");
}

#[tokio::test]
async fn an_update_adds_changes_and_deletes_phones_by_entry() {
    let bench = Bench::start().await;
    let id = bench.contact("+79161234567").await;
    let update = |phones: Value| json!({"id": id, "fields": {"PHONE": phones}});
    // Values are never matched by text: the same number once more is a second one.
    let again = json!([{"VALUE": "+79161234567", "VALUE_TYPE": "WORK"}]);
    bench.ok("crm.contact.update", update(again)).await;
    let card = bench.ok("crm.contact.get", json!({"id": id})).await;
    let entries: Vec<String> = card["PHONE"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["ID"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(entries.len(), 2);
    let edits = json!([
        {"ID": entries[0], "VALUE": "+79160000000"}, {"ID": entries[1], "DELETE": "Y"},
    ]);
    bench.ok("crm.contact.update", update(edits)).await;
    let card = bench.ok("crm.contact.get", json!({"id": id})).await;
    assert_eq!(card["PHONE"].as_array().unwrap().len(), 1);
    assert_eq!(card["PHONE"][0]["VALUE"], "+79160000000");
    let empty = json!([{"ID": entries[0], "VALUE": ""}]);
    bench.ok("crm.contact.update", update(empty)).await;
    let card = bench.ok("crm.contact.get", json!({"id": id})).await;
    assert!(card.get("PHONE").is_none());
}

#[tokio::test]
async fn fm_is_a_list_to_add_and_an_object_to_update() {
    let bench = Bench::start().await;
    let fm = json!([{"typeId": "PHONE", "valueType": "WORK", "value": "+79161234567"}]);
    let add = json!({"entityTypeId": 3, "fields": {"name": "a", "fm": fm}});
    let item = bench.ok("crm.item.add", add).await["item"].clone();
    let (id, entry) = (&item["id"], item["fm"][0]["id"].to_string());
    let update = |fm: Value| json!({"entityTypeId": 3, "id": id, "fields": {"fm": fm}});
    let more = json!({"n0": {"typeId": "PHONE", "valueType": "MOBILE", "value": "+79160000001"}});
    bench.ok("crm.item.update", update(more)).await;
    let gone = json!({&entry: {"typeId": "PHONE", "value": ""}});
    let item = bench.ok("crm.item.update", update(gone)).await["item"].clone();
    assert_eq!(item["fm"].as_array().unwrap().len(), 1);
    assert_eq!(item["fm"][0]["value"], "+79160000001");
    // Without typeId the call succeeds and does nothing.
    let nothing = json!({"n0": {"valueType": "MOBILE", "value": "+79160000002"}});
    let item = bench.ok("crm.item.update", update(nothing)).await["item"].clone();
    assert_eq!(item["fm"].as_array().unwrap().len(), 1);
    let list = json!({"entityTypeId": 3, "select": ["id", "name"]});
    assert!(
        bench.ok("crm.item.list", list).await["items"][0]
            .get("fm")
            .is_none()
    );
}

#[tokio::test]
async fn an_invalid_email_fails_the_whole_card() {
    let bench = Bench::start().await;
    let fields = json!({"NAME": "a", "EMAIL": [{"VALUE": "not an address"}]});
    let (status, code, _) = bench
        .refused("crm.contact.add", json!({"fields": fields}))
        .await;
    assert_eq!((status, code.as_str()), (400, "ERROR_CORE"));
    assert!(bench.lab.oracle().contacts.is_empty());
}

#[tokio::test]
async fn the_funnel_changes_through_the_universal_family_only() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let deal = bench.deal(contact).await;
    let update = json!({"id": deal, "fields": {"CATEGORY_ID": 3}});
    bench.ok("crm.deal.update", update).await;
    assert_eq!(bench.lab.oracle().deals[0].category, 0);
    let update = json!({"entityTypeId": 2, "id": deal, "fields": {"categoryId": 3}});
    let item = bench.ok("crm.item.update", update).await["item"].clone();
    assert_eq!(
        (&item["categoryId"], &item["stageId"]),
        (&json!(3), &json!("C3:NEW"))
    );
    let lost = json!({"id": deal, "fields": {"STAGE_ID": "C3:LOSE"}});
    bench.ok("crm.deal.update", lost).await;
    let card = bench.ok("crm.deal.get", json!({"id": deal})).await;
    assert_eq!(
        (&card["CLOSED"], &card["STAGE_SEMANTIC_ID"]),
        (&json!("Y"), &json!("F"))
    );
}

#[tokio::test]
async fn without_leads_a_lead_becomes_contact_and_deal_at_once() {
    let bench = Bench::start().await;
    bench.lab.set_mode(Mode::Simple);
    assert_eq!(bench.ok("crm.settings.mode.get", json!({})).await, 2);
    let fields = json!({
        "TITLE": "Заявка", "NAME": "Иван", "PHONE": [{"VALUE": "+79161234567"}],
        "ORIGINATOR_ID": "box", "ORIGIN_ID": "k1",
    });
    let lead = bench.ok("crm.lead.add", json!({"fields": fields})).await;
    let oracle = bench.lab.oracle();
    assert_eq!(oracle.deals_of_phone("79161234567")[0].origin, "k1");
    assert_eq!(oracle.leads[0].became, Some(oracle.deals[0].id));
    let card = bench.ok("crm.lead.get", json!({"id": lead})).await;
    assert_eq!(card["STATUS_ID"], "CONVERTED");
    bench.lab.switch(|s| s.converted_lead_is_readable = false);
    assert_eq!(
        bench.refused("crm.lead.get", json!({"id": lead})).await.0,
        400
    );
    bench.lab.switch(|s| s.simple_mode_wants_name = true);
    bench
        .ok("crm.lead.add", json!({"fields": {"TITLE": "no name"}}))
        .await;
    assert_eq!(bench.lab.oracle().deals.len(), 1);
}

#[tokio::test]
async fn dictionaries_tell_stages_funnels_and_user_fields() {
    let bench = Bench::start().await;
    let ask = json!({"filter": {"ENTITY_ID": "DEAL_STAGE_3"}, "order": {"SORT": "ASC"}});
    let stages = bench.ok("crm.status.list", ask).await;
    assert_eq!(
        (&stages[0]["STATUS_ID"], &stages[0]["SORT"]),
        (&json!("C3:NEW"), &json!("10"))
    );
    assert_eq!(stages[2]["SEMANTICS"], "S");
    let ask = json!({"entityTypeId": 2});
    let (_, body) = bench.call("crm.category.list", ask).await;
    assert_eq!(body["result"]["categories"][1]["id"], 3);
    assert_eq!(body["total"], 2);
    let old = bench.ok("crm.dealcategory.list", json!({})).await;
    assert_eq!(old.as_array().unwrap().len(), 1);
    bench.lab.switch(|s| s.old_funnels_hold_default = true);
    let old = bench.ok("crm.dealcategory.list", json!({})).await;
    assert_eq!(old.as_array().unwrap().len(), 2);
    let plain = bench.ok("crm.deal.userfield.list", json!({})).await;
    assert!(plain[0].get("EDIT_FORM_LABEL").is_none());
    let ask = json!({"filter": {"LANG": "ru"}});
    let labelled = bench.ok("crm.deal.userfield.list", ask).await;
    assert_eq!(labelled[1]["EDIT_FORM_LABEL"], "Канал");
    let choice = labelled[1]["LIST"][1]["ID"].as_str().unwrap().to_owned();
    let fields = json!({"TITLE": "a", "UF_CRM_1700000002": choice});
    let deal = bench.ok("crm.deal.add", json!({"fields": fields})).await;
    let card = bench.ok("crm.deal.get", json!({"id": deal})).await;
    assert_eq!(card["UF_CRM_1700000002"], choice);
}

#[tokio::test]
async fn a_user_field_is_added_once_by_an_administrator() {
    let bench = Bench::start().await;
    let fields = json!({
        "FIELD_NAME": "TRUNK", "USER_TYPE_ID": "string", "EDIT_FORM_LABEL": {"ru": "Линия"},
    });
    bench
        .ok("crm.deal.userfield.add", json!({"fields": fields}))
        .await;
    let again = bench
        .refused("crm.deal.userfield.add", json!({"fields": fields}))
        .await;
    assert_eq!(again.0, 400);
    let deal = json!({"fields": {"TITLE": "a", "UF_CRM_TRUNK": "7495"}});
    bench.ok("crm.deal.add", deal).await;
    assert_eq!(bench.lab.oracle().deals[0].fields["UF_CRM_TRUNK"], "7495");
}

#[tokio::test]
async fn required_fields_are_asked_for_by_the_family_that_asks() {
    let mut options = options();
    options.user_fields = vec![UserFieldOptions {
        is_mandatory: true,
        ..UserFieldOptions::text("deal", "UF_CRM_1", "Обязательное")
    }];
    let bench = Bench::with(options).await;
    let classic = json!({"fields": {"TITLE": "a"}});
    let universal = json!({"entityTypeId": 2, "fields": {"title": "a"}});
    assert_eq!(bench.call("crm.deal.add", classic.clone()).await.0, 200);
    assert_eq!(bench.call("crm.item.add", universal.clone()).await.0, 400);
    bench.lab.switch(|s| {
        s.classic_add_checks_required = true;
        s.item_add_checks_required = false;
    });
    assert_eq!(bench.call("crm.deal.add", classic).await.0, 400);
    assert_eq!(bench.call("crm.item.add", universal).await.0, 200);
}

#[tokio::test]
async fn the_oracle_counts_what_is_there_twice() {
    let bench = Bench::start().await;
    let fields = json!({"TITLE": "a", "ORIGINATOR_ID": "box", "ORIGIN_ID": "k1"});
    for _ in 0..2 {
        // No uniqueness is promised.
        bench.ok("crm.deal.add", json!({"fields": fields})).await;
    }
    bench.contact("+79161234567").await;
    bench.contact("8 916 123 45 67").await;
    let duplicates = bench.lab.oracle().duplicates;
    assert_eq!(
        (duplicates.origins.len(), duplicates.contacts.len()),
        (1, 1)
    );
    assert_eq!(duplicates.count(), 2);
}

#[tokio::test]
async fn a_robot_converts_a_lead_also_where_there_are_leads() {
    let bench = Bench::start().await;
    let lead = bench
        .lab
        .add_lead(&SeedCard::new("Лид", "+79161234567", 12));
    assert!(bench.lab.convert_lead(lead));
    let oracle = bench.lab.oracle();
    assert_eq!(oracle.leads[0].stage, "CONVERTED");
    assert_eq!(oracle.deals_of_phone("79161234567").len(), 1);
    assert!(!bench.lab.convert_lead(999));
}

#[tokio::test]
async fn the_portal_announces_deals_by_itself_and_others_where_it_is_told_to() {
    let bench = Bench::start().await;
    for (method, params) in [
        ("crm.deal.add", json!({"fields": {"TITLE": "a"}})),
        (
            "crm.deal.add",
            json!({"fields": {"TITLE": "b"}, "params": {"REGISTER_SONET_EVENT": "N"}}),
        ),
        ("crm.lead.add", json!({"fields": {"TITLE": "c"}})),
        (
            "crm.lead.add",
            json!({"fields": {"TITLE": "d"}, "params": {"REGISTER_SONET_EVENT": "Y"}}),
        ),
    ] {
        bench.ok(method, params).await;
    }
    let oracle = bench.lab.oracle();
    let announced: Vec<&str> = oracle
        .deals
        .iter()
        .chain(&oracle.leads)
        .filter(|card| card.is_announced)
        .map(|card| card.title.as_str())
        .collect();
    assert_eq!(announced, ["a", "d"]);
}
