//! A range of network addresses, such as `10.0.0.0/24`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Addresses that begin with the same bits. An IPv4 address in IPv6 form counts as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    address: IpAddr,
    bits: u8,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address or a range: write it like \"10.0.0.5\" or \"10.0.0.0/24\"")]
pub struct BadIpRange {
    /// The beginning of the refused text.
    pub text: String,
}

impl IpRange {
    /// This machine: `127.0.0.0/8` and `::1`.
    pub fn loopback() -> [IpRange; 2] {
        use std::net::{Ipv4Addr, Ipv6Addr};
        [
            IpRange {
                address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)),
                bits: 8,
            },
            IpRange {
                address: IpAddr::V6(Ipv6Addr::LOCALHOST),
                bits: 128,
            },
        ]
    }

    /// Says whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                // A shift by the whole width has no bits left: everything lies in it.
                let differs = ours.to_bits() ^ theirs.to_bits();
                differs.checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differs = ours.to_bits() ^ theirs.to_bits();
                differs.checked_shr(128 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for IpRange {
    type Err = BadIpRange;
    fn from_str(text: &str) -> Result<Self, BadIpRange> {
        let bad = || BadIpRange {
            text: text.chars().take(64).collect(),
        };
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(text) if text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_err(|_| bad())?
            }
            Some(_) => return Err(bad()),
        };
        if bits > most {
            return Err(bad());
        }
        Ok(Self { address, bits })
    }
}

impl TryFrom<String> for IpRange {
    type Error = BadIpRange;
    fn try_from(text: String) -> Result<Self, BadIpRange> {
        text.parse()
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> String {
        range.to_string()
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let parsed: IpRange = range.parse().expect(range);
        for address in inside {
            assert!(
                parsed.contains(address.parse().expect("an address")),
                "{address} in {range}"
            );
        }
        for address in outside {
            assert!(
                !parsed.contains(address.parse().expect("an address")),
                "{address} in {range}"
            );
        }
    }

    #[test]
    fn a_range_holds_what_begins_with_its_bits() {
        check(
            "10.0.0.5",
            &["10.0.0.5", "::ffff:10.0.0.5"],
            &["10.0.0.4", "::1"],
        );
        check("10.0.0.0/24", &["10.0.0.255"], &["10.0.1.0", "11.0.0.1"]);
        check("0.0.0.0/0", &["1.2.3.4", "255.255.255.255"], &["::1"]);
        check("fd00::/8", &["fdff::1"], &["fe80::1", "10.0.0.1"]);
        check("::/0", &["fe80::1"], &["10.0.0.1"]);
        let [four, six] = IpRange::loopback();
        assert!(four.contains("127.9.9.9".parse().expect("an address")));
        assert!(six.contains("::1".parse().expect("an address")));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "host",
            "10.0.0.0/+8",
        ] {
            assert!(text.parse::<IpRange>().is_err(), "{text}");
        }
    }
}
