//! Writes the initrd archive of a folder, with all times 0: `cpio_of_folder FOLDER ARCHIVE`.

use std::path::Path;

use lazuli_disk::{ScanOptions, Tree, cpio};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, archive] = &arguments[..] else {
        return Err("usage: cpio_of_folder FOLDER ARCHIVE".into());
    };
    let tree = Tree::scan(
        Path::new(folder),
        &ScanOptions {
            clamp_mtime: Some(0),
            exclude: None,
        },
    )?;
    cpio::write(&tree, std::io::BufWriter::new(std::fs::File::create(archive)?))?;
    Ok(())
}
