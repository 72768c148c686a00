//! A seeded generator of texts with macros, in nested constructs, right and wrong.
//!
//! It leaves out what makes rpm read memory that is not its own: a bracket that is not closed before a backslash that
//! ends its text, and a macro that is undefined while its own arguments are expanded.

/// The generator.
pub(crate) struct Generator {
    state: u64,
    /// Names that were defined in this run, to be used again.
    names: Vec<String>,
}

/// Constructs within constructs: rpm's own limit of 64 levels is tested apart.
const MAX_DEPTH: u32 = 4;

impl Generator {
    /// A generator that always gives the same texts for a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let names = ["foo", "bar", "baz", "par", "pax", "opt", "_priv"]
            .map(str::to_owned)
            .to_vec();
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            names,
        }
    }

    /// Texts, of which the first ones define macros.
    pub(crate) fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts: Vec<String> = [
            "%define foo FOO",
            "%define bar b%{?foo}r",
            "%global baz %{bar}z",
            "%define par() <%1|%2|%#|%*|%0>",
            "%define pax(a:bc) [%{-a}%{-a*}%{-b:B%{-a*}}%{!-c:noc}|%1|%#|%*]",
            "%define opt(-) {%*}",
            "%global _priv() %{1}%{?2: and %{2}}",
        ]
        .map(str::to_owned)
        .to_vec();
        while texts.len() < count {
            let text = self.text(0);
            texts.push(text);
        }
        texts
    }

    /// The text of a macro file that defines `m0`, `m1` and so on, in all forms, some of them wrong.
    pub(crate) fn macro_file(&mut self, count: usize) -> String {
        let mut file = String::new();
        for index in 0..count {
            let line = match self.below(12) {
                0 => format!("%m{index} {}\\\n  {}\n", self.word(), self.word()),
                1 => format!("%m{index} %{{?x:\n{}\n}}\n", self.word()),
                2 => format!("  %m{index}\t{}  \n", self.word()),
                3 => format!("%m{index}() <%1> \\\n\\\n {}\n", self.word()),
                4 => format!("%m{index}(a:b) %{{-a:{}}}\r\n", self.word()),
                5 => format!("# %m{index} {{ %{{\nm{index} no\n"),
                6 => format!("%m{index} {{{} {}}}\n", self.word(), self.word()),
                7 => {
                    let end = ["", "()", "(", " ", " {x", " %%{", "x", " a\\b\\\\c", "%", " a\r"];
                    format!("%m{index}{}\n", self.pick(&end))
                }
                8 => format!("%define m{index} {}\n%%m{index} x\n", self.word()),
                9 => format!("%m{index} %{{lua:\nprint('{}')\n}} {{\n", self.word()),
                10 => format!("%m{index} %[1 + {}]\n\n\n", self.below(9)),
                _ => format!(
                    "%m{index} {} # no comment\n",
                    self.text(1).replace('\n', " ").replace('\\', "")
                ),
            };
            // What is not closed takes all lines after it: such a one is at the end.
            let balanced = [('{', '}'), ('(', ')'), ('[', ']')]
                .iter()
                .all(|(open, close)| line.matches(*open).count() == line.matches(*close).count());
            if balanced || !line.contains('%') || index == count - 1 || !line[1..].contains('%') {
                file.push_str(&line);
            }
        }
        file
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from((self.next() >> 33) % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn name(&mut self) -> String {
        if self.chance(12) {
            return self
                .pick(&[
                    "nosuch",
                    "x",
                    "un_defined",
                    "1",
                    "2",
                    "*",
                    "#",
                    "**",
                    "0",
                    "-f",
                    "-a",
                ])
                .to_owned();
        }
        let index = self.below(self.names.len());
        self.names[index].clone()
    }

    fn new_name(&mut self) -> String {
        if self.chance(60) || self.names.len() > 40 {
            let index = self.below(self.names.len());
            return self.names[index].clone();
        }
        let name = match self.below(14) {
            0 => "_".to_owned(),
            1 => self
                .pick(&["1abc", "define", "lua", "basename", "expand", "upper"])
                .to_owned(),
            2 => "a".to_owned(),
            _ => format!("n{}", self.names.len()),
        };
        self.names.push(name.clone());
        name
    }

    /// A text with macros.
    pub(crate) fn text(&mut self, depth: u32) -> String {
        let parts = 1 + self.below(if depth == 0 { 4 } else { 2 });
        let mut text = String::new();
        for _ in 0..parts {
            let part = self.part(depth);
            text.push_str(&part);
        }
        text
    }

    fn part(&mut self, depth: u32) -> String {
        if depth >= MAX_DEPTH || self.chance(25) {
            return self.literal();
        }
        let depth = depth + 1;
        match self.below(20) {
            0 | 1 => self.reference(depth),
            2..=4 => self.conditional(depth),
            5 | 6 => self.call(depth),
            7..=9 => format!("%[{}]", self.expression(depth, true)),
            10 => format!("%{{expr:{}}}", self.expression(depth, false)),
            11 | 12 => self.builtin(depth),
            13 | 14 => self.define(depth),
            // A macro that is undefined while its arguments are expanded is freed memory in rpm.
            15 if depth == 1 => self.undefine(),
            16 => format!("%{{expand:{}}}", self.text(depth)),
            17 => self.lua(depth),
            18 if self.chance(40) => self.broken(depth),
            _ => self.quoted(depth),
        }
    }

    fn literal(&mut self) -> String {
        self.pick(&[
            "a",
            "abc",
            " ",
            "  ",
            "%%",
            "x y",
            "1",
            "0",
            "42",
            "-",
            "a/b.c",
            "/usr/lib/",
            "\t",
            "\n",
            "\\a",
            ":",
            "é",
            "\"",
            "%",
            "a b  c",
            "(",
            "[",
            "%-",
            "%?",
            "http://h/p",
            ".",
            "%%{foo}",
            "v",
            "# c",
            "''",
        ])
        .to_owned()
    }

    fn word(&mut self) -> String {
        self.pick(&[
            "a", "b", "abc", "1", "-", "-b", "x/y", "-a", "-ax", "--", "0", "é", "-c", "-bc", "q",
        ])
        .to_owned()
    }

    fn reference(&mut self, depth: u32) -> String {
        let name = self.name();
        match self.below(8) {
            0..=2 => format!("%{{{name}}}"),
            3 | 4 => format!("%{name}"),
            5 => format!("%{name}{}", self.literal()),
            6 => format!("%{{{name}:{}}}", self.text(depth)),
            _ => format!("%{{{name} {}}}", self.text(depth)),
        }
    }

    fn conditional(&mut self, depth: u32) -> String {
        let (name, marks) = (self.name(), self.pick(&["?", "!?", "?!", "??", "!!?", "!"]));
        match self.below(6) {
            0 => format!("%{marks}{name}"),
            1 => format!("%{{{marks}{name}}}"),
            2 => format!("%{{{marks}{name}:}}"),
            _ => format!("%{{{marks}{name}:{}}}", self.text(depth)),
        }
    }

    fn call(&mut self, depth: u32) -> String {
        let name = self.pick(&["par", "pax", "opt", "_priv", "par", "pax"]);
        let mut words = String::new();
        for _ in 0..self.below(4) {
            words.push_str(self.pick(&[" ", "  ", " \t"]));
            let word = if self.chance(60) {
                self.word()
            } else {
                self.text(depth)
            };
            words.push_str(&word);
        }
        match self.below(5) {
            0 | 1 => format!("%{name}{words}\n"),
            2 | 3 => format!("%{{{name}{words}}}"),
            _ => format!("%{{{name}:{words}}}"),
        }
    }

    fn builtin(&mut self, depth: u32) -> String {
        let name = self.pick(&[
            "basename",
            "dirname",
            "suffix",
            "shrink",
            "url2path",
            "u2p",
            "getenv",
            "quote",
            "shescape",
            "S",
            "P",
            "uncompress",
            "macrobody",
            "verbose",
            "getconfdir",
            "rpmversion",
            "upper",
            "echo",
            "warn",
            "dnl",
            "error",
            "getncpus",
            "trace_not",
            "lower",
            "len",
        ]);
        // Errors end a text: they are rare here.
        if name == "error" && self.chance(80) {
            return String::new();
        }
        let argument = if name == "macrobody" && self.chance(80) {
            self.name()
        } else {
            self.text(depth)
        };
        match self.below(6) {
            0 => format!("%{{{name} {argument}}}"),
            1 => format!("%{{{name}}}"),
            2 => format!("%{{?{name}:{argument}}}"),
            _ => format!("%{{{name}:{argument}}}"),
        }
    }

    fn define(&mut self, depth: u32) -> String {
        let how = self.pick(&["define", "global"]);
        let name = self.new_name();
        let options = match self.below(8) {
            0 => "()".to_owned(),
            1 => format!(
                "({})",
                self.pick(&["a", "a:b", "x:", "-", "+a", "a::b", ":", "b:c:"])
            ),
            2 => self.pick(&["(", ")", "(a"]).to_owned(),
            _ => String::new(),
        };
        // Bodies that call themselves only end at the limit, and bodies of lines are as common as those in braces.
        let body = if self.chance(50) {
            self.literal()
        } else {
            self.text(depth)
        };
        match self.below(7) {
            0 => format!("%{how} {name}{options} {{{body}}}\n"),
            1 => format!("%{{{how} {name}{options} {body}}}"),
            2 => format!("%{{{how}:{name}{options} {body}}}"),
            3 => format!("%{how} {name}{options} {body}\n\n"),
            5 => format!("%{how} {name}{options} \\\n  {body} \\\n{}\n", self.word()),
            4 => format!("%{how} {name}{options} {body}%1%2%*%#%{{-a*}}\n"),
            _ => format!("%{how} {name}{options} {body}\n"),
        }
    }

    fn undefine(&mut self) -> String {
        let name = self.new_name();
        match self.below(4) {
            0 => format!("%{{undefine:{name}}}"),
            1 => format!("%undefine {name} z\n"),
            _ => format!("%undefine {name}\n"),
        }
    }

    fn quoted(&mut self, depth: u32) -> String {
        let words = format!(
            "%{{quote:{}}} {} %{{quote:{}}}",
            self.text(depth),
            self.word(),
            self.word()
        );
        match self.below(5) {
            0 => words,
            1 => format!("%global qqq {words}\n%{{par %{{qqq}}}}"),
            2 => format!("%{{par %{{expand:{words}}}}}"),
            3 => format!("%{{pax {words}}}"),
            _ => format!("%{{par {words}}}"),
        }
    }

    fn broken(&mut self, depth: u32) -> String {
        let inner = self.text(depth);
        match self.below(6) {
            0 => format!("%{{{inner}"),
            1 => format!("%({inner}").replace(')', ""),
            2 => format!("%[{inner}"),
            3 => format!("{inner}}}"),
            4 => format!("%{{{inner}}}"),
            _ => format!("%!{inner}"),
        }
    }

    fn lua(&mut self, depth: u32) -> String {
        let name = self.name();
        match self.below(9) {
            0 => "%{lua:print(#arg, arg[1], opt.a)}".to_owned(),
            1 => format!("%{{lua:print(rpm.expand([==[{}]==]))}}", self.text(depth)),
            2 => format!("%{{lua:print(pcall(rpm.expand, [==[{}]==]))}}", self.text(depth)),
            3 => format!("%{{lua:print(rpm.isdefined('{name}'))}}"),
            4 => format!(
                "%{{lua:return rpm.vercmp('{}', '{}')}}",
                self.version(),
                self.version()
            ),
            5 => format!(
                "%{{lua:local m = macros['{name}'] print(type(m)) if type(m) == 'string' then print(m) end}}"
            ),
            6 => format!("%{{lua:rpm.define('{} {}')}}", self.name(), self.word()),
            7 => format!(
                "%{{lua:print(table.concat(rpm.splitargs('{} {}'), '|'))}}",
                self.word(),
                self.word()
            ),
            _ => format!("%{{lua:macros['{}'] = '{}'}}", self.name(), self.word()),
        }
    }

    fn version(&mut self) -> &'static str {
        self.pick(&[
            "1", "1.0", "1.0-1", "0:1.0", "1:1.0-2", "2.0~rc1", "2.0", "2.0^git1", "1.0a", "1.a", "1..0",
            "01", "1-", "10", "1.0.0", "~", "^", "a", "1.0-1-2", ":1", "é",
        ])
    }

    /// An expression; `macros` says whether its terms are expanded as they are met.
    pub(crate) fn expression(&mut self, depth: u32, macros: bool) -> String {
        let kind = [Kind::Integer, Kind::Integer, Kind::String, Kind::Version][self.below(4)];
        self.typed(kind, depth, macros)
    }

    /// An expression of that type, but for a few that are anything.
    fn typed(&mut self, kind: Kind, depth: u32, macros: bool) -> String {
        if self.chance(3) {
            return self.wild(depth, macros);
        }
        if depth > MAX_DEPTH || self.chance(20) {
            return self.term(kind, depth, macros);
        }
        let depth = depth + 1;
        let space = self.pick(&["", " "]);
        if self.chance(10) {
            let condition = self.typed(Kind::Integer, depth, macros);
            let (first, second) = (self.typed(kind, depth, macros), self.typed(kind, depth, macros));
            return format!("{condition}{space}?{space}{first} : {second}");
        }
        if self.chance(15) {
            return format!("({space}{})", self.typed(kind, depth, macros));
        }
        if self.chance(10) {
            let operator = self.pick(&["&&", "||"]);
            return format!(
                "{} {operator} {}",
                self.typed(kind, depth, macros),
                self.typed(kind, depth, macros)
            );
        }
        match kind {
            Kind::String if self.chance(60) => {
                format!(
                    "{}{space}+{space}{}",
                    self.typed(kind, depth, macros),
                    self.typed(kind, depth, macros)
                )
            }
            Kind::Integer => self.integer(depth, macros),
            _ => self.term(kind, depth, macros),
        }
    }

    fn integer(&mut self, depth: u32, macros: bool) -> String {
        let space = self.pick(&["", " "]);
        let any = [Kind::Integer, Kind::String, Kind::Version][self.below(3)];
        match self.below(10) {
            0 => format!("!{}", self.typed(any, depth, macros)),
            1 => format!("-{space}{}", self.typed(Kind::Integer, depth, macros)),
            2..=4 => {
                let operator = self.pick(&["<", ">", "==", "!=", "<=", ">="]);
                let (left, right) = (self.typed(any, depth, macros), self.typed(any, depth, macros));
                format!("{left}{space}{operator}{space}{right}")
            }
            _ => {
                let operator = self.pick(&["+", "-", "*", "/", "+", "-", "*", "&&", "||"]);
                let (left, right) = (
                    self.typed(Kind::Integer, depth, macros),
                    self.typed(Kind::Integer, depth, macros),
                );
                format!("{left}{space}{operator}{space}{right}")
            }
        }
    }

    fn term(&mut self, kind: Kind, depth: u32, macros: bool) -> String {
        match kind {
            Kind::Integer if macros && self.chance(30) => match self.below(3) {
                0 => format!("%{{?{}:1}}0", self.name()),
                1 => format!("1%[{}]", self.typed(kind, depth, macros)),
                _ => format!("%{{len:{}}}", self.word()),
            },
            Kind::Integer => match self.below(8) {
                0 => self
                    .pick(&["2147483647", "007", "4294967296", "99999999999999999999", "65536"])
                    .to_owned(),
                _ => self.below(10).to_string(),
            },
            Kind::String if macros && self.chance(40) => match self.below(2) {
                0 => format!("\"%{{{}}}\"", self.name()),
                _ => format!("\"{}\"", self.text(depth).replace('"', "")),
            },
            Kind::String => match self.below(6) {
                0 => format!("lua:string.rep(\"{}\", {})", self.word(), self.below(4)),
                _ => format!("\"{}\"", self.word()),
            },
            Kind::Version => format!("v\"{}\"", self.version()),
        }
    }

    fn wild(&mut self, depth: u32, macros: bool) -> String {
        match self.below(5) {
            0 | 1 => self
                .pick(&[
                    "",
                    "abc",
                    "=",
                    "&",
                    "1 2",
                    "\"",
                    "?",
                    ":",
                    ",",
                    "lua:foo()",
                    "#",
                    "1a",
                    "1 +",
                ])
                .to_owned(),
            2 => "\"s\"".to_owned(),
            3 => format!("%{}", self.name()),
            _ if macros => self.text(depth),
            _ => "v\"\"".to_owned(),
        }
    }
}

/// What an expression should be.
#[derive(Clone, Copy)]
enum Kind {
    Integer,
    String,
    Version,
}
