//! The list.
use super::samples::rows;
use super::*;
use waitpoint::domain::inbox::query::Position;

#[test]
fn a_row_shows_what_an_operator_needs_to_choose_it() {
    let page = listed("", &found(rows()));
    assert_has(
        &page,
        &[
            r#"<input type="checkbox" name="id" id="m-waitpoint_cm4x9k2p0000" value="waitpoint_cm4x9k2p0000" autocomplete="off" aria-labelledby="t-waitpoint_cm4x9k2p0000">"#,
            r#"<a id="t-waitpoint_cm4x9k2p0000" href="/inbox/waitpoint_cm4x9k2p0000"><bdi lang="">Publish the quarterly report?</bdi></a>"#,
            // Without a title the id stands for it.
            r#"href="/inbox/waitpoint_cm4x9k2p0002"><code>waitpoint_cm4x9k2p0002</code></a>"#,
            r#"<span class="chip"><bdi lang="">order-5521</bdi></span>"#,
            r#"Created <time datetime="2027-01-15T04:40:00.000Z">2027-01-15 04:40 UTC</time>"#,
            r#"<p class="when soon">Due <time datetime="2027-01-15T08:25:00.000Z">"#,
            r#"<p class="when">No deadline</p>"#,
        ],
    );
    assert_eq!(
        page.matches("chip bad").count(),
        1,
        "one has failed deliveries"
    );
    assert_eq!(
        page.matches("when soon").count(),
        1,
        "one has less than an hour"
    );
    let unknown = Row {
        title: None,
        ..row("a1", "", None)
    };
    assert_has(
        &listed("", &found(vec![unknown])),
        &["<code>waitpoint_a1</code></a>"],
    );
}

#[test]
fn what_ended_is_shown_with_its_end_and_cannot_be_marked() {
    let ended = Row {
        ended_at: Some(minutes_ago(5)),
        ..row("a1", "Go?", None)
    };
    let timed_out = row("a2", "Go?", Some(minutes_ago(1)));
    for (view, row, end) in [
        (
            "decided",
            &ended,
            "Decided <time datetime=\"2027-01-15T07:55:00.000Z\"",
        ),
        (
            "timed-out",
            &timed_out,
            "Timed out <time datetime=\"2027-01-15T07:59:00.000Z\"",
        ),
        (
            "withdrawn",
            &ended,
            "Withdrawn <time datetime=\"2027-01-15T07:55:00.000Z\"",
        ),
    ] {
        let page = listed(&format!("view={view}"), &found(vec![row.clone()]));
        assert_has(
            &page,
            &[
                end,
                &format!(r#"<input type="hidden" name="view" value="{view}">"#),
            ],
        );
        for missing in [r#"name="id""#, "/inbox/bulk", r#"id="due""#, "when soon"] {
            assert!(!main_of(&page).contains(missing), "{view}: {missing}");
        }
    }
}

#[test]
fn tabs_keep_the_filters_and_filters_that_are_used_are_open() {
    let page = listed("view=decided&text=a%20b&tag=c&failed=1", &found(Vec::new()));
    assert_has(
        &page,
        &[
            r#"<a href="/inbox?text=a%20b&#38;tag=c&#38;failed=1">Waiting</a>"#,
            r#"<a href="/inbox?view=decided&#38;text=a%20b&#38;tag=c&#38;failed=1" aria-current="page">Decided</a>"#,
            r#"name="text" value="a b""#,
            r#"name="tag" value="c""#,
            r#"name="failed" value="1" checked"#,
            "<details open>",
            r#"<a href="/inbox?view=decided">Clear filters</a>"#,
            "Nothing matches these filters.",
        ],
    );
    let page = listed("text=a", &found(Vec::new()));
    assert_has(
        &page,
        &["<details>", r#"<a href="/inbox">Clear filters</a>"#],
    );
    let page = listed("age=7d&due=none", &found(Vec::new()));
    assert_has(
        &page,
        &[
            r#"<option value="7d" selected>7 days</option>"#,
            r#"<option value="none" selected>No deadline</option>"#,
        ],
    );
    let page = listed("", &found(Vec::new()));
    assert_has(&page, &["<details>", "Nothing waits for a decision."]);
    assert!(!page.contains("Clear filters"));
}

#[test]
fn the_next_page_is_a_link_and_a_search_that_stopped_says_so() {
    let rows = rows();
    let next = Position::of(&rows[0]);
    let link = format!("/inbox?tag=x&#38;after={}", next.to_text());
    let mut found = InboxPage {
        next: Some(next.clone()),
        ..found(rows)
    };
    let page = listed("tag=x", &found);
    assert_has(
        &page,
        &[&format!(
            r#"<a class="next" rel="next" href="{link}">Next page</a>"#
        )],
    );
    assert!(!page.contains("First page") && !page.contains("Searched"));

    found.is_partial = true;
    let page = listed(&format!("tag=x&after={}", next.to_text()), &found);
    assert_has(
        &page,
        &[
            r#"Searched to: <time datetime="2027-01-15T08:25:00.000Z">2027-01-15 08:25 UTC</time>. There may be more."#,
            &format!(r#"href="{link}">Search on</a>"#),
            r#"<a href="/inbox?tag=x">First page</a>"#,
        ],
    );

    // Nothing was found so far, which is not to say that nothing matches.
    found.rows.clear();
    found.next = Some(Position::of(&row("a1", "", None)));
    let page = listed("tag=x", &found);
    assert_has(&page, &["Searched to: No deadline. There may be more."]);
    assert!(!page.contains("Nothing matches") && !page.contains("Review marked"));
}

#[test]
fn a_large_page_stays_small() {
    let many = (0..200).map(|index| {
        row(
            &format!("cm4x9k2p{index}"),
            "Publish?",
            Some(in_minutes(90)),
        )
    });
    let page = listed("size=200", &found(many.collect()));
    assert!(page.len() < 190_000, "{} bytes", page.len());
}
