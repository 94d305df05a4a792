//! How many threads the arithmetic may use.

use std::num::NonZeroUsize;

/// Every variable by which the tensor library and its helpers size their pools.
const POOL_SIZES: [&str; 2] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"];

/// Variables by which it computes otherwise, which `engine_version` does not tell.
const OTHER_ARITHMETIC: [&str; 2] = ["CANDLE_DEQUANTIZE_ALL", "CANDLE_DEQUANTIZE_ALL_F16"];

/// Bounds the pools that the tensor library keeps for itself, and sees to it that it computes as
/// `engine_version` says. It hears of both through the environment only.
///
/// # Safety
///
/// No other thread may exist yet: it might read the environment at the same time.
#[allow(unsafe_code)]
pub unsafe fn settle_library_environment(threads: NonZeroUsize) {
    for variable in POOL_SIZES {
        // SAFETY: the caller vouches that this is the only thread.
        unsafe { std::env::set_var(variable, threads.to_string()) };
    }
    for variable in OTHER_ARITHMETIC {
        // SAFETY: as above.
        unsafe { std::env::remove_var(variable) };
    }
}

/// Makes the current thread the first worker of a pool of `threads`, so that parallel operations
/// called from it run on it and on `threads - 1` others, and with one thread on it alone.
pub(crate) fn become_worker(threads: NonZeroUsize) -> Result<rayon::ThreadPool, String> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .thread_name(|i| format!("engine-math-{i}"))
        .use_current_thread()
        .build()
        .map_err(|error| error.to_string())
}

/// Runs a test that computes in a process of its own, where the library keeps no other threads: they
/// spin while they wait, which on a busy machine takes ten times as long as the work.
///
/// `body` must be a closure in the test itself: the test's name is taken from its type.
#[cfg(test)]
pub(crate) fn alone<F: FnOnce()>(body: F) {
    if std::env::var(POOL_SIZES[0]).is_ok_and(|threads| threads == "1") {
        return body();
    }
    let path = std::any::type_name::<F>();
    let test = path
        .strip_prefix("orch_engine::")
        .and_then(|path| path.strip_suffix("::{{closure}}"))
        .expect("a closure in a test of this crate");
    let output = std::process::Command::new(std::env::current_exe().expect("the test's binary"))
        .args([test, "--exact", "--nocapture"])
        .env(POOL_SIZES[0], "1")
        .output()
        .expect("a second process");
    let said = String::from_utf8_lossy(&output.stdout);
    // A name that matches no test would succeed as well.
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
