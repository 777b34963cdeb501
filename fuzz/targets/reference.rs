//! The npm package: which token a caller means, and where its credential goes. Five lines, as `Given` says.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::client::reference::{Action, DEFAULT_BASE_URL, Given, Reference, Target, claims};

fuzz_target!(|text: &str| {
    let _ = claims(text);
    let given = Given::from_lines(text);
    for action in [Action::Complete, Action::Retrieve, Action::Wait] {
        let Ok(target) = Target::of(action, given) else {
            continue;
        };
        let reference = Reference::parse(given.token).unwrap();
        assert!(target.url.starts_with("https://") || target.url.starts_with("http://"));
        assert!(target.bearer.bytes().all(|byte| byte.is_ascii_graphic()));
        // A configured credential goes where the caller says, never where the token's URL points.
        let configured = given.configured_access_token;
        let is_own = given.access_token == configured || reference.credential == configured;
        if !configured.is_empty() && !is_own && target.bearer == configured {
            let bases = [given.base_url, given.configured_base_url, DEFAULT_BASE_URL];
            assert!(bases.iter().any(|base| {
                !base.is_empty()
                    && target
                        .url
                        .starts_with(base.strip_suffix('/').unwrap_or(base))
            }));
        }
    }
});
