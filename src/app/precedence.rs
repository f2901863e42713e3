//! Which threads go first where the cores are busy. Somebody waits at a ringing phone for the answer
//! to a question, and for the phone system itself; nobody waits for a backlog.

use std::sync::OnceLock;

use rustix::process::{getpriority_process, setpriority_process};

/// How far the threads of everything else stand behind: at 5 a core that two want is given to them
/// for a quarter of the time, so that they go on beside whatever else is on the machine.
const BEHIND: i32 = 5;

/// What the program was started with, as the first thread that gives way finds it.
static STARTED_WITH: OnceLock<i32> = OnceLock::new();

/// Lets the calling thread give way to those that answer, and to other programs. The threads that it
/// starts later do so as well. It cannot be taken back.
pub(super) fn give_way() {
    // On Linux every thread has a priority of its own.
    let found = getpriority_process(None).unwrap_or(0);
    let first = STARTED_WITH.get_or_init(|| found);
    if let Err(error) = setpriority_process(None, first + BEHIND) {
        tracing::debug!(%error, "this thread keeps its priority");
    }
}
