//! Which portals may ask to be let in.

use std::time::Duration;

use super::Folder;

#[test]
fn nobody_is_listed_unless_the_administrator_lists_it() {
    let folder = Folder::new();
    let settings = folder.loaded().daemon.installations;
    assert!(!settings.lists("demo.bitrix24.ru"));
    assert_eq!(settings.waiting_max, 20);
    assert_eq!(settings.waiting, Duration::from_secs(14 * 86_400));
    let listed = "[installations]\nportals = [\"*.Bitrix24.ru\", \"crm.example.org\"]";
    folder.write("trunkline.toml", listed);
    let settings = folder.loaded().daemon.installations;
    for (host, is_listed) in [
        ("demo.bitrix24.ru", true),
        ("crm.example.org", true),
        ("bitrix24.ru", false),
        (".bitrix24.ru", false),
        ("a.demo.bitrix24.ru", false),
        ("evilbitrix24.ru", false),
        ("demo.bitrix24.ru.example.org", false),
        ("x.crm.example.org", false),
    ] {
        assert_eq!(settings.lists(host), is_listed, "{host}");
    }
}

#[test]
fn a_list_that_would_let_in_more_than_it_says_is_refused() {
    let folder = Folder::new();
    for portal in [
        "*",
        "*.ru",
        "https://demo.bitrix24.ru",
        "demo",
        "*.*.ru",
        "a b.ru",
        "",
    ] {
        let text = format!("[installations]\nportals = [\"{portal}\"]");
        folder.write("trunkline.toml", &text);
        let mistakes = folder.mistakes();
        assert!(
            mistakes.contains("installations.portals[0]: "),
            "{portal}: {mistakes}"
        );
    }
    let text = "[installations]\nwaiting_max = 0\nwaiting_days = 91";
    folder.write("trunkline.toml", text);
    let mistakes = folder.mistakes();
    for key in ["waiting_max", "waiting_days"] {
        assert!(
            mistakes.contains(&format!("installations.{key}: ")),
            "{mistakes}"
        );
    }
}
