//! `trunkline-lab bitrix24`: a portal of its own, for trying things by hand.

use std::net::SocketAddr;

use anyhow::Context;

use super::handle::BitrixHandle;
use super::options::{BitrixOptions, Limits, Mode};
use super::server::{BitrixLab, start};

/// What a portal on the command line is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct PortalArgs {
    /// The portal has no leads: one that is made becomes a deal at once.
    #[arg(long = "bitrix24-without-leads")]
    without_leads: bool,
    /// The limits of the Enterprise plan: 250 requests, five a second.
    #[arg(long = "bitrix24-enterprise")]
    enterprise: bool,
}

impl PortalArgs {
    /// Starts the portal on a port.
    ///
    /// # Errors
    /// Fails when the port is taken, and says which.
    pub async fn start(&self, port: u16) -> anyhow::Result<BitrixLab> {
        let options = BitrixOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            mode: match self.without_leads {
                true => Mode::Simple,
                false => Mode::Classic,
            },
            limits: match self.enterprise {
                true => Limits::enterprise(),
                false => Limits::default(),
            },
            ..BitrixOptions::default()
        };
        let text = || {
            format!(
                "port {port}, for the simulated Bitrix24, cannot be used; another program may \
                 hold it: choose one with --bitrix24-port"
            )
        };
        start(options).await.with_context(text)
    }
}

/// Says where a portal is and how to be let in.
pub fn about(portal: &BitrixHandle) -> String {
    let application = portal.options().applications.first();
    let (client_id, secret) = application
        .map(|app| (app.client_id.as_str(), app.client_secret.as_str()))
        .unwrap_or_default();
    format!(
        "Bitrix24 {}  for https://{}\n\
         \x20        {}  for https://{}\n\
         \x20        client_id {client_id}, secret {secret}\n\
         \x20        webhook {}\n\
         \x20        control {}/_lab",
        portal.base_url(),
        portal.domain(),
        portal.oauth_url(),
        portal.options().oauth_domain,
        portal.webhook_url().unwrap_or_default(),
        portal.base_url(),
    )
}
