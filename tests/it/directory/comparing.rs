//! An index that is compared with a store ends up as one that is built of it.

use proptest::prelude::*;
use trunkline::directory::index::{Comparison, Index, IndexBuilder};
use trunkline::model::directory::DirectoryChange;
use trunkline::model::plan::Entity;
use trunkline::store::StoreHandle;
use trunkline::store::directory::{DirectoryChunk, DirectoryPart};

use super::people::*;

const CLIENTS: u32 = 6;

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u32..400).prop_map(|n| n.to_string()),
        1 => (0_u32..9).prop_map(|n| format!("id-{n}")),
    ]
}

fn change_of() -> impl Strategy<Value = DirectoryChange> {
    let clients = prop::collection::vec(0..CLIENTS, 0..3);
    let contact = (id(), clients, 500_u32..503)
        .prop_map(|(id, clients, user)| contact(&id, &clients, &user.to_string(), 1));
    let deal = (id(), id(), any::<bool>(), 0_i64..5)
        .prop_map(|(id, client, open, s)| deal(&id, &[&client, "7"], open, s));
    let gone = (id(), any::<bool>()).prop_map(|(id, is_deal)| {
        let entity = if is_deal {
            Entity::Deal
        } else {
            Entity::Contact
        };
        gone(entity, &id)
    });
    prop_oneof![4 => contact, 3 => deal, 1 => gone]
}

async fn chunks(store: &StoreHandle, part: DirectoryPart) -> Vec<DirectoryChunk> {
    let (mut chunks, mut next) = (Vec::new(), None);
    loop {
        let chunk = store.directory_chunk(portal(), part, next, 7).await;
        let chunk = chunk.expect("reads");
        next = chunk.next.clone();
        chunks.push(chunk);
        if next.is_none() {
            return chunks;
        }
    }
}

#[track_caller]
fn same(one: &Index, other: &Index) {
    assert_eq!(one.size(), other.size());
    for n in 0..CLIENTS {
        assert_eq!(one.clients(&phone(n)), other.clients(&phone(n)), "{n}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_comparison_finds_all_that_differs_and_then_nothing(
        held in prop::collection::vec(change_of(), 0..120),
        missed in prop::collection::vec(change_of(), 0..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let (store, thread) = open(folder.path());
            change(&store, missed, None).await;
            let mut builder = IndexBuilder::new(0);
            let mut index = Index::default().with(&held);
            for part in [DirectoryPart::Deals, DirectoryPart::Cards] {
                let mut comparison = Comparison::new(part);
                for chunk in chunks(&store, part).await {
                    builder.add(part, &chunk);
                    let differences = comparison.differences(&index, &chunk);
                    index = index.with(&differences);
                }
            }
            same(&index, &builder.finish());
            for part in [DirectoryPart::Deals, DirectoryPart::Cards] {
                let mut again = Comparison::new(part);
                for chunk in chunks(&store, part).await {
                    assert_eq!(again.differences(&index, &chunk), []);
                }
            }
            close(store, thread).await;
        });
    }
}
