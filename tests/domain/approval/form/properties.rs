//! What holds for every form.
use proptest::collection::{hash_set, vec};
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};
use waitpoint::domain::approval::form::{FieldKind, Form};
use waitpoint::domain::approval::schema::minify_json;

/// A field's schema, what is sent to fill it in, and the value that this should make.
type Sample = (Value, Vec<String>, Option<Value>);

/// What a page keeps of a text.
fn kept(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim().to_owned()
}

fn text() -> impl Strategy<Value = Sample> {
    let of_length = |(min, more): (usize, usize)| {
        let text = proptest::string::string_regex(&format!(".{{{min},{}}}", min + more)).unwrap();
        (Just((min, min + more)), text)
    };
    let bounds = (1..5_usize, 0..20_usize);
    bounds.prop_flat_map(of_length).prop_filter_map(
        "what is trimmed may be too short",
        |((min, max), text)| {
            let schema = json!({"type": "string", "minLength": min, "maxLength": max});
            let kept = kept(&text);
            let fits = (min..=max).contains(&kept.chars().count());
            fits.then(|| (schema, vec![text.clone()], Some(json!(kept))))
        },
    )
}

fn format() -> impl Strategy<Value = Sample> {
    let day = (0..10_000_u32, 1..13_u32, 1..29_u32);
    let time = (0..24_u32, 0..60_u32);
    (day, time, "[a-z]{1,9}", 0..4).prop_map(|((year, month, day), (hour, minute), word, kind)| {
        let date = format!("{year:04}-{month:02}-{day:02}");
        let local = format!("{date}T{hour:02}:{minute:02}");
        let (format, sent, kept) = match kind {
            0 => ("email", format!("{word}@{word}.example"), None),
            1 => ("uri", format!("{word}://{word}"), None),
            2 => ("date", date, None),
            _ => ("date-time", local.clone(), Some(format!("{local}:00Z"))),
        };
        let kept = kept.unwrap_or_else(|| sent.clone());
        (
            json!({"type": "string", "format": format}),
            vec![sent],
            Some(json!(kept)),
        )
    })
}

fn number() -> impl Strategy<Value = Sample> {
    (-1_000_000..1_000_000_i64, 0..1_000_i64, 0..1_000_i64).prop_map(|(value, below, above)| {
        let schema = json!({"type": "integer", "minimum": value - below, "maximum": value + above});
        (
            schema,
            vec![format!(" {value}.0 ")],
            Some(json!(value as f64)),
        )
    })
}

fn boolean() -> impl Strategy<Value = Sample> {
    any::<bool>().prop_map(|is_ticked| {
        let sent = is_ticked.then(|| "true".to_owned());
        (
            json!({"type": "boolean"}),
            sent.into_iter().collect(),
            Some(json!(is_ticked)),
        )
    })
}

/// Values that nobody confuses.
fn values() -> impl Strategy<Value = Vec<String>> {
    hash_set(0..900_u32, 1..9).prop_map(|numbers| {
        let value = |number| format!("v{}", number + 100).replace(['0', '1'], "x");
        let values: std::collections::BTreeSet<_> = numbers.into_iter().map(value).collect();
        values.into_iter().collect()
    })
}

fn one() -> impl Strategy<Value = Sample> {
    (values(), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(values, at, is_titled)| {
        let sent = values[at.index(values.len())].clone();
        let titled = |value: &String| json!({"const": value, "title": value});
        let titled: Vec<_> = values.iter().map(titled).collect();
        let schema = match is_titled {
            true => json!({"type": "string", "oneOf": titled, "default": sent}),
            false => json!({"type": "string", "enum": values}),
        };
        (schema, vec![sent.clone()], Some(json!(sent)))
    })
}

fn many() -> impl Strategy<Value = Sample> {
    let chosen = |values: Vec<String>| {
        let all = values.len();
        (Just(values.clone()), subsequence(values, 1..=all))
    };
    values().prop_flat_map(chosen).prop_map(|(values, chosen)| {
        let items = json!({"type": "string", "enum": values});
        let schema =
            json!({"type": "array", "items": items, "minItems": chosen.len(), "default": chosen});
        (schema, chosen.clone(), Some(json!(chosen)))
    })
}

fn field() -> impl Strategy<Value = Sample> {
    prop_oneof![text(), format(), number(), boolean(), one(), many()]
}

/// The schema of these fields, each of which is required or not.
fn schema(samples: &[(Sample, bool)]) -> Value {
    let name = |index: usize| char::from(b'a' + index as u8).to_string();
    let named = samples.iter().enumerate();
    let properties: serde_json::Map<_, _> = (named.clone())
        .map(|(index, ((schema, ..), _))| (name(index), schema.clone()))
        .collect();
    let required: Vec<_> = named
        .filter(|(_, (_, is_required))| *is_required)
        .map(|(index, _)| name(index))
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// What the controls send so that a field has this value.
fn controls(value: &Value) -> Vec<String> {
    match value {
        Value::Bool(false) | Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(controls).collect(),
        other => vec![other.to_string()],
    }
}

fn send(form: &Form, sent: &[Vec<String>]) -> Result<String, Vec<usize>> {
    let values = |index: usize| -> Vec<&str> {
        let values = sent.get(index).into_iter().flatten();
        values.map(String::as_str).collect()
    };
    let json = form.fields_json(&values);
    json.map_err(|faults| faults.into_iter().map(|fault| fault.field).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_fits_the_form_becomes_fields_that_the_checker_accepts(
        samples in vec((field(), any::<bool>()), 1..8),
    ) {
        let schema = schema(&samples).to_string();
        let form = Form::parse(&schema).map_err(|why| TestCaseError::fail(why.to_string()))?;
        prop_assert_eq!(&Form::read(&schema), &form);
        let sent: Vec<_> = samples.iter().map(|((_, sent, _), _)| sent.clone()).collect();
        let json = send(&form, &sent);
        prop_assert!(json.is_ok(), "{schema} {sent:?}: {json:?}");
        let json = json.unwrap();
        prop_assert_eq!(form.check(Some(&json)), []);
        prop_assert_eq!(form.issues(&format!("{{\"fields\":{json}}}")), []);
        prop_assert_eq!(&minify_json(&json), &json);
        let fields: Value = serde_json::from_str(&json).unwrap();
        for (field, ((_, _, expected), _)) in form.fields.iter().zip(&samples) {
            prop_assert_eq!(fields.get(&field.name), expected.as_ref(), "{}", json);
        }
        // What was decided can be sent again.
        let again: Vec<_> = form.fields.iter().map(|field| controls(&fields[&field.name])).collect();
        prop_assert_eq!(send(&form, &again), Ok(json));
    }

    #[test]
    fn what_the_checker_refuses_cannot_be_sent(
        samples in vec((field(), any::<bool>()), 1..6),
        sent in vec(vec(prop_oneof![".{0,12}", "[-+.0-9e]{1,5}", "v[2-9x]{3}", Just("true".to_owned())], 0..3), 6),
    ) {
        let form = Form::parse(&schema(&samples).to_string()).unwrap();
        match send(&form, &sent) {
            Ok(json) => {
                prop_assert_eq!(form.check(Some(&json)), []);
                prop_assert_eq!(form.issues(&format!("{{\"fields\":{json}}}")), []);
            }
            Err(faults) => {
                // The same values by the API, as far as they are JSON of the field's type.
                let mut fields = serde_json::Map::new();
                for (index, field) in form.fields.iter().enumerate() {
                    let chosen: Vec<_> = sent[index].iter().filter(|it| !it.is_empty()).collect();
                    let text = sent[index].first().map_or(String::new(), |text| kept(text));
                    let value = match field.kind {
                        FieldKind::Boolean { .. } => json!(sent[index].iter().any(|it| it == "true")),
                        FieldKind::Many { .. } if !chosen.is_empty() => json!(chosen),
                        FieldKind::One { .. } => match sent[index].first() {
                            Some(value) if !value.is_empty() => json!(value),
                            _ => continue,
                        },
                        FieldKind::Text { .. } | FieldKind::Number { .. } if !text.is_empty() => json!(text),
                        _ => continue,
                    };
                    fields.insert(field.name.clone(), value);
                }
                let found = form.check(Some(&Value::Object(fields).to_string()));
                let found: Vec<_> = found.into_iter().map(|fault| fault.field).collect();
                for fault in faults {
                    prop_assert!(found.contains(&fault), "{fault}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn no_text_panics(schema in ".{0,60}", output in ".{0,60}") {
        let _ = Form::parse(&schema);
        prop_assert_eq!(Form::read(&schema), Form::default());
        let _ = Form::default().issues(&output);
    }
}
