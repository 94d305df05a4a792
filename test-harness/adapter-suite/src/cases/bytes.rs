//! However the bytes come, and whatever they are.

use std::sync::Arc;

use worker_adapter::GenerationEvent;

use super::setup::{first_recording, first_token_ends, outcome};
use crate::dialect::{Dialect, Recording};
use crate::outcome::{Kind, assert_prompt};
use crate::scripted::{Reply, Step};

/// Bytes between two cuts. A prime, and longer than most frames: no two cuts fall on the same place of one.
const STRIDE: usize = 97;

/// Each recording means its events, and they add up.
///
/// # Panics
/// If the adapter fails the case.
pub async fn whole_recordings(dialect: Arc<impl Dialect>) {
    for recording in dialect.recordings() {
        let tokens = recording.tokens().count() as u64;
        let Some(GenerationEvent::End { tokens_out, .. }) = recording.events.last() else {
            panic!("{}: the last event is no end", recording.name);
        };
        assert_eq!(*tokens_out, tokens, "{}", recording.name);
        expect(&dialect, &recording, &[&recording.body]).await;
    }
}

/// Where the engine tells the prompt's size early, it comes once, before the first token and without the end,
/// and is what the end counts.
///
/// # Panics
/// If the adapter fails the case.
pub async fn the_prompt_is_told_first(dialect: Arc<impl Dialect>) {
    for recording in dialect.recordings() {
        let reply = recording.reply().chunk(&recording.body);
        let (events, _) = outcome(&dialect, reply.end()).await;
        assert_prompt(recording.name, &events);
    }
    let recording = first_recording(&*dialect);
    let first = first_token_ends(&dialect, &recording).await;
    let begun = recording.reply().chunk(&recording.body[..first]);
    let (events, _) = outcome(&dialect, begun.end()).await;
    let tokens = events
        .iter()
        .rposition(|event| Some(event) == recording.tokens().next());
    assert_eq!(tokens, Some(events.len() - 1), "{events:?}");
    assert_eq!(events, recording.events[..events.len()]);
}

/// Each recording in chunks of one byte: every border at once.
///
/// # Panics
/// If the adapter fails the case.
pub async fn one_byte_at_a_time(dialect: Arc<impl Dialect>) {
    for recording in dialect.recordings() {
        let pieces: Vec<&[u8]> = recording.body.chunks(1).collect();
        expect(&dialect, &recording, &pieces).await;
    }
}

/// Each recording cut at every place, with much before and after each cut.
///
/// # Panics
/// If the adapter fails the case.
pub async fn every_place_to_cut(dialect: Arc<impl Dialect>) {
    for recording in dialect.recordings() {
        for first in 1..=STRIDE.min(recording.body.len()) {
            let (head, rest) = recording.body.split_at(first);
            let pieces: Vec<&[u8]> = [head].into_iter().chain(rest.chunks(STRIDE)).collect();
            expect(&dialect, &recording, &pieces).await;
        }
    }
}

/// Each character of several bytes, cut inside.
///
/// # Panics
/// If the adapter fails the case, or no recording has such a character.
pub async fn characters_cut_in_two(dialect: Arc<impl Dialect>) {
    let mut cuts = 0;
    for recording in dialect.recordings() {
        let inside = |cut: &usize| recording.body[*cut] & 0b1100_0000 == 0b1000_0000;
        for cut in (0..recording.body.len()).filter(inside) {
            let (head, tail) = recording.body.split_at(cut);
            expect(&dialect, &recording, &[head, tail]).await;
            cuts += 1;
        }
    }
    assert!(cuts > 0, "no recording has a character of several bytes");
}

async fn expect(dialect: &Arc<impl Dialect>, recording: &Recording, pieces: &[&[u8]]) {
    let head = recording.reply();
    let reply = pieces.iter().fold(head, |reply, piece| reply.chunk(piece));
    let (events, result) = outcome(dialect, reply.end()).await;
    assert_eq!(result, Ok(()), "{}", recording.name);
    assert_eq!(events, recording.events, "{}", recording.name);
}

/// A body that is no generation is an error, never an end.
///
/// # Panics
/// If the adapter fails the case.
pub async fn garbage_is_told(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let random: Vec<u8> = (0..9_999_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for body in dialect.garbage().into_iter().chain([random]) {
        let reply = recording.reply().chunk(&body).end();
        let (events, result) = outcome(&dialect, reply).await;
        let kind = result.as_ref().err().map(Kind::from);
        assert!(
            matches!(kind, Some(Kind::Protocol | Kind::Reset)),
            "{:?} gave {events:?} and {result:?}",
            String::from_utf8_lossy(&body)
        );
    }
    let not_http = Reply::default().send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec());
    let (_, result) = outcome(&dialect, not_http).await;
    let kind = result.as_ref().err().map(Kind::from);
    assert!(
        matches!(kind, Some(Kind::Protocol | Kind::Reset)),
        "no HTTP gave {result:?}"
    );
}

/// A frame without an end is given up at a limit.
///
/// # Panics
/// If the adapter fails the case.
pub async fn nothing_endless_is_held(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let piece = dialect.endless_piece();
    let mut chunks = Vec::new();
    while chunks.len() < 1 << 16 {
        let size = format!("{:x}\r\n", piece.len());
        chunks.extend([size.as_bytes(), &piece, b"\r\n"].concat());
    }
    let reply = recording.reply().then(Step::SendForEver(chunks));
    let (events, result) = outcome(&dialect, reply).await;
    assert_eq!(
        (events, result.as_ref().err().map(Kind::from)),
        (Vec::new(), Some(Kind::Protocol)),
        "{result:?}"
    );
}
