//! What an action came to, gathered message by message (`pbx/asterisk.md` §1).
//!
//! ```text
//! Response: Success, no list --> done
//! Response: Success, EventList: start --> items --> EventList: Complete --> done
//! Response: Error --> refused
//! ```

use super::ami_message::Message;
use crate::pbx::ListenerError;

/// Items of one list that are kept. An Asterisk of this size has many thousand channels.
const LIST_ITEMS_MAX: usize = 20_000;

/// What an action came to.
#[derive(Debug)]
pub(super) enum Answer {
    /// Success; of a list with its items, the one that ends it included.
    Done {
        /// The response itself.
        response: Message,
        /// The items of a list and its end.
        items: Vec<Message>,
    },
    /// The PBX said no, in its words.
    Refused(String),
}

/// An action that waits for its answer.
pub(super) struct Pending {
    /// The action's name.
    pub(super) name: String,
    response: Option<Message>,
    items: Vec<Message>,
    complete: bool,
}

impl Pending {
    /// Begins to wait.
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            response: None,
            items: Vec::new(),
            complete: false,
        }
    }

    /// Says whether everything has come.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Takes a message with this action's id: the response, an item, or the end of a list.
    pub(super) fn add(&mut self, message: Message) -> Result<(), ListenerError> {
        let list_mark = message.get("EventList").map(str::to_ascii_lowercase);
        if message.response().is_some() && self.response.is_none() {
            self.complete = list_mark.as_deref() != Some("start");
            self.response = Some(message);
        } else if matches!(list_mark.as_deref(), Some("complete" | "cancelled")) {
            self.complete = true;
            self.items.push(message);
        } else if self.items.len() < LIST_ITEMS_MAX {
            self.items.push(message);
        } else {
            return Err(ListenerError::Protocol(format!(
                "{} lists more than {LIST_ITEMS_MAX} items",
                self.name
            )));
        }
        Ok(())
    }

    /// Says what it came to.
    pub(super) fn into_answer(self) -> Answer {
        match self.response {
            Some(response) if is_success(&response) => Answer::Done {
                response,
                items: self.items,
            },
            Some(response) => Answer::Refused(
                response
                    .get("Message")
                    .unwrap_or("no reason given")
                    .to_owned(),
            ),
            // A list whose end came without a response: some forks of old versions do so.
            None => Answer::Refused("the answer had no response".to_owned()),
        }
    }
}

fn is_success(response: &Message) -> bool {
    response.response().is_some_and(|word| {
        word.eq_ignore_ascii_case("Success") || word.eq_ignore_ascii_case("Goodbye")
    })
}
