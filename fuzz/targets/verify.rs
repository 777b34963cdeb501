//! Signatures. The lines are `callback.verify` as JSON, a time, a URL, and headers as `name: value` up to an
//! empty line; the rest is the body. Nothing verifies that this target did not sign itself.
#![no_main]
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::form::form_fields;
use waitpoint::domain::callback::verify::{Encoding, Scheme, SignedRequest, Verify};
use waitpoint::domain::time::timestamp::Timestamp;

const SECRET: &[u8] = b"a secret that no input knows: 5f0c9b";

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut next = || lines.next().unwrap_or("");
    let (json, time, url) = (next(), next(), next());
    let given: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let verify = match Verify::parse(json) {
        Ok(verify) => verify,
        Err(ApiError::ValidationError { path, message }) => {
            return assert!(path.starts_with("callback.verify") && message.ends_with('.'));
        }
        Err(error) => panic!("{error}"),
    };
    let fields: Vec<_> = form_fields(body).collect();
    let now = Timestamp::from_millis(time.parse().unwrap_or(0));
    let check = |headers: &dyn Fn(&str) -> Option<String>, fields| {
        let request = SignedRequest {
            url,
            headers,
            body: body.as_bytes(),
            fields,
        };
        verify.verify(&[SECRET.to_vec()], &request, now)
    };
    let find = |name: &str| {
        let mut found = given.iter().filter(|(of, _)| *of == name);
        found.next().map(|(_, value)| (*value).to_owned())
    };
    assert!(check(&find, None).is_err());
    assert!(check(&find, Some(fields.as_slice())).is_err());

    if let Scheme::HmacSha256 {
        encoding, prefix, ..
    } = &verify.scheme
    {
        let mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        let made = mac.chain_update(body).finalize().into_bytes();
        let made = match encoding {
            Encoding::Hex => data_encoding::HEXLOWER.encode(&made),
            Encoding::Base64 => data_encoding::BASE64.encode(&made),
        };
        let signed = |_: &str| Some(format!("{prefix}{made}"));
        assert_eq!(check(&signed, None), Ok(()));
    }
});
