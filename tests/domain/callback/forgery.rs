//! Callbacks that no secret signed.
use super::verify::{Example, examples};
use proptest::prelude::*;
use waitpoint::domain::callback::verify::{Scheme, VerifyError};

fn refused(example: &Example, why: &str) {
    assert!(example.verify().is_err(), "{:?}: {why}", example.scheme);
}

#[test]
fn every_byte_of_the_body_is_signed() {
    for example in examples() {
        // Of a form Twilio signs the fields, not the bytes.
        if example.fields.is_some() {
            continue;
        }
        for at in 0..example.body.len() {
            let mut forged = example.clone();
            forged.body[at] ^= 1;
            assert_eq!(forged.verify(), Err(VerifyError::Mismatch), "{at}");
            forged = example.clone();
            forged.body.truncate(at);
            assert_eq!(forged.verify(), Err(VerifyError::Mismatch), "{at}");
        }
        let mut forged = example.clone();
        forged.body.push(b' ');
        assert_eq!(forged.verify(), Err(VerifyError::Mismatch));
    }
}

#[test]
fn every_character_of_a_signature_counts() {
    for example in examples() {
        for header in 0..example.headers.len() {
            let (name, value) = example.headers[header].clone();
            for (at, letter) in value.char_indices() {
                let mut forged = example.clone();
                let other = if letter == '2' { "3" } else { "2" };
                forged.headers[header].1 = format!("{}{other}{}", &value[..at], &value[at + 1..]);
                // The name of the scheme's header may be changed to one that is not read.
                refused(&forged, &format!("{name}: {}", forged.headers[header].1));
                forged.headers[header].1 = value[..at].to_owned();
                // The padding of base64 may be missing as a whole.
                if !value[at..].chars().all(|letter| letter == '=') {
                    refused(&forged, &format!("{name}: {}", forged.headers[header].1));
                }
            }
            let mut forged = example.clone();
            forged.headers[header].1 = format!("{value}0");
            refused(&forged, "longer");
            forged.headers.remove(header);
            assert_eq!(forged.verify(), Err(VerifyError::MissingHeader), "{name}");
        }
    }
}

#[test]
fn every_field_and_the_url_are_signed_by_twilio() {
    let signed = examples()
        .into_iter()
        .filter(|one| one.scheme == Scheme::Twilio);
    for example in signed {
        for at in 0..example.url.len() {
            let mut forged = example.clone();
            let other = if &example.url[at..=at] == "2" {
                "3"
            } else {
                "2"
            };
            forged.url.replace_range(at..=at, other);
            refused(&forged, &forged.url);
        }
        for field in 0..example.fields.as_ref().map_or(0, Vec::len) {
            let mut forged = example.clone();
            let fields = forged.fields.as_mut().unwrap();
            fields[field].1.push('1');
            refused(&forged, "a value is longer");
            let fields = forged.fields.as_mut().unwrap();
            fields.remove(field);
            refused(&forged, "a field is missing");
            let fields = forged.fields.as_mut().unwrap();
            fields.clone_from(example.fields.as_ref().unwrap());
            fields.push(("z".to_owned(), "1".to_owned()));
            refused(&forged, "a field more");
        }
    }
}

#[test]
fn another_secret_or_scheme_has_not_signed() {
    for example in examples() {
        for secret in [
            "whsec_AAAAAAAAAAAAAAAA".to_owned(),
            format!("{} ", example.secrets[0]),
            format!("{}BBBB", example.secrets[0]),
        ] {
            let secrets = vec![secret];
            let forged = Example {
                secrets,
                ..example.clone()
            };
            refused(&forged, "another secret");
        }
        for other in examples() {
            if std::mem::discriminant(&other.scheme) != std::mem::discriminant(&example.scheme) {
                let scheme = other.scheme;
                let forged = Example {
                    scheme,
                    ..example.clone()
                };
                refused(&forged, "the scheme of others");
            }
        }
    }
}

#[test]
fn nonsense_in_a_header_is_refused() {
    let long = "v1,AAAA ".repeat(10_000);
    for example in examples() {
        for nonsense in [
            "", " ", ",", "=", "v1,", "v1=", "t=", "sha256=", "é", "\0", "t=1,v1=", &long,
        ] {
            for header in 0..example.headers.len() {
                // An id may be any text, so that it is the signature that does not fit.
                let mut forged = example.clone();
                forged.headers[header].1 = nonsense.to_owned();
                refused(&forged, nonsense);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_header_or_body_verifies_by_chance(text in any::<String>(), which in 0_usize..10) {
        let example = &examples()[which];
        for header in 0..example.headers.len() {
            let mut forged = example.clone();
            forged.headers[header].1.clone_from(&text);
            prop_assert!(forged.verify().is_err());
            forged = example.clone();
            forged.url.clone_from(&text);
            prop_assert!(example.scheme != Scheme::Twilio || forged.verify().is_err());
        }
    }
}
