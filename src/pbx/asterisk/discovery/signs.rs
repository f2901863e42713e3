//! What speaks for an endpoint being a trunk or a phone: each sign with its weight.

use std::collections::BTreeMap;

use super::findings::{Device, Findings};
use super::words::clean;
use crate::pbx::asterisk::channels::{ChannelRules, Endpoint};

/// One sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// The settings say so.
    NamedTrunk,
    /// The settings say so.
    NamedExtension,
    /// The PBX registers with a provider by it.
    RegistersElsewhere,
    /// The PBX has a login of its own at the other end.
    LoginElsewhere,
    /// Its calls begin where calls from outside do.
    TrunkContext(String),
    /// It is recognised by its address.
    ByAddress,
    /// Its address stands in the configuration.
    FixedAddress,
    /// Its name is none of an extension.
    TrunkName,
    /// FreePBX has a user of this extension.
    User(String),
    /// A queue rings it.
    QueueMember(String),
    /// Its caller id is its own extension.
    OwnCallerId(String),
    /// It registers itself.
    RegistersItself,
    /// Its name is one of an extension.
    ExtensionName(String),
    /// Its calls begin where those of phones do.
    PhoneContext(String),
}

impl Sign {
    /// Returns how much it speaks for a trunk; below zero, for a phone. What the administrator
    /// wrote outweighs everything; what only a provider's line or only a person's phone has, what
    /// both may have; a name alone decides where nothing else is known.
    pub(super) fn weight(&self) -> i32 {
        match self {
            Sign::NamedTrunk => 20,
            Sign::NamedExtension => -20,
            Sign::RegistersElsewhere => 4,
            Sign::LoginElsewhere | Sign::TrunkContext(_) => 3,
            Sign::ByAddress | Sign::FixedAddress => 2,
            Sign::TrunkName => 1,
            Sign::User(_) => -4,
            Sign::QueueMember(_) => -3,
            Sign::OwnCallerId(_) | Sign::RegistersItself => -2,
            Sign::ExtensionName(_) | Sign::PhoneContext(_) => -1,
        }
    }
}

/// Who of the queues rings which device, by technology and name.
pub(super) type QueueMembers = BTreeMap<String, String>;

/// Reads which devices the queues ring: `PJSIP/101` directly, `Local/101@…` by extension. The
/// first queue of each is enough for a reason.
pub(super) fn queue_members(findings: &Findings, rules: &ChannelRules) -> QueueMembers {
    let mut members = QueueMembers::new();
    for queue in &findings.queues {
        for member in &queue.members {
            let key = match rules.extension_of_local(&member.interface) {
                Some(extension) => extension.0,
                None => member.interface.clone(),
            };
            members.entry(key).or_insert_with(|| queue.name.clone());
        }
    }
    members
}

/// Gathers the signs of one device.
pub(super) fn of(
    device: &Device,
    findings: &Findings,
    members: &QueueMembers,
    rules: &ChannelRules,
) -> Vec<Sign> {
    let mut signs = Vec::new();
    match rules.named(&device.name) {
        Some(Endpoint::Trunk(_)) => signs.push(Sign::NamedTrunk),
        Some(_) => signs.push(Sign::NamedExtension),
        None => {}
    }
    if device.registers_elsewhere {
        signs.push(Sign::RegistersElsewhere);
    }
    if device.outbound_auth.is_some() {
        signs.push(Sign::LoginElsewhere);
    }
    if let Some(context) = &device.context {
        if rules.is_trunk_context(Some(context)) {
            signs.push(Sign::TrunkContext(context.clone()));
        } else if is_phone_context(context) {
            signs.push(Sign::PhoneContext(context.clone()));
        }
    }
    if device.by_address {
        signs.push(Sign::ByAddress);
    }
    match device.fixed_address {
        Some(true) => signs.push(Sign::FixedAddress),
        Some(false) => signs.push(Sign::RegistersItself),
        None => {}
    }
    let extension = rules.extension_of_name(&device.name);
    match &extension {
        Some(extension) => {
            if findings.users.contains_key(&extension.0) {
                signs.push(Sign::User(extension.0.clone()));
            }
            signs.push(Sign::ExtensionName(extension.0.clone()));
        }
        None => signs.push(Sign::TrunkName),
    }
    let direct = format!("{}/{}", device.technology.word(), device.name);
    let by_extension = extension.as_ref().and_then(|one| members.get(&one.0));
    if let Some(queue) = members.get(&direct).or(by_extension) {
        signs.push(Sign::QueueMember(queue.clone()));
    }
    if let Some(number) = &device.caller.number {
        let own = *number == device.name || extension.is_some_and(|one| one.0 == *number);
        if own {
            signs.push(Sign::OwnCallerId(clean(number)));
        }
    }
    signs.sort_by_key(|sign| std::cmp::Reverse(sign.weight().abs()));
    signs
}

/// Says whether a context has a name that configurations give to where phones begin.
fn is_phone_context(context: &str) -> bool {
    context.starts_with("from-internal") || context.starts_with("internal")
}
