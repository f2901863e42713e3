//! What is proposed: the distribution, the settings of the channels, the people.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::caller_id::is_a_name;
use super::findings::{Device, Findings};
use super::judgement::{Judged, judge, taken_for};
use super::wording::Remark;
use super::words::{clean, employee_id};
use crate::model::discovery::{Discovery, FoundQueue, ProposedEmployee, Role, free_id};
use crate::model::explanation::Language;
use crate::model::ids::Extension;
use crate::pbx::asterisk::channels::{ChannelRules, ChannelSettings, Profile};

/// What the settings take: patterns of one list, characters of one, digits of an extension.
const PATTERNS_MAX: usize = 200;
const PATTERN_CHARS_MAX: usize = 80;
const EXTENSION_DIGITS_MAX: usize = 20;

/// People that are proposed.
const EMPLOYEES_MAX: usize = 1_000;

/// Remarks, in the language of whoever asked.
struct Remarks {
    language: Language,
    texts: Vec<String>,
}

impl Remarks {
    fn push(&mut self, remark: &Remark<'_>) {
        self.texts.push(remark.text(self.language));
    }
}

/// Makes a proposal of what was found. `now` are the settings in force.
pub(super) fn propose(findings: Findings, now: &ChannelRules) -> Discovery {
    let language = findings.language;
    let mut remarks = Remarks {
        language,
        texts: Vec::new(),
    };
    let profile = profile(&findings, now.profile(), &mut remarks);
    let guessing = ChannelRules::new(ChannelSettings {
        profile,
        ..now.settings().clone()
    });
    let judged = judge(&findings, &guessing);
    let settings = channels(&judged, guessing.settings().clone(), &mut remarks);
    let proposed = ChannelRules::new(settings);
    let mut endpoints: Vec<_> = judged
        .iter()
        .map(|one| one.told(now, &proposed, language))
        .collect();
    endpoints.sort_by_key(|one| {
        let digits = one
            .extension
            .as_ref()
            .map_or(0, |extension| extension.0.len());
        let role = match one.role {
            Role::Trunk => 0,
            Role::Unclear => 1,
            Role::Extension => 2,
        };
        (role, digits, one.name.clone(), one.technology.clone())
    });
    let mut tables = Map::new();
    let channels = channels_table(proposed.settings());
    if !channels.is_empty() {
        tables.insert("channels".to_owned(), Value::Object(channels));
    }
    Discovery {
        complete: findings.limits.is_empty(),
        endpoints,
        queues: queues(&findings, &proposed),
        employees: employees(&judged, &findings, &proposed),
        not_found: Vec::new(),
        settings: tables,
        remarks: remarks.texts,
        dial_context: dial_context(&judged),
        system: findings.system,
        limits: findings.limits,
    }
}

/// Guesses the distribution; what is configured stays where nothing speaks against it.
fn profile(findings: &Findings, now: Profile, remarks: &mut Remarks) -> Profile {
    let guess = if let Some((extension, _)) = findings.users.first_key_value() {
        let extension = &clean(extension);
        remarks.push(&Remark::FreePbx { extension });
        Profile::Freepbx
    } else if let Some(context) = findings.devices.iter().find_map(provider_context) {
        remarks.push(&Remark::MikoPbx { context });
        Profile::Mikopbx
    } else {
        let profile = word(now);
        remarks.push(&Remark::NoDistribution { profile });
        return now;
    };
    if guess != now && now != Profile::Plain {
        let profile = word(now);
        remarks.push(&Remark::OtherProfile { profile });
    }
    guess
}

/// MikoPBX: `1921681012005060-incoming`, and `internal-incoming` for its own (`pbx/asterisk.md`
/// §6).
fn provider_context(device: &Device) -> Option<&str> {
    let context = device.context.as_deref()?;
    (context.ends_with("-incoming") && context != "internal-incoming").then_some(context)
}

fn word(profile: Profile) -> &'static str {
    match profile {
        Profile::Plain => "plain",
        Profile::Freepbx => "freepbx",
        Profile::Mikopbx => "mikopbx",
    }
}

/// Adds to the settings what makes the rules of channels see every endpoint as it was judged.
fn channels(
    judged: &[Judged<'_>],
    mut settings: ChannelSettings,
    remarks: &mut Remarks,
) -> ChannelSettings {
    widen_digits(judged, &mut settings, remarks);
    let mut trunks = Additions::new("trunks", &settings.trunks);
    for one in judged.iter().filter(|one| one.role == Role::Trunk) {
        let rules = ChannelRules::new(settings.clone());
        // A name that is already matched needs no line; a trunk by its name alone gets one all
        // the same: a name says more than its form.
        if rules.named(&one.device.name).is_none() && trunks.add(one, judged, remarks) {
            settings.trunks.clone_from(&trunks.patterns);
        }
    }
    let mut extensions = Additions::new("extensions", &settings.extensions);
    for one in judged.iter().filter(|one| one.role == Role::Extension) {
        let rules = ChannelRules::new(settings.clone());
        let seen = taken_for(one.device, &rules).0;
        if seen != Role::Extension && extensions.add(one, judged, remarks) {
            settings.extensions.clone_from(&extensions.patterns);
        }
    }
    trunks.finish(remarks);
    extensions.finish(remarks);
    add_trunk_contexts(judged, &mut settings);
    for one in judged.iter().filter(|one| one.role == Role::Unclear) {
        let name = &clean(&one.device.name);
        remarks.push(&Remark::SayYourself { name });
    }
    settings
}

/// Patterns that are added to a list of the settings.
struct Additions {
    list: &'static str,
    patterns: Vec<String>,
    left_out: usize,
}

impl Additions {
    fn new(list: &'static str, present: &[String]) -> Self {
        Self {
            list,
            patterns: present.to_vec(),
            left_out: 0,
        }
    }

    /// Adds the endpoint's name, if it can stand in the settings.
    fn add(&mut self, one: &Judged<'_>, all: &[Judged<'_>], remarks: &mut Remarks) -> bool {
        let name = &one.device.name;
        let told = clean(name);
        // A pattern that is more than this one name would take other endpoints along.
        let is_plain =
            !name.contains('*') && *name == told && name.chars().count() <= PATTERN_CHARS_MAX;
        if !is_plain {
            remarks.push(&Remark::NoPattern {
                name: &told,
                list: self.list,
            });
            return false;
        }
        let namesake = all
            .iter()
            .find(|other| other.device.name == *name && other.role != one.role);
        if let Some(other) = namesake {
            remarks.push(&Remark::Namesakes {
                name: &told,
                one: one.device.technology.word(),
                other: other.device.technology.word(),
            });
            return false;
        }
        if self.patterns.len() >= PATTERNS_MAX {
            self.left_out += 1;
            return false;
        }
        self.patterns.push(name.clone());
        true
    }

    fn finish(&self, remarks: &mut Remarks) {
        if self.left_out > 0 {
            remarks.push(&Remark::Full {
                left_out: self.left_out,
                list: self.list,
                max: PATTERNS_MAX,
            });
        }
    }
}

/// Has the settings take extensions as long as those that there are.
fn widen_digits(judged: &[Judged<'_>], settings: &mut ChannelSettings, remarks: &mut Remarks) {
    let is_digits = |name: &&String| name.bytes().all(|byte| byte.is_ascii_digit());
    let lengths: BTreeSet<usize> = judged
        .iter()
        .filter(|one| one.role == Role::Extension)
        .map(|one| &one.device.name)
        .filter(is_digits)
        .map(String::len)
        .filter(|length| *length <= EXTENSION_DIGITS_MAX)
        .collect();
    let (Some(min), Some(max)) = (lengths.first(), lengths.last()) else {
        return;
    };
    let told: Vec<String> = lengths.iter().map(ToString::to_string).collect();
    remarks.push(&Remark::Digits(&told));
    settings.extension_digits_min = settings.extension_digits_min.min(*min).max(1);
    settings.extension_digits_max = settings.extension_digits_max.max(*max);
}

/// Adds the contexts in which only trunks begin: calls from trunks of the future are seen as what
/// they are.
fn add_trunk_contexts(judged: &[Judged<'_>], settings: &mut ChannelSettings) {
    let of = |role: Role| -> BTreeSet<&str> {
        let devices = judged.iter().filter(|one| one.role == role);
        devices
            .filter_map(|one| one.device.context.as_deref())
            .collect()
    };
    let (trunks, phones, unclear) = (of(Role::Trunk), of(Role::Extension), of(Role::Unclear));
    for context in trunks {
        let shared = phones.contains(context) || unclear.contains(context);
        // Asterisk's own name for "nothing chosen": phones that are added later land there too.
        let is_plain = !context.contains('*') && context != "default";
        let known = ChannelRules::new(settings.clone()).is_trunk_context(Some(context));
        if !shared && is_plain && !known && settings.trunk_contexts.len() < PATTERNS_MAX {
            settings.trunk_contexts.push(context.to_owned());
        }
    }
}

/// Writes what differs from the defaults.
fn channels_table(settings: &ChannelSettings) -> Map<String, Value> {
    let usual = ChannelSettings::default();
    let entries = [
        ("profile", json!(settings.profile), json!(usual.profile)),
        ("trunks", json!(settings.trunks), json!(usual.trunks)),
        (
            "extensions",
            json!(settings.extensions),
            json!(usual.extensions),
        ),
        (
            "trunk_contexts",
            json!(settings.trunk_contexts),
            json!(usual.trunk_contexts),
        ),
        (
            "extension_digits_min",
            json!(settings.extension_digits_min),
            json!(usual.extension_digits_min),
        ),
        (
            "extension_digits_max",
            json!(settings.extension_digits_max),
            json!(usual.extension_digits_max),
        ),
    ];
    let differing = entries
        .into_iter()
        .filter(|(_, value, usual)| value != usual);
    differing
        .map(|(key, value, _)| (key.to_owned(), value))
        .collect()
}

fn queues(findings: &Findings, rules: &ChannelRules) -> Vec<FoundQueue> {
    let member = |interface: &str| {
        let of_local = rules.extension_of_local(interface);
        let of_device = || {
            let (_, name) = interface.split_once('/')?;
            rules.extension_of_name(name)
        };
        let extension = of_local.or_else(of_device);
        extension.map_or_else(|| clean(interface), |extension| extension.0)
    };
    let mut queues: Vec<FoundQueue> = findings
        .queues
        .iter()
        .map(|queue| {
            let members: BTreeSet<String> = queue
                .members
                .iter()
                .map(|one| member(&one.interface))
                .collect();
            FoundQueue {
                name: queue.name.clone(),
                members: members.into_iter().collect(),
            }
        })
        .collect();
    queues.sort_by(|a, b| a.name.cmp(&b.name));
    queues
}

/// Proposes everybody who has an extension, once.
fn employees(
    judged: &[Judged<'_>],
    findings: &Findings,
    rules: &ChannelRules,
) -> Vec<ProposedEmployee> {
    let mut people: BTreeMap<(usize, String), Option<String>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.role == Role::Extension) {
        let Some(extension) = taken_for(one.device, rules).1 else {
            continue;
        };
        // The configuration takes no extension that is more than a line of text.
        if extension.0 != clean(&extension.0) {
            continue;
        }
        let name = name_of(one.device, &extension, findings, rules);
        let known = people.entry((extension.0.len(), extension.0)).or_default();
        *known = known.take().or(name);
    }
    let mut taken = BTreeSet::new();
    let mut proposed = Vec::new();
    for ((_, extension), name) in people.into_iter().take(EMPLOYEES_MAX) {
        let extension = Extension(extension);
        let Some(id) = employee_id(name.as_deref(), &extension) else {
            continue;
        };
        let id = free_id(&id, &extension, &taken);
        taken.insert(id.clone());
        proposed.push(ProposedEmployee {
            id,
            extension,
            name,
            known_as: None,
        });
    }
    proposed
}

/// Finds a person's name: FreePBX's, the caller id's, the queue's, the description.
fn name_of(
    device: &Device,
    extension: &Extension,
    findings: &Findings,
    rules: &ChannelRules,
) -> Option<String> {
    let of_user = findings.users.get(&extension.0).cloned();
    let of_queue = || {
        let direct = format!("{}/{}", device.technology.word(), device.name);
        let mut members = findings.queues.iter().flat_map(|queue| &queue.members);
        let member = members.find(|member| {
            member.interface == direct
                || rules.extension_of_local(&member.interface).as_ref() == Some(extension)
        });
        let name = member.and_then(|member| member.name.clone());
        // Asterisk shows the interface where a member has no name.
        name.filter(|name| !name.contains('/'))
    };
    of_user
        .filter(|name| is_a_name(name))
        .or_else(|| device.caller.name.clone())
        .or_else(|| of_queue().filter(|name| is_a_name(name)))
        .or_else(|| device.description.clone().filter(|text| is_a_name(text)))
}

/// Returns the context in which most phones begin.
fn dial_context(judged: &[Judged<'_>]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.role == Role::Extension) {
        if let Some(context) = &one.device.context {
            *counts.entry(context).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(context, _)| context.to_owned())
}
