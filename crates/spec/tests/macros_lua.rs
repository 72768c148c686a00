//! Scripts in macros: what rpm gives them, and what they cannot reach.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lazuli_spec::{Host, Limits, Macros, MemoryFiles, Settings};

fn context() -> Macros {
    let files = [
        (
            "/usr/lib/rpm/lua/fedora/common.lua",
            "local m = {} function m.twice(x) return x .. x end return m",
        ),
        ("/data", "one\ntwo\n3 x"),
        ("/macros", "%loaded yes"),
        ("/d/a", ""),
        ("/d/b", ""),
    ];
    let files = files.map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()));
    let host = Host {
        time: Some(1_709_210_096),
        ..Host::default()
    };
    Macros::new(Settings {
        files: Arc::new(MemoryFiles(files.into())),
        environment: Arc::new(BTreeMap::from([("HOME".to_owned(), "/h".to_owned())])),
        host: Arc::new(host),
        ..Settings::default()
    })
}

fn text(macros: &mut Macros, source: &str) -> String {
    match macros.expand(source) {
        Ok(expansion) => expansion.to_text(),
        Err(error) => format!("error: {error}"),
    }
}

fn check(cases: &[(&str, &str)]) {
    let mut macros = context();
    for (source, expected) in cases {
        assert_eq!(text(&mut macros, source), *expected, "{source:?}");
    }
}

#[test]
fn printing_and_returning() {
    check(&[
        (
            "%{lua:print(1, 'a', nil) print('b')}|%{lua:return 'x', 2}|%{lua:return nil}|%{lua:}|",
            "1\ta\tnilb|x\t2|nil||",
        ),
        ("%{lua:x = 1}%{lua:x = x + 1 print(x)}", "2"),
        ("%{lua:local y = 1}%{lua:print(y)}", "nil"),
        (
            "%{lua:error('wrong')}",
            "error: invalid Lua script in %{lua:}: [string \"<lua>\"]:1: wrong",
        ),
        (
            "%{lua:if}",
            "error: invalid Lua script in %{lua:}: syntax error: [string \"<lua>\"]:1: unexpected symbol near <eof>",
        ),
        ("%{lua:print('after')}", "after"),
    ]);
}

#[test]
fn macros_of_scripts() {
    check(&[
        ("%define foo F", ""),
        (
            "%define par(a:b) %{lua:print(#arg, arg[1], opt.a, opt.b, opt.c)}",
            "",
        ),
        (
            "%{par -a x -b y z}|%{par}",
            "2\ty\tx\t\tnil|0\tnil\tnil\tnil\tnil",
        ),
        (
            "%{lua:print(rpm.expand('%foo %nosuch'), (rpm.isdefined('par')), rpm.isdefined('foo'))}",
            "F %nosuch\ttrue\ttrue\tfalse",
        ),
        (
            "%{lua:rpm.define('bar B') rpm.define('two(x) %1')}%bar%{two x}",
            "Bx",
        ),
        ("%{lua:rpm.undefine('bar') rpm.undefine('never')}%bar", "%bar"),
        (
            "%{lua:print(pcall(rpm.expand, '%{error:x}'))}",
            "false\terror expanding macro",
        ),
        (
            "%{lua:print(pcall(rpm.define, 'x'))}",
            "false\terror defining macro",
        ),
        (
            "%{lua:print(macros.foo, macros.nosuch, macros['foo'])}",
            "F\tnil\tF",
        ),
        (
            "%{lua:macros.foo = 'G' print(macros.foo) macros.foo = nil print(macros.foo)}",
            "GF",
        ),
        ("%define show() <%1|%2|%#>", ""),
        (
            "%{lua:print(macros.show('a %{basename:b/c}'), macros.show({'a b', '%foo'}), macros.dirname('/a/b'))}",
            "<a|c|2>\t<a b|%foo|2>\t/a",
        ),
        (
            "%{lua:print(rpm.expand('%{lua:print(rpm.expand([[%foo]]))}'))}",
            "F",
        ),
        (
            "%{lua:macros['1x'] = 'a'}",
            "error: invalid Lua script in %{lua:}: [string \"<lua>\"]:1: error defining macro 1x",
        ),
        ("%{lua:rpm.load('/macros')}%loaded", "yes"),
    ]);
}

#[test]
fn functions_of_rpm() {
    check(&[
        (
            "%{lua:print(rpm.vercmp('1.0', '1.1'), rpm.vercmp('1:1', '2'), rpm.vercmp('1', '1'), rpm.vercmp('1', '1-1'))}",
            "-1\t1\t0\t-1",
        ),
        (
            "%{lua:print(pcall(rpm.vercmp, '', '1'))}",
            "false\tbad argument #1 to 'rpm.vercmp' (invalid version )",
        ),
        (
            "%{lua:v = rpm.ver('5:1.0-2') print(v, v.e, v.v, v.r, v < rpm.ver('6:1'), v == rpm.ver(5, '1.0', 2))}",
            "5:1.0-2\t5\t1.0\t2\ttrue\ttrue",
        ),
        (
            "%{lua:print(rpm.ver('1').e, rpm.ver(''), pcall(rpm.ver))}",
            "nil\tnil\tfalse\tinvalid number of arguments: 0",
        ),
        (
            "%{lua:print(rpm.b64encode('hello world'), rpm.b64decode('aGVsbG8='), rpm.b64encode('abcdef', 4))}",
            "aGVsbG8gd29ybGQ=\n\thello\tYWJj\nZGVm\n",
        ),
        (
            "%{lua:print(#rpm.splitargs('a  b'), rpm.splitargs(rpm.unsplitargs({'a b', 'c'}))[1])}",
            "2\ta b",
        ),
    ]);
}

#[test]
fn the_environment_and_time_are_those_that_were_given() {
    check(&[
        ("%{lua:print(os.getenv('HOME'), posix.getenv('NOPE'))}", "/h\tnil"),
        (
            "%{lua:posix.setenv('A', '1') posix.setenv('A', '2') posix.putenv('B=3')}%{getenv:A}%{getenv:B}",
            "13",
        ),
        ("%{lua:posix.unsetenv('HOME')}%{getenv:HOME}|", "|"),
        (
            "%{lua:print(os.time(), os.date('%Y-%m-%d %H:%M:%S'), os.date('%a %b %d %Y', 0))}",
            "1709210096\t2024-02-29 12:34:56\tThu Jan 01 1970",
        ),
        (
            "%{lua:print(os.time{year=2000, month=1, day=1, hour=0}, os.date('!*t', 0).year)}",
            "946684800\t1970",
        ),
        ("%define _target_cpu x86_64", ""),
        ("%{lua:print(posix.uname('%m'))}", "x86_64"),
    ]);
    let mut macros = Macros::new(Settings::default());
    let error = text(&mut macros, "%{lua:print(os.time())}");
    assert!(error.contains("no clock was given"), "{error}");
}

#[test]
fn files_are_those_that_were_given() {
    check(&[
        (
            "%{lua:local f = io.open('/data') print(f:read(), f:read('*l'), f:read('n'), f:read(2), f:read('a'), f:read())}",
            "one\ttwo\t3\t x\t\tnil",
        ),
        (
            "%{lua:for line in io.lines('/data') do print('<', line, '>') end}",
            "<\tone\t><\ttwo\t><\t3 x\t>",
        ),
        (
            "%{lua:print(rpm.open('/data'):read(3), (io.open('/none')), io.open('/data', 'w'))}",
            "one\tnil\tnil\t/data: Permission denied\t13",
        ),
        (
            "%{lua:print(require('fedora.common').twice('ab'), require('fedora.common') == require 'fedora.common')}",
            "abab\ttrue",
        ),
        ("%{lua:print((pcall(require, 'no.such')))}", "false"),
        (
            "%{lua:print(posix.access('/data'), (posix.access('/none')), table.concat(posix.dir('/d'), ','))}",
            "0\tnil\ta,b",
        ),
        ("%{lua:print((posix.access('/data')))}", "0"),
    ]);
}

#[test]
fn nothing_reaches_the_machine() {
    for script in [
        "os.execute('true')",
        "io.popen('true')",
        "os.remove('/data')",
        "os.exit(1)",
        "rpm.execute('true')",
        "rpm.spawn({'true'})",
        "posix.fork()",
        "posix.exec('/bin/true')",
        "posix.unlink('/data')",
        "io.write('x')",
        "rpm.open('/data', 'w')",
        "rpm.interactive()",
        "os.tmpname()",
        "posix.stat('/')",
        "posix.sleep(1)",
    ] {
        let result = text(&mut context(), &format!("%{{lua:{script}}}"));
        let named = result.contains("not available") || result.contains("not permitted");
        assert!(result.starts_with("error:") && named, "{script}: {result}");
    }
    for global in [
        "debug",
        "dofile",
        "loadfile",
        "collectgarbage",
        "package.loadlib",
        "package.searchers",
        "io.stdin",
    ] {
        assert_eq!(
            text(&mut context(), &format!("%{{lua:print({global})}}")),
            "nil",
            "{global}"
        );
    }
    // Precompiled chunks could break out of Lua itself.
    let compiled = "%{lua:print(load(string.dump(function() end), 'x', 'b'))}";
    let result = text(&mut context(), compiled);
    assert!(
        result.starts_with("nil\t") && result.contains("attempt to load a binary chunk"),
        "{result}"
    );
    assert_eq!(
        text(
            &mut context(),
            "%{lua:print(load('return ...', 'x', 'b', {})(7))}"
        ),
        "7"
    );
}

#[test]
fn scripts_without_end_are_ended() {
    let limits = Limits {
        lua_instructions: 1_000_000,
        lua_memory: 16 << 20,
        ..Limits::default()
    };
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(error, function() while true do end end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local t = setmetatable({}, {__index = function(t, k) while true do end end}) print(pcall(function() return t.x end)) while true do end",
        "coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end end)()",
        "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "coroutine.yield(1)",
        "setmetatable({}, {__gc = function() while true do end end})",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = {} end",
        "print(('x'):rep(1 << 40))",
        "local function f() return f() end f()",
        "local function f() return 1 + f() end f()",
        "rpm.define('r() %{lua:print(rpm.expand([[%r]]))}') print(rpm.expand('%r'))",
        "for i = 1, 1e9 do print('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') end",
    ] {
        let mut macros = Macros::new(Settings {
            limits,
            ..Settings::default()
        });
        let start = Instant::now();
        let result = text(&mut macros, &format!("%{{lua:{script}}}"));
        assert!(result.starts_with("error:"), "{script}: {result}");
        assert!(start.elapsed() < Duration::from_secs(20), "{script}");
    }
}
