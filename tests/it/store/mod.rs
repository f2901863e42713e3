//! The embedded store, through its handle.

mod acceptance;
mod crash;
mod deals;
mod decisions;
mod directory;
mod fixture;
mod forgetting;
mod group;
mod journal;
mod keeping;
mod opening;
mod quarantine;
mod recordings;
mod revival;
mod sample;
mod sweeping;
