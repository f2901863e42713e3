//! Logging in, in plain text or by challenge and MD5, and logging off.

use md5::{Digest, Md5};

use super::actions::{Facts, Next, Request, error, header, success};
use super::classes::{AmiUser, Classes};
use super::message::Message;
use super::switch::Switch;

pub(super) fn challenge(switch: &mut Switch, request: &Request<'_>) -> Next {
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

pub(super) fn login(switch: &mut Switch, facts: &Facts, request: &Request<'_>) -> Next {
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

pub(super) fn logoff(switch: &Switch, request: &Request<'_>) -> Next {
    let message = Message::response("Goodbye")
        .with_action_id(request.action)
        .with("Message", "Thanks for all the fish.");
    switch.answer(request.session, &message);
    Next::Close
}
