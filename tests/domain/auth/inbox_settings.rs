//! The settings of the inbox.
use waitpoint::domain::auth::inbox_settings::SignInBy;

const TEAM: &str = "example.cloudflareaccess.com";
const TAG: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

#[test]
fn the_inbox_is_off_unless_it_is_on() {
    for off in ["", " ", "off", " off\n"] {
        // The other settings wait until it is on.
        for (team, tags) in [("", ""), (TEAM, TAG), ("ftp://x", "a=b=c=")] {
            let settings = SignInBy::parse(off, team, tags);
            assert_eq!(settings, Ok(None), "{off:?}");
        }
    }
    let on = SignInBy::parse(" on ", " ", "\n");
    assert_eq!(on, Ok(Some(SignInBy::SecretKey)));
    for other in ["On", "ON", "true", "1", "yes", "on off", "\"on\""] {
        let why = SignInBy::parse(other, "", "").unwrap_err();
        let named = format!("{other:?}");
        assert!(why.contains(&named) && why.contains("\"on\""), "{why}");
    }
}

#[test]
fn access_has_an_issuer_and_an_audience_for_each_environment() {
    for (team, issuer) in [
        (TEAM, "https://example.cloudflareaccess.com"),
        (
            "https://example.cloudflareaccess.com",
            "https://example.cloudflareaccess.com",
        ),
        (
            " https://example.cloudflareaccess.com/ ",
            "https://example.cloudflareaccess.com",
        ),
        ("login.example.com", "https://login.example.com"),
        ("http://127.0.0.1:8788", "http://127.0.0.1:8788"),
        ("http://localhost:8788/", "http://localhost:8788"),
    ] {
        let tags = format!("{TAG}\nprod=abc");
        let Ok(Some(SignInBy::Access(access))) = SignInBy::parse("on", team, &tags) else {
            panic!("{team}");
        };
        assert_eq!(access.issuer, issuer);
        let certificates = format!("{issuer}/cdn-cgi/access/certs");
        assert_eq!(access.certificates_url(), certificates);
        let environments: Vec<_> = access.environments().collect();
        assert_eq!(environments, ["default", "prod"]);
    }
}

#[test]
fn one_setting_of_access_without_the_other_is_an_error() {
    for (team, tags) in [(TEAM, ""), (TEAM, " \n"), ("", TAG), ("/", TAG)] {
        let why = SignInBy::parse("on", team, tags).unwrap_err();
        assert!(why.contains("ACCESS_TEAM_DOMAIN and ACCESS_AUD"), "{why}");
    }
}

#[test]
fn a_team_is_a_secure_origin() {
    for team in [
        "http://example.cloudflareaccess.com",
        "ftp://example.cloudflareaccess.com",
        "://example.cloudflareaccess.com",
        "https://",
        "https://example.cloudflareaccess.com/cdn-cgi",
        "example.cloudflareaccess.com/cdn-cgi/access/certs",
        "https://user@example.cloudflareaccess.com",
        "https://example.cloudflareaccess.com?x",
        "https://example.cloudflareaccess.com#x",
        "https://exa mple.com",
        "https://example.com\\evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "http://localhost:8788/path",
        "https://example.com:port",
    ] {
        let why = SignInBy::parse("on", team, TAG).unwrap_err();
        assert!(why.contains("ACCESS_TEAM_DOMAIN is"), "{team}: {why}");
        let named = format!("{team:?}");
        assert!(why.contains(&named) && why.contains(TEAM), "{why}");
    }
}

#[test]
fn an_audience_belongs_to_one_environment() {
    for (tags, line) in [
        ("a b", 1),
        ("not an environment=tag", 1),
        ("one\n\n=tag", 3),
        ("#comment", 1),
    ] {
        let why = SignInBy::parse("on", TEAM, tags).unwrap_err();
        let found = why.contains(&format!("line {line} of ACCESS_AUD"));
        assert!(found, "{tags:?}: {why}");
        assert!(!why.contains("tag\n"), "{why}");
    }
    for tags in ["tag\nprod=tag", "prod=tag\nprod=tag", "a=tag\nb=x\nc=tag"] {
        let why = SignInBy::parse("on", TEAM, tags).unwrap_err();
        assert!(why.contains("another line"), "{tags:?}: {why}");
    }
    // An environment may have several applications.
    assert!(SignInBy::parse("on", TEAM, "prod=one\nprod=two").is_ok());
}
