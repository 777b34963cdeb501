//! Signatures of callbacks: the examples of each service's own documents and libraries.
use super::headers;
use waitpoint::domain::callback::verify::{Encoding, Scheme, SignedRequest, Verify, VerifyError};
use waitpoint::domain::time::timestamp::Timestamp;

/// A signed request, its secrets and the time of its check.
#[derive(Clone)]
pub(super) struct Example {
    pub(super) scheme: Scheme,
    pub(super) secrets: Vec<String>,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) fields: Option<Vec<(String, String)>>,
    pub(super) now: u64,
}

impl Example {
    fn new(scheme: Scheme, secret: &str, body: &str) -> Self {
        Self {
            scheme,
            secrets: vec![secret.to_owned()],
            url: "https://example.com/".to_owned(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            fields: None,
            now: 1_790_000_000,
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn at(self, now: u64) -> Self {
        Self { now, ..self }
    }

    pub(super) fn verify(&self) -> Result<(), VerifyError> {
        let given: Vec<_> = self.headers.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let request = SignedRequest {
            url: &self.url,
            headers: &headers(&given),
            body: &self.body,
            fields: self.fields.as_deref(),
        };
        let secrets: Vec<_> = self
            .secrets
            .iter()
            .map(|one| one.as_bytes().to_vec())
            .collect();
        let verify = Verify {
            scheme: self.scheme.clone(),
            secret: "A".to_owned(),
        };
        verify.verify(
            &secrets,
            &request,
            Timestamp::from_millis(self.now * 1_000 + 999),
        )
    }
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    fields.iter().map(owned).collect()
}

/// docs.github.com "Validating webhook deliveries", "Testing the webhook payload validation".
pub(super) fn github() -> Example {
    Example::new(
        Scheme::Github,
        "It's a Secret to Everybody",
        "Hello, World!",
    )
    .header(
        "X-Hub-Signature-256",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    )
}

/// github.com/standard-webhooks, the reference example of its libraries' tests.
pub(super) fn standard_webhooks() -> Example {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    Example::new(Scheme::StandardWebhooks, secret, r#"{"test": 2432232314}"#)
        .header("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .header("webhook-timestamp", "1614265330")
        .header(
            "webhook-signature",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        )
        .at(1_614_265_330)
}

/// docs.stripe.com "Verify webhook signatures manually" has the scheme and no example with its secret.
/// So this one was computed with Python's hmac, over the payload and the secret of stripe-node's tests.
pub(super) fn stripe() -> Example {
    let body = "{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
    Example::new(Scheme::Stripe, "whsec_test_secret", body)
        .header(
            "Stripe-Signature",
            "t=1492774577,v1=c2f890decbc5ede7c5060bb9a6d31e0626a4342bacb9aeae2adb1bcea72f9812",
        )
        .at(1_492_774_577)
}

/// docs.slack.dev "Verifying requests from Slack".
pub(super) fn slack() -> Example {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=\
                G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2F\
                webhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
                T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.\
                47445629121.803a0bc887a14d10d2c447fce8b6703c";
    Example::new(Scheme::Slack, "8f742231b10e8888abcd99yyyzzz85a5", body)
        .header("X-Slack-Request-Timestamp", "1531420618")
        .header(
            "X-Slack-Signature",
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        )
        .at(1_531_420_618)
}

/// twilio-python, tests/unit/test_request_validator.py; the same in twilio-node, -php and -csharp.
pub(super) fn twilio() -> Example {
    let fields = pairs(&[
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("Caller", "+14158675309"),
    ]);
    Example {
        url: "https://mycompany.com/myapp.php?foo=1&bar=2".to_owned(),
        fields: Some(fields),
        ..Example::new(Scheme::Twilio, "12345", "the form")
    }
    .header("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
}

/// The same tests, with the body in the URL.
pub(super) fn twilio_json() -> Example {
    let body = r#"{"property": "value", "boolean": true}"#;
    let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    Example {
        url: format!("https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={hash}"),
        ..Example::new(Scheme::Twilio, "12345", body)
    }
    .header("X-Twilio-Signature", "a9nBmqA0ju/hNViExpshrM61xv4=")
}

/// RFC 4231, test case 2, in the header of whoever signs like that.
pub(super) fn hmac_sha256(encoding: Encoding, prefix: &str) -> Example {
    let scheme = Scheme::HmacSha256 {
        header: "x-signature".to_owned(),
        encoding,
        prefix: prefix.to_owned(),
    };
    let signature = match encoding {
        Encoding::Hex => "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        Encoding::Base64 => "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
    };
    Example::new(scheme, "Jefe", "what do ya want for nothing?")
        .header("X-Signature", &format!("{prefix}{signature}"))
}

pub(super) fn examples() -> Vec<Example> {
    vec![
        github(),
        standard_webhooks(),
        stripe(),
        slack(),
        twilio(),
        twilio_json(),
        hmac_sha256(Encoding::Hex, ""),
        hmac_sha256(Encoding::Hex, "sha256="),
        hmac_sha256(Encoding::Base64, ""),
        hmac_sha256(Encoding::Base64, "v1="),
    ]
}

#[test]
fn the_examples_of_the_services_verify() {
    for example in examples() {
        assert_eq!(example.verify(), Ok(()), "{:?}", example.scheme);
    }
}

#[test]
fn any_secret_of_the_name_may_have_signed() {
    for example in examples() {
        for place in 0..3 {
            let mut secrets = vec!["whsec_AAAAAAAAAAAAAAAA".to_owned(); 2];
            secrets.insert(place, example.secrets[0].clone());
            let rotated = Example {
                secrets,
                ..example.clone()
            };
            assert_eq!(rotated.verify(), Ok(()), "{:?}", example.scheme);
        }
        let secrets = Vec::new();
        let none = Example { secrets, ..example };
        assert_eq!(none.verify(), Err(VerifyError::NoSecret));
    }
}

#[test]
fn a_header_may_have_several_signatures() {
    let zeros = "0".repeat(64);
    let base64 = format!("{}=", "A".repeat(43));
    let mut two = stripe();
    for header in [
        format!("t=1492774577,v1={zeros},v1=STRIPE,v0={zeros}"),
        format!("v1=STRIPE,v1={zeros},t=1492774577"),
        "t=1492774577, v1=STRIPE".to_owned(),
        format!("t=1492774577,v1=short,v1=STRIPE,v2={zeros}"),
    ] {
        let valid = "c2f890decbc5ede7c5060bb9a6d31e0626a4342bacb9aeae2adb1bcea72f9812";
        two.headers[0].1 = header.replace("STRIPE", valid);
        assert_eq!(two.verify(), Ok(()), "{header}");
        two.headers[0].1 = header.replace("v1=STRIPE", &format!("v0={valid}"));
        assert!(two.verify().is_err(), "{header}");
    }
    let mut two = standard_webhooks();
    let valid = two.headers[2].1.clone();
    for header in [
        format!("v1,{base64} {valid}"),
        format!("{valid} v1,{base64}"),
        format!("v1a,{base64} {valid} v2,x"),
        format!("v1,!!! {valid}"),
    ] {
        two.headers[2].1.clone_from(&header);
        assert_eq!(two.verify(), Ok(()), "{header}");
    }
    two.headers[2].1 = format!("{}{valid}", format!("v1,{base64} ").repeat(20));
    assert_eq!(two.verify(), Err(VerifyError::Mismatch));
    two.headers[2].1 = valid.replace("v1,", "v1a,");
    assert_eq!(two.verify(), Err(VerifyError::Malformed));
}

#[test]
fn the_headers_of_svix_are_those_of_the_standard() {
    let mut svix = standard_webhooks();
    for (header, name) in
        svix.headers
            .iter_mut()
            .zip(["svix-id", "svix-timestamp", "svix-signature"])
    {
        header.0 = name;
    }
    assert_eq!(svix.verify(), Ok(()));
    // One family at a time: the two never mix.
    svix.headers
        .push(("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()));
    assert_eq!(svix.verify(), Err(VerifyError::MissingHeader));
}

#[test]
fn a_secret_of_standard_webhooks_is_base64() {
    let verify = |secret: &str| {
        let secrets = vec![secret.to_owned()];
        Example {
            secrets,
            ..standard_webhooks()
        }
        .verify()
    };
    assert_eq!(verify("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Ok(()));
    assert_eq!(verify("whsec_!!!"), Err(VerifyError::UnusableSecret));
    assert_eq!(verify("whsec_"), Err(VerifyError::UnusableSecret));
    assert_eq!(verify("not base64"), Err(VerifyError::Mismatch));
    let mut rotated = standard_webhooks();
    rotated.secrets.insert(0, "whsec_!!!".to_owned());
    assert_eq!(rotated.verify(), Ok(()));
}

#[test]
fn a_time_is_at_most_five_minutes_away() {
    for example in [standard_webhooks(), stripe(), slack()] {
        let at = |now: u64| example.clone().at(now).verify();
        for distance in [0, 1, 299, 300] {
            assert_eq!(at(example.now - distance), Ok(()));
            assert_eq!(at(example.now + distance), Ok(()));
        }
        assert_eq!(at(example.now + 301), Err(VerifyError::TooOld));
        assert_eq!(at(example.now - 301), Err(VerifyError::InTheFuture));
        assert_eq!(at(0), Err(VerifyError::InTheFuture));
        assert_eq!(at(200_000_000_000), Err(VerifyError::TooOld));
    }
    for time in [
        "",
        "-1",
        "+1614265330",
        "1614265330.5",
        " 1614265330",
        "16142653300000000000000",
        "now",
    ] {
        let mut example = standard_webhooks();
        example.headers[1].1 = time.to_owned();
        assert_eq!(example.verify(), Err(VerifyError::Malformed), "{time}");
        let mut example = slack();
        example.headers[0].1 = time.to_owned();
        assert_eq!(example.verify(), Err(VerifyError::Malformed), "{time}");
    }
    let mut example = standard_webhooks();
    example.headers[1].1 = u64::MAX.to_string();
    assert_eq!(example.verify(), Err(VerifyError::InTheFuture));
}

#[test]
fn twilio_signs_fields_in_order_and_each_pair_once() {
    // twilio-php, testValidateWithArrayAndDuplicates; the same in twilio-python.
    let mut example = twilio();
    example.fields = Some(pairs(&[
        ("Sid", "CA123"),
        ("SidAccount", "AC123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    ]));
    example.headers[0].1 = "IK+Dwps556ElfBT0I3Rgjkr1wJU=".to_owned();
    assert_eq!(example.verify(), Ok(()));
}

#[test]
fn twilio_signs_a_url_with_its_port_or_without() {
    // twilio-python: test_validation_removes_port_on_https, …_adds_port_on_https, …_adds_port_on_http.
    for (url, signature) in [
        (
            "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            "kvajT1Ptam85bY51eRf/AJRuM3w=",
        ),
        (
            "http://mycompany.com/myapp.php?foo=1&bar=2",
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
    ] {
        let mut example = twilio();
        url.clone_into(&mut example.url);
        signature.clone_into(&mut example.headers[0].1);
        assert_eq!(example.verify(), Ok(()), "{url}");
    }
}

#[test]
fn twilio_must_cover_the_body() {
    // A signature over the URL alone, as of a GET, says nothing of a body.
    let mut bare = twilio_json();
    bare.url = "https://mycompany.com/myapp.php?foo=1&bar=2".to_owned();
    assert_eq!(bare.verify(), Err(VerifyError::BodyNotSigned));
    // twilio-csharp, TestValidateWithOnlyHash.
    let mut only = twilio_json();
    only.url = only.url.replace("foo=1&bar=2&", "");
    only.headers[0].1 = "y77kIzt2vzLz71DgmJGsen2scGs=".to_owned();
    assert_eq!(only.verify(), Ok(()));
    // A body that is sent as an empty form is not what was signed.
    let mut form = twilio_json();
    form.fields = Some(Vec::new());
    form.body = Vec::new();
    assert_eq!(form.verify(), Err(VerifyError::Mismatch));
    let mut hash = twilio_json();
    hash.url = hash.url.replace("=0a1f", "=zzzz");
    assert_eq!(hash.verify(), Err(VerifyError::Malformed));
}
