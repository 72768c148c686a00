//! `rpm` as the oracle: one process expands many texts, by its own Lua.

use std::path::PathBuf;
use std::process::Command;

/// What rpm makes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its expansion.
    Text(Vec<u8>),
    /// It refuses it.
    Error,
    /// It crashes.
    Died,
}

/// Memory and time of one rpm.
const MOST_KIBIBYTES: u32 = 1 << 20;
const MOST_SECONDS: u32 = 5;

/// Texts of one run that may crash rpm.
const MOST_DEADLY: usize = 20;

/// The rpm of this machine.
pub(crate) struct Rpm {
    folder: tempfile::TempDir,
}

/// Parts texts and results in files; no text holds it.
const SEPARATOR: u8 = 1;

/// Finds rpm; says loudly when there is none.
pub(crate) fn find() -> Option<Rpm> {
    match Command::new("rpm").arg("--version").output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                version.contains("4.18"),
                "the oracle is rpm 4.18, this is {version}"
            );
            Some(Rpm {
                folder: tempfile::tempdir().unwrap(),
            })
        }
        _ => {
            eprintln!("SKIPPED: rpm is not installed, the macro engine is not compared with it");
            None
        }
    }
}

impl Rpm {
    /// A file of the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Expands texts one after another in one context that has the macros of a file beside the built-in ones.
    ///
    /// rpm 4.18 dies of some texts (a macro that calls itself within an expression, the smallest number divided by -1):
    /// these are taken out, and all others expanded anew without them.
    pub(crate) fn expand_all(&self, texts: &[String], macros: &str) -> Vec<Outcome> {
        let mut deadly = Vec::new();
        loop {
            let left: Vec<_> = (0..texts.len())
                .filter(|index| !deadly.contains(index))
                .map(|index| &texts[index])
                .collect();
            let results = self.run(&left, macros);
            if results.len() == left.len() {
                let mut results = results.into_iter();
                let outcome = |index: usize| match deadly.contains(&index) {
                    true => Outcome::Died,
                    false => results.next().unwrap(),
                };
                return (0..texts.len()).map(outcome).collect();
            }
            assert!(
                deadly.len() < MOST_DEADLY,
                "rpm dies of too many texts: a poor mixture"
            );
            let survivors = (0..texts.len()).filter(|index| !deadly.contains(index));
            deadly.extend(survivors.skip(results.len()).take(1).collect::<Vec<_>>());
        }
    }

    fn run(&self, texts: &[&String], macros: &str) -> Vec<Outcome> {
        let mut source = Vec::new();
        for text in texts {
            assert!(!text.as_bytes().contains(&SEPARATOR) && !text.contains('\0'));
            source.extend_from_slice(text.as_bytes());
            source.push(SEPARATOR);
        }
        std::fs::write(self.path("texts"), source).unwrap();
        std::fs::write(self.path("macros"), macros).unwrap();
        let folder = self.folder.path().display();
        let script = format!(
            r#"local out = io.open("{folder}/results", "w")
            out:setvbuf("no")
            for text in io.open("{folder}/texts"):read("a"):gmatch("([^\1]*)\1") do
                local ok, result = pcall(function() return rpm.expand(text) end)
                out:write(ok and "+" or "-", ok and result or "", "\1")
            end
            out:close()"#
        );
        std::fs::write(self.path("run.lua"), script).unwrap();
        // A text that grows without end must not take the machine with it.
        let command = format!(
            "ulimit -v {MOST_KIBIBYTES}; ulimit -t {MOST_SECONDS}; \
             exec rpm --macros={folder}/macros --eval \"%{{lua:dofile('{folder}/run.lua')}}\""
        );
        let output = Command::new("sh")
            .args(["-c", &command])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        // A status that is no success is one text's doing, if it ends with it: who calls sees that results are missing.
        let errors = String::from_utf8_lossy(&output.stderr);
        let results = std::fs::read(self.path("results")).unwrap_or_else(|_| panic!("rpm failed: {errors}"));
        let results = results.strip_suffix(&[SEPARATOR]).unwrap_or(&results);
        let outcome = |result: &[u8]| match result.split_first() {
            Some((b'+', text)) => Outcome::Text(text.to_vec()),
            _ => Outcome::Error,
        };
        results.split(|&byte| byte == SEPARATOR).map(outcome).collect()
    }
}
