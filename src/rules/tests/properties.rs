//! What holds for any call, any facts, any settings and any ledger.

use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction, MissReason};
use crate::model::capabilities::{Capabilities, Certainty, StepCapability};
use crate::model::communication::{Body, Kind, Phase, Snapshot};
use crate::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use crate::model::explanation::{Explanation, Language};
use crate::model::facts::{ContactFact, DealFact, Facts, FactsOrigin};
use crate::model::ids::{CrmUserId, Extension};
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState, Verdict};
use crate::model::outcome::StepResult;
use crate::model::phone::{ClientNumber, Phone};
use crate::model::plan::{Effect, NewContact, Plan, PlannedStep, Role, StepKind, Target};
use crate::model::recording::RecordingAddress;
use crate::model::timestamp::Timestamp;
use crate::rules::settings::{
    Assign, CallHistory, CallParameter, CallSettings, DirectionSettings, FieldCard, FieldRule,
    Filter, IntegrationSettings, Interval, KnownAction, KnownCase, Moment, ResponsibleRule,
    TagSettings, Talker, TaskDue, TaskSettings, Telephony, Template, UnknownAction, UnknownCase,
};
use crate::rules::situation::Situation;
use crate::rules::{Triage, plan, replaced, triage};

fn phone(text: &str) -> Phone {
    Phone::try_from(text.to_owned()).expect("a number")
}

fn a_phone() -> impl Strategy<Value = Phone> {
    prop_oneof!["\\+7916000000[0-3]", Just("+74950000001".to_owned())].prop_map(|t| phone(&t))
}

fn a_client() -> impl Strategy<Value = ClientNumber> {
    prop_oneof![
        8 => a_phone().prop_map(|phone| ClientNumber::Phone { phone }),
        1 => ".{0,8}".prop_map(|text| ClientNumber::Other { text }),
        1 => Just(ClientNumber::Withheld),
    ]
}

fn an_extension() -> impl Strategy<Value = Extension> {
    "10[0-3]|".prop_map(Extension)
}

fn a_miss() -> impl Strategy<Value = MissReason> {
    prop::sample::select(vec![
        MissReason::NoAnswer,
        MissReason::Busy,
        MissReason::Declined,
        MissReason::CallerGaveUp,
        MissReason::AbandonedInQueue,
        MissReason::NobodyRung,
        MissReason::Failed,
    ])
}

fn a_result() -> impl Strategy<Value = CallResult> {
    prop_oneof![
        4 => Just(CallResult::Answered),
        4 => a_miss().prop_map(|reason| CallResult::Missed { reason }),
        1 => Just(CallResult::Open),
        1 => a_miss().prop_map(|reason| CallResult::EmployeeNotReached { reason }),
    ]
}

fn a_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        9 => 1_763_000_000_000..1_763_000_009_000_i64,
        1 => any::<i64>(),
    ]
    .prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn a_call()(
        direction in prop::sample::select(vec![
            Direction::Incoming, Direction::Outgoing, Direction::Incoming, Direction::Internal,
        ]),
        phase in prop::sample::select(vec![
            CallPhase::Ended, CallPhase::Ended, CallPhase::RecordingReady, CallPhase::Answered,
        ]),
        result in a_result(),
        client in a_client(),
        caller_extension in option::of(an_extension()),
        started_at in a_time(),
        talking_ms in any::<u64>(),
        rung in vec(an_extension(), 0..3),
        talkers in vec(an_extension(), 0..3),
        last_talker in option::of(an_extension()),
        blind in option::of(".{0,8}"),
    ) -> Call {
        let leg = |extension| CallLeg {
            extension,
            rung_at: started_at,
            talked_from: None,
            talked_until: None,
        };
        Call {
            direction, phase, result, client, caller_extension, started_at, talking_ms, talkers,
            last_talker, blind,
            client_name: None,
            our_number: None,
            answered_at: None,
            ended_at: None,
            waiting_ms: 0,
            legs: rung.into_iter().map(leg).collect(),
            queues: Vec::new(),
            recordings: Vec::new(),
            click_to_call: None,
            tags: Vec::new(),
            details: Default::default(),
        }
    }
}

prop_compose! {
    fn a_deal()(id in "[0-3]", open in any::<bool>(), created_at in a_time()) -> DealFact {
        DealFact {
            id, open, created_at,
            pipeline: "1".to_owned(),
            stage: "2".to_owned(),
            responsible: None,
            closed_at: None,
        }
    }
}

prop_compose! {
    fn a_card()(
        id in "[0-3]",
        name in ".{0,4}",
        user in option::of("50[0-2]"),
        updated_at in a_time(),
        deals in vec(a_deal(), 0..3),
    ) -> ContactFact {
        ContactFact {
            id, name, updated_at, deals,
            responsible: user.map(CrmUserId),
            created_at: updated_at,
        }
    }
}

prop_compose! {
    fn some_facts()(
        as_of in a_time(),
        contacts in vec(a_card(), 0..3),
        companies in vec(a_card(), 0..2),
    ) -> Facts {
        Facts { as_of, origin: FactsOrigin::Crm, contacts, companies, leads: Vec::new(), closed_leads: Vec::new(), fields: None }
    }
}

fn an_unknown_case() -> impl Strategy<Value = UnknownCase> {
    let (pipeline, stage) = ("31".to_owned(), "7".to_owned());
    let action = prop::sample::select(vec![
        UnknownAction::ContactAndDeal {
            pipeline: pipeline.clone(),
            stage,
        },
        UnknownAction::Unsorted { pipeline },
        UnknownAction::Contact {},
    ]);
    (prop::bool::weighted(0.9), action, a_moment()).prop_map(|(on, action, at)| UnknownCase {
        on,
        action,
        at,
        assign_to: None,
    })
}

fn a_moment() -> impl Strategy<Value = Moment> {
    prop::sample::select(vec![Moment::End, Moment::Answer])
}

fn a_known_case() -> impl Strategy<Value = KnownCase> {
    let (pipeline, stage) = ("31".to_owned(), "7".to_owned());
    let action = prop::sample::select(vec![
        KnownAction::ContactAndDeal {
            pipeline: pipeline.clone(),
            stage: stage.clone(),
            wait: None,
        },
        KnownAction::ContactAndDeal {
            pipeline: pipeline.clone(),
            stage: stage.clone(),
            wait: Some(Interval {
                days: 1,
                ..Interval::default()
            }),
        },
        KnownAction::LeadOrDeal {
            pipeline: pipeline.clone(),
            stage: stage.clone(),
            lead_stage: None,
            wait: None,
        },
        KnownAction::DealAlways {
            pipeline: pipeline.clone(),
            stage,
        },
        KnownAction::Unsorted { pipeline },
    ]);
    (prop::bool::weighted(0.9), action, a_moment()).prop_map(|(on, action, at)| KnownCase {
        on,
        action,
        at,
        assign_to: None,
    })
}

fn a_template() -> impl Strategy<Value = Template> {
    let texts = [
        "{{ event }} {{ client_phone }}",
        "{{ contact_name }}",
        "{% if answered %}{{ employee_name | upper }}{% endif %}",
        "{{ nothing }}",
        "{{",
    ];
    prop::sample::select(texts.to_vec()).prop_map(|text| Template(text.to_owned()))
}

prop_compose! {
    fn a_task()(
        on in prop::bool::weighted(0.9),
        text in option::of(a_template()),
        task_type in option::of(Just("2".to_owned())),
        minutes in any::<u32>(),
    ) -> TaskSettings {
        let due = TaskDue::After(Interval { minutes, ..Interval::default() });
        TaskSettings { on, text, task_type, due, schedule: None }
    }
}

prop_compose! {
    fn a_field()(
        card in prop::sample::select(vec![FieldCard::Contact, FieldCard::Deal]),
        value in a_template(),
        update_always in any::<bool>(),
    ) -> FieldRule {
        FieldRule { card, field: "41".to_owned(), value, update_always }
    }
}

fn a_rule() -> impl Strategy<Value = ResponsibleRule> {
    let assign = prop::sample::select(vec![
        Assign::User {
            user: CrmUserId("502".to_owned()),
        },
        Assign::Employee {
            employee: "petrova".parse().expect("an id"),
        },
        Assign::Employee {
            employee: "nobody".parse().expect("an id"),
        },
        Assign::Talker {},
        Assign::Caller {},
        Assign::ContactOwner {},
    ]);
    let parameter = prop::sample::select(vec![
        CallParameter::Direction,
        CallParameter::Result,
        CallParameter::Employee,
        CallParameter::Queue,
        CallParameter::OurNumber,
    ]);
    let values = prop::sample::select(vec!["incoming", "missed", "ivanov"]);
    let when = (parameter, values, any::<bool>()).prop_map(|(parameter, value, include)| {
        let values = vec![value.to_owned()];
        if include {
            Filter::Include { parameter, values }
        } else {
            Filter::Exclude { parameter, values }
        }
    });
    (option::of(when), assign, prop::bool::weighted(0.9)).prop_map(|(when, assign, on)| {
        ResponsibleRule {
            name: "a rule".to_owned(),
            on,
            when,
            assign,
        }
    })
}

prop_compose! {
    fn a_direction()(
        filtered_numbers in vec(a_phone(), 0..2),
        answered_unknown in option::of(an_unknown_case()),
        missed_unknown in option::of(an_unknown_case()),
        answered_known in option::of(a_known_case()),
        missed_known in option::of(a_known_case()),
        contact_name in option::of(a_template()),
        deal_name in option::of(a_template()),
        task in option::of(a_task()),
        missed_task in option::of(a_task()),
    ) -> DirectionSettings {
        DirectionSettings {
            filtered_numbers, answered_unknown, missed_unknown, answered_known, missed_known,
            contact_name, deal_name, task, missed_task, filter: None,
            filtered: Default::default(), missed_deal_name: None,
        }
    }
}

prop_compose! {
    fn some_settings()(
        present in prop::bool::weighted(0.95),
        partner_numbers in vec(a_phone(), 0..1),
        call_history in prop::sample::select(vec![CallHistory::Card, CallHistory::CrmChooses]),
        talker in prop::sample::select(vec![Talker::First, Talker::Last]),
        responsible in vec(a_rule(), 0..3),
        number in any::<bool>(),
        telephony in prop_oneof![
            4 => Just(Telephony::Ours),
            1 => Just(Telephony::Another),
        ],
        fields in vec(a_field(), 0..3),
        incoming in a_direction(),
        outgoing in a_direction(),
    ) -> IntegrationSettings {
        let default_responsible = CrmUserId("501".to_owned());
        let tags = TagSettings { on: true, number, source: number, list: vec!["call".to_owned()] };
        let calls = CallSettings {
            default_responsible, partner_numbers, call_history, incoming, outgoing,
            on: true, talker, responsible, tags, telephony, fields, notify: number,
        };
        IntegrationSettings { calls: present.then_some(calls), ..IntegrationSettings::default() }
    }
}

fn a_state() -> impl Strategy<Value = StepState> {
    let at = Timestamp::from_secs(1_763_000_000);
    let reason = String::new();
    prop::sample::select(vec![
        StepState::Pending,
        StepState::InFlight { since: at },
        StepState::Done {
            at,
            result: StepResult::default(),
        },
        StepState::Waiting {
            until: at,
            why: String::new(),
            look_first: false,
            settles_at: None,
        },
        StepState::Dead {
            at,
            reason: reason.clone(),
        },
        StepState::Dropped { at, reason },
        StepState::Expired { at },
    ])
}

/// Any roles in any states, planned by a decision of this phase or of another.
fn a_ledger() -> impl Strategy<Value = Ledger> {
    let roles = [
        "contact",
        "deal",
        "unsorted",
        "call-record",
        "task",
        "contact-fields",
        "deal-fields",
        "something-else",
    ];
    let step = (a_state(), 0..3_u32, 1..3_u64);
    let steps = vec(option::weighted(0.4, step), roles.len());
    (option::of(any::<bool>()), any::<bool>(), steps).prop_map(move |(first_time, again, steps)| {
        let at = Timestamp::from_secs(1_763_000_000);
        let decision = |work, phase| Decision {
            work,
            phase,
            at,
            revision: 1,
            settings: 1,
            portal: None,
            facts: None,
            recording: None,
            verdict: Verdict::Planned,
            explanation: Explanation::default(),
            roles: Vec::new(),
            seen: None,
        };
        let mut decisions = vec![decision(1, Phase::Answered)];
        if again {
            decisions.push(decision(2, Phase::Ended));
        }
        let steps = roles.iter().zip(steps).filter_map(|(role, step)| {
            let (state, attempts, work) = step?;
            Some(LedgerStep {
                role: Role::new(role),
                work,
                effect: Effect::CreateContact(NewContact {
                    name: String::new(),
                    phones: Vec::new(),
                    emails: Vec::new(),
                    responsible: None,
                    tags: Vec::new(),
                    fields: Vec::new(),
                    template: None,
                }),
                state,
                attempts,
                first_sent_at: None,
            })
        });
        Ledger {
            first_time,
            decisions,
            steps: steps.collect(),
            passing: Vec::new(),
            notices: Vec::new(),
        }
    })
}

fn some_capabilities() -> impl Strategy<Value = Capabilities> {
    let kinds = prop_oneof![
        3 => Just(StepKind::ALL.to_vec()),
        1 => prop::sample::subsequence(StepKind::ALL.to_vec(), 0..=StepKind::ALL.len()),
    ];
    kinds.prop_map(|kinds| Capabilities {
        steps: kinds
            .into_iter()
            .map(|kind| StepCapability {
                kind,
                certainty: Certainty::BySearch,
                batch_max: 50,
            })
            .collect(),
        phases: vec![(Kind::Call, Phase::Answered), (Kind::Call, Phase::Ended)],
        calls: Default::default(),
    })
}

fn the_people() -> Employees {
    let person = |id: &str, extension: &str, user: Option<&str>, own: &[&str]| Employee {
        id: id.parse().expect("an id"),
        name: id.to_owned(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: "office".parse().expect("an id"),
            extension: Extension(extension.to_owned()),
        }],
        users: user
            .map(|user| EmployeeUser {
                account: "sales".parse().expect("an id"),
                user: CrmUserId(user.to_owned()),
            })
            .into_iter()
            .collect(),
        phones: own.iter().map(|text| phone(text)).collect(),
    };
    Employees(vec![
        person("ivanov", "101", Some("501"), &["+79160000003"]),
        person("petrova", "102", None, &[]),
    ])
}

/// Everything that must hold of a plan, whatever it came from.
fn check_plan(situation: &Situation<'_>, triaged: &Triage, planned: &Plan) {
    let Plan {
        steps,
        explanation,
        first_time,
    } = planned;
    assert!(!explanation.0.is_empty(), "a decision without a reason");
    for language in [Language::Ru, Language::En] {
        assert!(
            explanation
                .sentences(language)
                .all(|sentence| !sentence.is_empty())
        );
    }
    match triaged {
        Triage::Ignore(why) => assert!(steps.is_empty() && explanation == why),
        Triage::Plan(plan) => assert_eq!(&**plan, planned),
        Triage::Ask(_) => assert!(first_time.is_some(), "first-time or repeat is settled"),
    }
    if let Some(settled) = situation.ledger.first_time {
        assert_eq!(*first_time, Some(settled), "settled once");
    }
    if situation.phase == Phase::Answered {
        let ended = steps.iter().find(|step| {
            matches!(
                step.effect.kind(),
                StepKind::RecordCall | StepKind::CreateTask | StepKind::FillFields
            )
        });
        assert!(ended.is_none(), "{planned} before the end");
    }
    let replaced = replaced(situation);
    let stands = |role: &Role| {
        let step = situation.ledger.step(role);
        step.filter(|_| !replaced.contains(&role))
    };
    let calls = situation.settings.calls.as_ref();
    if calls.is_some_and(|calls| calls.telephony == Telephony::Another) {
        let only_fields = |step: &PlannedStep| step.effect.kind() == StepKind::FillFields;
        assert!(
            steps.iter().all(only_fields),
            "{planned} beside another telephony"
        );
    }
    for (number, step) in steps.iter().enumerate() {
        let earlier = &steps[..number];
        assert!(
            earlier.iter().all(|other| other.role != step.role),
            "{planned} one role twice"
        );
        assert!(
            stands(&step.role).is_none(),
            "{planned} a role that stands in the ledger"
        );
        let kind = step.effect.kind();
        assert!(
            situation.capabilities.step(kind).is_some(),
            "{planned} is not offered"
        );
        if let Some(Target::Made { by, .. }) = step.effect.target() {
            let alive = stands(by).is_some_and(|step| {
                use StepState::{Dead, Dropped, Expired};
                !matches!(step.state, Dead { .. } | Dropped { .. } | Expired { .. })
            });
            let planned_before = earlier.iter().any(|other| other.role == *by);
            assert!(
                alive || planned_before,
                "{planned} points at what nothing makes"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_never_panics_never_repeats_a_role_and_is_always_the_same(
        call in a_call(),
        phase in prop::sample::select(vec![
            Phase::Ended, Phase::Ended, Phase::Answered, Phase::RecordingReady,
        ]),
        facts in some_facts(),
        settings in some_settings(),
        ledger in a_ledger(),
        capabilities in some_capabilities(),
        recording in option::of(any::<bool>()),
    ) {
        let recording = recording.map(|ready| RecordingAddress {
            link: "https://box.example/r/token".to_owned(),
            ready,
            upload: false,
        });
        let snapshot = Snapshot {
            key: "romashka/office/1".parse().expect("a key"),
            revision: 1,
            body: Body::Call { call },
        };
        let employees = the_people();
        let account = "sales".parse().expect("an id");
        let situation = Situation {
            snapshot: &snapshot,
            phase,
            work: 1,
            ledger: &ledger,
            settings: &settings,
            employees: &employees,
            account: &account,
            capabilities: &capabilities,
            source_name: "office",
            recording: recording.as_ref(),
            time_zone: &TimeZone::UTC,
            now: Timestamp::from_secs(1_763_000_100),
        };
        let planned = plan(&situation, &facts);
        let triaged = triage(&situation);
        prop_assert_eq!(&planned, &plan(&situation, &facts));
        prop_assert_eq!(&triaged, &triage(&situation));
        check_plan(&situation, &triaged, &planned);
    }
}
