//! What is kept of a communication whose client is forgotten: that it took place, when, by which
//! of our numbers and with whom of ours.

use super::call::Call;
use super::chat::Chat;
use super::communication::{Body, Snapshot};
use super::phone::ClientNumber;
use super::request::SiteRequest;

impl Snapshot {
    /// Returns the picture without its client. Its revision is above every other: whatever the
    /// source reports again, a poll of its history included, does not bring the client back and
    /// makes nothing anew.
    pub fn without_client(&self) -> Self {
        let body = match &self.body {
            Body::Call { call } => Body::Call {
                call: without_caller(call),
            },
            Body::Chat { chat } => Body::Chat {
                chat: without_visitor(chat),
            },
            Body::Request { request } => Body::Request {
                request: without_sender(request),
            },
        };
        Self {
            key: self.key.clone(),
            revision: u64::MAX,
            body,
        }
    }
}

fn without_caller(call: &Call) -> Call {
    Call {
        client: ClientNumber::Withheld,
        client_name: None,
        recordings: Vec::new(),
        tags: Vec::new(),
        details: Default::default(),
        ..call.clone()
    }
}

fn without_visitor(chat: &Chat) -> Chat {
    Chat {
        visitor: String::new(),
        name: None,
        phone: None,
        email: None,
        group: None,
        tags: Vec::new(),
        messages: Vec::new(),
        details: Default::default(),
        ..chat.clone()
    }
}

fn without_sender(request: &SiteRequest) -> SiteRequest {
    SiteRequest {
        name: None,
        phone: None,
        email: None,
        text: None,
        // It may name the sender behind its question mark.
        page: None,
        fields: Default::default(),
        tags: Vec::new(),
        details: Default::default(),
        ..request.clone()
    }
}
