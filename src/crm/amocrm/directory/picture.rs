//! A record of amoCRM as the directory keeps it. Pure.

use crate::crm::amocrm::search::{deal_fact, user};
use crate::crm::amocrm::setup::Setup;
use crate::crm::amocrm::stored_phone::stored_phone;
use crate::crm::amocrm::wire::answers::CardRecord;
use crate::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// Returns what a record says about the directory.
pub(in crate::crm::amocrm) fn change(
    entity: Entity,
    record: &CardRecord,
    setup: &Setup,
) -> DirectoryChange {
    let card = Card {
        entity,
        id: record.id.to_string(),
    };
    if record.is_deleted {
        return DirectoryChange::Gone { card };
    }
    let updated_at = Timestamp::from_secs(record.updated_at);
    if entity == Entity::Deal {
        let contacts = record.embedded.contacts.iter();
        let contacts = contacts.map(|contact| (Entity::Contact, contact.id));
        let companies = record.embedded.companies.iter();
        let companies = companies.map(|company| (Entity::Company, company.id));
        let clients = contacts.chain(companies).map(|(entity, id)| Card {
            entity,
            id: id.to_string(),
        });
        return DirectoryChange::Deal(DirectoryDeal {
            deal: deal_fact(record, &setup.unsorted_stages),
            clients: clients.collect(),
            updated_at,
        });
    }
    let mut phones: Vec<Phone> = Vec::new();
    for text in record.texts_by_code("PHONE") {
        let phone = stored_phone(text, setup.region);
        phones.extend(phone.filter(|phone| !phones.contains(phone)));
    }
    let mut emails: Vec<String> = Vec::new();
    for text in record.texts_by_code("EMAIL") {
        let email = text.trim().to_lowercase();
        if !email.is_empty() && !emails.contains(&email) {
            emails.push(email);
        }
    }
    DirectoryChange::Card(DirectoryCard {
        card,
        name: record.name.clone().unwrap_or_default(),
        phones,
        emails,
        responsible: user(record.responsible_user_id),
        created_at: Timestamp::from_secs(record.created_at),
        updated_at,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(value: serde_json::Value) -> CardRecord {
        serde_json::from_value(value).expect("a record")
    }

    fn phones(texts: &[&str]) -> Vec<String> {
        let values: Vec<_> = texts.iter().map(|text| json!({"value": text})).collect();
        let record = record(json!({
            "id": 7, "name": "x",
            "custom_fields_values": [{"field_id": 1, "field_code": "PHONE", "values": values}],
        }));
        match change(Entity::Contact, &record, &Setup::default()) {
            DirectoryChange::Card(card) => card.phones.iter().map(Phone::to_string).collect(),
            other => panic!("no card: {other:?}"),
        }
    }

    #[test]
    fn every_way_of_writing_a_number_is_one_number() {
        let texts = [
            "+79161234567",
            "8 (916) 123-45-67",
            "9161234567",
            "моб. 8-916-123-45-67 Анна",
            "+7 916 123-45-67 (после 18)",
        ];
        for text in texts {
            assert_eq!(
                phones(&[text]).first().map(String::as_str),
                Some("+79161234567"),
                "{text}"
            );
        }
        assert_eq!(phones(&texts[..3]), ["+79161234567"]);
        assert_eq!(phones(&["123", "нет", ""]), Vec::<String>::new());
    }

    #[test]
    fn a_deal_names_its_contacts_and_companies_and_whether_it_is_open() {
        let lead = record(json!({
            "id": 9, "status_id": 142, "pipeline_id": 3, "closed_at": 1_700_000_000,
            "_embedded": {"contacts": [{"id": 7}], "companies": [{"id": 8}]},
        }));
        match change(Entity::Deal, &lead, &Setup::default()) {
            DirectoryChange::Deal(deal) => {
                assert!(!deal.deal.open);
                let clients: Vec<_> = deal
                    .clients
                    .iter()
                    .map(|c| (c.entity, c.id.as_str()))
                    .collect();
                assert_eq!(clients, [(Entity::Contact, "7"), (Entity::Company, "8")]);
            }
            other => panic!("no deal: {other:?}"),
        }
    }

    #[test]
    fn a_record_in_the_bin_is_gone() {
        let lead = record(json!({"id": 9, "is_deleted": true}));
        let gone = change(Entity::Deal, &lead, &Setup::default());
        assert!(matches!(gone, DirectoryChange::Gone { card } if card.id == "9"));
    }
}
