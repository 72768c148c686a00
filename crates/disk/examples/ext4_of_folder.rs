//! Makes an ext4 image of a folder and tells how long each step took: `ext4_of_folder FOLDER IMAGE [MiB]`.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use lazuli_disk::ext4::{self, Settings};
use lazuli_disk::{OutputFile, ScanOptions, Tree};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, image, ..] = &arguments[..] else {
        return Err("usage: ext4_of_folder FOLDER IMAGE [MiB]".into());
    };
    let start = Instant::now();
    let tree = Tree::scan(
        Path::new(folder),
        &ScanOptions {
            clamp_mtime: Some(1_700_000_000),
            exclude: None,
        },
    )?;
    println!(
        "scan {:?}: {} entries, {} bytes",
        start.elapsed(),
        tree.entries().len(),
        tree.content_size()
    );
    let uuid = Uuid::from_u128(0x6c617a75_6c69_4a6f_8f2e_000000000001);
    let mut settings = Settings::new(0, uuid, 1_700_000_000);
    let start = Instant::now();
    let least = ext4::minimum_size(&tree, &settings)?;
    println!("minimum size {:?}: {} MiB", start.elapsed(), least >> 20);
    settings.size = arguments
        .get(3)
        .map_or(Ok(least), |mib| mib.parse::<u64>().map(|mib| mib << 20))?;
    let start = Instant::now();
    let layout = ext4::plan(&tree, &settings)?;
    println!("plan {:?}: {} bytes free", start.elapsed(), layout.free());
    let output = OutputFile::create(Path::new(image))?;
    output.set_length(settings.size)?;
    let start = Instant::now();
    layout.write(output.region(settings.size))?;
    println!("write {:?}", start.elapsed());
    let start = Instant::now();
    output.commit()?;
    println!("commit {:?}", start.elapsed());
    Ok(())
}
