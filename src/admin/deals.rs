//! The deals that came back from CRMs: looked through, exported, read now.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentType};
use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, stream};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::deals::export::{Csv, Separator, json_line};
use crate::deals::hearing::Hearing;
use crate::deals::history::ordered;
use crate::model::deal::{Deal, StageMove};
use crate::model::ids::{IntegrationKey, SourceKey};
use crate::model::timestamp::Timestamp;
use crate::problem::{problem, problem_with};
use crate::store::deals::{DEALS_PAGE_MAX, DealPageFound, DealSearch, FoundDeal};
use crate::store::{StoreError, StoreHandle};

use super::deal_query::{ExportQuery, ListQuery, Wrong, write_place};
use super::openapi::operation::Operation;
use super::state::{AdminState, DealPlaceOverview};

/// The integrations whose deals come back.
#[derive(Serialize, JsonSchema)]
struct DealPlaces {
    /// Of all companies.
    items: Vec<Place>,
}

/// An integration whose deals come back, and how it is getting on.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DealPlace")]
struct Place {
    /// Which.
    integration: IntegrationKey,
    /// Its name.
    name: String,
    /// Deals are received; else what was received is only kept.
    on: bool,
    /// The additional columns, as they were chosen.
    columns: Vec<String>,
    /// Deals that are kept.
    deals: u64,
    /// Webhooks whose deals are not read yet.
    hints: u64,
    /// A reading came to its end, and none is under way.
    complete: bool,
    /// What the CRM had changed by then is here.
    as_of: Option<Timestamp>,
    /// Deals that changed since then are read.
    since: Option<Timestamp>,
    /// When it was last made sure that every deal that is kept is still there; null where the CRM tells
    /// of what is gone.
    checked: Option<Timestamp>,
    /// How the CRM tells of deals.
    webhooks: DealWebhooks,
    /// What went wrong last.
    trouble: Option<String>,
    /// When that was.
    trouble_at: Option<Timestamp>,
    /// To whom deals are passed on.
    upload: Option<DealUpload>,
}

/// How a CRM tells of deals.
#[derive(Serialize, JsonSchema)]
struct DealWebhooks {
    /// What a person has to set up in the CRM so that it tells of deals; null where nobody has to.
    by_hand: Option<&'static str>,
    /// Where webhooks reach us, without the secret at its end; null = they cannot.
    address: Option<String>,
    /// When a webhook named a deal last.
    heard: Option<Timestamp>,
    /// What a person should look at.
    advice: Option<String>,
}

/// How deals are passed on.
#[derive(Serialize, JsonSchema)]
struct DealUpload {
    /// To which phone system.
    source: SourceKey,
    /// When it last took some.
    at: Option<Timestamp>,
    /// How many deals it refused.
    refused: u64,
    /// What went wrong last.
    trouble: Option<String>,
    /// When that was.
    trouble_at: Option<Timestamp>,
}

/// A page of deals.
#[derive(Serialize, JsonSchema)]
struct DealPage {
    /// Newest made first.
    items: Vec<FoundDeal>,
    /// After which place the next page goes on; null where everything was looked at.
    next: Option<String>,
}

/// One deal, with the history of its stages.
#[derive(Serialize, JsonSchema)]
struct DealStory {
    /// The deal.
    deal: Deal,
    /// When we stored its last change.
    stored_at: Timestamp,
    /// Why a phone system refused it.
    refused: Option<String>,
    /// From stage to stage, in order.
    moves: Vec<StageMove>,
}

/// What is read soon.
#[derive(Serialize, JsonSchema)]
struct DealsAsked {
    /// The integration whose deals they are.
    asked: IntegrationKey,
}

pub(super) fn operations() -> Vec<Operation> {
    let of_place = |operation: Operation| {
        operation.refuses(
            404,
            "There is no such integration, or its settings have no deals",
        )
    };
    vec![
        Operation::get(
            "/v1/deals",
            "The integrations whose deals come back, and how each is getting on",
            places,
        )
        .answers::<DealPlaces>(200, "The integrations")
        .refuses(503, "The store cannot be read"),
        of_place(Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/deals",
            "Deals that came back from the CRM, the newest made first",
            list,
        ))
        .answers::<DealPage>(200, "A page; next is null where everything was looked at")
        .refuses(400, "A parameter is wrong; parameter names it")
        .refuses(503, "The store cannot be read"),
        of_place(Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/deals/export",
            "All deals of a search as a file, written while it is read",
            export,
        ))
        .answers_text(
            &["text/csv", "application/x-ndjson"],
            "The deals; a connection that breaks off has not given all",
        )
        .refuses(400, "A parameter is wrong; parameter names it"),
        of_place(Operation::post(
            "/v1/tenants/{tenant}/integrations/{integration}/deals/sync",
            "Read now what changed among the deals",
            sync,
        ))
        .answers::<DealsAsked>(202, "It is read soon")
        .refuses(409, "The deals of this integration are switched off"),
        Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/deals/by-id/{deal}",
            "One deal, with the history of its stages",
            show,
        )
        .names::<String>("deal", "The deal, by the CRM's id")
        .answers::<DealStory>(200, "The deal")
        .refuses(
            404,
            "There is no such deal, or no deals of this integration",
        )
        .refuses(503, "The store cannot be read"),
    ]
}

fn wrong((parameter, why): Wrong) -> HttpResponse {
    let members = [("parameter", json!(parameter))];
    problem_with(
        StatusCode::BAD_REQUEST,
        &format!("{parameter}: {why}"),
        &members,
    )
}

fn unreadable(error: &StoreError) -> HttpResponse {
    problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

/// An integration's way in the path.
type Way = web::Path<(String, String)>;

fn place(state: &AdminState, tenant: &str, integration: &str) -> Option<DealPlaceOverview> {
    let key: IntegrationKey = format!("{tenant}/{integration}").parse().ok()?;
    let overview = state.overview.load();
    let found = overview.deals.iter().find(|place| place.key == key)?;
    Some(found.clone())
}

fn no_deals() -> HttpResponse {
    let why = "there is no such integration, or its settings have no `deals`";
    problem(StatusCode::NOT_FOUND, why)
}

/// Lists the integrations whose deals come back, and how each is getting on.
pub(super) async fn places(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let mut items = Vec::new();
    for place in &overview.deals {
        match shown(&state, place).await {
            Ok(item) => items.push(item),
            Err(error) => return unreadable(&error),
        }
    }
    HttpResponse::Ok().json(DealPlaces { items })
}

async fn shown(state: &AdminState, place: &DealPlaceOverview) -> Result<Place, StoreError> {
    let store = &state.store;
    let figures = store.deal_figures(place.key.clone()).await?;
    let pull = store
        .deal_pull(place.key.clone())
        .await?
        .unwrap_or_default();
    let upload = store.deal_upload(place.key.clone()).await?;
    let target = place.upload_to.as_ref().map(ToString::to_string);
    let upload = upload.filter(|upload| Some(&upload.target) == target.as_ref());
    let child = state.board.get(&format!("deals {}", place.key));
    let uploader = target
        .as_ref()
        .and_then(|target| state.board.get(&format!("deals {} to {target}", place.key)));
    let hearing = Hearing {
        by_hand: place.hooks_by_hand.filter(|_| place.on),
        place: place.hook_place.as_deref(),
    };
    Ok(Place {
        integration: place.key.clone(),
        name: place.name.clone(),
        on: place.on,
        columns: place.columns.clone(),
        deals: figures.deals,
        hints: figures.hints,
        complete: pull.mark.is_some() && pull.cursor.is_none(),
        as_of: pull.complete_as_of,
        since: pull.since,
        checked: pull.checked_at,
        webhooks: DealWebhooks {
            by_hand: place.hooks_by_hand,
            address: place.hook_place.clone(),
            heard: pull.heard_at,
            advice: hearing.advice(&pull),
        },
        trouble: child.as_ref().and_then(|child| child.last_error.clone()),
        trouble_at: child.and_then(|child| child.last_error_at),
        upload: place.upload_to.clone().map(|source| DealUpload {
            source,
            at: upload.as_ref().and_then(|upload| upload.at),
            refused: figures.refused,
            trouble: uploader.as_ref().and_then(|child| child.last_error.clone()),
            trouble_at: uploader.and_then(|child| child.last_error_at),
        }),
    })
}

pub(super) async fn list(
    state: web::Data<AdminState>,
    way: Way,
    query: Result<web::Query<ListQuery>, actix_web::Error>,
) -> HttpResponse {
    let Some(place) = place(&state, &way.0, &way.1) else {
        return no_deals();
    };
    let search = match query.map(|query| query.page()) {
        Ok(Ok(search)) => search,
        Ok(Err(mistake)) => return wrong(mistake),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match state.store.search_deals(place.key, search).await {
        Ok(page) => HttpResponse::Ok().json(DealPage {
            items: page.deals,
            next: page.next.as_ref().map(write_place),
        }),
        Err(error) => unreadable(&error),
    }
}

/// Shows one deal with the history of its stages.
pub(super) async fn show(
    state: web::Data<AdminState>,
    way: web::Path<(String, String, String)>,
) -> HttpResponse {
    let (tenant, integration, id) = way.into_inner();
    let Some(place) = place(&state, &tenant, &integration) else {
        return no_deals();
    };
    match state.store.deal(place.key, id).await {
        Ok(Some((found, moves))) => HttpResponse::Ok().json(DealStory {
            deal: found.stored.deal,
            stored_at: found.stored.stored_at,
            refused: found.refused,
            moves: ordered(moves),
        }),
        Ok(None) => problem(StatusCode::NOT_FOUND, "there is no such deal"),
        Err(error) => unreadable(&error),
    }
}

/// Has what changed read now (V-13).
pub(super) async fn sync(state: web::Data<AdminState>, way: Way) -> HttpResponse {
    match place(&state, &way.0, &way.1) {
        Some(place) if place.on => {
            place.wishes.read_now();
            HttpResponse::Accepted().json(DealsAsked { asked: place.key })
        }
        Some(_) => problem(
            StatusCode::CONFLICT,
            "deals of this integration are switched off",
        ),
        None => no_deals(),
    }
}

/// How deals are written down.
enum Form {
    Csv(Box<Csv>),
    Lines,
}

/// Gives all deals of a search, page by page as they are read: in memory there is never more than
/// a page.
pub(super) async fn export(
    state: web::Data<AdminState>,
    way: Way,
    query: Result<web::Query<ExportQuery>, actix_web::Error>,
) -> HttpResponse {
    let Some(place) = place(&state, &way.0, &way.1) else {
        return no_deals();
    };
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let search = match query.search(DEALS_PAGE_MAX) {
        Ok(search) => search,
        Err(mistake) => return wrong(mistake),
    };
    let (form, media, end) = match query.format.as_deref().unwrap_or("csv") {
        "csv" => {
            let word = query.separator.as_deref().unwrap_or("semicolon");
            let Some(separator) = Separator::read(word) else {
                let why = "must be semicolon, comma or tab".to_owned();
                return wrong(("separator", why));
            };
            let csv = Csv {
                separator,
                zone: TimeZone::get(&place.time_zone).unwrap_or(TimeZone::UTC),
                language: place.language,
                columns: place.columns.clone(),
            };
            (Form::Csv(Box::new(csv)), "text/csv; charset=utf-8", "csv")
        }
        "ndjson" => (Form::Lines, "application/x-ndjson", "ndjson"),
        _ => return wrong(("format", "must be csv or ndjson".to_owned())),
    };
    // Ids are of letters, digits and `-`.
    let name = format!(
        "attachment; filename=\"deals-{}-{}.{end}\"",
        place.key.tenant, place.key.integration
    );
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_DISPOSITION, name));
    match media.parse() {
        Ok(media) => answer.insert_header(ContentType(media)),
        Err(_) => answer.content_type(media),
    };
    answer.streaming(pages(
        state.store.clone(),
        place.key,
        search,
        Arc::new(form),
    ))
}

fn pages(
    store: StoreHandle,
    key: IntegrationKey,
    search: DealSearch,
    form: Arc<Form>,
) -> impl futures_util::Stream<Item = Result<web::Bytes, StoreError>> {
    let head = match &*form {
        Form::Csv(csv) => csv.head(),
        Form::Lines => String::new(),
    };
    let rest = stream::unfold(Some(search), move |search| {
        let (store, key, form) = (store.clone(), key.clone(), Arc::clone(&form));
        async move {
            let search = search?;
            match store.search_deals(key, search.clone()).await {
                Ok(DealPageFound { deals, next }) => {
                    let text: String = deals
                        .iter()
                        .map(|found| match &*form {
                            Form::Csv(csv) => csv.row(found),
                            Form::Lines => json_line(found),
                        })
                        .collect();
                    let next = next.map(|place| DealSearch {
                        after: Some(place),
                        ..search
                    });
                    Some((Ok(web::Bytes::from(text)), next))
                }
                // Half of a table is no table: the connection breaks off.
                Err(error) => Some((Err(error), None)),
            }
        }
    });
    stream::once(async { Ok(web::Bytes::from(head)) }).chain(rest)
}
