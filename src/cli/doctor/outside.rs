//! What can be seen of the services outside: phone systems, CRMs, clocks, our own outside address.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::redirect::Policy;
use url::Url;

use crate::alarms::certificate::{NoDate, good_until};
use crate::clock::{Clock, SystemClock};
use crate::config::{Configuration, SourceConfig};
use crate::model::explanation::Language;
use crate::pbx::DiscoverError;

use super::{Check, Verdict};

/// How long a service may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How far clocks may be apart: tokens and signatures bear a minute, call times should be right.
const APART_MAX: Duration = Duration::from_secs(60);

/// How long before its end a certificate is looked at.
const ENDS_SOON: Duration = Duration::from_secs(30 * 86_400);

pub(super) async fn checks(configuration: &Configuration) -> Vec<Check> {
    let mut found = Vec::new();
    // The HTTP library asks for one even where nothing is encrypted.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .redirect(Policy::none())
        .no_proxy()
        .build();
    let Ok(client) = client else {
        return found;
    };
    for tenant in &configuration.tenants {
        for account in &tenant.accounts {
            let what = format!("{}/{}", tenant.id, account.id);
            found.extend(crm(&client, account.settings.base_url(), &what).await);
        }
        for source in &tenant.sources {
            found.extend(pbx(source).await);
        }
    }
    found.extend(public_url(&client, configuration).await);
    found
}

async fn crm(client: &reqwest::Client, base_url: &str, what: &str) -> Vec<Check> {
    let answer = match client.head(base_url).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let cure = "look at the account's address, DNS (getent hosts), the firewall and the \
                        network: curl -v the address from this box";
            let words = format!("{base_url} does not answer: {}", cause(&error));
            return vec![Check::fail("crm.reachable", words, cure).of(what)];
        }
    };
    let mut found = vec![Check::ok("crm.reachable", base_url).of(what)];
    let date = answer
        .headers()
        .get("date")
        .and_then(|date| date.to_str().ok());
    let there = date.and_then(|date| rfc2822::parse(date).ok());
    let Some(there) = there else {
        found.push(Check::new("clock", Verdict::Skipped, "it does not tell its time").of(what));
        return found;
    };
    let apart = there
        .timestamp()
        .as_second()
        .abs_diff(SystemClock.now().as_secs());
    found.push(
        match apart > APART_MAX.as_secs() {
            true => Check::fail(
                "clock",
                format!("this box and {base_url} are {apart} s apart"),
                "set the clock: timedatectl set-ntp true, then timedatectl timesync-status",
            ),
            false => Check::ok("clock", format!("{apart} s apart from the CRM's")),
        }
        .of(what),
    );
    found
}

fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

async fn pbx(source: &SourceConfig) -> Option<Check> {
    let discoverer = source.source.discoverer()?;
    let check = match discoverer.discover(Language::En).await {
        Ok(found) if found.limits.is_empty() => Check::ok("pbx.rights", found.system),
        Ok(found) => Check::warn(
            "pbx.rights",
            found.limits.join("; "),
            "grant them to our user in manager.conf, then: asterisk -rx 'manager reload' \
             (docs/connect-asterisk.md)",
        ),
        Err(DiscoverError::Session(error)) => Check::fail(
            "pbx.session",
            error.to_string(),
            "look at host, port, user and secret of the source, at permit and deny in manager.conf, \
             and whether the manager is enabled there: asterisk -rx 'manager show settings'",
        ),
        Err(error) => Check::new("pbx.session", Verdict::Skipped, error.to_string()),
    };
    Some(check.of(source.key.to_string()))
}

async fn public_url(client: &reqwest::Client, configuration: &Configuration) -> Vec<Check> {
    let Some(url) = &configuration.daemon.public_url else {
        let words = "not set: webhooks, consent pages and links of recordings are off";
        return vec![Check::new("public_url", Verdict::Skipped, words)];
    };
    let mut found = vec![reached(client, url).await];
    if url.scheme() == "https"
        && let Some(host) = url.host_str()
    {
        let port = url.port_or_known_default().unwrap_or(443);
        let renew = "renew the certificate at your proxy (certbot renew), with its whole chain";
        found.push(match good_until(host, port).await {
            Ok(end) if end < SystemClock.now().plus(ENDS_SOON) => {
                Check::warn("public_url.certificate", format!("it ends on {end}"), renew)
            }
            Ok(end) => Check::ok("public_url.certificate", format!("good until {end}")),
            Err(NoDate::Refused(why)) => Check::fail("public_url.certificate", why, renew),
            Err(NoDate::Unreachable(why)) => {
                Check::new("public_url.certificate", Verdict::Skipped, why)
            }
        });
    }
    found
}

async fn reached(client: &reqwest::Client, url: &Url) -> Check {
    match client.get(url.clone()).send().await {
        Ok(answer) if answer.status().is_server_error() => Check::fail(
            "public_url",
            format!(
                "{url} answers {}: the proxy does not reach us",
                answer.status()
            ),
            format!(
                "is the daemon running? The proxy must pass {url} on to [intake] listen \
                 (docs/install.md)"
            ),
        ),
        Ok(answer) => Check::ok("public_url", format!("{url} answers {}", answer.status())),
        Err(error) => Check::fail(
            "public_url",
            format!("{url} does not answer from here: {}", cause(&error)),
            "look at DNS, port 443 of the router and the proxy. Where a box cannot reach its own \
             outside address, try it from elsewhere: curl -I the address",
        ),
    }
}
