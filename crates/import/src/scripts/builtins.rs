//! What the shell does itself: control, variables, tests, output.

use super::ast::{Node, RedirectOperator};
use super::evaluate::{Flow, Interpreter, Status};
use super::expand::Field;
use super::words::is_name;
use super::{Reason, Verdict};

impl<'s> Interpreter<'s> {
    /// Carries out a builtin; `None` if the name is none.
    pub(super) fn builtin(
        &mut self,
        node: &'s Node,
        name: &str,
        arguments: &[Field],
    ) -> Option<(Status, Flow)> {
        let first = arguments.first().and_then(Field::known);
        let next = |status| Some((status, Flow::Next));
        match name {
            "exit" => {
                let failed = first.is_some_and(|code| code != "0" && code.parse::<u32>().is_ok());
                Some((Status::Yes, if failed { Flow::Fail } else { Flow::Exit }))
            }
            "return" => {
                let status = match (first, arguments.is_empty()) {
                    (_, true) | (Some("0"), _) => Status::Yes,
                    (Some(code), _) if code.parse::<u32>().is_ok() => Status::No,
                    _ => Status::Opaque,
                };
                Some((status, Flow::Return))
            }
            "break" | "continue" => Some((Status::Yes, Flow::Loop)),
            ":" | "true" => next(Status::Yes),
            "false" => next(Status::No),
            "test" => next(self.test(arguments)),
            "[" => {
                let closed = arguments.last().and_then(Field::known) == Some("]");
                let inside = &arguments[..arguments.len().saturating_sub(1)];
                next(if closed { self.test(inside) } else { Status::Opaque })
            }
            "echo" | "printf" => {
                self.output(node, name, arguments);
                next(Status::Yes)
            }
            "cat" => next(self.cat(node, arguments)),
            "set" => {
                self.set(arguments);
                next(Status::Yes)
            }
            "shift" => {
                let count = first.map_or(Some(1), |n| n.parse::<usize>().ok()).unwrap_or(1);
                let count = count.min(self.state.positional.len());
                self.state.positional.drain(..count);
                next(Status::Yes)
            }
            "export" | "readonly" | "local" | "declare" | "typeset" => {
                self.declare(node, arguments);
                next(Status::Yes)
            }
            "unset" => {
                for name in arguments.iter().filter_map(Field::known) {
                    self.assign(name, Some(String::new()));
                }
                next(Status::Yes)
            }
            "read" => {
                for name in arguments.iter().filter_map(Field::known).filter(|n| is_name(n)) {
                    self.assign(name, None);
                }
                next(Status::Opaque)
            }
            "umask" => {
                match first {
                    Some(mask) => {
                        self.state.umask = u16::from_str_radix(mask, 8).unwrap_or(self.state.umask) & 0o777
                    }
                    None => self.print(None),
                }
                next(Status::Yes)
            }
            "cd" => {
                self.state.folder = first.and_then(|path| self.absolute(path));
                next(Status::Yes)
            }
            "trap" | "wait" | "hash" | "times" | "sleep" | "sync" => next(Status::Yes),
            "eval" | "exec" => {
                let words = arguments.to_vec();
                match words.split_first() {
                    None => next(Status::Yes),
                    Some((Field::Known(name), rest)) if !name.contains([' ', ';', '$', '\n']) => {
                        let (status, flow) = self.call_again(node, name, rest);
                        let replaced = name_is_exec(node, self) && flow == Flow::Next;
                        Some((status, if replaced { Flow::Exit } else { flow }))
                    }
                    _ => {
                        self.note(node, Verdict::Unknown);
                        next(Status::Opaque)
                    }
                }
            }
            "." | "source" => {
                self.source(node, first);
                next(Status::Yes)
            }
            name if name.starts_with("db_") => next(self.question(node, name, arguments)),
            _ => None,
        }
    }

    fn call_again(&mut self, node: &'s Node, name: &str, arguments: &[Field]) -> (Status, Flow) {
        self.builtin(node, name, arguments)
            .unwrap_or_else(|| (self.command(node, name, arguments), Flow::Next))
    }

    /// `echo` and the plain uses of `printf`.
    fn output(&mut self, _node: &'s Node, name: &str, arguments: &[Field]) {
        let words: Option<Vec<&str>> = arguments.iter().map(Field::known).collect();
        let text = words.and_then(|words| {
            if name == "echo" {
                echo(&words)
            } else {
                printf(&words)
            }
        });
        self.print(text.as_deref());
    }

    /// `cat` of here-documents; of files, the content is not known.
    fn cat(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        let here = node
            .redirects
            .iter()
            .find(|r| r.operator == RedirectOperator::HereDocument);
        let text = match here {
            Some(redirect) if arguments.is_empty() => self.value(&redirect.target),
            _ => None,
        };
        self.print(text.as_deref());
        Status::Yes
    }

    fn set(&mut self, arguments: &[Field]) {
        let mut rest = arguments;
        while let Some(Field::Known(word)) = rest.first() {
            match word.as_str() {
                "--" => {
                    rest = &rest[1..];
                    break;
                }
                option if option.starts_with(['-', '+']) => {
                    let takes_name = option.ends_with('o');
                    rest = &rest[(1 + usize::from(takes_name)).min(rest.len())..];
                    if rest.is_empty() {
                        return;
                    }
                }
                _ => break,
            }
        }
        self.state.positional = rest.iter().map(|f| f.known().map(str::to_owned)).collect();
    }

    /// `local x="$(…)"` sets `x` even where the value is not known: the name is taken from the text.
    fn declare(&mut self, node: &'s Node, arguments: &[Field]) {
        if arguments.iter().any(|f| f.known().is_none()) {
            let text = self.text_of(node);
            for word in text.split_whitespace() {
                match word.split_once('=') {
                    Some((name, _)) if is_name(name) => self.assign(name, None),
                    _ => {}
                }
            }
        }
        for field in arguments {
            let Some(word) = field.known() else { continue };
            match word.split_once('=') {
                Some((name, value)) if is_name(name) => self.assign(name, Some(value.to_owned())),
                _ => {}
            }
        }
    }

    /// `. file`: libraries of shell functions that only ask or speak.
    fn source(&mut self, node: &'s Node, file: Option<&str>) {
        const HARMLESS: [&str; 4] = [
            "/usr/share/debconf/confmodule",
            "/usr/share/dpkg/sh/dpkg-error.sh",
            "/lib/lsb/init-functions",
            "/usr/share/dbconfig-common/dpkg/frontend",
        ];
        let known = file.is_some_and(|f| HARMLESS.contains(&f));
        self.note(
            node,
            if known {
                Verdict::Irrelevant(Reason::Question)
            } else {
                Verdict::Unknown
            },
        );
    }

    /// debconf's functions (debconf-devel(7)): each question has its default answer.
    fn question(&mut self, node: &'s Node, name: &str, arguments: &[Field]) -> Status {
        self.note(node, Verdict::Irrelevant(Reason::Question));
        if name == "db_get" {
            let question = arguments.first().and_then(Field::known);
            let answer = question.and_then(|q| self.facts.answers.get(q).cloned());
            let own = format!("{}/", self.facts.package);
            return match answer {
                Some(answer) => {
                    self.assign("RET", Some(answer));
                    Status::Yes
                }
                // A question of the package's own that it does not have: nobody can have answered it.
                None if question.is_some_and(|q| q.starts_with(&own)) => {
                    self.assign("RET", Some(String::new()));
                    Status::No
                }
                None => {
                    self.assign("RET", None);
                    Status::Opaque
                }
            };
        }
        if name != "db_stop" && name != "db_version" {
            self.assign("RET", None);
        }
        Status::Yes
    }
}

fn name_is_exec(node: &Node, interpreter: &Interpreter<'_>) -> bool {
    interpreter.text_of(node).starts_with("exec")
}

fn echo(words: &[&str]) -> Option<String> {
    let (newline, words) = match words.first() {
        Some(&"-n") => ("", &words[1..]),
        Some(&"-e") => return None,
        _ => ("\n", words),
    };
    let text = words.join(" ");
    // dash's echo reads backslashes, bash's does not.
    (!text.contains('\\')).then(|| text + newline)
}

fn printf(words: &[&str]) -> Option<String> {
    let (format, values) = words.split_first()?;
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next()? {
                's' => out.push_str(values.next().copied().unwrap_or_default()),
                '%' => out.push('%'),
                _ => return None,
            },
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                '\\' => out.push('\\'),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    // The format would be used again for what is left.
    values.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::{echo, printf};

    #[test]
    fn output() {
        assert_eq!(echo(&["a", "b"]).as_deref(), Some("a b\n"));
        assert_eq!(echo(&["-n", "a"]).as_deref(), Some("a"));
        assert_eq!(echo(&["a\\n"]), None);
        assert_eq!(printf(&["%s-%s\\n", "a"]).as_deref(), Some("a-\n"));
        assert_eq!(printf(&["%d", "1"]), None);
        assert_eq!(printf(&["%s", "1", "2"]), None);
    }
}
