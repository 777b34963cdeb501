//! Which schemas are forms.
use super::{form_of, refusal, schema};
use waitpoint::domain::approval::form::schema::{MAX_NAME, MAX_TEXTS};
use waitpoint::domain::approval::form::{
    DEFAULT_MAX_LENGTH, Field, FieldKind, FieldOption, Form, MAX_FIELDS, TextFormat,
};

fn option(value: &str, title: Option<&str>) -> FieldOption {
    FieldOption {
        value: value.into(),
        title: title.map(str::to_owned),
    }
}

#[test]
fn every_keyword_is_read_and_fields_keep_their_order() {
    let form = Form::parse(
        r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
            "additionalProperties":false,"required":["zip","agree"],
            "properties":{
              "zip":{"type":"string","title":"ZIP","description":"Where?\nExactly.","minLength":4,
                     "maxLength":5.0,"default":"1234"},
              "amount":{"type":"number","minimum":-0.5,"maximum":1e3,"default":12.50},
              "agree":{"type":"boolean","default":true},
              "size":{"type":"string","enum":["s","l"],"default":"l"},
              "tags":{"type":"array","items":{"anyOf":[{"const":"a","title":"A!"},{"const":"b","title":"B"}]},
                      "minItems":1,"maxItems":9,"uniqueItems":true,"default":["b"]},
              "day":{"type":"string","format":"date"}}}"#,
    )
    .unwrap();
    let names: Vec<_> = form.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["zip", "amount", "agree", "size", "tags", "day"]);
    let required: Vec<_> = form.fields.iter().map(|field| field.is_required).collect();
    assert_eq!(required, [true, false, true, false, false, false]);
    assert_eq!(
        form.fields[0],
        Field {
            name: "zip".into(),
            title: Some("ZIP".into()),
            description: Some("Where?\nExactly.".into()),
            is_required: true,
            kind: FieldKind::Text {
                min: 4,
                max: 5,
                format: None,
                default: Some("1234".into()),
            },
        }
    );
    let kinds: Vec<_> = form
        .fields
        .into_iter()
        .skip(1)
        .map(|field| field.kind)
        .collect();
    let expected = [
        FieldKind::Number {
            is_integer: false,
            minimum: Some("-0.5".into()),
            maximum: Some("1e3".into()),
            default: Some("12.50".into()),
        },
        FieldKind::Boolean { default: true },
        FieldKind::One {
            options: vec![option("s", None), option("l", None)],
            default: Some("l".into()),
        },
        FieldKind::Many {
            options: vec![option("a", Some("A!")), option("b", Some("B"))],
            min: 1,
            max: 2,
            default: vec!["b".into()],
        },
        FieldKind::Text {
            min: 0,
            max: 10,
            format: Some(TextFormat::Date),
            default: None,
        },
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn what_is_left_out_has_its_default() {
    let kind = |field: &str| form_of(field).fields.remove(0).kind;
    let text = |format, max| FieldKind::Text {
        min: 0,
        max,
        format,
        default: None,
    };
    let string = |more: &str| kind(&format!(r#"{{"type":"string"{more}}}"#));
    assert_eq!(string(""), text(None, DEFAULT_MAX_LENGTH));
    assert_eq!(
        string(r#","format":"email""#),
        text(Some(TextFormat::Email), 254)
    );
    assert_eq!(
        string(r#","format":"uri""#),
        text(Some(TextFormat::Uri), DEFAULT_MAX_LENGTH)
    );
    assert_eq!(
        string(r#","format":"date-time""#),
        text(Some(TextFormat::DateTime), 35)
    );
    assert_eq!(
        kind(r#"{"type":"boolean"}"#),
        FieldKind::Boolean { default: false }
    );
    assert_eq!(
        kind(r#"{"type":"integer"}"#),
        FieldKind::Number {
            is_integer: true,
            minimum: None,
            maximum: None,
            default: None,
        }
    );
    for list in [
        r#""type":"string","enum":["a"]"#,
        r#""oneOf":[{"const":"a","title":"b"}]"#,
    ] {
        let FieldKind::Many {
            min, max, default, ..
        } = kind(&format!(r#"{{"type":"array","items":{{{list}}}}}"#))
        else {
            panic!("{list}");
        };
        assert_eq!((min, max, default.len()), (0, 1, 0));
    }
}

/// The refusals of a schema.
#[test]
fn a_schema_that_is_no_form_is_refused_with_the_place() {
    let fields = |count: usize| {
        let field = |n: usize| format!(r#""f{n}":{{"type":"boolean"}}"#);
        let fields: Vec<_> = (0..count).map(field).collect();
        schema(&format!("{{{}}}", fields.join(",")))
    };
    let one = |more: &str| {
        format!(r#"{{"type":"object","properties":{{"a":{{"type":"boolean"}}}}{more}}}"#)
    };
    let example = r#"{"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]}"#;
    let name = "n".repeat(MAX_NAME + 1);
    for (json, message) in [
        ("[]".to_owned(), format!("/form: [] is not an object. Use {example}.")),
        ("5".to_owned(), format!("/form: 5 is not an object. Use {example}.")),
        ("{}".to_owned(), r#"/form: type is missing. Use "type": "object"."#.into()),
        (
            r#"{"type":"array"}"#.to_owned(),
            r#"/form/type: "array" is not supported. Use "object"."#.into(),
        ),
        (
            r#"{"type":["object"]}"#.to_owned(),
            r#"/form/type: ["object"] is not supported. Use "object"."#.into(),
        ),
        (
            r#"{"type":"object","type":"object"}"#.to_owned(),
            r#"/form/type: "type" is there twice. Keep one."#.into(),
        ),
        (
            r#"{"type":"object"}"#.to_owned(),
            format!("/form: properties is missing. Use a schema such as {example}."),
        ),
        (
            schema("[]"),
            r#"/form/properties: [] is not an object. Use one such as {"reason": {"type": "string"}}."#
                .into(),
        ),
        (
            schema("{}"),
            "/form/properties: {} has no fields. Use at least one, or leave form out.".into(),
        ),
        (
            fields(MAX_FIELDS + 1),
            "/form/properties: 21 fields are too many. Use at most 20.".into(),
        ),
        (
            one(r#","$schema":"http://json-schema.org/draft-07/schema#""#),
            "/form/$schema: \"http://json-schema.org/draft-07/schema#\" is not supported. Use \
             \"https://json-schema.org/draft/2020-12/schema\"."
                .into(),
        ),
        (
            one(r#","additionalProperties":true"#),
            "/form/additionalProperties: true is not supported. Use false.".into(),
        ),
        (
            one(r#","additionalProperties":"false""#),
            "/form/additionalProperties: \"false\" is not supported. Use false.".into(),
        ),
        (
            one(r#","title":"T""#),
            "/form/title: a form has no title of its own. Use that of the approval.".into(),
        ),
        (
            one(r#","description":"D""#),
            "/form/description: a form has no description of its own. Use that of the approval.".into(),
        ),
        (
            one(r#","$de/f~s":{}"#),
            "/form/$de~1f~0s: \"$de/f~s\" is not a keyword of a form. Use only $schema, type, properties, \
             required, additionalProperties."
                .into(),
        ),
        (
            one(r#","required":"a""#),
            "/form/required: \"a\" is not a list. Use one such as [\"reason\"].".into(),
        ),
        (
            one(r#","required":["a",true]"#),
            "/form/required/1: true is not a string. Use one.".into(),
        ),
        (
            one(r#","required":["b"]"#),
            "/form/required/0: \"b\" is not a field. Use \"a\".".into(),
        ),
        (
            one(r#","required":["a","a"]"#),
            "/form/required/1: \"a\" is there twice. Keep one.".into(),
        ),
        (
            schema(r#"{"":{"type":"boolean"}}"#),
            "/form/properties: the name \"\" is not valid. Use 1 to 64 characters.".into(),
        ),
        (
            schema(&format!(r#"{{"{name}":{{"type":"boolean"}}}}"#)),
            format!(
                "/form/properties: the name \"{}…\" is not valid. Use 1 to 64 characters.",
                &name[1..]
            ),
        ),
        (
            schema(r#"{"a":{"type":"boolean"},"a":{"type":"boolean"}}"#),
            "/form/properties/a: \"a\" is there twice. Keep one.".into(),
        ),
        (
            schema(r#"{"\u200b":{"type":"boolean"}}"#),
            "/form/properties/\u{200b}: the name \"\u{200b}\" is invisible. Add a title that can be seen."
                .into(),
        ),
        (
            schema(r#"{"a":{"type":"boolean","title":"Sum"},"b":{"type":"boolean","title":" sum"}}"#),
            "/form/properties/b/title: \" sum\" looks like \"Sum\". Use a title that a person can tell \
             apart from it."
                .into(),
        ),
        (
            schema(r#"{"O":{"type":"boolean"},"0":{"type":"boolean"}}"#),
            "/form/properties/0: \"0\" looks like \"O\". Use a title that a person can tell apart from it."
                .into(),
        ),
        (
            schema(
                r#"{"a":{"type":"string","maxLength":10000},"b":{"type":"string","maxLength":9000},
                    "c":{"type":"string","maxLength":1001}}"#,
            ),
            "/form/properties: the texts can have 20001 characters together. Use maxLength so that they \
             have at most 20000."
                .into(),
        ),
    ] {
        assert_eq!(refusal(&json), message, "{json}");
    }
    for json in [
        fields(MAX_FIELDS),
        schema(r#"{"\u200b":{"type":"boolean","title":"Seen"}}"#),
        schema(&format!(
            r#"{{"{}":{{"type":"boolean"}}}}"#,
            "é".repeat(MAX_NAME)
        )),
        schema(
            r#"{"a":{"type":"string","maxLength":10000},"b":{"type":"string","maxLength":10000}}"#,
        ),
    ] {
        assert!(Form::parse(&json).is_ok(), "{json}");
    }
    assert_eq!(MAX_TEXTS, 20_000);
}

/// What was accepted before there was a check is shown as it was.
#[test]
fn a_stored_form_is_read_without_the_checks() {
    let alike =
        schema(r#"{"O":{"type":"boolean","later":1},"0":{"type":"string","enum":["a","A"]}}"#);
    assert!(Form::parse(&alike).is_err());
    let form = Form::read(&alike);
    assert_eq!(form.fields.len(), 2);
    assert!(matches!(&form.fields[1].kind, FieldKind::One { options, .. } if options.len() == 2));
    for json in ["", "[]", "{}", r#"{"properties":{"a":{"type":"object"}}}"#] {
        assert_eq!(Form::read(json), Form::default(), "{json}");
    }
}

#[test]
fn names_and_labels_are_the_creators() {
    let field =
        &form_of(r#"{"type":"string","oneOf":[{"const":"s","title":"Small"}],"title":" T "}"#)
            .fields[0];
    assert_eq!((field.name.as_str(), field.label()), ("f", " T "));
    let FieldKind::One { options, .. } = &field.kind else {
        panic!("{field:?}");
    };
    assert_eq!(options[0].label(), "Small");
    let field = &form_of(r#"{"type":"string","enum":["s"]}"#).fields[0];
    assert_eq!(field.label(), "f");
}
