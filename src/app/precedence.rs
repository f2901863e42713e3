//! Which threads go first where the cores are busy. Somebody waits at a ringing phone for the answer
//! to a question, and for the phone system itself; nobody waits for a backlog.
//!
//! A lower priority alone does not do: newer kernels let whoever runs finish his slice of a
//! millisecond and more before the one who answers has his turn. So one core stays free of
//! everything else.

use std::sync::OnceLock;

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How far the threads of everything else stand behind: at 5 a core that two want is given to them
/// for a quarter of the time, so that they go on beside whatever else is on the machine.
const BEHIND: i32 = 5;

/// What those threads may have.
struct Share {
    priority: i32,
    /// `None` where there is one core only.
    cores: Option<CpuSet>,
}

/// Taken from the first thread that gives way: what the program was started with.
static SHARE: OnceLock<Share> = OnceLock::new();

/// Lets the calling thread give way to those that answer, and to other programs. The threads that it
/// starts later do so as well. It cannot be taken back.
pub(super) fn give_way() {
    let share = SHARE.get_or_init(|| Share {
        priority: getpriority_process(None).unwrap_or(0) + BEHIND,
        cores: sched_getaffinity(None).ok().and_then(without_first),
    });
    // On Linux every thread has a priority of its own.
    let behind = setpriority_process(None, share.priority);
    let elsewhere = match &share.cores {
        Some(cores) => sched_setaffinity(None, cores),
        None => Ok(()),
    };
    if let Err(error) = behind.and(elsewhere) {
        tracing::debug!(%error, "this thread does not give way");
    }
}

/// Returns all cores but the first, if any are left.
fn without_first(mut cores: CpuSet) -> Option<CpuSet> {
    let first = (0..CpuSet::MAX_CPU).find(|core| cores.is_set(*core))?;
    cores.unset(first);
    (cores.count() > 0).then_some(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_stays_free_where_there_are_several() {
        let cores = |numbers: &[usize]| {
            let mut set = CpuSet::new();
            numbers.iter().for_each(|number| set.set(*number));
            set
        };
        assert_eq!(without_first(cores(&[0, 1])), Some(cores(&[1])));
        assert_eq!(without_first(cores(&[2, 5, 9])), Some(cores(&[5, 9])));
        assert_eq!(without_first(cores(&[3])), None);
        assert_eq!(without_first(cores(&[])), None);
    }
}
