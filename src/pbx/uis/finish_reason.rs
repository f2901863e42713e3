//! Why a call came to nothing, from the platform's word for it (`pbx/uis.md` §4.1). There are about
//! ninety words; those that are not known here mean that nobody answered.

use super::notification::Way;
use crate::model::call::{CallResult, MissReason};

/// Returns what a call came to that nobody talked in. `ordered` = it was placed for an employee, so
/// that the employee's phone rang first.
pub(super) fn result(reason: Option<&str>, way: Way, ordered: bool) -> CallResult {
    let word = reason.unwrap_or_default();
    match way {
        Way::In => CallResult::Missed {
            reason: incoming(word),
        },
        Way::Out if ordered && is_of_employee(word) => CallResult::EmployeeNotReached {
            reason: match word {
                "operator_busy" | "operator_channels_busy" | "employee_busy" => MissReason::Busy,
                _ => MissReason::NoAnswer,
            },
        },
        Way::Out => CallResult::Missed {
            reason: outgoing(word),
        },
    }
}

fn is_of_employee(word: &str) -> bool {
    word.starts_with("operator_") && word != "operator_disconnects"
        || word.starts_with("employee_")
        || matches!(word, "no_success_operator_call" | "sip_offline")
}

fn incoming(word: &str) -> MissReason {
    match word {
        "operator_busy" | "operator_channels_busy" | "employee_busy" => MissReason::Busy,
        "employee_inactive_by_schedule"
        | "group_inactive_by_schedule"
        | "sip_offline"
        | "no_active_scenario"
        | "no_operation" => MissReason::NobodyRung,
        "disconnect_before_call_processing" | "subscriber_disconnects" => MissReason::CallerGaveUp,
        "numa_in_black_list"
        | "numa_in_spam_list"
        | "max_in_call_reached"
        | "no_money"
        | "limit_exceeded" => MissReason::Failed,
        _ => MissReason::NoAnswer,
    }
}

fn outgoing(word: &str) -> MissReason {
    match word {
        "subscriber_busy" => MissReason::Busy,
        "operator_disconnects" => MissReason::CallerGaveUp,
        "subscriber_disconnects" => MissReason::Declined,
        "subscriber_number_problems" | "locked_numb" | "no_money" | "limit_exceeded" => {
            MissReason::Failed
        }
        word if word.starts_with("out_call_not_allowed") => MissReason::Failed,
        _ => MissReason::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_not_answer_depends_on_whose_phone_rang_first() {
        let missed = |reason| CallResult::Missed { reason };
        for (word, way, ordered, expected) in [
            ("operator_busy", Way::In, false, missed(MissReason::Busy)),
            (
                "no_success_operator_call",
                Way::In,
                false,
                missed(MissReason::NoAnswer),
            ),
            ("a_new_word", Way::In, false, missed(MissReason::NoAnswer)),
            ("subscriber_busy", Way::Out, true, missed(MissReason::Busy)),
            (
                "operator_busy",
                Way::Out,
                true,
                CallResult::EmployeeNotReached {
                    reason: MissReason::Busy,
                },
            ),
            (
                "operator_busy",
                Way::Out,
                false,
                missed(MissReason::NoAnswer),
            ),
            (
                "operator_disconnects",
                Way::Out,
                true,
                missed(MissReason::CallerGaveUp),
            ),
        ] {
            assert_eq!(result(Some(word), way, ordered), expected, "{word}");
        }
    }
}
