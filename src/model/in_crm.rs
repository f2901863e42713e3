//! What settings name of a CRM, so that it can be asked whether it is there.

use super::ids::CrmUserId;
use super::plan::Entity;

/// One thing of a CRM that settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedInCrm {
    /// Where, with dots.
    pub path: String,
    /// What.
    pub what: CrmThing,
}

/// A thing of a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrmThing {
    /// A user.
    User(CrmUserId),
    /// A pipeline that takes unsorted records.
    UnsortedPipeline(String),
    /// A pipeline and a stage of it.
    Stage {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
    },
    /// A pipeline of deals that come back.
    Pipeline(String),
    /// A stage of deals that come back.
    DealStage {
        /// The pipeline; `None` = any one of those that deals come back from.
        pipeline: Option<String>,
        /// The stage.
        stage: String,
    },
    /// A field of deals that holds a sum of money, by id, code or name.
    SumField(String),
    /// A field that is only read, by id, code or name.
    ReadField {
        /// The sort of card.
        entity: Entity,
        /// The field.
        field: String,
    },
    /// A sort of task.
    TaskType(String),
    /// An additional field.
    Field {
        /// The sort of card.
        entity: Entity,
        /// The field, by id, code or name.
        field: String,
        /// What is always written, where the value has no variables.
        constant: Option<String>,
    },
}
