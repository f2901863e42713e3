//! The tables. A test names the row of `docs/features.md` that it proves; adding a case is adding
//! a row to the file of the test's name.

use super::case::{check, tables};

#[test]
fn s1_07_answered_call_from_unknown_number_makes_contact_and_deal() {
    check("s1_07_answered_call_from_unknown_number_makes_contact_and_deal");
}

#[test]
fn s1_07_answered_call_from_unknown_number_makes_unsorted() {
    check("s1_07_answered_call_from_unknown_number_makes_unsorted");
}

#[test]
fn s1_07_answered_call_from_unknown_number_makes_contact() {
    check("s1_07_answered_call_from_unknown_number_makes_contact");
}

#[test]
fn s1_07_answered_call_from_unknown_number_makes_nothing_unless_set() {
    check("s1_07_answered_call_from_unknown_number_makes_nothing_unless_set");
}

#[test]
fn s1_08_missed_call_from_unknown_number_makes_contact_and_deal() {
    check("s1_08_missed_call_from_unknown_number_makes_contact_and_deal");
}

#[test]
fn s1_08_missed_call_from_unknown_number_makes_unsorted() {
    check("s1_08_missed_call_from_unknown_number_makes_unsorted");
}

#[test]
fn s1_08_missed_call_from_unknown_number_makes_contact() {
    check("s1_08_missed_call_from_unknown_number_makes_contact");
}

#[test]
fn s1_08_missed_call_from_unknown_number_makes_nothing_unless_set() {
    check("s1_08_missed_call_from_unknown_number_makes_nothing_unless_set");
}

#[test]
fn s1_09_answered_call_from_known_client_makes_a_deal_unless_one_is_open() {
    check("s1_09_answered_call_from_known_client_makes_a_deal_unless_one_is_open");
}

#[test]
fn s1_09_answered_call_from_known_client_makes_a_deal_always() {
    check("s1_09_answered_call_from_known_client_makes_a_deal_always");
}

#[test]
fn s1_09_answered_call_from_known_client_makes_unsorted_always() {
    check("s1_09_answered_call_from_known_client_makes_unsorted_always");
}

#[test]
fn s1_10_missed_call_from_known_client_makes_a_deal_unless_one_is_open() {
    check("s1_10_missed_call_from_known_client_makes_a_deal_unless_one_is_open");
}

#[test]
fn s1_10_missed_call_from_known_client_makes_a_deal_always() {
    check("s1_10_missed_call_from_known_client_makes_a_deal_always");
}

#[test]
fn s1_10_missed_call_from_known_client_makes_unsorted_always() {
    check("s1_10_missed_call_from_known_client_makes_unsorted_always");
}

#[test]
fn s1_19_answered_call_to_unknown_number_makes_what_its_own_case_says() {
    check("s1_19_answered_call_to_unknown_number_makes_what_its_own_case_says");
}

#[test]
fn s1_19_answered_call_to_known_client_makes_what_its_own_case_says() {
    check("s1_19_answered_call_to_known_client_makes_what_its_own_case_says");
}

#[test]
fn s1_19_missed_call_to_unknown_number_makes_what_its_own_case_says() {
    check("s1_19_missed_call_to_unknown_number_makes_what_its_own_case_says");
}

#[test]
fn s1_19_missed_call_to_known_client_makes_what_its_own_case_says() {
    check("s1_19_missed_call_to_known_client_makes_what_its_own_case_says");
}

#[test]
fn s1_14_only_an_ended_call_is_decided() {
    check("s1_14_only_an_ended_call_is_decided");
}

#[test]
fn s1_17_new_records_have_the_default_responsible() {
    check("s1_17_new_records_have_the_default_responsible");
}

#[test]
fn s1_18_filtered_caller_makes_nothing_but_is_logged() {
    check("s1_18_filtered_caller_makes_nothing_but_is_logged");
}

#[test]
fn s1_20_filtered_called_number_makes_nothing_but_is_logged() {
    check("s1_20_filtered_called_number_makes_nothing_but_is_logged");
}

#[test]
fn s1_26_every_client_call_is_logged_on_a_card_that_exists() {
    check("s1_26_every_client_call_is_logged_on_a_card_that_exists");
}

#[test]
fn s1_26_the_crm_may_choose_the_card_of_the_log() {
    check("s1_26_the_crm_may_choose_the_card_of_the_log");
}

#[test]
fn s1_26_the_log_says_what_a_missed_call_came_to() {
    check("s1_26_the_log_says_what_a_missed_call_came_to");
}

#[test]
fn s1_26_the_log_names_the_employee_of_the_call() {
    check("s1_26_the_log_names_the_employee_of_the_call");
}

#[test]
fn s1_28_own_people_and_calls_without_a_client_make_nothing() {
    check("s1_28_own_people_and_calls_without_a_client_make_nothing");
}

#[test]
fn a_call_without_a_public_number_makes_nothing() {
    check("a_call_without_a_public_number_makes_nothing");
}

#[test]
fn a_click_to_call_that_did_not_reach_its_employee_is_no_client_call() {
    check("a_click_to_call_that_did_not_reach_its_employee_is_no_client_call");
}

#[test]
fn of_several_contacts_the_one_with_an_open_deal_is_used() {
    check("of_several_contacts_the_one_with_an_open_deal_is_used");
}

#[test]
fn a_step_that_the_crm_does_not_offer_is_left_out_and_explained() {
    check("a_step_that_the_crm_does_not_offer_is_left_out_and_explained");
}

#[test]
fn a_decision_made_again_plans_only_what_was_not_done() {
    check("a_decision_made_again_plans_only_what_was_not_done");
}

#[test]
fn a_later_phase_adds_to_an_earlier_one_and_repeats_nothing() {
    check("a_later_phase_adds_to_an_earlier_one_and_repeats_nothing");
}

#[test]
fn every_table_is_checked() {
    for name in tables() {
        let call = format!("check(\"{name}\")");
        assert!(
            include_str!("tables.rs").contains(&call),
            "no test checks {name}"
        );
    }
}

#[test]
fn a_recording_is_linked_to_the_entry_that_stands() {
    check("a_recording_is_linked_to_the_entry_that_stands");
}
