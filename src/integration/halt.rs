//! Asks the works under way to come to a stop where nothing is half done.

use std::cell::Cell;
use std::rc::Rc;

/// A wish that is shared between an actor and its works.
#[derive(Debug, Clone, Default)]
pub(super) struct Halt(Rc<Cell<bool>>);

impl Halt {
    /// Wishes that works stop before their next step.
    pub(super) fn wish(&self) {
        self.0.set(true);
    }

    /// Says whether that is wished.
    pub(super) fn is_wished(&self) -> bool {
        self.0.get()
    }
}
