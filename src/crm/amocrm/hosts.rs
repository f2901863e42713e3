//! Which hosts are amoCRM's (`crm/amocrm.md` §1). Tokens and secrets go to no other, whoever names
//! it: a request, an answer, or a token.

/// The domains under which portals and the shared API live.
pub(super) const DOMAINS: [&str; 3] = ["amocrm.ru", "amocrm.com", "kommo.com"];

/// Longest label of a host name.
const LABEL_BYTES_MAX: usize = 63;

/// Returns a host in lower case when it is one name below a domain of amoCRM, and not the site.
pub(super) fn own(text: &str) -> Option<String> {
    let host = text.trim().to_ascii_lowercase();
    let (name, domain) = host.split_once('.')?;
    let is_label = !name.is_empty()
        && name.len() <= LABEL_BYTES_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && name != "www";
    (is_label && DOMAINS.contains(&domain)).then_some(host)
}

/// Returns where requests to another host go, given where those to the portal's own do: the same
/// address with the other name in it. A simulator whose address names no host stands for all.
pub(super) fn base_of(base_url: &str, portal: &str, host: &str) -> String {
    base_url.replacen(portal, host, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_amocrms_or_none() {
        for (text, host) in [
            ("demo.amocrm.ru", "demo.amocrm.ru"),
            ("Demo.Kommo.com", "demo.kommo.com"),
            ("api-a.amocrm.ru", "api-a.amocrm.ru"),
        ] {
            assert_eq!(own(text).as_deref(), Some(host), "{text}");
        }
        for text in [
            "",
            "amocrm.ru",
            "www.amocrm.ru",
            ".amocrm.ru",
            "demo.example.org",
            "demo.amocrm.ru.example.org",
            "example.org/.amocrm.ru",
            "example.org#.amocrm.ru",
            "example.org\\.amocrm.ru",
            "user@demo.amocrm.ru",
            "demo.amocrm.ru:8443",
            "demo.amocrm.ru/",
            "a.demo.amocrm.ru",
            "демо.amocrm.ru",
            "demo.amocrm.ru\u{0}",
        ] {
            assert_eq!(own(text), None, "{text}");
        }
    }

    #[test]
    fn another_host_takes_the_place_of_the_portals_in_its_address() {
        let base = |url| base_of(url, "demo.amocrm.ru", "new.amocrm.ru");
        assert_eq!(base("https://demo.amocrm.ru"), "https://new.amocrm.ru");
        assert_eq!(
            base("http://127.0.0.1:8470/@demo.amocrm.ru"),
            "http://127.0.0.1:8470/@new.amocrm.ru"
        );
        assert_eq!(base("http://127.0.0.1:8470"), "http://127.0.0.1:8470");
    }
}
