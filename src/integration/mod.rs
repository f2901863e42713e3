//! One supervised actor for each tenant-integration pair: lanes, decisions at the head of the
//! lane, execution of plans. Knows nothing that the store does not hold.

pub mod actor;
mod advance;
pub mod batcher;
pub mod child;
pub mod context;
mod decide;
mod execute;
mod gate;
mod halt;
pub mod handle;
mod known_facts;
pub mod lanes;
mod made_lately;
mod moved;
pub mod notices;
mod observed;
pub mod passing;
pub mod portal;
mod resolve;
pub mod retry;
pub mod status;
pub mod supervisor;
