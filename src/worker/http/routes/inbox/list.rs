//! The list of the inbox.

use super::operator::Operator;
use super::{html, redirect};
use crate::domain::api::error::ApiError;
use crate::domain::approval::schema::title_of;
use crate::domain::auth::token_id::public_id;
use crate::domain::inbox::page::InboxPage;
use crate::domain::inbox::query::InboxQuery;
use crate::domain::inbox::render;
use crate::domain::list::row::Row;
use crate::worker::http::rate_limit::Permit;
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
    join_all(
        page.rows
            .iter_mut()
            .map(|row| add_title(operator, &permit, row)),
    )
    .await;
    Ok(html(200, render::list(operator.frame(), &query, &page)))
}

/// Adds the title to a row that an earlier build wrote. The token's object, which is asked for it, sends
/// the row anew.
async fn add_title(operator: &Operator<'_>, permit: &Permit, row: &mut Row) {
    if row.title.is_some() {
        return;
    }
    let token = operator.read(permit, &row.id).await.ok();
    let approval = token.and_then(|token| token.approval);
    row.title = Some(approval.as_deref().map_or(String::new(), title_of));
}
