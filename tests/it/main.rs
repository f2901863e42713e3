//! The integration tests: one binary, so that everything links once.

mod amocrm_fields;
mod amocrm_lab;
mod amocrm_oauth;
mod amocrm_popup;
mod amocrm_portal;
mod amocrm_recordings;
mod amocrm_switches;
mod bitrix24_door;
mod bitrix24_events;
mod bitrix24_lab;
mod conformance;
mod crash_backend;
mod dialplan;
mod directory;
mod directory_sync;
mod examples;
mod features;
mod integration;
mod layering;
mod memory_pairs;
mod openapi;
mod process;
mod recipes;
mod store;
mod uis;
