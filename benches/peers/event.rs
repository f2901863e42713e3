//! The events: ended calls in the webhook's documented form, the same for every candidate.

/// Midnight of the first call, in Unix seconds: 2026-11-20 UTC. The daemon forgets by the time of
/// acceptance, so that calls of another day do not age.
const FIRST_CALL_S: i64 = 1_795_132_800;

/// One event.
pub(crate) struct Event {
    /// Its stable name.
    pub(crate) key: String,
    /// The whole body, about 300 bytes.
    pub(crate) body: String,
}

impl Event {
    /// Returns the event of a number: always the same one. Each is another call of another client.
    pub(crate) fn numbered(number: u32) -> Self {
        // Steps by a prime, so that neighbours in time are not neighbours in the index of numbers.
        let client = u64::from(number) * 7_919 % 10_000_000;
        Self::of_client(number, &format!("+7916{client:07}"))
    }

    /// Returns the event of a number, of this client.
    pub(crate) fn of_client(number: u32, client: &str) -> Self {
        let key = format!("call-{number:09}");
        let at = |later_s: i64| {
            let second = FIRST_CALL_S + i64::from(number) + later_s;
            jiff::Timestamp::from_second(second).map(|at| at.to_string())
        };
        let [started, answered, ended] =
            [at(0), at(8), at(50)].map(|at| at.expect("a second of this century"));
        let body = format!(
            concat!(
                r#"{{"kind":"call","key":"{key}","revision":1,"direction":"incoming","#,
                r#""phase":"ended","client":"{client}","our_number":"+74950000001","#,
                r#""started_at":"{started}","answered_at":"{answered}","ended_at":"{ended}","#,
                r#""rung":[{{"extension":"101"}}],"talkers":["101"]}}"#
            ),
            key = key,
            client = client,
            started = started,
            answered = answered,
            ended = ended,
        );
        Self { key, body }
    }
}
