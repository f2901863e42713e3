//! Checks how a tenant answers who a caller should reach: `[questions]`, `[[numbers]]`, the hours
//! and stand-ins of `[[employees]]`, and `[sources.questions]`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::model::answering::{
    Exits, InboundNumber, PersonAnswering, Scenario, SourceAnswering, TenantAnswering,
};
use crate::model::ids::{EmployeeId, Extension, SourceId};
use crate::model::ip_range::IpRange;
use crate::model::phone::{Phone, Region};
use crate::model::work_hours::{WorkHours, WorkSpan};

use super::key_path::KeyPath;
use super::mistake::Findings;
use super::names::Declared;
use super::people::is_login;
use super::raw::{
    RawEmployee, RawExits, RawInboundNumber, RawScenario, RawSourceQuestions, RawTenantFile,
    RawWorkSpan,
};
use super::reading::Places;
use super::tenant::Context;

/// A CRM does not answer faster.
const LIVE_MS_MIN: u64 = 50;

/// Nobody listens to silence for longer, and a phone system that asks us gives up by then.
const LIVE_MS_MAX: u64 = 5_000;

/// Checks what stands at the top of the file and with the employees.
pub(super) fn tenant(
    findings: &mut Findings<'_>,
    raw: &RawTenantFile,
    places: &Places,
    sources: &Declared<'_>,
    integrations: &Declared<'_>,
    region: Region,
) -> TenantAnswering {
    let document = findings.document();
    let employees = Declared::in_list(document, "employees", "employee");
    let order = KeyPath::top().key("questions").key("integrations");
    let integrations = match &raw.questions.integrations {
        None => raw
            .integrations
            .iter()
            .filter_map(|raw| raw.id.parse().ok())
            .collect(),
        Some(written) => {
            let mut checked = Vec::new();
            for (path, text) in places.of(&order, written) {
                let id = integrations.refer(findings, &path, text);
                if id.as_ref().is_some_and(|id| checked.contains(id)) {
                    findings.mistake(&path, "it stands in this list already");
                }
                checked.extend(id);
            }
            checked
        }
    };
    let numbers = Numbers {
        sources,
        employees: &employees,
        places,
        people: &raw.employees,
        region,
    };
    TenantAnswering {
        integrations,
        numbers: numbers.check(findings, &raw.numbers),
        people: people(findings, &raw.employees, places, &employees),
    }
}

/// What the company's numbers refer to.
struct Numbers<'a> {
    sources: &'a Declared<'a>,
    employees: &'a Declared<'a>,
    places: &'a Places,
    people: &'a [RawEmployee],
    region: Region,
}

impl Numbers<'_> {
    fn check(&self, findings: &mut Findings<'_>, raw: &[RawInboundNumber]) -> Vec<InboundNumber> {
        let list = KeyPath::top().key("numbers");
        let mut owners: HashMap<(String, Option<&str>), KeyPath> = HashMap::new();
        let mut checked = Vec::new();
        for (table, raw) in self.places.of(&list, raw) {
            let path = table.key("number");
            let one_form = match Phone::parse(&raw.number, self.region) {
                Ok(phone) => phone.into(),
                Err(_) if is_login(&raw.number) => raw.number.clone(),
                Err(_) => {
                    findings.mistake(
                        &path,
                        "write a telephone number, or what the source calls the number, without \
                         spaces",
                    );
                    raw.number.clone()
                }
            };
            let key = (one_form, raw.source.as_deref());
            if let Some(first) = owners.insert(key, table.clone()) {
                findings.mistake(&path, format!("{first} has this number already"));
            }
            let source: Option<Option<SourceId>> = match &raw.source {
                None => Some(None),
                Some(text) => self
                    .sources
                    .refer(findings, &table.key("source"), text)
                    .map(Some),
            };
            let scenario = self.scenario(findings, &table, raw);
            let owner = self.person(findings, &table.key("owner"), raw.owner.as_deref(), raw);
            let exits = exits(findings, &table.key("exits"), &raw.exits);
            if let (Some(source), Some(scenario), Some(owner)) = (source, scenario, owner) {
                let number = raw.number.clone();
                checked.push(InboundNumber {
                    number,
                    source,
                    scenario,
                    owner,
                    exits,
                });
            }
        }
        checked
    }

    fn scenario(
        &self,
        findings: &mut Findings<'_>,
        table: &KeyPath,
        raw: &RawInboundNumber,
    ) -> Option<Scenario> {
        let path = table.key("employee");
        let employee = self.person(findings, &path, raw.employee.as_deref(), raw)?;
        match (raw.scenario, employee) {
            (RawScenario::Employee, Some(employee)) => Some(Scenario::Employee(employee)),
            (RawScenario::Employee, None) => {
                findings.mistake(&path, "the scenario \"employee\" names whom it rings");
                None
            }
            (_, Some(_)) => {
                findings.mistake(
                    &path,
                    "only the scenario \"employee\" rings one; whom a number belongs to is its \
                     owner",
                );
                None
            }
            (RawScenario::PersonalManager, None) => Some(Scenario::PersonalManager),
            (RawScenario::Other, None) => Some(Scenario::Other),
        }
    }

    /// Reads whom a number names; the outer `None` = a mistake was added.
    fn person(
        &self,
        findings: &mut Findings<'_>,
        path: &KeyPath,
        text: Option<&str>,
        number: &RawInboundNumber,
    ) -> Option<Option<EmployeeId>> {
        let Some(text) = text else {
            return Some(None);
        };
        let id: EmployeeId = self.employees.refer(findings, path, text)?;
        let Some(person) = self.people.iter().find(|person| person.id == text) else {
            return Some(Some(id));
        };
        let mut extensions = person.extensions.iter();
        let rings = match &number.source {
            Some(source) => extensions.any(|extension| extension.source == *source),
            None => extensions.next().is_some(),
        };
        if !rings {
            let place = number.source.as_deref().unwrap_or("any source");
            findings.mistake(path, format!("{text:?} has no extension at {place}"));
        }
        Some(Some(id))
    }
}

fn people(
    findings: &mut Findings<'_>,
    raw: &[RawEmployee],
    places: &Places,
    employees: &Declared<'_>,
) -> BTreeMap<EmployeeId, PersonAnswering> {
    let list = KeyPath::top().key("employees");
    let mut checked = BTreeMap::new();
    for (table, raw) in places.of(&list, raw) {
        let hours = raw
            .hours
            .as_ref()
            .map(|raw| hours(findings, &table.key("hours"), raw, places));
        let path = table.key("stand_in");
        let stand_in = match &raw.stand_in {
            None => None,
            Some(text) if *text == raw.id => {
                findings.mistake(&path, "nobody stands in for himself");
                None
            }
            Some(text) => employees.refer(findings, &path, text),
        };
        let answering = PersonAnswering {
            personal_manager: raw.personal_manager,
            away: raw.away,
            hours,
            stand_in,
        };
        if let Ok(id) = raw.id.parse::<EmployeeId>()
            && answering != PersonAnswering::default()
        {
            checked.insert(id, answering);
        }
    }
    checked
}

fn hours(
    findings: &mut Findings<'_>,
    list: &KeyPath,
    raw: &[RawWorkSpan],
    places: &Places,
) -> WorkHours {
    let mut spans = Vec::new();
    for (entry, raw) in places.of(list, raw) {
        if raw.days.is_empty() {
            findings.mistake(&entry.key("days"), "name at least one day: mon, tue, …");
        }
        let from = findings.take(&entry.key("from"), raw.from.parse());
        let to = findings.take(&entry.key("to"), raw.to.parse());
        if let (Some(from), Some(to)) = (from, to) {
            let days = raw.days.clone();
            spans.push(WorkSpan { days, from, to });
        }
    }
    WorkHours(spans)
}

/// Checks what one source may ask; `None` where a mistake was added.
pub(super) fn source(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: &RawSourceQuestions,
    places: &Places,
    context: &Context<'_>,
) -> Option<SourceAnswering> {
    let path = table.key("allow");
    let allow = match (&raw.allow, context.questions_from_afar) {
        (None, None) => IpRange::loopback().to_vec(),
        (None, Some((section, listen))) => {
            findings.mistake(
                &path,
                format!(
                    "{section}.listen is {listen}, which other machines reach: name the addresses \
                     that may ask for this source, such as allow = [\"10.0.0.5\"], or nobody with \
                     allow = []"
                ),
            );
            return None;
        }
        (Some(written), _) => {
            let mut checked = Vec::new();
            for (path, text) in places.of(&path, written) {
                checked.extend(findings.take(&path, text.parse::<IpRange>()));
            }
            checked
        }
    };
    let path = table.key("live_within_ms");
    let permitted = LIVE_MS_MIN..=LIVE_MS_MAX;
    if raw
        .live_within_ms
        .is_some_and(|ms| !permitted.contains(&ms))
    {
        findings.mistake(
            &path,
            format!("choose {LIVE_MS_MIN} to {LIVE_MS_MAX} milliseconds, or leave it out"),
        );
    }
    Some(SourceAnswering {
        allow,
        exits: exits(findings, &table.key("exits"), &raw.exits),
        unlisted: raw.unlisted,
        live_within: raw.live_within_ms.map(Duration::from_millis),
    })
}

fn exits(findings: &mut Findings<'_>, table: &KeyPath, raw: &RawExits) -> Exits {
    let mut read = |key: &str, text: &Option<String>| {
        let text = text.as_ref()?;
        if !is_login(text) {
            findings.mistake(&table.key(key), "write the extension without spaces");
        }
        Some(Extension(text.clone()))
    };
    Exits {
        default: read("default", &raw.default),
        no_manager: read("no_manager", &raw.no_manager),
        redirect_failed: read("redirect_failed", &raw.redirect_failed),
    }
}
