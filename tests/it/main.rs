//! Tests of the whole, in one binary: it links once.

mod examples;
mod features;
mod layering;
