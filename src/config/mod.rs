//! The files that an administrator writes: `trunkline.toml` and `tenants.d/*.toml`.
//!
//! ```text
//! text -> document (places) -> raw (serde, every wrong key) -> checks -> Configuration
//! ```
//!
//! All mistakes of all files come out at once, each with file, line, column and key path.
//! Nothing after [`load`] checks the values again. This module opens no connection and writes
//! nothing but what `edit` is told to; what a running daemon does about a new configuration,
//! [`difference`] only says.

mod access;
mod account;
mod alarms;
mod answering;
mod calendar;
mod configuration;
mod daemon;
mod defaults;
mod difference;
mod document;
mod edit;
mod fingerprint;
mod integration;
mod key_path;
mod kind_mistakes;
mod load;
mod mistake;
mod names;
mod node_reader;
mod people;
mod raw;
mod reading;
mod recordings;
mod schema;
mod secret_place;
mod source;
mod suggestion;
mod synced;
mod tenant;

pub use access::{AccessError, AdminAccess, admin_access};
pub use configuration::{
    AccountConfig, AdminSettings, Configuration, DaemonSettings, FastAgiSettings,
    InstallationSettings, IntakeSettings, IntegrationConfig, LogFormat, LogLevel, LogSettings,
    QuestionsSettings, SourceConfig, StoreSettings, Tenant,
};
pub use defaults::DEFAULT_FILE;
pub use difference::{Changes, ItemChanges, difference};
pub use document::Position;
pub use edit::{
    AccountEdit, CompanyEdit, EditError, EditedFile, FileEdit, IntegrationEdit, ItemEdit,
    ItemValues, NewTenant, Section, TitleEdit, WrittenAccount, WrittenCompany, WrittenIntegration,
    WrittenSettings, WrittenSource, WrittenSourceItem, WrittenTake, WrittenTenant, add_tenant,
    edit_file, written_account, written_company, written_employees, written_integration,
    written_settings, written_source, written_tenant, written_tenants,
};
pub use fingerprint::Fingerprint;
pub use load::{load, load_draft, load_with, tenant_texts, written_files};
pub use mistake::ConfigMistake;
pub use schema::{SettingsFile, settings_reference, settings_schema};
pub use secret_place::Environment;
pub use tenant::Registries;

#[cfg(test)]
mod tests;
