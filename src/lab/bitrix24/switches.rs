//! What the contract leaves open or contradicts itself about: one switch each, whose default is
//! what the contract assumes. A caller must stand both ways.

use serde::{Deserialize, Serialize};

use super::reading::Reading;

/// Behaviours that are unconfirmed, or that sources tell differently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Errors of the classic `crm.*` methods have an empty `error` (§1); else `ERROR_CORE`.
    pub classic_errors_are_nameless: bool,
    /// Errors of telephony have an empty `error` (§1); else `ERROR_CORE`.
    pub telephony_errors_are_nameless: bool,
    /// Statuses as the SDK has them (401, 401, 410 instead of 403, 403, 500 for wrong secret,
    /// missing scope, deleted portal; §1).
    pub statuses_of_sdk: bool,
    /// A wrong webhook is `NO_AUTH_FOUND`; else `INVALID_CREDENTIALS` (§1 names both).
    pub wrong_webhook_is_no_auth: bool,
    /// Webhooks are refused over plain HTTP (§1); off, because the lab speaks only that.
    pub webhooks_want_https: bool,
    /// A webhook may register and finish calls (§0.1: documents no, source and practice yes).
    pub telephony_by_webhook: bool,
    /// A webhook may send notices, with `CLIENT_ID` where there is a tag (§7, §16.4).
    pub notices_by_webhook: bool,
    /// Answers carry `operating` and `operating_reset_at` (§1: may be absent).
    pub operating_reported: bool,
    /// Requests that are refused for the bucket fill it, too (not documented).
    pub refused_requests_count: bool,
    /// More than fifty commands refuse the whole batch; else those beyond fail alone (§16.1).
    pub long_batch_refused: bool,
    /// Empty maps of a batch are `[]` (§1); else `{}`.
    pub empty_maps_are_lists: bool,
    /// A command with an unresolved reference fails; else it runs with an empty value (§16.2).
    pub unresolved_reference_fails: bool,
    /// Lists with `start: -1` have no `total` and no `next` (§1).
    pub uncounted_lists_have_no_total: bool,
    /// A spent refresh token still works once (§3 [?]).
    pub spent_refresh_token_works_once: bool,
    /// A type with twenty duplicates hides the other types (§5).
    pub full_type_hides_others: bool,
    /// Contacts and the like in the answer of `searchCrmEntities` are cut to one per type (§5).
    pub search_cuts_namesakes: bool,
    /// The classic add checks required user fields (§6 [?]).
    pub classic_add_checks_required: bool,
    /// `crm.item.add` checks required user fields (§6, subject to a setting of the portal).
    pub item_add_checks_required: bool,
    /// `crm.item.list` takes upper-case `ID` in filter and order (§16.11).
    pub items_ordered_by_upper_case: bool,
    /// A lead is converted in simple mode only when `NAME` is filled (§6).
    pub simple_mode_wants_name: bool,
    /// The converted lead can be read in simple mode (§6; pages contradict).
    pub converted_lead_is_readable: bool,
    /// The call's entry is bound to the open deals of its contact, too (§8 [?]).
    pub calls_bind_open_deals: bool,
    /// The client of a call is looked for once more when it is finished (not documented); else only
    /// when it is registered (§8).
    pub calls_find_clients_at_finish: bool,
    /// `CALL_START_DATE` of a finished call is `{}` (§8); else a date.
    pub finish_date_is_object: bool,
    /// A finished call without a card to stand on says `CRM_ACTIVITY_ID: false` (§8); else 0.
    pub no_activity_is_false: bool,
    /// A record for a call that is not finished is refused in the other wording (§16.6).
    pub other_unfinished_wording: bool,
    /// Clicks to call collapse in the offline queue when number and user are the same (§15.4);
    /// else each click is a row.
    pub offline_clicks_collapse: bool,
    /// `event.offline.get` may reserve (`clear: 0`); depends on the plan (§4).
    pub offline_reserve_available: bool,
    /// Binding the same handler again is an error with this text (§9); else it succeeds.
    pub repeated_bind_refused: bool,
    /// The installer's page is told `APPLICATION_TOKEN` (§3 lists it; older portals do not).
    pub page_names_application_token: bool,
    /// `ONAPPINSTALL` names the portal's endpoint (§3); else `domain` alone.
    pub install_names_endpoint: bool,
    /// `ONAPPINSTALL` names the authorisation server (§3); else the document's default holds.
    pub install_names_server: bool,
    /// `ONAPPINSTALL` says whose tokens it brings; else only an answer of the authorisation server does
    /// (§3 lists no user).
    pub install_names_user: bool,
    /// An application that is installed again after it was taken out gets another
    /// `application_token` (§3 [?]).
    pub reinstalled_has_new_token: bool,
    /// Events name the access token of who acted (§4: may be absent).
    pub events_carry_token: bool,
    /// `crm.activity.list` filters by `ORIGIN_ID` (§15.5).
    pub activities_filter_by_origin: bool,
    /// `tasks.task.list` filters by `XML_ID` (§7, §15.5).
    pub tasks_filter_by_xml_id: bool,
    /// `TIMESTAMP_X` in `user.get` is `{}` (§16.10).
    pub user_timestamp_is_object: bool,
    /// Empty keys of users are left out (§10).
    pub empty_user_keys_omitted: bool,
    /// A tag of a notice over a webhook wants any `CLIENT_ID`; else that of an application
    /// (§7 [?]).
    pub any_client_id_passes: bool,
    /// The outdated list of funnels holds the default one (§6 [?]).
    pub old_funnels_hold_default: bool,
    /// A card is not found by its number or address for so many seconds after it was made, neither by
    /// `findbycomm` nor by telephony; none = at once (§9: no delay is documented [?]).
    pub search_lags_s: Option<u32>,
    /// A registered call is forgotten after so many seconds; none = never (§8 [?]).
    pub live_calls_forgotten_after_s: Option<u32>,
    /// The largest recording in bytes; none = any size (§8 [?]).
    pub record_bytes_max: Option<usize>,
    /// How answers are written (§1).
    pub reading: Reading,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            classic_errors_are_nameless: true,
            telephony_errors_are_nameless: true,
            statuses_of_sdk: false,
            wrong_webhook_is_no_auth: false,
            webhooks_want_https: false,
            telephony_by_webhook: false,
            notices_by_webhook: true,
            operating_reported: true,
            refused_requests_count: false,
            long_batch_refused: false,
            empty_maps_are_lists: true,
            unresolved_reference_fails: false,
            uncounted_lists_have_no_total: true,
            spent_refresh_token_works_once: false,
            full_type_hides_others: true,
            search_cuts_namesakes: true,
            classic_add_checks_required: false,
            item_add_checks_required: true,
            items_ordered_by_upper_case: false,
            simple_mode_wants_name: false,
            converted_lead_is_readable: true,
            calls_bind_open_deals: true,
            calls_find_clients_at_finish: false,
            finish_date_is_object: true,
            no_activity_is_false: true,
            other_unfinished_wording: false,
            offline_clicks_collapse: false,
            offline_reserve_available: true,
            repeated_bind_refused: true,
            page_names_application_token: true,
            install_names_endpoint: true,
            install_names_server: true,
            install_names_user: false,
            reinstalled_has_new_token: false,
            events_carry_token: true,
            activities_filter_by_origin: true,
            tasks_filter_by_xml_id: true,
            user_timestamp_is_object: true,
            empty_user_keys_omitted: true,
            any_client_id_passes: true,
            old_funnels_hold_default: false,
            search_lags_s: None,
            live_calls_forgotten_after_s: None,
            record_bytes_max: None,
            reading: Reading::default(),
        }
    }
}
