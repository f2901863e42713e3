//! Where recordings lie, and how they are kept.

use std::time::Duration;

use super::Folder;
use crate::model::recording::RecordingPlace;

/// Puts places of recordings to the switchboard.
fn with(places: &str) -> Folder {
    let folder = Folder::new();
    let name = "name = \"Офис\"";
    folder.edit(name, &format!("{name}\nrecordings = [{places}]"));
    folder
}

#[test]
fn a_folder_is_what_the_phone_system_calls_it_unless_that_is_said() {
    let folder = with(
        "{ folder = \"/spool/monitor\" }, { folder = \"/mnt/pbx\", pbx_path = \"/spool/old\" }",
    );
    let configuration = folder.loaded();
    let roots = &configuration.tenants[0].sources[0].recordings;
    let paths: Vec<_> = roots.iter().map(|root| root.pbx_path.as_deref()).collect();
    assert_eq!(paths, [Some("/spool/monitor"), Some("/spool/old")]);
    // Whose recordings are not set up are not looked for.
    assert_eq!(configuration.tenants[0].sources[1].recordings, []);
}

#[test]
fn a_web_server_has_user_and_password_or_a_token() {
    let folder = with("{ url = \"https://pbx.example/rec\", user = \"box\" }");
    let password = "password = { file = \"password\" }";
    let both = format!("{password}\nrecordings = {{ file = \"password\" }}");
    folder.edit(password, &both);
    let configuration = folder.loaded();
    match &configuration.tenants[0].sources[0].recordings[0].place {
        RecordingPlace::Web {
            url, user, secret, ..
        } => {
            assert_eq!(url.as_str(), "https://pbx.example/rec/");
            assert_eq!(user.as_deref(), Some("box"));
            assert!(secret.is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_mistake_about_places_is_named() {
    for (places, words) in [
        ("{}", "say where the recordings lie"),
        (
            "{ folder = \"/a\", url = \"https://pbx.example\" }",
            "not both",
        ),
        ("{ folder = \"spool\" }", "write the whole path"),
        (
            "{ folder = \"/a\", pbx_path = \"b\" }",
            "write the whole path",
        ),
        (
            "{ folder = \"/a\", user = \"box\" }",
            "a folder has no user",
        ),
        ("{ url = \"ftp://pbx.example\" }", "only http and https"),
        ("{ url = \"https://a:b@pbx.example\" }", "does not belong"),
        (
            "{ url = \"https://pbx.example\", user = \"box\" }",
            "the password is missing",
        ),
    ] {
        let text = with(places).mistakes();
        assert!(text.contains(words), "{places}: {text}");
        assert!(text.contains("sources[0].recordings[0]"), "{text}");
    }
    let folder = with("{ folder = \"/a\" }");
    let password = "password = { file = \"password\" }";
    let both = format!("{password}\nrecordings = {{ file = \"password\" }}");
    folder.edit(password, &both);
    assert!(folder.mistakes().contains("is for a url"));
}

#[test]
fn recordings_are_kept_for_days_within_reason() {
    let folder = Folder::new();
    let text = "[recordings]\nretention_days = 0\nlink_days = 9\nseek_days = 9999\nffmpeg = \"\"";
    folder.write("trunkline.toml", text);
    let mistakes = folder.mistakes();
    for key in ["retention_days", "link_days", "seek_days", "ffmpeg"] {
        let line = format!("recordings.{key}: ");
        assert_eq!(mistakes.matches(&line).count(), 1, "{key}: {mistakes}");
    }
    // The store forgets the call after a year, and its recording with it.
    folder.write("trunkline.toml", "[recordings]\nretention_days = 1000");
    let keeping = folder.loaded().daemon.recordings;
    assert_eq!(keeping.keep, Duration::from_secs(365 * 86_400));
    assert_eq!(keeping.link_life, None);
}
