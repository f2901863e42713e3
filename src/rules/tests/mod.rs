//! Tables of decisions: `tests/data/rules/NAME.toml` holds cases, `NAME.snap` beside it what they
//! come to, with the reasons as an administrator reads them.

mod case;
mod popup;
mod properties;
mod tables;
