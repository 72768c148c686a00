#![allow(clippy::print_stdout, clippy::unwrap_used)]
use lazuli_deb::ScriptKind;
use lazuli_import::*;
use std::collections::BTreeMap;
fn main() {
    let root = std::env::args().nth(1).unwrap();
    let only = std::env::args().nth(2);
    let mut need = BTreeMap::new();
    let mut packages = 0;
    let mut dirs: Vec<_> = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    dirs.sort();
    for dir in dirs {
        packages += 1;
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        if only.as_deref().is_some_and(|o| o != name) { continue }
        let mut facts = ScriptFacts { package: name.clone(), architecture: "amd64".into(), ..Default::default() };
        if let Ok(md5) = std::fs::read_to_string(dir.join("md5sums")) {
            for line in md5.lines() {
                if let Some((_, p)) = line.split_once("  ") { facts.files.insert(format!("/{p}"), KnownFile::Regular { executable: true, empty: false }); }
            }
        }
        if let Ok(t) = std::fs::read_to_string(dir.join("triggers")) {
            for line in t.lines() { if let Some(("interest" | "interest-noawait" | "interest-await", n)) = line.split_once(' ') { facts.interests.push(n.to_owned()); } }
        }
        if let Ok(t) = std::fs::read_to_string(dir.join("templates")) {
            let mut n = String::new();
            for line in t.lines() {
                if let Some(x) = line.strip_prefix("Template: ") { n = x.to_owned(); facts.answers.insert(n.clone(), String::new()); }
                if let Some(x) = line.strip_prefix("Default: ") { facts.answers.insert(n.clone(), x.to_owned()); }
            }
        }
        for (file, kind) in [("preinst", ScriptKind::Preinst), ("postinst", ScriptKind::Postinst), ("prerm", ScriptKind::Prerm), ("postrm", ScriptKind::Postrm), ("config", ScriptKind::Config)] {
            let Ok(bytes) = std::fs::read(dir.join(file)) else { continue };
            let r = recognise(kind, &bytes, &facts);
            let u = r.unknown().count();
            if u > 0 || only.is_some() {
                need.entry(name.clone()).or_insert(0); *need.get_mut(&name).unwrap() += u;
                println!("== {name}/{file}");
                for s in &r.statements { if only.is_some() || s.verdict == Verdict::Unknown { println!("  {}: {} {}", s.line, s.text, if only.is_some() { format!("=> {:?}", s.verdict) } else { String::new() }); } }
            }
        }
    }
    println!("{} of {} packages need review: {:?}", need.len(), packages, need);
}
