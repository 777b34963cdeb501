//! A POST to a token's link: the page's form, a handshake, or a callback.
//!
//! Invariant: where a token wants its callbacks signed, a body is neither unpacked nor sent to the
//! object before its signature was checked, unless it is as short as a handshake. A `url` says itself
//! how; for a `shortUrl` the token's record is read.

use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::auth::caller::SignedCallbacks;
use crate::domain::auth::token_id::public_id;
use crate::domain::callback::content::Content;
use crate::domain::callback::handshake::{Handshake, Incoming, MAX_HANDSHAKE, handshake};
use crate::domain::callback::kept_headers::kept_headers;
use crate::domain::callback::media_type::MediaType;
use crate::domain::callback::negotiation::Sender;
use crate::domain::callback::verify::{SignedRequest, Verify, VerifyError};
use crate::domain::page::{FormInput, MAX_FORM, NONCE_FIELD};
use crate::domain::token::{CallbackRequest, CompletedBy, Decision};
use crate::worker::http::body::body;
use crate::worker::http::callback_body::{Platform, unpack};
use crate::worker::http::context::RequestContext;
use crate::worker::http::request::LinkHead;
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::approval_page::Link;
use crate::worker::http::routes::complete::decide;
use crate::worker::log_error;
use crate::worker::outgoing::confirm;
use crate::worker::settings;

/// Takes a POST: the page's form, a handshake, or a callback.
pub(super) async fn receive(link: Link<'_>, raw_id: &str) -> Result<HandlerResponse, ApiError> {
    let (context, head) = (link.context, &link.head);
    let media = MediaType::parse(head.get("content-type"));
    let encoding = head.get("content-encoding");
    // Read before the body, which would otherwise stay in wasm's memory meanwhile.
    let verify = match link.caller.signed_callbacks() {
        Some(callbacks) => Some(verify_of(&link, callbacks).await?),
        None => None,
    };
    let body = body(context.request, context.head, MAX_COMPLETE).await?;
    let signed = match &verify {
        Some(verify) => Some(check_signature(&link, verify, &media, &body)?),
        None => None,
    };
    // No handshake is packed.
    let is_unsigned = matches!(&signed, Some(Signed { result: Err(_), .. }));
    if is_unsigned && (body.len() > MAX_HANDSHAKE || !encoding.is_empty()) {
        return Err(ApiError::InvalidSignature);
    }
    let body = unpack(body, encoding).await?;
    let size = body.len();
    let content = Content::read(&media, &body, &Platform)?;
    drop(body);
    let nonce = content.field(NONCE_FIELD);
    let sender = Sender::of(&media, nonce.is_some(), head.navigates());
    if sender == Sender::Machine {
        let secrets = signed.as_ref().map_or(&[][..], |signed| signed.secrets);
        // Nothing of a long body is copied: wasm's memory never shrinks.
        let is_short = size <= MAX_HANDSHAKE;
        let texts = is_short.then(|| content.texts()).flatten();
        let text = content.text();
        if let Some(handshake) = handshake_of(context, head, secrets, text, texts.as_deref()) {
            drop((texts, content));
            if signed.is_none() {
                let _permit = link.enforce_undecided().await?;
            }
            confirm(handshake.confirm.as_deref()).await;
            return Ok(Reply::handshake(handshake).into());
        }
        if let Some(Signed {
            result: Err(why), ..
        }) = &signed
        {
            let why = format!("{}: {why}", public_id(link.id));
            log_error("a callback was refused", &why.into());
            return Err(ApiError::InvalidSignature);
        }
        let (output, hint) = content.into_output(&media)?;
        let decision = Decision {
            output: Some(output),
            by: CompletedBy::Callback,
            callback: Some(CallbackRequest {
                is_signed: signed.is_some(),
                headers: kept_headers(head.pairs()),
            }),
            subject: link.caller.subject().map(str::to_owned),
            is_by_owner: false,
        };
        let hint = hint.map(str::to_owned);
        return decide(context, link.environment, raw_id, decision, hint).await;
    }
    // Behind a proxy the page's own origin is not that of the request.
    let is_own = context.head.cors_origin() == context.link_origin(link.environment);
    if head.is_of_another_site() || context.head.is_of_another_origin() && !is_own {
        return Err(ApiError::CrossSiteForm);
    }
    if !link.may_decide {
        return link.show().await.map(Into::into);
    }
    if size > MAX_FORM {
        let limit = MAX_FORM;
        return Err(ApiError::BodyTooLarge { limit, size });
    }
    let nonce = nonce.unwrap_or_default();
    let input = FormInput::of(|name| content.values(name));
    link.submit(nonce, &input).await.map(Into::into)
}

/// The signature of a callback, checked.
struct Signed {
    /// The secrets of the token's `callback.verify`.
    secrets: &'static [Vec<u8>],
    result: Result<(), VerifyError>,
}

/// The `callback.verify` of a link that wants signatures. Counted, as nobody has signed anything yet.
async fn verify_of(link: &Link<'_>, callbacks: &SignedCallbacks) -> Result<Verify, ApiError> {
    let permit = link.enforce_undecided().await?;
    let recorded;
    let verify = match callbacks {
        SignedCallbacks::As(json) => json,
        SignedCallbacks::AsRecorded => {
            recorded = link.recorded_verify(&permit).await?;
            &recorded
        }
    };
    // It was checked when the token was created, and signed by us since.
    Verify::parse(verify).map_err(|_| ApiError::InvalidSignature)
}

/// Checks the signature of a callback.
fn check_signature(
    link: &Link<'_>,
    verify: &Verify,
    media: &MediaType,
    body: &[u8],
) -> Result<Signed, ApiError> {
    let context = link.context;
    let secrets = settings::callback_secrets(context.env)?.of(&verify.secret);
    let (path, query) = (context.head.path(), context.head.query());
    let url = format!("{}{path}{query}", context.link_origin(link.environment));
    // The fields that are signed are those that decide.
    let is_packed = !link.head.get("content-encoding").is_empty();
    let fields = if media.is_urlencoded() && !is_packed {
        Content::read(media, body, &Platform)
            .ok()
            .and_then(|content| content.texts())
    } else {
        None
    };
    let request = SignedRequest {
        url: &url,
        headers: &|name| link.head.find(name),
        body,
        fields: fields.as_deref(),
    };
    let result = verify.verify(secrets, &request, context.now);
    if matches!(
        result,
        Err(VerifyError::NoSecret | VerifyError::UnusableSecret)
    ) {
        let name = &verify.secret;
        let why = format!("CALLBACK_SECRETS has no secret {name}, which a token's verify names");
        return Err(ApiError::Misconfigured(why));
    }
    Ok(Signed { secrets, result })
}

/// What to answer if a request is a handshake. `fields` are those of a form.
pub(super) fn handshake_of(
    context: &RequestContext<'_>,
    head: &LinkHead<'_>,
    secrets: &[Vec<u8>],
    body: &str,
    fields: Option<&[(String, String)]>,
) -> Option<Handshake> {
    let incoming = Incoming {
        method: context.head.method(),
        query: context.head.query().trim_start_matches('?'),
        headers: &|name| head.find(name),
        body,
        fields,
    };
    handshake(&incoming, secrets)
}
