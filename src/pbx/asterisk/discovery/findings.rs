//! What a PBX told about itself, as far as it matters here.

use std::collections::BTreeMap;

use super::caller_id::CallerId;
use super::words::{clean, cleaned};
use crate::model::explanation::Language;
use crate::pbx::asterisk::ami_message::Message;

/// How an endpoint is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Technology {
    Pjsip,
    Sip,
    Iax2,
}

impl Technology {
    /// What its channels' names begin with.
    pub(super) fn word(self) -> &'static str {
        match self {
            Technology::Pjsip => "PJSIP",
            Technology::Sip => "SIP",
            Technology::Iax2 => "IAX2",
        }
    }
}

/// Everything that was told.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// In which language people are told.
    pub(super) language: Language,
    pub(super) system: String,
    pub(super) devices: Vec<Device>,
    pub(super) queues: Vec<Queue>,
    /// FreePBX's users: extension and name; the name may be empty.
    pub(super) users: BTreeMap<String, String>,
    /// What could not be seen, and what to grant for it.
    pub(super) limits: Vec<String>,
}

/// A phone or a trunk, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) technology: Technology,
    /// Its name as it came: a pattern of the settings must fit it.
    pub(super) name: String,
    pub(super) context: Option<String>,
    pub(super) caller: CallerId,
    pub(super) description: Option<String>,
    /// Names of what it logs in with elsewhere (PJSIP).
    pub(super) outbound_auth: Option<String>,
    /// The host that it is reached at, where that is fixed.
    pub(super) host: Option<String>,
    /// The name that it logs in with elsewhere (IAX).
    pub(super) username: Option<String>,
    /// The PBX registers with somebody by it.
    pub(super) registers_elsewhere: bool,
    /// Its calls are recognised by the address that they come from.
    pub(super) by_address: bool,
    /// `Some(true)`: its address stands in the configuration; `Some(false)`: it registers itself.
    pub(super) fixed_address: Option<bool>,
    pub(super) reachable: Option<bool>,
}

/// A queue and what its members are dialled by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) members: Vec<Member>,
}

/// A member of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// `PJSIP/101`, `Local/101@from-queue/n`.
    pub(super) interface: String,
    pub(super) name: Option<String>,
}

impl Device {
    pub(super) fn new(technology: Technology, name: &str) -> Self {
        Self {
            technology,
            name: name.to_owned(),
            context: None,
            caller: CallerId::default(),
            description: None,
            outbound_auth: None,
            host: None,
            username: None,
            registers_elsewhere: false,
            by_address: false,
            fixed_address: None,
            reachable: None,
        }
    }

    /// A name for a channel of it, as the rules of channels read them.
    pub(super) fn channel(&self) -> String {
        format!("{}/{}-00000000", self.technology.word(), self.name)
    }

    /// Reads an item of PJSIPShowEndpoints.
    pub(super) fn of_endpoint_list(item: &Message) -> Option<Self> {
        let mut device = Self::new(Technology::Pjsip, item.value("ObjectName")?);
        device.outbound_auth = item.value("OutboundAuths").map(str::to_owned);
        device.reachable = item
            .value("DeviceState")
            .map(|state| !matches!(state, "Unavailable" | "Invalid" | "Unknown"));
        Some(device)
    }

    /// Reads an item of SIPpeers or IAXpeerlist.
    pub(super) fn of_peer_list(technology: Technology, item: &Message) -> Option<Self> {
        let mut device = Self::new(technology, item.value("ObjectName")?);
        let address = item.value("IPaddress").filter(|text| is_address(text));
        let dynamic = item.value("Dynamic").map(is_yes);
        device.fixed_address = dynamic.map(|dynamic| !dynamic);
        device.reachable = match item.value("Status") {
            Some(status) if status.starts_with("UNREACHABLE") => Some(false),
            _ => Some(address.is_some()),
        };
        device.host = address
            .filter(|_| dynamic == Some(false))
            .map(str::to_owned);
        device.username = item.value("ObjectUsername").map(str::to_owned);
        device.description = cleaned(item.value("Description"));
        Some(device)
    }

    /// Learns from the answer to PJSIPShowEndpoint. The passwords in it stay there.
    pub(super) fn learn_from_details(&mut self, items: &[Message]) {
        for item in items {
            match item.event() {
                Some("EndpointDetail") => {
                    self.context = cleaned(item.value("Context"));
                    self.caller = item
                        .value("Callerid")
                        .map(CallerId::read)
                        .unwrap_or_default();
                    if let Some(auth) = item.value("OutboundAuth") {
                        self.outbound_auth = Some(auth.to_owned());
                    }
                }
                Some("AorDetail") => self.learn_from_aor(item),
                Some("IdentifyDetail") => self.by_address = true,
                _ => {}
            }
        }
    }

    fn learn_from_aor(&mut self, item: &Message) {
        let number = |name: &str| item.value(name).and_then(|text| text.parse::<u32>().ok());
        let (max, total, registered) = (
            number("MaxContacts"),
            number("TotalContacts"),
            number("ContactsRegistered"),
        );
        // Contacts beyond the registered ones stand in the configuration.
        let fixed = total.unwrap_or(0) > registered.unwrap_or(0);
        if fixed {
            self.fixed_address = Some(true);
        } else if max.is_some_and(|max| max > 0) && self.fixed_address.is_none() {
            self.fixed_address = Some(false);
        }
    }

    /// Learns from the answer to SIPshowpeer.
    pub(super) fn learn_from_peer(&mut self, answer: &Message) {
        self.context = cleaned(answer.value("Context"));
        self.caller = answer
            .value("Callerid")
            .map(CallerId::read)
            .unwrap_or_default();
        let host = answer.value("ToHost").map(str::to_owned);
        self.host = host.or(self.host.take());
        if let Some(description) = cleaned(answer.value("Description")) {
            self.description = Some(description);
        }
    }

    /// Learns from an item of PJSIPShowRegistrationsOutbound whether it is about this endpoint:
    /// it is named, or it has the name of the registration, or the same login.
    pub(super) fn learn_from_registration(&mut self, item: &Message) {
        let of_ours = match item.value("Endpoint") {
            Some(endpoint) => endpoint == self.name,
            None => {
                let auth = item.value("OutboundAuth");
                item.value("ObjectName") == Some(self.name.as_str())
                    || (auth.is_some() && auth == self.outbound_auth.as_deref())
            }
        };
        self.registers_elsewhere |= of_ours;
    }

    /// Learns from an item of SIPshowregistry or IAXregistry whether the PBX registers there.
    pub(super) fn learn_from_registry(&mut self, item: &Message) {
        let host = item.value("Host").map(without_port);
        let at_host = host.is_some() && host == self.host.as_deref().map(without_port);
        let name = item.value("Username");
        let by_name = name.is_some()
            && self.fixed_address == Some(true)
            && (name == self.username.as_deref() || name == Some(self.name.as_str()));
        self.registers_elsewhere |= at_host || by_name;
    }
}

impl Queue {
    /// Reads the items of QueueStatus; at most so many queues and members of one are kept.
    pub(super) fn read_all(items: &[Message], queues_max: usize, members_max: usize) -> Vec<Self> {
        let mut queues: Vec<Self> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for item in items {
            let Some(name) = item.value("Queue") else {
                continue;
            };
            let place = match places.get(name) {
                Some(place) => *place,
                None if queues.len() >= queues_max => continue,
                None => {
                    places.insert(name.to_owned(), queues.len());
                    queues.push(Self {
                        name: clean(name),
                        members: Vec::new(),
                    });
                    queues.len() - 1
                }
            };
            let (Some(queue), Some("QueueMember")) = (queues.get_mut(place), item.event()) else {
                continue;
            };
            if let Some(interface) = item.value("Location").or(item.value("Interface"))
                && queue.members.len() < members_max
            {
                queue.members.push(Member {
                    interface: interface.to_owned(),
                    name: cleaned(item.value("Name").or(item.value("MemberName"))),
                });
            }
        }
        queues
    }
}

fn is_yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("yes") || text.eq_ignore_ascii_case("y")
}

fn is_address(text: &str) -> bool {
    !matches!(text, "-none-" | "(null)" | "(Unspecified)" | "0.0.0.0")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => {
            name
        }
        _ => host,
    }
}
