//! What both sides of `rules` decide by: forty conditions, six templates, and the calls.
//!
//! The conditions are written once, as a list, and turned into the filter of the settings and into
//! the expression of the script.

use serde_json::{Value, json};
use trunkline::model::communication::{Body, Snapshot};
use trunkline::model::employee::Employees;
use trunkline::rules::settings::IntegrationSettings;

pub(crate) const SOURCE_NAME: &str = "Офис";
pub(crate) const ENDED: &str = "2026-11-20T09:01:02Z";

/// Groups of which each must hold, by one of its conditions.
const GROUPS: [[Condition; 5]; 8] = [
    [
        has("campaign", "весна"),
        has("campaign", "осень"),
        has("campaign", "зима"),
        lacks("campaign", "лето"),
        has("first_campaign", "весна"),
    ],
    [
        has("site", "shop.example"),
        has("site", "www.example"),
        lacks("site", "old.example"),
        has("source", "поиск"),
        has("source", "карты"),
    ],
    [
        has("our_number", "+74951112233"),
        has("our_number", "+74951112234"),
        has("our_number", "+74951112235"),
        has("queue", "sales"),
        lacks("queue", "support"),
    ],
    [
        has("tag", "срочно"),
        has("tag", "новый"),
        lacks("tag", "спам"),
        has("result", "answered"),
        has("scenario", "основной"),
    ],
    [
        has("employee", "e101"),
        has("employee", "e102"),
        has("employee", "e103"),
        lacks("employee", "e110"),
        has("result", "missed"),
    ],
    [
        has("direction", "incoming"),
        has("scenario", "ночной"),
        has("source", "реклама"),
        has("tag", "возврат"),
        has("first_campaign", "лето"),
    ],
    [
        lacks("scenario", "проверка"),
        has("campaign", "акция"),
        has("site", "promo.example"),
        has("source", "почта"),
        has("queue", "promo"),
    ],
    [
        lacks("first_campaign", "осень"),
        has("source", "поиск"),
        has("site", "shop.example"),
        has("tag", "вип"),
        has("queue", "vip"),
    ],
];

/// One condition.
#[derive(Clone, Copy)]
struct Condition {
    include: bool,
    parameter: &'static str,
    value: &'static str,
}

const fn has(parameter: &'static str, value: &'static str) -> Condition {
    Condition {
        include: true,
        parameter,
        value,
    }
}

const fn lacks(parameter: &'static str, value: &'static str) -> Condition {
    Condition {
        include: false,
        parameter,
        value,
    }
}

impl Condition {
    fn setting(self) -> Value {
        let kind = if self.include { "include" } else { "exclude" };
        json!({ "kind": kind, "parameter": self.parameter, "values": [self.value] })
    }

    /// As somebody writes it by hand who knows which parameter is a list, which is compared letter
    /// by letter, and which only an answer decides.
    fn expression(self) -> String {
        let Self {
            include,
            parameter,
            value,
        } = self;
        let found = match parameter {
            "direction" | "result" | "our_number" | "employee" => {
                format!("c.{parameter} == \"{value}\"")
            }
            "queue" => format!("c.queue.contains(\"{value}\")"),
            "tag" => format!("named(c.tag, \"{value}\")"),
            _ => format!("same(c.{parameter}, \"{value}\")"),
        };
        let found = if include {
            found
        } else {
            format!("!({found})")
        };
        match parameter {
            "employee" => format!("(c.result == \"answered\" && {found})"),
            _ => found,
        }
    }
}

/// Returns the settings.
pub(crate) fn settings() -> anyhow::Result<IntegrationSettings> {
    let groups = GROUPS.map(|group| json!({ "kind": "any", "of": group.map(Condition::setting) }));
    let case = json!({ "action": { "kind": "contact_and_deal", "pipeline": "1", "stage": "2" } });
    let settings = json!({ "calls": {
        "default_responsible": "501",
        "fields": [
            { "card": "contact", "field": "35", "value": "{{ employee_name | default('никто') }}" },
            { "card": "deal", "field": "41",
              "value": "{{ event }} {{ client_phone }}{% if queue %}, {{ queue }}{% endif %}" },
        ],
        "incoming": {
            "filter": { "kind": "all", "of": groups },
            "answered_unknown": case,
            "missed_unknown": case,
            "contact_name": "{{ client_phone }} ({{ source_name }})",
            "deal_name": "{{ event }}: {{ employee_name | default('?') }}, {{ our_number }}",
            "task": { "due": { "kind": "after", "hours": 2 },
                      "text": "Разобрать {{ client_phone }}: {{ talk_s }} с" },
            "missed_task": { "due": { "kind": "after", "minutes": 15 },
                             "text": "Перезвонить {{ client_phone }}: ждал {{ wait_s }} с" },
        },
    } });
    Ok(serde_json::from_value(settings)?)
}

/// Returns the same as a script; it takes a call and returns the texts.
pub(crate) fn script() -> String {
    let any = GROUPS.map(|group| format!("({})", group.map(Condition::expression).join(" || ")));
    let accepted = any.join("\n        && ");
    format!(
        r#"
fn same(text, value) {{
    let text = text + "";
    text.make_lower();
    text.trim();
    text == value
}}

fn named(texts, value) {{
    for text in texts {{
        if same(text, value) {{ return true; }}
    }}
    false
}}

fn filled(text, other) {{
    if text == "" {{ other }} else {{ text }}
}}

fn decide(c) {{
    if !({accepted}) {{
        return [];
    }}
    let answered = c.result == "answered";
    let event = if answered {{ "Входящий звонок" }} else {{ "Пропущенный звонок" }};
    let queue = if c.last_queue == "" {{ "" }} else {{ `, ${{c.last_queue}}` }};
    [
        `contact ${{c.client_phone}} (${{c.source_name}})`,
        `deal ${{event}}: ${{filled(c.employee_name, "?")}}, ${{c.our_number}}`,
        `35 ${{filled(c.employee_name, "никто")}}`,
        `41 ${{event}} ${{c.client_phone}}${{queue}}`,
        if answered {{ `task Разобрать ${{c.client_phone}}: ${{c.talk_s}} с` }}
        else {{ `task Перезвонить ${{c.client_phone}}: ждал ${{c.wait_s}} с` }},
    ]
}}
"#
    )
}

/// Ten employees, with the extensions 101 to 110.
pub(crate) fn employees() -> anyhow::Result<Employees> {
    let people = (101..=110).map(|extension| {
        json!({
            "id": format!("e{extension}"),
            "name": format!("Сотрудник {extension}"),
            "extensions": [{ "source": "office", "extension": extension.to_string() }],
            "users": [{ "account": "sales", "user": extension.to_string() }],
            "phones": [],
        })
    });
    Ok(serde_json::from_value(people.collect())?)
}

/// One call.
pub(crate) struct Seen(usize);

/// Returns the calls: whatever a condition looks at changes with a rhythm of its own.
pub(crate) fn calls() -> Vec<Seen> {
    (0..997).map(Seen).collect()
}

impl Seen {
    fn one_of<'a>(&self, step: usize, values: &[&'a str]) -> &'a str {
        // Steps that share no factor with the lengths, and lists that are not empty.
        values[(self.0 / step + self.0) % values.len()]
    }

    fn answered(&self) -> bool {
        !self.0.is_multiple_of(3)
    }

    fn extension(&self) -> usize {
        101 + self.0 % 10
    }

    fn queues(&self) -> Vec<&'static str> {
        match self.0 % 4 {
            0 => vec![],
            1 => vec!["support"],
            2 => vec!["support", "sales"],
            _ => vec!["vip"],
        }
    }

    fn tags(&self) -> Vec<&'static str> {
        match self.0 % 5 {
            0 => vec!["Спам"],
            1 => vec![],
            2 => vec!["Срочно", "спам"],
            _ => vec!["Новый"],
        }
    }

    fn our_number(&self) -> String {
        format!("+7495111223{}", self.0 % 7)
    }

    fn phone(&self) -> String {
        format!("+7916{:07}", self.0)
    }

    fn talk_s(&self) -> u64 {
        if self.answered() { 54 } else { 0 }
    }

    fn details(&self) -> [(&'static str, &'static str); 5] {
        let campaigns = ["Весна", "лето", " Осень", "Зима", "акция"];
        let sites = [
            "shop.example",
            "old.example",
            "WWW.example",
            "promo.example",
        ];
        let sources = ["Поиск", "карты", "реклама", "почта", "прямой"];
        [
            ("campaign", self.one_of(2, &campaigns)),
            ("first_campaign", self.one_of(3, &campaigns)),
            ("site", self.one_of(5, &sites)),
            ("source", self.one_of(7, &sources)),
            (
                "scenario",
                self.one_of(11, &["Основной", "ночной", "Проверка"]),
            ),
        ]
    }

    /// Returns it as the script is told of it.
    pub(crate) fn told(&self) -> Value {
        let queues = self.queues();
        let employee = |text: String| if self.answered() { text } else { String::new() };
        let mut told = json!({
            "direction": "incoming",
            "result": if self.answered() { "answered" } else { "missed" },
            "our_number": self.our_number(),
            "queue": queues,
            "last_queue": queues.last().copied().unwrap_or(""),
            "tag": self.tags(),
            "employee": employee(format!("e{}", self.extension())),
            "employee_name": employee(format!("Сотрудник {}", self.extension())),
            "client_phone": self.phone(),
            "source_name": SOURCE_NAME,
            "talk_s": self.talk_s(),
            "wait_s": 8,
        });
        for (name, value) in self.details() {
            told[name] = Value::from(value);
        }
        told
    }

    /// Returns it as a source reports it.
    pub(crate) fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let mut call = json!({
            "direction": "incoming",
            "phase": "ended",
            "result": { "kind": "missed", "reason": "no_answer" },
            "client": { "kind": "phone", "phone": self.phone() },
            "our_number": self.our_number(),
            "started_at": "2026-11-20T09:00:00Z",
            "ended_at": ENDED,
            "waiting_ms": 8000,
            "talking_ms": self.talk_s() * 1000,
            "queues": self.queues(),
            "tags": self.tags(),
            "details": self.details().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        });
        if self.answered() {
            let extension = self.extension().to_string();
            call["result"] = json!({ "kind": "answered" });
            call["answered_at"] = json!("2026-11-20T09:00:08Z");
            call["talkers"] = json!([extension]);
            call["last_talker"] = json!(extension);
            call["legs"] = json!([{ "extension": extension, "rung_at": "2026-11-20T09:00:01Z" }]);
        }
        Ok(Snapshot {
            key: format!("romashka/office/{}", self.0).parse()?,
            revision: 1,
            body: Body::Call {
                call: serde_json::from_value(call)?,
            },
        })
    }
}
