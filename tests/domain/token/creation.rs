//! How a create goes, step by step.
use waitpoint::domain::token::creation::{Answer, Created, Creation, Step};

fn unused() -> String {
    panic!("no second id is needed")
}

fn claimed(id: &str) -> Answer {
    Answer::KeyClaimed(id.to_owned())
}

const MADE: Step = Step::Done(Created { is_cached: false });
const CACHED: Step = Step::Done(Created { is_cached: true });

#[test]
fn without_a_key_the_token_is_stored_at_once() {
    let (mut creation, step) = Creation::begin("own".to_owned(), false);
    assert_eq!((step, creation.id()), (Step::Store, "own"));
    assert_eq!(creation.created_by_request(), None);
    assert_eq!(creation.handle(Answer::Stored, unused), MADE);

    // The same request once more finds its own token.
    let (mut creation, _) = Creation::begin("own".to_owned(), false);
    assert_eq!(creation.handle(Answer::Found(None), unused), MADE);
}

#[test]
fn a_key_leads_to_the_token_that_it_stands_for() {
    for (found, end) in [(None, CACHED), (Some("third"), CACHED), (Some("own"), MADE)] {
        let (mut creation, step) = Creation::begin("own".to_owned(), true);
        assert_eq!((step, creation.own_id()), (Step::ClaimKey, "own"));
        assert_eq!(creation.handle(claimed("other"), unused), Step::Store);
        assert_eq!(creation.id(), "other");
        assert_eq!(creation.created_by_request(), Some("own"));
        let answer = Answer::Found(found.map(str::to_owned));
        assert_eq!(creation.handle(answer, unused), end, "{found:?}");
    }
    // A claim that nobody followed up.
    let (mut creation, _) = Creation::begin("own".to_owned(), true);
    creation.handle(claimed("other"), unused);
    assert_eq!(creation.handle(Answer::Stored, unused), MADE);
}

#[test]
fn a_token_past_its_retention_is_created_anew_once() {
    let second = || "second".to_owned();
    let (mut creation, _) = Creation::begin("own".to_owned(), true);
    creation.handle(claimed("own"), unused);
    assert_eq!(creation.handle(Answer::NotStored, unused), Step::ReleaseKey);
    assert_eq!(creation.id(), "own", "the key is released by it");
    assert_eq!(creation.handle(Answer::KeyReleased, second), Step::ClaimKey);
    assert_eq!(creation.own_id(), "second");
    assert_eq!(creation.handle(claimed("second"), unused), Step::Store);
    assert_eq!(creation.handle(Answer::NotStored, unused), Step::Failed);

    let (mut creation, _) = Creation::begin("own".to_owned(), false);
    assert_eq!(creation.handle(Answer::NotStored, second), Step::Store);
    assert_eq!(creation.id(), "second");
    assert_eq!(creation.handle(Answer::Stored, unused), MADE);
}
