//! Texts that are whole, and texts that are not.

use super::*;
use crate::frame::ClosedBy;
use crate::place::PrefixHash;
use crate::standing::Finish;
use crate::story::{Story, TASK, end_of, outcome, token};

fn judge(story: &Story) -> Vec<Violation> {
    story.judged_by(StreamsWhole::default())
}

/// A reader that has read so many tokens of a text of two.
fn read(tokens: u64) -> Story {
    let mut story = Story::accepted();
    story.open(1, ReadFrom::Start);
    for index in 0..tokens {
        story.frame(1, token(&["old", " pond"], index));
    }
    story
}

#[test]
fn a_text_may_be_read_in_pieces_and_by_many() {
    let mut story = read(1);
    story.close(1, ClosedBy::Fault);
    let place = Text::of(&["old"]).place_at(1).unwrap();
    story.open(1, ReadFrom::After(place));
    story.frame(1, token(&["old", " pond"], 1));
    story.frame(1, end_of(&["old", " pond"], Finish::Stop));
    story.open(2, ReadFrom::Start);
    story.frame(2, token(&["old", " pond"], 0));
    story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
    assert_eq!(judge(&story), []);
}

#[test]
fn a_gap_a_repeat_and_a_wrong_hash_are_seen() {
    let mut gap = read(0);
    gap.frame(1, token(&["old", " pond"], 1));
    let mut repeat = read(1);
    repeat.frame(1, token(&["old", " pond"], 0));
    let mut hash = read(1);
    hash.frame(1, token(&["new", " pond"], 1));
    for story in [gap, repeat, hash] {
        assert_eq!(judge(&story).len(), 1);
    }
}

#[test]
fn two_readers_of_one_task_have_one_text_unless_the_engine_was_changed() {
    let mut story = read(2);
    story.open(2, ReadFrom::Start);
    story.frame(2, token(&["new"], 0));
    assert_eq!(judge(&story).len(), 1);
    let mut story = Story::accepted();
    story.see(Event::TextChanged { task: TASK });
    for (reader, text) in [(1, "old"), (2, "new")] {
        story.open(reader, ReadFrom::Start);
        story.frame(reader, token(&[text], 0));
    }
    assert_eq!(judge(&story), []);
    // Only one of them can be told that its text is whole.
    for reader in [1, 2] {
        let text = if reader == 1 { "old" } else { "new" };
        story.frame(reader, end_of(&[text], Finish::Stop));
    }
    story.result(TASK, outcome(State::Completed, Some("old"), 1));
    assert_eq!(judge(&story).len(), 1);
}

#[test]
fn a_reader_with_another_text_is_never_continued() {
    let mut story = read(1);
    let place = Place {
        position: 1,
        hash: PrefixHash::of("new").value(),
    };
    story.open(1, ReadFrom::After(place));
    story.frame(1, token(&["new", " pond"], 1));
    assert_eq!(judge(&story).len(), 1);
}

#[test]
fn the_result_is_what_was_shown() {
    let mut story = read(2);
    story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
    assert_eq!(judge(&story), []);
    story.result(TASK, outcome(State::Completed, Some("old frog"), 2));
    assert_eq!(judge(&story).len(), 1);
    // Shown too much is as wrong as shown too little, but for a cancel.
    for (state, broken) in [(State::Completed, 1), (State::Cancelled, 0)] {
        let mut story = read(2);
        story.result(TASK, outcome(state, Some("old"), 1));
        assert_eq!(judge(&story).len(), broken, "{state:?}");
    }
}

#[test]
fn an_end_comes_where_the_text_ends() {
    let mut story = read(1);
    story.frame(1, end_of(&["old", " pond"], Finish::Stop));
    assert_eq!(judge(&story).len(), 1);
    let mut story = read(1);
    story.frame(1, end_of(&["old"], Finish::Stop));
    story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
    assert_eq!(judge(&story).len(), 1);
}

#[test]
fn a_reader_is_not_told_that_its_text_differs_when_it_does_not() {
    let diverged = Frame::Error {
        place: None,
        code: "STREAM_DIVERGED".to_owned(),
    };
    for (result, broken) in [("old pond", 1), ("new pond", 0)] {
        let mut story = Story::accepted();
        story.see(Event::TextChanged { task: TASK });
        story.open(1, ReadFrom::Start);
        story.frame(1, token(&["old"], 0));
        story.frame(1, diverged.clone());
        story.result(TASK, outcome(State::Completed, Some(result), 2));
        assert_eq!(judge(&story).len(), broken, "{result}");
    }
}
