//! How amoCRM signs its notice that an integration was switched off (`crm/amocrm.md` §2): HMAC-SHA256
//! over integration and account, with the integration's secret, in lower-case hexadecimal.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::model::secret::Secret;

/// The block of SHA-256.
const BLOCK: usize = 64;

/// Says whether a notice about this account of this integration is signed with its secret.
pub(super) fn is_signed(
    secret: &Secret,
    client_id: &str,
    account_id: &str,
    signature: &str,
) -> bool {
    let message = format!("{client_id}|{account_id}");
    let expected = hmac(secret.expose().as_bytes(), message.as_bytes());
    let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
    expected.as_bytes().ct_eq(signature.as_bytes()).into()
}

/// RFC 2104 over SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    let digest;
    let key = if key.len() > BLOCK {
        digest = Sha256::digest(key);
        digest.as_slice()
    } else {
        key
    };
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn published_vectors_hold() {
        // RFC 4231, cases 1, 2 and 6.
        assert_eq!(
            hex(hmac(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

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
