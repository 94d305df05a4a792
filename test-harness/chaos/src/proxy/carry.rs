//! One connection through a link.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::link::State;
use super::sniff::Sniffer;

/// Most bytes that are carried at once.
const PIECE_BYTES: usize = 16 * 1024;

/// How a connection is ended from here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Close,
    Reset,
}

/// Carries a connection to where the link leads, until it ends or is broken.
pub(super) async fn carry(
    mut client: TcpStream,
    mut state: watch::Receiver<State>,
    sniffer: Option<Sniffer>,
) {
    if passing(&mut state).await.is_err() {
        return;
    }
    let before = *state.borrow();
    let Some(target) = before.target else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    // Frames are small; without this they would wait for each other.
    let _best_effort = (client.set_nodelay(true), server.set_nodelay(true));
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = up(from_client, to_server, state.clone(), sniffer);
        let down = down(from_server, to_client, state.clone(), before.halves);
        tokio::select! {
            end = severed(state, before) => end,
            // A direction that has broken breaks the other: whoever is left must not wait for ever.
            both = async { tokio::try_join!(up, down) } => match both {
                Ok(_) => End::Close,
                Err(_) => End::Reset,
            },
        }
    };
    if end == End::Reset {
        // If it cannot be reset it is closed, which is a fault as well.
        let _reset = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Resolves when the connection is to be ended.
async fn severed(mut state: watch::Receiver<State>, before: State) -> End {
    let broken = state
        .wait_for(|now| now.cuts != before.cuts || now.closes != before.closes)
        .await;
    match broken {
        Ok(now) if now.cuts == before.cuts => End::Close,
        _ => End::Reset,
    }
}

/// Resolves while things pass; fails once the link is gone.
async fn passing(state: &mut watch::Receiver<State>) -> io::Result<()> {
    let passing = state.wait_for(|state| !state.stalled).await;
    passing.map(|_| ()).map_err(io::Error::other)
}

/// From client to server.
async fn up(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut state: watch::Receiver<State>,
    mut sniffer: Option<Sniffer>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = from.read(&mut piece).await?;
        passing(&mut state).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        if let Some(sniffer) = &mut sniffer {
            sniffer.push(&piece[..count]);
        }
        to.write_all(&piece[..count]).await?;
    }
}

/// Replaces the first letter of tokens that begin with a space.
fn lie(piece: &mut [u8]) {
    const BEFORE: &[u8] = br#""t":" "#;
    let starts = piece.windows(BEFORE.len() + 1).enumerate();
    let letters: Vec<usize> = starts
        .filter(|(_, bytes)| bytes.starts_with(BEFORE) && bytes[BEFORE.len()].is_ascii_lowercase())
        .map(|(start, _)| start + BEFORE.len())
        .collect();
    for at in letters {
        piece[at] = if piece[at] == b'z' {
            b'a'
        } else {
            piece[at] + 1
        };
    }
}

/// From server to client. Half-closed, the client is told of the end, and what comes after is thrown away.
async fn down(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut state: watch::Receiver<State>,
    halves: u64,
) -> io::Result<()> {
    let mut half_closed = state.clone();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = tokio::select! {
            count = from.read(&mut piece) => count?,
            _ = half_closed.wait_for(|now| now.halves != halves) => break,
        };
        passing(&mut state).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        if state.borrow().lies {
            lie(&mut piece[..count]);
        }
        to.write_all(&piece[..count]).await?;
    }
    to.shutdown().await?;
    while from.read(&mut piece).await? > 0 {}
    Ok(())
}
