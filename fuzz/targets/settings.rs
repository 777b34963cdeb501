//! Settings of one entry a line: `SECRET_KEYS`, `WEBHOOK_URL`, `WEBHOOK_SECRET` and `UPSTREAM`, and then
//! `WEBHOOK_EVENTS`, with a NUL between.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::relay::settings::Upstreams;
use waitpoint::domain::token::event::{EventName, EventSet};
use waitpoint::domain::webhook::settings::{SettingsError, Webhooks};
use waitpoint::domain::webhook::url::URL_FORMS;

fuzz_target!(|text: &str| {
    let mut settings = text.split('\0');
    let mut next = || settings.next().unwrap_or("");
    let (keys, urls, secrets, upstreams) = (next(), next(), next(), next());
    let events = next();

    let keyring = Keyring::parse(keys);
    if let Ok(keyring) = &keyring {
        for line in lines(keys) {
            let key = line.split_once('=').map_or(line, |(_, key)| key);
            let environment = keyring.by_secret(key).or(keyring.by_secret(line)).unwrap();
            assert!(keyring.by_id(&environment.id).is_some());
        }
    }
    let webhooks = Webhooks::parse(urls, secrets, events);
    if let Ok(webhooks) = &webhooks {
        let is_wanted = |name: &EventName| events.contains(name.as_str());
        assert_eq!(
            EventName::ALL.map(|name| webhooks.events().has(name)),
            if events.split(',').all(|name| name.trim().is_empty()) {
                EventName::ALL.map(|name| EventSet::ENDS.has(name))
            } else {
                EventName::ALL.map(|name| is_wanted(&name))
            }
        );
        let signs = |line: &str| {
            let id = line.split_once("=whsec_").map_or("default", |(id, _)| id);
            webhooks
                .sign(id, "msg", 0, b"{}")
                .is_some_and(|header| header.starts_with("v1,"))
        };
        assert!(lines(secrets).all(signs));
        assert!(lines(urls).next().is_none() || lines(secrets).next().is_some());
    }
    let relays = Upstreams::parse(upstreams);
    if let Ok(relays) = &relays {
        assert_eq!(relays.environments().count(), lines(upstreams).count());
        for id in relays.environments() {
            let url = relays.of(id).unwrap();
            assert!(url.starts_with("https://") || url.starts_with("http://"));
            assert!(!url.ends_with('/'), "{url}");
            // Addresses, and what a name in punycode stands for, are not looked at.
            let (_, rest) = url.split_once("://").unwrap();
            let authority = rest.split('/').next().unwrap();
            let (host, _) = authority.rsplit_once(':').unwrap_or((authority, ""));
            let last = host.trim_end_matches('.').rsplit('.').next().unwrap();
            if last.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_punycode(host) {
                assert!(url::Url::parse(url).is_ok(), "{url}");
            }
        }
    }

    // What is wrong with a setting is said without what it holds. The names of events are no secret, and
    // an unknown one is quoted.
    let quotes = |why: &SettingsError| matches!(why, SettingsError::Event(_));
    let said = [
        keyring.err().map(|why| why.to_string()),
        (webhooks.err().filter(|why| !quotes(why))).map(|why| why.to_string()),
        relays.err().map(|why| why.to_string()),
    ];
    let texts = [keys, urls, secrets, upstreams];
    let secret = |line: &&str| line.len() >= 24 && !line.contains(char::is_whitespace);
    for sentence in said.iter().flatten() {
        // Its examples may be what the setting holds.
        let sentence = sentence.replace(URL_FORMS, "");
        let sentence = sentence.replace("https://api.trigger.dev", "");
        assert!(
            texts
                .into_iter()
                .flat_map(lines)
                .filter(secret)
                .all(|line| !sentence.contains(line))
        );
    }
});

fn is_punycode(host: &str) -> bool {
    host.to_ascii_lowercase().contains("xn--")
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}
