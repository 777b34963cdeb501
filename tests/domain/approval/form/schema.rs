//! Which schemas are forms.
use super::{form_of, refusal, schema};
use waitpoint::domain::approval::form::schema::{MAX_NAME, MAX_TEXTS};
use waitpoint::domain::approval::form::{
    DEFAULT_MAX_LENGTH, Field, FieldKind, FieldOption, Form, MAX_FIELDS, MAX_OPTIONS, TextFormat,
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

/// The refusals of a field: where in `/form/properties/f`, and why.
#[test]
fn a_field_outside_of_the_subset_is_refused_with_the_place() {
    let types = r#""string", "number", "integer", "boolean" or "array""#;
    let text = "Use only minLength, maxLength, format, type, title, description, default.";
    let long = |count: usize| "é".repeat(count);
    let cut = format!("{}…", long(64));
    for (field, message) in [
        (
            "true".to_owned(),
            r#": true is not an object. Use one such as {"type": "string"}."#.to_owned(),
        ),
        ("{}".into(), format!(": type is missing. Use {types}.")),
        (
            r#"{"type":"object"}"#.into(),
            format!("/type: \"object\" is not a type of a field. Use {types}."),
        ),
        (
            r#"{"type":["string","null"]}"#.into(),
            format!("/type: [\"string\",\"null\"] is not a type of a field. Use {types}."),
        ),
        (
            r#"{"type":"string","pattern":"a"}"#.into(),
            format!("/pattern: \"pattern\" is not a keyword of a text. {text}"),
        ),
        (
            r#"{"type":"string","const":"a"}"#.into(),
            format!("/const: \"const\" is not a keyword of a text. {text}"),
        ),
        (
            r#"{"type":"string","title":"a","title":"b"}"#.into(),
            "/title: \"title\" is there twice. Keep one.".into(),
        ),
        (r#"{"type":"string","title":null}"#.into(), "/title: null is not a string. Use one.".into()),
        (
            r#"{"type":"string","title":""}"#.into(),
            "/title: \"\" is empty or invisible. Use a text that can be seen, or leave title out.".into(),
        ),
        (
            r#"{"type":"string","description":"\u200b"}"#.into(),
            "/description: \"\u{200b}\" is empty or invisible. Use a text that can be seen, or leave \
             description out."
                .into(),
        ),
        (
            format!(r#"{{"type":"string","title":"{}"}}"#, long(121)),
            format!("/title: \"{cut}\" is too long. Use at most 120 characters."),
        ),
        (
            format!(r#"{{"type":"string","description":"{}"}}"#, long(501)),
            format!("/description: \"{cut}\" is too long. Use at most 500 characters."),
        ),
        (
            r#"{"type":"string","format":"ipv4"}"#.into(),
            "/format: \"ipv4\" is not supported. Use \"email\", \"uri\", \"date\" or \"date-time\".".into(),
        ),
        (r#"{"type":"string","format":5}"#.into(), "/format: 5 is not a string. Use one.".into()),
        (
            r#"{"type":"string","minLength":-1}"#.into(),
            "/minLength: -1 is not a length. Use a whole number such as 1.".into(),
        ),
        (
            r#"{"type":"string","maxLength":"9"}"#.into(),
            "/maxLength: \"9\" is not a length. Use a whole number such as 1.".into(),
        ),
        (
            r#"{"type":"string","maxLength":10001}"#.into(),
            "/maxLength: 10001 is too large. Use at most 10000.".into(),
        ),
        (
            r#"{"type":"string","maxLength":0}"#.into(),
            "/maxLength: 0 is too small to fill the field in. Use at least 1.".into(),
        ),
        (
            r#"{"type":"string","format":"email","maxLength":4}"#.into(),
            "/maxLength: 4 is too small to fill the field in. Use at least 5.".into(),
        ),
        (
            r#"{"type":"string","minLength":3,"maxLength":2}"#.into(),
            "/minLength: 3 is more than 2, the longest text. Use at most that, or set maxLength.".into(),
        ),
        (
            r#"{"type":"string","format":"email","minLength":255}"#.into(),
            "/minLength: 255 is more than 254, the longest text. Use at most that, or set maxLength.".into(),
        ),
        (
            r#"{"type":"string","format":"date","maxLength":10}"#.into(),
            "/maxLength: the format gives the length. Leave maxLength out.".into(),
        ),
        (
            r#"{"type":"string","format":"date-time","minLength":1}"#.into(),
            "/minLength: the format gives the length. Leave minLength out.".into(),
        ),
        (r#"{"type":"string","default":5}"#.into(), "/default: 5 is not a string. Use one.".into()),
        (
            r#"{"type":"string","minLength":3,"default":"ab"}"#.into(),
            "/default: \"ab\" is too short. Use at least 3 characters.".into(),
        ),
        (
            r#"{"type":"string","default":"a\r\nb "}"#.into(),
            "/default: \"a\\r\\nb \" has white space at an end, or carriage returns, which a page does not \
             keep. Use \"a\\nb\"."
                .into(),
        ),
        (
            r#"{"type":"string","format":"date","default":"2026-02-30"}"#.into(),
            "/default: \"2026-02-30\" is not valid. Use a date such as \"2026-01-31\".".into(),
        ),
        (
            r#"{"type":"number","minimum":"5"}"#.into(),
            "/minimum: \"5\" is not a number of at most 100 characters. Use one such as 12.5.".into(),
        ),
        (
            r#"{"type":"integer","maximum":1.5}"#.into(),
            "/maximum: 1.5 is not an integer of at most 100 characters. Use one such as 12.".into(),
        ),
        (
            r#"{"type":"number","minimum":2,"maximum":1.99}"#.into(),
            "/minimum: 2 is more than maximum, which is 1.99. Use at most that.".into(),
        ),
        (
            r#"{"type":"number","exclusiveMinimum":2}"#.into(),
            "/exclusiveMinimum: \"exclusiveMinimum\" is not a keyword of a number. Use only minimum, \
             maximum, type, title, description, default."
                .into(),
        ),
        (
            r#"{"type":"number","maximum":2,"default":3}"#.into(),
            "/default: 3 is too large. Use at most 2.".into(),
        ),
        (
            r#"{"type":"number","default":"3"}"#.into(),
            "/default: \"3\" is not valid. Use a number such as 12.5.".into(),
        ),
        (
            r#"{"type":"boolean","default":"true"}"#.into(),
            "/default: \"true\" is not valid. Use true or false.".into(),
        ),
        (
            r#"{"type":"boolean","enum":[true]}"#.into(),
            "/enum: \"enum\" is not a keyword of a boolean. Use only type, title, description, default."
                .into(),
        ),
    ] {
        let schema = schema(&format!(r#"{{"f":{field}}}"#));
        assert_eq!(refusal(&schema), format!("/form/properties/f{message}"));
    }
    let longest = format!(
        r#"{{"type":"string","title":"{}","description":"{}","maxLength":10000}}"#,
        long(120),
        long(500)
    );
    assert_eq!(form_of(&longest).fields.len(), 1);
}

/// The refusals of options: where in `/form/properties/f`, and why.
#[test]
fn options_that_cannot_be_told_apart_are_refused_with_the_place() {
    let values = |count: usize| {
        let values: Vec<_> = (0..count).map(|n| format!("\"v{n}\"")).collect();
        values.join(",")
    };
    let titled = r#"{"const": "s", "title": "Small"}"#;
    let long = "é".repeat(501);
    let cut = format!("{}…", "é".repeat(64));
    for (field, message) in [
        (
            r#""enum":"a""#.to_owned(),
            r#"/enum: "a" is not a list. Use one such as ["small", "large"]."#.to_owned(),
        ),
        (
            r#""enum":[]"#.into(),
            r#"/enum: [] has no options. Use some, such as ["small", "large"]."#.into(),
        ),
        (
            format!(r#""enum":[{}]"#, values(MAX_OPTIONS + 1)),
            "/enum: 101 options are too many. Use at most 100.".into(),
        ),
        (r#""enum":["a",5]"#.into(), "/enum/1: 5 is not a string. Use one.".into()),
        (r#""enum":["a","a"]"#.into(), "/enum/1: \"a\" is there twice. Keep one.".into()),
        (
            r#""enum":["a","A"]"#.into(),
            "/enum/1: \"A\" looks like \"a\". Use a title that a person can tell apart from it.".into(),
        ),
        (
            r#""enum":[""]"#.into(),
            "/enum/0: \"\" is not an option: it cannot be told from an empty field. Use another value."
                .into(),
        ),
        (
            r#""enum":["\u200b"]"#.into(),
            "/enum/0: \"\u{200b}\" is invisible. Use oneOf with a title.".into(),
        ),
        (
            r#""enum":["a\nb"]"#.into(),
            "/enum/0: \"a\\nb\" has a control character. Use a value without.".into(),
        ),
        (
            format!(r#""enum":["{}"]"#, &long[..242]),
            format!("/enum/0: \"{cut}\" is too long. Use at most 120 characters."),
        ),
        (
            r#""oneOf":["a"]"#.into(),
            format!("/oneOf/0: \"a\" is not an object. Use {titled}."),
        ),
        (
            r#""oneOf":[{"const":"a"}]"#.into(),
            format!("/oneOf/0: title is missing. Use {titled}."),
        ),
        (
            r#""anyOf":[{"title":"a"}]"#.into(),
            format!("/anyOf/0: const is missing. Use {titled}."),
        ),
        (r#""oneOf":[{"const":5,"title":"a"}]"#.into(), "/oneOf/0/const: 5 is not a string. Use one.".into()),
        (
            r#""oneOf":[{"const":"a","title":"A","type":"string"}]"#.into(),
            "/oneOf/0/type: \"type\" is not a keyword of an option. Use only const, title.".into(),
        ),
        (
            r#""oneOf":[{"const":"a","title":"A"},{"const":"a","title":"B"}]"#.into(),
            "/oneOf/1/const: \"a\" is there twice. Keep one.".into(),
        ),
        (
            r#""oneOf":[{"const":"a","title":"I"},{"const":"b","title":"l"}]"#.into(),
            "/oneOf/1/title: \"l\" looks like \"I\". Use a title that a person can tell apart from it."
                .into(),
        ),
        (
            format!(r#""oneOf":[{{"const":"{long}","title":"A"}}]"#),
            format!("/oneOf/0/const: \"{cut}\" is too long. Use at most 500 characters."),
        ),
        (
            r#""enum":["a"],"oneOf":[{"const":"a","title":"A"}]"#.into(),
            "/oneOf: enum lists options already. Use one of the two.".into(),
        ),
    ] {
        let one = schema(&format!(r#"{{"f":{{"type":"string",{field}}}}}"#));
        assert_eq!(refusal(&one), format!("/form/properties/f{message}"));
        let many = schema(&format!(
            r#"{{"f":{{"type":"array","items":{{"type":"string",{field}}}}}}}"#
        ));
        assert_eq!(refusal(&many), format!("/form/properties/f/items{message}"));
    }
    assert_eq!(
        form_of(&format!(
            r#"{{"type":"string","enum":[{}]}}"#,
            values(MAX_OPTIONS)
        ))
        .fields
        .len(),
        1
    );
    let text_with_options = schema(r#"{"f":{"type":"string","enum":["a"],"minLength":1}}"#);
    assert_eq!(
        refusal(&text_with_options),
        "/form/properties/f/minLength: \"minLength\" is not a keyword of a text with options. Use only \
         enum, oneOf, anyOf, type, title, description, default."
    );
    let other_default = schema(r#"{"f":{"type":"string","enum":["a","b"],"default":"c"}}"#);
    assert_eq!(
        refusal(&other_default),
        "/form/properties/f/default: \"c\" is not valid. Use \"a\" or \"b\"."
    );
}

/// The refusals of a list: where in `/form/properties/f`, and why.
#[test]
fn a_list_that_is_not_one_of_options_is_refused_with_the_place() {
    let items = r#""items":{"type":"string","enum":["a","b"]}"#;
    let wanted = r#"{"type": "string", "enum": ["small", "large"]}"#;
    for (field, message) in [
        (String::new(), format!(": items is missing. Use \"items\": {wanted}.")),
        (
            r#","items":"a""#.into(),
            format!("/items: \"a\" is not an object. Use {wanted}."),
        ),
        (
            r#","items":{"type":"string"}"#.into(),
            format!("/items: there are no options. Use {wanted}."),
        ),
        (
            r#","items":{"enum":["a"]}"#.into(),
            "/items: type is missing. Use \"type\": \"string\".".into(),
        ),
        (
            r#","items":{"type":"number","enum":["a"]}"#.into(),
            "/items/type: \"number\" is not supported. Use \"string\".".into(),
        ),
        (
            r#","items":{"type":"string","enum":["a"],"title":"T"}"#.into(),
            "/items/title: \"title\" is not a keyword of the items of a list. Use only type, enum, oneOf, \
             anyOf."
                .into(),
        ),
        (
            format!(r#",{items},"uniqueItems":false"#),
            "/uniqueItems: false is not supported. Use true: an option can be chosen once.".into(),
        ),
        (
            format!(r#",{items},"minItems":3"#),
            "/minItems: 3 is more than the number of options, 2. Use at most that.".into(),
        ),
        (
            format!(r#",{items},"minItems":2,"maxItems":1"#),
            "/maxItems: 1 is too small. Use at least 2.".into(),
        ),
        (format!(r#",{items},"maxItems":0"#), "/maxItems: 0 is too small. Use at least 1.".into()),
        (
            format!(r#",{items},"maxItems":1.5"#),
            "/maxItems: 1.5 is not a length. Use a whole number such as 1.".into(),
        ),
        (
            format!(r#",{items},"default":"a""#),
            "/default: \"a\" is not a list. Use one such as [\"small\", \"large\"].".into(),
        ),
        (
            format!(r#",{items},"default":["a",5]"#),
            "/default/1: 5 is not valid. Use \"a\" or \"b\".".into(),
        ),
        (
            format!(r#",{items},"default":["a","c"]"#),
            "/default/1: \"c\" is not valid. Use \"a\" or \"b\".".into(),
        ),
        (
            format!(r#",{items},"default":["a","a"]"#),
            "/default/1: \"a\" is there twice. Keep one.".into(),
        ),
        (
            format!(r#",{items},"minItems":1,"default":[]"#),
            "/default: [] has too few items. Use at least 1 option.".into(),
        ),
        (
            format!(r#",{items},"contains":{{}}"#),
            "/contains: \"contains\" is not a keyword of a list. Use only items, minItems, maxItems, \
             uniqueItems, type, title, description, default."
                .into(),
        ),
    ] {
        let schema = schema(&format!(r#"{{"f":{{"type":"array"{field}}}}}"#));
        assert_eq!(refusal(&schema), format!("/form/properties/f{message}"));
    }
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
