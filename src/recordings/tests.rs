//! The life of recordings on a clock that the tests set.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use arc_swap::ArcSwap;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::keeper::{Audience, Keeper, KeeperError, RecordingSettings};
use super::opener::Opener;
use super::player::Player;
use super::shelf::Shelf;
use super::wav::tests::wav;
use crate::clock::{Clock, SharedClock};
use crate::crm::{NoRecordingFile, RecordingFiles as _};
use crate::model::communication::{Body, Snapshot};
use crate::model::ids::{CommunicationKey, IntegrationKey, SourceKey};
use crate::model::recording::{
    Recording, RecordingKeeping, RecordingPlace, RecordingRoot, RecordingState,
};
use crate::model::request::SiteRequest;
use crate::model::timestamp::Timestamp;
use crate::store::command::{Accept, Acceptance, Route, WorkId};
use crate::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};

const TOKEN: &str = "a-token-of-22-letters_";
const DAY_S: i64 = 86_400;
/// A time that no machine needs.
const PATIENCE: Duration = Duration::from_secs(60);
/// When the call was over, in Unix seconds.
const ENDED: i64 = 1_795_000_000;

/// A clock that stands where it is put.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Nobody {
    reached: AtomicBool,
    /// Who is handed files, and who wants an address.
    files: Mutex<Vec<Route>>,
    others: Mutex<Vec<Route>>,
    /// Whose works were made.
    told: Mutex<Vec<IntegrationKey>>,
    troubles: Mutex<Vec<String>>,
}

impl Audience for Nobody {
    fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    fn routes(&self, _: &SourceKey) -> Vec<Route> {
        let others = self.others.lock().expect("whole").clone();
        let files = self.files.lock().expect("whole").clone();
        files.into_iter().chain(others).collect()
    }

    fn file_routes(&self, _: &SourceKey) -> Vec<Route> {
        self.files.lock().expect("whole").clone()
    }

    fn works(&self, _: &Snapshot, works: &[(IntegrationKey, WorkId)]) {
        let told = works.iter().map(|(integration, _)| integration.clone());
        self.told.lock().expect("whole").extend(told);
    }

    fn trouble(&self, why: &str) {
        self.troubles.lock().expect("whole").push(why.to_owned());
    }
}

struct Bench {
    folder: TempDir,
    store: StoreHandle,
    _thread: StoreThread,
    clock: Arc<SetClock>,
    settings: Arc<ArcSwap<RecordingSettings>>,
    audience: Arc<Nobody>,
    wake: Arc<Notify>,
    stop: watch::Sender<bool>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["monitor", "kept"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        let key = StoreKey::from_bytes(&[7; 32]).expect("a key");
        let path = folder.path().join("store.redb");
        let (store, thread) = Store::open(&path, key, StoreOptions::default()).expect("a store");
        let settings = RecordingSettings {
            keeping: Arc::new(RecordingKeeping {
                folder: folder.path().join("kept"),
                keep: Duration::from_secs(100 * 86_400),
                link_life: Some(Duration::from_secs(50 * 86_400)),
                seek: Duration::from_secs(3 * 86_400),
                ffmpeg: PathBuf::from("/nowhere/ffmpeg"),
                free_bytes_min: 0,
            }),
            roots: HashMap::from([(
                "acme/office".parse().expect("a key"),
                vec![RecordingRoot {
                    place: RecordingPlace::Folder(folder.path().join("monitor")),
                    pbx_path: None,
                }],
            )]),
        };
        Self {
            folder,
            store,
            _thread: thread,
            clock: Arc::new(SetClock(AtomicI64::new(ENDED))),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            audience: Arc::default(),
            wake: Arc::default(),
            stop: watch::channel(false).0,
        }
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.clock) as SharedClock
    }

    /// Sets the clock to so many days after the call, and wakes the keeper.
    fn days_after(&self, days: i64) {
        self.clock.0.store(ENDED + days * DAY_S, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Puts the settings into effect once more, as a reload does, and wakes the keeper.
    fn configured_anew(&self) {
        self.settings
            .store(Arc::new((*self.settings.load_full()).clone()));
        self.wake.notify_one();
    }

    /// Waits until an integration has something to do.
    async fn works(&self, integration: &str) {
        let integration: IntegrationKey = integration.parse().expect("a key");
        let told = async || {
            let told = self.audience.told.lock().expect("whole");
            told.contains(&integration)
        };
        self.until("told", told).await;
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let looking = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        assert!(found.is_ok(), "it never became {what}");
    }

    /// Writes a file long before now, on any clock.
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("it is there");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        path
    }

    fn key(&self) -> CommunicationKey {
        "acme/office/1".parse().expect("a key")
    }

    /// Has the files of a call looked for.
    async fn look_for(&self, names: &[&str]) {
        let at = Timestamp::from_secs(ENDED);
        let recording = Recording {
            communication: self.key(),
            token: TOKEN.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            started_at: at,
            ended_at: at,
            state: RecordingState::Sought {
                attempts: 0,
                why: None,
            },
            due: Some(at),
        };
        // What was said in it does not matter to its recording.
        let request = SiteRequest {
            at,
            name: None,
            phone: None,
            email: None,
            text: None,
            form: None,
            site: None,
            page: None,
            fields: Default::default(),
            tags: Vec::new(),
            details: Default::default(),
        };
        let accept = Accept {
            source: "acme/office".parse().expect("a key"),
            acceptances: vec![Acceptance {
                snapshot: Snapshot {
                    key: self.key(),
                    revision: 1,
                    body: Body::Request { request },
                },
                routes: Vec::new(),
                not_taken: None,
            }],
            checkpoint: None,
            notes: Vec::new(),
            recordings: vec![recording],
            now: at,
        };
        self.store.accept(accept).await.expect("accepted");
        self.wake.notify_one();
    }

    fn keep(&self) -> JoinHandle<Result<(), KeeperError>> {
        let keeper = Keeper {
            store: self.store.clone(),
            clock: self.clock(),
            settings: Arc::clone(&self.settings),
            audience: Arc::clone(&self.audience) as Arc<dyn Audience>,
            wake: Arc::clone(&self.wake),
        };
        tokio::spawn(keeper.run(self.stop.subscribe()))
    }

    /// Waits until the recording is so.
    async fn becomes(&self, what: &str, is_so: impl Fn(&RecordingState) -> bool) -> Recording {
        let looking = async {
            loop {
                let recording = self.store.recording(self.key()).await.expect("read");
                let recording = recording.expect("it is there");
                if is_so(&recording.state) {
                    return recording;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("it never became {what}"))
    }

    async fn words(&self) -> Vec<String> {
        let story = self.store.story(self.key()).await.expect("read");
        let notes = story.expect("it is there").notes;
        notes.into_iter().map(|note| note.word).collect()
    }

    async fn play(&self) -> StatusCode {
        let player = Player::new(self.store.clone(), self.clock(), Arc::clone(&self.settings));
        let request = TestRequest::default().to_http_request();
        let answer = player.play(TOKEN, &request, None).await;
        answer.expect("the token is known").status()
    }
}

fn sought_in_vain(attempts_min: u32) -> impl Fn(&RecordingState) -> bool {
    move |state| matches!(state, RecordingState::Sought { attempts, .. } if *attempts >= attempts_min)
}

fn ready(state: &RecordingState) -> bool {
    matches!(state, RecordingState::Ready { .. })
}

#[tokio::test]
async fn a_recording_that_never_comes_is_given_up_after_days_and_the_journal_says_so() {
    let bench = Bench::new();
    let life = bench.keep();
    bench.look_for(&["a.wav"]).await;
    let waits = bench.becomes("sought in vain", sought_in_vain(1)).await;
    assert_eq!(waits.due, Some(Timestamp::from_secs(ENDED + 5)));
    assert_eq!(bench.play().await, StatusCode::NOT_FOUND);
    bench.days_after(2);
    bench
        .becomes("sought in vain again", sought_in_vain(2))
        .await;
    bench.days_after(4);
    let missing = |state: &RecordingState| matches!(state, RecordingState::Missing { .. });
    let given_up = bench.becomes("missing", missing).await;
    assert_eq!(given_up.due, None);
    assert_eq!(bench.words().await, ["recording_missing"]);
    assert_eq!(bench.play().await, StatusCode::GONE);
    assert!(bench.audience.troubles.lock().expect("whole")[0].contains("is not there"));
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_file_that_came_late_is_found_and_one_that_is_cut_short_is_waited_for() {
    let bench = Bench::new();
    let life = bench.keep();
    bench.put("monitor/a.wav", &wav(1, b""));
    bench.look_for(&["a.wav"]).await;
    let empty = bench.becomes("sought in vain", sought_in_vain(1)).await;
    let RecordingState::Sought { why: Some(why), .. } = &empty.state else {
        panic!("{empty:?}");
    };
    assert!(why.contains("nothing to hear"), "{why}");
    bench.put("monitor/a.wav", &wav(1, &[1; 200]));
    bench.days_after(1);
    bench.becomes("ready", ready).await;
    assert_eq!(bench.play().await, StatusCode::OK);
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn the_address_ends_before_the_recording_and_our_own_file_with_it() {
    let bench = Bench::new();
    let life = bench.keep();
    let original = bench.put("monitor/a.wav", &wav(1, &[1; 200]));
    bench.put("monitor/b.wav", &wav(1, &[2; 200]));
    bench.look_for(&["a.wav", "b.wav"]).await;
    let kept = bench.becomes("ready", ready).await;
    let name = kept.kept_file().expect("it was joined").to_owned();
    let kept = bench.folder.path().join("kept").join(name);
    assert_eq!(fs::read(&kept).expect("it is there").len(), 444);
    assert_eq!(bench.play().await, StatusCode::OK);
    bench.days_after(51);
    assert_eq!(bench.play().await, StatusCode::GONE);
    bench.days_after(101);
    let forgotten = |state: &RecordingState| matches!(state, RecordingState::Forgotten { .. });
    bench.becomes("forgotten", forgotten).await;
    // The row goes before the file: who stops in between leaves the file to the next tidying.
    bench.until("removed", async || !kept.exists()).await;
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
    // What the phone system wrote is its own.
    assert!(original.exists());
}

#[tokio::test]
async fn what_can_be_played_is_told_when_somebody_outside_can_reach_us() {
    let bench = Bench::new();
    let life = bench.keep();
    bench.put("monitor/a.wav", &wav(1, &[1; 200]));
    bench.look_for(&["a.wav"]).await;
    bench
        .becomes("ready, untold", |state| {
            matches!(state, RecordingState::Ready { told: false, .. })
        })
        .await;
    bench.audience.reached.store(true, Ordering::Relaxed);
    bench.wake.notify_one();
    bench
        .becomes("told", |state| {
            matches!(state, RecordingState::Ready { told: true, .. })
        })
        .await;
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
}

fn route(integration: &str) -> Route {
    Route {
        integration: integration.parse().expect("a key"),
        portal: crate::model::ids::PortalKey::new("box", integration),
        phase: crate::model::communication::Phase::RecordingReady,
    }
}

#[tokio::test]
async fn who_is_handed_the_file_is_told_although_nobody_reaches_us_and_the_others_once_somebody_does()
 {
    let bench = Bench::new();
    let (files, others) = (route("acme/files"), route("acme/links"));
    bench.audience.others.lock().expect("whole").push(others);
    let life = bench.keep();
    bench.put("monitor/a.wav", &wav(1, &[1; 200]));
    bench.look_for(&["a.wav"]).await;
    let untold =
        |state: &RecordingState| matches!(state, RecordingState::Ready { told: false, .. });
    bench.becomes("ready, untold", untold).await;
    // Another configuration: somebody takes files, somebody still wants an address.
    bench.audience.files.lock().expect("whole").push(files);
    bench.configured_anew();
    bench.works("acme/files").await;
    bench.becomes("untold to the others", untold).await;
    // And one in which all are handed the file.
    bench.audience.others.lock().expect("whole").clear();
    bench.configured_anew();
    let told = |state: &RecordingState| matches!(state, RecordingState::Ready { told: true, .. });
    bench.becomes("told", told).await;
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_crm_is_handed_the_file_that_a_listener_hears() {
    let bench = Bench::new();
    let opener = Opener::new(bench.store.clone(), Arc::clone(&bench.settings));
    let call = || bench.key();
    let none = opener.open(call()).await;
    assert!(matches!(none, Err(NoRecordingFile::Gone(_))), "{none:?}");
    let life = bench.keep();
    let sound = wav(1, &[1; 200]);
    bench.look_for(&["a.wav"]).await;
    bench.becomes("sought in vain", sought_in_vain(1)).await;
    let early = opener.open(call()).await;
    assert!(
        matches!(early, Err(NoRecordingFile::NotNow(_))),
        "{early:?}"
    );
    let original = bench.put("monitor/a.wav", &sound);
    bench.days_after(1);
    bench.becomes("ready", ready).await;
    let mut opened = opener.open(call()).await.expect("it can be played");
    let mut heard = Vec::new();
    std::io::Read::read_to_end(&mut opened.file, &mut heard).expect("readable");
    assert_eq!(heard, sound);
    assert_eq!(opened.bytes, u64::try_from(sound.len()).expect("short"));
    fs::remove_file(original).expect("removed");
    let gone = opener.open(call()).await;
    assert!(matches!(gone, Err(NoRecordingFile::Gone(_))), "{gone:?}");
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn tidying_removes_what_no_recording_speaks_of_and_nothing_else() {
    let bench = Bench::new();
    let life = bench.keep();
    bench.put("monitor/a.wav", &wav(1, &[1; 200]));
    bench.put("monitor/b.wav", &wav(1, &[2; 200]));
    bench.look_for(&["a.wav", "b.wav"]).await;
    let kept = bench.becomes("ready", ready).await;
    bench.stop.send_replace(true);
    life.await.expect("no panic").expect("a clean end");
    let name = kept.kept_file().expect("it was joined");
    let old = |name: &str| {
        let path = bench.folder.path().join("kept").join(name);
        if !path.exists() {
            fs::write(&path, "sound").expect("written");
        }
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("it is there");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        path
    };
    let ours = old(name);
    let left = old(&format!("{}.mp3", "0".repeat(64)));
    let unfinished = old(".tmpabc.part");
    let strange = old("notes-of-the-administrator.txt");
    let young = bench.folder.path().join("kept/young.part");
    fs::write(&young, "sound").expect("written");
    let shelf = Shelf::new(&bench.folder.path().join("kept"));
    let now = fs::metadata(&young)
        .expect("read")
        .modified()
        .expect("a time");
    let removed = shelf.tidy(&bench.store, now).await.expect("tidied");
    assert_eq!(removed, 2);
    assert!(ours.exists() && strange.exists() && young.exists());
    assert!(!left.exists() && !unfinished.exists());
}
