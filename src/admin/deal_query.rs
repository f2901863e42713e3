//! What may be asked of deals: of a page of their list, and of their export.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::deal::DealState;
use crate::model::timestamp::Timestamp;
use crate::store::deals::{DEALS_PAGE_MAX, DealPlace, DealSearch};

/// Deals of a page where nothing else is asked for.
const PAGE: usize = 50;

/// A query that was refused: which part, and why.
pub(super) type Wrong = (&'static str, String);

/// Makes a query of what is looked for and further members. Flattened, numbers and switches of a query
/// could not be read.
macro_rules! deal_query {
    ($(#[$doc:meta])* $name:ident { $($more:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// Made at or after this time.
            #[schemars(with = "Option<Timestamp>")]
            from: Option<String>,
            /// Made before this time.
            #[schemars(with = "Option<Timestamp>")]
            until: Option<String>,
            /// Only of this state; without it, all but the removed ones.
            state: Option<DealState>,
            /// Only of this pipeline, by id.
            pipeline: Option<String>,
            /// Only of this responsible, by id.
            responsible: Option<String>,
            /// Only those whose name, id, client or client's number holds this text.
            text: Option<String>,
            /// Only those that a phone system refused.
            #[serde(default)]
            refused: bool,
            $($more)*
        }

        impl $name {
            /// Returns what is looked for, from the beginning.
            pub(super) fn search(&self, limit: usize) -> Result<DealSearch, Wrong> {
                Ok(DealSearch {
                    from: time("from", self.from.as_deref())?,
                    until: time("until", self.until.as_deref())?,
                    state: self.state,
                    pipeline: self.pipeline.clone().filter(|text| !text.is_empty()),
                    responsible: self.responsible.clone().filter(|text| !text.is_empty()),
                    text: self.text.clone(),
                    refused: self.refused,
                    after: None,
                    limit,
                })
            }
        }
    };
}

deal_query! {
    /// Which deals are listed.
    ListQuery {
        /// Goes on after this place: next of an earlier page.
        after: Option<String>,
        /// At the most so many.
        #[schemars(range(min = 1, max = DEALS_PAGE_MAX), extend("default" = PAGE))]
        limit: Option<usize>,
    }
}

deal_query! {
    /// Which deals are exported, and how.
    ExportQuery {
        /// A table for spreadsheets, or one JSON object a line.
        #[schemars(extend("enum" = ["csv", "ndjson"], "default" = "csv"))]
        pub(super) format: Option<String>,
        /// What keeps the cells of a CSV apart; with a semicolon or tab numbers have a comma.
        #[schemars(extend("enum" = ["semicolon", "comma", "tab"], "default" = "semicolon"))]
        pub(super) separator: Option<String>,
    }
}

impl ListQuery {
    /// Returns which page is asked for.
    pub(super) fn page(&self) -> Result<DealSearch, Wrong> {
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=DEALS_PAGE_MAX).contains(&limit) {
            return Err(("limit", format!("must be from 1 to {DEALS_PAGE_MAX}")));
        }
        let after = self.after.as_deref().map(read_place);
        let after =
            after.map(|read| read.ok_or_else(|| ("after", "is no place of a page".to_owned())));
        Ok(DealSearch {
            after: after.transpose()?,
            ..self.search(limit)?
        })
    }
}

fn time(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Wrong> {
    let time = text.map(Timestamp::parse).transpose();
    time.map_err(|error| (name, error.to_string()))
}

fn read_place(text: &str) -> Option<DealPlace> {
    let (ms, id) = text.split_once(':')?;
    Some(DealPlace {
        created_at: Timestamp::from_millis(ms.parse().ok()?),
        id: id.to_owned(),
    })
}

/// Writes where the next page begins.
pub(super) fn write_place(place: &DealPlace) -> String {
    format!("{}:{}", place.created_at.as_millis(), place.id)
}
