use std::sync::Arc;

use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;

fn limiter(rate: f64, window_max: usize) -> Arc<Limiter> {
    Arc::new(Limiter::new(LimiterOptions {
        rate_per_second: rate,
        window_max,
        quiet_start: Duration::ZERO,
    }))
}

/// Sends `count` requests at once, each under way for `latency`; returns when each left, since
/// the start.
async fn run(limiter: &Arc<Limiter>, class: Class, count: usize, latency: Duration) -> Vec<u64> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let limiter = Arc::clone(limiter);
        tasks.spawn(async move {
            let permit = limiter.acquire(class).await.expect("room in the queue");
            let left = started.elapsed().as_millis() as u64;
            tokio::time::sleep(latency).await;
            drop(permit);
            left
        });
    }
    let mut left = tasks.join_all().await;
    left.sort_unstable();
    left
}

/// Most moments within any sliding second.
fn most_in_a_second(moments: &[u64]) -> usize {
    let within = |from: u64| {
        moments
            .iter()
            .filter(move |m| (from..=from + 1000).contains(m))
    };
    moments
        .iter()
        .map(|m| within(*m).count())
        .max()
        .unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn requests_leave_evenly_and_use_the_rate_to_the_full() {
    let limiter = limiter(6.0, 7);
    let left = run(&limiter, Class::Work, 61, Duration::from_millis(50)).await;
    for pair in left.windows(2) {
        let gap = pair[1] - pair[0];
        assert!((150..=184).contains(&gap), "{gap} ms apart in {left:?}");
    }
    let all = left[60] - left[0];
    assert!(
        (9_900..=10_300).contains(&all),
        "60 intervals took {all} ms"
    );
    assert!(most_in_a_second(&left) <= 7);
}

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_than_the_window_wherever_requests_arrive_on_their_way() {
    let limiter = limiter(7.0, 7);
    let latency = Duration::from_millis(400);
    let left = run(&limiter, Class::Work, 60, latency).await;
    // The worst case: one that is held up for the whole way, the next that arrives at once.
    for late in 0..left.len() {
        let arrivals: Vec<u64> = left
            .iter()
            .enumerate()
            .map(|(i, at)| if i <= late { at + 400 } else { *at })
            .collect();
        assert!(
            most_in_a_second(&arrivals) <= 7,
            "bunched at {late}: {left:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_429_nothing_leaves_for_the_pause_and_the_rate_is_lowered_for_a_while() {
    let limiter = limiter(6.0, 7);
    run(&limiter, Class::Work, 1, Duration::ZERO).await;
    limiter.throttled(Duration::from_secs(5));
    let left = run(&limiter, Class::Work, 10, Duration::ZERO).await;
    assert!((5_000..=5_002).contains(&left[0]), "left at {left:?}");
    let gap = left[9] - left[8];
    assert!((300..=340).contains(&gap), "{gap} ms at half the rate");
    assert_eq!(limiter.rate_per_second(), 3.0);
    tokio::time::advance(LOWERED_FOR).await;
    assert_eq!(limiter.rate_per_second(), 6.0);
}

#[tokio::test(start_paused = true)]
async fn the_rate_never_falls_below_a_quarter_and_comes_back_in_steps() {
    let limiter = limiter(6.0, 7);
    for _ in 0..50 {
        limiter.throttled(Duration::from_secs(1));
    }
    assert_eq!(limiter.rate_per_second(), 1.5);
    tokio::time::advance(Duration::from_secs(62)).await;
    assert_eq!(limiter.rate_per_second(), 3.0);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(limiter.rate_per_second(), 6.0);
}

#[tokio::test(start_paused = true)]
async fn live_questions_go_first_and_lower_classes_keep_moving() {
    let limiter = limiter(10.0, 11);
    let mut tasks = JoinSet::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    for class in [Class::Background, Class::Work, Class::Live] {
        for _ in 0..40 {
            let limiter = Arc::clone(&limiter);
            let order = Arc::clone(&order);
            tasks.spawn(async move {
                let permit = limiter.acquire(class).await.expect("room in the queue");
                order.lock().expect("no panic under the lock").push(class);
                drop(permit);
            });
        }
    }
    tasks.join_all().await;
    let order = order.lock().expect("no panic under the lock").clone();
    // Tasks start in the order of their spawning: one of the background had the start.
    let first = &order[1..33];
    let share = |class| first.iter().filter(|c| **c == class).count();
    assert_eq!(share(Class::Background), 4, "one in eight: {first:?}");
    assert_eq!(share(Class::Work), 7, "one in four of the rest: {first:?}");
    assert_eq!(share(Class::Live), 21, "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn one_who_gives_up_leaves_the_way_free() {
    let limiter = limiter(1.0, 2);
    let first = limiter.acquire(Class::Work).await.expect("room");
    let given_up = tokio::time::timeout(Duration::from_millis(10), limiter.acquire(Class::Live));
    assert!(given_up.await.is_err());
    assert_eq!(limiter.waiting(), Waiting::default());
    drop(first);
    let left = run(&limiter, Class::Work, 1, Duration::ZERO).await;
    assert!(left[0] <= 1_000, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn leave_that_was_not_used_costs_nothing() {
    let limiter = limiter(1.0, 2);
    let started = Instant::now();
    for _ in 0..20 {
        limiter.acquire(Class::Work).await.expect("room").unused();
    }
    assert!(started.elapsed() < Duration::from_millis(50));
    assert_eq!(limiter.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hung_crm_holds_no_more_than_the_bound_in_flight() {
    let limiter = limiter(100.0, 101);
    let mut held = Vec::new();
    for _ in 0..IN_FLIGHT_MAX {
        held.push(limiter.acquire(Class::Work).await.expect("room"));
    }
    let next = tokio::time::timeout(Duration::from_secs(60), limiter.acquire(Class::Live));
    assert!(next.await.is_err());
    held.pop();
    let permit = limiter.acquire(Class::Live).await.expect("room");
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn a_new_process_waits_until_the_window_of_its_forerunner_is_over() {
    let limiter = Arc::new(Limiter::new(LimiterOptions {
        rate_per_second: 6.0,
        window_max: 7,
        quiet_start: Duration::from_secs(1),
    }));
    let left = run(&limiter, Class::Live, 1, Duration::ZERO).await;
    assert!(left[0] >= 1_000);
}

#[tokio::test(start_paused = true)]
async fn the_queue_has_an_end() {
    let limiter = limiter(0.5, 1);
    let first = limiter.acquire(Class::Work).await.expect("room");
    let mut waiting = JoinSet::new();
    for _ in 0..WAITING_MAX {
        let limiter = Arc::clone(&limiter);
        waiting.spawn(async move { limiter.acquire(Class::Work).await.map(Permit::unused) });
    }
    while limiter.waiting().work < WAITING_MAX {
        tokio::task::yield_now().await;
    }
    assert!(matches!(
        limiter.acquire(Class::Work).await,
        Err(NoTurn::QueueFull)
    ));
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn nobody_stands_in_line_through_a_long_pause() {
    let limiter = limiter(1.0, 2);
    drop(limiter.acquire(Class::Work).await.expect("room"));
    let waiting = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.acquire(Class::Work).await.map(Permit::unused) }
    });
    while limiter.waiting().work == 0 {
        tokio::task::yield_now().await;
    }
    let pause = Duration::from_secs(3600);
    limiter.throttled(pause);
    let left = Err(NoTurn::Paused { left: pause });
    assert_eq!(waiting.await.expect("no panic"), left);
    assert_eq!(limiter.acquire(Class::Live).await.map(Permit::unused), left);
    tokio::time::advance(pause).await;
    assert!(limiter.acquire(Class::Live).await.is_ok());
}

/// One request: when it comes, its class, how long it is under way.
type Job = (u64, usize, u64);

/// Sends requests as they come, with 429s in between; returns when each left.
async fn work_off(rate: u32, jobs: Vec<Job>, throttles: &[(u64, u64)]) -> Vec<u64> {
    let limiter = limiter(f64::from(rate), rate as usize + 1);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (comes, class, latency) in jobs {
        let limiter = Arc::clone(&limiter);
        let class = [Class::Live, Class::Work, Class::Background][class];
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_millis(comes)).await;
            let permit = limiter.acquire(class).await.expect("short pauses");
            let left = began.elapsed().as_millis() as u64;
            tokio::time::sleep(Duration::from_millis(latency)).await;
            drop(permit);
            left
        });
    }
    for (at, pause) in throttles.iter().copied() {
        let limiter = Arc::clone(&limiter);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(at)).await;
            limiter.throttled(Duration::from_millis(pause));
        });
    }
    let mut left = tasks.join_all().await;
    left.sort_unstable();
    left
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_comes_there_is_no_burst_no_full_second_and_nobody_is_left_behind(
        rate in 1u32..12,
        jobs in proptest::collection::vec((0u64..4_000, 0usize..3, 0u64..900), 1..60),
        throttles in proptest::collection::vec((0u64..4_000, 0u64..3_000), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let count = jobs.len();
        let left = runtime.block_on(work_off(rate, jobs, &throttles));
        prop_assert_eq!(left.len(), count, "everybody's turn comes");
        let shortest = 900 / u64::from(rate);
        for pair in left.windows(2) {
            prop_assert!(pair[1] - pair[0] + 1 >= shortest, "a burst: {:?}", left);
        }
        prop_assert!(most_in_a_second(&left) <= rate as usize + 1, "{:?}", left);
        for (at, pause) in throttles {
            let early = left.iter().find(|left| (at + 1..at + pause).contains(*left));
            prop_assert_eq!(early, None, "left in a pause from {} for {}: {:?}", at, pause, left);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn processes_that_follow_each_other_at_once_have_one_burst_between_them() {
    let begun = Instant::now();
    let mut left = Vec::new();
    for life in 0..6 {
        let limiter = Limiter::new(LimiterOptions {
            rate_per_second: 2.0,
            window_max: 50,
            quiet_start: Duration::from_secs(1),
        });
        let limiter = limiter.with_burst(24);
        if life == 0 {
            // Only the first has been quiet.
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let end = Instant::now() + Duration::from_secs(3);
        while let Ok(permit) = tokio::time::timeout_at(end, limiter.acquire(Class::Live)).await {
            drop(permit.expect("room in the queue"));
            left.push(begun.elapsed().as_secs_f64());
        }
    }
    let (mut level, mut most, mut before) = (0.0_f64, 0.0_f64, 0.0);
    for at in left {
        level = (level - (at - before) * 2.0).max(0.0) + 1.0;
        (most, before) = (most.max(level), at);
    }
    assert!((20.0..=30.0).contains(&most), "{most} in the bucket");
}
