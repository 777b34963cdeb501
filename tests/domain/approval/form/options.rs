//! Which options a field may have.
use super::{form_of, refusal, schema};
use waitpoint::domain::approval::form::MAX_OPTIONS;

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
