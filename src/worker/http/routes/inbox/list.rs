//! The list of the inbox.

use super::operator::Operator;
use super::{AT_ONCE, redirect};
use crate::domain::api::error::ApiError;
use crate::domain::approval::schema::title_of;
use crate::domain::auth::token_id::public_id;
use crate::domain::inbox::page::InboxPage;
use crate::domain::inbox::query::InboxQuery;
use crate::domain::inbox::render;
use crate::domain::list::row::Row;
use crate::worker::http::response::Reply;
use crate::worker::http::token_object::unavailable;
use crate::worker::objects::index;
use futures_util::future::join_all;

pub(super) async fn list(operator: &Operator<'_>) -> Result<Reply, ApiError> {
    let context = operator.visit.context;
    let query = InboxQuery::parse(context.head.query().trim_start_matches('?'));
    if let Some(id) = query.searched_id() {
        return Ok(redirect(&format!("/inbox/{}", public_id(id))));
    }
    let permit = operator.permit().await?;
    let environment = &operator.environment.id;
    let months = index::inbox_rows(&permit, context.env, environment, &query, context.now)
        .await
        .map_err(|why| unavailable("the index did not answer", &why))?;
    let mut page = InboxPage::of(&query, months);
    for rows in page.rows.chunks_mut(AT_ONCE) {
        join_all(rows.iter_mut().map(|row| add_title(operator, row))).await;
    }
    Ok(operator.html(200, render::list(operator.frame(), &query, &page)))
}

/// Adds the title to a row that an earlier build wrote. The token's object, which is asked for it, sends
/// the row anew.
async fn add_title(operator: &Operator<'_>, row: &mut Row) {
    if row.title.is_none()
        && let Ok(permit) = operator.permit().await
        && let Ok(token) = operator.read(&permit, &row.id).await
    {
        row.title = token.approval.as_deref().map(title_of);
    }
}
