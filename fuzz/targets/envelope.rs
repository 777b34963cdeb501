//! A command on its way to an object, which is read in its header or its body: what can be read arrives again.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::stored::envelope::{Envelope, read};
use waitpoint::domain::stored::line::Unreadable;

fuzz_target!(|bytes: &[u8]| {
    // A line that is none is in the body.
    let in_header = std::str::from_utf8(bytes).map(|line| read(line, b""));
    for got in [in_header.unwrap_or(Err(Unreadable)), read("", bytes)] {
        let Ok((command, context, text)) = got else {
            continue;
        };
        let has_context = context.is_some();
        let envelope: Envelope<Vec<u8>> = Envelope::new(&command, context, &text);
        let (header, body) = envelope.into_parts();
        assert_eq!(header.is_empty(), body.is_some());
        assert!(header.len() <= 4_000 && header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let (again, context, same) = read(&header, body.as_deref().unwrap_or_default()).unwrap();
        assert_eq!((context.is_some(), &same), (has_context, &text));
        assert_eq!(again.into_command(same), command.into_command(text));
    }
});
