//! How amoCRM signs its notice that an integration was switched off (`crm/amocrm.md` §2): HMAC-SHA256
//! over integration and account, with the integration's secret, in lower-case hexadecimal.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::model::secret::Secret;

/// Says whether a notice about this account of this integration is signed with its secret.
pub(super) fn is_signed(
    secret: &Secret,
    client_id: &str,
    account_id: &str,
    signature: &str,
) -> bool {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return false;
    };
    mac.update(client_id.as_bytes());
    mac.update(b"|");
    mac.update(account_id.as_bytes());
    let expected = mac.finalize().into_bytes();
    let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
    expected.as_bytes().ct_eq(signature.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_contract_is_signed_and_nothing_near_it_is() {
        let secret = Secret::new("s3cr3t".to_owned());
        let signature = "fb4f992474d21f4b7d9ac4f0ed4dddc9089d89dedcc40d96016ac212ff514c86";
        let signed = |client, account, text: &str| is_signed(&secret, client, account, text);
        assert!(signed("client-uuid-1", "12345", signature));
        assert!(!signed("client-uuid-1", "12346", signature));
        assert!(!signed("client-uuid-2", "12345", signature));
        assert!(!signed(
            "client-uuid-1",
            "12345",
            &signature.to_ascii_uppercase()
        ));
        assert!(!signed("client-uuid-1", "12345", ""));
    }
}
