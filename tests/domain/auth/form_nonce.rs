//! The nonce of the approval page's form.
use waitpoint::domain::auth::form_nonce::NONCE_LIFE;
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
    let nonce = dev.form_nonce("c1", NOW);
    assert!(dev.accepts_form_nonce("c1", &nonce, NOW));
    assert!(dev.accepts_form_nonce("c1", &nonce, NOW.plus(NONCE_LIFE)));
    let later = NOW.plus(NONCE_LIFE + std::time::Duration::from_secs(61));
    assert!(!dev.accepts_form_nonce("c1", &nonce, later), "too old");
    assert!(
        !dev.accepts_form_nonce(
            "c1",
            &nonce,
            Timestamp::from_millis(NOW.as_millis() - 61_000)
        ),
        "of the future"
    );
    assert!(
        !dev.accepts_form_nonce("c2", &nonce, NOW),
        "another token's"
    );
    assert!(
        !prod.accepts_form_nonce("c1", &nonce, NOW),
        "another environment's"
    );
    for at in 0..nonce.len() {
        let mut bad = nonce.clone().into_bytes();
        bad[at] ^= 1;
        let bad = String::from_utf8_lossy(&bad).into_owned();
        assert!(!dev.accepts_form_nonce("c1", &bad, NOW), "{bad}");
        assert!(!dev.accepts_form_nonce("c1", &nonce[..at], NOW));
    }
}
