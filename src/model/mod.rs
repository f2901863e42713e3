//! The vocabulary: values that every other module speaks. Pure; imports nothing of ours.

pub mod activity;
pub mod call;
pub mod call_order;
pub mod capabilities;
pub mod chat;
pub mod communication;
pub mod directory;
pub mod employee;
pub mod explanation;
pub mod facts;
pub mod ids;
pub mod ledger;
pub mod mistake;
pub mod number_rules;
pub mod outcome;
pub mod passing;
pub mod phone;
pub mod plan;
mod plan_text;
pub mod question;
pub mod request;
pub mod secret;
pub mod timestamp;
mod wording;
