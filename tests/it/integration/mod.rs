//! The integration actor with an in-process store and a scripted CRM.

mod crm_double;
mod held;
mod supervision;
mod working;
mod workshop;
