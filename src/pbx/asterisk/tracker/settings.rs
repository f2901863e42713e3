//! What the tracker is told once, and the numbers that bound it.

use std::time::Duration;

use crate::model::ids::SourceKey;
use crate::model::number_rules::NumberRules;
use crate::pbx::asterisk::channels::ChannelRules;

/// The settings of one source's tracker.
#[derive(Debug, Clone)]
pub struct TrackerSettings {
    /// The source whose calls these are.
    pub source: SourceKey,
    /// How its numbers are brought into shape.
    pub numbers: NumberRules,
    /// Which channels are trunks, which are employees' phones.
    pub channels: ChannelRules,
    /// How long a call without living channels waits for its Cdr and for late events.
    pub linger: Duration,
    /// The most calls followed at once; beyond it the one that was quiet longest is given up.
    pub open_calls_max: usize,
}

/// Hangup, Cdr and BridgeLeave of one call come within 1 to 2 s (`pbx/asterisk.md` §2).
pub const LINGER_DEFAULT: Duration = Duration::from_millis(1500);

/// A box of this size serves some hundreds of phones; a call keeps a few kilobytes.
pub const OPEN_CALLS_MAX_DEFAULT: usize = 2000;

impl TrackerSettings {
    /// Takes the defaults for everything but the source.
    pub fn new(source: SourceKey) -> Self {
        Self {
            source,
            numbers: NumberRules::default(),
            channels: ChannelRules::default(),
            linger: LINGER_DEFAULT,
            open_calls_max: OPEN_CALLS_MAX_DEFAULT,
        }
    }
}

/// How long a call may live on Local halves alone: a follow-me announces itself between two
/// phones, and a Hangup of a half that never comes must not keep a call open for ever.
pub(super) const JOINTS_ONLY_MAX: Duration = Duration::from_secs(30);

/// Channels kept of one call. A queue that rings twenty phones has forty with Local halves; those
/// that are over are forgotten first, what they told stays in the call.
pub(super) const CHANNELS_MAX: usize = 256;

/// Employees' phones in one call: more than any ring group has.
pub(super) const LEGS_MAX: usize = 256;

/// Linkedids that one call is known by.
pub(super) const ALIASES_MAX: usize = 64;

/// Recordings of one call: each transfer begins another on FreePBX.
pub(super) const RECORDINGS_MAX: usize = 32;

/// Queues that one call went through.
pub(super) const QUEUES_MAX: usize = 32;

/// Ids of closed calls that are remembered, so that a late event does not open them again.
pub(super) const CLOSED_IDS_MAX: usize = 4096;

/// How long before the last one an id was closed that outlives a crash: several times what the log
/// is read back.
pub(super) const CLOSED_KEPT: Duration = Duration::from_secs(30);

/// The most of them: the calls of half a minute, at three or four ids each.
pub(super) const CLOSED_KEPT_MAX: usize = 512;

/// Longest text that is kept of one header, in characters: file names are the longest.
pub(super) const TEXT_CHARS_MAX: usize = 512;

/// Cuts a text from outside to [`TEXT_CHARS_MAX`] and takes control characters out.
pub(super) fn kept(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(TEXT_CHARS_MAX)
        .collect()
}
