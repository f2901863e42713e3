//! Durable acceptance: what a source reports is on disk, as work for each integration that takes
//! it, before the source hears "yes".

pub mod crm_hooks;
mod exchanges;
pub mod flood;
pub mod http;
mod installations;
mod oauth;
pub mod path;
pub mod recordings;
pub mod room;
pub mod routing;
pub mod sink;
mod workplaces;
