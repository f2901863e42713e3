use super::*;

#[tokio::test]
async fn a_webhook_calls_methods_by_its_address_with_and_without_suffix() {
    let bench = Bench::start().await;
    for method in ["profile", "profile.json", "PROFILE"] {
        let (status, body) = bench.hook(method, json!({})).await;
        assert_eq!(
            (status, &body["result"]["ID"]),
            (200, &json!("1")),
            "{method}"
        );
    }
}

#[tokio::test]
async fn parameters_come_as_json_as_a_form_and_in_the_query() {
    let bench = Bench::start().await;
    let url = format!("{}crm.contact.add", bench.lab.webhook_url().unwrap());
    let form = "fields[NAME]=a&fields[PHONE][0][VALUE]=%2B79161234567";
    let request = bench.client.post(&url).body(form);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(Bench::answer(request).await.0, 200);
    let request = bench.client.get(format!("{url}?fields[NAME]=b"));
    assert_eq!(Bench::answer(request).await.0, 200);
    let names: Vec<String> = bench
        .lab
        .oracle()
        .contacts
        .into_iter()
        .map(|c| c.title)
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn who_is_wrong_is_told_so_in_the_words_of_the_contract() {
    let bench = Bench::start().await;
    let base = bench.lab.base_url();
    let ask = |url: String| Bench::answer(bench.client.post(url).json(&json!({})));
    let (status, body) = ask(format!("{base}/rest/1/wrong/profile")).await;
    assert_eq!(
        (status, &body["error"]),
        (403, &json!("INVALID_CREDENTIALS"))
    );
    bench.lab.switch(|s| s.statuses_of_sdk = true);
    assert_eq!(ask(format!("{base}/rest/1/wrong/profile")).await.0, 401);
    bench.lab.switch(|s| s.wrong_webhook_is_no_auth = true);
    let (status, body) = ask(format!("{base}/rest/1/wrong/profile")).await;
    assert_eq!((status, &body["error"]), (401, &json!("NO_AUTH_FOUND")));
    let (status, body) = ask(format!("{base}/rest/profile")).await;
    assert_eq!((status, &body["error"]), (401, &json!("NO_AUTH_FOUND")));
    let (status, body) = ask(format!("{base}/rest/1/{}/crm.none", "lab0webhook0secret")).await;
    assert_eq!(
        (status, &body["error"]),
        (404, &json!("ERROR_METHOD_NOT_FOUND"))
    );
    bench.lab.switch(|s| s.webhooks_want_https = true);
    let (status, body) = bench.hook("profile", json!({})).await;
    assert_eq!((status, &body["error"]), (400, &json!("INVALID_REQUEST")));
}

#[tokio::test]
async fn a_token_expires_and_an_application_that_is_gone_has_none() {
    let bench = Bench::start().await;
    assert_eq!(bench.call("profile", json!({})).await.0, 200);
    bench.lab.expire_access_tokens();
    let (status, code, _) = bench.refused("profile", json!({})).await;
    assert_eq!((status, code.as_str()), (401, "expired_token"));
    bench.lab.uninstall(&client_id(&bench.lab), true);
    let (status, code, text) = bench.refused("profile", json!({})).await;
    assert_eq!((status, code.as_str()), (401, "invalid_token"));
    assert_eq!(text, "Unable to get application by token");
}

#[tokio::test]
async fn a_webhook_is_kept_from_what_wants_an_application() {
    let bench = Bench::start().await;
    for method in [
        "telephony.externalCall.register",
        "telephony.externalCall.finish",
        "telephony.externalLine.add",
        "event.bind",
        "event.offline.get",
        "placement.bind",
        "crm.activity.configurable.add",
        "imconnector.register",
    ] {
        let (status, body) = bench.hook(method, json!({})).await;
        let expected = (403, &json!("WRONG_AUTH_TYPE"));
        assert_eq!((status, &body["error"]), expected, "{method}");
    }
    let (status, body) = bench.hook("app.info", json!({})).await;
    assert_eq!((status, &body["error"]), (403, &json!("ACCESS_DENIED")));
    let text = "Access denied! Application context required";
    assert_eq!(body["error_description"], text);
    // As the source has it, a webhook may log calls.
    bench.lab.switch(|s| s.telephony_by_webhook = true);
    let call = json!({"USER_ID": 12, "PHONE_NUMBER": "79161234567", "TYPE": 2});
    let (status, _) = bench.hook("telephony.externalCall.register", call).await;
    assert_eq!(status, 200);
    let notice = json!({"USER_ID": 12, "MESSAGE": "a"});
    assert_eq!(
        bench.hook("im.notify.system.add", notice.clone()).await.0,
        200
    );
    bench.lab.switch(|s| s.notices_by_webhook = false);
    assert_eq!(bench.hook("im.notify.system.add", notice).await.0, 403);
}

#[tokio::test]
async fn scopes_and_rights_are_looked_at() {
    let mut options = options();
    options.applications[0].scope = vec!["crm".into(), "user_brief".into()];
    options.users[1].has_crm = false;
    let bench = Bench::with(options).await;
    let (status, code, _) = bench.refused("telephony.externalLine.get", json!({})).await;
    assert_eq!((status, code.as_str()), (403, "insufficient_scope"));
    assert_eq!(
        bench.ok("scope", json!({})).await,
        json!(["crm", "user_brief"])
    );
    let users = bench.ok("user.get", json!({"FILTER": {"ID": 12}})).await;
    assert_eq!(users[0]["UF_PHONE_INNER"], "101");
    assert_eq!(users[0].get("PERSONAL_MOBILE"), None);
    let tokens = bench.lab.issue_tokens(&client_id(&bench.lab), 12);
    let bench = Bench {
        token: tokens["access_token"].as_str().unwrap().into(),
        ..bench
    };
    let refused = bench.refused("crm.contact.list", json!({})).await;
    assert_eq!(refused, (400, String::new(), "Access denied.".into()));
    let find = json!({"type": "PHONE", "values": ["79161234567"]});
    let refused = bench.refused("crm.duplicate.findbycomm", find).await;
    assert_eq!((refused.0, refused.1.as_str()), (403, "Access denied"));
}

#[tokio::test]
async fn users_have_texts_for_numbers_and_leave_empty_keys_out() {
    let bench = Bench::start().await;
    let filter = json!({"ACTIVE": true, "USER_TYPE": "employee"});
    let (_, body) = bench.call("user.get", json!({"FILTER": filter})).await;
    assert_eq!(body["total"], 5);
    let nameless = body["result"].as_array().unwrap().iter();
    let nameless = nameless.clone().find(|user| user["ID"] == "15").unwrap();
    assert_eq!(nameless.get("LAST_NAME"), None);
    assert_eq!(nameless["TIMESTAMP_X"], json!({}));
    bench.lab.switch(|s| {
        s.empty_user_keys_omitted = false;
        s.user_timestamp_is_object = false;
    });
    let users = bench.ok("user.get", json!({"FILTER": {"ID": 15}})).await;
    assert_eq!(users[0]["LAST_NAME"], "");
    assert_eq!(users[0].get("TIMESTAMP_X"), None);
}

#[tokio::test]
async fn trouble_of_the_portal_is_told_in_its_own_words() {
    let bench = Bench::start().await;
    bench.lab.set_trouble(Some((
        503,
        "OVERLOAD_LIMIT",
        "REST API is blocked due to overload.",
    )));
    assert_eq!(
        bench.refused("profile", json!({})).await.1,
        "OVERLOAD_LIMIT"
    );
    bench.lab.delete_portal();
    assert_eq!(bench.refused("profile", json!({})).await.0, 500);
    bench.lab.switch(|s| s.statuses_of_sdk = true);
    bench.lab.delete_portal();
    assert_eq!(bench.refused("profile", json!({})).await.0, 410);
    bench.lab.set_trouble(None);
    bench.lab.set_paid(false);
    let (status, code, _) = bench.refused("profile", json!({})).await;
    assert_eq!((status, code.as_str()), (403, "ACCESS_DENIED"));
}

#[tokio::test]
async fn a_renamed_portal_redirects_with_a_page() {
    let bench = Bench::start().await;
    let old = bench.lab.base_url_of(&bench.lab.domain());
    bench.lab.rename("new.bitrix24.ru");
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client
        .post(format!("{old}/rest/profile"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(location, "https://new.bitrix24.ru/rest/profile");
    let tokens = bench.lab.issue_tokens(&client_id(&bench.lab), 1);
    assert_eq!(tokens["client_endpoint"], "https://new.bitrix24.ru/rest/");
}
