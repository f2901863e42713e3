//! Calls that happen: told while they go on, and written into the history when they are over.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Deserialize;

use super::history::{Row, compact};
use super::options::{PhoneForm, User};
use super::server::VatsHandle;
use crate::lab::lock::lock;
use crate::lab::wall;

/// What sort of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// The client calls, somebody answers.
    Answered,
    /// The client calls, nobody answers.
    Missed,
    /// The client calls and gives up in the menu: nobody is rung.
    LostInMenu,
    /// An employee dials, the client answers.
    Outgoing,
    /// An employee dials, the client does not answer.
    OutgoingMissed,
    /// The client calls, the first who is rung answers and hands over to the second.
    Transferred,
}

/// A call to be played.
#[derive(Debug, Clone)]
pub struct VatsCall {
    /// What sort.
    pub kind: CallKind,
    /// The client's number as digits, `79161112233`.
    pub client: String,
    /// Who is rung or dials, the one who answers first; nobody = the first group.
    pub users: Vec<String>,
    /// How long it rings.
    pub ring: Duration,
    /// How long is talked, by each who talks.
    pub talk: Duration,
}

impl VatsCall {
    /// A call of a second's ringing and two of talk.
    pub fn new(kind: CallKind, client: &str) -> Self {
        Self {
            kind,
            client: client.to_owned(),
            users: Vec::new(),
            ring: Duration::from_secs(1),
            talk: Duration::from_secs(2),
        }
    }

    /// Chooses who is rung or dials.
    #[must_use]
    pub fn users(mut self, logins: &[&str]) -> Self {
        self.users = logins.iter().map(|login| (*login).to_owned()).collect();
        self
    }

    /// Chooses how long it rings and how long is talked.
    #[must_use]
    pub fn times(mut self, ring: Duration, talk: Duration) -> Self {
        self.ring = ring;
        self.talk = talk;
        self
    }
}

/// A call that goes on.
struct Live<'a> {
    vats: &'a VatsHandle,
    callid: String,
    call: &'a VatsCall,
    began_s: i64,
    group: Option<String>,
    /// An event that is sent after the next one.
    held: Held,
}

type Held = Arc<Mutex<Option<Vec<(&'static str, String)>>>>;

impl VatsHandle {
    /// Plays a call to its end, and its message after it; returns its id.
    pub async fn play(&self, call: VatsCall) -> String {
        let callid = self.new_id();
        self.play_as(&callid, call).await;
        callid
    }

    /// Plays a call under an id.
    pub(super) async fn play_as(&self, callid: &str, mut call: VatsCall) {
        let mut group = None;
        if call.users.is_empty()
            && call.kind != CallKind::LostInMenu
            && let Some((name, logins)) = self.first_group()
        {
            call.users = logins;
            group = Some(name);
        }
        let live = Live {
            vats: self,
            callid: callid.to_owned(),
            call: &call,
            began_s: now_ms().div_euclid(1000),
            group,
            held: Held::default(),
        };
        live.go().await;
    }
}

impl Live<'_> {
    async fn go(mut self) {
        let incoming = !matches!(
            self.call.kind,
            CallKind::Outgoing | CallKind::OutgoingMissed
        );
        let mut rung = self.call.users.clone();
        if incoming && let Some(named) = self.ask().await {
            rung = vec![named];
            self.group = None;
        }
        match self.call.kind {
            CallKind::Answered => self.answered(&rung).await,
            CallKind::Missed => self.missed(&rung).await,
            CallKind::LostInMenu => {
                tokio::time::sleep(self.call.ring).await;
                self.over(&self.callid, None, false, self.call.ring, Duration::ZERO)
                    .await;
            }
            CallKind::Outgoing | CallKind::OutgoingMissed => self.dialled(&rung).await,
            CallKind::Transferred => self.handed_over(&rung).await,
        }
    }

    /// Asks the CRM who calls; returns the login of the user who shall be rung.
    async fn ask(&self) -> Option<String> {
        let mut fields = vec![
            ("cmd", "contact".to_owned()),
            ("phone", self.phone()),
            ("callid", self.callid.clone()),
        ];
        fields.extend(self.diversion());
        let switches = self.vats.switches();
        let told = self.vats.tell(fields, switches.contact_within).await;
        let named = told.answered("responsible").filter(|_| switches.routes)?;
        // A login, an extension or a number; of anybody else nothing is known, and it goes on.
        self.vats.user(&named).map(|user| user.login)
    }

    async fn answered(&self, rung: &[String]) {
        let Some(taker) = rung.first() else { return };
        for user in rung {
            self.event("INCOMING", &self.callid, user, None).await;
        }
        tokio::time::sleep(self.call.ring).await;
        self.event("ACCEPTED", &self.callid, taker, None).await;
        for other in rung.iter().filter(|user| *user != taker) {
            self.event("CANCELLED", &self.callid, other, None).await;
        }
        tokio::time::sleep(self.call.talk).await;
        self.event("COMPLETED", &self.callid, taker, None).await;
        self.over(
            &self.callid,
            Some(taker),
            true,
            self.call.ring,
            self.call.talk,
        )
        .await;
    }

    async fn missed(&self, rung: &[String]) {
        for user in rung {
            self.event("INCOMING", &self.callid, user, None).await;
        }
        tokio::time::sleep(self.call.ring).await;
        for user in rung {
            self.event("CANCELLED", &self.callid, user, None).await;
        }
        let nobody = self.vats.switches().nobody_is_empty || rung.len() != 1;
        let user = rung.first().filter(|_| !nobody);
        self.over(&self.callid, user, false, self.call.ring, Duration::ZERO)
            .await;
    }

    async fn dialled(&self, users: &[String]) {
        let Some(user) = users.first() else { return };
        self.event("OUTGOING", &self.callid, user, None).await;
        tokio::time::sleep(self.call.ring).await;
        let talked = self.call.kind == CallKind::Outgoing;
        let mut talk = Duration::ZERO;
        if talked {
            self.event("ACCEPTED", &self.callid, user, None).await;
            tokio::time::sleep(self.call.talk).await;
            self.event("COMPLETED", &self.callid, user, None).await;
            talk = self.call.talk;
        } else {
            self.event("CANCELLED", &self.callid, user, None).await;
        }
        self.over(&self.callid, Some(user), talked, self.call.ring, talk)
            .await;
    }

    async fn handed_over(&self, rung: &[String]) {
        let first = rung.first().or(self.call.users.first());
        let second = self.call.users.iter().find(|user| Some(*user) != first);
        let (Some(first), Some(second)) = (first, second) else {
            return;
        };
        let leg = self.vats.new_id();
        self.event("INCOMING", &self.callid, first, None).await;
        tokio::time::sleep(self.call.ring).await;
        self.event("ACCEPTED", &self.callid, first, None).await;
        tokio::time::sleep(self.call.talk).await;
        self.event("ACCEPTED", &leg, second, None).await;
        self.event("TRANSFERRED", &self.callid, first, Some(&leg))
            .await;
        self.event("COMPLETED", &self.callid, first, None).await;
        let began_second = now_ms().div_euclid(1000);
        tokio::time::sleep(self.call.talk).await;
        self.event("COMPLETED", &leg, second, None).await;
        let to_first = self.over(
            &self.callid,
            Some(first),
            true,
            self.call.ring,
            self.call.talk,
        );
        to_first.await;
        let of_second = Live {
            began_s: began_second,
            callid: leg.clone(),
            group: None,
            held: Held::default(),
            ..*self
        };
        of_second
            .over(&leg, Some(second), true, Duration::ZERO, self.call.talk)
            .await;
    }

    async fn event(&self, kind: &str, callid: &str, login: &str, second: Option<&str>) {
        let switches = self.vats.switches();
        let mut fields = vec![
            ("cmd", "event".to_owned()),
            ("type", kind.to_owned()),
            ("phone", self.phone()),
            ("user", login.to_owned()),
            ("callid", callid.to_owned()),
        ];
        if switches.direction {
            let out = matches!(
                self.call.kind,
                CallKind::Outgoing | CallKind::OutgoingMissed
            );
            fields.push(("direction", if out { "out" } else { "in" }.to_owned()));
        }
        fields.extend(self.diversion());
        fields.extend(self.group.clone().map(|group| ("groupRealName", group)));
        if let Some(user) = self.vats.user(login) {
            fields.extend(of_user(&user));
        }
        fields.extend(second.map(|second| ("second_callid", second.to_owned())));
        if !switches.swapped {
            return self.vats.word(fields).await;
        }
        let before = self.held().take();
        match before {
            None => *self.held() = Some(fields),
            Some(before) => {
                self.vats.word(fields).await;
                self.vats.word(before).await;
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<(&'static str, String)>>> {
        lock(&self.held)
    }

    /// Writes the call into the history and tells it.
    async fn over(
        &self,
        callid: &str,
        login: Option<&String>,
        talked: bool,
        ring: Duration,
        talk: Duration,
    ) {
        let last = self.held().take();
        if let Some(last) = last {
            self.vats.word(last).await;
        }
        let switches = self.vats.switches();
        let incoming = !matches!(
            self.call.kind,
            CallKind::Outgoing | CallKind::OutgoingMissed
        );
        let user = login.and_then(|login| self.vats.user(login));
        let uid = match switches.uid_is_callid {
            true => callid.to_owned(),
            false => format!("uid-{callid}"),
        };
        let record = talked.then(|| self.vats.record_address(callid));
        let now = now_ms();
        let row = Row {
            uid,
            incoming,
            talked,
            client: self.call.client.clone(),
            user: user.as_ref().map(|user| user.login.clone()),
            user_name: user.as_ref().map(|user| user.name.clone()),
            group: self.group.clone(),
            diversion: self.vats.number(),
            start_s: self.began_s,
            wait_s: seconds(ring),
            talk_s: seconds(talk),
            record: record.clone(),
            listed_from_ms: now.saturating_add(millis(switches.listed_after)),
        };
        self.vats.keep(row);
        if !switches.history_message {
            return;
        }
        tokio::time::sleep(switches.history_after).await;
        let whole = seconds(talk)
            + if switches.duration_is_whole {
                seconds(ring)
            } else {
                0
            };
        let status = match (talked, incoming) {
            (true, _) => "Success",
            (false, true) => "missed",
            (false, false) => "NotAvailable",
        };
        let mut fields = vec![
            ("cmd", "history".to_owned()),
            ("type", if incoming { "in" } else { "out" }.to_owned()),
            ("status", status.to_owned()),
            ("phone", self.phone()),
            ("user", login.cloned().unwrap_or_default()),
            ("start", compact(self.began_s)),
            ("duration", whole.to_string()),
            ("callid", callid.to_owned()),
        ];
        fields.extend(self.diversion());
        fields.extend(self.group.clone().map(|group| ("groupRealName", group)));
        fields.extend(user.as_ref().map(of_user).unwrap_or_default());
        fields.extend(record.map(|record| ("link", record)));
        self.vats.word(fields).await;
    }

    fn diversion(&self) -> Option<(&'static str, String)> {
        let said = self.vats.switches().diversion;
        said.then(|| ("diversion", self.vats.number()))
    }

    fn phone(&self) -> String {
        let digits = &self.call.client;
        match self.vats.switches().phone_form {
            PhoneForm::Digits => digits.clone(),
            PhoneForm::Plus => format!("+{digits}"),
            PhoneForm::Eight => format!("8{}", digits.get(1..).unwrap_or_default()),
        }
    }
}

fn of_user(user: &User) -> Vec<(&'static str, String)> {
    let telnum = user.telnum.clone().map(|telnum| ("telnum", telnum));
    [("ext", user.ext.clone())]
        .into_iter()
        .chain(telnum)
        .collect()
}

/// Rounds up: a talk of half a second is one of a second in the history.
fn seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(0)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Unix milliseconds.
pub(super) fn now_ms() -> i64 {
    i64::try_from(wall::now().as_millis()).unwrap_or(0)
}
