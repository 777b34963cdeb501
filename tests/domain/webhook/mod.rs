//! Webhooks.

mod settings;
mod signature;
mod url;

use waitpoint::domain::webhook::settings::{SettingsError, Webhooks};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &[u8] = br#"{"test": 2432232314}"#;

const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn webhooks(urls: &str, secrets: &str) -> Webhooks {
    Webhooks::parse(urls, secrets, "").unwrap_or_else(|why| panic!("{why}"))
}

fn settings_error(urls: &str, secrets: &str) -> Option<SettingsError> {
    Webhooks::parse(urls, secrets, "").err()
}
