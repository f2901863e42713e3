//! What the contract leaves open (`crm/planfix.md` §13), each with its best reading as the default.

/// What `contact` answers about an unknown number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownCaller {
    /// An empty object.
    #[default]
    EmptyObject,
    /// Nothing at all.
    EmptyBody,
    /// Empty texts.
    EmptyTexts,
}

/// The open facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches {
    /// The filter by phone compares digits, not the text as it was typed.
    pub phone_filter_ignores_format: bool,
    /// `isCompany: false` keeps companies out.
    pub persons_without_companies: bool,
    /// What `contact` answers about a stranger.
    pub unknown_caller: UnknownCaller,
    /// The HTTP status of code 22.
    pub quota_status: u16,
    /// Errors have capitalised keys.
    pub capital_keys: bool,
    /// Errors say `failure` and `message`.
    pub failure_and_message: bool,
    /// A repeated COMPLETED adds a second data tag.
    pub repeated_completed_counts: bool,
    /// A missed call that names no employee is taken.
    pub completed_without_ext: bool,
    /// COMPLETED without an event before it is taken.
    pub completed_alone: bool,
    /// Updates answer 202.
    pub updates_are_queued: bool,
    /// Updates answer with an empty body.
    pub updates_say_nothing: bool,
    /// What was made is absent from lists for so many milliseconds.
    pub list_lag_ms: i64,
    /// The contact of a caller is made so many milliseconds after the event.
    pub caller_lag_ms: i64,
    /// Planfix makes the contact of an unknown caller at all.
    pub makes_callers: bool,
    /// Statuses tell `isActive`.
    pub statuses_tell_active: bool,
    /// Lists of tasks show those that were deleted, as such.
    pub lists_show_deleted: bool,
    /// A task that was deleted is told as such; else there is no such task.
    pub deleted_task_is_shown: bool,
    /// Where no key of the PBX was typed, requests to it carry an empty one.
    pub empty_key_is_sent: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            phone_filter_ignores_format: false,
            persons_without_companies: true,
            unknown_caller: UnknownCaller::default(),
            quota_status: 400,
            capital_keys: false,
            failure_and_message: false,
            repeated_completed_counts: true,
            completed_without_ext: true,
            completed_alone: true,
            updates_are_queued: false,
            updates_say_nothing: false,
            list_lag_ms: 0,
            caller_lag_ms: 0,
            makes_callers: true,
            statuses_tell_active: true,
            lists_show_deleted: false,
            deleted_task_is_shown: false,
            empty_key_is_sent: false,
        }
    }
}
