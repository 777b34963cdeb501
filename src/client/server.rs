//! The additional exports of the entry `waitpoint/server`: the calls that need a secret key.
//!
//! Values are checked before serde-wasm-bindgen reads them. Its errors contain the whole value, and a
//! deeply nested value would overflow the stack.

use super::http::{HttpTransport, header};
use super::js::{get, invalid_argument, invalid_argument_because, invalid_response, show, start};
use super::options::{Address, Options, reject_unknown_fields, wrong};
use super::reference::is_url;
use super::response::{is_list_of_texts, parse_token};
use crate::domain::api::create::{CREATE_KEYS, CreateRequest};
use crate::domain::time::timestamp::Timestamp;
use gloo_net::http::QueryParams;
use js_sys::{Date, JSON, Math, Object, Promise};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::{from_value, preserve};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> Result<String, JsValue>;
}

/// The result of `createToken`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedToken {
    id: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_url: Option<String>,
    is_cached: bool,
    #[serde(skip_deserializing)]
    public_access_token: Option<String>,
}

/// Creates a token. The fields are validated as the Worker does it, because trigger.dev ignores an
/// invalid timeout.
#[wasm_bindgen(js_name = createToken)]
pub fn create_token(fields: JsValue, options: JsValue) -> Promise {
    start(Box::pin(async move {
        let body = create_body(fields)?;
        let options = Options::read(&options)?;
        let address = Address::of_tokens(&options)?;
        let mut transport = HttpTransport::new(address, options, Some(body));
        // A retry must not create a second token.
        let key = random_uuid().unwrap_or_else(|_| format!("{}{}", Math::random(), Math::random()));
        transport.header = Some(("x-trigger-request-idempotency-key", key));
        let (response, body) = transport.send().await?;
        let [id, url, is_cached] = ["id", "url", "isCached"].map(|name| get(&body, name));
        if !id.is_string() || !url.is_string() || is_cached.as_bool().is_none() {
            return Err(invalid_response("token that was created"));
        }
        let links = get(&body, "links");
        let mut token: CreatedToken =
            from_value(body).map_err(|_| invalid_response("token that was created"))?;
        if !is_url(&token.url) {
            return Err(invalid_response("url"));
        }
        token.public_access_token =
            response.and_then(|response| header(&response, "x-trigger-jwt"));
        let token = serde_wasm_bindgen::to_value(&token)?;
        if links.is_array() {
            super::js::set(&token, "links", &links);
        }
        Ok(token)
    }))
}

fn create_body(fields: JsValue) -> Result<js_sys::JsString, JsValue> {
    reject_unknown_fields("fields", &fields, &CREATE_KEYS)?;
    check_timeout_date(&get(&fields, "timeout"))?;
    let is_absent = fields.is_undefined() || fields.is_null();
    let fields = if is_absent {
        Object::new().into()
    } else {
        fields
    };
    let text = JSON::stringify(&fields).map_err(|cause| {
        invalid_argument_because(&["`fields` cannot be written as JSON."], &cause)
    })?;
    let now = Timestamp::from_millis(Date::now() as u64);
    CreateRequest::parse(String::from(&text).as_bytes(), now)
        .map_err(|why| invalid_argument(&[&why.to_string()]))?;
    Ok(text)
}

/// JSON would make `null` of an invalid Date, as if there were no timeout.
pub(crate) fn check_timeout_date(timeout: &JsValue) -> Result<(), JsValue> {
    let date = timeout.dyn_ref::<Date>();
    if date.is_some_and(|date| date.get_time().is_nan()) {
        return Err(invalid_argument(&[
            "`timeout` is an invalid Date. Use a valid one.",
        ]));
    }
    Ok(())
}

const FILTERS: [&str; 7] = [
    "status",
    "tags",
    "idempotencyKey",
    "createdAt",
    "limit",
    "after",
    "before",
];
const CREATED_AT: [&str; 3] = ["period", "from", "to"];
const STATUSES: [&str; 3] = ["WAITING", "COMPLETED", "TIMED_OUT"];

/// A page of a list, as in the response. The tokens are parsed one by one.
#[derive(Deserialize)]
struct ListPage {
    data: Vec<Preserved>,
    pagination: Option<Cursors>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Preserved(#[serde(with = "preserve")] JsValue);

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Cursors {
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// A page of tokens: `{ data, pagination }`.
#[wasm_bindgen(js_name = listTokens)]
pub fn list_tokens(filters: JsValue, options: JsValue) -> Promise {
    start(Box::pin(async move {
        let query = list_query(&filters)?.to_string();
        let options = Options::read(&options)?;
        let mut address = Address::of_tokens(&options)?;
        if !query.is_empty() {
            address.url = [&address.url, "?", &query].concat();
        }
        let transport = HttpTransport::new(address, options, None);
        let (_, body) = transport.send().await?;
        let pagination = get(&body, "pagination");
        let is_cursor = |name| is_absent_or(&get(&pagination, name), JsValue::is_string);
        let is_page = get(&body, "data").is_array()
            && is_absent_or(&pagination, JsValue::is_object)
            && is_cursor("next")
            && is_cursor("previous");
        if !is_page {
            return Err(invalid_response("list of tokens"));
        }
        let page: ListPage = from_value(body).map_err(|_| invalid_response("list of tokens"))?;
        let data = js_sys::Array::new();
        for Preserved(token) in page.data {
            data.push(&parse_token(token)?);
        }
        let read: JsValue = Object::new().into();
        super::js::set(&read, "data", &data);
        let cursors = page.pagination.unwrap_or_default();
        let after = get(&filters, "after").as_string();
        // A cursor that does not advance would make paging endless.
        if cursors.next.as_ref().is_some_and(|next| !next.is_empty()) && cursors.next == after {
            return Err(invalid_response("pagination"));
        }
        let cursors = serde_wasm_bindgen::to_value(&cursors)?;
        super::js::set(&read, "pagination", &cursors);
        Ok(read)
    }))
}

/// A string, or a list of strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

fn list_query(filters: &JsValue) -> Result<QueryParams, JsValue> {
    reject_unknown_fields("filters", filters, &FILTERS)?;
    let created_at = get(filters, "createdAt");
    reject_unknown_fields("createdAt", &created_at, &CREATED_AT)?;
    let query = QueryParams::new();
    let add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            query.append(name, &value);
        }
    };
    add("page[size]", page_size(filters)?);
    add("page[after]", text_filter(filters, "after")?);
    add("page[before]", text_filter(filters, "before")?);
    add("filter[status]", statuses(filters)?);
    add(
        "filter[idempotencyKey]",
        text_filter(filters, "idempotencyKey")?,
    );
    add("filter[tags]", comma_separated(texts(filters, "tags")?));
    add(
        "filter[createdAt][period]",
        text_filter(&created_at, "period")?,
    );
    add("filter[createdAt][from]", moment(&created_at, "from")?);
    add("filter[createdAt][to]", moment(&created_at, "to")?);
    Ok(query)
}

fn is_absent_or(value: &JsValue, is_fit: impl Fn(&JsValue) -> bool) -> bool {
    value.is_undefined() || value.is_null() || is_fit(value)
}

/// A field of this type, if it exists.
fn read_field<T: serde::de::DeserializeOwned>(
    object: &JsValue,
    name: &str,
    expected: &str,
    is_fit: impl Fn(&JsValue) -> bool,
) -> Result<Option<T>, JsValue> {
    let value = get(object, name);
    if !is_absent_or(&value, is_fit) {
        return Err(wrong(name, &value, expected));
    }
    let read = from_value(value.clone());
    read.map_err(|_| wrong(name, &value, expected))
}

fn text_filter(object: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    read_field(object, name, "a text", JsValue::is_string)
}

/// Without a list there is no filter. An empty list is an error.
fn texts(filters: &JsValue, name: &str) -> Result<Vec<String>, JsValue> {
    let texts = match read_field(filters, name, "a text or a list of texts", |value| {
        value.is_string() || is_list_of_texts(value)
    })? {
        None => return Ok(Vec::new()),
        Some(Texts::One(text)) => vec![text],
        Some(Texts::Many(texts)) => texts,
    };
    if texts.is_empty() {
        return Err(invalid_argument(&[
            "`",
            name,
            "` is empty, and no token would fit. Leave it out for all tokens.",
        ]));
    }
    if let Some(text) = texts.iter().find(|text| text.contains(',')) {
        return Err(invalid_argument(&[
            "`",
            name,
            "` has `",
            text,
            "`, and cannot be asked for with a comma in it.",
        ]));
    }
    Ok(texts)
}

fn statuses(filters: &JsValue) -> Result<Option<String>, JsValue> {
    let statuses = texts(filters, "status")?;
    let wrong = statuses
        .iter()
        .find(|status| !STATUSES.contains(&status.as_str()));
    match wrong {
        Some(status) => Err(invalid_argument(&[
            "`",
            status,
            "` is not a status. Use `",
            &STATUSES.join("`, `"),
            "`.",
        ])),
        None => Ok(comma_separated(statuses)),
    }
}

fn comma_separated(texts: Vec<String>) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(","))
}

fn page_size(filters: &JsValue) -> Result<Option<String>, JsValue> {
    const WANTED: &str = "a whole number from 1 to 100";
    let is_number = |value: &JsValue| value.as_f64().is_some();
    let limit: Option<f64> = read_field(filters, "limit", WANTED, is_number)?;
    match limit {
        Some(limit) if limit.fract() != 0.0 || !(1.0..=100.0).contains(&limit) => {
            Err(wrong("limit", &limit.into(), WANTED))
        }
        limit => Ok(limit.map(|limit| limit.to_string())),
    }
}

/// Milliseconds since the epoch.
fn moment(created_at: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    let value = get(created_at, name);
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    let date = value.dyn_ref::<Date>().map(Date::get_time);
    match date.or_else(|| value.as_f64()) {
        Some(millis) if millis >= 0.0 && millis.fract() == 0.0 => Ok(Some(millis.to_string())),
        millis => {
            let text = millis.map_or(value, JsValue::from);
            Err(invalid_argument(&[
                "`createdAt.",
                name,
                "` is ",
                &show(&text),
                ". Use a Date since 1970 or a whole number of milliseconds.",
            ]))
        }
    }
}
