//! The tutorial in `docs/`: every command in it is run, and must print what it says.

use std::path::Path;

#[test]
fn the_tutorial_does_what_it_says() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    super::transcript::run(&project.join("docs/tutorial.md"), folder.path());
}
