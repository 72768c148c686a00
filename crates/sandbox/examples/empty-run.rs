//! How long a run takes that does nothing: `cargo run --release -p lazuli-sandbox --example empty-run`, as root or as an
//! ordinary user. The root is one static program, `busybox` (package busybox-static).
#![allow(clippy::print_stdout)]

use lazuli_sandbox::{Options, enter, run_in_root};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const RUNS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    enter(lazuli_sandbox::Settings::default())?;
    let root = tempfile::tempdir()?;
    for folder in ["bin", "etc", "proc", "dev", "tmp", "run", "sys"] {
        std::fs::create_dir(root.path().join(folder))?;
    }
    std::fs::copy("/bin/busybox", root.path().join("bin/busybox"))?;
    for (name, options) in [("default", Options::default()), ("build", Options::build())] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(measure(root.path(), &options)?);
        }
        times.sort();
        let at = |percent: usize| times.get(RUNS * percent / 100).copied().unwrap_or_default();
        println!("{name:8} median {:?}, 90 % below {:?}", at(50), at(90));
    }
    Ok(())
}

fn measure(root: &Path, options: &Options) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    let argv = ["/bin/busybox".to_owned(), "true".to_owned()];
    let output = run_in_root(root, &argv, options)?;
    if !output.status.success() {
        return Err(format!("{}: {:?}", output.status, output.notes).into());
    }
    Ok(began.elapsed())
}
