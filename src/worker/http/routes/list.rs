//! List: the tokens of an environment, a page at a time.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::access_token::{AS_RECORDED, Lifetime};
use crate::domain::auth::token_id::public_id;
use crate::domain::list::page_body::list_json;
use crate::domain::list::query::ListQuery;
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::enforce;
use crate::worker::http::response::Reply;
use crate::worker::http::token_object::unavailable;
use crate::worker::objects::index;
use crate::worker::objects::token::response::url;

pub(crate) async fn list(context: &RequestContext<'_>) -> Result<Reply, ApiError> {
    let environment = authenticate_secret(context)?;
    let text = context.head.query().trim_start_matches('?');
    let query = ListQuery::parse(text, context.now)?;
    let permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    let page = index::list(
        &permit,
        context.env,
        &environment.id,
        &query,
        text,
        context.now,
    )
    .await
    .map_err(|why| unavailable("the index did not answer", &why))?;
    let body = list_json(&page, context.now, |row| {
        let id = public_id(&row.id);
        let lifetime = Lifetime::of(row.created_at, row.timeout_at, context.now);
        let jwt = environment.mint_link(&id, row.is_signed.then_some(AS_RECORDED), None, lifetime);
        url(context.link_origin(environment), &id, &jwt)
    });
    Ok(Reply::json(200, body))
}
