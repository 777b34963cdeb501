//! The fields of an approval's form on the page.
use super::*;
use waitpoint::domain::approval::form::{FaultReason, FieldFault};
use waitpoint::domain::page::{approval_of, compare, decide};

fn fresh(approval: &str) -> String {
    opened(&waiting(approval), Reads::Everything)
}

#[test]
fn each_kind_of_field_has_its_control() {
    let page = fresh(EACH);
    assert_has(
        &page,
        &[
            r#"<label for="field-0"><bdi lang="">Your name</bdi></label><span class="hint" id="field-0-rule">Use at least 2 characters.</span>"#,
            r#"<input type="text" id="field-0" name="field-0" value="Ann" autocomplete="off" dir="auto" minlength="2" required aria-describedby="field-0-rule">"#,
            r#"<bdi lang="">why</bdi> <span>(optional)</span></label><span class="hint" id="field-1-hint"><bdi lang="">In short.</bdi></span>"#,
            r#"<textarea id="field-1" name="field-1" rows="2" dir="auto" autocomplete="off" aria-describedby="field-1-hint">"#,
            r#"<input type="email" id="field-2" name="field-2" value="" autocomplete="off" dir="auto">"#,
            r#"<input type="url" id="field-3""#,
            r#"<input type="date" id="field-4" name="field-4" value="" autocomplete="off" required>"#,
            r#"id="field-5-rule">The time is in UTC.<"#,
            r#"<input type="datetime-local" id="field-5" name="field-5" value="2027-02-01T12:30" autocomplete="off" step="any" aria-describedby="field-5-rule">"#,
            r#"<input type="number" id="field-6" name="field-6" value="12.50" autocomplete="off" inputmode="decimal" step="any" min="0" max="99.5">"#,
            r#"<input type="number" id="field-7" name="field-7" value="" autocomplete="off" step="1" min="-2">"#,
            r#"<input type="checkbox" id="field-8" name="field-8" value="true" autocomplete="off" checked> <bdi lang="">urgent</bdi></label>"#,
            r#"<fieldset class="field" role="radiogroup"><legend><bdi lang="">size</bdi></legend>"#,
            r#"<input type="radio" id="field-9" name="field-9" value="0" autocomplete="off" required> <bdi lang="">S</bdi>"#,
            r#"<input type="radio" id="field-9-1" name="field-9" value="1""#,
            r#"<select id="field-10" name="field-10" lang="" autocomplete="off"><option value=""></option><option value="0" dir="auto">Plan A</option><option value="1" dir="auto" selected>Plan B</option></select>"#,
            r#"<fieldset class="field" aria-describedby="field-11-rule"><legend><bdi lang="">teams</bdi> <span>(optional)</span></legend><span class="hint" id="field-11-rule">Choose at most 2.</span>"#,
            r#"<input type="checkbox" id="field-11" name="field-11" value="0" autocomplete="off"> <bdi lang="">ops</bdi>"#,
            r#"name="field-11" value="1" autocomplete="off" checked> <bdi lang="">legal</bdi>"#,
            r#"value="1" formnovalidate>"#,
        ],
    );
    // Enter in a field presses the first button, which decides nothing.
    let form = page.split("<form").nth(1).unwrap();
    let first = form.split("<button").nth(1).unwrap();
    assert!(first.starts_with(" disabled hidden>"), "{first}");
    assert!(!page.contains("maxlength"), "it would cut what is pasted");
}

#[test]
fn where_one_button_sends_all_choices_the_browser_requires_no_field() {
    let page = fresh(&EACH.replacen('{', r#"{"confirm":"choose","comment":"none","#, 1));
    assert_eq!(
        page.matches(" required").count(),
        2,
        "the choice itself: {page}"
    );
    for strict in [
        "min=",
        "max=",
        "minlength",
        r#"type="email""#,
        r#"type="url""#,
        r#"step="1""#,
    ] {
        assert!(!page.contains(strict), "{strict}: {page}");
    }
    assert_has(
        &page,
        &[
            r#"type="text" id="field-2" name="field-2" value="" autocomplete="off" dir="auto" inputmode="email""#,
        ],
    );
}

#[test]
fn a_number_is_never_caught_between_steps() {
    for (number, step) in [
        (r#"{"type":"integer","minimum":1}"#, "1"),
        (r#"{"type":"integer","minimum":1e1}"#, "any"),
        (r#"{"type":"number"}"#, "any"),
    ] {
        let page = fresh(&format!(
            r#"{{"form":{{"type":"object","properties":{{"n":{number}}}}}}}"#
        ));
        assert_has(&page, &[&format!(r#" step="{step}""#)]);
    }
    let token = waiting(r#"{"form":{"type":"object","properties":{"n":{"type":"integer"}}}}"#);
    let page = form_again(&token, &filled("0", &[(0, &["1.5"])]), &FormError::Stale);
    assert_has(&page, &[r#"value="1.5" autocomplete="off" step="any""#]);
}

#[test]
fn what_was_sent_is_kept_and_a_removed_default_does_not_return() {
    let token = waiting(EACH);
    let page = form_again(&token, &filled("0", &[]), &FormError::Stale);
    assert!(
        !page.contains("Ann") && !page.contains(" checked") && !page.contains("12.50"),
        "{page}"
    );
    assert_has(
        &page,
        &[
            r#"<option value="" selected></option>"#,
            r#"name="field-5" value="""#,
        ],
    );

    let sent = filled(
        "0",
        &[
            (0, &["B\"ob", "zweiter"]),
            (1, &["two\r\nlines </textarea>"]),
            (5, &["2027-03-01T10:00"]),
            (6, &["1e3"]),
            (8, &["true"]),
            (9, &["1"]),
            (10, &["0"]),
            (11, &["0", "2", "2", "77"]),
            (19, &["no such field"]),
        ],
    );
    let page = form_again(&token, &sent, &FormError::Stale);
    assert_has(
        &page,
        &[
            r#"value="B&#34;ob""#,
            "\ntwo\r\nlines &#60;/textarea&#62;</textarea>",
            r#"value="2027-03-01T10:00""#,
            r#"value="1e3""#,
            r#"value="true" autocomplete="off" checked"#,
            r#"id="field-9-1" name="field-9" value="1" autocomplete="off" checked"#,
            r#"<option value="0" dir="auto" selected>Plan A"#,
            r#"id="field-11" name="field-11" value="0" autocomplete="off" checked"#,
            r#"id="field-11-2" name="field-11" value="2" autocomplete="off" checked"#,
        ],
    );
    assert!(!page.contains("zweiter") && !page.contains("no such field"));
}

#[test]
fn a_choice_sends_the_fields_or_none() {
    let approval = approval_of(&waiting(EACH), en());
    let fields: &[(usize, &[&str])] = &[
        (0, &["Bob"]),
        (4, &["2027-02-01"]),
        (5, &["2027-02-01T08:00"]),
        (9, &["1"]),
        (11, &["2", "0"]),
    ];
    assert_eq!(
        decide(&approval, &filled("0", fields)).as_deref(),
        Ok(
            r#"{"choice":"Yes","fields":{"name":"Bob","day":"2027-02-01","at":"2027-02-01T08:00:00Z","urgent":false,"size":"M","teams":["finance","ops"]}}"#
        )
    );
    assert_eq!(
        decide(&approval, &filled("1", &[])).as_deref(),
        Ok(r#"{"choice":"No"}"#)
    );
    assert!(decide(&approval, &filled("0", &[])).is_err());
}

#[test]
fn an_option_is_known_by_its_place_not_by_its_words() {
    let json = r#"{"form":{"type":"object","required":["o"],"properties":{
        "o":{"type":"string","oneOf":[{"const":"1","title":"one"},{"const":"a\r\n <\u0001","title":"odd"}]}}}}"#;
    let approval = approval_of(&waiting(json), en());
    let chosen = |value: &str| decide(&approval, &filled("0", &[(0, &[value])]));
    assert_eq!(
        chosen("0").unwrap(),
        r#"{"status":"approved","fields":{"o":"1"}}"#
    );
    assert!(chosen("1").unwrap().contains(r"a\r\n <\u0001"));
    let no_option = FieldFault {
        field: 0,
        why: FaultReason::NotAnOption,
    };
    for other in ["2", "-1", "99999999999999999999", "x"] {
        assert_eq!(
            chosen(other),
            Err(vec![InputFault::Field(no_option.clone())]),
            "{other}"
        );
    }
}

#[test]
fn a_decision_shows_what_was_filled_in() {
    let output = r#"{"choice":"Yes","fields":{"name":"<Bob>","why":"a\nb","at":"2027-02-01T08:00:00Z",
        "amount":1.50,"urgent":false,"size":"M","plan":"b","teams":["ops","finance"]}}"#;
    let decided = |output| Token {
        approval: Some(EACH.to_owned()),
        ..completed(output, CompletedBy::Page, None)
    };
    let page = opened(&decided(output), Reads::Everything);
    let field = |label: &str, value: &str| {
        format!(r#"<dt><bdi lang="">{label}</bdi></dt><dd class="text"><bdi>{value}</bdi></dd>"#)
    };
    for (label, value) in [
        ("Your name", "&#60;Bob&#62;"),
        ("why", "a\nb"),
        ("amount", "1.50"),
        ("urgent", "No"),
        ("size", "M"),
        ("plan", "Plan B"),
        ("teams", "ops\nfinance"),
    ] {
        assert_has(&page, &[&field(label, value)]);
    }
    assert_has(&page, &[r#"<time datetime="2027-02-01T08:00:00.000Z">"#]);
    assert!(!page.contains(">mail<"), "what was left empty is left out");
    for reads in [Reads::Question, Reads::Nothing] {
        assert!(!opened(&decided(output), reads).contains("Bob"));
    }
    // Other fields are another decision, not another comment.
    let token = decided(
        r#"{"choice":"Yes","fields":{"name":"Bob","day":"2027-02-01","urgent":false,"size":"M"}}"#,
    );
    let approval = approval_of(&token, en());
    let compared = |name| {
        let sent = filled("0", &[(0, &[name]), (4, &["2027-02-01"]), (9, &["1"])]);
        compare(&token, &approval, &sent)
    };
    assert_eq!(compared("Bob"), None);
    assert_eq!(compared("Ann"), Some(NotRecorded::AlreadyDecided));
}

#[test]
fn what_is_written_in_a_form_stays_in_its_place() {
    let page = |evil: &str| {
        let text = serde_json::json!({"type": "string", "title": evil, "description": evil,
            "maxLength": 150, "default": evil});
        let one = serde_json::json!({"type": "string", "title": evil,
            "oneOf": [{"const": evil, "title": evil}, {"const": "2"}]});
        let many = serde_json::json!({"type": "array", "title": evil,
            "items": {"anyOf": [{"const": evil, "title": evil}, {"const": "2"}]}});
        let bool = serde_json::json!({"type": "boolean", "title": evil});
        let json = serde_json::json!({"form": {"type": "object", "required": ["d"], "properties":
            {evil: text, "b": one, "c": many, "d": one, "e": bool}}});
        let token = waiting(&json.to_string());
        let sent: Vec<(usize, &[&str])> = vec![];
        let faults = (0..5).map(|field| {
            InputFault::Field(FieldFault {
                field,
                why: FaultReason::TooSmall(evil.into()),
            })
        });
        let typed = filled("0", &[(0, &[evil]), (1, &[evil])]);
        let fresh = opened(&token, Reads::Everything);
        let again = form_again(&token, &typed, &FormError::Input(faults.collect()));
        let kept = form_again(&token, &filled("0", &sent), &FormError::Stale);
        [fresh, again, kept].concat()
    };
    let tags = |page: &str| (page.matches('<').count(), page.matches('"').count());
    let evil =
        r#""'><script>alert(1)</script><img src=x onerror=x> {{7*7}} </textarea></select>&lt;"#;
    assert_eq!(tags(&page(evil)), tags(&page("x")));
    assert!(page("pay\u{202e}1\t000\u{200b}€").contains(">pay1 000€<"));
}
