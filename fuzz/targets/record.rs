//! The stored form of a token, and what an object answers: what can be read comes back as it was written.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::stored::record;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(token) = record::unpack_token(bytes) {
        let packed = record::pack_token(&token);
        assert_eq!(record::unpack_token(&packed).unwrap(), token);
    }
    if let Ok(answer) = record::Answer::from_bytes(bytes) {
        let again = record::Answer::from_bytes(&answer.to_bytes()).unwrap();
        assert_eq!(again.to_bytes(), answer.to_bytes());
    }
    if let Ok((command, text)) = record::unpack::<record::Command>(bytes) {
        let packed = record::pack(&command, &text);
        let (command, again) = record::unpack::<record::Command>(&packed).unwrap();
        assert_eq!(again, text);
        let _ = command.into_ask(text);
    }
});
