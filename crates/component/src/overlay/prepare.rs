//! What every rendered spec gets beside its overlays: a header, the macros of the build options, a `%check` that ends
//! at once.
//!
//! ```text
//!  # <header>
//!  %{load:%{_sourcedir}/NAME.lazuli.macros}        with, without, defines
//!  %undefine X                                     undefines, which a macro file cannot have
//!  …
//!  Source9999: NAME.lazuli.macros                  behind the last source, so that the source package has it
//!  …
//!  %check
//!  # <reason>
//!  exit 0
//! ```

use lazuli_catalog::{BuildSettings, CheckPhase};
use lazuli_spec::{Document, Edit, EditErrorKind, Scope};

use crate::source_tree::{SourcePath, SourceTree};

use super::report::{FileAction, FileChange, OverlayFailure, OverlayIdentity};
use super::spec::outcome;
use super::state::Fault;

/// What comes after a component's name in the name of its macros file.
pub const MACROS_SUFFIX: &str = ".lazuli.macros";
/// The number of the macros file among the sources, if it is free.
const MACROS_SOURCE: u32 = 9999;
/// Highest number that is tried for it.
const MAX_SOURCE: u32 = 99_999;

/// What [`prepare`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The macros file, if the build options need one.
    pub macros: Option<SourcePath>,
    /// What changed, by file.
    pub changes: Vec<FileChange>,
    /// What the user should look at, each a sentence without a final full stop.
    pub warnings: Vec<String>,
}

/// Puts `header` (comment lines, without `#`) and the build options of `component` into the spec and its sources.
///
/// # Errors
/// [`OverlayFailure`]; the tree is as it was then.
pub fn prepare(
    tree: &mut SourceTree,
    component: &str,
    header: &[&str],
    build: &BuildSettings,
) -> Result<Prepared, Box<OverlayFailure>> {
    let identity = || OverlayIdentity {
        number: 0,
        kind: "build options",
        description: None,
        place: None,
    };
    let mut work = tree.clone();
    let prepared =
        prepare_tree(&mut work, component, header, build).map_err(|fault| fault.into_failure(identity()))?;
    *tree = work;
    Ok(prepared)
}

fn prepare_tree(
    tree: &mut SourceTree,
    component: &str,
    header: &[&str],
    build: &BuildSettings,
) -> Result<Prepared, Fault> {
    let spec = tree.spec_path().clone();
    let bytes = tree
        .spec_bytes()
        .map_err(|error| Fault::tree(spec.as_str(), &error))?;
    let mut document = Document::parse(&bytes);
    let mut prepared = Prepared::default();
    let mut note = |edit: Edit| {
        let outcome = outcome(&spec, edit);
        prepared.changes.extend(outcome.changes);
        prepared.warnings.extend(outcome.warnings);
    };
    if let CheckPhase::Skip { reason } = &build.check {
        note(skip_check(&mut document, reason).map_err(|error| Fault::edit(&spec, error))?);
    }
    let macros = macros_file(build).map_err(|problem| Fault::new(spec.as_str(), problem))?;
    let name = format!("{component}{MACROS_SUFFIX}");
    if macros.is_some() {
        note(register(&mut document, &name).map_err(|error| Fault::edit(&spec, error))?);
    }
    let mut top: Vec<String> = header.iter().map(|line| comment(line)).collect();
    if macros.is_some() {
        top.push(format!("%{{load:%{{_sourcedir}}/{name}}}"));
    }
    for undefined in &build.undefines {
        check_name(undefined).map_err(|problem| Fault::new(spec.as_str(), problem))?;
        top.push(format!("%undefine {undefined}"));
    }
    if !top.is_empty() {
        top.push(String::new());
        note(
            document
                .prepend_lines(Scope::WholeSpec, &top)
                .map_err(|error| Fault::edit(&spec, error))?,
        );
    }
    tree.set_spec(document.to_bytes());
    if let Some(text) = macros {
        let path = SourcePath::new(name.as_str()).map_err(|error| Fault::tree(name.as_str(), &error))?;
        if tree.contains(path.as_str()) {
            return Err(Fault::new(name.as_str(), "there is a file of this name already"));
        }
        tree.put(path.clone(), text.into_bytes());
        prepared.changes.push(FileChange {
            file: name,
            member: None,
            action: FileAction::Added,
        });
        prepared.macros = Some(path);
    }
    Ok(prepared)
}

/// A comment. A percent sign is doubled: macros are expanded in comments too.
fn comment(line: &str) -> String {
    let line = line.replace('%', "%%").replace(['\n', '\r'], " ");
    match line.trim().is_empty() {
        true => "#".to_owned(),
        false => format!("# {}", line.trim_end()),
    }
}

fn skip_check(document: &mut Document, reason: &str) -> Result<Edit, lazuli_spec::EditError> {
    let mut lines = vec!["exit 0".to_owned()];
    if !reason.trim().is_empty() {
        lines.insert(0, comment(&format!("Skipped: {reason}")));
    }
    let check = Scope::Section {
        name: "check",
        package: None,
    };
    match document.prepend_lines(check, &lines) {
        Err(error) if error.kind == EditErrorKind::NoSection => Ok(Edit {
            changes: Vec::new(),
            warnings: vec!["`check.skip` has no effect: the spec has no %check".to_owned()],
        }),
        done => done,
    }
}

/// Names the macros file as a source, with the first number from 9999 that is free.
fn register(document: &mut Document, name: &str) -> Result<Edit, lazuli_spec::EditError> {
    let tags = document.tags(None)?;
    let taken = |number: u32| {
        tags.iter()
            .any(|tag| tag.family == "source" && tag.number == Some(number))
    };
    let number = (MACROS_SOURCE..MAX_SOURCE)
        .find(|number| !taken(*number))
        .unwrap_or(MAX_SOURCE);
    document.insert_tag(None, &format!("Source{number}"), name)
}

/// The macros file (rpm's macro file syntax, `%name body`), or nothing when no option needs one.
///
/// What `rpmbuild --with x` and `--without x` define is `_with_x` and `_without_x`, which `%bcond` looks at.
fn macros_file(build: &BuildSettings) -> Result<Option<String>, String> {
    let mut text = String::new();
    for (options, kind) in [(&build.with, "with"), (&build.without, "without")] {
        for option in options {
            check_name(option)?;
            text.push_str(&format!("%_{kind}_{option} --{kind}-{option}\n"));
        }
    }
    for (name, value) in &build.defines {
        let body = name.trim_end_matches("()");
        check_name(body)?;
        text.push_str(&format!("%{name} {}\n", macro_body(value)));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// A macro's body in a macro file: lines go on behind a backslash, and an empty one is written out.
fn macro_body(value: &str) -> String {
    let value = value.trim_end_matches(['\n', '\r']);
    match value.trim().is_empty() {
        true => "%{nil}".to_owned(),
        false => value.replace('\r', "").replace('\n', "\\\n"),
    }
}

/// Names of macros are letters, digits and underscores, and longer than two, but that `--with` options get a prefix.
fn check_name(name: &str) -> Result<(), String> {
    let letters = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'));
    match letters && !name.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "`{name}` cannot be the name of a macro or a build conditional"
        )),
    }
}
