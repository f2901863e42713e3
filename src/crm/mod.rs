//! Where CRM work goes: the traits that an adapter implements, and the registry.
//!
//! A CRM is one folder and one line in [`registry`]; nothing outside the folder names it. The
//! only door to the network is `account`.

pub mod account;
mod account_settings;
mod adapter;
pub mod alfacrm;
pub mod amocrm;
pub mod bitrix24;
mod book;
mod call_requests;
mod clicks;
mod consent;
mod credential;
mod day_quota;
mod deal_reader;
mod description;
mod directory_reader;
mod installation;
mod lists;
pub mod pair_vault;
mod people;
pub mod planfix;
mod recording_files;
pub mod registry;
mod screen;
mod token_vault;
mod workplace;

pub use self::account_settings::{AccountDoor, AccountSettings};
pub use self::adapter::{ALONE, Adapter, Class, Outside, StepCommand};
pub use self::book::AccountBook;
pub use self::call_requests::{Asked, CallRequests, Clicked, Clicker, HookReply, HookRequest};
pub use self::clicks::{Click, Clicks};
pub use self::consent::{
    Answer, CONSENT_WITHIN, Consent, ConsentDesk, ConsentLink, Grant, LetIn, NoAccounts, NoPage,
    Returned, SharedDesk, States, SwitchOff, SwitchedOff,
};
pub use self::credential::{
    CredentialForm, CredentialState, CredentialWay, EntryField, EntryKind, EntryWay,
};
pub use self::day_quota::DayQuota;
pub use self::deal_reader::{
    DealField, DealNames, DealPiece, DealReader, DealRecords, DealsNext, DealsSince, DealsWanted,
    GONE_IDS_MAX, KnownDeals,
};
pub use self::description::{
    AccountDescription, CrmUser, DescribedAccount, Pipeline, Stage, TaskType,
};
pub use self::directory_reader::{
    Changes, Covered, DirectoryReader, DirectorySettings, HookAddress, Piece, PieceNext,
};
pub use self::installation::{
    Acquaintance, Bundle, FinishScript, InstallPage, Installable, Installation, InstallationDesk,
    Installer, NoInstallations, NotProven, Posted, Proven, Received, Reception, Removal,
    SharedInstallations, StandIn, VendorWay,
};
pub use self::recording_files::{NoRecordingFile, RecordingFile, RecordingFiles};
pub use self::screen::{Popup, Screen};
pub use self::token_vault::{TokenVault, VaultError};
pub use self::workplace::{
    Embedding, NoWorkplaces, SharedWorkplaces, WidgetClick, WidgetClicked, WidgetFile, WidgetPlace,
    WidgetProof, WidgetUsers, Workplace, WorkplaceDesk, WorkplacePage,
};
pub use crate::model::words::Words;
