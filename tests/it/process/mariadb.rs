//! FreePBX's call tables in a real MariaDB, written as Asterisk writes them: a row for each line of
//! the simulated switch's own logs, with local times in whole seconds.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params};
use tempfile::TempDir;

use super::wait::{until, when};

const SERVER: &str = "/usr/sbin/mariadbd";
pub(super) const USER: &str = "trunkline";
pub(super) const PASSWORD: &str = "log password of the process tests";
/// The zone of the PBX.
pub(super) const ZONE: &str = "Europe/Moscow";

/// As FreePBX makes them.
const TABLES: [&str; 2] = [
    "CREATE TABLE cel (id INT NOT NULL AUTO_INCREMENT, eventtype VARCHAR(30) NOT NULL, \
     eventtime DATETIME NOT NULL, cid_name VARCHAR(80) NOT NULL, cid_num VARCHAR(80) NOT NULL, \
     cid_ani VARCHAR(80) NOT NULL, cid_rdnis VARCHAR(80) NOT NULL, cid_dnid VARCHAR(80) NOT NULL, \
     exten VARCHAR(80) NOT NULL, context VARCHAR(80) NOT NULL, channame VARCHAR(80) NOT NULL, \
     appname VARCHAR(80) NOT NULL, appdata VARCHAR(255) NOT NULL, amaflags INT NOT NULL, \
     accountcode VARCHAR(20) NOT NULL, uniqueid VARCHAR(32) NOT NULL, \
     linkedid VARCHAR(32) NOT NULL, peer VARCHAR(80) NOT NULL, userdeftype VARCHAR(255) NOT NULL, \
     extra VARCHAR(512) NOT NULL, PRIMARY KEY (id), KEY uniqueid_index (uniqueid), \
     KEY linkedid_index (linkedid)) DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE cdr (calldate DATETIME NOT NULL, clid VARCHAR(80) NOT NULL, \
     src VARCHAR(80) NOT NULL, dst VARCHAR(80) NOT NULL, dcontext VARCHAR(80) NOT NULL, \
     channel VARCHAR(80) NOT NULL, dstchannel VARCHAR(80) NOT NULL, lastapp VARCHAR(80) NOT NULL, \
     lastdata VARCHAR(80) NOT NULL, duration INT NOT NULL, billsec INT NOT NULL, \
     disposition VARCHAR(45) NOT NULL, amaflags INT NOT NULL DEFAULT 0, \
     accountcode VARCHAR(20) NOT NULL DEFAULT '', uniqueid VARCHAR(32) NOT NULL, \
     userfield VARCHAR(255) NOT NULL DEFAULT '', did VARCHAR(50) NOT NULL DEFAULT '', \
     recordingfile VARCHAR(255) NOT NULL DEFAULT '', cnum VARCHAR(80) NOT NULL DEFAULT '', \
     cnam VARCHAR(80) NOT NULL DEFAULT '', linkedid VARCHAR(32) NOT NULL, \
     peeraccount VARCHAR(80) NOT NULL DEFAULT '', sequence INT NOT NULL DEFAULT 0, \
     KEY calldate (calldate), KEY uniqueid (uniqueid)) DEFAULT CHARSET=utf8mb4",
];

/// A server of its own, ended on drop.
pub(super) struct MariaDb {
    _folder: TempDir,
    server: Child,
    pub(super) port: u16,
    databases: AtomicUsize,
}

impl MariaDb {
    /// Starts it; `None` where none is installed.
    #[expect(clippy::print_stderr, reason = "a test that tries nothing says so")]
    pub(super) async fn start() -> Option<Self> {
        if !Path::new(SERVER).exists() {
            eprintln!("passed over: {SERVER} is not there; packaging/prerequisites.sh installs it");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let data = format!("--datadir={}", folder.path().join("data").display());
        // As root it must be told so; as somebody else the word changes nothing.
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--user=root", "--skip-test-db"])
            .args(["--auth-root-authentication-method=normal", &data])
            .output()
            .expect("it runs");
        assert!(made.status.success(), "{made:?}");
        let port = free_port();
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let server = Command::new(SERVER)
            .args(["--no-defaults", "--user=root", &data])
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}/socket", folder.path().display()))
            .args(["--bind-address=127.0.0.1", "--skip-log-bin"])
            .args([
                "--innodb-buffer-pool-size=8M",
                "--innodb-flush-log-at-trx-commit=0",
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let server = Self {
            _folder: folder,
            server,
            port,
            databases: AtomicUsize::new(0),
        };
        until("MariaDB answers", async || {
            let conn = server
                .root("mysql")
                .await
                .map_err(|error| error.to_string())?;
            conn.disconnect().await.map_err(|error| error.to_string())
        })
        .await;
        Some(server)
    }

    async fn root(&self, database: &str) -> Result<Conn, mysql_async::Error> {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some("root"))
            .db_name(Some(database))
            .prefer_socket(false);
        Conn::new(options).await
    }

    /// Makes a database with FreePBX's tables, and an account that may read it; from now on what
    /// the switch logs below a folder is written there.
    pub(super) async fn keep_tables(&self, logs: &Path) -> Tables {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let database = format!("asteriskcdrdb_{number}");
        let mut conn = self.root("mysql").await.expect("root may");
        let account = format!("'{USER}'@'127.0.0.1'");
        for sql in [
            format!("CREATE DATABASE {database}"),
            format!("CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{PASSWORD}'"),
            format!("GRANT SELECT ON {database}.* TO {account}"),
            format!("USE {database}"),
        ] {
            conn.query_drop(sql).await.expect("root may");
        }
        for table in TABLES {
            conn.query_drop(table).await.expect("a table");
        }
        let files = ["cel-custom", "cdr-csv"].map(|name| logs.join(name).join("Master.csv"));
        let written = [0, 1].map(|_| AtomicUsize::new(0)).into();
        let tables = Tables {
            database,
            files,
            written,
        };
        tokio::spawn(tables.clone().write(conn));
        tables
    }

    /// Empties the table of events, as a purge does; its ids begin anew.
    pub(super) async fn empty(&self, tables: &Tables) {
        let mut conn = self.root(&tables.database).await.expect("root may");
        conn.query_drop("TRUNCATE cel").await.expect("root may");
    }

    /// Ends the server; it has nothing to lose.
    pub(super) fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The tables of one PBX.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) database: String,
    files: [PathBuf; 2],
    /// Bytes of each file that stand in its table.
    written: std::sync::Arc<[AtomicUsize; 2]>,
}

impl Tables {
    /// Waits until everything that the switch logged so far stands in the tables.
    pub(super) async fn caught_up(&self) {
        until("the tables hold it", async || {
            let behind = self
                .files
                .iter()
                .zip(self.written.iter())
                .any(|(file, written)| {
                    let length = fs::metadata(file).map_or(0, |one| one.len() as usize);
                    written.load(Ordering::Relaxed) < length
                });
            when(!behind, "rows are missing")
        })
        .await;
    }

    async fn write(self, mut conn: Conn) {
        loop {
            for number in 0..2 {
                let text = fs::read_to_string(&self.files[number]).unwrap_or_default();
                let from = self.written[number].load(Ordering::Relaxed);
                let whole = text.rfind('\n').map_or(0, |end| end + 1);
                for line in text[from.min(whole)..whole].lines() {
                    let fields = fields(line);
                    let (sql, row) = match number {
                        0 => cel_row(&fields),
                        _ => cdr_row(&fields),
                    };
                    conn.exec_drop(sql, Params::Positional(row))
                        .await
                        .expect("a row");
                }
                self.written[number].store(whole, Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn cel_row(fields: &[String]) -> (String, Vec<mysql_async::Value>) {
    let (second, _) = fields[1].split_once('.').expect("a time");
    let mut row: Vec<mysql_async::Value> = vec![(&fields[0]).into(), local(second).into()];
    row.extend(fields[2..12].iter().map(Into::into));
    row.push(3.into());
    row.extend([13, 14, 15, 16, 18, 19].map(|at| (&fields[at]).into()));
    let sql = "INSERT INTO cel (eventtype, eventtime, cid_name, cid_num, cid_ani, cid_rdnis, \
               cid_dnid, exten, context, channame, appname, appdata, amaflags, accountcode, \
               uniqueid, linkedid, peer, userdeftype, extra) VALUES ";
    (sql.to_owned() + &marks(row.len()), row)
}

fn cdr_row(fields: &[String]) -> (String, Vec<mysql_async::Value>) {
    // The recording's own numbers do not know how fast it is played.
    let second = |at: usize| {
        let time: jiff::civil::DateTime = fields[at].parse().ok()?;
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).expect("a time");
        Some(time.timestamp().as_second())
    };
    let (begun, ended) = (second(9).expect("a time"), second(11).expect("a time"));
    let billed = second(10).map_or(0, |answered| ended - answered);
    let mut row: Vec<mysql_async::Value> = vec![local(&begun.to_string()).into()];
    row.extend([4, 1, 2, 3, 5, 6, 7, 8].map(|at| (&fields[at]).into()));
    row.extend([(ended - begun).into(), billed.into()]);
    row.extend([14, 16, 19, 20].map(|at| (&fields[at]).into()));
    let sql = "INSERT INTO cdr (calldate, clid, src, dst, dcontext, channel, dstchannel, lastapp, \
               lastdata, duration, billsec, disposition, uniqueid, linkedid, sequence) VALUES ";
    (sql.to_owned() + &marks(row.len()), row)
}

fn marks(count: usize) -> String {
    format!("({})", vec!["?"; count].join(", "))
}

/// Writes a Unix second as a clock in the PBX's zone shows it.
fn local(second: &str) -> String {
    let at = jiff::Timestamp::from_second(second.parse().expect("a second")).expect("a time");
    let zone = jiff::tz::TimeZone::get(ZONE).expect("a zone");
    zone.to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// Splits a line of the switch's logs: texts in quotes, a quote inside doubled, numbers bare.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields.last_mut().expect("one").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().expect("one").push(other),
        }
    }
    fields
}
