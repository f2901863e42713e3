//! Asks a PBX what there is. Every question only lists; what the AMI user may not ask is gone
//! without, and said with the right that is missing (classes: `ListCommands` of Asterisk 16 and
//! 22).

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Device, Findings, Queue, Technology};
use super::wording::{Both, Limit};
use super::words::clean;
use crate::model::explanation::Language;
use crate::pbx::ListenerError;
use crate::pbx::asterisk::ami_codec::Action;
use crate::pbx::asterisk::ami_message::Message;
use crate::pbx::asterisk::answer::Answer;
use crate::pbx::asterisk::channels::{ChannelRules, Endpoint};
use crate::pbx::asterisk::connection::Connection;

/// Endpoints that are kept: a company of this size has fewer.
pub(super) const ENDPOINTS_MAX: usize = 2_000;

/// Endpoints whose details are asked, each by a question of its own.
const DETAILS_MAX: usize = 1_000;

/// Detailed answers that are in memory at one time; each has some 200 lines.
const DETAILS_AT_ONCE: usize = 32;

/// Queues that are kept, and members of one.
const QUEUES_MAX: usize = 300;
const MEMBERS_MAX: usize = 300;

/// FreePBX's users in its database (AstDB): family, and the key of the name below the extension.
const USERS: &str = "AMPUSER";
const USERS_NAME: &str = "cidname";

/// What a question is about, and the write classes of which one permits it.
#[derive(Clone, Copy)]
struct Topic {
    action: &'static str,
    what: Both,
    class: Both,
}

const SYSTEM: Both = Both {
    ru: "system",
    en: "system",
};
const SYSTEM_OR_REPORTING: Both = Both {
    ru: "system или reporting",
    en: "system or reporting",
};

const PJSIP: Topic = Topic {
    action: "PJSIPShowEndpoints",
    what: Both {
        ru: "телефоны и транки PJSIP",
        en: "the endpoints of PJSIP",
    },
    class: SYSTEM,
};
const PJSIP_DETAILS: Topic = Topic {
    action: "PJSIPShowEndpoint",
    what: Both {
        ru: "контексты и caller id телефонов и транков PJSIP",
        en: "contexts and caller ids of PJSIP's endpoints",
    },
    class: SYSTEM,
};
const PJSIP_REGISTRATIONS: Topic = Topic {
    action: "PJSIPShowRegistrationsOutbound",
    what: Both {
        ru: "где регистрируется PJSIP",
        en: "with whom PJSIP registers",
    },
    class: SYSTEM_OR_REPORTING,
};
const SIP: Topic = Topic {
    action: "SIPpeers",
    what: Both {
        ru: "телефоны и транки SIP",
        en: "the peers of SIP",
    },
    class: SYSTEM_OR_REPORTING,
};
const SIP_DETAILS: Topic = Topic {
    action: "SIPshowpeer",
    what: Both {
        ru: "контексты и caller id телефонов и транков SIP",
        en: "contexts and caller ids of SIP's peers",
    },
    class: SYSTEM_OR_REPORTING,
};
const SIP_REGISTRATIONS: Topic = Topic {
    action: "SIPshowregistry",
    what: Both {
        ru: "где регистрируется SIP",
        en: "with whom SIP registers",
    },
    class: SYSTEM_OR_REPORTING,
};
const IAX: Topic = Topic {
    action: "IAXpeerlist",
    what: Both {
        ru: "транки IAX",
        en: "the peers of IAX",
    },
    class: SYSTEM_OR_REPORTING,
};
const IAX_REGISTRATIONS: Topic = Topic {
    action: "IAXregistry",
    what: Both {
        ru: "где регистрируется IAX",
        en: "with whom IAX registers",
    },
    class: SYSTEM_OR_REPORTING,
};
const QUEUES: Topic = Topic {
    action: "QueueStatus",
    what: Both {
        ru: "очереди",
        en: "the queues",
    },
    class: SYSTEM_OR_REPORTING,
};
const DATABASE: Topic = Topic {
    action: "DBGet",
    what: Both {
        ru: "пользователей FreePBX",
        en: "FreePBX's users",
    },
    class: SYSTEM_OR_REPORTING,
};

/// Asks everything.
pub(super) async fn ask(
    connection: &mut Connection,
    banner: &str,
    rules: &ChannelRules,
    language: Language,
) -> Result<Findings, ListenerError> {
    let mut inquiry = Inquiry {
        connection,
        denied: BTreeMap::new(),
        findings: Findings {
            language,
            ..Findings::default()
        },
    };
    inquiry.findings.system = inquiry.system(banner).await?;
    inquiry.pjsip().await?;
    inquiry.sip().await?;
    inquiry.iax().await?;
    inquiry.users(rules).await?;
    let items = inquiry.list(QUEUES, Action::new(QUEUES.action)).await?;
    inquiry.findings.queues = Queue::read_all(&items, QUEUES_MAX, MEMBERS_MAX);
    if inquiry.findings.queues.len() >= QUEUES_MAX {
        inquiry.limit(&Limit::Queues(QUEUES_MAX));
    }
    Ok(inquiry.conclude())
}

struct Inquiry<'a> {
    connection: &'a mut Connection,
    /// What was refused, by the class that would permit it.
    denied: BTreeMap<&'static str, (Both, Vec<&'static str>)>,
    findings: Findings,
}

impl Inquiry<'_> {
    /// Notes a limit, once.
    fn limit(&mut self, limit: &Limit<'_>) {
        let text = limit.text(self.findings.language);
        if !self.findings.limits.contains(&text) {
            self.findings.limits.push(text);
        }
    }

    fn conclude(mut self) -> Findings {
        for (class, whats) in std::mem::take(&mut self.denied).into_values() {
            let what = whats.join(", ");
            self.limit(&Limit::Denied { what: &what, class });
        }
        self.findings
    }

    async fn system(&mut self, banner: &str) -> Result<String, ListenerError> {
        let answer = self.connection.ask(Action::new("CoreSettings")).await?;
        let version = match &answer {
            Answer::Done { response, .. } => response.value("AsteriskVersion"),
            Answer::Refused(_) => None,
        };
        Ok(match version {
            Some(version) => format!("Asterisk {}", clean(version)),
            None => clean(banner),
        })
    }

    /// Notes why a question was not answered. A module that is not loaded, and "No … found" are
    /// answers too.
    fn refused(&mut self, topic: Topic, message: &str) {
        let message = message.trim();
        let begins = |word: &str| {
            let head = message.get(..word.len()).unwrap_or_default();
            head.eq_ignore_ascii_case(word)
        };
        if begins("permission denied") {
            let what = topic.what.text(self.findings.language);
            let entry = self.denied.entry(topic.class.en);
            let (_, whats) = entry.or_insert_with(|| (topic.class, Vec::new()));
            if !whats.contains(&what) {
                whats.push(what);
            }
        } else if !begins("invalid/unknown command") && !begins("no ") {
            self.limit(&Limit::NotListed {
                what: topic.what.text(self.findings.language),
                message: &clean(message),
            });
        }
    }

    async fn list(&mut self, topic: Topic, action: Action) -> Result<Vec<Message>, ListenerError> {
        match self.connection.ask(action).await? {
            Answer::Done { items, .. } => Ok(items),
            Answer::Refused(message) => {
                self.refused(topic, &message);
                Ok(Vec::new())
            }
        }
    }

    /// Adds devices up to the bound; returns where they begin.
    fn add(&mut self, mut devices: Vec<Device>) -> usize {
        let begin = self.findings.devices.len();
        let room = ENDPOINTS_MAX.saturating_sub(begin);
        if devices.len() > room {
            devices.truncate(room);
            self.limit(&Limit::Endpoints(ENDPOINTS_MAX));
        }
        // The PBX lists them in any order; two looks shall tell the same.
        devices.sort_by(|a, b| a.name.cmp(&b.name));
        self.findings.devices.append(&mut devices);
        begin
    }

    /// Asks about each device from a place on; `learn` reads the answer.
    async fn details(
        &mut self,
        begin: usize,
        topic: Topic,
        header: &str,
        learn: impl Fn(&mut Device, &Message, &[Message]),
    ) -> Result<(), ListenerError> {
        let end = self.findings.devices.len().min(DETAILS_MAX);
        if self.findings.devices.len() > DETAILS_MAX {
            self.limit(&Limit::Details(DETAILS_MAX));
        }
        let mut at = begin;
        while at < end {
            let until = end.min(at + DETAILS_AT_ONCE);
            let some = self.findings.devices.get(at..until).unwrap_or_default();
            let actions = some
                .iter()
                .map(|device| Action::new(topic.action).with(header, device.name.as_str()))
                .collect();
            let answers = self.connection.ask_all(actions).await?;
            for (offset, answer) in answers.into_iter().enumerate() {
                match answer {
                    Answer::Done { response, items } => {
                        if let Some(device) = self.findings.devices.get_mut(at + offset) {
                            learn(device, &response, &items);
                        }
                    }
                    // One that went since the list is no loss.
                    Answer::Refused(message) if message.starts_with("Unable to retrieve") => {}
                    Answer::Refused(message) => self.refused(topic, &message),
                }
            }
            at = until;
        }
        Ok(())
    }

    async fn pjsip(&mut self) -> Result<(), ListenerError> {
        let items = self.list(PJSIP, Action::new(PJSIP.action)).await?;
        let listed = items
            .iter()
            .filter(|item| item.event() == Some("EndpointList"));
        let begin = self.add(listed.filter_map(Device::of_endpoint_list).collect());
        self.details(begin, PJSIP_DETAILS, "Endpoint", |device, _, items| {
            device.learn_from_details(items);
        })
        .await?;
        let topic = PJSIP_REGISTRATIONS;
        let items = self.list(topic, Action::new(topic.action)).await?;
        let registrations = items
            .iter()
            .filter(|item| item.event() == Some("OutboundRegistrationDetail"));
        for item in registrations {
            let devices = self.findings.devices.iter_mut().skip(begin);
            devices.for_each(|device| device.learn_from_registration(item));
        }
        Ok(())
    }

    async fn sip(&mut self) -> Result<(), ListenerError> {
        let begin = self.peers(SIP, Technology::Sip).await?;
        self.details(begin, SIP_DETAILS, "Peer", |device, response, _| {
            device.learn_from_peer(response);
        })
        .await?;
        self.registry(begin, SIP_REGISTRATIONS).await
    }

    async fn iax(&mut self) -> Result<(), ListenerError> {
        let begin = self.peers(IAX, Technology::Iax2).await?;
        self.registry(begin, IAX_REGISTRATIONS).await
    }

    async fn peers(
        &mut self,
        topic: Topic,
        technology: Technology,
    ) -> Result<usize, ListenerError> {
        let items = self.list(topic, Action::new(topic.action)).await?;
        let peers = items
            .iter()
            .filter(|item| item.event() == Some("PeerEntry"));
        let devices = peers.filter_map(|item| Device::of_peer_list(technology, item));
        Ok(self.add(devices.collect()))
    }

    async fn registry(&mut self, begin: usize, topic: Topic) -> Result<(), ListenerError> {
        let items = self.list(topic, Action::new(topic.action)).await?;
        for item in items
            .iter()
            .filter(|item| item.event() == Some("RegistryEntry"))
        {
            let devices = self.findings.devices.iter_mut().skip(begin);
            devices.for_each(|device| device.learn_from_registry(item));
        }
        Ok(())
    }

    /// Asks FreePBX's database for the people behind what may be extensions. One key each: the
    /// whole family has some thirty rows for every person.
    async fn users(&mut self, rules: &ChannelRules) -> Result<(), ListenerError> {
        let read = |device: &Device| match rules.classify(&device.channel(), None) {
            Endpoint::Extension(extension) => Some(extension.0),
            _ => None,
        };
        let candidates: BTreeSet<String> = self.findings.devices.iter().filter_map(read).collect();
        let candidates: Vec<String> = candidates.into_iter().take(DETAILS_MAX).collect();
        for some in candidates.chunks(DETAILS_AT_ONCE) {
            let question = |extension: &String| {
                Action::new(DATABASE.action)
                    .with("Family", USERS)
                    .with("Key", format!("{extension}/{USERS_NAME}"))
            };
            let answers = self
                .connection
                .ask_all(some.iter().map(question).collect())
                .await?;
            for (extension, answer) in some.iter().zip(answers) {
                match answer {
                    Answer::Done { items, .. } => {
                        if let Some(name) = items.iter().find_map(|item| item.get("Val")) {
                            let users = &mut self.findings.users;
                            users.insert(extension.clone(), clean(name));
                        }
                    }
                    Answer::Refused(message) if message.contains("not found") => {}
                    Answer::Refused(message) => self.refused(DATABASE, &message),
                }
            }
            // Nobody among so many: this is no FreePBX.
            if self.findings.users.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }
}
