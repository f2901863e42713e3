//! The words of an explanation, in Russian and English.

use crate::model::answering::{Absence, Exit};
use crate::model::explanation::Language;
use crate::model::personal_manager::ResponsibleOf;
use crate::model::question::Route;

use super::reason::{LiveOutcome, Reason};

/// Returns a route in words.
pub(super) fn route(route: Route, language: Language) -> &'static str {
    let [en, ru] = match route {
        Route::DidEmployee => [
            "the scenario of the number names the employee",
            "сотрудника называет сценарий номера",
        ],
        Route::DidOwner => [
            "the number belongs to the employee",
            "номер принадлежит сотруднику",
        ],
        Route::PersonalManager => [
            "the client's personal manager",
            "персональный менеджер клиента",
        ],
        Route::StandIn => [
            "stands in for the personal manager",
            "замещает персонального менеджера",
        ],
        Route::Default => ["the default destination", "направление по умолчанию"],
        Route::None => ["the phone system goes on by itself", "АТС продолжает сама"],
    };
    match language {
        Language::En => en,
        Language::Ru => ru,
    }
}

/// Returns a reason in words.
pub(super) fn words(reason: &Reason, language: Language) -> String {
    match language {
        Language::En => english(reason),
        Language::Ru => russian(reason),
    }
}

fn english(reason: &Reason) -> String {
    match reason {
        Reason::CallerWithheld => "the caller hides the number".to_owned(),
        Reason::CallerUnreadable => "the caller's number is no public number".to_owned(),
        Reason::CallerInternal { employee } => format!("employee {employee} calls"),
        Reason::RedirectFailed => "the employee who was named did not answer".to_owned(),
        Reason::ScenarioEmployee { employee } => {
            format!("the scenario of the dialled number names employee {employee}")
        }
        Reason::NumberOwner { employee } => {
            format!("the dialled number belongs to employee {employee}")
        }
        Reason::ScenarioPersonalManager => {
            "the scenario of the dialled number is the personal manager".to_owned()
        }
        Reason::NumberUnlisted { manager: true } => {
            "the dialled number is not listed: the personal manager is looked for".to_owned()
        }
        Reason::NumberUnlisted { manager: false } => {
            "the dialled number is not listed: nobody is looked for".to_owned()
        }
        Reason::ScenarioOther => {
            "the scenario of the dialled number looks for no personal manager".to_owned()
        }
        Reason::DirectoryIncomplete { integration } => {
            format!("the CRM of {integration} was not read through yet")
        }
        Reason::ClientUnknown => "no integration knows the number".to_owned(),
        Reason::AskedLive {
            integration,
            outcome,
        } => {
            let outcome = match outcome {
                LiveOutcome::Known => "it knows the client",
                LiveOutcome::Unknown => "it knows nobody",
                LiveOutcome::NoAnswer => "no clear answer before the deadline",
                LiveOutcome::NotAsked => "not asked, for it does not answer or is busy",
            };
            format!("the CRM of {integration}, live: {outcome}")
        }
        Reason::ClientKnown { integration, card } => {
            format!(
                "{integration} knows the client: {} {}",
                card.entity, card.id
            )
        }
        Reason::SharedNumber {
            cards,
            policy,
            settled,
        } => {
            let how = if *settled {
                ""
            } else {
                ", which found none: the most recently updated"
            };
            format!("{cards} cards have the number; policy {policy}{how}")
        }
        Reason::NoRedirect {
            integration,
            observes: false,
        } => format!("{integration} redirects no calls"),
        Reason::NoRedirect {
            integration,
            observes: true,
        } => format!("{integration} would redirect, but only observes"),
        Reason::Responsible { user, of } => {
            let of = match of {
                ResponsibleOf::Contact => "contact",
                ResponsibleOf::Company => "company",
                ResponsibleOf::Lead => "lead",
                ResponsibleOf::Deal => "open deal",
            };
            format!("responsible of the {of}: user {}", user.0)
        }
        Reason::NoResponsible => "no record that counts names a responsible".to_owned(),
        Reason::UserUnmapped { user } => {
            format!("user {} is mapped to no employee", user.0)
        }
        Reason::NotForManagerSearch { employee } => {
            format!("employee {employee} is not used for the personal-manager search")
        }
        Reason::Absent { employee, why } => {
            let why = match why {
                Absence::Away => "switched off",
                Absence::OffHours => "not at work at this hour",
            };
            format!("employee {employee} is {why}")
        }
        Reason::NoExtension { employee } => {
            format!("employee {employee} has no extension at this source")
        }
        Reason::NoStandIn { employee } => format!("nobody stands in for {employee}"),
        Reason::StandsIn { employee } => format!("employee {employee} stands in"),
        Reason::Destination { exit, extension } => {
            format!("destination {}: {}", exit_word(*exit), extension.0)
        }
        Reason::NoDestination { exit } => {
            format!(
                "no destination {} is set: the phone system goes on by itself",
                exit_word(*exit)
            )
        }
    }
}

fn russian(reason: &Reason) -> String {
    match reason {
        Reason::CallerWithheld => "звонящий скрыл номер".to_owned(),
        Reason::CallerUnreadable => "номер звонящего не городской и не мобильный".to_owned(),
        Reason::CallerInternal { employee } => format!("звонит сотрудник {employee}"),
        Reason::RedirectFailed => "названный сотрудник не ответил".to_owned(),
        Reason::ScenarioEmployee { employee } => {
            format!("сценарий набранного номера называет сотрудника {employee}")
        }
        Reason::NumberOwner { employee } => {
            format!("набранный номер принадлежит сотруднику {employee}")
        }
        Reason::ScenarioPersonalManager => {
            "сценарий набранного номера — персональный менеджер".to_owned()
        }
        Reason::NumberUnlisted { manager: true } => {
            "набранного номера нет в списке: ищем персонального менеджера".to_owned()
        }
        Reason::NumberUnlisted { manager: false } => {
            "набранного номера нет в списке: никого не ищем".to_owned()
        }
        Reason::ScenarioOther => {
            "сценарий набранного номера не ищет персонального менеджера".to_owned()
        }
        Reason::DirectoryIncomplete { integration } => {
            format!("CRM интеграции {integration} ещё не прочитана целиком")
        }
        Reason::ClientUnknown => "ни одна интеграция не знает этого номера".to_owned(),
        Reason::AskedLive {
            integration,
            outcome,
        } => {
            let outcome = match outcome {
                LiveOutcome::Known => "клиент есть",
                LiveOutcome::Unknown => "клиента нет",
                LiveOutcome::NoAnswer => "ясного ответа до срока не было",
                LiveOutcome::NotAsked => "не спрошена: не отвечает или занята",
            };
            format!("CRM интеграции {integration}, вопрос во время звонка: {outcome}")
        }
        Reason::ClientKnown { integration, card } => {
            format!("{integration} знает клиента: {} {}", card.entity, card.id)
        }
        Reason::SharedNumber {
            cards,
            policy,
            settled,
        } => {
            let how = if *settled {
                ""
            } else {
                ", она не выбрала: взята изменённая последней"
            };
            format!("карточек с этим номером: {cards}; политика {policy}{how}")
        }
        Reason::NoRedirect {
            integration,
            observes: false,
        } => format!("{integration} не переадресует звонки"),
        Reason::NoRedirect {
            integration,
            observes: true,
        } => format!("{integration} переадресовала бы, но только наблюдает"),
        Reason::Responsible { user, of } => {
            let of = match of {
                ResponsibleOf::Contact => "контакта",
                ResponsibleOf::Company => "компании",
                ResponsibleOf::Lead => "лида",
                ResponsibleOf::Deal => "открытой сделки",
            };
            format!("ответственный {of}: пользователь {}", user.0)
        }
        Reason::NoResponsible => "ни в одной подходящей записи нет ответственного".to_owned(),
        Reason::UserUnmapped { user } => {
            format!("пользователь {} не сопоставлен сотруднику", user.0)
        }
        Reason::NotForManagerSearch { employee } => {
            format!("сотрудник {employee} не участвует в поиске персонального менеджера")
        }
        Reason::Absent { employee, why } => {
            let why = match why {
                Absence::Away => "отключён",
                Absence::OffHours => "не работает в это время",
            };
            format!("сотрудник {employee} {why}")
        }
        Reason::NoExtension { employee } => {
            format!("у сотрудника {employee} нет внутреннего номера в этом источнике")
        }
        Reason::NoStandIn { employee } => format!("сотрудника {employee} никто не замещает"),
        Reason::StandsIn { employee } => format!("замещает сотрудник {employee}"),
        Reason::Destination { exit, extension } => {
            format!("направление {}: {}", exit_word(*exit), extension.0)
        }
        Reason::NoDestination { exit } => {
            format!(
                "направление {} не задано: АТС продолжает сама",
                exit_word(*exit)
            )
        }
    }
}

/// Returns the key of the configuration.
fn exit_word(exit: Exit) -> &'static str {
    match exit {
        Exit::Default => "default",
        Exit::NoManager => "no_manager",
        Exit::RedirectFailed => "redirect_failed",
    }
}
