//! Which hosts a portal and its authorisation server may have (`crm/bitrix24.md` §3). Tokens and
//! secrets go to no other, whoever names it: a request, an answer, or an event.

use url::Url;

/// The domains under which the vendor's cloud has its portals.
const CLOUD: &[&str] = &[
    "bitrix24.ru",
    "bitrix24.com",
    "bitrix24.by",
    "bitrix24.kz",
    "bitrix24.uz",
    "bitrix24.eu",
    "bitrix24.de",
    "bitrix24.pl",
    "bitrix24.fr",
    "bitrix24.it",
    "bitrix24.es",
    "bitrix24.in",
    "bitrix24.id",
    "bitrix24.vn",
    "bitrix24.jp",
    "bitrix24.com.br",
    "bitrix24.com.tr",
    "bitrix24.mx",
    "bitrix24.co",
    "bitrix24.cn",
    "bitrix24.uk",
];

/// The authorisation servers, the default first.
pub(super) const OAUTH: [&str; 2] = ["oauth.bitrix.info", "oauth.bitrix24.tech"];

/// Longest host name that is looked at (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// Returns a host of the vendor's cloud in lower case: one name below one of its domains.
pub(super) fn cloud(text: &str) -> Option<String> {
    let host = text.trim().to_ascii_lowercase();
    let (name, domain) = host.split_once('.')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_label = !name.is_empty() && name.len() <= 63 && name.bytes().all(plain);
    (is_label && name != "www" && CLOUD.contains(&domain)).then_some(host)
}

/// Returns an authorisation server in lower case, where it is one.
pub(super) fn oauth(text: &str) -> Option<&'static str> {
    let host = text.trim().to_ascii_lowercase();
    OAUTH.into_iter().find(|known| *known == host)
}

/// Returns the host of an address such as `https://NAME/rest/`.
pub(super) fn of_address(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.port().is_none();
    let host = url.host_str().filter(|_| plain)?;
    (host.len() <= HOST_BYTES_MAX).then(|| host.to_ascii_lowercase())
}

/// Returns the host that an address names when the portal configured as `portal` may have it now:
/// its own, or another of the cloud where the portal lies there, too (it was renamed).
pub(super) fn of_portal(portal: &str, address: &str) -> Option<String> {
    let host = of_address(address)?;
    let renamed = || cloud(portal).is_some() && cloud(&host).is_some();
    (host == portal || renamed()).then_some(host)
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
    fn a_token_goes_to_the_portal_or_to_where_the_cloud_moved_it() {
        let of = |address| of_portal("demo.bitrix24.ru", address);
        assert_eq!(
            of("https://demo.bitrix24.ru/rest/").as_deref(),
            Some("demo.bitrix24.ru")
        );
        assert_eq!(
            of("https://New.bitrix24.com/rest/").as_deref(),
            Some("new.bitrix24.com")
        );
        for evil in [
            "http://demo.bitrix24.ru/rest/",
            "https://demo.bitrix24.ru.example.org/rest/",
            "https://user@demo.bitrix24.ru/rest/",
            "https://demo.bitrix24.ru:8443/rest/",
            "https://a.demo.bitrix24.ru/rest/",
            "https://bitrix24.ru/rest/",
            "nonsense",
        ] {
            assert_eq!(of(evil), None, "{evil}");
        }
        // A box of the customer's own has one name.
        let boxed = |address| of_portal("crm.example.org", address);
        assert!(boxed("https://crm.example.org/rest/").is_some());
        assert!(boxed("https://demo.bitrix24.ru/rest/").is_none());
    }

    #[test]
    fn only_the_vendors_servers_hand_out_tokens() {
        assert_eq!(oauth("OAUTH.bitrix24.tech"), Some("oauth.bitrix24.tech"));
        assert_eq!(oauth("oauth.bitrix24.tech.example.org"), None);
    }
}
