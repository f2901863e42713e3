//! The deals that came back from CRMs: looked through, exported, read now.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentType};
use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, stream};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deals::export::{Csv, Separator, json_line};
use crate::deals::hearing::Hearing;
use crate::deals::history::ordered;
use crate::model::deal::DealState;
use crate::model::ids::IntegrationKey;
use crate::model::timestamp::Timestamp;
use crate::problem::{problem, problem_with};
use crate::store::deals::{DEALS_PAGE_MAX, DealPageFound, DealPlace, DealSearch};
use crate::store::{StoreError, StoreHandle};

use super::state::{AdminState, DealPlaceOverview};

/// Deals of a page where nothing else is asked for.
const PAGE: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    from: Option<String>,
    until: Option<String>,
    state: Option<DealState>,
    pipeline: Option<String>,
    responsible: Option<String>,
    text: Option<String>,
    #[serde(default)]
    refused: bool,
    after: Option<String>,
    limit: Option<usize>,
    format: Option<String>,
    separator: Option<String>,
}

/// A query that was refused: which part, and why.
type Wrong = (&'static str, String);

impl Query {
    fn search(&self) -> Result<DealSearch, Wrong> {
        let time = |name: &'static str, text: &Option<String>| match text {
            Some(text) => Timestamp::parse(text)
                .map(Some)
                .map_err(|error| (name, error.to_string())),
            None => Ok(None),
        };
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=DEALS_PAGE_MAX).contains(&limit) {
            return Err(("limit", format!("must be from 1 to {DEALS_PAGE_MAX}")));
        }
        let after = self.after.as_deref().map(read_place);
        let after =
            after.map(|read| read.ok_or_else(|| ("after", "is no place of a page".to_owned())));
        Ok(DealSearch {
            from: time("from", &self.from)?,
            until: time("until", &self.until)?,
            state: self.state,
            pipeline: self.pipeline.clone().filter(|text| !text.is_empty()),
            responsible: self.responsible.clone().filter(|text| !text.is_empty()),
            text: self.text.clone(),
            refused: self.refused,
            after: after.transpose()?,
            limit,
        })
    }
}

fn read_place(text: &str) -> Option<DealPlace> {
    let (ms, id) = text.split_once(':')?;
    Some(DealPlace {
        created_at: Timestamp::from_millis(ms.parse().ok()?),
        id: id.to_owned(),
    })
}

fn write_place(place: &DealPlace) -> String {
    format!("{}:{}", place.created_at.as_millis(), place.id)
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
    HttpResponse::Ok().json(json!({ "items": items }))
}

async fn shown(state: &AdminState, place: &DealPlaceOverview) -> Result<Value, StoreError> {
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
    Ok(json!({
        "integration": place.key,
        "name": place.name,
        "on": place.on,
        "columns": place.columns,
        "deals": figures.deals,
        "hints": figures.hints,
        "complete": pull.mark.is_some() && pull.cursor.is_none(),
        "as_of": pull.complete_as_of,
        "since": pull.since,
        "checked": pull.checked_at,
        "webhooks": {
            "by_hand": place.hooks_by_hand,
            "address": place.hook_place,
            "heard": pull.heard_at,
            "advice": hearing.advice(&pull),
        },
        "trouble": child.as_ref().and_then(|child| child.last_error.clone()),
        "trouble_at": child.and_then(|child| child.last_error_at),
        "upload": target.map(|target| json!({
            "source": target,
            "at": upload.as_ref().and_then(|upload| upload.at),
            "refused": figures.refused,
            "trouble": uploader.as_ref().and_then(|child| child.last_error.clone()),
            "trouble_at": uploader.and_then(|child| child.last_error_at),
        })),
    }))
}

pub(super) async fn list(
    state: web::Data<AdminState>,
    way: Way,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let Some(place) = place(&state, &way.0, &way.1) else {
        return no_deals();
    };
    let search = match query.map(|query| query.search()) {
        Ok(Ok(search)) => search,
        Ok(Err(mistake)) => return wrong(mistake),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match state.store.search_deals(place.key, search).await {
        Ok(page) => HttpResponse::Ok().json(json!({
            "items": page.deals,
            "next": page.next.as_ref().map(write_place),
        })),
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
        Ok(Some((found, moves))) => HttpResponse::Ok().json(json!({
            "deal": found.stored.deal,
            "stored_at": found.stored.stored_at,
            "refused": found.refused,
            "moves": ordered(moves),
        })),
        Ok(None) => problem(StatusCode::NOT_FOUND, "there is no such deal"),
        Err(error) => unreadable(&error),
    }
}

/// Has what changed read now (V-13).
pub(super) async fn sync(state: web::Data<AdminState>, way: Way) -> HttpResponse {
    match place(&state, &way.0, &way.1) {
        Some(place) if place.on => {
            place.wishes.read_now();
            HttpResponse::Accepted().json(json!({ "asked": place.key }))
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
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let Some(place) = place(&state, &way.0, &way.1) else {
        return no_deals();
    };
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let search = match query.search() {
        Ok(search) => DealSearch {
            limit: DEALS_PAGE_MAX,
            ..search
        },
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
