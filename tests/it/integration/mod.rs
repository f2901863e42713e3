//! The integration actor with an in-process store and a scripted CRM.

mod crm_double;
mod dead_letters;
mod held;
mod power_cut;
mod supervision;
mod switching;
mod times;
mod unreadable;
mod working;
mod workshop;
