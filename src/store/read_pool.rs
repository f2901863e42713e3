//! The threads that short reads run on: few, so that a backlog's thousands of reads a second wake
//! a thread now and then instead of one each, and off the async threads, since a page that is not
//! in the cache takes the disk's time.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// One that waits for the disk does not hold up those whose page is at hand.
const THREADS: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// Runs reads in the order in which they come. Its threads end when it is dropped.
#[derive(Debug)]
pub(super) struct ReadPool {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl ReadPool {
    /// Starts the threads; each does `at_start` first.
    pub(super) fn start(at_start: fn()) -> std::io::Result<Self> {
        let pool = Self {
            queue: Arc::default(),
        };
        for _ in 0..THREADS {
            let queue = Arc::clone(&pool.queue);
            std::thread::Builder::new()
                .name("store-read".to_owned())
                .spawn(move || {
                    at_start();
                    queue.serve();
                })?;
        }
        Ok(pool)
    }

    /// Runs a read. `Err` holds what it panicked with.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Box<dyn Any + Send>> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Box::new(move || {
            // The asker may have gone.
            drop(reply.send(catch_unwind(AssertUnwindSafe(read))));
        }));
        match answer.await {
            Ok(result) => result,
            Err(gone) => Err(Box::new(gone)),
        }
    }
}

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.news.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.news.notify_one();
    }

    /// Works until the pool is gone and nothing waits.
    fn serve(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.is_closed {
                return None;
            }
            let woken = self.news.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_read_is_answered_and_one_that_panics_harms_nobody_else() {
        let pool = ReadPool::start(|| {}).expect("starts");
        let reads = (0..100_u32).map(|n| {
            pool.run(move || {
                assert_ne!(n % 10, 3, "as planned");
                n
            })
        });
        let answers = futures_util::future::join_all(reads).await;
        for (n, answer) in (0_u32..).zip(answers) {
            match answer {
                Ok(answered) => assert_eq!(answered, n),
                Err(_) => assert_eq!(n % 10, 3),
            }
        }
    }

    #[tokio::test]
    async fn a_read_that_takes_long_does_not_hold_up_the_others() {
        let pool = ReadPool::start(|| {}).expect("starts");
        let (release, held) = std::sync::mpsc::channel::<()>();
        let slow = pool.run(move || held.recv().is_ok());
        let quick = async {
            let answer = pool.run(|| 5).await;
            release.send(()).expect("is awaited");
            answer
        };
        let (slow, quick) = tokio::join!(slow, quick);
        assert!(matches!((slow, quick), (Ok(true), Ok(5))));
    }
}
