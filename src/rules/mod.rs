//! Decisions, pure: values in, values out. Never awaits, logs or reads time; names no CRM and no
//! phone system.

pub mod settings;
pub mod situation;
