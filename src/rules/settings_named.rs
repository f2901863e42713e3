//! What settings name of the CRM: users, pipelines with stages, sorts of tasks, additional fields.
//! Whether it is there shows when the CRM is asked (V-12).

use crate::model::deal_settings::DealSettings;
use crate::model::ids::CrmUserId;
use crate::model::in_crm::{CrmThing, NamedInCrm};

use super::settings::{
    Assign, CallSettings, Choices, DirectionSettings, IntegrationSettings, KnownAction,
    RequestMethod, ResponsibleRule, TaskSettings, UnknownAction,
};

impl IntegrationSettings {
    /// Returns everything of the CRM that the settings name, with the path of each. What is
    /// switched off is named as well: it may be switched on.
    pub fn named_in_crm(&self) -> Vec<NamedInCrm> {
        let mut named = Named(Vec::new());
        if let Some(calls) = &self.calls {
            named.calls(calls);
        }
        if let Some(requests) = &self.requests {
            named.written("requests", &requests.choices());
        }
        if let Some(chats) = &self.chats {
            named.written("chats", &chats.choices());
        }
        for (path, rule) in self.field_rules() {
            let is_constant = !rule.value.0.contains('{');
            let constant = is_constant.then(|| rule.value.0.trim().to_owned());
            named.add(
                path,
                CrmThing::Field {
                    entity: rule.card.entity(),
                    field: rule.field.clone(),
                    constant,
                },
            );
        }
        named
            .0
            .extend(self.deals.iter().flat_map(DealSettings::named));
        named.0
    }
}

struct Named(Vec<NamedInCrm>);

impl Named {
    fn add(&mut self, path: String, what: CrmThing) {
        self.0.push(NamedInCrm { path, what });
    }

    fn user(&mut self, path: String, user: &CrmUserId) {
        self.add(path, CrmThing::User(user.clone()));
    }

    fn stage(&mut self, path: String, pipeline: &str, stage: &str) {
        let (pipeline, stage) = (pipeline.to_owned(), stage.to_owned());
        self.add(path, CrmThing::Stage { pipeline, stage });
    }

    fn unsorted(&mut self, path: String, pipeline: &str) {
        self.add(path, CrmThing::UnsortedPipeline(pipeline.to_owned()));
    }

    fn task(&mut self, path: &str, task: Option<&TaskSettings>) {
        if let Some(task_type) = task.and_then(|task| task.task_type.as_ref()) {
            let what = CrmThing::TaskType(task_type.clone());
            self.add(format!("{path}.task_type"), what);
        }
    }

    fn rules<P>(&mut self, path: &str, rules: &[ResponsibleRule<P>]) {
        for (position, rule) in rules.iter().enumerate() {
            self.assign(format!("{path}.{position}.assign"), &rule.assign);
        }
    }

    fn assign(&mut self, path: String, assign: &Assign) {
        if let Assign::User { user } = assign {
            self.user(format!("{path}.user"), user);
        }
    }

    fn calls(&mut self, calls: &CallSettings) {
        let path = "calls.default_responsible".to_owned();
        self.user(path, &calls.default_responsible);
        self.rules("calls.responsible", &calls.responsible);
        self.direction("calls.incoming", &calls.incoming);
        self.direction("calls.outgoing", &calls.outgoing);
    }

    fn direction(&mut self, path: &str, direction: &DirectionSettings) {
        let unknown = [
            ("answered_unknown", &direction.answered_unknown),
            ("missed_unknown", &direction.missed_unknown),
        ];
        for (key, case) in unknown {
            let Some(case) = case else { continue };
            let path = format!("{path}.{key}.action");
            match &case.action {
                UnknownAction::ContactAndDeal { pipeline, stage }
                | UnknownAction::LeadOrDeal {
                    pipeline, stage, ..
                } => self.stage(path, pipeline, stage),
                UnknownAction::Unsorted { pipeline } => self.unsorted(path, pipeline),
                UnknownAction::Contact {} => {}
            }
        }
        let known = [
            ("answered_known", &direction.answered_known),
            ("missed_known", &direction.missed_known),
        ];
        for (key, case) in known {
            let Some(case) = case else { continue };
            let path = format!("{path}.{key}.action");
            match &case.action {
                KnownAction::ContactAndDeal {
                    pipeline, stage, ..
                }
                | KnownAction::LeadOrDeal {
                    pipeline, stage, ..
                }
                | KnownAction::DealAlways { pipeline, stage } => self.stage(path, pipeline, stage),
                KnownAction::Unsorted { pipeline } => self.unsorted(path, pipeline),
            }
        }
        for (key, assign) in direction.assigned() {
            self.assign(format!("{path}.{key}.assign_to"), assign);
        }
        self.task(&format!("{path}.task"), direction.task.as_ref());
        let missed = direction.missed_task.as_ref();
        self.task(&format!("{path}.missed_task"), missed);
    }

    fn written<P>(&mut self, block: &str, choices: &Choices<'_, P>) {
        let at = |key: &str| format!("{block}.{key}");
        self.user(at("default_responsible"), choices.default_responsible);
        self.rules(&at("responsible"), choices.responsible);
        for (key, assign) in choices.assigned() {
            self.assign(at(key), assign);
        }
        self.method(&at("method"), choices.method);
        if let Some(repeat) = choices.repeat_method {
            self.method(&at("repeat_method"), repeat);
        }
        for (position, rule) in choices.pipelines.iter().enumerate() {
            let path = format!("{block}.pipelines.{position}");
            self.stage(path, &rule.pipeline, &rule.stage);
        }
        for (key, task) in &choices.tasks {
            self.task(&at(key), *task);
        }
    }

    fn method(&mut self, path: &str, method: &RequestMethod) {
        match method {
            RequestMethod::ByHand {} | RequestMethod::Contact { deal: None } => {}
            RequestMethod::Unsorted { pipeline } => self.unsorted(path.to_owned(), pipeline),
            RequestMethod::Contact { deal: Some(place) } => {
                self.stage(format!("{path}.deal"), &place.pipeline, &place.stage);
            }
            RequestMethod::ContactAndDeal { pipeline, stage }
            | RequestMethod::LeadOrDeal {
                pipeline, stage, ..
            } => self.stage(path.to_owned(), pipeline, stage),
        }
    }
}
