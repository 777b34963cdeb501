//! How webhooks are signed.
use super::{BODY, ID, OTHER, SECRET, SIGNATURE, settings_error, webhooks};
use waitpoint::domain::webhook::settings::SettingsError;

#[test]
fn signatures_are_those_of_standard_webhooks() {
    let sign = |secret: &str| webhooks("", secret).sign("default", ID, 1_614_265_330, BODY);
    assert_eq!(sign(SECRET).as_deref(), Some(SIGNATURE));
    assert_eq!(
        sign(&format!("default={SECRET}")).as_deref(),
        Some(SIGNATURE)
    );
    assert_eq!(sign("").as_deref(), None);
    assert_eq!(sign(&format!("other={SECRET}")), None);
}

#[test]
fn every_secret_of_an_environment_signs() {
    let webhooks = webhooks("", &format!("{SECRET}\n\nprod={SECRET}\r\n  {OTHER}  \n"));
    let sign = |environment| webhooks.sign(environment, ID, 1_614_265_330, BODY);
    assert_eq!(sign("prod").as_deref(), Some(SIGNATURE));
    let both = sign("default").unwrap();
    let (first, second) = both.split_once(' ').unwrap();
    assert_eq!(first, SIGNATURE);
    assert!(second.starts_with("v1,") && second != first);
    assert!(webhooks.can_sign("default") && webhooks.can_sign("prod"));
    assert!(!webhooks.can_sign("staging"));
}

#[test]
fn a_secret_is_24_to_64_bytes_of_base64() {
    let unpadded = |letters: usize| format!("whsec_{}", "A".repeat(letters));
    for secret in [
        unpadded(32),
        unpadded(34),
        unpadded(34) + "==",
        unpadded(35) + "=",
        unpadded(86),
        unpadded(86) + "==",
        "prod=".to_owned() + &unpadded(34) + "==",
        "whsec_".to_owned() + &"+/".repeat(16),
    ] {
        assert_eq!(settings_error("", &secret), None, "{secret}");
    }
    for secret in [
        "whsec_".to_owned(),
        SECRET.replace("whsec_", ""),
        SECRET.replace("whsec_", "whsk_"),
        SECRET.replace("whsec_", "WHSEC_"),
        unpadded(31),
        unpadded(33),
        unpadded(34) + "=",
        unpadded(34) + "===",
        unpadded(35) + "==",
        unpadded(32) + "====",
        unpadded(87),
        unpadded(88),
        unpadded(33) + "B",
        "whsec_".to_owned() + &"-_".repeat(16),
        unpadded(32) + " x",
        format!("bad.env={SECRET}"),
        format!("={SECRET}"),
        format!("# {SECRET}"),
        format!("prod={SECRET}={SECRET}"),
    ] {
        let text = format!("{OTHER}\n{secret}");
        let why = settings_error("", &text);
        assert_eq!(why, Some(SettingsError::Secret(2)), "{secret}");
    }
    let why = settings_error("", "whsec_hunter2").unwrap().to_string();
    assert!(why.contains("line 1 of WEBHOOK_SECRET") && !why.contains("hunter2"));
}
