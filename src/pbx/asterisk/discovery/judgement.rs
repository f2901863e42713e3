//! What each endpoint seems to be, by the signs.

use super::findings::{Device, Findings};
use super::signs::{self, QueueMembers, Sign};
use super::words::clean;
use crate::model::discovery::{Certainty, FoundEndpoint, Role};
use crate::model::explanation::Language;
use crate::model::ids::Extension;
use crate::pbx::asterisk::channels::{ChannelRules, Endpoint};

/// The weight that makes a guess clear.
const CLEAR: i32 = 3;

/// A device with what it seems to be.
pub(super) struct Judged<'a> {
    pub(super) device: &'a Device,
    pub(super) role: Role,
    pub(super) certainty: Certainty,
    signs: Vec<Sign>,
}

/// Judges every device. `rules` know the distribution, and what the administrator named.
pub(super) fn judge<'a>(findings: &'a Findings, rules: &ChannelRules) -> Vec<Judged<'a>> {
    let members = signs::queue_members(findings, rules);
    let judge = |device| judge_one(device, findings, &members, rules);
    findings.devices.iter().map(judge).collect()
}

fn judge_one<'a>(
    device: &'a Device,
    findings: &Findings,
    members: &QueueMembers,
    rules: &ChannelRules,
) -> Judged<'a> {
    let signs = signs::of(device, findings, members, rules);
    let weights = || signs.iter().map(Sign::weight);
    let trunk: i32 = weights().filter(|weight| *weight > 0).sum();
    let phone: i32 = -weights().filter(|weight| *weight < 0).sum::<i32>();
    let role = match trunk.cmp(&phone) {
        std::cmp::Ordering::Greater => Role::Trunk,
        std::cmp::Ordering::Less => Role::Extension,
        std::cmp::Ordering::Equal => Role::Unclear,
    };
    let certainty = match (trunk - phone).abs() {
        0 => Certainty::Unclear,
        margin if margin >= CLEAR && trunk.min(phone) <= 1 => Certainty::Clear,
        _ => Certainty::Likely,
    };
    Judged {
        device,
        role,
        certainty,
        signs,
    }
}

/// Says what rules take a device for, and its extension then.
pub(super) fn taken_for(device: &Device, rules: &ChannelRules) -> (Role, Option<Extension>) {
    match rules.classify(&device.channel(), device.context.as_deref()) {
        Endpoint::Extension(extension) => (Role::Extension, Some(extension)),
        Endpoint::Trunk(_) => (Role::Trunk, None),
        Endpoint::Local | Endpoint::Other => (Role::Unclear, None),
    }
}

impl Judged<'_> {
    /// Says it for people. `now` are the settings in force, `proposed` those that are proposed.
    pub(super) fn told(
        &self,
        now: &ChannelRules,
        proposed: &ChannelRules,
        language: Language,
    ) -> FoundEndpoint {
        let device = self.device;
        let (_, extension) = taken_for(device, proposed);
        let for_trunk = |sign: &&Sign| sign.weight() > 0;
        let words = |trunk: bool| -> Vec<String> {
            let signs = self.signs.iter();
            let of_side = signs.filter(|sign| for_trunk(sign) == trunk);
            of_side.map(|sign| sign.text(language)).collect()
        };
        // Where it is a tie, the side of trunks is called the reasons.
        let is_trunk = self.role != Role::Extension;
        FoundEndpoint {
            technology: device.technology.word().to_owned(),
            name: clean(&device.name),
            role: self.role,
            certainty: self.certainty,
            reasons: words(is_trunk),
            against: words(!is_trunk),
            taken_for: taken_for(device, now).0,
            extension: extension.filter(|_| self.role == Role::Extension),
            shown_name: device.caller.name.clone().or(device.description.clone()),
            context: device.context.clone(),
            reachable: device.reachable,
        }
    }
}
