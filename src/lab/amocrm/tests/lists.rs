use super::*;

fn ids(page: &Value, list: &str) -> Vec<u64> {
    let rows = page["_embedded"][list].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_empty_list_and_a_missing_card_are_204() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/api/v4/contacts").await, (204, Value::Null));
    assert_eq!(bench.get("/api/v4/contacts/7").await, (204, Value::Null));
    assert_eq!(bench.get("/api/v4/leads/7").await, (204, Value::Null));
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 204);
}

#[tokio::test]
async fn next_leads_to_an_empty_page() {
    let bench = Bench::start().await;
    for n in 0..4 {
        bench.contact(&format!("+7912000000{n}")).await;
    }
    let (_, first) = bench.get("/api/v4/contacts?limit=2").await;
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    let second = next.strip_prefix(&bench.lab.base_url()).unwrap();
    let (_, second) = bench.get(second).await;
    assert_eq!(second["_page"], 2);
    // Two full pages, and yet a link to a third.
    let third = second["_links"]["next"]["href"].as_str().unwrap();
    assert_eq!(
        bench
            .get(third.strip_prefix(&bench.lab.base_url()).unwrap())
            .await
            .0,
        204
    );
    let mut switches = bench.lab.switches();
    switches.next_to_empty_page = false;
    bench.lab.set_switches(switches);
    let (_, second) = bench.get("/api/v4/contacts?limit=2&page=2").await;
    assert!(second["_links"].get("next").is_none());
}

#[tokio::test]
async fn a_page_holds_at_most_250() {
    let bench = Bench::start().await;
    let many: Vec<Value> = (0..250).map(|n| json!({"name": format!("c{n}")})).collect();
    bench.post("/api/v4/contacts", json!(many)).await;
    bench
        .post("/api/v4/contacts", json!([{"name": "one more"}]))
        .await;
    let (_, page) = bench.get("/api/v4/contacts?limit=500").await;
    assert_eq!(ids(&page, "contacts").len(), 250);
    assert_eq!(
        bench.lab.counters().oddities.get("limit above 250"),
        Some(&1)
    );
    let (_, page) = bench.get("/api/v4/contacts").await;
    assert_eq!(ids(&page, "contacts").len(), 50);
}

#[tokio::test]
async fn lists_are_ordered_by_id_or_time() {
    let bench = Bench::start().await;
    let old = json!([{"name": "b", "created_at": 200}, {"name": "a", "created_at": 100}]);
    bench.post("/api/v4/leads", old).await;
    let order = async |by: &str| ids(&bench.get(&format!("/api/v4/leads?{by}")).await.1, "leads");
    assert_eq!(order("order[created_at]=asc").await, [9_000_002, 9_000_001]);
    assert_eq!(order("order[id]=desc").await, [9_000_002, 9_000_001]);
    assert_eq!(
        order("order%5Bcreated_at%5D=desc").await,
        [9_000_001, 9_000_002]
    );
}

#[tokio::test]
async fn query_is_a_substring_of_any_stored_text_without_case() {
    let bench = Bench::start().await;
    bench.contact("+79121234567").await;
    let other = json!([{"name": "Счёт 9121234567 ООО"}]);
    bench.post("/api/v4/contacts", other).await;
    bench.contact("8 (912) 123-45-67").await;
    let hits = async |query: &str| {
        let (status, page) = bench.get(&format!("/api/v4/contacts?query={query}")).await;
        if status == 204 {
            Vec::new()
        } else {
            ids(&page, "contacts")
        }
    };
    // The name of another card is hit, and a phone stored with brackets is not.
    assert_eq!(hits("9121234567").await, [7_000_001, 7_000_002]);
    assert_eq!(hits("%2B79121234567").await, [7_000_001]);
    assert_eq!(hits("89121234567").await, Vec::<u64>::new());
    assert_eq!(hits("%D0%BE%D0%BE%D0%BE").await, [7_000_002]);
    // An unescaped plus is a blank.
    assert_eq!(hits("+79121234567").await, [7_000_001]);
}

#[tokio::test]
async fn search_of_digits_sees_formatted_phones_by_switch() {
    let bench = Bench::start().await;
    let mut switches = bench.lab.switches();
    switches.search_reads_digits_of_phones = true;
    bench.lab.set_switches(switches);
    bench.contact("8 (912) 123-45-67").await;
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 200);
}

#[tokio::test]
async fn a_fresh_card_enters_search_late_but_the_list_at_once() {
    let bench = Bench::with(AmoOptions {
        search_lag: Duration::from_millis(300),
        ..options()
    })
    .await;
    bench.lab.stop_clock();
    let id = bench.contact("+79121234567").await;
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 204);
    let (_, list) = bench.get("/api/v4/contacts?order[id]=desc&limit=50").await;
    assert_eq!(ids(&list, "contacts"), [id]);
    bench.lab.pass(Duration::from_millis(299));
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 204);
    bench.lab.pass(Duration::from_millis(1));
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 200);
}

#[tokio::test]
async fn filters_are_ignored_in_silence_unless_paid() {
    let bench = Bench::start().await;
    let first = bench.contact("+79120000001").await;
    let second = bench.contact("+79120000002").await;
    let path = format!("/api/v4/contacts?filter[id][]={second}");
    assert_eq!(ids(&bench.get(&path).await.1, "contacts"), [first, second]);
    assert!(
        bench
            .lab
            .counters()
            .oddities
            .contains_key("filter ignored: contacts")
    );
    bench.lab.set_filters_enabled(true);
    assert_eq!(ids(&bench.get(&path).await.1, "contacts"), [second]);
}

#[tokio::test]
async fn paid_filters_know_ids_times_users_and_stages() {
    let bench = Bench::with(AmoOptions {
        filters_enabled: true,
        ..options()
    })
    .await;
    let leads = json!([
        {"name": "a", "status_id": 3103, "responsible_user_id": 502, "updated_at": 1_000},
        {"name": "b", "pipeline_id": 3200, "status_id": 3202, "updated_at": 2_000},
        {"name": "c", "status_id": 142, "updated_at": 3_000, "price": 5},
    ]);
    bench.post("/api/v4/leads", leads).await;
    let list = async |filter: &str| {
        let (status, page) = bench.get(&format!("/api/v4/leads?{filter}")).await;
        if status == 204 {
            Vec::new()
        } else {
            ids(&page, "leads")
        }
    };
    assert_eq!(list("filter[responsible_user_id]=502").await, [9_000_001]);
    assert_eq!(list("filter[pipeline_id][]=3200").await, [9_000_002]);
    assert_eq!(
        list("filter[updated_at][from]=1500&filter[updated_at][to]=2500").await,
        [9_000_002]
    );
    let stage = "filter[statuses][0][pipeline_id]=3100&filter[statuses][0][status_id]=142";
    assert_eq!(list(stage).await, [9_000_003]);
    assert_eq!(list("filter[name]=a").await, [9_000_001]);
}

#[tokio::test]
async fn not_modified_is_304_by_switch() {
    let bench = Bench::start().await;
    bench.contact("+79121234567").await;
    let ask = || {
        let request = bench.request("GET", "/api/v4/contacts");
        request.header("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")
    };
    assert_eq!(Bench::answer(ask()).await.0, 200);
    let mut switches = bench.lab.switches();
    switches.if_modified_since = true;
    bench.lab.set_switches(switches);
    assert_eq!(Bench::answer(ask()).await.0, 304);
}

#[tokio::test]
async fn deleted_cards_leave_every_list() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lead(contact).await;
    assert!(bench.lab.delete_contact(contact));
    assert!(!bench.lab.delete_contact(contact));
    assert_eq!(bench.get("/api/v4/contacts").await.0, 204);
    assert_eq!(
        bench.get(&format!("/api/v4/contacts/{contact}")).await.0,
        204
    );
    let (_, read) = bench
        .get(&format!("/api/v4/leads/{lead}?with=contacts"))
        .await;
    assert_eq!(read["_embedded"]["contacts"], json!([]));
}
