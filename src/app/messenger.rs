//! Tells people of new records past the CRM: by the mail server of alarms, or to a webhook.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::alarms::notice::{NewRecord, Refused};
use crate::alarms::settings::{EmailSettings, WebhookSettings};
use crate::config::Configuration;
use crate::integration::notices::{Messenger, NotTaken, Telling};
use crate::model::communication::Kind;
use crate::model::explanation::Language;
use crate::model::ids::TenantId;
use crate::model::notice::{NoticeWay, russian};

/// What the configuration says of notices.
#[derive(Default)]
struct Ways {
    email: Option<EmailSettings>,
    webhooks: BTreeMap<String, WebhookSettings>,
    /// The companies' names and languages.
    companies: HashMap<TenantId, (String, Language)>,
}

/// The way out; follows the configuration.
#[derive(Default)]
pub(super) struct Post {
    ways: ArcSwap<Ways>,
}

impl Post {
    /// Goes on with another configuration.
    pub(super) fn apply(&self, configuration: &Configuration) {
        let tenants = configuration.tenants.iter();
        let companies = tenants.map(|tenant| {
            let company = (tenant.name.clone(), tenant.language);
            (tenant.id.clone(), company)
        });
        self.ways.store(Arc::new(Ways {
            email: configuration.daemon.alarms.email.clone(),
            webhooks: configuration.daemon.notice_webhooks.clone(),
            companies: companies.collect(),
        }));
    }
}

impl Messenger for Post {
    fn tell(&self, way: NoticeWay, telling: Telling) -> BoxFuture<'_, Result<(), NotTaken>> {
        let ways = self.ways.load_full();
        async move {
            let company = ways.companies.get(&telling.tenant);
            let (company, language) = company
                .cloned()
                .unwrap_or_else(|| (telling.tenant.to_string(), Language::default()));
            let record = record(&telling, company, language);
            let told = match &way {
                NoticeWay::Email { to } => match &ways.email {
                    Some(server) => record.by_email(server, to).await,
                    None => return gone("no mail server is set in [alarms.email] any more"),
                },
                NoticeWay::Webhook { name } => match ways.webhooks.get(name) {
                    Some(settings) => record.by_webhook(settings).await,
                    None => return gone("its place is not in [notices.webhooks] any more"),
                },
            };
            told.map_err(|Refused { why, again }| NotTaken { why, again })
        }
        .boxed()
    }
}

fn gone(why: &str) -> Result<(), NotTaken> {
    Err(NotTaken {
        why: why.to_owned(),
        again: false,
    })
}

/// Puts a notice into words.
fn record(telling: &Telling, company: String, language: Language) -> NewRecord {
    let news = &telling.news;
    let name = one_line(&news.name);
    let link = telling.link.clone().unwrap_or_default();
    let responsible = news.responsible.as_ref();
    let responsible = responsible.map_or_else(String::new, |user| match &user.name {
        Some(name) => name.clone(),
        None => user.id.to_string(),
    });
    let entity = news.card.entity;
    let (head, who) = match language {
        Language::Ru => (
            format!(
                "Новая запись в CRM ({}, {})",
                russian(entity),
                of(news.kind)
            ),
            "Ответственный",
        ),
        Language::En => (
            format!("New in the CRM: {entity} ({})", news.kind),
            "Responsible",
        ),
    };
    let subject = format!("{head}: {name}");
    let mut text = format!("{subject}\n");
    if !responsible.is_empty() {
        text.push_str(&format!("{who}: {}\n", one_line(&responsible)));
    }
    if !link.is_empty() {
        text.push_str(&format!("\n{link}\n"));
    }
    NewRecord {
        subject,
        text,
        company,
        record: entity.to_string(),
        kind: news.kind.to_string(),
        name,
        link,
        responsible,
        id: telling.id.clone(),
    }
}

fn of(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "звонок",
        Kind::Chat => "чат",
        Kind::Request => "заявка с сайта",
    }
}

/// What a client wrote stays on one line: it must not look like words of ours, nor end a header.
fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::explanation::UserName;
    use crate::model::ids::CrmUserId;
    use crate::model::plan::{Card, Entity};
    use crate::rules::outside::News;

    fn telling(name: &str) -> Telling {
        Telling {
            id: "1".to_owned(),
            tenant: "acme".parse().expect("an id"),
            news: News {
                kind: Kind::Request,
                card: Card {
                    entity: Entity::Deal,
                    id: "7".to_owned(),
                },
                name: name.to_owned(),
                responsible: Some(UserName {
                    id: CrmUserId("502".to_owned()),
                    name: Some("Анна".to_owned()),
                }),
            },
            link: Some("https://acme.example/leads/7".to_owned()),
        }
    }

    #[test]
    fn a_notice_says_what_is_new_who_answers_and_where_it_is() {
        let told = record(&telling("Олег"), "Акме".to_owned(), Language::Ru);
        assert_eq!(
            told.subject,
            "Новая запись в CRM (сделка, заявка с сайта): Олег"
        );
        for words in ["Ответственный: Анна", "https://acme.example/leads/7"] {
            assert!(told.text.contains(words), "{}", told.text);
        }
        let told = record(&telling("Oleg"), "Acme".to_owned(), Language::En);
        assert_eq!(told.subject, "New in the CRM: deal (request): Oleg");
    }

    #[test]
    fn what_a_client_wrote_stays_on_one_line() {
        let hostile = "Олег\r\nBcc: all@example.com\n\nОтветственный: никто";
        let told = record(&telling(hostile), "Акме".to_owned(), Language::Ru);
        assert!(!told.subject.contains(['\r', '\n']), "{}", told.subject);
        assert_eq!(
            told.text.matches("\nОтветственный").count(),
            1,
            "{}",
            told.text
        );
    }
}
