//! Guards the public endpoint against floods: so many requests a second of one source, and so
//! many of one address that fit no source. Who is over it is told when to come again; nothing of
//! it reaches disk or log.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::model::ids::SourceKey;

/// Addresses that are remembered at once: some hundred kilobytes. Beyond that strangers are told
/// to come again until earlier ones have been quiet.
const ADDRESSES_MAX: usize = 10_000;

/// How many requests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodBounds {
    /// Of one source, in a second.
    pub source_per_second: NonZeroU32,
    /// Of one address that fit no source, in a minute.
    pub stranger_per_minute: NonZeroU32,
}

/// The guard.
pub struct FloodGuard<C: Clock = MonotonicClock> {
    sources: Keyed<SourceKey, C>,
    strangers: Keyed<IpAddr, C>,
    clock: C,
}

type Keyed<K, C> =
    RateLimiter<K, DefaultKeyedStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl FloodGuard {
    /// Makes a guard that has seen nothing.
    pub fn new(bounds: FloodBounds) -> Self {
        Self::with_clock(bounds, MonotonicClock)
    }
}

impl<C: Clock + Clone> FloodGuard<C> {
    fn with_clock(bounds: FloodBounds, clock: C) -> Self {
        let per_second = Quota::per_second(bounds.source_per_second);
        let per_minute = Quota::per_minute(bounds.stranger_per_minute);
        Self {
            sources: RateLimiter::new(per_second, Default::default(), clock.clone()),
            strangers: RateLimiter::new(per_minute, Default::default(), clock.clone()),
            clock,
        }
    }

    /// Counts a request of a source; an error says after which time it may come again.
    pub fn source(&self, source: &SourceKey) -> Result<(), Duration> {
        check(&self.sources, source, &self.clock)
    }

    /// Counts a request that fits no source.
    pub fn stranger(&self, from: Option<IpAddr>) -> Result<(), Duration> {
        if self.strangers.len() >= ADDRESSES_MAX {
            self.strangers.retain_recent();
            self.strangers.shrink_to_fit();
        }
        if self.strangers.len() >= ADDRESSES_MAX {
            return Err(Duration::from_secs(60));
        }
        let from = from.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        check(&self.strangers, &network(from), &self.clock)
    }
}

fn check<K: Hash + Eq + Clone, C: Clock>(
    limiter: &Keyed<K, C>,
    key: &K,
    clock: &C,
) -> Result<(), Duration> {
    limiter
        .check_key(key)
        .map_err(|until| until.wait_time_from(clock.now()))
}

/// Returns what stands for an address: of version 6, whoever has one has the whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => {
                let kept = u128::from(address) >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from(kept))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn guard() -> FloodGuard<FakeRelativeClock> {
        let bounds = FloodBounds {
            source_per_second: NonZeroU32::new(10).expect("not zero"),
            stranger_per_minute: NonZeroU32::new(3).expect("not zero"),
        };
        FloodGuard::with_clock(bounds, FakeRelativeClock::default())
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_source_over_its_rate_is_told_when_to_come_again_and_its_neighbour_is_not_concerned() {
        let guard = guard();
        let (office, site) = ("acme/office".parse(), "acme/site".parse());
        let (office, site): (SourceKey, SourceKey) = (office.expect("a key"), site.expect("a key"));
        for _ in 0..10 {
            assert_eq!(guard.source(&office), Ok(()));
        }
        let wait = guard.source(&office).expect_err("an eleventh in no time");
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_millis(100),
            "{wait:?}"
        );
        assert_eq!(guard.source(&site), Ok(()));
        guard.clock.advance(wait);
        assert_eq!(guard.source(&office), Ok(()));
    }

    #[test]
    fn a_stranger_is_known_by_address_or_network_of_version_6() {
        let guard = guard();
        for host in 1..=3 {
            let from = address(&format!("2001:db8:0:7::{host}"));
            assert_eq!(guard.stranger(from), Ok(()));
        }
        assert!(guard.stranger(address("2001:db8:0:7::99")).is_err());
        assert_eq!(guard.stranger(address("2001:db8:0:8::1")), Ok(()));
        assert_eq!(guard.stranger(address("192.0.2.1")), Ok(()));
    }

    #[test]
    fn the_addresses_that_are_remembered_have_a_bound_and_are_forgotten() {
        let guard = guard();
        for n in 0..ADDRESSES_MAX as u32 {
            assert_eq!(guard.stranger(Some(IpAddr::V4(n.into()))), Ok(()));
        }
        assert!(guard.stranger(address("203.0.113.1")).is_err());
        guard.clock.advance(Duration::from_secs(60));
        assert_eq!(guard.stranger(address("203.0.113.1")), Ok(()));
        assert_eq!(guard.strangers.len(), 1);
    }
}
