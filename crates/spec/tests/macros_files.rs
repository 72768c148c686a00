//! Macro files: their format, their search path, and mistakes in them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use lazuli_spec::{Level, Macros, MemoryFiles, Settings, Severity};

fn text(macros: &mut Macros, source: &str) -> String {
    match macros.expand(source) {
        Ok(expansion) => expansion.to_text(),
        Err(error) => format!("error: {error}"),
    }
}

fn files(list: &[(&str, &str)]) -> Settings {
    let files = list
        .iter()
        .map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec()))
        .collect();
    Settings {
        files: Arc::new(MemoryFiles(files)),
        ..Settings::default()
    }
}

#[test]
fn macro_files_are_read() {
    let file = "# comment {\n%aaa one\n%bbb two \\\n   three\n%ccc %{?x:\n  y\n}z\n  %ddd four  \n%eee() x %1 \\\ny\n\
                no macro\n%fff {a}\r\n%ggg last";
    let mut macros = Macros::new(files(&[
        ("/etc/m/one", file),
        ("/etc/m/two.rpmnew", "%aaa new"),
        ("/etc/m/z~", "%aaa z"),
    ]));
    macros.load_path("/none/*:/etc/m/*");
    assert!(macros.notes().is_empty());
    assert_eq!(
        text(&mut macros, "[%aaa][%bbb][%ccc][%ddd][%{eee q}][%fff][%ggg]"),
        "[one][two \n   three][z][four][x q \ny][a][last]"
    );
    assert_eq!(macros.get("aaa").unwrap().level(), Level::MACRO_FILE);
}

#[test]
fn macro_files_with_mistakes_give_what_they_can() {
    let mut macros = Macros::new(files(&[
        ("/bad", "%aaa {x\n%bbb\n%ccc ok\n"),
        ("/good", "%ddd %{load:/bad}"),
    ]));
    let error = macros.load("/bad").unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to load macro file /bad: line 1: macro %aaa has unterminated body"
    );
    assert_eq!(text(&mut macros, "%ccc"), "ok");
    assert_eq!(
        text(&mut macros, "%{load:/none}"),
        "error: failed to load macro file /none: no such file"
    );
    assert_eq!(
        text(&mut macros, "%{load:/good}%{exists:/good}%{exists:/none}"),
        "10"
    );
    macros.load_path("/bad");
    assert!(
        macros
            .notes()
            .messages
            .iter()
            .all(|message| message.severity == Severity::Error)
    );
    let patterns = files(&[("/a/one", "%x 1"), ("/a/two", "%y 2"), ("/a/b/three", "%z 3")]);
    let mut macros = Macros::new(patterns);
    macros.load_path("/a/*e:/a/t?o:/?/b/thr*");
    assert_eq!(text(&mut macros, "%x%y%z"), "123");
}
