//! How many threads the arithmetic may use.

use std::num::NonZeroUsize;

/// Every variable by which the tensor library and its helpers size their pools.
const POOL_SIZES: [&str; 2] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"];

/// Bounds the library's own pools, which it sizes from the environment and else by the machine.
///
/// # Safety
///
/// No other thread may exist yet: it might read the environment at the same time.
#[allow(unsafe_code)]
pub unsafe fn bound_library_pools(threads: NonZeroUsize) {
    for variable in POOL_SIZES {
        // SAFETY: the caller vouches that this is the only thread.
        unsafe { std::env::set_var(variable, threads.to_string()) };
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
