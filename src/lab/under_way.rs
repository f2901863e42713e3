//! How many requests have arrived and are not answered yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts them.
#[derive(Debug, Clone, Default)]
pub(in crate::lab) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    /// Counts a request until its answer is given or its connection is gone: until this is dropped.
    pub(in crate::lab) fn begin(&self) -> Begun {
        self.0.fetch_add(1, Ordering::SeqCst);
        Begun(self.clone())
    }

    /// Returns how many there are.
    pub(in crate::lab) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A request that is under way.
pub(in crate::lab) struct Begun(UnderWay);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
