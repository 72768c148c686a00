//! Specs made of all constructs, from a seed.

/// A generator of numbers that is the same everywhere: xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const WORDS: [&str; 16] = [
    "zlib",
    "foo-libs",
    "perl(Foo::Bar)",
    "pkgconfig(x11)",
    "/usr/bin/env",
    "bar_baz",
    "libX11-devel%{?_isa}",
    "%{name}-data",
    "python3dist(a.b)",
    "cmake(Qt6)",
    "font(:lang=de)",
    "%{prefix_of x}",
    "gcc-c++",
    "%{lower_name}",
    "bundled(js)",
    "config(%{name})",
];
const VERSIONS: [&str; 9] = [
    "1",
    "2.0",
    "1:3.4-5",
    "%{version}",
    "%{version}-%{release}",
    "%{?epoch:%{epoch}:}%{version}",
    "1~rc1",
    "1^git2",
    "%{minimum}",
];
const OPERATORS: [&str; 7] = ["=", ">=", "<=", "<", ">", "==", "=>"];
const CONDITIONS: [&str; 22] = [
    "1",
    "0",
    "%{with tests}",
    "%{without tests}",
    "0%{?fedora} >= 30",
    "0%{?counter}",
    "! 0%{?counter}",
    "\"%{name}\" == \"x\"",
    "%{defined counter}",
    "%{undefined counter} && 1",
    "(1 || 0) && !0",
    "%{counter} > 2",
    "\"%{_arch}\" == \"x86_64\"",
    "%[1+1] == 2",
    "v\"%{version}\" >= v\"1.0\"",
    "%{?with_docs:1}%{!?with_docs:0}",
    "1 ? 0 : 1",
    "%{lua: print(1)}",
    "%{with extras} || %{with docs}",
    "0%{?flag:1}",
    "\"%{?flag}\" != \"\"",
    "%{expr:2*3} == 6",
];
const HELPERS: &str = r#"%define lower_name %{lua: print(string.lower(rpm.expand("%{?name}")) .. "x")}
%define prefix_of() %{1}-of-%{?name}
%global minimum 4.5
%define pair(a:b) %{-a:%{-a*}}%{!-a:none}/%{-b:yes}%{!-b:no}/%{?1}/%{#}
%global multi %{expand:
first line
second %{?name}
}
%define counter_up() %{lua: local n = tonumber(rpm.expand("%{?counter}")) or 0; rpm.define("counter " .. (n + 1))}
%global body \
  echo one \
  echo two
"#;

pub(crate) struct Generator {
    random: Random,
    name: String,
    out: String,
    packages: Vec<String>,
    sources: usize,
    patches: usize,
    depth: usize,
}

impl Generator {
    /// A spec; its name is of its number.
    pub(crate) fn spec(seed: u64) -> String {
        let mut generator = Self {
            random: Random::new(seed),
            name: format!("case{seed}"),
            out: String::new(),
            packages: Vec::new(),
            sources: 0,
            patches: 0,
            depth: 0,
        };
        generator.preamble();
        generator.description("");
        for number in 0..generator.random.below(4) {
            generator.package(number);
        }
        generator.build();
        generator.scripts();
        generator.files();
        generator.changelog();
        generator.out
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// One of these lines.
    fn line_of(&mut self, lines: &[&str]) {
        let line = self.random.pick(lines);
        self.line(line);
    }

    fn preamble(&mut self) {
        let name = self.name.clone();
        if self.random.chance(80) {
            self.out.push_str(HELPERS);
        } else {
            self.line("%global lower_name x\n%define prefix_of() %{1}\n%global minimum 4.5\n%define pair(a:b) p%{?1}%{-b:B}\n%global multi m\n%define counter_up() %{nil}\n%global body :");
        }
        for _ in 0..self.random.below(4) {
            self.switch();
        }
        self.noise();
        let blanks = self.random.pick(&[" ", "\t\t", "", "     "]);
        self.line(&format!("Name:{blanks}{name}"));
        let version = self.random.pick(&[
            "1.2.3",
            "%{?minimum}",
            "%{lua: print('7')}",
            "%[3+4].1",
            "2.0~beta1",
            "%{expand:1.%{minimum}}",
        ]);
        self.line(&format!("Version: {version}"));
        self.line_of(&[
            "Release: 1%{?dist}",
            "Release: 2.%{minimum}",
            "release : 3",
            "Release: %{?autorelease}%{!?autorelease:4}",
        ]);
        if self.random.chance(30) {
            self.line("Epoch: 3");
        }
        self.line_of(&[
            "Summary: A %{name} thing",
            "Summary: Plain text, %%escaped",
            "SUMMARY:    Blanks   around   ",
        ]);
        if self.random.chance(20) {
            self.line("Summary(de): Ein Ding");
        }
        self.line_of(&[
            "License: MIT",
            "License: GPL-2.0-or-later AND %{?x}MIT",
            "License: (A or B)",
        ]);
        if self.random.chance(15) {
            self.line_of(&[
                "BuildArch: noarch",
                "BuildArch: x86_64 noarch",
                "BuildArchitectures: noarch",
            ]);
        }
        for _ in 0..4 + self.random.below(14) {
            self.preamble_line(0);
        }
    }

    fn switch(&mut self) {
        let line = self.random.pick(&[
            "%bcond_with tests",
            "%bcond_without docs",
            "%bcond extras 1",
            "%bcond_with extras",
            "%{?x:%bcond_with y}",
            "%bcond_without tests",
            "%bcond docs %{with tests}",
        ]);
        self.line(line);
    }

    fn noise(&mut self) {
        let line = self.random.pick(&[
            "# a comment",
            "# with %{name} in it",
            "  # indented %%{name}",
            "",
            "# %{?x:\n#}",
            "%dnl nothing %{name}",
            "%{nil}",
            "   ",
            "#%global no 1",
            "%{?never}",
            "%{!?flag:%global flag yes}",
            "%undefine flag",
            "%counter_up",
            "%global counter 3",
            "%define local_one %{?minimum}x",
            "%{lua:\n  local t = {}\n  t[1] = 'a'\n  rpm.define('from_lua ' .. t[1])\n}",
            "%global later %{?minimum}%{nil}",
            "%{expand:%%global deep %{minimum}}",
            "%global long a\\\nb",
            "%if 0\nURL: %{unclosed\n}\n%endif",
            "%global quoted %{quote:a b}",
            "%if 1 && \\\n 1\n%global joined 1\n%endif",
        ]);
        self.line(line);
    }

    fn dependency(&mut self) -> String {
        let word = self.random.pick(&WORDS);
        if word.starts_with('/') || self.random.chance(50) {
            return word.to_owned();
        }
        format!(
            "{word} {} {}",
            self.random.pick(&OPERATORS),
            self.random.pick(&VERSIONS)
        )
    }

    fn list(&mut self) -> String {
        let mut list = self.dependency();
        for _ in 0..self.random.below(3) {
            list.push_str(self.random.pick(&[" ", ", ", ",", "   "]));
            list.push_str(&self.dependency());
        }
        list
    }

    /// A rich dependency; what is asked of it decides whether `if` or `unless` may stand in it.
    fn rich(&mut self, depth: usize, positive: bool) -> String {
        let choice = self.random.below(5);
        let (operator, inner) = match choice {
            0 => ("and", true),
            1 => ("or", false),
            2 => (if positive { "if" } else { "unless" }, positive),
            3 => ("with", false),
            _ => (if positive { "and" } else { "or" }, positive),
        };
        let simple = choice == 3;
        let mut text = "(".to_owned();
        text.push_str(self.random.pick(&["", " "]));
        for index in 0..2 + usize::from(self.random.chance(30) && choice != 2) {
            if index > 0 {
                text.push_str(&format!(" {operator} "));
            }
            let nested = depth < 3 && !simple && choice != 2 && self.random.chance(30);
            text.push_str(&if nested {
                self.rich(depth + 1, inner)
            } else {
                self.dependency()
            });
        }
        if choice == 2 && self.random.chance(40) {
            text.push_str(&format!(" else {}", self.dependency()));
        }
        text.push(')');
        text
    }

    fn dependency_line(&mut self) -> String {
        let tag = self.random.pick(&[
            "Requires",
            "Requires(post)",
            "Requires(pre,postun)",
            "Requires(meta)",
            "BuildRequires",
            "BuildRequires",
            "Provides",
            "Conflicts",
            "Obsoletes",
            "Recommends",
            "Suggests",
            "Supplements",
            "Enhances",
            "OrderWithRequires",
            "BuildConflicts",
            "requires",
            "Requires(pretrans)",
            "Requires(posttrans)",
            "PreReq",
            "Requires(verify)",
            "Requires(preun)",
        ]);
        let value = match tag {
            "Provides" | "OrderWithRequires" => self.list(),
            "Obsoletes" => format!("old-%{{name}} < {}", self.random.pick(&VERSIONS)),
            "Conflicts" | "Supplements" | "Enhances" | "BuildConflicts" if self.random.chance(60) => {
                self.rich(0, false)
            }
            "Requires" | "BuildRequires" | "Recommends" | "Suggests" | "requires"
                if self.random.chance(35) =>
            {
                self.rich(0, true)
            }
            _ => self.list(),
        };
        format!("{tag}: {value}")
    }

    fn preamble_line(&mut self, package: usize) {
        match self.random.below(20) {
            0..=8 => {
                let line = self.dependency_line();
                self.line(&line);
            }
            9 | 10 => self.noise(),
            11..=13 if self.depth < 4 => self.conditional(package),
            14 if package == 0 => {
                self.sources += 1;
                let number = self.number(self.sources);
                let line = format!("Source{}: http://h/%{{name}}-{}.tar.gz", number, self.sources);
                self.line(&line);
            }
            15 if package == 0 => {
                self.patches += 1;
                let number = self.number(self.patches);
                let line = format!("Patch{}: %{{name}}-fix{}.patch", number, self.patches);
                self.line(&line);
            }
            16 => {
                let line = self.random.pick(&[
                    "AutoReq: no",
                    "AutoProv: 0",
                    "AutoReqProv: yes",
                    "Prefix: /opt",
                    "BuildRoot: /tmp/x",
                ]);
                self.line(line);
            }
            17 if package == 0 => {
                let line = self.random.pick(&[
                    "ExclusiveArch: x86_64 aarch64 noarch",
                    "ExcludeArch: s390x %{arm}",
                    "ExclusiveOS: linux",
                    "ExcludeOS: solaris",
                ]);
                self.line(line);
            }
            18 if package == 0 && self.depth == 0 => {
                for (tag, line) in [
                    ("URL:", "URL: http://h/%{name}/%{version}"),
                    ("VCS:", "VCS: git:http://h/%{name}"),
                    ("BugURL:", "BugURL: http://bugs/%{name}"),
                    ("Vendor:", "Vendor: A vendor of %{name}"),
                    ("Packager:", "Packager: Somebody <a@b>"),
                    ("Group:", "Group: Applications/%{name}"),
                ] {
                    if !self.out.contains(tag) && self.random.chance(50) {
                        self.line(line);
                    }
                }
            }
            _ => {
                let line = self.random.pick(&[
                    "Provides: virtual(%{pair -a x -b y})",
                    "Provides: p-%{pair} = %{version}",
                    "Requires: %{?flag:flagged}%{!?flag:unflagged}",
                    "%{?counter:Requires: counted = %{counter}}",
                    "%{expand:Requires: expanded-%{name}}",
                    "Provides: lua-%{lua: print(rpm.expand('%{version}'))}",
                    "Provides: a-%{lower_name} b-%{name}",
                    "%{lua: for i = 1, 3 do print('Provides: looped' .. i .. '\\n') end}",
                    "Requires: sh-%(echo shell)",
                    "Provides: e-%[ 2 > 1 ? \"yes\" : \"no\" ]",
                ]);
                self.line(line);
            }
        }
    }

    /// A number with room for those after it that have none, or none.
    fn number(&mut self, count: usize) -> String {
        if self.random.chance(40) {
            (count * 10).to_string()
        } else {
            String::new()
        }
    }

    fn conditional(&mut self, package: usize) {
        self.depth += 1;
        let opening = match self.random.below(6) {
            0 => "%ifarch x86_64 %{arm}".to_owned(),
            1 => "%ifnarch x86_64 aarch64".to_owned(),
            2 => self
                .random
                .pick(&["%ifos linux", "%ifnos linux", "%ifos solaris"])
                .to_owned(),
            _ => format!("%if {}", self.random.pick(&CONDITIONS)),
        };
        let indent = self.random.pick(&["", "  ", "\t"]);
        // A macro that a condition compares as a number must be one.
        self.line("%{!?counter:%global counter 1}");
        self.line(&format!("{indent}{opening}"));
        for _ in 0..1 + self.random.below(3) {
            self.preamble_line(package);
        }
        for _ in 0..self.random.below(3) {
            let branch = match self.random.below(3) {
                0 => "%elifarch aarch64".to_owned(),
                1 => "%elifos linux".to_owned(),
                _ => format!(
                    "%elif {}",
                    self.random
                        .pick(&["1", "0", "%{defined flag}", "\"%{name}\" == \"y\""])
                ),
            };
            self.line(&branch);
            self.preamble_line(package);
        }
        if self.random.chance(50) {
            self.line("%else");
            self.preamble_line(package);
        }
        self.line(&format!("{indent}%endif"));
        self.depth -= 1;
    }

    fn description(&mut self, package: &str) {
        self.line(&format!("%description{package}"));
        for _ in 0..1 + self.random.below(3) {
            let line = self.random.pick(&[
                "Text of %{name}.",
                "",
                "  indented   ",
                "%if 0",
                "%{?flag:flagged text}",
                "# gone",
                "%%percent",
                "%{multi}",
                "%global from_description 1",
            ]);
            self.line(line);
            if line == "%if 0" {
                self.line("never\n%else\nalways\n%endif");
            }
        }
    }

    fn package(&mut self, number: usize) {
        let full = self.random.chance(30);
        let argument = if full {
            format!(" -n lib{}-{number}", self.name)
        } else {
            format!(" sub{number}")
        };
        self.line(&format!("\n%package{argument}"));
        self.line(&format!("Summary: Sub-package {number} of %{{name}}"));
        if self.random.chance(30) {
            self.line("BuildArch: noarch");
        }
        if self.random.chance(20) {
            self.line_of(&["Version: 9.9", "License: Other", "Epoch: 8", "Release: 7"]);
        }
        for _ in 0..1 + self.random.below(5) {
            self.preamble_line(number + 1);
        }
        self.description(&argument);
        self.packages.push(argument);
    }

    fn build(&mut self) {
        if self.random.chance(80) {
            self.line("\n%prep");
            let line = self.random.pick(&[
                "%setup -q -T",
                "%setup -T -c -n %{name}-x",
                "%autosetup -T -N",
                "echo prep",
                "%setup -D -T -q",
                "%autosetup -p1 -T -n elsewhere",
            ]);
            self.line(line);
            let line = self.random.pick(&[
                "echo %{?buildsubdir}",
                "ls \\\n  -l",
                "# comment %{name}",
                "%{body}",
                ": %%",
            ]);
            self.line(line);
        }
        for section in [
            "%generate_buildrequires",
            "%conf",
            "%build",
            "%install",
            "%check",
            "%clean",
        ] {
            if !self.random.chance(55) {
                continue;
            }
            self.line(section);
            for _ in 0..1 + self.random.below(4) {
                let line = self.random.pick(&[
                    "make %{?_smp_mflags}",
                    "%configure --with-x",
                    "%make_install",
                    "export A=\"%{optflags}\"",
                    "%global late_%{minimum2} 1",
                    "if [ -e x ]; then\n  rm x\nfi",
                    "%{body}",
                    "%{?with_docs:make docs}",
                    "%if %{with docs}\n  make docs\n%else\n  :\n%endif",
                    "cat > x <<END\n%%percent %{name}\nEND",
                    "%define in_build %{version}\necho %{in_build}",
                    "cd %{_builddir}/%{?buildsubdir}",
                    "mkdir -p %{buildroot}%{_bindir} $RPM_BUILD_ROOT",
                    "%{lua: print('lua here')}",
                    "a %{undefined_macro} b",
                    "%multi",
                    "%{make_build} V=1",
                    "echo '%{pair -b z}'",
                    "# %global hidden 1",
                    "%counter_up",
                ]);
                self.line(line);
            }
        }
    }

    fn scripts(&mut self) {
        let mut owners = vec![String::new()];
        owners.extend(self.packages.clone());
        for owner in owners {
            for section in [
                "%pre",
                "%post",
                "%preun",
                "%postun",
                "%pretrans",
                "%posttrans",
                "%verifyscript",
            ] {
                if !self.random.chance(15) {
                    continue;
                }
                match self.random.below(5) {
                    0 => self.line(&format!("{section}{owner} -p /sbin/ldconfig\n")),
                    1 => self.line(&format!(
                        "{section}{owner} -p <lua>\nlocal x = \"%{{name}}\"\nprint(x)\n"
                    )),
                    2 => self.line(&format!(
                        "{section} -p \"/bin/bash -e\"{owner}\necho %{{version}}"
                    )),
                    _ => self.line(&format!(
                        "{section}{owner}\necho %{{?flag}} %{{name}}\n\n%if 0\nno\n%endif\n:\n"
                    )),
                }
            }
            if self.random.chance(20) {
                let section = self.random.pick(&[
                    "%triggerin",
                    "%triggerun",
                    "%triggerpostun",
                    "%triggerprein",
                    "%trigger",
                ]);
                self.line(&format!(
                    "{section}{owner} -- other > 1, %{{name}}-more\necho triggered"
                ));
            }
            if self.random.chance(20) {
                let section = self.random.pick(&[
                    "%filetriggerin",
                    "%filetriggerun",
                    "%filetriggerpostun",
                    "%transfiletriggerin",
                    "%transfiletriggerun",
                    "%transfiletriggerpostun",
                    "%filetrigger",
                    "%transfiletrigger",
                ]);
                let priority = self.random.pick(&["", " -P 200", " -p <lua>"]);
                self.line(&format!(
                    "{section}{priority}{owner} -- /usr/lib %{{_datadir}}/x\nprint(1)"
                ));
            }
        }
    }

    fn files(&mut self) {
        let mut owners = vec![String::new()];
        owners.extend(self.packages.clone());
        for owner in owners {
            if !self.random.chance(70) {
                continue;
            }
            let list = self.random.pick(&["", " -f list", " -f %{name}.lang"]);
            self.line(&format!("\n%files{owner}{list}"));
            for _ in 0..self.random.below(5) {
                let line = self.random.pick(&[
                    "%{_bindir}/*",
                    "%doc README %{name}.txt",
                    "%license COPYING",
                    "%dir %{_datadir}/%{name}",
                    "%config(noreplace) %{_sysconfdir}/x",
                    "%attr(0755, root, root) /usr/x",
                    "# comment",
                    "",
                    "%if %{with docs}\n%doc docs\n%endif",
                    "%defattr(-,root,root)",
                    "%ghost /var/log/x",
                    "%exclude /usr/y",
                    "%{?flag:/flagged}",
                    "%verify(not md5) /etc/z",
                    "%lang(de) /usr/de",
                ]);
                self.line(line);
            }
        }
    }

    fn changelog(&mut self) {
        if !self.random.chance(70) {
            return;
        }
        self.line("\n%changelog");
        for year in (2015..2016 + self.random.below(3)).rev() {
            self.line(&format!(
                "* {} {year} A B <a@b> - 1.{year}-1",
                changelog_date(year)
            ));
            self.line("- entry with %%{name}\n- more");
            if self.random.chance(50) {
                self.line("");
            }
        }
    }
}

/// The first of March with its day of the week, which rpm checks.
fn changelog_date(year: usize) -> &'static str {
    match year {
        2015 => "Sun Mar 01",
        2016 => "Tue Mar 1",
        2017 => "Wed Mar 01",
        _ => "Thu Mar 01",
    }
}
