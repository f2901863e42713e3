//! The private widget of an account (`crm/amocrm.md` §17, S0-25): the files of its archive, and who
//! clicks in it.
//!
//! Menu entries of amoCRM's own are for public integrations with a technical account. A private widget
//! has an entry of its own in the corner of every page instead, as widgets of telephones do.

mod picture;
mod token;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::AmoAdapter;
use super::auth::Auth;
use super::settings::AmoSettings;
use crate::crm::{WidgetClick, WidgetFile, WidgetPlace, WidgetProof, WidgetUsers};

const SCRIPT: &str = include_str!("script.js");

/// The pictures that an archive must have, with their sizes.
const PICTURES: [(&str, u32, u32); 8] = [
    ("logo.png", 130, 100),
    ("logo_main.png", 400, 272),
    ("logo_small.png", 108, 108),
    ("logo_medium.png", 240, 84),
    ("logo_min.png", 84, 84),
    ("logo_dp.png", 174, 109),
    ("tour_1_ru.png", 400, 272),
    ("tour_1_en.png", 400, 272),
];

/// Makes the files.
pub(super) fn files(
    settings: &AmoSettings,
    place: &WidgetPlace,
) -> Result<Vec<WidgetFile>, String> {
    let Some(workplace) = &settings.workplace else {
        return Err(
            "the account has no workplace: write its https address as workplace into the account's \
             settings"
                .to_owned(),
        );
    };
    let script = SCRIPT
        .replace("\"@PLACE@\"", &written(workplace.address()))
        .replace("\"@CALLS@\"", &written(&place.calls));
    let mut files = vec![
        text("manifest.json", &pretty(&manifest(&place.version))),
        text("script.js", &script),
        text("i18n/ru.json", &pretty(&russian())),
        text("i18n/en.json", &pretty(&english())),
    ];
    files.extend(PICTURES.map(|(name, width, height)| WidgetFile {
        name: format!("images/{name}"),
        bytes: picture::png(width, height),
    }));
    Ok(files)
}

fn text(name: &str, text: &str) -> WidgetFile {
    WidgetFile {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

/// Writes a text as it stands in a script.
fn written(text: &str) -> String {
    Value::from(text).to_string()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn manifest(version: &str) -> Value {
    json!({
        "widget": {
            "name": "widget.name",
            "description": "widget.description",
            "short_description": "widget.short_description",
            "version": version,
            "interface_version": 2,
            // The page goes on while people walk around.
            "init_once": true,
            "locale": ["ru", "en"],
            "installation": true,
            "support": {
                "link": "https://www.amocrm.ru/support/",
                "email": "",
            },
        },
        "locations": ["everywhere", "settings"],
        "tour": {
            "is_tour": true,
            "tour_images": {
                "ru": ["/images/tour_1_ru.png"],
                "en": ["/images/tour_1_en.png"],
            },
            "tour_description": "widget.tour_description",
        },
        // Nothing is asked: whose extension is whose is known to the box.
        "settings": {},
    })
}

fn russian() -> Value {
    json!({
        "widget": {
            "name": "Рабочее место оператора",
            "short_description": "Рабочее место и звонки по щелчку через Trunkline",
            "description": "Открывает рабочее место оператора на любой странице и звонит по щелчку на номер.",
            "tour_description": "Кнопка «Рабочее место» в углу каждой страницы; щелчок по номеру звонит клиенту.",
        },
        "workplace": {
            "title": "Рабочее место",
            "calling": "Звоним…",
            "ringing": "Снимите трубку: сначала звонит ваш телефон.",
            "failed": "Звонок не начат.",
        },
    })
}

fn english() -> Value {
    json!({
        "widget": {
            "name": "Operator's workplace",
            "short_description": "The workplace, and calls by a click, through Trunkline",
            "description": "Opens the operator's workplace on any page, and calls by a click on a number.",
            "tour_description": "The button Workplace in the corner of every page; a click on a number calls the client.",
        },
        "workplace": {
            "title": "Workplace",
            "calling": "Calling…",
            "ringing": "Pick up: your telephone rings first.",
            "failed": "The call was not begun.",
        },
    })
}

impl WidgetUsers for AmoAdapter {
    fn origin(&self) -> BoxFuture<'_, String> {
        async {
            let host = match &self.client.auth {
                Auth::OAuth(oauth) => oauth.host().await,
                Auth::LongLived(_) => self.host.clone(),
            };
            format!("https://{host}")
        }
        .boxed()
    }

    fn clicks<'a>(&'a self, proof: WidgetProof<'a>) -> BoxFuture<'a, Option<WidgetClick>> {
        async move {
            let secret = self.client_secret.as_ref()?;
            let read = token::read(proof.token, secret, proof.now)?;
            let claims = self.client.auth.claims().await;
            let (client_id, audience) = match &self.client.auth {
                Auth::OAuth(oauth) => {
                    let client = &oauth.client;
                    (Some(client.id.clone()), Some(client.redirect_uri.clone()))
                }
                Auth::LongLived(_) => (claims.client_id, None),
            };
            let own = |ours: Option<String>, said: &str| ours.is_none_or(|ours| ours == said);
            let is_meant = read.audience == proof.audience
                || audience.is_some_and(|uri| token::origin(&uri) == Some(read.audience.clone()));
            let is_ours = is_meant
                && read.issuer == self.origin().await
                && own(client_id, &read.client_id)
                && own(claims.account_id, &read.account_id);
            is_ours.then_some(read.click)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Vec<WidgetFile> {
        let table = json!({
            "url": "demo.amocrm.ru", "workplace": "https://work.example.com/desk?a=\"b",
        });
        let settings = AmoSettings::read(&table, None).expect("good");
        let place = WidgetPlace {
            calls: "https://box.example/workplace/acme/main/calls".to_owned(),
            version: "0.1.0".to_owned(),
        };
        files(&settings, &place).expect("files")
    }

    fn of(name: &str) -> String {
        let file = made().into_iter().find(|file| file.name == name);
        String::from_utf8(file.expect("a file").bytes).expect("text")
    }

    #[test]
    fn s0_25_a_widget_has_every_file_that_amocrm_wants() {
        let files = made();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        insta::assert_snapshot!("widget_files", names.join("\n"));
        insta::assert_snapshot!("widget_manifest", of("manifest.json"));
        // Larger pictures are refused.
        assert!(files.iter().all(|file| file.bytes.len() < 300_000));
    }

    #[test]
    fn what_the_manifest_names_is_there_in_every_language() {
        let manifest: Value = serde_json::from_str(&of("manifest.json")).expect("JSON");
        let names: Vec<String> = made().into_iter().map(|file| file.name).collect();
        for lang in manifest["widget"]["locale"].as_array().expect("languages") {
            let lang = lang.as_str().expect("a language");
            let words: Value =
                serde_json::from_str(&of(&format!("i18n/{lang}.json"))).expect("JSON");
            for key in ["name", "description", "short_description"] {
                let path = manifest["widget"][key].as_str().expect("a key");
                let pointer = format!("/{}", path.replace('.', "/"));
                assert!(
                    words.pointer(&pointer).is_some_and(Value::is_string),
                    "{path}"
                );
            }
            let tour = manifest["tour"]["tour_images"][lang]
                .as_array()
                .expect("pictures");
            for picture in tour {
                let name = picture.as_str().expect("a name").trim_start_matches('/');
                assert!(names.iter().any(|known| known == name), "{name}");
            }
            for key in ["title", "calling", "ringing", "failed"] {
                assert!(words["workplace"][key].is_string(), "{lang} {key}");
                assert!(SCRIPT.contains(&format!("text(\"{key}\")")), "{key}");
            }
        }
    }

    #[test]
    fn an_address_cannot_leave_its_place_in_the_script() {
        let script = of("script.js");
        assert!(!script.contains("@PLACE@") && !script.contains("@CALLS@"));
        assert!(
            script.contains("var PLACE = \"https://work.example.com/desk?a=%22b\";"),
            "{script}"
        );
        assert_eq!(written("a\"b\\"), r#""a\"b\\""#);
        let table = json!({ "url": "demo.amocrm.ru" });
        let settings = AmoSettings::read(&table, None).expect("good");
        let place = WidgetPlace {
            calls: String::new(),
            version: String::new(),
        };
        assert!(
            files(&settings, &place)
                .expect_err("no page")
                .contains("workplace")
        );
    }
}
