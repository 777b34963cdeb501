//! The keys of agents, by environment.
use super::{KEY, OTHER, keyring};
use waitpoint::domain::auth::agent_keys::{AgentKeys, AgentKeysError};

const AGENT: &str = "agent_key_0123456789abcdefgh";
const SECOND: &str = "agent_key_of_env_2_012345678";

fn parse(text: &str) -> Result<AgentKeys, AgentKeysError> {
    AgentKeys::parse(text, "", &keyring(&format!("{KEY}\nenv_2={OTHER}")))
}

#[test]
fn a_key_has_the_environment_of_its_line() {
    let keys = parse(&format!("{AGENT}\n\nenv_2={SECOND}\n")).unwrap();
    assert_eq!(keys.find(AGENT), Some(("default", 0)));
    assert_eq!(keys.find(SECOND), Some(("env_2", 1)));
    for other in ["", KEY, OTHER, "agent_key_0123456789abcdefg", "env_2"] {
        assert_eq!(keys.find(other), None, "{other}");
    }
    assert_eq!(parse("").unwrap().find(""), None);
}

#[test]
fn what_is_wrong_is_said_by_its_line() {
    use AgentKeysError::{Shared, TooShort, Unknown};
    for (text, error) in [
        ("short".to_owned(), TooShort(1)),
        (format!("{AGENT}\nenv_2=short"), TooShort(2)),
        (format!("env_3={AGENT}"), Unknown(1, "env_3".to_owned())),
        (format!("{AGENT}\n{AGENT}"), Shared(2)),
        (format!("{AGENT}\nenv_2={AGENT}"), Shared(2)),
        (KEY.to_owned(), Shared(1)),
        (format!("env_2={KEY}"), Shared(1)),
    ] {
        let found = parse(&text).err();
        assert_eq!(found.as_ref(), Some(&error), "{text}");
        let told = error.to_string();
        assert!(told.contains("AGENT_KEYS") && !told.contains(AGENT) && !told.contains(KEY));
    }
}

#[test]
fn links_are_given_only_if_the_operator_says_so() {
    let parse = |links| AgentKeys::parse(AGENT, links, &keyring(KEY));
    for (links, may) in [("", false), ("off", false), (" on\n", true)] {
        assert_eq!(parse(links).unwrap().may_have_links, may, "{links}");
    }
    for links in ["yes", "ON", "true"] {
        let error = parse(links).err().unwrap();
        assert_eq!(error, AgentKeysError::Links(links.to_owned()));
        assert!(error.to_string().contains("AGENT_LINKS"), "{error}");
    }
}
