//! Every construct of macros, one by one; `macros_oracle.rs` compares their combinations with rpm.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use lazuli_spec::{
    Dialect, Frame, Host, Level, Limits, MacroErrorKind, Macros, Settings, Severity, Shell, Value,
};

fn context() -> Macros {
    Macros::new(Settings::default())
}

fn text(macros: &mut Macros, source: &str) -> String {
    match macros.expand(source) {
        Ok(expansion) => expansion.to_text(),
        Err(error) => format!("error: {error}"),
    }
}

/// Expands each text in one context.
fn check(cases: &[(&str, &str)]) {
    let mut macros = context();
    for (source, expected) in cases {
        assert_eq!(text(&mut macros, source), *expected, "{source:?}");
    }
}

#[test]
fn references() {
    check(&[
        ("%define foo FOO", ""),
        (
            "%foo %{foo} %%foo %{foo}bar %foobar",
            "FOO FOO %foo FOObar %foobar",
        ),
        (
            "%{nosuch} %{nosuch:a %foo} %nosuch(%foo)",
            "%{nosuch} %{nosuch:a FOO} %nosuch(FOO)",
        ),
        ("100% %", "100% %"),
        ("%{?foo}%{!?foo}%{?nosuch}%?foo%?nosuch%!?nosuch", "FOOFOO"),
        (
            "%{?foo:yes}%{!?foo:no}%{?nosuch:yes}%{!?nosuch:no}%{?!nosuch:no}",
            "yesnono",
        ),
        ("%{?foo:}%{??foo:a}%{!!?foo:b}", "FOOab"),
        ("%{?lua:there}%{!?basename:not}", "there"),
        ("a\n%dnl nothing of %{this\nb", "a\nb"),
    ]);
}

#[test]
fn definitions() {
    check(&[
        ("%define abc  one two  \nx", "x"),
        ("[%abc]", "[one two]"),
        ("%define abc {a\nb} rest", " rest"),
        ("[%abc]", "[a\nb]"),
        ("%define abc a \\\n  b\n[%abc]", "[a \n  b]"),
        ("%define abc %{?x:\n}z\n[%abc]", "[z]"),
        ("%define word U", ""),
        ("%define later %{word}", ""),
        ("%global now %{word}", ""),
        ("%define word W", ""),
        ("%later %now", "W U"),
        (
            "%define word V\n%word%{undefine:word}%word%undefine word\n%word%undefine word\n%word",
            "VW\nU\n%word",
        ),
        ("%{define:abc spaces  }[%abc]", "[spaces  ]"),
        ("%{define abc more  }[%abc]", "[more  ]"),
        ("%define 1x a", "error: macro %1x has illegal name (%define)"),
        ("%define _ a", "error: macro %_ has illegal name (%define)"),
        ("%global lua a", "error: macro %lua is a built-in (%global)"),
        (
            "%undefine expand",
            "error: macro %expand is a built-in (%undefine)",
        ),
        ("%define abc", "error: macro %abc has empty body"),
        ("%define abc(x body", "error: macro %abc has unterminated opts"),
        ("%define abc {x", "error: macro %abc has unterminated body"),
        ("%define abc %{x", "error: macro %abc has unterminated body"),
        ("%define self %{undefine:self}gone", ""),
        ("%self %self", "gone %self"),
    ]);
}

#[test]
fn parametric_macros() {
    check(&[
        ("%define par() <%0|%1|%2|%3|%#|%*|%{1}>", ""),
        ("%par a b\nrest", "<par|a|b|%3|2|a b|a>\nrest"),
        (
            "%{par a  b} %{par:a  b} %{par}",
            "<par|a|b|%3|2|a b|a> <par|a  b|%2|%3|1|a  b|a  b> <par|%1|%2|%3|0||%{1}>",
        ),
        (
            "%par %{par x}",
            "<par|<par|x|%2|%3|1|x|x>|%2|%3|1|<par|x|%2|%3|1|x|x>|<par|x|%2|%3|1|x|x>>",
        ),
        ("%par a \\\nb", "<par|a|\\|%3|2|a \\|a>b"),
        (
            "%define opt(ab:c::) [%{-a}|%{-b}|%{-b*}|%{-b:B}%{!-b:-}|%{-c*}|%*|%**]",
            "",
        ),
        ("%{opt -a x -b y z -cq}", "[-a|-b y|y|B|q|x z|-a x -b y z -cq]"),
        ("%{opt -ab y -- -a}", "[-a|-b y|y|B||-a|-ab y -- -a]"),
        ("%{opt -x}", "error: unknown option x in opt(ab:c::)"),
        ("%{opt -b}", "error: unknown option b in opt(ab:c::)"),
        ("%define raw(-) [%*|%{-a}]", ""),
        ("%{raw -a b -- c}", "[-a b -- c|]"),
        ("%define posix(+a) [%{-a}|%*]", ""),
        ("%{posix b -a}%{posix -a b}", "[|b -a][-a|b]"),
        ("%1 %* %# %{-a} %{-a:x}", "%1 %* %#  "),
        (
            "%define scope() %{define:inner 1}%{global:outer 2}%inner%outer",
            "",
        ),
        ("%{scope}%inner%outer", "12%inner2"),
        ("%par %{quote:a b} %{quote:} c", "<par|a b||c|3|a b  c|a b>"),
        ("%global words %{quote:a b} c", ""),
        ("%{par %{words}}[%words]", "<par|a b|c|%3|2|a b c|a b>[a b c]"),
        ("%define pass() %{par %**}", ""),
        ("%{pass %{quote:a b} c}", "<par|a b|c|%3|2|a b c|a b>"),
    ]);
}

#[test]
fn built_ins() {
    check(&[
        ("%{basename:/a/b.c} %{basename:x}|%{basename:/a/}|", "b.c x||"),
        ("%{dirname:/a/b.c} %{dirname:x}|%{dirname:/a}|", "/a x||"),
        ("%{suffix:a.tar.gz}|%{suffix:a}|", "gz||"),
        ("%{shrink:  a \t\n b  }|%{shrink: }|", "a b||"),
        ("%{expand:%%{basename:a/b}}", "b"),
        (
            "%{lower:ABCé} %{upper:abcé} %{len:abc} %{reverse:abc}",
            "abcé ABCé 3 cba",
        ),
        ("%{gsub aXbX X -}|%{gsub abc (b) <%%1>}", "a-b-|a<b>c"),
        (
            "%{sub abcdef 2 -2}|%{rep ab 3}|%{rep ab 3 -}",
            "bcde|ababab|ab-ab-ab",
        ),
        (
            "%{url2path:https://h/p/q} %{u2p:http://h} %{u2p:/x} %{u2p:-}",
            "/p/q / /x /",
        ),
        ("%{shescape:it's} %{shescape a b}", "'it'\\''s' 'a' 'b'"),
        ("%{quote:a b}", "a b"),
        ("%define body x%%{y}", ""),
        ("%{macrobody:body}|%{macrobody:basename}", "x%%{y}|<builtin>"),
        ("%{macrobody:nosuch}", "error: no such macro: nosuch"),
        ("%define SOURCE1 /s/one", ""),
        ("%{S:1} %{P:2}", "/s/one %PATCH2"),
        ("%{span:a\nb}", "a\nb"),
        ("%verbose %{verbose:x}", "0 "),
        ("%{basename}", "error: %basename: argument expected"),
        ("%{getconfdir:x}", "error: %getconfdir: unexpected argument"),
        ("%getconfdir", "/usr/lib/rpm"),
        ("%{error:no %{expand:way}}", "error: no way"),
        ("%define __rpmuncompress unpack", ""),
        ("%{uncompress:a.gz}|%{uncompress:}|", "unpack a.gz||"),
    ]);
}

#[test]
fn later_built_ins_are_unknown_to_the_earlier_dialect() {
    let mut macros = Macros::new(Settings {
        dialect: Dialect::Rpm418,
        ..Settings::default()
    });
    assert_eq!(
        text(&mut macros, "%{upper:a} %rpmversion"),
        "%{upper:a} %rpmversion"
    );
    assert_eq!(
        text(&mut macros, "%{getncpus:total}"),
        "error: %getncpus: unexpected argument"
    );
    let host = Host {
        rpm_version: "4.20.1".to_owned(),
        ..Host::default()
    };
    let mut macros = Macros::new(Settings {
        host: Arc::new(host),
        ..Settings::default()
    });
    assert_eq!(text(&mut macros, "%{upper:a} %rpmversion"), "A 4.20.1");
}

#[test]
fn machine_facts_come_from_the_settings() {
    let host = Host {
        cpus: 8,
        memory: 2048,
        verbose: true,
        config_folder: "/conf".to_owned(),
        ..Host::default()
    };
    let environment = BTreeMap::from([("HOME".to_owned(), "/home/me".to_owned())]);
    let mut macros = Macros::new(Settings {
        host: Arc::new(host),
        environment: Arc::new(environment),
        ..Settings::default()
    });
    for (source, expected) in [
        ("%{getncpus} %{getncpus:proc} %{getncpus:thread}", "8 4 4"),
        ("%define _smp_tasksize_proc 1024", ""),
        ("%{getncpus:proc}", "2"),
        ("%{getncpus:odd}", "error: %getncpus: invalid argument: odd"),
        ("%{getenv:HOME}|%{getenv:NOPE}|", "/home/me||"),
        (
            "%{xdg:config} %{xdg:data}",
            "/home/me/.config /home/me/.local/share",
        ),
        ("%getconfdir %verbose %{verbose:loud}", "/conf 1 loud"),
    ] {
        assert_eq!(text(&mut macros, source), expected, "{source:?}");
    }
}

#[test]
fn expressions() {
    check(&[
        (
            "%[1 + 2 * 3 - 4 / 2] %[-(1+1)] %[!0] %[!\"\"] %[!v\"1\"]",
            "5 -2 1 1 1",
        ),
        (
            "%[\"a\" + \"b\"] %[\"a\" < \"b\"] %[2 >= 10] %[\"2\" >= \"10\"]",
            "ab 1 0 1",
        ),
        (
            "%[v\"1.10\" > v\"1.9\"] %[v\"1:1\" > v\"2\"] %[v\"1~rc\" < v\"1\"] %[v\"1-1\"]",
            "1 1 1 1-1",
        ),
        ("%[1 ? \"a\" : \"b\"] %[0 ? 1 : 0 ? 2 : 3]", "a 3"),
        (
            "%[3 && 0] %[0 || 7] %[\"\" || \"x\"] %[1 && \"a\"]",
            "error: types must match: 1 && \"a\"",
        ),
        (
            "%[0 && %{error:not met}] %[1 || %{error:not met}] %[1 ? 2 : %{error:not met}]",
            "0 1 2",
        ),
        ("%define two 2", ""),
        ("%define sum 1 + 2", ""),
        ("%define quoted \"a\"", ""),
        (
            "%[%two * 3] %[1%two] %[%{?nosuch:1}0] %[%[1+1]+1] %{expr:%sum}",
            "6 12 0 3 3",
        ),
        ("%[\"%quoted\" == \"\" || 1] %[\"%quoted\"]", "1 \"a\""),
        (
            "%[%sum]",
            "error: macro expansion did not return an integer: %sum",
        ),
        (
            "%[%nosuch]",
            "error: macro expansion did not return an integer: %nosuch",
        ),
        (
            "%[abc]",
            "error: bare words are no longer supported, please use \"...\": abc",
        ),
        ("%[\"a]", "error: unterminated string in expression: \"a"),
        ("%[1 +]", "error: unexpected end of expression: 1 +"),
        ("%[1 / 0]", "error: division by zero: 1 / 0"),
        ("%[0 && 1 / 0]", "0"),
        ("%[(1]", "error: unmatched (: (1"),
        ("%[1 = 1]", "error: syntax error while parsing ==: 1 = 1"),
        ("%[2147483647 + 1] %[-2147483648 / -1]", "-2147483648 -2147483648"),
        ("%[lua:string.upper(\"a\") + \"b\"] %[lua:math.max(1, 2)]", "Ab 2"),
        (
            "%[lua:nosuch(1)]",
            "error: invalid Lua script in %{lua:}: error converting Lua nil to function",
        ),
        ("%[other(1)]", "error: unsupported function: other(1)"),
    ]);
}

#[test]
fn conditions_expand_their_line_first() {
    let mut macros = context();
    macros.define("both \"a\" == \"a\"", Level::GLOBAL).unwrap();
    macros.define("sum 1 + 1", Level::GLOBAL).unwrap();
    for (source, expected) in [
        ("%both", Some(true)),
        ("%sum == 2", Some(true)),
        ("0%{?nosuch} >= 3 || !%{sum}", Some(true)),
        ("\"%nosuch\" == \"%%nosuch\"", Some(true)),
        ("1%(exit)", None),
        ("v\"1.0\" < v\"2\"", Some(true)),
        ("", None),
    ] {
        assert_eq!(macros.condition(source).ok(), expected, "{source:?}");
    }
    assert_eq!(macros.evaluate("1 + 1").unwrap(), Value::Integer(2));
    assert!(macros.evaluate("%sum").is_err());
    assert_eq!(
        macros.expression("\"%sum\"").unwrap(),
        Value::String(b"1 + 1".to_vec())
    );
}

#[test]
fn numbers_are_read_as_rpm_reads_them() {
    let mut macros = context();
    let cases = [
        ("10", 10),
        ("0x10", 16),
        ("010", 8),
        ("Yes", 1),
        ("no", 0),
        ("-3", -3),
        ("%nosuch", 0),
        ("1a", 0),
        ("", 0),
    ];
    for (source, expected) in cases {
        assert_eq!(macros.expand_number(source).unwrap(), expected, "{source:?}");
    }
}

struct Echo;

impl Shell for Echo {
    fn run(&self, command: &[u8]) -> Result<Vec<u8>, String> {
        match command {
            b"fail" => Err("no sandbox".to_owned()),
            _ => Ok([b"<", command, b">\n\n"].concat()),
        }
    }
}

#[test]
fn shell_expansions_run_by_the_hook_or_stay() {
    let mut macros = context();
    let expansion = macros.expand("a%(echo %%{x} %{basename:a/b} (y))c").unwrap();
    assert_eq!(expansion.to_text(), "a%(echo %%{x} %{basename:a/b} (y))c");
    assert_eq!(
        expansion.notes.not_run.into_iter().collect::<Vec<_>>(),
        ["echo %{x} b (y)"]
    );
    macros.settings_mut().shell = Some(Arc::new(Echo));
    assert_eq!(text(&mut macros, "a%(echo %{basename:a/b})c"), "a<echo b>c");
    assert_eq!(
        text(&mut macros, "%(fail)"),
        "error: failed to run the command of a shell expansion: no sandbox"
    );
}

#[test]
fn notes_say_what_is_not_known() {
    let mut macros = context();
    let notes = macros
        .expand("%nosuch %{other:x} %{?perhaps} %{!?not:a} %{warn:w} %{echo:e}%foo")
        .unwrap()
        .notes;
    assert_eq!(
        notes.undefined.into_iter().collect::<Vec<_>>(),
        ["foo", "nosuch", "other"]
    );
    assert_eq!(notes.absent.into_iter().collect::<Vec<_>>(), ["not", "perhaps"]);
    let said: Vec<_> = notes
        .messages
        .iter()
        .map(|message| (message.severity, message.text.as_str()))
        .collect();
    assert_eq!(said, [(Severity::Warning, "w"), (Severity::Echo, "e")]);
    macros.expand_into(b"%nosuch", &mut Vec::new()).unwrap();
    assert!(macros.notes().undefined.contains("nosuch"));
    assert!(!macros.take_notes().is_empty() && macros.notes().is_empty());
}

#[test]
fn errors_say_where_they_are() {
    let mut macros = context();
    for definition in [
        "inner ab%{error:wrong}",
        "outer x %{inner}",
        "par() %{1}%{error:late}",
    ] {
        macros.define(definition, Level::GLOBAL).unwrap();
    }
    let frame = |name: &str, offset| Frame {
        name: name.to_owned(),
        offset,
    };
    for (source, offset, stack) in [
        ("abc %{error:x}", 4, vec![]),
        ("ab %outer", 3, vec![frame("outer", 2), frame("inner", 2)]),
        ("%{?outer:%{!?x:  %inner}}", 17, vec![frame("inner", 2)]),
        ("%{par:a %inner}", 8, vec![frame("inner", 2)]),
        ("a\nb %par %{basename:x}", 4, vec![frame("par", 4)]),
        ("é %{unclosed", 3, vec![]),
    ] {
        let error = macros.expand(source).unwrap_err();
        assert_eq!((error.offset, error.stack), (offset, stack), "{source:?}");
    }
    let error = macros.expand("%outer").unwrap_err();
    assert_eq!(error.trace(), "in %outer, in %inner");
    assert_eq!(error.kind, MacroErrorKind::Reported("wrong".to_owned()));
}

#[test]
fn what_was_expanded_before_an_error_is_there() {
    let mut macros = context();
    let mut out = b"before ".to_vec();
    assert!(
        macros
            .expand_into(b"a %{define:x 1}%x %{error:e} b", &mut out)
            .is_err()
    );
    assert_eq!(out, b"before a 1 ");
    assert!(macros.is_defined("x"));
}

#[test]
fn bytes_that_are_no_text_survive() {
    let mut macros = context();
    macros.set("raw", b"\xff\xfe", Level::GLOBAL);
    assert_eq!(
        macros
            .expand(b"\x80%{raw}\0%{?raw:\xc3}%{basename:a/\xff}")
            .unwrap()
            .text,
        b"\x80\xff\xfe\0\xc3\xff"
    );
}

#[test]
fn limits_hold() {
    let limits = Limits {
        output: 10_000,
        calls: 2_000,
        definitions: 20_000,
        ..Limits::default()
    };
    let mut macros = Macros::new(Settings {
        limits,
        ..Settings::default()
    });
    let too_large = |macros: &mut Macros, source: &str| {
        matches!(
            macros.expand(source).unwrap_err().kind,
            MacroErrorKind::TooLarge { .. }
        )
    };
    macros.define("loop %loop", Level::GLOBAL).unwrap();
    assert_eq!(
        macros.expand("%loop").unwrap_err().kind,
        MacroErrorKind::TooDeep { limit: 64 }
    );
    macros.define("inner %[%inner]", Level::GLOBAL).unwrap();
    assert_eq!(
        macros.expand("%inner").unwrap_err().kind,
        MacroErrorKind::TooDeep { limit: 64 }
    );
    macros.define("a0 0123456789", Level::GLOBAL).unwrap();
    for level in 1..20 {
        macros
            .define(format!("a{level} %a{0}%a{0}", level - 1), Level::GLOBAL)
            .unwrap();
    }
    assert!(too_large(&mut macros, "%a19"));
    macros.define("e0 %{nil}", Level::GLOBAL).unwrap();
    macros.set("nil", "", Level::GLOBAL);
    for level in 1..20 {
        macros
            .define(format!("e{level} %e{0}%e{0}", level - 1), Level::GLOBAL)
            .unwrap();
    }
    assert!(too_large(&mut macros, "%e19"));
    assert!(too_large(
        &mut macros,
        &"%{global:x 0123456789012345678901234567890123456789}".repeat(200)
    ));
    let deep = format!("%[{}1{}]", "(".repeat(5_000), ")".repeat(5_000));
    assert!(macros.expand(deep).is_err());
    let deep = format!("{}x{}", "%{?a0:".repeat(100), "}".repeat(100));
    assert_eq!(
        macros.expand(deep).unwrap_err().kind,
        MacroErrorKind::TooDeep { limit: 64 }
    );
    // After all this the context is as good as new.
    assert_eq!(text(&mut macros, "%a0"), "0123456789");
}

#[test]
fn contexts_share_a_base_and_leave_it_alone() {
    let mut macros = context();
    macros.define("shared base", Level::MACRO_FILE).unwrap();
    macros.define("stacked one", Level::MACRO_FILE).unwrap();
    macros.define("stacked two", Level::MACRO_FILE).unwrap();
    let base = macros.freeze();
    let (mut first, mut second) = (base.context(), base.context());
    assert_eq!(
        text(
            &mut first,
            "%define shared mine\n%shared %{undefine:stacked}%stacked"
        ),
        "mine one"
    );
    assert_eq!(text(&mut first, "%{undefine:stacked}%stacked"), "%stacked");
    assert_eq!(text(&mut first, "%{undefine:shared}%shared"), "base");
    assert_eq!(text(&mut second, "%shared %stacked"), "base two");
    let mut third = first.freeze().context();
    assert_eq!(
        text(&mut third, "%shared %stacked %{basename:a/b}"),
        "base %stacked b"
    );
    // A context may go to another thread, with the Lua that it has made.
    third.expand("%{lua:x = 5}").unwrap();
    let moved = std::thread::spawn(move || text(&mut third, "%{lua:print(x)}"));
    assert_eq!(moved.join().unwrap(), "5");
}

#[test]
fn scopes_end_their_definitions() {
    let mut macros = context();
    assert_eq!(text(&mut macros, "%define x outer"), "");
    macros.push_level();
    assert_eq!(
        text(&mut macros, "%define x inner\n%define x more\n%global y kept\n%x"),
        "more"
    );
    macros.pop_level();
    assert_eq!(text(&mut macros, "%x %y"), "outer kept");
    macros.pop_level();
    assert_eq!(text(&mut macros, "%define x again\n%x"), "again");
}

#[test]
fn definitions_can_be_asked_for() {
    let mut macros = context();
    macros.define("par(a:) body %1", Level::COMMAND_LINE).unwrap();
    macros.set_literal("literal", "100% %{x}", Level::SPEC);
    let definition = macros.get("par").unwrap();
    assert_eq!(
        (definition.options(), definition.body()),
        (Some(&b"a:"[..]), &b"body %1"[..])
    );
    assert_eq!(definition.level(), Level::COMMAND_LINE);
    assert!(!definition.is_builtin() && macros.get("lua").unwrap().is_builtin());
    assert_eq!(text(&mut macros, "%literal"), "100% %{x}");
    let names: Vec<_> = macros.definitions().iter().map(|it| it.name().to_vec()).collect();
    assert!(names.is_sorted() && names.contains(&b"par".to_vec()));
    assert!(macros.undefine("par") && !macros.undefine("par"));
    assert!(macros.define("par", Level::SPEC).is_err());
}
