use super::*;

async fn lab(bench: &Bench, method: &str, path: &str, body: Value) -> Answer {
    let url = format!("{}/_lab{path}", bench.lab.base_url());
    let request = bench.client.request(method.parse().unwrap(), url);
    Bench::answer(request.json(&body)).await
}

#[tokio::test]
async fn a_script_seeds_edits_and_counts_over_http() {
    let bench = Bench::start().await;
    let seeds = json!({
        "companies": [{"name": "ООО"}],
        "contacts": [{"name": "Иван", "phones": ["+79161234567"], "company": 4}],
        "leads": [{"name": "Лид", "stage": "JUNK"}],
        "deals": [{"title": "Сделка", "contact": 31, "category": 3, "stage": "C3:EXECUTING"}],
    });
    let (status, ids) = lab(&bench, "POST", "/seed", seeds).await;
    assert_eq!((status, &ids["deals"]), (200, &json!([512])));
    let edit = json!({"stage": "C3:WON", "responsible": 13});
    assert_eq!(lab(&bench, "PATCH", "/deal/512", edit).await.0, 204);
    let (_, oracle) = lab(&bench, "GET", "/oracle", json!({})).await;
    let deal = &oracle["deals"][0];
    assert_eq!(
        (&deal["stage"], &deal["is_open"]),
        (&json!("C3:WON"), &json!(false))
    );
    assert_eq!(oracle["leads"][0]["is_open"], false);
    assert_eq!(lab(&bench, "DELETE", "/deal/512", json!({})).await.0, 204);
    assert_eq!(lab(&bench, "DELETE", "/deal/512", json!({})).await.0, 404);
    assert_eq!(
        lab(&bench, "POST", "/seed", json!({"cats": []})).await.0,
        400
    );
}

#[tokio::test]
async fn a_script_changes_switches_faults_and_limits() {
    let bench = Bench::start().await;
    let (_, mut switches) = lab(&bench, "GET", "/switches", json!({})).await;
    switches["statuses_of_sdk"] = json!(true);
    assert_eq!(lab(&bench, "POST", "/switches", switches).await.0, 204);
    assert!(bench.lab.switches().statuses_of_sdk);
    let rule = json!({
        "path": "*/profile", "when": {"kind": "always"}, "faults": [{"kind": "lost_after"}],
    });
    assert_eq!(
        lab(&bench, "POST", "/faults", json!({"rules": [rule]}))
            .await
            .0,
        200
    );
    assert!(bench.request("profile", json!({})).send().await.is_err());
    assert_eq!(lab(&bench, "DELETE", "/faults", json!({})).await.0, 204);
    lab(&bench, "POST", "/mode/simple", json!({})).await;
    assert_eq!(bench.ok("crm.settings.mode.get", json!({})).await, 2);
    lab(&bench, "POST", "/parked/profile", json!({})).await;
    assert_eq!(bench.call("profile", json!({})).await.0, 429);
    let trouble = json!({"status": 401, "code": "METHOD_CONFIRM_WAITING"});
    lab(&bench, "POST", "/trouble", trouble).await;
    assert_eq!(
        bench.refused("scope", json!({})).await.1,
        "METHOD_CONFIRM_WAITING"
    );
    lab(&bench, "POST", "/reset", json!({})).await;
    let (_, about) = lab(&bench, "GET", "", json!({})).await;
    let url = about["webhook_url"].as_str().unwrap().to_owned();
    let request = bench.client.post(format!("{url}profile")).json(&json!({}));
    assert_eq!(Bench::answer(request).await.0, 200);
}

#[tokio::test]
async fn a_script_lets_people_consent_and_applications_come_and_go() {
    let bench = Bench::start().await;
    let client_id = client_id(&bench.lab);
    let link = format!("https://demo.bitrix24.ru/oauth/authorize/?client_id={client_id}&state=s");
    let (_, sent) = lab(&bench, "POST", "/consent", json!({"link": link, "user": 1})).await;
    assert!(sent["redirect"].as_str().unwrap().contains("state=s"));
    let wish = json!({"client_id": client_id, "user": 12});
    let (_, tokens) = lab(&bench, "POST", "/tokens", wish).await;
    assert_eq!(tokens["user_id"], 12);
    let path = format!("/applications/{client_id}");
    assert_eq!(lab(&bench, "DELETE", &path, json!({})).await.0, 204);
    let (_, form) = lab(&bench, "POST", &path, json!({})).await;
    assert!(form["form"].as_str().unwrap().contains("ONAPPINSTALL"));
    let nobody = json!({"user": 12, "phone": "+79161234567"});
    assert_eq!(lab(&bench, "POST", "/click", nobody).await.0, 400);
}

#[tokio::test]
async fn a_stopped_lab_frees_its_port() {
    let bench = Bench::start().await;
    let base = bench.lab.base_url();
    let listen = base.strip_prefix("http://").unwrap().parse().unwrap();
    bench.lab.stop().await.unwrap();
    assert!(
        start(BitrixOptions {
            listen,
            ..options()
        })
        .await
        .is_ok()
    );
}
