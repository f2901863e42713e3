//! The tables. A test names the row of `docs/features.md` that it proves; adding a case is adding
//! a row to the file of the test's name.

use super::case::{check, tables};

#[test]
fn s1_06_an_employee_without_a_user_is_left_to_the_responsible() {
    check("s1_06_an_employee_without_a_user_is_left_to_the_responsible");
}

#[test]
fn a_strangers_call_makes_a_lead_where_the_crm_works_with_leads() {
    check("a_strangers_call_makes_a_lead_where_the_crm_works_with_leads");
}

#[test]
fn v_04_a_missed_call_is_logged_under_who_answers_for_the_client() {
    check("v_04_a_missed_call_is_logged_under_who_answers_for_the_client");
}

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
fn s1_11_contact_and_deal_makes_both_in_the_pipeline_and_stage_of_the_case() {
    check("s1_11_contact_and_deal_makes_both_in_the_pipeline_and_stage_of_the_case");
}

#[test]
fn s1_12_an_unsorted_record_is_made_whatever_else_there_is() {
    check("s1_12_an_unsorted_record_is_made_whatever_else_there_is");
}

#[test]
fn s1_13_contact_makes_a_contact_and_nothing_else() {
    check("s1_13_contact_makes_a_contact_and_nothing_else");
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
fn s1_15_a_new_deal_waits_after_the_last_one_was_closed() {
    check("s1_15_a_new_deal_waits_after_the_last_one_was_closed");
}

#[test]
fn s1_16_an_answered_call_makes_a_task_for_who_took_it() {
    check("s1_16_an_answered_call_makes_a_task_for_who_took_it");
}

#[test]
fn s1_16_a_missed_call_makes_a_task_for_the_responsible() {
    check("s1_16_a_missed_call_makes_a_task_for_the_responsible");
}

#[test]
fn s1_17_the_first_rule_of_responsibles_that_finds_somebody_wins() {
    check("s1_17_the_first_rule_of_responsibles_that_finds_somebody_wins");
}

#[test]
fn s1_21_the_number_is_a_tag_of_every_new_record() {
    check("s1_21_the_number_is_a_tag_of_every_new_record");
}

#[test]
fn s1_22_each_case_has_its_own_pipeline_and_stage() {
    check("s1_22_each_case_has_its_own_pipeline_and_stage");
}

#[test]
fn s1_27_entities_are_made_at_the_answer_where_a_case_says_so() {
    check("s1_27_entities_are_made_at_the_answer_where_a_case_says_so");
}

#[test]
fn s2_23_calls_pass_a_filter_of_their_direction() {
    check("s2_23_calls_pass_a_filter_of_their_direction");
}

#[test]
fn s2_26_a_filter_of_calls_without_conditions_lets_all_pass() {
    check("s2_26_a_filter_of_calls_without_conditions_lets_all_pass");
}

#[test]
fn v_08_a_missed_call_passes_no_filter_that_only_an_answer_decides() {
    check("v_08_a_missed_call_passes_no_filter_that_only_an_answer_decides");
}

#[test]
fn v_03_a_call_is_of_who_talked_first_or_last() {
    check("v_03_a_call_is_of_who_talked_first_or_last");
}

#[test]
fn v_03_a_lost_outgoing_call_goes_to_whom_a_rule_names() {
    check("v_03_a_lost_outgoing_call_goes_to_whom_a_rule_names");
}

#[test]
fn v_09_names_come_from_templates_or_defaults() {
    check("v_09_names_come_from_templates_or_defaults");
}

#[test]
fn additional_fields_are_filled_when_a_card_is_made_or_always() {
    check("additional_fields_are_filled_when_a_card_is_made_or_always");
}

#[test]
fn v_10_update_always_writes_to_the_first_found_of_contact_company_and_lead() {
    check("v_10_update_always_writes_to_the_first_found_of_contact_company_and_lead");
}

#[test]
fn v_03_with_another_telephony_only_fields_are_filled() {
    check("v_03_with_another_telephony_only_fields_are_filled");
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
fn a_call_that_was_clicked_in_the_crm_ends_the_entry_that_stands_there() {
    check("a_call_that_was_clicked_in_the_crm_ends_the_entry_that_stands_there");
}

#[test]
fn s3_05_a_known_clients_call_makes_a_lead_on_the_contact_unless_one_is_open() {
    check("s3_05_a_known_clients_call_makes_a_lead_on_the_contact_unless_one_is_open");
}

#[test]
fn v_14_filtered_calls_are_left_out_of_the_call_history_where_that_is_set() {
    check("v_14_filtered_calls_are_left_out_of_the_call_history_where_that_is_set");
}

#[test]
fn v_14_marks_of_call_tracking_and_our_number_fill_fields_of_new_records() {
    check("v_14_marks_of_call_tracking_and_our_number_fill_fields_of_new_records");
}

#[test]
fn a_recording_is_linked_to_the_entry_that_stands() {
    check("a_recording_is_linked_to_the_entry_that_stands");
}

#[test]
fn s2_12_where_the_crm_makes_contacts_the_call_is_told_first_and_its_contact_awaited() {
    check("s2_12_where_the_crm_makes_contacts_the_call_is_told_first_and_its_contact_awaited");
}
