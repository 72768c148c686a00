//! Turns a raw disk into the other formats and tells how long each took: `formats_of_disk RAW FOLDER`.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use lazuli_disk::qcow2::{self, Compression};
use lazuli_disk::vhd;
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, raw, folder] = &arguments[..] else {
        return Err("usage: formats_of_disk RAW FOLDER".into());
    };
    let (raw, folder) = (Path::new(raw), Path::new(folder));
    let start = Instant::now();
    vhd::convert(raw, &folder.join("disk.vhd"), Uuid::nil(), 0)?;
    println!("vhd {:?}", start.elapsed());
    for (name, compression) in [("plain", Compression::None), ("zstd-3", Compression::Zstd(3))] {
        let start = Instant::now();
        let out = folder.join(format!("{name}.qcow2"));
        qcow2::convert(raw, &out, compression)?;
        println!(
            "qcow2 {name} {:?}: {} bytes",
            start.elapsed(),
            out.metadata()?.len()
        );
    }
    Ok(())
}
