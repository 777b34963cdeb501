//! The stored form of a token, and what an object answers: what can be read comes back as it was written.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::stored::line::{pack, unpack};
use waitpoint::domain::stored::message::{CommandMessage, TokenReply};
use waitpoint::domain::stored::record::{pack_record, unpack_record};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = unpack_record(bytes) {
        let packed = pack_record(&record);
        assert_eq!(unpack_record(&packed).unwrap(), record);
    }
    if let Ok(reply) = TokenReply::from_bytes(bytes) {
        let again = TokenReply::from_bytes(&reply.to_bytes()).unwrap();
        assert_eq!(again.to_bytes(), reply.to_bytes());
    }
    if let Ok((command, text)) = unpack::<CommandMessage>(bytes) {
        let packed = pack(&command, &text);
        let (command, again) = unpack::<CommandMessage>(&packed).unwrap();
        assert_eq!(again, text);
        let _ = command.into_command(text);
    }
});
