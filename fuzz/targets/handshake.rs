//! Handshakes. The first line is the method, the second the query, the third a header as `name: value`; the
//! rest is the body. What is echoed is bounded, and a header cannot be ended by it.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::api::form::form_fields;
use waitpoint::domain::callback::handshake::{Incoming, MAX_CHALLENGE, handshake};

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or("");
    let (method, query, header, body) = (next(), next(), next(), next());
    let (name, value) = header.split_once(": ").unwrap_or((header, ""));
    let headers = |wanted: &str| (wanted == name).then(|| value.to_owned());
    let fields: Vec<_> = form_fields(body).collect();
    for fields in [None, Some(fields.as_slice())] {
        let request = Incoming {
            method,
            query,
            headers: &headers,
            body,
            fields,
        };
        let Some(answer) = handshake(&request, &[b"secret-of-zoom".to_vec()]) else {
            continue;
        };
        assert_eq!((answer.status, answer.service.is_empty()), (200, false));
        assert!(!answer.body.chars().any(char::is_control));
        // Each character is escaped by one more at most, as there are no control characters.
        assert!(answer.body.chars().count() <= 2 * MAX_CHALLENGE + 100);
        assert_eq!(answer.body.is_empty(), answer.content_type.is_none());
        for (_, value) in &answer.headers {
            assert!(!value.is_empty() && value.bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
        if let Some(url) = answer.confirm {
            let url = url::Url::parse(&url).unwrap();
            let host = url.host_str().unwrap();
            let host = host.strip_suffix(".cn").unwrap_or(host);
            assert!(host.starts_with("sns.") && host.ends_with(".amazonaws.com"));
            assert_eq!(
                (url.scheme(), url.port(), url.username(), url.path()),
                ("https", None, "", "/")
            );
        }
    }
});
