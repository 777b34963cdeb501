//! What a page sends becomes the fields of the output.
use super::{form_of, required, schema};
use waitpoint::domain::approval::form::{FaultReason, FieldFault, Form};

/// The value that these make of field `f`; `None` if it is left out.
fn value(form: &Form, sent: &[&str]) -> Option<String> {
    let json = form.fields_json(&|_| sent.to_vec());
    let json = json.unwrap_or_else(|why| panic!("{sent:?}: {why:?}"));
    assert_eq!(form.check(Some(&json)), [], "{json}");
    let inner = json.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    (!inner.is_empty()).then(|| inner.strip_prefix("\"f\":").unwrap().to_owned())
}

fn fault(form: &Form, sent: &[&str]) -> FaultReason {
    let mut faults = form.fields_json(&|_| sent.to_vec()).unwrap_err();
    assert_eq!(faults.len(), 1, "{sent:?}: {faults:?}");
    faults.remove(0).why
}

#[test]
fn a_text_loses_the_white_space_at_its_ends_and_is_left_out_if_empty() {
    let form = form_of(r#"{"type":"string"}"#);
    for (sent, expected) in [
        (&["a"][..], Some(r#""a""#)),
        (&["  a  b\r\n\r\nc\rd \n "], Some(r#""a  b\n\nc\nd""#)),
        (&["first", "second"], Some(r#""first""#)),
        (&["\u{1}\"\\"], Some(r#""\u0001\"\\""#)),
        (&[""], None),
        (&[" \r\n\t\u{a0}"], None),
        (&[], None),
    ] {
        assert_eq!(value(&form, sent).as_deref(), expected, "{sent:?}");
    }
    let form = required(r#"{"type":"string"}"#);
    for sent in [&[][..], &[""], &["  "]] {
        assert_eq!(fault(&form, sent), FaultReason::Missing);
    }
}

#[test]
fn a_typed_number_becomes_one_of_json() {
    let form = form_of(r#"{"type":"number"}"#);
    for (sent, expected) in [
        ("5", "5"),
        (" 5\n", "5"),
        ("+5", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("007", "7"),
        ("00", "0"),
        ("-0", "-0"),
        ("-007.50", "-7.50"),
        ("1E5", "1e5"),
        ("1.e-05", "1e-05"),
        ("1e+5", "1e+5"),
        ("12345678901234567890.1", "12345678901234567890.1"),
    ] {
        assert_eq!(value(&form, &[sent]).as_deref(), Some(expected), "{sent}");
        let read: Result<&serde_json::value::RawValue, _> = serde_json::from_str(expected);
        assert!(read.is_ok(), "{expected}");
    }
    assert_eq!(value(&form, &[" "]), None);
    let long = "1".repeat(101);
    for sent in [
        ".",
        "-",
        "+",
        "e5",
        ".e5",
        "5e",
        "5e+",
        "1,5",
        "1 000",
        "--5",
        "+-5",
        "0x10",
        "NaN",
        "Infinity",
        "1.2.3",
        "1e5.5",
        "１",
        "5a",
        "1e99999999999",
        &long,
    ] {
        assert_eq!(fault(&form, &[sent]), FaultReason::NotNumber, "{sent}");
    }
    assert_eq!(
        fault(&required(r#"{"type":"number"}"#), &[]),
        FaultReason::Missing
    );
}

#[test]
fn a_box_is_true_if_it_is_ticked_and_false_otherwise() {
    for form in [
        form_of(r#"{"type":"boolean","default":true}"#),
        required(r#"{"type":"boolean"}"#),
    ] {
        assert_eq!(value(&form, &["true"]).as_deref(), Some("true"));
        assert_eq!(value(&form, &["false", "true"]).as_deref(), Some("true"));
        for sent in [&[][..], &[""], &["false"], &["on"]] {
            assert_eq!(value(&form, sent).as_deref(), Some("false"), "{sent:?}");
        }
    }
}

#[test]
fn a_default_that_was_removed_does_not_return() {
    let form = form_of(r#"{"type":"string","default":"x"}"#);
    assert_eq!(value(&form, &[""]), None);
    let form = form_of(r#"{"type":"number","default":5}"#);
    assert_eq!(value(&form, &[""]), None);
}

#[test]
fn options_are_sent_by_their_values() {
    let one = r#"{"type":"string","enum":["a","b c "]}"#;
    assert_eq!(
        value(&form_of(one), &["b c "]).as_deref(),
        Some(r#""b c ""#)
    );
    assert_eq!(value(&form_of(one), &[""]), None);
    assert_eq!(value(&form_of(one), &[]), None);
    assert_eq!(fault(&required(one), &[""]), FaultReason::Missing);
    assert_eq!(fault(&form_of(one), &["c"]), FaultReason::NotAnOption);

    let many = |more: &str| {
        format!(r#"{{"type":"array","items":{{"type":"string","enum":["a","b","c"]}}{more}}}"#)
    };
    let form = form_of(&many(""));
    assert_eq!(value(&form, &["c", "a"]).as_deref(), Some(r#"["c","a"]"#));
    assert_eq!(value(&form, &["", "a"]).as_deref(), Some(r#"["a"]"#));
    assert_eq!(value(&form, &[]), None);
    assert_eq!(fault(&form, &["a", "x"]), FaultReason::NotAnOption);
    assert_eq!(fault(&form, &["a", "a"]), FaultReason::Repeated);
    let form = required(&many(""));
    assert_eq!(value(&form, &[]).as_deref(), Some("[]"));
    let bounded = many(r#","minItems":2,"maxItems":2"#);
    assert_eq!(value(&form_of(&bounded), &[]), None);
    assert_eq!(fault(&required(&bounded), &[]), FaultReason::Missing);
    assert_eq!(fault(&form_of(&bounded), &["a"]), FaultReason::TooFew(2));
    assert_eq!(
        fault(&form_of(&bounded), &["a", "b", "c"]),
        FaultReason::TooMany(2)
    );
}

#[test]
fn a_date_and_time_always_gets_an_offset() {
    let form = form_of(r#"{"type":"string","format":"date-time"}"#);
    for (sent, expected) in [
        ("2026-01-31T14:30", "2026-01-31T14:30:00Z"),
        ("2026-01-31 14:30", "2026-01-31T14:30:00Z"),
        ("2026-01-31T14:30:15", "2026-01-31T14:30:15Z"),
        ("2026-01-31T14:30:15.25", "2026-01-31T14:30:15.25Z"),
        ("2026-01-31T14:30:15+02:00", "2026-01-31T14:30:15+02:00"),
        ("2026-01-31T14:30-05:00", "2026-01-31T14:30:00-05:00"),
        (
            " 2026-01-31T14:30:15.123456789z ",
            "2026-01-31T14:30:15.123456789z",
        ),
        ("1926-01-31T14:30", "1926-01-31T14:30:00Z"),
    ] {
        assert_eq!(
            value(&form, &[sent]),
            Some(format!("\"{expected}\"")),
            "{sent}"
        );
    }
    assert_eq!(value(&form, &[""]), None);
    for sent in [
        "2026-01-31",
        "tomorrow",
        "2026-02-29T14:30",
        "2026-01-31T24:00",
        "2026-01-31T14:60",
        "T",
        "é é",
        "2026-01-31T14é30",
        "12026-01-31T14:30",
        "2026-01-31T14:30:60",
    ] {
        assert_eq!(fault(&form, &[sent]), FaultReason::NotDateTime, "{sent}");
    }
}

#[test]
fn fields_stand_in_their_order_and_all_faults_are_told_at_once() {
    let form = Form::parse(&schema(
        r#"{"z \"1\"":{"type":"string","maxLength":2},"a":{"type":"integer","minimum":5},
            "m":{"type":"boolean"},"e":{"type":"string","format":"email"}}"#,
    ))
    .unwrap();
    let sent = |values: [&'static str; 4]| {
        form.fields_json(&move |at| values.get(at).copied().into_iter().collect())
    };
    assert_eq!(
        sent(["x", "6", "true", "a@b.co"]).as_deref(),
        Ok(r#"{"z \"1\"":"x","a":6,"m":true,"e":"a@b.co"}"#)
    );
    assert_eq!(sent(["", "", "", ""]).as_deref(), Ok(r#"{"m":false}"#));
    let fault = |field, why| FieldFault { field, why };
    assert_eq!(
        sent(["xyz", "4", "", "a@b"]),
        Err(vec![
            fault(0, FaultReason::TooLong(2)),
            fault(1, FaultReason::TooSmall("5".into())),
            fault(3, FaultReason::NotEmail),
        ])
    );
    assert_eq!(
        Form::default().fields_json(&|_| Vec::new()).as_deref(),
        Ok("{}")
    );
}
