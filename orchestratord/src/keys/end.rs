//! The end of a key, for what goes on longer than one request.

use std::time::Duration;

use orchestrator_core::id::KeyId;
use orchestrator_core::key::Keys;
use orchestrator_core::time::WallMs;
use tokio::sync::watch;
use tokio::time::sleep;

use super::gate::Turned;

/// The clock on the wall can be set, so it is looked at no later than after so many milliseconds.
const LOOK_MS: u64 = 10_000;

/// Resolves as soon as a key is in force no more, and says why. `now` reads the clock on the wall. Without an owner
/// keys stay as they were.
pub async fn ended(
    mut keys: watch::Receiver<Keys>,
    key: KeyId,
    now: impl Fn() -> WallMs,
) -> Turned {
    loop {
        let at = now();
        let expires = match keys.borrow_and_update().get(key) {
            None => return Turned::Unknown,
            Some(record) => match Turned::of_ended(record, at) {
                Some(turned) => return turned,
                None => record.expires_at,
            },
        };
        let look = expires.map(|expires| Duration::from_millis((expires - at).min(LOOK_MS)));
        tokio::select! {
            changed = keys.changed() => if changed.is_err() {
                // Nobody can change them any more: the daemon ends, and its streams with it.
                std::future::pending::<()>().await;
            },
            () = nap(look) => {}
        }
    }
}

/// Waits so long, or for ever.
async fn nap(length: Option<Duration>) {
    match length {
        Some(length) => sleep(length).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use orchestrator_core::id::PrincipalId;
    use orchestrator_core::key::{KeyMac, KeyRecord, Scopes, ServerKeyMark, Tenant};
    use orchestrator_core::queue::ClassName;

    use super::*;

    const KEY: KeyId = KeyId(5);

    fn record(expires_at: Option<WallMs>) -> KeyRecord {
        KeyRecord {
            id: KEY,
            mac: KeyMac([0; 32]),
            server_key: ServerKeyMark([0; 8]),
            tenant: Tenant::default(),
            project: None,
            name: String::new(),
            scopes: Scopes::ALL,
            class_max: ClassName::INTERACTIVE,
            created_at: WallMs(1),
            created_by: PrincipalId::SYSTEM,
            expires_at,
            revoked_at: None,
            replaced_by: None,
        }
    }

    fn keys(record: KeyRecord) -> Keys {
        Keys::from_iter([record])
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_revoked_ends_at_once_and_another_change_ends_nothing() {
        let (told, seen) = watch::channel(keys(record(None)));
        let mut end = std::pin::pin!(ended(seen, KEY, || WallMs(9)));
        assert!(futures_util::poll!(&mut end).is_pending());
        let other = KeyRecord {
            id: KeyId(6),
            revoked_at: Some(WallMs(8)),
            ..record(None)
        };
        told.send_replace(Keys::from_iter([record(None), other]));
        assert!(futures_util::poll!(&mut end).is_pending());
        let successor = Some(KeyId(6));
        told.send_replace(keys(KeyRecord {
            revoked_at: Some(WallMs(9)),
            replaced_by: successor,
            ..record(None)
        }));
        let revoked = Turned::Revoked {
            key: KEY,
            replaced_by: successor,
        };
        assert_eq!(end.await, revoked);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_expires_by_the_clock_on_the_wall_also_if_that_is_set() {
        let at = WallMs(100_000);
        let (_told, seen) = watch::channel(keys(record(Some(at))));
        let wall = AtomicU64::new(0);
        let mut end = std::pin::pin!(ended(seen, KEY, || WallMs(wall.load(Ordering::Relaxed))));
        assert!(futures_util::poll!(&mut end).is_pending());
        // Somebody sets it forward, which no timer is told of.
        wall.store(at.0, Ordering::Relaxed);
        let began = tokio::time::Instant::now();
        assert_eq!(end.await, Turned::Expired { key: KEY, at });
        assert!(began.elapsed() <= Duration::from_millis(LOOK_MS));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_whose_end_is_put_off_lives_on() {
        let (told, seen) = watch::channel(keys(record(Some(WallMs(5)))));
        let wall = AtomicU64::new(4);
        let mut end = std::pin::pin!(ended(seen, KEY, || WallMs(wall.load(Ordering::Relaxed))));
        assert!(futures_util::poll!(&mut end).is_pending());
        told.send_replace(keys(record(None)));
        wall.store(6, Ordering::Relaxed);
        assert!(futures_util::poll!(&mut end).is_pending());
    }
}
