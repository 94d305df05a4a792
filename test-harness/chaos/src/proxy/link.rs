//! A wire that can be cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::carry::carry;
use super::sniff::Generations;
use crate::strike::Break;

/// What a link does at the moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// Where it leads; connections to nowhere are refused.
    pub(super) target: Option<SocketAddr>,
    /// Nothing passes.
    pub(super) stalled: bool,
    /// How often every connection was reset, closed and half-closed.
    pub(super) cuts: u64,
    pub(super) closes: u64,
    pub(super) halves: u64,
    /// Tokens are replaced on their way.
    pub(super) lies: bool,
}

/// A wire that can be cut: a port of its own that leads to a port which may change. Dropping it ends it with
/// all its connections.
pub(crate) struct Link {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A link that leads nowhere yet. Generations that are asked for through it are told of.
    pub(crate) async fn new(generations: Option<Arc<Generations>>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (state, seen) = watch::channel(State::default());
        let accepting = tokio::spawn(accept(listener, seen, generations));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// Its own end, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads somewhere else from now on. Connections that exist stay.
    pub(crate) fn lead_to(&self, target: Option<SocketAddr>) {
        self.state.send_modify(|state| state.target = target);
    }

    /// Breaks every connection. A stall lasts until [`Link::restore`], and holds new ones too.
    pub(crate) fn sever(&self, how: Break) {
        self.state.send_modify(|state| match how {
            Break::Cut => state.cuts += 1,
            Break::Close => state.closes += 1,
            Break::HalfClose => state.halves += 1,
            Break::Stall => state.stalled = true,
        });
    }

    /// Replaces tokens on their way to clients from now on, or does not.
    pub(crate) fn lie(&self, lies: bool) {
        self.state.send_modify(|state| state.lies = lies);
    }

    /// Lets everything pass again.
    pub(crate) fn restore(&self) {
        self.state.send_modify(|state| state.stalled = false);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts connections until the link is dropped, and its connections with it.
async fn accept(
    listener: TcpListener,
    state: watch::Receiver<State>,
    generations: Option<Arc<Generations>>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                let sniffer = generations.as_ref().map(Generations::sniffer);
                connections.spawn(carry(client, state.clone(), sniffer));
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Both ends of a connection through a link.
    async fn connected() -> (Link, TcpStream, TcpStream) {
        let server = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let link = Link::new(None).await.unwrap();
        link.lead_to(Some(server.local_addr().unwrap()));
        let near = TcpStream::connect(link.address).await.unwrap();
        let (far, _) = server.accept().await.unwrap();
        (link, near, far)
    }

    async fn passes(from: &mut TcpStream, to: &mut TcpStream) {
        let mut byte = [0];
        from.write_all(b"x").await.unwrap();
        to.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"x");
    }

    #[tokio::test]
    async fn what_is_sent_arrives_in_both_directions_and_so_does_the_end() {
        let (_link, mut near, mut far) = connected().await;
        passes(&mut near, &mut far).await;
        passes(&mut far, &mut near).await;
        near.shutdown().await.unwrap();
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
        passes(&mut far, &mut near).await;
    }

    #[tokio::test]
    async fn a_cut_is_a_reset_and_a_close_is_an_end_for_both() {
        let (link, mut near, mut far) = connected().await;
        link.sever(Break::Cut);
        assert!(near.read(&mut [0]).await.is_err());
        assert!(far.read(&mut [0]).await.is_err());
        let (link, mut near, mut far) = connected().await;
        link.sever(Break::Close);
        assert_eq!(near.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn whoever_is_left_is_told_when_the_other_is_killed() {
        let (_link, mut near, far) = connected().await;
        far.set_zero_linger().unwrap();
        drop(far);
        assert!(matches!(near.read(&mut [0]).await, Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn half_closed_only_one_direction_ends() {
        let (link, mut near, mut far) = connected().await;
        link.sever(Break::HalfClose);
        assert_eq!(near.read(&mut [0]).await.unwrap(), 0);
        passes(&mut near, &mut far).await;
    }

    #[tokio::test]
    async fn stalled_nothing_is_lost() {
        let (link, mut near, mut far) = connected().await;
        link.sever(Break::Stall);
        near.write_all(b"x").await.unwrap();
        let mut byte = [0];
        let early = tokio::time::timeout(std::time::Duration::from_millis(20), far.read(&mut byte));
        assert!(early.await.is_err());
        link.restore();
        far.read_exact(&mut byte).await.unwrap();
    }

    #[tokio::test]
    async fn a_link_to_nowhere_ends_at_once() {
        let link = Link::new(None).await.unwrap();
        let mut near = TcpStream::connect(link.address).await.unwrap();
        assert!(matches!(near.read(&mut [0]).await, Ok(0) | Err(_)));
    }
}
