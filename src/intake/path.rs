//! Request paths with secrets in them: matched in constant time, logged with the secret cut.

use crate::model::secret::{Secret, is_one_of};

/// Says whether a secret of a request path is one of the source's. Takes the same time whichever
/// of the secrets it is compared with, and whether or not it matches; only lengths show.
pub fn secret_matches(given: &str, secrets: &[Secret]) -> bool {
    is_one_of(given, secrets)
}

/// Returns a path as it may stand in a log: the last of five or more parts, where secrets stand,
/// is cut, and so is the token of a recording.
pub fn for_log(path: &str) -> String {
    if path.starts_with("/r/") {
        return "/r/***".to_owned();
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() < 6 {
        return path.chars().take(200).collect();
    }
    let kept = parts
        .get(..5)
        .map(|parts| parts.join("/"))
        .unwrap_or_default();
    format!("{}/***", kept.chars().take(200).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_of_two_overlapping_secrets_opens_and_nothing_else() {
        let secrets = [
            Secret::new("a-first-long-secret".into()),
            Secret::new("second-secret".into()),
        ];
        assert!(secret_matches("a-first-long-secret", &secrets));
        assert!(secret_matches("second-secret", &secrets));
        assert!(!secret_matches("second-secre", &secrets));
        assert!(!secret_matches("", &secrets));
        assert!(!secret_matches("", &[]));
    }

    #[test]
    fn a_logged_path_does_not_show_the_secret() {
        assert_eq!(
            for_log("/v1/events/acme/site/s3cr3t-word"),
            "/v1/events/acme/site/***"
        );
        assert_eq!(
            for_log("/v1/events/acme/site/s3cr3t/word"),
            "/v1/events/acme/site/***"
        );
        assert_eq!(for_log("/r/4vJ9_token"), "/r/***");
        assert_eq!(for_log("/healthz"), "/healthz");
    }
}
