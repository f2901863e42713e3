//! Follows calls through the event stream. Pure.
