//! `test` and `[` (POSIX.1-2017, test): what is asked, and what is known of the answer.

use super::KnownFile;
use super::evaluate::{Interpreter, Status};
use super::expand::Field;

/// How long an expression may be, in words.
const MAX_WORDS: usize = 200;

impl Interpreter<'_> {
    /// The answer of `test arguments`.
    pub(super) fn test(&self, arguments: &[Field]) -> Status {
        if arguments.len() > MAX_WORDS {
            return Status::Opaque;
        }
        let mut reader = Reader {
            interpreter: self,
            words: arguments,
            at: 0,
            depth: 0,
        };
        let answer = reader.or();
        if reader.at == arguments.len() {
            answer
        } else {
            Status::Opaque
        }
    }
}

struct Reader<'a, 's> {
    interpreter: &'a Interpreter<'s>,
    words: &'a [Field],
    at: usize,
    depth: u32,
}

impl Reader<'_, '_> {
    fn word(&self, ahead: usize) -> Option<&str> {
        self.words.get(self.at + ahead).and_then(Field::known)
    }

    fn or(&mut self) -> Status {
        let mut left = self.and();
        while self.word(0) == Some("-o") && self.at + 1 < self.words.len() {
            self.at += 1;
            let right = self.and();
            left = match (left, right) {
                (Status::Yes, _) | (_, Status::Yes) => Status::Yes,
                (Status::No, other) | (other, Status::No) => other,
                (a, b) => a.weaker(b),
            };
        }
        left
    }

    fn and(&mut self) -> Status {
        let mut left = self.not();
        while self.word(0) == Some("-a") && self.at + 1 < self.words.len() {
            self.at += 1;
            let right = self.not();
            left = match (left, right) {
                (Status::No, _) | (_, Status::No) => Status::No,
                (Status::Yes, other) | (other, Status::Yes) => other,
                (a, b) => a.weaker(b),
            };
        }
        left
    }

    fn not(&mut self) -> Status {
        self.depth += 1;
        let answer = if self.depth > 50 {
            Status::Opaque
        } else if self.word(0) == Some("!") && self.words.len() > self.at + 1 && !self.is_binary(1) {
            self.at += 1;
            self.not().not()
        } else {
            self.primary()
        };
        self.depth -= 1;
        answer
    }

    /// Whether the word that is `ahead` is an operator between two others.
    fn is_binary(&self, ahead: usize) -> bool {
        const OPERATORS: [&str; 12] = [
            "=", "==", "!=", "-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-nt", "-ot", "-ef",
        ];
        self.at + ahead + 1 < self.words.len() && self.word(ahead).is_some_and(|w| OPERATORS.contains(&w))
    }

    fn primary(&mut self) -> Status {
        if self.at >= self.words.len() {
            return Status::No;
        }
        if self.is_binary(1) {
            let (left, operator, right) = (self.word(0), self.word(1), self.word(2));
            let answer = match (left, operator, right) {
                (Some(left), Some(operator), Some(right)) => compare(left, operator, right),
                _ => Status::Opaque,
            };
            self.at += 3;
            return answer;
        }
        if self.word(0) == Some("(") {
            self.at += 1;
            let answer = self.or();
            self.at += 1;
            return answer;
        }
        if let Some(operator) = self.word(0).map(str::to_owned)
            && operator.len() == 2
            && operator.starts_with('-')
            && self.at + 1 < self.words.len()
        {
            let operand = self.words[self.at + 1].clone();
            self.at += 2;
            return self.unary(&operator, &operand);
        }
        let answer = match &self.words[self.at] {
            Field::Known(text) => Status::from_bool(!text.is_empty()),
            _ => Status::Opaque,
        };
        self.at += 1;
        answer
    }

    fn unary(&self, operator: &str, operand: &Field) -> Status {
        let known = operand.known();
        match operator {
            "-z" => known.map_or(Status::Opaque, |t| Status::from_bool(t.is_empty())),
            "-n" => known.map_or(Status::Opaque, |t| Status::from_bool(!t.is_empty())),
            // Nobody answers questions, and no service listens.
            "-t" | "-S" | "-p" | "-b" | "-c" => Status::No,
            "-e" | "-f" | "-d" | "-x" | "-r" | "-w" | "-s" | "-L" | "-h" | "-u" | "-g" | "-k" | "-O"
            | "-G" => match known {
                Some("") => Status::No,
                Some(path) => self.file(operator, path),
                None => Status::Elsewhere,
            },
            _ => Status::Opaque,
        }
    }

    fn file(&self, operator: &str, path: &str) -> Status {
        if let Some(answer) = alias(operator, path) {
            return answer;
        }
        let here = self.interpreter.exists(path);
        let Some(file) = self.interpreter.known_file(path) else {
            return if operator == "-x" && here != Status::No {
                tool(path)
            } else {
                here
            };
        };
        let link = file == KnownFile::Symlink;
        match operator {
            "-L" | "-h" => Status::from_bool(link),
            "-d" => {
                if link {
                    Status::Elsewhere
                } else {
                    Status::from_bool(file == KnownFile::Directory)
                }
            }
            "-f" => {
                if link {
                    Status::Elsewhere
                } else {
                    Status::from_bool(matches!(file, KnownFile::Regular { .. }))
                }
            }
            "-s" => match file {
                KnownFile::Regular { empty, .. } => Status::from_bool(!empty),
                _ => Status::Elsewhere,
            },
            "-x" => match file {
                KnownFile::Regular { mode, .. } => Status::from_bool(mode & 0o111 != 0),
                _ => Status::Yes,
            },
            "-u" | "-g" | "-k" | "-O" | "-G" => Status::Opaque,
            _ => Status::Yes,
        }
    }
}

/// The links of the layout: `/bin` and its like into `/usr`, `/var/run` and `/var/lock` into `/run`.
fn alias(operator: &str, path: &str) -> Option<Status> {
    let name = path.trim_end_matches('/');
    let link = matches!(
        name,
        "/bin" | "/sbin" | "/lib" | "/lib64" | "/var/run" | "/var/lock"
    );
    match operator {
        "-f" if link => Some(Status::No),
        _ if link => Some(Status::Yes),
        _ if matches!(name, "/lib32" | "/libo32" | "/libx32") => Some(Status::No),
        _ => None,
    }
}

/// Whether an executable is there.
pub(super) fn tool(path: &str) -> Status {
    let name = path.rsplit('/').next().unwrap_or(path);
    if UNDERSTOOD.contains(&name) {
        Status::Yes
    } else {
        Status::Elsewhere
    }
}

/// Tools that do not matter to Lazuli in themselves, since what they do is declared: they count as there.
const UNDERSTOOD: [&str; 14] = [
    "systemd-tmpfiles",
    "systemd-sysusers",
    "deb-systemd-helper",
    "update-alternatives",
    "adduser",
    "addgroup",
    "setcap",
    "ucf",
    "ucfr",
    "ldconfig",
    "dpkg-statoverride",
    "chown",
    "getent",
    "install",
];

fn compare(left: &str, operator: &str, right: &str) -> Status {
    let numbers = || {
        Some((
            left.trim().parse::<i64>().ok()?,
            right.trim().parse::<i64>().ok()?,
        ))
    };
    let by_number = |accept: fn(i64, i64) -> bool| {
        numbers().map_or(Status::Opaque, |(a, b)| Status::from_bool(accept(a, b)))
    };
    match operator {
        "=" | "==" => Status::from_bool(left == right),
        "!=" => Status::from_bool(left != right),
        "-eq" => by_number(|a, b| a == b),
        "-ne" => by_number(|a, b| a != b),
        "-gt" => by_number(|a, b| a > b),
        "-ge" => by_number(|a, b| a >= b),
        "-lt" => by_number(|a, b| a < b),
        "-le" => by_number(|a, b| a <= b),
        _ => Status::Opaque,
    }
}
