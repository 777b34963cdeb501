//! JSONTestSuite, and what JSON must survive: every parser of the pure modules that reads JSON.
//!
//! The files are those that the crate json-syntax carries (see fuzz/Cargo.toml): of upstream's `i_` files
//! some are `y_` there, and five are missing, which stand here.
use super::auth::{HEADER, IAT, KEY, base64url, claims, env_1, mac, seconds};
use crate::tests::domain::callback::content::parse_callback;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use waitpoint::domain::api::complete::CompleteRequest;
use waitpoint::domain::api::create::{CREATE_KEYS, CreateRequest, parse_webhook};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::approval::schema::Approval;
use waitpoint::domain::auth::jwt::JwtError;
use waitpoint::domain::relay::edge_fields::EdgeFields;
use waitpoint::domain::relay::import::{created_id, read_token};
use waitpoint::domain::relay::rewrite::rewrite_urls;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::{Output, OutputKind, State};

/// 2026-09-26T00:00:00.000Z
const NOW: Timestamp = Timestamp::from_millis(1_790_380_800_000);

const FORM: &str = "application/x-www-form-urlencoded";

/// `["é"]`, the byte order mark, and half a pair: what the package leaves out.
const MISSING: [(&str, &[u8]); 5] = [
    (
        "i_string_UTF-16LE_with_BOM.json",
        b"\xff\xfe[\0\"\0\xe9\0\"\0]\0",
    ),
    ("i_string_utf16BE_no_BOM.json", b"\0[\0\"\0\xe9\0\"\0]"),
    ("i_string_utf16LE_no_BOM.json", b"[\0\"\0\xe9\0\"\0]\0"),
    (
        "i_string_1st_surrogate_but_2nd_missing.json",
        br#"["\uDADA"]"#,
    ),
    ("i_structure_UTF-8_BOM_empty_object.json", b"\xef\xbb\xbf{}"),
];

/// What trigger.dev takes for no JSON, though it is.
const FALSY: [&str; 4] = ["null", "false", "0", "\"\""];

/// Of the `i_` files, those that are JSON here: halves of a pair are kept as they came. The others are not
/// UTF-8, or begin with a byte order mark.
const TAKEN: [&str; 10] = [
    "i_object_key_lone_2nd_surrogate.json",
    "i_string_1st_surrogate_but_2nd_missing.json",
    "i_string_1st_valid_surrogate_2nd_invalid.json",
    "i_string_incomplete_surrogate_and_escape_valid.json",
    "i_string_incomplete_surrogate_pair.json",
    "i_string_incomplete_surrogates_escape_valid.json",
    "i_string_invalid_lonely_surrogate.json",
    "i_string_invalid_surrogate.json",
    "i_string_inverted_surrogates_U+1D11E.json",
    "i_string_lone_second_surrogate.json",
];

/// Name and bytes of each file.
/// The fields of create, and one that it does not know.
fn fields() -> impl Iterator<Item = &'static str> {
    CREATE_KEYS.into_iter().chain(["x"])
}

fn suite() -> Vec<(String, Vec<u8>)> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/Cargo.toml");
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--format-version=1",
            "--manifest-path",
            manifest,
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "cargo metadata: {said}");
    let metadata: Value =
        serde_json::from_str(std::str::from_utf8(&metadata.stdout).unwrap()).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|one| one["name"] == "json-syntax");
    let mut folder = PathBuf::from(package.unwrap()["manifest_path"].as_str().unwrap());
    folder.set_file_name("tests/inputs");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.extend(MISSING.map(|(name, bytes)| (name.to_owned(), bytes.to_owned())));
    files.sort();
    let count = |kind| {
        files
            .iter()
            .filter(|(name, _)| name.starts_with(kind))
            .count()
    };
    assert_eq!([count("y_"), count("n_"), count("i_")], [107, 188, 24]);
    files
}

/// As a value in an object.
fn within(field: &str, value: &[u8]) -> Vec<u8> {
    [b"{\"", field.as_bytes(), b"\":", value, b"}"].concat()
}

/// The text without the white space around it.
fn bare(bytes: &[u8]) -> &str {
    let space = |c| matches!(c, ' ' | '\t' | '\n' | '\r');
    std::str::from_utf8(bytes).unwrap().trim_matches(space)
}

fn create(body: &[u8]) -> Result<CreateRequest, ApiError> {
    CreateRequest::parse(body, NOW)
}

/// Whether a body was found to be no JSON, whatever else might be wrong with it.
fn is_malformed<T>(result: &Result<T, ApiError>) -> bool {
    matches!(result, Err(ApiError::InvalidJson | ApiError::BodyEmpty))
}

fn json(text: &str) -> Output {
    Output {
        kind: OutputKind::Json,
        text: text.to_owned(),
    }
}

/// A JWT with a good signature over any header and payload.
fn with_signature(header: &[u8], payload: &[u8]) -> String {
    let text = format!("{}.{}", base64url(header), base64url(payload));
    let signature = base64url(&mac(KEY, &text));
    format!("{text}.{signature}")
}

#[test]
fn text_that_is_not_utf_8_is_no_json_where_nobody_reads_it_either() {
    let body = b"{\"x\":\"\xff\",\"approval\":{}}";
    assert_eq!(create(body), Err(ApiError::InvalidJson));
    assert_eq!(EdgeFields::of(body), Ok(EdgeFields::default()));
    let payload = claims(&[("x", "\"\u{fffd}\"")]).into_bytes();
    let at = payload
        .windows(3)
        .position(|part| part == "\u{fffd}".as_bytes())
        .unwrap();
    let latin_1 = [&payload[..at], b"\xe9", &payload[at + 3..]].concat();
    for (payload, expected) in [(payload, None), (latin_1, Some(JwtError::Invalid))] {
        let token = with_signature(HEADER.as_bytes(), &payload);
        assert_eq!(env_1().verify(&token, seconds(IAT)).err(), expected);
    }
}

#[test]
fn json_is_json_to_every_parser_and_nothing_else_is() {
    let mut taken = Vec::new();
    for (name, file) in suite() {
        let completed = CompleteRequest::parse(&within("data", &file));
        let is_json = !is_malformed(&completed);
        match name.get(..2) {
            Some("y_") => assert!(is_json, "{name}"),
            Some("n_") => assert!(!is_json, "{name}"),
            _ if is_json => taken.push(name.clone()),
            _ => {}
        }
        if is_json {
            assert_eq!(completed.unwrap().output, Some(json(bare(&file))), "{name}");
            assert_is_json(&name, &file);
        } else {
            assert_is_no_json(&name, &file);
        }
    }
    assert_eq!(taken, TAKEN);
}

fn assert_is_json(name: &str, file: &[u8]) {
    let text = bare(file);
    let falsy = FALSY.contains(&text);
    // A key with half a pair is a text that no string can hold.
    let whole = serde_json::from_str::<Value>(text).is_ok() || !text.starts_with('{');
    assert_eq!(
        is_malformed(&CompleteRequest::parse(file)),
        falsy || !whole,
        "{name}"
    );
    assert_eq!(is_malformed(&create(file)), falsy || !whole, "{name}");
    for field in fields() {
        assert!(
            !is_malformed(&create(&within(field, file))),
            "{name} as {field}"
        );
    }
    for content_type in ["application/json", "text/plain", ""] {
        assert_eq!(parse_callback(content_type, file), Ok(json(text)), "{name}");
    }

    let approval = |data: &[u8]| [br#"{"choices":[{"label":"x","data":"#, data, b"}]}"].concat();
    let asked = within("approval", &approval(file));
    let request = create(&asked).unwrap();
    let approval = Approval::parse(request.approval.as_deref().unwrap()).unwrap();
    assert_eq!(approval.choices[0].data.as_deref(), Some(text), "{name}");
    assert_eq!(
        EdgeFields::of(&asked).unwrap().approval,
        request.approval,
        "{name}"
    );
    assert_eq!(approval.choice_of(text).unwrap().1, "", "{name}");
    let webhook = within("webhook", br#"{"url":"https://example.com","x":"#);
    let webhook = [&webhook[..webhook.len() - 1], file, b"}}"].concat();
    let url = create(&webhook).unwrap().webhook;
    assert_eq!(url.as_deref(), Some("https://example.com"), "{name}");
    let raw = EdgeFields::of(&webhook).unwrap().webhook.unwrap();
    assert_eq!(parse_webhook(&raw).ok(), url, "{name}");

    // What upstream has kept, plain and in superjson.
    let output = upstream(text, "application/json");
    assert_eq!(output, Some(json(text)), "{name}");
    let output = upstream(&format!("{{\"json\":{text}}}"), "application/super+json");
    assert_eq!(output, Some(json(text)), "{name}");
    let named = format!("{{\"x\":{text},\"id\":\"waitpoint_abc\"}}");
    assert_eq!(created_id(&named).as_deref(), Some("abc"), "{name}");
    assert_eq!(
        rewrite_urls(&named, "https://here.example"),
        named,
        "{name}"
    );

    // Claims that nobody reads, in a token that is good otherwise.
    let with = |claim: &str| with_signature(HEADER.as_bytes(), claims(&[(claim, text)]).as_bytes());
    assert!(env_1().verify(&with("x"), seconds(IAT)).is_ok(), "{name}");
    assert!(env_1().verify(&with("act"), seconds(IAT)).is_ok(), "{name}");
    assert!(
        env_1().verify(&with("aud"), seconds(IAT)).is_err(),
        "{name}"
    );
    let scoped = with("scopes");
    let scopes = env_1().verify(&scoped, seconds(IAT)).ok().unwrap().scopes;
    let expected = serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    assert_eq!(scopes, expected, "{name}");
}

fn assert_is_no_json(name: &str, file: &[u8]) {
    assert!(is_malformed(&CompleteRequest::parse(file)), "{name}");
    assert!(is_malformed(&create(file)), "{name}");
    for field in fields() {
        assert!(
            is_malformed(&create(&within(field, file))),
            "{name} as {field}"
        );
        assert_eq!(
            EdgeFields::of(&within(field, file)),
            Ok(EdgeFields::default()),
            "{name}"
        );
    }
    let payload = within("x", file);
    let token = with_signature(HEADER.as_bytes(), &payload);
    assert!(env_1().verify(&token, seconds(IAT)).is_err(), "{name}");
    let good = claims(&[]);
    let payload = [&good.as_bytes()[..good.len() - 1], b",\"x\":", file, b"}"].concat();
    let token = with_signature(HEADER.as_bytes(), &payload);
    assert_eq!(
        env_1().verify(&token, seconds(IAT)).err(),
        Some(JwtError::Invalid),
        "{name}"
    );
    let header = [br#"{"alg":"HS256","typ":"#, file, b"}"].concat();
    let token = with_signature(&header, good.as_bytes());
    assert_eq!(
        env_1().verify(&token, seconds(IAT)).err(),
        Some(JwtError::Invalid),
        "{name}"
    );

    let Ok(text) = std::str::from_utf8(file) else {
        // A byte order mark says which text it is.
        let is_marked = file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff");
        for content_type in ["application/json", "text/plain", "", FORM] {
            let read = parse_callback(content_type, file);
            assert!(is_marked || read == Err(ApiError::InvalidJson), "{name}");
        }
        return;
    };
    assert!(Approval::parse(text).is_err(), "{name}");
    assert!(parse_webhook(text).is_err(), "{name}");
    assert!(read_token(text, "").is_none(), "{name}");
    assert!(created_id(text).is_none(), "{name}");
    // A machine's text is an output too, as text; nothing of it is lost but the mark.
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
    let expected = match (plain.trim(), serde_json::from_str::<&RawValue>(plain)) {
        ("", _) => json("{}"),
        (_, Ok(raw)) => json(raw.get()),
        (_, Err(_)) => Output {
            kind: OutputKind::Text,
            text: plain.to_owned(),
        },
    };
    for content_type in ["application/json", "text/plain", ""] {
        assert_eq!(
            parse_callback(content_type, file).as_ref(),
            Ok(&expected),
            "{name}"
        );
    }
    // Whatever a form is made of, its fields are JSON.
    let form = parse_callback(FORM, file).unwrap();
    let is_json = serde_json::from_str::<&RawValue>(&form.text).is_ok();
    assert_eq!(is_json, form.kind == OutputKind::Json, "{name}");
}

/// The output of a completed token in a response of upstream.
fn upstream(output: &str, media_type: &str) -> Option<Output> {
    let response = serde_json::json!({
        "status": "COMPLETED",
        "createdAt": "2026-09-26T00:00:00.000Z",
        "output": output,
        "outputType": media_type,
    });
    match read_token(&response.to_string(), "")?.state {
        State::Completed { decision, .. } => decision.output,
        _ => None,
    }
}
