//! Which requests go upstream.

use waitpoint::domain::api::route::Endpoint;
use waitpoint::domain::relay::forward::{Forward, Request, forward};

const TOKEN: &str = "/api/v1/waitpoints/tokens/waitpoint_c1";

fn hash() -> String {
    "0a".repeat(32)
}

/// Of a request with a credential that nobody here knows.
fn way(method: &str, path: &str) -> Option<Forward> {
    let request = Request {
        method,
        path,
        credential: "tr_dev_unknown",
        is_known: false,
    };
    forward(request, Endpoint::of(path), |_, _| false)
}

#[test]
fn what_upstream_knows_goes_there() {
    let tokens = "/api/v1/waitpoints/tokens";
    let callback = format!("{TOKEN}/callback/{}", hash());
    for (method, path, expected) in [
        ("POST", tokens, Forward::Create),
        ("GET", tokens, Forward::Read),
        ("GET", TOKEN, Forward::Read),
        ("POST", &callback, Forward::Callback),
        (
            "POST",
            "/engine/v1/runs/run_1/waitpoints/tokens/waitpoint_c1/wait",
            Forward::Whole,
        ),
        ("POST", "/api/v1/auth/jwt/claims", Forward::Whole),
        ("POST", "/api/v1/tasks/hello/trigger", Forward::Whole),
    ] {
        assert_eq!(way(method, path), Some(expected), "{method} {path}");
    }
}

#[test]
fn decisions_pages_and_what_is_known_here_stay() {
    let callback = format!("{TOKEN}/callback/{}", hash());
    for (method, path) in [
        ("POST", format!("{TOKEN}/complete")),
        ("GET", format!("{TOKEN}/wait")),
        ("GET", callback.clone()),
        ("GET", "/healthz".to_owned()),
        ("GET", "/".to_owned()),
    ] {
        assert_eq!(way(method, &path), None, "{method} {path}");
    }
    let request = Request {
        method: "POST",
        path: &callback,
        credential: "",
        is_known: false,
    };
    assert_eq!(forward(request, Endpoint::of(&callback), |_, _| true), None);
    for (credential, is_known) in [("tr_dev_known", true), ("", false)] {
        let request = Request {
            method: "GET",
            path: TOKEN,
            credential,
            is_known,
        };
        assert_eq!(forward(request, Endpoint::of(TOKEN), |_, _| false), None);
    }
}

#[test]
fn what_could_be_another_path_there_stays() {
    let hash = hash();
    let tokens = "/api/v1/waitpoints/tokens";
    for path in [
        format!("{TOKEN}/callback/%2e%2e\\complete"),
        format!("{TOKEN}/callback/.."),
        format!("{TOKEN}/callback/{hash};x"),
        format!("{TOKEN}/callback/{hash}%20"),
        format!("{TOKEN}/callback/%3{}", &hash[1..]),
        format!("{TOKEN}/callback/e30%2Ee30%2Ec2ln"),
        format!("{tokens}/waitpoint%5Fc1/callback/{hash}"),
        format!("{tokens}/..%2f..%2fx/callback/{hash}"),
        format!("{tokens}/../callback/{hash}"),
        "/engine/v1/runs/%2e%2e/waitpoints/tokens/c1/wait".to_owned(),
        "/engine/v1/runs/..%2f..%2fcomplete%3f/waitpoints/tokens/c1/wait".to_owned(),
        "/engine/v1/runs/run_1/waitpoints/tokens/%2e%2e/wait".to_owned(),
    ] {
        assert_eq!(way("POST", &path), None, "{path}");
    }
    for path in [format!("{tokens}/%2e%2e"), format!("{tokens}/..")] {
        assert_eq!(way("GET", &path), None, "{path}");
    }
}
