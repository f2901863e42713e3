//! Steps that an integration plans and never sends, because its activity is not `on`. Pure.

use crate::model::ledger::{Ledger, StepState};
use crate::model::timestamp::Timestamp;

/// The reason of steps that were planned and shall not be sent.
const OBSERVED_ONLY: &str = "observed only: the integration's activity is not on";

/// Returns the state of a step that is only observed. It is final: whatever the integration's
/// activity becomes, the step is never sent.
pub(super) fn not_sent(at: Timestamp) -> StepState {
    StepState::Dropped {
        at,
        reason: OBSERVED_ONLY.to_owned(),
    }
}

/// Returns the ledger as it would be about now if the integration had been on: what it observed at
/// the answer of a call is to be sent. So the end of the call is decided as it would be, and the
/// explanation says what will be made once the integration is on.
pub(super) fn as_if_sent(mut ledger: Ledger) -> Ledger {
    for step in &mut ledger.steps {
        if matches!(&step.state, StepState::Dropped { reason, .. } if reason == OBSERVED_ONLY) {
            step.state = StepState::Pending;
        }
    }
    ledger
}
