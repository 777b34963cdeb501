//! Authenticates requests. Credentials are verified before any object is called.

use crate::domain::api::error::ApiError;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::http::context::RequestContext;
use crate::worker::http::foreign::judge;
use crate::worker::settings;

/// Authenticates the `Authorization` header. A verified public access token is cached until it
/// expires.
pub(crate) fn authenticate(context: &RequestContext<'_>) -> Result<Caller<'static>, ApiError> {
    let authorization = context.head.authorization();
    let credential = bearer(authorization).ok_or(ApiError::MissingAuthorization)?;
    let verified = settings::verified(context.env);
    if let Some(claims) = verified.borrow().get(credential, context.now) {
        return Ok(Caller::Public(claims.clone()));
    }
    let caller = settings::keyring(context.env)?.authenticate(authorization, context.now)?;
    if let Caller::Public(claims) = &caller {
        let until = Timestamp::from_millis(claims.expires_at.saturating_mul(1_000));
        verified.borrow_mut().put(credential, claims.clone(), until);
    }
    Ok(caller)
}

/// Authenticates this credential for one token, `raw_id`. Upstream judges a credential that no key
/// here verifies.
pub(crate) async fn authenticate_for(
    context: &RequestContext<'_>,
    caller: Result<Caller<'static>, ApiError>,
    authorization: &str,
    raw_id: &str,
) -> Result<Caller<'static>, ApiError> {
    let (Err(error @ (ApiError::InvalidApiKey | ApiError::InvalidPublicToken)), Some(credential)) =
        (&caller, bearer(authorization))
    else {
        return caller;
    };
    // Boxed, because few requests need it.
    Box::pin(judge(context, credential, raw_id, error.clone())).await
}

/// The environment whose secret key is in the `Authorization` header.
pub(crate) fn authenticate_secret(
    context: &RequestContext<'_>,
) -> Result<&'static Environment, ApiError> {
    settings::keyring(context.env)?.authenticate_secret(context.head.authorization())
}
