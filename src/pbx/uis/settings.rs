//! What an administrator chose for an account of the platform: read from the source's `settings`
//! table and its secrets, with every mistake named. Past this file the settings cannot be wrong.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::budget::Pace;
use super::local_time;
use super::rpc::Auth;
use crate::model::asked::{Asked, asked_by};
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Reader, TextShape, read_settings};
use crate::model::secret::Secrets;
use crate::pbx::WebClient;

/// The name of the secret: a permanent key of the API.
pub(super) const TOKEN: &str = "token";
/// The name of the secret: the password of `login`.
pub(super) const PASSWORD: &str = "password";

/// Under what name the platform is sold (`pbx/uis.md` §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Brand {
    /// UIS.
    #[default]
    Uis,
    /// CoMagic.
    Comagic,
    /// CallGear.
    Callgear,
    /// Novofon 2.0.
    Novofon,
    /// MegaFon's VATS 2.0: no notifications, another history, employees by name only.
    Megafon,
}

impl Brand {
    fn data_api(self) -> &'static str {
        match self {
            Brand::Uis => "https://dataapi.uiscom.ru/v2.0",
            Brand::Comagic => "https://dataapi.comagic.ru/v2.0",
            Brand::Callgear => "https://dataapi.callgear.com/v2.0",
            Brand::Novofon => "https://dataapi-jsonrpc.novofon.ru/v2.0",
            Brand::Megafon => "https://simple-api.cp.megafon.ru",
        }
    }

    fn call_api(self) -> &'static str {
        match self {
            Brand::Uis => "https://callapi.uiscom.ru/v4.0",
            Brand::Comagic => "https://callapi.comagic.ru/v4.0",
            Brand::Callgear => "https://callapi.callgear.com/v4.0",
            Brand::Novofon => "https://callapi-jsonrpc.novofon.ru/v4.0",
            Brand::Megafon => "https://callapi.cp.megafon.ru/v4.0",
        }
    }

    /// Returns where recordings lie that a report names by their ids (`pbx/uis.md` §4.1).
    fn media(self) -> Option<&'static str> {
        match self {
            Brand::Uis => Some("https://app.uiscom.ru"),
            Brand::Comagic => Some("https://app.comagic.ru"),
            Brand::Callgear | Brand::Novofon | Brand::Megafon => None,
        }
    }
}

/// An account.
#[derive(Clone)]
pub(super) struct UisSettings {
    /// Under what name it was sold.
    pub(super) brand: Brand,
    /// Data API and Call API; `None` = notifications are all there is.
    pub(super) api: Option<ApiSettings>,
    /// The zone of its times; `None` = as the account says.
    pub(super) zone: Option<TimeZone>,
    /// Where recordings lie that are named by id.
    pub(super) media: Option<String>,
    /// How calls are placed; `None` = they are not.
    pub(super) click_to_call: Option<ClickToCall>,
    /// How the platform's questions are answered.
    pub(super) interactive: Interactive,
}

/// The way to both APIs.
#[derive(Clone)]
pub(super) struct ApiSettings {
    pub(super) data: WebClient,
    pub(super) call: WebClient,
    pub(super) auth: Auth,
    /// How often it is asked.
    pub(super) pace: Pace,
    /// How far back each round looks once more.
    pub(super) overlap: Duration,
}

/// Whose phone rings first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FirstCall {
    /// The employee's.
    #[default]
    Employee,
    /// The client's.
    Contact,
}

/// How calls are placed (`pbx/uis.md` §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClickToCall {
    /// The company's number that the client sees.
    pub(super) virtual_number: String,
    /// Whose phone rings first.
    pub(super) first_call: FirstCall,
}

/// What is answered to interactive call processing (`pbx/uis.md` §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interactive {
    /// By what an employee is reached.
    pub(super) reach_by: ReachBy,
    /// The code that leads to the scenario's usual branch.
    pub(super) usual_code: u64,
}

/// By what an employee is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReachBy {
    /// The active phones of the employee, in order.
    #[default]
    Phones,
    /// The employee's short number.
    Extension,
}

impl UisSettings {
    /// Reads settings and secrets, or names every mistake.
    pub(super) fn read(value: &Value, secrets: &Secrets) -> Result<Self, Vec<Mistake>> {
        read_settings(value, |r| read_table(r, secrets))
    }
}

/// Returns every key of the table.
pub(super) fn asked() -> Vec<Asked> {
    asked_by(|r| drop(read_table(r, &Secrets::default())))
}

fn read_table(mut r: Reader<'_>, secrets: &Secrets) -> Option<UisSettings> {
    let brand: Brand = r.word("brand").unwrap_or_default();
    let zone = r.text("time_zone", TextShape::Line(64));
    let zone = zone.and_then(|name| {
        let zone = local_time::zone(&name);
        if zone.is_none() {
            r.wrong("time_zone", format!("there is no time zone {name:?}"));
        }
        zone
    });
    let media = address(&mut r, "recordings_site", brand.media());
    let api = read_api(&mut r, brand, secrets);
    let click_to_call = r.table("click_to_call").map(click_to_call);
    let interactive = r.table("interactive").map(interactive_table);
    if brand == Brand::Megafon && interactive.is_some() {
        r.wrong(
            "interactive",
            "VATS 2.0 asks nobody: who a client reaches is chosen by its own scenario \
             \"Персональный менеджер\"",
        );
    }
    r.finish();
    Some(UisSettings {
        brand,
        api: api?,
        zone,
        media: media.map(|(text, _)| text),
        click_to_call: match click_to_call {
            Some(click) => Some(click?),
            None => None,
        },
        interactive: interactive.unwrap_or(Interactive {
            reach_by: ReachBy::default(),
            usual_code: USUAL_CODE,
        }),
    })
}

/// The code that the docs have administrators bind to the usual branch.
const USUAL_CODE: u64 = 2;

/// Reads what belongs to the APIs. Outer `None` = a mistake.
fn read_api(r: &mut Reader<'_>, brand: Brand, secrets: &Secrets) -> Option<Option<ApiSettings>> {
    let login = r.text("login", TextShape::Line(200));
    let data = address(r, "data_api", Some(brand.data_api()));
    let call = address(r, "call_api", Some(brand.call_api()));
    let period_min = r.seconds("poll_min_s", 1..=3_600, 60);
    let overlap = r.seconds("overlap_min", 5..=1_440, 60).saturating_mul(60);
    let share = r.whole_in("day_share", 1..=100, 70);
    let auth = match (login, secrets.get(TOKEN), secrets.get(PASSWORD)) {
        (None, Some(key), None) => Auth::Key(key.clone()),
        (Some(login), None, Some(password)) => Auth::Login {
            login,
            password: password.clone(),
        },
        (None, None, None) if brand != Brand::Megafon => return Some(None),
        (None, None, None) => {
            let message = "is missing: VATS 2.0 tells nothing by itself";
            r.mistake(Mistake::at("secrets.token", message));
            return None;
        }
        (Some(_), None, None) => {
            let message = "is missing: the password of `login`";
            r.mistake(Mistake::at("secrets.password", message));
            return None;
        }
        (None, _, Some(_)) => {
            r.wrong("login", "is missing: whose password it is");
            return None;
        }
        (Some(_), Some(_), _) => {
            r.wrong(
                "login",
                "give either a key (the secret `token`) or login and password",
            );
            return None;
        }
    };
    Some(Some(ApiSettings {
        data: data?.1,
        call: call?.1,
        auth,
        pace: Pace {
            period_min,
            day_share: share,
        },
        overlap,
    }))
}

/// Reads an address, or takes the brand's own.
fn address(
    r: &mut Reader<'_>,
    key: &'static str,
    usual: Option<&str>,
) -> Option<(String, WebClient)> {
    let given = r.text(key, TextShape::Line(300));
    let text = given.or_else(|| usual.map(str::to_owned))?;
    match WebClient::new(&text) {
        Ok(client) => Some((text, client)),
        Err(error) => {
            r.wrong(key, error);
            None
        }
    }
}

fn click_to_call(mut r: Reader<'_>) -> Option<ClickToCall> {
    let number = r.required_text("virtual_number", TextShape::Line(20));
    let number = number.map(|text| text.trim_start_matches('+').to_owned());
    let digits = |text: &String| text.bytes().all(|b| b.is_ascii_digit()) && text.len() >= 10;
    if number.as_ref().is_some_and(|text| !digits(text)) {
        r.wrong(
            "virtual_number",
            "must be one of the account's own numbers with its country code: 74951230000",
        );
    }
    let first_call = r.word("first_call").unwrap_or_default();
    r.finish();
    Some(ClickToCall {
        virtual_number: number.filter(digits)?,
        first_call,
    })
}

fn interactive_table(mut r: Reader<'_>) -> Interactive {
    let reach_by = r.word("reach_by").unwrap_or_default();
    let usual_code = r.whole_in("usual_code", 0..=999, USUAL_CODE);
    r.finish();
    Interactive {
        reach_by,
        usual_code,
    }
}
