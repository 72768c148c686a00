//! The walk through a script: what is reached when the package is new.

use std::collections::{BTreeMap, BTreeSet};

use lazuli_deb::ScriptKind;

use super::ast::{Kind, Node, Redirect, RedirectOperator, Script, Word};
use super::expand::Field;
use super::parse::parse;
pub(super) use super::state::{Flow, Phase, State, Status};
use super::words::matches;
use super::{Action, KnownFile, Reason, ScriptFacts, Statement, Verdict};

/// How many commands one situation may take.
const MAX_STEPS: u32 = 50_000;
/// How deep functions, loops and substitutions may nest.
const MAX_DEPTH: u32 = 40;
/// How many rounds a `for` loop is unrolled.
const MAX_ROUNDS: usize = 256;
/// How much of a statement's text is kept, in characters.
const MAX_TEXT: usize = 300;

pub(super) struct Interpreter<'s> {
    pub(super) facts: &'s ScriptFacts,
    pub(super) script: &'s Script,
    text: &'s str,
    pub(super) phase: Phase,
    pub(super) state: State<'s>,
    pub(super) statements: Vec<Statement>,
    steps: u32,
    depth: u32,
}

/// All that a script does, over all situations.
pub(super) fn statements(kind: ScriptKind, text: &str, facts: &ScriptFacts) -> Vec<Statement> {
    let unread = |line, text: String| {
        vec![Statement {
            line,
            text,
            verdict: Verdict::Unknown,
        }]
    };
    let first = text.lines().next().unwrap_or_default();
    if !is_shell(first) {
        return unread(1, format!("a program for another interpreter: {first}"));
    }
    if kind == ScriptKind::Config {
        // debconf's scripts may ask and remember answers, nothing else (debconf-devel(7)).
        let verdict = Verdict::Irrelevant(Reason::Question);
        return vec![Statement {
            line: 1,
            text: "questions of debconf".to_owned(),
            verdict,
        }];
    }
    let script = match parse(text) {
        Ok(script) => script,
        Err(error) => return unread(error.line, format!("not readable: {}", error.reason)),
    };
    let mut all: Vec<Statement> = Vec::new();
    for (phase, arguments) in situations(kind, facts) {
        let mut interpreter = Interpreter::new(facts, &script, text, phase, arguments);
        interpreter.run(&script.root);
        for statement in interpreter.statements {
            if !all.contains(&statement) {
                all.push(statement);
            }
        }
    }
    // What one situation does not reach matters not if another one does.
    let reached: BTreeSet<u32> = all
        .iter()
        .filter(|s| !is_not_reached(&s.verdict))
        .map(|s| s.line)
        .collect();
    all.retain(|s| !is_not_reached(&s.verdict) || !reached.contains(&s.line));
    all.sort_by_key(|s| s.line);
    all
}

fn is_not_reached(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Irrelevant(Reason::NotReached | Reason::Upgrade))
}

fn is_shell(first: &str) -> bool {
    let Some(interpreter) = first.strip_prefix("#!") else {
        return first.is_empty() || first.starts_with('#');
    };
    let program = interpreter.split_whitespace().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    matches!(name, "sh" | "dash" | "bash")
}

fn situations(kind: ScriptKind, facts: &ScriptFacts) -> Vec<(Phase, Vec<String>)> {
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
    match kind {
        ScriptKind::Preinst => vec![(Phase::Install, words(&["install"]))],
        ScriptKind::Prerm | ScriptKind::Postrm => vec![(Phase::Remove, words(&["remove"]))],
        ScriptKind::Config => Vec::new(),
        ScriptKind::Postinst => {
            let mut all = vec![(Phase::Install, words(&["configure", ""]))];
            all.extend(
                facts
                    .interests
                    .iter()
                    .map(|name| (Phase::Install, words(&["triggered", name]))),
            );
            all
        }
    }
}

impl<'s> Interpreter<'s> {
    fn new(
        facts: &'s ScriptFacts,
        script: &'s Script,
        text: &'s str,
        phase: Phase,
        arguments: Vec<String>,
    ) -> Self {
        let set = [
            ("DPKG_ROOT", ""),
            ("DPKG_MAINTSCRIPT_PACKAGE", &facts.package),
            ("DPKG_MAINTSCRIPT_ARCH", &facts.architecture),
            ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", "1"),
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("DEBCONF_RECONFIGURE", ""),
            ("IFS", " \t\n"),
        ];
        let mut variables: BTreeMap<String, Option<String>> = set
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .collect();
        for name in [
            "PATH", "HOME", "PWD", "RET", "?", "$", "!", "-", "LANG", "USER", "SHELL", "TMPDIR",
        ] {
            variables.insert(name.to_owned(), None);
        }
        let state = State {
            variables,
            positional: arguments.into_iter().map(Some).collect(),
            functions: BTreeMap::new(),
            made: facts.made.iter().cloned().collect(),
            accounts: BTreeSet::new(),
            umask: 0o022,
            folder: Some("/".to_owned()),
            output: None,
            doubt: None,
            function_doubt: None,
        };
        Self {
            facts,
            script,
            text,
            phase,
            state,
            statements: Vec::new(),
            steps: 0,
            depth: 0,
        }
    }

    /// The text of a command, cut to a readable length.
    pub(super) fn text_of(&self, node: &Node) -> String {
        let text = self.text.get(node.span.0..node.span.1).unwrap_or_default();
        let mut short: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if short.chars().count() > MAX_TEXT {
            short = short.chars().take(MAX_TEXT).chain(['…']).collect();
        }
        short
    }

    /// Notes what was made of a command.
    pub(super) fn note(&mut self, node: &Node, verdict: Verdict) {
        let doubt = match &verdict {
            Verdict::Understood(action) if !action.is_harmless() => self
                .state
                .doubt
                .clone()
                .or_else(|| self.state.function_doubt.clone()),
            _ => None,
        };
        let text = self.text_of(node);
        let statement = match doubt {
            Some(condition) => Statement {
                line: node.line,
                text: format!("{text}   # unless the script has ended because of `{condition}`"),
                verdict: Verdict::Unknown,
            },
            None => Statement {
                line: node.line,
                text,
                verdict,
            },
        };
        self.statements.push(statement);
    }

    pub(super) fn lookup(&self, name: &str) -> Option<String> {
        match name.parse::<usize>() {
            Ok(0) => Some(format!("{}.maintscript", self.facts.package)),
            Ok(index) => self
                .state
                .positional
                .get(index - 1)
                .cloned()
                .unwrap_or_else(|| Some(String::new())),
            Err(_) if name == "#" => Some(self.state.positional.len().to_string()),
            // What nobody has set is empty.
            Err(_) => self
                .state
                .variables
                .get(name)
                .cloned()
                .unwrap_or_else(|| Some(String::new())),
        }
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        match name.parse::<usize>() {
            Ok(index) => index <= self.state.positional.len(),
            Err(_) => self.state.variables.contains_key(name),
        }
    }

    pub(super) fn assign(&mut self, name: &str, value: Option<String>) {
        self.state.variables.insert(name.to_owned(), value);
    }

    /// Says that a command prints something: `None` if it is not known what.
    pub(super) fn print(&mut self, text: Option<&str>) {
        if let Some(output) = &mut self.state.output {
            match (output.as_mut(), text) {
                (Some(known), Some(text)) => known.push_str(text),
                _ => *output = None,
            }
        }
    }

    /// What a command substitution gives: without its last newlines, if it is known.
    pub(super) fn substitute(&mut self, body: &'s Node) -> Option<String> {
        let outer = self.state.clone();
        self.state.output = Some(Some(String::new()));
        self.run(body);
        let output = self.state.output.take().flatten();
        self.state = outer;
        output.map(|text| text.trim_end_matches('\n').to_owned())
    }

    /// Walks through a command.
    pub(super) fn run(&mut self, node: &'s Node) -> (Status, Flow) {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH {
            if self.steps <= MAX_STEPS + 1 || self.depth > MAX_DEPTH {
                self.note(node, Verdict::Unknown);
            }
            return (Status::Opaque, Flow::Exit);
        }
        self.depth += 1;
        let result = self.run_kind(node);
        self.depth -= 1;
        result
    }

    fn run_kind(&mut self, node: &'s Node) -> (Status, Flow) {
        if !matches!(node.kind, Kind::Simple { .. })
            && let Some((file, append)) = self.written_file(&node.redirects)
        {
            let (status, flow) = self.collected(node, file, append, |this| this.run_compound(node));
            return (status, flow);
        }
        self.run_compound(node)
    }

    fn run_compound(&mut self, node: &'s Node) -> (Status, Flow) {
        match &node.kind {
            Kind::Simple { assignments, words } => self.simple(node, assignments, words),
            Kind::Pipeline { negated, stages } => self.pipeline(*negated, stages),
            Kind::And(left, right) => self.and(left, right),
            Kind::Or(left, right) => self.or(left, right),
            Kind::Sequence(commands) => {
                let mut last = Status::Yes;
                for command in commands {
                    let (status, flow) = self.run(command);
                    last = status;
                    if flow != Flow::Next {
                        return (status, flow);
                    }
                }
                (last, Flow::Next)
            }
            Kind::Subshell(body) => {
                let branch = self.branch(body);
                self.statements.extend(branch.statements);
                self.state.output = branch.state.output;
                self.state.made = branch.state.made;
                self.state.accounts = branch.state.accounts;
                (branch.status, Flow::Next)
            }
            Kind::Group(body) => self.run(body),
            Kind::If { branches, otherwise } => self.if_command(branches, otherwise.as_deref()),
            Kind::For {
                variable,
                words,
                body,
            } => self.for_loop(variable, words.as_deref(), body),
            Kind::While { condition, body } => self.while_loop(condition, body),
            Kind::Case { word, arms } => self.case(node, word, arms),
            Kind::Function { name, body } => {
                self.state.functions.insert(name.clone(), body);
                (Status::Yes, Flow::Next)
            }
        }
    }

    fn for_loop(&mut self, variable: &str, words: Option<&'s [Word]>, body: &'s Node) -> (Status, Flow) {
        let fields = match words {
            Some(words) => self.expand_all(words),
            None => self
                .state
                .positional
                .iter()
                .map(|p| p.clone().map_or(Field::Unknown, Field::Known))
                .collect(),
        };
        if fields.len() > MAX_ROUNDS || fields.iter().any(|f| f.known().is_none()) {
            self.assign(variable, None);
            return self.perhaps(body, Status::Opaque, body);
        }
        for field in fields {
            self.assign(variable, field.known().map(str::to_owned));
            match self.run(body) {
                (_, Flow::Next | Flow::Loop) => {}
                (status, flow) => return (status, flow),
            }
        }
        (Status::Yes, Flow::Next)
    }

    fn while_loop(&mut self, condition: &'s Node, body: &'s Node) -> (Status, Flow) {
        let (status, flow) = self.run(condition);
        if flow != Flow::Next {
            return (status, flow);
        }
        match status {
            Status::No => (Status::Yes, Flow::Next),
            // The body may run any number of times: what it sets is not known while it runs.
            _ => {
                self.forget_assigned(body);
                let status = if status == Status::Yes {
                    Status::Opaque
                } else {
                    status
                };
                self.perhaps(condition, status, body)
            }
        }
    }

    /// Forgets the variables that a loop's body sets.
    fn forget_assigned(&mut self, body: &'s Node) {
        let before = self.branch(body);
        for (name, value) in before.state.variables {
            if self.state.variables.get(&name) != Some(&value) {
                self.assign(&name, None);
            }
        }
    }

    fn pipeline(&mut self, negated: bool, stages: &'s [Node]) -> (Status, Flow) {
        let many = stages.len() > 1;
        let mut status = Status::Yes;
        let mut first_status = None;
        let mut flow = Flow::Next;
        for stage in stages {
            if many {
                let branch = self.branch(stage);
                self.statements.extend(branch.statements);
                status = branch.status;
                first_status.get_or_insert(status);
            } else {
                (status, flow) = self.run(stage);
            }
        }
        if many {
            self.print(None);
            // An account that is not there has no fields to look at.
            let asks_accounts = stages
                .first()
                .is_some_and(|first| self.text_of(first).starts_with("getent "));
            status = if asks_accounts && first_status == Some(Status::No) {
                Status::No
            } else {
                Status::Opaque
            };
        }
        (if negated { status.not() } else { status }, flow)
    }

    fn simple(
        &mut self,
        node: &'s Node,
        assignments: &'s [(String, Word)],
        words: &'s [Word],
    ) -> (Status, Flow) {
        let mut substituted = false;
        for (name, word) in assignments {
            let value = self.value(word);
            substituted |= value.is_none();
            if words.is_empty() {
                self.assign(name, value);
            }
        }
        let fields = self.expand_all(words);
        let Some((name, arguments)) = fields.split_first() else {
            self.note_writes(node, Some(String::new()));
            return (if substituted { Status::Opaque } else { Status::Yes }, Flow::Next);
        };
        let Some(name) = name.known().map(str::to_owned) else {
            self.note(node, Verdict::Unknown);
            self.print(None);
            return (Status::Opaque, Flow::Next);
        };
        match self.written_file(&node.redirects) {
            Some((file, append)) => {
                self.collected(node, file, append, |this| this.call(node, &name, arguments))
            }
            None => self.call(node, &name, arguments),
        }
    }

    fn call(&mut self, node: &'s Node, name: &str, arguments: &[Field]) -> (Status, Flow) {
        if let Some(body) = self.state.functions.get(name).copied() {
            let values = arguments.iter().map(|f| f.known().map(str::to_owned)).collect();
            let outer = std::mem::replace(&mut self.state.positional, values);
            let doubt = self.state.function_doubt.clone();
            let (status, flow) = self.run(body);
            self.state.function_doubt = doubt;
            self.state.positional = outer;
            let flow = if flow == Flow::Return { Flow::Next } else { flow };
            return (status, flow);
        }
        self.builtin(node, name, arguments)
            .unwrap_or_else(|| (self.command(node, name, arguments), Flow::Next))
    }

    /// The file that standard output goes to, unless it is none that lasts. `None` inside: not known which.
    fn written_file(&mut self, redirects: &'s [Redirect]) -> Option<(Option<String>, bool)> {
        let mut found = None;
        for redirect in redirects {
            let append = match redirect.operator {
                RedirectOperator::Write | RedirectOperator::ReadWrite => false,
                RedirectOperator::Append => true,
                _ => continue,
            };
            let target = self.value(&redirect.target);
            if target.as_deref().is_some_and(is_temporary) || redirect.descriptor == Some(2) {
                continue;
            }
            found = Some((target, append));
        }
        found
    }

    /// Runs something whose output goes to a file, and notes the writing of that file.
    fn collected(
        &mut self,
        node: &'s Node,
        file: Option<String>,
        append: bool,
        run: impl FnOnce(&mut Self) -> (Status, Flow),
    ) -> (Status, Flow) {
        let outer = self.state.output.replace(Some(String::new()));
        let result = run(self);
        let content = std::mem::replace(&mut self.state.output, outer).flatten();
        match (file, content) {
            (Some(path), Some(content)) => {
                let path = self.absolute(&path);
                match path {
                    Some(path) => {
                        let new = self.state.made.insert(path.clone());
                        let mode = 0o666 & !self.state.umask;
                        let action = Action::WriteFile {
                            path: path.clone(),
                            content,
                            append,
                        };
                        self.note(node, Verdict::Understood(action));
                        if new && mode != 0o644 {
                            self.note(node, Verdict::Understood(Action::Mode { path, mode }));
                        }
                    }
                    None => self.note(node, Verdict::Unknown),
                }
            }
            _ => self.note(node, Verdict::Unknown),
        }
        result
    }

    /// A command of redirections only: `> file`.
    fn note_writes(&mut self, node: &'s Node, content: Option<String>) {
        if let Some((file, append)) = self.written_file(&node.redirects) {
            let (path, content) = (file.and_then(|f| self.absolute(&f)), content);
            let verdict = match (path, content) {
                (Some(path), Some(content)) => Verdict::Understood(Action::WriteFile {
                    path,
                    content,
                    append,
                }),
                _ => Verdict::Unknown,
            };
            self.note(node, verdict);
        }
    }

    /// The path of a file, from the root, after the move to `/usr`.
    pub(super) fn absolute(&self, path: &str) -> Option<String> {
        let joined = match (path.strip_prefix('/'), &self.state.folder) {
            (Some(_), _) => path.to_owned(),
            (None, Some(folder)) => format!("{folder}/{path}"),
            (None, None) => return None,
        };
        crate::paths::merged_path(&joined)
    }

    /// Whether a file is there on a new system with this package. `Elsewhere`: it may be another package's.
    pub(super) fn exists(&self, path: &str) -> Status {
        const ALWAYS: [&str; 2] = ["/usr/bin/sh", "/var/lock"];
        const NEVER: [&str; 12] = [
            "/run/systemd/system",
            "/run/systemd/generator",
            "/etc/init.d",
            "/usr/share/debconf",
            "/etc/staff-group-for-usr-local",
            "/boot/grub",
            "/etc/inittab",
            "/usr/lib/runit-helper",
            "/etc/alternatives",
            "/usr/lib32",
            "/usr/libo32",
            "/usr/libx32",
        ];
        const LEFT_OVERS: [&str; 7] = [
            ".dpkg-bak",
            ".dpkg-old",
            ".dpkg-new",
            ".dpkg-dist",
            ".dpkg-backup",
            ".ucf-old",
            ".pre-conffile",
        ];
        let Some(path) = self.absolute(path) else {
            return Status::Elsewhere;
        };
        let below = |folder: &&str| path == **folder || path.starts_with(&format!("{folder}/"));
        let known = self.facts.files.contains_key(&path) || self.state.made.contains(&path);
        if known || ALWAYS.contains(&path.as_str()) {
            Status::Yes
        } else if NEVER.iter().any(below) || LEFT_OVERS.iter().any(|end| path.ends_with(end)) {
            Status::No
        } else {
            Status::Elsewhere
        }
    }

    pub(super) fn known_file(&self, path: &str) -> Option<KnownFile> {
        self.facts.files.get(&self.absolute(path)?).copied()
    }
}

/// Whether a file does not outlive the script, or is none.
pub(super) fn is_temporary(path: &str) -> bool {
    path.starts_with("/tmp/")
        || path.starts_with("/dev/")
        || path.starts_with("/proc/")
        || path.starts_with("/sys/")
}

/// Whether any pattern of a list covers a word; `None` if one is not known.
pub(super) fn any_matches(patterns: &[Option<String>], word: &str) -> Option<bool> {
    let mut unknown = false;
    for pattern in patterns {
        match pattern {
            Some(pattern) if matches(pattern, word) => return Some(true),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(false) }
}
