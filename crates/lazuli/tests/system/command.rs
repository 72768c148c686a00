//! Running the programs that were built, and other people's tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The root of the project.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// Where the project's results are: `LAZULI_OUT`, or its `out` folder.
pub(crate) fn out() -> PathBuf {
    std::env::var_os("LAZULI_OUT")
        .map(PathBuf::from)
        .unwrap_or_else(|| project().join("out"))
}

/// The program, in the project.
pub(crate) fn lazuli(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lazuli"));
    command
        .args(arguments)
        .arg("--project")
        .arg(project())
        .arg("--out")
        .arg(out());
    command.output().unwrap()
}

/// Runs a command that must succeed; gives its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    text(&format!("{command:?}"), &output)
}

/// The standard output of a command that must have succeeded.
pub(crate) fn text(what: &str, output: &Output) -> String {
    assert!(
        output.status.success(),
        "{what}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The `server` image, built once for all tests; gives the folder with its files.
pub(crate) fn server() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        text(
            "image build",
            &lazuli(&["image", "build", "server", "--update-vanished"]),
        );
        out().join("images/server")
    })
}

/// The file of the image that ends so.
pub(crate) fn image_file(ending: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir(server())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    assert_eq!(found.len(), 1, "one file that ends with {ending}: {found:?}");
    found.remove(0)
}

/// Whether a tool is there; its absence is said loudly, since a test then proves nothing.
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .output()
        .unwrap()
        .status
        .success();
    if !found {
        eprintln!("SKIPPED: {tool} is not installed (scripts/packages.txt has all that tests need)");
    }
    found
}
