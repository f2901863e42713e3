//! Pauses between tries that double with each failure in a row.

use std::time::Duration;

/// More doublings than any pause takes to reach its longest.
const DOUBLINGS_MAX: u32 = 16;

/// Returns the pause after so many failures in a row: `first` after one, twice as long after each
/// further one, `longest` at the most.
pub fn pause_after(failures: u32, first: Duration, longest: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = |failures| {
            let (first, longest) = (Duration::from_secs(5), Duration::from_secs(900));
            pause_after(failures, first, longest).as_secs()
        };
        assert_eq!([0, 1, 2, 3].map(seconds), [5, 5, 10, 20]);
        assert_eq!([8, 9, 1000, u32::MAX].map(seconds), [640, 900, 900, 900]);
        assert_eq!(
            pause_after(u32::MAX, Duration::MAX, Duration::MAX),
            Duration::MAX
        );
    }
}
