//! Macros that every distribution with rpm has, for reading specs where no rpm is installed.
//!
//! The names and folders are those of the GNU coding standards and of rpm's documentation; what a build runs is the business
//! of the macros in its buildroot. A project's own macro files come after these and win.

/// A machine that packages are built for, by rpm's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// `x86_64`
    pub cpu: &'static str,
    /// What `%{_isa}` says: `x86-64`.
    pub isa: &'static str,
    /// `lib64` or `lib`.
    pub library_folder: &'static str,
    /// Other names that `%ifarch` may ask for by a macro: `%{x86_64}`.
    pub family: &'static str,
}

impl Target {
    /// AMD64.
    pub const X86_64: Self = Self {
        cpu: "x86_64",
        isa: "x86-64",
        library_folder: "lib64",
        family: "x86_64 x86_64_v2 x86_64_v3 x86_64_v4 amd64 em64t",
    };
    /// ARM, 64 bits.
    pub const AARCH64: Self = Self {
        cpu: "aarch64",
        isa: "aarch-64",
        library_folder: "lib64",
        family: "aarch64",
    };

    /// The target of rpm's name for it.
    #[must_use]
    pub fn parse(cpu: &str) -> Option<Self> {
        [Self::X86_64, Self::AARCH64]
            .into_iter()
            .find(|target| target.cpu == cpu)
    }
}

/// The text of a macro file with the base macros for a target.
#[must_use]
pub fn base_macros(target: Target) -> String {
    let Target {
        cpu,
        isa,
        library_folder,
        family,
    } = target;
    let other = if cpu == Target::X86_64.cpu {
        Target::AARCH64
    } else {
        Target::X86_64
    };
    format!(
        "%_arch {cpu}\n%_host_cpu {cpu}\n%_target_cpu {cpu}\n%_build_arch {cpu}\n%_build_cpu {cpu}\n%_lib {library_folder}\n\
         %_isa ({isa})\n%__isa_bits 64\n%{} {family}\n%{} {}\n{COMMON}",
        target.cpu, other.cpu, other.family
    )
}

const COMMON: &str = include_str!("base.macros");
