//! What a CRM can do, declared by its adapter: rules plan only what stands here.

use serde::{Deserialize, Serialize};

use super::communication::{Kind, Phase};
use super::plan::StepKind;

/// How sure an adapter can be, after an ambiguous answer, whether an effect exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The CRM keeps a key of ours.
    ByKey,
    /// A search finds it.
    BySearch,
    /// It cannot be known: the integration's policy decides.
    Undecidable,
}

/// One kind of step that an adapter can carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCapability {
    /// The kind.
    pub kind: StepKind,
    /// How sure it can be about the effect.
    pub certainty: Certainty,
    /// How many of them one request takes at the most.
    pub batch_max: usize,
}

/// What a CRM can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The kinds of steps.
    pub steps: Vec<StepCapability>,
    /// The phases at which something may be planned.
    pub phases: Vec<(Kind, Phase)>,
    /// What the call history is like.
    #[serde(default)]
    pub calls: CallHistoryManner,
}

/// What a CRM's call history asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallHistoryManner {
    /// Every entry names a user: where nobody talked, who answers for the client (V-04).
    #[serde(default)]
    pub needs_user: bool,
    /// A recording is put to the entry afterwards, never with it.
    #[serde(default)]
    pub recording_apart: bool,
    /// How a recording comes to an entry.
    #[serde(default)]
    pub recording_way: RecordingWay,
    /// The card at a ringing telephone opens the entry, under the user whom it is shown to.
    #[serde(default)]
    pub opened_by_card: bool,
    /// A click on a number in the CRM opens the entry of the call that follows.
    #[serde(default)]
    pub opened_by_click: bool,
    /// An entry names the company's number.
    #[serde(default)]
    pub names_our_number: bool,
    /// An entry names the telephones that took part.
    #[serde(default)]
    pub by_telephone: bool,
    /// The CRM itself makes the contact of a stranger from the first that it is told of a call: we
    /// make none, and whether the client is new is decided before.
    #[serde(default)]
    pub makes_contacts: bool,
}

/// How the recording of a call comes into a CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingWay {
    /// By its public address; without one the entry stays without a recording.
    #[default]
    Link,
    /// The CRM is handed the file.
    Upload,
    /// By its public address where there is one; else the CRM is handed the file.
    Automatic,
}

impl Capabilities {
    /// Returns what is declared of a kind of step.
    pub fn step(&self, kind: StepKind) -> Option<&StepCapability> {
        self.steps.iter().find(|step| step.kind == kind)
    }
}
