//! The confirmation URL of Amazon SNS. Source: docs.aws.amazon.com/sns, "Subscription confirmation".
//!
//! Invariant: a URL that passes leads to Amazon SNS and confirms a subscription; it can do nothing
//! else, whoever wrote it.

/// Longest URL, in bytes. Amazon's have about 500.
const MAX_URL: usize = 2_048;

/// Whether a URL is `https://sns.<region>.amazonaws.com/?Action=ConfirmSubscription&…`.
pub(super) fn is_confirmation_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").unwrap_or("");
    let Some((host, query)) = rest.split_once("/?") else {
        return false;
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%&=:+".contains(&b);
    url.len() <= MAX_URL
        && is_host(host)
        && query.bytes().all(plain)
        && query
            .split('&')
            .any(|pair| pair == "Action=ConfirmSubscription")
}

/// Whether a host is `sns.<region>.amazonaws.com`, or the same in China. A port or a user name does not
/// fit the region.
fn is_host(host: &str) -> bool {
    let region = host.strip_prefix("sns.").and_then(|rest| {
        let rest = rest.strip_suffix(".cn").unwrap_or(rest);
        rest.strip_suffix(".amazonaws.com")
    });
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    // Such as `eu-west-1`. `s3-us-west-2` is the host of buckets.
    region.is_some_and(|region| {
        region.bytes().all(fits)
            && region.matches('-').count() >= 2
            && region.ends_with(|last: char| last.is_ascii_digit())
            && !region.starts_with("s3")
    })
}
