//! What is read of a portal, and its directory.

use super::*;
use crate::crm::{Changes, PieceNext};
use crate::model::directory::DirectoryChange;
use crate::model::field::CrmField;

fn portal(called: &Called) -> Said {
    match called.method.as_str() {
        "crm.settings.mode.get" => Ok(json!(1)),
        "crm.category.list" => Ok(json!({"categories": [
            {"id": 3, "name": "Опт", "sort": 500, "isDefault": "N"},
            {"id": 0, "name": "Общая", "sort": 300, "isDefault": "Y"},
        ]})),
        "crm.status.list" => Ok(json!([
            {"STATUS_ID": "NEW", "NAME": called.param("filter[ENTITY_ID]")},
        ])),
        "user.get" => Ok(json!([
            {"ID": "12", "ACTIVE": true, "NAME": "Анна", "LAST_NAME": "Петрова",
             "UF_PHONE_INNER": "104", "EMAIL": "a@example.org"},
            {"ID": "15", "ACTIVE": true, "NAME": "Пётр"},
            {"ID": "16", "ACTIVE": false, "NAME": "Ушла"},
        ])),
        "telephony.externalCall.register" => Err(("WRONG_AUTH_TYPE", "Application required")),
        "scope" => Ok(json!(["crm", "user_basic"])),
        "crm.contact.userfield.list" => Ok(json!([
            {"FIELD_NAME": "UF_CRM_1", "USER_TYPE_ID": "string", "EDIT_FORM_LABEL": "Источник"},
            {"FIELD_NAME": "UF_CRM_2", "USER_TYPE_ID": "double"},
            {"FIELD_NAME": "UF_CRM_3", "USER_TYPE_ID": "file"},
            {"FIELD_NAME": "UF_CRM_4", "USER_TYPE_ID": "string", "MULTIPLE": "Y"},
        ])),
        _ => Ok(json!([])),
    }
}

#[tokio::test]
async fn s3_02_a_portal_is_described_with_what_does_not_work_there() {
    let fixture = Fixture::answering(portal).await;
    let Outcome::Done(account) = fixture.adapter.describe().await else {
        panic!("not described")
    };
    let pipelines: Vec<_> = account
        .pipelines
        .iter()
        .map(|one| (one.id.as_str(), one.main, one.stages[0].name.as_str()))
        .collect();
    assert_eq!(
        pipelines,
        [("0", true, "DEAL_STAGE"), ("3", false, "DEAL_STAGE_3")]
    );
    let users: Vec<_> = account
        .users
        .iter()
        .map(|one| (one.name.as_str(), one.active))
        .collect();
    assert_eq!(
        users,
        [("Анна Петрова", true), ("Пётр", true), ("Ушла", false)]
    );
    // V-10: only what takes text can be filled.
    let is_built_in = |one: &&CrmField| one.id.starts_with("UTM_") || one.id.starts_with("SOURCE_");
    // Of lead, deal and contact; companies have none.
    let built_in = account.fields.iter().filter(is_built_in);
    assert_eq!(built_in.count(), 3 * 7);
    let own = account.fields.iter().filter(|one| !is_built_in(one));
    let takes: Vec<_> = own.map(|one| one.takes).collect();
    use crate::model::field::Takes::{Nothing, Number, Text};
    assert_eq!(takes, [Text, Number, Nothing, Nothing]);
    let said = account.limits.join("\n");
    for words in [
        "surname",
        "Пётр (15)",
        "telephony is closed",
        "webhook",
        "scope telephony",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("Ушла"), "{said}");
    assert_eq!(calls(&fixture.server).len(), 2, "two requests are enough");
}

#[tokio::test]
async fn the_directory_reads_many_pages_a_request_and_stops_at_a_short_one() {
    let mut contacts = 0;
    let fixture = Fixture::answering(move |called| {
        let is_change = !called.param("filter[>=DATE_MODIFY]").is_empty();
        if called.method != "crm.contact.list" || is_change {
            return Ok(json!([]));
        }
        contacts += 1;
        // Two full pages, a short one, and then what the portal makes of an empty reference.
        let ids = match contacts {
            1 => 1..=50,
            2 => 51..=100,
            3 => 101..=107,
            _ => 1..=50,
        };
        let row = |id: u32| {
            json!({"ID": id.to_string(), "NAME": format!("К{id}"),
            "PHONE": [{"VALUE": "89161234567"}], "DATE_MODIFY": "2026-09-21T10:00:00+03:00"})
        };
        Ok(json!(ids.map(row).collect::<Vec<_>>()))
    })
    .await;
    let reader = fixture.adapter.directory().expect("a directory");
    let (mut cursor, mut seen, mut pieces, mut covered) = (None, 0, 0, Vec::new());
    let mark = loop {
        let piece = match reader.everything(cursor).await {
            Outcome::Done(piece) => piece,
            other => panic!("{other:?}"),
        };
        pieces += 1;
        seen += piece.changes.len();
        covered.extend(piece.covered.map(|one| (one.after, one.up_to)));
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { mark } => break mark,
        }
    };
    assert_eq!((seen, pieces), (107, 6));
    let hundred = Some("100".to_owned());
    assert_eq!(
        covered,
        [(None, "100".to_owned()), (hundred, "107".to_owned())]
    );
    let Outcome::Done(Changes::Read { gone_told, .. }) = reader.changes(mark, Class::Work).await
    else {
        panic!("not read")
    };
    assert!(
        !gone_told,
        "deletions are not told: nothing is decided by it"
    );
}

#[tokio::test]
async fn cards_that_are_not_there_any_more_are_told_as_gone() {
    let fixture = Fixture::answering(|_| Ok(json!([{"ID": "31", "NAME": "Анна"}]))).await;
    let reader = fixture.adapter.directory().expect("a directory");
    let cards = ["31", "32", "x"]
        .map(|id| card(Entity::Contact, id))
        .to_vec();
    let Outcome::Done(changes) = reader.anew(cards, Class::Live).await else {
        panic!("not read")
    };
    let gone = |change: &&DirectoryChange| matches!(change, DirectoryChange::Gone { .. });
    assert_eq!((changes.len(), changes.iter().filter(gone).count()), (3, 2));
}
