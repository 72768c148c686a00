//! Conditions: which branch is taken, and what follows when that is not known.

use super::ast::{Arm, Kind, Node, Word};
use super::evaluate::{Flow, Interpreter, Phase, State, Status, any_matches};
use super::{Reason, Statement, Verdict};

/// What came of a branch that may be taken.
pub(super) struct Branch<'s> {
    pub(super) state: State<'s>,
    pub(super) status: Status,
    pub(super) flow: Flow,
    pub(super) statements: Vec<Statement>,
}

impl Branch<'_> {
    /// Whether it matters if the branch is taken.
    fn matters(&self) -> bool {
        self.statements.iter().any(|s| match &s.verdict {
            Verdict::Understood(action) => !action.is_harmless(),
            Verdict::Irrelevant(_) => false,
            Verdict::Unknown => true,
        })
    }
}

type Branches<'s> = [(Node, Node)];

impl<'s> Interpreter<'s> {
    /// Walks through a branch, and puts everything back.
    pub(super) fn branch(&mut self, node: &'s Node) -> Branch<'s> {
        self.aside(|this| this.run(node))
    }

    fn aside(&mut self, walk: impl FnOnce(&mut Self) -> (Status, Flow)) -> Branch<'s> {
        let outer = self.state.clone();
        let statements = std::mem::take(&mut self.statements);
        let (status, flow) = walk(self);
        Branch {
            state: std::mem::replace(&mut self.state, outer),
            status,
            flow,
            statements: std::mem::replace(&mut self.statements, statements),
        }
    }

    /// Takes a branch or not, whichever: for conditions that are not known.
    pub(super) fn perhaps(&mut self, condition: &'s Node, status: Status, body: &'s Node) -> (Status, Flow) {
        let taken = self.branch(body);
        let skipped = self.aside(|_| (Status::Yes, Flow::Next));
        self.merge(condition, status, taken, skipped)
    }

    /// Goes on after two branches of which either may have been taken: `a` if the condition holds, `b` if not.
    fn merge(
        &mut self,
        condition: &'s Node,
        status: Status,
        mut a: Branch<'s>,
        mut b: Branch<'s>,
    ) -> (Status, Flow) {
        let opaque = status == Status::Opaque;
        let (a_dubious, b_dubious) = (status.is_dubious(), status.not().is_dubious());
        if (a_dubious && a.matters()) || (b_dubious && b.matters()) {
            let what = if opaque {
                "what follows depends on"
            } else {
                "another package decides, by"
            };
            let text = format!("{what} `{}`", self.text_of(condition));
            self.statements.push(Statement {
                line: condition.line,
                text,
                verdict: Verdict::Unknown,
            });
            let unknown = |s: &Statement| !matches!(s.verdict, Verdict::Understood(_));
            self.statements
                .extend(std::mem::take(&mut a.statements).into_iter().filter(unknown));
            self.statements
                .extend(std::mem::take(&mut b.statements).into_iter().filter(unknown));
        } else {
            self.statements.append(&mut a.statements);
            self.statements.append(&mut b.statements);
        }
        let ends = |flow: Flow| flow != Flow::Next;
        let early = |flow: Flow| matches!(flow, Flow::Exit | Flow::Return | Flow::Loop);
        match (ends(a.flow), ends(b.flow)) {
            (true, true) => {
                self.state = a.state;
                (Status::Opaque, if a.flow == Flow::Fail { b.flow } else { a.flow })
            }
            (true, false) | (false, true) => {
                let (goes_on, gone) = if ends(a.flow) { (b, a.flow) } else { (a, b.flow) };
                self.state = goes_on.state;
                if opaque && early(gone) {
                    let text = self.text_of(condition);
                    let doubt = match gone {
                        Flow::Exit => &mut self.state.doubt,
                        _ => &mut self.state.function_doubt,
                    };
                    doubt.get_or_insert(text);
                }
                (goes_on.status, Flow::Next)
            }
            (false, false) => {
                self.state = merged(a.state, b.state);
                (
                    if a.status == b.status {
                        a.status
                    } else {
                        Status::Opaque
                    },
                    Flow::Next,
                )
            }
        }
    }

    pub(super) fn if_command(
        &mut self,
        branches: &'s Branches<'s>,
        otherwise: Option<&'s Node>,
    ) -> (Status, Flow) {
        let Some(((condition, body), rest)) = branches.split_first() else {
            return otherwise.map_or((Status::Yes, Flow::Next), |node| self.run(node));
        };
        let (status, flow) = self.run(condition);
        if flow != Flow::Next {
            return (status, flow);
        }
        match status {
            Status::Yes => {
                for (next, skipped) in rest {
                    self.not_reached(next, skipped);
                }
                if let Some(node) = otherwise {
                    self.not_reached(condition, node);
                }
                self.run(body)
            }
            Status::No => {
                self.not_reached(condition, body);
                self.if_command(rest, otherwise)
            }
            _ => {
                let taken = self.branch(body);
                let other = self.aside(|this| this.if_command(rest, otherwise));
                self.merge(condition, status, taken, other)
            }
        }
    }

    pub(super) fn and(&mut self, left: &'s Node, right: &'s Node) -> (Status, Flow) {
        let (status, flow) = self.run(left);
        if flow != Flow::Next {
            return (status, flow);
        }
        match status {
            Status::Yes => self.run(right),
            Status::No => {
                self.not_reached(left, right);
                (Status::No, Flow::Next)
            }
            _ => {
                let branch = self.branch(right);
                let second = branch.status;
                let skipped = self.aside(|_| (Status::No, Flow::Next));
                let (_, flow) = self.merge(left, status, branch, skipped);
                let result = match second {
                    Status::No => Status::No,
                    Status::Yes => status,
                    second => status.weaker(second),
                };
                (result, flow)
            }
        }
    }

    pub(super) fn or(&mut self, left: &'s Node, right: &'s Node) -> (Status, Flow) {
        let (status, flow) = self.run(left);
        if flow != Flow::Next {
            return (status, flow);
        }
        match status {
            Status::Yes => (Status::Yes, Flow::Next),
            Status::No => self.run(right),
            _ => {
                let branch = self.branch(right);
                let (second, leaves) = (branch.status, branch.flow != Flow::Next);
                let skipped = self.aside(|_| (Status::Yes, Flow::Next));
                let (_, flow) = self.merge(left, status.not(), branch, skipped);
                let result = match second {
                    // What goes on has succeeded.
                    _ if leaves => Status::Yes,
                    Status::Yes => Status::Yes,
                    Status::No => status,
                    second => status.weaker(second),
                };
                (result, flow)
            }
        }
    }

    pub(super) fn case(&mut self, node: &'s Node, word: &'s Word, arms: &'s [Arm]) -> (Status, Flow) {
        let value = self.value(word);
        self.case_arms(node, value.as_deref(), arms)
    }

    fn case_arms(&mut self, node: &'s Node, value: Option<&str>, arms: &'s [Arm]) -> (Status, Flow) {
        let Some((arm, rest)) = arms.split_first() else {
            return (Status::Yes, Flow::Next);
        };
        let patterns: Vec<Option<String>> = arm.patterns.iter().map(|p| self.pattern(p)).collect();
        let taken = match value {
            Some(value) => any_matches(&patterns, value),
            None if patterns.iter().any(|p| p.as_deref() == Some("*")) => Some(true),
            None => None,
        };
        match taken {
            Some(true) => {
                for skipped in rest {
                    self.skip(&skipped.body, Reason::NotReached);
                }
                self.run(&arm.body)
            }
            Some(false) => {
                let words: Vec<&str> = patterns.iter().flatten().map(String::as_str).collect();
                let reason = match words.join(" ") {
                    words if words.contains("upgrade") => Reason::Upgrade,
                    words if words.contains("purge") || words.contains("remove") => Reason::Removal,
                    _ => Reason::NotReached,
                };
                self.skip(&arm.body, reason);
                self.case_arms(node, value, rest)
            }
            None => {
                let taken = self.branch(&arm.body);
                let other = self.aside(|this| this.case_arms(node, value, rest));
                self.merge(node, Status::Opaque, taken, other)
            }
        }
    }

    /// Notes that a piece of the script is never reached here.
    fn not_reached(&mut self, condition: &'s Node, body: &'s Node) {
        let text = self.text_of(condition);
        let reason = if text.contains("compare-versions") || text.contains("$2") || text.contains("upgrade") {
            Reason::Upgrade
        } else if text.contains("/run/systemd/system") {
            Reason::RunningSystem
        } else if self.phase == Phase::Remove || self.text_of(body).contains("purge") {
            Reason::Removal
        } else {
            Reason::NotReached
        };
        self.skip(body, reason);
    }

    fn skip(&mut self, body: &'s Node, reason: Reason) {
        if !matches!(&body.kind, Kind::Sequence(commands) if commands.is_empty()) {
            self.note(body, Verdict::Irrelevant(reason));
        }
    }
}

/// What is known after either of two branches.
fn merged<'s>(mut a: State<'s>, b: State<'s>) -> State<'s> {
    let names: Vec<String> = a.variables.keys().chain(b.variables.keys()).cloned().collect();
    for name in names {
        // A variable that was never set is empty.
        let value = |state: &State<'s>| {
            state
                .variables
                .get(&name)
                .cloned()
                .unwrap_or_else(|| Some(String::new()))
        };
        if value(&a) != value(&b) {
            a.variables.insert(name, None);
        }
    }
    if a.positional != b.positional {
        a.positional.iter_mut().for_each(|p| *p = None);
    }
    if a.output != b.output {
        a.output = a.output.map(|_| None);
    }
    if a.folder != b.folder {
        a.folder = None;
    }
    a.made.extend(b.made);
    a.accounts.extend(b.accounts);
    for (name, body) in b.functions {
        match a.functions.get(&name) {
            // Two bodies for one name: a call of it is unknown.
            Some(other) if !std::ptr::eq(*other, body) => drop(a.functions.remove(&name)),
            _ => drop(a.functions.insert(name, body)),
        }
    }
    a.doubt = a.doubt.or(b.doubt);
    a.function_doubt = a.function_doubt.or(b.function_doubt);
    a
}
