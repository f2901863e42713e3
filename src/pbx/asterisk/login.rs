//! Logs in, by challenge or with the password itself.
//!
//! ```text
//! Challenge --known--> Login with Key
//!     \--unknown--> over TLS: Login with Secret; without TLS: refused, the password stays here
//! ```

use md5::{Digest, Md5};

use super::ami_codec::Action;
use super::answer::Answer;
use super::connection::Connection;
use super::settings::{AsteriskSettings, LoginMethod};
use crate::pbx::ListenerError;

/// Logs in and subscribes to the wanted event classes.
pub(super) async fn log_in(
    connection: &mut Connection,
    settings: &AsteriskSettings,
) -> Result<(), ListenerError> {
    let challenge = match settings.login {
        LoginMethod::Md5 => challenge(connection, settings).await?,
        LoginMethod::Plain => None,
    };
    let login = Action::new("Login")
        .with("Username", settings.username.as_str())
        .with("Events", settings.events.join(","));
    let secret = settings.secret.expose();
    let login = match challenge {
        Some(challenge) => login
            .with("AuthType", "MD5")
            .with("Key", key(&challenge, secret)),
        None => login.with("Secret", secret),
    };
    match connection.ask(login).await? {
        Answer::Done { .. } => Ok(()),
        Answer::Refused(message) => Err(refused(&message, settings)),
    }
}

/// Asks for a challenge; `None` means that the password itself may be sent instead.
async fn challenge(
    connection: &mut Connection,
    settings: &AsteriskSettings,
) -> Result<Option<String>, ListenerError> {
    let action = Action::new("Challenge").with("AuthType", "MD5");
    let message = match connection.ask(action).await? {
        Answer::Done { response, .. } => match response.get("Challenge") {
            Some(challenge) => return Ok(Some(challenge.to_owned())),
            None => "the answer holds no challenge".to_owned(),
        },
        Answer::Refused(message) => message,
    };
    if settings.tls.is_some() {
        return Ok(None);
    }
    Err(ListenerError::Refused(format!(
        "the PBX offers no MD5 challenge ({message}), and without TLS the password would cross \
         the network readable: set up tls, or permit it with login = \"plain\""
    )))
}

/// The proof of the secret (`pbx/asterisk.md` §1): MD5 of challenge and secret, in hex.
fn key(challenge: &str, secret: &str) -> String {
    let digest = Md5::new()
        .chain_update(challenge)
        .chain_update(secret)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(message: &str, settings: &AsteriskSettings) -> ListenerError {
    let user = &settings.username;
    let says = |word: &str| message.to_ascii_lowercase().contains(word);
    if says("already in use") {
        // Our own former session may not have been noticed as dead yet: it passes.
        return ListenerError::Connection(format!(
            "log in as {user}: the PBX says that this user is logged in already; give the daemon \
             a user of its own, or permit allowmultiplelogin in manager.conf"
        ));
    }
    if says("authentication failed") {
        // Asterisk gives one answer for both causes.
        return ListenerError::Refused(format!(
            "log in as {user}: the PBX refused it. Either user or secret is wrong, or our address \
             is not permitted for this user (permit and deny in manager.conf, then `manager \
             reload`)"
        ));
    }
    ListenerError::Refused(format!("log in as {user}: the PBX refused it: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_one_of_the_recorded_login() {
        // tests/data/asterisk/ami-login-md5.transcript
        let expected = "5f8da1b47f3f2e7af9d045e0bcccfe1e";
        assert_eq!(key("781837138", "loopback-only"), expected);
    }
}
