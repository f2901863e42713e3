//! What a simulated service was asked, and what it answered: the last requests in a ring, and
//! counters over all of them.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// The longest body kept, in bytes; a batch of fifty calls is about 20 kB.
const BODY_BYTES_MAX: usize = 32 * 1024;
/// All bodies together, in bytes, so that a long run of large batches stays small.
const BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One request, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Counts from 1 in order of arrival.
    pub ordinal: u64,
    /// Unix time of arrival in ms, by the simulator's clock.
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Path without the query, decoded.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// The request's body, cut off at a bound.
    pub body: String,
    /// Status of the answer; none when the connection was closed instead.
    pub status: Option<u16>,
    /// Name of the fault that struck it.
    pub fault: Option<String>,
}

/// The requests seen.
#[derive(Debug)]
pub struct RequestLog {
    entries: VecDeque<Entry>,
    entries_max: usize,
    bodies_bytes: usize,
    arrived: u64,
    by_status: BTreeMap<u16, u64>,
    by_fault: BTreeMap<String, u64>,
    by_method: BTreeMap<String, u64>,
}

/// Counters over all requests, also those that left the ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests that arrived.
    pub arrived: u64,
    /// Answers by status; 0 stands for a closed connection.
    pub by_status: BTreeMap<u16, u64>,
    /// Faults by name.
    pub by_fault: BTreeMap<String, u64>,
    /// Requests by method.
    pub by_method: BTreeMap<String, u64>,
}

impl RequestLog {
    /// Returns an empty log that keeps the last `entries_max` requests.
    pub fn new(entries_max: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            entries_max: entries_max.max(1),
            bodies_bytes: 0,
            arrived: 0,
            by_status: BTreeMap::new(),
            by_fault: BTreeMap::new(),
            by_method: BTreeMap::new(),
        }
    }

    /// Takes down an arrival and returns its ordinal.
    pub fn arrive(
        &mut self,
        at_ms: i64,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> u64 {
        self.arrived += 1;
        *self.by_method.entry(method.to_owned()).or_default() += 1;
        let kept = body.get(..BODY_BYTES_MAX).unwrap_or(body);
        let body = String::from_utf8_lossy(kept).into_owned();
        self.bodies_bytes += body.len();
        while self.entries.len() >= self.entries_max || self.bodies_bytes > BODIES_BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bodies_bytes -= oldest.body.len();
        }
        self.entries.push_back(Entry {
            ordinal: self.arrived,
            at_ms,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body,
            status: None,
            fault: None,
        });
        self.arrived
    }

    /// Takes down what became of a request.
    pub fn answer(&mut self, ordinal: u64, status: Option<u16>, fault: Option<&str>) {
        *self.by_status.entry(status.unwrap_or(0)).or_default() += 1;
        if let Some(fault) = fault {
            *self.by_fault.entry(fault.to_owned()).or_default() += 1;
        }
        // Answers come nearly in order of arrival, so the search from the end is short.
        let entry = self.entries.iter_mut().rev().find(|e| e.ordinal == ordinal);
        if let Some(entry) = entry {
            entry.status = status;
            entry.fault = fault.map(str::to_owned);
        }
    }

    /// Returns the last requests, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    /// Returns the counters.
    pub fn counters(&self) -> Counters {
        Counters {
            arrived: self.arrived,
            by_status: self.by_status.clone(),
            by_fault: self.by_fault.clone(),
            by_method: self.by_method.clone(),
        }
    }

    /// Forgets the requests; ordinals go on.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bodies_bytes = 0;
        self.by_status.clear();
        self.by_fault.clear();
        self.by_method.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_requests_and_the_counters_keep_all() {
        let mut log = RequestLog::new(2);
        for path in ["/a", "/b", "/c"] {
            let ordinal = log.arrive(5, "GET", path, "q=1", b"");
            log.answer(ordinal, Some(200), None);
        }
        let paths: Vec<String> = log.entries().into_iter().map(|e| e.path).collect();
        assert_eq!(paths, ["/b", "/c"]);
        assert_eq!(log.counters().arrived, 3);
        assert_eq!(log.counters().by_status.get(&200), Some(&3));
    }

    #[test]
    fn a_closed_connection_has_no_status_and_names_its_fault() {
        let mut log = RequestLog::new(2);
        let ordinal = log.arrive(5, "POST", "/a", "", b"[]");
        log.answer(ordinal, None, Some("lost_after"));
        let entry = log.entries().pop().unwrap();
        assert_eq!(
            (entry.status, entry.fault.as_deref()),
            (None, Some("lost_after"))
        );
        assert_eq!(log.counters().by_fault.get("lost_after"), Some(&1));
    }

    #[test]
    fn a_long_body_is_cut_at_the_bound() {
        let mut log = RequestLog::new(2);
        log.arrive(5, "POST", "/a", "", &vec![b'x'; BODY_BYTES_MAX + 7]);
        assert_eq!(log.entries().pop().unwrap().body.len(), BODY_BYTES_MAX);
    }
}
