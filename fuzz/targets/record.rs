//! The stored form of a token, and what Worker and object say to each other: what can be read comes
//! back as it was written.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::stored::line::{pack, unpack};
use waitpoint::domain::stored::message::{CommandMessage, TokenReply};
use waitpoint::domain::stored::record::{pack_record, unpack_record};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = unpack_record(bytes) {
        assert_eq!(unpack_record(&pack_record(&record)).unwrap(), record);
    }
    if let Ok(reply) = TokenReply::from_bytes(bytes) {
        let again = TokenReply::from_bytes(&reply.to_bytes()).unwrap();
        assert_eq!(again.to_bytes(), reply.to_bytes());
    }
    if let Ok((command, text)) = unpack::<CommandMessage>(bytes) {
        let (again, same) = unpack::<CommandMessage>(&pack(&command, &text)).unwrap();
        assert_eq!(same, text);
        assert_eq!(again.into_command(same), command.into_command(text));
    }
});
