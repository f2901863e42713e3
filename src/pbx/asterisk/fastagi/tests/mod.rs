//! Conversations and the server against a small Asterisk.

mod conversations;
mod doubles;
mod serving;
