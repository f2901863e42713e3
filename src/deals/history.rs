//! The moves of a deal in the order in which they were made. Pure.

use crate::model::deal::StageMove;

/// Puts moves in order. CRMs tell their times in seconds: of those of one moment each follows the
/// one that leads to where it begins.
pub fn ordered(mut moves: Vec<StageMove>) -> Vec<StageMove> {
    moves.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    let mut ordered: Vec<StageMove> = Vec::with_capacity(moves.len());
    let mut rest = moves.into_iter().peekable();
    while let Some(first) = rest.next() {
        let at = first.at;
        let mut together = vec![first];
        while let Some(next) = rest.next_if(|next| next.at == at) {
            together.push(next);
        }
        while !together.is_empty() {
            let next = next_of(&together, ordered.last());
            ordered.push(together.remove(next));
        }
    }
    ordered
}

/// Returns which of some moves of one moment comes next.
fn next_of(together: &[StageMove], before: Option<&StageMove>) -> usize {
    let follows =
        |one: &StageMove| before.is_some_and(|before| one.from.as_ref() == Some(&before.to));
    let is_led_to = |one: &StageMove| {
        let mut others = together.iter().filter(|other| other.id != one.id);
        others.any(|other| one.from.as_ref() == Some(&other.to))
    };
    let found = together.iter().position(follows);
    let found = found.or_else(|| together.iter().position(|one| !is_led_to(one)));
    found.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::deal::StagePlace;
    use crate::model::timestamp::Timestamp;

    fn step(at: i64, id: &str, from: &str, to: &str) -> StageMove {
        let place = |stage: &str| StagePlace {
            pipeline: "31".to_owned(),
            stage: stage.to_owned(),
        };
        StageMove {
            deal: "7".to_owned(),
            at: Timestamp::from_secs(at),
            id: id.to_owned(),
            from: (!from.is_empty()).then(|| place(from)),
            to: place(to),
        }
    }

    fn stages(moves: &[StageMove]) -> Vec<&str> {
        moves.iter().map(|one| one.to.stage.as_str()).collect()
    }

    #[test]
    fn moves_of_one_second_follow_each_other() {
        let moves = vec![
            step(20, "c", "won", "open"),
            step(10, "z", "new", "open"),
            step(10, "a", "open", "won"),
            step(20, "b", "open", "lost"),
        ];
        assert_eq!(stages(&ordered(moves)), ["open", "won", "open", "lost"]);
    }

    proptest! {
        #[test]
        fn a_chain_told_in_any_order_is_the_same_chain(
            order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
            at in proptest::collection::vec(0i64..3, 8),
        ) {
            let mut at = at;
            at.sort_unstable();
            let chain: Vec<StageMove> = (0..8)
                .map(|n| step(at[n], &format!("{:02}", (n * 5) % 8), &n.to_string(), &(n + 1).to_string()))
                .collect();
            let told = order.into_iter().map(|n| chain[n].clone()).collect();
            prop_assert_eq!(ordered(told), chain);
        }
    }
}
