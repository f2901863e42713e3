//! The daemon from start to end.
//!
//! ```text
//! log -> store -> endpoints bound -> integrations, sources -> READY
//!     -> reload on SIGHUP, end on SIGTERM, or when the store ends
//!     -> endpoints, sources, integrations, store, in this order
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::Arbiter;
use anyhow::Context;
use arc_swap::ArcSwap;
use futures_util::future::{join_all, select_all};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::admin::state::{AdminState, Overview, Readiness};
use crate::alarms::{Signs, Teller};
use crate::backup::{self, Archivist};
use crate::clock::{SharedClock, SystemClock};
use crate::config::{self, Configuration, DaemonSettings, Environment};
use crate::intake::flood::{FloodBounds, FloodGuard};
use crate::intake::http::{HookTable, IntakeHttp};
use crate::intake::room::{Bounds, Room};
use crate::intake::routing::Routing;
use crate::intake::sink::Intake;
use crate::integration::handle::Handles;
use crate::integration::notices::{Messenger, NoticeDesk};
use crate::integration::passing::PassingDesk;
use crate::integration::status::StatusBoard;
use crate::integration::supervisor::supervise;
use crate::model::explanation::Language;
use crate::model::ids::IntegrationKey;
use crate::pbx::call_desk::CallDesk;
use crate::questions::http::QuestionsHttp;
use crate::sabotage;
use crate::store::command::JournalNote;
use crate::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};
use crate::telemetry;

use super::alarming::{Alarming, Watched, tell_unwritten};
use super::assembly::{Assembly, Shared};
use super::consent::Desk;
use super::employees::EmployeeKeeper;
use super::fastagi;
use super::installations::{self, Installations};
use super::listeners;
use super::messenger::Post;
use super::pairs::Pairs;
use super::precedence::give_way;
use super::questions::Questions;
use super::recording_child::{RecordingChild, Recordings};
use super::silence::Heard;
use super::tenant_files::{Files, ORDERS_MAX, ReloadOrder};
use super::waker::LaneWaker;
use super::watchdog::{self, Watchdog, notify};
use super::workplaces::Workplaces;

/// How long everything may take to end: endpoints and integrations have three seconds each,
/// sessions ten; far less than what the unit allows.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Runs the daemon until it is told to end. An error says what to do.
pub fn run(path: PathBuf, configuration: Configuration) -> anyhow::Result<()> {
    let daemon = &configuration.daemon;
    telemetry::init(&daemon.log)?;
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .context("set up the metrics")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Those of its pool, which read what is not in memory.
        .on_thread_start(give_way)
        .build()
        .context("start the runtime")?;
    actix::System::with_tokio_rt(|| runtime).block_on(live(path, configuration, metrics))
}

async fn live(
    path: PathBuf,
    mut configuration: Configuration,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let started_at = clock.now();
    if let Some(warning) = sabotage::warning() {
        tracing::error!("{warning}");
    }
    for warning in &configuration.warnings {
        tracing::warn!("configuration: {warning}");
    }
    let daemon = configuration.daemon.clone();
    // Signals are caught before anything is started, so that none is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;

    notify(&[
        ("STATUS", "opening the store"),
        ("EXTEND_TIMEOUT_USEC", "120000000"),
    ]);
    let (store, thread) = open_store(&daemon, &clock)?;
    // As large as the store itself, if there is one.
    if let Err(why) = backup::remove_unfinished(folder_of(&daemon.store.path)) {
        tracing::warn!(why, "an unfinished backup");
    }
    let board = Arc::new(StatusBoard::default());
    let room = Arc::new(Room::new(Bounds {
        free_bytes_min: daemon.store.free_bytes_min,
        store_bytes_max: daemon.store.size_bytes_max,
    }));
    let handles = Arc::new(Handles::default());
    let portals = Arc::new(ArcSwap::from_pointee(Default::default()));
    let recordings = Arc::new(Recordings::new(&configuration));
    let (passing, passing_work) = PassingDesk::open();
    let post = Arc::new(Post::default());
    let heard = Arc::new(Heard::new(Arc::clone(&clock)));
    let signs = Arc::new(Signs::default());
    let teller = Teller::new(store.clone(), Arc::clone(&clock), daemon.alarms.clone())
        .speaking(super::phrases::book());
    let teller = Arc::new(teller);
    let overview = Arc::new(ArcSwap::from_pointee(Overview::default()));
    let questions = Arc::new(Questions::new(
        store.clone(),
        Arc::clone(&clock),
        Arc::clone(&overview),
    ));
    let waker = LaneWaker {
        portals: Arc::clone(&portals),
        handles: Arc::clone(&handles),
        passing: passing.clone(),
        talks: Arc::clone(questions.desk.talks()),
        heard: Arc::clone(&heard),
        recordings: Arc::clone(&recordings.wake),
    };
    let intake = Intake {
        store: store.clone(),
        routing: Arc::new(ArcSwap::from_pointee(Routing::default())),
        waker: Arc::new(waker),
        room: Arc::clone(&room),
        clock: Arc::clone(&clock),
    };
    let (work, sessions, dialplans) = (Arbiter::new(), Arbiter::new(), Arbiter::new());
    // Events of a phone system are followed as they come: they are few.
    work.spawn_fn(give_way);
    let pairs = Arc::new(Pairs::new(store.clone(), folder_of(&daemon.store.path)));
    let consent = Desk::new(
        Arc::clone(&overview),
        store.clone(),
        Arc::clone(&clock),
        Arc::clone(&handles),
        Arc::clone(&pairs),
    );
    let installations = Installations::new(
        Arc::clone(&overview),
        store.clone(),
        Arc::clone(&clock),
        consent.clone(),
        installations::Rules::of(&configuration),
    )
    .context("set up the way to vendors")?;
    let shared = Shared {
        store: store.clone(),
        clock: Arc::clone(&clock),
        board: Arc::clone(&board),
        handles: Arc::clone(&handles),
        intake: intake.clone(),
        hooks: Arc::new(HookTable::empty()),
        crm_hooks: Arc::default(),
        portals,
        overview,
        desk: Arc::new(CallDesk::new(Arc::clone(&clock))),
        pairs,
        installations: installations.clone(),
        passing,
        notices: NoticeDesk::new(Arc::clone(&post) as Arc<dyn Messenger>),
        post,
        questions: Arc::clone(&questions),
        recordings: Arc::clone(&recordings),
        work_arbiter: work.handle(),
        session_arbiter: sessions.handle(),
    };
    let ready = Arc::new(Readiness::default());
    let (ordering, mut orders) = mpsc::channel(ORDERS_MAX);
    let files = Files::new(&path, store.clone(), Arc::clone(&clock), ordering);
    let employees = EmployeeKeeper::new(
        store.clone(),
        Arc::clone(&clock),
        Arc::clone(&shared.overview),
        files.clone(),
    );
    employees.join(&mut configuration).await;
    let admin = AdminState {
        store: store.clone(),
        clock: Arc::clone(&clock),
        board: Arc::clone(&board),
        handles,
        overview: Arc::clone(&shared.overview),
        desk: Arc::clone(&shared.desk),
        drafts: super::rehearsing::drafts(&path, employees.clone()),
        files: Arc::new(files),
        employees: Arc::new(employees.clone()),
        archivist: Arc::new(Archivist {
            store: store.clone(),
            clock: Arc::clone(&clock),
            folder: folder_of(&daemon.store.path).to_owned(),
            free_bytes_min: daemon.store.free_bytes_min,
            configuration: {
                let path = path.clone();
                Arc::new(move || config::written_files(&path))
            },
            turn: Default::default(),
        }),
        teller: Arc::clone(&teller),
        signs: Arc::clone(&signs),
        consent: Arc::new(consent.clone()),
        installations: Arc::new(installations),
        questions: Arc::clone(&questions.desk),
        discard: recordings.discarder(),
        ready: Arc::clone(&ready),
        metrics,
        started_at,
        language: first_language(&configuration),
        phrases: Arc::new(super::phrases::book()),
    };
    let child = RecordingChild::new(&recordings, &intake, &board);
    // Before anything that may have to wait, such as for room on the disk: memory can answer.
    questions.apply(&configuration);
    let directories = super::directories::keep(store.clone(), &questions.books);
    let workplaces = Workplaces::new(
        Arc::clone(&shared.overview),
        Arc::clone(&shared.desk),
        Arc::clone(&clock),
        consent,
    );
    let bound = bind(&daemon, &shared, &admin, intake, workplaces)?;
    let listen = daemon.fastagi.listen;
    let answerer = Arc::clone(&questions.desk);
    let mut fastagi = fastagi::start(listen, answerer, &dialplans.handle())
        .with_context(|| format!("bind fastagi.listen at {listen}"))?;
    let (endpoints, tasks): (Vec<_>, Vec<_>) = bound
        .into_iter()
        .map(|bound| (bound.handle, bound.task))
        .unzip();
    let mut serving = select_all(tasks);
    let dog = Watchdog {
        arbiters: vec![work.handle(), sessions.handle(), dialplans.handle()],
        store: store.clone(),
        board: Arc::clone(&board),
        clock: Arc::clone(&clock),
        interval: watchdog::interval(),
    };
    let feeding = tokio::task::spawn_local(dog.feed());
    let folder = folder_of(&daemon.store.path).to_owned();
    let free_min = daemon.store.free_bytes_min;
    let room_to_begin = super::space::room_to_begin(&folder, free_min, &board, &clock, |why| {
        // Up as far as it can be: restarting it would change nothing.
        notify(&[("READY", "1"), ("STATUS", why)]);
    });
    let ended_early = tokio::select! {
        () = room_to_begin => None,
        never = tell_unwritten(&admin) => match never {},
        _ = terminate.recv() => Some(Ok(())),
        _ = interrupt.recv() => Some(Ok(())),
        end = thread.finished() => Some(Err(anyhow::anyhow!("the store ended: {end}"))),
    };
    if let Some(result) = ended_early {
        join_all(endpoints.iter().map(|endpoint| endpoint.stop(true))).await;
        directories.abort();
        questions.stop();
        store.shut_down().await;
        return result;
    }
    let showing = tokio::task::spawn_local(passing_work.run());
    let mut assembly = Assembly::new(shared.clone());
    assembly.apply(&configuration).await?;
    let keeper = supervise(child, Arc::clone(&board), Arc::clone(&clock));

    let space = tokio::task::spawn_local(super::space::watch(
        folder,
        room,
        Arc::clone(&signs),
        store.clone(),
        Arc::clone(&board),
        Arc::clone(&clock),
    ));
    let watched = Watched::new(&configuration);
    let alarming = Alarming {
        admin: admin.clone(),
        heard,
        watched: Arc::clone(&watched),
    };
    let alarming = alarming.start();
    let sweep = tokio::task::spawn_local(super::retention::sweep(
        store.clone(),
        Arc::clone(&clock),
        daemon.store.retention_days,
    ));
    let syncing = tokio::task::spawn_local(employees.clone().keep());
    // Whoever answers has a thread by now. What is left here is looking after the others.
    give_way();
    ready.set(true);
    notify(&[("READY", "1"), ("STATUS", "running")]);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");

    let mut running = configuration;
    let mut result = Ok(());
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            end = thread.finished() => {
                result = Err(anyhow::anyhow!("the store ended: {end}"));
                break;
            }
            (end, _, _) = &mut serving => {
                result = Err(anyhow::anyhow!("an endpoint ended: {end:?}"));
                break;
            }
            () = fastagi.ended() => {
                result = Err(anyhow::anyhow!("the fastagi server ended"));
                break;
            }
            order = next_reload(&mut hangup, &mut orders) => {
                // A reload that waits for a session to end must not make us deaf.
                tokio::select! {
                    end = reload(&path, &mut running, &mut assembly, &shared, &employees) => {
                        if end.is_ok() {
                            watched.apply(&running);
                            teller.apply(running.daemon.alarms.clone());
                        }
                        if let Some(order) = order {
                            // Whoever ordered it may have gone.
                            drop(order.send(end));
                        }
                    }
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                }
            }
        }
    }

    tracing::info!("ending");
    ready.set(false);
    notify(&[("STOPPING", "1"), ("STATUS", "ending")]);
    sweep.abort();
    syncing.abort();
    alarming.iter().for_each(tokio::task::JoinHandle::abort);
    space.abort();
    directories.abort();
    feeding.abort();
    // What is shown late is not shown: there is nothing to bring to an end.
    showing.abort();
    questions.stop();
    let parts = async {
        // First, so that no call waits for us.
        fastagi.stop().await;
        join_all(endpoints.iter().map(|endpoint| endpoint.stop(true))).await;
        keeper.stop().await;
        assembly.stop().await;
        // A rotation whose answer nobody waits for would cost an authorisation by hand.
        shared.pairs.close().await;
    };
    if tokio::time::timeout(END_WITHIN, parts).await.is_err() {
        tracing::error!("something did not end in time; what it did is found at the next start");
    }
    work.stop();
    sessions.stop();
    dialplans.stop();
    store.shut_down().await;
    result
}

/// Waits until somebody wants a reload: by a signal, or by an order that waits for its end.
async fn next_reload(
    hangup: &mut Signal,
    orders: &mut mpsc::Receiver<ReloadOrder>,
) -> Option<ReloadOrder> {
    tokio::select! {
        _ = hangup.recv() => None,
        Some(order) = orders.recv() => Some(order),
    }
}

fn folder_of(store: &Path) -> &Path {
    let folder = store.parent().unwrap_or(Path::new("."));
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

fn first_language(configuration: &Configuration) -> Language {
    configuration
        .tenants
        .first()
        .map(|tenant| tenant.language)
        .unwrap_or_default()
}

fn open_store(
    daemon: &DaemonSettings,
    clock: &SharedClock,
) -> anyhow::Result<(StoreHandle, StoreThread)> {
    let key = StoreKey::of_text(&daemon.store.key);
    let options = StoreOptions {
        now: clock.now(),
        at_thread_start: give_way,
        ..StoreOptions::default()
    };
    let path = &daemon.store.path;
    Store::open(path, key, options).with_context(|| format!("open the store {}", path.display()))
}

fn bind(
    daemon: &DaemonSettings,
    shared: &Shared,
    admin: &AdminState,
    intake: Intake,
    workplaces: Workplaces,
) -> anyhow::Result<Vec<listeners::Bound>> {
    let state = IntakeHttp {
        intake,
        hooks: Arc::clone(&shared.hooks),
        crm_hooks: Arc::clone(&shared.crm_hooks),
        answerer: shared.questions.desk.clone(),
        recordings: shared
            .recordings
            .player(shared.store.clone(), Arc::clone(&shared.clock)),
        consent: Arc::clone(&admin.consent),
        installations: Arc::clone(&admin.installations),
        workplaces: Arc::new(workplaces),
        trusted_proxies: daemon.trusted_proxies.clone().into(),
        flood: Arc::new(FloodGuard::new(FloodBounds {
            source_per_second: daemon.intake.source_requests_per_second_max,
            stranger_per_minute: daemon.intake.stranger_requests_per_minute_max,
        })),
    };
    let questions = QuestionsHttp::new(
        Arc::clone(&shared.questions.desk),
        daemon.questions.listen.ip(),
        &daemon.questions.hosts,
        Arc::clone(&shared.clock),
    );
    let mut endpoints = vec![
        listeners::questions(daemon.questions.listen, questions)?,
        listeners::intake(daemon.intake.listen, daemon.intake.body_bytes_max, state)?,
        listeners::admin_socket(&daemon.admin.socket, admin.clone())?,
    ];
    if let Some(token) = &daemon.admin.token {
        endpoints.push(listeners::admin_tcp(
            daemon.admin.listen,
            token.clone(),
            admin.clone(),
        )?);
    }
    Ok(endpoints)
}

/// Puts a changed configuration into effect; one with mistakes changes nothing. Returns why it is
/// not in force then.
async fn reload(
    path: &std::path::Path,
    running: &mut Configuration,
    assembly: &mut Assembly,
    shared: &Shared,
    employees: &EmployeeKeeper,
) -> Result<(), String> {
    let (store, clock) = (&shared.store, &shared.clock);
    notify(&[("STATUS", "reloading")]);
    let (text, end) = match config::load(path, &Environment::of_process()) {
        Err(mistakes) => {
            for mistake in &mistakes {
                tracing::error!("configuration: {mistake}");
            }
            let text = format!(
                "reload refused: {} mistake(s) in the configuration; the old one stays in force",
                mistakes.len()
            );
            (text.clone(), Err(text))
        }
        Ok(mut new) => {
            new.keep_running(running);
            employees.join(&mut new).await;
            let changes = config::difference(running, &new);
            match assembly.apply(&new).await {
                Ok(()) => {
                    *running = new;
                    let mut text = reloaded(&changes);
                    for integration in &changes.integrations.changed {
                        text.push_str(&offer(store, integration).await);
                    }
                    (text, Ok(()))
                }
                Err(error) => {
                    tracing::error!(%error, "reload");
                    let text = format!("reload failed: {error}");
                    (text.clone(), Err(text))
                }
            }
        }
    };
    tracing::info!("{text}");
    let note = JournalNote {
        at: clock.now(),
        tenant: None,
        source: None,
        integration: None,
        communication: None,
        word: "reload".to_owned(),
        text,
    };
    if let Err(error) = store.note(note).await {
        tracing::error!(%error, "journal");
    }
    notify(&[("STATUS", "running")]);
    end
}

/// Says what new settings may do for an integration's dead letters, where it has any.
async fn offer(store: &StoreHandle, integration: &IntegrationKey) -> String {
    let letters = store.dead_letters_of(integration.clone(), LETTERS_COUNTED_MAX, None);
    let count = letters.await.map_or(0, |letters| letters.len());
    if count == 0 {
        return String::new();
    }
    let or_more = if count < LETTERS_COUNTED_MAX {
        ""
    } else {
        " or more"
    };
    format!(
        "; {integration} has {count}{or_more} dead letter(s), to decide them by the new settings: \
         trunkline outbox decide-again --all-of {integration}"
    )
}

/// Dead letters of an integration that are counted at a reload.
const LETTERS_COUNTED_MAX: usize = 1000;

/// Sections of the daemon's own file that act at the next start only.
const FIXED: [&str; 7] = [
    "store",
    "admin",
    "intake",
    "questions",
    "fastagi",
    "log",
    "trusted_proxies",
];

/// Says what a reload changed, and what of it must wait for the next start.
fn reloaded(changes: &config::Changes) -> String {
    let mut parts: Vec<String> = [
        counted("source", &changes.sources),
        counted("account", &changes.accounts),
        counted("integration", &changes.integrations),
    ]
    .into_iter()
    .flatten()
    .collect();
    let tenants: Vec<&str> = changes.answering.iter().map(|id| id.as_str()).collect();
    if !tenants.is_empty() {
        parts.push(format!(
            "answers to questions: {} changed",
            tenants.join(", ")
        ));
    }
    let fixed: Vec<&str> = changes
        .daemon
        .iter()
        .copied()
        .filter(|section| FIXED.contains(section))
        .collect();
    if !fixed.is_empty() {
        parts.push(format!("at the next start: {}", fixed.join(", ")));
    }
    if parts.is_empty() {
        "reloaded: nothing changed".to_owned()
    } else {
        format!("reloaded: {}", parts.join("; "))
    }
}

fn counted<K>(what: &str, changes: &config::ItemChanges<K>) -> Option<String> {
    if changes.is_empty() {
        return None;
    }
    Some(format!(
        "{what}s: {} added, {} changed, {} removed, {} untouched",
        changes.added.len(),
        changes.changed.len(),
        changes.removed.len(),
        changes.unchanged.len()
    ))
}
