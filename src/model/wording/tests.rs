//! Every reason has its words.

use super::*;
use crate::model::call::MissReason;
use crate::model::communication::{Kind, Phase};
use crate::model::explanation::{
    CallAction, CallCase, CallTask, CardName, ChosenBy, ConditionSeen, Explanation, RulePass, Side,
    TemplateMiss, TransferAction, UserName,
};
use crate::model::field::FieldMiss;
use crate::model::ids::{CrmUserId, Extension};
use crate::model::phone::{Phone, Region};
use crate::model::plan::Entity;
use crate::model::timestamp::Timestamp;

const LANGUAGES: [Language; 2] = [Language::Ru, Language::En];

/// The number of variants of [`Reason`], as counted by [`ordinal`].
const REASONS: usize = 93;

/// Numbers the variants; a new one does not compile until it stands here, and then the test wants
/// a sample of it.
fn ordinal(reason: &Reason) -> usize {
    match reason {
        Reason::IntegrationOff => 0,
        Reason::IntegrationObserves => 1,
        Reason::NothingConfigured { .. } => 2,
        Reason::PhaseNotDecided { .. } => 3,
        Reason::PhaseNotOffered { .. } => 4,
        Reason::InternalCall => 5,
        Reason::EmployeePhone { .. } => 6,
        Reason::PartnerNumber { .. } => 7,
        Reason::NumberWithheld => 8,
        Reason::NumberUnreadable { .. } => 9,
        Reason::EmployeeNotReached { .. } => 10,
        Reason::SeenPartly { .. } => 11,
        Reason::EndUnseen => 12,
        Reason::ClientUnknown { .. } => 13,
        Reason::ClientKnown { .. } => 14,
        Reason::ClientOnlyCompany { .. } => 15,
        Reason::ContactChosen { .. } => 16,
        Reason::FirstTimeKept { .. } => 17,
        Reason::DecidedAgain => 18,
        Reason::NumberFiltered { .. } => 19,
        Reason::CaseAbsent { .. } => 20,
        Reason::CaseOff { .. } => 21,
        Reason::CaseActs { .. } => 22,
        Reason::ContactUsed { .. } => 23,
        Reason::ContactGone => 24,
        Reason::ContactAwaited => 90,
        Reason::OpenDeal { .. } => 25,
        Reason::NoOpenDeal => 26,
        Reason::StepStands { .. } => 27,
        Reason::StepGivenUp { .. } => 28,
        Reason::MadeAlready { .. } => 29,
        Reason::NotOffered { .. } => 30,
        Reason::ResponsibleDefault { .. } => 31,
        Reason::ResponsibleOfContact { .. } => 32,
        Reason::LoggedOnDeal { .. } => 33,
        Reason::LoggedOnContact { .. } => 34,
        Reason::LoggedOnCompany { .. } => 35,
        Reason::LoggedOnMade { .. } => 36,
        Reason::LoggedByCrm => 37,
        Reason::LoggedInUnsorted => 38,
        Reason::NothingToLogOn => 39,
        Reason::ExtensionUnknown { .. } => 40,
        Reason::EmployeeUnmapped { .. } => 41,
        Reason::NobodyNamed { .. } => 42,
        Reason::DecidedAtAnswer => 43,
        Reason::CaseAtEnd { .. } => 44,
        Reason::DealTooSoon { .. } => 45,
        Reason::Tagged { .. } => 46,
        Reason::TemplateFailed { .. } => 47,
        Reason::TaskActs { .. } => 48,
        Reason::TaskOff { .. } => 49,
        Reason::ResponsibleByRule { .. } => 50,
        Reason::RulePassed { .. } => 51,
        Reason::TaskOfTalker { .. } => 52,
        Reason::TalkerPassed { .. } => 53,
        Reason::TaskOfCardOwner { .. } => 54,
        Reason::OtherTelephony => 55,
        Reason::FieldsFilled { .. } => 56,
        Reason::NoCardForFields { .. } => 57,
        Reason::RecordingLinked => 58,
        Reason::RecordingThere => 59,
        Reason::RecordingWithoutEntry => 60,
        Reason::KindOff { .. } => 61,
        Reason::ConditionsSeen { .. } => 62,
        Reason::FilteredOut { .. } => 63,
        Reason::AddressesUnknown { .. } => 64,
        Reason::AddressesKnown { .. } => 65,
        Reason::RepeatLeft { .. } => 66,
        Reason::MethodActs { .. } => 67,
        Reason::PipelineByRule { .. } => 68,
        Reason::ContentNoted { .. } => 69,
        Reason::TextTaskActs { .. } => 70,
        Reason::DefaultAnswers { .. } => 71,
        Reason::RuleAnswers { .. } => 72,
        Reason::CallFiltered { .. } => 73,
        Reason::LogOfOwner { .. } => 74,
        Reason::LoggedOnLead { .. } => 75,
        Reason::OpenLead { .. } => 76,
        Reason::ChatWithoutContacts => 77,
        Reason::ChatAtOtherMoment { .. } => 78,
        Reason::NobodyTookChat => 79,
        Reason::ChatActedBefore => 80,
        Reason::ChatLost => 81,
        Reason::ChatNotTagged => 82,
        Reason::ChatWordsWait => 83,
        Reason::ChatNothingNew => 84,
        Reason::ChatOver { .. } => 85,
        Reason::ChatGoesOn => 86,
        Reason::MessageInClosedChat { .. } => 87,
        Reason::HandedOver { .. } => 88,
        Reason::FieldLeftOut { .. } => 89,
        Reason::ResponsibleTold { .. } => 90,
        Reason::FilteredNotLogged { .. } => 91,
        Reason::RecordingHandedOver => 92,
    }
}

fn left_out(why: FieldMiss) -> Reason {
    Reason::FieldLeftOut {
        path: "requests.fields.0".to_owned(),
        card: Entity::Contact,
        field: "Откуда пришёл".to_owned(),
        why,
    }
}

/// Every variant, and every value of the closed sets inside them.
fn samples() -> Vec<Reason> {
    let phone = || Phone::parse("+79161234567", Region::RU).expect("a number");
    let card = |id: &str, name: &str| CardName {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    let contact = || card("7001", "Ольга");
    let user = |name: Option<&str>| UserName {
        id: CrmUserId("501".to_owned()),
        name: name.map(str::to_owned),
    };
    let extension = || Extension("101".to_owned());
    let employee = || "Иванов".to_owned();
    let mut all = vec![
        Reason::IntegrationOff,
        Reason::IntegrationObserves,
        Reason::InternalCall,
        Reason::EmployeePhone {
            phone: phone(),
            employee: employee(),
        },
        Reason::PartnerNumber { phone: phone() },
        Reason::NumberWithheld,
        Reason::NumberUnreadable {
            text: "112".to_owned(),
        },
        Reason::SeenPartly {
            what: "связь прервалась".to_owned(),
        },
        Reason::EndUnseen,
        Reason::ClientUnknown { phone: phone() },
        Reason::ClientKnown {
            phone: phone(),
            contact: contact(),
        },
        Reason::ClientKnown {
            phone: phone(),
            contact: card("7001", " "),
        },
        Reason::ClientOnlyCompany {
            phone: phone(),
            company: card("6001", "Ромашка"),
        },
        Reason::DecidedAgain,
        Reason::ChatWithoutContacts,
        Reason::ChatAtOtherMoment {
            phase: Phase::Started,
        },
        Reason::NobodyTookChat,
        Reason::ChatActedBefore,
        Reason::ChatLost,
        Reason::ChatNotTagged,
        Reason::ChatWordsWait,
        Reason::ChatNothingNew,
        Reason::ChatOver {
            at: Timestamp::from_secs(1_700_000_000),
        },
        Reason::ChatGoesOn,
        Reason::MessageInClosedChat { again: true },
        Reason::MessageInClosedChat { again: false },
        Reason::HandedOver {
            contact: contact(),
            user: UserName {
                id: CrmUserId("502".to_owned()),
                name: None,
            },
        },
        Reason::ContactUsed { contact: contact() },
        Reason::ContactGone,
        Reason::ContactAwaited,
        Reason::OpenDeal {
            deal: "8001".to_owned(),
            open: 2,
        },
        Reason::NoOpenDeal,
        Reason::MadeAlready {
            made: Entity::Unsorted,
            instead_of: Entity::Deal,
        },
        Reason::ResponsibleDefault { user: user(None) },
        Reason::ResponsibleOfContact {
            user: user(Some("Петрова")),
            contact: contact(),
        },
        Reason::LoggedOnDeal {
            deal: "8001".to_owned(),
        },
        Reason::LoggedOnContact {
            contact: contact(),
            open: 0,
        },
        Reason::LoggedOnContact {
            contact: contact(),
            open: 2,
        },
        Reason::LoggedOnCompany {
            company: card("6001", "Ромашка"),
        },
        Reason::LoggedOnLead {
            lead: card("7", "Сайт"),
        },
        Reason::OpenLead {
            lead: card("7", "Сайт"),
        },
        Reason::LogOfOwner {
            user: user(None),
            entity: Entity::Company,
        },
        Reason::LoggedByCrm,
        Reason::LoggedInUnsorted,
        Reason::RecordingHandedOver,
        Reason::NothingToLogOn,
        Reason::RecordingLinked,
        Reason::RecordingThere,
        Reason::RecordingWithoutEntry,
        Reason::ExtensionUnknown {
            extension: extension(),
        },
        Reason::EmployeeUnmapped {
            employee: employee(),
            extension: extension(),
        },
        Reason::NobodyNamed { phones: 2 },
        Reason::DecidedAtAnswer,
        Reason::OtherTelephony,
        Reason::FieldsFilled {
            card: Entity::Deal,
            fields: vec!["41".to_owned(), "44".to_owned()],
        },
        Reason::NoCardForFields { card: Entity::Deal },
        left_out(FieldMiss::NotThere),
        left_out(FieldMiss::Several { count: 2 }),
        left_out(FieldMiss::NotListed),
        left_out(FieldMiss::Twice),
        left_out(FieldMiss::TakesNoText {
            kind: "file".to_owned(),
        }),
        left_out(FieldMiss::NoNumber),
        left_out(FieldMiss::NoTick),
        left_out(FieldMiss::NoOption {
            option: "Радио".to_owned(),
        }),
        left_out(FieldMiss::NoDay),
        left_out(FieldMiss::NoMoment),
        left_out(FieldMiss::NoAddress),
        Reason::DealTooSoon {
            deal: "8001".to_owned(),
            closed_at: Timestamp::from_secs(1_763_000_000),
            until: Timestamp::from_secs(1_763_086_400),
        },
        Reason::Tagged {
            tags: vec!["+79161234567".to_owned(), "звонок".to_owned()],
        },
        Reason::TemplateFailed {
            path: "calls.incoming.deal_name".to_owned(),
            why: TemplateMiss::Empty,
        },
        Reason::TemplateFailed {
            path: "calls.incoming.task.text".to_owned(),
            why: TemplateMiss::Broken {
                words: "it takes too long".to_owned(),
            },
        },
        Reason::ResponsibleByRule {
            rule: "Кто говорил".to_owned(),
            user: user(Some("Петрова")),
        },
        Reason::TaskOfTalker {
            user: user(Some("Петрова")),
        },
    ];
    all.extend(of_texts());
    for entity in [Entity::Contact, Entity::Deal] {
        let user = user(Some("Петрова"));
        all.push(Reason::TaskOfCardOwner { user, entity });
    }
    for why in [
        RulePass::NobodyTalked,
        RulePass::NobodyCalled,
        RulePass::NoOwner,
        RulePass::ExtensionUnknown {
            extension: extension(),
        },
        RulePass::EmployeeUnmapped {
            employee: employee(),
        },
        RulePass::EmployeeUnknown {
            employee: "ivanov".parse().expect("an id"),
        },
    ] {
        let rule = "Кто говорил".to_owned();
        all.push(Reason::TalkerPassed { why: why.clone() });
        all.push(Reason::RulePassed { rule, why });
    }
    for first_time in [true, false] {
        all.push(Reason::FirstTimeKept { first_time });
    }
    for by in [ChosenBy::OpenDeal, ChosenBy::LatestChange] {
        let contact = contact();
        let among = 2;
        all.push(Reason::ContactChosen { contact, among, by });
    }
    for miss in [
        MissReason::NoAnswer,
        MissReason::Busy,
        MissReason::Declined,
        MissReason::CallerGaveUp,
        MissReason::AbandonedInQueue,
        MissReason::NobodyRung,
        MissReason::Failed,
    ] {
        all.push(Reason::EmployeeNotReached { miss });
    }
    for kind in [Kind::Call, Kind::Chat, Kind::Request] {
        all.push(Reason::NothingConfigured { kind });
    }
    for phase in [
        Phase::Ringing,
        Phase::Answered,
        Phase::Started,
        Phase::Accepted,
        Phase::Tagged,
        Phase::Message,
        Phase::Continued,
        Phase::Ended,
        Phase::RecordingReady,
        Phase::Received,
    ] {
        all.push(Reason::PhaseNotDecided { phase });
        let kind = Kind::Call;
        all.push(Reason::PhaseNotOffered { kind, phase });
    }
    for entity in [
        Entity::Contact,
        Entity::Company,
        Entity::Deal,
        Entity::Lead,
        Entity::Unsorted,
        Entity::Task,
        Entity::CallRecord,
        Entity::Note,
        Entity::Fields,
        Entity::Notice,
    ] {
        all.push(Reason::StepStands { entity });
        all.push(Reason::StepGivenUp { entity });
        all.push(Reason::NotOffered { entity });
        all.push(Reason::LoggedOnMade { entity });
    }
    for side in [Side::Incoming, Side::Outgoing] {
        let phone = phone();
        all.push(Reason::NumberFiltered { side, phone });
        all.push(Reason::CallFiltered { side });
        all.push(Reason::FilteredNotLogged { side });
        for task in [CallTask::Taken, CallTask::Missed] {
            all.push(Reason::TaskActs { side, task });
            all.push(Reason::TaskOff { side, task });
        }
        for case in [
            CallCase::AnsweredUnknown,
            CallCase::MissedUnknown,
            CallCase::AnsweredKnown,
            CallCase::MissedKnown,
        ] {
            all.push(Reason::CaseAbsent { side, case });
            all.push(Reason::CaseOff { side, case });
            all.push(Reason::CaseAtEnd { side, case });
            for action in actions() {
                all.push(Reason::CaseActs { side, case, action });
            }
        }
    }
    all
}

/// What only site requests and chats come to.
fn of_texts() -> Vec<Reason> {
    let kind = Kind::Request;
    let user = || UserName {
        id: CrmUserId("501".to_owned()),
        name: Some("Петрова".to_owned()),
    };
    let (rule, pipeline, stage) = ("Лендинг", "3100", "3101");
    let addresses = || vec!["+79161234567".to_owned(), "olga@example.com".to_owned()];
    let mut all = vec![
        Reason::KindOff { kind },
        Reason::FilteredOut { kind },
        Reason::RepeatLeft { kind },
        Reason::AddressesUnknown {
            addresses: Vec::new(),
        },
        Reason::AddressesUnknown {
            addresses: addresses(),
        },
        Reason::AddressesKnown {
            addresses: addresses(),
            contact: CardName {
                id: "7001".to_owned(),
                name: "Ольга".to_owned(),
            },
            among: 2,
        },
        Reason::PipelineByRule {
            rule: rule.to_owned(),
            pipeline: pipeline.to_owned(),
            stage: stage.to_owned(),
        },
        Reason::ContentNoted { card: Entity::Deal },
        Reason::DefaultAnswers { kind, user: user() },
        Reason::RuleAnswers {
            kind,
            rule: rule.to_owned(),
            user: user(),
        },
    ];
    all.push(Reason::ResponsibleTold {
        user: user(),
        card: Entity::Deal,
    });
    for owner_of in [None, Some(Entity::Contact), Some(Entity::Deal)] {
        let user = user();
        all.push(Reason::TextTaskActs {
            kind,
            user,
            owner_of,
        });
    }
    let seen = |path: &str, include, holds| ConditionSeen {
        path: path.to_owned(),
        parameter: "site".to_owned(),
        include,
        holds,
        found: if holds {
            vec!["shop.example".to_owned()]
        } else {
            Vec::new()
        },
        undecided: path == "of.1",
    };
    for conditions in [
        Vec::new(),
        vec![seen("", true, true)],
        vec![seen("of.0", true, true), seen("of.1", false, false)],
    ] {
        for holds in [true, false] {
            all.push(Reason::ConditionsSeen {
                path: "requests.filter".to_owned(),
                holds,
                conditions: conditions.clone(),
            });
        }
    }
    for method in [
        TransferAction::ByHand,
        TransferAction::Unsorted {
            pipeline: pipeline.to_owned(),
        },
        TransferAction::Contact,
        TransferAction::ContactAndDeal {
            pipeline: pipeline.to_owned(),
            stage: stage.to_owned(),
        },
        TransferAction::Lead { stage: None },
        TransferAction::Lead {
            stage: Some(stage.to_owned()),
        },
    ] {
        for first_time in [true, false] {
            let method = method.clone();
            all.push(Reason::MethodActs {
                kind,
                first_time,
                method,
            });
        }
    }
    all
}

fn actions() -> Vec<CallAction> {
    let (pipeline, stage) = (|| "3100".to_owned(), || "3101".to_owned());
    vec![
        CallAction::ContactAndDeal {
            pipeline: pipeline(),
            stage: stage(),
        },
        CallAction::DealUnlessOpen {
            pipeline: pipeline(),
            stage: stage(),
            wait_s: None,
        },
        CallAction::DealAlways {
            pipeline: pipeline(),
            stage: stage(),
        },
        CallAction::Unsorted {
            pipeline: pipeline(),
        },
        CallAction::Contact,
        CallAction::Lead { stage: None },
        CallAction::Lead {
            stage: Some("NEW".to_owned()),
        },
    ]
}

#[test]
fn every_reason_is_a_sentence_in_both_languages() {
    for reason in samples() {
        for language in LANGUAGES {
            let text = reason.text(language);
            assert!(text.ends_with('.') && text.len() > 10, "{reason:?}: {text}");
            assert!(!text.contains("  "), "{reason:?}: {text}");
            let cyrillic = text.chars().any(|c| ('а'..='я').contains(&c));
            assert!(language == Language::En || cyrillic, "{reason:?}: {text}");
        }
        assert_ne!(reason.text(Language::Ru), reason.text(Language::En));
    }
}

#[test]
fn no_reason_shows_the_inside_of_the_program() {
    for reason in samples() {
        let tag = serde_json::to_value(&reason).expect("serialises")["reason"].clone();
        let tag = tag.as_str().expect("a tag").to_owned();
        for language in LANGUAGES {
            let text = reason.text(language);
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
            // Paths of settings are meant to be seen: the administrator finds the setting by them.
            for word in words.filter(|word| !is_path(word)) {
                assert!(!word.contains('_'), "{word} in {text}");
                let humps = word.chars().skip(1).any(char::is_uppercase);
                let shout = word.chars().all(|c| !c.is_lowercase());
                assert!(!humps || shout, "{word} in {text}");
            }
            for inside in ["::", "{", "}", "Some(", "None", &format!("{tag}_")] {
                assert!(!text.contains(inside), "{inside} in {text}");
            }
        }
    }
}

/// Says whether a word is the path of a setting.
fn is_path(word: &str) -> bool {
    let blocks = ["calls.", "chats.", "requests."];
    blocks.iter().any(|block| word.starts_with(block))
}

#[test]
fn every_variant_has_a_sample() {
    let mut seen = [false; REASONS];
    for reason in samples() {
        seen[ordinal(&reason)] = true;
    }
    let missing: Vec<usize> = (0..REASONS).filter(|n| !seen[*n]).collect();
    assert_eq!(missing, [0_usize; 0], "these variants have no sample");
}

#[test]
fn different_reasons_have_different_words() {
    for language in LANGUAGES {
        let mut texts: Vec<String> = samples().iter().map(|r| r.text(language)).collect();
        texts.sort();
        let all = texts.len();
        texts.dedup();
        assert_eq!(
            texts.len(),
            all,
            "two reasons read the same in {language:?}"
        );
    }
}

#[test]
fn a_reason_survives_its_own_json() {
    let explanation = Explanation(samples());
    let text = serde_json::to_string(&explanation).expect("serialises");
    let back: Explanation = serde_json::from_str(&text).expect("parses its own text");
    assert_eq!(back, explanation);
}

#[test]
fn a_rule_is_named_as_people_see_it() {
    let reason = Reason::CaseActs {
        side: Side::Incoming,
        case: CallCase::AnsweredUnknown,
        action: actions().remove(0),
    };
    assert_eq!(
        reason.text(Language::Ru),
        "Правило «Отвеченный звонок, новый клиент» (S1-07, calls.incoming.answered_unknown): \
         создать контакт и сделку в воронке 3100, этап 3101."
    );
    assert_eq!(
        reason.text(Language::En),
        "Rule \"Answered call, new client\" (S1-07, calls.incoming.answered_unknown): make a \
         contact and a deal in pipeline 3100, stage 3101."
    );
}

#[test]
fn s1_04_an_integration_that_is_off_is_named_as_the_reason() {
    assert_eq!(
        Reason::IntegrationOff.text(Language::Ru),
        "Интеграция выключена (S1-04): по этому обращению ничего не делается."
    );
}
