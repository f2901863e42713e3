//! What the simulated Asterisk has configured, and how it lists it: endpoints of PJSIP, peers of
//! SIP and IAX, registrations with providers, queues. Answers are those of Asterisk 16.28 and
//! 22.10, recorded from runs of them.

use super::actions::{Next, Request, error, header, success};
use super::lists::List;
use super::message::Message;
use super::switch::Switch;

/// The password of every endpoint; nobody but the switch should ever show it.
pub const SIP_PASSWORD: &str = "sip-password-of-the-lab";

/// The provider's address of everything that does not register itself.
const PROVIDER: &str = "192.0.2.77";

/// How something is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// chan_pjsip.
    Pjsip,
    /// chan_sip, which Asterisk 21 and later do not have.
    Sip,
    /// chan_iax2.
    Iax,
}

/// A phone or a trunk as it is configured.
#[derive(Debug, Clone)]
pub struct AmiEndpoint {
    /// How it is connected.
    pub driver: Driver,
    /// Its name.
    pub name: String,
    /// Where its calls begin.
    pub context: String,
    /// `"Anna" <101>`, or nothing.
    pub caller_id: String,
    /// It registers itself; else its address is fixed.
    pub dynamic: bool,
    /// The switch has a login at the other end and registers there.
    pub registers: bool,
}

impl AmiEndpoint {
    /// A phone of PJSIP that registers itself.
    pub fn phone(extension: &str, name: &str) -> Self {
        Self {
            driver: Driver::Pjsip,
            name: extension.to_owned(),
            context: "from-internal".to_owned(),
            caller_id: format!("\"{name}\" <{extension}>"),
            dynamic: true,
            registers: false,
        }
    }

    /// A provider's line of PJSIP at a fixed address.
    pub fn trunk(name: &str) -> Self {
        Self {
            driver: Driver::Pjsip,
            name: name.to_owned(),
            context: "from-trunk".to_owned(),
            caller_id: String::new(),
            dynamic: false,
            registers: false,
        }
    }

    fn state(&self) -> &'static str {
        if self.dynamic {
            "Unavailable"
        } else {
            "Not in use"
        }
    }
}

/// A queue: its name, and what its members are dialled by.
#[derive(Debug, Clone)]
pub struct AmiQueue {
    /// Its name.
    pub name: String,
    /// Interface and name of each member.
    pub members: Vec<(String, String)>,
}

/// Everything that is configured.
#[derive(Debug, Clone, Default)]
pub struct AmiCompany {
    /// Phones and trunks.
    pub endpoints: Vec<AmiEndpoint>,
    /// Queues.
    pub queues: Vec<AmiQueue>,
    /// Drivers that are not loaded: their actions are unknown.
    pub not_loaded: Vec<Driver>,
}

impl AmiCompany {
    /// The office of the recordings: three phones, a provider, two queues.
    pub fn office() -> Self {
        let member = |interface: &str, name: &str| (interface.to_owned(), name.to_owned());
        let queue = |name: &str, members: Vec<(String, String)>| AmiQueue {
            name: name.to_owned(),
            members,
        };
        Self {
            endpoints: vec![
                AmiEndpoint::phone("101", "Anna"),
                AmiEndpoint::phone("102", "Boris"),
                AmiEndpoint::phone("103", "Vera"),
                AmiEndpoint::trunk("trunk"),
            ],
            queues: vec![
                queue(
                    "support",
                    vec![member("PJSIP/101", "Anna"), member("PJSIP/102", "Boris")],
                ),
                queue("sales", vec![member("Local/103@from-queue/n", "Vera")]),
            ],
            not_loaded: vec![Driver::Sip, Driver::Iax],
        }
    }

    fn of(&self, driver: Driver) -> impl Iterator<Item = &AmiEndpoint> {
        self.endpoints
            .iter()
            .filter(move |one| one.driver == driver)
    }

    /// Says whether an action's module is not loaded, so that the switch does not know it.
    pub(super) fn lacks(&self, action: &str) -> bool {
        let driver = match action {
            name if name.starts_with("pjsipshow") => Driver::Pjsip,
            name if name.starts_with("sip") => Driver::Sip,
            name if name.starts_with("iax") => Driver::Iax,
            _ => return false,
        };
        self.not_loaded.contains(&driver)
    }
}

pub(super) fn pjsip_endpoints(switch: &Switch, request: &Request<'_>) -> Next {
    let items: Vec<Message> = switch
        .company
        .of(Driver::Pjsip)
        .map(endpoint_item)
        .collect();
    if items.is_empty() {
        return error(switch, request, "No endpoints found");
    }
    let announcement = "A listing of Endpoints follows, presented as EndpointList events";
    List::new(announcement, "EndpointListComplete", items).send(switch, request);
    Next::ReadOn
}

fn endpoint_item(one: &AmiEndpoint) -> Message {
    let name = one.name.as_str();
    let contact = format!("{name}/sip:{PROVIDER}:5060,");
    Message::event("EndpointList")
        .with("ObjectType", "endpoint")
        .with("ObjectName", name)
        .with("Transport", "")
        .with("Aor", name)
        .with("Auths", if one.dynamic { name } else { "" })
        .with("OutboundAuths", if one.registers { name } else { "" })
        .with("Contacts", if one.dynamic { "" } else { &contact })
        .with("DeviceState", one.state())
        .with("ActiveChannels", "0")
}

pub(super) fn pjsip_endpoint(switch: &Switch, request: &Request<'_>) -> Next {
    let name = header(request, "Endpoint");
    let mut endpoints = switch.company.of(Driver::Pjsip);
    let Some(one) = endpoints.find(|one| one.name == name) else {
        return error(
            switch,
            request,
            &format!("Unable to retrieve endpoint {name}"),
        );
    };
    let caller_id = match one.caller_id.as_str() {
        "" => "<unknown>",
        text => text,
    };
    let detail = Message::event("EndpointDetail")
        .with("ObjectType", "endpoint")
        .with("ObjectName", name)
        .with("IdentifyBy", "username,ip")
        .with("Context", &one.context)
        .with("Callerid", caller_id)
        .with("Aors", name)
        .with("OutboundAuth", if one.registers { name } else { "" })
        .with("DeviceState", one.state())
        .with("ActiveChannels", "0");
    let (max, total) = if one.dynamic { ("1", "0") } else { ("0", "1") };
    let place = Message::event("AorDetail")
        .with("ObjectType", "aor")
        .with("ObjectName", name)
        .with("MaxContacts", max)
        .with("TotalContacts", total)
        .with("ContactsRegistered", "0")
        .with("EndpointName", name);
    let mut items = vec![detail, auth_detail(name), place];
    if !one.dynamic && !one.registers {
        let identify = Message::event("IdentifyDetail")
            .with("ObjectType", "identify")
            .with("ObjectName", name)
            .with("Match", format!("{PROVIDER}/255.255.255.255"))
            .with("Endpoint", name)
            .with("EndpointName", name);
        items.push(identify);
    }
    let announcement = "Following are Events for each object associated with the Endpoint";
    List::new(announcement, "EndpointDetailComplete", items).send(switch, request);
    Next::ReadOn
}

/// The real server tells the passwords to whoever may list endpoints.
fn auth_detail(name: &str) -> Message {
    Message::event("AuthDetail")
        .with("ObjectType", "auth")
        .with("ObjectName", name)
        .with("Username", name)
        .with("AuthType", "userpass")
        .with("Password", SIP_PASSWORD)
        .with("EndpointName", name)
}

pub(super) fn pjsip_registrations(switch: &Switch, request: &Request<'_>) -> Next {
    let registers = switch.company.of(Driver::Pjsip).filter(|one| one.registers);
    let both = registers.flat_map(|one| {
        let detail = Message::event("OutboundRegistrationDetail")
            .with("ObjectType", "registration")
            .with("ObjectName", format!("{}-reg", one.name))
            .with("ServerUri", format!("sip:{PROVIDER}"))
            .with("Endpoint", &one.name)
            .with("OutboundAuth", &one.name)
            .with("Status", "Registered")
            .with("NextReg", "3000");
        [detail, auth_detail(&one.name)]
    });
    let items: Vec<Message> = both.collect();
    if items.is_empty() {
        return error(switch, request, "No outbound registrations found");
    }
    let announcement = "Following are Events for each Outbound registration";
    List::new(announcement, "OutboundRegistrationDetailComplete", items).send(switch, request);
    Next::ReadOn
}

pub(super) fn sip_peers(switch: &Switch, request: &Request<'_>) -> Next {
    let item = |one: &AmiEndpoint| peer("SIP", one, "-none-").with("Description", "");
    let items = switch.company.of(Driver::Sip).map(item).collect();
    List::new("Peer status list will follow", "PeerlistComplete", items).send(switch, request);
    Next::ReadOn
}

pub(super) fn iax_peers(switch: &Switch, request: &Request<'_>) -> Next {
    let item = |one: &AmiEndpoint| peer("IAX", one, "(null)").with("Trunk", "no");
    let items = switch.company.of(Driver::Iax).map(item).collect();
    let announcement = "IAX Peer status list will follow";
    List::new(announcement, "PeerlistComplete", items).send(switch, request);
    Next::ReadOn
}

fn peer(driver: &str, one: &AmiEndpoint, nowhere: &str) -> Message {
    Message::event("PeerEntry")
        .with("Channeltype", driver)
        .with("ObjectName", &one.name)
        .with("ChanObjectType", "peer")
        .with("IPaddress", if one.dynamic { nowhere } else { PROVIDER })
        .with("Dynamic", if one.dynamic { "yes" } else { "no" })
        .with("Status", "Unmonitored")
}

pub(super) fn sip_peer(switch: &Switch, request: &Request<'_>) -> Next {
    let name = header(request, "Peer");
    let mut peers = switch.company.of(Driver::Sip);
    let Some(one) = peers.find(|one| one.name == name) else {
        return error(switch, request, &format!("Peer {name} not found."));
    };
    success(switch, request, |m| {
        m.with("Channeltype", "SIP")
            .with("ObjectName", name)
            .with("SecretExist", "Y")
            .with("Context", &one.context)
            .with("Dynamic", if one.dynamic { "Y" } else { "N" })
            .with("Callerid", &one.caller_id)
            .with("ToHost", if one.dynamic { "" } else { PROVIDER })
            .with("Status", "Unmonitored")
            .with("Description", "")
    })
}

pub(super) fn registry(switch: &Switch, request: &Request<'_>, driver: Driver) -> Next {
    let registers = switch.company.of(driver).filter(|one| one.registers);
    let item = |one: &AmiEndpoint| {
        Message::event("RegistryEntry")
            .with("Host", PROVIDER)
            .with("Port", "5060")
            .with("Username", &one.name)
            .with("State", "Registered")
    };
    let items = registers.map(item).collect();
    List::new("Registrations will follow", "RegistrationsComplete", items).send(switch, request);
    Next::ReadOn
}

pub(super) fn queue_status(switch: &Switch, request: &Request<'_>) -> Next {
    let mut items = Vec::new();
    for queue in &switch.company.queues {
        let params = Message::event("QueueParams")
            .with("Queue", &queue.name)
            .with("Max", "0")
            .with("Strategy", "ringall")
            .with("Calls", "0");
        items.push(params);
        items.extend(queue.members.iter().map(|(interface, name)| {
            Message::event("QueueMember")
                .with("Queue", &queue.name)
                .with("Name", name)
                .with("Location", interface)
                .with("StateInterface", interface)
                .with("Membership", "static")
                .with("Status", "5")
        }));
    }
    let announcement = "Queue status will follow";
    List::new(announcement, "QueueStatusComplete", items).send(switch, request);
    Next::ReadOn
}
