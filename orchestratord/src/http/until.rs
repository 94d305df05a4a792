//! A stream that ends before its time.

use std::pin::Pin;

use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt};

/// The same items, up to the moment at which something happens: then one last item that tells of it.
pub(super) fn until<T, E, H>(
    items: impl Stream<Item = T> + Send + 'static,
    happens: H,
    last: impl FnOnce(E) -> T + Send + 'static,
) -> impl Stream<Item = T> + Send + 'static
where
    T: Send + 'static,
    H: Future<Output = E> + Unpin + Send + 'static,
{
    let items: Pin<Box<dyn Stream<Item = T> + Send>> = Box::pin(items);
    unfold(Some((items, happens, last)), |state| async move {
        let (mut items, mut happens, last) = state?;
        tokio::select! {
            // What has happened counts before what is there.
            biased;
            what = &mut happens => Some((last(what), None)),
            item = items.next() => item.map(|item| (item, Some((items, happens, last)))),
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::sync::oneshot;

    use super::*;

    fn until_told(items: Vec<u32>) -> (oneshot::Sender<()>, impl Stream<Item = u32> + Unpin) {
        let (tell, told) = oneshot::channel();
        let items = stream::iter(items).chain(stream::pending());
        (tell, Box::pin(until(items, told, |_| 99)))
    }

    #[tokio::test]
    async fn what_happens_ends_it_before_what_is_there() {
        let (tell, mut items) = until_told(vec![1, 2, 3]);
        assert_eq!(items.next().await, Some(1));
        tell.send(()).unwrap();
        assert_eq!(items.next().await, Some(99));
        assert_eq!(items.next().await, None);
    }

    #[tokio::test]
    async fn what_happens_ends_the_wait_for_what_is_not_there() {
        let (tell, mut items) = until_told(vec![]);
        assert!(futures_util::poll!(items.next()).is_pending());
        tell.send(()).unwrap();
        assert_eq!(items.next().await, Some(99));
        assert_eq!(items.next().await, None);
    }

    #[tokio::test]
    async fn a_stream_that_is_over_waits_for_nothing() {
        let never = std::future::pending::<()>();
        let items = until(stream::iter([1]), Box::pin(never), |()| 99);
        assert_eq!(items.collect::<Vec<_>>().await, [1]);
    }
}
