//! One page of each kind. `INBOX_SAMPLES=… cargo test write_the_pages_of_the_inbox -- --ignored` writes them
//! to that folder.
use super::*;
use waitpoint::domain::inbox::query::Position;
use waitpoint::domain::inbox::render::Done;
use waitpoint::domain::page::i18n::ALL;
use waitpoint::domain::page::{FormError, InputFault, NotRecorded};

pub(super) const MESSAGES: [Message; 11] = [
    Message::NotFound,
    Message::Unavailable { submitted: false },
    Message::Unavailable { submitted: true },
    Message::Busy,
    Message::CrossSite,
    Message::Stale,
    Message::TooLarge,
    Message::NothingMarked,
    Message::TooManyMarked,
    Message::LivesUpstream,
    Message::AccessDenied,
];

pub(super) fn problems() -> Vec<TokenProblem> {
    vec![
        TokenProblem::Form(FormError::Stale),
        TokenProblem::Form(FormError::Input(vec![InputFault::CommentMissing])),
        TokenProblem::NotRecorded(NotRecorded::AlreadyDecided),
        TokenProblem::NotRecorded(NotRecorded::TooLate),
        TokenProblem::NotRecorded(NotRecorded::Withdrawn),
        TokenProblem::Ended,
        TokenProblem::Deadline,
        TokenProblem::ReasonTooLong,
        TokenProblem::RemindedRecently,
        TokenProblem::NobodyToNotify,
        TokenProblem::Stale,
        TokenProblem::Unavailable,
    ]
}

/// What one has written to have this problem.
pub(super) fn written(problem: &TokenProblem) -> Written<'static> {
    match problem {
        TokenProblem::Deadline => Written::Deadline("2020-01-01T10:00"),
        TokenProblem::ReasonTooLong => Written::Reason("too <long>"),
        _ => Written::Nothing,
    }
}

pub(super) const SIGN_IN_PROBLEMS: [Option<SignInProblem>; 5] = [
    None,
    Some(SignInProblem::WrongKey),
    Some(SignInProblem::TooManyAttempts),
    Some(SignInProblem::LinkUsed),
    Some(SignInProblem::Stale),
];

pub(super) fn signing_in(words: &Words, problem: Option<SignInProblem>) -> String {
    let form = SignIn {
        next: "/inbox?tag=a",
        nonce: "NONCE",
        problem,
    };
    let outside = Frame {
        operator: None,
        ..frame(words)
    };
    sign_in(outside, form)
}

pub(super) fn rows() -> Vec<Row> {
    let titles = [
        "Publish the quarterly report?",
        "Refund €1,240 to Harbour Books?",
        "",
        "Deploy api@4f2a91c to production? 3 migrations, of which one locks the table of orders for a minute",
        "هل ننشر التقرير الآن؟",
        "Delete the workspace “Old Town”?",
        "Send the newsletter to 48,210 people?",
    ];
    let mut rows: Vec<_> = (0_u64..)
        .zip(titles)
        .map(|(index, title)| {
            let deadline = in_minutes(25 + 700 * index);
            row(&format!("cm4x9k2p000{index}"), title, Some(deadline))
        })
        .collect();
    rows[0].tags = vec!["report".to_owned(), "q3".to_owned()];
    rows[1].tags = vec!["refund".to_owned(), "order-5521".to_owned()];
    rows[1].failed_deliveries = 2;
    rows[3].tags = vec![
        "deploy".to_owned(),
        "a-tag-that-is-rather-long-and-does-not-end-soon".into(),
    ];
    rows[5].timeout_at = None;
    rows[6].timeout_at = None;
    rows
}

pub(super) fn mixed() -> Vec<Marked> {
    vec![
        marked("a1", waiting(r#"{"title":"Publish the report?"}"#)),
        marked("a2", waiting(r#"{"title":"هل ننشر التقرير الآن؟"}"#)),
        marked("a3", waiting("{}")),
        marked("a4", withdrawn()),
        Marked {
            id: "a5".to_owned(),
            token: Err(NotRead::NotFound),
        },
        Marked {
            id: "a6".to_owned(),
            token: Err(NotRead::Unavailable),
        },
    ]
}

pub(super) fn each_outcome() -> Vec<(Marked, BulkOutcome)> {
    let outcomes = [
        BulkOutcome::Done,
        BulkOutcome::AlreadyDecided,
        BulkOutcome::Withdrawn,
        BulkOutcome::TimedOut,
        BulkOutcome::NotFound,
        BulkOutcome::Unavailable,
        BulkOutcome::NotOffered,
    ];
    let mut marked = mixed();
    marked.push(super::marked("a7", waiting(r#"{"title":"Other?"}"#)));
    marked.into_iter().zip(outcomes).collect()
}

pub(super) fn reviewed(words: &Words, problem: Option<ReviewProblem>, comment: Comment) -> String {
    let (marked, choices) = (mixed(), choices());
    let summary = Review {
        marked: &marked,
        choices: &choices,
        comment,
        written: "so <far>",
        problem,
    };
    review(frame(words), summary)
}

/// Pages of every kind, with their names.
pub(super) fn pages(words: &Words) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut add = |name: &str, page: String| pages.push((name.to_owned(), page));
    let listed =
        |query: &str, page: &InboxPage| list(frame(words), &InboxQuery::parse(query), page);
    let position = Position::of(&rows()[3]);
    let more = InboxPage {
        next: Some(position.clone()),
        ..found(rows())
    };
    add("list", listed("", &more));
    let filtered = "text=Deploy&tag=deploy&age=1d&due=7d&failed=1";
    add(
        "list-filtered",
        listed(filtered, &found(rows()[3..4].to_vec())),
    );
    add("list-empty", listed("", &found(Vec::new())));
    add("list-nothing-matches", listed("text=x", &found(Vec::new())));
    let partial = InboxPage {
        is_partial: true,
        ..more
    };
    add("list-partial", listed("text=x", &partial));
    let ends = rows().into_iter().map(|row| Row {
        ended_at: Some(minutes_ago(55)),
        ..row
    });
    add(
        "list-decided",
        listed("view=decided", &found(ends.collect())),
    );
    add(
        "token",
        opened(
            words,
            &waiting(r#"{"title":"Publish the report?"}"#),
            None,
            Written::Nothing,
        ),
    );
    add("token-rich", opened(words, &rich(), None, Written::Nothing));
    let done = |one: &Token, done| {
        let view = TokenView {
            id: ID,
            token: one,
            input: &FormInput::default(),
            problem: None,
            written: Written::Nothing,
            done: Some(done),
        };
        token(frame(words), view)
    };
    let output = r#"{"status":"approved","comment":"fine","list":[1.50,{"deep":[]}]}"#;
    add(
        "token-decided",
        done(&decided(output, OutputKind::Json), Done::Decided),
    );
    add(
        "token-approved",
        opened(
            words,
            &decided(r#"{"status":"approved"}"#, OutputKind::Json),
            None,
            Written::Nothing,
        ),
    );
    add("token-withdrawn", done(&withdrawn(), Done::Withdrawn));
    add("token-extended", done(&rich(), Done::Extended));
    for (index, problem) in problems().iter().enumerate() {
        let ended = matches!(problem, TokenProblem::NotRecorded(_) | TokenProblem::Ended);
        let token = if ended { withdrawn() } else { rich() };
        add(
            &format!("token-problem-{index}"),
            opened(words, &token, Some(problem), written(problem)),
        );
    }
    add("review", reviewed(words, None, Comment::Optional));
    add(
        "review-problem",
        reviewed(
            words,
            Some(ReviewProblem::CommentMissing),
            Comment::Required,
        ),
    );
    add(
        "review-reason",
        reviewed(words, Some(ReviewProblem::ReasonTooLong), Comment::None),
    );
    let nothing_shared = Review {
        marked: &mixed(),
        choices: &[],
        comment: Comment::Optional,
        written: "",
        problem: None,
    };
    add(
        "review-nothing-shared",
        review(frame(words), nothing_shared),
    );
    let ended = [marked("a4", withdrawn())];
    let none_waits = Review {
        marked: &ended,
        ..nothing_shared
    };
    add("review-none-waits", review(frame(words), none_waits));
    let (decide, withdraw) = (
        BulkAction::Decide {
            label: "Approve".to_owned(),
            comment: String::new(),
        },
        BulkAction::Withdraw { reason: None },
    );
    for (name, action) in [("outcomes", &decide), ("outcomes-withdrawn", &withdraw)] {
        let done = Outcomes {
            action,
            outcomes: &each_outcome(),
        };
        add(name, outcomes(frame(words), done));
    }
    for (index, problem) in SIGN_IN_PROBLEMS.into_iter().enumerate() {
        add(&format!("sign-in-{index}"), signing_in(words, problem));
    }
    for (index, one) in MESSAGES.into_iter().enumerate() {
        add(&format!("message-{index}"), message(frame(words), one));
    }
    pages
}

#[test]
#[ignore = "it writes files, for tests/inbox/look.mjs"]
fn write_the_pages_of_the_inbox() {
    let folder = std::path::PathBuf::from(std::env::var("INBOX_SAMPLES").unwrap());
    for words in ALL {
        let folder = folder.join(words.lang);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, page) in pages(words) {
            std::fs::write(folder.join(name).with_extension("html"), page).unwrap();
        }
    }
}
