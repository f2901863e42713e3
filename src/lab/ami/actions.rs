//! What each action is answered, as the transcripts in `tests/data/asterisk` show it.

use md5::{Digest, Md5};
use tokio::time::Instant;

use super::classes::{AmiUser, Classes};
use super::message::Message;
use super::script::{Requested, ScriptedCall};
use super::switch::Switch;

/// What the session does after the answer.
#[derive(Debug)]
pub(super) enum Next {
    /// Reads on.
    ReadOn,
    /// Closes the connection.
    Close,
    /// Waits the time of a refusal, says so and closes.
    Refuse(Message),
    /// Reads on, while the click-to-call plays.
    Originate(Box<(ScriptedCall, Requested)>),
    /// Reads on; the client has seen which channels live.
    Attached,
}

/// What stays the same for the life of the server.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) users: Vec<AmiUser>,
    pub(super) ami_version: &'static str,
    pub(super) asterisk_version: &'static str,
}

/// One action, its session and the moment.
pub(super) struct Request<'a> {
    pub(super) session: u64,
    pub(super) action: &'a Message,
    pub(super) now: Instant,
    pub(super) now_wall: std::time::Duration,
}

/// Where the answer's items carry the ActionID.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IdStands {
    First,
    Last,
}

/// Answers one action.
pub(super) fn answer(switch: &mut Switch, facts: &Facts, request: &Request<'_>) -> Next {
    let name = request
        .action
        .get_any_case("Action")
        .unwrap_or("")
        .to_owned();
    let lower = name.to_ascii_lowercase();
    let user = match switch.sessions.get(&request.session) {
        Some(session) => session.user.clone(),
        None => return Next::Close,
    };
    let Some(user) = user else {
        return match lower.as_str() {
            "challenge" => challenge(switch, request),
            "login" => login(switch, facts, request),
            "logoff" => logoff(switch, request),
            _ => error(switch, request, "Permission denied"),
        };
    };
    let Some(needed) = rights(&lower) else {
        return error(
            switch,
            request,
            &format!(
                "Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
            ),
        );
    };
    if needed != Classes::NONE && !user.write.meets(needed) {
        return error(switch, request, "Permission denied");
    }
    match lower.as_str() {
        "login" => error(switch, request, "Already logged in"),
        "challenge" => challenge(switch, request),
        "logoff" => logoff(switch, request),
        "ping" => {
            let stamp = format!(
                "{}.{:06}",
                request.now_wall.as_secs(),
                request.now_wall.subsec_micros()
            );
            success(switch, request, |m| {
                m.with("Ping", "Pong").with("Timestamp", stamp)
            })
        }
        "events" => events(switch, request),
        "filter" => filter(switch, request),
        "coresettings" => core_settings(switch, facts, request),
        "corestatus" => core_status(switch, request),
        "coreshowchannels" => {
            let items = switch.living.core_show_channels(request.now);
            let list = List::new("Channels will follow", "CoreShowChannelsComplete", items);
            list.send(switch, request);
            Next::Attached
        }
        "status" => status(switch, request),
        "bridgelist" => {
            let items = switch.living.bridge_list();
            List::new("Bridge listing will follow", "BridgeListComplete", items)
                .send(switch, request);
            Next::ReadOn
        }
        "bridgeinfo" => bridge_info(switch, request),
        "getvar" => getvar(switch, request),
        "dbput" => db_put(switch, request),
        "dbget" => db_get(switch, request),
        "dbdel" => db_del(switch, request),
        "originate" => originate(switch, request),
        _ => error(switch, request, "Permission denied"),
    }
}

/// Returns the classes of which one must be in the user's `write`; none needed is the empty set,
/// and an action that is not known here is `None`. From `ListCommands` in `ami-lists.transcript`.
fn rights(action: &str) -> Option<Classes> {
    let list = match action {
        "login" | "challenge" | "logoff" | "ping" | "events" | "bridgelist" | "bridgeinfo" => "",
        "filter" | "dbput" | "dbdel" => "system",
        "coresettings" | "corestatus" | "coreshowchannels" | "dbget" => "system,reporting",
        "status" => "system,call,reporting",
        "getvar" => "call,reporting",
        "originate" => "originate",
        _ => return None,
    };
    Some(Classes::parse(list))
}

fn header<'a>(request: &'a Request<'_>, name: &str) -> &'a str {
    request.action.get_any_case(name).unwrap_or("").trim()
}

fn success(switch: &Switch, request: &Request<'_>, fill: impl FnOnce(Message) -> Message) -> Next {
    let message = fill(Message::response("Success").with_action_id(request.action));
    switch.answer(request.session, &message);
    Next::ReadOn
}

fn error(switch: &Switch, request: &Request<'_>, text: &str) -> Next {
    let message = Message::response("Error")
        .with_action_id(request.action)
        .with("Message", text);
    switch.answer(request.session, &message);
    Next::ReadOn
}

fn challenge(switch: &mut Switch, request: &Request<'_>) -> Next {
    if !header(request, "AuthType").eq_ignore_ascii_case("MD5") {
        return error(switch, request, "Must specify AuthType");
    }
    let mut random = [0_u8; 4];
    if getrandom::fill(&mut random).is_err() {
        return error(switch, request, "Unable to create challenge");
    }
    let challenge = (u32::from_le_bytes(random) & 0x7fff_ffff).to_string();
    if let Some(session) = switch.sessions.get_mut(&request.session) {
        session.challenge = Some(challenge.clone());
    }
    success(switch, request, |m| m.with("Challenge", challenge))
}

fn login(switch: &mut Switch, facts: &Facts, request: &Request<'_>) -> Next {
    let name = header(request, "Username");
    let challenge = switch
        .sessions
        .get_mut(&request.session)
        .and_then(|session| session.challenge.take());
    let user = facts.users.iter().find(|user| user.name == name);
    let right = user.is_some_and(|user| {
        if header(request, "AuthType").eq_ignore_ascii_case("MD5") {
            challenge.is_some_and(|challenge| {
                header(request, "Key").eq_ignore_ascii_case(&md5_hex(&challenge, &user.secret))
            })
        } else {
            header(request, "Secret") == user.secret
        }
    });
    let Some(user) = user.filter(|_| right) else {
        return Next::Refuse(
            Message::response("Error")
                .with_action_id(request.action)
                .with("Message", "Authentication failed"),
        );
    };
    success(switch, request, |m| {
        m.with("Message", "Authentication accepted")
    });
    if let Some(session) = switch.sessions.get_mut(&request.session) {
        session.user = Some(user.clone());
        session.mask = Classes::parse_mask(header(request, "Events"));
    }
    let uptime = switch.uptime_s(request.now).to_string();
    let booted = Message::event("FullyBooted")
        .with("Privilege", "system,all")
        .with("Uptime", &uptime)
        .with("LastReload", &uptime)
        .with("Status", "Fully Booted");
    switch.emit_to(request.session, &booted);
    switch.emit(&successful_auth(user, request), request.now);
    Next::ReadOn
}

fn md5_hex(challenge: &str, secret: &str) -> String {
    let digest = Md5::digest(format!("{challenge}{secret}").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn successful_auth(user: &AmiUser, request: &Request<'_>) -> Message {
    let second = i64::try_from(request.now_wall.as_secs()).unwrap_or(0);
    let at = jiff::Timestamp::from_second(second)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string())
        .unwrap_or_default();
    Message::event("SuccessfulAuth")
        .with("Privilege", "security,all")
        .with("EventTV", &at)
        .with("Severity", "Informational")
        .with("Service", "AMI")
        .with("EventVersion", "1")
        .with("AccountID", &user.name)
        .with("SessionID", format!("0x{:012x}", request.session))
        .with("UsingPassword", "0")
        .with("SessionTV", at)
}

fn logoff(switch: &Switch, request: &Request<'_>) -> Next {
    let message = Message::response("Goodbye")
        .with_action_id(request.action)
        .with("Message", "Thanks for all the fish.");
    switch.answer(request.session, &message);
    Next::Close
}

fn events(switch: &mut Switch, request: &Request<'_>) -> Next {
    let mask = Classes::parse_mask(header(request, "EventMask"));
    if let Some(session) = switch.sessions.get_mut(&request.session) {
        session.mask = mask;
    }
    let word = if mask == Classes::NONE { "Off" } else { "On" };
    success(switch, request, |m| m.with("Events", word))
}

fn filter(switch: &mut Switch, request: &Request<'_>) -> Next {
    if !header(request, "Operation").eq_ignore_ascii_case("Add") {
        return error(switch, request, "Unknown operation");
    }
    let text = header(request, "Filter");
    let understood = !text.is_empty()
        && switch
            .sessions
            .get_mut(&request.session)
            .is_some_and(|session| session.filter(text));
    if understood {
        success(switch, request, |m| m.with("Message", "Success"))
    } else {
        error(switch, request, "Filter did not compile")
    }
}

fn core_settings(switch: &Switch, facts: &Facts, request: &Request<'_>) -> Next {
    success(switch, request, |m| {
        m.with("AMIversion", facts.ami_version)
            .with("AsteriskVersion", facts.asterisk_version)
            .with("SystemName", "")
            .with("CoreMaxCalls", "0")
            .with("CoreMaxLoadAvg", "0.000000")
            .with("CoreRunUser", "")
            .with("CoreRunGroup", "")
            .with("CoreMaxFilehandles", "0")
            .with("CoreRealTimeEnabled", "No")
            .with("CoreCDRenabled", "Yes")
            .with("CoreHTTPenabled", "No")
            .with("SoundsSearchCustomDir", "No")
    })
}

fn core_status(switch: &Switch, request: &Request<'_>) -> Next {
    let boot = jiff::Timestamp::from_second(switch.boot_time_s()).unwrap_or_default();
    let (date, time) = (
        boot.strftime("%Y-%m-%d").to_string(),
        boot.strftime("%H:%M:%S").to_string(),
    );
    let (living, processed) = switch.living.counts();
    success(switch, request, |m| {
        m.with("CoreStartupDate", &date)
            .with("CoreStartupTime", &time)
            .with("CoreReloadDate", &date)
            .with("CoreReloadTime", &time)
            .with("CoreCurrentCalls", living.to_string())
            .with("CoreProcessedCalls", processed.to_string())
    })
}

/// An answer in parts: the announcement, the items, the end.
struct List {
    announcement: &'static str,
    end: &'static str,
    items: Vec<Message>,
    stands: IdStands,
    last: Message,
}

impl List {
    fn new(announcement: &'static str, end: &'static str, items: Vec<Message>) -> Self {
        Self {
            announcement,
            end,
            items,
            stands: IdStands::First,
            last: Message::default(),
        }
    }

    fn send(self, switch: &Switch, request: &Request<'_>) {
        success(switch, request, |m| {
            m.with("EventList", "start")
                .with("Message", self.announcement)
        });
        for item in &self.items {
            let item = match self.stands {
                IdStands::Last => item.clone().with_action_id(request.action),
                IdStands::First => {
                    let head = Message::event(item.event_name()).with_action_id(request.action);
                    let rest = item.fields().iter().skip(1);
                    rest.fold(head, |m, (name, value)| m.with(name, value))
                }
            };
            switch.answer(request.session, &item);
        }
        let end = Message::event(self.end)
            .with_action_id(request.action)
            .with("EventList", "Complete")
            .with("ListItems", self.items.len().to_string());
        let fields = self.last.fields().iter();
        let end = fields.fold(end, |m, (name, value)| m.with(name, value));
        switch.answer(request.session, &end);
    }
}

fn status(switch: &Switch, request: &Request<'_>) -> Next {
    let channel = header(request, "Channel");
    let only = (!channel.is_empty()).then_some(channel);
    if only.is_some_and(|name| !switch.living.lives(name)) {
        return error(switch, request, "No such channel");
    }
    let items = switch.living.status(only, request.now);
    let count = items.len().to_string();
    List {
        stands: IdStands::Last,
        last: Message::default().with("Items", count),
        ..List::new("Channel status will follow", "StatusComplete", items)
    }
    .send(switch, request);
    if only.is_none() {
        Next::Attached
    } else {
        Next::ReadOn
    }
}

fn bridge_info(switch: &Switch, request: &Request<'_>) -> Next {
    let id = header(request, "BridgeUniqueid");
    if id.is_empty() {
        return error(switch, request, "BridgeUniqueid must be provided");
    }
    let Some((items, last)) = switch.living.bridge_info(id) else {
        return error(
            switch,
            request,
            "Bridge specified by BridgeUniqueid not found",
        );
    };
    List {
        last,
        ..List::new(
            "Bridge channel listing will follow",
            "BridgeInfoComplete",
            items,
        )
    }
    .send(switch, request);
    Next::ReadOn
}

fn getvar(switch: &Switch, request: &Request<'_>) -> Next {
    let (channel, variable) = (header(request, "Channel"), header(request, "Variable"));
    if variable.is_empty() {
        return error(switch, request, "No variable specified");
    }
    let value = match channel {
        "" => String::new(),
        name => match switch.living.variable(name, variable) {
            Some(value) => value,
            None => return error(switch, request, "No such channel"),
        },
    };
    success(switch, request, |m| {
        m.with("Variable", variable).with("Value", value)
    })
}

fn db_key(request: &Request<'_>) -> Option<(String, String)> {
    let (family, key) = (header(request, "Family"), header(request, "Key"));
    (!family.is_empty() && !key.is_empty()).then(|| (family.to_owned(), key.to_owned()))
}

/// Entries that the small database takes: a guard against a client gone wild.
const DATABASE_ENTRIES_MAX: usize = 200_000;

fn db_put(switch: &mut Switch, request: &Request<'_>) -> Next {
    let Some(key) = db_key(request) else {
        return error(switch, request, "No family or key specified");
    };
    if switch.database.len() >= DATABASE_ENTRIES_MAX {
        return error(switch, request, "Failed to update entry");
    }
    switch
        .database
        .insert(key, header(request, "Val").to_owned());
    success(switch, request, |m| {
        m.with("Message", "Updated database successfully")
    })
}

fn db_get(switch: &Switch, request: &Request<'_>) -> Next {
    let Some((family, key)) = db_key(request) else {
        return error(switch, request, "No family or key specified");
    };
    let Some(value) = switch.database.get(&(family.clone(), key.clone())) else {
        return error(switch, request, "Database entry not found");
    };
    let item = Message::event("DBGetResponse")
        .with("Family", family)
        .with("Key", key)
        .with("Val", value);
    List {
        stands: IdStands::Last,
        ..List::new("Result will follow", "DBGetComplete", vec![item])
    }
    .send(switch, request);
    Next::ReadOn
}

fn db_del(switch: &mut Switch, request: &Request<'_>) -> Next {
    let Some(key) = db_key(request) else {
        return error(switch, request, "No family or key specified");
    };
    match switch.database.remove(&key) {
        Some(_) => success(switch, request, |m| {
            m.with("Message", "Key deleted successfully")
        }),
        None => error(switch, request, "Database entry not found"),
    }
}

fn originate(switch: &Switch, request: &Request<'_>) -> Next {
    let channel = header(request, "Channel");
    let client = header(request, "Exten");
    if channel.is_empty() {
        return error(switch, request, "Channel not specified");
    }
    let extension: String = channel
        .split_once('/')
        .map_or("", |(_, peer)| peer)
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    if extension.is_empty() {
        return error(switch, request, "Invalid channel");
    }
    if client.is_empty() || header(request, "Context").is_empty() {
        return error(switch, request, "Extension does not exist.");
    }
    let channel_id = header(request, "ChannelId");
    if switch.living.lives(channel_id) {
        return error(switch, request, "Uniqueness of channel ID violated");
    }
    if !header(request, "Async").eq_ignore_ascii_case("true") {
        // The real server would keep the session waiting until the phone is answered; a client of
        // ours never asks for that.
        return error(
            switch,
            request,
            "Originate failed: this simulator wants Async",
        );
    }
    let recorded = switch
        .originate
        .get(&extension)
        .map_or("originate_click_to_call", String::as_str);
    let call = ScriptedCall::of(recorded)
        .client(client)
        .agent("101", &extension);
    let requested = Requested {
        channel_id: (!channel_id.is_empty()).then(|| channel_id.to_owned()),
        action_id: request.action.get_any_case("ActionID").map(str::to_owned),
        variables: request
            .action
            .all_any_case("Variable")
            .map(str::to_owned)
            .collect(),
    };
    success(switch, request, |m| {
        m.with("Message", "Originate successfully queued")
    });
    Next::Originate(Box::new((call, requested)))
}
