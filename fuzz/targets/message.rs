//! A command on its way to an object, which is read in its header or its body: what can be read arrives again.
#![no_main]
use libfuzzer_sys::fuzz_target;
// A module of the Worker and the record, but all that they need is these.
use waitpoint::{delivery, time, token};

#[allow(dead_code, reason = "the Worker uses the rest of it")]
#[path = "../../src/worker/message.rs"]
mod message;
#[allow(dead_code, reason = "the Worker uses the rest of it")]
#[path = "../../src/worker/record.rs"]
mod record;

use message::{Message, read};

fuzz_target!(|bytes: &[u8]| {
    // A line that is none is in the body.
    let in_header = std::str::from_utf8(bytes).map(|line| read(line, b""));
    for got in [
        in_header.unwrap_or(Err(record::Unreadable)),
        read("", bytes),
    ] {
        let Ok((command, viewer, text)) = got else {
            continue;
        };
        let told = viewer.is_some();
        let message: Message<Vec<u8>> = match viewer {
            None => Message::new(&command, &text),
            Some(viewer) => Message::to_tell(&command, viewer, &text),
        };
        let (line, body) = message.into_parts();
        assert_eq!(line.is_empty(), body.is_some());
        assert!(line.len() <= 4_000 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let (again, viewer, same) = read(&line, body.as_deref().unwrap_or_default()).unwrap();
        assert_eq!((viewer.is_some(), &same), (told, &text));
        assert_eq!(again.into_ask(same), command.into_ask(text));
    }
});
