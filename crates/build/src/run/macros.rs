//! The macros of a build: what the builder decides, over what the packages of the buildroot say.
//!
//! | macro | why |
//! |---|---|
//! | `_topdir` | the same for every build of every component, so that paths in files are the same |
//! | `_buildhost`, `use_source_date_epoch_as_buildtime` | the header names no machine and no clock |
//! | `build_mtime_policy`, `clamp_mtime_to_source_date_epoch` | no file is younger than the sources (rpm 4.20; before) |
//! | `_unique_build_ids`, `_unique_debug_names`, `_unique_debug_srcs` undefined | a new release alone changes no file: early cut-off |
//! | `_build_id_links` | links to build-ids are in the packages with debug information only |
//! | `_binary_payload`, `_source_payload` | zstd with one thread: the same bytes whatever the machine |
//!
//! Flags of compilers, `dist` and the like are the distribution's: its package of macros, or [`crate::Macros`].

use crate::{BuildError, BuildJob};
use std::collections::BTreeMap;

/// The folder in which all is built, inside.
pub(crate) const TOP: &str = "/builddir";

/// The host that packages say they were built on.
const BUILD_HOST: &str = "lazuli";

/// What is undefined, since a macro with an empty value counts as defined.
pub(super) const UNDEFINED: [&str; 3] = ["_unique_build_ids", "_unique_debug_names", "_unique_debug_srcs"];

/// Longest value of a macro in bytes.
const VALUE_MAX: usize = 1 << 20;

/// The file of macros.
pub(super) fn text(job: &BuildJob, processors: u32) -> Result<String, BuildError> {
    let processors = processors.to_string();
    let mut macros: BTreeMap<&str, &str> = job
        .macros
        .0
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // Last, so that nobody changes them unawares; a component that must can with `defines`.
    macros.extend([
        ("_topdir", TOP),
        ("_dbpath", "/usr/lib/sysimage/rpm"),
        ("_buildhost", BUILD_HOST),
        ("use_source_date_epoch_as_buildtime", "1"),
        ("source_date_epoch_from_changelog", "0"),
        ("build_mtime_policy", "clamp_to_source_date_epoch"),
        ("clamp_mtime_to_source_date_epoch", "1"),
        ("_build_id_links", "alldebug"),
        ("_unpackaged_files_terminate_build", "1"),
        ("_missing_doc_files_terminate_build", "1"),
        ("_binary_payload", "w3.zstdio"),
        ("_source_payload", "w3.zstdio"),
        ("_binary_filedigest_algorithm", "8"),
        ("_source_filedigest_algorithm", "8"),
        ("_smp_build_ncpus", &processors),
    ]);
    let mut text = String::new();
    for (name, value) in macros {
        check(name, value)?;
        text.push_str(&format!("%{name} {}\n", value.replace('\n', "\\\n")));
    }
    Ok(text)
}

/// Refuses what rpm would read as something else.
fn check(name: &str, value: &str) -> Result<(), BuildError> {
    let bad = |reason| BuildError::BadInput {
        what: "macro",
        value: name.to_owned(),
        reason,
    };
    let plain = name.split('(').next().unwrap_or_default();
    let is_name = plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name || name.contains(char::is_whitespace) {
        return Err(bad("a macro's name has letters, digits and `_`"));
    }
    if value.len() > VALUE_MAX {
        return Err(bad("its value has more than 1 MiB"));
    }
    if value.contains('\0') {
        return Err(bad("its value holds a zero byte"));
    }
    Ok(())
}

/// The options of rpmbuild that the component's settings ask for.
pub(super) fn options(job: &BuildJob) -> Result<Vec<String>, BuildError> {
    let mut arguments = vec!["--target".to_owned(), job.architecture.as_str().to_owned()];
    let options = &job.options;
    for name in UNDEFINED
        .iter()
        .copied()
        .chain(options.undefines.iter().map(String::as_str))
    {
        check(name, "")?;
        arguments.push(format!("--undefine={name}"));
    }
    for (name, value) in &options.defines {
        check(name, value)?;
        arguments.extend(["--define".to_owned(), format!("{name} {value}")]);
    }
    for (option, names) in [("--with", &options.with), ("--without", &options.without)] {
        for name in names {
            if name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace) {
                return Err(BuildError::BadInput {
                    what: "conditional",
                    value: name.clone(),
                    reason: "it is one word",
                });
            }
            arguments.extend([option.to_owned(), name.clone()]);
        }
    }
    if options.tests == crate::Tests::Skip {
        arguments.push("--nocheck".to_owned());
    }
    Ok(arguments)
}
