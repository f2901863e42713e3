//! The integration tests: one binary, so that everything links once.

mod crash_backend;
mod examples;
mod integration;
mod openapi;
mod store;
