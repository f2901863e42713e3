//! Asks what is alive in the PBX: channels, bridges, and the variables that no event carries
//! (`pbx/asterisk.md` §2, "Reconnect"). What the AMI user may not ask is gone without, and said.

use super::ami_codec::Action;
use super::ami_message::Message;
use super::answer::Answer;
use super::connection::Connection;
use super::tracker::LiveState;
use super::variables::{DID, Place, RECORDING};
use crate::pbx::ListenerError;

/// Calls whose variables are asked, and bridges whose members are: each costs a question or two.
/// A call beyond this is known all the same, without its DID from FROM_DID and its recording.
const ASKED_MAX: usize = 200;

/// What was found.
pub(super) struct Survey {
    /// What is alive; `None` when the PBX tells us of no channels at all.
    pub(super) live: Option<LiveState>,
    /// Variables of the calls' first channels, as events.
    pub(super) variables: Vec<Message>,
    /// What could not be asked, in words.
    pub(super) remarks: Vec<String>,
}

/// Asks everything.
pub(super) async fn survey(connection: &mut Connection) -> Result<Survey, ListenerError> {
    let mut remarks = Vec::new();
    let names = ["CoreShowChannels", "Status", "BridgeList"];
    let mut answers = connection
        .ask_all(names.map(Action::new).into())
        .await?
        .into_iter();
    let mut next = |name: &str| match answers.next() {
        Some(Answer::Done { items, .. }) => Some(items),
        Some(Answer::Refused(message)) => {
            remarks.push(format!("the PBX refuses {name}: {message}"));
            None
        }
        None => None,
    };
    let [channels, status, bridges] = names.map(&mut next);
    if channels.is_none() && status.is_none() {
        remarks.push(
            "open calls cannot be compared with the PBX's channels: give the AMI user the write \
             class reporting or call"
                .to_owned(),
        );
        return Ok(Survey {
            live: None,
            variables: Vec::new(),
            remarks,
        });
    }
    let mut messages: Vec<Message> = [channels, status].into_iter().flatten().flatten().collect();
    let bridge_ids: Vec<String> = bridges
        .iter()
        .flatten()
        .filter(|item| item.event() == Some("BridgeListItem"))
        .filter_map(|item| item.value("BridgeUniqueid"))
        .take(ASKED_MAX)
        .map(str::to_owned)
        .collect();
    let infos = bridge_ids
        .into_iter()
        .map(|id| Action::new("BridgeInfo").with("BridgeUniqueid", id));
    for answer in connection.ask_all(infos.collect()).await? {
        // A bridge that is gone since the list is no loss.
        if let Answer::Done { items, .. } = answer {
            messages.extend(items);
        }
    }
    let live = LiveState::from_messages(&messages);
    let places: Vec<Place> = live
        .channels
        .iter()
        .filter(|channel| channel.uniqueid == channel.linkedid)
        .take(ASKED_MAX)
        .map(Place::of_channel)
        .collect();
    let questions: Vec<(&Place, &str)> = places
        .iter()
        .flat_map(|place| [DID, RECORDING].map(|variable| (place, variable)))
        .collect();
    let actions = questions
        .iter()
        .map(|(place, variable)| place.question(variable));
    let answers = connection.ask_all(actions.collect()).await?;
    let mut variables = Vec::new();
    let mut denied = false;
    for ((place, variable), answer) in questions.into_iter().zip(answers) {
        match answer {
            Answer::Done { response, .. } => variables.extend(place.event(variable, &response)),
            Answer::Refused(message) => denied |= message.eq_ignore_ascii_case("Permission denied"),
        }
    }
    if denied {
        remarks.push(
            "the PBX refuses Getvar: numbers and recordings of calls that are running now may be \
             missing; give the AMI user the write class call"
                .to_owned(),
        );
    }
    Ok(Survey {
        live: Some(live),
        variables,
        remarks,
    })
}
