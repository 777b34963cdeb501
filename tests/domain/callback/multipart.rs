//! Multipart forms, as their senders write them.
use super::content::{SomeCharsets, read};
use proptest::prelude::*;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::form::{Field, FieldValue};
use waitpoint::domain::callback::charset::{DecodeError, Decoder};
use waitpoint::domain::callback::content::Content;
use waitpoint::domain::callback::media_type::MediaType;
use waitpoint::domain::callback::multipart::multipart_fields;

const TYPE: &str = "multipart/form-data; boundary=b";

/// The output of a body, whose lines end with CRLF here.
fn output(content_type: &str, body: &[u8]) -> Result<String, ApiError> {
    read(content_type, body).map(|(output, _)| output.text)
}

fn part(headers: &str, value: &[u8]) -> Vec<u8> {
    [b"--b\r\n", headers.as_bytes(), b"\r\n\r\n", value, b"\r\n"].concat()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat(), &b"--b--\r\n"[..]].concat()
}

#[test]
fn a_field_is_read_however_its_sender_writes_its_header() {
    for header in [
        r#"Content-Disposition: form-data; name="a""#,
        // .NET
        "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=a",
        r#"content-disposition:form-data;name="a""#,
        r#"Content-Disposition: form-data; x; name="a""#,
        "Content-Disposition: attachment; NAME = a",
        "Content-Transfer-Encoding: 8bit\r\nContent-Disposition: form-data; name=a\r\nX: y",
    ] {
        let body = form(&[part(header, b"1")]);
        assert_eq!(output(TYPE, &body).unwrap(), r#"{"a":"1"}"#, "{header}");
    }
    for (content_type, body) in [
        (r#"multipart/form-data; boundary="b""#, "--b\r\nH\r\n--b--"),
        (TYPE, "before\r\n\r\n--b\r\nH\r\n--b--\r\nbehind"),
        (TYPE, "--b \t\r\nH\r\n--b--"),
        (TYPE, "--b\nH\n--b--"),
        (
            "Multipart/Form-Data; charset=utf-8; Boundary=b; boundary=c",
            "--b\r\nH\r\n--b--",
        ),
        (
            "multipart/form-data; boundary=----=_P_1.2",
            "------=_P_1.2\r\nH\r\n------=_P_1.2--",
        ),
    ] {
        let end = if body.contains('\r') { "\r\n" } else { "\n" };
        let field = format!("Content-Disposition: form-data; name=\"a\"{end}{end}1");
        let body = body.replace('H', &field);
        assert_eq!(
            output(content_type, body.as_bytes()).unwrap(),
            r#"{"a":"1"}"#,
            "{body}"
        );
    }
}

#[test]
fn a_value_is_kept_byte_for_byte() {
    for value in [
        "",
        "\r\n",
        "\n",
        "x\r\n",
        "--b",
        "x--b\r\n",
        " --b\r\n",
        "--bc\r\n",
        "--b-",
        "a: b\r\n\r\nc",
    ] {
        // A line that begins with the boundary, and something else behind it, is no end.
        if value == "--b" {
            continue;
        }
        let body = form(&[part(
            "Content-Disposition: form-data; name=a",
            value.as_bytes(),
        )]);
        let fields = multipart_fields(&MediaType::parse(TYPE), &body, &SomeCharsets);
        let expected = Field::of_text(("a".to_owned(), value.to_owned()));
        assert_eq!(fields, Ok(vec![expected]), "{value:?}");
    }
    assert_eq!(output(TYPE, b"--b--").unwrap(), "{}");
    assert_eq!(output(TYPE, b"").unwrap(), "{}");
}

#[test]
fn a_text_is_in_the_charset_of_its_part_or_its_form() {
    let named = |name: &str, value: &[u8]| {
        part(
            &format!("Content-Disposition: form-data; name=\"{name}\""),
            value,
        )
    };
    let typed = |charset: &str, value: &[u8]| {
        part(
            &format!(
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain; charset={charset}"
            ),
            value,
        )
    };
    let latin = format!("{TYPE}; charset=iso-8859-1");
    for (content_type, parts, json) in [
        (
            TYPE,
            vec![named("a", b"Jos\xe9")],
            "{\"a\":\"Jos\u{fffd}\"}",
        ),
        (TYPE, vec![named("a", "é".as_bytes())], r#"{"a":"é"}"#),
        (&latin, vec![named("a", b"Jos\xe9")], r#"{"a":"José"}"#),
        // Apache HttpClient
        (
            TYPE,
            vec![typed("ISO-8859-1", b"Jos\xe9")],
            r#"{"a":"José"}"#,
        ),
        (&latin, vec![typed("utf-8", "é".as_bytes())], r#"{"a":"é"}"#),
        (TYPE, vec![typed("klingon", "é".as_bytes())], r#"{"a":"é"}"#),
        (
            TYPE,
            vec![typed("us-ascii", "é".as_bytes())],
            r#"{"a":"é"}"#,
        ),
        // The form's own field
        (
            TYPE,
            vec![named("a", b"\xe9"), named("_charset_", b"iso-8859-1")],
            r#"{"a":"é","_charset_":"iso-8859-1"}"#,
        ),
        (
            TYPE,
            vec![named("charset", b"blue"), named("a", "é".as_bytes())],
            r#"{"charset":"blue","a":"é"}"#,
        ),
        // SendGrid
        (
            TYPE,
            vec![
                named("from", "é".as_bytes()),
                named("text", b"\xe9"),
                named(
                    "charsets",
                    br#"{"from":"UTF-8","text":"iso-8859-1","x":"y"}"#,
                ),
            ],
            r#"{"from":"é","text":"é","charsets":"{\"from\":\"UTF-8\",\"text\":\"iso-8859-1\",\"x\":\"y\"}"}"#,
        ),
    ] {
        assert_eq!(output(content_type, &form(&parts)).unwrap(), json);
    }
    let unknown = output(
        &format!("{TYPE}; charset=klingon"),
        &form(&[named("a", b"1")]),
    );
    assert_eq!(
        unknown,
        Err(ApiError::UnsupportedCharset("klingon".to_owned()))
    );
    // A name is in the charset of the form.
    let disposition =
        [&b"--b\r\nContent-Disposition: form-data; name=\"n\xe9\"\r\n\r\n1\r\n--b--"[..]].concat();
    assert_eq!(output(&latin, &disposition).unwrap(), r#"{"né":"1"}"#);
}

#[test]
fn a_part_with_a_file_name_is_a_file() {
    for (header, name) in [
        (r#"filename="a.txt""#, "a.txt"),
        ("filename=a.txt", "a.txt"),
        (r#"filename="a \"b\" \\c.txt""#, r#"a "b" \c.txt"#),
        (r#"filename="C:\new\a.txt""#, r"C:\new\a.txt"),
        (r#"filename="a%22%0D%0A%41.txt""#, "a\"\r\n%41.txt"),
        (r#"filename="Prüfung.pdf""#, "Prüfung.pdf"),
        // .NET sends both.
        (
            "filename=\"=?utf-8?B?w6k=?=\"; filename*=utf-8''%C3%A9.txt",
            "é.txt",
        ),
        ("filename*=ISO-8859-1'en'%E9.txt", "é.txt"),
        ("filename*=nonsense; filename=a.txt", "a.txt"),
        (r#"filename="""#, ""),
    ] {
        let header = format!(
            "Content-Disposition: form-data; name=f; {header}\r\nContent-Type: text/x; a=b"
        );
        let fields = multipart_fields(
            &MediaType::parse(TYPE),
            &form(&[part(&header, b"\xff\r\n")]),
            &SomeCharsets,
        );
        let value = FieldValue::File {
            filename: name.to_owned(),
            media_type: "text/x; a=b".to_owned(),
            size: 3,
        };
        assert_eq!(
            fields,
            Ok(vec![Field {
                name: "f".to_owned(),
                value
            }]),
            "{header}"
        );
    }
}

#[test]
fn what_is_no_form_is_refused() {
    let field = String::from_utf8(part("Content-Disposition: form-data; name=a", b"1")).unwrap();
    for (content_type, body) in [
        ("multipart/form-data", format!("{field}--b--")),
        ("multipart/form-data; boundary=", format!("{field}--b--")),
        ("multipart/form-data; boundary=c", format!("{field}--b--")),
        (TYPE, "a=1".to_owned()),
        (TYPE, field.clone()),
        (TYPE, format!("{field}--b")),
        (TYPE, "--b\r\n\r\n1\r\n--b--".to_owned()),
        (
            TYPE,
            "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--".to_owned(),
        ),
        (TYPE, "--b\r\n--b--".to_owned()),
    ] {
        assert_eq!(
            output(content_type, body.as_bytes()),
            Err(ApiError::InvalidForm),
            "{body:?}"
        );
    }
    for (count, result) in [(1_000, true), (1_001, false), (100_000, false)] {
        let read = output(TYPE, format!("{}--b--", field.repeat(count)).as_bytes());
        assert_eq!(read.is_ok(), result);
        assert!(result || read == Err(ApiError::TooManyFields(1_000)));
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        fields in prop::collection::vec(("[^\"\\\\%\r\n\0]{1,8}", prop::collection::vec(any::<u8>(), 0..20), any::<bool>()), 0..5),
    ) {
        let parts: Vec<_> = fields.iter().map(|(name, value, is_file)| {
            let filename = if *is_file { "; filename=x" } else { "" };
            part(&format!("Content-Disposition: form-data; name=\"{name}\"{filename}"), value)
        }).collect();
        let read = multipart_fields(&MediaType::parse(TYPE), &form(&parts), &SomeCharsets).unwrap();
        prop_assume!(!fields.iter().any(|(name, ..)| name.starts_with('_') || name.starts_with("charset")));
        prop_assert_eq!(read.len(), fields.len());
        for (read, (name, value, is_file)) in read.iter().zip(&fields) {
            prop_assert_eq!(&read.name, name);
            match &read.value {
                FieldValue::Text(text) => prop_assert_eq!(text, &String::from_utf8_lossy(value)),
                FieldValue::File { size, .. } => prop_assert_eq!(*size, value.len() as u64),
            }
            prop_assert_eq!(read.text().is_none(), *is_file);
        }
    }

    #[test]
    fn nothing_panics(body in prop::collection::vec(prop::sample::select(&b"--b\r\n:; =\"\\'*%anmeCotD\xff"[..]), 0..200)) {
        let _ = output(TYPE, &body);
        let headed = [b"--b\r\nContent-Disposition: form-data; name=", &body[..], b"\r\n--b--"].concat();
        let _ = output(TYPE, &headed);
    }
}

#[test]
fn no_long_label_reaches_the_platform() {
    struct Short;
    impl Decoder for Short {
        fn decode(&self, label: &str, _: &[u8]) -> Result<String, DecodeError> {
            assert!(label.len() <= 64, "{} bytes of a label", label.len());
            Err(DecodeError::UnknownCharset)
        }
    }
    let long = "x".repeat(3_000);
    let part = |head: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; {head}\r\n\r\n{text}\r\n")
    };
    let charsets = part("name=charsets", &format!(r#"{{"a":"{long}"}}"#));
    let typed = format!(
        "--b\r\ncontent-disposition: form-data; name=a\r\ncontent-type: text/plain; charset={long}\r\n\r\n1\r\n"
    );
    for body in [
        charsets + &part("name=a", "1").repeat(900) + "--b--",
        typed.repeat(900) + "--b--",
        part("name=_charset_", &long) + "--b--",
        part(&format!("name=a; filename*={long}''e"), "1") + "--b--",
    ] {
        let media = MediaType::parse("multipart/form-data; boundary=b");
        let fields = multipart_fields(&media, body.as_bytes(), &Short);
        assert!(fields.is_ok(), "{fields:?}");
    }
    let media = MediaType::parse(&format!("text/plain; charset={long}"));
    let error = ApiError::UnsupportedCharset(long);
    assert_eq!(Content::read(&media, b"1", &Short), Err(error));
}
