//! The integration actor with an in-process store and a scripted CRM.

mod batches;
mod crm_double;
mod dead_letters;
mod filling;
mod held;
mod independence;
mod lanes;
mod moved;
mod passing;
mod power_cuts;
mod supervision;
mod switching;
mod times;
mod undecidable;
mod unreadable;
mod working;
mod workshop;
