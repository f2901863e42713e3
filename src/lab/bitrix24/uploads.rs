//! Recordings and transcripts of finished calls (crm/bitrix24.md §8, §16.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::auth::{Caller, opaque};
use super::exchange::{Incoming, Reply};
use super::methods::Answered;
use super::params::{Params, integer_of, list_of, text_of};
use super::records::Record;
use super::refusal::Refusal;
use super::world::World;
use crate::lab::lab_clock::Moment;

/// Places that wait for a file.
const TICKETS_MAX: usize = 20_000;

/// A place that waits for a file.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    finished_id: u64,
    name: String,
    /// The address was given to who has a token: it bears that, and is good no longer.
    with_token: bool,
}

impl World {
    pub(super) fn call_attach_record(&mut self, params: &Params, caller: &Caller) -> Answered {
        let finished_id = self.finished_call(params)?;
        if let Some(url) = params.word("RECORD_URL") {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(self.telephony("RECORD_URL is not a valid URL"));
            }
            let file_id = self.attach_by_url(finished_id, &url);
            return Ok(json!({"FILE_ID": file_id}).into());
        }
        let Some(name) = params.text("FILENAME") else {
            let text = "Required parameters are not set. Request should contain either URL or \
                        FILENAME parameter";
            return Err(self.telephony(text));
        };
        if name.is_empty() {
            return Err(self.telephony("File name is empty"));
        }
        let extension = name
            .rsplit_once('.')
            .map(|(_, ext)| ext.to_ascii_lowercase());
        if !matches!(extension.as_deref(), Some("mp3" | "wav")) {
            let text = "Wrong file extension. Only wav and mp3 are allowed";
            return Err(self.telephony(text));
        }
        let Some(content) = params.text("FILE_CONTENT") else {
            return Ok(self.offer_upload(finished_id, &name, caller).into());
        };
        let Ok(bytes) = STANDARD.decode(content.as_bytes()) else {
            let text = "File content is not properly encoded. Base64 encoding is expected.";
            return Err(self.telephony(text));
        };
        if bytes.is_empty() {
            return Err(self.telephony("File content is empty."));
        }
        if self.is_too_large(bytes.len()) {
            return Err(self.telephony("File is too large"));
        }
        let file_id = self.attach(finished_id, &name, Some(&bytes), "");
        Ok(json!({"FILE_ID": file_id}).into())
    }

    fn offer_upload(&mut self, finished_id: u64, name: &str, caller: &Caller) -> Value {
        let number = self.next_id("ticket", 1);
        let token = opaque(&format!("{}/upload/{number}", self.options.member_id));
        // The token of the service has signs that stand escaped in the address.
        let token = format!("call|{token}|{number}");
        if self.tickets.len() >= TICKETS_MAX {
            self.tickets.pop_first();
        }
        self.tickets.insert(
            token.clone(),
            Ticket {
                finished_id,
                name: name.to_owned(),
                with_token: caller.client_id.is_some(),
            },
        );
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if caller.client_id.is_some() {
            query.append_pair("auth", &caller.token);
        }
        query.append_pair("token", &token);
        let address = format!(
            "https://{}/rest/upload.json?{}",
            self.domain,
            query.finish()
        );
        json!({"uploadUrl": address, "fieldName": "file"})
    }

    /// Takes a file at the address that was given out.
    pub(super) fn upload(&mut self, incoming: &Incoming, now: Moment) -> Reply {
        if incoming.method != "POST" {
            return Refusal::bad("ERROR_CORE", "No file was uploaded").reply();
        }
        let query = super::php::Branch::parse(&incoming.query_text).into_map();
        let token = query.get("token").and_then(text_of).unwrap_or_default();
        let ticket = self.tickets.get(&token).cloned();
        let wants_token = ticket.as_ref().is_some_and(|ticket| ticket.with_token);
        if (wants_token || query.contains_key("auth"))
            && let Err(refusal) = self.holder_of_token(incoming, &query, now)
        {
            return refusal.reply();
        }
        let Some(ticket) = ticket else {
            return Refusal::bad("ERROR_CORE", "Upload token is not valid").reply();
        };
        let content_type = incoming.content_type.as_deref().unwrap_or("");
        match file_part(content_type, &incoming.body, "file") {
            Some([]) => Refusal::bad("ERROR_CORE", "File content is empty.").reply(),
            Some(bytes) if self.is_too_large(bytes.len()) => {
                Refusal::new(413, "ERROR_CORE", "File is too large").reply()
            }
            Some(bytes) => {
                self.tickets.remove(&token);
                let file_id = self.attach(ticket.finished_id, &ticket.name, Some(bytes), "");
                let time = self.time(now, None);
                Reply::ok(&json!({"result": {"FILE_ID": file_id}, "time": time}))
            }
            None => Refusal::bad("ERROR_CORE", "No file was uploaded").reply(),
        }
    }

    fn is_too_large(&self, bytes: usize) -> bool {
        self.switches
            .record_bytes_max
            .is_some_and(|max| bytes > max)
    }

    pub(super) fn attach_by_url(&mut self, finished_id: u64, url: &str) -> u64 {
        let name = url.rsplit('/').next().unwrap_or("record.mp3");
        self.attach(finished_id, name, None, url)
    }

    /// Attaches a file; a repeat takes the place of the one before.
    fn attach(&mut self, finished_id: u64, name: &str, content: Option<&[u8]>, url: &str) -> u64 {
        let file_id = self.next_id("file", 9_079);
        if let Some(finished) = self.finished_calls.get_mut(&finished_id) {
            let times = finished.record.as_ref().map_or(0, |record| record.times);
            finished.record = Some(Record {
                file_id,
                name: name.to_owned(),
                bytes: content.map_or(0, <[u8]>::len),
                sha256: content.map(digest).unwrap_or_default(),
                url: url.to_owned(),
                times: times + 1,
            });
        }
        file_id
    }

    pub(super) fn call_attach_transcription(&mut self, params: &Params, _: &Caller) -> Answered {
        let finished_id = self.finished_call(params)?;
        let messages = params.get("MESSAGES").and_then(list_of).unwrap_or_default();
        if messages.is_empty() {
            return Err(self.telephony("MESSAGES is empty"));
        }
        for message in &messages {
            let side = message.get("SIDE").and_then(text_of).unwrap_or_default();
            let time = |key: &str| message.get(key).and_then(integer_of);
            let in_order = time("START_TIME").zip(time("STOP_TIME"));
            if !["User", "Client"].contains(&side.as_str())
                || in_order.is_none_or(|(start, stop)| start > stop)
            {
                return Err(self.telephony("MESSAGES has a wrong format"));
            }
        }
        let id = self.next_id("transcript", 1);
        if let Some(finished) = self.finished_calls.get_mut(&finished_id) {
            finished.transcript = messages;
            finished.transcript_id = Some(id);
        }
        Ok(json!({"TRANSCRIPT_ID": id}).into())
    }

    fn finished_call(&self, params: &Params) -> Result<u64, Refusal> {
        let call_id = params.word("CALL_ID").unwrap_or_default();
        self.finished_by_call.get(&call_id).copied().ok_or_else(|| {
            self.telephony(match self.switches.other_unfinished_wording {
                true => "Call is not found in the statistic table",
                false => {
                    "Call is not found in the statistic table. Looks like it is not finished yet."
                }
            })
        })
    }
}

/// Returns a digest of a content in hexadecimal digits.
fn digest(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the content of a part of a multipart body that is a file: it has a name of its own.
fn file_part<'b>(content_type: &str, body: &'b [u8], name: &str) -> Option<&'b [u8]> {
    let (kind, boundary) = content_type.split_once("boundary=")?;
    if !kind.starts_with("multipart/form-data;") {
        return None;
    }
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let delimiter = format!("--{boundary}");
    let ending = format!("\r\n{delimiter}");
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    loop {
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = find(rest, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(rest.get(..head_end)?).into_owned();
        let content = rest.get(head_end + 4..)?;
        let end = find(content, ending.as_bytes())?;
        if head.contains(&format!("name=\"{name}\"")) && head.contains("filename=\"") {
            // What is cut off before its last line did not come whole.
            let tail = content.get(end..)?;
            find(tail, format!("{ending}--").as_bytes())?;
            return content.get(..end);
        }
        rest = content.get(end + ending.len()..)?;
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_multipart_body_is_found() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nsound\r\n--b--";
        let content_type = "multipart/form-data; boundary=b";
        assert_eq!(file_part(content_type, body, "file"), Some(&b"sound"[..]));
        // A field is no file.
        assert_eq!(file_part(content_type, body, "x"), None);
        assert_eq!(file_part(content_type, body, "other"), None);
        assert_eq!(file_part("text/plain; boundary=b", body, "file"), None);
        // Half of it.
        let half = body.strip_suffix(b"\r\n--b--").expect("whole");
        assert_eq!(file_part(content_type, half, "file"), None);
    }
}
