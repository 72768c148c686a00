//! Named steps of durable changes, at which tests end the process. Outside this crate's own tests there is nothing here.

#[cfg(test)]
pub(crate) static HOOK: std::sync::OnceLock<fn(&'static str)> = std::sync::OnceLock::new();

/// A step is done.
#[inline]
pub(crate) fn step(name: &'static str) {
    #[cfg(test)]
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
    let _ = name;
}
