//! Paths, methods and ids.
use proptest::prelude::*;
use waitpoint::domain::api::route::{Endpoint, InboxPath, inbox_page, is_of_another_api};
use waitpoint::domain::auth::token_id::internal_id;

const ID: &str = "waitpoint_cmabcdefghijklmnopqrstuvw";
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"];

#[test]
fn each_path_has_its_endpoint_and_its_methods() {
    let tokens = "/api/v1/waitpoints/tokens";
    let run = format!("/engine/v1/runs/run_1/waitpoints/tokens/{ID}/wait");
    for (path, endpoint, allow) in [
        ("/", Endpoint::Start, "GET, HEAD"),
        ("/openapi.json", Endpoint::OpenApi, "GET, HEAD"),
        ("/healthz", Endpoint::Health, "GET, HEAD"),
        (tokens, Endpoint::Tokens, "GET, HEAD, POST"),
        (
            &format!("{tokens}/{ID}"),
            Endpoint::Token { id: ID },
            "GET, HEAD, OPTIONS",
        ),
        (
            &format!("{tokens}/{ID}/complete"),
            Endpoint::Complete { id: ID },
            "POST, OPTIONS",
        ),
        (
            &format!("{tokens}/{ID}/callback/a.b.c"),
            Endpoint::Callback {
                id: ID,
                credential: "a.b.c",
            },
            "GET, HEAD, POST, OPTIONS",
        ),
        (
            "/t/cabc/xyz",
            Endpoint::ShortLink {
                id: "cabc",
                credential: "xyz",
            },
            "GET, HEAD, POST, OPTIONS",
        ),
        (&run, Endpoint::RunWait { id: ID }, "POST"),
        ("/api/v1/auth/jwt/claims", Endpoint::Claims, "POST"),
    ] {
        assert_eq!(Endpoint::of(path), Some(endpoint), "{path}");
        assert_eq!(endpoint.allow(), allow, "{path}");
        for method in METHODS {
            let listed = allow.split(", ").any(|one| one == method);
            assert_eq!(endpoint.allows(method), listed, "{method} {path}");
        }
    }
}

#[test]
fn a_method_is_matched_whole_and_in_its_case() {
    for method in ["", " ", ",", "get", "GE", "GET, HEAD", "POST "] {
        assert!(!Endpoint::Tokens.allows(method), "{method:?}");
    }
}

#[test]
fn other_paths_are_nothing() {
    for path in [
        "",
        "//",
        "healthz",
        "/healthz/",
        "/Healthz",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/waitpoints/tokens",
        "/api/v1/waitpoints",
        "/api/v1/waitpoints/token",
        "/API/v1/waitpoints/tokens",
        "//api/v1/waitpoints/tokens",
        "/api//v1/waitpoints/tokens",
        "/api/v1/waitpoints/tokens/x/",
        "/api/v1/waitpoints/tokens/x/nothing",
        "/api/v1/waitpoints/tokens/x/complete/",
        "/api/v1/waitpoints/tokens/x/complete/y",
        "/api/v1/waitpoints/tokens/x/callback",
        "/api/v1/waitpoints/tokens/x/callback/y/",
        "/api/v1/waitpoints/tokens/x/callback/y/z",
        "/api/v1/waitpoints/tokens/x/%63omplete",
        "/t",
        "/t/",
        "/t//xyz",
        "/t/cabc",
        "/t/cabc/xyz/",
        "/t/cabc/xyz/complete",
        "/T/cabc/xyz",
        "/api/v1/auth/jwt",
        "/api/v1/auth/jwt/claims/",
        "/api/v1/auth/jwt/claims/x",
        "/engine/v1/runs",
        "/engine/v1/runs/r",
        "/engine/v1/runs/r/waitpoints/tokens/x",
        "/engine/v1/runs/r/waitpoints/tokens/x/wait/",
        "/engine/v1/runs/r/waitpoints/tokens/x/wait/y",
        "/engine/v1/runs/waitpoints/tokens/x/wait",
    ] {
        assert_eq!(Endpoint::of(path), None, "{path:?}");
    }
}

#[test]
fn an_id_is_kept_as_it_was_typed() {
    for id in ["x", ID, "waitpoint_", "a%2Fb", "é", "a b"] {
        let path = format!("/api/v1/waitpoints/tokens/{id}");
        assert_eq!(Endpoint::of(&path), Some(Endpoint::Token { id }));
    }
}

#[test]
fn an_empty_id_is_no_path() {
    assert_eq!(Endpoint::of("/api/v1/waitpoints/tokens/"), None);
    assert_eq!(Endpoint::of("/api/v1/waitpoints/tokens//complete"), None);
}

#[test]
fn only_retrieve_and_complete_are_for_browsers() {
    let (id, credential) = ("x", "y");
    for (endpoint, expected) in [
        (Endpoint::Start, false),
        (Endpoint::OpenApi, false),
        (Endpoint::Health, false),
        (Endpoint::Tokens, false),
        (Endpoint::Token { id }, true),
        (Endpoint::Complete { id }, true),
        (Endpoint::Callback { id, credential }, false),
        (Endpoint::ShortLink { id, credential }, false),
        (Endpoint::RunWait { id }, false),
        (Endpoint::Claims, false),
    ] {
        assert_eq!(endpoint.is_for_browsers(), expected, "{endpoint:?}");
    }
}

#[test]
fn another_api_is_one_whose_subject_is_no_waitpoint() {
    for path in [
        "/api/v1/runs",
        "/api/v1/runs/",
        "/api/v3/runs/run_1",
        "/api/v1/tasks/hello/trigger",
        "/api/v1/queues/task%252Fhello",
        "/api/v1/queues/task%2Fhello",
        "/api/v1/projects/proj_x/envvars/dev/API_KEY",
        "/api/v1/packets/a.json",
        "/realtime/v1/runs/run_1",
        "/engine/v1/dev/dequeue",
        "/api/v1/tasks/Gr%C3%BC%C3%9Fe/trigger",
        "/api/v1/queues/a+b%20c%25",
    ] {
        assert!(is_of_another_api(path), "{path}");
    }
}

#[test]
fn no_other_spelling_of_a_tokens_path_is_another_api() {
    let id = "waitpoint_c1";
    for path in [
        "/api/V1/waitpoints/tokens/ID/complete",
        "/API/v1/waitpoints/tokens/ID/complete",
        "/api/v1/Waitpoints/tokens/ID/complete",
        "/api/v1/waitpoints/Tokens/ID",
        "/api/v1/waitpoints/%74okens/ID/complete",
        "/api/v1/%77aitpoints/tokens/ID/complete",
        "/%61pi/v1/waitpoints/tokens/ID",
        "/api/%76%31/waitpoints/tokens/ID",
        "/api/v1;x/waitpoints/tokens/ID/complete",
        "/api/v1/waitpoints;x=1/tokens/ID/complete",
        "/api/v1\\waitpoints\\tokens\\ID\\complete",
        "/api/v1/x\\..\\waitpoints/tokens/ID/complete",
        "/api/v1/x/../waitpoints/tokens/ID",
        "/api/v1/x/..;/waitpoints/tokens/ID",
        "/api/v1/x/%2e%2e/waitpoints/tokens/ID",
        "/api/v1/x/.%252e/waitpoints/tokens/ID",
        "/api/v1/x/%2525252e%2525252e/waitpoints/tokens/ID",
        "/api/v1/x%2f..%2fwaitpoints/tokens/ID",
        "/api/v1/runs/a%2f..%2f..%2fwaitpoints/tokens/ID",
        "/api/v1/runs/..%5cwaitpoints/tokens/ID",
        "/api//v1/waitpoints/tokens/ID",
        "/api/v1/runs//..//waitpoints/tokens/ID",
        "/api/v1/runs%2f%2fx",
        "/api/v1%2fwaitpoints%2ftokens%2fID",
        "/api/v1/ｗaitpoints/tokens/ID",
        "/api/v1/waitpoint\u{17f}/tokens/ID",
        "/api/v1/waitpoint%C5%BF/tokens/ID",
        "/api/v1/waitpoints/tokens/ID/complete/x",
        "/api/v1/waitpoints",
        "/api/v2/waitpoints/tokens/ID/complete",
        "/api/v1/runs/x/./y",
        "/api/v1",
        "/api/v1/",
        "/other/v1/runs",
        "api/v1/runs",
        "",
        "/",
    ] {
        let path = path.replace("ID", id);
        assert!(!is_of_another_api(&path), "{path}");
    }
}

#[test]
fn a_run_is_named_by_a_plain_id() {
    let of = |run: &str| {
        Endpoint::of(&format!("/engine/v1/runs/{run}/waitpoints/tokens/x/wait")).is_some()
    };
    assert!(of("run_cm1") && of("run-1") && of("1"));
    for run in [
        "",
        "..",
        "%2e%2e",
        "a%20b",
        "a;b",
        "a\\b",
        "é",
        &"a".repeat(129),
    ] {
        assert!(!of(run), "{run}");
    }
}

#[test]
fn an_id_may_come_without_its_prefix() {
    let long = "a".repeat(64);
    for (typed, id) in [
        (ID, "cmabcdefghijklmnopqrstuvw"),
        ("cmabcdefghijklmnopqrstuvw", "cmabcdefghijklmnopqrstuvw"),
        ("waitpoint_A1", "A1"),
        ("waitpoint", "waitpoint"),
        (&long, &long),
    ] {
        assert_eq!(internal_id(typed), Some(id), "{typed}");
    }
}

#[test]
fn what_cannot_be_an_id_is_none() {
    for typed in [
        "",
        "waitpoint_",
        "waitpoint_a_b",
        "waitpoint_waitpoint_a",
        "WAITPOINT_a",
        "run_1",
        "a b",
        "a%20b",
        "a.b",
        "a-b",
        "../a",
        "é",
        "a\0",
        "a\n",
        &"a".repeat(65),
        &format!("waitpoint_{}", "a".repeat(65)),
    ] {
        assert_eq!(internal_id(typed), None, "{typed:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_path_panics(path in "(/(api|v1|engine|runs|waitpoints|tokens|.{0,9}))*/?.{0,9}") {
        let _ = is_of_another_api(&path);
        let _ = Endpoint::of(&path).map(|endpoint| endpoint.allows("GET"));
        if let Some(id) = internal_id(&path) {
            prop_assert!(path.ends_with(id) && !id.is_empty());
        }
    }
}

#[test]
fn a_page_of_the_inbox_has_its_endpoint_and_its_methods() {
    for (path, page, allow) in [
        ("/inbox", InboxPath::List, "GET, HEAD"),
        ("/inbox/sign-in", InboxPath::SignIn, "GET, HEAD, POST"),
        ("/inbox/sign-out", InboxPath::SignOut, "GET, HEAD, POST"),
        ("/inbox/bulk", InboxPath::Bulk, "GET, HEAD, POST"),
        (
            &format!("/inbox/{ID}"),
            InboxPath::Token { id: ID },
            "GET, HEAD, POST",
        ),
    ] {
        let endpoint = Endpoint::of(path).unwrap();
        assert_eq!(endpoint, Endpoint::Inbox(page), "{path}");
        assert_eq!(endpoint.allow(), allow, "{path}");
        assert!(!endpoint.is_for_browsers(), "{path}");
    }
    for path in [
        "/inbox/",
        "//inbox",
        "/Inbox",
        "/inbox/a/b",
        "/inbox/sign-in/",
        "/inboxes",
    ] {
        assert_eq!(Endpoint::of(path), None, "{path}");
    }
}

#[test]
fn signing_in_leads_to_pages_of_the_inbox_only() {
    let long = |length: usize| format!("/inbox?text={}", "x".repeat(length - 12));
    for page in [
        "/inbox",
        "/inbox?",
        "/inbox?view=decided&text=a%20b&after=1_c",
        "/inbox?next=https://evil.example",
        &format!("/inbox/{ID}"),
        &format!("/inbox/{ID}?done=decided"),
        &long(2_000),
        // A token's page, though there is no such token.
        "/inbox/..%2f",
        "/inbox/%2f%2fevil.example",
        "/inbox/@evil.example",
        "/inbox/javascript:alert(1)",
    ] {
        assert_eq!(inbox_page(page), Some(page), "{page}");
    }
    for other in [
        "",
        "/",
        "inbox",
        "?",
        "//evil.example",
        "//evil.example/inbox",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/inbox\\evil",
        "/inbox/\\evil.example",
        "/inbox//evil.example",
        "/inbox/a/../../evil",
        "/inbox/../api",
        "/inbox@evil.example",
        "/inbox.evil.example",
        "/inbox:80@evil.example",
        "@evil.example/inbox",
        "https:/inbox",
        "https://evil.example/inbox",
        "http://127.0.0.1/inbox",
        "javascript:alert(1)//inbox",
        "data:text/html,/inbox",
        "/INBOX",
        "/%69nbox",
        "/inbox/",
        // Signing in leads not back to where one signs in or out.
        "/inbox/sign-in",
        "/inbox/sign-in?link=x",
        "/inbox/sign-out",
        "/inbox/bulk",
        "/inbox?x=\r\nset-cookie: a=b",
        "/inbox\r\n",
        "/inbox\n",
        "/inbox?\t",
        "\t/inbox",
        " /inbox",
        "/inbox ",
        "/inbox?x=\0",
        "/inbox?x=\u{7f}",
        "/inbox?x=é",
        "/inbox?x=\u{2028}",
        "/inbox#",
        "/inbox?x#//evil.example",
        "/healthz",
        "/cdn-cgi/access/logout",
        "/api/v1/waitpoints/tokens",
        &long(2_001),
        &long(100_000),
    ] {
        assert_eq!(inbox_page(other), None, "{other:?}");
    }
}
