//! The program as a running process. Killed when dropped.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::home::{ADMIN_TOKEN, Home, SITE_HOOK};
use super::wait::{until, when};

/// No question to a daemon on the same machine takes longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A daemon that was ready once.
pub(super) struct Daemon {
    child: Child,
    pub(super) http: Client,
    home: Arc<Home>,
}

/// Makes an HTTP client.
pub(super) fn http_client() -> Client {
    // Only plain HTTP is spoken here, but the client wants a provider all the same; another test
    // may have installed it.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().no_proxy().timeout(ANSWER_WITHIN).build();
    client.expect("a client")
}

impl Daemon {
    /// Starts the program and waits until it is ready.
    pub(super) async fn start(home: &Arc<Home>) -> Self {
        let mut daemon = Self::spawn(home);
        daemon.answers("/readyz", StatusCode::OK).await;
        daemon
    }

    /// Starts the program.
    pub(super) fn spawn(home: &Arc<Home>) -> Self {
        let mut command = home.command(&["run"]);
        command.stdout(home.log_file()).stderr(home.log_file());
        Self {
            child: command.spawn().expect("the program starts"),
            http: http_client(),
            home: Arc::clone(home),
        }
    }

    /// Waits until the admin endpoint answers a path so; the daemon must not end meanwhile.
    pub(super) async fn answers(&mut self, path: &str, status: StatusCode) {
        let url = format!("http://{}{path}", self.home.admin());
        until(&format!("{path} answers {status}"), async || {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                panic!("the daemon ended, {status}:\n{}", self.home.log());
            }
            let answer = self.http.get(&url).send().await;
            let answer = answer.map_err(|error| error.to_string())?;
            when(answer.status() == status, answer.status())
        })
        .await;
    }

    /// Waits until it has ended by itself.
    pub(super) async fn ends(mut self) {
        until("the daemon ends", async || {
            let ended = self.child.try_wait().expect("it can be waited for");
            ended.ok_or_else(|| self.home.log())
        })
        .await;
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end (SIGTERM) and returns its exit status.
    pub(super) async fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        let status = until("the daemon ends", async || {
            let ended = self.child.try_wait().expect("it can be waited for");
            ended.ok_or_else(|| self.home.log())
        });
        status.await.code()
    }

    /// Tells it to read its configuration again (SIGHUP) and waits until it has; returns what the
    /// journal says about it.
    pub(super) async fn reload(&self) -> String {
        let before = self.reload_notes().await.len();
        self.signal("HUP");
        until("the reload is noted", async || {
            let mut notes = self.reload_notes().await;
            let newest = notes.pop().filter(|_| notes.len() >= before);
            newest.ok_or_else(|| self.home.log())
        })
        .await
    }

    /// Returns the journal's remarks about reloads, oldest first.
    async fn reload_notes(&self) -> Vec<String> {
        let notes = self.notes().await;
        let of_reloads = notes.into_iter().filter(|(word, _)| word == "reload");
        of_reloads.map(|(_, text)| text).collect()
    }

    /// Returns the journal's remarks that belong to no communication: word and text, by number.
    pub(super) async fn notes(&self) -> Vec<(String, String)> {
        let found = self.get("/v1/journal/notes").await;
        let mut items = list(&found, "items").to_vec();
        items.sort_by_key(|item| item["id"].as_u64());
        let text = |item: &Value, key: &str| item["note"][key].as_str().unwrap_or("").to_owned();
        let both = |item: &Value| (text(item, "word"), text(item, "text"));
        items.iter().map(both).collect()
    }

    fn signal(&self, name: &str) {
        // The standard library can only kill; every shell can ask.
        let ask = format!("kill -{name} {}", self.child.id());
        let mut shell = Command::new("sh");
        let asked = shell.arg("-c").arg(ask).stdin(Stdio::null()).status();
        assert!(asked.expect("a shell").success());
    }

    /// The number of its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns its resident memory in bytes.
    pub(super) fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.trim().parse::<u64>().ok())
            .expect("a figure")
            * 1024
    }

    /// Asks the admin endpoint with the token.
    pub(super) async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.home.admin());
        let asked = self.http.get(url).bearer_auth(ADMIN_TOKEN).send().await;
        let answer = asked.unwrap_or_else(|error| panic!("{error}:\n{}", self.home.log()));
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("JSON")
    }

    /// Posts to the webhook source; returns status and body.
    pub(super) async fn post(&self, body: &Value) -> (u16, Value) {
        self.post_to(
            &format!("/v1/events/acme/site/{SITE_HOOK}"),
            body.to_string(),
        )
        .await
    }

    /// Posts anything to the intake.
    pub(super) async fn post_to(&self, path: &str, body: String) -> (u16, Value) {
        let url = format!("http://{}{path}", self.home.intake());
        let request = self.http.post(url).body(body);
        let request = request.header("Content-Type", "application/json");
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Waits until the session with the switch is up.
    pub(super) async fn attached(&self) {
        until("the session with the switch is up", async || {
            let status = self.get("/v1/status").await;
            let state = &list(&status, "sources")[0]["state"];
            when(state["health"] == "up", state)
        })
        .await;
    }

    /// Waits until so many calls go on.
    pub(super) async fn open_calls(&self, calls: u64) {
        until(&format!("{calls} open calls"), async || {
            let status = self.get("/v1/status").await;
            let open = open_calls(&status);
            when(open == calls, open)
        })
        .await;
    }

    /// Waits until so many communications are stored, all of them are over and no work is left.
    pub(super) async fn settled(&self, communications: usize) {
        until("nothing is left to do", async || {
            let found = self.get("/v1/journal?limit=500").await;
            let items = list(&found, "items");
            let is_over = |item: &Value| item["phase"] == "ended" && item["outcome"] != "open";
            let over = items.len() == communications && items.iter().all(is_over);
            when(over, &found)?;
            let status = self.get("/v1/status").await;
            let quiet = status["store"]["open_works"] == 0 && open_calls(&status) == 0;
            when(quiet, format!("{status:#}\n{}", self.home.log()))
        })
        .await;
    }

    /// Returns the keys of the journal, newest first.
    pub(super) async fn journal_keys(&self) -> Vec<String> {
        let found = self.get("/v1/journal").await;
        let key = |item: &Value| item["key"].as_str().unwrap_or("").to_owned();
        list(&found, "items").iter().map(key).collect()
    }

    /// Returns everything about one communication.
    pub(super) async fn story(&self, key: &str) -> Value {
        self.get(&format!("/v1/communications/{key}")).await
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn open_calls(status: &Value) -> u64 {
    let of_source = |source: &Value| source["state"]["gauges"]["open_calls"].as_f64();
    let calls: f64 = list(status, "sources").iter().filter_map(of_source).sum();
    calls as u64
}

/// Returns a list of a document.
pub(super) fn list<'a>(document: &'a Value, name: &str) -> &'a [Value] {
    document[name].as_array().map_or(&[], Vec::as_slice)
}
