//! The real program as a process, between a simulated switch and a simulated CRM: started, asked,
//! disturbed, killed and started again.
//!
//! Every test has a folder, a loopback address and simulators of its own, so that all of them can
//! run at once.

mod admin;
mod alarms;
mod alfacrm;
mod authorisation;
mod backfill;
mod backup;
mod bitrix24;
mod bitrix24_chats;
mod bitrix24_directory;
mod calls;
mod chats;
mod chats_cloud;
mod click_to_call;
mod configuration;
mod consent;
mod crm_down;
mod daemon;
mod deals;
mod deals_upload;
mod delivery;
mod directory;
mod discover;
mod doctor;
mod editors;
mod edits;
mod fastagi;
mod fields;
mod forget;
mod full_disk;
mod home;
mod hostile;
mod hostile_switch;
mod killed;
mod mariadb;
mod mirror;
mod monitoring;
mod observe;
mod office;
mod pages;
mod popup;
mod portals;
mod questions;
mod questions_miss;
mod questions_shared;
mod real_ffmpeg;
mod recordings;
mod rehearse;
mod reload;
mod replay;
mod requests;
mod rules;
mod schedules;
mod service;
mod slow_call;
mod store;
mod support_bundle;
mod test_call;
mod uis;
mod vats;
mod wait;
mod webhook;
