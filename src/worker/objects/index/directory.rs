//! The directory of an environment: the months that have rows, and the links to its inbox that were used.

use super::client::LinkUse;
use crate::worker::objects::storage::Stored;
use wasm_bindgen::JsValue;

/// The storage key of the months, which are separated by spaces.
const MONTHS_KEY: &str = "known";
/// The storage key of the links that were used: a line each, with its id and when it expires.
const LINKS_KEY: &str = "links";

pub(super) fn months(stored: &Stored) -> Result<Vec<String>, JsValue> {
    let months = stored.get_text(MONTHS_KEY)?.unwrap_or_default();
    Ok(months.split_whitespace().map(str::to_owned).collect())
}

pub(super) fn register_month(stored: &Stored, month: &str) -> Result<(), JsValue> {
    let mut months = months_but(stored, month)?;
    months.push(month.to_owned());
    save(stored, &months)
}

pub(super) fn unregister_month(stored: &Stored, month: &str) -> Result<(), JsValue> {
    save(stored, &months_but(stored, month)?)
}

fn months_but(stored: &Stored, month: &str) -> Result<Vec<String>, JsValue> {
    let mut months = months(stored)?;
    months.retain(|known| known != month);
    Ok(months)
}

fn save(stored: &Stored, months: &[String]) -> Result<(), JsValue> {
    stored.put_text(MONTHS_KEY, &months.join(" "))
}

/// Whether this is the first use of a link. Links that have expired are forgotten, as they are refused
/// before.
pub(super) fn use_link(stored: &Stored, used: &LinkUse) -> Result<bool, JsValue> {
    let known = stored.get_text(LINKS_KEY)?.unwrap_or_default();
    let is_fresh = |line: &&str| {
        let expires = line
            .split_once(' ')
            .and_then(|(_, expires)| expires.parse().ok());
        expires.is_some_and(|expires: u64| expires > used.now)
    };
    let mut links: Vec<&str> = known.lines().filter(is_fresh).collect();
    let is_used = |line: &&str| line.split_once(' ').is_some_and(|(id, _)| id == used.id);
    if links.iter().any(is_used) {
        return Ok(false);
    }
    let line = format!("{} {}", used.id, used.expires);
    links.push(&line);
    stored.put_text(LINKS_KEY, &links.join("\n"))?;
    Ok(true)
}
