//! Which channels are trunks, which are employees' phones, which are neither: by the channel's
//! name, by patterns, by the context where nothing else says.

use serde::{Deserialize, Serialize};

use crate::model::ids::Extension;
use crate::model::mistake::Mistake;

/// What a channel is the end of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An employee's phone.
    Extension(Extension),
    /// A line to the outside, by its name.
    Trunk(String),
    /// One half of a Local pair: neither, only a joint.
    Local,
    /// A pseudo channel: a message, a recorder, a conference's announcer.
    Other,
}

/// What a distribution of Asterisk names its channels and contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Plain Asterisk.
    #[default]
    Plain,
    /// FreePBX and what is built on it: devices may carry the prefixes 90, 98, 99 (WebRTC and
    /// user-and-device mode).
    Freepbx,
    /// MikoPBX: provider contexts end in `-incoming` (`pbx/asterisk.md` §6).
    Mikopbx,
}

/// The settings behind [`ChannelRules`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelSettings {
    /// The distribution.
    pub profile: Profile,
    /// Patterns (`*` for anything) of endpoint names that are trunks, such as `megafon*`. They
    /// win over everything else.
    pub trunks: Vec<String>,
    /// Patterns of endpoint names that are employees' phones, such as `door-*`.
    pub extensions: Vec<String>,
    /// Patterns of contexts that calls from trunks begin in, beside the profile's own.
    pub trunk_contexts: Vec<String>,
    /// The fewest digits of an extension.
    pub extension_digits_min: usize,
    /// The most digits of an extension; longer names of digits are trunks (a provider's login).
    pub extension_digits_max: usize,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            profile: Profile::Plain,
            trunks: Vec::new(),
            extensions: Vec::new(),
            trunk_contexts: Vec::new(),
            extension_digits_min: 2,
            extension_digits_max: 6,
        }
    }
}

impl ChannelSettings {
    /// Names what cannot be right.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if self.extension_digits_min == 0 || self.extension_digits_min > self.extension_digits_max {
            found.push(Mistake::at(
                "extension_digits_min",
                "must be at least 1 and not above extension_digits_max",
            ));
        }
        for (name, patterns) in [
            ("trunks", &self.trunks),
            ("extensions", &self.extensions),
            ("trunk_contexts", &self.trunk_contexts),
        ] {
            for (position, pattern) in patterns.iter().enumerate() {
                if pattern.trim().is_empty() {
                    let path = format!("{name}.{position}");
                    found.push(Mistake::at(&path, "an empty pattern matches nothing"));
                }
            }
        }
        found
    }
}

/// Tells channels apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelRules {
    settings: ChannelSettings,
}

impl ChannelRules {
    /// Takes settings without mistakes.
    pub fn new(settings: ChannelSettings) -> Self {
        Self { settings }
    }

    /// Returns which distribution it is.
    pub fn profile(&self) -> Profile {
        self.settings.profile
    }

    /// Returns the settings behind it.
    pub fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    /// Says what the settings name an endpoint expressly, whatever else speaks for it.
    pub fn named(&self, name: &str) -> Option<Endpoint> {
        let settings = &self.settings;
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, name));
        if fits(&settings.trunks) {
            return Some(Endpoint::Trunk(name.to_owned()));
        }
        fits(&settings.extensions).then(|| Endpoint::Extension(Extension(name.to_owned())))
    }

    /// Says what a channel is the end of. `context` is the context that it began in, where known.
    pub fn classify(&self, channel: &str, context: Option<&str>) -> Endpoint {
        let Some((technology, name)) = endpoint_name(channel) else {
            return Endpoint::Other;
        };
        if technology.eq_ignore_ascii_case("Local") {
            return Endpoint::Local;
        }
        const PSEUDO: [&str; 9] = [
            "Message",
            "CBAnn",
            "CBRec",
            "Recorder",
            "Announcer",
            "Bridge",
            "Surrogate",
            "Snoop",
            "ConfBridgeRecorder",
        ];
        if PSEUDO
            .iter()
            .any(|pseudo| technology.eq_ignore_ascii_case(pseudo))
        {
            return Endpoint::Other;
        }
        if let Some(named) = self.named(name) {
            return named;
        }
        if self.is_trunk_context(context) {
            return Endpoint::Trunk(name.to_owned());
        }
        if is_line_card(technology) {
            // A line card's channels are named by their slot: only patterns can make them phones.
            return Endpoint::Trunk(name.to_owned());
        }
        match self.extension_of_name(name) {
            Some(extension) => Endpoint::Extension(extension),
            None => Endpoint::Trunk(name.to_owned()),
        }
    }

    /// Returns the extension that a Local channel is dialled to: `Local/102@from-queue-0000;1`.
    pub fn extension_of_local(&self, channel: &str) -> Option<Extension> {
        let rest = channel.strip_prefix("Local/")?;
        let (name, _) = rest.split_once('@')?;
        // FreePBX's follow-me: FMPR-102, FMGL-102 (`pbx/asterisk.md` §5).
        let name = name
            .strip_prefix("FMPR-")
            .or_else(|| name.strip_prefix("FMGL-"))
            .unwrap_or(name);
        let name = name.trim_end_matches('#');
        self.extension_of_name(name)
    }

    /// Reads an endpoint's name as an extension.
    pub fn extension_of_name(&self, name: &str) -> Option<Extension> {
        let settings = &self.settings;
        // A phone registered more than once may carry a suffix: 101-1, 101_2.
        let digits = name.split(['-', '_']).next().unwrap_or(name);
        let digits = match settings.profile {
            Profile::Freepbx => freepbx_device(digits, settings),
            Profile::Plain | Profile::Mikopbx => digits,
        };
        let range = settings.extension_digits_min..=settings.extension_digits_max;
        let fits = range.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Extension(digits.to_owned()))
    }

    /// Says whether calls that begin in this context come from a trunk.
    pub fn is_trunk_context(&self, context: Option<&str>) -> bool {
        let Some(context) = context.filter(|context| !context.is_empty()) else {
            return false;
        };
        let own: &[&str] = match self.settings.profile {
            Profile::Plain => &["from-trunk*", "from-pstn*", "from-provider*"],
            Profile::Freepbx => &["from-trunk*", "from-pstn*", "from-did-direct", "ext-did*"],
            Profile::Mikopbx => &["*-incoming"],
        };
        // MikoPBX dials its own phones through `internal-incoming`.
        context != "internal-incoming"
            && (own.iter().any(|pattern| matches(pattern, context))
                || self
                    .settings
                    .trunk_contexts
                    .iter()
                    .any(|pattern| matches(pattern, context)))
    }
}

/// Splits `PJSIP/101-0000001a` into technology and endpoint; the last `-…` is Asterisk's own.
fn endpoint_name(channel: &str) -> Option<(&str, &str)> {
    let channel = channel
        .trim_end_matches("<ZOMBIE>")
        .trim_end_matches("<MASQ>");
    let (technology, rest) = channel.split_once('/')?;
    if technology.is_empty() || rest.is_empty() {
        return None;
    }
    let name = match rest.rsplit_once('-') {
        Some((name, serial)) if !name.is_empty() && is_serial(serial) => name,
        _ => rest,
    };
    Some((technology, name))
}

/// Says whether a last part is Asterisk's serial of the channel rather than a part of the name.
fn is_serial(text: &str) -> bool {
    let text = text.split(';').next().unwrap_or(text);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_line_card(technology: &str) -> bool {
    [
        "DAHDI", "ZAP", "mISDN", "Khomp", "Dongle", "Quectel", "Motif", "OOH323",
    ]
    .iter()
    .any(|one| technology.eq_ignore_ascii_case(one))
}

/// Takes FreePBX's device prefixes off (90, 98, 99 before an extension).
fn freepbx_device<'a>(digits: &'a str, settings: &ChannelSettings) -> &'a str {
    for prefix in ["90", "98", "99"] {
        let rest = digits.strip_prefix(prefix);
        if let Some(rest) = rest.filter(|r| r.len() >= settings.extension_digits_min.max(3)) {
            return rest;
        }
    }
    digits
}

/// Says whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(digits: &str) -> Endpoint {
        Endpoint::Extension(Extension(digits.to_owned()))
    }

    fn trunk(name: &str) -> Endpoint {
        Endpoint::Trunk(name.to_owned())
    }

    #[test]
    fn plain_defaults_tell_phones_from_trunks() {
        let rules = ChannelRules::default();
        for (channel, context, expected) in [
            ("PJSIP/101-0000001a", None, extension("101")),
            (
                "PJSIP/101-0000001a",
                Some("from-internal"),
                extension("101"),
            ),
            ("SIP/1001-0000abcd<ZOMBIE>", None, extension("1001")),
            ("PJSIP/trunk-00000000", Some("from-trunk"), trunk("trunk")),
            ("PJSIP/megafon-spb-00000000", None, trunk("megafon-spb")),
            ("SIP/74950000001-000000ff", None, trunk("74950000001")),
            ("PJSIP/101-00000001", Some("from-trunk"), trunk("101")),
            ("PJSIP/anonymous-00000003", None, trunk("anonymous")),
            ("DAHDI/1-1", None, trunk("1")),
            ("Local/102@from-queue-0000000a;1", None, Endpoint::Local),
            ("Message/ast_msg_queue", None, Endpoint::Other),
            ("nonsense", None, Endpoint::Other),
            ("", None, Endpoint::Other),
            ("/", None, Endpoint::Other),
        ] {
            assert_eq!(
                rules.classify(channel, context),
                expected,
                "{channel} {context:?}"
            );
        }
    }

    #[test]
    fn configured_patterns_win() {
        let rules = ChannelRules::new(ChannelSettings {
            trunks: vec!["77*".to_owned()],
            extensions: vec!["door-*".to_owned()],
            ..ChannelSettings::default()
        });
        assert_eq!(rules.classify("PJSIP/7701-00000001", None), trunk("7701"));
        assert_eq!(
            rules.classify("PJSIP/door-left-00000001", None),
            extension("door-left")
        );
    }

    #[test]
    fn freepbx_devices_are_their_extensions() {
        let rules = ChannelRules::new(ChannelSettings {
            profile: Profile::Freepbx,
            ..ChannelSettings::default()
        });
        assert_eq!(
            rules.classify("PJSIP/99101-00000001", None),
            extension("101")
        );
        assert_eq!(rules.classify("PJSIP/991-00000001", None), extension("991"));
        assert_eq!(
            rules.extension_of_local("Local/FMPR-102@from-internal-00000001;1"),
            Some(Extension("102".to_owned()))
        );
    }

    #[test]
    fn mikopbx_provider_contexts_are_trunks_and_its_inner_one_is_not() {
        let rules = ChannelRules::new(ChannelSettings {
            profile: Profile::Mikopbx,
            ..ChannelSettings::default()
        });
        let provider = Some("1921681012005060-incoming");
        assert_eq!(rules.classify("PJSIP/201-00000001", provider), trunk("201"));
        assert_eq!(
            rules.classify("PJSIP/201-00000001", Some("internal-incoming")),
            extension("201")
        );
    }

    #[test]
    fn the_extension_behind_a_local_channel_is_read() {
        let rules = ChannelRules::default();
        let read = |channel| rules.extension_of_local(channel);
        assert_eq!(
            read("Local/102@from-queue-0000000a;1"),
            Some(Extension("102".to_owned()))
        );
        assert_eq!(read("Local/79161234567@out-0000000a;1"), None);
        assert_eq!(read("PJSIP/102-00000001"), None);
    }

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("a*c", "abbc"));
        assert!(matches("*", ""));
        assert!(matches("a*b*c", "a-b-c"));
        assert!(!matches("a", "ab"));
        assert!(!matches("a*c", "abcd"));
    }
}
