//! The npm package: which token a caller means, and where its credential goes. Five lines, as `CallInput` has them.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::client::reference::{
    Action, CallInput, DEFAULT_BASE_URL, Reference, Target, claims,
};

fuzz_target!(|text: &str| {
    let _ = claims(text);
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let input = CallInput {
        token: line(),
        access_token: line(),
        base_url: line(),
        configured_access_token: line(),
        configured_base_url: line(),
    };
    for action in [Action::Complete, Action::Retrieve, Action::Wait] {
        let Ok(target) = Target::of(action, input) else {
            continue;
        };
        let reference = Reference::parse(input.token).unwrap();
        assert!(target.url.starts_with("https://") || target.url.starts_with("http://"));
        assert!(target.bearer.bytes().all(|byte| byte.is_ascii_graphic()));
        // A configured credential goes where the caller says, never where the token's URL points.
        let configured = input.configured_access_token;
        let is_own = input.access_token == configured || reference.credential == configured;
        if !configured.is_empty() && !is_own && target.bearer == configured {
            let bases = [input.base_url, input.configured_base_url, DEFAULT_BASE_URL];
            assert!(bases.iter().any(|base| {
                !base.is_empty()
                    && target
                        .url
                        .starts_with(base.strip_suffix('/').unwrap_or(base))
            }));
        }
    }
});
