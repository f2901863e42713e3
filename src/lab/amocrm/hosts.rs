//! The hosts that one simulated account answers at. An address of the form `/@HOST/…` names the
//! host that is meant; an address that names none stands for whatever host the account has.

use super::auth::API_DOMAIN;
use super::exchange::{Incoming, Reply};
use super::handle::AmoHandle;
use super::options::RenamedHost;
use super::world::World;

/// Splits a path into the host that it names and the rest.
pub(super) fn split(path: &str) -> (Option<String>, String) {
    let named = path.strip_prefix("/@").map(|rest| match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, "/"),
    });
    match named {
        Some((host, rest)) => (Some(host.to_owned()), rest.to_owned()),
        None => (None, path.to_owned()),
    }
}

impl World {
    /// Returns the account's present host.
    pub(super) fn host(&self) -> String {
        format!("{}.amocrm.ru", self.subdomain)
    }

    /// Answers for a host that is not, or not any more, the account's.
    pub(super) fn not_my_host(&self, incoming: &Incoming) -> Option<Reply> {
        let host = incoming.host.as_deref()?;
        let asks_where = incoming.path.starts_with("/oauth2/account/current/");
        let mine = match host == API_DOMAIN {
            true => asks_where,
            false => host == self.host(),
        };
        if mine {
            return None;
        }
        Some(match self.switches.renamed_host {
            RenamedHost::NotFound => {
                Reply::plain(404, "text/html", "<html><body>404</body></html>")
            }
            RenamedHost::Unauthorized => Reply::problem(401, "Wrong client", "No such account"),
            RenamedHost::Redirect => Reply::plain(301, "text/html", ""),
        })
    }
}

impl AmoHandle {
    /// Gives the account another name, as its administrators can.
    pub fn rename(&self, subdomain: &str) {
        self.world().subdomain = subdomain.to_owned();
    }

    /// Returns the address of the simulator that stands for one host only.
    pub fn base_url_of(&self, host: &str) -> String {
        format!("{}/@{host}", self.base_url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_the_host_that_is_meant() {
        let (host, path) = split("/@new.amocrm.ru/api/v4/account");
        assert_eq!(host.as_deref(), Some("new.amocrm.ru"));
        assert_eq!(path, "/api/v4/account");
        assert_eq!(split("/api/v4"), (None, "/api/v4".to_owned()));
        assert_eq!(split("/@x"), (Some("x".to_owned()), "/".to_owned()));
    }
}
