//! A switchboard that is connected to, a form that is sent over HTTP, and a CRM on paper.

use std::sync::Arc;

use serde_json::Value;

use crate::config::Registries;
use crate::crm::registry::CrmKind;
use crate::crm::{AccountDoor, AccountSettings, Adapter, CredentialForm, Words};
use crate::model::asked::{Asked, Form as ValueForm, SettingsForm};
use crate::model::communication::{Kind, Snapshot};
use crate::model::ids::PortalKey;
use crate::model::mistake::Mistake;
use crate::model::secret::Secrets;
use crate::pbx::registry::SourceKind;
use crate::pbx::{Hook, HookError, Listener, Source, SourceForm, SourceIdentity};

const NOTHING: Words = Words { ru: "", en: "" };

const PERSON: SourceForm = SourceForm {
    title: NOTHING,
    hint: NOTHING,
    first: &[],
    titles: &[],
};

pub(super) fn registries() -> Registries<'static> {
    Registries {
        sources: &[
            SourceKind {
                name: "switchboard",
                russian: "",
                secrets: &["password"],
                form: SWITCHBOARD,
                person: PERSON,
                build: switchboard,
            },
            SourceKind {
                name: "form",
                russian: "",
                secrets: &[],
                form: SettingsForm::NONE,
                person: PERSON,
                build: |_, _, _| Ok(Arc::new(Form)),
            },
        ],
        crms: &[CrmKind {
            name: "paper",
            russian: "",
            secrets: &["token"],
            form: PAPER,
            credential: PAPER_CREDENTIAL,
            build: paper,
            installer: None,
            embedding: crate::crm::Embedding::None { instead: "" },
        }],
    }
}

const SWITCHBOARD: SettingsForm = SettingsForm {
    asked: || {
        vec![
            asked("host", ValueForm::Text { chars_max: 80 }),
            asked("lines", ValueForm::List { items_max: 9 }),
        ]
    },
    words: &[],
};

const PAPER_CREDENTIAL: CredentialForm = CredentialForm {
    title: "Paper",
    address: Words {
        ru: "Адрес",
        en: "Address",
    },
    example: "paper.example",
    ways: &[],
};

const PAPER: SettingsForm = SettingsForm {
    asked: || vec![asked("portal", ValueForm::Text { chars_max: 80 })],
    words: &[],
};

fn asked(key: &str, form: ValueForm) -> Asked {
    Asked {
        path: vec![key.to_owned()],
        form,
        required: false,
    }
}

struct Switchboard;

fn switchboard(
    _: SourceIdentity,
    settings: &Value,
    secrets: &Secrets,
) -> Result<Arc<dyn Source>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    if settings["host"].as_str().is_none() {
        mistakes.push(Mistake::at("host", "name the switchboard's host"));
    }
    for (index, line) in settings["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        if line["name"].as_str().is_none() {
            mistakes.push(Mistake::at(
                &format!("lines.{index}.name"),
                "must be a text",
            ));
        }
    }
    if secrets.get("password").is_none() {
        mistakes.push(Mistake::at("secrets.password", "a password is needed"));
    }
    match mistakes.is_empty() {
        true => Ok(Arc::new(Switchboard)),
        false => Err(mistakes),
    }
}

impl Source for Switchboard {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        None
    }
    fn hook(&self) -> Option<Arc<dyn Hook>> {
        None
    }
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Call]
    }
}

struct Form;

impl Source for Form {
    fn listener(&self) -> Option<Arc<dyn Listener>> {
        None
    }
    fn hook(&self) -> Option<Arc<dyn Hook>> {
        Some(Arc::new(Form))
    }
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Call, Kind::Request]
    }
}

impl Hook for Form {
    fn decode(&self, _: Option<&str>, _: &[u8]) -> Result<Vec<Snapshot>, HookError> {
        Ok(Vec::new())
    }
}

struct Paper {
    portal: String,
    base_url: String,
}

fn paper(
    settings: &Value,
    instead: Option<&str>,
) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>> {
    let Some(portal) = settings["portal"].as_str() else {
        return Err(vec![Mistake::at("portal", "name the portal")]);
    };
    if settings["rate"].as_i64() > Some(7) && instead.is_none() {
        return Err(vec![Mistake::at("rate", "the vendor permits 7")]);
    }
    let portal = portal.trim_start_matches("https://");
    Ok(Arc::new(Paper {
        portal: portal.to_owned(),
        base_url: instead.map_or_else(|| format!("https://{portal}"), str::to_owned),
    }))
}

impl AccountSettings for Paper {
    fn portal(&self) -> PortalKey {
        PortalKey::new("paper", &self.portal)
    }
    fn base_url(&self) -> &str {
        &self.base_url
    }
    fn rate_per_second(&self) -> f64 {
        1.0
    }
    fn open(&self, _: AccountDoor) -> Arc<dyn Adapter> {
        unreachable!("the configuration opens nothing")
    }
    fn fingerprint(&self) -> String {
        self.portal.clone()
    }
}
