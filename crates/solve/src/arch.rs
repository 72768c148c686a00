//! Which architectures a machine runs.

/// Packages of one name and class exclude each other; those of different classes can be installed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ArchClass {
    /// The machine's own architecture, and `noarch`.
    Native,
    /// What it runs besides, such as `i686` on `x86_64`.
    Secondary,
}

/// The class of a package's architecture on a machine; `None` if it cannot run there.
pub(crate) fn class_of(machine: &str, package: &str) -> Option<ArchClass> {
    if package == machine || package == "noarch" {
        return Some(ArchClass::Native);
    }
    let secondary: &[&str] = match machine {
        "x86_64" => &["i686", "i586", "i486", "i386", "athlon"],
        _ => &[],
    };
    secondary.contains(&package).then_some(ArchClass::Secondary)
}
