//! Asterisk over its Manager Interface (AMI), and what is built on it: FreePBX, MikoPBX.

pub mod ami_codec;
pub mod ami_message;
pub mod channels;
pub mod tracker;
