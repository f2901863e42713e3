use super::*;

#[tokio::test]
async fn commands_run_in_order_and_refer_to_earlier_results() {
    let bench = Bench::start().await;
    bench.contact("+79161234567").await;
    // The names are not in order of the alphabet.
    let body = format!(
        r#"{{"halt":0,"auth":"{}","cmd":{{
            "reg":"telephony.externalCall.register?USER_ID=12&PHONE_NUMBER=79161234567&TYPE=2&EXTERNAL_CALL_ID=pbx-1.55&SHOW=0",
            "fin":"telephony.externalCall.finish?CALL_ID=$result[reg][CALL_ID]&USER_ID=12&DURATION=40&STATUS_CODE=200",
            "a":"crm.duplicate.findbycomm?type=PHONE&values[0]=%2B7%20916%20123-45-67"
        }}}}"#,
        bench.token
    );
    let url = format!("{}/rest/batch", bench.lab.base_url());
    let request = bench
        .client
        .post(url)
        .header("Content-Type", "application/json");
    let (status, body) = Bench::answer(request.body(body)).await;
    assert_eq!(status, 200);
    let result = &body["result"];
    assert_eq!(result["result"]["a"], json!({"CONTACT": [31]}));
    assert_eq!(result["result"]["fin"]["EXTERNAL_CALL_ID"], "pbx-1.55");
    assert_eq!(result["result_error"], json!([]));
    assert_eq!(result["result_total"], json!([]));
    assert!(result["result_time"]["fin"]["operating"].is_number());
    assert_eq!(bench.lab.oracle().calls_of_phone("79161234567").len(), 1);
    bench.assert_no_oddities();
}

#[tokio::test]
async fn one_bad_command_does_not_stop_the_others_unless_halt_says_so() {
    let bench = Bench::start().await;
    let commands = |halt: u8| {
        json!({"halt": halt, "cmd": {
            "a": "crm.contact.add?fields[NAME]=a", "b": "crm.contact.get?id=999999",
            "c": "crm.contact.add?fields[NAME]=c",
        }})
    };
    let result = bench.ok("batch", commands(0)).await;
    let error = json!({"error": "", "error_description": "Not found"});
    assert_eq!(result["result_error"], json!({"b": error}));
    assert!(result["result_time"].get("b").is_none());
    assert_eq!(result["result"].as_object().unwrap().len(), 2);
    let result = bench.ok("batch", commands(1)).await;
    assert!(result["result"].get("c").is_none());
    // What was done stays done.
    assert_eq!(bench.lab.oracle().contacts.len(), 3);
}

#[tokio::test]
async fn maps_are_lists_where_their_keys_are_or_where_they_are_empty() {
    let bench = Bench::start().await;
    let commands = json!(["scope", "crm.contact.get?id=999999", "crm.contact.list"]);
    let result = bench.ok("batch", json!({"cmd": commands})).await;
    // Key 1 failed: what is left is no list any more.
    assert!(result["result"]["0"].is_array() && result["result"]["2"].is_array());
    assert_eq!(
        result["result_error"]["1"]["error_description"],
        "Not found"
    );
    assert_eq!(result["result_total"], json!({"2": 0}));
    let result = bench.ok("batch", json!({"cmd": ["scope"]})).await;
    assert!(result["result"].is_array() && result["result_error"] == json!([]));
    let result = bench
        .ok("batch", json!({"cmd": ["crm.contact.get?id=999999"]}))
        .await;
    // An error of the first command is a list of one.
    assert_eq!(result["result_error"][0]["error_description"], "Not found");
    bench.lab.switch(|s| s.empty_maps_are_lists = false);
    let result = bench.ok("batch", json!({"cmd": {"a": "scope"}})).await;
    assert_eq!(result["result_error"], json!({}));
}

#[tokio::test]
async fn an_unresolved_reference_is_empty_or_fails() {
    let bench = Bench::start().await;
    let commands = json!({"cmd": {
        "a": "crm.contact.list",
        "b": "crm.deal.add?fields[TITLE]=x$result[a][49][ID]",
    }});
    let result = bench.ok("batch", commands.clone()).await;
    assert!(result["result"]["b"].is_number());
    assert_eq!(bench.lab.oracle().deals[0].title, "x");
    bench.lab.switch(|s| s.unresolved_reference_fails = true);
    let result = bench.ok("batch", commands).await;
    assert!(result["result_error"]["b"].is_object());
    assert_eq!(bench.lab.oracle().deals.len(), 1);
}

#[tokio::test]
async fn more_than_fifty_commands_fail_beyond_the_fiftieth_or_as_a_whole() {
    let bench = Bench::start().await;
    let commands: Vec<&str> = vec!["profile"; 52];
    let result = bench.ok("batch", json!({"cmd": commands})).await;
    assert_eq!(result["result"].as_array().unwrap().len(), 50);
    let error = &result["result_error"]["51"]["error"];
    assert_eq!(error, "ERROR_BATCH_LENGTH_EXCEEDED");
    bench.lab.switch(|s| s.long_batch_refused = true);
    let (status, code, _) = bench.refused("batch", json!({"cmd": commands})).await;
    assert_eq!(
        (status, code.as_str()),
        (400, "ERROR_BATCH_LENGTH_EXCEEDED")
    );
}

#[tokio::test]
async fn a_batch_within_a_batch_is_refused() {
    let bench = Bench::start().await;
    let result = bench
        .ok("batch", json!({"cmd": {"a": "batch?cmd[0]=scope"}}))
        .await;
    let error = &result["result_error"]["a"]["error"];
    assert_eq!(error, "ERROR_BATCH_METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_batch_as_a_form_keeps_its_order() {
    let bench = Bench::start().await;
    let url = format!("{}batch", bench.lab.webhook_url().unwrap());
    let form = "halt=0&cmd[z]=crm.contact.add%3Ffields%5BNAME%5D%3Dfirst\
                &cmd[a]=crm.deal.add%3Ffields%5BCONTACT_IDS%5D%5B0%5D%3D%24result%5Bz%5D";
    let request = bench.client.post(url).body(form);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let (_, body) = Bench::answer(request).await;
    assert_eq!(body["result"]["result_error"], json!([]));
    assert_eq!(bench.lab.oracle().deals[0].contacts, [31]);
}

#[tokio::test]
async fn a_method_that_is_refused_costs_its_neighbours_nothing() {
    let bench = Bench::start().await;
    let refusal = (400, "", "Some rule of the portal");
    bench.lab.refuse_method("crm.deal.add", Some(refusal));
    let commands =
        json!({"a": "crm.contact.add?fields[NAME]=a", "b": "crm.deal.add?fields[TITLE]=b"});
    let result = bench.ok("batch", json!({"cmd": commands})).await;
    assert!(result["result"]["a"].is_number());
    assert_eq!(
        result["result_error"]["b"]["error_description"],
        "Some rule of the portal"
    );
    bench.lab.refuse_method("crm.deal.add", None);
    let result = bench.ok("batch", json!({"cmd": commands})).await;
    assert_eq!(result["result_error"], json!([]));
}
