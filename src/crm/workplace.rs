//! The operators' workplace inside of a CRM (S0-25, S2-44, S4-19): a page of a vendor at a configured
//! address, and clicks on numbers there.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use url::Url;

use crate::model::ids::CrmUserId;
use crate::model::object_reader::{Reader, TextShape};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How the workplace gets into a CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embedding {
    /// By files that an administrator uploads ([`AccountSettings::widget`](super::AccountSettings)).
    Widget,
    /// By an entry in its menu that we bind ([`Adapter::set_up`](super::Adapter)).
    Placement,
    /// Not at all.
    None {
        /// What a person can do instead.
        instead: &'static str,
    },
}

/// The address of a workplace: https, and nothing that a page could be broken with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workplace(Url);

/// Longest address.
const ADDRESS: TextShape = TextShape::Line(500);

impl Workplace {
    /// Reads the key `workplace` of an account's settings and notes a mistake.
    pub(crate) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let text = r.filled_text("workplace", ADDRESS)?;
        match Url::parse(&text) {
            Ok(url) if is_good(&url) => Some(Self(url)),
            Ok(_) | Err(_) => {
                let message = "must be the page's address, such as https://workplace.example.com/";
                r.wrong("workplace", message.to_owned());
                None
            }
        }
    }

    /// Returns the address.
    pub fn address(&self) -> &str {
        self.0.as_str()
    }

    /// Returns scheme and host, as policies of pages name them.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

fn is_good(url: &Url) -> bool {
    url.scheme() == "https"
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

/// What a widget must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidgetPlace {
    /// Where clicks on numbers go.
    pub calls: String,
    /// The version that the files are of.
    pub version: String,
}

/// A file of a widget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidgetFile {
    /// Its name, with `/` between folders.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Knows who uses our widget in the CRM.
pub trait WidgetUsers: Send + Sync {
    /// Returns the origin that the portal's pages have now.
    fn origin(&self) -> BoxFuture<'_, String>;

    /// Returns who clicks, where the CRM signed that.
    fn clicks<'a>(&'a self, proof: WidgetProof<'a>) -> BoxFuture<'a, Option<WidgetClick>>;
}

/// What a request of a widget proves itself with.
#[derive(Debug, Clone, Copy)]
pub struct WidgetProof<'a> {
    /// What the CRM signed.
    pub token: &'a str,
    /// The origin under which the outside reaches us.
    pub audience: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// Somebody who clicks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidgetClick {
    /// The CRM's user.
    pub user: CrmUserId,
    /// Names the proof, which is good for one click.
    pub id: String,
    /// When the proof ends.
    pub until: Timestamp,
}

/// The page that frames a workplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkplacePage {
    /// The workplace's address.
    pub address: String,
    /// Its origin.
    pub origin: String,
    /// Who may frame our page: the portal.
    pub framed_by: Vec<String>,
}

/// What became of a click on a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WidgetClicked {
    /// The employee's telephone rings.
    Placed {
        /// Our name of the call.
        call: String,
    },
    /// Nobody proved who clicks.
    Stranger,
    /// The proof was used already.
    Used,
    /// The user is no employee, or has no telephone that we can have ring: why.
    Nobody(String),
    /// The number may not be called: why.
    NotPermitted(String),
    /// The employee's calls of this minute are used up.
    TooMany(Duration),
    /// The telephone system did not take it: why.
    Failed(String),
}

/// Where endpoints bring what comes from workplaces inside of CRMs.
pub trait WorkplaceDesk: Send + Sync {
    /// Returns the page that frames the workplace of an account, where it has one.
    fn page(&self, tenant: String, account: String) -> BoxFuture<'_, Option<WorkplacePage>>;

    /// Returns the origin that may send clicks of an account's users, where it has a widget.
    fn origin(&self, tenant: String, account: String) -> BoxFuture<'_, Option<String>>;

    /// Has a number called that a user of the account's portal clicked on.
    fn click(
        &self,
        tenant: String,
        account: String,
        proof: Secret,
        phone: String,
    ) -> BoxFuture<'_, WidgetClicked>;
}

/// The desk of a daemon without workplaces.
#[derive(Debug, Clone, Copy)]
pub struct NoWorkplaces;

impl WorkplaceDesk for NoWorkplaces {
    fn page(&self, _: String, _: String) -> BoxFuture<'_, Option<WorkplacePage>> {
        async { None }.boxed()
    }

    fn origin(&self, _: String, _: String) -> BoxFuture<'_, Option<String>> {
        async { None }.boxed()
    }

    fn click(&self, _: String, _: String, _: Secret, _: String) -> BoxFuture<'_, WidgetClicked> {
        async { WidgetClicked::Stranger }.boxed()
    }
}

/// A desk that many share.
pub type SharedWorkplaces = Arc<dyn WorkplaceDesk>;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::object_reader::read_settings;

    fn read(value: Value) -> Option<Workplace> {
        let read = read_settings(&json!({ "workplace": value }), |mut r| {
            let workplace = Workplace::read(&mut r);
            r.finish();
            Some(workplace)
        });
        read.ok().flatten()
    }

    #[test]
    fn a_workplace_is_a_page_by_https() {
        let good = read(json!("https://Work.example.com/desk?x=1")).expect("good");
        assert_eq!(good.address(), "https://work.example.com/desk?x=1");
        assert_eq!(good.origin(), "https://work.example.com");
        for bad in [
            "http://x.example",
            "javascript:alert(1)",
            "https://u:p@x",
            "x",
            "data:,",
        ] {
            assert_eq!(read(json!(bad)), None, "{bad}");
        }
    }
}
