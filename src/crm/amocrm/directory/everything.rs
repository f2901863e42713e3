//! Reads whole lists, one page a request, from the last page to the first.
//!
//! Pages are counted by place, so whoever reads forward misses records when earlier ones are
//! deleted meanwhile. Read backward by growing ids, a deletion only shows some records twice, and
//! new records stand where nobody looks any more: the changes tell of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::changes::Mark;
use super::{LISTS, PAGE_MAX, Reading, list_of, picture};
use crate::crm::amocrm::client::{ReadError, query};
use crate::crm::amocrm::wire::answers::CardRecord;
use crate::crm::{Covered, Piece, PieceNext};

/// Where a reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Changes since then are read afterwards.
    mark: Mark,
    /// Which list.
    list: usize,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// The last page is looked for: this page has records and may have followers, and that one,
    /// where known, has none.
    Find { full: u32, empty: Option<u32> },
    /// Pages down from this one are to be read; the page after it began with this id.
    Read { page: u32, above: Option<i64> },
}

impl Place {
    /// Returns the page that is read next.
    fn page(self) -> u32 {
        match self {
            Place::Find { full, empty: None } => full.saturating_mul(2).max(1),
            Place::Find {
                full,
                empty: Some(empty),
            } => full.saturating_add(empty) / 2,
            Place::Read { page, .. } => page,
        }
    }
}

/// Reads the next piece. A cursor that cannot be read, of another version, begins anew.
pub(super) async fn piece(
    reading: &Reading<'_>,
    cursor: Option<Value>,
) -> Result<Piece, ReadError> {
    let cursor = cursor.and_then(|cursor| serde_json::from_value::<Cursor>(cursor).ok());
    let begun_at = reading.clock.now();
    let (list, place) = cursor.map_or(
        (
            0,
            Place::Find {
                full: 0,
                empty: None,
            },
        ),
        |cursor| (cursor.list, cursor.place),
    );
    let Some((entity, name)) = LISTS
        .get(list)
        .and_then(|entity| Some((*entity, list_of(*entity)?)))
    else {
        return Ok(ended(
            cursor.map_or_else(|| Mark::at(begun_at, None), |c| c.mark),
        ));
    };
    let page_number = place.page();
    let pairs = query(&[
        ("with", "contacts"),
        ("order[id]", "asc"),
        ("limit", &PAGE_MAX.to_string()),
        ("page", &page_number.to_string()),
    ]);
    let path = format!("/api/v4/{name}");
    let (page, date) = reading
        .client
        .dated_page::<CardRecord>(&path, name, pairs, reading.class)
        .await?;
    let mark = cursor.map_or_else(|| Mark::at(begun_at, date), |cursor| cursor.mark);
    let ids: Vec<i64> = page.items.iter().map(|record| record.id).collect();
    let more = page.more || ids.len() >= PAGE_MAX;
    let step = follow(place, page_number, &ids, more);
    let covered = step.covered.map(|(after, up_to)| Covered {
        entity,
        after: after.map(|id| id.to_string()),
        up_to: up_to.to_string(),
    });
    let changes = page
        .items
        .iter()
        .map(|record| picture::change(entity, record, reading.setup))
        .collect();
    let (list, place) = match step.next {
        Some(place) => (list, place),
        None => (
            list.saturating_add(1),
            Place::Find {
                full: 0,
                empty: None,
            },
        ),
    };
    let next = if list < LISTS.len() {
        // Numbers only: it always turns into JSON.
        let cursor = serde_json::to_value(Cursor { mark, list, place });
        PieceNext::At(cursor.unwrap_or_default())
    } else {
        PieceNext::End { mark: mark.value() }
    };
    Ok(Piece {
        changes,
        covered,
        next,
    })
}

fn ended(mark: Mark) -> Piece {
    Piece {
        changes: Vec::new(),
        covered: None,
        next: PieceNext::End { mark: mark.value() },
    }
}

/// What a page that was read means.
struct Step {
    /// Every record after the one and up to the other id was on the page.
    covered: Option<(Option<i64>, i64)>,
    /// Where the list is read on; `None` when it is over.
    next: Option<Place>,
}

/// Says what is next, and what the page covers. Pure.
fn follow(place: Place, page: u32, ids: &[i64], more: bool) -> Step {
    let grows = ids.is_sorted_by(|a, b| a < b);
    let (first, last) = (ids.first().copied(), ids.last().copied());
    // What precedes the first page is nothing; what precedes another begins at its first id.
    let after = if page <= 1 {
        None
    } else {
        first.map(|id| id.saturating_sub(1))
    };
    let covered = |up_to: i64| grows.then_some((after, up_to));
    let downward = |above: Option<i64>| {
        (page > 1).then_some(Place::Read {
            page: page.saturating_sub(1),
            above,
        })
    };
    match place {
        Place::Read { above, .. } => Step {
            covered: last
                .map(|last| above.map_or(last, |above| last.max(above.saturating_sub(1))))
                .and_then(covered),
            // A page that emptied meanwhile tells nothing of where the next one ends.
            next: downward(first.or(above)),
        },
        Place::Find { full, empty } => {
            let found = !ids.is_empty();
            if found && !more {
                // The last page, and it is read already.
                return Step {
                    covered: last.and_then(covered),
                    next: downward(first),
                };
            }
            let (full, empty) = match found {
                true => (page, empty),
                false => (full, Some(page)),
            };
            let next = match empty {
                // Nothing at all.
                Some(_) if full == 0 => None,
                Some(empty) if empty.saturating_sub(full) <= 1 => Some(Place::Read {
                    page: full,
                    above: None,
                }),
                Some(_) | None => Some(Place::Find { full, empty }),
            };
            Step {
                covered: None,
                next,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Range = (Option<i64>, i64);

    /// Reads a list that changes between pages; returns what was read and what was said to be
    /// covered.
    fn read_all(
        mut list: Vec<i64>,
        size: usize,
        next_to_empty: bool,
        mut change: impl FnMut(&mut Vec<i64>),
    ) -> (Vec<i64>, Vec<Range>, usize) {
        let mut place = Place::Find {
            full: 0,
            empty: None,
        };
        let (mut read, mut covered) = (Vec::new(), Vec::new());
        for requests in 1..10_000 {
            let page = place.page();
            let begin = (page as usize - 1) * size;
            let ids: Vec<i64> = list.iter().skip(begin).take(size).copied().collect();
            let behind = list.len().saturating_sub(begin);
            let more = behind > size || (behind == size && next_to_empty);
            let step = follow(place, page, &ids, more);
            if let Some((after, up_to)) = step.covered {
                // Whatever the list held at this moment in the range was on the page.
                let held = list
                    .iter()
                    .filter(|id| after.is_none_or(|a| **id > a) && **id <= up_to);
                for id in held {
                    assert!(ids.contains(id) || read.contains(id), "{id} was not read");
                }
                covered.push((after, up_to));
            }
            read.extend(ids);
            match step.next {
                Some(next) => place = next,
                None => return (read, covered, requests),
            }
            change(&mut list);
        }
        panic!("the reading does not end");
    }

    #[test]
    fn an_account_of_one_page_costs_one_request() {
        let (read, covered, requests) = read_all(vec![3, 5], 250, false, |_| {});
        assert_eq!((read, covered, requests), (vec![3, 5], vec![(None, 5)], 1));
        let (read, _, requests) = read_all(Vec::new(), 250, false, |_| {});
        assert_eq!((read.len(), requests), (0, 1));
    }

    #[test]
    fn a_hundred_pages_cost_few_requests_more_than_pages() {
        let list: Vec<i64> = (1..=1000).collect();
        let (mut read, _, requests) = read_all(list.clone(), 10, false, |_| {});
        read.sort_unstable();
        read.dedup();
        assert_eq!(read, list);
        assert!(requests <= 100 + 16, "{requests}");
    }

    proptest! {
        #[test]
        fn deletions_and_new_records_meanwhile_hide_nothing(
            count in 0_i64..200,
            size in 1_usize..20,
            next_to_empty: bool,
            fates in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..60),
        ) {
            let list: Vec<i64> = (1..=count).map(|n| n * 3).collect();
            let mut fates = fates.into_iter();
            let mut newest = count * 3;
            let mut gone = Vec::new();
            let before = list.clone();
            let (read, covered, _) = read_all(list, size, next_to_empty, |list| {
                match fates.next() {
                    Some((true, which)) if !list.is_empty() => {
                        gone.push(list.remove(which.index(list.len())));
                    }
                    Some((false, _)) => {
                        newest += 2;
                        list.push(newest);
                    }
                    _ => {}
                }
            });
            for id in before {
                prop_assert!(read.contains(&id) || gone.contains(&id), "{id} was missed");
            }
            // The ranges leave no hole below the highest of them.
            if let Some(top) = covered.iter().map(|(_, up_to)| *up_to).max() {
                for id in 1..=top {
                    let within = covered.iter().any(|(after, up_to)| after.is_none_or(|a| id > a) && id <= *up_to);
                    prop_assert!(within, "{id} is in no range");
                }
            }
        }
    }
}
