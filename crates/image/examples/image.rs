//! Builds an image of a folder and, if there are commands to run in it, boots it: for work on this crate.
//!
//! `cargo run --example image -- ROOT OUT [COMMAND…]`
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Duration;

use lazuli_image::boot::{Emulator, Firmware, Guest, GuestSettings, SshKey};
use lazuli_image::{Format, ImageSpec, build};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, out, commands @ ..] = arguments.as_slice() else {
        return Err("give ROOT and OUT".into());
    };
    let out = Path::new(out);
    let tree = lazuli_disk::Tree::scan(Path::new(root), &lazuli_disk::ScanOptions::default())?;
    let spec = ImageSpec::new("server", "2.0", 1_700_000_000);
    let built = build::build(&spec, tree, out, &|stage| println!("{}", stage.name()))?;
    println!("{:?}\n{:?}", built.times, built.manifest.kernel);
    if commands.is_empty() {
        return Ok(());
    }
    let emulator = Emulator::find(Path::new("qemu-system-x86_64"))?;
    let accelerator = emulator.probe();
    println!("{accelerator}");
    let key = SshKey::find_or_make(out)?;
    let (format, path) = built
        .images
        .iter()
        .find(|(f, _)| *f == Format::Qcow2)
        .ok_or("no qcow2")?;
    let settings = GuestSettings::new(path, *format, emulator, accelerator, Firmware::find()?).with_key(&key);
    let mut guest = Guest::start(&settings)?;
    for text in ["Linux version", "(initrd)", "login:"] {
        println!(
            "{text} after {:?}",
            guest.wait_for(text, Duration::from_secs(300))?
        );
    }
    println!("ssh after {:?}", guest.wait_for_ssh(Duration::from_secs(120))?);
    for command in commands {
        let output = guest.ssh(command)?;
        println!(
            "$ {command} → {:?}\n{}{}",
            output.code, output.stdout, output.stderr
        );
    }
    guest.power_off(Duration::from_secs(120))?;
    Ok(())
}
