//! What each action is answered, as the transcripts in `tests/data/asterisk` show it.

use tokio::time::Instant;

use super::classes::{AmiUser, Classes};
use super::database;
use super::endpoints::{self, Driver};
use super::lists;
use super::login;
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
            "challenge" => login::challenge(switch, request),
            "login" => login::login(switch, facts, request),
            "logoff" => login::logoff(switch, request),
            _ => error(switch, request, "Permission denied"),
        };
    };
    let known = rights(&lower).filter(|_| !switch.company.lacks(&lower));
    let Some(needed) = known else {
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
        "challenge" => login::challenge(switch, request),
        "logoff" => login::logoff(switch, request),
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
        "coresettings" => lists::core_settings(switch, facts, request),
        "corestatus" => lists::core_status(switch, request),
        "coreshowchannels" => lists::core_show_channels(switch, request),
        "status" => lists::status(switch, request),
        "bridgelist" => lists::bridge_list(switch, request),
        "bridgeinfo" => lists::bridge_info(switch, request),
        "getvar" => getvar(switch, request),
        "dbput" => database::put(switch, request),
        "dbget" => database::get(switch, request),
        "dbgettree" => database::get_tree(switch, request),
        "dbdel" => database::delete(switch, request),
        "originate" => originate(switch, request),
        "pjsipshowendpoints" => endpoints::pjsip_endpoints(switch, request),
        "pjsipshowendpoint" => endpoints::pjsip_endpoint(switch, request),
        "pjsipshowregistrationsoutbound" => endpoints::pjsip_registrations(switch, request),
        "sippeers" => endpoints::sip_peers(switch, request),
        "sipshowpeer" => endpoints::sip_peer(switch, request),
        "sipshowregistry" => endpoints::registry(switch, request, Driver::Sip),
        "iaxpeerlist" => endpoints::iax_peers(switch, request),
        "iaxregistry" => endpoints::registry(switch, request, Driver::Iax),
        "queuestatus" => endpoints::queue_status(switch, request),
        _ => error(switch, request, "Permission denied"),
    }
}

/// Returns the classes of which one must be in the user's `write`; none needed is the empty set,
/// and an action that is not known here is `None`. From `ListCommands` in `ami-lists.transcript`.
fn rights(action: &str) -> Option<Classes> {
    let list = match action {
        "login" | "challenge" | "logoff" | "ping" | "events" | "bridgelist" | "bridgeinfo"
        | "queuestatus" => "",
        "filter" | "dbput" | "dbdel" | "pjsipshowendpoints" | "pjsipshowendpoint" => "system",
        "coresettings"
        | "corestatus"
        | "coreshowchannels"
        | "dbget"
        | "dbgettree"
        | "pjsipshowregistrationsoutbound"
        | "sippeers"
        | "sipshowpeer"
        | "sipshowregistry"
        | "iaxpeerlist"
        | "iaxregistry" => "system,reporting",
        "status" => "system,call,reporting",
        "getvar" => "call,reporting",
        "originate" => "originate",
        _ => return None,
    };
    Some(Classes::parse(list))
}

pub(super) fn header<'a>(request: &'a Request<'_>, name: &str) -> &'a str {
    request.action.get_any_case(name).unwrap_or("").trim()
}

pub(super) fn success(
    switch: &Switch,
    request: &Request<'_>,
    fill: impl FnOnce(Message) -> Message,
) -> Next {
    let message = fill(Message::response("Success").with_action_id(request.action));
    switch.answer(request.session, &message);
    Next::ReadOn
}

pub(super) fn error(switch: &Switch, request: &Request<'_>, text: &str) -> Next {
    let message = Message::response("Error")
        .with_action_id(request.action)
        .with("Message", text);
    switch.answer(request.session, &message);
    Next::ReadOn
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
