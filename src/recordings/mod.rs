//! The recordings of calls: looked for where the phone system writes them, waited for until they
//! are whole, brought into a form that every browser plays, served at `{public_url}/r/{token}`.
//!
//! ```text
//!  Accept --> store (sought, due) --> Keeper --> seek: name -> folder | web -> whole? -> playable?
//!                                        |                     |                  |
//!                                        |                     +- not yet, later -+- join, convert
//!                                        v
//!                       store (ready + works of the integrations) --> the entry gets its address
//!  browser --> Player --> token -> file, ranges
//! ```
//!
//! What a name of the phone system says is not believed: `way` takes it apart, `folder` opens it
//! below a configured folder without following a link, `web` asks nothing but a configured
//! address. Everything that must outlive the process is in the store or a whole file of `shelf`.
//! A CRM that wants the file itself is handed it by `opener`, from where the player takes it.

mod convert;
mod folder;
pub mod keeper;
pub mod opener;
pub mod player;
mod seek;
mod shelf;
mod sound;
mod wav;
mod way;
mod web;

#[cfg(test)]
mod tests;
