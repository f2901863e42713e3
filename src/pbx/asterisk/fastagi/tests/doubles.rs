//! An answerer that says what a test wants, and the Asterisk side of a connection.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::model::ids::{EmployeeId, Extension};
use crate::model::question::{
    Answer, AnswerClient, AnswerManager, Knowledge, NotAnswered, Question, Route,
};
use crate::pbx::Answerer;

/// Answers for `acme/office` with this client's name, to loopback only.
pub(super) struct Fake {
    pub(super) client: String,
    /// It never answers.
    pub(super) hangs: bool,
    pub(super) asked: Mutex<Vec<Question>>,
}

impl Fake {
    pub(super) fn naming(client: &str) -> Self {
        Self {
            client: client.to_owned(),
            hangs: false,
            asked: Mutex::default(),
        }
    }
}

impl Answerer for Fake {
    fn answer(
        &self,
        question: Question,
        asker: IpAddr,
    ) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        async move {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            let source_key = question.source.clone();
            if question.caller == "panic" {
                panic!("a test wants this");
            }
            self.asked.lock().unwrap().push(question);
            if source_key.to_string() != "acme/office" {
                return Err(NotAnswered::UnknownSource(source_key));
            }
            if !asker.is_loopback() {
                let address = asker;
                return Err(NotAnswered::NotAllowed {
                    source_key,
                    address,
                });
            }
            Ok(Answer {
                phone: None,
                client: Some(AnswerClient {
                    id: "1".to_owned(),
                    name: self.client.clone(),
                    url: None,
                }),
                manager: Some(Arc::new(AnswerManager {
                    employee: "anna".parse::<EmployeeId>().unwrap(),
                    name: "Анна".to_owned(),
                    extension: Some(Extension("101".to_owned())),
                })),
                extension: Some(Extension("101".to_owned())),
                route: Route::PersonalManager,
                integration: None,
                knowledge: Knowledge::Directory,
                age_s: Some(1),
            })
        }
        .boxed()
    }
}

/// What an Asterisk writes for a script.
pub(super) fn environment(script: &str) -> String {
    format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_callerid: 79161234567\n\
         agi_extension: 74951230010\n\n"
    )
}

/// The script that the fake answers.
pub(super) const SCRIPT: &str = "lookup?tenant=acme&source=office";

/// Writes the environment, reads commands to the end of our writing, answers each, as Asterisk
/// does. Returns what it was told.
pub(super) async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    environment: &str,
) -> String {
    // A connection that is closed at once may break while we write.
    let _ = stream.write_all(environment.as_bytes()).await;
    let mut commands = String::new();
    if stream.read_to_string(&mut commands).await.is_ok() {
        let replies = "200 result=1\n".repeat(commands.lines().count()) + "HANGUP\n";
        let _ = stream.write_all(replies.as_bytes()).await;
    }
    commands
}

/// The commands of an answer that names this client, as it is written.
pub(super) fn commands(extension: &str, route: &str, client: &str, manager: &str) -> String {
    format!(
        "SET VARIABLE TRUNKLINE_EXTEN \"{extension}\"\nSET VARIABLE TRUNKLINE_ROUTE \"{route}\"\n\
         SET VARIABLE TRUNKLINE_CLIENT \"{client}\"\nSET VARIABLE TRUNKLINE_MANAGER \"{manager}\"\n"
    )
}
