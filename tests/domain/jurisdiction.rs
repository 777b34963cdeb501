//! The setting `JURISDICTION`.
use waitpoint::domain::jurisdiction::Jurisdictions;

fn entries(text: &str) -> Vec<(String, &'static str)> {
    let jurisdictions = Jurisdictions::parse(text).unwrap();
    let entries = jurisdictions.entries();
    entries.map(|(id, name)| (id.to_owned(), name)).collect()
}

#[test]
fn environments_have_jurisdictions_of_their_own() {
    assert_eq!(entries(" \n"), []);
    assert_eq!(entries("eu"), [("default".to_owned(), "eu")]);
    assert_eq!(
        entries("fedramp\r\n\n prod=eu \nstaging=us\nstate=fedramp-high"),
        [
            ("default".to_owned(), "fedramp"),
            ("prod".to_owned(), "eu"),
            ("staging".to_owned(), "us"),
            ("state".to_owned(), "fedramp-high"),
        ]
    );
}

fn sentence(value: &str, line: usize, reason: &str) -> String {
    format!(
        "\"{value}\" in line {line} of JURISDICTION is {reason}. Use one [environment=]jurisdiction \
         per environment, with eu, us, fedramp or fedramp-high."
    )
}

#[test]
fn a_bad_line_is_named_with_what_would_do() {
    for (bad, value) in [
        ("europe", "europe"),
        ("EU", "EU"),
        ("prod=", "prod="),
        ("prod=weur", "weur"),
        ("my prod=eu", "my prod=eu"),
        ("prod:eu", "prod:eu"),
        ("eu,us", "eu,us"),
    ] {
        let why = Jurisdictions::parse(&format!("staging=us\n\n{bad}\nlate=eu")).unwrap_err();
        assert_eq!(why, sentence(value, 3, "not a jurisdiction"));
    }
}

#[test]
fn an_environment_is_in_one_jurisdiction() {
    for (text, value) in [("eu\ndefault=us", "us"), ("default=eu\neu", "eu")] {
        let why = Jurisdictions::parse(text).unwrap_err();
        assert_eq!(why, sentence(value, 2, "the second one of its environment"));
    }
}
