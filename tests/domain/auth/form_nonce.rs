//! The nonce of the approval page's form.
use waitpoint::domain::auth::form_nonce::{NONCE_LIFE, NoncePurpose};
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::time::timestamp::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[test]
fn a_nonce_holds_for_its_token_and_its_time() {
    let keyring =
        Keyring::parse("tr_dev_123456789012345678901234\nprod=tr_prod_12345678901234567890")
            .unwrap();
    let [dev, prod] = [
        "tr_dev_123456789012345678901234",
        "tr_prod_12345678901234567890",
    ]
    .map(|key| keyring.by_secret(key).unwrap());
    let nonce = dev.form_nonce(NoncePurpose::ApprovalPage("c1"), NOW);
    assert!(
        dev.open_form_nonce(NoncePurpose::ApprovalPage("c1"), &nonce, NOW)
            .is_some()
    );
    assert!(
        dev.open_form_nonce(
            NoncePurpose::ApprovalPage("c1"),
            &nonce,
            NOW.plus(NONCE_LIFE)
        )
        .is_some()
    );
    let later = NOW.plus(NONCE_LIFE + std::time::Duration::from_secs(61));
    assert!(
        dev.open_form_nonce(NoncePurpose::ApprovalPage("c1"), &nonce, later)
            .is_none(),
        "too old"
    );
    assert!(
        dev.open_form_nonce(
            NoncePurpose::ApprovalPage("c1"),
            &nonce,
            Timestamp::from_millis(NOW.as_millis() - 61_000)
        )
        .is_none(),
        "of the future"
    );
    assert!(
        dev.open_form_nonce(NoncePurpose::ApprovalPage("c2"), &nonce, NOW)
            .is_none(),
        "another token's"
    );
    assert!(
        prod.open_form_nonce(NoncePurpose::ApprovalPage("c1"), &nonce, NOW)
            .is_none(),
        "another environment's"
    );
    for at in 0..nonce.len() {
        let mut bad = nonce.clone().into_bytes();
        bad[at] ^= 1;
        let bad = String::from_utf8_lossy(&bad).into_owned();
        assert!(
            dev.open_form_nonce(NoncePurpose::ApprovalPage("c1"), &bad, NOW)
                .is_none(),
            "{bad}"
        );
        assert!(
            dev.open_form_nonce(NoncePurpose::ApprovalPage("c1"), &nonce[..at], NOW)
                .is_none()
        );
    }
}
