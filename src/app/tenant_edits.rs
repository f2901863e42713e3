//! What a change that the admin endpoint asks for makes of the text of a tenant's file. Pure.

use crate::admin::tenant_files::Change;
use crate::config::{
    AccountEdit, CompanyEdit, FileEdit, IntegrationEdit, ItemEdit, ItemValues, Section, TitleEdit,
};

/// Returns what a change makes of the text, in order.
pub(super) fn of(change: &Change) -> Vec<FileEdit> {
    match change {
        Change::Account {
            account,
            title,
            address,
            settings,
            secrets,
        } => {
            let id = account.to_string();
            let title = title.clone().map(|title| match title {
                Some(title) => TitleEdit::Set(title),
                None => TitleEdit::Clear,
            });
            let address = address.clone();
            let mut edits = Vec::new();
            if title.is_some() || address.is_some() {
                edits.push(FileEdit::Account(
                    id.clone(),
                    AccountEdit { title, address },
                ));
            }
            if !settings.is_empty() || !secrets.is_empty() {
                let mut values = ItemValues::new();
                if !settings.is_empty() {
                    values.insert("settings".to_owned(), settings.clone().into());
                }
                let secrets = secrets.clone();
                let edit = ItemEdit { values, secrets };
                edits.push(FileEdit::Values(Section::Accounts, id, edit));
            }
            edits
        }
        Change::AddAccount {
            account,
            crm,
            title,
            address,
            settings,
            secrets,
        } => {
            let mut settings = settings.clone();
            settings.insert("url".to_owned(), address.clone().into());
            let mut values = ItemValues::new();
            values.insert("crm".to_owned(), crm.clone().into());
            values.insert("name".to_owned(), title.clone().into());
            values.insert("settings".to_owned(), settings.into());
            let secrets = secrets.clone();
            let edit = ItemEdit { values, secrets };
            vec![FileEdit::Add(Section::Accounts, account.to_string(), edit)]
        }
        Change::RemoveAccount(account) => vec![FileEdit::RemoveAccount(account.to_string())],
        Change::Integration {
            integration,
            account,
            activity,
            title,
            takes,
        } => {
            let id = integration.to_string();
            let mut edits = Vec::new();
            if account.is_some() || activity.is_some() {
                let edit = IntegrationEdit {
                    account: account.as_ref().map(ToString::to_string),
                    activity: *activity,
                };
                edits.push(FileEdit::Integration(id.clone(), edit));
            }
            let mut edit = ItemEdit::default();
            if let Some(title) = title {
                edit.values.insert("name".to_owned(), title.clone().into());
            }
            if let Some(takes) = takes {
                edit.values
                    .insert("takes".to_owned(), serde_json::json!(takes));
            }
            if !edit.values.is_empty() {
                edits.push(FileEdit::Values(Section::Integrations, id, edit));
            }
            edits
        }
        Change::AddIntegration {
            integration,
            title,
            account,
            takes,
        } => {
            let mut edit = ItemEdit::default();
            edit.values.insert("name".to_owned(), title.clone().into());
            edit.values
                .insert("account".to_owned(), account.as_str().into());
            if !takes.is_empty() {
                edit.values
                    .insert("takes".to_owned(), serde_json::json!(takes));
            }
            let id = integration.to_string();
            vec![FileEdit::Add(Section::Integrations, id, edit)]
        }
        Change::RemoveIntegration(integration) => {
            vec![FileEdit::RemoveIntegration(integration.to_string())]
        }
        Change::Settings {
            integration,
            settings,
        } => vec![FileEdit::Settings(
            integration.to_string(),
            settings.clone(),
        )],
        Change::Employees(people) => vec![FileEdit::Employees(people.clone())],
        Change::AddSource {
            source,
            kind,
            values,
            secrets,
        } => {
            // In the order in which a person reads them: what it is before how it is set.
            let mut all = ItemValues::from_iter([("kind".to_owned(), kind.clone().into())]);
            all.extend(values.clone());
            let edit = ItemEdit {
                values: all,
                secrets: secrets.clone(),
            };
            vec![FileEdit::Add(Section::Sources, source.to_string(), edit)]
        }
        Change::Source {
            source,
            values,
            secrets,
        } => {
            let id = source.to_string();
            let mut edits = vec![FileEdit::Source(id.clone(), values.clone())];
            if !secrets.is_empty() {
                edits.push(FileEdit::SourceSecrets(id, secrets.clone()));
            }
            edits
        }
        Change::RemoveSource(source) => vec![FileEdit::RemoveSource(source.to_string())],
        Change::Company {
            company,
            numbers,
            questions,
        } => vec![FileEdit::Company(CompanyEdit {
            company: company.clone(),
            numbers: numbers.clone(),
            questions: questions.clone(),
        })],
    }
}
