//! How the simulators lock what their threads share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whether a thread panicked under this lock or not: what it left behind is still the best
/// that there is, and a test that failed tells of itself.
pub(in crate::lab) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
