//! A torture from the beginning to the verdict.

use std::sync::Arc;

use anyhow::bail;
use serde_json::Value;
use tokio::time::{self, Instant};

use super::TortureOptions;
use super::administrator::Administrator;
use super::expectation::expectation;
use super::sightings::Watch;
use super::stage::{Posting, Stage};
use super::stream::Stream;
use super::switchboard::Switchboard;
use super::tally::{Tally, undecidable};
use super::verdict::{Counts, ExpectedClient, judge};
use crate::lab::day::daemon::Daemon;

/// Differences that are shown; the counts tell of the others.
const DIFFERENCES_SHOWN: usize = 40;
/// Kills between two words about the progress.
const WORD_EVERY: usize = 10;

/// Tortures; returns whether everything that must be zero is zero.
///
/// # Errors
/// Fails when the torture cannot be set up or carried through.
pub async fn run(options: &TortureOptions, say: &mut dyn FnMut(&str)) -> anyhow::Result<bool> {
    let stream = Arc::new(Stream::new(options.seed, options.kills));
    let stage = Stage::start(options).await?;
    let begun = Instant::now();
    say(&format!(
        "{} communications of {} clients, {} kills, seed {}; the daemon's log is {}",
        stream.communications(),
        stream.clients.len(),
        options.kills,
        options.seed,
        stage.files.log().display()
    ));
    let mut board = Switchboard::start(&stage.ami).await?;
    let administrator =
        Administrator::start(Daemon::new(stage.address.clone())?, stage.crm.doorkeeper());
    let mut posting = Posting::new();
    let mut watches = Vec::new();
    for (number, round) in stream.rounds.iter().enumerate() {
        let start = Instant::now();
        stage.release(&stream, number, start, &mut posting, &mut board);
        let child = stage.start_daemon()?;
        stage.live_until(&round.kill, child, start).await?;
        let killed = Instant::now();
        if let Some(from) = board.observer.attached_after(start) {
            watches.push(Watch {
                from,
                until: Some(killed),
            });
        }
        time::sleep(round.dead).await;
        if (number + 1) % WORD_EVERY == 0 {
            let seconds = begun.elapsed().as_secs();
            say(&format!("  {} kills after {seconds} s", number + 1));
        }
    }

    let start = Instant::now();
    let mut child = stage.start_last_daemon(options)?;
    let settled = async {
        for posted in std::mem::take(&mut posting).into_values() {
            posted.await??;
        }
        let played = board.played().await?;
        say(&format!(
            "  all is told after {} s; the daemon finishes",
            begun.elapsed().as_secs()
        ));
        stage.settle(say).await?;
        anyhow::Ok(played)
    };
    let played = tokio::select! {
        played = settled => played?,
        how = child.ended() => bail!("the daemon ended by itself: {how}"),
    };
    board.observer.check()?;
    if let Some(failure) = stage.ami.log_failure() {
        bail!("the simulated switch lost lines of its log: {failure}");
    }
    if let Some(from) = board.observer.attached_after(start) {
        watches.push(Watch { from, until: None });
    }
    let seconds = begun.elapsed().as_secs();
    let dead_letters = stage.daemon.dead_letters().await?;
    say(&format!(
        "  the account was authorised {} times",
        administrator.times()
    ));
    child.stop().await?;
    let expected = expectation(
        options.crm,
        &stream,
        &stage.poster,
        &board.observer,
        &played,
        &watches,
    );
    let tally = tally(options, &stream, &stage, &expected, &dead_letters, say);
    say(&format!("{seconds} s; {}", stage.traffic()));
    let (last_line, well) = tally.last_line(options.broken);
    say(&last_line);
    Ok(well)
}

/// Counts, and tells of each difference.
fn tally(
    options: &TortureOptions,
    stream: &Stream,
    stage: &Stage,
    expected: &[ExpectedClient],
    dead_letters: &[Value],
    say: &mut dyn FnMut(&str),
) -> Tally {
    let verdict = judge(expected, &stage.crm.found());
    for line in verdict.differences.iter().take(DIFFERENCES_SHOWN) {
        say(line);
    }
    for letter in dead_letters.iter().take(DIFFERENCES_SHOWN) {
        say(&format!("dead letter: {letter}"));
    }
    let calls = expected.iter().flat_map(|client| &client.calls);
    let Counts {
        lost,
        duplicated,
        out_of_order,
    } = verdict.counts;
    Tally {
        kills: options.kills,
        communications: stream.communications(),
        lost,
        duplicated,
        out_of_order,
        rate_violations: stage.crm.rate_violations(),
        spent_tokens_reused: stage.crm.spent_tokens_reused(),
        undecidable: undecidable(dead_letters),
        blind: calls.filter(|call| !call.needed).count(),
    }
}
