//! The English wording.

use crate::model::call::MissReason;
use crate::model::communication::{Kind, Phase};
use crate::model::explanation::{
    CallAction, CallCase, CallTask, CardName, ChosenBy, ConditionSeen, Language, Reason, RulePass,
    Side, TemplateMiss, TransferAction, UserName,
};
use crate::model::plan::Entity;

pub(super) fn text(reason: &Reason) -> String {
    match reason {
        Reason::IntegrationOff => {
            "The integration is switched off (S1-04): nothing is done about this.".to_owned()
        }
        Reason::IntegrationObserves => {
            "The integration only watches: the decision is kept, nothing is sent to the CRM."
                .to_owned()
        }
        Reason::NothingConfigured { kind } => {
            format!(
                "The integration's settings say nothing about {}.",
                kinds(*kind)
            )
        }
        Reason::PhaseNotDecided { phase } => format!(
            "Moment \"{}\": a call is decided when it has ended (S1-14).",
            moment(*phase)
        ),
        Reason::PhaseNotOffered { kind, phase } => format!(
            "Moment \"{}\": this CRM takes nothing about {} at that moment.",
            moment(*phase),
            kinds(*kind)
        ),
        Reason::DecidedAtAnswer => {
            "What the call makes was decided at its answer (S1-27): the end adds tasks and the \
             call log entry."
                .to_owned()
        }
        Reason::CaseAtEnd { side, case } => format!(
            "{}: its records are made when the call has ended, not at the answer (S1-27).",
            rule(*side, *case)
        ),
        Reason::InternalCall => {
            "Internal call: employees talked among themselves (S1-28).".to_owned()
        }
        Reason::EmployeePhone { phone, employee } => format!(
            "The number {phone} is an employee's own phone ({employee}): the call counts as \
             internal (S1-28)."
        ),
        Reason::PartnerNumber { phone } => format!(
            "The number {phone} stands in the list of partners (S1-28, calls.partner_numbers): \
             its calls make nothing."
        ),
        Reason::NumberWithheld => {
            "The client's number was hidden: no client can be found or made.".to_owned()
        }
        Reason::NumberUnreadable { text } => format!(
            "\"{text}\" is no telephone number of a client: no client can be found or made."
        ),
        Reason::EmployeeNotReached { miss } => format!(
            "A call started from the CRM: the employee was not reached ({}), the client was never \
             called. This is not a client call.",
            missed(*miss)
        ),
        Reason::SeenPartly { what } => format!("A part of the call was not seen: {what}."),
        Reason::EndUnseen => {
            "The source did not say how the call ended: it counts as missed.".to_owned()
        }
        Reason::ClientUnknown { phone } => {
            format!("No contact has the number {phone}: the client is new.")
        }
        Reason::ClientKnown { phone, contact } => format!(
            "The contact {} has the number {phone}: the client is known.",
            card(contact)
        ),
        Reason::ClientOnlyCompany { phone, company } => format!(
            "Only the company {} has the number {phone}, no contact has it: this counts as the \
             first time.",
            card(company)
        ),
        Reason::ContactChosen { contact, among, by } => format!(
            "Contacts with this number: {among}. Used: {}, because it {}.",
            card(contact),
            match by {
                ChosenBy::OpenDeal => "has an open deal",
                ChosenBy::LatestChange => "was changed last",
            }
        ),
        Reason::FirstTimeKept { first_time } => format!(
            "This was settled earlier as {}; what the CRM says today does not change it.",
            if *first_time {
                "the first time"
            } else {
                "a repeat"
            }
        ),
        Reason::DecidedAgain => {
            "This is decided again: what was done stays, the rest follows the present settings."
                .to_owned()
        }
        Reason::NumberFiltered { side, phone } => format!(
            "The number {phone} is filtered ({}, {}.filtered_numbers): no contact, deal or \
             unsorted record is made.",
            match side {
                Side::Incoming => "S1-18",
                Side::Outgoing => "S1-20",
            },
            side.path()
        ),
        Reason::CaseAbsent { side, case } => {
            format!("{} is not set up: no new records.", rule(*side, *case))
        }
        Reason::CaseOff { side, case } => {
            format!("{} is switched off: no new records.", rule(*side, *case))
        }
        Reason::CaseActs { side, case, action } => {
            format!("{}: {}.", rule(*side, *case), act(action))
        }
        Reason::ContactUsed { contact } => {
            format!("No contact is made: the CRM has {} already.", card(contact))
        }
        Reason::ContactGone => {
            "The client's contact is no longer in the CRM: it is made anew.".to_owned()
        }
        Reason::ContactAwaited => {
            "The CRM itself makes the contact from the call: it is waited for (S2-12).".to_owned()
        }
        Reason::OpenDeal { deal, open } => format!(
            "No deal is made: open deals of the client: {open}, the newest is no. {deal} (S1-15)."
        ),
        Reason::NoOpenDeal => "The client has no open deal: a deal is made (S1-15).".to_owned(),
        Reason::DealTooSoon {
            deal,
            closed_at,
            until,
        } => format!(
            "No deal is made: the last one (no. {deal}) was closed at {closed_at}, a new one may \
             be made from {until} on (S1-15, V-03)."
        ),
        Reason::Tagged { tags } => format!("Tags of the new records: {} (S1-21).", listed(tags)),
        Reason::TemplateFailed { path, why } => {
            format!(
                "The template {path} gave no text ({}): the default was taken (V-09).",
                no_text(why)
            )
        }
        Reason::OtherTelephony => {
            "Another telephony is used: a call only fills fields of cards that exist (V-03, \
             calls.telephony)."
                .to_owned()
        }
        Reason::FieldsFilled { card, fields } => format!(
            "Additional fields of the {} are filled: no. {} (V-10).",
            thing(*card),
            fields.join(", no. ")
        ),
        Reason::NoCardForFields { card } => format!(
            "There is no card to fill fields of: the client has no {}, or several (V-10).",
            thing(*card)
        ),
        Reason::FieldLeftOut {
            path,
            card,
            field,
            why,
        } => format!(
            "The field {field:?} of the {} is left out ({path}): {}.",
            thing(*card),
            why.text(Language::En)
        ),
        Reason::TaskActs { side, task } => {
            format!(
                "{} (S1-16, {}).",
                task_title(*side, *task),
                task.path(*side)
            )
        }
        Reason::TaskOff { side, task } => {
            format!(
                "{}: switched off (S1-16, {}).",
                task_title(*side, *task),
                task.path(*side)
            )
        }
        Reason::StepStands { entity } => format!(
            "There is a step \"{}\" for this already: no second one is planned.",
            thing(*entity)
        ),
        Reason::StepGivenUp { entity } => format!(
            "The step \"{}\" failed or was dropped earlier: it returns only when this is decided \
             again.",
            thing(*entity)
        ),
        Reason::MadeAlready { made, instead_of } => format!(
            "There is a \"{}\" for this already: no \"{}\" is made.",
            thing(*made),
            thing(*instead_of)
        ),
        Reason::NotOffered { entity } => format!(
            "The connection to this CRM does not make such records: {}. It is left out.",
            thing(*entity)
        ),
        Reason::CallFiltered { side } => format!(
            "The call does not pass the filter (S2-23, {}.filter): no contact, deal or unsorted \
             record is made.",
            side.path()
        ),
        Reason::KindOff { kind } => format!(
            "{} are switched off (S0-06, {}.on): nothing is done.",
            capital(kinds(*kind)),
            block(*kind)
        ),
        Reason::ConditionsSeen {
            path,
            holds,
            conditions,
        } => format!(
            "Conditions of {path}: {}. The whole {}.",
            conditions_said(conditions),
            said(*holds)
        ),
        Reason::FilteredOut { kind } => format!(
            "This does not pass the filter (S0-13, {}.filter): nothing is made.",
            block(*kind)
        ),
        Reason::AddressesUnknown { addresses } if addresses.is_empty() => {
            "The client left neither a number nor an e-mail address: this counts as the first time."
                .to_owned()
        }
        Reason::AddressesUnknown { addresses } => format!(
            "No contact has {}: the client is new.",
            addresses.join(" or ")
        ),
        Reason::AddressesKnown {
            addresses,
            contact,
            among,
        } => format!(
            "The contact {} has {}: the client is known (contacts found: {among}).",
            card(contact),
            addresses.join(" or ")
        ),
        Reason::RepeatLeft { kind } => format!(
            "Only the first time is processed (S0-10, {}.first_time_only): a repeat is left alone.",
            block(*kind)
        ),
        Reason::ChatWithoutContacts => {
            "The visitor left neither a number nor an e-mail address, and \
             such chats are not taken (S2-22, chats.without_contacts)."
                .to_owned()
        }
        Reason::ChatAtOtherMoment { phase } => format!(
            "Moment \"{}\": the records of chats are made at another one (S2-21, chats.at).",
            moment(*phase)
        ),
        Reason::NobodyTookChat => {
            "Nobody took the chat, and records are made when somebody does (S2-21, chats.at)."
                .to_owned()
        }
        Reason::ChatActedBefore => {
            "What the chat makes was decided at an earlier moment (S2-21).".to_owned()
        }
        Reason::ChatNotTagged => {
            "The chat has no mark, and records are made when it gets one (S2-21, chats.at)."
                .to_owned()
        }
        Reason::ChatWordsWait => {
            "What is written waits for the moment at which the chat's records are made (chats.at)."
                .to_owned()
        }
        Reason::ChatNothingNew => "Everything that was written is on the card already.".to_owned(),
        Reason::ChatLost => {
            "The chat ended without anybody of the company having written.".to_owned()
        }
        Reason::ChatOver { at } => format!("The chat was over at {at}."),
        Reason::ChatGoesOn => "The chat goes on after its end.".to_owned(),
        Reason::MessageInClosedChat { again: true } => {
            "The client wrote into the closed chat: a new unsorted record (V-05, \
             chats.in_closed_chat)."
                .to_owned()
        }
        Reason::MessageInClosedChat { again: false } => {
            "The client wrote into the closed chat: it is noted on the card (chats.in_closed_chat)."
                .to_owned()
        }
        Reason::HandedOver { contact, user } => format!(
            "Contact {} is handed over to {} (V-05, chats.update_responsible).",
            card(contact),
            person(user)
        ),
        Reason::MethodActs {
            kind,
            first_time,
            method,
        } => format!(
            "Method of {}, {}: {}.",
            kinds(*kind),
            if *first_time {
                "the first time"
            } else {
                "a repeat"
            },
            transfer(method)
        ),
        Reason::PipelineByRule {
            rule,
            pipeline,
            stage,
        } => format!(
            "The deal goes to pipeline {pipeline}, stage {stage}, by the rule \"{rule}\" (S0-22)."
        ),
        Reason::ContentNoted { card } => format!(
            "What the client wrote is put on the {} as a note (S0-12).",
            thing(*card)
        ),
        Reason::ResponsibleTold { user, card } => format!(
            "{} is told of the new {} (S3-17).",
            person(user),
            thing(*card)
        ),
        Reason::AssignedTo { path, user } => {
            format!("{} answers for it, as {path} says.", person(user))
        }
        Reason::ToldOutside { card } => format!(
            "The new {} is told of by e-mail or webhook once it is made (S3-17).",
            thing(*card)
        ),
        Reason::TextTaskActs {
            kind,
            user,
            owner_of,
        } => {
            let why = match owner_of {
                Some(card) => format!(", who answers for the {}", thing(*card)),
                None => String::new(),
            };
            format!(
                "A task is made (S0-11, {}.task) for {}{why}.",
                block(*kind),
                person(user)
            )
        }
        Reason::DefaultAnswers { kind, user } => format!(
            "Responsible is {}, by default ({}.default_responsible).",
            person(user),
            block(*kind)
        ),
        Reason::RuleAnswers { kind, rule, user } => format!(
            "Responsible is {}, by the rule \"{rule}\" (S0-16, {}.responsible).",
            person(user),
            block(*kind)
        ),
        Reason::ResponsibleDefault { user } => format!(
            "Responsible is {}, by default (S1-17, calls.default_responsible).",
            person(user)
        ),
        Reason::ResponsibleOfContact { user, contact } => format!(
            "Responsible for the deal is {}, who answers for the contact {}.",
            person(user),
            card(contact)
        ),
        Reason::ResponsibleByRule { rule, user } => format!(
            "Responsible is {}, by the rule \"{rule}\" (calls.responsible).",
            person(user)
        ),
        Reason::RulePassed { rule, why } => format!(
            "The rule of responsibles \"{rule}\" holds and names nobody: {}.",
            passed(why)
        ),
        Reason::TaskOfTalker { user } => format!(
            "The task goes to the employee who talked with the client: {} (S1-16).",
            person(user)
        ),
        Reason::TalkerPassed { why } => format!(
            "The task cannot go to the employee who talked with the client ({}): it goes to the \
             responsible.",
            passed(why)
        ),
        Reason::TaskOfCardOwner { user, entity } => format!(
            "The task goes to who answers for the card ({}): {} (S1-16).",
            thing(*entity),
            person(user)
        ),
        Reason::LogOfOwner { user, entity } => format!(
            "The call is logged under {}, who answers for the {} (V-04).",
            person(user),
            thing(*entity)
        ),
        Reason::LoggedOnDeal { deal } => {
            format!("The call is logged on deal no. {deal}, the client's only open one (S1-26).")
        }
        Reason::LoggedOnContact { contact, open } => format!(
            "The call is logged on the contact {}; open deals of the client: {} (S1-26).",
            card(contact),
            count(*open)
        ),
        Reason::LoggedOnCompany { company } => format!(
            "The call is logged on the company {}: no contact has this number (S1-26).",
            card(company)
        ),
        Reason::LoggedOnLead { lead } => format!(
            "The call is logged on the lead {}: no contact and no company has this number (S1-26).",
            card(lead)
        ),
        Reason::OpenLead { lead } => {
            format!(
                "No lead is made: the client has an open one, {} (S3-05).",
                card(lead)
            )
        }
        Reason::LoggedOnMade { entity } => format!(
            "The call is logged on the new record: {} (S1-26).",
            thing(*entity)
        ),
        Reason::LoggedByCrm => {
            "The CRM itself chooses by the number where the call is logged (S1-26, \
             calls.call_history)."
                .to_owned()
        }
        Reason::LoggedInUnsorted => {
            "The call stands in the unsorted record itself and is not logged apart (S1-12)."
                .to_owned()
        }
        Reason::FilteredNotLogged { side } => format!(
            "Filtered calls are left out of the call history ({}.filtered, V-14): neither the call \
             nor its recording goes to the CRM.",
            side.path()
        ),
        Reason::NothingToLogOn => {
            "There is nothing to log the call on: the client is not in the CRM and nothing is \
             made (S1-26)."
                .to_owned()
        }
        Reason::RecordingHandedOver => {
            "The recording is ready: the CRM is handed the file itself.".to_owned()
        }
        Reason::RecordingLinked => {
            "The recording can be played: its address is put to the call's entry.".to_owned()
        }
        Reason::RecordingThere => {
            "The call's entry has the address of the recording already.".to_owned()
        }
        Reason::RecordingWithoutEntry => {
            "The CRM has no entry of this call: the address of the recording is put nowhere."
                .to_owned()
        }
        Reason::ExtensionUnknown { extension } => format!(
            "No employee has the extension {extension}: the call is logged without an employee."
        ),
        Reason::EmployeeUnmapped {
            employee,
            extension,
        } => format!(
            "Employee {employee} (extension {extension}) is not matched with a user of the CRM \
             (S1-06): the call is logged without an employee."
        ),
        Reason::NobodyNamed { phones } => format!(
            "It is not clear which employee the call belongs to (employees' phones in it: \
             {phones}): it is logged without an employee."
        ),
    }
}

fn rule(side: Side, case: CallCase) -> String {
    let title = match (side, case) {
        (Side::Incoming, CallCase::AnsweredUnknown) => "Answered call, new client",
        (Side::Incoming, CallCase::MissedUnknown) => "Missed call, new client",
        (Side::Incoming, CallCase::AnsweredKnown) => "Answered call, known client",
        (Side::Incoming, CallCase::MissedKnown) => "Missed call, known client",
        (Side::Outgoing, CallCase::AnsweredUnknown) => "Outgoing call answered, new client",
        (Side::Outgoing, CallCase::MissedUnknown) => "Outgoing call not answered, new client",
        (Side::Outgoing, CallCase::AnsweredKnown) => "Outgoing call answered, known client",
        (Side::Outgoing, CallCase::MissedKnown) => "Outgoing call not answered, known client",
    };
    let outgoing = match side {
        Side::Incoming => "",
        Side::Outgoing => "S1-19, ",
    };
    format!(
        "Rule \"{title}\" ({}, {outgoing}{})",
        case.row(),
        case.path(side)
    )
}

fn act(action: &CallAction) -> String {
    match action {
        CallAction::ContactAndDeal { pipeline, stage } => {
            format!("make a contact and a deal in pipeline {pipeline}, stage {stage}")
        }
        CallAction::DealUnlessOpen {
            pipeline,
            stage,
            wait_s: _,
        } => format!(
            "use the contact and, when there is no open deal, make a deal in pipeline {pipeline}, \
             stage {stage}"
        ),
        CallAction::DealAlways { pipeline, stage } => {
            format!("always make a deal in pipeline {pipeline}, stage {stage}")
        }
        CallAction::Unsorted { pipeline } => {
            format!("make an unsorted record, pipeline {pipeline}")
        }
        CallAction::Contact => "make a contact only".to_owned(),
        CallAction::Lead { stage: None } => "make a lead in the first stage".to_owned(),
        CallAction::Lead { stage: Some(stage) } => format!("make a lead in stage {stage}"),
    }
}

fn task_title(side: Side, task: CallTask) -> &'static str {
    match (side, task) {
        (Side::Incoming, CallTask::Taken) => "A task for the employee who took the call",
        (Side::Outgoing, CallTask::Taken) => "A task for the employee who talked with the client",
        (Side::Incoming, CallTask::Missed) => "A task for the responsible about a missed call",
        (Side::Outgoing, CallTask::Missed) => "A task for the responsible about a call in vain",
    }
}

fn block(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "calls",
        Kind::Chat => "chats",
        Kind::Request => "requests",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn said(holds: bool) -> &'static str {
    if holds { "holds" } else { "does not hold" }
}

fn conditions_said(conditions: &[ConditionSeen]) -> String {
    if conditions.is_empty() {
        return "none".to_owned();
    }
    let each = conditions.iter().map(|one| {
        let way = if one.include { "include" } else { "exclude" };
        let at = match one.path.as_str() {
            "" => String::new(),
            path => format!("{path} "),
        };
        format!(
            "{at}{way} {} {} ({})",
            one.parameter,
            said(one.holds),
            seen(one)
        )
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Says what the communication had.
fn seen(one: &ConditionSeen) -> String {
    if one.undecided {
        return "only an answer decides it, V-08".to_owned();
    }
    if one.found.is_empty() {
        return "nothing told".to_owned();
    }
    let found = one.found.iter().map(|text| format!("\"{text}\""));
    found.collect::<Vec<_>>().join(", ")
}

fn transfer(method: &TransferAction) -> String {
    match method {
        TransferAction::ByHand => "by hand, no record is made (S0-07)".to_owned(),
        TransferAction::Unsorted { pipeline } => {
            format!("an unsorted record is always made, pipeline {pipeline} (S0-08)")
        }
        TransferAction::Contact => "a contact, at the first time only (S0-09)".to_owned(),
        TransferAction::ContactAndDeal { pipeline, stage } => format!(
            "always a deal in pipeline {pipeline}, stage {stage}, and a contact at the first time \
             (S0-09)"
        ),
        TransferAction::Lead { stage } => {
            let stage = stage.as_deref().unwrap_or("the first");
            format!("a lead, unless one is open, stage {stage} (S3-05)")
        }
    }
}

pub(super) fn no_text(why: &TemplateMiss) -> String {
    match why {
        TemplateMiss::Empty => "its variables are empty".to_owned(),
        TemplateMiss::Broken { words } => words.clone(),
    }
}

fn passed(why: &RulePass) -> String {
    match why {
        RulePass::NobodyTalked => "nobody talked with the client".to_owned(),
        RulePass::NobodyCalled => "it is not known who placed the call".to_owned(),
        RulePass::NoOwner => "the client has no contact with a responsible".to_owned(),
        RulePass::ExtensionUnknown { extension } => {
            format!("no employee has the extension {extension}")
        }
        RulePass::EmployeeUnmapped { employee } => {
            format!("employee {employee} is not matched with a user of the CRM (S1-06)")
        }
        RulePass::EmployeeUnknown { employee } => {
            format!("there is no employee {employee} any more")
        }
    }
}

fn listed(tags: &[String]) -> String {
    let quoted: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
    quoted.join(", ")
}

fn kinds(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "calls",
        Kind::Chat => "chats",
        Kind::Request => "site requests",
    }
}

fn moment(phase: Phase) -> &'static str {
    match phase {
        Phase::Ringing => "ringing",
        Phase::Answered => "answered",
        Phase::Started => "first message",
        Phase::Accepted => "chat accepted",
        Phase::Tagged => "chat marked",
        Phase::Message => "message",
        Phase::Continued => "message after the end",
        Phase::Ended => "ended",
        Phase::RecordingReady => "recording ready",
        Phase::Received => "request received",
    }
}

fn missed(miss: MissReason) -> &'static str {
    match miss {
        MissReason::NoAnswer => "no answer",
        MissReason::Busy => "busy",
        MissReason::Declined => "declined",
        MissReason::CallerGaveUp => "the caller gave up",
        MissReason::AbandonedInQueue => "the caller left the queue",
        MissReason::NobodyRung => "there was nobody to ring",
        MissReason::Failed => "the call failed",
    }
}

fn thing(entity: Entity) -> &'static str {
    match entity {
        Entity::Contact => "contact",
        Entity::Company => "company",
        Entity::Deal => "deal",
        Entity::Lead => "lead",
        Entity::Unsorted => "unsorted record",
        Entity::Task => "task",
        Entity::CallRecord => "call log entry",
        Entity::Note => "note",
        Entity::Notice => "notice",
        Entity::Fields => "additional fields",
    }
}

fn count(open: usize) -> String {
    match open {
        0 => "none".to_owned(),
        some => some.to_string(),
    }
}

fn card(card: &CardName) -> String {
    if card.name.trim().is_empty() {
        format!("no. {}", card.id)
    } else {
        format!("\"{}\" (no. {})", card.name, card.id)
    }
}

fn person(user: &UserName) -> String {
    match &user.name {
        Some(name) => format!("{name} (CRM user no. {})", user.id),
        None => format!("CRM user no. {}", user.id),
    }
}
