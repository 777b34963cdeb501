//! Invariant: what is kept is no credential, signature or cookie, short and printable.
//!
//! The headers of a callback that retrieve shows: they say which event it was.

/// Most headers that are kept.
pub const MAX_HEADERS: usize = 20;
/// Longest value, in characters. A longer one is left out, as half of it would mislead.
pub const MAX_HEADER_VALUE: usize = 200;
/// Longest name, in bytes.
const MAX_HEADER_NAME: usize = 64;

/// Headers with the kind of an event, or the number of its delivery. Those of CloudEvents (`ce-…`) are
/// kept as well.
const KEPT: [&str; 43] = [
    "aeg-delivery-count",
    "aeg-event-type",
    "aeg-subscription-name",
    "circleci-event-type",
    "linear-delivery",
    "linear-event",
    "svix-id",
    "svix-timestamp",
    "twitch-eventsub-message-id",
    "twitch-eventsub-message-timestamp",
    "twitch-eventsub-message-type",
    "twitch-eventsub-subscription-type",
    "webhook-id",
    "webhook-timestamp",
    "x-amz-sns-message-id",
    "x-amz-sns-message-type",
    "x-amz-sns-topic-arn",
    "x-buildkite-event",
    "x-event-key",
    "x-event-type",
    "x-forgejo-delivery",
    "x-forgejo-event",
    "x-gitea-delivery",
    "x-gitea-event",
    "x-github-delivery",
    "x-github-event",
    "x-github-hook-id",
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-webhook-uuid",
    "x-goog-channel-id",
    "x-goog-message-number",
    "x-goog-resource-state",
    "x-hook-uuid",
    "x-request-uuid",
    "x-shopify-event-id",
    "x-shopify-shop-domain",
    "x-shopify-topic",
    "x-shopify-triggered-at",
    "x-shopify-webhook-id",
    "x-slack-retry-num",
    "x-snyk-event",
    "x-wc-webhook-topic",
];

/// What the name of a credential has in it. CloudEvents may have attributes of any name.
const CREDENTIALS: [&str; 9] = [
    "apikey",
    "auth",
    "cookie",
    "credential",
    "jwt",
    "password",
    "secret",
    "signature",
    "token",
];

/// Whether a header is worth keeping. Its name is in lower case.
#[must_use]
pub fn is_kept(name: &str) -> bool {
    let is_cloud_event = name.strip_prefix("ce-").is_some_and(|attribute| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !attribute.is_empty()
            && attribute.bytes().all(fits)
            && !CREDENTIALS.iter().any(|word| attribute.contains(word))
    });
    name.len() <= MAX_HEADER_NAME && (is_cloud_event || KEPT.binary_search(&name).is_ok())
}

/// The headers that are kept of all those of a callback, in their order. Their names are in lower
/// case.
#[must_use]
pub fn kept_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    let is_short = |value: &str| {
        let length = value.chars().take(MAX_HEADER_VALUE + 1).count();
        length <= MAX_HEADER_VALUE && !value.chars().any(char::is_control)
    };
    let kept = headers
        .into_iter()
        .filter(|(name, value)| is_kept(name) && is_short(value));
    kept.take(MAX_HEADERS)
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}
