//! Which architectures a machine can build for.

use crate::Macros;

/// For each architecture, the next ones that it can build for as well: what rpm's `buildarch_compat` says.
const COMPATIBLE: [(&str, &[&str]); 30] = [
    ("x86_64", &["noarch"]),
    ("amd64", &["x86_64"]),
    ("ia32e", &["x86_64"]),
    ("x86_64_v2", &["x86_64"]),
    ("x86_64_v3", &["x86_64_v2"]),
    ("x86_64_v4", &["x86_64_v3"]),
    ("athlon", &["i686"]),
    ("geode", &["i586"]),
    ("pentium4", &["pentium3"]),
    ("pentium3", &["i686"]),
    ("i686", &["i586"]),
    ("i586", &["i486"]),
    ("i486", &["i386"]),
    ("i386", &["noarch", "fat"]),
    ("armv8l", &["armv7l"]),
    ("armv7l", &["armv6l"]),
    ("armv6l", &["armv5tejl"]),
    ("armv5tejl", &["armv5tel"]),
    ("armv5tel", &["armv5tl"]),
    ("armv5tl", &["armv4tl"]),
    ("armv4tl", &["armv4l"]),
    ("armv4l", &["armv3l"]),
    ("armv7hnl", &["armv7hl"]),
    ("armv8hl", &["armv7hl"]),
    ("armv7hl", &["armv6hl"]),
    ("mips64", &["mips"]),
    ("mips64el", &["mipsel"]),
    ("sparc64v", &["sparc64"]),
    ("sparc64", &["sparcv9"]),
    ("sparcv9", &["sparcv8"]),
];

/// The first of the architectures for which this machine can build.
pub(crate) fn first_compatible<'a>(macros: &mut Macros, names: &'a [String]) -> Option<&'a str> {
    let mut own = |name: &str| {
        macros
            .expand(format!("%{{?{name}}}"))
            .map(|expansion| expansion.to_text())
            .unwrap_or_default()
    };
    let cpu = own("_target_cpu");
    let machine = if cpu.is_empty() { own("_build_cpu") } else { cpu };
    names
        .iter()
        .map(String::as_str)
        .find(|name| *name == "noarch" || is_compatible(&machine, name))
}

fn is_compatible(machine: &str, name: &str) -> bool {
    let mut pending = vec![machine];
    // The table has no cycles, and no path in it is longer than it.
    while let Some(next) = pending.pop() {
        if next == name {
            return true;
        }
        if let Some((_, others)) = COMPATIBLE.iter().find(|(architecture, _)| *architecture == next) {
            pending.extend_from_slice(others);
        }
    }
    false
}
