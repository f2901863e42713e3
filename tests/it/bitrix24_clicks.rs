//! Clicks in a simulated portal reach us once each, whatever the portal's plan has.

use trunkline::crm::{Changes, Class, Click, Clicks, PieceNext};
use trunkline::lab::bitrix24::{self, BitrixOptions, Limits, Switches};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::Outcome;

use super::bitrix24_lab::{CALLER, Rehearsal};

async fn portal(reserves: bool, collapses: bool) -> Rehearsal {
    Rehearsal::with(BitrixOptions {
        limits: Limits::none(),
        switches: Switches {
            offline_reserve_available: reserves,
            offline_clicks_collapse: collapses,
            ..Switches::default()
        },
        ..BitrixOptions::default()
    })
    .await
}

async fn fetched(clicks: &dyn Clicks) -> Vec<Click> {
    match clicks.clicks().await {
        Outcome::Done(clicks) => clicks,
        other => panic!("{other:?}"),
    }
}

fn click(rehearsal: &Rehearsal) -> String {
    let click = bitrix24::Click {
        user: 12,
        phone: CALLER.to_owned(),
        ..bitrix24::Click::default()
    };
    rehearsal.lab.click(&click).expect("clicks are told")
}

#[actix_rt::test]
async fn each_click_is_told_once_under_every_reading_of_the_queue() {
    for (reserves, collapses) in [(true, false), (true, true), (false, false), (false, true)] {
        let rehearsal = portal(reserves, collapses).await;
        let clicks = rehearsal.adapter.clicks().expect("clicks");
        assert_eq!(fetched(clicks).await, []);
        let id = click(&rehearsal);
        let found = fetched(clicks).await;
        let [one] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(one.user, Some(CrmUserId("12".to_owned())));
        let (epoch, own) = one.name.split_once('.').expect("two parts");
        assert_eq!(id, format!("externalCall.{own}.{epoch}"));
        assert_eq!(fetched(clicks).await, []);
        // What was cleared comes no more, and the next click is another one.
        click(&rehearsal);
        let next = fetched(clicks).await;
        assert!(next.len() == 1 && next[0].name != one.name, "{next:?}");
        assert_eq!(fetched(clicks).await, []);
        let why = "nobody is there".to_owned();
        assert_eq!(
            clicks.give_up(one.clone(), why.clone()).await,
            Outcome::Done(())
        );
        let calls = rehearsal.lab.oracle().calls;
        assert_eq!(
            (calls[0].call_id.as_str(), calls[0].code.as_str()),
            (id.as_str(), "503")
        );
        // Twice is as good as once.
        assert_eq!(clicks.give_up(one.clone(), why).await, Outcome::Done(()));
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn a_click_that_the_directory_comes_across_is_handed_on() {
    let rehearsal = portal(true, false).await;
    let clicks = rehearsal.adapter.clicks().expect("clicks");
    assert_eq!(fetched(clicks).await, []);
    let directory = rehearsal.adapter.directory().expect("a directory");
    let mut cursor = None;
    let mark = loop {
        let Outcome::Done(piece) = directory.everything(cursor).await else {
            panic!("it can be read");
        };
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { mark } => break mark,
        }
    };
    let id = click(&rehearsal);
    let read = directory.changes(mark, Class::Work).await;
    assert!(
        matches!(read, Outcome::Done(Changes::Read { .. })),
        "{read:?}"
    );
    let found = fetched(clicks).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let (epoch, own) = found[0].name.split_once('.').expect("two parts");
    assert_eq!(id, format!("externalCall.{own}.{epoch}"));
    assert_eq!(fetched(clicks).await, []);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn v_14_a_callback_form_is_a_click_of_nobody() {
    let rehearsal = portal(true, false).await;
    let clicks = rehearsal.adapter.clicks().expect("clicks");
    assert_eq!(fetched(clicks).await, []);
    rehearsal.lab.ask_for_callback(CALLER, "Перезвоните", "");
    let found = fetched(clicks).await;
    let [one] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((one.user.as_ref(), one.phone.as_str()), (None, CALLER));
    // The portal has registered nothing: there is nothing to end.
    let told = clicks
        .give_up(one.clone(), "nobody is there".to_owned())
        .await;
    assert_eq!(told, Outcome::Done(()));
    assert!(rehearsal.lab.oracle().calls.is_empty());
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_webhook_is_told_of_no_clicks() {
    let rehearsal = Rehearsal::by_webhook(Switches::default()).await;
    let clicks = rehearsal.adapter.clicks().expect("clicks");
    assert_eq!(fetched(clicks).await, []);
    rehearsal.end().await;
}
