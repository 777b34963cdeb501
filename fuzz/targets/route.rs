//! A path is an endpoint or none, and an endpoint is one path.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::api::link_repair::repair_link;
use waitpoint::domain::api::route::{Endpoint, InboxPath};
use waitpoint::domain::auth::token_id::internal_id;

fuzz_target!(|path: &str| {
    if let Some(id) = internal_id(path) {
        assert!(internal_id(id) == Some(id) && path.ends_with(id));
    }
    if let Some(repaired) = repair_link(path) {
        assert!(repair_link(&repaired).is_none(), "it is whole");
    }
    let Some(endpoint) = Endpoint::of(path) else {
        return;
    };
    let tokens = "/api/v1/waitpoints/tokens";
    let spelled = match endpoint {
        Endpoint::Start => "/".to_owned(),
        Endpoint::OpenApi => "/openapi.json".to_owned(),
        Endpoint::Health => "/healthz".to_owned(),
        Endpoint::Tokens => tokens.to_owned(),
        Endpoint::Token { id } => format!("{tokens}/{id}"),
        Endpoint::Complete { id } => format!("{tokens}/{id}/complete"),
        Endpoint::Cancel { id } => format!("{tokens}/{id}/cancel"),
        Endpoint::Extend { id } => format!("{tokens}/{id}/extend"),
        Endpoint::Wait { id } => format!("{tokens}/{id}/wait"),
        Endpoint::Callback { id, credential } => format!("{tokens}/{id}/callback/{credential}"),
        Endpoint::ShortLink { id, credential } => format!("/t/{id}/{credential}"),
        Endpoint::Inbox(page) => match page {
            InboxPath::List => "/inbox".to_owned(),
            InboxPath::SignIn => "/inbox/sign-in".to_owned(),
            InboxPath::SignOut => "/inbox/sign-out".to_owned(),
            InboxPath::Bulk => "/inbox/bulk".to_owned(),
            InboxPath::Token { id } => format!("/inbox/{id}"),
        },
        Endpoint::Mcp => "/mcp".to_owned(),
        Endpoint::Claims => "/api/v1/auth/jwt/claims".to_owned(),
        Endpoint::RunWait { id } => {
            let run = path.split('/').nth(4).unwrap();
            format!("/engine/v1/runs/{run}/waitpoints/tokens/{id}/wait")
        }
    };
    assert_eq!(spelled, path);
    assert!(
        endpoint
            .allow()
            .split(", ")
            .all(|method| endpoint.allows(method))
    );
});
