//! Whether the daemon gets on after the last kill, and what is said meanwhile. Pure: what was seen comes in,
//! and when.
//!
//! A CRM may work on a request for a minute after its answer was lost, so that a step which is not there
//! counts as absent only then: several such steps of one client in a row are minutes in which no work is
//! finished. A step that is over is progress, too.

use std::time::Duration;

use tokio::time::Instant;

/// How long nothing at all may be over: one step may meet three lost requests in a row, each of seventy
/// seconds, and the back-off between.
pub(super) const STALLED: Duration = Duration::from_secs(300);

/// Pause between two words about what is waited for.
const WORD_EVERY: Duration = Duration::from_secs(30);

/// Looks in a row that must find nothing to do: one might fall between a call's end and the
/// moment when its work is written.
const QUIET_LOOKS: u32 = 4;

/// One look at the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    /// Works and calls that are open.
    pub(super) open: u64,
    /// Steps of open works that are over.
    pub(super) steps: usize,
    /// The CRM works on a request.
    pub(super) under_way: bool,
    /// What the oldest work waits for; or why the daemon could not be asked.
    pub(super) waits_for: Option<String>,
}

/// What follows from a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Look again.
    Look,
    /// Look again, and say this.
    Say(String),
    /// Everything is done.
    Done,
    /// Nothing moves any more: why.
    Stalled(String),
}

/// How the daemon has got on so far.
#[derive(Debug)]
pub(super) struct Finishing {
    quiet: u32,
    /// The fewest that were open, and the most of their steps that were over then.
    best: Option<(u64, usize)>,
    moved: Instant,
    said: Instant,
}

impl Finishing {
    pub(super) fn begun(now: Instant) -> Self {
        Self {
            quiet: 0,
            best: None,
            moved: now,
            said: now,
        }
    }

    /// Takes note of a look; `None` = the daemon could not be asked, for this reason.
    pub(super) fn looked(&mut self, look: Result<Look, String>, now: Instant) -> Next {
        let look = match look {
            Ok(look) if look.open == 0 && !look.under_way => {
                self.quiet += 1;
                return match self.quiet {
                    QUIET_LOOKS.. => Next::Done,
                    _ => Next::Look,
                };
            }
            other => other,
        };
        self.quiet = 0;
        if let Ok(look) = &look {
            let is_better = self.best.is_none_or(|(open, steps)| {
                look.open < open || (look.open == open && look.steps > steps)
            });
            if is_better {
                self.best = Some((look.open, look.steps));
                self.moved = now;
            }
        }
        let words = match look {
            Ok(look) => {
                let why = look
                    .waits_for
                    .unwrap_or_else(|| "nothing that it tells".to_owned());
                format!(
                    "{} works or calls are open, the first waits for: {why}",
                    look.open
                )
            }
            Err(error) => format!("the daemon cannot be asked: {error}"),
        };
        if now.saturating_duration_since(self.moved) > STALLED {
            return Next::Stalled(format!("{words}; nothing was over for {STALLED:?}"));
        }
        if now.saturating_duration_since(self.said) < WORD_EVERY {
            return Next::Look;
        }
        self.said = now;
        Next::Say(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(open: u64, steps: usize) -> Result<Look, String> {
        Ok(Look {
            open,
            steps,
            under_way: false,
            waits_for: Some("the crm".to_owned()),
        })
    }

    /// Looks every ten seconds, so often; returns what came of the last.
    fn looked(
        finishing: &mut Finishing,
        now: &mut Instant,
        seen: &Result<Look, String>,
        times: u32,
    ) -> Next {
        let mut next = Next::Look;
        for _ in 0..times {
            *now += Duration::from_secs(10);
            next = finishing.looked(seen.clone(), *now);
            if matches!(next, Next::Stalled(_) | Next::Done) {
                break;
            }
        }
        next
    }

    #[test]
    fn one_client_whose_steps_each_wait_for_a_minute_is_no_standstill() {
        let mut now = Instant::now();
        let mut finishing = Finishing::begun(now);
        // Contact, deal and call of one work, each after two lost requests.
        for steps in 0..3 {
            let next = looked(&mut finishing, &mut now, &look(1, steps), 15);
            assert!(!matches!(next, Next::Stalled(_)), "{next:?}");
        }
        let next = looked(&mut finishing, &mut now, &look(0, 0), 4);
        assert_eq!(next, Next::Done);
    }

    #[test]
    fn nothing_over_for_minutes_is_one_and_says_what_is_waited_for() {
        for (seen, words) in [
            (look(2, 1), "the crm"),
            (Err("connection refused".to_owned()), "connection refused"),
        ] {
            let mut now = Instant::now();
            let mut finishing = Finishing::begun(now);
            let next = looked(&mut finishing, &mut now, &seen, 100);
            let Next::Stalled(why) = next else {
                panic!("{next:?}");
            };
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn it_says_what_it_waits_for_now_and_then() {
        let mut now = Instant::now();
        let mut finishing = Finishing::begun(now);
        let words = (0..12).filter(|_| {
            now += Duration::from_secs(10);
            matches!(finishing.looked(look(1, 0), now), Next::Say(_))
        });
        assert_eq!(words.count(), 4);
    }

    #[test]
    fn one_quiet_look_is_not_the_end() {
        let now = Instant::now();
        let mut finishing = Finishing::begun(now);
        let mut seen = [look(0, 0), look(1, 0), look(0, 0), look(0, 0), look(0, 0)].into_iter();
        assert!(seen.all(|seen| finishing.looked(seen, now) == Next::Look));
        let busy = Look {
            under_way: true,
            ..look(0, 0).unwrap()
        };
        assert_eq!(finishing.looked(Ok(busy), now), Next::Look);
    }
}
