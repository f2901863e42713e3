//! Which leads a webhook is about (`crm/amocrm.md` §14): `leads[status][0][id]=9001` in the bracket
//! notation of forms. Pure.

/// The most leads that one webhook is believed to be about.
const IDS_MAX: usize = 1_000;

/// Returns the ids of the leads that a body names.
pub(in crate::crm::amocrm) fn hints(body: &[u8]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for (key, value) in url::form_urlencoded::parse(body) {
        let is_number =
            !value.is_empty() && value.len() <= 19 && value.bytes().all(|b| b.is_ascii_digit());
        if !is_lead_id(&key) || !is_number || ids.iter().any(|known| *known == *value) {
            continue;
        }
        ids.push(value.into_owned());
        if ids.len() >= IDS_MAX {
            break;
        }
    }
    ids
}

/// Says whether this is `leads[EVENT][N][id]`.
fn is_lead_id(key: &str) -> bool {
    let Some(rest) = key
        .strip_prefix("leads[")
        .and_then(|rest| rest.strip_suffix("][id]"))
    else {
        return false;
    };
    let mut parts = rest.split("][");
    let (event, number) = (parts.next(), parts.next());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    event.is_some() && number.is_some_and(is_number) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_leads_of_a_webhook_are_read_and_nothing_else() {
        let body = "account[id]=31&leads[status][0][id]=9001&leads[status][0][status_id]=142\
                    &leads[update][1][id]=9002&leads%5Badd%5D%5B0%5D%5Bid%5D=9003&leads[add][0][id]=9001\
                    &leads[update][0][custom_fields][0][id]=41&contacts[update][0][id]=7&leads[x][0][id]=9;DROP";
        assert_eq!(hints(body.as_bytes()), ["9001", "9002", "9003"]);
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(hints(&body));
        }
    }
}
