//! The folder of one daemon: configuration, secrets, store, log. It can be changed by a test.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;
use tempfile::TempDir;

const DAEMON: &str = include_str!("etc/trunkline.toml");
const TENANT: &str = include_str!("etc/acme.toml");

/// The password of the lab's AMI user.
const AMI_SECRET: &str = "lab-ami-secret";
/// Secrets of the tests; distinct words, so that one in a log is recognised.
pub(super) const ADMIN_TOKEN: &str = "admin-token-of-the-process-tests";
pub(super) const SITE_HOOK: &str = "site-hook-of-the-process-tests";
const STORE_KEY: &str = "store-key-of-the-process-tests-of-32-bytes-or-more";

/// Homes made by this process.
static HOMES: AtomicU16 = AtomicU16::new(0);
/// Nets of a process, and homes in each of them.
const NETS: u8 = 4;
const HOMES_OF_NET: u16 = 254;

/// The folder.
pub(super) struct Home {
    dir: TempDir,
    address: Ipv4Addr,
    secrets: Vec<String>,
}

/// What a command of the program came to.
#[derive(Debug)]
pub(super) struct Ran {
    /// Exit status; `None` = ended by a signal.
    pub(super) status: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    /// Reads standard output as one JSON document.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Home {
    /// Writes configuration and secrets.
    pub(super) fn new(ami_port: u16, crm_url: &str, crm_token: &str) -> Self {
        let home = Self {
            dir: TempDir::new().expect("a temporary folder"),
            address: own_address(),
            secrets: [AMI_SECRET, SITE_HOOK, ADMIN_TOKEN, STORE_KEY, crm_token]
                .map(str::to_owned)
                .to_vec(),
        };
        for folder in ["etc/tenants.d", "secrets"] {
            fs::create_dir_all(home.dir.path().join(folder)).expect("a folder");
        }
        home.write("secrets/ami", AMI_SECRET);
        home.write("secrets/site-hook", SITE_HOOK);
        home.write("secrets/admin-token", ADMIN_TOKEN);
        home.write("secrets/store-key", STORE_KEY);
        home.write("secrets/amocrm-main", crm_token);
        let filled = |text: &str| {
            text.replace("@ADDRESS@", &home.address.to_string())
                .replace("@AMI_PORT@", &ami_port.to_string())
                .replace("@CRM@", crm_url)
        };
        home.write("etc/trunkline.toml", &filled(DAEMON));
        home.write("etc/tenants.d/acme.toml", &filled(TENANT));
        home
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path("etc/trunkline.toml")
    }

    pub(super) fn admin(&self) -> SocketAddr {
        SocketAddrV4::new(self.address, 8460).into()
    }

    pub(super) fn intake(&self) -> SocketAddr {
        SocketAddrV4::new(self.address, 8461).into()
    }

    pub(super) fn questions(&self) -> SocketAddr {
        SocketAddrV4::new(self.address, 8462).into()
    }

    pub(super) fn fastagi(&self) -> SocketAddr {
        SocketAddrV4::new(self.address, 4573).into()
    }

    /// Returns every secret that the daemon was given.
    pub(super) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Writes a file that only its owner can read.
    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("closed");
    }

    /// Changes one place of the tenant's file.
    #[track_caller]
    pub(super) fn edit_tenant(&self, from: &str, to: &str) {
        self.edit("etc/tenants.d/acme.toml", from, to);
    }

    /// Changes one place of a file.
    #[track_caller]
    pub(super) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).expect("it is there");
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {name}");
        self.write(name, &text.replace(from, to));
    }

    /// Opens the daemon's log at its end; one log for all its lives.
    pub(super) fn log_file(&self) -> fs::File {
        let mut options = fs::OpenOptions::new();
        let options = options.create(true).append(true).mode(0o600);
        options.open(self.path("daemon.log")).expect("a log")
    }

    /// Returns what the daemon has logged so far, in all its lives.
    pub(super) fn log(&self) -> String {
        let bytes = fs::read(self.path("daemon.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Counts the lines of the log that do not hold this word.
    pub(super) fn log_lines_not_about(&self, word: &str) -> usize {
        let log = self.log();
        log.lines().filter(|line| !line.contains(word)).count()
    }

    /// Prepares to run the program on this configuration.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        command.arg("--config").arg(self.config()).args(arguments);
        // A service manager that watches the tests is not theirs to answer.
        command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(super) async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await.expect("no panic").expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Ran {
            status: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// Returns a loopback address that no other daemon of any test run has: fixed ports on it can
/// neither be taken by somebody else's outgoing connection nor change over a restart.
fn own_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let number = HOMES.fetch_add(1, Ordering::Relaxed);
    let byte = |value: u16| u8::try_from(value).expect("below 256");
    let (net, place) = (byte(number / HOMES_OF_NET), byte(number % HOMES_OF_NET));
    assert!(net < NETS, "too many homes in one run");
    // 127.0 and 127.255 are left to others.
    Ipv4Addr::new(127, 1 + high % (250 / NETS) * NETS + net, low, 1 + place)
}
