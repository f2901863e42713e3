//! The directory: the index beside the store, and the books that are kept of it.

mod comparing;
mod keeping;
mod people;
