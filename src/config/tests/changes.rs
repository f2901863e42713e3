//! What a reload sees: only what really changed.

use super::{Folder, TENANT};
use crate::config::{Changes, difference};

/// Compares the configuration before and after an edit of the tenant's file.
fn after(edit: impl Fn(&Folder)) -> Changes {
    let folder = Folder::new();
    let old = folder.loaded();
    edit(&folder);
    difference(&old, &folder.loaded())
}

fn keys<K: ToString>(list: &[K]) -> Vec<String> {
    list.iter().map(K::to_string).collect()
}

#[test]
fn a_comment_or_another_order_changes_nothing() {
    let changes = after(|folder| {
        folder.edit(
            "host = \"10.0.0.5\"\nlines = [{ name = \"trunk\" }]",
            "# moved\nlines = [{name=\"trunk\"}]\nhost = '10.0.0.5'",
        );
        folder.edit("activity = \"on\"", "activity = \"on\" # as before");
    });
    assert!(changes.is_empty(), "{changes:?}");
    assert_eq!(
        keys(&changes.sources.unchanged),
        ["demo/office", "demo/site"]
    );
}

#[test]
fn an_employee_touches_integrations_and_no_session() {
    let changes = after(|folder| folder.edit("name = \"Иванов\"", "name = \"Иванова\""));
    assert!(changes.sources.is_empty() && changes.accounts.is_empty());
    assert_eq!(keys(&changes.integrations.changed), ["demo/main"]);
}

#[test]
fn a_setting_of_one_source_touches_that_session_alone() {
    let changes = after(|folder| folder.edit("10.0.0.5", "10.0.0.6"));
    assert_eq!(keys(&changes.sources.changed), ["demo/office"]);
    assert_eq!(keys(&changes.sources.unchanged), ["demo/site"]);
    assert!(changes.accounts.is_empty() && changes.integrations.is_empty());
}

#[test]
fn a_new_password_touches_the_session_and_a_new_path_secret_does_not() {
    let changes = after(|folder| folder.write("tenants.d/password", "another"));
    assert_eq!(keys(&changes.sources.changed), ["demo/office"]);
    let changes = after(|folder| folder.write("credentials/hook", "fedcba9876543210"));
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn a_new_token_opens_the_account_anew() {
    let changes = after(|folder| folder.write("credentials/token", "ey.other"));
    assert_eq!(changes.accounts.changed.len(), 1);
    assert!(changes.sources.is_empty());
    assert_eq!(keys(&changes.integrations.changed), ["demo/main"]);
}

#[test]
fn a_settings_edit_touches_the_integration_alone() {
    let changes = after(|folder| folder.edit("stage = \"2\"", "stage = \"3\""));
    assert_eq!(keys(&changes.integrations.changed), ["demo/main"]);
    assert!(changes.sources.is_empty() && changes.accounts.is_empty());
}

#[test]
fn tenants_come_and_go_with_all_they_have() {
    let folder = Folder::new();
    let one = folder.loaded();
    folder.write(
        "tenants.d/second.toml",
        &TENANT.replace("id = \"demo\"", "id = \"second\""),
    );
    let two = folder.loaded();
    let coming = difference(&one, &two);
    assert_eq!(
        keys(&coming.sources.added),
        ["second/office", "second/site"]
    );
    assert_eq!(keys(&coming.integrations.added), ["second/main"]);
    assert_eq!(coming.accounts.added.len(), 1);
    assert_eq!(coming.integrations.unchanged.len(), 1);
    let going = difference(&two, &one);
    assert_eq!(
        keys(&going.sources.removed),
        ["second/office", "second/site"]
    );
    assert!(going.sources.added.is_empty());
}

#[test]
fn sections_of_the_daemon_are_named() {
    let changes = after(|folder| {
        folder.write(
            "trunkline.toml",
            "[log]\nlevel = \"debug\"\n[intake]\nbody_bytes_max = 5000\n",
        );
    });
    assert_eq!(changes.daemon, ["intake", "log"]);
    assert!(changes.sources.is_empty());
}
