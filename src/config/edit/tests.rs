//! Changes of a text.

use super::*;

const TEXT: &str = "[tenant]\nid = \"acme\"\n\n# The first.\n[[accounts]]\nid = \"main\"  # ours\n\
    name = \"Отдел\" # shown\ncrm = \"x\"\n[accounts.settings]\nurl = \"https://a.example\"\n\n\
    # The second.\n[[accounts]]\nid = \"other\"\ncrm = \"x\"\nsettings = { url = \"b.example\" }\n\n\
    [[integrations]]\nid = \"sales\"\naccount = \"main\" # ours\nactivity = \"on\"\n\n\
    [integrations.settings.calls]\ndefault_responsible = \"501\"\n\n\
    [[integrations]]\nid = \"quiet\"\naccount = \"other\"\n";

fn changed(edit: FileEdit) -> Result<String, EditError> {
    edit.applied(Path::new("acme.toml"), "acme", TEXT, None)
}

fn account(id: &str, title: Option<TitleEdit>, address: Option<&str>) -> FileEdit {
    let address = address.map(str::to_owned);
    FileEdit::Account(id.to_owned(), AccountEdit { title, address })
}

fn integration(id: &str, account: Option<&str>, activity: Option<Activity>) -> FileEdit {
    let account = account.map(str::to_owned);
    FileEdit::Integration(id.to_owned(), IntegrationEdit { account, activity })
}

fn set(title: &str) -> Option<TitleEdit> {
    Some(TitleEdit::Set(title.to_owned()))
}

#[track_caller]
fn becomes(edit: FileEdit, replaced: &[(&str, &str)]) {
    let expected = replaced
        .iter()
        .fold(TEXT.to_owned(), |text, (from, to)| text.replace(from, to));
    let text = changed(edit);
    assert_eq!(text.expect("it can be changed"), expected);
}

#[test]
fn a_title_is_changed_set_and_cleared_and_nothing_else_moves() {
    let title = account("main", set("Новый \"портал\""), None);
    becomes(title, &[("\"Отдел\"", "'Новый \"портал\"'")]);
    let with_title = "id = \"other\"\nname = \"Второй\"\n";
    let title = account("other", set("Второй"), None);
    becomes(title, &[("id = \"other\"\n", with_title)]);
    let none = account("main", Some(TitleEdit::Clear), None);
    becomes(none, &[("name = \"Отдел\" # shown\n", "")]);
    becomes(account("other", Some(TitleEdit::Clear), None), &[]);
}

#[test]
fn an_address_is_changed_wherever_it_stands() {
    let address = account("main", None, Some("https://new.example"));
    becomes(address, &[("https://a.example", "https://new.example")]);
    let both = account("other", set("Два"), Some("c.example"));
    becomes(
        both,
        &[
            ("id = \"other\"\n", "id = \"other\"\nname = \"Два\"\n"),
            ("b.example", "c.example"),
        ],
    );
    let nobody = changed(account("nobody", None, Some("c.example")));
    assert!(matches!(nobody, Err(EditError::Absent(_))), "{nobody:?}");
}

#[test]
fn an_account_goes_with_its_table_and_takes_no_remark_of_another() {
    let first = "[[accounts]]\nid = \"main\"  # ours\nname = \"Отдел\" # shown\ncrm = \"x\"\n\
                 [accounts.settings]\nurl = \"https://a.example\"\n";
    becomes(FileEdit::RemoveAccount("main".to_owned()), &[(first, "")]);
    let second = "[[accounts]]\nid = \"other\"\ncrm = \"x\"\nsettings = { url = \"b.example\" }\n";
    becomes(FileEdit::RemoveAccount("other".to_owned()), &[(second, "")]);
    let gone = changed(FileEdit::RemoveAccount("gone".to_owned()));
    assert!(matches!(gone, Err(EditError::Absent(_))), "{gone:?}");
}

#[test]
fn an_account_at_the_end_and_texts_that_look_like_tables_do_not_deceive() {
    let end = "[tenant]\nid = \"acme\"\n[[accounts]]\nid = \"main\"\nname = '''\n[tenant]\n'''\n\
               [ accounts . settings ]\nurl = \"a\"\n# over\n";
    let edit = FileEdit::RemoveAccount("main".to_owned());
    let text = edit.applied(Path::new("a.toml"), "acme", end, None);
    // The text within the title looks like the next table: then it is left to a person.
    assert!(matches!(text, Err(EditError::ByHand { .. })), "{text:?}");
    let plain = end.replace("'''\n[tenant]\n'''", "'x'");
    let text = edit.applied(Path::new("a.toml"), "acme", &plain, None);
    assert_eq!(text.expect("it goes"), "[tenant]\nid = \"acme\"\n");
}

#[test]
fn an_integration_gets_another_portal_and_is_switched_and_nothing_else_moves() {
    let moved = integration("sales", Some("other"), None);
    becomes(moved, &[("\"main\" # ours", "\"other\" # ours")]);
    let off = integration("sales", None, Some(Activity::Off));
    becomes(off, &[("activity = \"on\"", "activity = \"off\"")]);
    let on = integration("quiet", None, Some(Activity::Observe));
    let written = "id = \"quiet\"\nactivity = \"observe\"\n";
    becomes(on, &[("id = \"quiet\"\n", written)]);
    let gone = changed(integration("gone", None, Some(Activity::On)));
    assert!(matches!(gone, Err(EditError::Absent(_))), "{gone:?}");
}

#[test]
fn what_stands_in_one_line_with_others_is_left_to_a_person() {
    let text = "accounts = [{ id = \"main\", name = \"A\", settings = { url = \"a\" } }]\n\
                integrations = [{ id = \"sales\", account = \"main\" }]\n";
    for edit in [
        account("main", Some(TitleEdit::Clear), None),
        FileEdit::RemoveAccount("main".to_owned()),
        integration("sales", None, Some(Activity::On)),
    ] {
        let refused = edit.applied(Path::new("a.toml"), "acme", text, None);
        assert!(
            matches!(refused, Err(EditError::ByHand { .. })),
            "{refused:?}"
        );
    }
    // What only takes the place of another value can stand anywhere.
    let edit = integration("sales", Some("other"), None);
    let text = edit.applied(Path::new("a.toml"), "acme", text, None);
    assert!(text.expect("changed").contains("account = \"other\""));
}

#[test]
fn one_change_is_made_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("acme.toml");
    let first = turn(&file).expect("free");
    assert!(matches!(turn(&file), Err(EditError::Busy)));
    drop(first);
    turn(&file).expect("free again");
}
